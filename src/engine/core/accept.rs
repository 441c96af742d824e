//! How tasks come in: handed in now, or left by an earlier process.

use std::collections::BTreeMap;
use std::time::Duration;

use super::end;
use super::group::Contribution;
use super::mutation::{Mutation, mutated};
use super::queue::Place;
use super::state::{Admission, Entry, Life, Phase, Ran, Then};
use super::{
    Answer, CallId, Core, Effect, Kind, Log, NewTask, Now, Output, Refusal, Reply, RestoredTask,
    Row, RunRow, Schedule, add_completed,
};
use crate::model::{CompletedSegment, Event, SegmentId, TaskId, TaskState, TaskStatus};

impl<B, R: Clone> Core<B, R> {
    pub(super) fn submit(
        &mut self,
        new: NewTask<B, R>,
        call: CallId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        self.clean(self.config.cleanup_threshold, now, out);
        if let Some(refusal) = self.refusal(&new) {
            out.effects.extend(new.body.map(Effect::Drop));
            return Answer::Refused(refusal);
        }
        self.hand_in(new, Some(call), None, now, out)
    }

    /// Takes a task on its way to the disk, if it goes there, or into the queue.
    pub(super) fn hand_in(
        &mut self,
        new: NewTask<B, R>,
        call: Option<CallId>,
        ran: Option<Ran>,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let seq = self.next_seq;
        self.next_seq += 1;
        let id = new.status.id.clone();
        let after = self.known(&new.schedule.after);
        let timeout = new.timeout.or(self.config.task_timeout);
        if let Some(fingerprint) = &new.fingerprint
            && !mutated(Mutation::FingerprintLate)
        {
            self.fingerprints.insert(fingerprint.clone(), id.clone());
        }
        self.run_began(&id, &new.status);
        let run = ran.as_ref().zip(new.status.occurrence.clone());
        let run = run.map(|(ran, occurrence)| RunRow {
            occurrence,
            recurrence: ran.recurrence.clone(),
            next: ran.next,
        });
        self.insert(
            &id,
            Entry {
                status: new.status,
                kind: new.kind,
                phase: Phase::Accepting,
                seq,
                rank: new.schedule.rank,
                urgent: new.urgent,
                timeout,
                body: new.body,
                fingerprint: new.fingerprint,
                breaker: new.breaker,
                leases: BTreeMap::new(),
                watchers: Vec::new(),
            },
        );
        let admission = Admission {
            due: due(&new.schedule, now),
            after,
            schedule: new.schedule,
            failed_dependency: new.failed_dependency,
            ran,
        };
        let Some(record) = new.record else {
            self.enter(&id, admission, Vec::new(), now, out);
            return Answer::Done;
        };
        self.accepting += 1;
        let row = Row::Accepted {
            task: id.clone(),
            seq,
            record,
            timeout,
            schedule: admission.schedule.clone(),
            again: new.again,
            at: now.wall,
            run: run.map(Box::new),
        };
        let then = Then::Accepted {
            task: id,
            call,
            admission: Box::new(admission),
        };
        self.disk.add(row, then);
        Answer::Later
    }

    /// Why a task is not taken.
    fn refusal(&self, new: &NewTask<B, R>) -> Option<Refusal> {
        if self.life != Life::Open {
            return Some(Refusal::ShutDown);
        }
        if let Some(same) = new
            .fingerprint
            .as_ref()
            .and_then(|f| self.fingerprints.get(f))
        {
            return Some(Refusal::Duplicate(same.clone()));
        }
        if self.contains(&new.status.id) {
            return Some(Refusal::Duplicate(new.status.id.clone()));
        }
        if new.replaces {
            return None;
        }
        // What is urgent does not stand in line with the others.
        let (urgent, most) = (self.queue.urgent(), self.config.max_waiting);
        if new.urgent {
            let (waiting, retry_in) = (urgent, self.time_for_one());
            return (urgent >= most).then_some(Refusal::Full { waiting, retry_in });
        }
        let retry_in = self.time_until_room()?;
        let waiting = self.waiting();
        Some(Refusal::Full { waiting, retry_in })
    }

    fn waiting(&self) -> usize {
        let all = self.count(TaskState::Pending) + self.accepting;
        all.saturating_sub(self.queue.urgent())
    }

