//! The state of every task, and the only place where a state changes: a pure state machine without
//! threads, clock or files. Each call takes the time it happens at and returns what changed.
//!
//! Nothing here costs more as the number of tasks or segments grows, beyond a logarithm.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::Event;
use super::plan::{Plan, char_count};
use super::task::{
    CompletedSegment, CompletedSegments, ErrorObject, Made, Progress, SegmentErrors, SegmentId,
    TaskId, TaskKind, TaskState, TaskStatus, Timestamp,
};

/// One moment on both clocks: the wall's for what people read, the monotonic one for ages and
/// deadlines, which a clock set back or forward must not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What the wall says.
    pub wall: Timestamp,
    /// Time since the engine started.
    pub mono: Duration,
}

/// What the registry needs to know of a new task.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: TaskId,
    pub title: Arc<str>,
    pub kind: TaskKind,
    pub timeout: Option<Duration>,
    /// What a durable task brings with it.
    pub narration: Option<NewNarration>,
    /// When it was accepted, if that was in an earlier run.
    pub created_at: Option<Timestamp>,
}

/// The part of a new task that only narrations have.
#[derive(Clone, Debug)]
pub struct NewNarration {
    pub plan: Arc<Plan>,
    pub folder: Arc<Path>,
    pub voice: Arc<str>,
    /// What an earlier run had finished.
    pub completed: Vec<CompletedSegment>,
    /// What had gone wrong in an earlier run.
    pub errors: Vec<(SegmentId, ErrorObject)>,
}

/// Where a task stands, with what only that state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Pending,
    Processing { deadline: Option<Duration> },
    Ended { at: Duration },
}

struct Entry {
    status: TaskStatus,
    phase: Phase,
    seq: u64,
    timeout: Option<Duration>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Completed(Value),
    Failed(ErrorObject),
    Cancelled(ErrorObject),
    /// Over its time; the registry knows how much that was.
    TimedOut,
}

/// What a request to cancel met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// No such task, or it has ended.
    Nothing,
    /// It was waiting and has ended.
    Ended,
    /// It is running; the request is noted.
    Requested,
}

/// All tasks.
#[derive(Default)]
pub struct Registry {
    tasks: HashMap<TaskId, Entry>,
    order: BTreeMap<u64, TaskId>,
    pending: BTreeSet<u64>,
    deadlines: BTreeSet<(Duration, u64)>,
    ended: BTreeSet<(Duration, u64)>,
    counts: [usize; TaskState::ALL.len()],
    next_seq: u64,
    totals: Totals,
}

/// What the engine has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    pub submitted: u64,
    pub clips: u64,
    pub audio_seconds: f64,
    pub work_seconds: f64,
}

