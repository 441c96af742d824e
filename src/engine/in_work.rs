//! Which segments a worker has in the model, in a file of the worker's own beside the database. It
//! is written before each run and without waiting for the disk, so that it costs nothing: what must
//! survive is the death of this process, not a power cut. A clean end leaves it empty.

use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::{SegmentId, TaskId};

/// What the files' names begin with.
const PREFIX: &str = "in-work-";

/// What a file says: the task, and its segments that were in the model.
type Noted = (TaskId, Vec<SegmentId>);

/// One worker's file.
#[derive(Debug)]
pub(super) struct InWork {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl InWork {
    /// The file of the worker with this number; it is made when it is needed.
    pub(super) fn new(folder: &Path, worker: usize) -> Self {
        Self {
            path: folder.join(format!("{PREFIX}{worker}")),
            file: Mutex::new(None),
        }
    }

    /// Notes the segments that the model has from now on.
    pub(super) fn set(&self, task: &TaskId, segments: &[SegmentId]) {
        self.write(|file| file.write_all(&serde_json::to_vec(&(task, segments))?));
    }

    /// Notes that the model has none.
    pub(super) fn clear(&self) {
        let is_open = self.lock().is_some();
        if is_open {
            self.write(|_| Ok(()));
        }
    }

    fn write(&self, content: impl FnOnce(&mut File) -> std::io::Result<()>) {
        let mut file = self.lock();
        let written = match &mut *file {
            Some(file) => Ok(file),
            slot => OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .open(&self.path)
                .map(|file| slot.insert(file)),
        }
        .and_then(|file| {
            // Shortened last: at no moment is there less than the old note or the new one.
            file.rewind()?;
            content(file)?;
            let length = file.stream_position()?;
            file.set_len(length)
        });
        if let Err(error) = written {
            // A segment that ends the process would not be known; everything else works.
            tracing::warn!(path = %self.path.display(), %error, "the segment in work is not noted");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        if self.lock().is_some() {
            // Empty, it says the same.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What was running when an earlier process died, and the files that say so.
pub(super) struct LeftBehind {
    pub noted: Vec<(TaskId, SegmentId)>,
    pub files: Vec<PathBuf>,
}

/// What was running when an earlier process died.
pub(super) fn left_behind(folder: &Path) -> LeftBehind {
    let (mut noted, mut files) = (Vec::new(), Vec::new());
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let text = std::fs::read(entry.path()).unwrap_or_default();
            // The rest of a longer note may stand behind it.
            let mut notes = serde_json::Deserializer::from_slice(&text).into_iter::<Noted>();
            if let Some(Ok((task, segments))) = notes.next() {
                noted.extend(segments.into_iter().map(|segment| (task.clone(), segment)));
            }
            files.push(entry.path());
        }
    }
    LeftBehind { noted, files }
}

/// Removes the files, once what they say is counted.
pub(super) fn forget(files: Vec<PathBuf>) {
    for file in files {
        // One that stays is overwritten by the next worker of its number.
        let _ = std::fs::remove_file(file);
    }
}
