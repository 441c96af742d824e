//! How tasks end: decided once, told when the disk has it, and with it those that wait without hope.

use std::time::Duration;

use serde_json::{Value, json};

use super::mutation::{Mutation, mutated};
use super::state::{Alarm, Ending, Entry, Phase, Then};
use super::{Core, Effect, Now, Outcome, Output, Reply, Row};
use crate::model::{ErrorCode, ErrorObject, Event, RunSummary, TaskId, TaskState};

impl<B, R: Clone> Core<B, R> {
    pub(super) fn clear_deadlines(&mut self, id: &TaskId) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let seq = entry.seq;
        let mut cleared = Vec::new();
        if let Phase::Running { deadline, .. } = entry.phase {
            cleared.push((deadline, Alarm::TaskDeadline(seq)));
        }
        for lease in std::mem::take(&mut entry.leases).into_values() {
            cleared.push((lease.deadline, Alarm::PartDeadline(seq, lease.id)));
            cleared.push((lease.give_up, Alarm::PartGiveUp(seq, lease.id)));
        }
        for (at, alarm) in cleared {
            self.clear_alarm(at, alarm);
        }
    }

    /// Ends a task, and with it those that wait for it without hope. What is on disk ends once that is
    /// there; anything else at once. One that has ended stays as it is.
    pub(super) fn end(&mut self, id: &TaskId, outcome: Outcome, now: Now, out: &mut Output<B, R>) {
        let mut ending = vec![(id.clone(), outcome)];
        while let Some((id, outcome)) = ending.pop() {
            if let Some(end) = self.decide_end(&id, outcome, now, out) {
                self.conclude_one(end, now, out, &mut ending);
            }
        }
    }

    /// A task's end is on disk.
    pub(super) fn conclude(&mut self, end: Ending, now: Now, out: &mut Output<B, R>) {
        let mut ending = Vec::new();
        self.conclude_one(end, now, out, &mut ending);
        for (id, outcome) in ending {
            self.end(&id, outcome, now, out);
        }
    }

    /// Decides how a task ends. `None` if it has ended, or if the disk is to know first.
    fn decide_end(
        &mut self,
        id: &TaskId,
        outcome: Outcome,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Option<Ending> {
        let entry = self.tasks.get(id)?;
        if !matches!(entry.phase, Phase::Waiting | Phase::Running { .. }) {
            return None;
        }
        let summary = summary(entry);
        let (state, result, error) = match outcome {
            Outcome::Completed(value) => (TaskState::Completed, Some(value), None),
            Outcome::Failed(error) => (TaskState::Failed, None, Some(error)),
            Outcome::Cancelled(error, value) => (TaskState::Cancelled, value, Some(error)),
            Outcome::TimedOut => (TaskState::Failed, None, Some(timeout_error(entry))),
        };
        // Whoever reads an error learns what to do next.
        let error = error.map(|error| match &*error.remediation {
            "" => error.with_remediation("See the log of this task for what led to it"),
            _ => error,
        });
        self.clear_deadlines(id);
        let entry = self.tasks.get_mut(id)?;
        self.queue.remove(entry.seq);
        entry.phase = Phase::Ending;
        if mutated(Mutation::DroppedInside) {
            drop(entry.body.take());
        }
        out.effects.extend(entry.body.take().map(Effect::Drop));
        let ending = Ending {
            task: id.clone(),
            state,
            result: result.map(Into::into),
            error,
            at: now.wall,
            is_final: true,
        };
        if !entry.is_durable() || mutated(Mutation::EndBeforeRow) {
            return Some(ending);
        }
        let row = Row::Ended {
            task: id.clone(),
            folder: entry.status.folder.clone(),
            state,
            error: ending.error.clone(),
            result: ending.result.clone(),
            summary,
            at: now.wall,
        };
        self.disk.add(row, Then::Ended(Box::new(ending)));
        None
    }

    fn conclude_one(
        &mut self,
        end: Ending,
        now: Now,
        out: &mut Output<B, R>,
        ending: &mut Vec<(TaskId, Outcome)>,
    ) {
        let Ending {
            task: id,
            state,
            result,
            error,
            at,
            is_final,
        } = end;
        let Some(entry) = self.tasks.get_mut(&id) else {
            return;
        };
        entry.phase = Phase::Ended;
        let (seq, is_urgent) = (entry.seq, entry.urgent);
        let fingerprint = entry.fingerprint.take().filter(|_| is_final);
        let watchers = std::mem::take(&mut entry.watchers);
        self.forget_fingerprint(&id, fingerprint.as_deref());
        if is_final {
            let ended = if is_urgent {
                &mut self.ended_urgent
            } else {
                &mut self.ended
            };
            ended.insert((now.mono, seq));
            self.run_ended(&id, now);
        }
        self.alter(&id, |status| {
            status.result = result;
            status.error.clone_from(&error);
            status.current_segment = None;
            status.paused = false;
            status.completed_at = Some(at);
            status.updated_at = now.wall;
            status.state = state;
        });
        if state == TaskState::Completed {
            self.queue.fulfil(seq);
        } else if !mutated(Mutation::DependantsForgotten) {
            for dependant in self.queue.fail(seq) {
                if let Some(dependant) = self.order.get(&dependant) {
                    ending.push((dependant.clone(), dependency_outcome(&id)));
                }
            }
        }
        for call in watchers {
            if let Some(status) = self.status(&id) {
                let reply = Reply::Ended(Box::new(status));
                out.effects.push(Effect::Reply(call, reply));
            }
        }
        out.events.push(Event::Ended {
            task: id,
            state,
            error,
        });
    }
}

