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
mod hooks;
mod in_work;
mod interrupt;
mod lock;
mod plan;
mod registry;
mod shared;
mod shutdown;
mod store;
mod submit;
mod task;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use lock::LibraryLock;
use shared::{Life, Shared};
use store::Store;

pub use error::{OpenError, SubmitError, WorkError};
pub use events::{Event, NoMoreEvents, Subscription};
pub use hooks::Hooks;
pub use interrupt::{Interrupt, StopReason};
pub use plan::{Narration, NarrationSettings, Plan, PlannedSegment};
pub use registry::{GroupId, GroupStatus, Priority};
pub use shutdown::{ShutdownReport, ShutdownSteps, ShutdownWait};
pub use store::{ClipRecord, RECORD_FILE, Recovery, StoreError, StoredClip};
pub use submit::Submission;
pub use task::{
    CompletedSegment, CompletedSegments, ErrorObject, Made, Progress, SegmentError, SegmentErrors,
    SegmentId, TaskId, TaskKind, TaskState, TaskStatus, Timestamp,
};
pub use work::{Attempt, Narrator, NarratorFactory, TaskContext, Work, WorkResult};

/// The name of every worker thread.
const WORKER: &str = "aloud-worker";

/// The engines of this process, one for a folder.
static OPEN: Mutex<Vec<(PathBuf, Weak<Inner>)>> = Mutex::new(Vec::new());

/// How an engine is opened.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, Options};
///
/// let folder = tempfile::tempdir()?;
/// let mut options = Options::new(folder.path());
/// options.workers = 2;
/// options.task_timeout = Some(Duration::from_secs(600));
/// let engine = Engine::open(options)?;
/// assert_eq!(engine.stats().workers, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// A segment over this time is given up with `TIMEOUT`; its task goes on.
    pub segment_timeout: Option<Duration>,
    /// How work that failed for a reason that may pass is tried again.
    pub retries: Retries,
    /// What runs narrations; without it the engine takes closures only, and stored narrations wait.
    pub narrator: Option<NarratorFactory>,
    /// What to call when the engine starts and stops.
    pub hooks: Hooks,
}

impl Options {
    /// The defaults for a library in this folder.
    ///
    /// ```
    /// # use aloud::engine::Options;
    /// let options = Options::new("library");
    /// assert_eq!(options.workers, 1);
    /// assert_eq!(options.retries.most, 2);
    /// assert!(options.task_timeout.is_none() && options.narrator.is_none());
    /// ```
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            workers: 1,
            cleanup_threshold: Duration::from_secs(3600),
            task_timeout: None,
            segment_timeout: None,
            retries: Retries::default(),
            narrator: None,
            hooks: Hooks::default(),
        }
    }
}

/// How often, and after how long, work is tried again that failed with [`WorkError::Transient`].
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, ErrorObject, Event, Options, Retries, Work, WorkError};
///
/// # let folder = tempfile::tempdir()?;
/// let mut options = Options::new(folder.path());
/// options.retries = Retries { most: 4, first: Duration::ZERO, ..Retries::default() };
/// let engine = Engine::open(options)?;
/// let events = engine.subscribe();
/// let busy = |_: &_| Err(WorkError::Transient(ErrorObject::new("BUSY", "come back later")));
/// let id = engine.submit_task(Work::repeatable("knock", busy), None)?;
/// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// assert_eq!(engine.task_status(&id).unwrap().attempt, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often at most.
    pub most: u32,
    /// The wait before the first; each one after waits twice as long, give or take a quarter.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            most: 2,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
        }
    }
}

impl Retries {
    /// The wait after the failure of attempt number `attempt`, counted from 1.
    fn delay(&self, attempt: u32) -> Duration {
        let doubled = 1u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let delay = self.first.saturating_mul(doubled).min(self.longest);
        // Many that failed together must not come back together.
        delay.mul_f64(0.75 + 0.5 * fastrand::f64())
    }
}

