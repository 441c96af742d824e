//! What goes to the disk, row by row, and what the disk answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::policy::Schedule;
use crate::engine::error::StoreError;
use crate::engine::recurrence::Recurrence;
use crate::model::{
    ClipRecord, ErrorObject, Occurrence, RunSummary, SegmentId, SharedValue, TaskId, TaskState,
    Timestamp,
};

/// One change on disk. Rows of a task that has ended there change nothing.
#[derive(Clone, Debug)]
pub(crate) enum Row<R> {
    Accepted {
        task: TaskId,
        seq: u64,
        record: R,
        timeout: Option<Duration>,
        schedule: Schedule,
        again: Vec<SegmentId>,
        at: Timestamp,
        /// Of a run of what recurs.
        run: Option<Box<RunRow>>,
    },
    Started {
        task: TaskId,
        at: Timestamp,
    },
    /// It waits again.
    Waiting {
        task: TaskId,
        at: Timestamp,
    },
    /// It runs, and is to be cancelled: it must not come back should the process die now.
    CancelRequested {
        task: TaskId,
    },
    Paused {
        task: TaskId,
        paused: bool,
    },
    Places(Vec<(TaskId, i64)>),
    PartBegun {
        task: TaskId,
        part: SegmentId,
    },
    PartDone {
        task: TaskId,
        folder: Option<Arc<Path>>,
        clip: ClipRecord,
    },
    PartFailed {
        task: TaskId,
        folder: Option<Arc<Path>>,
        part: SegmentId,
        error: ErrorObject,
    },
    PartForgotten {
        task: TaskId,
        part: SegmentId,
    },
    Ended {
        task: TaskId,
        folder: Option<Arc<Path>>,
        state: TaskState,
        error: Option<ErrorObject>,
        result: Option<SharedValue>,
        summary: RunSummary,
        at: Timestamp,
    },
    Recurring(RecurringRow<R>),
    /// These have left the registry: of what is complete only a line of history stays.
    Archived(Vec<TaskId>),
}

/// A change on disk of what recurs.
#[derive(Clone, Debug)]
pub(crate) enum RecurringRow<R> {
    /// A task is to recur. The same recurrence keeps the time when it is due.
    Set(Box<SetRecurringRow<R>>),
    /// It is due at another time, if it still recurs in this way.
    Next {
        name: Arc<str>,
        recurrence: Recurrence,
        next: Timestamp,
        at: Timestamp,
    },
    Removed(Arc<str>),
}

/// What the disk is to have of a task that recurs.
#[derive(Clone, Debug)]
pub(crate) struct SetRecurringRow<R> {
    pub name: Arc<str>,
    pub recurrence: Recurrence,
    pub record: R,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
    pub next: Timestamp,
    pub at: Timestamp,
}

/// Which run a new task is, and when the next one is due, if it still recurs so.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    pub occurrence: Arc<Occurrence>,
    pub recurrence: Recurrence,
    pub next: Timestamp,
}

/// What the store says of a row that it has put on disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowAnswer {
    Done,
    /// Of a new task: the results that it takes over.
    Accepted(Vec<ClipRecord>),
    /// Of a new task: its id is taken.
    Taken,
}

/// The same, or why not, with the row.
pub(crate) type RowResult<R> = Result<RowAnswer, Box<(Row<R>, StoreError)>>;
