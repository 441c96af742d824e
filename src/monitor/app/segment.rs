//! Where the segments of a task stand, read from its status and nothing else.

use std::path::PathBuf;

use super::Target;
use crate::model::{ErrorObject, SegmentId, TaskState, TaskStatus};

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentState {
    Waiting,
    Running,
    /// Spoken, and on its way to the disk.
    Saving,
    Done,
    Failed,
    /// Its task ended before it.
    NotMade,
}

/// Whether there is a file to play.
pub(super) fn has_sound(target: Target<'_>) -> bool {
    if target.segment != SegmentId::TASK {
        return target.task.completed_segments.get(target.segment).is_some();
    }
    joined_file(target.task).is_some()
}

/// The file that holds the whole narration, once it is joined.
pub(crate) fn joined_file(task: &TaskStatus) -> Option<PathBuf> {
    let result = task.result.as_ref().or(task.partial_result.as_ref())?;
    let file = result.get("files")?.as_array()?.first()?.as_str()?;
    Some(PathBuf::from(file))
}

/// How many segments a task has, as far as is known.
pub(crate) fn segment_count(status: &TaskStatus) -> u32 {
    if let Some(plan) = &status.plan {
        return plan.len();
    }
    let last = status.completed_segments.iter().next_back();
    let last = last.map(|segment| segment.segment_id);
    last.max(status.current_segment).map_or(0, SegmentId::get)
}

/// Where a segment stands.
pub(crate) fn segment_state(status: &TaskStatus, id: SegmentId) -> SegmentState {
    if status.errors.has(id) || own_segment(status) == Some(id) {
        SegmentState::Failed
    } else if status.current_segment == Some(id) {
        SegmentState::Running
    } else if status.completed_segments.get(id).is_some() {
        SegmentState::Done
    } else if status.state.is_terminal() {
        SegmentState::NotMade
    } else if status
        .current_segment
        .is_some_and(|now| id < now && now.get() - id.get() <= SAVING)
    {
        SegmentState::Saving
    } else {
        SegmentState::Waiting
    }
}

/// So many segments before the one in work may be on their way to the disk.
const SAVING: u32 = 4;

/// What went wrong in a task: its segments with errors, and the task itself if that is for something
/// else.
pub(crate) fn error_count(status: &TaskStatus) -> usize {
    let of_segments = status.errors.segments() + usize::from(status.errors.has(SegmentId::TASK));
    let own = own_segment(status).is_some_and(|segment| !status.errors.has(segment));
    of_segments + usize::from(own)
}

/// Why a task failed, if it did, or why it is to be tried again.
pub(crate) fn task_error(status: &TaskStatus) -> Option<&ErrorObject> {
    let is_cancelled = status.state == TaskState::Cancelled;
    status.error.as_ref().filter(|_| !is_cancelled)
}

/// The segment that a failed task's own error is about; [`SegmentId::TASK`] if it is about
/// none. `None` if it has no error of its own.
pub(crate) fn own_segment(status: &TaskStatus) -> Option<SegmentId> {
    task_error(status).map(|error| error.segment().unwrap_or(SegmentId::TASK))
}

/// Whether a running task has not come to its first segment: its voice is being opened.
pub(crate) fn is_opening(status: &TaskStatus) -> bool {
    status.state == TaskState::Processing
        && status.plan.as_ref().is_some_and(|plan| !plan.is_empty())
        && status.current_segment.is_none()
        && status.made.chars == 0
        && status.errors.is_empty()
}

impl SegmentState {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Waiting => "○",
            Self::Running | Self::Saving => "●",
            Self::NotMade => "⊘",
            Self::Done => "✔",
            Self::Failed => "✘",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "in work",
            Self::Saving => "saving",
            Self::NotMade => "not made",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}
