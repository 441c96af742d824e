//! The numbered parts of a running task: each attempt at one is a lease. Many may be open, they finish
//! in any order, and only the newest lease of a part counts.

use std::time::Duration;

use super::end::over_time;
use super::mutation::{Mutation, mutated};
use super::state::{Alarm, Lease, Phase, Then};
use super::{
    Answer, CallId, Core, Effect, LeaseId, Now, Outcome, Output, Refusal, Report, Row, RunId,
    add_completed,
};
use crate::model::{ClipRecord, CompletedSegment, ErrorObject, Event, SegmentId, TaskId};

/// How long a part that was told to stop may take before its whole run is given up.
const PART_GRACE: Duration = Duration::from_secs(10);

impl<B, R: Clone> Core<B, R> {
    /// The task that a run works at, unless the run no longer counts.
    fn task_of(&self, run: RunId) -> Option<TaskId> {
        let id = &self.runs.get(&run)?.task;
        match self.tasks.get(id)?.phase {
            Phase::Running { run: current, .. } if current == run => Some(id.clone()),
            _ => None,
        }
    }

    /// Begins an attempt at a part. None begins once the run was asked to stop, in whatever way.
    pub(super) fn open_part(
        &mut self,
        run: RunId,
        part: SegmentId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let is_asked = self.runs.get(&run).is_none_or(|run| run.asked.is_some());
        let Some(id) = self.task_of(run).filter(|_| !is_asked) else {
            return Answer::Refused(Refusal::Stale);
        };
        let idle = self.end_idling(&id, now);
        self.totals.wait_seconds += idle;
        self.drop_lease(&id, part);
        let lease = self.next_lease;
        self.next_lease += 1;
        let deadline = self
            .config
            .part_timeout
            .map(|timeout| now.mono.saturating_add(timeout));
        let Some(entry) = self.tasks.get_mut(&id) else {
            return Answer::Refused(Refusal::Stale);
        };
        entry.leases.insert(
            part,
            Lease {
                id: lease,
                deadline,
                is_open: true,
                give_up: None,
                storing: None,
            },
        );
        let (seq, is_durable) = (entry.seq, entry.is_durable());
        if let Some(deadline) = deadline {
            self.set_alarm(deadline, Alarm::PartDeadline(seq, lease));
        }
        if is_durable {
            let task = id.clone();
            self.disk.add(Row::PartBegun { task, part }, Then::Nothing);
        }
        self.alter(&id, |status| {
            status.made.wait_seconds += idle;
            status.errors.clear(part);
            status.current_segment = Some(part);
            status.updated_at = now.wall;
        });
        out.events.push(Event::SegmentStarted {
            task: id,
            segment_id: part,
        });
        Answer::Lease(lease)
    }

    /// The seconds for which no part has been in the model.
    fn end_idling(&mut self, id: &TaskId, now: Now) -> f64 {
        let phase = self.tasks.get_mut(id).map(|entry| &mut entry.phase);
        let since = match phase {
            Some(Phase::Running { idle_since, .. }) => idle_since.take(),
            _ => None,
        };
        since.map_or(0.0, |since| now.mono.saturating_sub(since).as_secs_f64())
    }

    /// The part is made, one way or the other: it can't become overdue any more.
    pub(super) fn close_part(&mut self, run: RunId, part: SegmentId, now: Now) -> Answer {
        let Some(id) = self.task_of(run) else {
            return Answer::Refused(Refusal::Stale);
        };
        self.stop_lease(&id, part);
        if let Some(entry) = self.tasks.get_mut(&id)
            && entry.leases.values().all(|lease| !lease.is_open)
            && let Phase::Running { idle_since, .. } = &mut entry.phase
        {
            *idle_since = Some(now.mono);
        }
        Answer::Done
    }

