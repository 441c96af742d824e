//! Finding pieces in a folder that someone carried here: packages by name, bare files by size and
//! SHA-256, one level of subfolders included. It only looks; it must never move or change them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    AssetError, Package, check,
    install::{Each, Source},
};

/// A folder with more than this is not one that somebody prepared.
const MOST_ENTRIES: usize = 20_000;

/// What lies in the folder and one level below.
pub(super) struct Carried {
    files: Vec<(PathBuf, u64)>,
    folders: Vec<PathBuf>,
    /// The SHA-256 of those that were hashed: many may have the size of many others.
    hashes: BTreeMap<PathBuf, String>,
}

impl Carried {
    pub(super) fn look(folder: &Path) -> Result<Carried, AssetError> {
        let mut carried = Carried {
            files: Vec::new(),
            folders: vec![folder.to_owned()],
            hashes: BTreeMap::new(),
        };
        carried
            .add(folder)
            .map_err(|why| AssetError::files("read", folder, why))?;
        for below in carried.folders.clone().iter().skip(1) {
            // A subfolder that can't be read has nothing for us; what lacks is named later.
            let _ = carried.add(below);
        }
        carried.files.sort();
        Ok(carried)
    }

    fn add(&mut self, folder: &Path) -> std::io::Result<()> {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if self.files.len() + self.folders.len() >= MOST_ENTRIES {
                break;
            }
            match path.metadata() {
                Ok(meta) if meta.is_dir() => self.folders.push(path),
                Ok(meta) if meta.is_file() => self.files.push((path, meta.len())),
                _ => {}
            }
        }
        Ok(())
    }

    /// The archives that this package may be, going by their names.
    pub(super) fn archives(&self, package: &Package) -> Vec<PathBuf> {
        let paths = self.files.iter().map(|(path, _)| path);
        paths
            .filter(|path| package.is_archive(path))
            .cloned()
            .collect()
    }

    /// The file that has this size and SHA-256, whatever it is called.
    pub(super) fn file(
        &mut self,
        size: u64,
        sha256: &str,
        each: Each<'_>,
    ) -> Result<Option<PathBuf>, AssetError> {
        for (path, _) in self.files.iter().filter(|(_, found)| *found == size) {
            if !self.hashes.contains_key(path) {
                let (_, hash) = check::hash_file(path, &mut *each)?;
                self.hashes.insert(path.clone(), hash);
            }
            if self.hashes[path] == sha256 {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }

    /// The bare files and folders of this package, but for the parts of files that are `whole`; otherwise the
    /// names of those not found, if at least one was.
    pub(super) fn loose(
        &mut self,
        package: &Package,
        whole: &[&str],
        each: Each<'_>,
    ) -> Result<Result<Source, Vec<String>>, AssetError> {
        let (mut files, mut parts, mut trees) = (Vec::new(), Vec::new(), Vec::new());
        let mut lacking = Vec::new();
        for pin in &package.files {
            match self.file(pin.size, &pin.sha256, each)? {
                Some(path) => files.push(path),
                None => lacking.push(pin.to.clone()),
            }
        }
        for pin in &package.parts {
            if whole.contains(&&*pin.of) {
                continue;
            }
            match self.file(pin.size, &pin.sha256, each)? {
                Some(path) => parts.push(path),
                None => lacking.push(pin.from.clone()),
            }
        }
        for pin in &package.trees {
            // The name and the first look decide; the contents are proven while copying.
            let named = |folder: &&PathBuf| {
                folder
                    .file_name()
                    .is_some_and(|name| name == pin.to.as_str())
            };
            match self.folders.iter().find(named) {
                Some(folder) => trees.push(folder.clone()),
                None => lacking.push(format!("{}/", pin.to)),
            }
        }
        let nothing = files.is_empty() && parts.is_empty() && trees.is_empty();
        if lacking.is_empty() {
            return Ok(Ok(Source::Loose {
                files,
                parts,
                trees,
            }));
        }
        Ok(Err(if nothing { Vec::new() } else { lacking }))
    }
}
