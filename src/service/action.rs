//! What can be done to tasks, and the one table that says when, and why not.

use serde::{Deserialize, Serialize};

use crate::model::{HistoryEntry, SegmentId, TaskId, TaskKind, TaskState, TaskStatus};
use crate::speech::Speaker;

/// Something that can be done with a task or with the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Something with one task.
    Task {
        /// Which.
        task: TaskId,
        /// What.
        #[serde(rename = "do")]
        what: TaskAction,
    },
    /// Cancel everything that has not ended.
    CancelAll,
    /// Try everything again that failed or was cancelled.
    RetryAll,
    /// Let go of everything that is held back.
    ResumeAll,
    /// Begin nothing any more; what runs goes back to its place after its segment.
    PauseQueue,
    /// Begin again.
    ResumeQueue,
    /// These come before all others, in this order; what runs in their stead stands back after its
    /// segment. Those that have ended are left out.
    First {
        /// Which.
        tasks: Vec<TaskId>,
    },
}

/// Something that can be done with one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskAction {
    /// Break it off; what it has made stays.
    Cancel,
    /// Hold it back, after the segment in work.
    Pause,
    /// Let it go on.
    Resume,
    /// Begin it again with what it has made; these segments are made again, or those that failed if
    /// none is named.
    Retry(Vec<SegmentId>),
    /// Have all of it spoken by this voice and this speaker of it, or its first one, in the same folder: what
    /// was made stays until it is replaced.
    Render(String, Option<Speaker>),
    /// One place sooner.
    Sooner,
    /// One place later.
    Later,
}

/// How a task stands, as far as that decides what may be done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its kind.
    pub kind: TaskKind,
    /// Its state.
    pub state: TaskState,
    /// Whether it is held back, or about to be.
    pub paused: bool,
    /// Whether someone has asked for its end.
    pub cancel_requested: bool,
}

impl From<&TaskStatus> for Standing {
    fn from(status: &TaskStatus) -> Self {
        Self {
            kind: status.kind,
            state: status.state,
            paused: status.paused,
            cancel_requested: status.cancel_requested,
        }
    }
}

/// Of a narration that has ended.
impl From<&HistoryEntry> for Standing {
    fn from(past: &HistoryEntry) -> Self {
        Self {
            kind: TaskKind::Narration,
            state: past.state,
            paused: false,
            cancel_requested: false,
        }
    }
}

impl TaskAction {
    /// What it is called where it is asked for.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry(_) | Self::Render(..) => "retry",
            Self::Sooner => "sooner",
            Self::Later => "later",
        }
    }

    /// One place sooner, or later.
    #[must_use]
    pub fn shift(sooner: bool) -> Self {
        if sooner { Self::Sooner } else { Self::Later }
    }

    /// Whether it may be done to a task that stands so.
    ///
    /// # Errors
    /// Why not, as words that follow the task's name: "has already ended".
    pub fn check(&self, task: impl Into<Standing>) -> Result<(), &'static str> {
        let task = task.into();
        let has_ended = task.state.is_terminal();
        // While it runs, only a narration can go back to its place.
        let is_stuck = task.state == TaskState::Processing && task.kind != TaskKind::Narration;
        let why = match self {
            Self::Cancel | Self::Pause | Self::Resume if has_ended => "has already ended",
            Self::Cancel if task.cancel_requested => "is already being cancelled",
            Self::Pause | Self::Resume if is_stuck => {
                "can't be held back while it runs: wait for it, or cancel it"
            }
            Self::Pause if task.paused => "is already held back",
            Self::Resume if !task.paused => "is not held back",
            Self::Retry(_) if !has_ended => "has not ended; what failed can be tried again then",
            Self::Retry(_) if task.state == TaskState::Completed => {
                "is completed; only what failed or was cancelled can be tried again"
            }
            Self::Render(..) if task.kind != TaskKind::Narration => "is no narration",
            Self::Sooner | Self::Later if task.state != TaskState::Pending => {
                "is not waiting; only waiting tasks can be moved"
            }
            _ => return Ok(()),
        };
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the order cancel, pause, resume, retry, move.
    #[test]
    fn the_table_says_what_may_be_done_and_why_not() {
        let actions = [
            TaskAction::Cancel,
            TaskAction::Pause,
            TaskAction::Resume,
            TaskAction::Retry(Vec::new()),
            TaskAction::Sooner,
        ];
        let standing = |state, paused, cancel_requested| Standing {
            kind: TaskKind::Narration,
            state,
            paused,
            cancel_requested,
        };
        let cases = [
            (standing(TaskState::Pending, false, false), "++--+"),
            (standing(TaskState::Pending, true, false), "+-+-+"),
            (standing(TaskState::Processing, false, false), "++---"),
            (standing(TaskState::Processing, true, false), "+-+--"),
            (standing(TaskState::Processing, false, true), "-+---"),
            (standing(TaskState::Completed, false, false), "-----"),
            (standing(TaskState::Failed, false, false), "---+-"),
            (standing(TaskState::Cancelled, false, true), "---+-"),
        ];
        for (task, wanted) in cases {
            let marks: String = actions
                .iter()
                .map(|action| if action.check(task).is_ok() { '+' } else { '-' })
                .collect();
            assert_eq!(marks, wanted, "{task:?}");
        }
        let running = Standing {
            kind: TaskKind::Closure,
            ..standing(TaskState::Processing, false, false)
        };
        assert!(
            TaskAction::Pause
                .check(running)
                .unwrap_err()
                .contains("cancel it")
        );
    }
}
