//! What an embedding program hears of: moments in the engine's life, and each change of a task. Its
//! code runs on the thread that opens or stops the engine, or on one thread for all callbacks; a
//! panic in it is logged and changes nothing.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Engine;
use super::error::SubmitError;
use super::events::Subscription;
use super::shared::{Life, Shared};
use super::shutdown::ShutdownReport;
use super::submission::Submission;
use crate::model::ErrorObject;
use crate::model::Event;
use crate::model::{TaskId, TaskStatus};

/// The name of the thread that runs callbacks.
pub(crate) const CALLBACKS: &str = "aloud-callbacks";

type BeforeStart = Arc<dyn Fn(&Path) -> Result<(), ErrorObject> + Send + Sync>;
type BeforeStop = Arc<dyn Fn() + Send + Sync>;
type AfterStop = Arc<dyn Fn(&ShutdownReport) + Send + Sync>;
type Callback = Box<dyn FnMut(&Event, Option<&TaskStatus>) + Send>;

/// What to call at moments in the engine's life.
///
/// ```
/// use std::sync::mpsc;
///
/// use aloud::engine::{Engine, Hooks, Options, ShutdownWait};
///
/// let folder = tempfile::tempdir()?;
/// let (said, heard) = mpsc::channel();
/// let (start, stop, stopped) = (said.clone(), said.clone(), said);
/// let mut options = Options::new(folder.path());
/// options.hooks = Hooks::default()
///     .before_start(move |library| {
///         assert!(library.is_dir());
///         start.send("start").unwrap();
///         Ok(())
///     })
///     .before_stop(move || stop.send("stop").unwrap())
///     .after_stop(move |report| {
///         assert_eq!(report.abandoned, 0);
///         stopped.send("stopped").unwrap();
///     });
/// Engine::open(options)?.shutdown(ShutdownWait::Now);
/// assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["start", "stop", "stopped"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    before_start: Option<BeforeStart>,
    before_stop: Option<BeforeStop>,
    after_stop: Option<AfterStop>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("before_start", &self.before_start.is_some())
            .field("before_stop", &self.before_stop.is_some())
            .field("after_stop", &self.after_stop.is_some())
            .finish()
    }
}

impl Hooks {
    /// Called with the library's folder, which is locked, before the database is opened and before
    /// any thread runs. An error refuses the opening.
    #[must_use]
    pub fn before_start(
        mut self,
        hook: impl Fn(&Path) -> Result<(), ErrorObject> + Send + Sync + 'static,
    ) -> Self {
        self.before_start = Some(Arc::new(hook));
        self
    }

    /// Called once, when the engine is about to shut down and before it refuses work. The shutdown
    /// waits for it.
    #[must_use]
    pub fn before_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.before_stop = Some(Arc::new(hook));
        self
    }

    /// Called once, when every thread has ended, the database is closed and the library free.
    #[must_use]
    pub fn after_stop(mut self, hook: impl Fn(&ShutdownReport) + Send + Sync + 'static) -> Self {
        self.after_stop = Some(Arc::new(hook));
        self
    }

    pub(crate) fn starting(&self, folder: &Path) -> Result<(), ErrorObject> {
        let hook = self.before_start.as_ref();
        hook.map_or(Ok(()), |hook| {
            guarded("before_start", || hook(folder)).unwrap_or(Ok(()))
        })
    }

    pub(crate) fn stopping(&self) {
        if let Some(hook) = &self.before_stop {
            guarded("before_stop", || hook());
        }
    }

    pub(crate) fn stopped(&self, report: &ShutdownReport) {
        if let Some(hook) = &self.after_stop {
            guarded("after_stop", || hook(report));
        }
    }
}

fn guarded<R>(name: &str, hook: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(hook));
    if result.is_err() {
        tracing::error!("{name} of the embedding program panicked");
    }
    result.ok()
}

/// Who is called for what.
#[derive(Default)]
pub(crate) struct Callbacks {
    all: Vec<Callback>,
    by_task: HashMap<TaskId, Callback>,
    is_running: bool,
}

