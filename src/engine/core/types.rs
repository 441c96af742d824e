//! What goes into the core and what comes out of it: commands, answers, effects, moments.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::policy::Schedule;
use super::row::{Row, RowResult};
use crate::engine::error::{StoreError, WorkError};
use crate::engine::interrupt::StopReason;
use crate::engine::recurrence::Recurrence;
use crate::model::{
    ClipRecord, CompletedSegment, Durations, ErrorObject, Event, SegmentId, ShutdownReport, TaskId,
    TaskStatus, Timestamp,
};

/// One moment on both clocks: the wall's for what people read, the monotonic one for ages and
/// deadlines, which a clock set back or forward must not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// What the wall says.
    pub wall: Timestamp,
    /// Time since the engine started.
    pub mono: Duration,
}

impl Now {
    /// What the wall will say at this time after the engine's start, if nobody sets it.
    pub(crate) fn wall_at(self, mono: Duration) -> Timestamp {
        let wait = mono.saturating_sub(self.mono).as_millis();
        let wait = i64::try_from(wait).unwrap_or(i64::MAX);
        Timestamp(self.wall.0.saturating_add(wait))
    }
}

/// One run of a task by a worker: never given twice.
pub(crate) type RunId = u64;
/// One attempt at a part of a task: never given twice in a process.
pub(crate) type LeaseId = u64;
/// A caller that waits for a reply: the runtime gives them, the core hands them back.
pub(crate) type CallId = u64;

/// What the core is set up with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub cleanup_threshold: Duration,
    pub task_timeout: Option<Duration>,
    pub part_timeout: Option<Duration>,
    pub retries: super::Retries,
    pub breaker: super::Breaker,
    /// Tasks that may wait; a submission beyond is refused.
    pub max_waiting: usize,
    /// Decides the jitter of retries.
    pub seed: u64,
}

/// What can be done with work that did not reach its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A closure that can be called once.
    Once,
    /// A closure that can be called again.
    Repeatable,
    /// An operation that is on disk.
    Durable,
}

/// A task as it is handed in. `B` is its work and `R` what the disk is to have of it; the core looks
/// into neither.
pub(crate) struct NewTask<B, R> {
    /// What is known of it from the start. The core sets everything that changes.
    pub status: TaskStatus,
    pub kind: Kind,
    /// `None`: nobody here can do it, and it waits for a process that can.
    pub body: Option<B>,
    /// `None` for what lives no longer than the process.
    pub record: Option<R>,
    /// Equal for two tasks of which only one may wait or run at a time.
    pub fingerprint: Option<Arc<str>>,
    /// Tasks that share a breaker fail for the same reason.
    pub breaker: Option<Arc<str>>,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
    /// Someone waits for it now: an operation in work makes room for it. Only what lives no longer than
    /// the process can be.
    pub urgent: bool,
    /// It takes the place of a task that has ended: it is taken though no more are.
    pub replaces: bool,
    /// A task it was to wait for that is no longer known and did not end as it should.
    pub failed_dependency: Option<TaskId>,
    /// Parts to be made again though there are results of them.
    pub again: Vec<SegmentId>,
}

/// Work that can be begun again and again.
pub(crate) trait Again: Sized {
    /// The same once more; `None` if it can be done only once.
    fn again(&self) -> Option<Self>;
}

/// What the runs of a recurring task have in common.
pub(crate) struct Template<B, R> {
    /// What is known of each from the start, but for its id and times.
    pub status: TaskStatus,
    pub kind: Kind,
    /// `None`: nobody here can do it, and its run waits for a process that can.
    pub body: Option<B>,
    /// `None` for what lives no longer than the process.
    pub record: Option<R>,
    pub breaker: Option<Arc<str>>,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
}

/// A task that is to recur.
pub(crate) struct NewRecurring<B, R> {
    pub name: Arc<str>,
    pub recurrence: Recurrence,
    pub template: Template<B, R>,
}

/// The same, left by an earlier process.
pub(crate) struct RestoredRecurring<B, R> {
    pub new: NewRecurring<B, R>,
    pub next: Timestamp,
    /// When that was reckoned.
    pub noted: Timestamp,
}

/// A task that an earlier process left.
pub(crate) struct RestoredTask<B> {
    pub status: TaskStatus,
    pub seq: u64,
    /// `None`: nobody here can do it, and it waits for a process that can.
    pub body: Option<B>,
    pub fingerprint: Option<Arc<str>>,
    pub breaker: Option<Arc<str>>,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
    pub failed_dependency: Option<TaskId>,
    pub cancelled: bool,
    pub done: Vec<CompletedSegment>,
    /// Parts whose results are gone.
    pub missing: Vec<SegmentId>,
    pub errors: Vec<(SegmentId, ErrorObject)>,
}

