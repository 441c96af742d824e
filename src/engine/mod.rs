//! The durable job engine: tasks in, progress and clips out, nothing lost on the way.
//!
//! An [`Engine`] owns a library folder, one or more worker threads, the thread that owns the
//! database and the one that watches the time. It knows nothing of terminals, voices or async
//! runtimes: work comes as closures, which live as long as the process, or as [`Narration`]s and
//! [`Operation`]s, which survive it. Reading gives copies, never locks; what changes is sent to
//! [`Subscription`]s. A program that embeds the engine is tested with the tools in [`testing`].
//!
//! ```
//! use aloud::engine::{Engine, Options, ShutdownWait, Work};
//!
//! let library = tempfile::tempdir()?;
//! let engine = Engine::open(Options::new(library.path()))?;
//! let count = Work::closure("count", |task| {
//!     for n in 1..=3 {
//!         task.update_progress(n, 3, None);
//!     }
//!     Ok("done".into())
//! });
//! let id = engine.submit(count)?;
//! let status = engine.wait(&id)?;
//! assert_eq!((status.progress.percentage(), status.result), (100, Some("done".into())));
//! engine.shutdown(ShutdownWait::Now);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod callbacks;
mod context;
mod control;
mod core;
mod document;
mod error;
mod guard;
mod history;
mod hooks;
mod interrupt;
mod journal;
mod open;
mod options;
mod outbox;
mod pulse;
mod reading;
mod record;
mod recurrence;
mod recurring;
mod report;
mod retry;
mod runtime;
mod schedule;
mod shutdown;
#[cfg(test)]
mod simulation;
mod speech;
mod store;
mod submission;
mod submit;
pub mod testing;
mod trace;
mod work;

use std::sync::Arc;
use std::time::Duration;

use self::core::{Answer, Command, Reply};
use self::open::Inner;
use self::runtime::Runtime;

pub use crate::model::*;
pub use crate::shortage::Shortage;

pub use context::{Attempt, TaskContext};
pub use core::{Breaker, Retries};
pub use error::{ControlError, OpenError, StoreError, SubmitError, WaitError, WorkError};
pub use hooks::Hooks;
pub use interrupt::{Interrupt, StopReason};
pub use journal::RECORD_FILE;
pub use options::Options;
pub use outbox::{NextNotice, Notice, NoticeCounts, Outbox};
pub use pulse::NoPulse;
pub use reading::{Health, Stats};
pub use recurrence::{Recurrence, RecurrenceError};
pub use runtime::lock::Holder;
#[cfg(feature = "cli")]
pub(crate) use runtime::subscription::{Listener, channel};
pub use runtime::subscription::{NoMoreEvents, Subscription};
pub use speech::{SpeechListener, SpeechRequest};
pub use store::Recovery;
pub use submission::Submission;
#[cfg(feature = "cli")]
pub(crate) use trace::trace_span;
pub use work::{Narrator, NarratorFactory, Operation, OperationFactory, Work, WorkResult};

/// A handle to a running engine; cheap to clone. The engine stops when the last one is dropped.
///
/// ```
/// use aloud::engine::{Work, testing::Library};
///
/// let engine = Library::new();
/// let handle = engine.clone();
/// let work = Work::closure("elsewhere", |_| Ok("done".into()));
/// let submitting = std::thread::spawn(move || handle.submit(work));
/// let id = submitting.join().unwrap()?;
/// assert_eq!(engine.wait(&id)?.result, Some("done".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// A handle that does not keep the engine running: for work and callbacks that need the engine, which
/// would otherwise keep each other alive.
///
/// ```
/// use aloud::engine::{Work, testing::Library};
///
/// let engine = Library::new();
/// let weak = engine.downgrade();
/// let id = engine.submit(Work::closure("count", move |_| {
///     let engine = weak.upgrade().expect("it runs this");
///     Ok(engine.stats().processing.into())
/// }))?;
/// assert_eq!(engine.wait(&id)?.result, Some(1.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WeakEngine {
    inner: std::sync::Weak<Inner>,
}

impl WeakEngine {
    /// The engine, unless its last handle has gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Engine> {
        Engine::of(&self.inner)
    }
}

impl Engine {
    /// Another handle, unless the last one has gone.
    fn of(inner: &std::sync::Weak<Inner>) -> Option<Self> {
        let inner = inner.upgrade()?;
        Some(Self { inner })
    }

