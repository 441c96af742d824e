//! What callers outside a worker may tell of a task, by its id. It is kept as long as the process
//! lives; what a narration is to have on disk, its own worker tells.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::core::Report;
use crate::model::{CompletedSegment, ErrorCode, ErrorObject, SegmentId, TaskId};

impl Engine {
    /// Says how far a task is, for callers outside its worker. An unknown id is ignored.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.update_progress(&id, 1, 4, Some(json!({ "page": 12 })));
    /// let progress = engine.task_status(&id).unwrap().progress;
    /// assert_eq!((progress.current, progress.total), (1, 4));
    /// assert_eq!(progress.extra, Some(json!({ "page": 12 }).into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update_progress(
        &self,
        id: &TaskId,
        current: u64,
        total: u64,
        extra: Option<serde_json::Value>,
    ) {
        self.report(
            id,
            Report::Progress {
                current,
                total,
                extra,
            },
        );
    }

    /// Says that a segment of a task is done. An unknown id is ignored.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.add_completed_segment(&id, 1, "clips/1.wav", Duration::from_millis(1500));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(&*status.completed_segments.get(1).unwrap().clip, "clips/1.wav");
    /// assert_eq!(status.audio_seconds, 1.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_completed_segment(
        &self,
        id: &TaskId,
        segment_id: impl Into<SegmentId>,
        clip: impl Into<Arc<str>>,
        duration: Duration,
    ) {
        let work = Duration::ZERO;
        let segment = CompletedSegment {
            segment_id: segment_id.into(),
            clip: clip.into(),
            duration,
            work,
        };
        self.report(id, Report::Part(segment));
    }

    /// Says that something went wrong with a segment of a task; [`SegmentId::TASK`] for the task as
    /// a whole. An unknown id is ignored.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.add_error(&id, 2, "it is too long to be spoken");
    /// let errors = engine.task_status(&id).unwrap().errors;
    /// let error = errors.of(2).next().unwrap();
    /// assert_eq!((error.code.as_str(), &*error.message), ("ERROR", "it is too long to be spoken"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_error(
        &self,
        id: &TaskId,
        segment_id: impl Into<SegmentId>,
        message: impl Into<String>,
    ) {
        let error = ErrorObject::new(ErrorCode::Error, message);
        self.report(id, Report::Error(segment_id.into(), error));
    }

    /// Keeps what a task has to show so far. An unknown id is ignored.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("elsewhere", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.set_partial_result(&id, json!(["the first chapter"]));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.partial_result, Some(json!(["the first chapter"]).into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_partial_result(&self, id: &TaskId, value: serde_json::Value) {
        self.report(id, Report::Partial(value));
    }

    fn report(&self, id: &TaskId, report: Report) {
        self.runtime().report(id, report);
    }
}
