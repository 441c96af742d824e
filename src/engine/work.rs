//! What a worker runs, and what it may do while it runs. Work sees the engine through its
//! [`TaskContext`] only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::error::WorkError;
use super::in_work::InWork;
use super::interrupt::Interrupt;
use super::plan::Narration;
use super::shared::Shared;
use super::store::{ClipRecord, StoredClip};
use super::task::{CompletedSegment, ErrorObject, SegmentId, TaskId, TaskStatus};
use crate::failpoint::reach;

/// What a closure gives back.
pub type WorkResult = Result<Value, WorkError>;

pub(crate) type Closure = Box<dyn FnOnce(&TaskContext) -> WorkResult + Send>;

pub(crate) type Repeatable = Arc<dyn Fn(&TaskContext) -> WorkResult + Send + Sync>;

/// What a task is to do.
pub enum Work {
    /// A text to be narrated; it survives restarts.
    Narration(Narration),
    /// A closure of the embedding program; it lives as long as the process.
    Closure {
        /// What a person calls it.
        title: Arc<str>,
        /// What is run, once.
        run: Box<dyn FnOnce(&TaskContext) -> WorkResult + Send>,
    },
    /// A closure that may be run again after [`WorkError::Transient`].
    Repeatable {
        /// What a person calls it.
        title: Arc<str>,
        /// What is run.
        run: Arc<dyn Fn(&TaskContext) -> WorkResult + Send + Sync>,
    },
}

impl Work {
    /// A closure as work.
    pub fn closure(
        title: impl Into<Arc<str>>,
        run: impl FnOnce(&TaskContext) -> WorkResult + Send + 'static,
    ) -> Self {
        Self::Closure {
            title: title.into(),
            run: Box::new(run),
        }
    }
}

impl Work {
    /// A closure that is run again when it fails with [`WorkError::Transient`].
    pub fn repeatable(
        title: impl Into<Arc<str>>,
        run: impl Fn(&TaskContext) -> WorkResult + Send + Sync + 'static,
    ) -> Self {
        Self::Repeatable {
            title: title.into(),
            run: Arc::new(run),
        }
    }
}

impl From<Narration> for Work {
    fn from(narration: Narration) -> Self {
        Self::Narration(narration)
    }
}

/// Runs narrations. Each worker has one of its own, made on the worker's thread when the first
/// narration comes, and made anew after a panic.
pub trait Narrator {
    /// Narrates what of `narration` is not yet done.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] when the context's interrupt stopped it; anything else fails the
    /// task.
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult;
}

/// Makes the narrator of a worker.
pub type NarratorFactory = Arc<dyn Fn() -> Box<dyn Narrator> + Send + Sync>;

/// What running work knows of itself and may tell. Cheap to share between the work's own threads.
pub struct TaskContext {
    id: TaskId,
    shared: Arc<Shared>,
    interrupt: Arc<Interrupt>,
    in_work: Arc<InWork>,
}

impl TaskContext {
    /// How often a segment may be in work when the process dies.
    pub const MOST_CRASHES: u32 = 3;

    pub(crate) fn new(
        id: TaskId,
        shared: Arc<Shared>,
        interrupt: Arc<Interrupt>,
        in_work: Arc<InWork>,
    ) -> Self {
        Self {
            id,
            shared,
            interrupt,
            in_work,
        }
    }

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Says how far the work is. A `total` of 0 means that it is not known.
    pub fn update_progress(&self, current: u64, total: u64, extra: Option<Value>) {
        self.shared
            .change(|registry, now| registry.update_progress(&self.id, current, total, extra, now));
    }

    /// Says that a segment is done.
    pub fn add_completed_segment(
        &self,
        segment_id: SegmentId,
        clip: impl Into<Arc<str>>,
        duration: Duration,
    ) {
        let segment = CompletedSegment {
            segment_id,
            clip: clip.into(),
            duration,
            work: Duration::ZERO,
        };
        self.shared
            .change(|registry, now| registry.complete_segment(&self.id, segment, now));
    }

    /// Says that something went wrong with a segment; 0 for the task as a whole.
    pub fn add_error(&self, segment_id: SegmentId, message: impl Into<String>) {
        let error = ErrorObject::new("ERROR", message);
        self.shared
            .change(|registry, now| registry.add_error(&self.id, segment_id, error, now));
    }