    /// A handle that does not keep the engine running.
    #[must_use]
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine {
            inner: Arc::downgrade(&self.inner),
        }
    }

    /// Opens the library in `options.folder`, or returns a handle to the engine of this process
    /// that has it open already with the same options. One that shuts down is waited for. Narrations and
    /// operations that an earlier run did not end continue.
    ///
    /// ```
    /// use aloud::engine::{Engine, Options};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let engine = Engine::open(Options::new(folder.path()))?;
    /// let same = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// assert!(same.is_queue_paused());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OpenError`]: another process has the library, this one has it with other options, or the
    /// folder or the database can't be used.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        open::open(options).map(|inner| Self { inner })
    }

    /// Removes tasks that ended longer ago than `max_age` from the registry and returns how many.
    /// Their audio stays, and a line of history in the database.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// engine.wait(&id)?;
    /// assert_eq!(engine.cleanup_old_tasks(Duration::from_secs(3600)), 0);
    /// assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 1);
    /// assert_eq!(engine.task_status(&id), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cleanup_old_tasks(&self, max_age: Duration) -> usize {
        let mut count = 0;
        // Step by step: no step may take long.
        while let Answer::Count(gone) = self.runtime().apply(Command::Cleanup { max_age }) {
            count += gone;
            if gone == 0 {
                break;
            }
        }
        count
    }

    /// Shuts the engine down and returns once every thread has ended. Narrations that did not end
    /// continue at the next opening. Called again while it waits, it shortens that waiting.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{Event, ShutdownWait, SubmitError, Work};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// engine.submit(Work::closure("endless", testing::until_stopped))?;
    /// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
    /// let report = engine.shutdown(ShutdownWait::Now);
    /// assert_eq!((report.finished, report.abandoned), (1, 0));
    /// let late = engine.submit(Work::closure("late", |_| Ok("done".into())));
    /// assert!(matches!(late, Err(SubmitError::ShutDown)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self, wait: ShutdownWait) -> ShutdownReport {
        shutdown::shut_down(&self.inner, wait)
    }

    /// Begins to shut down and returns once the hook for that has been called: nothing new is taken, and what runs comes to its end on
    /// its own threads, as `wait` says. [`Self::shutdown`] or the drop of the last handle then waits for
    /// that end, joins the threads and frees the library.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{ShutdownWait, SubmitError, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let (release, gate) = std::sync::mpsc::channel();
    /// let work = Work::closure("work", move |_| Ok(gate.recv().unwrap_or(0).into()));
    /// let id = engine.submit(work)?;
    /// engine.begin_shutdown(ShutdownWait::Drain(Duration::from_secs(60)));
    /// let late = engine.submit(Work::closure("late", |_| Ok(1.into())));
    /// assert!(matches!(late, Err(SubmitError::ShutDown)));
    /// release.send(42)?;
    /// engine.shutdown(ShutdownWait::Drain(Duration::from_secs(60)));
    /// assert_eq!(engine.task_status(&id).unwrap().result, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin_shutdown(&self, wait: ShutdownWait) {
        shutdown::begin(&self.inner, wait);
    }

    /// Says in the lock's file how whoever has this library open can be reached: see [`Holder`].
    ///
    /// # Errors
    /// The file can't be written, or the engine has shut down.
    pub fn announce(
        &self,
        said: serde_json::Map<String, serde_json::Value>,
    ) -> std::io::Result<()> {
        self.inner.announce(said)
    }

    /// Waits until a task has ended, and returns what is known of it then.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WaitError`]: there is no such task, or the engine shut down before its end.
    pub fn wait(&self, id: &TaskId) -> Result<TaskStatus, WaitError> {
        let task = id.clone();
        let (answer, replies) = self.runtime().call(|call| Command::Watch { task, call });
        match answer {
            Answer::Later => told(replies.recv_blocking().ok()),
            _ => Err(self.no_wait()),
        }
    }

    /// The same for async callers on any runtime.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// let status = futures_lite::future::block_on(engine.wait_async(&id))?;
    /// assert_eq!(status.result, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub async fn wait_async(&self, id: &TaskId) -> Result<TaskStatus, WaitError> {
        let task = id.clone();
        let (answer, replies) = self.runtime().call(|call| Command::Watch { task, call });
        match answer {
            Answer::Later => told(replies.recv().await.ok()),
            _ => Err(self.no_wait()),
        }
    }

    fn no_wait(&self) -> WaitError {
        if self.health().is_shutdown {
            WaitError::ShutDown
        } else {
            WaitError::Unknown
        }
    }

    /// Submits an operation that was registered by name in [`Options::operations`]. It is on disk when
    /// this returns; see [`Operation`] for an example.
    ///
    /// # Errors
    /// As [`Self::submit_task`]; [`SubmitError::NoOperation`].
    pub fn create_task(
        &self,
        operation: impl Into<Arc<str>>,
        parameters: serde_json::Value,
        context: serde_json::Value,
        timeout: Option<Duration>,
    ) -> Result<TaskId, SubmitError> {
        let mut submission = Submission::new(Work::Operation {
            name: operation.into(),
            parameters,
            context,
        });
        if let Some(timeout) = timeout {
            submission = submission.timeout(timeout);
        }
        self.submit(submission)
    }

    /// The operations that front ends may submit by name, as
    /// [`Options::public_operation`] has registered them.
    #[must_use]
    pub fn public_operations(&self) -> Vec<Arc<str>> {
        let options = &self.runtime().options;
        let public = options.public_operations.iter();
        let is_there = |name: &&Arc<str>| options.operations.contains_key(*name);
        public.filter(is_there).cloned().collect()
    }

    /// Changes the number of worker threads while the engine runs: `least` of them stay, and up to
    /// `most` are started and ended with the backlog. A surplus worker ends when its task has ended.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// engine.set_workers(2, 4)?;
    /// assert_eq!((engine.stats().workers, engine.health().max_threads), (2, 4));
    /// # Ok::<(), aloud::engine::ControlError>(())
    /// ```
    ///
    /// There is room for 256 of them, and no more are started.
    ///
    /// # Errors
    /// [`ControlError::ShutDown`]
    pub fn set_workers(&self, least: usize, most: usize) -> Result<(), ControlError> {
        let most = most.min(runtime::MOST_WORKERS);
        let command = Command::SetWorkers(least.min(most), most);
        match self.runtime().apply(command) {
            Answer::Refused(_) => Err(ControlError::ShutDown),
            _ => Ok(()),
        }
    }

    fn runtime(&self) -> &Arc<Runtime> {
        &self.inner.runtime
    }
}

fn told(reply: Option<Reply>) -> Result<TaskStatus, WaitError> {
    match reply {
        Some(Reply::Ended(status)) => Ok(*status),
        _ => Err(WaitError::ShutDown),
    }
}

#[cfg(feature = "fuzzing")]
pub(crate) use journal::invariants::check_bytes as check_journal_bytes;