impl Engine {
    /// Has `callback` called for each event from now on, with a copy of what is known of its task.
    /// All callbacks share one thread, so one that takes long delays the others, never the work;
    /// when they fall behind, some events are replaced by [`Event::Missed`].
    ///
    /// A callback that keeps a handle keeps the engine from stopping by itself.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let (said, heard) = std::sync::mpsc::channel();
    /// engine.on_event(move |event, task| {
    ///     if let (Event::Ended { .. }, Some(task)) = (event, task) {
    ///         said.send(task.result.clone()).unwrap();
    ///     }
    /// })?;
    /// engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// assert_eq!(heard.recv()?, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError::ShutDown`]; [`SubmitError::Thread`] if the thread can't be started.
    pub fn on_event(
        &self,
        callback: impl FnMut(&Event, Option<&TaskStatus>) + Send + 'static,
    ) -> Result<(), SubmitError> {
        add(self.shared(), |callbacks| {
            callbacks.all.push(Box::new(callback));
        })
    }

    /// The same as [`Self::submit`], and has `callback` called for each change of this task, the
    /// first one being that it was submitted, the last one that it ended. After [`Event::Missed`]
    /// the copy of what is known is what counts.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let (said, heard) = std::sync::mpsc::channel();
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// engine.submit_with(work, move |event, _| said.send(event.clone()).unwrap())?;
    /// let events: Vec<Event> = heard.iter().collect();
    /// assert!(matches!(events[0], Event::Submitted { .. }));
    /// assert!(matches!(events[2], Event::Ended { state: TaskState::Completed, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::submit`] and [`Self::on_event`].
    pub fn submit_with(
        &self,
        submission: impl Into<Submission>,
        callback: impl FnMut(&Event, Option<&TaskStatus>) + Send + 'static,
    ) -> Result<TaskId, SubmitError> {
        let submission = submission.into().with_id();
        let id = submission.id_given();
        if self.task_status(&id).is_some() {
            return Err(SubmitError::Duplicate(id));
        }
        add(self.shared(), |callbacks| {
            callbacks.by_task.insert(id.clone(), Box::new(callback));
        })?;
        let submitted = self.submit(submission);
        if submitted.is_err() {
            lock(self.shared()).by_task.remove(&id);
        }
        submitted
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Callbacks> {
    let callbacks: &Mutex<Callbacks> = &shared.callbacks;
    callbacks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a callback, and starts their thread for the first one.
fn add(shared: &Arc<Shared>, add: impl FnOnce(&mut Callbacks)) -> Result<(), SubmitError> {
    if shared.lock().life != Life::Open {
        return Err(SubmitError::ShutDown);
    }
    let mut callbacks = lock(shared);
    if !callbacks.is_running {
        let events = shared.subscribe().ok_or(SubmitError::ShutDown)?;
        shared
            .spawn(CALLBACKS, move |shared| run(shared, &events))
            .map_err(|error| SubmitError::Thread(error.to_string()))?;
        callbacks.is_running = true;
    }
    add(&mut callbacks);
    Ok(())
}

/// The thread's life: until the engine has shut down and every event was told.
fn run(shared: &Shared, events: &Subscription) {
    while let Ok(event) = events.recv_blocking() {
        let task = event.task();
        let status = task.and_then(|id| shared.lock().registry.status(id));
        // Taken out while they run: a callback may submit with one of its own.
        let mut all = std::mem::take(&mut lock(shared).all);
        for callback in &mut all {
            guarded("a callback", || callback(&event, status.as_ref()));
        }
        let mut callbacks = lock(shared);
        let added = std::mem::replace(&mut callbacks.all, all);
        callbacks.all.extend(added);
        drop(callbacks);
        match task {
            Some(id) => tell(shared, id, &event, status.as_ref()),
            None if matches!(event, Event::Missed { .. }) => {
                let ids: Vec<_> = lock(shared).by_task.keys().cloned().collect();
                for id in ids {
                    let status = shared.lock().registry.status(&id);
                    tell(shared, &id, &event, status.as_ref());
                }
            }
            None => {}
        }
    }
    // What they hold goes before the thread does.
    *lock(shared) = Callbacks::default();
    shared.ended.notify_all();
}

fn tell(shared: &Shared, id: &TaskId, event: &Event, status: Option<&TaskStatus>) {
    let Some(mut callback) = lock(shared).by_task.remove(id) else {
        return;
    };
    guarded("a callback", || callback(event, status));
    // Nothing more will be told of one that has ended. What is known of it may be ahead of the event.
    let is_over = match event {
        Event::Ended { .. } => true,
        Event::Missed { .. } => status.is_none_or(|status| status.state.is_terminal()),
        _ => false,
    };
    if !is_over {
        lock(shared).by_task.insert(id.clone(), callback);
    }
}
