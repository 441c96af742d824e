//! What the core holds of each thing: data without rules.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::mutation::{Mutation, mutated};
use super::policy::Schedule;
use super::queue::{Lane, Turn};
use super::types::{CallId, Kind, LeaseId, RunId};
use crate::engine::interrupt::StopReason;
use crate::engine::recurrence::Recurrence;
use crate::model::{
    CompletedSegment, ErrorObject, Event, SegmentId, SharedValue, ShutdownReport, TaskId,
    TaskState, TaskStatus, Timestamp,
};

/// Where a task stands, with what only that state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// On its way to the disk: nobody but its submitter knows of it.
    Accepting,
    /// On disk; its submitter looks which of the results that it takes over are there.
    Adopting,
    Waiting,
    Running {
        run: RunId,
        deadline: Option<Duration>,
        /// Since when no part has been in the model, between two parts.
        idle_since: Option<Duration>,
    },
    /// Its end is on its way to the disk.
    Ending,
    Ended,
}

/// One attempt at a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub id: LeaseId,
    /// When it is overdue; `None` once it is made, or without a limit.
    pub deadline: Option<Duration>,
    /// Whether the model has it.
    pub is_open: bool,
    /// When the run is given up, for the part was overdue and is still in the model.
    pub give_up: Option<Duration>,
    /// What its result plays, while its row is on its way to the disk.
    pub storing: Option<Duration>,
}

pub(super) struct Entry<B> {
    pub status: TaskStatus,
    pub kind: Kind,
    pub phase: Phase,
    pub seq: u64,
    /// Its place in the queue, if someone moved it.
    pub rank: Option<i64>,
    pub urgent: bool,
    pub timeout: Option<Duration>,
    /// Its work, unless a worker has it or it has ended.
    pub body: Option<B>,
    pub fingerprint: Option<Arc<str>>,
    pub breaker: Option<Arc<str>>,
    pub leases: BTreeMap<SegmentId, Lease>,
    pub watchers: Vec<CallId>,
}

impl<B> Entry<B> {
    /// Whether anyone but its submitter may know of it.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.phase, Phase::Accepting | Phase::Adopting)
    }

    pub(super) fn is_durable(&self) -> bool {
        self.kind == Kind::Durable
    }

    /// When it comes at first.
    pub(super) fn turn(&self) -> Turn {
        if self.urgent && !mutated(Mutation::UrgentWaits) {
            Turn::Urgent
        } else {
            Turn::ByPlace
        }
    }

    /// With which others it is held back.
    pub(super) fn lane(&self) -> Lane {
        match &self.breaker {
            _ if self.body.is_none() => Lane::NoOperation,
            Some(key) => Lane::Breaker(key.clone()),
            None => Lane::Free,
        }
    }
}

/// What is kept of a submission until it is admitted.
pub(super) struct Admission {
    pub schedule: Schedule,
    /// Its delay counts from the submission, however long the disk takes.
    pub due: Option<Duration>,
    /// The tasks that it waits for, of those that were known when it was handed in.
    pub after: Vec<u64>,
    pub failed_dependency: Option<TaskId>,
    /// Of a run of what recurs.
    pub ran: Option<Ran>,
}

/// What is noted of a recurring task with one of its runs.
pub(super) struct Ran {
    pub name: Arc<str>,
    pub recurrence: Recurrence,
    /// When this run was due.
    pub due: Timestamp,
    /// When it is due next, and when that was reckoned.
    pub next: Timestamp,
    pub noted: Timestamp,
}

/// One run of a task by a worker that nobody has given up.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub task: TaskId,
    /// Why it was asked to stop.
    pub asked: Option<StopReason>,
    /// When it is given up.
    pub give_up: Option<Duration>,
    pub started: Duration,
}

impl Run {
    /// Whether it was asked to stop at once: it comes back soon, or is given up.
    pub(super) fn is_told_to_leave(&self) -> bool {
        self.asked.is_some_and(StopReason::is_now)
    }
}

/// What follows once a row is on disk.
pub(super) enum Then {
    Nothing,
    Tell(Event),
    Accepted {
        task: TaskId,
        call: Option<CallId>,
        admission: Box<Admission>,
    },
    PartDone {
        task: TaskId,
        segment: CompletedSegment,
        lease: LeaseId,
        is_made: bool,
        call: CallId,
    },
    PartForgotten {
        task: TaskId,
        part: SegmentId,
        call: CallId,
    },
    RecurringSet(CallId),
    RecurringRemoved {
        name: Arc<str>,
        call: CallId,
    },
    Ended(Box<Ending>),
}

/// An end that is decided.
pub(super) struct Ending {
    pub task: TaskId,
    pub state: TaskState,
    pub result: Option<SharedValue>,
    pub error: Option<ErrorObject>,
    pub at: Timestamp,
    /// Whether the disk has it, or need not have it. Otherwise the task continues at the next start,
    /// and nothing like it may be taken until then.
    pub is_final: bool,
}

/// Whether the engine takes work.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Life {
    Restoring,
    Open,
    ShuttingDown(Box<Leaving>),
    Down(Box<ShutdownReport>),
}

/// How far a shutdown is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaving {
    pub step: Step,
    /// What is queued runs as well.
    pub drains: bool,
    /// When the step ends by itself.
    pub until: Duration,
    /// When this step began.
    pub since: Duration,
    pub begun: Duration,
    /// What ran when it began, or began later because it drains.
    pub active: Vec<TaskId>,
    pub report: ShutdownReport,
    pub callers: Vec<CallId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Interrupt,
    /// Nothing runs; what is decided goes to the disk.
    Flush,
}

/// What the clock wakes the core for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    TaskDeadline(u64),
    PartDeadline(u64, LeaseId),
    PartGiveUp(u64, LeaseId),
    GiveUp(RunId),
    Shutdown,
    DiskRetry,
    Breaker(Arc<str>),
    Cleanup,
    Workers,
    Recurring,
    RunRefused(Arc<str>),
}

impl Alarm {
    /// Whether it limits work: time for which nothing could run does not count.
    pub(super) fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TaskDeadline(_) | Self::PartDeadline(..) | Self::PartGiveUp(..) | Self::GiveUp(_)
        )
    }
}
