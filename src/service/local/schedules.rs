//! Operations that are asked for by name, and what recurs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Local, again, lock};
use crate::engine::{ControlError, Recurrence, Submission, SubmitError, Work};
use crate::model::{ErrorObject, Priority, RecurringTask};
use crate::service::adding::{ADD_NARRATION, Added, Adder, refused};
use crate::service::schedule::{derived_name, shown};
use crate::service::{
    NARRATE, NarrationDefaults, PublicCall, Recurring, Refusal, RefusalKind, Schedule, Submitted,
    Terms, current_trace,
};
use crate::text::printable;

/// How much may recur.
const MOST_SCHEDULES: usize = 1000;
/// How many names are tried for what has none.
const MOST_NAMES: usize = 100;

impl Local {
    pub(super) fn perform_public(
        &self,
        call: &PublicCall,
        terms: &Terms,
    ) -> Result<Submitted, Refusal> {
        self.check_public(&call.operation)?;
        if let Some(before) = self.made_before(terms)? {
            return Ok(before);
        }
        terms.check_moment()?;
        let submission = terms.on(submission(call, terms)).trace(current_trace());
        match self.engine.submit(submission) {
            Ok(id) => {
                tracing::info!(task = %id, operation = call.operation, "taken into the queue");
                Ok(Submitted {
                    id,
                    continued: false,
                    notes: Vec::new(),
                })
            }
            Err(error) => again(terms, error.into()),
        }
    }

    /// An operation that is not public is refused like one that does not exist.
    fn check_public(&self, name: &str) -> Result<(), Refusal> {
        let public = self.engine.public_operations();
        if public.iter().any(|known| **known == *name) {
            return Ok(());
        }
        let mut names: Vec<&str> = public.iter().map(|name| &**name).collect();
        names.push(NARRATE);
        names.sort_unstable();
        let listed = names.join(", ");
        let asked = printable(name);
        let message = format!(
            "there is no operation `{asked:.100}` that may be asked for here; there are: {listed}"
        );
        let error = ErrorObject::new("OPERATION_NOT_FOUND", message)
            .with_details(json!({ "operations": names }));
        Err(Refusal {
            kind: RefusalKind::Invalid,
            error,
        })
    }

    /// Whether what an operation does is for everyone to see.
    pub(super) fn is_shown(&self, operation: &str) -> bool {
        operation == ADD_NARRATION
            || self
                .engine
                .public_operations()
                .iter()
                .any(|name| **name == *operation)
    }

    /// A narration that recurs is shown as what was asked for.
    fn show(&self, operation: &str, parameters: Value) -> Option<(Arc<str>, Value)> {
        if operation == ADD_NARRATION {
            return Some((NARRATE.into(), Added::shown(parameters)));
        }
        self.is_shown(operation)
            .then(|| (operation.into(), parameters))
    }

    pub(super) fn shown_schedules(&self) -> Vec<Schedule> {
        let tasks = self.engine.tasks();
        let all = self.engine.recurring_tasks().into_iter();
        let show = |name: &str, parameters| self.show(name, parameters);
        all.filter_map(|task| shown(task, &tasks, show)).collect()
    }

