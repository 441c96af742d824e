//! Tasks that recur. Each run is a task of its own, whose id is made of the name and the time when it
//! was due: so none comes twice, and the row that accepts it also notes when the next one is due.
//!
//! A run is due by the wall's clock, which jumps: it is looked at at least twice a minute. What was
//! missed, because no process ran or the machine slept, is run once, late, and what came after it in
//! the meantime is passed over. While a run has not ended, the next one waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::mutation::{Mutation, mutated};
use super::row::{RecurringRow, SetRecurringRow};
use super::state::{Alarm, Life, Ran, Then};
use super::types::{NewRecurring, RestoredRecurring, Template};
use super::{Again, Answer, CallId, Core, Effect, Log, NewTask, Now, Output, Refusal, Reply, Row};
use crate::engine::recurrence::Recurrence;
use crate::model::{Occurrence, RecurringTask, TaskId, TaskStatus, Timestamp};

/// How often the wall's clock is looked at, at least.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How many runs begin in one step at most, so that no step takes long.
const STEP: usize = 64;
/// The pause before the next step.
const BETWEEN_STEPS: Duration = Duration::from_millis(1);
/// How long to wait after the disk has refused a run.
const AFTER_REFUSAL: Duration = Duration::from_secs(30);
/// A clock that is further behind than this was wrong when a run was noted, and not set back by a little.
const WRONG_CLOCK: i64 = 24 * 3600 * 1000;
/// No clock is right that says less: that of a board without a battery, before a network corrects it.
const EARLIEST: Timestamp = Timestamp(1_767_225_600_000); // 2026-01-01
/// When there is no next time.
const NEVER: Timestamp = Timestamp(i64::MAX);

struct Recurring<B, R> {
    recurrence: Recurrence,
    template: Template<B, R>,
    next: Timestamp,
    /// When that was reckoned.
    noted: Timestamp,
}

impl<B, R> Recurring<B, R> {
    fn is_stored(&self) -> bool {
        self.template.record.is_some()
    }
}

/// Everything that recurs.
pub(super) struct Recurrences<B, R> {
    known: BTreeMap<Arc<str>, Recurring<B, R>>,
    /// Those on their way to the disk.
    coming: BTreeMap<CallId, (Arc<str>, Recurring<B, R>)>,
    /// Those of which no run is in the queue or in work, by the time when they are due.
    due: BTreeSet<(Timestamp, Arc<str>)>,
    /// The runs that have not ended, also of what recurs no more.
    runs: BTreeMap<Arc<str>, TaskId>,
    /// What the wall said when it was looked at last.
    seen: Timestamp,
    alarm: Option<Duration>,
    /// No run begins before this.
    not_before: Duration,
}

impl<B, R> Default for Recurrences<B, R> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            coming: BTreeMap::new(),
            due: BTreeSet::new(),
            runs: BTreeMap::new(),
            seen: Timestamp::default(),
            alarm: None,
            not_before: Duration::ZERO,
        }
    }
}

impl<B, R> Recurrences<B, R> {
    /// Everything that recurs, by name.
    pub(super) fn all(&self) -> Vec<RecurringTask> {
        let all = self.known.iter().map(|(name, one)| RecurringTask {
            name: Arc::clone(name),
            recurrence: one.recurrence.to_string(),
            next: one.next,
            run: self.runs.get(name).cloned(),
            operation: one.template.status.operation.clone(),
        });
        all.collect()
    }

    /// The work of all runs that are yet to come, to be dropped.
    pub(super) fn take_bodies(&mut self) -> impl Iterator<Item = B> {
        self.due.clear();
        let all = self.known.values_mut();
        all.filter_map(|one| one.template.body.take())
    }

    /// Takes it in, or out, of those that are due some time.
    fn sort_in(&mut self, name: &Arc<str>) {
        let Some(one) = self.known.get(name) else {
            return;
        };
        let is_idle = !self.runs.contains_key(name) || mutated(Mutation::RunsOverlap);
        // Who can't do it leaves it to a program that can.
        let can_run = one.template.body.is_some();
        let place = (one.next, Arc::clone(name));
        if is_idle && can_run {
            self.due.insert(place);
        } else {
            self.due.remove(&place);
        }
    }

