//! One process for a library: a lock on a file of its own, held as long as the engine is open.
//! The system releases it when the process ends, however it ends. The database is never locked
//! this way.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::engine::error::OpenError;

/// The held lock; dropping it releases the library.
#[derive(Debug)]
pub(in crate::engine) struct LibraryLock {
    _file: File,
}

impl LibraryLock {
    /// Takes the library, or says who has it.
    pub(in crate::engine) fn take(folder: &Path) -> Result<Self, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Folder { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The name is a courtesy: without it the message is still right.
                let _ = (&mut file).take(200).read_to_string(&mut holder);
                let holder = match holder.trim().parse::<u32>() {
                    Ok(pid) => format!("another aloud (process {pid})"),
                    Err(_) => "another process".to_owned(),
                };
                return Err(OpenError::InUse {
                    folder: folder.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(OpenError::Folder { path, source }),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed(&path))?;
        Ok(Self { _file: file })
    }
}
