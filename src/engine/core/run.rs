//! Who works at what: waiting tasks go to free workers, come back, end, or are put back. A worker that
//! does not come back is given up and replaced.

use std::time::Duration;

use serde_json::{Value, json};

use super::disk::{Ending, Then};
use super::life::Life;
use super::mutation::{Mutation, mutated};
use super::queue::Place;
use super::time::Alarm;
use super::{
    Answer, Core, Effect, Entry, Kind, Log, Now, Outcome, Output, Phase, Refusal, Reply, Row, RunId,
};
use crate::engine::error::WorkError;
use crate::engine::interrupt::StopReason;
use crate::model::{ErrorCode, ErrorObject, Event, RunOutput, RunSummary, TaskId, TaskState};

/// How long a run that was told to stop may take to come back before its worker is given up: a model
/// run comes back within 100 ms, but then its clips are put in order, and a disk can be slow.
const GRACE: Duration = Duration::from_secs(10);
/// The same for a closure that is over its time, which has nothing of ours to put in order.
const CLOSURE_GRACE: Duration = Duration::from_secs(1);

/// The wait before a thread is started again that could not be.
const SPAWN_RETRY: Duration = Duration::from_secs(1);

/// One run of a task by a worker that nobody has given up.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub task: TaskId,
    /// Why it was asked to stop.
    pub asked: Option<StopReason>,
    /// When it is given up.
    pub give_up: Option<Duration>,
    pub started: Duration,
}

/// The threads that work, as numbers.
#[derive(Debug, Default)]
pub(super) struct Workers {
    pub least: usize,
    pub most: usize,
    /// Threads that serve, those that are being started included. Negative for a moment when a run is
    /// given up whose thread could not even be started.
    pub alive: isize,
    /// Whether a thread could not be started lately: no other is asked for until that is tried again.
    is_short: bool,
    /// Those of them that have a run.
    pub busy: usize,
    /// Threads whose work did not come back; others took their places.
    pub abandoned: usize,
    ended_runs: f64,
    ended_seconds: f64,
}

impl Workers {
    pub(super) fn ended_runs(&self) -> (f64, f64) {
        (self.ended_runs, self.ended_seconds)
    }

    fn idle(&self) -> usize {
        usize::try_from(self.alive).map_or(0, |alive| alive.saturating_sub(self.busy))
    }
}

/// How a run of a task ended.
enum End {
    /// So did the task.
    Task(Outcome),
    /// It goes back: it is paused, or the engine shuts down.
    Back,
    /// It is tried again.
    Again(Duration, ErrorObject),
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

    fn spawn(&mut self, out: &mut Output<B, R>) {
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

    /// Hands waiting tasks to free workers, and asks for more workers where the backlog wants them.
    pub(super) fn dispatch(&mut self, now: Now, out: &mut Output<B, R>) {
        if !self.takes_up_work() {
            return;
        }
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

    /// Stops a task that is over its time. A closure's ends at once, whether or not it looks at its
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
            // A closure over its time has ended before its worker came back.
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
            End::Back => self.requeue(id, body, None, now, out),
            End::Again(delay, error) => {
                out.effects.push(Effect::Log(Log::TriedAgain {
                    task: id.clone(),
                    attempt,
                    delay,
                }));
                self.requeue(id, body, Some((delay, error)), now, out);
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
                return End::Back;
            }
            (
                Err(WorkError::Interrupted),
                Some(StopReason::Shutdown | StopReason::ShutdownAfterSegment),
            ) => {
                if kind == Kind::Durable && has_body {
                    return End::Back;
                }
                shutdown_outcome()
            }
            (Err(WorkError::Transient(error)), None | Some(StopReason::Pause))
                if has_body && attempt <= self.config.retries.most =>
            {
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
    /// that error; without one its work was broken off by a pause or a shutdown, which is no attempt.
    pub(super) fn requeue(
        &mut self,
        id: &TaskId,
        body: Option<B>,
        retry: Option<(Duration, ErrorObject)>,
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
            lane: entry.lane(),
        };
        self.queue.add(entry.seq, place);
        if entry.is_durable() {
            self.disk
                .add(Row::Waiting { task: id.clone() }, Then::Nothing);
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
                None if kind == Kind::Durable => self.requeue(&gone.task, None, None, now, out),
                None => self.end(&gone.task, shutdown_outcome(), now, out),
            }
        }
    }

    fn clear_deadlines(&mut self, id: &TaskId) {
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
        let tally = tally(entry);
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
            result,
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
            tally,
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
        let seq = entry.seq;
        let fingerprint = entry.fingerprint.take().filter(|_| is_final);
        let watchers = std::mem::take(&mut entry.watchers);
        self.forget_fingerprint(&id, fingerprint.as_deref());
        if is_final {
            self.ended.insert((now.mono, seq));
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

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}

/// What a task comes to, with those parts whose rows are on their way.
fn tally<B>(entry: &Entry<B>) -> RunSummary {
    let mut tally = RunSummary::of(&entry.status);
    for (part, lease) in &entry.leases {
        if let Some(plays) = lease.storing {
            tally.audio_seconds += plays.as_secs_f64();
            if entry.status.completed_segments.get(*part).is_none() {
                tally.done += 1;
            }
        }
    }
    tally
}

fn timeout_error<B>(entry: &Entry<B>) -> ErrorObject {
    over_time(
        entry.timeout.unwrap_or_default(),
        entry.status.partial_result.as_ref(),
    )
}

/// The error of what is over its time, in the customer's words.
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

pub(super) const CANCEL_GRACE: Duration = GRACE;
