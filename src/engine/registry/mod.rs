//! The state of every task, and the only place where a state changes: a pure state machine without
//! threads, clock or files. Each call takes the time it happens at and returns what changed.
//!
//! Nothing here costs more as the number of tasks or segments grows, beyond a logarithm.

mod group;
#[cfg(test)]
mod model;
mod progress;
mod queue;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use self::group::{Groups, Share};
use self::queue::Queue;
use crate::model::Event;
use crate::model::{CompletedSegments, ErrorObject, SegmentErrors};
use crate::model::{Made, Progress, SegmentId, TaskId, TaskKind, TaskState, TaskStatus};
use crate::model::{Plan, char_count};

pub use self::types::{Cancelled, NewNarration, NewTask, Now, Outcome, Overdue, Schedule, Totals};
use crate::model::{GroupId, GroupStatus};

/// Where a task stands, with what only that state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Pending,
    Processing {
        deadline: Option<Duration>,
        segment_deadline: Option<Duration>,
        /// Since when the model has had nothing to do, between two segments.
        idle_since: Option<Duration>,
    },
    Ended {
        at: Duration,
    },
}

struct Entry {
    status: TaskStatus,
    phase: Phase,
    seq: u64,
    /// Its place in the queue, if someone moved it.
    rank: Option<i64>,
    timeout: Option<Duration>,
}

/// All tasks.
#[derive(Default)]
pub struct Registry {
    /// Trees, not hash tables: one that grows would hold every caller up while it moves house.
    tasks: BTreeMap<TaskId, Entry>,
    order: BTreeMap<u64, TaskId>,
    queue: Queue,
    groups: Groups,
    deadlines: BTreeSet<(Duration, u64)>,
    ended: BTreeSet<(Duration, u64)>,
    counts: [usize; TaskState::ALL.len()],
    next_seq: u64,
    totals: Totals,
}

impl Registry {
    /// Whether a task of this id is known, ended or not.
    pub fn contains(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    /// From which number on submissions are counted: those before it were made in earlier runs.
    pub fn count_from(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq);
    }

