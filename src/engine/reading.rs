//! What can be read of the engine: copies, never locks.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Engine;
use super::events::Subscription;
use super::registry::{GroupId, GroupStatus};
use super::shared::Life;
use super::store::{Recovery, StoreError};
use super::task::{TaskId, TaskState, TaskStatus};

impl Engine {
    /// Everything known about a task: a copy. `None` for an unknown id.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskId, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Completed);
    /// assert_eq!(status.result, Some(42.into()));
    /// assert_eq!(engine.task_status(&TaskId::from("unknown")), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn task_status(&self, id: &TaskId) -> Option<TaskStatus> {
        self.shared().lock().registry.status(id)
    }

    /// Everything known about every task, in the order of submission. Its cost grows with their
    /// number: for a first look, or after [`Event::Missed`](super::Event::Missed).
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// for title in ["first", "second"] {
    ///     engine.submit_task(Work::closure(title, |_| Ok("done".into())), None)?;
    /// }
    /// let tasks = engine.tasks();
    /// assert_eq!(tasks.len(), 2);
    /// assert_eq!(&*tasks[0].title, "first");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskStatus> {
        self.shared().lock().registry.all()
    }

    /// Everything known about a group: a copy. `None` if it has no tasks.
    ///
    /// ```
    /// # use aloud::engine::{Engine, GroupId, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// for chapter in ["one", "two"] {
    ///     let work = Work::closure(chapter, |_| Ok("read".into()));
    ///     engine.submit(Submission::new(work).group("book"))?;
    /// }
    /// let book = engine.group_status(&GroupId::from("book")).unwrap();
    /// assert_eq!(book.tasks(), 2);
    /// assert_eq!(engine.group_status(&GroupId::from("unknown")), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn group_status(&self, id: &GroupId) -> Option<GroupStatus> {
        self.shared().lock().registry.group(id)
    }

    /// The narration that has not ended and would give the same clips in the same place.
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
    /// let id = engine.submit(Submission::new(narration.clone()).paused())?;
    /// assert_eq!(engine.unfinished_like(&narration.fingerprint), Some(id.clone()));
    /// engine.cancel_task(&id);
    /// assert_eq!(engine.unfinished_like(&narration.fingerprint), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unfinished_like(&self, fingerprint: &str) -> Option<TaskId> {
        self.shared().lock().fingerprints.get(fingerprint).cloned()
    }

    /// The folder of the last narration that ended, has clips, and would give the same ones. A new
    /// narration with that fingerprint and that folder takes its clips over.
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
    /// engine.submit_task(narration.clone(), None)?;
    /// assert_eq!(engine.ended_like("another fingerprint")?, None);
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.ended_like(&narration.fingerprint)?, Some(narration.folder));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn ended_like(&self, fingerprint: &str) -> Result<Option<PathBuf>, StoreError> {
        self.shared().store.ended_like(fingerprint).wait()
    }

    /// Whether a narration is known to have its clips in this folder: nothing else may go there.
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
    /// assert!(!engine.knows_folder(&narration.folder)?);
    /// engine.submit_task(narration.clone(), None)?;
    /// assert!(engine.knows_folder(&narration.folder)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn knows_folder(&self, folder: &Path) -> Result<bool, StoreError> {
        self.shared().store.knows_folder(folder).wait()
    }

    /// What had to be done at opening about a database that was damaged or gone; `None` if it was
    /// sound.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, ShutdownWait};
    /// # let folder = tempfile::tempdir()?;
    /// let engine = Engine::open(Options::new(folder.path()))?;
    /// assert!(engine.recovery().is_none());
    /// engine.shutdown(ShutdownWait::Now);
    /// std::fs::write(folder.path().join("aloud.db"), "A diary, and no database.".repeat(100))?;
    /// let engine = Engine::open(Options::new(folder.path()))?;
    /// assert!(engine.recovery().unwrap().set_aside.as_ref().unwrap().exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn recovery(&self) -> Option<&Recovery> {
        self.shared().recovery.as_ref()
    }

    /// Events from now on.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let events = engine.subscribe();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// assert_eq!(events.recv_blocking()?, Event::Submitted { task: id.clone() });
    /// assert_eq!(events.recv_blocking()?, Event::Started { task: id });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.shared()
            .subscribe()
            .unwrap_or_else(Subscription::ended)
    }

    /// Whether someone asked for the task to be cancelled.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("never run", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(!engine.is_cancelled(&id));
    /// engine.cancel_task(&id);
    /// assert!(engine.is_cancelled(&id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_cancelled(&self, id: &TaskId) -> bool {
        self.shared().lock().registry.is_cancelled(id)
    }

    /// The engine in numbers.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("later", |_| Ok("done".into()));
    /// engine.submit(Submission::new(work).paused())?;
    /// let stats = engine.stats();
    /// assert_eq!((stats.pending, stats.processing, stats.submitted), (1, 0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.shared().lock();
        let count = |task_state| state.registry.count(task_state);
        let totals = state.registry.totals();
        Stats {
            pending: count(TaskState::Pending),
            processing: count(TaskState::Processing),
            completed: count(TaskState::Completed),
            failed: count(TaskState::Failed),
            cancelled: count(TaskState::Cancelled),
            workers: state.workers,
            backlog: count(TaskState::Pending),
            submitted: totals.submitted,
            clips: totals.clips,
            audio_seconds: totals.audio_seconds,
            work_seconds: totals.work_seconds,
            wait_seconds: totals.wait_seconds,
        }
    }

    /// Whether the engine is well.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, ShutdownWait};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let health = engine.health();
    /// assert_eq!((health.max_threads, health.active_threads), (1, 0));
    /// assert!(!health.is_shutdown);
    /// engine.shutdown(ShutdownWait::Now);
    /// assert!(engine.health().is_shutdown);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = self.shared();
        let state = shared.lock();
        let totals = state.registry.totals();
        Health {
            active_threads: state.running.len(),
            max_threads: shared.options.workers.max(1),
            abandoned_threads: state.abandoned,
            active_tasks: state.registry.count(TaskState::Processing),
            backlog: state.registry.count(TaskState::Pending),
            idle_share: idle_share(totals.work_seconds, totals.wait_seconds),
            is_shutdown: state.life == Life::Down,
            shutting_down: state.life == Life::ShuttingDown,
            library: shared.options.folder.clone(),
            uptime_seconds: shared.started.elapsed().as_secs_f64(),
        }
    }
}

