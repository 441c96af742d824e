//! What can be read of the engine: copies, never locks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::error::StoreError;
use super::outbox::NoticeCounts;
use super::record::Record;
use super::runtime::subscription::Subscription;
use super::store::Recovery;
use crate::model::{Durations, GroupId, GroupStatus, Narration, TaskId, TaskState, TaskStatus};

impl Engine {
    /// Everything known about a task: a copy. `None` for an unknown id.
    ///
    /// ```
    /// use aloud::engine::{TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// engine.wait(&id)?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!((status.state, status.result), (TaskState::Completed, Some(42.into())));
    /// assert_eq!(engine.task_status(&"unknown".into()), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn task_status(&self, id: &TaskId) -> Option<TaskStatus> {
        self.runtime().lock().core.status(id)
    }

    /// Everything known about every task, in the order of submission. Its cost grows with their
    /// number: for a first look, or after [`Event::Missed`](super::Event::Missed).
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// for title in ["first", "second"] {
    ///     engine.submit(Work::closure(title, |_| Ok("done".into())))?;
    /// }
    /// let tasks = engine.tasks();
    /// assert_eq!((tasks.len(), &*tasks[0].title), (2, "first"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskStatus> {
        self.runtime().lock().core.all()
    }

    /// Everything known about at most `limit` tasks, in the order of submission, after the one that is
    /// named; `None` if that one is not known. Its cost does not grow with the number of the others.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = |title| Work::closure(title, |_| Ok("done".into()));
    /// let first = engine.submit(work("first"))?;
    /// engine.submit(work("second"))?;
    /// let page = engine.tasks_after(Some(&first), 10).unwrap();
    /// assert_eq!((page.len(), &*page[0].title), (1, "second"));
    /// assert_eq!(engine.tasks_after(None, 1).unwrap()[0].id, first);
    /// assert!(engine.tasks_after(Some(&"unknown".into()), 1).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tasks_after(&self, after: Option<&TaskId>, limit: usize) -> Option<Vec<TaskStatus>> {
        self.runtime().lock().core.page(after, limit)
    }

    /// Everything known about a group: a copy. `None` if it has no tasks.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// for chapter in ["one", "two"] {
    ///     let work = Work::closure(chapter, |_| Ok("read".into()));
    ///     engine.submit(Submission::new(work).group("book"))?;
    /// }
    /// assert_eq!(engine.group_status(&"book".into()).unwrap().tasks(), 2);
    /// assert_eq!(engine.group_status(&"unknown".into()), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn group_status(&self, id: &GroupId) -> Option<GroupStatus> {
        self.runtime().lock().core.group(id)
    }

    /// The narration that has not ended and would give the same clips in the same place.
    ///
    /// ```
    /// use aloud::engine::{Submission, testing::Library};
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// let id = engine.submit(Submission::new(narration.clone()).paused())?;
    /// assert_eq!(engine.unfinished_like(&narration.fingerprint), Some(id.clone()));
    /// engine.cancel_task(&id)?;
    /// engine.wait(&id)?;
    /// assert_eq!(engine.unfinished_like(&narration.fingerprint), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unfinished_like(&self, fingerprint: &str) -> Option<TaskId> {
        self.runtime().lock().core.unfinished_like(fingerprint)
    }

    /// The folder of the last narration that ended, has clips, and would give the same ones. A new
    /// narration with that fingerprint and that folder takes its clips over.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// let id = engine.submit(narration.clone())?;
    /// engine.wait(&id)?;
    /// assert_eq!(engine.ended_like("another fingerprint")?, None);
    /// assert_eq!(engine.ended_like(&narration.fingerprint)?, Some(narration.folder));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn ended_like(&self, fingerprint: &str) -> Result<Option<PathBuf>, StoreError> {
        self.runtime().store.ended_like(fingerprint).wait()
    }

    /// The last narration that is complete and would have made the same clips, with the folder that it has
    /// put them into; also when it is history.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// let id = engine.submit(narration.clone())?;
    /// engine.wait(&id)?;
    /// let like = engine.completed_like(&narration.fingerprint)?;
    /// assert_eq!(like, Some((id, narration.folder)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn completed_like(
        &self,
        fingerprint: &str,
    ) -> Result<Option<(TaskId, PathBuf)>, StoreError> {
        self.runtime().store.completed_like(fingerprint).wait()
    }

    /// A narration as it was submitted, its text included; `None` if there is none, or only a line of
    /// history any more.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// let id = engine.submit(narration.clone())?;
    /// assert_eq!(engine.stored_narration(&id)?.as_deref(), Some(&narration));
    /// assert_eq!(engine.stored_narration(&"another".into())?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn stored_narration(&self, id: &TaskId) -> Result<Option<Arc<Narration>>, StoreError> {
        let stored = self.runtime().store.narration(id).wait()?;
        Ok(stored.and_then(|stored| match stored.record {
            Record::Narration(narration) => Some(narration),
            Record::Operation(_) => None,
        }))
    }

    /// Whether a narration is known to have its clips in this folder: nothing else may go there.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// assert!(!engine.knows_folder(&narration.folder)?);
    /// engine.submit(narration.clone())?;
    /// assert!(engine.knows_folder(&narration.folder)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn knows_folder(&self, folder: &Path) -> Result<bool, StoreError> {
        self.runtime().store.knows_folder(folder).wait()
    }

    /// What had to be done at opening about a database that was damaged or gone; `None` if it was
    /// sound.
    ///
    /// ```
    /// use aloud::engine::{ShutdownWait, testing::Library};
    ///
    /// let mut engine = Library::new();
    /// assert!(engine.recovery().is_none());
    /// engine.shutdown(ShutdownWait::Now);
    /// std::fs::write(engine.folder().join("aloud.db"), "A diary, and no database.".repeat(100))?;
    /// engine.reopen();
    /// assert!(engine.recovery().unwrap().set_aside.as_ref().unwrap().exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn recovery(&self) -> Option<&Recovery> {
        self.runtime().recovery.as_ref()
    }

    /// Events from now on.
    ///
    /// ```
    /// use aloud::engine::{Event, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// assert_eq!(events.recv_blocking()?, Event::Submitted { task: id.clone() });
    /// assert_eq!(events.recv_blocking()?, Event::Started { task: id });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.runtime()
            .subscribe()
            .unwrap_or_else(Subscription::ended)
    }

    /// Whether someone asked for the task to be cancelled.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("never run", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(!engine.is_cancelled(&id));
    /// engine.cancel_task(&id)?;
    /// assert!(engine.is_cancelled(&id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_cancelled(&self, id: &TaskId) -> bool {
        self.runtime().lock().core.is_cancelled(id)
    }

    /// The engine in numbers.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("later", |_| Ok("done".into()));
    /// engine.submit(Submission::new(work).paused())?;
    /// let stats = engine.stats();
    /// assert_eq!((stats.pending, stats.processing, stats.submitted), (1, 0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let locked = self.runtime().lock();
        let count = |state| locked.core.count(state);
        let totals = locked.core.totals();
        let (_, workers, _, _) = locked.core.worker_counts();
        Stats {
            pending: count(TaskState::Pending),
            processing: count(TaskState::Processing),
            completed: count(TaskState::Completed),
            failed: count(TaskState::Failed),
            cancelled: count(TaskState::Cancelled),
            workers,
            backlog: count(TaskState::Pending),
            submitted: totals.submitted,
            clips: totals.clips,
            audio_seconds: totals.audio_seconds,
            work_seconds: totals.work_seconds,
            wait_seconds: totals.wait_seconds,
            segment_work: locked.core.segments().work.clone(),
            segment_errors: locked.core.segments().errors.clone(),
            notices: self.runtime().store.outbox.counts(),
        }
    }

    /// Whether the engine is well.
    ///
    /// ```
    /// use aloud::engine::{ShutdownWait, testing::Library};
    ///
    /// let engine = Library::new();
    /// let health = engine.health();
    /// assert_eq!((health.max_threads, health.active_threads), (1, 0));
    /// assert!(!health.is_shutdown);
    /// engine.shutdown(ShutdownWait::Now);
    /// assert!(engine.health().is_shutdown);
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        let runtime = self.runtime();
        let locked = runtime.lock();
        let core = &locked.core;
        let totals = core.totals();
        let (busy, _, abandoned, most) = core.worker_counts();
        let (_, shutting_down, is_shutdown) = core.life();
        Health {
            active_threads: busy,
            max_threads: most,
            abandoned_threads: abandoned,
            active_tasks: core.count(TaskState::Processing),
            backlog: core.count(TaskState::Pending),
            idle_share: idle_share(totals.work_seconds, totals.wait_seconds),
            is_shutdown,
            shutting_down,
            library: runtime.options.folder.clone(),
            uptime_seconds: runtime.uptime().as_secs_f64(),
        }
    }
}

