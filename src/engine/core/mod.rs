//! Every decision of the engine, in one pure place: commands in, events and effects out. There are no
//! threads, clocks, files or locks here, and none of the work's own code is ever called: bodies come
//! in, are handed to a worker, come back, and leave to be dropped by whoever holds no lock.
//!
//! The rules that the rest of the engine rests on, each proved by the [simulation](super::simulation):
//!
//! - What is told is on disk: an event whose truth is a row leaves with the answer to that row.
//! - At most one batch of rows is on its way to the store; what happens meanwhile makes the next one.
//! - A run, a lease and a submission each have a number that is never given twice; whoever comes back
//!   with one that no longer counts changes nothing.
//! - Every caller that is told [`Answer::Later`] gets exactly one reply.
//! - What a task, a part, a report or a question costs grows with a logarithm of what is known; what
//!   touches all tasks, such as cancelling them, costs what it touches.

mod accept;
mod breaker;
mod control;
mod disk;
mod end;
mod group;
mod life;
pub(crate) mod mutation;
mod parts;
mod policy;
mod queue;
mod recurring;
mod row;
mod run;
mod state;
mod time;
mod types;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    CompletedSegment, GroupId, GroupStatus, Plan, SegmentId, TaskId, TaskState, TaskStatus, Trace,
    char_count,
};

use self::breaker::Breakers;
use self::disk::Disk;
use self::group::{Contribution, Groups};
use self::queue::{Lane, Queue};
use self::recurring::Recurrences;
use self::state::{Alarm, Entry, Life, Phase, Run};
use self::workers::Workers;

pub(crate) use self::policy::Schedule;
pub use self::policy::{Breaker, Retries};
pub(crate) use self::row::*;
pub(crate) use self::types::*;

/// All that the engine knows and decides. `B` is the work of a task, `R` what the disk has of it.
pub(crate) struct Core<B, R> {
    config: Config,
    /// Trees, not hash tables: a hash table would stall callers while it rehashes.
    tasks: BTreeMap<TaskId, Entry<B>>,
    order: BTreeMap<u64, TaskId>,
    queue: Queue,
    recurring: Recurrences<B, R>,
    groups: Groups,
    fingerprints: BTreeMap<Arc<str>, TaskId>,
    breakers: Breakers,
    runs: BTreeMap<RunId, Run>,
    workers: Workers,
    alarms: BTreeSet<(Duration, Alarm)>,
    /// Those of them that limit work.
    limits: usize,
    /// When the clock has been asked to wake us.
    wake_at: Option<Duration>,
    ended: BTreeSet<(Duration, u64)>,
    /// The urgent ones of them, which leave sooner: whoever waited for one has what it made.
    ended_urgent: BTreeSet<(Duration, u64)>,
    counts: [usize; TaskState::ALL.len()],
    /// Submissions that are not yet admitted.
    accepting: usize,
    /// Those that the disk has refused, while others may be on their way that were to run after them.
    refused: BTreeMap<u64, TaskId>,
    disk: Disk<R>,
    life: Life,
    totals: Totals,
    segments: Segments,
    next_seq: u64,
    next_run: RunId,
    next_lease: LeaseId,
    random: fastrand::Rng,
}

impl<B, R: Clone> Core<B, R> {
    /// An engine without tasks, which does not work yet: tasks of an earlier process come first.
    /// Submissions are counted from `next_seq`.
    pub(crate) fn new(config: Config, next_seq: u64) -> Self {
        Self {
            config,
            tasks: BTreeMap::new(),
            order: BTreeMap::new(),
            queue: {
                let mut queue = Queue::default();
                queue.set_blocked(&Lane::NoOperation, true);
                queue
            },
            recurring: Recurrences::default(),
            groups: Groups::default(),
            fingerprints: BTreeMap::new(),
            breakers: Breakers::default(),
            runs: BTreeMap::new(),
            workers: Workers::default(),
            alarms: BTreeSet::new(),
            limits: 0,
            wake_at: None,
            ended: BTreeSet::new(),
            ended_urgent: BTreeSet::new(),
            counts: [0; TaskState::ALL.len()],
            accepting: 0,
            refused: BTreeMap::new(),
            disk: Disk::default(),
            life: Life::Restoring,
            totals: Totals::default(),
            segments: Segments::default(),
            next_seq,
            next_run: 1,
            next_lease: 1,
            random: fastrand::Rng::with_seed(config.seed),
        }
    }
}

