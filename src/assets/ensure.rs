//! Bringing what is missing: from the network, from a folder, or not at all. One process at a
//! time does it (a file lock), and whoever waited looks again before fetching anything twice.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    AssetError, Assets, Package, Piece, PieceId, Registry,
    events::{Fetch, FetchEvent, Watch},
    folder::Carried,
    human_size,
    install::{self, Install, Source},
};

/// Between two tries to get the lock.
const LOCK_POLL: Duration = Duration::from_millis(100);

impl Assets {
    /// Brings what is missing of `need`, going by the cheap check.
    ///
    /// `progress` hears what is going on, often; `interrupted` is asked many times a second
    /// and ends the work when it says so. What is installed when it ends stays.
    ///
    /// # Errors
    /// [`AssetError`]; nothing is left half-installed by any of them.
    pub fn ensure(
        &self,
        need: &[PieceId],
        from: &Fetch,
        progress: &mut dyn FnMut(FetchEvent<'_>),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), AssetError> {
        let missing = self.missing(need);
        if missing.is_empty() {
            return Ok(());
        }
        self.bring(
            &missing,
            from,
            &mut Watch {
                progress,
                interrupted,
            },
        )
    }

    /// As [`Assets::ensure`], but hashes what is there, and fetches again what is damaged.
    ///
    /// # Errors
    /// As [`Assets::ensure`].
    pub fn repair(
        &self,
        need: &[PieceId],
        from: &Fetch,
        progress: &mut dyn FnMut(FetchEvent<'_>),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), AssetError> {
        let mut watch = Watch {
            progress,
            interrupted,
        };
        let mut lacking = Vec::new();
        for piece in self
            .catalogue
            .pieces
            .iter()
            .filter(|piece| need.contains(&piece.id))
        {
            if self.folder(piece).join(super::check::MANIFEST).exists() {
                match self.verify_watched(piece, &mut watch) {
                    Ok(()) => continue,
                    Err(AssetError::Interrupted) => return Err(AssetError::Interrupted),
                    Err(why) => (watch.progress)(FetchEvent::Damaged { piece, why: &why }),
                }
                lacking.push(piece);
            } else if !self.is_replaced(piece) {
                lacking.push(piece);
            }
        }
        if lacking.is_empty() {
            return Ok(());
        }
        self.bring(&lacking, from, &mut watch)
    }

    fn verify_watched(&self, piece: &Piece, watch: &mut Watch<'_>) -> Result<(), AssetError> {
        let total = piece.installed_size();
        let mut done = 0;
        let mut each = watch.counting(&mut done, |done| FetchEvent::Verifying {
            piece,
            done: done.min(total),
            total,
        });
        self.verify_with(piece, &mut each)?;
        drop(each);
        (watch.progress)(FetchEvent::Verified { piece });
        Ok(())
    }

    fn bring(
        &self,
        lacking: &[&Piece],
        from: &Fetch,
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        if let Some(piece) = lacking.iter().find(|piece| !piece.can_be_fetched()) {
            return Err(self.unsupported(piece));
        }
        if *from == Fetch::Offline {
            let packages = lacking.iter().flat_map(|piece| {
                piece
                    .packages
                    .iter()
                    .map(|package| line_for(piece, package))
            });
            return Err(AssetError::Offline {
                bytes: lacking.iter().map(|piece| piece.download_size()).sum(),
                lacking: packages.collect(),
            });
        }
        // A wrong folder is told before anything is created or waited for.
        let carried = match from {
            Fetch::Folder(folder) => Some((folder, Carried::look(folder)?)),
            _ => None,
        };
        fs::create_dir_all(&self.data)
            .map_err(|why| AssetError::files("create", &self.data, why))?;
        let (_lock, waited) = self.lock(watch)?;
        install::sweep(&self.downloads());
        for piece in lacking {
            install::sweep(self.folder(piece).parent().unwrap_or(&self.data));
        }
        let mut pieces = lacking.to_vec();
        if waited {
            pieces.clear();
            for piece in lacking {
                match self.verify_watched(piece, watch) {
                    Ok(()) => {}
                    Err(AssetError::Interrupted) => return Err(AssetError::Interrupted),
                    Err(_) => pieces.push(piece),
                }
            }
        }
        match carried {
            Some((folder, mut carried)) => self.bring_from(folder, &mut carried, &pieces, watch),
            None => self.bring_by_network(&pieces, watch),
        }
    }

    /// Where packages are until they are installed.
    pub(super) fn downloads(&self) -> PathBuf {
        self.data.join("downloads")
    }

    /// The lock that one fetching process holds, and whether it had to be waited for.
    fn lock(&self, watch: &mut Watch<'_>) -> Result<(File, bool), AssetError> {
        let path = self.data.join("fetch.lock");
        let failed = |why| AssetError::files("lock", &path, why);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let mut waited = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok((file, waited)),
                Err(TryLockError::Error(why)) => return Err(failed(why)),
                Err(TryLockError::WouldBlock) => {}
            }
            if !waited {
                (watch.progress)(FetchEvent::Waiting);
            }
            waited = true;
            watch.go_on()?;
            std::thread::sleep(LOCK_POLL);
        }
    }

