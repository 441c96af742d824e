//! Tasks and segments as they are handed out: a task of any length as some hundred bytes, its segments
//! a window at a time.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Standing;
use crate::model::{
    ErrorObject, GroupId, Hold, Limits, Priority, Progress, SegmentId, TaskId, TaskKind, TaskState,
    TaskStatus, Timestamp,
};

/// What is known of a task, without its segments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// What a person calls it.
    pub title: Arc<str>,
    /// What it is.
    pub kind: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// How far it is.
    pub progress: Progress,
    /// The same in whole percent, rounded down.
    pub percentage: u8,
    /// The segment that it works on.
    pub current_segment: Option<SegmentId>,
    /// Segments that are done.
    pub completed_segments: usize,
    /// Segments that something went wrong with.
    pub failed_segments: usize,
    /// Why it failed or was cancelled; while it waits, why it is to be tried again.
    pub error: Option<ErrorObject>,
    /// Whether someone asked for it to be cancelled.
    pub cancel_requested: bool,
    /// When it was accepted, in milliseconds since 1970, like the times below.
    pub created_at: Timestamp,
    /// When it was started, the last time.
    pub started_at: Option<Timestamp>,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The voice that speaks.
    pub voice: Arc<str>,
    /// Where its clips are.
    pub folder: Option<Arc<Path>>,
    /// Seconds of audio in its completed segments.
    pub audio_seconds: f64,
    /// Audio made per second of work, once there is some.
    pub speed: Option<f64>,
    /// Seconds of work that are left, by estimate.
    pub seconds_left: Option<f64>,
    /// How urgent it is.
    pub priority: Priority,
    /// Its place in the queue among others: the smaller, the sooner.
    pub rank: i64,
    /// Whether it is held back.
    pub paused: bool,
    /// What else keeps it from running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What it may use of the machine.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// How often it was started in this life of the service.
    pub attempt: u32,
}

impl From<&TaskStatus> for TaskSummary {
    fn from(status: &TaskStatus) -> Self {
        Self {
            id: status.id.clone(),
            title: Arc::clone(&status.title),
            kind: status.kind,
            state: status.state,
            progress: status.progress.clone(),
            percentage: status.progress.percentage(),
            current_segment: status.current_segment,
            completed_segments: status.completed_segments.len(),
            failed_segments: status.errors.segments(),
            error: status.error.clone(),
            cancel_requested: status.cancel_requested,
            created_at: status.created_at,
            started_at: status.started_at,
            updated_at: status.updated_at,
            completed_at: status.completed_at,
            voice: Arc::clone(&status.voice),
            folder: status.folder.clone(),
            audio_seconds: status.audio_seconds,
            speed: status.speed(),
            seconds_left: status.time_left().map(|left| left.as_secs_f64()),
            priority: status.priority,
            rank: status.rank,
            paused: status.paused,
            hold: status.hold.clone(),
            group: status.group.clone(),
            limits: status.limits,
            attempt: status.attempt,
        }
    }
}

impl From<&TaskSummary> for Standing {
    fn from(task: &TaskSummary) -> Self {
        Self {
            kind: task.kind,
            state: task.state,
            paused: task.paused,
            cancel_requested: task.cancel_requested,
        }
    }
}

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentState {
    /// It waits for its turn.
    Pending,
    /// The voice is at it.
    Processing,
    /// Its clip is there.
    Completed,
    /// It has no clip, and says why.
    Failed,
}

/// One segment of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentView {
    /// Its number, from 1.
    pub segment_id: SegmentId,
    /// Where it stands.
    pub state: SegmentState,
    /// What is spoken.
    pub text: String,
    /// Its first byte in the text.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
    /// Whether it is a heading.
    pub heading: bool,
    /// Milliseconds of silence after it.
    pub pause_ms: u32,
    /// The file of its clip, in the task's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Arc<str>>,
    /// Seconds of sound in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What went wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorObject>,
}

impl SegmentView {
    /// The segments of a task from this one on, at most so many. Costs nothing for those before.
    pub(super) fn window(status: &TaskStatus, from: SegmentId, limit: usize) -> Vec<Self> {
        let Some(plan) = &status.plan else {
            return Vec::new();
        };
        let ids = (from.get().max(1)..=plan.len()).map(SegmentId::new);
        ids.take(limit)
            .filter_map(|id| {
                let planned = plan.get(id)?;
                let clip = status.completed_segments.get(id);
                let errors: Vec<_> = status.errors.of(id).cloned().collect();
                let state = match clip {
                    Some(_) => SegmentState::Completed,
                    None if status.current_segment == Some(id) => SegmentState::Processing,
                    None if errors.is_empty() => SegmentState::Pending,
                    None => SegmentState::Failed,
                };
                Some(Self {
                    segment_id: id,
                    state,
                    text: planned.text.to_string(),
                    start: planned.start,
                    end: planned.end,
                    heading: planned.heading,
                    pause_ms: planned.pause_ms,
                    clip: clip.map(|clip| Arc::clone(&clip.clip)),
                    seconds: clip.map(|clip| clip.duration.as_secs_f64()),
                    errors,
                })
            })
            .collect()
    }
}
