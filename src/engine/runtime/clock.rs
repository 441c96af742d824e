//! The thread that sleeps until the core wants to be woken, and tells it the time. It decides nothing.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Runtime;
use crate::engine::core::Command;

/// How long it sleeps at most.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wake_at: Option<Duration>,
    is_closed: bool,
}

impl Clock {
    /// Wakes at this time, since the engine was started; an earlier time that is set stays.
    pub(super) fn wake_at(&self, at: Duration) {
        let mut state = self.lock();
        if state.wake_at.is_none_or(|old| at < old) {
            state.wake_at = Some(at);
            drop(state);
            self.changed.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's loop.
pub(super) fn run(runtime: &Arc<Runtime>) {
    let clock = &runtime.clock;
    let mut state = clock.lock();
    while !state.is_closed {
        let now = runtime.uptime();
        if state.wake_at.is_some_and(|at| at <= now) {
            state.wake_at = None;
            drop(state);
            runtime.apply(Command::Tick);
            state = clock.lock();
            continue;
        }
        let until = state.wake_at.unwrap_or(now + LONGEST);
        let wait = until.saturating_sub(now).min(LONGEST);
        let waited = clock.changed.wait_timeout(state, wait);
        state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
    }
}
