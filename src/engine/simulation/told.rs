//! What callers and listeners are told, checked against what is on disk.

use super::world::{Waits, World};
use crate::engine::core::{CallId, Reply};
use crate::model::{ErrorCode, Event, TaskId, TaskState};

impl World {
    pub(super) fn replied(&mut self, call: CallId, reply: Reply) {
        let Some(waits) = self.calls.remove(&call) else {
            self.fail(format!(
                "call {call} is answered though nobody waits: {reply:?}"
            ));
            return;
        };
        match (waits, reply) {
            (Waits::Submission(id), Reply::Accepted) => self.accept(&id),
            (Waits::Submission(id), Reply::Adopted(clips)) => {
                self.met("task: results taken over");
                self.accept(&id);
                let parts = clips.iter().map(|clip| clip.segment_id).collect();
                self.to_admit.push((id, parts));
            }
            (Waits::Submission(id), Reply::Failed(_) | Reply::Duplicate(_)) => {
                if self.disk.tasks.contains_key(&id) {
                    self.fail(format!("{id} is refused and on disk"));
                }
                self.promises.remove(&id);
            }
            (Waits::Part(run), Reply::Stored | Reply::Failed(_)) => {
                if let Some(job) = self.job(run) {
                    job.calls.remove(&call);
                }
            }
            (Waits::End(id), Reply::Ended(status)) => {
                if status.id != id || !status.state.is_terminal() {
                    self.fail(format!("who waits for {id} is told of {}", status.state));
                }
            }
            (Waits::Recurring(name, true), Reply::Next(_)) => self.recurs(&name),
            (Waits::Recurring(name, false), Reply::Stored) => {
                if self.core.recurring().iter().any(|one| one.name == name) {
                    self.fail(format!("{name} still recurs"));
                }
            }
            (Waits::Recurring(..), Reply::Failed(_)) => {}
            (Waits::End(_), Reply::ShutDown) => {}
            (Waits::Down, Reply::Down(_)) => self.is_down = true,
            (waits, reply) => self.fail(format!("{waits:?} is answered by {reply:?}")),
        }
    }

    fn accept(&mut self, id: &TaskId) {
        if !self.disk.tasks.contains_key(id) {
            self.fail(format!("{id} is accepted and not on disk"));
        }
        if let Some(promise) = self.promises.get_mut(id) {
            promise.accepted = true;
        }
    }

    /// Checks an event against what is on disk.
    pub(super) fn told(&mut self, event: &Event) {
        self.note(format!("told: {event:?}"));
        match event {
            Event::Submitted { task } => {
                self.run_of_recurring(task);
                let is_durable = self.promises.get(task).is_some_and(|one| one.durable);
                if is_durable && !self.disk.tasks.contains_key(task) {
                    self.fail(format!("{task} is told to be submitted and not on disk"));
                }
            }
            Event::SegmentCompleted { task, segment } => {
                let is_durable = self.promises.get(task).is_some_and(|one| one.durable);
                let stored = self.disk.tasks.get(task);
                let has = stored.is_some_and(|stored| stored.done.contains(&segment.segment_id));
                if is_durable && !has {
                    let part = segment.segment_id;
                    self.fail(format!("part {part} of {task} is told and not on disk"));
                }
            }
            Event::CancelRequested { task } => {
                let next = self.last_batch + 1;
                if let Some(promise) = self.promises.get_mut(task) {
                    promise.cancel_batch = Some(next);
                }
            }
            Event::Ended { task, state, error } => {
                let code = error.as_ref().map(|error| &error.code);
                self.ended(task, *state, code);
            }
            _ => {}
        }
    }

    fn ended(&mut self, task: &TaskId, state: TaskState, code: Option<&ErrorCode>) {
        let on_disk = self.disk.end_of(task);
        let part_timeout = self.part_timeout;
        let (mono, slept) = (self.mono, self.slept);
        let Some(promise) = self.promises.get_mut(task) else {
            return self.fail(format!("{task} ends and was never submitted"));
        };
        let mut problems = Vec::new();
        if promise.durable && on_disk != Some(state) && code != Some(&ErrorCode::Database) {
            problems.push(format!(
                "{task} is told to be {state}; on disk it is {on_disk:?}"
            ));
        }
        if let Some(before) = promise.ended {
            problems.push(format!(
                "{task} ends as {state} after it has ended as {before}"
            ));
        }
        if code == Some(&ErrorCode::Timeout) {
            match (promise.timeout, part_timeout) {
                (None, None) => problems.push(format!("{task} is over a time that nobody set")),
                (Some(limit), None) => {
                    let ran = promise.started.map(|started| mono.saturating_sub(started));
                    // Half of what a clock notices may be lost at each sleep.
                    if ran.is_some_and(|ran| ran < limit) {
                        problems.push(format!("{task} is overdue too soon"));
                    }
                    let _ = slept;
                }
                _ => {}
            }
        }
        promise.ended = Some(state);
        promise.unstored = code == Some(&ErrorCode::Database);
        match code {
            Some(&ErrorCode::Timeout) => self.met("task: overdue"),
            Some(&ErrorCode::Dependency) => self.met("task: its dependency fails"),
            _ => {}
        }
        for problem in problems {
            self.fail(problem);
        }
    }
}
