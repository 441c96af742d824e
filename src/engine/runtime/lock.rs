//! One process for a library: a lock on a file of its own, held as long as the engine is open.
//! The system releases it when the process ends, however it ends. The database is never locked
//! this way. The file's first line says who holds it, as JSON.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::error::OpenError;

/// How long a lock is waited for whose holder has ended. What a program was about to start when it was
/// killed has the lock too, until it begins with its own program.
const PATIENCE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(5);

/// The longest line that is read.
const LONGEST: u64 = 4096;

/// Who has a library open, as they say of themselves in its lock's file. They may have ended since.
///
/// ```
/// use aloud::engine::{Holder, testing::Library};
/// use serde_json::json;
///
/// let engine = Library::new();
/// assert_eq!(Holder::of(engine.folder()).unwrap().pid, std::process::id());
/// let said = json!({ "socket": "/run/user/1000/aloud/3f9c.sock" });
/// engine.announce(said.as_object().unwrap().clone())?;
/// assert_eq!(Holder::of(engine.folder()).unwrap().said["socket"], said["socket"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// Their process.
    pub pid: u32,
    /// What else they say, such as how they can be reached.
    #[serde(flatten)]
    pub said: Map<String, Value>,
}

impl Holder {
    /// Who has, or had last, the library in this folder open.
    #[must_use]
    pub fn of(library: &Path) -> Option<Self> {
        Self::read(&mut File::open(library.join("lock")).ok()?)
    }

    fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        let line = text.lines().next()?.trim();
        // Earlier versions wrote the number alone.
        let alone = || {
            Some(Self {
                pid: line.parse().ok()?,
                said: Map::new(),
            })
        };
        serde_json::from_str(line).ok().or_else(alone)
    }

    fn has_ended(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
    }
}

/// The held lock; dropping it releases the library.
#[derive(Debug)]
pub(in crate::engine) struct LibraryLock {
    file: File,
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
                    let holder = Holder::read(&mut file);
                    let has_ended = holder.as_ref().is_some_and(Holder::has_ended);
                    if Instant::now() < until && has_ended {
                        std::thread::sleep(STEP);
                        continue;
                    }
                    return Err(OpenError::InUse {
                        folder: folder.to_owned(),
                        holder: match holder {
                            Some(holder) => format!("another aloud (process {})", holder.pid),
                            None => "another process".to_owned(),
                        },
                    });
                }
                Err(TryLockError::Error(source)) => return Err(OpenError::Folder { path, source }),
            }
        }
        let lock = Self { file };
        lock.announce(Map::new()).map_err(failed(&path))?;
        Ok(lock)
    }

    /// Says who holds it, and what else there is to say.
    pub(in crate::engine) fn announce(&self, said: Map<String, Value>) -> io::Result<()> {
        let holder = Holder {
            pid: std::process::id(),
            said,
        };
        let mut line = serde_json::to_vec(&holder)?;
        line.push(b'\n');
        // Whoever reads meanwhile finds a first line that is whole.
        self.file.write_all_at(&line, 0)?;
        self.file.set_len(line.len() as u64)
    }
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
