//! The endpoints `storycore.task.status` and `storycore.task.cancel`, whose answers come in an envelope
//! and in words of their own.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Fault, json as as_json};
use super::body;
use super::query::Query;
use super::routes::Head;
use super::server::Shared;
use crate::model::{ErrorObject, TaskId, TaskState, Timestamp, Trace};
use crate::service::{Action, TaskAction, TaskSummary, current_trace};

/// Which task, in a body.
#[derive(Deserialize)]
struct Named {
    task_id: Option<String>,
}

pub(super) fn status(shared: &Shared, query: &Query) -> Answer {
    let began = Instant::now();
    let task = named(query, None).and_then(|id| Ok(shared.service.task(&id)?));
    let trace = task.as_ref().ok().and_then(|task| task.trace.clone());
    envelope(began, trace, task.map(|task| told(&task)))
}

pub(super) async fn cancel(shared: &Shared, head: Head, body: Incoming) -> Answer {
    let began = Instant::now();
    let task = cancelled(shared, head, body).await;
    let trace = task.as_ref().ok().and_then(|task| trace_of(shared, task));
    envelope(began, trace, task.map(|id| cancelling(&id)))
}

async fn cancelled(shared: &Shared, head: Head, body: Incoming) -> Result<TaskId, Fault> {
    let body: Option<Named> = body::json(&head.headers, body).await?;
    let task = named(&head.query, body)?;
    let id = task.clone();
    let action = Action::Task {
        task,
        what: TaskAction::Cancel,
    };
    shared.ask(move |service| service.act(&action)).await?;
    Ok(id)
}

fn cancelling(id: &TaskId) -> Value {
    json!({
        "task_id": id,
        "cancelled": true,
        "message": "Task cancellation requested",
    })
}

fn trace_of(shared: &Shared, id: &TaskId) -> Option<Arc<Trace>> {
    shared.service.task(id).ok()?.trace
}

/// The task that is meant: the body's, or the query's.
fn named(query: &Query, body: Option<Named>) -> Result<TaskId, Fault> {
    let id = body.and_then(|body| body.task_id);
    let id = id.or_else(|| query.get("task_id").map(Into::into));
    let id = id.filter(|id| !id.is_empty());
    id.map(TaskId::from)
        .ok_or_else(|| Fault::malformed("no task is named: give its `task_id`"))
}

fn told(task: &TaskSummary) -> Value {
    let mut told = json!({
        "task_id": task.id,
        "title": task.title,
        "status": word(task.state),
        "progress": progress(task),
        "current_segment": task.current_segment,
        "total_segments": task.progress.total,
        "completed_segments": task.completed_segments,
        "failed_segments": task.failed_segments,
        "cancel_requested": task.cancel_requested,
        "paused": task.paused,
        "created_at": iso(task.created_at),
        "started_at": task.started_at.map(iso),
        "updated_at": iso(task.updated_at),
        "completed_at": task.completed_at.map(iso),
        "error": task.error,
    });
    if let Some(context) = &task.context {
        told["user_context"] = json!(context);
    }
    told
}

fn word(state: TaskState) -> &'static str {
    match state {
        TaskState::Pending => "pending",
        TaskState::Processing => "running",
        TaskState::Completed => "completed",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}

/// What has ended well is done, also where it never said how much there was to do.
fn progress(task: &TaskSummary) -> f64 {
    match task.state {
        TaskState::Completed => 1.0,
        _ => task.progress.fraction(),
    }
}

/// A moment as `2026-01-31T12:00:00.5Z`.
fn iso(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.0);
    time.unwrap_or_default().to_string()
}

/// `trace` is the task's; without one, the request's is told.
fn envelope(began: Instant, trace: Option<Arc<Trace>>, data: Result<Value, Fault>) -> Answer {
    let mut metadata = json!({
        "request_id": uuid::Uuid::new_v4().to_string(),
        "timestamp": jiff::Timestamp::now().to_string(),
        "duration_ms": began.elapsed().as_secs_f64() * 1000.0,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let Some(trace) = trace.or_else(current_trace) {
        metadata["trace_id"] = trace.id().into();
    }
    match data {
        Ok(data) => {
            let body = json!({ "status": "success", "data": data, "metadata": metadata });
            as_json(StatusCode::OK, &body)
        }
        Err(fault) => {
            let error: &ErrorObject = &fault.error;
            let body = json!({ "status": "error", "error": error, "metadata": metadata });
            fault.head_for(as_json(fault.status, &body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_and_states_have_the_words_of_the_contract() {
        assert_eq!(iso(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(
            iso(Timestamp(1_700_000_000_123)),
            "2023-11-14T22:13:20.123Z"
        );
        let words = TaskState::ALL.map(word);
        assert_eq!(
            words,
            ["pending", "running", "completed", "failed", "cancelled"]
        );
    }

    #[test]
    fn the_body_goes_before_the_query() {
        let query = Query::parse("task_id=a").unwrap();
        let body = |id: &str| {
            Some(Named {
                task_id: Some(id.into()),
            })
        };
        assert_eq!(named(&query, None).unwrap(), "a".into());
        assert_eq!(named(&query, body("b")).unwrap(), "b".into());
        assert!(named(&Query::default(), body("")).is_err());
        assert!(named(&Query::default(), None).is_err());
    }
}
