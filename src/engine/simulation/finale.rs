//! A history: many steps in disorder, and an end at which everything must come to rest.

use std::time::Duration;

use super::world::World;
use crate::engine::core::Command;
use crate::model::{ShutdownWait, TaskState};

/// Steps in which a calm world must come to rest.
const PATIENCE: u32 = 4000;

impl World {
    pub(super) fn live(&mut self) -> Result<(), String> {
        let length = self.random.u64(60..160);
        while self.steps < length {
            self.step();
            self.check()?;
        }
        self.come_to_rest()
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.batch.is_some() {
            self.batch_age += 1;
        }
        if self.is_down {
            if self.one_in(3) {
                self.met("user: opens again");
                self.reopen();
            } else {
                self.work();
            }
            return;
        }
        match self.random.u8(..64) {
            0..=9 => self.submit(),
            10..=15 => self.act(),
            16..=23 => self.answer_batch(),
            24..=29 => self.take_job(),
            30..=49 => self.work(),
            50..=52 => self.admit(),
            53..=59 => {
                let most = Duration::from_millis(self.random.u64(1..3000));
                self.pass(most);
            }
            60 if self.one_in(6) => self.no_threads = !self.no_threads,
            60 => self.disturb_the_clock(),
            61 if self.one_in(2) => self.crash(),
            62 if self.one_in(2) || self.shutting_down => self.shut_down(),
            _ => self.ring(),
        }
    }

    /// The disk answers, workers come back, the clock rings when it was asked to: every task that can
    /// run ends, the engine goes down, and nothing is left.
    fn come_to_rest(&mut self) -> Result<(), String> {
        self.calm = true;
        if self.is_down {
            self.reopen();
        }
        if !self.shutting_down {
            self.resume_all();
            self.end_recurrences()?;
            self.settle(Self::is_all_ended)
                .map_err(|problem| format!("the tasks do not end: {problem}"))?;
        }
        let wait = ShutdownWait::Now;
        self.shutting_down = true;
        self.ask(super::world::Waits::Down, |call| Command::Shutdown {
            wait,
            call,
        });
        self.settle(|world| world.is_down)
            .map_err(|problem| format!("the engine does not go down: {problem}"))?;
        // No thread takes a job any more.
        self.jobs.clear();
        // Those that were left behind come back one day.
        self.settle(|world| world.running.is_empty())?;
        if let Some((call, waits)) = self.calls.first_key_value() {
            return Err(format!("call {call} is never answered: {waits:?}"));
        }
        let alive = self.alive.borrow().len();
        if alive > 0 {
            return Err(format!("the work of {alive} tasks is never dropped"));
        }
        Ok(())
    }

    /// Whether everything that can end has; what waits for a task that was never known may not.
    fn is_all_ended(&self) -> bool {
        let waiting = self.core.count(TaskState::Pending) + self.core.count(TaskState::Processing);
        waiting == 0 && self.to_admit.is_empty() && self.batch.is_none()
    }

    pub(super) fn settle(&mut self, is_over: impl Fn(&Self) -> bool) -> Result<(), String> {
        for round in 0..PATIENCE {
            if is_over(self) {
                return self.check();
            }
            if round % 64 == 63 && !self.shutting_down {
                self.resume_all();
            }
            self.answer_batch();
            self.admit();
            self.take_job();
            self.work();
            if self.wake_at.is_some() && self.one_in(4) {
                // Nothing but what the clock was asked for moves time on.
                let at = self.wake_at.unwrap_or_default();
                let passed = at.saturating_sub(self.mono);
                self.mono += passed;
                self.wall += i64::try_from(passed.as_millis()).unwrap_or(0);
                self.ring();
            } else {
                self.mono += Duration::from_millis(1);
                self.wall += 1;
            }
            self.check()?;
        }
        let tasks: Vec<_> = self
            .core
            .all()
            .into_iter()
            .filter(|task| !task.state.is_terminal())
            .map(|task| format!("{} {} {:?}", task.id, task.state, task.hold))
            .collect();
        Err(format!("{tasks:?}, wake at {:?}", self.wake_at))
    }
}