    pub(super) fn set_schedule(
        &self,
        task: &Recurring,
        recurrence: &Recurrence,
        name: Option<&str>,
        terms: &Terms,
    ) -> Result<Schedule, Refusal> {
        if terms.paused || terms.delay.is_some() || !terms.after.is_empty() {
            let message = "what recurs is not held back, delayed or kept waiting for other tasks: leave \
                           out `paused`, `delay` and `after`";
            return Err(Refusal::invalid(message));
        }
        let (submission, wanted) = match task {
            Recurring::Operation(call) => {
                self.check_public(&call.operation)?;
                let mut submission = terms.on(submission(call, terms));
                submission = submission.trace(None);
                (submission, call.operation.clone())
            }
            Recurring::Narration(order) => {
                let new = order.with(NarrationDefaults::of(&self.settings))?;
                let adder = Adder {
                    warms_up: false,
                    ..self.adder()
                };
                // What is wrong with it is told now, and not at three in the morning.
                adder.compose(&new, order.out.as_deref()).map_err(refused)?;
                let parameters = serde_json::to_value(Added::new(order, terms));
                let parameters = parameters.map_err(|error| Refusal::failed(error.to_string()))?;
                let work = Work::Operation {
                    name: ADD_NARRATION.into(),
                    parameters,
                    context: terms.context.clone().unwrap_or_default(),
                };
                // It takes a moment, and what it adds waits for its own turn.
                let submission = Submission::new(work).priority(Priority::High);
                (submission, order.subject())
            }
        };
        let _naming = lock(&self.naming);
        let known = self.engine.recurring_tasks();
        let name = match name {
            Some(name) => self.checked_name(name, &known)?,
            None => free_name(&derived_name(&wanted), submission.operation(), &known)?,
        };
        if known.len() >= MOST_SCHEDULES && !known.iter().any(|task| *task.name == *name) {
            let message = format!(
                "{MOST_SCHEDULES} schedules are there, and no more are taken: remove one first"
            );
            return Err(Refusal {
                kind: RefusalKind::Conflict,
                error: ErrorObject::new("TOO_MANY_SCHEDULES", message),
            });
        }
        let set = self
            .engine
            .set_recurring(&*name, recurrence.clone(), submission);
        set.map_err(|error| match error {
            SubmitError::NoOperation(_) => Refusal::failed(
                "this program has no way to narrate again and again: `Local::prepare` gives it one",
            ),
            error => error.into(),
        })?;
        tracing::info!(%name, %recurrence, "recurs from now on");
        let mut all = self.shown_schedules().into_iter();
        all.find(|schedule| schedule.name == name)
            .ok_or_else(|| Refusal::failed(format!("{name} recurs no more")))
    }

    /// A name that is nobody else's.
    fn checked_name(&self, name: &str, known: &[RecurringTask]) -> Result<Arc<str>, Refusal> {
        let other = known.iter().find(|task| *task.name == *name);
        let operation = other.map(|task| task.operation.as_ref());
        let is_ours =
            operation.is_none_or(|call| call.is_some_and(|call| self.is_shown(&call.name)));
        if is_ours {
            return Ok(name.into());
        }
        Err(Refusal {
            kind: RefusalKind::Conflict,
            error: ErrorObject::new(
                "NAME_TAKEN",
                format!("the name {name} is taken: choose another"),
            ),
        })
    }

    pub(super) fn remove_shown_schedule(&self, name: &str) -> Result<(), Refusal> {
        let unknown = || {
            let asked = printable(name);
            let message = format!("there is no schedule {asked:.100}");
            let error = ErrorObject::new("SCHEDULE_NOT_FOUND", message)
                .with_remediation("See `aloud schedules` for those that are there");
            Refusal {
                kind: RefusalKind::NotFound,
                error,
            }
        };
        let all = self.engine.recurring_tasks().into_iter();
        let mut calls = all
            .filter(|task| *task.name == *name)
            .filter_map(|task| task.operation);
        if !calls.any(|call| self.is_shown(&call.name)) {
            return Err(unknown());
        }
        self.engine
            .remove_recurring(name)
            .map_err(|error| match error {
                ControlError::Unknown => unknown(),
                ControlError::ShutDown => Refusal::shutting_down(),
                _ => Refusal::failed("the disk did not take it; try again"),
            })?;
        tracing::info!(name, "recurs no more");
        Ok(())
    }
}

fn submission(call: &PublicCall, terms: &Terms) -> Submission {
    let work = Work::Operation {
        name: call.operation.as_str().into(),
        parameters: call.parameters.clone(),
        context: terms.context.clone().unwrap_or_default(),
    };
    Submission::new(work).priority(call.priority)
}

/// A name for this, that nothing else has: what does the same keeps its own.
fn free_name(
    wanted: &str,
    does: Option<(&str, &Value)>,
    known: &[RecurringTask],
) -> Result<Arc<str>, Refusal> {
    let is_same = |task: &RecurringTask| {
        let call = task.operation.as_ref();
        let call = call.map(|call| (&*call.name, &call.parameters));
        call.zip(does).is_some_and(|((old, one), (new, other))| {
            // Of a file it is the file that counts, however it is narrated.
            let file = |parameters: &Value| parameters.get("file").cloned();
            old == new && (one == other || file(one).is_some_and(|one| file(other) == Some(one)))
        })
    };
    let names = (1..=MOST_NAMES).map(|number| match number {
        1 => wanted.to_owned(),
        _ => format!("{wanted}-{number}"),
    });
    for name in names {
        let holder = known.iter().find(|task| *task.name == *name);
        if holder.is_none_or(is_same) {
            return Ok(name.into());
        }
    }
    let message = format!("there is no name left that begins with {wanted}: give one");
    Err(Refusal::invalid(message))
}
