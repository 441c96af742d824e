//! What running work knows of itself, and what it tells.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Engine;
use super::core::{Kind, LeaseId, Report, RunId};
use super::error::{StoreError, WorkError};
use super::interrupt::{Interrupt, StopReason};
use crate::failpoint::reach;
use crate::model::{
    ClipRecord, CompletedSegment, ErrorCode, ErrorObject, Limits, SegmentId, StoredClip, TaskId,
    TaskStatus,
};

/// What running work knows of itself and may tell. Cheap to share between the work's own threads.
///
/// ```
/// use aloud::engine::{TaskContext, Work, WorkError, WorkResult, testing::Library};
///
/// fn count(task: &TaskContext) -> WorkResult {
///     for n in 1..=3 {
///         if task.is_cancelled() {
///             return Err(WorkError::Interrupted);
///         }
///         task.update_progress(n, 3, None);
///     }
///     Ok(3.into())
/// }
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("count", count))?;
/// assert_eq!(engine.wait(&id)?.progress.current, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TaskContext {
    id: TaskId,
    run: RunId,
    kind: Kind,
    host: Box<dyn Host>,
    interrupt: Arc<Interrupt>,
}

/// What work needs of the engine that runs it.
pub(super) trait Host: Send + Sync {
    fn status(&self, task: &TaskId) -> Option<TaskStatus>;

    fn segment_timeout(&self) -> Option<Duration>;

    fn report(&self, task: &TaskId, report: Report);

    /// `None`: the run was asked to stop.
    fn open_part(&self, run: RunId, part: SegmentId) -> Option<LeaseId>;

    fn close_part(&self, run: RunId, part: SegmentId);

    fn fail_part(&self, run: RunId, part: SegmentId, error: ErrorObject);

    /// It returns once the disk has it.
    fn complete_part(&self, run: RunId, made: MadePart) -> Result<(), PartError>;

    /// The same.
    fn forget_part(&self, run: RunId, part: SegmentId) -> Result<(), PartError>;

    /// Parts that were begun at any time.
    fn attempted(&self, task: &TaskId) -> Result<BTreeSet<SegmentId>, StoreError>;

    fn clips(&self, task: &TaskId) -> Result<Vec<StoredClip>, StoreError>;

    /// The engine itself, unless its last handle has gone.
    fn engine(&self) -> Option<Engine>;
}

/// A part's result, as the work brings it.
pub(super) struct MadePart {
    /// `None`: it was copied, not made.
    pub lease: Option<LeaseId>,
    pub clip: ClipRecord,
    pub work: Duration,
}

/// Why a change of a part was not made.
pub(super) enum PartError {
    /// The run or the lease is not the one that counts.
    Stale,
    /// The engine shuts down.
    ShutDown,
    Store(StoreError),
}

impl TaskContext {
    pub(super) fn new(
        id: TaskId,
        run: RunId,
        kind: Kind,
        host: Box<dyn Host>,
        interrupt: Arc<Interrupt>,
    ) -> Self {
        Self {
            id,
            run,
            kind,
            host,
            interrupt,
        }
    }

    /// Tells the core something of this task.
    fn tell(&self, report: Report) {
        if self.interrupt.is_abandoned() {
            // It has ended without this work.
            return;
        }
        self.host.report(&self.id, report);
    }

