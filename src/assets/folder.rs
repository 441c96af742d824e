//! Finding pieces in a folder that someone carried here: wheels by name, bare files by size and
//! SHA-256, one level of subfolders included. It only looks; it must never move or change them.

use std::path::{Path, PathBuf};

use super::{AssetError, Wheel, check, install::Source, pip::is_wheel};

/// A folder with more than this is not one that somebody prepared.
const MOST_ENTRIES: usize = 20_000;

/// What lies in the folder and one level below.
pub(super) struct Carried {
    files: Vec<(PathBuf, u64)>,
    folders: Vec<PathBuf>,
}

impl Carried {
    pub(super) fn look(folder: &Path) -> Result<Carried, AssetError> {
        let mut carried = Carried {
            files: Vec::new(),
            folders: vec![folder.to_owned()],
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

    /// The wheels that this piece may be in, going by their names.
    pub(super) fn wheels(&self, wheel: &Wheel) -> Vec<PathBuf> {
        let paths = self.files.iter().map(|(path, _)| path);
        paths
            .filter(|path| is_wheel(path, wheel))
            .cloned()
            .collect()
    }

    /// The bare files and folders of this piece; otherwise the names of those not found, if
    /// at least one was.
    pub(super) fn loose(
        &self,
        wheel: &Wheel,
        each: &mut dyn FnMut(u64) -> Result<(), AssetError>,
    ) -> Result<Result<Source, Vec<String>>, AssetError> {
        let (mut files, mut trees, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
        for pin in &wheel.files {
            let mut found = None;
            for (path, _) in self.files.iter().filter(|(_, size)| *size == pin.size) {
                if check::hash_file(path, &mut *each)?.1 == pin.sha256 {
                    found = Some(path.clone());
                    break;
                }
            }
            match found {
                Some(path) => files.push(path),
                None => lacking.push(pin.to.clone()),
            }
        }
        for pin in &wheel.trees {
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
        if lacking.is_empty() {
            return Ok(Ok(Source::Loose { files, trees }));
        }
        let nothing = files.is_empty() && trees.is_empty();
        Ok(Err(if nothing { Vec::new() } else { lacking }))
    }
}
