//! How work comes in: a submission, put on disk if it is durable, then into the queue. And how work
//! comes back: what an earlier run left, and what is to be tried again.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::error::SubmitError;
use super::plan::Narration;
use super::registry::{GroupId, NewNarration, NewTask, Priority, Schedule};
use super::shared::{Body, Life, Shared};
use super::store::{StoreError, StoredClip, StoredNarration, StoredSchedule};
use super::task::{CompletedSegment, SegmentId, TaskId, TaskKind, Timestamp};
use super::work::Work;
use crate::failpoint::reach;

/// Work with everything that can be said of when and how it runs.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, Options, Priority, Submission, Work};
///
/// let folder = tempfile::tempdir()?;
/// let engine = Engine::open(Options::new(folder.path()))?;
/// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
/// let second = Submission::new(Work::closure("second", |_| Ok(2.into())))
///     .priority(Priority::High)
///     .after([first])
///     .timeout(Duration::from_secs(60));
/// engine.submit(second)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a submission does nothing until it is submitted"]
pub struct Submission {
    work: Work,
    id: Option<TaskId>,
    timeout: Option<Duration>,
    schedule: Schedule,
    /// Segments to be made again though there are clips of them.
    anew: Vec<SegmentId>,
}

impl Submission {
    /// Work that runs as soon as it is its turn.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Priority, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let id = engine.submit(Submission::new(Work::closure("answer", |_| Ok(42.into()))))?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.priority, Priority::Normal);
    /// assert!(!status.paused && status.after.is_empty() && status.group.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(work: impl Into<Work>) -> Self {
        Self {
            work: work.into(),
            id: None,
            timeout: None,
            schedule: Schedule::default(),
            anew: Vec::new(),
        }
    }

    /// Under this id instead of a random one.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("chapter", |_| Ok("read".into()));
    /// let id = engine.submit(Submission::new(work).id("chapter-1"))?;
    /// assert_eq!(id.as_str(), "chapter-1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn id(mut self, id: impl Into<TaskId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same with an id: a random one, unless one was given.
    pub(crate) fn with_id(mut self) -> Self {
        self.id.get_or_insert_with(TaskId::random);
        self
    }

    pub(crate) fn id_given(&self) -> TaskId {
        self.id.clone().unwrap_or_else(TaskId::random)
    }

    /// With a time limit of its own, instead of the engine's.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::{Engine, Event, Options, Submission, Work, WorkError};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let endless = Work::closure("endless", |task| {
    ///     while !task.is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    ///     Err(WorkError::Interrupted)
    /// });
    /// let id = engine.submit(Submission::new(endless).timeout(Duration::from_millis(10)))?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().error.unwrap().code, "TIMEOUT");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// More or less urgent than others.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Priority, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// engine.submit_task(Work::closure("usual", |_| Ok(1.into())), None)?;
    /// let work = Work::closure("urgent", |_| Ok(2.into()));
    /// let urgent = engine.submit(Submission::new(work).priority(Priority::High))?;
    /// engine.resume_queue();
    /// let started = loop {
    ///     if let Event::Started { task } = events.recv_blocking()? {
    ///         break task;
    ///     }
    /// };
    /// assert_eq!(started, urgent);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn priority(mut self, priority: Priority) -> Self {
        self.schedule.priority = priority;
        self
    }

    /// Not before this time has passed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::{Engine, Event, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let work = Work::closure("in an hour", |_| Ok(1.into()));
    /// let later = engine.submit(Submission::new(work).delay(Duration::from_secs(3600)))?;
    /// engine.submit_task(Work::closure("now", |_| Ok(2.into())), None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&later).unwrap().state, TaskState::Pending);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delay(mut self, delay: Duration) -> Self {
        self.schedule.delay = Some(delay);
        self
    }

    /// Not before these have ended as they should. If one of them does not, this one fails with
    /// `DEPENDENCY`. Those that are no longer known count as done.
    ///
    /// ```
    /// # use aloud::engine::{Engine, ErrorObject, Event, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let fails = |_: &_| Err(ErrorObject::new("DISK", "the disk is full").into());
    /// let first = engine.submit_task(Work::closure("first", fails), None)?;
    /// let second = Submission::new(Work::closure("second", |_| Ok("done".into())));
    /// let second = engine.submit(second.after([first]))?;
    /// let ends = |event: &Event| matches!(event, Event::Ended { task, .. } if *task == second);
    /// while !ends(&events.recv_blocking()?) {}
    /// assert_eq!(engine.task_status(&second).unwrap().error.unwrap().code, "DEPENDENCY");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after(mut self, tasks: impl IntoIterator<Item = TaskId>) -> Self {
        self.schedule.after.extend(tasks);
        self
    }

    /// As part of a group.
    ///
    /// ```
    /// # use aloud::engine::{Engine, GroupId, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("chapter one", |_| Ok("read".into()));
    /// let id = engine.submit(Submission::new(work).group("book"))?;
    /// assert_eq!(engine.task_status(&id).unwrap().group, Some(GroupId::from("book")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group(mut self, group: impl Into<GroupId>) -> Self {
        self.schedule.group = Some(group.into());
        self
    }

    /// Held back until it is resumed.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("later", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert!(status.paused && status.state == TaskState::Pending);
    /// assert!(engine.resume_task(&id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn paused(mut self) -> Self {
        self.schedule.paused = true;
        self
    }
}

