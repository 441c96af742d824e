//! What a narration's folder says of itself: `narration.jsonl`, one JSON object a line. The first
//! holds the text and its segments, then comes one for each finished clip, at last the end. With it
//! a library that was lost can be rebuilt, and anyone can tell which clip speaks which words.
//!
//! The database decides, always; the record is written after it, and read only when the database is
//! gone. Nothing in it is ever taken away: a narration that is begun again, by another voice say, begins
//! with a line of its own, and whoever reads takes the last one and what comes after it. A line that can't
//! be read is skipped, also a blank one.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::schedule::StoredSchedule;
use crate::model::{
    ClipRecord, ErrorObject, Narration, NarrationSettings, PlannedSegment, SegmentId, TaskId,
    TaskState, Timestamp,
};

/// The list of folders, beside the database.
const FOLDERS: &str = "narrations.jsonl";

/// What the record in a narration's folder is called.
///
/// ```
/// use aloud::engine::{RECORD_FILE, ShutdownWait, Submission, testing::Library};
///
/// let engine = Library::new();
/// let narration = engine.narration("A story");
/// engine.submit(Submission::new(narration.clone()).paused())?;
/// engine.shutdown(ShutdownWait::Now); // by then it is written
/// let text = std::fs::read_to_string(narration.folder.join(RECORD_FILE))?;
/// let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap())?;
/// assert_eq!((&first["record"], &first["title"]), (&"narration".into(), &"A story".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const FILE: &str = "narration.jsonl";

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Line {
    Narration(Box<Accepted>),
    Clip(ClipRecord),
    /// What went wrong with a segment.
    Error {
        segment_id: SegmentId,
        error: ErrorObject,
    },
    Ended {
        state: TaskState,
        at: Timestamp,
        error: Option<ErrorObject>,
    },
}

/// A narration as it was accepted. Its folder is where the record lies.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::engine) struct Accepted {
    pub id: TaskId,
    pub title: Arc<str>,
    pub voice: Arc<str>,
    pub voice_version: Arc<str>,
    pub settings: NarrationSettings,
    pub fingerprint: String,
    pub timeout_ms: Option<u64>,
    pub schedule: StoredSchedule,
    pub created_at: Timestamp,
    pub segments: Vec<PlannedSegment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    pub source: Arc<str>,
}

impl Accepted {
    pub(super) fn new(
        id: &TaskId,
        narration: &Narration,
        timeout_ms: Option<u64>,
        schedule: StoredSchedule,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id: id.clone(),
            title: Arc::clone(&narration.title),
            voice: Arc::clone(&narration.voice),
            voice_version: Arc::clone(&narration.voice_version),
            settings: narration.settings.clone(),
            fingerprint: narration.fingerprint.clone(),
            timeout_ms,
            schedule,
            created_at,
            segments: narration.plan.iter().map(|(_, one)| one.clone()).collect(),
            file: narration.file.clone(),
            source: Arc::clone(&narration.source),
        }
    }
}

/// Adds lines and waits until they are on disk.
pub(super) fn append(folder: &Path, lines: &[Line]) -> io::Result<()> {
    let path = folder.join(FILE);
    let is_new = std::fs::symlink_metadata(&path).map_or(true, |file| file.len() == 0);
    // What a crash cut off stays a line of its own.
    let mut text = if !is_new && !ends_with_a_line(&path) {
        vec![b'\n']
    } else {
        Vec::new()
    };
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    let mut file = open_to_append(&path)?;
    file.write_all(&text)?;
    file.sync_data()?;
    if is_new {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Whether a record ends as it should; one that can't be read is taken not to.
fn ends_with_a_line(path: &Path) -> bool {
    let read = || {
        let mut file = open_to_read(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok::<_, io::Error>(last == *b"\n")
    };
    read().unwrap_or(false)
}

/// What lies there may be no file of ours: a pipe would never come to its end.
fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// Others may write in a narration's folder: a link there is not followed.
fn open_to_append(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
    OpenOptions::new()
        .create(true)
        .append(true)
        .custom_flags(no_follow.cast_signed())
        .open(path)
}

/// The list of folders beside the database, one path a line as a JSON string.
pub(super) struct FolderList {
    path: PathBuf,
    known: HashSet<PathBuf>,
}

impl FolderList {
    pub(super) fn open(database: &Path) -> Self {
        Self {
            path: database.with_file_name(FOLDERS),
            known: folders(database).into_iter().collect(),
        }
    }

    /// Adds a folder, unless it is there.
    pub(super) fn note(&mut self, folder: &Path) -> io::Result<()> {
        if self.known.contains(folder) {
            return Ok(());
        }
        let mut line = serde_json::to_vec(&folder.to_string_lossy())?;
        line.push(b'\n');
        let mut list = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        list.write_all(&line)?;
        list.sync_data()?;
        self.known.insert(folder.to_owned());
        Ok(())
    }
}

/// The folders of this library's narrations, as far as the list says.
pub(in crate::engine) fn folders(database: &Path) -> Vec<PathBuf> {
    let Ok(list) = File::open(database.with_file_name(FOLDERS)) else {
        return Vec::new();
    };
    let lines = BufReader::new(list).split(b'\n').map_while(Result::ok);
    let mut known = HashSet::new();
    let folders = lines.filter_map(|line| serde_json::from_slice::<PathBuf>(&line).ok());
    folders
        .filter(|folder| known.insert(folder.clone()))
        .collect()
}

/// What a record says in the end.
#[derive(Debug)]
pub(in crate::engine) struct Read {
    pub accepted: Accepted,
    pub clips: BTreeMap<SegmentId, ClipRecord>,
    pub end: Option<(TaskState, Timestamp, Option<ErrorObject>)>,
}

/// Reads the record in a folder; `None` if no line of it says what was accepted. The last narration
/// counts, with what comes after it.
pub(in crate::engine) fn read(folder: &Path) -> io::Result<Option<Read>> {
    read_lines(BufReader::new(open_to_read(&folder.join(FILE))?))
}

/// The same of what a record holds.
pub(super) fn read_lines(record: impl BufRead) -> io::Result<Option<Read>> {
    let mut accepted = None;
    let mut clips = BTreeMap::new();
    let mut end = None;
    for line in record.split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(Line::Narration(narration)) => {
                accepted = Some(*narration);
                clips.clear();
                end = None;
            }
            Ok(Line::Clip(clip)) if is_plain_name(&clip.clip) => {
                clips.insert(clip.segment_id, clip);
            }
            Ok(Line::Ended { state, at, error }) if state.is_terminal() => {
                end = Some((state, at, error));
            }
            _ => {}
        }
    }
    Ok(accepted.map(|accepted| Read {
        accepted,
        clips,
        end,
    }))
}

/// A clip lies in the folder itself; a record that says otherwise is not ours.
fn is_plain_name(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_a_line_of_its_own_and_there_are_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let line = || Line::Ended {
            state: TaskState::Completed,
            at: Timestamp::default(),
            error: None,
        };
        append(folder.path(), &[line()]).unwrap();
        append(folder.path(), &[line()]).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        assert_eq!(whole.lines().filter(|line| !line.is_empty()).count(), 2);
        assert_eq!(whole.lines().count(), 2);
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        append(folder.path(), &[line()]).unwrap();
        let mended = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = mended.lines().collect();
        assert_eq!((lines.len(), lines[2]), (3, lines[0]));
    }
}