/// What a caller outside a worker, or the work itself, tells of a task.
#[derive(Debug)]
pub(crate) enum Report {
    Progress {
        current: u64,
        total: u64,
        extra: Option<Value>,
    },
    Part(CompletedSegment),
    Error(SegmentId, ErrorObject),
    Partial(Value),
}

/// Everything that can happen to the engine.
pub(crate) enum Command<B, R> {
    /// A task is handed in; the call is answered once it is on disk, if it goes there.
    Submit(Box<NewTask<B, R>>, CallId),
    /// Of a task that took over results of an earlier one: those that are really there, and those
    /// that are not.
    Admit {
        task: TaskId,
        done: Vec<CompletedSegment>,
        missing: Vec<SegmentId>,
    },
    /// A task of an earlier process comes back.
    Restore(Box<RestoredTask<B>>),
    /// A task is to recur, in the place of another of its name; the call is answered with the time when it
    /// is due, once it is on disk, if it goes there.
    SetRecurring(Box<NewRecurring<B, R>>, CallId),
    RemoveRecurring {
        name: Arc<str>,
        call: CallId,
    },
    /// What an earlier process left to recur comes back, before the tasks.
    RestoreRecurring(Box<RestoredRecurring<B, R>>),
    /// Everything is restored: work may begin.
    Open,
    Cancel {
        task: TaskId,
        after_part: bool,
    },
    CancelAll,
    SetPaused {
        task: TaskId,
        paused: bool,
    },
    SetQueuePaused(bool),
    ResumeAll,
    Move {
        task: TaskId,
        up: bool,
    },
    /// These come before all others, in this order.
    MoveFirst(Vec<TaskId>),
    /// A run begins with a part.
    OpenPart {
        run: RunId,
        part: SegmentId,
    },
    /// The part is made: its time stops.
    ClosePart {
        run: RunId,
        part: SegmentId,
    },
    /// The part's result is published. Without a lease it was copied, not made.
    CompletePart {
        run: RunId,
        lease: Option<LeaseId>,
        clip: ClipRecord,
        work: Duration,
        call: CallId,
    },
    FailPart {
        run: RunId,
        part: SegmentId,
        error: ErrorObject,
    },
    /// The part's result is gone or damaged.
    ForgetPart {
        run: RunId,
        part: SegmentId,
        call: CallId,
    },
    /// A worker is back from a run.
    Finished {
        run: RunId,
        result: Result<Value, WorkError>,
        /// The work, if it can be done again.
        body: Option<B>,
    },
    /// The store has answered a batch, row by row.
    Persisted {
        batch: u64,
        answers: Vec<RowResult<R>>,
    },
    /// The time that the core asked to be woken at has come, or someone looks at the clock.
    Tick,
    Cleanup {
        max_age: Duration,
    },
    SetWorkers(usize, usize),
    /// A worker's thread could not be started.
    WorkerLost,
    /// Answers the call when the task has ended.
    Watch {
        task: TaskId,
        call: CallId,
    },
    Shutdown {
        wait: crate::model::ShutdownWait,
        call: CallId,
    },
}

/// Why a command changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such task, or it has left the registry.
    Unknown,
    /// It has ended, or its end is on its way to the disk.
    Ended,
    /// It is so already.
    NoChange,
    /// A running closure can't be paused.
    NotPausable,
    /// It does not wait for a worker only, or there is no place beyond it.
    NoPlace,
    /// The engine is shutting down.
    ShutDown,
    /// The id or the narration is there already.
    Duplicate(TaskId),
    /// So many tasks wait that no more is taken.
    Full { waiting: usize, retry_in: Duration },
    /// The run or the lease is no longer the one that counts.
    Stale,
}

/// What the caller of a command learns at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// A reply follows.
    Later,
    Refused(Refusal),
    Count(usize),
    Lease(LeaseId),
}

/// What a caller that waited is told.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Of a submission: it is accepted.
    Accepted,
    /// Of a submission: it is on disk and took these results over. Whoever handed it in looks
    /// whether they are there, and admits it.
    Adopted(Vec<ClipRecord>),
    /// Of a submission, a part or what recurs: the disk refused.
    Failed(StoreError),
    Duplicate(TaskId),
    /// Of a part, or of what is to recur no more: the change is on disk.
    Stored,
    /// Of what is to recur: when it is due.
    Next(Timestamp),
    /// The engine went down before.
    ShutDown,
    /// Of a watch.
    Ended(Box<TaskStatus>),
    /// Of a shutdown: nothing is left to be done but to join the threads.
    Down(Box<ShutdownReport>),
}