    fn set_next(&mut self, name: &Arc<str>, next: Timestamp, noted: Timestamp) {
        if let Some(one) = self.known.get_mut(name) {
            self.due.remove(&(one.next, Arc::clone(name)));
            (one.next, one.noted) = (next, noted);
        }
        self.sort_in(name);
    }

    /// Puts one in the place of another of its name, whose work is to be dropped. The same recurrence
    /// keeps its beat.
    fn put(&mut self, name: Arc<str>, mut new: Recurring<B, R>) -> (Timestamp, Option<B>) {
        let old = self.known.remove(&name);
        if let Some(old) = &old {
            self.due.remove(&(old.next, Arc::clone(&name)));
            if old.recurrence == new.recurrence && old.is_stored() == new.is_stored() {
                (new.next, new.noted) = (old.next, old.noted);
            }
        }
        let next = new.next;
        self.known.insert(Arc::clone(&name), new);
        self.sort_in(&name);
        (next, old.and_then(|old| old.template.body))
    }

    fn remove(&mut self, name: &Arc<str>) -> Option<B> {
        let old = self.known.remove(name)?;
        self.due.remove(&(old.next, Arc::clone(name)));
        old.template.body
    }
}

impl<B, R: Clone> Core<B, R> {
    /// Everything that recurs, by name.
    pub(crate) fn recurring(&self) -> Vec<RecurringTask> {
        self.recurring.all()
    }

    pub(super) fn set_recurring(
        &mut self,
        new: NewRecurring<B, R>,
        call: CallId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        let NewRecurring {
            name,
            recurrence,
            template,
        } = new;
        if self.life != Life::Open {
            out.effects.extend(template.body.map(Effect::Drop));
            return Answer::Refused(Refusal::ShutDown);
        }
        let old = self.recurring.known.get(&name);
        let was_stored = old.is_some_and(Recurring::is_stored);
        let next = recurrence.next_after(now.wall).unwrap_or(NEVER);
        let row = match &template.record {
            Some(record) => RecurringRow::Set(Box::new(SetRecurringRow {
                name: Arc::clone(&name),
                recurrence: recurrence.clone(),
                record: record.clone(),
                timeout: template.timeout,
                schedule: template.schedule.clone(),
                next,
                at: now.wall,
            })),
            None => RecurringRow::Removed(Arc::clone(&name)),
        };
        let goes_to_disk = template.record.is_some() || was_stored;
        let one = Recurring {
            recurrence,
            template,
            next,
            noted: now.wall,
        };
        self.recurring.coming.insert(call, (name, one));
        if goes_to_disk {
            self.disk.add(Row::Recurring(row), Then::RecurringSet(call));
        } else {
            self.recurring_stored(call, now, out);
        }
        Answer::Later
    }

    pub(super) fn recurring_stored(&mut self, call: CallId, now: Now, out: &mut Output<B, R>) {
        if let Some((name, one)) = self.recurring.coming.remove(&call) {
            let (next, old) = self.recurring.put(name, one);
            out.effects.extend(old.map(Effect::Drop));
            out.effects.push(Effect::Reply(call, Reply::Next(next)));
            self.plan_look(now);
        }
    }

    pub(super) fn recurring_not_stored(&mut self, call: CallId, out: &mut Output<B, R>) {
        let coming = self.recurring.coming.remove(&call);
        let body = coming.and_then(|(_, one)| one.template.body);
        out.effects.extend(body.map(Effect::Drop));
    }

    pub(super) fn remove_recurring(
        &mut self,
        name: Arc<str>,
        call: CallId,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        if self.life != Life::Open {
            return Answer::Refused(Refusal::ShutDown);
        }
        let Some(one) = self.recurring.known.get(&name) else {
            return Answer::Refused(Refusal::Unknown);
        };
        if !one.is_stored() {
            self.recurring_removed(&name, now, out);
            return Answer::Done;
        }
        let row = RecurringRow::Removed(Arc::clone(&name));
        self.disk
            .add(Row::Recurring(row), Then::RecurringRemoved { name, call });
        Answer::Later
    }

