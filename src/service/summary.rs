//! Tasks and segments as they are handed out: a task of any length as some hundred bytes, its segments
//! a window at a time.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Standing;
use crate::model::{
    CompletedSegment, ErrorObject, GroupId, Hold, Limits, Occurrence, Plan, PlannedSegment,
    Priority, Progress, Reading, RunOutput, SegmentId, SharedValue, TaskId, TaskKind, TaskState,
    TaskStatus, Timestamp, Trace,
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
    /// The voices that say some of its segments; a segment's `voice` counts them, from 1.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub others: Arc<[Arc<str>]>,
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
    /// When it may begin at the earliest, if it was not to begin at once; in the past once it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What else keeps it from running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
    /// The group that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What it may use of the machine.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// The trace that the request for it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<Trace>>,
    /// How often it was started in this life of the service.
    pub attempt: u32,
    /// Segments that were planned, if any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_segments: Option<u32>,
    /// Characters in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_chars: Option<u64>,
    /// Characters in its completed segments.
    #[serde(default)]
    pub completed_chars: u64,
    /// What this run of it has made, if anything.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub made: RunOutput,
    /// Seconds for which it ran before `started_at`, in this life of the service.
    #[serde(default)]
    pub earlier_seconds: f64,
    /// The tasks that must end before it runs.
    #[serde(default, skip_serializing_if = "<[TaskId]>::is_empty")]
    pub after: Arc<[TaskId]>,
    /// Which run of a recurring task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Arc<Occurrence>>,
    /// What was made of its clips: the joined narration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The public operation that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Arc<str>>,
    /// What came of that. As the context, it is told of one task only, never in a list of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<SharedValue>,
    /// What its submitter gave with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<SharedValue>,
}

/// The little of a task that stands on a line of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskBrief {
    /// Its id.
    pub id: TaskId,
    /// What a person calls it.
    pub title: Arc<str>,
    /// Where it stands.
    pub state: TaskState,
    /// Whether it is held back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// When it may begin at the earliest, if it was not to begin at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Whether someone asked for it to be cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
    /// Steps that are done, as [`Progress::current`].
    pub current: u64,
    /// Steps in all.
    pub total: u64,
    /// The same in whole percent, rounded down.
    pub percentage: u8,
    /// Seconds of work that are left, by estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// What else keeps it from running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
}

impl From<&TaskSummary> for TaskBrief {
    fn from(task: &TaskSummary) -> Self {
        Self {
            id: task.id.clone(),
            title: Arc::clone(&task.title),
            state: task.state,
            paused: task.paused,
            due: task.due,
            cancel_requested: task.cancel_requested,
            current: task.progress.current,
            total: task.progress.total,
            percentage: task.percentage,
            seconds_left: task.seconds_left,
            hold: task.hold.clone(),
        }
    }
}

fn is_nothing(made: &RunOutput) -> bool {
    *made == RunOutput::default()
}

/// The files that the result of a narration names.
fn files(status: &TaskStatus) -> Vec<String> {
    let result = status.result.as_ref().or(status.partial_result.as_ref());
    let files = result.and_then(|result| result.get("files")?.as_array());
    let files = files.into_iter().flatten();
    files
        .filter_map(|file| Some(file.as_str()?.to_owned()))
        .collect()
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
            others: Arc::clone(&status.others),
            folder: status.folder.clone(),
            audio_seconds: status.audio_seconds,
            speed: status.speed(),
            seconds_left: status.time_left().map(|left| left.as_secs_f64()),
            priority: status.priority,
            rank: status.rank,
            paused: status.paused,
            due: status.due,
            hold: status.hold.clone(),
            group: status.group.clone(),
            limits: status.limits,
            trace: status.trace.clone(),
            attempt: status.attempt,
            planned_segments: status.plan.as_ref().map(|plan| plan.len()),
            planned_chars: status.plan.as_ref().map(|plan| plan.chars()),
            completed_chars: status.completed_chars,
            made: status.made,
            earlier_seconds: status.earlier_seconds,
            after: Arc::clone(&status.after),
            occurrence: status.occurrence.clone(),
            files: files(status),
            operation: None,
            result: None,
            context: None,
        }
    }
}

impl TaskSummary {
    /// The summary with everything that was given and came back: `is_public` says so of an operation, of
    /// which nothing is told otherwise.
    pub(super) fn whole(status: &TaskStatus, is_public: impl Fn(&str) -> bool) -> Self {
        let mut summary = Self::from(status);
        summary.context.clone_from(&status.context);
        let call = status.operation.as_ref();
        if let Some(call) = call.filter(|call| is_public(&call.name)) {
            summary.operation = Some(Arc::clone(&call.name));
            summary.result.clone_from(&status.result);
            let given = Some(&call.context).filter(|context| !context.is_null());
            summary.context = given.map(|context| context.clone().into());
        }
        summary
    }

