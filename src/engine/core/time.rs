//! What happens by itself: limits that pass, delays that end, the clean-up every ten minutes. A clock
//! that overslept, because the process or the machine was stopped, does not count against the work.

use std::time::Duration;

use super::mutation::{Mutation, mutated};
use super::state::{Alarm, Life, Phase};
use super::{Again, Answer, Core, Effect, Log, Now, Output};
use crate::model::Event;

/// How often finished tasks are cleared away by themselves.
pub(crate) const CLEANUP_EVERY: Duration = Duration::from_secs(600);
/// How many ended tasks leave in one step, so that no step takes long.
pub(crate) const CLEANUP_STEP: usize = 256;
/// How long an urgent task is known after its end, at most, for whoever asks how it ended.
const URGENT_KEPT: Duration = Duration::from_secs(60);
/// While something has a limit, the clock looks around this often: what it oversleeps by was no time
/// that the work had.
const HEARTBEAT: Duration = Duration::from_secs(1);

impl<B, R: Clone> Core<B, R> {
    pub(super) fn open(&mut self, now: Now, out: &mut Output<B, R>) -> Answer {
        self.life = Life::Open;
        self.set_workers(self.workers.least, self.workers.most, out);
        self.set_alarm(now.mono.saturating_add(CLEANUP_EVERY), Alarm::Cleanup);
        self.open_recurring(now);
        Answer::Done
    }
}

impl<B: Again, R: Clone> Core<B, R> {
    pub(super) fn tick(&mut self, now: Now, out: &mut Output<B, R>) -> Answer {
        let asked = self.wake_at.take();
        let late = asked.map_or(Duration::ZERO, |at| now.mono.saturating_sub(at));
        if late > HEARTBEAT && self.limits > 0 {
            if !mutated(Mutation::SleepCounted) {
                self.postpone_limits(late);
            }
            out.effects.push(Effect::Log(Log::Overslept { by: late }));
        }
        while self.alarms.first().is_some_and(|(at, _)| *at <= now.mono) {
            let Some((_, alarm)) = self.alarms.pop_first() else {
                break;
            };
            self.limits -= usize::from(alarm.is_limit());
            self.ring(&alarm, now, out);
        }
        Answer::Done
    }

    fn ring(&mut self, alarm: &Alarm, now: Now, out: &mut Output<B, R>) {
        match alarm {
            Alarm::TaskDeadline(seq) => {
                if let Some(id) = self.order.get(seq).cloned() {
                    self.overdue(&id, now, out);
                }
            }
            Alarm::PartDeadline(seq, lease) => self.part_overdue(*seq, *lease, now, out),
            Alarm::PartGiveUp(seq, lease) => self.give_up_part(*seq, *lease, now, out),
            Alarm::GiveUp(run) => self.give_up(*run, None, now, out),
            Alarm::Breaker(key) => self.pause_over(key),
            Alarm::Cleanup => {
                let gone = self.clean(self.config.cleanup_threshold, now, out);
                // What is left over goes at once, in another step.
                let wait = if gone < CLEANUP_STEP {
                    CLEANUP_EVERY
                } else {
                    Duration::from_millis(1)
                };
                self.set_alarm(now.mono.saturating_add(wait), Alarm::Cleanup);
            }
            Alarm::Workers => self.replace_workers(out),
            Alarm::Recurring => self.begin_due_runs(now, out),
            Alarm::RunRefused(name) => self.try_run_again(name, now),
            // Looked at after every command.
            Alarm::Shutdown | Alarm::DiskRetry => {}
        }
    }
}

impl<B, R: Clone> Core<B, R> {
    /// Gives everything that has a limit that much more time.
    fn postpone_limits(&mut self, by: Duration) {
        let later = |at: Duration| at.saturating_add(by);
        let all = std::mem::take(&mut self.alarms);
        for (at, alarm) in all {
            let at = if alarm.is_limit() { later(at) } else { at };
            self.alarms.insert((at, alarm));
        }
        for run in self.runs.values_mut() {
            run.give_up = run.give_up.map(later);
            let Some(entry) = self.tasks.get_mut(&run.task) else {
                continue;
            };
            if let Phase::Running { deadline, .. } = &mut entry.phase {
                *deadline = deadline.map(later);
            }
            for lease in entry.leases.values_mut() {
                lease.deadline = lease.deadline.map(later);
                lease.give_up = lease.give_up.map(later);
            }
        }
    }

    /// Asks the clock to wake us for what comes next, if it does not do so anyway.
    pub(super) fn ask_for_wake(&mut self, now: Now, out: &mut Output<B, R>) {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let due = self.queue.next_due().filter(|_| self.takes_up_work());
        let due = due.filter(|_| !mutated(Mutation::WakeForgotten));
        let heartbeat = now.mono.saturating_add(HEARTBEAT);
        let Some(mut next) = alarm.into_iter().chain(due).min() else {
            return;
        };
        if self.limits > 0 {
            next = next.min(heartbeat);
        }
        if self.wake_at.is_some_and(|at| at <= next) {
            return;
        }
        self.wake_at = Some(next);
        out.effects.push(Effect::WakeAt(next));
    }

    /// Removes tasks that ended longer ago than `max_age`, a limited number of them. Active ones stay,
    /// whatever their age.
    pub(super) fn cleanup(
        &mut self,
        max_age: Duration,
        now: Now,
        out: &mut Output<B, R>,
    ) -> Answer {
        Answer::Count(self.clean(max_age, now, out))
    }

    pub(super) fn clean(&mut self, max_age: Duration, now: Now, out: &mut Output<B, R>) -> usize {
        let mut archived = Vec::new();
        let (mut count, mut told) = (0, 0);
        while count < CLEANUP_STEP
            && let Some(seq) = self.next_to_clean(max_age, now)
        {
            let Some(id) = self.order.remove(&seq) else {
                continue;
            };
            if let Some(entry) = self.tasks.remove(&id) {
                self.counts[entry.status.state as usize] -= 1;
                if let Some(group) = &entry.status.group {
                    let share = super::Contribution::of(&entry.status);
                    self.groups.update(group, Some(share), None);
                }
                if entry.is_durable() {
                    archived.push(id.clone());
                }
                told += usize::from(!entry.urgent);
                out.discarded.push(entry.status);
            }
            out.events.push(Event::Removed { task: id });
            count += 1;
        }
        if !archived.is_empty() {
            let row = super::Row::Archived(archived);
            self.disk.add(row, super::state::Then::Nothing);
        }
        if told > 0 {
            let count = told;
            out.effects
                .push(Effect::Log(Log::CleanedUp { count, max_age }));
        }
        count
    }

    /// The next task that ended too long ago, which is forgotten here to have ended.
    fn next_to_clean(&mut self, max_age: Duration, now: Now) -> Option<u64> {
        let of_urgent = (&mut self.ended_urgent, max_age.min(URGENT_KEPT));
        for (ended, max_age) in [of_urgent, (&mut self.ended, max_age)] {
            if let Some(&(at, seq)) = ended.first()
                && now.mono.saturating_sub(at) > max_age
            {
                ended.pop_first();
                return Some(seq);
            }
        }
        None
    }
}
