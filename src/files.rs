//! Makes files and folders in places where others can write too: nothing of theirs is ever opened or
//! overwritten, and what was made is still there after a power cut. Names are chosen elsewhere.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Creates a file of our own at `path`. Whatever has that name now (a leftover of ours, or a link to
/// someone's file) is removed first; a link is never followed. The rooms that call this use names
/// that no person's file has.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    // `create_new` is `O_CREAT | O_EXCL`: it fails on a link, even on one that leads nowhere.
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // For a link, this removes the link. For a folder, it fails.
            fs::remove_file(path)?;
            File::create_new(path)
        }
        created => created,
    }
}

/// Creates one folder, on disk when this returns.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    sync_folder(parent_of(path))
}

/// Creates a folder and the parents that are missing, all of them on disk when this returns.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let created = match create_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_folders(parent_of(path))?;
            create_folder(path)
        }
        created => created,
    };
    match created {
        // Another process made it in this moment, and may not have waited for the disk yet.
        Err(_) if path.is_dir() => sync_folder(parent_of(path)),
        created => created,
    }
}

/// Waits until the names in a folder are on disk, where that can be asked for.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let opened = match File::open(folder) {
        // Files may be made in it, but it may not be read.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        opened => opened?,
    };
    match opened.sync_all() {
        // The file system does not know how.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Puts these bytes in the place of a file, or makes it: whoever reads it meanwhile, or after a power cut,
/// finds the old ones or the new ones. A link stays a link, and the file that it leads to changes.
#[cfg(feature = "narrate")]
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    let is_new = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let path = match fs::canonicalize(path) {
        Err(error) if is_new(&error) => path.to_owned(),
        path => path?,
    };
    let folder = parent_of(&path);
    // As a file that is made the usual way; the system's mask takes from it.
    let usual = fs::Permissions::from_mode(0o666);
    let mut part = tempfile::Builder::new()
        .permissions(usual)
        .tempfile_in(folder)?;
    match fs::metadata(&path) {
        Ok(metadata) => part.as_file().set_permissions(metadata.permissions())?,
        Err(error) if is_new(&error) => {}
        Err(error) => return Err(error),
    }
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    part.persist(&path)?;
    sync_folder(folder)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_has_the_name_is_removed_and_never_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.part"), folder.path().join("mine.txt"));
        fs::write(&other, "mine").unwrap();
        let left = || {
            fs::write(&path, "a much longer leftover").unwrap();
        };
        let link = || symlink(&other, &path).unwrap();
        let dangling = || symlink(folder.path().join("nowhere"), &path).unwrap();
        let hard_link = || fs::hard_link(&other, &path).unwrap();
        for make in [&left as &dyn Fn(), &link, &dangling, &hard_link] {
            make();
            create_new(&path).unwrap().write_all(b"new").unwrap();
            assert!(fs::symlink_metadata(&path).unwrap().is_file());
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::read(&other).unwrap(), b"mine");
            assert!(!folder.path().join("nowhere").exists());
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        assert!(create_new(&path).is_err());
        assert!(path.is_dir(), "a folder stays");
    }

    #[test]
    fn missing_parents_are_made_and_a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folders(&deep).unwrap();
        create_folders(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_folders(&folder.path().join("file")).is_err());
        assert!(create_folders(&folder.path().join("file/below")).is_err());
    }
}
