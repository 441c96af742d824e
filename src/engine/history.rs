//! What has been narrated: a line for each narration that has ended, kept after clean-up has taken
//! the task out of the registry. It only reads; what is not in the database is not history.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::store::StoreError;
use super::task::{TaskId, TaskState, TaskStatus, Timestamp};

/// A narration that has ended.
///
/// ```
/// use aloud::engine::Past;
///
/// /// The line that a person sees.
/// fn line(past: &Past) -> String {
///     match &past.tally {
///         Some(tally) => format!("{}: {} of {} segments", past.title, tally.done, tally.segments),
///         None => past.title.to_string(),
///     }
/// }
/// # use aloud::engine::{Tally, TaskState, Timestamp};
/// # let (segments, done, errors, audio_seconds) = (10, 9, 1, 31.5);
/// # let mut past = Past {
/// #     id: "1".into(),
/// #     title: "A story".into(),
/// #     state: TaskState::Failed,
/// #     voice: "silence".into(),
/// #     folder: std::path::Path::new("/narrations/a-story").into(),
/// #     created_at: Timestamp(0),
/// #     completed_at: Timestamp(60_000),
/// #     tally: Some(Tally { segments, done, errors, audio_seconds }),
/// #     problem: Some("1 of 10 segments of «A story» have errors".into()),
/// # };
/// assert_eq!(line(&past), "A story: 9 of 10 segments");
/// past.tally = None;
/// assert_eq!(line(&past), "A story");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The task's id.
    pub id: TaskId,
    /// What a person calls it.
    pub title: Arc<str>,
    /// How it ended.
    pub state: TaskState,
    /// The voice that narrated.
    pub voice: Arc<str>,
    /// Where its clips were put; they may have been moved since.
    pub folder: Arc<Path>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Timestamp,
    /// What it came to; `None` if an earlier version of the program did not keep it.
    pub tally: Option<Tally>,
    /// Why it is `FAILED` or `CANCELLED`, in words.
    pub problem: Option<String>,
}

/// What a narration came to, as it was when it ended.
///
/// ```
/// use aloud::engine::Tally;
///
/// let tally = Tally { segments: 12, done: 11, errors: 1, audio_seconds: 74.2 };
/// let copy: Tally = serde_json::from_value(serde_json::to_value(tally)?)?;
/// assert_eq!(copy, tally);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Segments in all.
    pub segments: u32,
    /// Segments with a clip, those taken over from an earlier narration included.
    pub done: u32,
    /// Segments with an error.
    pub errors: u32,
    /// Seconds of audio in the clips.
    pub audio_seconds: f64,
}

impl Tally {
    pub(super) fn of(status: &TaskStatus) -> Self {
        // A segment's number is as wide: there are never more.
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            segments: status.plan.as_ref().map_or(0, |plan| plan.len()),
            done: count(status.completed_segments.len()),
            errors: count(status.errors.segments()),
            audio_seconds: status.audio_seconds,
        }
    }
}

impl Engine {
    /// The narrations that have ended, newest first, at most `limit` of them: also those that
    /// clean-up has taken out of the registry. Closures leave none. It waits for the database's
    /// thread; its cost grows with `limit`, not with the history.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct Silent;
    /// # impl Narrator for Silent {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         for (segment_id, _) in narration.plan.iter() {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #         }
    /// #         Ok("spoken".into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(Silent)));
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
    /// let id = engine.submit_task(narration, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// engine.cleanup_old_tasks(Duration::ZERO);
    /// assert_eq!(engine.task_status(&id), None);
    /// let history = engine.history(20)?;
    /// assert_eq!((&history[0].id, history[0].state), (&id, TaskState::Completed));
    /// assert_eq!(history[0].tally.unwrap().audio_seconds, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A failure of the database.
    pub fn history(&self, limit: usize) -> Result<Vec<Past>, StoreError> {
        self.shared().store.history(limit).wait()
    }
}
