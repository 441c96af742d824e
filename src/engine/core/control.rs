//! What can be done to tasks and to the queue: cancel, hold back, move, wait for.

use super::end::cancelled_error;
use super::mutation::{Mutation, mutated};
use super::run::CANCEL_GRACE;
use super::state::{Life, Then};
use super::{
    Answer, CallId, Core, Effect, Kind, Now, Outcome, Output, Phase, Refusal, Reply, Row, RunId,
};
use crate::engine::interrupt::StopReason;
use crate::model::{Event, TaskId};

impl<B, R: Clone> Core<B, R> {
    pub(super) fn cancel(
        &mut self,
        id: &TaskId,
        after_part: bool,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if self.is_down() {
            // The database is closed: the task would come back at the next start.
            return Answer::Refused(Refusal::ShutDown);
        }
        let Some(entry) = self.tasks.get_mut(id) else {
            return Answer::Refused(Refusal::Unknown);
        };
        match entry.phase {
            Phase::Accepting | Phase::Adopting => Answer::Refused(Refusal::Unknown),
            Phase::Ending | Phase::Ended => Answer::Refused(Refusal::Ended),
            Phase::Waiting => {
                entry.status.cancel_requested = true;
                self.end(id, Outcome::Cancelled(cancelled_error(), None), now, out);
                Answer::Done
            }
            Phase::Running { run, .. } => {
                let is_first = !std::mem::replace(&mut entry.status.cancel_requested, true);
                if is_first {
                    if entry.is_durable() && !mutated(Mutation::CancelForgotten) {
                        let row = Row::CancelRequested { task: id.clone() };
                        self.disk.add(row, Then::Nothing);
                    }
                    out.events.push(Event::CancelRequested { task: id.clone() });
                }
                let reason = if after_part {
                    StopReason::CancelAfterSegment
                } else {
                    StopReason::Cancel
                };
                self.ask(run, reason, CANCEL_GRACE, now, out);
                Answer::Done
            }
        }
    }

    /// Those that wait go first, or each would begin as the one before it ends.
    pub(super) fn cancel_all(&mut self, now: Now, out: &mut Output<B, R>) -> Answer {
        let active = |core: &Self, runs: bool| -> Vec<TaskId> {
            let ids = core.order.values();
            let chosen = ids.filter(|id| match core.tasks.get(*id).map(|entry| entry.phase) {
                Some(Phase::Waiting) => !runs,
                Some(Phase::Running { .. }) => runs,
                _ => false,
            });
            chosen.cloned().collect()
        };
        let mut all = active(self, false);
        all.extend(active(self, true));
        let mut count = 0;
        for id in all {
            count += usize::from(self.cancel(&id, false, now, out) == Answer::Done);
        }
        Answer::Count(count)
    }

    /// Holds a waiting task back, or releases it. A running operation is asked to finish its part and
    /// goes back to its place; a closure can't be paused while it runs.
    pub(super) fn set_paused(
        &mut self,
        id: &TaskId,
        paused: bool,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if !matches!(self.life, Life::Open) {
            return Answer::Refused(Refusal::ShutDown);
        }
        let Some(entry) = self.tasks.get(id) else {
            return Answer::Refused(Refusal::Unknown);
        };
        let (seq, is_durable) = (entry.seq, entry.is_durable());
        let is_same = entry.status.paused == paused;
        match entry.phase {
            Phase::Accepting | Phase::Adopting => return Answer::Refused(Refusal::Unknown),
            Phase::Ending | Phase::Ended => return Answer::Refused(Refusal::Ended),
            Phase::Running { .. } if !is_durable => return Answer::Refused(Refusal::NotPausable),
            _ if is_same => return Answer::Refused(Refusal::NoChange),
            Phase::Waiting if mutated(Mutation::PauseIgnored) => {}
            Phase::Waiting => {
                self.queue.set_paused(seq, paused);
            }
            Phase::Running { run, .. } => {
                if paused {
                    self.ask(run, StopReason::Pause, CANCEL_GRACE, now, out);
                }
            }
        }
        self.alter(id, |status| {
            status.paused = paused;
            status.updated_at = now.wall;
        });
        if is_durable {
            let task = id.clone();
            self.disk.add(Row::Paused { task, paused }, Then::Nothing);
        }
        out.events.push(Event::Progress { task: id.clone() });
        Answer::Done
    }

