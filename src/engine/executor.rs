//! The workers: each takes one task at a time, runs it, and says how it ended. A panic or an error
//! in the work is the task's end, never the worker's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::context::TaskContext;
use super::error::WorkError;
use super::in_work::InWork;
use super::interrupt::{Interrupt, StopReason};
use super::options::Retries;
use super::registry::{Outcome, cancelled_error};
use super::shared::{Body, LONGEST_WAIT, Life, Shared};
use super::shutdown::shutdown_error;
use super::store::Answer;
use super::work::{Narrator, WorkResult};
use crate::failpoint::reach;
use crate::model::ErrorObject;
use crate::model::Narration;
use crate::model::Tally;
use crate::model::{TaskId, TaskState};

struct Job {
    id: TaskId,
    body: Body,
    kind: Kind,
    interrupt: Arc<Interrupt>,
}

/// What can be done with work that did not reach its end.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Once,
    Repeatable,
    Durable,
}

/// A worker's life: until the engine shuts down.
pub(crate) fn run(shared: &Arc<Shared>) {
    /// Signs the worker off however it ends.
    struct SignOff<'a> {
        shared: &'a Shared,
        abandoned: bool,
    }
    impl Drop for SignOff<'_> {
        fn drop(&mut self) {
            let mut state = self.shared.lock();
            if self.abandoned {
                state.abandoned -= 1;
            } else {
                state.workers -= 1;
            }
            drop(state);
            self.shared.ended.notify_all();
        }
    }
    let mut sign_off = SignOff {
        shared,
        abandoned: false,
    };
    let worker = shared.next_worker.fetch_add(1, Ordering::Relaxed);
    let in_work = Arc::new(InWork::new(&shared.options.folder, worker));
    let mut narrator: Option<Box<dyn Narrator>> = None;
    while let Some(job) = next(shared) {
        let context = TaskContext::new(
            job.id.clone(),
            Arc::clone(shared),
            Arc::clone(&job.interrupt),
            Arc::clone(&in_work),
            job.kind == Kind::Durable,
        );
        let result = catch_unwind(AssertUnwindSafe(|| match job.body {
            Body::Narration(narration) => narrate(shared, &mut narrator, &narration, &context),
            Body::Closure(run) => run(&context),
            Body::Repeatable(run) => run(&context),
            Body::Taken => Err(WorkError::Interrupted),
        }));
        let result = result.unwrap_or_else(|panic| {
            // What the narrator held may be half changed.
            narrator = None;
            Err(WorkError::Failed(panic_error(panic.as_ref())))
        });
        if job.interrupt.is_abandoned() {
            // The task has ended without it, and another thread has its place.
            sign_off.abandoned = true;
            return;
        }
        in_work.clear();
        finish(shared, &job.id, job.kind, &job.interrupt, result);
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
    let (title, begun) = (&*narration.title, Instant::now());
    tracing::info!(title, segments = narration.plan.len(), "narrating");
    let result = narrator
        .get_or_insert_with(|| factory())
        .narrate(narration, context);
    let seconds = begun.elapsed().as_secs_f64();
    match &result {
        Ok(_) => tracing::info!(title, "narrated in {seconds:.1} s"),
        Err(WorkError::Interrupted) => tracing::info!(title, "stopped after {seconds:.1} s"),
        Err(WorkError::Failed(error) | WorkError::Transient(error)) => {
            tracing::warn!(title, code = error.code, "{error}");
        }
    }
    result
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
                Some(Body::Repeatable(run)) => Body::Repeatable(Arc::clone(run)),
                Some(body) => std::mem::replace(body, Body::Taken),
                None => Body::Taken,
            };
            let interrupt = Arc::new(Interrupt::default());
            state.running.insert(id.clone(), Arc::clone(&interrupt));
            state.subscribers.tell(&event);
            let late = state.is_clock_late();
            drop(state);
            if late {
                shared.timer.notify_all();
            }
            let kind = match body {
                Body::Narration(_) => Kind::Durable,
                Body::Repeatable(_) => Kind::Repeatable,
                Body::Closure(_) | Body::Taken => Kind::Once,
            };
            return Some(Job {
                id,
                body,
                kind,
                interrupt,
            });
        }
        let waited = shared.work.wait_timeout(state, LONGEST_WAIT);
        state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
    }
}

/// How a run of a task ended.
enum End {
    /// So did the task.
    Task(Outcome),
    /// It goes back: it is paused, or the engine shuts down.
    Back,
    /// It is tried again.
    Again(Duration, ErrorObject),
}

