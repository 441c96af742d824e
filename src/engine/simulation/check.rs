//! What must hold after each step.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Job, Promise, RunningJob, World};
use crate::engine::core::Kind;
use crate::model::{ErrorCode, GroupId, TaskId, TaskState};

impl World {
    /// A task that starts must be one that may, and no better one may wait.
    pub(super) fn check_start(&mut self, task: &TaskId) {
        let Some(promise) = self.promises.get(task).cloned() else {
            return self.fail(format!("{task} starts and was never accepted"));
        };
        if promise.ended.is_some() {
            self.fail(format!("{task} starts after its end"));
        }
        if promise.urgent && self.queue_paused {
            self.met("urgent: starts in a paused queue");
        }
        if promise.paused || (self.queue_paused && !promise.urgent) {
            self.fail(format!("{task} starts while it is paused"));
        }
        if promise.due.is_some_and(|due| due > self.mono) {
            self.fail(format!("{task} starts before its time"));
        }
        if promise.cancel_stored {
            self.fail(format!("{task} was to be cancelled and starts"));
        }
        for id in &promise.after {
            let state = self.core.status(id).map(|status| status.state);
            let is_done = matches!(state, None | Some(TaskState::Completed));
            if !is_done && id != task && !promise.has_run {
                self.fail(format!("{task} starts before {id} is done"));
            }
        }
        let running = self
            .jobs()
            .filter(|job| job.task == *task && !job.abandoned)
            .count();
        if running > 0 {
            self.fail(format!("{task} runs twice"));
        }
        self.check_order(task);
    }

    fn check_order(&mut self, task: &TaskId) {
        let Some(started) = self.core.status(task) else {
            return;
        };
        let standing = |promise: Option<&Promise>, rank: i64| {
            let turn = promise.map(|one| (!one.urgent, !one.yielded));
            (turn, rank)
        };
        let of_started = standing(self.promises.get(task), started.rank);
        let better = self.core.all().into_iter().find(|other| {
            let promise = self.promises.get(&other.id);
            let is_ready = other.state == TaskState::Pending
                && !other.paused
                && !other.cancel_requested
                && other.hold.is_none()
                && other.error.is_none()
                // It may have a place beside its rank, when it was tried before.
                && other.attempt == 0
                && promise.is_some_and(|promise| {
                    promise.ended.is_none()
                        && promise.due.is_none_or(|due| due < self.mono)
                        && !promise.depends
                });
            is_ready && standing(promise, other.rank) < of_started
        });
        if let Some(better) = better {
            let (better, state) = (better.id, started.state);
            self.fail(format!(
                "{task} ({state}) starts before {better}, which has a better place"
            ));
        }
    }

