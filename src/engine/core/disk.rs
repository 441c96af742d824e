//! What is on its way to the disk. One batch of rows at most is with the store; what happens in the
//! meantime makes the next one, so that the order on disk is the order here, and many changes share
//! a commit. What must not be told before it is on disk waits here for the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::mutation::{Mutation, mutated};
use super::policy::doubled;
use super::state::{Admission, Alarm, Then};
use super::{Core, Effect, Log, Now, Output, Reply, Row, RowAnswer, RowResult};
use crate::engine::error::StoreError;
use crate::model::{ErrorCode, ErrorObject, TaskId, TaskState};

/// Rows that share one commit at most.
const BATCH: usize = 256;
/// The wait before rows are tried again that the disk refused for a reason that may pass.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub(super) struct Disk<R> {
    waiting: Vec<(Row<R>, Then)>,
    flying: Vec<Then>,
    /// The number of the batch that is with the store.
    batch: Option<u64>,
    last_batch: u64,
    /// When rows are tried again that were refused, and how often they were.
    retry: Option<Duration>,
    failures: u32,
    /// Rows that were given up when the engine went down.
    pub lost: usize,
    /// Tasks whose submitter looks at the results that they took over.
    pub adopting: BTreeMap<TaskId, Admission>,
}

impl<R> Default for Disk<R> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            flying: Vec::new(),
            batch: None,
            last_batch: 0,
            retry: None,
            failures: 0,
            lost: 0,
            adopting: BTreeMap::new(),
        }
    }
}

impl<R> Disk<R> {
    pub(super) fn add(&mut self, row: Row<R>, then: Then) {
        self.waiting.push((row, then));
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.batch.is_none()
    }
}

impl<B, R: Clone> Core<B, R> {
    /// Sends the next batch, if none is on its way and there is something to send.
    pub(super) fn send_rows(&mut self, now: Now, out: &mut Output<B, R>) {
        let is_last = self.is_flushing();
        let disk = &mut self.disk;
        // What is refused once more before the end is not tried again: nobody needs to wait for it.
        let must_wait = !is_last && disk.retry.is_some_and(|at| at > now.mono);
        if disk.batch.is_some() || disk.waiting.is_empty() || must_wait {
            return;
        }
        disk.retry = None;
        let count = disk.waiting.len().min(BATCH);
        let mut rows = Vec::with_capacity(count);
        for (row, then) in disk.waiting.drain(..count) {
            rows.push(row);
            disk.flying.push(then);
        }
        disk.last_batch += 1;
        let batch = disk.last_batch;
        disk.batch = Some(batch);
        out.effects.push(Effect::Persist { batch, rows });
    }

    pub(super) fn persisted(
        &mut self,
        batch: u64,
        answers: Vec<RowResult<R>>,
        now: Now,
        out: &mut Output<B, R>,
    ) -> super::Answer {
        if self.disk.batch != Some(batch) {
            return super::Answer::Refused(super::Refusal::Stale);
        }
        self.disk.batch = None;
        let flying = std::mem::take(&mut self.disk.flying);
        let mut refused = Vec::new();
        for (then, answer) in flying.into_iter().zip(answers) {
            match answer {
                Ok(answer) => self.stored(then, answer, now, out),
                Err(refusal) => {
                    let (row, error) = *refusal;
                    self.not_stored(row, then, error, &mut refused, now, out);
                }
            }
        }
        if refused.is_empty() || mutated(Mutation::RowForgotten) {
            self.disk.failures = 0;
        } else {
            // They go first: what came after them rests on them.
            refused.append(&mut self.disk.waiting);
            self.disk.waiting = refused;
            self.disk.failures += 1;
            let wait = doubled(FIRST_RETRY, self.disk.failures, LONGEST_RETRY);
            let at = now.mono.saturating_add(wait);
            self.disk.retry = Some(at);
            self.set_alarm(at, Alarm::DiskRetry);
        }
        super::Answer::Done
    }