impl<W: Into<Work>> From<W> for Submission {
    fn from(work: W) -> Self {
        Self::new(work)
    }
}

impl Engine {
    /// Registers a task as `PENDING` and returns its id at once. A narration is on disk by then.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, SubmitError, TaskId, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let id = engine.submit_task(work(), None)?;
    /// assert_eq!(id.as_str().len(), 36, "a UUID");
    /// engine.submit_task(work(), Some(TaskId::from("mine")))?;
    /// let again = engine.submit_task(work(), Some(TaskId::from("mine")));
    /// assert!(matches!(again, Err(SubmitError::Duplicate(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError`]: the engine has shut down, the id is taken, or the disk refused.
    pub fn submit_task(
        &self,
        work: impl Into<Work>,
        task_id: Option<TaskId>,
    ) -> Result<TaskId, SubmitError> {
        let mut submission = Submission::new(work);
        submission.id = task_id;
        self.submit(submission)
    }

    /// The same with everything that can be said of when and how the work runs.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Priority, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let usual = engine.submit(work())?;
    /// let last = engine.submit(Submission::new(work()).priority(Priority::Low).after([usual]))?;
    /// assert_eq!(engine.task_status(&last).unwrap().after.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::submit_task`].
    pub fn submit(&self, submission: impl Into<Submission>) -> Result<TaskId, SubmitError> {
        let Submission {
            work,
            id,
            timeout,
            schedule,
            anew,
        } = submission.into();
        let shared = self.shared();
        shared.cleanup(shared.options.cleanup_threshold);
        let id = id.unwrap_or_else(TaskId::random);
        let seq = {
            let mut state = shared.lock();
            if state.life != Life::Open {
                return Err(SubmitError::ShutDown);
            }
            if let Work::Narration(narration) = &work
                && let Some(same) = state.fingerprints.get(&narration.fingerprint)
            {
                return Err(SubmitError::Duplicate(same.clone()));
            }
            if state.registry.contains(&id) || !state.reserved.insert(id.clone()) {
                return Err(SubmitError::Duplicate(id));
            }
            state.registry.reserve()
        };
        let timeout = timeout.or(shared.options.task_timeout);
        let accepted = accept(shared, &id, seq, work, timeout, schedule, &anew);
        let mut state = shared.lock();
        state.reserved.remove(&id);
        let (new, body) = accepted?;
        if let Body::Narration(narration) = &body {
            state
                .fingerprints
                .insert(narration.fingerprint.clone(), id.clone());
        }
        state.bodies.insert(id.clone(), body);
        let events = state.registry.submit(new, shared.now()).unwrap_or_default();
        let ended = state.announce(&events);
        drop(state);
        if ended.is_empty() {
            shared.work.notify_one();
        } else {
            shared.store_ends(ended);
        }
        shared.timer.notify_all();
        Ok(id)
    }