    /// Holds all waiting tasks back and asks the running operations to finish their parts, or lets
    /// them continue.
    pub(super) fn set_queue_paused(
        &mut self,
        paused: bool,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if self.queue.is_paused() == paused {
            return Answer::Refused(Refusal::NoChange);
        }
        self.queue.set_all_paused(paused);
        out.events.push(Event::QueuePaused { paused });
        if paused {
            for run in self.durable_runs() {
                self.ask(run, StopReason::Pause, CANCEL_GRACE, now, out);
            }
        }
        Answer::Done
    }

    pub(super) fn durable_runs(&self) -> Vec<RunId> {
        let is_durable = |id: &TaskId| {
            let entry = self.tasks.get(id);
            entry.is_some_and(|entry| entry.kind == Kind::Durable)
        };
        let runs = self.runs.iter();
        runs.filter(|(_, run)| is_durable(&run.task))
            .map(|(run, _)| *run)
            .collect()
    }

    pub(super) fn resume_all(&mut self, now: Now, out: &mut Output<B, R>) -> Answer {
        let paused: Vec<TaskId> = self
            .order
            .values()
            .filter(|id| {
                let entry = self.tasks.get(*id);
                entry.is_some_and(|entry| entry.status.paused)
            })
            .cloned()
            .collect();
        for id in paused {
            self.set_paused(&id, false, now, out);
        }
        self.set_queue_paused(false, now, out);
        Answer::Done
    }

    /// Changes places with the task before or after it among those that may run.
    pub(super) fn shift(
        &mut self,
        id: &TaskId,
        up: bool,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if !matches!(self.life, Life::Open) {
            return Answer::Refused(Refusal::ShutDown);
        }
        let Some(entry) = self.tasks.get(id) else {
            return Answer::Refused(Refusal::Unknown);
        };
        let seq = entry.seq;
        let Some(other) = self.queue.shift(seq, up) else {
            return Answer::Refused(Refusal::NoPlace);
        };
        let mut places = Vec::new();
        for seq in [seq, other] {
            let (Some(id), Some(rank)) = (self.order.get(&seq).cloned(), self.queue.rank(seq))
            else {
                continue;
            };
            places.push((id, rank));
        }
        self.take_places(places, now, out);
        Answer::Done
    }

    /// Gives these tasks the first places, in this order. One that runs keeps its worker, and returns
    /// to that place if it has to wait again. Those that have ended or are not known are left out.
    pub(super) fn move_first(
        &mut self,
        ids: &[TaskId],
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if !matches!(self.life, Life::Open) {
            return Answer::Refused(Refusal::ShutDown);
        }
        let has_place = |id: &&TaskId| {
            let entry = self.tasks.get(*id);
            let phase = entry.map(|entry| entry.phase);
            matches!(phase, Some(Phase::Waiting | Phase::Running { .. }))
        };
        let moved: Vec<TaskId> = ids.iter().filter(has_place).cloned().collect();
        let ranks = self.queue.front(moved.len());
        let places: Vec<_> = moved.into_iter().zip(ranks).collect();
        for (id, rank) in &places {
            if let Some(entry) = self.tasks.get(id) {
                self.queue.set_rank(entry.seq, *rank);
            }
        }
        let count = places.len();
        if count > 0 {
            self.take_places(places, now, out);
        }
        Answer::Count(count)
    }

    fn take_places(&mut self, places: Vec<(TaskId, i64)>, now: Now, out: &mut Output<B, R>) {
        for (id, rank) in &places {
            if let Some(entry) = self.tasks.get_mut(id) {
                entry.rank = Some(*rank);
            }
            self.alter(id, |status| {
                status.rank = *rank;
                status.updated_at = now.wall;
            });
            out.events.push(Event::Progress { task: id.clone() });
        }
        self.disk.add(Row::Places(places), Then::Nothing);
    }

    pub(super) fn watch(&mut self, id: &TaskId, call: CallId, out: &mut Output<B, R>) -> Answer {
        let is_down = self.is_down();
        let Some(entry) = self.tasks.get_mut(id).filter(|entry| entry.is_known()) else {
            return Answer::Refused(Refusal::Unknown);
        };
        if entry.phase == Phase::Ended {
            let reply = Reply::Ended(Box::new(entry.status.clone()));
            out.effects.push(Effect::Reply(call, reply));
        } else if is_down {
            return Answer::Refused(Refusal::ShutDown);
        } else {
            entry.watchers.push(call);
        }
        Answer::Later
    }
}
