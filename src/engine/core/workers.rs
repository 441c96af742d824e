//! The threads that work, as numbers: how many there are, and who gets what waits.

use std::time::Duration;

use super::mutation::{Mutation, mutated};
use super::queue::{Turn, is_front};
use super::run::CANCEL_GRACE;
use super::state::{Alarm, Life, Phase, Run, Then};
use super::{Answer, Core, Effect, Kind, Now, Output, Refusal, Row, RunId};
use crate::engine::interrupt::StopReason;
use crate::model::{Event, TaskState};

/// The wait before a thread is started again that could not be.
const SPAWN_RETRY: Duration = Duration::from_secs(1);

/// The threads that work, as numbers.
#[derive(Debug, Default)]
pub(super) struct Workers {
    pub least: usize,
    pub most: usize,
    /// Threads that serve, those that are being started included. Negative for a moment when a run is
    /// given up whose thread could not even be started.
    pub alive: isize,
    /// Whether a thread could not be started lately: no other is asked for until that is tried again.
    pub is_short: bool,
    /// Those of them that have a run.
    pub busy: usize,
    /// Threads whose work did not come back; others took their places.
    pub abandoned: usize,
    pub ended_runs: f64,
    pub ended_seconds: f64,
}

impl Workers {
    pub(super) fn ended_runs(&self) -> (f64, f64) {
        (self.ended_runs, self.ended_seconds)
    }

    fn idle(&self) -> usize {
        usize::try_from(self.alive).map_or(0, |alive| alive.saturating_sub(self.busy))
    }
}

impl<B, R: Clone> Core<B, R> {
    /// Workers that run a task, that serve, that are given up, and the most that there may be.
    pub(crate) fn worker_counts(&self) -> (usize, usize, usize, usize) {
        let workers = &self.workers;
        let alive = usize::try_from(workers.alive).unwrap_or(0);
        (workers.busy, alive, workers.abandoned, workers.most)
    }

