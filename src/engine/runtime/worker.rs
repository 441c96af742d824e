//! A worker takes one job at a time, runs it, and says what came of it. A panic or an error in the work
//! is the task's end, never the worker's.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Runtime;
use super::body::Body;
use crate::engine::context::TaskContext;
use crate::engine::core::{Again, Kind, RunId};
use crate::engine::error::WorkError;
use crate::engine::guard::{discard, guarded, message};
use crate::engine::interrupt::Interrupt;
use crate::engine::record::Record;
use crate::engine::speech::SpeechRequest;
use crate::engine::work::{Narrator, Operation, WorkResult};
use crate::model::{ErrorCode, ErrorObject, Narration, TaskId, Trace};

/// What comes to a worker.
pub(in crate::engine) enum Job {
    Run {
        run: RunId,
        task: TaskId,
        trace: Option<Arc<Trace>>,
        kind: Kind,
        attempt: u32,
        body: Body,
        interrupt: Arc<Interrupt>,
    },
    /// There is one worker too many.
    Leave,
}

/// What a worker brings back.
pub(in crate::engine) struct Finished {
    pub run: RunId,
    pub result: Result<Value, WorkError>,
    /// The work, if it can be done again.
    pub body: Option<Body>,
}

/// What a worker keeps from one job to the next.
#[derive(Default)]
struct Tools {
    narrator: Option<Box<dyn Narrator>>,
    operations: BTreeMap<Arc<str>, Box<dyn Operation>>,
}

/// A worker's loop: until the engine shuts down or has a worker too many.
pub(super) fn run(runtime: &Arc<Runtime>, number: usize) {
    let mut tools = Tools::default();
    while let Ok(Job::Run {
        run,
        task,
        trace,
        kind,
        attempt,
        body,
        interrupt,
    }) = runtime.jobs().recv_blocking()
    {
        let trace_id = trace.as_deref().map(tracing::field::display);
        let span = tracing::info_span!("task", id = %task, attempt, trace_id);
        let _entered = span.entered();
        let context = TaskContext::new(
            task,
            run,
            kind,
            Box::new(Arc::clone(runtime)),
            Arc::clone(&interrupt),
        );
        let (result, body) = if interrupt.is_abandoned() {
            // It was given up before it came to a worker.
            (Err(WorkError::Interrupted), Some(body))
        } else {
            let (title, begun) = (body.title(), Instant::now());
            let done = work(&mut tools, runtime, body, &context);
            write_log(title.as_deref(), &done.0, begun.elapsed());
            done
        };
        // Before the task can be told to have ended: whoever waits for that may look.
        guarded("the context of a task", || drop(context));
        if interrupt.is_abandoned() {
            // What did not come back in time may be broken.
            guarded("the destructor of a narrator", || {
                drop(std::mem::take(&mut tools));
            });
        }
        runtime.collect(Finished { run, result, body });
    }
    guarded("the destructor of a narrator", || drop(tools));
    if runtime.jobs().is_closed() {
        tracing::info!(worker = number, "shutting down");
    }
}

/// Runs the work, and gives it back if it can be done again.
fn work(
    tools: &mut Tools,
    runtime: &Runtime,
    body: Body,
    context: &TaskContext,
) -> (WorkResult, Option<Body>) {
    let again = body.again();
    let run = |tools: &mut Tools| match body {
        Body::Closure(run) => run(context),
        Body::Repeatable(run) => run(context),
        Body::Speech(speech) => speak(tools, runtime, &speech, context),
        Body::Durable(record) => operate(tools, runtime, &record, context),
    };
    let result = catch_unwind(AssertUnwindSafe(|| run(tools))).unwrap_or_else(|panic| {
        let error = ErrorObject::new(
            ErrorCode::Panic,
            format!("the work panicked: {}", message(&*panic)),
        )
        .with_remediation("This is a defect: report it with the log");
        discard(panic);
        // What they held may be half changed.
        guarded("the destructor of a narrator", || {
            drop(std::mem::take(tools));
        });
        Err(WorkError::Failed(error))
    });
    (result, again)
}

fn operate(
    tools: &mut Tools,
    runtime: &Runtime,
    record: &Record,
    context: &TaskContext,
) -> WorkResult {
    match record {
        Record::Narration(narration) => narrate(tools, runtime, narration, context),
        Record::Operation(record) => {
            let Some(factory) = runtime.options.operations.get(&record.name) else {
                return Err(WorkError::Failed(no_operation(&record.name)));
            };
            let operation = tools
                .operations
                .entry(Arc::clone(&record.name))
                .or_insert_with(|| factory());
            operation.run(&record.parameters, &record.context, context)
        }
    }
}

fn no_operation(name: &str) -> ErrorObject {
    ErrorObject::new(
        ErrorCode::NoOperation,
        format!("there is no operation {name} here"),
    )
    .with_remediation("Open the engine with that operation registered")
}

fn narrate(
    tools: &mut Tools,
    runtime: &Runtime,
    narration: &Narration,
    context: &TaskContext,
) -> WorkResult {
    let Some(factory) = &runtime.options.narrator else {
        return Err(WorkError::Failed(no_operation("narrate")));
    };
    let title = &*narration.title;
    tracing::info!(title, segments = narration.plan.len(), "narrating");
    tools
        .narrator
        .get_or_insert_with(|| factory())
        .narrate(narration, context)
}

fn speak(
    tools: &mut Tools,
    runtime: &Runtime,
    speech: &SpeechRequest,
    context: &TaskContext,
) -> WorkResult {
    let Some(factory) = &runtime.options.narrator else {
        return Err(WorkError::Failed(no_operation("speak")));
    };
    let narrator = tools.narrator.get_or_insert_with(|| factory());
    narrator.speak(speech, context)
}

/// A line for each run of a task, in the words of the documents.
fn write_log(title: Option<&str>, result: &WorkResult, time: Duration) {
    let seconds = time.as_secs_f64();
    match result {
        Ok(_) => tracing::info!(title, "completed successfully in {seconds:.1} s"),
        Err(WorkError::Interrupted) => tracing::info!(title, "stopped after {seconds:.1} s"),
        Err(WorkError::Failed(error) | WorkError::Transient(error)) => {
            tracing::warn!(title, code = error.code.as_str(), "{error}");
        }
    }
}