impl<B: Again, R: Clone> Core<B, R> {
    /// Lets one thing happen, and says what follows from it: to its caller as the answer, to
    /// everyone else in `out`.
    pub(crate) fn apply(
        &mut self,
        command: Command<B, R>,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let answer = match command {
            Command::Submit(new, call) => self.submit(*new, call, now, out),
            Command::Admit {
                task,
                done,
                missing,
            } => self.admit(&task, done, &missing, now, out),
            Command::Restore(task) => self.restore(*task, now, out),
            Command::SetRecurring(new, call) => self.set_recurring(*new, call, now, out),
            Command::RemoveRecurring { name, call } => self.remove_recurring(name, call, now, out),
            Command::RestoreRecurring(restored) => self.restore_recurring(*restored),
            Command::Open => self.open(now, out),
            Command::Cancel { task, after_part } => self.cancel(&task, after_part, now, out),
            Command::CancelAll => self.cancel_all(now, out),
            Command::SetPaused { task, paused } => self.set_paused(&task, paused, now, out),
            Command::SetQueuePaused(paused) => self.set_queue_paused(paused, now, out),
            Command::ResumeAll => self.resume_all(now, out),
            Command::Move { task, up } => self.shift(&task, up, now, out),
            Command::MoveFirst(tasks) => self.move_first(&tasks, now, out),
            Command::OpenPart { run, part } => self.open_part(run, part, now, out),
            Command::ClosePart { run, part } => self.close_part(run, part, now),
            Command::CompletePart {
                run,
                lease,
                clip,
                work,
                call,
            } => self.complete_part(run, lease, clip, work, call, now, out),
            Command::FailPart { run, part, error } => self.fail_part(run, part, error, now, out),
            Command::ForgetPart { run, part, call } => self.forget_part(run, part, call),
            Command::Finished { run, result, body } => self.finished(run, result, body, now, out),
            Command::Persisted { batch, answers } => self.persisted(batch, answers, now, out),
            Command::Tick => self.tick(now, out),
            Command::Cleanup { max_age } => self.cleanup(max_age, now, out),
            Command::SetWorkers(least, most) => self.set_workers(least, most, out),
            Command::WorkerLost => self.worker_lost(now),
            Command::Watch { task, call } => self.watch(&task, call, out),
            Command::Shutdown { wait, call } => self.shut_down(wait, call, now, out),
        };
        if self.accepting == 0 {
            self.refused.clear();
        }
        self.dispatch(now, out);
        self.advance_shutdown(now, out);
        self.send_rows(now, out);
        self.finish_shutdown(now, out);
        self.ask_for_wake(now, out);
        answer
    }
}

impl<B, R: Clone> Core<B, R> {
    /// A copy of everything known about a task.
    pub(crate) fn status(&self, id: &TaskId) -> Option<TaskStatus> {
        let entry = self.tasks.get(id).filter(|entry| entry.is_known())?;
        if entry.phase == Phase::Waiting
            && let Some(hold) = self.hold(entry)
        {
            let mut status = entry.status.clone();
            status.hold = Some(hold);
            return Some(status);
        }
        Some(entry.status.clone())
    }

    /// Copies of all tasks, in the order of their submission.
    pub(crate) fn all(&self) -> Vec<TaskStatus> {
        let ids = self.order.values();
        ids.filter_map(|id| self.status(id)).collect()
    }

