//! What goes into the registry and what comes out of it: new tasks, moments, outcomes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::model::Plan;
use crate::model::{CompletedSegment, ErrorObject};
use crate::model::{GroupId, Priority};
use crate::model::{SegmentId, TaskId, TaskKind, Timestamp};

/// One moment on both clocks: the wall's for what people read, the monotonic one for ages and
/// deadlines, which a clock set back or forward must not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What the wall says.
    pub wall: Timestamp,
    /// Time since the engine started.
    pub mono: Duration,
}

/// What the registry needs to know of a new task.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: TaskId,
    /// The number of its submission; see [`super::Registry::reserve`].
    pub seq: u64,
    pub title: Arc<str>,
    pub kind: TaskKind,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
    /// What a durable task brings with it.
    pub narration: Option<NewNarration>,
    /// When it was accepted, if that was in an earlier run.
    pub created_at: Option<Timestamp>,
}

/// The part of a new task that only narrations have.
#[derive(Clone, Debug)]
pub struct NewNarration {
    pub plan: Arc<Plan>,
    pub folder: Arc<Path>,
    pub voice: Arc<str>,
    /// What an earlier run had finished.
    pub completed: Vec<CompletedSegment>,
    /// What had gone wrong in an earlier run.
    pub errors: Vec<(SegmentId, ErrorObject)>,
}

/// When a task may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// How urgent it is.
    pub priority: Priority,
    /// Not before that much time has passed.
    pub delay: Option<Duration>,
    /// Not before these have ended as they should.
    pub after: Vec<TaskId>,
    /// Held back until it is resumed.
    pub paused: bool,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// Its place in the queue, if someone moved it in an earlier run.
    pub rank: Option<i64>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Completed(Value),
    Failed(ErrorObject),
    Cancelled(ErrorObject),
    /// Over its time; the registry knows how much that was.
    TimedOut,
}

/// A running task, or its segment, that is over its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Overdue {
    pub id: TaskId,
    /// The segment, if it is only that which is over its time.
    pub segment: Option<SegmentId>,
}

/// What a request to cancel met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// No such task, or it has ended.
    Nothing,
    /// It was waiting and has ended.
    Ended,
    /// It is running; the request is noted.
    Requested,
}

/// What the engine has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    pub submitted: u64,
    pub clips: u64,
    pub audio_seconds: f64,
    pub work_seconds: f64,
    pub wait_seconds: f64,
}
