//! What workers do: they take jobs, begin and finish parts in any order, and come back.

use std::time::Duration;

use serde_json::Value;

use super::disk::clip;
use super::world::{Job, RunningJob, Waits, World};
use crate::engine::core::{Answer, Command, Kind};
use crate::engine::error::WorkError;
use crate::engine::interrupt::StopReason;
use crate::model::{ErrorCode, ErrorObject, SegmentId, TaskState};

impl World {
    /// A free thread takes the next job.
    pub(super) fn take_job(&mut self) {
        if self.running.len() >= self.threads {
            return;
        }
        match self.jobs.pop_front() {
            Some(Job::Run(job)) => self.running.push(*job),
            Some(Job::Leave) => self.threads -= 1,
            None => {}
        }
    }

    /// One of the workers takes a step.
    pub(super) fn work(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let index = self.random.usize(..self.running.len());
        if self.running[index].hangs {
            if self.calm || self.one_in(12) {
                self.running[index].hangs = false;
            }
            return;
        }
        if !self.calm && self.one_in(25) {
            self.met("worker: hangs");
            self.running[index].hangs = true;
            return;
        }
        let job = &self.running[index];
        if job.abandoned {
            return self.come_back_late(index);
        }
        if job.asked.is_some() && self.random.u8(..4) > 0 {
            return self.stop(index);
        }
        if job.kind == Kind::Durable {
            self.work_at_parts(index);
        } else if self.one_in(3) {
            let result = self.closure_result();
            self.finish(index, result);
        }
    }

    fn closure_result(&mut self) -> Result<Value, WorkError> {
        match self.random.u8(..6) {
            0 => {
                self.met("worker: fails");
                Err(WorkError::Failed(ErrorObject::new("X", "x")))
            }
            1 => {
                self.met("worker: fails for a while");
                Err(WorkError::Transient(ErrorObject::new("BUSY", "x")))
            }
            _ => Ok(Value::Null),
        }
    }

    /// It was asked to stop, and does, once its results are on disk.
    fn stop(&mut self, index: usize) {
        if !self.running[index].calls.is_empty() {
            return;
        }
        let result = if self.running[index].kind != Kind::Durable && self.random.bool() {
            Ok(Value::Null)
        } else {
            Err(WorkError::Interrupted)
        };
        self.finish(index, result);
    }

    /// A worker that was given up tries to bring what it has.
    fn come_back_late(&mut self, index: usize) {
        self.met("worker: comes back late");
        let job = &self.running[index];
        let (run, lease) = (job.run, job.leases.first().copied());
        if let Some((part, lease, _)) = lease {
            let answer = self.ask(Waits::Part(run), |call| Command::CompletePart {
                run,
                lease: Some(lease),
                clip: clip(part),
                work: Duration::ZERO,
                call,
            });
            if answer.0 == Answer::Later || answer.0 == Answer::Done {
                self.fail("a run that was given up brings a result");
            }
        }
        self.finish(index, Ok(Value::Null));
    }