    /// The engine that runs this, for work that submits more work; `None` once its last handle has gone.
    /// Don't wait for such work: where there is one worker, this is it.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("first", |task| {
    ///     let engine = task.engine().expect("it has a handle");
    ///     let second = engine.submit(Work::closure("second", |_| Ok(2.into())))?;
    ///     Ok(second.as_str().into())
    /// }))?;
    /// let second = engine.wait(&id)?.result.unwrap();
    /// let second = second.as_str().unwrap().into();
    /// assert_eq!(engine.wait(&second)?.result, Some(2.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn engine(&self) -> Option<Engine> {
        self.host.engine()
    }

    /// The task's id.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("who am I", |task| Ok(task.id().as_str().into()));
    /// let id = engine.submit(work)?;
    /// assert_eq!(engine.wait(&id)?.result, Some(id.as_str().into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Says how far the work is. A `total` of 0 means that it is not known. A smaller `current` is
    /// taken as it is given; `extra` stays until another one is given.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("a half", |task| {
    ///     task.update_progress(10, 40, Some(json!({ "page": 10 })));
    ///     task.update_progress(20, 40, None);
    ///     Ok("enough".into())
    /// }))?;
    /// let progress = engine.wait(&id)?.progress;
    /// assert_eq!((progress.percentage(), progress.extra), (50, Some(json!({ "page": 10 }).into())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update_progress(&self, current: u64, total: u64, extra: Option<Value>) {
        self.tell(Report::Progress {
            current,
            total,
            extra,
        });
    }

    /// Says that a segment is done.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("two clips", |task| {
    ///     task.add_completed_segment(1, "clips/1.wav", Duration::from_secs(2));
    ///     task.add_completed_segment(2, "clips/2.wav", Duration::from_secs(3));
    ///     Ok("spoken".into())
    /// }))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!((status.completed_segments.len(), status.audio_seconds), (2, 5.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_completed_segment(
        &self,
        segment_id: impl Into<SegmentId>,
        clip: impl Into<Arc<str>>,
        duration: Duration,
    ) {
        let work = Duration::ZERO;
        self.tell(Report::Part(CompletedSegment {
            segment_id: segment_id.into(),
            clip: clip.into(),
            duration,
            work,
        }));
    }

    /// Says that something went wrong with a segment; [`SegmentId::TASK`] for the task as a whole.
    ///
    /// ```
    /// use aloud::engine::{TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("all but one", |task| {
    ///     task.add_error(2, "it is too long to be spoken");
    ///     Ok("the others are spoken".into())
    /// }))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!(status.state, TaskState::Completed, "how it ends is up to the work");
    /// assert_eq!(status.errors.of(2).next().unwrap().message, "it is too long to be spoken");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_error(&self, segment_id: impl Into<SegmentId>, message: impl Into<String>) {
        let error = ErrorObject::new(ErrorCode::Error, message);
        self.tell(Report::Error(segment_id.into(), error));
    }

    /// Keeps what there is to show so far, in case the work doesn't reach its end.
    ///
    /// ```
    /// use aloud::engine::{ErrorObject, Work, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("half", |task| {
    ///     task.set_partial_result(json!(["the first half"]));
    ///     Err(ErrorObject::new("DISK", "the disk is full").into())
    /// }))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!(status.partial_result, Some(json!(["the first half"]).into()));
    /// assert_eq!(status.result, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_partial_result(&self, value: Value) {
        self.tell(Report::Partial(value));
    }

    /// Whether the work should stop: cancelled, overdue, or the engine is shutting down. Only a
    /// narration that is asked to stop after its current segment continues: it looks at
    /// [`Interrupt::reason`] between segments.
    ///
    /// Work that is asked to stop returns [`WorkError::Interrupted`].
    ///
    /// ```
    /// use aloud::engine::{Event, TaskState, Work, WorkError, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// let id = engine.submit(Work::closure("endless", |task| {
    ///     while !task.is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    ///     Err(WorkError::Interrupted)
    /// }))?;
    /// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
    /// engine.cancel_task(&id)?;
    /// assert_eq!(engine.wait(&id)?.state, TaskState::Cancelled);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.interrupt.is_now()
            || (self.kind != Kind::Durable
                && self.interrupt.reason() == Some(StopReason::CancelAfterSegment))
    }

    /// The request to stop, for work that can be broken off in the middle.
    ///
    /// ```
    /// use aloud::engine::{Event, TaskState, Work, WorkError, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// let (stop, stopped) = std::sync::mpsc::channel();
    /// let id = engine.submit(Work::closure("waits for a message", move |task| {
    ///     task.interrupt().breaking(move || drop(stop.send(())), || stopped.recv())?;
    ///     Err(WorkError::Interrupted)
    /// }))?;
    /// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
    /// engine.cancel_task(&id)?;
    /// assert_eq!(engine.wait(&id)?.state, TaskState::Cancelled);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What is known of the task now.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("a title", |task| {
    ///     let title = task.status().map(|status| status.title.to_string());
    ///     Ok(title.into())
    /// }))?;
    /// assert_eq!(engine.wait(&id)?.result, Some("a title".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn status(&self) -> Option<TaskStatus> {
        self.host.status(&self.id)
    }

    /// Begins an attempt at a segment of a narration and returns its number, which
    /// [`Self::complete_segment`] expects.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    /// use serde_json::json;
    ///
    /// let engine = Library::with_narrator(|_, task| {
    ///     let _attempt = task.begin_segment(2)?;
    ///     Ok(json!(task.status().unwrap().current_segment))
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(2.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] if the task should stop; a failure of the database.
    pub fn begin_segment(&self, segment_id: impl Into<SegmentId>) -> Result<Attempt, WorkError> {
        if self.interrupt.reason().is_some() {
            return Err(WorkError::Interrupted);
        }
        let segment = segment_id.into();
        // Without a lease, it was asked to stop in the meantime.
        let lease = self.host.open_part(self.run, segment);
        let lease = lease.ok_or(WorkError::Interrupted)?;
        self.interrupt.begin_segment(segment);
        Ok(Attempt { lease, segment })
    }

    /// Says that the model is done with the segment it began last, whose time then stops counting.
    /// Returns whether that segment was overdue.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with(|options| {
    ///     options.segment_timeout = Some(Duration::from_secs(60));
    ///     options.narrator = Some(testing::narrator(|_, task| {
    ///         let _attempt = task.begin_segment(1)?;
    ///         // Here the model runs. What follows, such as writing the file, has no time limit.
    ///         let overdue = task.end_segment();
    ///         Ok(overdue.into())
    ///     }));
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(false.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_segment(&self) -> bool {
        let overdue = self.interrupt.is_segment_overdue();
        let part = self.interrupt.segment();
        self.interrupt.begin_segment(SegmentId::TASK);
        let run = self.run;
        self.host.close_part(run, part);
        overdue
    }

    /// The time that a segment may take.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let limit = Duration::from_secs(60);
    /// let engine = Library::with(|options| options.segment_timeout = Some(limit));
    /// let id = engine.submit(Work::closure("seconds", |task| {
    ///     Ok(task.segment_timeout().map(|time| time.as_secs()).into())
    /// }))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(60.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn segment_timeout(&self) -> Option<Duration> {
        self.host.segment_timeout()
    }

    /// What this task may use of the machine, beside what the program's settings say. Whoever does the
    /// work in a process of its own holds it to that.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{Limits, Submission};
    ///
    /// let engine = Library::with(|options| {
    ///     options.takes_limits = true;
    ///     options.narrator = Some(testing::narrator(|_, task| Ok(task.limits().cores.into())));
    /// });
    /// let story = engine.narration("A story");
    /// let id = engine.submit(Submission::new(story).limits(Limits::default().cores(2)))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(2.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.status()
            .map_or_else(Limits::default, |status| status.limits)
    }

    /// Says that the clip of a segment is published, and waits until that is on disk. The file has
    /// its final name by then: a row implies a file.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with_narrator(|narration, task| {
    ///     let attempt = task.begin_segment(1)?;
    ///     let clip = testing::clip(1); // one second
    ///     std::fs::write(narration.folder.join(&*clip.clip), [])?;
    ///     task.complete_segment(attempt, clip, Duration::from_millis(250))?;
    ///     Ok("spoken".into())
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!(status.completed_segments.get(1).unwrap().duration, Duration::from_secs(1));
    /// assert_eq!(status.speed(), Some(4.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database; a later attempt has begun.
    pub fn complete_segment(
        &self,
        attempt: Attempt,
        clip: ClipRecord,
        work: Duration,
    ) -> Result<(), WorkError> {
        self.note_clip(Some(attempt), clip, work)
    }

    fn note_clip(
        &self,
        attempt: Option<Attempt>,
        clip: ClipRecord,
        work: Duration,
    ) -> Result<(), WorkError> {
        reach("folder-synced");
        let segment = clip.segment_id;
        if attempt.as_ref().is_some_and(|one| one.segment != segment) {
            return Err(superseded(segment));
        }
        let made = MadePart {
            lease: attempt.map(|attempt| attempt.lease),
            clip,
            work,
        };
        match self.host.complete_part(self.run, made) {
            Err(PartError::Stale) if !self.interrupt.is_abandoned() => Err(superseded(segment)),
            done => done.map_err(WorkError::from),
        }?;
        reach("row-committed");
        Ok(())
    }

    /// Says that the clip of a segment is gone or damaged: the segment has none any more when this
    /// returns, and counts as begun before, so that no copy takes its place.
    ///
    /// ```
    /// use aloud::engine::{Attempt, SegmentId, TaskContext, WorkError};
    ///
    /// /// Drops a clip that can't be read; the segment is then spoken again.
    /// fn replace(task: &TaskContext, damaged: SegmentId) -> Result<Attempt, WorkError> {
    ///     task.forget_clip(damaged)?;
    ///     task.begin_segment(damaged)
    /// }
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn forget_clip(&self, segment_id: impl Into<SegmentId>) -> Result<(), WorkError> {
        Ok(self.host.forget_part(self.run, segment_id.into())?)
    }

    /// Takes a clip that lies in the folder already for a segment that was not made in this run: a
    /// copy of one that was made before from the same text, voice and settings. It is on disk when
    /// this returns, and counts as done, not as made.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with_narrator(|narration, task| {
    ///     for (segment_id, _) in narration.plan.iter() {
    ///         // Here an earlier clip is copied into the folder.
    ///         task.reuse_segment(testing::clip(segment_id))?;
    ///     }
    ///     Ok("copied".into())
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!((status.completed_segments.len(), status.made.chars), (2, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] if the work is to stop; the store's error if it can't be noted.
    pub fn reuse_segment(&self, clip: ClipRecord) -> Result<(), WorkError> {
        if self.interrupt.reason().is_some() {
            return Err(WorkError::Interrupted);
        }
        self.note_clip(None, clip, Duration::ZERO)
    }

    /// The segments without a clip that were begun before, in this narration or in the one that it
    /// tries again: a copy of an earlier clip is not what they wait for.
    ///
    /// ```
    /// use aloud::engine::{SegmentId, TaskContext, WorkError};
    ///
    /// /// Whether this segment may be a copy.
    /// fn may_copy(task: &TaskContext, segment: SegmentId) -> Result<bool, WorkError> {
    ///     Ok(!task.attempted()?.contains(&segment))
    /// }
    /// ```
    ///
    /// # Errors
    /// The store's error if it can't be read.
    pub fn attempted(&self) -> Result<BTreeSet<SegmentId>, WorkError> {
        Ok(self.host.attempted(&self.id)?)
    }

    /// Says what went wrong with a segment of a narration, and keeps it on disk.
    ///
    /// ```
    /// use aloud::engine::{ErrorCode, ErrorObject, testing::Library};
    ///
    /// let engine = Library::with_narrator(|_, task| {
    ///     let _attempt = task.begin_segment(1)?;
    ///     task.fail_segment(1, ErrorObject::new(ErrorCode::Timeout, "it took 61 seconds"));
    ///     Ok("the others are spoken".into())
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!(status.errors.of(1).next().unwrap().code, ErrorCode::Timeout);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail_segment(&self, segment_id: impl Into<SegmentId>, error: ErrorObject) {
        let (run, part) = (self.run, segment_id.into());
        self.host.fail_part(run, part, error);
    }

    /// The published clips of this narration, by segment, as the database has them.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::with_narrator(|narration, task| {
    ///     testing::silence(narration, task)?;
    ///     let names: Vec<_> = task.clips()?.iter().map(|clip| clip.clip.to_string()).collect();
    ///     Ok(names.into())
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(json!(["1.wav", "2.wav"]).into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn clips(&self) -> Result<Vec<StoredClip>, WorkError> {
        Ok(self.host.clips(&self.id)?)
    }
}

/// An attempt at a segment. Only the newest one can complete it.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::WorkError;
/// use aloud::engine::testing::{self, Library};
///
/// let engine = Library::with_narrator(|_, task| {
///     let first = task.begin_segment(1)?;
///     let second = task.begin_segment(1)?;
///     let lost = task.complete_segment(first, testing::clip(1), Duration::ZERO);
///     assert!(matches!(lost, Err(WorkError::Failed(error)) if error.code == "SUPERSEDED"));
///     task.complete_segment(second, testing::clip(1), Duration::ZERO)?;
///     Ok("spoken".into())
/// });
/// let id = engine.submit(engine.narration("A story"))?;
/// assert_eq!(engine.wait(&id)?.result, Some("spoken".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Attempt {
    lease: LeaseId,
    segment: SegmentId,
}

fn superseded(segment: SegmentId) -> WorkError {
    let message = format!("a later attempt at segment {segment} has begun");
    WorkError::Failed(ErrorObject::new(ErrorCode::Superseded, message))
}

impl From<PartError> for WorkError {
    fn from(error: PartError) -> Self {
        match error {
            PartError::Store(error) => error.into(),
            // It has ended without this work, or the engine shuts down.
            PartError::Stale | PartError::ShutDown => Self::Interrupted,
        }
    }
}