    /// Tries a narration that failed or was cancelled once more, as a new task that takes over its
    /// clips: what has no clip, or an error, is made again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct FailsOnce(bool);
    /// # impl Narrator for FailsOnce {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         let done = task.status().unwrap().completed_segments;
    /// #         let missing = narration.plan.iter().filter(|(id, _)| done.get(*id).is_none());
    /// #         let mut made = Vec::new();
    /// #         for (segment_id, _) in missing {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             std::fs::write(narration.folder.join(format!("{segment_id}.wav")), "")?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #             made.push(segment_id);
    /// #         }
    /// #         if std::mem::replace(&mut self.0, true) {
    /// #             return Ok(made.into());
    /// #         }
    /// #         Err(ErrorObject::new("DISK", "the disk is full").into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(FailsOnce(false))));
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
    /// // It fails once both clips are made.
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let again = engine.retry_task(&id)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&again).unwrap();
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(json!([])), "none was made again");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError::NotRetryable`] if there is no such narration or it has not ended; otherwise
    /// as [`Self::submit_task`].
    pub fn retry_task(&self, id: &TaskId) -> Result<TaskId, SubmitError> {
        self.retry_segments(id, &[])
    }

    /// The same, and makes these segments again though they have clips.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct FailsOnce(bool);
    /// # impl Narrator for FailsOnce {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         let done = task.status().unwrap().completed_segments;
    /// #         let missing = narration.plan.iter().filter(|(id, _)| done.get(*id).is_none());
    /// #         let mut made = Vec::new();
    /// #         for (segment_id, _) in missing {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             std::fs::write(narration.folder.join(format!("{segment_id}.wav")), "")?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #             made.push(segment_id);
    /// #         }
    /// #         if std::mem::replace(&mut self.0, true) {
    /// #             return Ok(made.into());
    /// #         }
    /// #         Err(ErrorObject::new("DISK", "the disk is full").into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(FailsOnce(false))));
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
    /// // It fails once both clips are made, and the first one sounds wrong.
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let again = engine.retry_segments(&id, &[1])?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&again).unwrap();
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(json!([1])), "the others stayed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::retry_task`].
    pub fn retry_segments(
        &self,
        id: &TaskId,
        segments: &[SegmentId],
    ) -> Result<TaskId, SubmitError> {
        let shared = self.shared();
        let status = self.task_status(id);
        if status
            .as_ref()
            .is_some_and(|status| !status.state.is_terminal())
        {
            return Err(SubmitError::NotRetryable(id.clone()));
        }
        let stored = shared.store.ended_narration(id).wait()?;
        let stored = stored.ok_or_else(|| SubmitError::NotRetryable(id.clone()))?;
        let mut again = Submission::new(stored.narration);
        again.anew = segments.to_vec();
        again.schedule.priority = stored.schedule.priority;
        again.schedule.group = stored.schedule.group;
        again.timeout = stored.timeout_ms.map(Duration::from_millis);
        self.submit(again)
    }
}

/// Puts durable work on disk and says what the registry is to know of it.
fn accept(
    shared: &Shared,
    id: &TaskId,
    seq: u64,
    work: Work,
    timeout: Option<Duration>,
    schedule: Schedule,
    anew: &[SegmentId],
) -> Result<(NewTask, Body), SubmitError> {
    let (title, kind, narration, body) = match work {
        Work::Closure { title, run } => (title, TaskKind::Closure, None, Body::Closure(run)),
        Work::Repeatable { title, run } => (title, TaskKind::Closure, None, Body::Repeatable(run)),
        Work::Narration(narration) => {
            if shared.options.narrator.is_none() {
                return Err(SubmitError::NoNarrator);
            }
            let limit = timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let now = shared.now().wall;
            let stored = StoredSchedule::new(&schedule, now);
            std::fs::create_dir_all(&narration.folder).map_err(|error| StoreError::Folder {
                path: narration.folder.clone(),
                reason: error.to_string(),
            })?;
            let inserted = shared
                .store
                .insert(id, seq, &narration, limit, &stored, now);
            let Some(mut clips) = inserted.wait()? else {
                return Err(SubmitError::Duplicate(id.clone()));
            };
            reach("accepted");
            for &segment in anew {
                shared.store.forget_clip(id, segment).wait()?;
            }
            clips.retain(|clip| !anew.contains(&clip.segment_id));
            let new = new_narration(shared, id, &narration, clips);
            let title = Arc::clone(&narration.title);
            (
                title,
                TaskKind::Narration,
                Some(new),
                Body::Narration(Arc::new(narration)),
            )
        }
    };
    let id = id.clone();
    Ok((
        NewTask {
            id,
            seq,
            title,
            kind,
            timeout,
            schedule,
            narration,
            created_at: None,
        },
        body,
    ))
}

