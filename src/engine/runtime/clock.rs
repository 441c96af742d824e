//! The thread that sleeps until the core wants to be woken, and tells it the time. It decides nothing.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Runtime;
use crate::engine::core::Command;

/// How long it sleeps at most.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(in crate::engine) struct Clock {
    state: Mutex<State>,
    changed: Condvar,
    /// For those who ask whether the thread still runs: it must not be their waiting that is ended
    /// in place of its own.
    answered: Condvar,
}

#[derive(Default)]
struct State {
    wake_at: Option<Duration>,
    is_closed: bool,
    /// How often someone asked whether it still runs, and up to which of these it has answered.
    asked: u64,
    answered: u64,
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
        self.answered.notify_all();
    }

    /// Whether the thread wakes within this time and gets through to the core.
    pub(in crate::engine) fn answers(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut state = self.lock();
        state.asked += 1;
        let asked = state.asked;
        self.changed.notify_one();
        while state.answered < asked && !state.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.answered.wait_timeout(state, left);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        state.answered >= asked
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
        let is_due = state.wake_at.is_some_and(|at| at <= now);
        let asked = state.asked;
        if is_due || asked > state.answered {
            if is_due {
                state.wake_at = None;
            }
            drop(state);
            // Before its time it changes nothing.
            runtime.apply(Command::Tick);
            state = clock.lock();
            state.answered = asked;
            clock.answered.notify_all();
            continue;
        }
        let until = state.wake_at.unwrap_or(now + LONGEST);
        let wait = until.saturating_sub(now).min(LONGEST);
        let waited = clock.changed.wait_timeout(state, wait);
        state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
    }
}