    /// The number of the next submission, which nobody else gets.
    pub fn reserve(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Accepts a task, unless its id is taken. If a task that it must wait for did not end as it
    /// should, it ends at once.
    pub fn submit(&mut self, new: NewTask, now: Now) -> Option<Vec<Event>> {
        if self.contains(&new.id) {
            return None;
        }
        let seq = new.seq;
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
            earlier_seconds: 0.0,
            updated_at: now.wall,
            completed_at: None,
            folder: None,
            voice: "".into(),
            audio_seconds: 0.0,
            completed_chars: 0,
            made: Made::default(),
            priority: new.schedule.priority,
            paused: new.schedule.paused,
            after: new.schedule.after.clone().into(),
            group: new.schedule.group,
            rank: 0,
            attempt: 0,
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
        let due = new
            .schedule
            .delay
            .map(|delay| now.mono.saturating_add(delay));
        let (blocking, in_vain) = self.dependencies(&new.schedule.after);
        self.queue.add(
            seq,
            new.schedule.priority,
            due,
            &blocking,
            new.schedule.paused,
            new.schedule.rank,
        );
        status.rank = self.queue.rank(seq).unwrap_or_default();
        self.order.insert(seq, new.id.clone());
        if let Some(group) = &status.group {
            self.groups.update(group, None, Some(Share::of(&status)));
        }
        let entry = Entry {
            status,
            phase: Phase::Pending,
            seq,
            rank: new.schedule.rank,
            timeout: new.timeout,
        };
        self.tasks.insert(new.id.clone(), entry);
        let mut events = vec![Event::Submitted {
            task: new.id.clone(),
        }];
        if let Some(dependency) = in_vain {
            events.extend(self.end_in_vain(&new.id, &dependency, now));
        }
        Some(events)
    }

    /// Which of the tasks that must end first have not ended, and one that did not end as it
    /// should. One that is no longer known has ended long ago, and counts as done.
    fn dependencies(&self, after: &[TaskId]) -> (Vec<u64>, Option<TaskId>) {
        let mut blocking = Vec::new();
        for id in after {
            let Some(entry) = self.tasks.get(id) else {
                continue;
            };
            match entry.status.state {
                TaskState::Completed => {}
                TaskState::Failed | TaskState::Cancelled => return (Vec::new(), Some(id.clone())),
                TaskState::Pending | TaskState::Processing => blocking.push(entry.seq),
            }
        }
        blocking.sort_unstable();
        blocking.dedup();
        (blocking, None)
    }

    /// Hands the next waiting task to a worker.
    pub fn take_next(&mut self, now: Now) -> Option<(TaskId, Event)> {
        let seq = self.queue.take(now.mono)?;
        let id = self.order.get(&seq)?.clone();
        let entry = self.tasks.get_mut(&id)?;
        let deadline = entry
            .timeout
            .map(|timeout| now.mono.saturating_add(timeout));
        entry.phase = Phase::Processing {
            deadline,
            segment_deadline: None,
            idle_since: None,
        };
        self.deadlines
            .extend(deadline.map(|deadline| (deadline, seq)));
        self.alter(&id, |status| {
            status.started_at = Some(now.wall);
            status.error = None;
            status.updated_at = now.wall;
            status.attempt += 1;
            status.state = TaskState::Processing;
        });
        Some((id.clone(), Event::Started { task: id }))
    }

    /// Whether a waiting task may run now.
    pub fn has_ready(&mut self, now: Now) -> bool {
        self.queue.has_ready(now.mono)
    }

    /// Holds a waiting task back, or lets it go. Of a running narration it is noted, for when it goes
    /// back to its place; other work can't be paused.
    pub fn set_paused(&mut self, id: &TaskId, paused: bool, now: Now) -> Option<Event> {
        let entry = self.tasks.get(id)?;
        let is_news = match entry.phase {
            Phase::Pending => self.queue.set_paused(entry.seq, paused),
            Phase::Processing { .. } => {
                entry.status.kind == TaskKind::Narration && entry.status.paused != paused
            }
            Phase::Ended { .. } => false,
        };
        if !is_news {
            return None;
        }
        self.alter(id, |status| {
            status.paused = paused;
            status.updated_at = now.wall;
        });
        Some(Event::Progress { task: id.clone() })
    }

    /// Holds all waiting tasks back, or lets them go.
    pub fn set_queue_paused(&mut self, paused: bool) -> Option<Event> {
        if self.queue.is_paused() == paused {
            return None;
        }
        self.queue.set_all_paused(paused);
        Some(Event::QueuePaused { paused })
    }

    /// Whether all waiting tasks are held back.
    pub fn is_queue_paused(&self) -> bool {
        self.queue.is_paused()
    }

    /// Moves a task that may run one place up or down. `None` if there is no such place; otherwise
    /// the new places of the task and of the one it changed with.
    pub fn shift(&mut self, id: &TaskId, up: bool, now: Now) -> Option<[(TaskId, i64); 2]> {
        let seq = self.tasks.get(id)?.seq;
        let other = self.queue.shift(seq, up)?;
        let other_id = self.order.get(&other)?.clone();
        let places = [
            (id.clone(), self.queue.rank(seq)?),
            (other_id, self.queue.rank(other)?),
        ];
        for (id, rank) in &places {
            if let Some(entry) = self.tasks.get_mut(id) {
                entry.rank = Some(*rank);
            }
            self.alter(id, |status| {
                status.rank = *rank;
                status.updated_at = now.wall;
            });
        }
        Some(places)
    }

    /// Cancels a waiting task, or notes the request for a running one.
    pub fn cancel(&mut self, id: &TaskId, now: Now) -> (Cancelled, Vec<Event>) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return (Cancelled::Nothing, Vec::new());
        };
        match entry.phase {
            Phase::Ended { .. } => (Cancelled::Nothing, Vec::new()),
            Phase::Pending => {
                entry.status.cancel_requested = true;
                (
                    Cancelled::Ended,
                    self.end(id, Outcome::Cancelled(cancelled_error()), now),
                )
            }
            Phase::Processing { .. } => {
                let first = !std::mem::replace(&mut entry.status.cancel_requested, true);
                let event = first.then(|| Event::CancelRequested { task: id.clone() });
                (Cancelled::Requested, event.into_iter().collect())
            }
        }
    }

    /// Whether someone asked for the task to be cancelled.
    pub fn is_cancelled(&self, id: &TaskId) -> bool {
        self.tasks
            .get(id)
            .is_some_and(|entry| entry.status.cancel_requested)
    }

    /// Puts a running task back at its place. It is to be tried again after the time in `retry`, because
    /// of that error; without one its work was broken off by a pause or a shutdown, which is no attempt.
    pub fn requeue(
        &mut self,
        id: &TaskId,
        retry: Option<(Duration, ErrorObject)>,
        now: Now,
    ) -> Option<Event> {
        let entry = self.tasks.get_mut(id)?;
        let Phase::Processing { .. } = entry.phase else {
            return None;
        };
        entry.drop_deadlines(&mut self.deadlines);
        entry.phase = Phase::Pending;
        let (seq, priority, rank) = (entry.seq, entry.status.priority, entry.rank);
        self.queue.add(
            seq,
            priority,
            (retry.as_ref()).map(|(delay, _)| now.mono.saturating_add(*delay)),
            &[],
            entry.status.paused,
            rank,
        );
        self.alter(id, |status| {
            if retry.is_some() {
                status.made = Made::default();
            } else {
                status.attempt = status.attempt.saturating_sub(1);
            }
            if let Some(started) = status.started_at.take() {
                status.earlier_seconds += now.wall.since(started).as_secs_f64();
            }
            status.error = retry.map(|(_, error)| error);
            status.current_segment = None;
            status.state = TaskState::Pending;
            status.updated_at = now.wall;
        });
        Some(Event::Requeued { task: id.clone() })
    }

    /// Ends a task, and with it those that wait for it in vain. One that has ended stays as it is.
    pub fn end(&mut self, id: &TaskId, outcome: Outcome, now: Now) -> Vec<Event> {
        let mut events = Vec::new();
        let mut ending = vec![(id.clone(), outcome)];
        while let Some((id, outcome)) = ending.pop() {
            let Some((seq, event)) = self.end_one(&id, outcome, now) else {
                continue;
            };
            if matches!(
                event,
                Event::Ended {
                    state: TaskState::Completed,
                    ..
                }
            ) {
                self.queue.fulfil(seq);
            } else {
                for dependant in self.queue.fail(seq) {
                    if let Some(dependant) = self.order.get(&dependant) {
                        ending.push((dependant.clone(), Outcome::Failed(dependency_error(&id))));
                    }
                }
            }
            events.push(event);
        }
        events
    }

    /// Ends a task, and leaves those that wait for it as they are.
    pub fn end_alone(&mut self, id: &TaskId, outcome: Outcome, now: Now) -> Option<Event> {
        self.end_one(id, outcome, now).map(|(_, event)| event)
    }

    /// Ends a task that waits for one that did not end as it should.
    pub fn end_in_vain(&mut self, id: &TaskId, dependency: &TaskId, now: Now) -> Vec<Event> {
        self.end(id, Outcome::Failed(dependency_error(dependency)), now)
    }

    fn end_one(&mut self, id: &TaskId, outcome: Outcome, now: Now) -> Option<(u64, Event)> {
        let entry = self.tasks.get_mut(id)?;
        if let Phase::Ended { .. } = entry.phase {
            return None;
        }
        entry.drop_deadlines(&mut self.deadlines);
        self.queue.remove(entry.seq);
        let seq = entry.seq;
        entry.phase = Phase::Ended { at: now.mono };
        self.ended.insert((now.mono, seq));
        let (state, result, error) = match outcome {
            Outcome::Completed(value) => (TaskState::Completed, Some(value), None),
            Outcome::Failed(error) => (TaskState::Failed, None, Some(error)),
            Outcome::Cancelled(error) => (TaskState::Cancelled, None, Some(error)),
            Outcome::TimedOut => (TaskState::Failed, None, Some(entry.timeout_error())),
        };
        self.alter(id, |status| {
            status.result = result;
            status.error.clone_from(&error);
            status.current_segment = None;
            status.paused = false;
            status.completed_at = Some(now.wall);
            status.updated_at = now.wall;
            status.state = state;
        });
        Some((
            seq,
            Event::Ended {
                task: id.clone(),
                state,
                error,
            },
        ))
    }

    /// The error of a task that is over its time, as it stands now.
    pub fn timeout_error(&self, id: &TaskId) -> Option<ErrorObject> {
        self.tasks.get(id).map(Entry::timeout_error)
    }

    /// The running tasks and segments whose time is over. Each is named once.
    pub fn expire(&mut self, now: Now) -> Vec<Overdue> {
        let mut over = Vec::new();
        while let Some(&(at, seq)) = self.deadlines.first() {
            if at > now.mono {
                break;
            }
            self.deadlines.pop_first();
            let Some(id) = self.order.get(&seq) else {
                continue;
            };
            let Some(entry) = self.tasks.get_mut(id) else {
                continue;
            };
            let Phase::Processing {
                deadline,
                segment_deadline,
                ..
            } = &mut entry.phase
            else {
                continue;
            };
            let segment = if *deadline == Some(at) {
                *deadline = None;
                None
            } else {
                *segment_deadline = None;
                entry.status.current_segment
            };
            over.push(Overdue {
                id: id.clone(),
                segment,
            });
        }
        over
    }

    /// When something happens by itself: a deadline passes, or a delayed task is due.
    pub fn next_wake(&self) -> Option<Duration> {
        let deadline = self.deadlines.first().map(|&(deadline, _)| deadline);
        deadline.into_iter().chain(self.queue.next_due()).min()
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
                if let Some(group) = &entry.status.group {
                    self.groups
                        .update(group, Some(Share::of(&entry.status)), None);
                }
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

    /// What is known of a group.
    pub fn group(&self, id: &GroupId) -> Option<GroupStatus> {
        self.groups.status(id)
    }

    /// Changes what is known of a task that has not ended, and what follows from it.
    fn alter_active(&mut self, id: &TaskId, change: impl FnOnce(&mut TaskStatus)) -> Option<()> {
        if matches!(self.tasks.get(id)?.phase, Phase::Ended { .. }) {
            return None;
        }
        self.alter(id, change);
        Some(())
    }

    /// Changes what is known of a task, and with it the counts and its group's sums.
    fn alter(&mut self, id: &TaskId, change: impl FnOnce(&mut TaskStatus)) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let before = Share::of(&entry.status);
        self.counts[entry.status.state as usize] -= 1;
        change(&mut entry.status);
        self.counts[entry.status.state as usize] += 1;
        if let Some(group) = &entry.status.group {
            self.groups
                .update(group, Some(before), Some(Share::of(&entry.status)));
        }
    }
}

impl Entry {
    fn drop_deadlines(&mut self, all: &mut BTreeSet<(Duration, u64)>) {
        if let Phase::Processing {
            deadline,
            segment_deadline,
            ..
        } = self.phase
        {
            for at in deadline.into_iter().chain(segment_deadline) {
                all.remove(&(at, self.seq));
            }
        }
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

fn dependency_error(dependency: &TaskId) -> ErrorObject {
    let message = format!("the task {dependency}, which had to end first, did not complete");
    ErrorObject::new("DEPENDENCY", message)
        .with_details(json!({ "dependency": dependency }))
        .with_remediation("Mend that task and retry it, then this one")
}
