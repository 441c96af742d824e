//! A copy of everything known about one task, cheap to clone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::ErrorObject;
use super::ids::{GroupId, SegmentId, TaskId, Timestamp};
use super::limits::Limits;
use super::plan::{Plan, PlannedSegment};
use super::priority::Priority;
use super::recurring::Occurrence;
use super::segments::{CompletedSegments, SegmentErrors};
use super::state::TaskState;
use super::trace::Trace;
use super::value::SharedValue;

/// How far a task is.
///
/// ```
/// use aloud::engine::Progress;
///
/// let progress = Progress { current: 2, total: 3, extra: None };
/// assert_eq!(progress.percentage(), 66);
/// assert_eq!(serde_json::to_string(&progress)?, r#"{"current":2,"total":3}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Units done, at most `total`.
    pub current: u64,
    /// Units in all; 0 if that is not known.
    pub total: u64,
    /// Whatever the work wants to say beside the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<SharedValue>,
}

impl Progress {
    /// The share done, 0.0 to 1.0; 0.0 when the total is 0.
    ///
    /// ```
    /// use aloud::engine::Progress;
    ///
    /// assert_eq!(Progress { current: 1, total: 4, extra: None }.fraction(), 0.25);
    /// assert_eq!(Progress { current: 7, total: 0, extra: None }.fraction(), 0.0);
    /// ```
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
    pub fn fraction(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        (self.current as f64 / self.total as f64).clamp(0.0, 1.0)
    }

    /// The share done in whole percent, 0 to 100, rounded down: 100 means done.
    ///
    /// ```
    /// use aloud::engine::Progress;
    ///
    /// let percentage = |current| Progress { current, total: 1000, extra: None }.percentage();
    /// assert_eq!((percentage(999), percentage(1000)), (99, 100));
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

/// Whether a task outlives the process.
///
/// ```
/// use aloud::engine::{TaskKind, Work, testing::Library};
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
/// assert_eq!(engine.task_status(&id).unwrap().kind, TaskKind::Closure);
/// assert_eq!(serde_json::to_string(&TaskKind::Narration)?, r#""narration""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TaskKind {
    /// Stored on disk; continues after a restart.
    Narration,
    /// An operation of the embedding program, stored on disk as well.
    Operation,
    /// A closure of the embedding program; lives as long as the process.
    Closure,
    /// Speech for someone who listens; lives as long as the process at most.
    Speech,
}

/// An operation that was registered by name, with what it is to do.
///
/// ```
/// use aloud::engine::OperationCall;
///
/// let call: OperationCall =
///     serde_json::from_str(r#"{"name":"add","parameters":[1,2],"context":null}"#)?;
/// assert_eq!((&*call.name, &call.parameters[1]), ("add", &2.into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationCall {
    /// Its name.
    pub name: Arc<str>,
    /// What it is to do.
    pub parameters: serde_json::Value,
    /// What its submitter gave with it.
    pub context: serde_json::Value,
}

/// What keeps a waiting task from running, beside its place in the queue.
///
/// ```
/// use aloud::engine::{ErrorCode, ErrorObject, Hold, Timestamp};
///
/// let error = ErrorObject::new(ErrorCode::DiskFull, "no space is left");
/// let hold = Hold::Breaker { error, retry_at: Timestamp(1_000) };
/// assert_eq!(serde_json::to_value(&hold)?["reason"], "breaker");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// The last ones like it all failed for this reason, which may pass: one of them is tried at
    /// that time, and the others follow when it does well.
    Breaker {
        /// Why they failed.
        error: ErrorObject,
        /// When the next one is tried.
        retry_at: Timestamp,
    },
    /// This program has no such operation: the task waits on disk for one that has.
    NoOperation,
}

/// Everything known about one task at one moment: a copy, never a lock.
///
/// Copying one costs a few pointers, whatever the number of segments and the size of results.
///
/// ```
/// use aloud::engine::{TaskState, TaskStatus, Work, testing::Library};
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
/// let status = engine.wait(&id)?;
/// assert_eq!((status.state, status.attempt), (TaskState::Completed, 1));
/// assert!(status.completed_at.unwrap() >= status.created_at);
/// let copy: TaskStatus = serde_json::from_value(serde_json::to_value(&status)?)?;
/// assert_eq!(copy, status);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskStatus {
    /// The task's id.
    pub id: TaskId,
    /// What a person calls it.
    pub title: Arc<str>,
    /// Whether it outlives the process.
    pub kind: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// How far it is.
    pub progress: Progress,
    /// The segment that it works on.
    pub current_segment: Option<SegmentId>,
    /// The segments that are done.
    pub completed_segments: CompletedSegments,
    /// What went wrong, segment by segment.
    pub errors: SegmentErrors,
    /// What the work has to show so far.
    pub partial_result: Option<SharedValue>,
    /// What the work returned, once it is `COMPLETED`.
    pub result: Option<SharedValue>,
    /// Why it is `FAILED` or `CANCELLED`; while it is `PENDING`, why it is to be tried again.
    pub error: Option<ErrorObject>,
    /// Whether someone asked for it to be cancelled.
    pub cancel_requested: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When a worker started it, the last time; `None` while it waits.
    pub started_at: Option<Timestamp>,
    /// Seconds for which it ran before that, in this process: up to a pause, or an attempt that
    /// failed.
    #[serde(default)]
    pub earlier_seconds: f64,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
    /// When it ended; always set at the end, whatever the end.
    pub completed_at: Option<Timestamp>,
    /// What it does, if that is not a narration or a closure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Arc<OperationCall>>,
    /// Where its clips are; `None` for a closure.
    pub folder: Option<Arc<Path>>,
    /// The voice that speaks; empty for a closure.
    pub voice: Arc<str>,
    /// The voices that say some of its segments, as [`PlannedSegment::voice`] counts them, from 1.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub others: Arc<[Arc<str>]>,
    /// Seconds of audio in its completed segments.
    pub audio_seconds: f64,
    /// Characters in its completed segments: what the time left is estimated from.
    pub completed_chars: u64,
    /// What this run of it has made, without what an earlier run had left.
    pub made: RunOutput,
    /// How urgent it is.
    pub priority: Priority,
    /// Its place in the queue among others: the smaller, the sooner. It changes when a task is moved.
    #[serde(default)]
    pub rank: i64,
    /// When it may begin at the earliest, if it was not to begin at once or is to be tried again later; in
    /// the past once it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Whether it is held back; a running narration is, as soon as its current segment is done.
    pub paused: bool,
    /// What else keeps it from running, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
    /// Which run of a recurring task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Arc<Occurrence>>,
    /// The tasks that must end before it runs.
    pub after: Arc<[TaskId]>,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// What it may use of the machine, beside what the program's settings say.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// The trace that the request for it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<Trace>>,
    /// What its submitter wants to find again, beside what an operation was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<SharedValue>,
    /// How often a worker started it in this process; a pause between is not counted.
    pub attempt: u32,
    /// The segments as they were planned; left out when serialised.
    #[serde(skip)]
    pub plan: Option<Arc<Plan>>,
}

