//! What a user does, and what happens to the process and its clock.

use std::time::Duration;

use super::disk::{Record, StoredTask};
use super::world::{Body, Promise, TODAY, Waits, World};
use crate::engine::core::{
    Answer, Command, Kind, NewTask, Refusal, Report, RestoredTask, Schedule,
};
use crate::model::{
    CompletedSegment, ErrorObject, Limits, Priority, SegmentId, ShutdownWait, TaskId, TaskKind,
    TaskState, TaskStatus, Timestamp,
};

const SECOND: Duration = Duration::from_secs(1);

fn completed(part: SegmentId) -> CompletedSegment {
    CompletedSegment {
        segment_id: part,
        clip: "clip".into(),
        duration: SECOND,
        work: Duration::ZERO,
    }
}

impl World {
    fn some_task(&mut self) -> Option<TaskId> {
        let ids: Vec<_> = self.promises.keys().cloned().collect();
        (!ids.is_empty()).then(|| ids[self.random.usize(..ids.len())].clone())
    }

    /// A task as a user may hand it in, and what that promises.
    fn new_task(&mut self) -> (bool, NewTask<Body, Record>, Promise) {
        let id = if self.one_in(12) {
            self.some_task()
        } else {
            None
        };
        // One that has ended may leave in the very step that brings another of its name.
        let id = id.filter(|id| {
            let status = self.core.status(id);
            status.is_none_or(|status| !status.state.is_terminal())
        });
        let is_known = id.is_some();
        let id = id.unwrap_or_else(|| {
            self.next_task += 1;
            TaskId::from(format!("t{:03}", self.next_task))
        });
        let kind = match self.random.u8(..8) {
            0 => Kind::Once,
            1 => Kind::Repeatable,
            _ => Kind::Durable,
        };
        let is_durable = kind == Kind::Durable;
        let fingerprint = (is_durable && self.random.bool()).then(|| self.random.u8(..3));
        let key = (is_durable && self.random.bool()).then(|| self.random.u8(..2));
        let urgent = !is_durable && self.random.bool();
        let parts = self.random.u32(1..4);
        let timeout = self.one_in(4).then(|| SECOND * self.random.u32(1..30));
        let delay = self.one_in(6).then(|| SECOND * self.random.u32(1..20));
        let mut after = Vec::new();
        if self.one_in(5) {
            after.extend(self.some_task());
        }
        let paused = self.one_in(10);
        let schedule = Schedule {
            limits: Limits::default(),
            priority: Priority::ALL[self.random.usize(..3)],
            delay,
            after: after.clone(),
            paused,
            group: self.one_in(3).then(|| "group".into()),
            rank: None,
            trace: None,
            context: None,
        };
        // Whoever submits looks up what the core no longer knows.
        let failed = after.iter().find(|id| {
            let bad = [Some(TaskState::Failed), Some(TaskState::Cancelled)];
            !self.core.contains(id) && bad.contains(&self.disk.end_of(id))
        });
        let failed = failed.cloned();
        let title = "task".into();
        let kind_of_task = if is_durable {
            TaskKind::Operation
        } else {
            TaskKind::Closure
        };
        let record = Record {
            fingerprint,
            key,
            parts,
        };
        let new = NewTask {
            status: TaskStatus::new(id.clone(), title, kind_of_task, Timestamp(self.wall)),
            kind,
            body: Some(self.new_body()),
            record: is_durable.then_some(record),
            fingerprint: fingerprint.map(|one| one.to_string().into()),
            breaker: key.map(|one| one.to_string().into()),
            timeout,
            failed_dependency: failed.clone(),
            schedule,
            urgent,
            replaces: false,
            again: if self.one_in(6) {
                vec![SegmentId::FIRST]
            } else {
                Vec::new()
            },
        };
        let promise = Promise {
            durable: is_durable,
            timeout,
            depends: !after.is_empty(),
            // What nobody knows, or what has ended, is not waited for, also if a task of that name comes
            // later.
            after: after
                .into_iter()
                .filter(|id| self.core.contains(id) && !self.has_ended(id))
                .collect(),
            due: delay.map(|delay| self.mono + delay),
            fingerprint,
            paused,
            urgent,
            ..Promise::default()
        };
        (is_known, new, promise)
    }

    fn has_ended(&self, id: &TaskId) -> bool {
        let status = self.core.status(id);
        status.is_some_and(|status| status.state.is_terminal())
    }

