//! The engine's own life: it restores what an earlier process left, takes work, and goes down: refuse
//! new work, wait for what runs, interrupt the rest, put everything on disk.

use std::time::Duration;

use super::end::shutdown_outcome;
use super::mutation::{Mutation, mutated};
use super::state::{Alarm, Leaving, Life, Phase, Step};
use super::{Answer, CallId, Core, Effect, Kind, Log, Now, Output, Reply, RunId};
use crate::engine::interrupt::StopReason;
use crate::model::{Event, ShutdownReport, ShutdownWait, TaskId};

/// How long interrupted work may take to come back before it is left behind: a model run comes back
/// within 100 ms, but then its clips are put in order, and a disk can be slow.
const GRACE: Duration = Duration::from_secs(5);
/// The same for closures, which have nothing of ours to put in order.
const CLOSURE_GRACE: Duration = Duration::from_secs(1);

impl<B, R: Clone> Core<B, R> {
    /// Whether the engine takes new tasks, whether it is going down, and whether it is down.
    pub(crate) fn life(&self) -> (bool, bool, bool) {
        (
            self.life == Life::Open,
            matches!(self.life, Life::ShuttingDown(_)),
            self.is_down(),
        )
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.life, Life::Down(_))
    }

    /// Whether waiting tasks are handed to workers.
    pub(super) fn takes_up_work(&self) -> bool {
        match &self.life {
            Life::Open => true,
            Life::ShuttingDown(leaving) => leaving.drains && leaving.step == Step::Wait,
            Life::Restoring | Life::Down(_) => false,
        }
    }

    pub(super) fn is_flushing(&self) -> bool {
        matches!(&self.life, Life::ShuttingDown(leaving) if leaving.step == Step::Flush)
    }

    pub(super) fn shut_down(
        &mut self,
        wait: ShutdownWait,
        call: CallId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let (time, reason, drains) = match wait {
            ShutdownWait::Drain(time) => (time, None, true),
            ShutdownWait::Tasks(time) => (time, None, false),
            ShutdownWait::Segments(time) => (time, Some(StopReason::ShutdownAfterSegment), false),
            ShutdownWait::Now => (Duration::ZERO, Some(StopReason::Shutdown), false),
        };
        let until = now.mono.saturating_add(time);
        match &mut self.life {
            Life::Down(report) => {
                let reply = Reply::Down(report.clone());
                out.effects.push(Effect::Reply(call, reply));
                return Answer::Later;
            }
            Life::ShuttingDown(leaving) => {
                // A second request can shorten the wait of the first one, never lengthen it.
                leaving.callers.push(call);
                leaving.drains &= drains;
                if leaving.step == Step::Wait && until < leaving.until {
                    leaving.until = until;
                }
            }
            Life::Restoring | Life::Open => {
                let active = self.active();
                out.events.push(Event::ShuttingDown);
                out.effects.push(Effect::Log(Log::ShutdownBegun {
                    active: active.len(),
                }));
                self.life = Life::ShuttingDown(Box::new(Leaving {
                    step: Step::Wait,
                    drains,
                    until,
                    since: now.mono,
                    begun: now.mono,
                    active,
                    report: ShutdownReport::default(),
                    callers: vec![call],
                }));
            }
        }
        self.set_alarm(until, Alarm::Shutdown);
        if let Some(reason) = reason {
            self.ask_all(reason, now, out);
        }
        Answer::Later
    }

    /// The tasks that a worker has.
    fn active(&self) -> Vec<TaskId> {
        let is_running = |id: &&TaskId| {
            let entry = self.tasks.get(*id);
            entry.is_some_and(|entry| matches!(entry.phase, Phase::Running { .. }))
        };
        let tasks = self.runs.values().map(|run| &run.task);
        tasks.filter(is_running).cloned().collect()
    }

    /// A task that begins while the queue is drained counts like those that ran before.
    pub(super) fn count_active(&mut self, id: &TaskId) {
        if let Life::ShuttingDown(leaving) = &mut self.life {
            leaving.active.push(id.clone());
        }
    }

    fn ask_all(&mut self, reason: StopReason, now: Now, out: &mut Output<B, R>) {
        let grace = self.grace();
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        for run in runs {
            self.ask(run, reason, grace, now, out);
        }
    }

    fn grace(&self) -> Duration {
        let is_durable = |run: &super::state::Run| {
            let entry = self.tasks.get(&run.task);
            entry.is_some_and(|entry| entry.kind == Kind::Durable)
        };
        if self.runs.values().any(is_durable) {
            GRACE
        } else {
            CLOSURE_GRACE
        }
    }

    /// Goes from one step of the shutdown to the next, if it is time.
    pub(super) fn advance_shutdown(&mut self, now: Now, out: &mut Output<B, R>) {
        let Life::ShuttingDown(leaving) = &self.life else {
            return;
        };
        let (step, is_over) = (leaving.step, now.mono >= leaving.until);
        let drains = leaving.drains;
        match step {
            Step::Wait => {
                let left = self.runs.len();
                // What waits for a narration can run once the end of that is on disk.
                let is_more =
                    |core: &mut Self| core.queue.has_ready(now.mono) || !core.disk.is_idle();
                let is_done = left == 0 && !(drains && is_more(self));
                if is_done {
                    self.flush(now, out);
                } else if is_over {
                    self.interrupt_rest(left, now, out);
                }
            }
            Step::Interrupt => {
                if self.runs.is_empty() && (self.workers.abandoned == 0 || is_over) {
                    self.flush(now, out);
                } else if is_over {
                    self.leave_behind(now, out);
                    self.flush(now, out);
                }
            }
            Step::Flush => {}
        }
    }

    fn interrupt_rest(&mut self, left: usize, now: Now, out: &mut Output<B, R>) {
        let until = now.mono.saturating_add(self.grace());
        if let Life::ShuttingDown(leaving) = &mut self.life {
            let waited = now.mono.saturating_sub(leaving.since);
            leaving.report.steps.wait = waited.as_secs_f64();
            leaving.step = Step::Interrupt;
            leaving.since = now.mono;
            leaving.until = until;
            if !waited.is_zero() {
                let after = now.mono.saturating_sub(leaving.begun);
                out.effects
                    .push(Effect::Log(Log::StillActive { tasks: left, after }));
            }
        }
        self.set_alarm(until, Alarm::Shutdown);
        self.ask_all(StopReason::Shutdown, now, out);
    }

    /// Gives up what did not come back.
    fn leave_behind(&mut self, now: Now, out: &mut Output<B, R>) {
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        for run in runs {
            self.give_up(run, None, now, out);
        }
    }

    /// Nothing runs any more. Ends what lives no longer than the process, and leaves those that wait
    /// for it as they are: on disk they continue at the next start.
    fn flush(&mut self, now: Now, out: &mut Output<B, R>) {
        let is_waiting = |id: &&TaskId| {
            self.tasks
                .get(*id)
                .is_some_and(|entry| entry.phase == Phase::Waiting && entry.kind != Kind::Durable)
        };
        let waiting: Vec<TaskId> = self.order.values().filter(is_waiting).cloned().collect();
        let cancelled = waiting.len();
        for id in waiting {
            if let Some(seq) = self.tasks.get(&id).map(|entry| entry.seq) {
                // Whoever waits for it is not failed by a shutdown.
                self.queue.fulfil(seq);
            }
            self.end(&id, shutdown_outcome(), now, out);
        }
        let abandoned = self.workers.abandoned;
        if let Life::ShuttingDown(leaving) = &mut self.life {
            let lap = now.mono.saturating_sub(leaving.since).as_secs_f64();
            match leaving.step {
                Step::Wait => leaving.report.steps.wait = lap,
                _ => leaving.report.steps.interrupt = lap,
            }
            leaving.step = Step::Flush;
            leaving.since = now.mono;
            leaving.report.cancelled = cancelled;
            leaving.report.abandoned = abandoned;
        }
    }

    /// Says that the engine is down once everything that was decided is on disk.
    pub(super) fn finish_shutdown(&mut self, now: Now, out: &mut Output<B, R>) {
        let is_idle = self.disk.is_idle() || mutated(Mutation::DownTooSoon);
        if !self.is_flushing() || !is_idle {
            return;
        }
        let Life::ShuttingDown(leaving) = std::mem::replace(&mut self.life, Life::Restoring) else {
            return;
        };
        let Leaving {
            mut report,
            callers,
            active,
            begun,
            ..
        } = *leaving;
        let goes_on = |id: &&TaskId| {
            let entry = self.tasks.get(*id);
            entry.is_some_and(|entry| entry.phase != Phase::Ended)
        };
        report.interrupted = active.iter().filter(goes_on).count();
        report.finished = active.len() - report.interrupted;
        report.not_stored = self.disk.lost;
        report.seconds = now.mono.saturating_sub(begun).as_secs_f64();
        for call in callers {
            let reply = Reply::Down(Box::new(report.clone()));
            out.effects.push(Effect::Reply(call, reply));
        }
        self.life = Life::Down(Box::new(report));
        let recurring = self.recurring.take_bodies();
        out.effects.extend(recurring.map(Effect::Drop));
        for entry in self.tasks.values_mut() {
            // Those that wait for the end of a task that continues at the next start.
            for call in std::mem::take(&mut entry.watchers) {
                out.effects.push(Effect::Reply(call, Reply::ShutDown));
            }
            // Nobody will run it here.
            out.effects.extend(entry.body.take().map(Effect::Drop));
        }
    }
}
