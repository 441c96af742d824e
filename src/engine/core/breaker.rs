//! Circuit breakers: tasks that share a key fail for the same reason, such as a voice that can't be
//! opened or a full disk. After some failures in a row the others wait, and one of them probes after a
//! pause.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::queue::Lane;
use super::state::Alarm;
use super::{Core, Effect, Entry, Log, Now, Output, RunId};
use crate::engine::error::WorkError;
use crate::model::{ErrorObject, Event, Hold, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    Closed,
    /// Nothing of this key runs before this moment.
    Open {
        until: Duration,
    },
    /// One task tries whether the cause has passed.
    Probing {
        run: Option<RunId>,
    },
}

#[derive(Debug)]
struct State {
    circuit: Circuit,
    /// Failures in a row with the code of `error`.
    failures: u32,
    /// How often in a row it was opened.
    opened: u32,
    error: ErrorObject,
    /// When the next one is tried, on the wall's clock.
    retry_at: Timestamp,
}

/// All keys that have failed since they last did well.
#[derive(Default)]
pub(super) struct Breakers {
    by_key: BTreeMap<Arc<str>, State>,
}

impl<B, R: Clone> Core<B, R> {
    /// What keeps a waiting task from running beside its place in the queue.
    pub(super) fn hold(&self, entry: &Entry<B>) -> Option<Box<Hold>> {
        if entry.body.is_none() {
            // After a shutdown nobody has any work left, and that holds nothing back.
            return (!self.is_down()).then(|| Box::new(Hold::NoOperation));
        }
        let state = self.breakers.by_key.get(entry.breaker.as_ref()?)?;
        (state.circuit != Circuit::Closed).then(|| {
            Box::new(Hold::Breaker {
                error: state.error.clone(),
                retry_at: state.retry_at,
            })
        })
    }

    /// A task of this key begins; if the pause is over, it is the one that probes.
    pub(super) fn probe(&mut self, key: &Arc<str>, run: RunId) {
        if let Some(state) = self.breakers.by_key.get_mut(key)
            && state.circuit == (Circuit::Probing { run: None })
        {
            state.circuit = Circuit::Probing { run: Some(run) };
            self.queue.set_blocked(&Lane::Breaker(key.clone()), true);
        }
    }

    /// The pause is over: the next task of this key may begin, and no other.
    pub(super) fn pause_over(&mut self, key: &Arc<str>) {
        if let Some(state) = self.breakers.by_key.get_mut(key)
            && matches!(state.circuit, Circuit::Open { .. })
        {
            state.circuit = Circuit::Probing { run: None };
            self.queue.set_blocked(&Lane::Breaker(key.clone()), false);
        }
    }

    /// What a run says of its key. Only a failure that may pass is the key's; any other end means that
    /// what they share is well.
    pub(super) fn judge(
        &mut self,
        key: &Arc<str>,
        run: RunId,
        result: &Result<Value, WorkError>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        match result {
            Err(WorkError::Transient(error)) => self.failed(key, run, error, now, out),
            Err(WorkError::Interrupted) => self.probe_failed(key, run, now),
            Ok(_) | Err(WorkError::Failed(_)) => {
                let Some(state) = self.breakers.by_key.remove(key) else {
                    return;
                };
                if let Circuit::Open { until } = state.circuit {
                    self.clear_alarm(Some(until), Alarm::Breaker(key.clone()));
                }
                if state.circuit != Circuit::Closed {
                    self.queue.set_blocked(&Lane::Breaker(key.clone()), false);
                    let key = key.clone();
                    out.events.push(Event::Breaker {
                        key: key.clone(),
                        open: false,
                    });
                    out.effects.push(Effect::Log(Log::BreakerClosed { key }));
                }
            }
        }
    }

    fn failed(
        &mut self,
        key: &Arc<str>,
        run: RunId,
        error: &ErrorObject,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let policy = self.config.breaker;
        if policy.failures == 0 {
            return;
        }
        let state = self
            .breakers
            .by_key
            .entry(key.clone())
            .or_insert_with(|| State {
                circuit: Circuit::Closed,
                failures: 0,
                opened: 0,
                error: error.clone(),
                retry_at: now.wall,
            });
        if state.error.code != error.code {
            state.failures = 0;
        }
        state.error = error.clone();
        state.failures += 1;
        let is_probe = state.circuit == (Circuit::Probing { run: Some(run) });
        let opens = state.circuit == Circuit::Closed && state.failures >= policy.failures;
        if is_probe || opens {
            state.opened += 1;
            let pause = policy.pause(state.opened);
            self.open_circuit(key, pause, now);
            out.events.push(Event::Breaker {
                key: key.clone(),
                open: true,
            });
            out.effects.push(Effect::Log(Log::BreakerOpened {
                key: key.clone(),
                error: error.to_string(),
                pause,
            }));
        }
    }

    /// A probe told nothing: another one is tried after the same pause.
    pub(super) fn probe_failed(&mut self, key: &Arc<str>, run: RunId, now: Now) {
        let Some(state) = self.breakers.by_key.get(key) else {
            return;
        };
        if state.circuit == (Circuit::Probing { run: Some(run) }) {
            let pause = self.config.breaker.pause(state.opened);
            self.open_circuit(key, pause, now);
        }
    }

    fn open_circuit(&mut self, key: &Arc<str>, pause: Duration, now: Now) {
        let until = now.mono.saturating_add(pause);
        if let Some(state) = self.breakers.by_key.get_mut(key) {
            state.circuit = Circuit::Open { until };
            let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            state.retry_at = Timestamp(now.wall.0.saturating_add(millis));
        }
        self.queue.set_blocked(&Lane::Breaker(key.clone()), true);
        self.set_alarm(until, Alarm::Breaker(key.clone()));
    }
}
