//! How work comes in: a submission, put on disk if it is durable, then into the queue.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::error::SubmitError;
use super::registry::{NewNarration, NewTask, Schedule};
use super::shared::{Body, Life, Shared};
use super::store::{StoreError, StoredSchedule};
use super::submission::Submission;
use super::work::Work;
use crate::failpoint::reach;
use crate::model::CompletedSegment;
use crate::model::Narration;
use crate::model::StoredClip;
use crate::model::{SegmentId, TaskId, TaskKind};

impl Engine {
    /// Registers a task as `PENDING` and returns its id at once. A narration is on disk by then.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, SubmitError, TaskId, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let id = engine.submit_task(work(), None)?;
    /// assert_eq!(id.as_str().len(), 36, "a UUID");
    /// engine.submit_task(work(), Some(TaskId::from("mine")))?;
    /// let again = engine.submit_task(work(), Some(TaskId::from("mine")));
    /// assert!(matches!(again, Err(SubmitError::Duplicate(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError`]: the engine has shut down, the id is taken, or the disk refused.
    pub fn submit_task(
        &self,
        work: impl Into<Work>,
        task_id: Option<TaskId>,
    ) -> Result<TaskId, SubmitError> {
        let mut submission = Submission::new(work);
        submission.id = task_id;
        self.submit(submission)
    }

    /// The same with everything that can be said of when and how the work runs.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Priority, Submission, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let usual = engine.submit(work())?;
    /// let last = engine.submit(Submission::new(work()).priority(Priority::Low).after([usual]))?;
    /// assert_eq!(engine.task_status(&last).unwrap().after.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::submit_task`].
    pub fn submit(&self, submission: impl Into<Submission>) -> Result<TaskId, SubmitError> {
        let Submission {
            work,
            id,
            timeout,
            schedule,
            anew,
        } = submission.into();
        let shared = self.shared();
        shared.cleanup(shared.options.cleanup_threshold);
        let id = id.unwrap_or_else(TaskId::random);
        let seq = {
            let mut state = shared.lock();
            if state.life != Life::Open {
                return Err(SubmitError::ShutDown);
            }
            if let Work::Narration(narration) = &work
                && let Some(same) = state.fingerprints.get(&narration.fingerprint)
            {
                return Err(SubmitError::Duplicate(same.clone()));
            }
            if state.registry.contains(&id) || !state.reserved.insert(id.clone()) {
                return Err(SubmitError::Duplicate(id));
            }
            state.registry.reserve()
        };
        let timeout = timeout.or(shared.options.task_timeout);
        let accepted = accept(shared, &id, seq, work, timeout, schedule, &anew);
        let mut state = shared.lock();
        state.reserved.remove(&id);
        let (new, body) = accepted?;
        if let Body::Narration(narration) = &body {
            state
                .fingerprints
                .insert(narration.fingerprint.clone(), id.clone());
        }
        state.bodies.insert(id.clone(), body);
        let events = state.registry.submit(new, shared.now()).unwrap_or_default();
        let ended = state.announce(&events);
        let late = state.is_clock_late();
        drop(state);
        if ended.is_empty() {
            shared.work.notify_one();
        } else {
            shared.store_ends(ended);
        }
        if late {
            shared.timer.notify_all();
        }
        Ok(id)
    }
}

/// Puts durable work on disk and says what the registry is to know of it.
fn accept(
    shared: &Shared,
    id: &TaskId,
    seq: u64,
    work: Work,
    timeout: Option<Duration>,
    schedule: Schedule,
    anew: &[SegmentId],
) -> Result<(NewTask, Body), SubmitError> {
    let (title, kind, narration, body) = match work {
        Work::Closure { title, run } => (title, TaskKind::Closure, None, Body::Closure(run)),
        Work::Repeatable { title, run } => (title, TaskKind::Closure, None, Body::Repeatable(run)),
        Work::Narration(narration) => {
            if shared.options.narrator.is_none() {
                return Err(SubmitError::NoNarrator);
            }
            let limit = timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            let now = shared.now().wall;
            let stored = StoredSchedule::new(&schedule, now);
            std::fs::create_dir_all(&narration.folder).map_err(|error| StoreError::Folder {
                path: narration.folder.clone(),
                reason: error.to_string(),
            })?;
            let inserted = shared
                .store
                .insert(id, seq, &narration, limit, &stored, now);
            let Some(mut clips) = inserted.wait()? else {
                return Err(SubmitError::Duplicate(id.clone()));
            };
            reach("accepted");
            for &segment in anew {
                shared.store.forget_clip(id, segment).wait()?;
            }
            clips.retain(|clip| !anew.contains(&clip.segment_id));
            let new = new_narration(shared, id, &narration, clips);
            let title = Arc::clone(&narration.title);
            (
                title,
                TaskKind::Narration,
                Some(new),
                Body::Narration(Arc::new(narration)),
            )
        }
    };
    let id = id.clone();
    Ok((
        NewTask {
            id,
            seq,
            title,
            kind,
            timeout,
            schedule,
            narration,
            created_at: None,
        },
        body,
    ))
}

/// What the registry is to know of a narration. A clip counts only if its file is there with the
/// size it had; any other is made again.
pub(super) fn new_narration(
    shared: &Shared,
    id: &TaskId,
    narration: &Narration,
    clips: Vec<StoredClip>,
) -> NewNarration {
    let mut completed = Vec::with_capacity(clips.len());
    for clip in clips {
        let path = narration.folder.join(&*clip.clip);
        if std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == clip.bytes) {
            completed.push(CompletedSegment {
                segment_id: clip.segment_id,
                duration: clip.duration(),
                clip: clip.clip,
                work: Duration::ZERO,
            });
        } else {
            tracing::warn!(clip = %path.display(), "a clip is gone or damaged: it is made again");
            drop(shared.store.forget_clip(id, clip.segment_id));
        }
    }
    NewNarration {
        plan: Arc::clone(&narration.plan),
        folder: narration.folder.as_path().into(),
        voice: Arc::clone(&narration.voice),
        completed,
        errors: Vec::new(),
    }
}
