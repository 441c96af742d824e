//! A user who has tasks recur, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::disk::{Record, StoredRecurring};
use super::world::{Body, Promise, Waits, World};
use crate::engine::core::{
    Answer, Command, Kind, NewRecurring, Refusal, RestoredRecurring, Schedule, Template,
};
use crate::engine::recurrence::Recurrence;
use crate::model::{Priority, TaskId, TaskKind, TaskStatus, Timestamp};

/// The clock is looked at this often, whatever it says.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl World {
    fn recurrence(&mut self) -> Recurrence {
        let recurrence = match self.random.u8(..4) {
            0 => Recurrence::cron("* * * * *", "UTC"),
            1 => Recurrence::cron("*/2 * * * *", "Europe/Berlin"),
            2 => Recurrence::every(Duration::from_secs(5)),
            _ => Recurrence::every(Duration::from_secs(self.random.u64(1..60))),
        };
        recurrence.expect("a recurrence")
    }

    fn template(&mut self, name: &str, record: Option<Record>) -> Template<Body, Record> {
        let (kind, of_task) = match &record {
            Some(_) => (Kind::Durable, TaskKind::Operation),
            None => (Kind::Repeatable, TaskKind::Closure),
        };
        let key = record.as_ref().and_then(|one| one.key);
        Template {
            status: TaskStatus::new(name.into(), "recurs".into(), of_task, Timestamp(self.wall)),
            kind,
            body: Some(self.new_body()),
            breaker: key.map(|key| key.to_string().into()),
            record,
            timeout: None,
            schedule: Schedule {
                priority: Priority::ALL[self.random.usize(..3)],
                ..Schedule::default()
            },
        }
    }

    pub(super) fn set_or_end_recurring(&mut self) {
        let name: Arc<str> = format!("r{}", self.random.u8(..3)).into();
        if self.one_in(3) {
            self.met("user: ends a recurrence");
            self.end_recurring(&name);
            return;
        }
        self.met("user: has a task recur");
        let is_durable = !self.one_in(3);
        let record = is_durable.then(|| Record {
            fingerprint: None,
            key: self.random.bool().then_some(0),
            parts: 1,
        });
        let recurrence = self.recurrence();
        self.note(format!("{name} recurs {recurrence}, on disk: {is_durable}"));
        let new = NewRecurring {
            template: self.template(&name, record),
            recurrence,
            name: Arc::clone(&name),
        };
        let waits = Waits::Recurring(name, true);
        let (answer, _) = self.ask(waits, |call| Command::SetRecurring(Box::new(new), call));
        if !matches!(answer, Answer::Later | Answer::Refused(Refusal::ShutDown)) {
            self.fail(format!("what is to recur is answered by {answer:?}"));
        }
    }

    fn end_recurring(&mut self, name: &Arc<str>) {
        self.note(format!("{name} is to recur no more"));
        let waits = Waits::Recurring(Arc::clone(name), false);
        let name = Arc::clone(name);
        self.ask(waits, |call| Command::RemoveRecurring { name, call });
    }

    pub(super) fn restore_recurring(&mut self, name: &Arc<str>, stored: StoredRecurring) {
        let mut template = self.template(name, Some(stored.record));
        template.schedule = stored.schedule;
        template.timeout = stored.timeout;
        let restored = RestoredRecurring {
            new: NewRecurring {
                name: Arc::clone(name),
                recurrence: stored.recurrence,
                template,
            },
            next: stored.next,
            noted: stored.noted,
        };
        self.apply(Command::RestoreRecurring(Box::new(restored)));
    }

    /// Someone is told that it recurs, unless someone else has ended that in the same breath.
    pub(super) fn recurs(&mut self, name: &Arc<str>) {
        let is_known = self.core.recurring().iter().any(|one| one.name == *name);
        if !is_known && self.disk.recurring.contains_key(name) {
            self.fail(format!("{name} is said to recur and is not known"));
        }
    }

    /// What is promised of a run, if this task is one.
    pub(super) fn run_of_recurring(&mut self, task: &TaskId) {
        if self.promises.contains_key(task) {
            return;
        }
        let Some(status) = self.core.status(task) else {
            return;
        };
        let Some(run) = status.occurrence else {
            return;
        };
        self.met("recurring: a run begins");
        if run.due > status.created_at {
            self.fail(format!("{task} begins before its time"));
        }
        let is_durable = self.disk.tasks.contains_key(task);
        let promise = Promise {
            durable: is_durable,
            accepted: is_durable,
            ..Promise::default()
        };
        self.promises.insert(task.clone(), promise);
    }

    pub(super) fn check_recurring(&mut self) {
        if self.is_down || self.shutting_down {
            return;
        }
        let known = self.core.recurring();
        let tasks = self.core.all();
        for one in &known {
            let runs = tasks.iter().filter(|task| {
                let run = task.occurrence.as_ref();
                run.is_some_and(|run| run.recurring == one.name) && !task.state.is_terminal()
            });
            let runs = runs.count();
            if runs > 1 {
                self.fail(format!("{} has {runs} runs at a time", one.name));
            }
            let latest = self.mono + LOOK_EVERY;
            let is_looked_at = self.wake_at.is_some_and(|at| at <= latest);
            if runs == 0 && one.run.is_none() && !is_looked_at {
                self.fail(format!("nobody looks when {} is due", one.name));
            }
        }
    }

    /// Whether the disk has what is known here.
    fn is_recurring_stored(&self) -> bool {
        let here = self.core.recurring().into_iter();
        let here: BTreeMap<_, _> = here.map(|one| (one.name, one.next)).collect();
        let is_same = |(name, stored): (&Arc<str>, &StoredRecurring)| {
            let next = here.get(name);
            next == Some(&stored.next) || self.disk.unsure.contains(name)
        };
        self.disk.recurring.iter().all(is_same)
    }

    /// In the calm, each that recurs has a run that ends; then none recurs any more.
    pub(super) fn end_recurrences(&mut self) -> Result<(), String> {
        let is_called = |world: &Self| {
            let mut calls = world.calls.values();
            calls.any(|waits| matches!(waits, Waits::Recurring(..)))
        };
        self.settle(|world| !is_called(world))?;
        let known = self.core.recurring().into_iter();
        let names: Vec<_> = known.map(|one| one.name).collect();
        // A clock that was set back may have to come a long way.
        let last = self
            .core
            .recurring()
            .into_iter()
            .map(|one| one.next.0)
            .max();
        self.wall = self.wall.max(last.unwrap_or_default());
        let ended = |world: &Self| -> BTreeSet<(Arc<str>, TaskId)> {
            let tasks = world.core.all().into_iter();
            let ended = tasks.filter(|task| task.state.is_terminal());
            let runs = ended.filter_map(|task| Some((task.occurrence?.recurring.clone(), task.id)));
            runs.collect()
        };
        let before = ended(self);
        let has_run = |world: &Self, name: &Arc<str>| {
            let now = ended(world);
            now.difference(&before).any(|(run, _)| run == name)
        };
        self.settle(|world| names.iter().all(|name| has_run(world, name)))
            .map_err(|problem| format!("what recurs does not run: {problem}"))?;
        self.settle(Self::is_recurring_stored)
            .map_err(|problem| format!("the disk has other times: {problem}"))?;
        for name in &names {
            self.end_recurring(name);
        }
        self.settle(|world| world.core.recurring().is_empty())
            .map_err(|problem| format!("a recurrence does not end: {problem}"))
    }
}
