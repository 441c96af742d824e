//! The durable job engine: tasks in, progress and clips out, nothing lost on the way.
//!
//! An [`Engine`] owns a library folder, one or more worker threads, the thread that owns the
//! database and the one that watches the time. It knows nothing of terminals, voices or async
//! runtimes: work comes as closures or as [`Narration`]s, which a [`Narrator`] given at opening
//! runs. Reading gives copies, never locks; what changes is told to [`Subscription`]s.
//!
//! ```
//! use aloud::engine::{Engine, Options, ShutdownWait, TaskState, Work};
//!
//! let folder = tempfile::tempdir()?;
//! let engine = Engine::open(Options::new(folder.path()))?;
//! let events = engine.subscribe();
//! let id = engine.submit_task(
//!     Work::closure("count", |task| {
//!         for n in 1..=3 {
//!             task.update_progress(n, 3, None);
//!         }
//!         Ok("done".into())
//!     }),
//!     None,
//! )?;
//! while let Ok(event) = events.recv_blocking() {
//!     if matches!(event, aloud::engine::Event::Ended { .. }) {
//!         break;
//!     }
//! }
//! let status = engine.task_status(&id).unwrap();
//! assert_eq!(status.state, TaskState::Completed);
//! assert_eq!(status.progress.percentage(), 100);
//! engine.shutdown(ShutdownWait::Now);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod error;
mod events;
mod executor;
mod interrupt;
mod lock;
mod plan;
mod registry;
mod shared;
mod shutdown;
mod store;
mod task;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use lock::LibraryLock;
use registry::{NewNarration, NewTask};
use shared::{Body, Life, Shared};
use store::{Store, StoredNarration};

pub use error::{OpenError, SubmitError, WorkError};
pub use events::{Event, NoMoreEvents, Subscription};
pub use interrupt::{Interrupt, StopReason};
pub use plan::{Narration, NarrationSettings, Plan, PlannedSegment};
pub use shutdown::{ShutdownReport, ShutdownWait};
pub use store::{ClipRecord, StoreError, StoredClip};
pub use task::{
    CompletedSegment, CompletedSegments, ErrorObject, Made, Progress, SegmentError, SegmentErrors,
    SegmentId, TaskId, TaskKind, TaskState, TaskStatus, Timestamp,
};
pub use work::{Attempt, Narrator, NarratorFactory, TaskContext, Work, WorkResult};

/// The name of every worker thread.
const WORKER: &str = "aloud-worker";

/// The engines of this process, one for a folder.
static OPEN: Mutex<Vec<(PathBuf, Weak<Inner>)>> = Mutex::new(Vec::new());

/// What a thread of the engine runs.
type ThreadBody = Box<dyn FnOnce(&Arc<Shared>) + Send>;

/// How an engine is opened.
#[derive(Clone)]
pub struct Options {
    /// The library: database and lock live here.
    pub folder: PathBuf,
    /// Worker threads; one by default, for a voice uses all cores.
    pub workers: usize,
    /// Finished tasks older than this leave the registry.
    pub cleanup_threshold: Duration,
    /// A task over this time fails with `TIMEOUT`, unless it has a limit of its own.
    pub task_timeout: Option<Duration>,
    /// What runs narrations; without it the engine takes closures only, and stored narrations wait.
    pub narrator: Option<NarratorFactory>,
}

impl Options {
    /// The defaults for a library in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            workers: 1,
            cleanup_threshold: Duration::from_secs(3600),
            task_timeout: None,
            narrator: None,
        }
    }
}

/// A handle to a running engine; cheap to clone. When the last one goes, the engine stops.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<LibraryLock>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.shared.lock().life != Life::Down {
            shutdown::shut_down(self, ShutdownWait::Now);
        }
    }
}

