//! Where the owner of a library can be reached: a socket that its user alone can open, named in the
//! lock's file.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::engine::Holder;

/// Longer paths don't fit into a socket's address (108 bytes on Linux, 104 elsewhere).
const LONGEST: usize = 100;

/// A socket that listens. Dropped, its file goes.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// The file's device and number.
    file: (u64, u64),
}

impl Place {
    /// Listens for the library in this folder, which this process has open: a file that an earlier
    /// owner left there is in nobody's use.
    ///
    /// # Errors
    /// There is no folder for it that is this user's alone, or the system refuses.
    pub(crate) fn listen(library: &Path) -> io::Result<(Self, UnixListener)> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let path = path(library, runtime.as_deref())?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        let file = identity(&path)?;
        let place = Self { path, file };
        fs::set_permissions(&place.path, Permissions::from_mode(0o600))?;
        Ok((place, listener))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever came next may have put their own there already.
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            // If it stays, whoever is next takes it away.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Where the owner of this library says that it listens. It may have ended since.
pub(crate) fn socket_of(library: &Path) -> Option<PathBuf> {
    let holder = Holder::of(library)?;
    Some(PathBuf::from(holder.said.get("socket")?.as_str()?))
}

/// In the user's runtime folder, or else in the library itself.
fn path(library: &Path, runtime: Option<&Path>) -> io::Result<PathBuf> {
    let of_user = || PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw()));
    let runtime = runtime.map_or_else(of_user, Path::to_owned);
    if runtime.is_absolute() && runtime.is_dir() {
        let name = name(library);
        let path = runtime.join("aloud").join(name);
        if path.as_os_str().len() < LONGEST && own_folder(&runtime.join("aloud")).is_ok() {
            return Ok(path);
        }
    }
    let path = library.join("aloud.sock");
    if path.as_os_str().len() >= LONGEST {
        let library = library.display();
        return Err(io::Error::other(format!(
            "the path of the library {library} is too long for a socket, and there is no folder \
             XDG_RUNTIME_DIR"
        )));
    }
    Ok(path)
}

/// Another one for each library.
fn name(library: &Path) -> String {
    format!("{}.sock", library_tag(library))
}

/// Eight hexadecimal digits, other ones for each library.
pub(crate) fn library_tag(library: &Path) -> String {
    let real = library.canonicalize();
    let real = real.as_deref().unwrap_or(library);
    let hash = Sha256::digest(real.as_os_str().as_encoded_bytes());
    hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a folder that only this user can enter, or sees that it is one.
fn own_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(folder)?;
    let is_mine = found.uid() == rustix::process::getuid().as_raw();
    let is_mine_alone = is_mine && found.permissions().mode() & 0o777 == 0o700;
    if found.is_dir() && is_mine_alone {
        return Ok(());
    }
    Err(io::Error::other("the folder is not this user's alone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_in_a_folder_of_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (library, runtime) = (folder.path().join("library"), folder.path().join("run"));
        fs::create_dir(&library).unwrap();
        let beside = library.join("aloud.sock");
        assert_eq!(
            path(&library, Some(&runtime)).unwrap(),
            beside,
            "there is none"
        );
        fs::create_dir(&runtime).unwrap();
        let there = path(&library, Some(&runtime)).unwrap();
        assert!(there.starts_with(runtime.join("aloud")), "{there:?}");
        assert_eq!(
            path(&library, Some(&runtime)).unwrap(),
            there,
            "again the same"
        );
        let mode = fs::metadata(runtime.join("aloud")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
        // Others could look into it, or it leads elsewhere.
        fs::set_permissions(runtime.join("aloud"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(path(&library, Some(&runtime)).unwrap(), beside);
        fs::remove_dir(runtime.join("aloud")).unwrap();
        std::os::unix::fs::symlink(&library, runtime.join("aloud")).unwrap();
        assert_eq!(path(&library, Some(&runtime)).unwrap(), beside);
        let long = folder.path().join("x".repeat(100));
        assert!(path(&long, Some(&runtime)).is_err());
    }

    #[test]
    fn what_an_earlier_owner_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path();
        let (first, _listener) = Place::listen(library).unwrap();
        let path = first.path().to_owned();
        let (second, _listener) = Place::listen(library).unwrap();
        assert_eq!(second.path(), path);
        drop(first);
        assert!(path.exists(), "the one that left late takes nobody's away");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        drop(second);
        assert!(!path.exists());
    }
}
