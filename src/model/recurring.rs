//! Tasks that recur: what is known of each, and which of its runs a task is.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{TaskId, Timestamp};
use super::task::OperationCall;

/// Which run of a recurring task a task is.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Occurrence, Timestamp};
///
/// let due = Timestamp(1_700_000_000_000);
/// let mut run = Occurrence { recurring: "nightly".into(), due, late: Duration::from_millis(3) };
/// assert_eq!(run.task_id().as_str(), "nightly@1700000000000");
/// assert!(!run.is_late());
/// run.late = Duration::from_secs(8 * 3600);
/// assert!(run.is_late(), "the program did not run at night");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The name of the recurring task.
    pub recurring: Arc<str>,
    /// When it was due.
    pub due: Timestamp,
    /// How much later it came into the queue: the program did not run, the machine slept, or the run
    /// before it had not ended.
    pub late: Duration,
}

impl Occurrence {
    /// A run that comes so much later than it was due is late; a clock wakes with less.
    const LATE: Duration = Duration::from_secs(60);

    /// The id of its task: the name and the time when it was due, in milliseconds. So no run can come
    /// twice.
    #[must_use]
    pub fn task_id(&self) -> TaskId {
        TaskId::from(format!("{}@{}", self.recurring, self.due.0))
    }

    /// Whether it missed its time, by more than a minute.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.late > Self::LATE
    }
}

/// A task that recurs, and when it does so next.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Recurrence, Work, testing::Library};
///
/// let engine = Library::new();
/// let hourly = Recurrence::every(Duration::from_secs(3600))?;
/// let next = engine.set_recurring("tidy", hourly, Work::repeatable("tidy up", |_| Ok(1.into())))?;
/// let tasks = engine.recurring_tasks();
/// assert_eq!((&*tasks[0].name, tasks[0].next, &tasks[0].run), ("tidy", next, &None));
/// assert_eq!(tasks[0].recurrence, "every 3600 s");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecurringTask {
    /// Its name.
    pub name: Arc<str>,
    /// When it recurs, in words.
    pub recurrence: String,
    /// When it is due next. In the past while the run before has not ended.
    pub next: Timestamp,
    /// Its run that waits or is in work.
    pub run: Option<TaskId>,
    /// What it does, if that is no closure.
    pub operation: Option<Arc<OperationCall>>,
}
