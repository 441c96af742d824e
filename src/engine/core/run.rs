//! Runs of tasks: asked to stop, come back, put back into the queue. A worker that does not come back is
//! given up and replaced.

use std::time::Duration;

use serde_json::Value;

use super::end::{cancelled_error, shutdown_outcome};
use super::mutation::{Mutation, mutated};
use super::queue::{Place, Turn};
use super::state::{Alarm, Life, Phase, Run, Then};
use super::workers::signed;
use super::{Answer, Core, Effect, Kind, Log, Now, Outcome, Output, Row, RunId};
use crate::engine::error::WorkError;
use crate::engine::interrupt::StopReason;
use crate::model::{ErrorCode, ErrorObject, Event, RunOutput, TaskId, TaskState};

/// How long a run that was told to stop may take to come back before its worker is given up: a model
/// run comes back within 100 ms, but then its clips are put in order, and a disk can be slow.
const GRACE: Duration = Duration::from_secs(10);
/// The same for a closure that is overdue, which has nothing of ours to put in order.
const CLOSURE_GRACE: Duration = Duration::from_secs(1);

/// How a run of a task ended.
enum End {
    /// So did the task.
    Task(Outcome),
    /// It goes back: it is paused, makes room for an urgent one, or the engine shuts down.
    Back(Turn),
    /// It is tried again.
    Again(Duration, ErrorObject),
}

impl<B, R: Clone> Core<B, R> {
    /// Asks a run to stop. A weaker reason never replaces a stronger one.
    pub(super) fn ask(
        &mut self,
        run: RunId,
        reason: StopReason,
        grace: Duration,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Some(entry) = self.runs.get_mut(&run) else {
            return;
        };
        if entry.asked >= Some(reason) {
            return;
        }
        entry.asked = Some(reason);
        out.effects.push(Effect::Interrupt { run, reason });
        if reason.is_now() {
            let at = now.mono.saturating_add(grace);
            let old = entry.give_up.replace(at);
            self.clear_alarm(old, Alarm::GiveUp(run));
            self.set_alarm(at, Alarm::GiveUp(run));
        }
    }

