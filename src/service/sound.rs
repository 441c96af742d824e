//! Files of sound, open to be read. Where one lies is known from its task, and never from whoever asks;
//! others may write in the folder of a narration, so a link there is not followed, and a pipe or a device
//! is no sound.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};

use super::{Refusal, RefusalKind};
use crate::model::{ErrorObject, HistoryEntry, SegmentId, TaskKind, TaskStatus};
use crate::narrate::joined_name;

/// A WAV file that is open.
#[derive(Debug)]
pub struct Sound {
    /// To be read by place.
    pub file: File,
    /// Its length.
    pub bytes: u64,
    /// What it is called in its folder.
    pub name: String,
    /// Another one for each content that the file has had.
    pub version: String,
    /// How many files there are of which this is one: a whole beyond 4 GiB has several.
    pub parts: usize,
}

impl Sound {
    /// The clip of a segment.
    pub(super) fn clip(status: &TaskStatus, segment: SegmentId) -> Result<Self, Refusal> {
        let clip = status.completed_segments.get(segment);
        let (Some(clip), Some(folder), TaskKind::Narration) = (clip, &status.folder, status.kind)
        else {
            let why = format!(
                "the task {} has no clip of the segment {segment}",
                status.id
            );
            return Err(absent("CLIP_NOT_FOUND", why));
        };
        Self::open(folder, &clip.clip, 1)
    }

    /// The joined file of a narration, or its part with this number, from 1.
    pub(super) fn whole(status: &TaskStatus, part: usize) -> Result<Self, Refusal> {
        let id = &status.id;
        let folder = status
            .folder
            .as_ref()
            .filter(|_| status.kind == TaskKind::Narration);
        let folder = folder.ok_or_else(|| {
            absent(
                "AUDIO_NOT_FOUND",
                format!("the task {id} is no narration: it has no sound"),
            )
        })?;
        if !status.state.is_terminal() {
            let why = "has no joined file yet: it is made at the end; its clips are there as they are done";
            return Err(Refusal::conflict(id, why));
        }
        let made = status.result.as_ref().or(status.partial_result.as_ref());
        let files = made.and_then(|made| made.get("files")?.as_array());
        let files = files.map(Vec::as_slice).unwrap_or_default();
        let file = part.checked_sub(1).and_then(|at| files.get(at));
        let name = file.and_then(|file| Path::new(file.as_str()?).file_name()?.to_str());
        let name = name.ok_or_else(|| {
            let message = match files.len() {
                0 => format!("the task {id} has no joined file"),
                parts => format!(
                    "the joined file of the task {id} has the parts 1 to {parts}, not {part}"
                ),
            };
            absent("AUDIO_NOT_FOUND", message)
        })?;
        Self::open(folder, name, files.len())
    }

    /// The joined file of a narration that is history.
    pub(super) fn past(past: &HistoryEntry) -> Result<Self, Refusal> {
        Self::open(&past.folder, &joined_name(&past.title), 1)
    }

    fn open(folder: &Path, name: &str, parts: usize) -> Result<Self, Refusal> {
        let mut components = Path::new(name).components();
        let (Some(Component::Normal(_)), None) = (components.next(), components.next()) else {
            return Err(Refusal::failed(format!(
                "`{name}` is no name of a file in a folder"
            )));
        };
        let gone = |error: io::Error| {
            let path = folder.join(name);
            let (path, why) = (path.display(), error);
            absent(
                "FILE_NOT_FOUND",
                format!("{path} can't be read, it was moved or removed: {why}"),
            )
        };
        let file = open_in(folder, name).map_err(gone)?;
        let found = file.metadata().map_err(gone)?;
        let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let changed = changed
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Self {
            bytes: found.len(),
            version: format!(
                "{:x}-{:x}-{:x}",
                found.ino(),
                changed.as_nanos(),
                found.len()
            ),
            name: name.to_owned(),
            file,
            parts,
        })
    }
}

/// A regular file in a folder, whatever happens to the folder's name meanwhile.
fn open_in(folder: &Path, name: &str) -> io::Result<File> {
    let look = OFlags::RDONLY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, look | OFlags::DIRECTORY, Mode::empty())?;
    let flags = look | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::openat(&folder, name, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

fn absent(code: &'static str, message: String) -> Refusal {
    Refusal {
        kind: RefusalKind::NotFound,
        error: ErrorObject::new(code, message),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_regular_file_in_the_folder_itself_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("story");
        fs::create_dir(&folder).unwrap();
        fs::write(home.path().join("secret"), "secret").unwrap();
        fs::write(folder.join("1.wav"), "sound").unwrap();
        let sound = Sound::open(&folder, "1.wav", 1).unwrap();
        assert_eq!((sound.bytes, &*sound.name), (5, "1.wav"));
        let again = Sound::open(&folder, "1.wav", 1).unwrap();
        assert_eq!(again.version, sound.version);
        // Made again, it is another.
        fs::write(folder.join("new"), "noise").unwrap();
        fs::rename(folder.join("new"), folder.join("1.wav")).unwrap();
        assert_ne!(
            Sound::open(&folder, "1.wav", 1).unwrap().version,
            sound.version
        );

        symlink(home.path().join("secret"), folder.join("2.wav")).unwrap();
        symlink(folder.join("1.wav"), folder.join("3.wav")).unwrap();
        fs::create_dir(folder.join("4.wav")).unwrap();
        let pipe = folder.join("5.wav");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
        for name in ["2.wav", "3.wav", "4.wav", "5.wav", "6.wav"] {
            let refused = Sound::open(&folder, name, 1).unwrap_err();
            assert_eq!(refused.kind, RefusalKind::NotFound, "{name}");
        }
        for name in ["../secret", "", ".", "..", "/etc/passwd", "story/1.wav"] {
            assert!(Sound::open(&folder, name, 1).is_err(), "{name}");
        }
    }
}
