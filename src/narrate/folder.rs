//! The folder of a narration: chosen, made and marked, so that it belongs to one narration of one
//! library for good. The mark is the file `.aloud`, and whoever creates it has the folder; no other
//! narration ever writes to it, not even when its own folder is gone.
//!
//! A folder without a mark is from a version that knew none. The narration that the library's
//! database has there may go on in it and marks it then.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ComposeError, LibraryId};
use crate::engine::{Narration, RECORD_FILE};
use crate::failpoint::reach;
use crate::files;

/// The mark in a folder.
pub const MARK_FILE: &str = ".aloud";

/// Who has a folder: one narration of one library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    library: String,
    /// Its fingerprint: a narration that is tried again is the same one.
    narration: String,
}

impl Owner {
    /// This narration of this library.
    #[must_use]
    pub fn new(library: &LibraryId, narration: &Narration) -> Self {
        Self {
            library: library.as_str().to_owned(),
            narration: narration.fingerprint.clone(),
        }
    }
}

/// A folder that is the narration's own.
#[derive(Debug)]
pub struct OwnFolder {
    path: PathBuf,
    /// Whether it was nobody's until now.
    is_new: bool,
}

impl OwnFolder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives up a folder whose narration was not accepted. One that the narration had before stays.
    /// What can't be removed stays this narration's.
    pub fn give_back(self) {
        if !self.is_new {
            return;
        }
        // Its mark goes last: until then nobody else can take it.
        for file in [RECORD_FILE, MARK_FILE] {
            let _ = fs::remove_file(self.path.join(file));
        }
        let _ = fs::remove_dir(&self.path);
    }
}

/// The folder that a narration would like to have, or that with a number after it: the first that is
/// its own already, that is not there, or that is empty and nobody's. `is_known` says whether the
/// library's database has a narration in a folder.
///
/// ```
/// use aloud::narrate::{LibraryId, Owner, create_folder};
/// # use std::sync::Arc;
/// # use aloud::engine::{Narration, NarrationSettings, Plan};
/// # let narration = |fingerprint: &str| Narration {
/// #     title: "A story".into(),
/// #     source: "One.".into(),
/// #     plan: Arc::new(Plan::new(Vec::new())),
/// #     folder: "story".into(),
/// #     voice: "joe".into(),
/// #     voice_version: "".into(),
/// #     file: None,
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: fingerprint.into(),
/// # };
/// # let (library, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
/// let library = LibraryId::of(library.path())?;
/// let story = out.path().join("story");
/// let (one, another) = (narration("one"), narration("another"));
/// let folder = |narration| create_folder(&story, &Owner::new(&library, narration), |_| false);
/// assert_eq!(folder(&one)?.path(), story);
/// assert_eq!(folder(&another)?.path(), out.path().join("story-2"));
/// assert_eq!(folder(&one)?.path(), story, "it has one already");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ComposeError::Output`] if it can't be made.
pub fn create_folder(
    wanted: &Path,
    owner: &Owner,
    is_known: impl Fn(&Path) -> bool,
) -> Result<OwnFolder, ComposeError> {
    let failed = |path: &Path, source| ComposeError::Output {
        path: path.to_owned(),
        source,
    };
    let out = wanted.parent().unwrap_or(Path::new("."));
    files::create_folders(out).map_err(|error| failed(out, error))?;
    let name = wanted.file_name().unwrap_or_default().to_string_lossy();
    for number in 1u32.. {
        let path = match number {
            1 => wanted.to_owned(),
            number => out.join(format!("{name}-{number}")),
        };
        let created = files::create_folder(&path);
        reach("folder-created");
        let taken = match created {
            Ok(()) => take(&path, owner, || true).inspect_err(|_| {
                // Empty, and nobody's: the next one of this name may have it if it stays.
                let _ = fs::remove_dir(&path);
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let is_free = || is_empty(&path) && !is_known(&path);
                // One that can't be looked into or marked is somebody else's.
                take(&path, owner, is_free).or(Ok(Taken::No))
            }
            Err(error) => Err(error),
        };
        match taken.map_err(|error| failed(&path, error))? {
            Taken::No => {}
            Taken::Now => {
                reach("folder-marked");
                return Ok(OwnFolder { path, is_new: true });
            }
            Taken::Before => {
                let is_new = false;
                return Ok(OwnFolder { path, is_new });
            }
        }
    }
    Err(failed(
        wanted,
        io::Error::other("there are too many folders of this name"),
    ))
}

/// Claims the folder in which the library's database has this narration; `false` if it is gone or
/// another's. One without a mark is from before there were marks, and is marked now.
#[must_use]
pub fn claim(folder: &Path, owner: &Owner) -> bool {
    folder.is_dir() && !matches!(take(folder, owner, || true), Ok(Taken::No) | Err(_))
}

/// Hands a folder to a narration that takes the place of the one that has it; a folder that is gone is made
/// again. Returns whether it is the new one's now, or was so before: what a crash has cut short can be asked
/// for again.
///
/// # Errors
/// Whatever the disk says; the folder is the old one's then.
pub fn pass_on(folder: &Path, from: &Owner, to: &Owner) -> io::Result<bool> {
    files::create_folders(folder)?;
    if look(folder, to)? == Some(Taken::Before) {
        return Ok(true);
    }
    if !claim(folder, from) {
        return Ok(false);
    }
    files::replace(&folder.join(MARK_FILE), &line(to)?)?;
    Ok(true)
}

/// Makes the folder in which the library's database has this narration, if it is gone, and takes it.
/// The answer: whether it is its own.
///
/// # Errors
/// Whatever the disk says.
pub(super) fn enter(folder: &Path, owner: &Owner) -> io::Result<bool> {
    files::create_folders(folder)?;
    Ok(take(folder, owner, || true)? != Taken::No)
}

/// Whether a folder is someone's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// It is another's.
    No,
    /// It was nobody's.
    Now,
    /// It was theirs already.
    Before,
}