    pub(super) fn recurring_removed(&mut self, name: &Arc<str>, now: Now, out: &mut Output<B, R>) {
        let body = self.recurring.remove(name);
        out.effects.extend(body.map(Effect::Drop));
        self.plan_look(now);
    }

    /// What an earlier process left; its tasks come after it.
    pub(super) fn restore_recurring(&mut self, restored: RestoredRecurring<B, R>) -> Answer {
        let RestoredRecurring { new, next, noted } = restored;
        let one = Recurring {
            recurrence: new.recurrence,
            template: new.template,
            next,
            noted,
        };
        self.recurring.known.insert(Arc::clone(&new.name), one);
        self.recurring.sort_in(&new.name);
        Answer::Done
    }

    /// Work may begin: what was missed is due at once.
    pub(super) fn open_recurring(&mut self, now: Now) {
        self.reckon(now);
        self.recurring.seen = now.wall;
        self.plan_look(now);
    }

    /// One of the runs is in the queue, or on its way there.
    pub(super) fn run_began(&mut self, id: &TaskId, status: &TaskStatus) {
        if let Some(run) = &status.occurrence {
            let name = Arc::clone(&run.recurring);
            self.recurring.runs.insert(Arc::clone(&name), id.clone());
            self.recurring.sort_in(&name);
        }
    }

    /// It has come to its end.
    pub(super) fn run_ended(&mut self, id: &TaskId, now: Now) {
        let entry = self.tasks.get(id);
        let Some(run) = entry.and_then(|entry| entry.status.occurrence.clone()) else {
            return;
        };
        if self.recurring.runs.get(&run.recurring) == Some(id) {
            self.recurring.runs.remove(&run.recurring);
            if mutated(Mutation::RunForgotten) {
                return;
            }
            self.recurring.sort_in(&run.recurring);
            self.plan_look(now);
        }
    }

    /// Whether the run of this task is accepted: then the next one is due when its row says.
    pub(super) fn run_accepted(&mut self, ran: &Ran) {
        let one = self.recurring.known.get(&ran.name);
        // In the meantime it may have been set to recur otherwise, or a clock been set back.
        if one.is_some_and(|one| one.recurrence == ran.recurrence && one.next == ran.due) {
            self.recurring.set_next(&ran.name, ran.next, ran.noted);
        }
    }

    /// The disk has refused it. If it has one of that id, that run was there already.
    pub(super) fn run_refused(&mut self, ran: &Ran, was_there: bool, now: Now) {
        self.recurring.runs.remove(&ran.name);
        let one = self.recurring.known.get(&ran.name);
        let recurs_so = one.is_some_and(|one| one.recurrence == ran.recurrence);
        if recurs_so && (was_there || mutated(Mutation::RunLost)) {
            self.pass_over(&ran.name, ran.next, now);
        }
        if was_there {
            self.recurring.sort_in(&ran.name);
            self.plan_look(now);
        } else {
            let at = now.mono.saturating_add(AFTER_REFUSAL);
            self.set_alarm(at, Alarm::RunRefused(Arc::clone(&ran.name)));
        }
    }

    /// A run that the disk refused is due again.
    pub(super) fn try_run_again(&mut self, name: &Arc<str>, now: Now) {
        self.recurring.sort_in(name);
        self.plan_look(now);
    }

    /// No run comes for the time that was noted.
    fn pass_over(&mut self, name: &Arc<str>, next: Timestamp, now: Now) {
        self.recurring.set_next(name, next, now.wall);
        let one = self.recurring.known.get(name);
        if let Some(one) = one.filter(|one| one.is_stored()) {
            let row = RecurringRow::Next {
                name: Arc::clone(name),
                recurrence: one.recurrence.clone(),
                next,
                at: now.wall,
            };
            self.disk.add(Row::Recurring(row), Then::Nothing);
        }
    }