    /// The threads that the core believes to serve.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> isize {
        self.workers.alive
    }

    pub(super) fn set_workers(
        &mut self,
        least: usize,
        most: usize,
        out: &mut Output<B, R>,
    ) -> Answer {
        let least = least.max(1);
        self.workers.least = least;
        self.workers.most = most.max(least);
        if self.life == Life::Restoring {
            return Answer::Done;
        }
        if self.life != Life::Open {
            return Answer::Refused(Refusal::ShutDown);
        }
        while self.workers.alive < signed(least) {
            self.spawn(out);
        }
        while self.workers.alive > signed(self.workers.most) && self.workers.idle() > 0 {
            self.workers.alive -= 1;
            out.effects.push(Effect::Retire);
        }
        Answer::Done
    }

    pub(super) fn spawn(&mut self, out: &mut Output<B, R>) {
        self.workers.alive += 1;
        out.effects.push(Effect::SpawnWorker);
    }

    /// A thread could not be started: it is tried again in a while. A job that was meant for it waits
    /// for the next worker that is free.
    pub(super) fn worker_lost(&mut self, now: Now) -> Answer {
        self.workers.alive -= 1;
        if !std::mem::replace(&mut self.workers.is_short, true) {
            self.set_alarm(now.mono.saturating_add(SPAWN_RETRY), Alarm::Workers);
        }
        Answer::Done
    }

    /// Replaces the threads that could not be started.
    pub(super) fn replace_workers(&mut self, out: &mut Output<B, R>) {
        self.workers.is_short = false;
        let wanted = self.workers.least.max(self.workers.busy);
        while self.takes_up_work() && self.workers.alive < signed(wanted) {
            self.spawn(out);
        }
    }

    /// Hands waiting tasks to free workers, asks for more workers where the backlog wants them, and
    /// operations in work to make room where urgent tasks are left over.
    pub(super) fn dispatch(&mut self, now: Now, out: &mut Output<B, R>) {
        if self.takes_up_work() {
            // Also while every worker is busy: the clock would be asked to wake for them again and again.
            if !mutated(Mutation::ReleasedLate) {
                self.queue.release(now.mono);
            }
            self.hand_out(now, out);
            self.make_room(now, out);
            self.stand_back(now, out);
        }
    }

    /// Asks as many operations to go back to their places after their parts as there are urgent tasks
    /// without a worker. One that was asked to stop, for whatever reason, is on its way back already.
    fn make_room(&mut self, now: Now, out: &mut Output<B, R>) {
        let urgent = self.queue.urgent();
        if urgent == 0 || mutated(Mutation::NoRoomMade) {
            return;
        }
        let mut runs = self.durable_runs();
        let mut leaving = self
            .runs
            .values()
            .filter(|run| run.is_told_to_leave())
            .count();
        runs.retain(|run| {
            let asked = self.runs.get(run).and_then(|run| run.asked);
            leaving += usize::from(asked.is_some_and(|reason| !reason.is_now()));
            asked.is_none()
        });
        // One that has a part in work looks up when it is done; others may take as long as they like.
        runs.sort_by_key(|run| (!self.has_open_part(*run), std::cmp::Reverse(*run)));
        for run in runs.into_iter().take(urgent.saturating_sub(leaving)) {
            self.ask(run, StopReason::Yield, CANCEL_GRACE, now, out);
        }
    }

    fn has_open_part(&self, run: RunId) -> bool {
        let task = self.runs.get(&run).map(|run| &run.task);
        let entry = task.and_then(|task| self.tasks.get(task));
        entry.is_some_and(|entry| entry.leases.values().any(|lease| lease.is_open))
    }

    fn hand_out(&mut self, now: Now, out: &mut Output<B, R>) {
        loop {
            if self.workers.idle() == 0 {
                let workers = &self.workers;
                if workers.is_short
                    || workers.alive >= signed(workers.most)
                    || !self.queue.has_ready(now.mono)
                {
                    return;
                }
                self.spawn(out);
            }
            let Some(seq) = self.queue.take(now.mono) else {
                return;
            };
            self.start(seq, now, out);
        }
    }

    /// What was moved to the front does not wait for the end of a book that was there before: that one
    /// goes back to its place after its part.
    fn stand_back(&mut self, now: Now, out: &mut Output<B, R>) {
        let front = match self.queue.first() {
            Some((Turn::ByPlace, rank, _)) if is_front(rank) => rank,
            _ => return,
        };
        let is_short = self.workers.alive >= signed(self.workers.most);
        // Whoever is asked already leaves room soon.
        if self.life != Life::Open || !is_short || self.runs.values().any(|run| run.asked.is_some())
        {
            return;
        }
        let runs = self.runs.iter().filter_map(|(run, of)| {
            let entry = self.tasks.get(&of.task)?;
            entry.is_durable().then_some((entry.status.rank, *run))
        });
        if let Some((rank, run)) = runs.max()
            && rank > front
        {
            self.ask(run, StopReason::Pause, CANCEL_GRACE, now, out);
        }
    }

    fn start(&mut self, seq: u64, now: Now, out: &mut Output<B, R>) {
        let Some(id) = self.order.get(&seq).cloned() else {
            return;
        };
        let Some(entry) = self.tasks.get_mut(&id) else {
            return;
        };
        let Some(body) = entry.body.take() else {
            return;
        };
        let run = self.next_run;
        self.next_run += 1;
        let deadline = entry
            .timeout
            .map(|timeout| now.mono.saturating_add(timeout));
        entry.phase = Phase::Running {
            run,
            deadline,
            idle_since: None,
        };
        let kind = entry.kind;
        if let Some(key) = entry.breaker.clone() {
            self.probe(&key, run);
        }
        self.workers.busy += 1;
        self.count_active(&id);
        self.runs.insert(
            run,
            Run {
                task: id.clone(),
                asked: None,
                give_up: None,
                started: now.mono,
            },
        );
        if let Some(deadline) = deadline {
            self.set_alarm(deadline, Alarm::TaskDeadline(seq));
        }
        let mut attempt = 0;
        self.alter(&id, |status| {
            status.started_at = Some(now.wall);
            status.error = None;
            status.updated_at = now.wall;
            status.attempt += 1;
            status.state = TaskState::Processing;
            attempt = status.attempt;
        });
        if kind == Kind::Durable {
            let row = Row::Started {
                task: id.clone(),
                at: now.wall,
            };
            self.disk.add(row, Then::Nothing);
        }
        out.events.push(Event::Started { task: id.clone() });
        out.effects.push(Effect::Start {
            run,
            task: id,
            kind,
            attempt,
            body,
        });
    }
}

pub(super) fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