/// Takes a folder for its owner. One without a mark can be taken only if it `is_free`.
fn take(folder: &Path, owner: &Owner, is_free: impl FnOnce() -> bool) -> io::Result<Taken> {
    if let Some(taken) = look(folder, owner)? {
        return Ok(taken);
    }
    if !is_free() {
        return Ok(Taken::No);
    }
    match mark(folder, owner) {
        Ok(()) => Ok(Taken::Now),
        // Someone was faster; that may have been another thread with the same narration.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(look(folder, owner)?.unwrap_or(Taken::No))
        }
        Err(error) => Err(error),
    }
}

/// What the mark in a folder says; `None` if there is none.
fn look(folder: &Path, owner: &Owner) -> io::Result<Option<Taken>> {
    let path = folder.join(MARK_FILE);
    let is_file = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // A mark that says nothing is none of ours: it may be being written at this moment.
    let holder: Option<Owner> = match is_file {
        true => serde_json::from_slice(&fs::read(&path)?).ok(),
        false => None,
    };
    Ok(Some(if holder.as_ref() == Some(owner) {
        Taken::Before
    } else {
        Taken::No
    }))
}

/// Marks a folder. Of all who try at once, one succeeds.
fn mark(folder: &Path, owner: &Owner) -> io::Result<()> {
    let path = folder.join(MARK_FILE);
    let line = line(owner)?;
    let mut file = File::create_new(&path)?;
    let written = file.write_all(&line).and_then(|()| file.sync_all());
    written.inspect_err(|_| {
        let _ = fs::remove_file(&path);
    })?;
    files::sync_folder(folder)
}

/// What stands in a mark.
fn line(owner: &Owner) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(owner)?;
    line.push(b'\n');
    Ok(line)
}

