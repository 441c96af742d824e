//! What a task is, as the world outside the engine sees it: identifiers, states, and a copy of
//! everything known about one task. Plain data, serialisable, cheap to clone; nothing here locks,
//! waits or changes anything.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::registry::{GroupId, Priority};
use super::segments::{CompletedSegments, ErrorObject, SegmentErrors};

/// The name of a task: a UUID unless its submitter gave another.
///
/// Cloning copies a pointer.
///
/// ```
/// use aloud::engine::TaskId;
///
/// let id = TaskId::from("chapter-1");
/// assert_eq!(id.as_str(), "chapter-1");
/// assert_eq!(serde_json::to_string(&id)?, r#""chapter-1""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Arc<str>);

impl TaskId {
    /// A new random id (UUID version 4).
    ///
    /// ```
    /// # use aloud::engine::TaskId;
    /// let id = TaskId::random();
    /// assert_eq!(id.as_str().len(), 36);
    /// assert_ne!(id, TaskId::random());
    /// ```
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<Arc<str>>> From<S> for TaskId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a segment within its task, counted from 1.
///
/// ```
/// use aloud::engine::{Plan, PlannedSegment, SegmentId};
///
/// const FIRST: SegmentId = 1;
/// # let text = "One.".into();
/// # let segment = PlannedSegment { start: 0, end: 4, text, pause_ms: 0, heading: false };
/// let plan = Plan::new(vec![segment]);
/// assert_eq!(&*plan.get(FIRST).unwrap().text, "One.");
/// ```
pub type SegmentId = u32;

/// Milliseconds since the Unix epoch, UTC.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use aloud::engine::Timestamp;
///
/// let day = Timestamp(24 * 3600 * 1000);
/// let time = SystemTime::UNIX_EPOCH + day.since(Timestamp(0));
/// assert_eq!(time, SystemTime::UNIX_EPOCH + Duration::from_secs(24 * 3600));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time from `earlier` to this, zero if the clock was set back in between.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::Timestamp;
    /// let (earlier, later) = (Timestamp(1_000), Timestamp(2_500));
    /// assert_eq!(later.since(earlier), Duration::from_millis(1500));
    /// assert_eq!(earlier.since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where a task stands: `PENDING → PROCESSING → COMPLETED | FAILED | CANCELLED`.
///
/// ```
/// use aloud::engine::TaskState;
///
/// assert_eq!(TaskState::Processing.to_string(), "PROCESSING");
/// assert_eq!(serde_json::to_string(&TaskState::Failed)?, r#""FAILED""#);
/// assert_eq!(TaskState::ALL.into_iter().filter(|state| state.is_terminal()).count(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskState {
    /// Accepted, waiting for a worker.
    Pending,
    /// A worker is at it.
    Processing,
    /// Ended as it should.
    Completed,
    /// Ended by an error, a panic or a time-out; [`TaskStatus::error`] says which.
    Failed,
    /// Ended because someone asked for it.
    Cancelled,
}

impl TaskState {
    /// All states, in the order of a task's life.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Processing,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word under which the state is serialised and shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of that name, if there is one.
    ///
    /// ```
    /// # use aloud::engine::TaskState;
    /// for state in TaskState::ALL {
    ///     assert_eq!(TaskState::from_word(state.word()), Some(state));
    /// }
    /// assert_eq!(TaskState::from_word("completed"), None, "the case counts");
    /// ```
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the task has ended; an ended task never changes again.
    ///
    /// ```
    /// # use aloud::engine::TaskState;
    /// assert!(!TaskState::Pending.is_terminal() && !TaskState::Processing.is_terminal());
    /// assert!(TaskState::Cancelled.is_terminal());
    /// ```
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

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
    pub extra: Option<serde_json::Value>,
}

impl Progress {
    /// The share done, 0.0 to 1.0; 0.0 when the total is 0.
    ///
    /// ```
    /// # use aloud::engine::Progress;
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
    /// # use aloud::engine::Progress;
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
/// use aloud::engine::{Engine, Options, TaskKind, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
/// assert_eq!(engine.task_status(&id).unwrap().kind, TaskKind::Closure);
/// assert_eq!(serde_json::to_string(&TaskKind::Narration)?, r#""narration""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// Stored on disk; continues after a restart.
    Narration,
    /// A closure of the embedding program; lives as long as the process.
    Closure,
}