/// What the registry is to know of a narration. A clip counts only if its file is there with the
/// size it had; any other is made again.
fn new_narration(
    shared: &Shared,
    id: &TaskId,
    narration: &Narration,
    clips: Vec<StoredClip>,
) -> NewNarration {
    let mut completed = Vec::with_capacity(clips.len());
    for clip in clips {
        let path = narration.folder.join(&*clip.clip);
        if std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == clip.bytes) {
            completed.push(CompletedSegment {
                segment_id: clip.segment_id,
                duration: clip.duration(),
                clip: clip.clip,
                work: Duration::ZERO,
            });
        } else {
            tracing::warn!(clip = %path.display(), "a clip is gone or damaged: it is made again");
            drop(shared.store.forget_clip(id, clip.segment_id));
        }
    }
    NewNarration {
        plan: Arc::clone(&narration.plan),
        folder: narration.folder.as_path().into(),
        voice: Arc::clone(&narration.voice),
        completed,
        errors: Vec::new(),
    }
}

/// Puts a narration of an earlier run back into the queue.
pub(super) fn resume(shared: &Shared, stored: StoredNarration) {
    let StoredNarration {
        id,
        seq,
        narration,
        timeout_ms,
        schedule,
        in_vain_after,
        created_at,
        clips,
        errors,
        ..
    } = stored;
    let mut new = new_narration(shared, &id, &narration, clips);
    new.errors = errors;
    let now = shared.now();
    let task = NewTask {
        id: id.clone(),
        seq,
        title: Arc::clone(&narration.title),
        kind: TaskKind::Narration,
        timeout: timeout_ms.map(Duration::from_millis),
        schedule: schedule.since(now.wall),
        narration: Some(new),
        created_at: Some(created_at),
    };
    let mut state = shared.lock();
    if state.registry.submit(task, now).is_none() {
        return;
    }
    state
        .fingerprints
        .insert(narration.fingerprint.clone(), id.clone());
    state
        .bodies
        .insert(id.clone(), Body::Narration(Arc::new(narration)));
    if let Some(dependency) = in_vain_after {
        let events = state.registry.end_in_vain(&id, &dependency, now);
        let ended = state.announce(&events);
        drop(state);
        shared.store_ends(ended);
    }
}

impl StoredSchedule {
    fn new(schedule: &Schedule, now: Timestamp) -> Self {
        let delay = schedule
            .delay
            .map(|delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        Self {
            priority: schedule.priority,
            paused: schedule.paused,
            due: delay.map(|delay| Timestamp(now.0.saturating_add(delay))),
            delay_ms: delay.map(i64::cast_unsigned),
            rank: schedule.rank,
            after: schedule.after.clone(),
            group: schedule.group.clone(),
        }
    }

    /// What is left of it at this time. A clock that was set back makes no delay longer.
    fn since(self, now: Timestamp) -> Schedule {
        let longest = self.delay_ms.map_or(Duration::MAX, Duration::from_millis);
        Schedule {
            priority: self.priority,
            rank: self.rank,
            delay: self
                .due
                .map(|due| due.since(now).min(longest))
                .filter(|delay| !delay.is_zero()),
            after: self.after,
            paused: self.paused,
            group: self.group,
        }
    }
}
