//! What the engine's threads and handles share: the registry behind a short lock, the channels to
//! the store, and the calls that change a task and tell everyone. The lock is never held across a
//! file, a channel that may block, or foreign code.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::events::{Subscribers, Subscription};
use super::hooks::Callbacks;
use super::interrupt::{Interrupt, StopReason};
use super::options::Options;
use super::registry::{Cancelled, Now, Registry};
use super::shutdown::ShutdownReport;
use super::store::{Recovery, Store};
use super::work::{Closure, Repeatable};
use crate::model::ErrorObject;
use crate::model::Event;
use crate::model::Narration;
use crate::model::Tally;
use crate::model::{TaskId, TaskState, Timestamp};

/// How long a thread sleeps at most before it looks around by itself.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Whether the engine takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    ShuttingDown,
    Down,
}

/// The work of a task that has not ended.
pub(crate) enum Body {
    Narration(Arc<Narration>),
    Closure(Closure),
    Repeatable(Repeatable),
    /// Handed to a worker, which has it now.
    Taken,
}

/// Everything behind the lock.
pub(crate) struct State {
    pub registry: Registry,
    pub bodies: BTreeMap<TaskId, Body>,
    pub running: HashMap<TaskId, Arc<Interrupt>>,
    /// Ids on their way into the store.
    pub reserved: HashSet<TaskId>,
    /// Narrations that have not ended, by fingerprint.
    pub fingerprints: BTreeMap<String, TaskId>,
    pub subscribers: Subscribers,
    pub life: Life,
    /// When the clock's thread looks around by itself.
    pub clock_sleeps_until: Duration,
    /// What the shutdown did, once it has.
    pub report: Option<ShutdownReport>,
    /// Whether the embedding program was told that the engine is about to stop.
    pub is_stop_told: bool,
    pub workers: usize,
    /// Threads whose work did not come back; others took their places.
    pub abandoned: usize,
}

/// What threads and handles share.
pub(crate) struct Shared {
    pub state: Mutex<State>,
    /// Rung when there is work, or none will ever come.
    pub work: Condvar,
    /// Rung when the next deadline may have changed.
    pub timer: Condvar,
    /// Rung when a task or a worker has ended.
    pub ended: Condvar,
    pub store: Store,
    pub recovery: Option<Recovery>,
    /// The embedding program's callbacks. Never held together with the state.
    pub callbacks: Mutex<Callbacks>,
    /// Every thread of the engine, to be joined at the end.
    pub threads: Mutex<Vec<JoinHandle<()>>>,
    pub options: Options,
    pub started: Instant,
    /// The number of the next worker thread.
    pub next_worker: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(options: Options, store: Store, recovery: Option<Recovery>) -> Self {
        Self {
            state: Mutex::new(State {
                registry: Registry::default(),
                bodies: BTreeMap::new(),
                running: HashMap::new(),
                reserved: HashSet::new(),
                fingerprints: BTreeMap::new(),
                subscribers: Subscribers::default(),
                life: Life::Open,
                clock_sleeps_until: Duration::ZERO,
                report: None,
                is_stop_told: false,
                workers: 0,
                abandoned: 0,
            }),
            work: Condvar::new(),
            timer: Condvar::new(),
            ended: Condvar::new(),
            store,
            recovery,
            callbacks: Mutex::default(),
            threads: Mutex::new(Vec::new()),
            options,
            started: Instant::now(),
            next_worker: AtomicUsize::new(1),
        }
    }

    /// The lock. A panic can't leave the state half changed: foreign code never runs under it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let wall = Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX));
        Now {
            wall,
            mono: self.started.elapsed(),
        }
    }

    /// Events from now on; `None` once there are no more.
    pub(crate) fn subscribe(&self) -> Option<Subscription> {
        let mut state = self.lock();
        (state.life != Life::Down).then(|| state.subscribers.subscribe())
    }

    /// Changes the registry and tells everyone what changed.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Registry, Now) -> Option<Event>) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let event = change(&mut state.registry, now);
        if let Some(event) = &event {
            state.subscribers.tell(event);
        }
        event.is_some()
    }

    /// Cancels a task; see [`super::Engine::cancel_task`].
    pub(crate) fn cancel(&self, id: &TaskId, reason: StopReason) -> bool {
        let now = self.now();
        let mut state = self.lock();
        if state.life == Life::Down {
            // The database is closed: the task would come back at the next start.
            return false;
        }
        let (met, events) = state.registry.cancel(id, now);
        let ended = state.announce(&events);
        let interrupt = state.running.get(id).cloned();
        drop(state);
        if met == Cancelled::Requested
            && let Some(interrupt) = interrupt
        {
            interrupt.raise(reason);
        }
        self.store_ends(ended);
        met != Cancelled::Nothing
    }

    /// Puts the ends of narrations on disk, and wakes those that wait for an end.
    pub(crate) fn store_ends(&self, ended: Vec<Ended>) {
        let at = self.now().wall;
        let answers: Vec<_> = ended
            .iter()
            .filter(|ended| ended.durable)
            .map(|ended| {
                let error = ended.error.as_ref();
                (
                    &ended.task,
                    self.store
                        .ended(&ended.task, ended.state, error, None, ended.tally, at),
                )
            })
            .collect();
        for (task, answer) in answers {
            if let Err(error) = answer.wait() {
                tracing::error!(%task, %error, "the end of a task was not stored");
            }
        }
        // Others may wait for those that have ended.
        self.work.notify_all();
        self.ended.notify_all();
    }

    /// Starts a thread that is joined at the end.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        name: &str,
        run: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&shared))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Removes what ended longer ago than `max_age`; a line of history stays in the database.
    pub(crate) fn cleanup(&self, max_age: Duration) -> usize {
        let now = self.now();
        let mut state = self.lock();
        let gone = state.registry.cleanup(max_age, now);
        for id in &gone {
            state.subscribers.tell(&Event::Removed { task: id.clone() });
        }
        drop(state);
        let count = gone.len();
        if count > 0 {
            tracing::info!(
                count,
                "tasks that ended over {max_age:?} ago left the registry"
            );
            drop(self.store.archive(gone));
        }
        count
    }
}

/// A task that has ended.
pub(crate) struct Ended {
    pub task: TaskId,
    pub state: TaskState,
    pub error: Option<ErrorObject>,
    pub tally: Option<Tally>,
    pub durable: bool,
}

impl State {
    /// Whether the clock's thread sleeps too long: something is due before it looks again.
    pub(crate) fn is_clock_late(&self) -> bool {
        let next = self.registry.next_wake();
        next.is_some_and(|next| next < self.clock_sleeps_until)
    }

    /// Tells everyone what happened, and forgets the work of what has ended.
    pub(crate) fn announce(&mut self, events: &[Event]) -> Vec<Ended> {
        let mut all = Vec::new();
        for event in events {
            self.subscribers.tell(event);
            if let Event::Ended { task, state, error } = event {
                let durable = matches!(self.forget(task), Some(Body::Narration(_)));
                let tally = self.registry.status(task).as_ref().map(Tally::of);
                let (task, state, error) = (task.clone(), *state, error.clone());
                all.push(Ended {
                    task,
                    state,
                    error,
                    tally,
                    durable,
                });
            }
        }
        all
    }

    /// Forgets the work of a task that has ended.
    pub(crate) fn forget(&mut self, id: &TaskId) -> Option<Body> {
        let body = self.bodies.remove(id);
        if let Some(Body::Narration(narration)) = &body
            && self.fingerprints.get(&narration.fingerprint) == Some(id)
        {
            self.fingerprints.remove(&narration.fingerprint);
        }
        body
    }
}
