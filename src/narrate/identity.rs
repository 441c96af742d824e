//! Which library this is: a random name in a file of the library's folder, made when it is first asked
//! for and never changed. Folders of narrations are marked with it, so that two libraries that write
//! to the same place know each other's folders from their own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::files;

/// The file in the library's folder.
const FILE: &str = "library-id";

/// The random name of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryId(String);

impl LibraryId {
    /// The name of the library in this folder. The engine must have it open: its lock keeps other
    /// processes out.
    ///
    /// ```
    /// use aloud::narrate::LibraryId;
    ///
    /// let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    /// let id = LibraryId::of(one.path())?;
    /// assert_eq!(LibraryId::of(one.path())?, id);
    /// assert_ne!(LibraryId::of(other.path())?, id);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn of(library: &Path) -> io::Result<Self> {
        // Workers and whoever submits may ask for it at the same time.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let path = library.join(FILE);
        match fs::read_to_string(&path) {
            Ok(id) if !id.trim().is_empty() => return Ok(Self(id.trim().to_owned())),
            // A crash came between its making and its writing: nobody has used it.
            Ok(_) => fs::remove_file(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        files::create_folders(library)?;
        let id = uuid::Uuid::new_v4().to_string();
        let mut file = File::create_new(&path)?;
        writeln!(file, "{id}")?;
        file.sync_all()?;
        files::sync_folder(library)?;
        Ok(Self(id))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_ask_at_once_are_told_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("new/library");
        let ask = || LibraryId::of(&library).unwrap();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn one_that_a_crash_left_empty_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "").unwrap();
        let id = LibraryId::of(folder.path()).unwrap();
        assert!(!id.as_str().is_empty());
        assert_eq!(LibraryId::of(folder.path()).unwrap(), id);
    }
}
