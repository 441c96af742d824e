//! The thread that watches the time: it stops what is over its time, gives up on work that does not
//! stop, wakes workers for delayed tasks, and clears finished tasks away every ten minutes. It
//! sleeps until the next of these, and does no work itself.

use std::sync::Arc;
use std::time::Duration;

use super::executor;
use super::interrupt::{Interrupt, StopReason};
use super::registry::{Now, Outcome, Overdue};
use super::shared::{Body, LONGEST_WAIT, Life, Shared};
use crate::model::TaskId;

/// How often finished tasks are cleared away by themselves.
pub(crate) const CLEANUP_EVERY: Duration = Duration::from_secs(600);
/// How long work that was told to stop may take to come back, before another thread takes the
/// worker's place.
const GRACE: Duration = Duration::from_secs(1);

/// Work that was told to stop.
struct Told {
    until: Duration,
    id: TaskId,
    interrupt: Arc<Interrupt>,
}

/// The thread's life: until the engine shuts down.
pub(crate) fn run(shared: &Arc<Shared>) {
    let mut next_cleanup = CLEANUP_EVERY;
    let mut told: Vec<Told> = Vec::new();
    loop {
        let now = shared.now();
        if now.mono >= next_cleanup {
            next_cleanup = now.mono + CLEANUP_EVERY;
            shared.cleanup(shared.options.cleanup_threshold);
        }
        told.retain(|told| told.until > now.mono || !give_up(shared, told, now));
        let mut state = shared.lock();
        if state.life == Life::Down {
            return;
        }
        let over = state.registry.expire(now);
        if !over.is_empty() {
            drop(state);
            for overdue in over {
                told.extend(stop(shared, overdue, now));
            }
            continue;
        }
        if state.registry.has_ready(now) {
            shared.work.notify_all();
        }
        let next = state.registry.next_wake().into_iter();
        let next = next
            .chain(told.iter().map(|told| told.until))
            .fold(next_cleanup, Ord::min);
        let wait = next.saturating_sub(now.mono).min(LONGEST_WAIT);
        state.clock_sleeps_until = now.mono + wait;
        drop(shared.timer.wait_timeout(state, wait));
    }
}

/// Stops what is over its time. A closure's task ends at once, whether or not it looks at its
/// context; a narration's ends when its worker is back, which has to put its clips in order.
fn stop(shared: &Shared, overdue: Overdue, now: Now) -> Option<Told> {
    let mut state = shared.lock();
    let interrupt = state.running.get(&overdue.id).cloned()?;
    let mut ended = Vec::new();
    if overdue.segment.is_none()
        && !matches!(state.bodies.get(&overdue.id), Some(Body::Narration(_)))
    {
        let events = state.registry.end(&overdue.id, Outcome::TimedOut, now);
        ended = state.announce(&events);
    }
    drop(state);
    match overdue.segment {
        Some(segment) => interrupt.raise_for_segment(segment),
        None => interrupt.raise(StopReason::TimedOut),
    }
    shared.store_ends(ended);
    Some(Told {
        until: now.mono + GRACE,
        id: overdue.id,
        interrupt,
    })
}

/// Gives up on work that did not stop: its task ends, and another thread takes its worker's place.
/// Returns whether nothing is left to wait for.
fn give_up(shared: &Arc<Shared>, told: &Told, now: Now) -> bool {
    let mut state = shared.lock();
    let same = |running: &Arc<Interrupt>| Arc::ptr_eq(running, &told.interrupt);
    // One that is only asked to stop after its next segment has done as it was told.
    let over = told.interrupt.is_now();
    if !over || !state.running.get(&told.id).is_some_and(same) || state.life != Life::Open {
        return true;
    }
    told.interrupt.abandon();
    state.running.remove(&told.id);
    state.workers -= 1;
    state.abandoned += 1;
    let events = state.registry.end(&told.id, Outcome::TimedOut, now);
    let ended = state.announce(&events);
    state.workers += 1;
    drop(state);
    tracing::warn!(task = %told.id, "its work does not stop: another thread takes its place");
    shared.store_ends(ended);
    if let Err(error) = shared.spawn(super::WORKER, executor::run) {
        tracing::error!(%error, "no thread could be started in its place");
        shared.lock().workers -= 1;
    }
    true
}
