//! The workers: each takes one task at a time, runs it, and says how it ended. A panic or an error
//! in the work is the task's end, never the worker's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::error::WorkError;
use super::interrupt::{Interrupt, StopReason};
use super::plan::Narration;
use super::registry::{Outcome, cancelled_error};
use super::shared::{Body, LONGEST_WAIT, Life, Shared};
use super::store::Answer;
use super::task::{ErrorObject, TaskId, TaskState};
use super::work::{Narrator, TaskContext, WorkResult};

struct Job {
    id: TaskId,
    body: Body,
    interrupt: Arc<Interrupt>,
}

/// A worker's life: until the engine shuts down.
pub(crate) fn run(shared: &Arc<Shared>) {
    /// Signs the worker off however it ends.
    struct SignOff<'a>(&'a Shared);
    impl Drop for SignOff<'_> {
        fn drop(&mut self) {
            self.0.lock().workers -= 1;
            self.0.ended.notify_all();
        }
    }
    let _sign_off = SignOff(shared);
    let mut narrator: Option<Box<dyn Narrator>> = None;
    while let Some(job) = next(shared) {
        let context = TaskContext::new(
            job.id.clone(),
            Arc::clone(shared),
            Arc::clone(&job.interrupt),
        );
        let durable = matches!(job.body, Body::Narration(_));
        let result = catch_unwind(AssertUnwindSafe(|| match job.body {
            Body::Narration(narration) => narrate(shared, &mut narrator, &narration, &context),
            Body::Closure(run) => run(&context),
            Body::Taken => Err(WorkError::Interrupted),
        }));
        let result = result.unwrap_or_else(|panic| {
            // What the narrator held may be half changed.
            narrator = None;
            Err(WorkError::Failed(panic_error(panic.as_ref())))
        });
        finish(shared, &job.id, durable, &job.interrupt, result);
    }
}

fn narrate(
    shared: &Shared,
    narrator: &mut Option<Box<dyn Narrator>>,
    narration: &Narration,
    context: &TaskContext,
) -> WorkResult {
    let Some(factory) = &shared.options.narrator else {
        let message = "this engine was opened without a narrator";
        return Err(WorkError::Failed(ErrorObject::new("NO_NARRATOR", message)));
    };
    drop(shared.store.started(context.id(), shared.now().wall));
    narrator
        .get_or_insert_with(|| factory())
        .narrate(narration, context)
}

/// The next task, waiting for it; `None` once the engine shuts down.
fn next(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    loop {
        if state.life != Life::Open {
            return None;
        }
        if let Some((id, event)) = state.registry.take_next(shared.now()) {
            let body = match state.bodies.get_mut(&id) {
                Some(Body::Narration(narration)) => Body::Narration(Arc::clone(narration)),
                Some(body) => std::mem::replace(body, Body::Taken),
                None => Body::Taken,
            };
            let interrupt = Arc::new(Interrupt::default());
            state.running.insert(id.clone(), Arc::clone(&interrupt));
            state.subscribers.tell(&event);
            drop(state);
            shared.timer.notify_all();
            return Some(Job {
                id,
                body,
                interrupt,
            });
        }
        let waited = shared.work.wait_timeout(state, LONGEST_WAIT);
        state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
    }
}

/// Ends the task, on disk first: whoever hears of the end can rely on it.
fn finish(shared: &Shared, id: &TaskId, durable: bool, interrupt: &Interrupt, result: WorkResult) {
    let end = ending(durable, interrupt.reason(), result);
    let stored = if durable {
        Some(store_end(shared, id, end.as_ref()))
    } else {
        None
    };
    if let Some(Err(error)) = stored.map(Answer::wait) {
        tracing::error!(task = %id, %error, "the end of a task was not stored");
    }
    let now = shared.now();
    let mut state = shared.lock();
    let event = match end {
        Some(outcome) => state.registry.end(id, outcome, now),
        None => state.registry.requeue(id, now),
    };
    state.running.remove(id);
    if let Some(event) = &event {
        state.subscribers.tell(event);
    }
    if state
        .registry
        .status(id)
        .is_none_or(|status| status.state.is_terminal())
    {
        state.forget(id);
    }
    drop(state);
    shared.ended.notify_all();
}

/// How a task ends, from what its work returned and what was asked of it; `None`: it goes back.
fn ending(durable: bool, reason: Option<StopReason>, result: WorkResult) -> Option<Outcome> {
    match (result, reason) {
        (_, Some(StopReason::TimedOut)) => Some(Outcome::TimedOut),
        (Ok(value), _) => Some(Outcome::Completed(value)),
        (Err(_), Some(StopReason::Cancel | StopReason::CancelAfterSegment)) => {
            Some(Outcome::Cancelled(cancelled_error()))
        }
        (
            Err(WorkError::Interrupted),
            Some(StopReason::Shutdown | StopReason::ShutdownAfterSegment),
        ) => (!durable).then(|| {
            let message = "the program shut down before this was done";
            Outcome::Cancelled(ErrorObject::new("SHUTDOWN", message))
        }),
        (Err(WorkError::Failed(error)), _) => Some(Outcome::Failed(error)),
        (Err(WorkError::Interrupted), None) => {
            let message = "the work stopped without being asked to";
            Some(Outcome::Failed(ErrorObject::new("STOPPED", message)))
        }
    }
}

fn store_end(shared: &Shared, id: &TaskId, end: Option<&Outcome>) -> Answer<()> {
    let at = shared.now().wall;
    let store =
        |state, error: Option<&ErrorObject>, value| shared.store.ended(id, state, error, value, at);
    match end {
        None => shared.store.requeued(id),
        Some(Outcome::Completed(value)) => store(TaskState::Completed, None, Some(value)),
        Some(Outcome::Failed(error)) => store(TaskState::Failed, Some(error), None),
        Some(Outcome::Cancelled(error)) => store(TaskState::Cancelled, Some(error), None),
        Some(Outcome::TimedOut) => {
            let error = shared.lock().registry.timeout_error(id);
            store(TaskState::Failed, error.as_ref(), None)
        }
    }
}

fn panic_error(panic: &(dyn std::any::Any + Send)) -> ErrorObject {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    ErrorObject::new("PANIC", format!("the work panicked: {message}"))
        .with_remediation("This is a defect: report it with the log")
}