    /// Installs a piece from a source for each of its packages.
    pub(super) fn put(
        &self,
        piece: &Piece,
        sources: &[Source],
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let total = piece.installed_size();
        self.expect_space(total)?;
        let folder = self.folder(piece);
        let mut done = 0;
        let mut each = watch.counting(&mut done, |done| FetchEvent::Unpacking {
            piece,
            done: done.min(total),
            total,
        });
        let mut install = Install::begin(piece, &folder)?;
        for (package, source) in piece.packages.iter().zip(sources) {
            install.take(package, source, &mut each)?;
        }
        install.finish(&mut each)?;
        drop(each);
        (watch.progress)(FetchEvent::Installed {
            piece,
            folder: &folder,
        });
        Ok(())
    }

    pub(super) fn expect_space(&self, needed: u64) -> Result<(), AssetError> {
        match free_space(&self.data) {
            Some(free) if free < needed => Err(AssetError::DiskFull {
                path: self.data.clone(),
                needed: Some(needed),
                free: Some(free),
            }),
            _ => Ok(()),
        }
    }

    fn bring_from(
        &self,
        folder: &Path,
        carried: &mut Carried,
        pieces: &[&Piece],
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let (mut found, mut lacking, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for piece in pieces {
            let lacks = self.take(carried, piece, watch, &mut notes)?;
            if lacks.is_empty() {
                found.push(piece.name());
            }
            lacking.extend(lacks.iter().map(|package| line_for(piece, package)));
        }
        if lacking.is_empty() {
            return Ok(());
        }
        Err(AssetError::FolderLacks {
            folder: folder.to_owned(),
            found,
            lacking,
            notes,
        })
    }

    /// Installs one piece from the folder, and returns those of its packages that are not in it: with any, it
    /// is not installed.
    fn take<'p>(
        &self,
        carried: &mut Carried,
        piece: &'p Piece,
        watch: &mut Watch<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<&'p Package>, AssetError> {
        let total = piece.installed_size();
        self.expect_space(total)?;
        let (mut hashed, mut written) = (0, 0);
        let verifying = |done: u64| FetchEvent::Verifying {
            piece,
            done: done.min(total),
            total,
        };
        let unpacking = |done: u64| FetchEvent::Unpacking {
            piece,
            done: done.min(total),
            total,
        };
        let folder = self.folder(piece);
        let mut install = Install::begin(piece, &folder)?;
        let mut whole = Vec::new();
        for pin in &piece.joined {
            let mut each = watch.counting(&mut hashed, verifying);
            let path = carried.file(pin.size, &pin.sha256, &mut each)?;
            drop(each);
            if let Some(path) = path {
                (watch.progress)(FetchEvent::Found { piece, path: &path });
                install.take_whole(pin, &path, &mut watch.counting(&mut written, unpacking))?;
                whole.push(&*pin.to);
            }
        }
        let mut lacking = Vec::new();
        for package in &piece.packages {
            let archives = carried.archives(package).into_iter();
            let mut sources: Vec<_> = archives.map(Source::Archive).collect();
            let mut each = watch.counting(&mut hashed, verifying);
            match carried.loose(package, &whole, &mut each)? {
                // What needs nothing but what is there already needs no archive.
                Ok(source) if source.path().is_none() => sources = vec![source],
                Ok(source) => sources.push(source),
                Err(partly) if !partly.is_empty() => {
                    notes.push(format!("{} without {}", piece.name(), partly.join(", ")));
                }
                Err(_) => {}
            }
            drop(each);
            let mut is_taken = false;
            for source in sources {
                if let Some(path) = source.path() {
                    (watch.progress)(FetchEvent::Found { piece, path });
                }
                let mut each = watch.counting(&mut written, unpacking);
                match install.take(package, &source, &mut each) {
                    Ok(()) => {
                        is_taken = true;
                        break;
                    }
                    Err(AssetError::NotThePinned { path, why, .. }) => {
                        notes.push(format!("{} ({why})", path.display()));
                    }
                    Err(why) => return Err(why),
                }
            }
            if !is_taken {
                lacking.push(package);
            }
        }
        if lacking.is_empty() {
            install.finish(&mut watch.counting(&mut written, unpacking))?;
            (watch.progress)(FetchEvent::Installed {
                piece,
                folder: &folder,
            });
        }
        Ok(lacking)
    }
}

/// Bytes free for us on the disk of a folder, or of the nearest one above it that exists.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// One missing package, with what to look for: `ONNX Runtime 1.31.1: onnxruntime-1.31.1-*.whl (…)`.
fn line_for(piece: &Piece, package: &Package) -> String {
    /// More names than this are counted.
    const MOST_NAMES: usize = 6;
    let from = match package.registry {
        Registry::Npm => format!(" (`npm pack {}@{}`)", package.name, package.version),
        Registry::Pip if package.tag == "any" => " for any platform".to_owned(),
        Registry::Pip => format!(" for {}", package.tag),
    };
    let files = package.files.iter().map(|file| file.to.clone());
    let joined = package.parts.iter().map(|part| part.of.clone());
    let trees = package.trees.iter().map(|tree| format!("{}/", tree.to));
    let loose: Vec<_> = files.chain(joined).chain(trees).collect();
    let loose = match &*loose {
        [first, .., last] if loose.len() > MOST_NAMES => {
            format!("its {} files from {first} to {last}", loose.len())
        }
        all => all.join(", "),
    };
    format!(
        "{}: {}{from} ({}) or {loose}",
        piece.name(),
        package.archive(),
        human_size(package.size),
    )
}