    fn work_at_parts(&mut self, index: usize) {
        let RunningJob {
            run,
            ref task,
            ref leases,
            ref calls,
            ..
        } = self.running[index];
        let Some(status) = self.core.status(task) else {
            return;
        };
        let parts = self
            .disk
            .tasks
            .get(task)
            .map_or(0, |task| task.record.parts);
        let missing = SegmentId::all(parts).find(|part| {
            status.completed_segments.get(*part).is_none()
                && leases.iter().all(|(open, ..)| open != part)
                && calls.values().all(|stored| stored != part)
        });
        let leases = leases.clone();
        let broken_off = self.running[index].broken_off.iter().next().copied();
        if let Some(part) = broken_off {
            self.running[index].broken_off.remove(&part);
            let error = ErrorObject::new(ErrorCode::Timeout, "x");
            self.running[index].failed = true;
            self.running[index]
                .leases
                .retain(|(open, ..)| *open != part);
            self.apply(Command::ClosePart { run, part });
            self.apply(Command::FailPart { run, part, error });
            return;
        }
        match self.random.u8(..10) {
            0..=3 if missing.is_some() => {
                let part = missing.unwrap_or(SegmentId::FIRST);
                if self.one_in(10) {
                    return self.copy_part(index, part);
                }
                if let Answer::Lease(lease) = self.apply(Command::OpenPart { run, part }) {
                    self.running[index].leases.push((part, lease, true));
                    if self.running[index].leases.len() > 1 {
                        self.met("part: several open");
                    }
                }
            }
            4 | 5 if !leases.is_empty() => {
                let number = self.random.usize(..leases.len());
                let (part, lease, is_open) = leases[number];
                if self.one_in(6) {
                    self.met("part: fails");
                    self.running[index].failed = true;
                    self.running[index].leases.swap_remove(number);
                    let error = ErrorObject::new("X", "x");
                    self.apply(Command::FailPart { run, part, error });
                } else if self.one_in(8) {
                    // It is begun again, and then the older attempt comes with a result.
                    if let Answer::Lease(newer) = self.apply(Command::OpenPart { run, part }) {
                        self.met("worker: brings an old result");
                        self.running[index].leases[number] = (part, newer, true);
                        let answer = self.complete(index, part, Some(lease));
                        if answer == Answer::Later {
                            self.fail("an older attempt at a part has won");
                        }
                    }
                } else if is_open {
                    self.running[index].leases[number].2 = false;
                    self.apply(Command::ClosePart { run, part });
                }
            }
            6..=8 if !leases.is_empty() => {
                let number = self.random.usize(..leases.len());
                let (part, lease, _) = leases[number];
                self.running[index].leases.swap_remove(number);
                let is_asked = self.running[index].asked.is_some();
                let answer = self.complete(index, part, Some(lease));
                if answer != Answer::Later && !is_asked {
                    self.fail(format!("a result of run {run} is not taken: {answer:?}"));
                }
            }
            _ if leases.is_empty() && missing.is_none() => self.all_done(index),
            9 if leases.is_empty() && self.one_in(3) => {
                let result = if self.one_in(3) {
                    self.met("worker: fails");
                    Err(WorkError::Failed(ErrorObject::new("X", "x")))
                } else {
                    self.met("worker: fails for a while");
                    Err(WorkError::Transient(ErrorObject::new("BUSY", "x")))
                };
                if self.running[index].calls.is_empty() {
                    self.finish(index, result);
                }
            }
            _ => {}
        }
    }

    fn all_done(&mut self, index: usize) {
        if !self.running[index].calls.is_empty() {
            return;
        }
        let result = if self.running[index].failed {
            Err(WorkError::Failed(ErrorObject::new("PARTS", "x")))
        } else {
            Ok(Value::Null)
        };
        self.finish(index, result);
    }

    fn copy_part(&mut self, index: usize, part: SegmentId) {
        self.complete(index, part, None);
    }

    fn complete(&mut self, index: usize, part: SegmentId, lease: Option<u64>) -> Answer {
        let run = self.running[index].run;
        let (answer, call) = self.ask(Waits::Part(run), |call| Command::CompletePart {
            run,
            lease,
            clip: clip(part),
            work: Duration::from_millis(10),
            call,
        });
        if answer == Answer::Later {
            self.running[index].calls.insert(call, part);
        }
        answer
    }

    fn finish(&mut self, index: usize, result: Result<Value, WorkError>) {
        let mut job = self.running.swap_remove(index);
        let body = job.body.take();
        let kind = job.kind;
        let is_abandoned = job.abandoned;
        let body = if kind == Kind::Once {
            drop(body);
            None
        } else {
            body
        };
        let before = self
            .core
            .status(&job.task)
            .map_or(0, |status| status.attempt);
        let is_stop = matches!(
            (&result, job.asked),
            (
                Err(WorkError::Interrupted),
                Some(
                    StopReason::Yield
                        | StopReason::Pause
                        | StopReason::Shutdown
                        | StopReason::ShutdownAfterSegment
                )
            )
        );
        let yields = is_stop && !is_abandoned && job.asked == Some(StopReason::Yield);
        if yields && let Some(promise) = self.promises.get_mut(&job.task) {
            promise.yielded = true;
        }
        self.note(format!("run {} comes back: {result:?}", job.run));
        self.apply(Command::Finished {
            run: job.run,
            result,
            body,
        });
        if is_stop
            && kind == Kind::Durable
            && !is_abandoned
            && let Some(status) = self.core.status(&job.task)
            && status.state == TaskState::Pending
            && status.attempt >= before
        {
            self.fail(format!("a stop costs {} an attempt", job.task));
        }
        if yields {
            self.met("urgent: an operation makes room");
            let status = self.core.status(&job.task);
            let waits = status.is_some_and(|status| match status.state {
                TaskState::Pending => !status.paused,
                // It runs again, or it is about to end.
                _ => self.jobs().any(|other| other.task == job.task),
            });
            if !waits {
                self.fail(format!("{} makes room and does not continue", job.task));
            }
        }
    }
}