/// Ends the task, on disk first: whoever hears of the end can rely on it.
fn finish(shared: &Shared, id: &TaskId, kind: Kind, interrupt: &Interrupt, result: WorkResult) {
    let attempt = shared
        .lock()
        .registry
        .status(id)
        .map_or(1, |status| status.attempt);
    let end = ending(
        kind,
        interrupt.reason(),
        result,
        attempt,
        shared.options.retries,
    );
    reach("work-done");
    if kind == Kind::Durable
        && let Err(error) = store_end(shared, id, &end).wait()
    {
        tracing::error!(task = %id, %error, "the end of a task was not stored");
    }
    reach("end-stored");
    let now = shared.now();
    let mut state = shared.lock();
    match &end {
        End::Again(delay, _) => {
            let seconds = delay.as_secs_f64();
            tracing::warn!(task = %id, attempt, "it is tried again in {seconds:.1} s");
        }
        End::Task(Outcome::Failed(_)) if attempt > 1 => {
            tracing::error!(task = %id, "it has failed after {attempt} attempts");
        }
        _ => {}
    }
    let is_stored = matches!(end, End::Task(_));
    let events = match end {
        End::Task(outcome) => state.registry.end(id, outcome, now),
        back => {
            let retry = match back {
                End::Again(delay, error) => Some((delay, error)),
                _ => None,
            };
            let back = state.registry.requeue(id, retry, now);
            // Whoever cancelled it since it was asked how it ended met it running still.
            let is_late = state.registry.is_cancelled(id);
            let late = is_late.then(|| state.registry.cancel(id, now).1);
            back.into_iter().chain(late.into_iter().flatten()).collect()
        }
    };
    state.running.remove(id);
    let mut ended = state.announce(&events);
    // A closure over its time has ended before its worker came back.
    if state
        .registry
        .status(id)
        .is_none_or(|status| status.state.is_terminal())
    {
        state.forget(id);
    }
    let late = state.is_clock_late();
    drop(state);
    // Its own end is on disk already, unless it came this late.
    ended.retain(|ended| !is_stored || ended.task != *id);
    shared.store_ends(ended);
    if late {
        shared.timer.notify_all();
    }
}

/// How a run ended, from what its work returned and what was asked of it.
fn ending(
    kind: Kind,
    reason: Option<StopReason>,
    result: WorkResult,
    attempt: u32,
    retries: Retries,
) -> End {
    let outcome = match (result, reason) {
        (_, Some(StopReason::TimedOut)) => Outcome::TimedOut,
        (Ok(value), _) => Outcome::Completed(value),
        (Err(_), Some(StopReason::Cancel | StopReason::CancelAfterSegment)) => {
            Outcome::Cancelled(cancelled_error())
        }
        (Err(WorkError::Interrupted), Some(StopReason::Pause)) if kind == Kind::Durable => {
            return End::Back;
        }
        (
            Err(WorkError::Interrupted),
            Some(StopReason::Shutdown | StopReason::ShutdownAfterSegment),
        ) => {
            if kind == Kind::Durable {
                return End::Back;
            }
            shutdown_error()
        }
        (Err(WorkError::Transient(error)), None | Some(StopReason::Pause))
            if kind != Kind::Once && attempt <= retries.most =>
        {
            return End::Again(retries.delay(attempt), error);
        }
        (Err(WorkError::Failed(error) | WorkError::Transient(error)), _) => Outcome::Failed(error),
        (Err(WorkError::Interrupted), None | Some(StopReason::Pause)) => {
            let message = "the work stopped without being asked to";
            Outcome::Failed(ErrorObject::new("STOPPED", message))
        }
    };
    End::Task(outcome)
}

fn store_end(shared: &Shared, id: &TaskId, end: &End) -> Answer<()> {
    let at = shared.now().wall;
    let store = |state, error: Option<&ErrorObject>, value| {
        let tally = shared.lock().registry.status(id).as_ref().map(Tally::of);
        shared.store.ended(id, state, error, value, tally, at)
    };
    match end {
        End::Back | End::Again(..) => shared.store.requeued(id),
        End::Task(Outcome::Completed(value)) => store(TaskState::Completed, None, Some(value)),
        End::Task(Outcome::Failed(error)) => store(TaskState::Failed, Some(error), None),
        End::Task(Outcome::Cancelled(error)) => store(TaskState::Cancelled, Some(error), None),
        End::Task(Outcome::TimedOut) => {
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