    /// Stops a task that is overdue. A closure's ends at once, whether or not it looks at its
    /// context; that of an operation ends when its worker is back, which has to put its results in
    /// order.
    pub(super) fn overdue(&mut self, id: &TaskId, now: Now, out: &mut Output<B, R>) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let Phase::Running { run, deadline, .. } = &mut entry.phase else {
            return;
        };
        *deadline = None;
        let run = *run;
        let grace = if entry.is_durable() {
            GRACE
        } else {
            CLOSURE_GRACE
        };
        let ends_now = !entry.is_durable();
        self.ask(run, StopReason::TimedOut, grace, now, out);
        if ends_now {
            self.end(id, Outcome::TimedOut, now, out);
        }
    }

    pub(super) fn finished(
        &mut self,
        run: RunId,
        result: Result<Value, WorkError>,
        body: Option<B>,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let Some(gone) = self.runs.remove(&run) else {
            // It was given up, and another thread has its place.
            self.workers.abandoned = self.workers.abandoned.saturating_sub(1);
            out.effects.extend(body.map(Effect::Drop));
            out.effects.push(Effect::Retire);
            return Answer::Done;
        };
        self.clear_alarm(gone.give_up, Alarm::GiveUp(run));
        self.workers.busy -= 1;
        self.workers.ended_runs += 1.0;
        self.workers.ended_seconds += now.mono.saturating_sub(gone.started).as_secs_f64();
        match self.is_running(&gone.task, run) {
            // A closure that was overdue has ended before its worker came back.
            None => out.effects.extend(body.map(Effect::Drop)),
            Some(kind) => self.come_back(&gone, run, kind, result, body, now, out),
        }
        let is_one_too_many = self.workers.alive > signed(self.workers.most)
            || (self.workers.alive > signed(self.workers.least) && !self.queue.has_ready(now.mono));
        if is_one_too_many {
            self.workers.alive -= 1;
            out.effects.push(Effect::Retire);
        }
        Answer::Done
    }

    fn is_running(&self, id: &TaskId, run: RunId) -> Option<Kind> {
        let entry = self.tasks.get(id)?;
        match entry.phase {
            Phase::Running { run: current, .. } if current == run => Some(entry.kind),
            _ => None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that a worker brings back")]
    fn come_back(
        &mut self,
        gone: &Run,
        run: RunId,
        kind: Kind,
        result: Result<Value, WorkError>,
        body: Option<B>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let id = &gone.task;
        let attempt = self.tasks.get(id).map_or(1, |entry| entry.status.attempt);
        let key = self.tasks.get(id).and_then(|entry| entry.breaker.clone());
        if let Some(key) = key {
            self.judge(&key, run, &result, now, out);
        }
        match self.ending(kind, gone.asked, result, attempt, body.is_some()) {
            End::Task(outcome) => {
                if attempt > 1 && matches!(outcome, Outcome::Failed(_)) {
                    out.effects.push(Effect::Log(Log::FailedForGood {
                        task: id.clone(),
                        attempts: attempt,
                    }));
                }
                out.effects.extend(body.map(Effect::Drop));
                self.end(id, outcome, now, out);
            }
            End::Back(turn) => self.requeue(id, body, None, turn, now, out),
            End::Again(delay, error) => {
                out.effects.push(Effect::Log(Log::TriedAgain {
                    task: id.clone(),
                    attempt,
                    delay,
                }));
                self.requeue(id, body, Some((delay, error)), Turn::ByPlace, now, out);
            }
        }
    }

    /// How a run ended, from what its work returned and what was asked of it.
    fn ending(
        &mut self,
        kind: Kind,
        asked: Option<StopReason>,
        result: Result<Value, WorkError>,
        attempt: u32,
        has_body: bool,
    ) -> End {
        let is_cancelled = matches!(
            asked,
            Some(StopReason::Cancel | StopReason::CancelAfterSegment)
        );
        let outcome = match (result, asked) {
            (_, Some(StopReason::TimedOut)) => Outcome::TimedOut,
            // It was asked to stop and returned early: what it has is kept.
            (Ok(value), _) if is_cancelled && kind != Kind::Durable => {
                Outcome::Cancelled(cancelled_error(), Some(value))
            }
            (Ok(value), _) => Outcome::Completed(value),
            (Err(_), _) if is_cancelled => Outcome::Cancelled(cancelled_error(), None),
            (Err(WorkError::Interrupted), Some(StopReason::Pause)) if kind == Kind::Durable => {
                return End::Back(Turn::ByPlace);
            }
            (Err(WorkError::Interrupted), Some(StopReason::Yield))
                if kind == Kind::Durable && !mutated(Mutation::YieldForgotten) =>
            {
                let is_lost = mutated(Mutation::TurnLost);
                return End::Back(if is_lost { Turn::ByPlace } else { Turn::Next });
            }
            (
                Err(WorkError::Interrupted),
                Some(StopReason::Shutdown | StopReason::ShutdownAfterSegment),
            ) => {
                if kind == Kind::Durable && has_body {
                    return End::Back(Turn::ByPlace);
                }
                shutdown_outcome()
            }
            (
                Err(WorkError::Transient(error)),
                None | Some(StopReason::Yield | StopReason::Pause),
            ) if has_body && attempt <= self.config.retries.most => {
                let delay = self.config.retries.delay(attempt, &mut self.random);
                return End::Again(delay, error);
            }
            (Err(WorkError::Failed(error) | WorkError::Transient(error)), _) => {
                Outcome::Failed(error)
            }
            (Err(WorkError::Interrupted), _) => {
                let message = "the work stopped without being asked to";
                Outcome::Failed(
                    ErrorObject::new(ErrorCode::Stopped, message)
                        .with_remediation("This is a defect of the work: report it with the log"),
                )
            }
        };
        End::Task(outcome)
    }

    /// Puts a running task back at its place. It is tried again after the time in `retry`, because of
    /// that error; without one its work was broken off by a pause, an urgent task or a shutdown, which is
    /// no attempt.
    fn requeue(
        &mut self,
        id: &TaskId,
        body: Option<B>,
        retry: Option<(Duration, ErrorObject)>,
        turn: Turn,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        self.clear_deadlines(id);
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        entry.phase = Phase::Waiting;
        entry.body = body;
        let due = retry
            .as_ref()
            .map(|(delay, _)| now.mono.saturating_add(*delay));
        let place = Place {
            priority: entry.status.priority,
            due,
            after: &[],
            paused: entry.status.paused,
            rank: entry.rank,
            turn: turn.min(entry.turn()),
            lane: entry.lane(),
        };
        self.queue.add(entry.seq, place);
        if entry.is_durable() {
            let (task, at) = (id.clone(), now.wall);
            self.disk.add(Row::Waiting { task, at }, Then::Nothing);
        }
        self.alter(id, |status| {
            if retry.is_some() {
                status.made = RunOutput::default();
            } else if !mutated(Mutation::PauseCounted) {
                status.attempt = status.attempt.saturating_sub(1);
            }
            if let Some(started) = status.started_at.take() {
                status.earlier_seconds += now.wall.since(started).as_secs_f64();
            }
            status.due = due.map(|due| now.wall_at(due));
            status.error = retry.map(|(_, error)| error);
            status.current_segment = None;
            status.state = TaskState::Pending;
            status.updated_at = now.wall;
        });
        out.events.push(Event::Requeued { task: id.clone() });
    }

    /// Gives up a run that did not come back: its task ends, and another thread takes its place.
    pub(super) fn give_up(
        &mut self,
        run: RunId,
        outcome: Option<Outcome>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Some(gone) = self.runs.remove(&run) else {
            return;
        };
        self.clear_alarm(gone.give_up, Alarm::GiveUp(run));
        if !mutated(Mutation::WorkerLeaked) {
            self.workers.busy -= 1;
        }
        self.workers.alive -= 1;
        self.workers.abandoned += 1;
        out.effects.push(Effect::Abandon { run });
        if let Some(key) = self
            .tasks
            .get(&gone.task)
            .and_then(|entry| entry.breaker.clone())
        {
            self.probe_failed(&key, run, now);
        }
        if self.life == Life::Open {
            out.effects.push(Effect::Log(Log::GivenUp {
                task: gone.task.clone(),
            }));
            while self.workers.alive < signed(self.workers.least) {
                self.spawn(out);
            }
        }
        if let Some(kind) = self.is_running(&gone.task, run) {
            let is_cancelled = matches!(gone.asked, Some(StopReason::Cancel));
            match outcome {
                Some(outcome) => self.end(&gone.task, outcome, now, out),
                None if is_cancelled => {
                    let outcome = Outcome::Cancelled(cancelled_error(), None);
                    self.end(&gone.task, outcome, now, out);
                }
                None if gone.asked == Some(StopReason::TimedOut) => {
                    self.end(&gone.task, Outcome::TimedOut, now, out);
                }
                // The engine shuts down: what is on disk continues at the next start.
                None if kind == Kind::Durable => {
                    self.requeue(&gone.task, None, None, Turn::ByPlace, now, out);
                }
                None => self.end(&gone.task, shutdown_outcome(), now, out),
            }
        }
    }
}

pub(super) const CANCEL_GRACE: Duration = GRACE;