    fn stop_lease(&mut self, id: &TaskId, part: SegmentId) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let seq = entry.seq;
        let Some(lease) = entry.leases.get_mut(&part) else {
            return;
        };
        lease.is_open = false;
        let (lease, deadline, give_up) = (lease.id, lease.deadline.take(), lease.give_up.take());
        self.clear_alarm(deadline, Alarm::PartDeadline(seq, lease));
        self.clear_alarm(give_up, Alarm::PartGiveUp(seq, lease));
    }

    fn drop_lease(&mut self, id: &TaskId, part: SegmentId) {
        self.stop_lease(id, part);
        if let Some(entry) = self.tasks.get_mut(id) {
            entry.leases.remove(&part);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all that a result brings with it"
    )]
    pub(super) fn complete_part(
        &mut self,
        run: RunId,
        lease: Option<LeaseId>,
        clip: ClipRecord,
        work: Duration,
        call: CallId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let part = clip.segment_id;
        let Some(id) = self.task_of(run) else {
            return Answer::Refused(Refusal::Stale);
        };
        let Some(entry) = self.tasks.get_mut(&id) else {
            return Answer::Refused(Refusal::Stale);
        };
        let current = entry.leases.get(&part).map(|lease| lease.id);
        // Only the newest attempt at a part can win, and no copy beside it.
        if current != lease && !mutated(Mutation::StaleLease) {
            return Answer::Refused(Refusal::Stale);
        }
        let segment = CompletedSegment {
            segment_id: part,
            clip: clip.clip.clone(),
            duration: clip.duration(),
            work,
        };
        let is_made = lease.is_some();
        let id_of_lease = lease.unwrap_or_else(|| {
            self.next_lease += 1;
            self.next_lease - 1
        });
        let (folder, is_durable) = (entry.status.folder.clone(), entry.is_durable());
        entry.leases.entry(part).or_insert(Lease {
            id: id_of_lease,
            deadline: None,
            is_open: false,
            give_up: None,
            storing: None,
        });
        self.stop_lease(&id, part);
        if !is_durable {
            self.drop_stored_lease(&id, part, id_of_lease);
            self.part_stored(&id, segment, is_made, now, out);
            return Answer::Done;
        }
        if let Some(entry) = self.tasks.get_mut(&id)
            && let Some(lease) = entry.leases.get_mut(&part)
        {
            lease.storing = Some(segment.duration);
        }
        let row = Row::PartDone {
            task: id.clone(),
            folder,
            clip,
        };
        let then = Then::PartDone {
            task: id,
            segment,
            lease: id_of_lease,
            is_made,
            call,
        };
        self.disk.add(row, then);
        Answer::Later
    }

    /// A part's result is on disk: from here on everyone knows of it.
    pub(super) fn part_stored(
        &mut self,
        id: &TaskId,
        segment: CompletedSegment,
        is_made: bool,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        self.totals.clips += 1;
        if is_made {
            self.totals.audio_seconds += segment.duration.as_secs_f64();
            self.totals.work_seconds += segment.work.as_secs_f64();
            // Of some it is not known.
            if !segment.work.is_zero() {
                self.segments.work.note(segment.work);
            }
        }
        let done = segment.clone();
        self.alter(id, |status| {
            add_completed(status, done, is_made);
            status.updated_at = now.wall;
        });
        out.events.push(Event::SegmentCompleted {
            task: id.clone(),
            segment,
        });
    }

    /// The disk has answered for this attempt, one way or the other: it is over.
    pub(super) fn drop_stored_lease(&mut self, id: &TaskId, part: SegmentId, lease: LeaseId) {
        if let Some(entry) = self.tasks.get_mut(id)
            && entry.leases.get(&part).is_some_and(|one| one.id == lease)
        {
            entry.leases.remove(&part);
        }
    }

    pub(super) fn fail_part(
        &mut self,
        run: RunId,
        part: SegmentId,
        error: ErrorObject,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let Some(id) = self.task_of(run) else {
            return Answer::Refused(Refusal::Stale);
        };
        // Its result may still come: an error can stand beside a clip.
        if !mutated(Mutation::DeadlineKept) {
            self.stop_lease(&id, part);
        }
        let event = self.note_error(&id, part, error.clone(), now);
        let Some(entry) = self.tasks.get(&id) else {
            return Answer::Refused(Refusal::Stale);
        };
        if entry.is_durable() {
            let row = Row::PartFailed {
                task: id,
                folder: entry.status.folder.clone(),
                part,
                error,
            };
            self.disk.add(row, Then::Tell(event));
        } else {
            out.events.push(event);
        }
        Answer::Done
    }

    fn note_error(&mut self, id: &TaskId, part: SegmentId, error: ErrorObject, now: Now) -> Event {
        self.segments.note_error(error.code.as_str());
        let noted = error.clone();
        self.alter(id, |status| {
            status.errors.push(part, noted);
            if status.current_segment == Some(part) {
                status.current_segment = None;
            }
            status.updated_at = now.wall;
        });
        Event::SegmentFailed {
            task: id.clone(),
            segment_id: part,
            error,
        }
    }

    pub(super) fn forget_part(&mut self, run: RunId, part: SegmentId, call: CallId) -> Answer {
        let Some(id) = self.task_of(run) else {
            return Answer::Refused(Refusal::Stale);
        };
        let task = id.clone();
        let then = Then::PartForgotten {
            task: id,
            part,
            call,
        };
        self.disk.add(Row::PartForgotten { task, part }, then);
        Answer::Later
    }

    pub(super) fn part_forgotten(
        &mut self,
        id: &TaskId,
        part: SegmentId,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Some(entry) = self.tasks.get(id) else {
            return;
        };
        let Some(old) = entry.status.completed_segments.get(part) else {
            return;
        };
        let audio = old.duration.as_secs_f64();
        let weight = super::weight(entry.status.plan.as_ref(), part);
        self.alter(id, |status| {
            status.completed_segments.remove(part);
            status.audio_seconds -= audio;
            status.completed_chars -= weight;
            if status.plan.is_some() {
                status.progress.current = status.completed_segments.len() as u64;
            }
            status.updated_at = now.wall;
        });
        out.events.push(Event::Progress { task: id.clone() });
    }

    /// A part is overdue: that one is broken off, the task continues.
    pub(super) fn part_overdue(
        &mut self,
        seq: u64,
        lease: LeaseId,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Some((id, run, part)) = self.find_lease(seq, lease) else {
            return;
        };
        let at = now.mono.saturating_add(PART_GRACE);
        if let Some(entry) = self.tasks.get_mut(&id)
            && let Some(lease) = entry.leases.get_mut(&part)
        {
            lease.deadline = None;
            lease.give_up = Some(at);
        }
        self.set_alarm(at, Alarm::PartGiveUp(seq, lease));
        out.effects.push(Effect::InterruptPart { run, part });
    }

    /// A part was told to stop and did not: its whole run is given up.
    pub(super) fn give_up_part(
        &mut self,
        seq: u64,
        lease: LeaseId,
        now: Now,
        out: &mut Output<B, R>,
    ) {
        let Some((_, run, part)) = self.find_lease(seq, lease) else {
            return;
        };
        let limit = self.config.part_timeout.unwrap_or_default();
        let error = over_time(limit, None).of_segment(part);
        self.give_up(run, Some(Outcome::Failed(error)), now, out);
    }

    fn find_lease(&self, seq: u64, lease: LeaseId) -> Option<(TaskId, RunId, SegmentId)> {
        let id = self.order.get(&seq)?;
        let entry = self.tasks.get(id)?;
        let Phase::Running { run, .. } = entry.phase else {
            return None;
        };
        let found = |(_, one): &(&SegmentId, &Lease)| one.id == lease && one.is_open;
        let (part, _) = entry.leases.iter().find(found)?;
        Some((id.clone(), run, *part))
    }

    /// What a caller outside a worker, or a closure, tells of a task. It is kept as long as the
    /// process lives.
    ///
    /// The commonest command of all, from which nothing but its event follows; the runtime calls it
    /// without making a command of it.
    pub(crate) fn report(
        &mut self,
        id: &TaskId,
        report: Report,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let is_known = self
            .tasks
            .get(id)
            .is_some_and(|entry| matches!(entry.phase, Phase::Waiting | Phase::Running { .. }));
        if !is_known {
            return Answer::Refused(Refusal::Unknown);
        }
        match report {
            Report::Part(segment) => self.part_stored(id, segment, true, now, out),
            Report::Error(part, error) => {
                let event = self.note_error(id, part, error, now);
                out.events.push(event);
            }
            Report::Progress {
                current,
                total,
                extra,
            } => {
                self.alter(id, |status| {
                    let progress = &mut status.progress;
                    progress.current = if total == 0 {
                        current
                    } else {
                        current.min(total)
                    };
                    progress.total = total;
                    if extra.is_some() {
                        progress.extra = extra.map(Into::into);
                    }
                    status.updated_at = now.wall;
                });
                out.events.push(Event::Progress { task: id.clone() });
            }
            Report::Partial(value) => {
                self.alter(id, |status| {
                    status.partial_result = Some(value.into());
                    status.updated_at = now.wall;
                });
                out.events.push(Event::Progress { task: id.clone() });
            }
        }
        Answer::Done
    }
}