    fn stored(&mut self, then: Then, answer: RowAnswer, now: Now, out: &mut Output<B, R>) {
        match then {
            Then::Nothing => {}
            Then::Tell(event) => out.events.push(event),
            Then::Accepted {
                task,
                call,
                admission,
            } => match answer {
                RowAnswer::Accepted(clips) => {
                    self.accepted(task, call, *admission, clips, now, out);
                }
                RowAnswer::Taken | RowAnswer::Done => {
                    let reply = Reply::Duplicate(task.clone());
                    self.not_accepted(&task, call, admission.ran.as_ref(), reply, now, out);
                }
            },
            Then::PartDone {
                task,
                segment,
                lease,
                is_made,
                call,
            } => {
                self.drop_stored_lease(&task, segment.segment_id, lease);
                self.part_stored(&task, segment, is_made, now, out);
                out.effects.push(Effect::Reply(call, Reply::Stored));
            }
            Then::PartForgotten { task, part, call } => {
                self.part_forgotten(&task, part, now, out);
                out.effects.push(Effect::Reply(call, Reply::Stored));
            }
            Then::RecurringSet(call) => self.recurring_stored(call, now, out),
            Then::RecurringRemoved { name, call } => {
                self.recurring_removed(&name, now, out);
                out.effects.push(Effect::Reply(call, Reply::Stored));
            }
            Then::Ended(ending) => self.conclude(*ending, now, out),
        }
    }

    /// The disk has refused a row. Who waits for it is told; what nobody waits for is tried again,
    /// for what was decided must come to the disk, unless no further try can help.
    fn not_stored(
        &mut self,
        row: Row<R>,
        then: Then,
        error: StoreError,
        refused: &mut Vec<(Row<R>, Then)>,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let may_pass = error.may_pass() && !self.is_flushing();
        let has_caller = matches!(
            then,
            Then::Accepted { .. } | Then::RecurringSet(_) | Then::RecurringRemoved { .. }
        );
        if self.is_flushing() && !has_caller {
            self.disk.lost += 1;
        }
        match then {
            Then::Accepted {
                task,
                call,
                admission,
            } => {
                let (ran, reply) = (admission.ran.as_ref(), Reply::Failed(error));
                self.not_accepted(&task, call, ran, reply, now, out);
            }
            Then::RecurringSet(call) => {
                self.recurring_not_stored(call, out);
                out.effects.push(Effect::Reply(call, Reply::Failed(error)));
            }
            Then::RecurringRemoved { call, .. } => {
                out.effects.push(Effect::Reply(call, Reply::Failed(error)));
            }
            Then::PartDone {
                task,
                segment,
                lease,
                call,
                ..
            } => {
                self.drop_stored_lease(&task, segment.segment_id, lease);
                out.effects.push(Effect::Reply(call, Reply::Failed(error)));
            }
            Then::PartForgotten { call, .. } => {
                out.effects.push(Effect::Reply(call, Reply::Failed(error)));
            }
            then if may_pass => {
                if self.disk.failures == 0 {
                    let task = match &then {
                        Then::Ended(ending) => Some(ending.task.clone()),
                        _ => None,
                    };
                    let error = error.to_string();
                    out.effects
                        .push(Effect::Log(Log::NotStored { task, error }));
                }
                refused.push((row, then));
            }
            Then::Ended(ending) if self.is_flushing() => {
                // On disk it has not ended: it continues at the next start, and nothing else is told.
                let error = error.to_string();
                let task = Some(ending.task);
                out.effects
                    .push(Effect::Log(Log::NotStored { task, error }));
            }
            Then::Ended(mut ending) => {
                ending.state = TaskState::Failed;
                ending.is_final = false;
                ending.result = None;
                ending.error = Some(
                    ErrorObject::new(
                        ErrorCode::Database,
                        format!("its end can't be stored: {error}"),
                    )
                    .with_remediation("Start the program again: the task then continues"),
                );
                self.conclude(*ending, now, out);
            }
            Then::Nothing | Then::Tell(_) => {
                let error = error.to_string();
                out.effects
                    .push(Effect::Log(Log::NotStored { task: None, error }));
            }
        }
    }
}
