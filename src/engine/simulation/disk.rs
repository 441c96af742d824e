//! What a database would keep: rows are put into it in batches, and it survives a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::core::{RecurringRow, Row, RowAnswer, RunRow, Schedule};
use crate::engine::recurrence::Recurrence;
use crate::model::{ClipRecord, Occurrence, SegmentId, TaskId, TaskState, Timestamp};

/// What the disk has of an operation.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub fingerprint: Option<u8>,
    pub key: Option<u8>,
    pub parts: u32,
}

const DAY: i64 = 24 * 3600 * 1000;

#[derive(Clone, Debug)]
pub(super) struct StoredTask {
    pub seq: u64,
    pub record: Record,
    pub timeout: Option<Duration>,
    pub schedule: Schedule,
    pub due: Option<Timestamp>,
    pub cancelled: bool,
    pub state: TaskState,
    pub occurrence: Option<Arc<Occurrence>>,
    pub done: BTreeSet<SegmentId>,
    /// How often each part's row was stored since it was last forgotten.
    pub stored: BTreeMap<SegmentId, u32>,
}

/// What recurs.
#[derive(Clone, Debug)]
pub(super) struct StoredRecurring {
    pub recurrence: Recurrence,
    pub record: Record,
    pub schedule: Schedule,
    pub timeout: Option<Duration>,
    pub next: Timestamp,
    pub noted: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub tasks: BTreeMap<TaskId, StoredTask>,
    pub recurring: BTreeMap<Arc<str>, StoredRecurring>,
    /// What recurs of which the disk refused for good when it is due.
    pub unsure: BTreeSet<Arc<str>>,
    /// Changes that the rules forbid.
    pub broken: Vec<String>,
}

pub(super) fn clip(part: SegmentId) -> ClipRecord {
    ClipRecord {
        segment_id: part,
        clip: "clip".into(),
        bytes: 1,
        samples: 1000,
        rate: 1000,
        peak: 0.0,
        checksum: None,
        words: Arc::default(),
    }
}

impl Disk {
    /// The number of the next submission.
    pub(super) fn next_seq(&self) -> u64 {
        let numbers = self.tasks.values().map(|task| task.seq + 1);
        numbers.max().unwrap_or(1)
    }

