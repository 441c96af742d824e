//! What work may ask of the engine that runs it, carried to the core and to the store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;

use super::Runtime;
use crate::engine::Engine;
use crate::engine::context::{Host, MadePart, PartError};
use crate::engine::core::{Answer, Command, LeaseId, Reply, Report, RunId};
use crate::engine::error::StoreError;
use crate::model::{ErrorObject, SegmentId, StoredClip, TaskId, TaskStatus};

impl Host for Arc<Runtime> {
    fn status(&self, task: &TaskId) -> Option<TaskStatus> {
        self.lock().core.status(task)
    }

    fn segment_timeout(&self) -> Option<Duration> {
        self.options.segment_timeout
    }

    fn report(&self, task: &TaskId, report: Report) {
        Runtime::report(self, task, report);
    }

    fn open_part(&self, run: RunId, part: SegmentId) -> Option<LeaseId> {
        match self.apply(Command::OpenPart { run, part }) {
            Answer::Lease(lease) => Some(lease),
            _ => None,
        }
    }

    fn close_part(&self, run: RunId, part: SegmentId) {
        self.apply(Command::ClosePart { run, part });
    }

    fn fail_part(&self, run: RunId, part: SegmentId, error: ErrorObject) {
        self.apply(Command::FailPart { run, part, error });
    }

    fn complete_part(&self, run: RunId, made: MadePart) -> Result<(), PartError> {
        let MadePart { lease, clip, work } = made;
        stored(self.call(|call| Command::CompletePart {
            run,
            lease,
            clip,
            work,
            call,
        }))
    }

    fn forget_part(&self, run: RunId, part: SegmentId) -> Result<(), PartError> {
        stored(self.call(|call| Command::ForgetPart { run, part, call }))
    }

    fn engine(&self) -> Option<Engine> {
        Engine::of(self.owner.get()?)
    }

    fn attempted(&self, task: &TaskId) -> Result<BTreeSet<SegmentId>, StoreError> {
        self.store.attempted(task).wait()
    }

    fn clips(&self, task: &TaskId) -> Result<Vec<StoredClip>, StoreError> {
        self.store.clips(task).wait()
    }
}

/// Waits until the disk has it.
fn stored((answer, replies): (Answer, Receiver<Reply>)) -> Result<(), PartError> {
    match answer {
        Answer::Done => return Ok(()),
        Answer::Later => {}
        _ => return Err(PartError::Stale),
    }
    match replies.recv_blocking() {
        Ok(Reply::Stored) => Ok(()),
        Ok(Reply::Failed(error)) => Err(PartError::Store(error)),
        _ => Err(PartError::ShutDown),
    }
}