    /// `None`: there is room for a task.
    pub(super) fn time_until_room(&self) -> Option<Duration> {
        (self.waiting() >= self.config.max_waiting).then(|| self.time_for_one())
    }

    /// About how long one task takes, from those that have ended.
    fn time_for_one(&self) -> Duration {
        let (ended, seconds) = self.workers.ended_runs();
        let one = if ended < 1.0 { 10.0 } else { seconds / ended };
        Duration::from_secs_f64(one.clamp(1.0, 600.0))
    }

    fn insert(&mut self, id: &TaskId, entry: Entry<B>) {
        self.order.insert(entry.seq, id.clone());
        self.tasks.insert(id.clone(), entry);
    }

    /// The disk has answered for a new task.
    pub(super) fn accepted(
        &mut self,
        id: TaskId,
        call: Option<CallId>,
        admission: Admission,
        clips: Vec<crate::model::ClipRecord>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let reply = |reply| call.map(|call| Effect::Reply(call, reply));
        if clips.is_empty() {
            self.accepting -= 1;
            self.enter(&id, admission, Vec::new(), now, out);
            out.effects.extend(reply(Reply::Accepted));
            return;
        }
        if let Some(entry) = self.tasks.get_mut(&id) {
            entry.phase = Phase::Adopting;
        }
        self.disk.adopting.insert(id, admission);
        out.effects.extend(reply(Reply::Adopted(clips)));
    }

    /// The disk has refused a new task: nothing of it is kept.
    pub(super) fn not_accepted(
        &mut self,
        id: &TaskId,
        call: Option<CallId>,
        ran: Option<&Ran>,
        reply: Reply,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        self.accepting -= 1;
        if let Some(entry) = self.tasks.remove(id) {
            self.order.remove(&entry.seq);
            self.refused.insert(entry.seq, id.clone());
            self.forget_fingerprint(id, entry.fingerprint.as_deref());
            out.effects.extend(entry.body.map(Effect::Drop));
            // Others may have been handed in since, to run after it.
            for dependant in self.queue.fail(entry.seq) {
                if let Some(dependant) = self.order.get(&dependant).cloned() {
                    self.end(&dependant, end::dependency_outcome(id), now, out);
                }
            }
        }
        if mutated(Mutation::ReplyForgotten) {
            return;
        }
        if let Some(ran) = ran {
            let was_there = matches!(reply, Reply::Duplicate(_));
            self.run_refused(ran, was_there, now);
        }
        let reply = call.map(|call| Effect::Reply(call, reply));
        out.effects.extend(reply);
    }

    pub(super) fn admit(
        &mut self,
        id: &TaskId,
        done: Vec<CompletedSegment>,
        missing: &[SegmentId],
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let Some(admission) = self.disk.adopting.remove(id) else {
            return Answer::Refused(Refusal::Stale);
        };
        self.accepting -= 1;
        self.forget_parts(id, missing);
        self.enter(id, admission, done, now, out);
        Answer::Done
    }

    fn forget_parts(&mut self, id: &TaskId, missing: &[SegmentId]) {
        for &part in missing {
            let task = id.clone();
            self.disk
                .add(Row::PartForgotten { task, part }, Then::Nothing);
        }
    }

    /// From here on the task is known to everyone.
    fn enter(
        &mut self,
        id: &TaskId,
        admission: Admission,
        done: Vec<CompletedSegment>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Admission {
            schedule,
            due,
            after,
            failed_dependency,
            ran,
        } = admission;
        if let Some(ran) = &ran {
            self.run_accepted(ran);
        }
        let (blocking, failed) = self.dependencies(after);
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let seq = entry.seq;
        let place = Place {
            priority: schedule.priority,
            due,
            after: &blocking,
            paused: schedule.paused,
            rank: schedule.rank,
            turn: entry.turn(),
            lane: entry.lane(),
        };
        self.queue.add(seq, place);
        entry.phase = Phase::Waiting;
        if mutated(Mutation::FingerprintLate)
            && let Some(fingerprint) = &entry.fingerprint
        {
            self.fingerprints.insert(fingerprint.clone(), id.clone());
        }
        let status = &mut entry.status;
        prepare(status, schedule, due, now);
        status.rank = self.queue.rank(seq).unwrap_or_default();
        for segment in done {
            add_completed(status, segment, false);
        }
        self.counts[TaskState::Pending as usize] += 1;
        self.totals.submitted += 1;
        if let Some(group) = &status.group {
            self.groups
                .update(group, None, Some(Contribution::of(status)));
        }
        out.events.push(Event::Submitted { task: id.clone() });
        if let (Some(run), true) = (&status.occurrence, ran.is_some())
            && run.is_late()
        {
            out.effects.push(Effect::Log(Log::Late {
                task: id.clone(),
                due: run.due,
                by: run.late,
            }));
        }
        if let Some(dependency) = failed_dependency.or(failed) {
            let outcome = end::dependency_outcome(&dependency);
            self.end(id, outcome, now, out);
        }
    }