    pub(super) fn submit(&mut self) {
        let (is_known, new, promise) = self.new_task();
        let id = new.status.id.clone();
        let (is_durable, kind) = (promise.durable, new.kind);
        self.note(format!("submit {id} {kind:?} after {:?}", promise.after));
        let was = if is_known {
            self.promises.get(&id).cloned()
        } else {
            None
        };
        // A promise of an id that is taken stays what it was.
        let is_taken = self.core.contains(&id);
        if !is_taken {
            self.promises.insert(id.clone(), promise);
        }
        let waits = Waits::Submission(id.clone());
        let (answer, call) = self.ask(waits, |call| Command::Submit(Box::new(new), call));
        match answer {
            Answer::Refused(refusal) => {
                if let Refusal::Full { .. } = refusal {
                    self.met("user: finds the queue full");
                }
                if let Refusal::Duplicate(_) = refusal {
                    self.met("user: submits twice");
                }
                if !is_taken {
                    match was {
                        Some(was) => self.promises.insert(id, was),
                        None => self.promises.remove(&id),
                    };
                }
            }
            Answer::Done if is_durable => self.fail(format!("{id} is accepted at once")),
            // It was known in an earlier process, and the disk will say so.
            Answer::Later if was.is_some() && self.disk.tasks.contains_key(&id) => {
                self.calls
                    .insert(call, Waits::Submission(TaskId::from("taken")));
                if let Some(was) = was {
                    self.promises.insert(id, was);
                }
            }
            _ => {}
        }
    }

    pub(super) fn restore(&mut self, id: &TaskId, stored: StoredTask) {
        let now = self.wall;
        let title = "task".into();
        // As in the database: a clock that was set back makes no delay longer.
        let longest = stored.schedule.delay.unwrap_or_default();
        let delay = stored.due.map(|due| due.since(Timestamp(now)).min(longest));
        let delay = delay.filter(|delay| !delay.is_zero());
        let mut schedule = stored.schedule.clone();
        schedule.delay = delay;
        let bad = |id: &&TaskId| {
            let end = self.disk.end_of(id);
            matches!(end, Some(TaskState::Failed | TaskState::Cancelled))
        };
        let failed = stored.schedule.after.iter().find(bad).cloned();
        let mut missing = Vec::new();
        let mut done: Vec<_> = stored.done.iter().copied().collect();
        if !done.is_empty() && self.one_in(10) {
            self.met("part: result gone");
            missing.push(done.remove(0));
        }
        let mut status = TaskStatus::new(id.clone(), title, TaskKind::Operation, Timestamp(now));
        status.occurrence.clone_from(&stored.occurrence);
        let task = RestoredTask {
            status,
            seq: stored.seq,
            body: Some(self.new_body()),
            fingerprint: stored.record.fingerprint.map(|one| one.to_string().into()),
            breaker: stored.record.key.map(|one| one.to_string().into()),
            timeout: stored.timeout,
            schedule,
            failed_dependency: failed,
            cancelled: stored.cancelled,
            done: done.into_iter().map(completed).collect(),
            missing,
            errors: Vec::new(),
        };
        let due = delay.map(|delay| self.mono + delay);
        let paused = stored.schedule.paused;
        let known = stored.schedule.after.iter();
        let after: Vec<_> = known.filter(|id| self.core.contains(id)).cloned().collect();
        if let Some(promise) = self.promises.get_mut(id) {
            promise.due = due;
            promise.paused = paused;
            promise.after = after;
            promise.depends |= !stored.schedule.after.is_empty();
        } else {
            // It was on its way when the process died, and came to the disk: it was never refused.
            self.promises.insert(
                id.clone(),
                Promise {
                    durable: true,
                    accepted: true,
                    timeout: stored.timeout,
                    after,
                    depends: !stored.schedule.after.is_empty(),
                    due,
                    fingerprint: stored.record.fingerprint,
                    paused,
                    ..Promise::default()
                },
            );
        }
        self.apply(Command::Restore(Box::new(task)));
    }

    /// Whoever submitted a task that takes results over has looked at them.
    pub(super) fn admit(&mut self) {
        if self.to_admit.is_empty() {
            return;
        }
        let index = self.random.usize(..self.to_admit.len());
        let (task, mut done) = self.to_admit.swap_remove(index);
        let mut missing = Vec::new();
        if !done.is_empty() && self.one_in(3) {
            self.met("part: result gone");
            missing.push(done.remove(0));
        }
        let done = done.into_iter().map(completed).collect();
        self.apply(Command::Admit {
            task,
            done,
            missing,
        });
    }

    pub(super) fn act(&mut self) {
        let choice = self.random.u8(..20);
        match choice {
            0..=4 => self.cancel(),
            5..=7 => self.pause_or_resume(),
            8 => {
                self.met("user: pauses the queue");
                self.queue_paused = true;
                for promise in self.promises.values_mut() {
                    promise.yielded = false;
                }
                self.apply(Command::SetQueuePaused(true));
            }
            9 | 10 => {
                self.queue_paused = false;
                self.apply(Command::SetQueuePaused(false));
            }
            11 | 12 => {
                if let Some(task) = self.some_task() {
                    if self.one_in(3) {
                        self.move_first(task);
                        return;
                    }
                    let up = self.random.bool();
                    if self.apply(Command::Move { task, up }) == Answer::Done {
                        self.met("user: moves");
                    }
                }
            }
            13 | 14 => {
                if let Some(task) = self.some_task() {
                    let waits = Waits::End(task.clone());
                    self.met("user: waits for an end");
                    self.ask(waits, |call| Command::Watch { task, call });
                }
            }
            15 => {
                let max_age = SECOND * self.random.u32(..100);
                self.apply(Command::Cleanup { max_age });
            }
            16 => {
                self.met("user: changes the workers");
                let most = self.random.usize(1..4);
                let least = self.random.usize(1..=most);
                self.apply(Command::SetWorkers(least, most));
            }
            17 if self.one_in(4) => {
                self.met("user: cancels all");
                self.apply(Command::CancelAll);
            }
            18 => self.resume_all(),
            19 if self.random.bool() => self.report(),
            19 => self.set_or_end_recurring(),
            _ => {}
        }
    }