impl TaskStatus {
    /// Who says a segment.
    #[must_use]
    pub fn voice_of(&self, segment: &PlannedSegment) -> &Arc<str> {
        let other = usize::from(segment.voice).checked_sub(1);
        let other = other.and_then(|other| self.others.get(other));
        other.unwrap_or(&self.voice)
    }

    /// A task that is not yet accepted: nothing has happened to it.
    pub(crate) fn new(id: TaskId, title: Arc<str>, kind: TaskKind, created_at: Timestamp) -> Self {
        Self {
            id,
            title,
            kind,
            state: TaskState::Pending,
            progress: Progress::default(),
            current_segment: None,
            completed_segments: CompletedSegments::default(),
            errors: SegmentErrors::default(),
            partial_result: None,
            result: None,
            error: None,
            cancel_requested: false,
            created_at,
            started_at: None,
            earlier_seconds: 0.0,
            updated_at: created_at,
            completed_at: None,
            operation: None,
            folder: None,
            voice: "".into(),
            others: [].into(),
            audio_seconds: 0.0,
            completed_chars: 0,
            made: RunOutput::default(),
            priority: Priority::default(),
            rank: 0,
            due: None,
            paused: false,
            hold: None,
            occurrence: None,
            after: [].into(),
            group: None,
            limits: Limits::default(),
            trace: None,
            context: None,
            attempt: 0,
            plan: None,
        }
    }

    /// Audio made per second of work, "× real time"; `None` before the first clip of this run.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// let mut status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.speed(), None);
    /// status.made.audio_seconds = 30.0;
    /// status.made.work_seconds = 10.0;
    /// assert_eq!(status.speed(), Some(3.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn speed(&self) -> Option<f64> {
        (self.made.work_seconds > 0.0).then(|| self.made.audio_seconds / self.made.work_seconds)
    }

    /// The work that is left, estimated from the characters still to be spoken and the speed so
    /// far; `None` as long as [`RunOutput::time_for`] has no basis, and for a closure.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    ///
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{RunOutput, Work};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// let mut status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.time_left(), None);
    /// status.plan = Some(Arc::new(testing::plan(["a".repeat(100), "b".repeat(300)])));
    /// status.completed_chars = 100;
    /// status.made = RunOutput { audio_seconds: 14.0, work_seconds: 2.0, chars: 100, wait_seconds: 0.0 };
    /// assert_eq!(status.time_left(), Some(Duration::from_secs(6)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let plan = self.plan.as_ref()?;
        let left = plan.chars().saturating_sub(self.completed_chars);
        self.made.time_for(left)
    }
}

/// What one run of a task has made.
///
/// ```
/// use aloud::engine::testing::Library;
///
/// let engine = Library::new();
/// let id = engine.submit(engine.narration("A story"))?;
/// let made = engine.wait(&id)?.made;
/// // "One." and "Two.", a second each.
/// assert_eq!((made.chars, made.audio_seconds), (8, 2.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOutput {
    /// Seconds of audio.
    pub audio_seconds: f64,
    /// Seconds of work for it.
    pub work_seconds: f64,
    /// Characters spoken.
    pub chars: u64,
    /// Seconds for which the voice had nothing to do between two segments.
    #[serde(default)]
    pub wait_seconds: f64,
}

impl RunOutput {
    /// Seconds of speech before the speed tells anything: the first clips are short headings, made
    /// while the model is still cold.
    const BASIS: f64 = 10.0;

    /// How long so many characters will take at this speed; `None` before ten seconds of speech were
    /// made.
    ///
    /// ```
    /// use std::time::Duration;
    /// use aloud::engine::RunOutput;
    ///
    /// let mut made = RunOutput { audio_seconds: 2.0, work_seconds: 1.0, chars: 30, wait_seconds: 0.0 };
    /// assert_eq!(made.time_for(900), None, "a title says little");
    /// made.audio_seconds += 18.0;
    /// made.work_seconds += 1.0;
    /// made.chars += 270;
    /// assert_eq!(made.time_for(900), Some(Duration::from_secs(6)));
    /// ```
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs no 53 bits")]
    pub fn time_for(&self, chars: u64) -> Option<Duration> {
        if self.chars == 0 || self.audio_seconds < Self::BASIS {
            return None;
        }
        let seconds = chars as f64 * self.work_seconds / self.chars as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