    /// The numbers of those tasks that are known. All are smaller than that of a task that is handed in
    /// now, so that no two can wait for each other.
    fn known(&self, after: &[TaskId]) -> Vec<u64> {
        let known = after.iter().filter_map(|id| self.tasks.get(id));
        let mut known: Vec<u64> = known.map(|entry| entry.seq).collect();
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Which of the tasks that must end first have not ended, and one that did not end as it should.
    fn dependencies(&self, after: Vec<u64>) -> (Vec<u64>, Option<TaskId>) {
        let mut blocking = Vec::new();
        for seq in after {
            if let Some(refused) = self.refused.get(&seq) {
                return (Vec::new(), Some(refused.clone()));
            }
            // One that has left the registry in the meantime had ended long before.
            let Some(id) = self.order.get(&seq) else {
                continue;
            };
            match self.tasks.get(id).map(|entry| entry.status.state) {
                Some(TaskState::Failed | TaskState::Cancelled) => {
                    return (Vec::new(), Some(id.clone()));
                }
                Some(TaskState::Pending | TaskState::Processing) => blocking.push(seq),
                Some(TaskState::Completed) | None => {}
            }
        }
        (blocking, None)
    }

    pub(super) fn restore(
        &mut self,
        task: RestoredTask<B>,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let id = task.status.id.clone();
        if self.contains(&id) {
            out.effects.extend(task.body.map(Effect::Drop));
            return Answer::Refused(Refusal::Duplicate(id));
        }
        self.next_seq = self.next_seq.max(task.seq + 1);
        let after = self.known(&task.schedule.after);
        if let Some(fingerprint) = &task.fingerprint {
            self.fingerprints.insert(fingerprint.clone(), id.clone());
        }
        self.run_began(&id, &task.status);
        self.insert(
            &id,
            Entry {
                status: task.status,
                kind: Kind::Durable,
                phase: Phase::Accepting,
                seq: task.seq,
                rank: task.schedule.rank,
                urgent: false,
                timeout: task.timeout,
                body: task.body,
                fingerprint: task.fingerprint,
                breaker: task.breaker,
                leases: BTreeMap::new(),
                watchers: Vec::new(),
            },
        );
        if let Some(entry) = self.tasks.get_mut(&id) {
            for (segment, error) in task.errors {
                entry.status.errors.push(segment, error);
            }
        }
        self.forget_parts(&id, &task.missing);
        let admission = Admission {
            due: due(&task.schedule, now),
            after,
            schedule: task.schedule,
            failed_dependency: task.failed_dependency,
            ran: None,
        };
        self.enter(&id, admission, task.done, now, out);
        if task.cancelled {
            self.cancel(&id, false, now, out);
        }
        Answer::Done
    }

    pub(super) fn forget_fingerprint(&mut self, id: &TaskId, fingerprint: Option<&str>) {
        if let Some(fingerprint) = fingerprint
            && self.fingerprints.get(fingerprint) == Some(id)
        {
            self.fingerprints.remove(fingerprint);
        }
    }
}

fn due(schedule: &Schedule, now: Now) -> Option<Duration> {
    let delay = schedule.delay?;
    Some(now.mono.saturating_add(delay))
}

/// Sets what every task begins with.
fn prepare(status: &mut TaskStatus, schedule: Schedule, due: Option<Duration>, now: Now) {
    status.state = TaskState::Pending;
    status.priority = schedule.priority;
    status.paused = schedule.paused;
    status.after = schedule.after.into();
    status.group = schedule.group;
    status.limits = schedule.limits;
    status.trace = schedule.trace;
    status.context = schedule.context;
    status.due = due.map(|due| now.wall_at(due));
    status.updated_at = now.wall;
}
