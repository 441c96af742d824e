//! What can happen in the engine, as everyone who listens is told it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::ErrorObject;
use super::ids::{SegmentId, TaskId};
use super::segments::CompletedSegment;
use super::state::TaskState;

/// Something that happened in the engine.
///
/// ```
/// use aloud::engine::{Event, TaskState};
/// use serde_json::json;
///
/// let event = Event::Ended { task: "story".into(), state: TaskState::Completed, error: None };
/// let line = serde_json::to_value(&event)?;
/// assert_eq!(line, json!({
///     "event": "ended", "task": "story", "state": "COMPLETED", "error": null,
/// }));
/// assert_eq!(serde_json::from_value::<Event>(line)?, event);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A task was accepted. Those that an earlier run left are there before anyone can listen.
    Submitted {
        /// Which task.
        task: TaskId,
    },
    /// A worker started a task.
    Started {
        /// Which task.
        task: TaskId,
    },
    /// A task made progress.
    Progress {
        /// Which task.
        task: TaskId,
    },
    /// Work on a segment began.
    SegmentStarted {
        /// Which task.
        task: TaskId,
        /// Which segment.
        segment_id: SegmentId,
    },
    /// A segment is done and its clip is safe.
    SegmentCompleted {
        /// Which task.
        task: TaskId,
        /// The segment and its clip.
        #[serde(flatten)]
        segment: CompletedSegment,
    },
    /// Something went wrong with a segment.
    SegmentFailed {
        /// Which task.
        task: TaskId,
        /// Which segment.
        segment_id: SegmentId,
        /// What went wrong.
        error: ErrorObject,
    },
    /// Someone asked for a task to be cancelled.
    CancelRequested {
        /// Which task.
        task: TaskId,
    },
    /// A running task went back to waiting: it is paused, the engine is shutting down, or it is tried
    /// again after a fault that may pass.
    Requeued {
        /// Which task.
        task: TaskId,
    },
    /// A task ended.
    Ended {
        /// Which task.
        task: TaskId,
        /// How.
        state: TaskState,
        /// Why, unless it is `COMPLETED`.
        error: Option<ErrorObject>,
    },
    /// A task that had ended left the registry.
    Removed {
        /// Which task.
        task: TaskId,
    },
    /// The queue was paused or resumed.
    QueuePaused {
        /// Whether it was paused.
        paused: bool,
    },
    /// Waiting tasks of one operation and voice are held back because the last ones failed, or are
    /// released: read fresh copies, [`TaskStatus::hold`](super::TaskStatus::hold) says why.
    Breaker {
        /// What they share.
        key: Arc<str>,
        /// Whether they are held back.
        open: bool,
    },
    /// The engine no longer takes work.
    ShuttingDown,
    /// The reader was too slow for this many events: read fresh copies.
    Missed {
        /// How many events were lost.
        count: u64,
    },
}

impl Event {
    /// The task that the event is about.
    ///
    /// ```
    /// use aloud::engine::{Event, TaskId};
    ///
    /// let story = TaskId::from("story");
    /// assert_eq!(Event::Started { task: story.clone() }.task(), Some(&story));
    /// assert_eq!(Event::ShuttingDown.task(), None);
    /// ```
    #[must_use]
    pub fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Submitted { task }
            | Self::Started { task }
            | Self::Progress { task }
            | Self::SegmentStarted { task, .. }
            | Self::SegmentCompleted { task, .. }
            | Self::SegmentFailed { task, .. }
            | Self::CancelRequested { task }
            | Self::Requeued { task }
            | Self::Ended { task, .. }
            | Self::Removed { task } => Some(task),
            Self::QueuePaused { .. }
            | Self::Breaker { .. }
            | Self::ShuttingDown
            | Self::Missed { .. } => None,
        }
    }
}