    /// After a clock was set: no interval gets longer by it, and a time that was reckoned by a clock
    /// that was days ahead, or not set yet, does not hold.
    fn reckon(&mut self, now: Now) {
        let mut again = Vec::new();
        for (name, one) in &self.recurring.known {
            let next = || one.recurrence.next_after(now.wall).unwrap_or(NEVER);
            let was_right = one.noted >= EARLIEST;
            if was_right != (now.wall >= EARLIEST) {
                // It was reckoned by a clock that was not set yet. A clock that is not set says nothing.
                if !was_right {
                    again.push((Arc::clone(name), next()));
                }
                continue;
            }
            let ahead = one.noted.0.saturating_sub(now.wall.0);
            let was_wrong = match one.recurrence.interval() {
                Some(_) => ahead > 0,
                None => ahead > WRONG_CLOCK,
            };
            if was_wrong {
                again.push((Arc::clone(name), next().min(one.next)));
            }
        }
        for (name, next) in again {
            self.pass_over(&name, next, now);
        }
    }

    /// Sets the alarm for what is due next.
    pub(super) fn plan_look(&mut self, now: Now) {
        let alarm = self.recurring.alarm.take();
        self.clear_alarm(alarm, Alarm::Recurring);
        let Some((next, _)) = self.recurring.due.first() else {
            return;
        };
        let wait = next.since(now.wall).min(LOOK_EVERY);
        let at = now.mono.saturating_add(wait).max(self.recurring.not_before);
        self.recurring.alarm = Some(at);
        self.set_alarm(at, Alarm::Recurring);
    }
}

impl<B: Again, R: Clone> Core<B, R> {
    /// Begins what is due.
    pub(super) fn begin_due_runs(&mut self, now: Now, out: &mut Output<B, R>) {
        self.recurring.alarm = None;
        if self.life != Life::Open {
            return;
        }
        let seen = self.recurring.seen;
        if now.wall < seen || (seen < EARLIEST) != (now.wall < EARLIEST) {
            self.reckon(now);
        }
        self.recurring.seen = now.wall;
        for _ in 0..STEP {
            let due = self.recurring.due.first();
            let Some((_, name)) = due.filter(|(next, _)| *next <= now.wall).cloned() else {
                break;
            };
            if let Some(wait) = self.time_until_room() {
                self.recurring.not_before = now.mono.saturating_add(wait.min(LOOK_EVERY));
                break;
            }
            self.begin_run(&name, now, out);
        }
        let later = now.mono.saturating_add(BETWEEN_STEPS);
        self.recurring.not_before = self.recurring.not_before.max(later);
        self.plan_look(now);
    }

    fn begin_run(&mut self, name: &Arc<str>, now: Now, out: &mut Output<B, R>) {
        let Some(one) = self.recurring.known.get(name) else {
            return;
        };
        let due = one.next;
        let next = one.recurrence.next_of_beat(due, now.wall);
        let ran = Ran {
            name: Arc::clone(name),
            recurrence: one.recurrence.clone(),
            due,
            next: next.unwrap_or(NEVER),
            noted: now.wall,
        };
        let run = Occurrence {
            recurring: Arc::clone(name),
            due,
            late: now.wall.since(due),
        };
        let id = run.task_id();
        if self.contains(&id) {
            // A clock was set back, or someone has given this id to another task.
            out.effects.push(Effect::Log(Log::PassedOver { task: id }));
            self.pass_over(name, ran.next, now);
            return;
        }
        let template = &one.template;
        let new = NewTask {
            status: TaskStatus {
                id,
                created_at: now.wall,
                occurrence: Some(Arc::new(run)),
                ..template.status.clone()
            },
            kind: template.kind,
            body: template.body.as_ref().and_then(Again::again),
            record: template.record.clone(),
            fingerprint: None,
            breaker: template.breaker.clone(),
            timeout: template.timeout,
            schedule: template.schedule.clone(),
            urgent: false,
            replaces: false,
            failed_dependency: None,
            again: Vec::new(),
        };
        self.hand_in(new, None, Some(ran), now, out);
    }
}