/// What the threads are to do. Those that are not named here have no effect outside the core.
pub(crate) enum Effect<B, R> {
    /// To the store: put these rows on disk in one transaction, in this order.
    Persist {
        batch: u64,
        rows: Vec<Row<R>>,
    },
    /// To a worker.
    Start {
        run: RunId,
        task: TaskId,
        kind: Kind,
        attempt: u32,
        body: B,
    },
    /// To a worker that waits: its thread is one too many.
    Retire,
    SpawnWorker,
    /// To the work of a run.
    Interrupt {
        run: RunId,
        reason: StopReason,
    },
    /// The same for one part of it, which is overdue.
    InterruptPart {
        run: RunId,
        part: SegmentId,
    },
    /// To the work of a run that did not come back: nobody waits for it any more.
    Abandon {
        run: RunId,
    },
    /// To whoever drops what is not ours, holding no lock.
    Drop(B),
    /// To the clock.
    WakeAt(Duration),
    Reply(CallId, Reply),
    /// A line for the log.
    Log(Log),
}

/// What the log is told, as data: the words are the runtime's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Log {
    CleanedUp {
        count: usize,
        max_age: Duration,
    },
    TriedAgain {
        task: TaskId,
        attempt: u32,
        delay: Duration,
    },
    FailedForGood {
        task: TaskId,
        attempts: u32,
    },
    GivenUp {
        task: TaskId,
    },
    NotStored {
        task: Option<TaskId>,
        error: String,
    },
    ShutdownBegun {
        active: usize,
    },
    StillActive {
        tasks: usize,
        after: Duration,
    },
    BreakerOpened {
        key: Arc<str>,
        error: String,
        pause: Duration,
    },
    BreakerClosed {
        key: Arc<str>,
    },
    /// No run of what recurs comes for this time: there is a task of that id.
    PassedOver {
        task: TaskId,
    },
    /// A run of what recurs missed its time.
    Late {
        task: TaskId,
        due: Timestamp,
        by: Duration,
    },
    Overslept {
        by: Duration,
    },
}

impl Log {
    /// The task that the line is about.
    pub(crate) fn task(&self) -> Option<&TaskId> {
        match self {
            Self::TriedAgain { task, .. }
            | Self::FailedForGood { task, .. }
            | Self::GivenUp { task }
            | Self::PassedOver { task }
            | Self::Late { task, .. } => Some(task),
            Self::NotStored { task, .. } => task.as_ref(),
            Self::CleanedUp { .. }
            | Self::ShutdownBegun { .. }
            | Self::StillActive { .. }
            | Self::BreakerOpened { .. }
            | Self::BreakerClosed { .. }
            | Self::Overslept { .. } => None,
        }
    }
}

/// What one or more commands led to, in the order in which it happened.
pub(crate) struct Output<B, R> {
    pub events: Vec<Event>,
    pub effects: Vec<Effect<B, R>>,
    /// What has left the registry: large, and dropped where nobody waits for it.
    pub discarded: Vec<TaskStatus>,
}

impl<B, R> Default for Output<B, R> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            effects: Vec::new(),
            discarded: Vec::new(),
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Completed(Value),
    Failed(ErrorObject),
    Cancelled(ErrorObject, Option<Value>),
    /// Over its time; the core knows how much that was.
    TimedOut,
}

/// What the engine has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub submitted: u64,
    pub clips: u64,
    pub audio_seconds: f64,
    pub work_seconds: f64,
    pub wait_seconds: f64,
}

/// So many codes of errors are counted by themselves: work may bring any number of its own.
const CODES: usize = 64;
/// What the others are counted as.
const OTHERS: &str = "OTHER";

/// What became of segments since the engine was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Segments {
    /// How long those took that were made.
    pub work: Durations,
    /// What went wrong, by the code of the error.
    pub errors: BTreeMap<Arc<str>, u64>,
}

impl Segments {
    pub(super) fn note_error(&mut self, code: &str) {
        let is_new = !self.errors.contains_key(code);
        let code = if is_new && self.errors.len() >= CODES {
            OTHERS
        } else {
            code
        };
        match self.errors.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(self.errors.insert(code.into(), 1)),
        }
    }
}