/// The engine in numbers.
///
/// ```
/// use aloud::engine::{Work, testing::Library};
///
/// let engine = Library::new();
/// for title in ["one", "two"] {
///     let id = engine.submit(Work::closure(title, |_| Ok("done".into())))?;
///     engine.wait(&id)?;
/// }
/// let stats = engine.stats();
/// assert_eq!((stats.submitted, stats.completed, stats.pending), (2, 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Tasks that wait.
    pub pending: usize,
    /// Tasks that run.
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
    /// How long each clip took to make, since the engine was opened.
    #[serde(default)]
    pub segment_work: Durations,
    /// What went wrong with segments since then, by the code of the error.
    #[serde(default)]
    pub segment_errors: BTreeMap<Arc<str>, u64>,
    /// What others are owed, and what became of it.
    #[serde(default)]
    pub notices: NoticeCounts,
}

impl Stats {
    /// Audio made per second of work, "× real time"; `None` before the first clip.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let mut stats = Library::new().stats();
    /// assert_eq!(stats.speed(), None);
    /// stats.audio_seconds = 30.0;
    /// stats.work_seconds = 10.0;
    /// assert_eq!(stats.speed(), Some(3.0));
    /// ```
    #[must_use]
    pub fn speed(&self) -> Option<f64> {
        (self.work_seconds > 0.0).then(|| self.audio_seconds / self.work_seconds)
    }
}

/// Whether the engine is well.
///
/// ```
/// use aloud::engine::testing::Library;
///
/// let engine = Library::new();
/// let health = engine.health();
/// assert_eq!(health.library, engine.folder());
/// assert_eq!((health.active_tasks, health.backlog, health.abandoned_threads), (0, 0, 0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// Workers that run a task.
    pub active_threads: usize,
    /// Workers in all.
    pub max_threads: usize,
    /// Threads whose work ignored its time-out; others took their places.
    pub abandoned_threads: usize,
    /// Tasks that run.
    pub active_tasks: usize,
    /// Tasks that wait.
    pub backlog: usize,
    /// The share of the time in and between segments for which a voice had nothing to do, 0.0 to
    /// 1.0; `None` before the second segment.
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
