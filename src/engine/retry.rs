//! What has failed or was cancelled is tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::core::Schedule;
use super::error::SubmitError;
use super::record::Record;
use super::submission::Submission;
use crate::model::{Narration, SegmentId, TaskId, TaskState, TaskStatus, Trace};

/// A narration with what its submitter wanted of another one, but for when that was to run.
fn on_terms_of(
    schedule: Schedule,
    timeout_ms: Option<u64>,
    narration: Narration,
    trace: Option<Arc<Trace>>,
) -> Submission {
    let mut submission = Submission::new(narration);
    submission.schedule = Schedule {
        trace: trace.or(schedule.trace),
        rank: None,
        delay: None,
        after: Vec::new(),
        paused: false,
        ..schedule
    };
    submission.timeout = timeout_ms.map(Duration::from_millis);
    submission
}

impl Engine {
    /// Tries a narration that failed or was cancelled once more, as a new task that takes over its
    /// clips: what has no clip, or an error, is made again.
    ///
    /// ```
    /// use aloud::engine::ErrorObject;
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with_narrator(|narration, task| match testing::silence(narration, task)? {
    ///     made if made == 2 => Err(ErrorObject::new("DISK", "the disk is full").into()),
    ///     made => Ok(made),
    /// });
    /// let failed = engine.submit(engine.narration("A story"))?;
    /// engine.wait(&failed)?; // it fails once both clips are made
    /// let again = engine.retry_task(&failed)?;
    /// let status = engine.wait(&again)?;
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(0.into()), "none was made again");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError::NotRetryable`] if there is no such narration or it has not ended; otherwise
    /// as [`Self::submit_task`].
    pub fn retry_task(&self, id: &TaskId) -> Result<TaskId, SubmitError> {
        self.retry_segments(id, &[])
    }

    /// The same, and makes these segments again though they have clips.
    ///
    /// ```
    /// use aloud::engine::{ErrorObject, SegmentId};
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with_narrator(|narration, task| match testing::silence(narration, task)? {
    ///     made if made == 2 => Err(ErrorObject::new("DISK", "the disk is full").into()),
    ///     made => Ok(made),
    /// });
    /// let failed = engine.submit(engine.narration("A story"))?;
    /// engine.wait(&failed)?; // it fails once both clips are made
    /// // The first one sounds wrong.
    /// let again = engine.retry_segments(&failed, &[SegmentId::FIRST])?;
    /// let status = engine.wait(&again)?;
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(1.into()), "the other one stayed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::retry_task`].
    pub fn retry_segments(
        &self,
        id: &TaskId,
        segments: &[SegmentId],
    ) -> Result<TaskId, SubmitError> {
        self.retry_traced(id, segments, None)
    }

    /// The same as part of a trace; without one, of that of the task that is tried again.
    pub(crate) fn retry_traced(
        &self,
        id: &TaskId,
        segments: &[SegmentId],
        trace: Option<Arc<Trace>>,
    ) -> Result<TaskId, SubmitError> {
        let not_retryable = || SubmitError::NotRetryable(id.clone());
        let has_ended = |status: TaskStatus| status.state.is_terminal();
        if !self.task_status(id).is_none_or(has_ended) {
            return Err(not_retryable());
        }
        let stored = self.runtime().store.ended_narration(id).wait()?;
        let stored = stored.ok_or_else(not_retryable)?;
        let Record::Narration(narration) = stored.record else {
            return Err(not_retryable());
        };
        let narration = Arc::unwrap_or_clone(narration);
        let schedule = stored.schedule.since(self.runtime().now().wall);
        let mut again = on_terms_of(schedule, stored.timeout_ms, narration, trace);
        again.again = segments.to_vec();
        self.submit(again)
    }

    /// Has a narration take the place of one that has ended, on its terms: of the same text in the same
    /// folder it takes over the clips of those segments that are said alike. There is room for it where there
    /// was for the other. It `waits_alike` if whatever held that back is to hold it back, and at its place
    /// in the queue.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let old = engine.submit(engine.narration("A story"))?;
    /// engine.wait(&old)?;
    /// let mut narration = engine.narration("A story");
    /// narration.fingerprint = "one word is said otherwise".into();
    /// let new = engine.submit_instead(&old, narration, false)?;
    /// let status = engine.wait(&new)?;
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(0.into()), "none was made again");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::retry_task`].
    pub fn submit_instead(
        &self,
        id: &TaskId,
        narration: Narration,
        waits_alike: bool,
    ) -> Result<TaskId, SubmitError> {
        let not_retryable = || SubmitError::NotRetryable(id.clone());
        let status = self.task_status(id);
        if status.as_ref().is_some_and(|it| !it.state.is_terminal()) {
            return Err(not_retryable());
        }
        let stored = self.runtime().store.narration(id).wait()?;
        let stored = stored.ok_or_else(not_retryable)?;
        let schedule = stored.schedule.since(self.runtime().now().wall);
        let timeout = stored.timeout_ms;
        let mut instead = on_terms_of(schedule.clone(), timeout, narration, None);
        if waits_alike {
            instead.schedule = Schedule {
                rank: schedule.rank.or(status.map(|it| it.rank)),
                ..schedule
            };
        }
        instead.replaces = true;
        self.submit(instead)
    }

    /// Tries every narration again that failed or was cancelled, in the order of their submission; of
    /// those that failed, what failed is made again. Where another task has taken over a folder since,
    /// only that one counts. Returns the new tasks, or why there is none, as of [`Self::retry_task`].
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let id = engine.submit(engine.narration("A story"))?;
    /// engine.submit(Work::closure("no narration", |_| Ok(1.into())))?;
    /// assert_eq!(engine.cancel_all(), 2);
    /// engine.wait(&id)?;
    /// assert_eq!(engine.retry_all().len(), 1, "closures are gone once they have ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "what could not be tried again says why"]
    pub fn retry_all(&self) -> Vec<Result<TaskId, SubmitError>> {
        let tasks = self.tasks();
        let with_folder = |task: &TaskStatus| Some((task.folder.clone()?, task.id.clone()));
        // The last one of a folder stays.
        let newest: HashMap<_, _> = tasks.iter().filter_map(with_folder).collect();
        let is_newest = |task: &&TaskStatus| {
            let newest = task.folder.as_ref().and_then(|folder| newest.get(folder));
            newest == Some(&task.id)
        };
        let ended = [TaskState::Failed, TaskState::Cancelled];
        let lost = tasks.iter().filter(|task| ended.contains(&task.state));
        lost.filter(is_newest)
            .map(|task| {
                let failed = task
                    .errors
                    .segment_ids()
                    .filter(|id| *id != SegmentId::TASK);
                self.retry_segments(&task.id, &failed.collect::<Vec<_>>())
            })
            .collect()
    }
}