impl Registry {
    /// Whether a task of this id is known, ended or not.
    pub fn contains(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    /// Accepts a task, unless its id is taken.
    pub fn submit(&mut self, new: NewTask, now: Now) -> Option<Event> {
        if self.contains(&new.id) {
            return None;
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        self.totals.submitted += 1;
        let mut status = TaskStatus {
            id: new.id.clone(),
            title: new.title,
            kind: new.kind,
            state: TaskState::Pending,
            progress: Progress::default(),
            current_segment: None,
            completed_segments: CompletedSegments::default(),
            errors: SegmentErrors::default(),
            partial_result: None,
            result: None,
            error: None,
            cancel_requested: false,
            created_at: new.created_at.unwrap_or(now.wall),
            started_at: None,
            updated_at: now.wall,
            completed_at: None,
            folder: None,
            voice: "".into(),
            audio_seconds: 0.0,
            completed_chars: 0,
            made: Made::default(),
            plan: None,
        };
        if let Some(narration) = new.narration {
            status.progress.total = u64::from(narration.plan.len());
            status.progress.current = narration.completed.len() as u64;
            status.folder = Some(narration.folder);
            status.voice = narration.voice;
            for segment in narration.completed {
                status.audio_seconds += segment.duration.as_secs_f64();
                status.completed_chars += chars_of(&narration.plan, segment.segment_id);
                status.completed_segments.insert(segment);
            }
            for (segment, error) in narration.errors {
                status.errors.push(segment, error);
            }
            status.plan = Some(narration.plan);
        }
        self.counts[TaskState::Pending as usize] += 1;
        self.pending.insert(seq);
        self.order.insert(seq, new.id.clone());
        let entry = Entry {
            status,
            phase: Phase::Pending,
            seq,
            timeout: new.timeout,
        };
        self.tasks.insert(new.id.clone(), entry);
        Some(Event::Submitted { task: new.id })
    }

    /// Hands the next waiting task to a worker.
    pub fn take_next(&mut self, now: Now) -> Option<(TaskId, Event)> {
        let seq = self.pending.pop_first()?;
        let id = self.order.get(&seq)?.clone();
        let entry = self.tasks.get_mut(&id)?;
        let deadline = entry.timeout.map(|timeout| now.mono + timeout);
        entry.phase = Phase::Processing { deadline };
        entry.status.started_at = Some(now.wall);
        entry.status.made = Made::default();
        entry.set_state(TaskState::Processing, now, &mut self.counts);
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, seq));
        }
        Some((id.clone(), Event::Started { task: id }))
    }

    /// Notes how far a running task is. Progress never falls within a run.
    pub fn update_progress(
        &mut self,
        id: &TaskId,
        current: u64,
        total: u64,
        extra: Option<Value>,
        now: Now,
    ) -> Option<Event> {
        let entry = self.active(id)?;
        let progress = &mut entry.status.progress;
        progress.total = total;
        progress.current = if total == 0 {
            current
        } else {
            current.min(total)
        };
        progress.extra = extra;
        entry.status.updated_at = now.wall;
        Some(Event::Progress { task: id.clone() })
    }

    /// Notes that work on a segment began.
    pub fn start_segment(&mut self, id: &TaskId, segment: SegmentId, now: Now) -> Option<Event> {
        let entry = self.active(id)?;
        entry.status.current_segment = Some(segment);
        entry.status.updated_at = now.wall;
        Some(Event::SegmentStarted {
            task: id.clone(),
            segment_id: segment,
        })
    }

    /// Notes a finished segment. One that was already finished is replaced, not counted twice.
    pub fn complete_segment(
        &mut self,
        id: &TaskId,
        segment: CompletedSegment,
        now: Now,
    ) -> Option<Event> {
        let entry = self.active(id)?;
        let status = &mut entry.status;
        let chars = status
            .plan
            .as_ref()
            .map_or(0, |plan| chars_of(plan, segment.segment_id));
        let (audio, work) = (segment.duration.as_secs_f64(), segment.work.as_secs_f64());
        if let Some(old) = status.completed_segments.get(segment.segment_id) {
            status.audio_seconds -= old.duration.as_secs_f64();
            status.completed_chars -= chars;
        }
        status.audio_seconds += audio;
        status.completed_chars += chars;
        status.made.audio_seconds += audio;
        status.made.work_seconds += work;
        status.made.chars += chars;
        status.completed_segments.insert(segment.clone());
        if status.current_segment == Some(segment.segment_id) {
            status.current_segment = None;
        }
        if status.plan.is_some() {
            status.progress.current = status.completed_segments.len() as u64;
        }
        status.updated_at = now.wall;
        self.totals.clips += 1;
        self.totals.audio_seconds += audio;
        self.totals.work_seconds += work;
        Some(Event::SegmentCompleted {
            task: id.clone(),
            segment,
        })
    }

    /// Notes that something went wrong with a segment.
    pub fn add_error(
        &mut self,
        id: &TaskId,
        segment: SegmentId,
        error: ErrorObject,
        now: Now,
    ) -> Option<Event> {
        let entry = self.active(id)?;
        entry.status.errors.push(segment, error.clone());
        if entry.status.current_segment == Some(segment) {
            entry.status.current_segment = None;
        }
        entry.status.updated_at = now.wall;
        Some(Event::SegmentFailed {
            task: id.clone(),
            segment_id: segment,
            error,
        })
    }

    /// Forgets the errors of a segment that is tried again.
    pub fn clear_errors(&mut self, id: &TaskId, segment: SegmentId) {
        if let Some(entry) = self.active(id) {
            entry.status.errors.clear(segment);
        }
    }

    /// Notes what a running task has to show so far.
    pub fn set_partial_result(&mut self, id: &TaskId, value: Value, now: Now) -> Option<Event> {
        let entry = self.active(id)?;
        entry.status.partial_result = Some(value);
        entry.status.updated_at = now.wall;
        Some(Event::Progress { task: id.clone() })
    }

    /// Cancels a waiting task, or notes the request for a running one.
    pub fn cancel(&mut self, id: &TaskId, now: Now) -> (Cancelled, Option<Event>) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return (Cancelled::Nothing, None);
        };
        match entry.phase {
            Phase::Ended { .. } => (Cancelled::Nothing, None),
            Phase::Pending => {
                entry.status.cancel_requested = true;
                let outcome = Outcome::Cancelled(cancelled_error());
                (Cancelled::Ended, self.end(id, outcome, now))
            }
            Phase::Processing { .. } => {
                let first = !std::mem::replace(&mut entry.status.cancel_requested, true);
                let event = first.then(|| Event::CancelRequested { task: id.clone() });
                (Cancelled::Requested, event)
            }
        }
    }

    /// Whether someone asked for the task to be cancelled.
    pub fn is_cancelled(&self, id: &TaskId) -> bool {
        self.tasks
            .get(id)
            .is_some_and(|entry| entry.status.cancel_requested)
    }

    /// Puts a running task back: its work was broken off by a shutdown.
    pub fn requeue(&mut self, id: &TaskId, now: Now) -> Option<Event> {
        let entry = self.tasks.get_mut(id)?;
        let Phase::Processing { deadline } = entry.phase else {
            return None;
        };
        entry.phase = Phase::Pending;
        entry.status.current_segment = None;
        entry.set_state(TaskState::Pending, now, &mut self.counts);
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, entry.seq));
        }
        self.pending.insert(entry.seq);
        Some(Event::Requeued { task: id.clone() })
    }

    /// Ends a task. One that has ended stays as it is.
    pub fn end(&mut self, id: &TaskId, outcome: Outcome, now: Now) -> Option<Event> {
        let entry = self.tasks.get_mut(id)?;
        match entry.phase {
            Phase::Ended { .. } => return None,
            Phase::Pending => {
                self.pending.remove(&entry.seq);
            }
            Phase::Processing { deadline } => {
                if let Some(deadline) = deadline {
                    self.deadlines.remove(&(deadline, entry.seq));
                }
            }
        }
        entry.phase = Phase::Ended { at: now.mono };
        self.ended.insert((now.mono, entry.seq));
        let (state, error) = match outcome {
            Outcome::Completed(value) => {
                entry.status.result = Some(value);
                (TaskState::Completed, None)
            }
            Outcome::Failed(error) => (TaskState::Failed, Some(error)),
            Outcome::Cancelled(error) => (TaskState::Cancelled, Some(error)),
            Outcome::TimedOut => (TaskState::Failed, Some(entry.timeout_error())),
        };
        entry.status.error.clone_from(&error);
        entry.status.current_segment = None;
        entry.status.completed_at = Some(now.wall);
        entry.set_state(state, now, &mut self.counts);
        Some(Event::Ended {
            task: id.clone(),
            state,
            error,
        })
    }

    /// The error of a task that is over its time, as it stands now.
    pub fn timeout_error(&self, id: &TaskId) -> Option<ErrorObject> {
        self.tasks.get(id).map(Entry::timeout_error)
    }

    /// The running tasks whose time is over. Each is named once.
    pub fn expire(&mut self, now: Now) -> Vec<TaskId> {
        let mut over = Vec::new();
        while let Some(&(deadline, seq)) = self.deadlines.first() {
            if deadline > now.mono {
                break;
            }
            self.deadlines.pop_first();
            over.extend(self.order.get(&seq).cloned());
        }
        over
    }

    /// When the next running task is over its time.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// Removes the tasks that ended longer ago than `max_age`. Active ones stay, whatever their age.
    pub fn cleanup(&mut self, max_age: Duration, now: Now) -> Vec<TaskId> {
        let mut gone = Vec::new();
        while let Some(&(at, seq)) = self.ended.first() {
            if now.mono.saturating_sub(at) <= max_age {
                break;
            }
            self.ended.pop_first();
            let Some(id) = self.order.remove(&seq) else {
                continue;
            };
            if let Some(entry) = self.tasks.remove(&id) {
                self.counts[entry.status.state as usize] -= 1;
            }
            gone.push(id);
        }
        gone
    }

    /// A copy of everything known about a task.
    pub fn status(&self, id: &TaskId) -> Option<TaskStatus> {
        self.tasks.get(id).map(|entry| entry.status.clone())
    }

    /// Copies of all tasks, in the order of their submission.
    pub fn all(&self) -> Vec<TaskStatus> {
        self.order
            .values()
            .filter_map(|id| self.status(id))
            .collect()
    }

    /// How many tasks are in this state.
    pub fn count(&self, state: TaskState) -> usize {
        self.counts[state as usize]
    }

    /// Tasks accepted, clips made, seconds of audio in them and of work for them, since the start.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn active(&mut self, id: &TaskId) -> Option<&mut Entry> {
        self.tasks
            .get_mut(id)
            .filter(|entry| !matches!(entry.phase, Phase::Ended { .. }))
    }
}

impl Entry {
    fn set_state(&mut self, state: TaskState, now: Now, counts: &mut [usize]) {
        counts[self.status.state as usize] -= 1;
        counts[state as usize] += 1;
        self.status.state = state;
        self.status.updated_at = now.wall;
    }

    fn timeout_error(&self) -> ErrorObject {
        let seconds = self.timeout.unwrap_or_default().as_secs_f64();
        let partial = self.status.partial_result.as_ref();
        ErrorObject::new(
            "TIMEOUT",
            format!("Operation exceeded timeout of {seconds} seconds"),
        )
        .with_details(json!({ "timeout_seconds": seconds, "partial_result": partial }))
        .with_remediation("Try breaking the operation into smaller chunks or increase timeout")
    }
}

fn chars_of(plan: &Plan, id: SegmentId) -> u64 {
    plan.get(id).map_or(0, |segment| char_count(&segment.text))
}

/// Why a cancelled task is cancelled, in the form of every error.
pub(crate) fn cancelled_error() -> ErrorObject {
    ErrorObject::new("CANCELLED", "cancelled on request")
}
