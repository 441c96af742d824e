//! Batches of rows: answered, refused in part or as a whole, or torn by the end of the process.

use std::sync::Arc;

use super::world::World;
use crate::engine::core::{Command, RecurringRow, Row};
use crate::engine::error::StoreError;

impl World {
    /// The disk answers a batch; some of it may be refused.
    pub(super) fn answer_batch(&mut self) {
        let Some((batch, rows)) = self.batch.take() else {
            return;
        };
        if self.batch_age > 8 {
            self.met("disk: a commit takes long");
        }
        let whole = !self.calm && self.one_in(25);
        if whole {
            self.met("disk: a commit fails");
        }
        let mut answers = Vec::new();
        for row in rows {
            let one = !self.calm && self.one_in(25);
            if whole || one {
                let for_good = one && self.one_in(4);
                if let Row::PartForgotten { task, part } = &row
                    && let Some(stored) = self.disk.tasks.get_mut(task)
                {
                    // It is gone all the same, and is made again.
                    stored.stored.remove(part);
                }
                if let Row::CancelRequested { task } = &row
                    && let Some(promise) = self.promises.get_mut(task)
                {
                    // It may come again, or there is no time for it any more.
                    promise.cancel_batch = None;
                }
                if let (true, Row::Recurring(RecurringRow::Next { name, .. })) = (for_good, &row) {
                    self.disk.unsure.insert(Arc::clone(name));
                }
                let error = if for_good {
                    self.met("disk: a row is refused for good");
                    StoreError::Unknown
                } else {
                    self.met("disk: a row is refused for a while");
                    StoreError::Failed("the disk is full".to_owned())
                };
                answers.push(Err(Box::new((row, error))));
            } else {
                answers.push(Ok(self.disk.put(&row)));
                if let Row::CancelRequested { task } = &row {
                    self.note(format!("the request to cancel {task} is on disk"));
                    if let Some(promise) = self.promises.get_mut(task) {
                        promise.cancel_stored = true;
                    }
                }
            }
        }
        // What was asked for before this batch was sent is in it, or was refused and comes again.
        let is_whole = answers.iter().all(Result::is_ok);
        for promise in self.promises.values_mut() {
            if is_whole && promise.cancel_batch.is_some_and(|asked| asked <= batch) {
                promise.cancel_stored = true;
            }
        }
        self.note(format!("batch {batch} is answered"));
        self.apply(Command::Persisted { batch, answers });
    }

    /// The process dies; what was on its way to the disk is there or not.
    pub(super) fn crash(&mut self) {
        match self.batch.take() {
            None => self.met("crash: nothing on its way"),
            Some((_, rows)) if self.random.bool() => {
                self.met("crash: the commit is kept, its answer lost");
                for row in &rows {
                    self.disk.put(row);
                }
            }
            Some(_) => self.met("crash: the commit is lost"),
        }
        self.note("the process dies");
        self.reopen();
    }
}