    /// What threads have or will have.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &RunningJob> {
        let waiting = self.jobs.iter().filter_map(|job| match job {
            Job::Run(job) => Some(&**job),
            Job::Leave => None,
        });
        waiting.chain(&self.running)
    }

    pub(super) fn check(&mut self) -> Result<(), String> {
        self.check_counts();
        self.check_promises();
        self.check_recurring();
        if !self.is_down {
            self.check_runs();
            self.check_urgent();
        }
        let broken = self.disk.broken.pop();
        let broken = broken.or_else(|| self.broken.borrow_mut().pop());
        broken.map_or(Ok(()), Err)
    }

    fn check_counts(&mut self) {
        let mut counts: BTreeMap<TaskState, usize> = BTreeMap::new();
        let mut grouped = 0;
        let mut audio = 0.0;
        let mut problems = Vec::new();
        let mut fingerprints = BTreeSet::new();
        for status in self.core.all() {
            *counts.entry(status.state).or_default() += 1;
            if status.group.is_some() {
                grouped += 1;
                audio += status.audio_seconds;
            }
            if status.completed_at.is_some() != status.state.is_terminal() {
                problems.push(format!("{} has ended half", status.id));
            }
            let promise = self.promises.get(&status.id);
            if let Some(fingerprint) = promise.and_then(|promise| promise.fingerprint)
                && !status.state.is_terminal()
                && !fingerprints.insert(fingerprint)
            {
                problems.push(format!("two tasks of fingerprint {fingerprint}"));
            }
            let is_durable = promise.is_some_and(|promise| promise.durable);
            let database = status
                .error
                .as_ref()
                .is_some_and(|error| error.code == ErrorCode::Database);
            if is_durable && status.state.is_terminal() && !database {
                let on_disk = self.disk.end_of(&status.id);
                if on_disk != Some(status.state) {
                    let state = status.state;
                    problems.push(format!(
                        "{} is shown as {state} and is not on disk",
                        status.id
                    ));
                }
            }
            if is_durable && !status.state.is_terminal() {
                let stored = self.disk.tasks.get(&status.id);
                for segment in status.completed_segments.iter() {
                    let part = segment.segment_id;
                    if !stored.is_some_and(|stored| stored.done.contains(&part)) {
                        problems.push(format!("part {part} of {} is shown only", status.id));
                    }
                }
            }
        }
        for state in TaskState::ALL {
            let (counted, shown) = (self.core.count(state), counts.get(&state).copied());
            if counted != shown.unwrap_or(0) {
                problems.push(format!(
                    "{counted} tasks are counted as {state}, not {shown:?}"
                ));
            }
        }
        let group = self.core.group(&GroupId::from("group"));
        let (tasks, seconds) = group.map_or((0, 0.0), |group| (group.tasks(), group.audio_seconds));
        if tasks != grouped || (seconds - audio).abs() > 1e-6 {
            problems.push(format!(
                "a group of {tasks} tasks and {seconds} s, not {grouped}, {audio}"
            ));
        }
        for problem in problems {
            self.fail(problem);
        }
    }

    /// Nothing that was accepted is lost.
    fn check_promises(&mut self) {
        let mut problems = Vec::new();
        for (id, promise) in &self.promises {
            let waits = self.core.status(id).is_some_and(|status| {
                status.state == TaskState::Pending && !status.cancel_requested && !promise.depends
            });
            if let Some(due) = promise.due.filter(|due| *due > self.mono)
                && waits
                && !self.shutting_down
                && self.wake_at.is_none_or(|at| at > due)
            {
                problems.push(format!("nobody is woken for {id}, which is due at {due:?}"));
            }
            if !promise.durable || !promise.accepted {
                continue;
            }
            let Some(stored) = self.disk.tasks.get(id) else {
                problems.push(format!("{id} was accepted and is lost"));
                continue;
            };
            let is_open = !stored.state.is_terminal();
            if is_open && !self.is_down && !self.core.contains(id) {
                problems.push(format!("{id} has not ended on disk and is not known"));
            }
        }
        for problem in problems {
            self.fail(problem);
        }
    }

    /// What is urgent waits only for workers that can't be freed, or will be.
    fn check_urgent(&mut self) {
        if self.shutting_down {
            return;
        }
        let waits = |id: &TaskId, promise: &Promise| {
            let status = self.core.status(id);
            promise.urgent
                && promise.after.is_empty()
                && promise.due.is_none()
                && status.is_some_and(|status| {
                    status.state == TaskState::Pending && !status.paused && status.attempt == 0
                })
        };
        let promises = self.promises.iter();
        let waiting = promises.filter(|(id, one)| waits(id, one)).count();
        if waiting == 0 {
            return;
        }
        let (busy, alive, ..) = self.core.worker_counts();
        let (mut leaving, mut going_on) = (0, 0);
        for job in self.jobs().filter(|job| !job.abandoned) {
            let is_durable = job.kind == Kind::Durable;
            match job.asked {
                Some(reason) if is_durable || reason.is_now() => leaving += 1,
                None if is_durable => going_on += 1,
                _ => {}
            }
        }
        if waiting > 1 {
            self.met("urgent: several wait");
        }
        if busy < alive {
            self.fail(format!("{waiting} urgent tasks wait for an idle worker"));
        }
        if going_on > 0 && leaving < waiting {
            self.fail(format!(
                "{waiting} urgent tasks wait, {leaving} runs make room and {going_on} do not"
            ));
        }
    }

    fn check_runs(&mut self) {
        let (busy, _, abandoned, _) = self.core.worker_counts();
        let alive = self.core.threads();
        let given_up = self.jobs().filter(|job| job.abandoned).count();
        let jobs = self.jobs().count() - given_up;
        let leaving = self.jobs.iter().filter(|job| matches!(job, Job::Leave));
        let (leaving, threads) = (leaving.count(), self.threads);
        if busy != jobs || abandoned != given_up {
            self.fail(format!(
                "{busy} busy, {abandoned} given up; really {jobs} and {given_up}"
            ));
        }
        if alive + (abandoned + leaving).cast_signed() != threads.cast_signed() {
            self.fail(format!(
                "{alive} workers, {abandoned} given up, {leaving} leaving; {threads} threads"
            ));
        }
    }
}
