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
mod context;
mod control;
mod error;
mod events;
mod executor;
mod history;
mod hooks;
mod in_work;
mod interrupt;
mod lock;
mod options;
mod reading;
mod registry;
mod report;
mod resume;
mod shared;
mod shutdown;
mod store;
mod submission;
mod submit;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use lock::LibraryLock;
use shared::{Life, Shared};
use store::Store;

pub use crate::model::*;

pub use context::{Attempt, TaskContext};
pub use error::{OpenError, SubmitError, WorkError};
pub use events::{NoMoreEvents, Subscription};
pub use hooks::Hooks;
pub use interrupt::{Interrupt, StopReason};
pub use options::{Options, Retries};
pub use reading::{Health, Stats};
pub use shutdown::{ShutdownReport, ShutdownSteps, ShutdownWait};
pub use store::{RECORD_FILE, Recovery, StoreError};
pub use submission::Submission;
pub use work::{Narrator, NarratorFactory, Work, WorkResult};

/// The name of every worker thread.
const WORKER: &str = "aloud-worker";

/// The engines of this process, one for a folder.
static OPEN: Mutex<Vec<(PathBuf, Weak<Inner>)>> = Mutex::new(Vec::new());

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
            resume::resume(&shared, stored);
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
