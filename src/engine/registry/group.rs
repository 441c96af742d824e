//! Groups of tasks, such as a book and its chapters, with a status of their own. Kept up to date by
//! differences: a change of one task costs the same however many are in its group.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::task::{TaskState, TaskStatus};

/// The name of a group.
///
/// ```
/// use aloud::engine::GroupId;
///
/// let book = GroupId::from("book");
/// assert_eq!(book.as_str(), "book");
/// assert_eq!(book.to_string(), "book");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(Arc<str>);

impl GroupId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<Arc<str>>> From<S> for GroupId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a group: a copy.
///
/// ```
/// use aloud::engine::{Engine, GroupId, Options, Submission, TaskState, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// for chapter in ["one", "two"] {
///     let work = Work::closure(chapter, |_| Ok("read".into()));
///     engine.submit(Submission::new(work).group("book").paused())?;
/// }
/// let book = engine.group_status(&GroupId::from("book")).unwrap();
/// assert_eq!((book.state, book.tasks()), (TaskState::Pending, 2));
/// assert_eq!(book.counts[TaskState::Pending as usize], 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Its name.
    pub id: GroupId,
    /// Where it stands: `PENDING` until the first of its tasks is taken up, `PROCESSING` until the
    /// last has ended; then `FAILED` if one failed, `CANCELLED` if one was cancelled, and
    /// `COMPLETED` otherwise.
    pub state: TaskState,
    /// Its tasks by state, in the order of [`TaskState::ALL`].
    pub counts: [usize; TaskState::ALL.len()],
    /// Units done in all its tasks.
    pub current: u64,
    /// Units in all its tasks.
    pub total: u64,
    /// Seconds of audio in all its tasks.
    pub audio_seconds: f64,
}

impl GroupStatus {
    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share done in whole percent, 0 to 100, rounded down.
    ///
    /// ```
    /// # use aloud::engine::{Engine, GroupId, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let chapter = || Submission::new(Work::closure("chapter", |_| Ok("read".into())));
    /// let short = engine.submit(chapter().group("book").paused())?;
    /// let long = engine.submit(chapter().group("book").paused())?;
    /// engine.update_progress(&short, 10, 10, None);
    /// engine.update_progress(&long, 0, 30, None);
    /// let book = engine.group_status(&GroupId::from("book")).unwrap();
    /// assert_eq!((book.current, book.total, book.percentage()), (10, 40, 25));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn percentage(&self) -> u8 {
        if self.total == 0 {
            return 0;
        }
        let percent = u128::from(self.current) * 100 / u128::from(self.total);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }
}

/// What a task contributes to its group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    state: TaskState,
    current: u64,
    total: u64,
    audio_seconds: f64,
}

impl Share {
    pub(super) fn of(status: &TaskStatus) -> Self {
        Self {
            state: status.state,
            // What has no total has no share that could be compared.
            current: status.progress.current.min(status.progress.total),
            total: status.progress.total,
            audio_seconds: status.audio_seconds,
        }
    }
}

#[derive(Default)]
struct Sums {
    counts: [usize; TaskState::ALL.len()],
    current: u64,
    total: u64,
    audio_seconds: f64,
}

/// All groups that have tasks.
#[derive(Default)]
pub(super) struct Groups {
    sums: HashMap<GroupId, Sums>,
}

impl Groups {
    /// Replaces what a task contributed; `None` for a task that comes or goes.
    pub(super) fn update(&mut self, id: &GroupId, before: Option<Share>, after: Option<Share>) {
        let sums = self.sums.entry(id.clone()).or_default();
        if let Some(share) = before {
            sums.counts[share.state as usize] -= 1;
            sums.current -= share.current;
            sums.total -= share.total;
            sums.audio_seconds -= share.audio_seconds;
        }
        if let Some(share) = after {
            sums.counts[share.state as usize] += 1;
            sums.current += share.current;
            sums.total += share.total;
            sums.audio_seconds += share.audio_seconds;
        }
        if sums.counts.iter().all(|&count| count == 0) {
            self.sums.remove(id);
        }
    }

    pub(super) fn status(&self, id: &GroupId) -> Option<GroupStatus> {
        let sums = self.sums.get(id)?;
        let [pending, processing, completed, failed, cancelled] = sums.counts;
        let ended = completed + failed + cancelled;
        let state = match (pending, processing) {
            (0, 0) if failed > 0 => TaskState::Failed,
            (0, 0) if cancelled > 0 => TaskState::Cancelled,
            (0, 0) => TaskState::Completed,
            (_, 0) if ended == 0 => TaskState::Pending,
            _ => TaskState::Processing,
        };
        Some(GroupStatus {
            id: id.clone(),
            state,
            counts: sums.counts,
            current: sums.current,
            total: sums.total,
            audio_seconds: sums.audio_seconds,
        })
    }
}
