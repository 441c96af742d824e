//! What the engine's threads and handles share: the registry behind a short lock, the channels to
//! the store, and the calls that change a task and tell everyone. The lock is never held across a
//! file, a channel that may block, or foreign code.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Options;
use super::events::{Event, Subscribers};
use super::interrupt::{Interrupt, StopReason};
use super::plan::Narration;
use super::registry::{Cancelled, Now, Registry, cancelled_error};
use super::store::Store;
use super::task::{TaskId, TaskState, Timestamp};
use super::work::Closure;

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
    /// Handed to a worker, which has it now.
    Taken,
}

/// Everything behind the lock.
pub(crate) struct State {
    pub registry: Registry,
    pub bodies: HashMap<TaskId, Body>,
    pub running: HashMap<TaskId, Arc<Interrupt>>,
    /// Ids on their way into the store.
    pub reserved: HashSet<TaskId>,
    /// Narrations that have not ended, by fingerprint.
    pub fingerprints: HashMap<String, TaskId>,
    pub subscribers: Subscribers,
    pub life: Life,
    pub workers: usize,
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
    pub options: Options,
    pub started: Instant,
}

impl Shared {
    pub(crate) fn new(options: Options, store: Store) -> Self {
        Self {
            state: Mutex::new(State {
                registry: Registry::default(),
                bodies: HashMap::new(),
                running: HashMap::new(),
                reserved: HashSet::new(),
                fingerprints: HashMap::new(),
                subscribers: Subscribers::default(),
                life: Life::Open,
                workers: 0,
            }),
            work: Condvar::new(),
            timer: Condvar::new(),
            ended: Condvar::new(),
            store,
            options,
            started: Instant::now(),
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
        let (met, event) = state.registry.cancel(id, now);
        if let Some(event) = &event {
            state.subscribers.tell(event);
        }
        let interrupt = state.running.get(id).cloned();
        let durable = match met {
            Cancelled::Ended => matches!(state.forget(id), Some(Body::Narration(_))),
            Cancelled::Nothing | Cancelled::Requested => false,
        };
        drop(state);
        match met {
            Cancelled::Nothing => return false,
            Cancelled::Requested => {
                if let Some(interrupt) = interrupt {
                    interrupt.raise(reason);
                }
            }
            Cancelled::Ended => self.ended.notify_all(),
        }
        if durable {
            let error = cancelled_error();
            let stored = self
                .store
                .ended(id, TaskState::Cancelled, Some(&error), None, now.wall)
                .wait();
            if let Err(error) = stored {
                tracing::error!(task = %id, %error, "the cancellation was not stored");
            }
        }
        true
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

impl State {
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