    /// At most so many of them, after this one; `None` if there is no such task. Costs nothing for the
    /// others.
    pub(crate) fn page(&self, after: Option<&TaskId>, limit: usize) -> Option<Vec<TaskStatus>> {
        let after = match after {
            None => Bound::Unbounded,
            Some(id) => {
                let entry = self.tasks.get(id).filter(|entry| entry.is_known())?;
                Bound::Excluded(entry.seq)
            }
        };
        let ids = self.order.range((after, Bound::Unbounded));
        let known = ids.filter_map(|(_, id)| self.status(id));
        Some(known.take(limit).collect())
    }

    /// How many tasks are in this state.
    pub(crate) fn count(&self, state: TaskState) -> usize {
        self.counts[state as usize]
    }

    /// Tasks accepted, clips made, seconds of audio in them and of work for them, since the start.
    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// What became of segments, since the start.
    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }

    /// What is known of a group.
    pub(crate) fn group(&self, id: &GroupId) -> Option<GroupStatus> {
        self.groups.status(id)
    }

    /// The task with this fingerprint that has not ended.
    pub(crate) fn unfinished_like(&self, fingerprint: &str) -> Option<TaskId> {
        self.fingerprints.get(fingerprint).cloned()
    }

    /// Whether someone asked for the task to be cancelled.
    pub(crate) fn is_cancelled(&self, id: &TaskId) -> bool {
        let entry = self.tasks.get(id);
        entry.is_some_and(|entry| entry.status.cancel_requested)
    }

    /// The trace that a task belongs to.
    pub(crate) fn trace(&self, id: &TaskId) -> Option<Arc<Trace>> {
        self.tasks.get(id)?.status.trace.clone()
    }

    /// Whether all waiting tasks are held back.
    pub(crate) fn is_queue_paused(&self) -> bool {
        self.queue.is_paused()
    }

    /// Whether a task of this id is known, or on its way in.
    pub(crate) fn contains(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    /// Changes what is known of a task, and with it the counts and its group's sums.
    fn alter(&mut self, id: &TaskId, change: impl FnOnce(&mut TaskStatus)) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let before = Contribution::of(&entry.status);
        self.counts[entry.status.state as usize] -= 1;
        change(&mut entry.status);
        self.counts[entry.status.state as usize] += 1;
        if let Some(group) = &entry.status.group {
            self.groups
                .update(group, Some(before), Some(Contribution::of(&entry.status)));
        }
    }

    fn set_alarm(&mut self, at: Duration, alarm: Alarm) {
        let is_limit = alarm.is_limit();
        if self.alarms.insert((at, alarm)) {
            self.limits += usize::from(is_limit);
        }
    }

    fn clear_alarm(&mut self, at: Option<Duration>, alarm: Alarm) {
        if let Some(at) = at {
            let is_limit = alarm.is_limit();
            if self.alarms.remove(&(at, alarm)) {
                self.limits -= usize::from(is_limit);
            }
        }
    }
}

fn weight(plan: Option<&Arc<Plan>>, id: SegmentId) -> u64 {
    let part = plan.and_then(|plan| plan.get(id));
    part.map_or(0, |part| char_count(&part.text))
}

/// Notes a finished part in what is known of its task. One that was finished already is replaced,
/// not counted twice. A copy is done, and was not made: it says nothing of the speed.
fn add_completed(status: &mut TaskStatus, segment: CompletedSegment, is_made: bool) {
    let weight = weight(status.plan.as_ref(), segment.segment_id);
    let audio = segment.duration.as_secs_f64();
    if let Some(old) = status.completed_segments.get(segment.segment_id) {
        status.audio_seconds -= old.duration.as_secs_f64();
        status.completed_chars -= weight;
    }
    status.audio_seconds += audio;
    status.completed_chars += weight;
    if is_made {
        status.made.audio_seconds += audio;
        status.made.work_seconds += segment.work.as_secs_f64();
        status.made.chars += weight;
    }
    if status.current_segment == Some(segment.segment_id) {
        status.current_segment = None;
    }
    status.completed_segments.insert(segment);
    if status.plan.is_some() {
        status.progress.current = status.completed_segments.len() as u64;
    }
}