impl Engine {
    /// Opens the library in `options.folder`, or returns a handle to the engine of this process
    /// that has it open already. Narrations that an earlier run did not end continue.
    ///
    /// # Errors
    /// [`OpenError`]: another process has the library, or the folder or the database can't be used.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let folder = std::path::absolute(&options.folder).map_err(|source| OpenError::Folder {
            path: options.folder.clone(),
            source,
        })?;
        // Held while opening: two calls for one folder must not both try.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, engine)| engine.strong_count() > 0);
        let running = open.iter().filter(|(path, _)| *path == folder);
        for inner in running.filter_map(|(_, engine)| engine.upgrade()) {
            if inner.shared.lock().life != Life::Down {
                return Ok(Self { inner });
            }
        }
        let engine = Self::start(options, &folder)?;
        open.push((folder, Arc::downgrade(&engine.inner)));
        Ok(engine)
    }

    fn start(options: Options, folder: &Path) -> Result<Self, OpenError> {
        let lock = LibraryLock::take(folder)?;
        let (store, store_thread) = Store::open(&folder.join("aloud.db"))?;
        let workers = options.workers.max(1);
        let shared = Arc::new(Shared::new(options, store));
        let inner = Arc::new(Inner {
            shared: Arc::clone(&shared),
            threads: Mutex::new(vec![store_thread]),
            lock: Mutex::new(Some(lock)),
        });
        // From here on, dropping `inner` stops what was started.
        for stored in shared.store.unfinished()? {
            resume(&shared, stored);
        }
        let spawn = |name: &str, run: ThreadBody| {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || run(&shared))
                .map_err(OpenError::Thread)?;
            inner
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(thread);
            Ok::<(), OpenError>(())
        };
        spawn("aloud-clock", Box::new(|shared| clock::run(shared)))?;
        for _ in 0..workers {
            shared.lock().workers += 1;
            if let Err(error) = spawn(WORKER, Box::new(executor::run)) {
                shared.lock().workers -= 1;
                return Err(error);
            }
        }
        Ok(Self { inner })
    }

    /// Registers a task as `PENDING` and returns its id at once. A narration is on disk by then.
    ///
    /// # Errors
    /// [`SubmitError`]: the engine has shut down, the id is taken, or the disk refused.
    pub fn submit_task(
        &self,
        work: impl Into<Work>,
        task_id: Option<TaskId>,
    ) -> Result<TaskId, SubmitError> {
        self.submit(work.into(), task_id, self.shared().options.task_timeout)
    }

    /// The same with a time limit of its own.
    ///
    /// # Errors
    /// As [`Self::submit_task`].
    pub fn submit_task_with_timeout(
        &self,
        work: impl Into<Work>,
        task_id: Option<TaskId>,
        timeout: Duration,
    ) -> Result<TaskId, SubmitError> {
        self.submit(work.into(), task_id, Some(timeout))
    }

    fn submit(
        &self,
        work: Work,
        task_id: Option<TaskId>,
        timeout: Option<Duration>,
    ) -> Result<TaskId, SubmitError> {
        let shared = self.shared();
        shared.cleanup(shared.options.cleanup_threshold);
        let id = task_id.unwrap_or_else(TaskId::random);
        {
            let mut state = shared.lock();
            if state.life != Life::Open {
                return Err(SubmitError::ShutDown);
            }
            if state.registry.contains(&id) || !state.reserved.insert(id.clone()) {
                return Err(SubmitError::Duplicate(id));
            }
        }
        let accepted = self.accept(&id, work, timeout);
        let mut state = shared.lock();
        state.reserved.remove(&id);
        let (new, body) = accepted?;
        let event = state.registry.submit(new, shared.now());
        if let Body::Narration(narration) = &body {
            state
                .fingerprints
                .insert(narration.fingerprint.clone(), id.clone());
        }
        state.bodies.insert(id.clone(), body);
        if let Some(event) = &event {
            state.subscribers.tell(event);
        }
        drop(state);
        shared.work.notify_one();
        Ok(id)
    }

    /// Puts durable work on disk and says what the registry is to know of it.
    fn accept(
        &self,
        id: &TaskId,
        work: Work,
        timeout: Option<Duration>,
    ) -> Result<(NewTask, Body), SubmitError> {
        let shared = self.shared();
        let task = |title, kind, narration| NewTask {
            id: id.clone(),
            title,
            kind,
            timeout,
            narration,
            created_at: None,
        };
        match work {
            Work::Closure { title, run } => {
                Ok((task(title, TaskKind::Closure, None), Body::Closure(run)))
            }
            Work::Narration(narration) => {
                if shared.options.narrator.is_none() {
                    return Err(SubmitError::NoNarrator);
                }
                let limit = timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
                let stored = shared
                    .store
                    .insert(id, &narration, limit, shared.now().wall);
                let Some(clips) = stored.wait()? else {
                    return Err(SubmitError::Duplicate(id.clone()));
                };
                let new = new_narration(shared, id, &narration, clips);
                let title = Arc::clone(&narration.title);
                let body = Body::Narration(Arc::new(narration));
                Ok((task(title, TaskKind::Narration, Some(new)), body))
            }
        }
    }

    /// Everything known about a task: a copy. `None` for an unknown id.
    #[must_use]
    pub fn task_status(&self, id: &TaskId) -> Option<TaskStatus> {
        self.shared().lock().registry.status(id)
    }

    /// Everything known about every task, in the order of submission. Its cost grows with their
    /// number: for a first look, or after [`Event::Missed`].
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskStatus> {
        self.shared().lock().registry.all()
    }

    /// The narration that has not ended and would give the same clips in the same place.
    #[must_use]
    pub fn unfinished_like(&self, fingerprint: &str) -> Option<TaskId> {
        self.shared().lock().fingerprints.get(fingerprint).cloned()
    }

    /// The folder of the last narration that ended, has clips, and would give the same ones. A new
    /// narration with that fingerprint and that folder takes its clips over.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn ended_like(&self, fingerprint: &str) -> Result<Option<PathBuf>, StoreError> {
        self.shared().store.ended_like(fingerprint).wait()
    }

    /// Events from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let mut state = self.shared().lock();
        let subscription = state.subscribers.subscribe();
        if state.life == Life::Down {
            state.subscribers.close();
        }
        subscription
    }

    /// Cancels a task at once: a waiting one ends, a running one is interrupted. Finished clips
    /// stay. Returns whether there was anything to cancel.
    pub fn cancel_task(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::Cancel)
    }

    /// Cancels a task; a running one finishes its segment first.
    pub fn cancel_after_segment(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::CancelAfterSegment)
    }

    /// Whether someone asked for the task to be cancelled.
    #[must_use]
    pub fn is_cancelled(&self, id: &TaskId) -> bool {
        self.shared().lock().registry.is_cancelled(id)
    }

    /// Removes tasks that ended longer ago than `max_age` from the registry and returns how many.
    /// Their audio stays, and a line of history in the database.
    pub fn cleanup_old_tasks(&self, max_age: Duration) -> usize {
        self.shared().cleanup(max_age)
    }

    /// The engine in numbers.
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
        }
    }

    /// Whether the engine is well.
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = self.shared();
        let state = shared.lock();
        Health {
            active_threads: state.running.len(),
            max_threads: shared.options.workers.max(1),
            active_tasks: state.registry.count(TaskState::Processing),
            backlog: state.registry.count(TaskState::Pending),
            is_shutdown: state.life == Life::Down,
            shutting_down: state.life == Life::ShuttingDown,
            library: shared.options.folder.clone(),
            uptime_seconds: shared.started.elapsed().as_secs_f64(),
        }
    }

    /// Shuts the engine down and returns once every thread has ended. Narrations that did not end
    /// continue at the next opening. Called again while it waits, it shortens that waiting.
    pub fn shutdown(&self, wait: ShutdownWait) -> ShutdownReport {
        shutdown::shut_down(&self.inner, wait)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

/// The engine in numbers.
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
    /// Tasks that wait for a worker.
    pub backlog: usize,
    /// Tasks accepted since the engine was opened, those found waiting included.
    pub submitted: u64,
    /// Clips made since the engine was opened.
    pub clips: u64,
    /// Seconds of audio in them.
    pub audio_seconds: f64,
    /// Seconds of work for them.
    pub work_seconds: f64,
}