/// Whether it is a real folder with nothing in it: a link to a folder is somebody's.
fn is_empty(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir());
    is_folder && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::sync::Barrier;

    fn owner(library: &str, narration: &str) -> Owner {
        Owner {
            library: library.into(),
            narration: narration.into(),
        }
    }

    fn create(out: &Path, owner: &Owner) -> OwnFolder {
        create_folder(&out.join("story"), owner, |_| false).unwrap()
    }

    fn name(folder: &OwnFolder) -> &str {
        folder.path().file_name().unwrap().to_str().unwrap()
    }

    #[test]
    fn each_narration_of_each_library_has_a_folder_of_its_own_for_good() {
        let out = tempfile::tempdir().unwrap();
        let out = out.path().join("new/out");
        let owners = [
            owner("one", "a"),
            owner("two", "a"),
            owner("one", "b"),
            owner("two", "b"),
        ];
        for _ in 0..2 {
            let folders: Vec<_> = owners.iter().map(|owner| create(&out, owner)).collect();
            let names: Vec<_> = folders.iter().map(name).collect();
            assert_eq!(names, ["story", "story-2", "story-3", "story-4"]);
        }
        assert!(claim(&out.join("story-3"), &owners[2]));
        assert!(!claim(&out.join("story-3"), &owners[0]));
        assert!(enter(&out.join("story-2"), &owners[1]).unwrap());
        assert!(!enter(&out.join("story-2"), &owners[3]).unwrap());
    }

    #[test]
    fn of_many_that_want_one_folder_at_once_each_gets_another() {
        const ALL: usize = 8;
        let out = tempfile::tempdir().unwrap();
        // An empty folder that is there is fought for as well.
        fs::create_dir(out.path().join("story")).unwrap();
        let start = Barrier::new(ALL);
        let mut names: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..ALL)
                .map(|library| {
                    let (start, out) = (&start, out.path());
                    scope.spawn(move || {
                        let owner = owner(&library.to_string(), "a");
                        start.wait();
                        let folder = create(out, &owner);
                        assert!(folder.is_new && claim(folder.path(), &owner));
                        name(&folder).to_owned()
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ALL, "{names:?}");
    }

    #[test]
    fn what_holds_anything_is_somebody_elses() {
        let out = tempfile::tempdir().unwrap();
        let path = |name: &str| out.path().join(name);
        let file = |name: &str| {
            fs::create_dir(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), "").unwrap();
        };
        file("story/notes.txt");
        // An earlier version of another library has just begun this one.
        file("story-2/narration.jsonl");
        // Someone marks it at this moment.
        file("story-3/.aloud");
        fs::write(path("story-4"), "").unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        symlink(path("elsewhere"), path("story-5")).unwrap();
        fs::create_dir(path("story-6")).unwrap();
        symlink(path("mine"), path("story-6/.aloud")).unwrap();
        fs::create_dir(path("story-7")).unwrap();
        let is_known = |folder: &Path| folder.ends_with("story-7");
        let mine = owner("one", "a");
        let folder = create_folder(&path("story"), &mine, is_known).unwrap();
        assert_eq!(name(&folder), "story-8");
        assert!(!path("mine").exists() && is_empty(&path("elsewhere")));
        fs::create_dir(path("empty")).unwrap();
        let folder = create_folder(&path("empty"), &mine, is_known).unwrap();
        assert_eq!(name(&folder), "empty");
    }

    #[test]
    fn one_from_before_there_were_marks_is_its_librarys() {
        let out = tempfile::tempdir().unwrap();
        let story = out.path().join("story");
        fs::create_dir(&story).unwrap();
        fs::write(story.join("0001.wav"), "").unwrap();
        assert!(claim(&story, &owner("one", "a")));
        assert!(!claim(&story, &owner("two", "a")));
        assert_eq!(name(&create(out.path(), &owner("one", "a"))), "story");
        assert!(!claim(&out.path().join("gone"), &owner("one", "a")));
    }

    #[test]
    fn one_is_passed_on_by_whoever_has_it() {
        let out = tempfile::tempdir().unwrap();
        let (old, new) = (owner("one", "a"), owner("one", "b"));
        let story = create(out.path(), &old).path;
        let other = owner("one", "c");
        assert!(!pass_on(&story, &new, &other).unwrap(), "it is not its own");
        assert!(pass_on(&story, &old, &new).unwrap());
        assert!(pass_on(&story, &old, &new).unwrap(), "it is done already");
        assert!(claim(&story, &new) && !claim(&story, &old));
        let gone = out.path().join("gone");
        assert!(pass_on(&gone, &old, &new).unwrap(), "it is made again");
        assert!(claim(&gone, &new) && !claim(&gone, &old));
        assert_eq!(fs::read_dir(story).unwrap().count(), 1);
    }

    #[test]
    fn one_that_is_given_back_is_gone_unless_it_was_there_before() {
        let out = tempfile::tempdir().unwrap();
        let mine = owner("one", "a");
        let folder = create(out.path(), &mine);
        fs::write(folder.path().join(RECORD_FILE), "").unwrap();
        folder.give_back();
        assert!(is_empty(out.path()));
        create(out.path(), &mine);
        create(out.path(), &mine).give_back();
        assert!(claim(&out.path().join("story"), &mine));
    }
}
