//! A task's status in the form of the documents of engines like this one: their names, ISO 8601 times,
//! what the work says of its progress beside the numbers.

use serde_json::{Map, Value, json};

use super::Engine;
use crate::model::{TaskId, TaskStatus, Timestamp};

impl Engine {
    /// Everything known about a task, as JSON: `task_id`, `status`, `progress` with `percentage`,
    /// `fraction` and whatever the work gave with it, `completed_segments` in the order of their
    /// completion, `errors`, results, times in ISO 8601. `None` for an unknown id.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Work, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("two pages", |task| {
    ///     task.update_progress(1, 2, Some(json!({ "page": 1 })));
    ///     task.add_completed_segment(1, "clips/1.wav", Duration::from_secs(2));
    ///     Ok("half".into())
    /// }))?;
    /// engine.wait(&id)?;
    /// let document = engine.task_document(&id).unwrap();
    /// assert_eq!(document["status"], "COMPLETED");
    /// assert_eq!(
    ///     document["progress"],
    ///     json!({ "current": 1, "total": 2, "percentage": 50, "fraction": 0.5, "page": 1 })
    /// );
    /// assert_eq!(
    ///     document["completed_segments"],
    ///     json!([{ "segment_id": 1, "audio_url": "clips/1.wav", "duration": 2.0 }])
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn task_document(&self, id: &TaskId) -> Option<Value> {
        self.task_status(id).as_ref().map(document)
    }
}

fn document(status: &TaskStatus) -> Value {
    let completed = status.completed_segments.in_order_of_completion();
    let segments: Vec<Value> = completed
        .into_iter()
        .map(|segment| {
            let address = match &status.folder {
                Some(folder) => folder.join(&*segment.clip).display().to_string(),
                None => segment.clip.to_string(),
            };
            json!({
                "segment_id": segment.segment_id,
                "audio_url": address,
                "duration": segment.duration.as_secs_f64(),
            })
        })
        .collect();
    let errors: Vec<Value> = status
        .errors
        .iter()
        .map(|error| json!({ "segment_id": error.segment_id, "error": error.error }))
        .collect();
    let mut document = json!({
        "task_id": status.id,
        "title": status.title,
        "status": status.state,
        "progress": progress(status),
        "completed_segments": segments,
        "errors": errors,
        "partial_result": status.partial_result,
        "result": status.result,
        "error": status.error,
        "cancel_requested": status.cancel_requested,
        "created_at": time(status.created_at),
        "started_at": status.started_at.map(time),
        "updated_at": time(status.updated_at),
        "completed_at": status.completed_at.map(time),
    });
    if let (Some(operation), Some(fields)) = (&status.operation, document.as_object_mut()) {
        fields.insert("operation".to_owned(), json!(operation.name));
        fields.insert("parameters".to_owned(), operation.parameters.clone());
        fields.insert("user_context".to_owned(), operation.context.clone());
    }
    if let (Some(context), Some(fields)) = (&status.context, document.as_object_mut()) {
        fields.insert("user_context".to_owned(), json!(context));
    }
    if let (Some(run), Some(fields)) = (&status.occurrence, document.as_object_mut()) {
        let run = json!({
            "name": run.recurring,
            "due": time(run.due),
            "late_seconds": run.late.as_secs_f64(),
        });
        fields.insert("recurring".to_owned(), run);
    }
    document
}

/// The numbers, and beside them what the work gave with them; the numbers' names are taken.
fn progress(status: &TaskStatus) -> Value {
    let progress = &status.progress;
    let mut fields = match progress.extra.as_deref() {
        Some(Value::Object(extra)) => extra.clone(),
        Some(extra) => Map::from_iter([("extra".to_owned(), extra.clone())]),
        None => Map::new(),
    };
    fields.insert("current".to_owned(), progress.current.into());
    fields.insert("total".to_owned(), progress.total.into());
    fields.insert("percentage".to_owned(), progress.percentage().into());
    fields.insert("fraction".to_owned(), progress.fraction().into());
    Value::Object(fields)
}

/// ISO 8601, UTC, with milliseconds.
pub(super) fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{CompletedSegment, ErrorObject, SegmentId, TaskKind};

    #[test]
    fn segments_come_in_the_order_of_their_completion_and_times_as_iso() {
        let at = Timestamp(1_700_000_000_123);
        let mut status = TaskStatus::new("one".into(), "A story".into(), TaskKind::Closure, at);
        for segment_id in [3, 1, 2, 3].map(SegmentId::new) {
            status.completed_segments.insert(CompletedSegment {
                segment_id,
                clip: format!("{segment_id}.wav").into(),
                duration: Duration::from_secs(1),
                work: Duration::ZERO,
            });
        }
        status
            .errors
            .push(SegmentId::new(2), ErrorObject::new("X", "x"));
        status.progress.extra = Some(json!({ "phase": "joining", "current": "not this" }).into());
        let document = document(&status);
        let segments = document["completed_segments"].as_array().unwrap();
        let order: Vec<_> = segments
            .iter()
            .map(|one| one["segment_id"].as_u64())
            .collect();
        assert_eq!(
            order,
            [Some(1), Some(2), Some(3)],
            "made again, it was completed last"
        );
        assert_eq!(document["created_at"], "2023-11-14T22:13:20.123Z");
        assert_eq!(document["progress"]["phase"], "joining");
        assert_eq!(document["progress"]["current"], 0);
        assert_eq!(document["errors"][0]["error"]["code"], "X");
        assert_eq!(document["completed_at"], Value::Null);
    }
}
