//! What a narration's folder says of itself, written by a thread of its own after the database has it:
//! a folder that hangs, such as one on a network, holds up nothing else. With it a library whose
//! database is lost can be rebuilt, and anyone can tell which clip speaks which words.

mod format;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod invariants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender, TrySendError};

use super::core::{Row, RowAnswer};
use super::record::Record;
use super::schedule::StoredSchedule;
use crate::failpoint::reach;
use crate::model::{ClipRecord, Narration, TaskId, Timestamp};

pub use self::format::FILE as RECORD_FILE;
use self::format::{Accepted, Line};

/// The name of its thread.
pub(super) const JOURNAL: &str = "aloud-journal";
pub(super) use self::format::{Read, folders, read};

/// Lines that may wait while a folder is slow. Beyond that a folder's journal is behind, which its next
/// start mends.
const BACKLOG: usize = 4096;
/// How long a line waits for others. The database has it; this is for the disk's sake.
const LINGER: Duration = Duration::from_millis(20);

/// A handle to the thread; cheap to clone.
#[derive(Clone)]
pub(super) struct Journal {
    jobs: Sender<Job>,
}

enum Job {
    Begin(Box<Begin>),
    Append(Arc<Path>, Line),
    /// Adds what the folder should say and does not.
    Mend(Box<Begin>),
}

struct Begin {
    accepted: Accepted,
    folder: PathBuf,
    clips: Vec<ClipRecord>,
}

impl Journal {
    /// Starts the thread. The list of folders lies beside the database.
    pub(super) fn start(database: &Path) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = async_channel::bounded(BACKLOG);
        let database = database.to_owned();
        let thread = std::thread::Builder::new()
            .name(JOURNAL.into())
            .spawn(move || run(&database, &queue))?;
        Ok((Self { jobs }, thread))
    }

    /// Notes a row that is on disk.
    pub(super) fn note(&self, row: &Row<Record>, answer: &RowAnswer) {
        let job = match (row, answer) {
            (
                Row::Accepted {
                    task,
                    record: Record::Narration(narration),
                    timeout,
                    schedule,
                    at,
                    ..
                },
                RowAnswer::Accepted(clips),
            ) => {
                let timeout_ms =
                    timeout.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
                let schedule = StoredSchedule::new(schedule, *at);
                let clips = clips.clone();
                Job::Begin(begin(task, narration, timeout_ms, schedule, *at, clips))
            }
            (
                Row::PartDone {
                    folder: Some(folder),
                    clip,
                    ..
                },
                _,
            ) => Job::Append(folder.clone(), Line::Clip(clip.clone())),
            (
                Row::PartFailed {
                    folder: Some(folder),
                    part,
                    error,
                    ..
                },
                _,
            ) => {
                let (segment_id, error) = (*part, error.clone());
                Job::Append(folder.clone(), Line::Error { segment_id, error })
            }
            (
                Row::Ended {
                    folder: Some(folder),
                    state,
                    error,
                    at,
                    ..
                },
                _,
            ) => {
                let (state, at, error) = (*state, *at, error.clone());
                Job::Append(folder.clone(), Line::Ended { state, at, error })
            }
            _ => return,
        };
        self.send(job);
    }

    /// Adds what a narration's folder should say and does not, because the process was killed between
    /// the database and the journal.
    pub(super) fn mend(
        &self,
        task: &TaskId,
        narration: &Narration,
        timeout_ms: Option<u64>,
        schedule: &StoredSchedule,
        at: Timestamp,
        clips: Vec<ClipRecord>,
    ) {
        let schedule = schedule.clone();
        self.send(Job::Mend(begin(
            task, narration, timeout_ms, schedule, at, clips,
        )));
    }

    fn send(&self, job: Job) {
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            tracing::warn!("a narration's folder is slow; its journal is mended at the next start");
        }
    }

    /// Ends the thread once everything that waits is written.
    pub(super) fn close(&self) {
        self.jobs.close();
    }
}

fn begin(
    task: &TaskId,
    narration: &Narration,
    timeout_ms: Option<u64>,
    schedule: StoredSchedule,
    at: Timestamp,
    clips: Vec<ClipRecord>,
) -> Box<Begin> {
    Box::new(Begin {
        accepted: Accepted::new(task, narration, timeout_ms, schedule, at),
        folder: narration.folder.clone(),
        clips,
    })
}

/// The thread's loop: what waits together for one folder is written and synced together.
fn run(database: &Path, queue: &Receiver<Job>) {
    let mut list = format::FolderList::open(database);
    while let Ok(first) = queue.recv_blocking() {
        let is_last = matches!(&first, Job::Append(_, Line::Ended { .. }));
        if !is_last && !queue.is_closed() {
            // Lines that come together are synced together.
            std::thread::sleep(LINGER);
        }
        let mut lines: BTreeMap<PathBuf, Vec<Line>> = BTreeMap::new();
        let mut begun = false;
        let rest = std::iter::from_fn(|| queue.try_recv().ok());
        for job in std::iter::once(first).chain(rest) {
            match job {
                Job::Append(folder, line) => {
                    lines.entry(folder.to_path_buf()).or_default().push(line);
                }
                Job::Begin(begin) => {
                    begun = true;
                    note_folder(&mut list, &begin.folder);
                    let all = lines.entry(begin.folder).or_default();
                    all.push(Line::Narration(Box::new(begin.accepted)));
                    all.extend(begin.clips.into_iter().map(Line::Clip));
                }
                Job::Mend(begin) => {
                    note_folder(&mut list, &begin.folder);
                    let missing = missing(*begin);
                    if let Some((folder, missing)) = missing {
                        lines.entry(folder).or_default().extend(missing);
                    }
                }
            }
        }
        for (folder, lines) in lines {
            // The database is what counts: without the journal, only a lost database would be missed.
            if let Err(error) = format::append(&folder, &lines) {
                let folder = folder.display();
                tracing::warn!(%folder, %error, "the narration's record can't be written");
            }
        }
        if begun {
            reach("recorded");
        }
    }
}

fn note_folder(list: &mut format::FolderList, folder: &Path) {
    if let Err(error) = list.note(folder) {
        tracing::warn!(%error, "the list of narrations' folders can't be written");
    }
}

/// What a folder should say and does not.
fn missing(begin: Begin) -> Option<(PathBuf, Vec<Line>)> {
    let Begin {
        accepted,
        folder,
        clips,
    } = begin;
    let known = read(&folder).ok().flatten();
    let known = known.filter(|known| known.accepted.id == accepted.id);
    let mut lines = Vec::new();
    let clips = clips.into_iter();
    match known {
        None => {
            lines.push(Line::Narration(Box::new(accepted)));
            lines.extend(clips.map(Line::Clip));
        }
        Some(known) => {
            let new = clips.filter(|clip| known.clips.get(&clip.segment_id) != Some(clip));
            lines.extend(new.map(Line::Clip));
        }
    }
    (!lines.is_empty()).then_some((folder, lines))
}