    fn move_first(&mut self, task: TaskId) {
        let mut tasks = vec![task];
        tasks.extend(self.some_task());
        if self.apply(Command::MoveFirst(tasks)) == Answer::Count(2) {
            self.met("user: moves to the front");
        }
    }

    /// Someone outside the workers tells something of a task. Only what its own worker tells of an
    /// operation's parts is on disk.
    fn report(&mut self) {
        let Some(task) = self.some_task() else {
            return;
        };
        let is_durable = self.promises.get(&task).is_some_and(|one| one.durable);
        let part = SegmentId::new(self.random.u32(1..4));
        let report = match self.random.u8(..3) {
            0 if !is_durable => Report::Part(completed(part)),
            1 => Report::Error(part, ErrorObject::new("X", "x")),
            _ => Report::Progress {
                current: self.random.u64(..9),
                total: self.random.u64(..9),
                extra: None,
            },
        };
        if self.report_to_core(&task, report) == Answer::Done {
            self.met("user: reports");
        }
    }

    pub(super) fn resume_all(&mut self) {
        for promise in self.promises.values_mut() {
            promise.paused = false;
        }
        self.queue_paused = false;
        self.apply(Command::ResumeAll);
    }

    fn cancel(&mut self) {
        let Some(task) = self.some_task() else {
            return;
        };
        let state = self.core.status(&task).map(|status| status.state);
        let after_part = self.one_in(3);
        if self.apply(Command::Cancel { task, after_part }) == Answer::Done {
            let runs = state == Some(TaskState::Processing);
            self.met(if runs {
                "user: cancels what runs"
            } else {
                "user: cancels what waits"
            });
        }
    }

    fn pause_or_resume(&mut self) {
        let Some(task) = self.some_task() else {
            return;
        };
        let state = self.core.status(&task).map(|status| status.state);
        let paused = self.random.bool();
        if let Some(promise) = self.promises.get_mut(&task) {
            // What is released may start at once.
            promise.paused &= paused;
        }
        let command = Command::SetPaused {
            task: task.clone(),
            paused,
        };
        if self.apply(command) == Answer::Done {
            if state == Some(TaskState::Processing) && paused {
                self.met("user: pauses what runs");
            }
            if let Some(promise) = self.promises.get_mut(&task) {
                promise.paused = paused;
                promise.yielded = false;
            }
        }
    }

    pub(super) fn shut_down(&mut self) {
        let time = SECOND * self.random.u32(1..20);
        let (wait, kind) = match self.random.u8(..4) {
            0 => (ShutdownWait::Now, "user: shuts down now"),
            1 => (ShutdownWait::Segments(time), "user: shuts down after parts"),
            2 => (ShutdownWait::Tasks(time), "user: shuts down after tasks"),
            _ => (ShutdownWait::Drain(time), "user: drains"),
        };
        self.met(kind);
        if self.shutting_down {
            self.met("user: shuts down twice");
        }
        self.note(format!("shut down: {wait:?}"));
        self.shutting_down = true;
        self.ask(Waits::Down, |call| Command::Shutdown { wait, call });
    }

    pub(super) fn disturb_the_clock(&mut self) {
        if self.random.bool() {
            self.met("clock: the wall jumps");
            // Sometimes by days, or it is set, or loses what it knew.
            if self.one_in(8) {
                self.wall = if self.wall < TODAY { TODAY } else { 1_000_000 };
                return;
            }
            let most = if self.one_in(4) { 200_000_000 } else { 100_000 };
            self.wall += self.random.i64(-most..most);
            return;
        }
        // The process is stopped for a while, and the clock rings late.
        let by = SECOND * self.random.u32(2..100);
        if self.wake_at.is_some() {
            self.met("clock: oversleeps");
        }
        self.mono += by;
        self.slept += by;
        self.wall += i64::try_from(by.as_millis()).unwrap_or(0);
        for promise in self.promises.values_mut() {
            // That was no time that the work had, but for what a clock can't notice.
            promise.started = promise.started.map(|at| at + by.saturating_sub(SECOND * 2));
        }
        self.ring();
    }
}