/// What a task comes to, with those parts whose rows are on their way.
fn summary<B>(entry: &Entry<B>) -> RunSummary {
    let mut summary = RunSummary::of(&entry.status);
    for (part, lease) in &entry.leases {
        if let Some(plays) = lease.storing {
            summary.audio_seconds += plays.as_secs_f64();
            if entry.status.completed_segments.get(*part).is_none() {
                summary.done += 1;
            }
        }
    }
    summary
}

fn timeout_error<B>(entry: &Entry<B>) -> ErrorObject {
    over_time(
        entry.timeout.unwrap_or_default(),
        entry.status.partial_result.as_deref(),
    )
}

/// The error of a time-out, in the customer's words.
pub(super) fn over_time(limit: Duration, partial: Option<&Value>) -> ErrorObject {
    let seconds = limit.as_secs_f64();
    let mut details = json!({ "timeout_seconds": seconds });
    if let (Some(partial), Some(details)) = (partial, details.as_object_mut()) {
        details.insert("partial_result".to_owned(), partial.clone());
    }
    ErrorObject::new(
        ErrorCode::Timeout,
        format!("Operation exceeded timeout of {seconds} seconds"),
    )
    .with_details(details)
    .with_remediation("Try breaking the operation into smaller chunks or increase timeout")
}

/// Why a cancelled task is cancelled, in the form of every error.
pub(super) fn cancelled_error() -> ErrorObject {
    ErrorObject::new(ErrorCode::Cancelled, "cancelled on request")
        .with_remediation("Try it again to go on from what it has")
}

/// Why a closure ends with the engine.
pub(super) fn shutdown_outcome() -> Outcome {
    let message = "the program shut down before this was done";
    let error = ErrorObject::new(ErrorCode::Shutdown, message)
        .with_remediation("Submit it again after the start");
    Outcome::Cancelled(error, None)
}

pub(super) fn dependency_outcome(dependency: &TaskId) -> Outcome {
    let message = format!("the task {dependency}, which had to end first, did not complete");
    Outcome::Failed(
        ErrorObject::new(ErrorCode::Dependency, message)
            .with_details(json!({ "dependency": dependency }))
            .with_remediation("Mend that task and retry it, then this one"),
    )
}