/// A handle to a running engine; cheap to clone. When the last one goes, the engine stops.
///
/// ```
/// # use aloud::engine::{Engine, Options, Work};
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let handle = engine.clone();
/// let work = Work::closure("elsewhere", |_| Ok("done".into()));
/// let submitting = std::thread::spawn(move || handle.submit_task(work, None));
/// let id = submitting.join().unwrap()?;
/// assert!(engine.task_status(&id).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    shared: Arc<Shared>,
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
    /// that has it open already, whatever the other options. Narrations that an earlier run did not end continue.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options};
    /// let folder = tempfile::tempdir()?;
    /// let engine = Engine::open(Options::new(folder.path()))?;
    /// let same = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// assert!(same.is_queue_paused());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OpenError`]: another process has the library, or the folder or the database can't be used.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        // One folder may have many names.
        let folder = std::fs::create_dir_all(&options.folder)
            .and_then(|()| options.folder.canonicalize())
            .map_err(|source| OpenError::Folder {
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
        options.hooks.starting(folder).map_err(OpenError::Refused)?;
        let opened = Store::open(&folder.join("aloud.db"))?;
        let workers = options.workers.max(1);
        let shared = Arc::new(Shared::new(options, opened.store, opened.recovery));
        let inner = Arc::new(Inner {
            shared: Arc::clone(&shared),
            lock: Mutex::new(Some(lock)),
        });
        shared
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(opened.thread);
        // From here on, dropping `inner` stops what was started.
        let next_seq = shared.store.next_seq().wait()?;
        shared.lock().registry.count_from(next_seq);
        for stored in shared.store.unfinished(in_work::left_behind(folder))? {
            submit::resume(&shared, stored);
        }
        shared
            .spawn("aloud-clock", clock::run)
            .map_err(OpenError::Thread)?;
        for _ in 0..workers {
            shared.lock().workers += 1;
            if let Err(error) = shared.spawn(WORKER, executor::run) {
                shared.lock().workers -= 1;
                return Err(OpenError::Thread(error));
            }
        }
        Ok(Self { inner })
    }

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
    /// number: for a first look, or after [`Event::Missed`].
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
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
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
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
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
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
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

    /// Cancels a task at once: a waiting one ends, a running one is interrupted. Finished clips
    /// stay. Returns whether there was anything to cancel.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("never run", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(engine.cancel_task(&id));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.error.unwrap().code, "CANCELLED");
    /// assert!(!engine.cancel_task(&id), "it has ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_task(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::Cancel)
    }

    /// Cancels a task; a running one finishes its segment first.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct Waiting;
    /// # impl Narrator for Waiting {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         for (segment_id, _) in narration.plan.iter() {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             while task.interrupt().reason().is_none() {
    /// #                 std::thread::yield_now();
    /// #             }
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #         }
    /// #         Ok("spoken".into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(Waiting)));
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
    /// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
    /// assert!(engine.cancel_after_segment(&id));
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.completed_segments.len(), 1, "the one in work was finished");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_after_segment(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::CancelAfterSegment)
    }

    /// Holds a waiting task back until it is resumed. Returns whether that changed anything.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.pause_task(&first));
    /// assert!(!engine.pause_task(&first), "it is held back already");
    /// engine.resume_queue();
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&first).unwrap().state, TaskState::Pending);
    /// assert_eq!(engine.task_status(&second).unwrap().state, TaskState::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause_task(&self, id: &TaskId) -> bool {
        self.set_paused(id, true)
    }

    /// Lets a task go that was held back. Returns whether that changed anything.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(engine.resume_task(&id));
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
    /// assert!(!engine.resume_task(&id), "it has ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_task(&self, id: &TaskId) -> bool {
        self.set_paused(id, false)
    }

    fn set_paused(&self, id: &TaskId, paused: bool) -> bool {
        let shared = self.shared();
        let changed = shared.change(|registry, now| registry.set_paused(id, paused, now));
        if changed {
            drop(shared.store.paused(id, paused));
            shared.work.notify_one();
        }
        changed
    }

    /// Holds all waiting tasks back; what runs goes on. It ends with the process.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Pending);
    /// assert_eq!(engine.health().active_tasks, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause_queue(&self) {
        self.shared()
            .change(|registry, _| registry.set_queue_paused(true));
    }

    /// Lets the waiting tasks go on.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// engine.resume_queue();
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_queue(&self) {
        self.shared()
            .change(|registry, _| registry.set_queue_paused(false));
        self.shared().work.notify_all();
    }

    /// Whether all waiting tasks are held back.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// assert!(!engine.is_queue_paused());
    /// engine.pause_queue();
    /// assert!(engine.is_queue_paused());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_queue_paused(&self) -> bool {
        self.shared().lock().registry.is_queue_paused()
    }

    /// Moves a task that could run now one place up in the queue. Returns whether there was one.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.move_up(&second));
    /// assert!(!engine.move_up(&second), "it is the next one");
    /// engine.resume_queue();
    /// let started = loop {
    ///     if let Event::Started { task } = events.recv_blocking()? {
    ///         break task;
    ///     }
    /// };
    /// assert_eq!(started, second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn move_up(&self, id: &TaskId) -> bool {
        self.shift(id, true)
    }

    /// Moves a task that could run now one place down in the queue. Returns whether there was one.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.move_down(&first));
    /// assert!(!engine.move_down(&first), "it is the last one");
    /// engine.resume_queue();
    /// let started = loop {
    ///     if let Event::Started { task } = events.recv_blocking()? {
    ///         break task;
    ///     }
    /// };
    /// assert_eq!(started, second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn move_down(&self, id: &TaskId) -> bool {
        self.shift(id, false)
    }

    /// The place is kept on disk without waiting for it: a crash may cost the last move.
    fn shift(&self, id: &TaskId, up: bool) -> bool {
        let mut places = Vec::new();
        let moved = self.shared().change(|registry, _| {
            let (event, new_places) = registry.shift(id, up)?;
            places.extend(new_places);
            Some(event)
        });
        if moved {
            drop(self.shared().store.moved(places));
        }
        moved
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

    /// Says how far a task is, for callers outside its worker. An unknown id is ignored.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// # let id = engine.submit(Submission::new(work).paused())?;
    /// engine.update_progress(&id, 1, 4, Some(json!({ "page": 12 })));
    /// let progress = engine.task_status(&id).unwrap().progress;
    /// assert_eq!((progress.current, progress.total), (1, 4));
    /// assert_eq!(progress.extra, Some(json!({ "page": 12 })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update_progress(
        &self,
        id: &TaskId,
        current: u64,
        total: u64,
        extra: Option<serde_json::Value>,
    ) {
        self.shared()
            .change(|registry, now| registry.update_progress(id, current, total, extra, now));
    }

    /// Says that a segment of a task is done. An unknown id is ignored.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// # let id = engine.submit(Submission::new(work).paused())?;
    /// engine.add_completed_segment(&id, 1, "clips/1.wav", Duration::from_millis(1500));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(&*status.completed_segments.get(1).unwrap().clip, "clips/1.wav");
    /// assert_eq!(status.audio_seconds, 1.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_completed_segment(
        &self,
        id: &TaskId,
        segment_id: SegmentId,
        clip: impl Into<Arc<str>>,
        duration: Duration,
    ) {
        let segment = CompletedSegment {
            segment_id,
            clip: clip.into(),
            duration,
            work: Duration::ZERO,
        };
        self.shared()
            .change(|registry, now| registry.complete_segment(id, segment, now));
    }

    /// Says that something went wrong with a segment of a task; 0 for the task as a whole. An
    /// unknown id is ignored.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// # let id = engine.submit(Submission::new(work).paused())?;
    /// engine.add_error(&id, 2, "it is too long to be spoken");
    /// let errors = engine.task_status(&id).unwrap().errors;
    /// let error = errors.of(2).next().unwrap();
    /// assert_eq!((&*error.code, &*error.message), ("ERROR", "it is too long to be spoken"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_error(&self, id: &TaskId, segment_id: SegmentId, message: impl Into<String>) {
        let error = ErrorObject::new("ERROR", message);
        self.shared()
            .change(|registry, now| registry.add_error(id, segment_id, error, now));
    }

    /// Keeps what a task has to show so far. An unknown id is ignored.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, Work};
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// # let id = engine.submit(Submission::new(work).paused())?;
    /// engine.set_partial_result(&id, json!(["the first chapter"]));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.partial_result, Some(json!(["the first chapter"])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_partial_result(&self, id: &TaskId, value: serde_json::Value) {
        self.shared()
            .change(|registry, now| registry.set_partial_result(id, value, now));
    }

    /// Removes tasks that ended longer ago than `max_age` from the registry and returns how many.
    /// Their audio stays, and a line of history in the database.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.cleanup_old_tasks(Duration::from_secs(3600)), 0);
    /// assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 1);
    /// assert_eq!(engine.task_status(&id), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cleanup_old_tasks(&self, max_age: Duration) -> usize {
        self.shared().cleanup(max_age)
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
        Health {
            active_threads: state.running.len(),
            max_threads: shared.options.workers.max(1),
            abandoned_threads: state.abandoned,
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
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, ShutdownWait, SubmitError, Work, WorkError};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let endless = Work::closure("endless", |task| {
    ///     while !task.is_cancelled() {
    ///         std::thread::yield_now();
    ///     }
    ///     Err(WorkError::Interrupted)
    /// });
    /// engine.submit_task(endless, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
    /// let report = engine.shutdown(ShutdownWait::Now);
    /// assert_eq!((report.finished, report.abandoned), (1, 0));
    /// let late = engine.submit_task(Work::closure("late", |_| Ok("done".into())), None);
    /// assert!(matches!(late, Err(SubmitError::ShutDown)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self, wait: ShutdownWait) -> ShutdownReport {
        shutdown::shut_down(&self.inner, wait)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
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
    /// Whether it has shut down.
    pub is_shutdown: bool,
    /// Whether it is shutting down.
    pub shutting_down: bool,
    /// The library's folder.
    pub library: PathBuf,
    /// Seconds since it was opened.
    pub uptime_seconds: f64,
}
