//! One process for a library: a lock on a file of its own, held as long as the engine is open.
//! The system releases it when the process ends, however it ends. The database is never locked
//! this way.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::engine::error::OpenError;

/// How long a lock is waited for whose holder has ended. What a program was about to start when it was
/// killed has the lock too, until it begins with its own program.
const PATIENCE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(5);

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
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&mut file);
                    if Instant::now() < until && holder.is_some_and(has_ended) {
                        std::thread::sleep(STEP);
                        continue;
                    }
                    return Err(OpenError::InUse {
                        folder: folder.to_owned(),
                        holder: match holder {
                            Some(pid) => {
                                format!("another aloud (process {})", pid.as_raw_nonzero())
                            }
                            None => "another process".to_owned(),
                        },
                    });
                }
                Err(TryLockError::Error(source)) => return Err(OpenError::Folder { path, source }),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed(&path))?;
        Ok(Self { _file: file })
    }
}

/// Who has the lock, as the file says. Without that what is told is still right.
fn holder(file: &mut File) -> Option<Pid> {
    let mut holder = String::new();
    file.rewind().ok()?;
    file.take(200).read_to_string(&mut holder).ok()?;
    Pid::from_raw(holder.trim().parse().ok()?)
}

/// Whether there is no such process any more.
fn has_ended(pid: Pid) -> bool {
    test_kill_process(pid) == Err(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_has_ended_is_waited_for_and_another_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let lock = LibraryLock::take(folder.path()).unwrap();
        let begun = Instant::now();
        let refused = LibraryLock::take(folder.path()).unwrap_err().to_string();
        let me = format!("(process {})", std::process::id());
        assert!(refused.contains(&me), "{refused}");
        assert!(begun.elapsed() < PATIENCE, "nobody waits for who lives");

        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        std::fs::write(folder.path().join("lock"), ended.id().to_string()).unwrap();
        let refused = LibraryLock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&ended.id().to_string()), "{refused}");
        std::thread::scope(|scope| {
            let next = scope.spawn(|| LibraryLock::take(folder.path()));
            drop(lock);
            assert!(next.join().unwrap().is_ok());
        });
    }
}