/// The engine in numbers.
///
/// ```
/// use aloud::engine::{Engine, Event, Options, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// # let events = engine.subscribe();
/// for title in ["one", "two"] {
///     engine.submit_task(Work::closure(title, |_| Ok("done".into())), None)?;
///     while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// }
/// let stats = engine.stats();
/// assert_eq!((stats.submitted, stats.completed, stats.pending), (2, 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Tasks that wait.
    pub pending: usize,
    /// Tasks in work.
    pub processing: usize,
    /// Tasks that ended well and are still in the registry.
    pub completed: usize,
    /// Tasks that failed and are still in the registry.
    pub failed: usize,
    /// Tasks that were cancelled and are still in the registry.
    pub cancelled: usize,
    /// Worker threads.
    pub workers: usize,
    /// Tasks that wait, for a worker or for something else.
    pub backlog: usize,
    /// Tasks accepted since the engine was opened, those found waiting included.
    pub submitted: u64,
    /// Clips made since the engine was opened.
    pub clips: u64,
    /// Seconds of audio in them.
    pub audio_seconds: f64,
    /// Seconds of work for them.
    pub work_seconds: f64,
    /// Seconds for which a voice had nothing to do between two segments.
    #[serde(default)]
    pub wait_seconds: f64,
}

impl Stats {
    /// Audio made per second of work, «× real time»; `None` before the first clip.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let mut stats = engine.stats();
    /// assert_eq!(stats.speed(), None);
    /// stats.audio_seconds = 30.0;
    /// stats.work_seconds = 10.0;
    /// assert_eq!(stats.speed(), Some(3.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn speed(&self) -> Option<f64> {
        (self.work_seconds > 0.0).then(|| self.audio_seconds / self.work_seconds)
    }
}

/// Whether the engine is well.
///
/// ```
/// use aloud::engine::{Engine, Options};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let health = engine.health();
/// assert_eq!(health.library, folder.path());
/// assert_eq!((health.active_tasks, health.backlog, health.abandoned_threads), (0, 0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Workers that run a task.
    pub active_threads: usize,
    /// Workers in all.
    pub max_threads: usize,
    /// Threads whose work ignored its time-out; others took their places.
    pub abandoned_threads: usize,
    /// Tasks in work.
    pub active_tasks: usize,
    /// Tasks that wait.
    pub backlog: usize,
    /// The share of its time between segments and in them for which a voice had nothing to do, 0.0
    /// to 1.0; `None` before the second segment.
    #[serde(default)]
    pub idle_share: Option<f64>,
    /// Whether it has shut down.
    pub is_shutdown: bool,
    /// Whether it is shutting down.
    pub shutting_down: bool,
    /// The library's folder.
    pub library: PathBuf,
    /// Seconds since it was opened.
    pub uptime_seconds: f64,
}

/// The share of waiting in waiting and work.
pub(crate) fn idle_share(work: f64, wait: f64) -> Option<f64> {
    (work > 0.0 && wait > 0.0).then(|| wait / (wait + work))
}