    /// The task as whoever follows it keeps it: of its segments only what `before` knew.
    pub(crate) fn into_status(self, before: Option<TaskStatus>) -> TaskStatus {
        let (completed, errors, plan) = match before {
            Some(before) => (before.completed_segments, before.errors, before.plan),
            None => Default::default(),
        };
        let outline = self.planned_segments.zip(self.planned_chars);
        let plan = outline.map(|(len, chars)| match plan {
            Some(plan) if plan.len() == len && plan.chars() == chars => plan,
            _ => Arc::new(Plan::outline(len, chars)),
        });
        let result = (!self.files.is_empty()).then(|| json!({ "files": self.files }).into());
        let is_complete = self.state == TaskState::Completed;
        TaskStatus {
            state: self.state,
            progress: self.progress,
            current_segment: self.current_segment,
            completed_segments: completed,
            errors,
            partial_result: result.clone().filter(|_| !is_complete),
            result: result.filter(|_| is_complete),
            error: self.error,
            cancel_requested: self.cancel_requested,
            started_at: self.started_at,
            earlier_seconds: self.earlier_seconds,
            updated_at: self.updated_at,
            completed_at: self.completed_at,
            folder: self.folder,
            voice: self.voice,
            others: self.others,
            audio_seconds: self.audio_seconds,
            completed_chars: self.completed_chars,
            made: self.made,
            priority: self.priority,
            rank: self.rank,
            paused: self.paused,
            due: self.due,
            hold: self.hold,
            occurrence: self.occurrence,
            after: self.after,
            group: self.group,
            limits: self.limits,
            attempt: self.attempt,
            trace: self.trace,
            context: self.context,
            plan,
            ..TaskStatus::new(self.id, self.title, self.kind, self.created_at)
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
    /// What is written.
    pub text: String,
    /// Its first byte in the text.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
    /// Whether it is a heading.
    pub heading: bool,
    /// Milliseconds of silence after it.
    pub pause_ms: u32,
    /// What of the text is said otherwise than it is written.
    #[serde(default, skip_serializing_if = "Reading::is_plain")]
    pub reading: Reading,
    /// Who says it: 0 is the narration's own voice, N the Nth of its others.
    #[serde(default)]
    pub voice: u16,
    /// The file of its clip, in the task's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Arc<str>>,
    /// Seconds of sound in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Seconds of work that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_seconds: Option<f64>,
    /// What went wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorObject>,
}

impl SegmentView {
    /// The segments of a task from this one on, at most so many. Costs nothing for those before. From
    /// 0 on, the errors of the task as a whole come first, as a segment 0 that is not counted.
    ///
    /// A task without a plan has the segments that are done or had errors.
    pub(super) fn window(status: &TaskStatus, from: SegmentId, limit: usize) -> Vec<Self> {
        let whole = (from == SegmentId::TASK && status.errors.has(from))
            .then(|| Self::of(status, SegmentId::TASK, None));
        let first = from.max(SegmentId::new(1));
        let mut views: Vec<_> = whole.into_iter().collect();
        if let Some(plan) = &status.plan {
            let ids = (first.get()..=plan.len()).map(SegmentId::new).take(limit);
            views.extend(ids.filter_map(|id| Some(Self::of(status, id, Some(plan.get(id)?)))));
            return views;
        }
        let done = status.completed_segments.from(first);
        let failed = status.errors.ids_from(first).take(limit);
        let ids = done.map(|done| done.segment_id).take(limit).chain(failed);
        let ids: BTreeSet<_> = ids.collect();
        let ids = ids.into_iter().take(limit);
        views.extend(ids.map(|id| Self::of(status, id, None)));
        views
    }

    fn of(status: &TaskStatus, id: SegmentId, planned: Option<&PlannedSegment>) -> Self {
        let clip = status.completed_segments.get(id);
        let errors: Vec<_> = status.errors.of(id).cloned().collect();
        let state = match clip {
            Some(_) => SegmentState::Completed,
            None if status.current_segment == Some(id) => SegmentState::Processing,
            None if errors.is_empty() => SegmentState::Pending,
            None => SegmentState::Failed,
        };
        Self {
            segment_id: id,
            state,
            text: planned.map_or_else(String::new, |planned| planned.text.to_string()),
            start: planned.map_or(0, |planned| planned.start),
            end: planned.map_or(0, |planned| planned.end),
            heading: planned.is_some_and(|planned| planned.heading),
            reading: planned.map_or_else(Reading::default, |planned| planned.reading.clone()),
            pause_ms: planned.map_or(0, |planned| planned.pause_ms),
            voice: planned.map_or(0, |planned| planned.voice),
            clip: clip.map(|clip| Arc::clone(&clip.clip)),
            seconds: clip.map(|clip| clip.duration.as_secs_f64()),
            work_seconds: clip.map(|clip| clip.work.as_secs_f64()),
            errors,
        }
    }

    /// What was planned for it.
    pub(crate) fn planned(&self) -> PlannedSegment {
        PlannedSegment {
            start: self.start,
            end: self.end,
            text: self.text.as_str().into(),
            pause_ms: self.pause_ms,
            heading: self.heading,
            reading: self.reading.clone(),
            voice: self.voice,
        }
    }

    /// Its clip, if it has one.
    pub(crate) fn completed(&self) -> Option<CompletedSegment> {
        let seconds = |seconds: Option<f64>| {
            Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default()
        };
        Some(CompletedSegment {
            segment_id: self.segment_id,
            clip: Arc::clone(self.clip.as_ref()?),
            duration: seconds(self.seconds),
            work: seconds(self.work_seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Submission, Work, testing::Library};
    use crate::model::Said;

    #[test]
    fn a_status_is_known_again_from_its_summary_and_its_windows() {
        let engine = Library::new();
        let id = engine.submit(engine.narration("A story")).unwrap();
        let status = engine.wait(&id).unwrap();
        let summary = TaskSummary::from(&status);
        let wire = serde_json::to_string(&summary).unwrap();
        let summary: TaskSummary = serde_json::from_str(&wire).unwrap();
        assert!(wire.len() < 1500, "{wire}");
        let mut again = summary.clone().into_status(None);
        let views = SegmentView::window(&status, SegmentId::TASK, 10);
        let planned = views.iter().map(SegmentView::planned).collect();
        let plan = Arc::make_mut(again.plan.as_mut().unwrap());
        plan.add_window(SegmentId::new(1), planned);
        for view in &views {
            again.completed_segments.insert(view.completed().unwrap());
        }
        // The result is in the files that it names, and no more.
        assert_eq!(TaskSummary::from(&again), summary);
        assert_eq!(again.plan, status.plan);
        assert_eq!(again.completed_segments, status.completed_segments);
        assert_eq!(again.time_left(), status.time_left());
        let kept = summary.into_status(Some(again.clone()));
        assert_eq!(kept, again);
    }

    /// From the store to whoever follows in another process.
    #[test]
    fn a_reading_outlives_a_restart_and_the_wire() {
        let said = |start, end, words: &str, left_out: Option<&str>| Said {
            start,
            end,
            words: words.into(),
            left_out: left_out.map(Into::into),
        };
        let reading = Reading::new(vec![
            said(3, 7, "fourteen ninety-two", None),
            said(7, 12, "", Some("emoji")),
            said(14, 21, "x dot org", Some("address of a link")),
        ]);
        let mut engine = Library::new();
        let mut narration = engine.narration("A story");
        narration.plan = Arc::new(Plan::new(vec![PlannedSegment {
            start: 0,
            end: 22,
            text: "In 1492 🚤: x.org/a.".into(),
            pause_ms: 0,
            heading: false,
            reading,
            voice: 0,
        }]));
        let planned = narration.plan.clone();
        let id = engine.submit(Submission::new(narration).paused()).unwrap();
        engine.reopen();
        let status = engine.task_status(&id).unwrap();
        assert_eq!(status.plan.as_ref(), Some(&planned));
        let wire = serde_json::to_string(&SegmentView::window(&status, SegmentId::FIRST, 1));
        let views: Vec<SegmentView> = serde_json::from_str(&wire.unwrap()).unwrap();
        let mut seen = TaskSummary::from(&status).into_status(None);
        let plan = Arc::make_mut(seen.plan.as_mut().unwrap());
        plan.add_window(
            SegmentId::FIRST,
            views.iter().map(SegmentView::planned).collect(),
        );
        let segment = plan.get(1).unwrap();
        assert_eq!(segment, planned.get(1).unwrap());
        assert_eq!(segment.spoken(), "In fourteen ninety-two: x dot org.");
    }

    #[test]
    fn without_a_plan_there_are_the_segments_that_something_is_known_of() {
        let engine = Library::new();
        let id = engine
            .submit(Work::closure("mumble", |task| {
                task.add_error(0, "it began badly");
                task.add_error(3, "too long");
                for segment in [2, 3, 90] {
                    let second = Duration::from_secs(1);
                    task.add_completed_segment(segment, format!("{segment}.wav"), second);
                }
                Ok(().into())
            }))
            .unwrap();
        let status = engine.wait(&id).unwrap();
        let ids = |from: u32, limit| {
            let views = SegmentView::window(&status, SegmentId::new(from), limit);
            let ids = views.iter().map(|view| view.segment_id.get());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(ids(0, 2), [0, 2, 3]);
        assert_eq!((ids(1, 2), ids(4, 2)), (vec![2, 3], vec![90]));
    }
}
