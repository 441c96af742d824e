//! A line for each narration that has ended, kept after clean-up has taken the task away.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{TaskId, Timestamp};
use super::state::TaskState;
use super::task::TaskStatus;

/// A narration that has ended.
///
/// ```
/// use aloud::engine::{HistoryEntry, testing::Library};
///
/// /// The line that a person sees.
/// fn line(past: &HistoryEntry) -> String {
///     match &past.summary {
///         Some(summary) => format!("{}: {} of {} segments", past.title, summary.done, summary.segments),
///         None => past.title.to_string(),
///     }
/// }
///
/// let engine = Library::new();
/// let id = engine.submit(engine.narration("A story"))?;
/// engine.wait(&id)?;
/// assert_eq!(line(&engine.history(1)?[0]), "A story: 2 of 2 segments");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
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
    /// What it had made; `None` if an earlier version of the program did not keep it.
    pub summary: Option<RunSummary>,
    /// Why it is `FAILED` or `CANCELLED`, in words.
    pub problem: Option<String>,
}

/// What a narration had made when it ended.
///
/// ```
/// use aloud::engine::RunSummary;
///
/// let summary = RunSummary { segments: 12, done: 11, errors: 1, audio_seconds: 74.2 };
/// let copy: RunSummary = serde_json::from_value(serde_json::to_value(summary)?)?;
/// assert_eq!(copy, summary);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Segments in all.
    pub segments: u32,
    /// Segments with a clip, those taken over from an earlier narration included.
    pub done: u32,
    /// Segments with an error.
    pub errors: u32,
    /// Seconds of audio in the clips.
    pub audio_seconds: f64,
}

impl RunSummary {
    pub(crate) fn of(status: &TaskStatus) -> Self {
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