    pub(super) fn put(&mut self, row: &Row<Record>) -> RowAnswer {
        match row {
            Row::Accepted {
                task,
                seq,
                record,
                timeout,
                schedule,
                again,
                at,
                run,
            } => {
                if self.tasks.contains_key(task) {
                    return RowAnswer::Taken;
                }
                let unfinished = self.tasks.values().find(|other| {
                    !other.state.is_terminal()
                        && record.fingerprint.is_some()
                        && other.record.fingerprint == record.fingerprint
                });
                if unfinished.is_some() {
                    let both = format!("two unfinished tasks of one fingerprint: {task}");
                    self.broken.push(both);
                }
                if let Some(run) = run {
                    self.note_run(task, run, *at);
                }
                let adopted = self.adopt(record, again);
                let due = schedule.delay.map(|delay| {
                    Timestamp(at.0 + i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
                });
                let stored = StoredTask {
                    seq: *seq,
                    record: record.clone(),
                    timeout: *timeout,
                    schedule: schedule.clone(),
                    due,
                    cancelled: false,
                    state: TaskState::Pending,
                    occurrence: run.as_ref().map(|run| Arc::clone(&run.occurrence)),
                    done: adopted.clone(),
                    stored: BTreeMap::new(),
                };
                self.tasks.insert(task.clone(), stored);
                return RowAnswer::Accepted(adopted.into_iter().map(clip).collect());
            }
            Row::Started { task, .. } => {
                self.change(task, |task| task.state = TaskState::Processing);
            }
            Row::Waiting { task, .. } => {
                self.change(task, |task| task.state = TaskState::Pending);
            }
            Row::CancelRequested { task } => {
                self.change(task, |task| task.cancelled = true);
            }
            Row::Paused { task, paused } => {
                self.change(task, |task| task.schedule.paused = *paused);
            }
            Row::Places(places) => {
                for (task, rank) in places {
                    self.change(task, |task| task.schedule.rank = Some(*rank));
                }
            }
            Row::Recurring(row) => self.put_recurring(row),
            Row::PartBegun { .. } | Row::PartFailed { .. } | Row::Archived(_) => {}
            Row::PartDone { task, clip, .. } => {
                let part = clip.segment_id;
                let mut twice = false;
                let is_open = self.change(task, |task| {
                    task.done.insert(part);
                    let times = task.stored.entry(part).or_default();
                    *times += 1;
                    twice = *times > 1;
                });
                if !is_open {
                    self.broken
                        .push(format!("part {part} of {task} is stored after its end"));
                } else if twice {
                    self.broken
                        .push(format!("part {part} of {task} was made twice"));
                }
            }
            Row::PartForgotten { task, part } => {
                self.change(task, |task| {
                    task.done.remove(part);
                    task.stored.remove(part);
                });
            }
            Row::Ended { task, state, .. } => {
                if !self.change(task, |task| task.state = *state) {
                    self.broken.push(format!("{task} ends twice"));
                }
            }
        }
        RowAnswer::Done
    }

    fn put_recurring(&mut self, row: &RecurringRow<Record>) {
        match row {
            RecurringRow::Set(row) => {
                let mut new = StoredRecurring {
                    recurrence: row.recurrence.clone(),
                    record: row.record.clone(),
                    schedule: row.schedule.clone(),
                    timeout: row.timeout,
                    next: row.next,
                    noted: row.at,
                };
                if let Some(old) = self.recurring.get(&row.name)
                    && old.recurrence == row.recurrence
                {
                    (new.next, new.noted) = (old.next, old.noted);
                }
                self.recurring.insert(Arc::clone(&row.name), new);
            }
            RecurringRow::Next {
                name,
                recurrence,
                next,
                at,
            } => self.pass_over(name, recurrence, *next, *at),
            RecurringRow::Removed(name) => {
                self.recurring.remove(name);
            }
        }
    }

    /// A run of what recurs is accepted: the next one is due later, and it is the only one.
    fn note_run(&mut self, task: &TaskId, run: &RunRow, at: Timestamp) {
        let name = &run.occurrence.recurring;
        let same = |other: &&StoredTask| {
            let run = other.occurrence.as_ref();
            run.is_some_and(|run| run.recurring == *name) && !other.state.is_terminal()
        };
        if self.tasks.values().any(|other| same(&other)) {
            self.broken.push(format!("two runs of {name} at a time"));
        }
        if run.next <= run.occurrence.due {
            let broken = format!("after {task}, the next one is due at {:?}", run.next);
            self.broken.push(broken);
        }
        if let Some(stored) = self.recurring.get_mut(name)
            && stored.recurrence == run.recurrence
        {
            let due = run.occurrence.due;
            if due > stored.next && !self.unsure.contains(name) {
                let skipped = format!("{task} begins and {:?} had no run", stored.next);
                self.broken.push(skipped);
            }
            if due >= stored.next {
                (stored.next, stored.noted) = (run.next, at);
            }
        }
    }

    /// No run comes for the time that was due: there was one, or the clock was wrong.
    fn pass_over(
        &mut self,
        name: &Arc<str>,
        recurrence: &Recurrence,
        next: Timestamp,
        at: Timestamp,
    ) {
        let stored = self.recurring.get_mut(name);
        let Some(stored) = stored.filter(|stored| stored.recurrence == *recurrence) else {
            return;
        };
        let run = Occurrence {
            recurring: Arc::clone(name),
            due: stored.next,
            late: Duration::ZERO,
        };
        let was_run = self.tasks.contains_key(&run.task_id());
        // A clock that was not set said nothing.
        let was_set = stored.noted.0 >= super::world::TODAY - DAY;
        if next > stored.next && was_set && !was_run && !self.unsure.contains(name) {
            let lost = format!("no run of {name} comes for {:?}", stored.next);
            self.broken.push(lost);
        }
        (stored.next, stored.noted) = (next, at);
    }

    /// Changes a task that has not ended; whether there was one.
    fn change(&mut self, id: &TaskId, change: impl FnOnce(&mut StoredTask)) -> bool {
        let task = self.tasks.get_mut(id);
        let Some(task) = task.filter(|task| !task.state.is_terminal()) else {
            return false;
        };
        change(task);
        true
    }

    /// The results of the last task that ended with this fingerprint.
    fn adopt(&mut self, record: &Record, again: &[SegmentId]) -> BTreeSet<SegmentId> {
        let same = self.tasks.values_mut().filter(|old| {
            record.fingerprint.is_some()
                && old.record.fingerprint == record.fingerprint
                && old.state.is_terminal()
                && !old.done.is_empty()
        });
        let Some(last) = same.max_by_key(|old| old.seq) else {
            return BTreeSet::new();
        };
        let mut adopted = std::mem::take(&mut last.done);
        adopted.retain(|part| part.get() <= record.parts && !again.contains(part));
        adopted
    }

    /// Whether a task is on disk as ended, and how.
    pub(super) fn end_of(&self, id: &TaskId) -> Option<TaskState> {
        let state = self.tasks.get(id)?.state;
        state.is_terminal().then_some(state)
    }
}