/// Everything known about one task at one moment: a copy, never a lock.
///
/// Copying one costs a few pointers, whatever the number of segments.
///
/// ```
/// use aloud::engine::{Engine, Event, Options, TaskState, TaskStatus, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// # let events = engine.subscribe();
/// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
/// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.state, status.attempt), (TaskState::Completed, 1));
/// assert!(status.completed_at.unwrap() >= status.created_at);
/// let copy: TaskStatus = serde_json::from_value(serde_json::to_value(&status)?)?;
/// assert_eq!(copy, status);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The segment in work.
    pub current_segment: Option<SegmentId>,
    /// The segments that are done.
    pub completed_segments: CompletedSegments,
    /// What went wrong, segment by segment.
    pub errors: SegmentErrors,
    /// What the work has to show so far.
    pub partial_result: Option<serde_json::Value>,
    /// What the work returned, once it is `COMPLETED`.
    pub result: Option<serde_json::Value>,
    /// Why it is `FAILED` or `CANCELLED`; while it is `PENDING`, why it is to be tried again.
    pub error: Option<ErrorObject>,
    /// Whether someone asked for it to be cancelled.
    pub cancel_requested: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When a worker took it up, the last time; `None` while it waits.
    pub started_at: Option<Timestamp>,
    /// Seconds for which it was in work before that, in this process: up to a pause, or a try that
    /// failed.
    #[serde(default)]
    pub earlier_seconds: f64,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
    /// When it ended; always set at the end, whatever the end.
    pub completed_at: Option<Timestamp>,
    /// Where its clips are; `None` for a closure.
    pub folder: Option<Arc<Path>>,
    /// The voice that speaks; empty for a closure.
    pub voice: Arc<str>,
    /// Seconds of audio in its completed segments.
    pub audio_seconds: f64,
    /// Characters in its completed segments: what the time left is reckoned from.
    pub completed_chars: u64,
    /// What this run of it has made, without what an earlier run had left.
    pub made: Made,
    /// How urgent it is.
    pub priority: Priority,
    /// Its place in the queue among others: the smaller, the sooner. It changes when a task is moved.
    #[serde(default)]
    pub rank: i64,
    /// Whether it is held back; a running narration is, as soon as its segment in work is done.
    pub paused: bool,
    /// The tasks that must end before it runs.
    pub after: Arc<[TaskId]>,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// How often a worker took it up in this process; a pause between is not counted.
    pub attempt: u32,
    /// The segments as they were planned; left out when serialised.
    #[serde(skip)]
    pub plan: Option<Arc<Plan>>,
}

impl TaskStatus {
    /// Audio made per second of work, «× real time»; `None` before the first clip of this run.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
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

    /// The work that is left, reckoned from the characters still to be spoken and the speed so
    /// far; `None` as long as [`Made::time_for`] has nothing to go by, and for a closure.
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use aloud::engine::{Engine, Made, Options, Plan, PlannedSegment, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// # let segment = |length| PlannedSegment {
    /// #     start: 0,
    /// #     end: length as u64,
    /// #     text: "a".repeat(length).into(),
    /// #     pause_ms: 0,
    /// #     heading: false,
    /// # };
    /// let mut status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.time_left(), None);
    /// status.plan = Some(Arc::new(Plan::new(vec![segment(100), segment(300)])));
    /// status.completed_chars = 100;
    /// status.made = Made { audio_seconds: 14.0, work_seconds: 2.0, chars: 100, wait_seconds: 0.0 };
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
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// # struct Silent;
/// # impl Narrator for Silent {
/// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
/// #         for (segment_id, _) in narration.plan.iter() {
/// #             let attempt = task.begin_segment(segment_id)?;
/// #             let clip = format!("{segment_id}.wav").into();
/// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
/// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
/// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
/// #         }
/// #         Ok("spoken".into())
/// #     }
/// # }
/// # options.narrator = Some(Arc::new(|| Box::new(Silent)));
/// # let engine = Engine::open(options)?;
/// # let events = engine.subscribe();
/// # let segment = |start, text: &str| PlannedSegment {
/// #     start,
/// #     end: start + 4,
/// #     text: text.into(),
/// #     pause_ms: 0,
/// #     heading: false,
/// # };
/// # let narration = Narration {
/// #     title: "A story".into(),
/// #     source: "One. Two.".into(),
/// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
/// #     folder: folder.path().to_owned(),
/// #     voice: "silence".into(),
/// #     voice_version: "".into(),
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: "One. Two. in silence".into(),
/// # };
/// let id = engine.submit_task(narration, None)?;
/// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// let status = engine.task_status(&id).unwrap();
/// // «One.» and «Two.», a second each.
/// assert_eq!((status.made.chars, status.made.audio_seconds), (8, 2.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
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

impl Made {
    /// Seconds of speech before the speed tells anything: the first clips are short headings, made
    /// while the model is still cold.
    const BASIS: f64 = 10.0;

    /// How long so many characters will take at this speed; `None` before ten seconds of speech were
    /// made.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::Made;
    /// let mut made = Made { audio_seconds: 2.0, work_seconds: 1.0, chars: 30, wait_seconds: 0.0 };
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