    /// Keeps what there is to show so far, in case the work doesn't reach its end.
    pub fn set_partial_result(&self, value: Value) {
        self.shared
            .change(|registry, now| registry.set_partial_result(&self.id, value, now));
    }

    /// Whether the work should stop: cancelled, over its time, or the engine is shutting down.
    /// Work that is asked to stop returns [`WorkError::Interrupted`].
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.interrupt.is_now()
    }

    /// The request to stop, for work that can be broken off in the middle.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What is known of the task now.
    #[must_use]
    pub fn status(&self) -> Option<TaskStatus> {
        self.shared.lock().registry.status(&self.id)
    }

    /// Begins an attempt at a segment of a narration and returns its number, which
    /// [`Self::complete_segment`] wants back.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] if the task should stop; a failure of the database.
    pub fn begin_segment(&self, segment_id: SegmentId) -> Result<Attempt, WorkError> {
        if self.interrupt.reason().is_some() {
            return Err(WorkError::Interrupted);
        }
        self.interrupt.begin_segment(segment_id);
        self.in_work.set(&self.id, segment_id);
        let timeout = self.shared.options.segment_timeout;
        self.shared
            .change(|registry, now| registry.start_segment(&self.id, segment_id, timeout, now));
        if timeout.is_some() {
            self.shared.timer.notify_all();
        }
        Ok(Attempt(
            self.shared.store.begin_segment(&self.id, segment_id),
        ))
    }

    /// Says that the model is done with the segment it began last, whose time then stops counting.
    /// Returns whether that segment was over its time.
    pub fn end_segment(&self) -> bool {
        let overdue = self.interrupt.is_segment_overdue();
        self.interrupt.begin_segment(0);
        self.shared.lock().registry.stop_segment_clock(&self.id);
        overdue
    }

    /// The time that a segment may take.
    #[must_use]
    pub fn segment_timeout(&self) -> Option<Duration> {
        self.shared.options.segment_timeout
    }

    /// Says that the clip of a segment is published, and waits until that is on disk. The file has
    /// its final name by then: a row implies a file.
    ///
    /// # Errors
    /// A failure of the database; the attempt has lost to a later one.
    pub fn complete_segment(
        &self,
        attempt: Attempt,
        clip: ClipRecord,
        work: Duration,
    ) -> Result<(), WorkError> {
        reach("folder-synced");
        let number = attempt.0.wait()?;
        let segment = CompletedSegment {
            segment_id: clip.segment_id,
            clip: Arc::clone(&clip.clip),
            duration: clip.duration(),
            work,
        };
        if !self
            .shared
            .store
            .complete_segment(&self.id, number, clip)
            .wait()?
        {
            let message = format!(
                "a later attempt at segment {} has begun",
                segment.segment_id
            );
            return Err(WorkError::Failed(ErrorObject::new("SUPERSEDED", message)));
        }
        reach("row-committed");
        self.shared
            .change(|registry, now| registry.complete_segment(&self.id, segment, now));
        Ok(())
    }

    /// Says what went wrong with a segment of a narration, and keeps it on disk.
    pub fn fail_segment(&self, segment_id: SegmentId, error: ErrorObject) {
        drop(
            self.shared
                .store
                .segment_error(&self.id, segment_id, &error),
        );
        self.shared
            .change(|registry, now| registry.add_error(&self.id, segment_id, error, now));
    }

    /// The segments without a clip that were in work when the process died, and how often. A clean
    /// stop does not count. One that was there [`Self::MOST_CRASHES`] times should be left alone.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn crashes(&self) -> Result<BTreeMap<SegmentId, u32>, WorkError> {
        Ok(self.shared.store.crashes(&self.id).wait()?)
    }

    /// The published clips of this narration, by segment, as the database has them.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn clips(&self) -> Result<Vec<StoredClip>, WorkError> {
        Ok(self.shared.store.clips(&self.id).wait()?)
    }
}

/// An attempt at a segment, known to the database before its clip is.
pub struct Attempt(super::store::Answer<u32>);

impl ClipRecord {
    /// How long the clip plays.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 samples are 13,000 years of speech"
    )]
    pub fn duration(&self) -> Duration {
        let seconds = self.samples as f64 / f64::from(self.rate.max(1));
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}
