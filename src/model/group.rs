//! Groups of tasks, such as a book and its chapters, as the world outside the engine sees them.

use serde::{Deserialize, Serialize};

use super::ids::GroupId;
use super::state::TaskState;

/// What is known of a group: a copy.
///
/// ```
/// use aloud::engine::{Submission, TaskState, Work, testing::Library};
///
/// let engine = Library::new();
/// for chapter in ["one", "two"] {
///     let work = Work::closure(chapter, |_| Ok("read".into()));
///     engine.submit(Submission::new(work).group("book").paused())?;
/// }
/// let book = engine.group_status(&"book".into()).unwrap();
/// assert_eq!((book.state, book.tasks()), (TaskState::Pending, 2));
/// assert_eq!(book.counts[TaskState::Pending as usize], 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Its name.
    pub id: GroupId,
    /// Where it stands: `PENDING` until the first of its tasks is started, `PROCESSING` until the
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
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let chapter = || Submission::new(Work::closure("chapter", |_| Ok("read".into())));
    /// let short = engine.submit(chapter().group("book").paused())?;
    /// let long = engine.submit(chapter().group("book").paused())?;
    /// engine.update_progress(&short, 10, 10, None);
    /// engine.update_progress(&long, 0, 30, None);
    /// let book = engine.group_status(&"book".into()).unwrap();
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
