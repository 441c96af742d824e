//! The thread that watches the time: it stops tasks that are over theirs, and clears away finished
//! tasks every ten minutes. It sleeps until the next of these, and does no work itself.

use std::time::Duration;

use super::interrupt::StopReason;
use super::shared::{LONGEST_WAIT, Life, Shared};

/// How often finished tasks are cleared away by themselves.
pub(crate) const CLEANUP_EVERY: Duration = Duration::from_secs(600);

/// The thread's life: until the engine shuts down.
pub(crate) fn run(shared: &Shared) {
    let mut next_cleanup = CLEANUP_EVERY;
    loop {
        let now = shared.now();
        if now.mono >= next_cleanup {
            next_cleanup = now.mono + CLEANUP_EVERY;
            shared.cleanup(shared.options.cleanup_threshold);
        }
        let mut state = shared.lock();
        if state.life == Life::Down {
            return;
        }
        let over = state.registry.expire(now);
        if !over.is_empty() {
            let interrupts: Vec<_> = over
                .iter()
                .filter_map(|id| state.running.get(id).cloned())
                .collect();
            drop(state);
            for interrupt in interrupts {
                interrupt.raise(StopReason::TimedOut);
            }
            continue;
        }
        let next = state
            .registry
            .next_deadline()
            .map_or(next_cleanup, |at| at.min(next_cleanup));
        let wait = next.saturating_sub(now.mono).min(LONGEST_WAIT);
        drop(shared.timer.wait_timeout(state, wait));
    }
}