impl Stats {
    /// Audio made per second of work, «× real time»; `None` before the first clip.
    #[must_use]
    pub fn speed(&self) -> Option<f64> {
        (self.work_seconds > 0.0).then(|| self.audio_seconds / self.work_seconds)
    }
}

/// Whether the engine is well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Workers that run a task.
    pub active_threads: usize,
    /// Workers in all.
    pub max_threads: usize,
    /// Tasks in work.
    pub active_tasks: usize,
    /// Tasks that wait.
    pub backlog: usize,
    /// Whether it has shut down.
    pub is_shutdown: bool,
    /// Whether it is shutting down.
    pub shutting_down: bool,
    /// The library's folder.
    pub library: PathBuf,
    /// Seconds since it was opened.
    pub uptime_seconds: f64,
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
fn resume(shared: &Shared, stored: StoredNarration) {
    let StoredNarration {
        id,
        narration,
        timeout_ms,
        created_at,
        clips,
        errors,
    } = stored;
    let mut new = new_narration(shared, &id, &narration, clips);
    new.errors = errors;
    let task = NewTask {
        id: id.clone(),
        title: Arc::clone(&narration.title),
        kind: TaskKind::Narration,
        timeout: timeout_ms.map(Duration::from_millis),
        narration: Some(new),
        created_at: Some(created_at),
    };
    let mut state = shared.lock();
    if state.registry.submit(task, shared.now()).is_some() {
        state
            .fingerprints
            .insert(narration.fingerprint.clone(), id.clone());
        state
            .bodies
            .insert(id, Body::Narration(Arc::new(narration)));
    }
}
