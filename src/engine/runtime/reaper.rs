//! The thread that drops the work of tasks that have ended. A destructor is not ours: it may block,
//! panic or call the engine, and here it holds up nothing but other destructors.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::body::Body;
use crate::engine::guard::guarded;

/// After some work it looks for more this often without being woken: waking a thread for each task that
/// ends would be the dearest part of ending it.
const LINGER: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(super) struct Reaper {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    bodies: Vec<Body>,
    is_asleep: bool,
    is_closed: bool,
}

impl Reaper {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands work over. It comes back if the thread takes no more.
    pub(super) fn take(&self, body: Body) -> Option<Body> {
        let mut state = self.lock();
        if state.is_closed {
            return Some(body);
        }
        // As many as there were tasks at most, which are bounded.
        state.bodies.push(body);
        if std::mem::take(&mut state.is_asleep) {
            drop(state);
            self.filled.notify_one();
        }
        None
    }

    /// Ends the thread once it has dropped what it has.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// The thread's life.
    pub(super) fn run(&self) {
        loop {
            let mut state = self.lock();
            while state.bodies.is_empty() && !state.is_closed {
                state.is_asleep = true;
                state = self
                    .filled
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.is_asleep = false;
            let bodies = std::mem::take(&mut state.bodies);
            let is_over = state.is_closed && bodies.is_empty();
            drop(state);
            if is_over {
                return;
            }
            for body in bodies {
                guarded("the destructor of a task's work", || drop(body));
            }
            let state = self.lock();
            if !state.is_closed {
                drop(self.filled.wait_timeout(state, LINGER));
            }
        }
    }
}
