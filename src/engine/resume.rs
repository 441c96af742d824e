//! How work comes back: what an earlier run left, and what is to be tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::error::SubmitError;
use super::registry::{NewTask, Schedule};
use super::shared::{Body, Shared};
use super::store::{StoredNarration, StoredSchedule};
use super::submission::Submission;
use super::submit::new_narration;
use super::task::{SegmentId, TaskId, TaskKind, TaskState, TaskStatus, Timestamp};

impl Engine {
    /// Tries a narration that failed or was cancelled once more, as a new task that takes over its
    /// clips: what has no clip, or an error, is made again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct FailsOnce(bool);
    /// # impl Narrator for FailsOnce {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         let done = task.status().unwrap().completed_segments;
    /// #         let missing = narration.plan.iter().filter(|(id, _)| done.get(*id).is_none());
    /// #         let mut made = Vec::new();
    /// #         for (segment_id, _) in missing {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             std::fs::write(narration.folder.join(format!("{segment_id}.wav")), "")?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #             made.push(segment_id);
    /// #         }
    /// #         if std::mem::replace(&mut self.0, true) {
    /// #             return Ok(made.into());
    /// #         }
    /// #         Err(ErrorObject::new("DISK", "the disk is full").into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(FailsOnce(false))));
    /// # let engine = Engine::open(options)?;
    /// # let events = engine.subscribe();
    /// # let segment = |start, text: &str| PlannedSegment {
    /// #     start,
    /// #     end: start + 4,
    /// #     text: text.into(),
    /// #     pause_ms: 0,
    /// #     heading: false,
    /// # };
    /// # let narration = Narration {
    /// #     title: "A story".into(),
    /// #     source: "One. Two.".into(),
    /// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
    /// #     folder: folder.path().to_owned(),
    /// #     voice: "silence".into(),
    /// #     voice_version: "".into(),
    /// #     settings: NarrationSettings::default(),
    /// #     fingerprint: "One. Two. in silence".into(),
    /// # };
    /// // It fails once both clips are made.
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let again = engine.retry_task(&id)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&again).unwrap();
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(json!([])), "none was made again");
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
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # use serde_json::json;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct FailsOnce(bool);
    /// # impl Narrator for FailsOnce {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         let done = task.status().unwrap().completed_segments;
    /// #         let missing = narration.plan.iter().filter(|(id, _)| done.get(*id).is_none());
    /// #         let mut made = Vec::new();
    /// #         for (segment_id, _) in missing {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             std::fs::write(narration.folder.join(format!("{segment_id}.wav")), "")?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #             made.push(segment_id);
    /// #         }
    /// #         if std::mem::replace(&mut self.0, true) {
    /// #             return Ok(made.into());
    /// #         }
    /// #         Err(ErrorObject::new("DISK", "the disk is full").into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(FailsOnce(false))));
    /// # let engine = Engine::open(options)?;
    /// # let events = engine.subscribe();
    /// # let segment = |start, text: &str| PlannedSegment {
    /// #     start,
    /// #     end: start + 4,
    /// #     text: text.into(),
    /// #     pause_ms: 0,
    /// #     heading: false,
    /// # };
    /// # let narration = Narration {
    /// #     title: "A story".into(),
    /// #     source: "One. Two.".into(),
    /// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
    /// #     folder: folder.path().to_owned(),
    /// #     voice: "silence".into(),
    /// #     voice_version: "".into(),
    /// #     settings: NarrationSettings::default(),
    /// #     fingerprint: "One. Two. in silence".into(),
    /// # };
    /// // It fails once both clips are made, and the first one sounds wrong.
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let again = engine.retry_segments(&id, &[1])?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&again).unwrap();
    /// assert_eq!(status.completed_segments.len(), 2);
    /// assert_eq!(status.result, Some(json!([1])), "the others stayed");
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
        let shared = self.shared();
        let status = self.task_status(id);
        if status
            .as_ref()
            .is_some_and(|status| !status.state.is_terminal())
        {
            return Err(SubmitError::NotRetryable(id.clone()));
        }
        let stored = shared.store.ended_narration(id).wait()?;
        let stored = stored.ok_or_else(|| SubmitError::NotRetryable(id.clone()))?;
        let mut again = Submission::new(stored.narration);
        again.anew = segments.to_vec();
        again.schedule.priority = stored.schedule.priority;
        again.schedule.group = stored.schedule.group;
        again.timeout = stored.timeout_ms.map(Duration::from_millis);
        self.submit(again)
    }

    /// Tries every narration again that failed or was cancelled, in the order of their submission; of
    /// those that failed, what failed is made again. Where another task has taken over a folder since,
    /// only that one counts. Returns the new tasks, or why there is none, as of [`Self::retry_task`].
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// engine.submit_task(Work::closure("no narration", |_| Ok(1.into())), None)?;
    /// engine.cancel_all();
    /// assert!(engine.retry_all().is_empty(), "closures are gone once they have ended");
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
                let failed = task.errors.segment_ids().filter(|id| *id > 0);
                self.retry_segments(&task.id, &failed.collect::<Vec<_>>())
            })
            .collect()
    }
}

/// Puts a narration of an earlier run back into the queue.
pub(super) fn resume(shared: &Shared, stored: StoredNarration) {
    let StoredNarration {
        id,
        seq,
        narration,
        timeout_ms,
        schedule,
        in_vain_after,
        created_at,
        clips,
        errors,
        ..
    } = stored;
    let mut new = new_narration(shared, &id, &narration, clips);
    new.errors = errors;
    let now = shared.now();
    let task = NewTask {
        id: id.clone(),
        seq,
        title: Arc::clone(&narration.title),
        kind: TaskKind::Narration,
        timeout: timeout_ms.map(Duration::from_millis),
        schedule: schedule.since(now.wall),
        narration: Some(new),
        created_at: Some(created_at),
    };
    let mut state = shared.lock();
    if state.registry.submit(task, now).is_none() {
        return;
    }
    state
        .fingerprints
        .insert(narration.fingerprint.clone(), id.clone());
    state
        .bodies
        .insert(id.clone(), Body::Narration(Arc::new(narration)));
    if let Some(dependency) = in_vain_after {
        let events = state.registry.end_in_vain(&id, &dependency, now);
        let ended = state.announce(&events);
        drop(state);
        shared.store_ends(ended);
    }
}

impl StoredSchedule {
    pub(super) fn new(schedule: &Schedule, now: Timestamp) -> Self {
        let delay = schedule
            .delay
            .map(|delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        Self {
            priority: schedule.priority,
            paused: schedule.paused,
            due: delay.map(|delay| Timestamp(now.0.saturating_add(delay))),
            delay_ms: delay.map(i64::cast_unsigned),
            rank: schedule.rank,
            after: schedule.after.clone(),
            group: schedule.group.clone(),
        }
    }

    /// What is left of it at this time. A clock that was set back makes no delay longer.
    fn since(self, now: Timestamp) -> Schedule {
        let longest = self.delay_ms.map_or(Duration::MAX, Duration::from_millis);
        Schedule {
            priority: self.priority,
            rank: self.rank,
            delay: self
                .due
                .map(|due| due.since(now).min(longest))
                .filter(|delay| !delay.is_zero()),
            after: self.after,
            paused: self.paused,
            group: self.group,
        }
    }
}
