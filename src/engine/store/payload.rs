//! What a notice tells: of a task as it is on disk, in the words of its document, and bounded.

use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::columns::{from_json, to_json};
use super::history;
use super::tasks::NARRATE;
use crate::engine::document::time;
use crate::engine::schedule::StoredSchedule;
use crate::model::{ErrorObject, Occurrence, Progress, RunSummary, StateChange, TaskId, Timestamp};

/// The most bytes of a value that came from outside: a payload of some thousand bytes is taken
/// everywhere.
const LONGEST_VALUE: usize = 4096;
/// The most characters of a text in it.
const LONGEST_TEXT: usize = 1000;

/// What is told of a task, and the trace that it belongs to: the words of its document, with numbers in
/// the place of long lists.
pub(super) fn payload(
    db: &Connection,
    task: &TaskId,
    change: StateChange,
    at: Timestamp,
) -> rusqlite::Result<(String, Option<String>)> {
    db.prepare_cached(
        "SELECT title, state, voice, folder, operation, parameters, context, schedule, created_at,
                started_at, completed_at, error, result, segments, done, errors, audio_seconds,
                occurrence, seq
         FROM tasks WHERE id = ?1",
    )?
    .query_row([task.as_str()], |row| {
        let schedule: StoredSchedule = lenient(&row.get::<_, String>(7)?);
        let data = data(db, task, row, &schedule)?;
        let payload = json!({ "type": change.to_string(), "timestamp": time(at), "data": data });
        Ok((payload.to_string(), schedule.trace.as_deref().map(to_json)))
    })
}

fn data(
    db: &Connection,
    task: &TaskId,
    row: &Row<'_>,
    schedule: &StoredSchedule,
) -> rusqlite::Result<Value> {
    let text = |index| row.get::<_, String>(index);
    let when = |index| -> rusqlite::Result<Value> {
        let at: Option<i64> = row.get(index)?;
        Ok(at.map_or(Value::Null, |at| time(Timestamp(at)).into()))
    };
    let summary = match row.get::<_, Option<u32>>(13)? {
        Some(segments) => RunSummary {
            segments,
            done: row.get(14)?,
            errors: row.get(15)?,
            audio_seconds: row.get(16)?,
        },
        None => history::summary(db, row.get(18)?)?,
    };
    let operation = text(4)?;
    let mut left_out = Vec::new();
    let mut bounded = |name: &str, written: Option<String>| match written {
        Some(text) if text.len() > LONGEST_VALUE => {
            left_out.push(name.to_owned());
            Value::Null
        }
        Some(text) => lenient(&text),
        None => Value::Null,
    };
    let mut data = json!({
        "task_id": task,
        "title": short(&text(0)?),
        "status": text(1)?,
        "operation": operation,
        "result": bounded("result", row.get(12)?),
        "error": row.get::<_, Option<String>>(11)?.map(|text| error(&text)),
        "created_at": when(8)?,
        "started_at": when(9)?,
        "completed_at": when(10)?,
    });
    if operation == NARRATE {
        data["voice"] = text(2)?.into();
        data["folder"] = text(3)?.into();
    } else {
        data["parameters"] = bounded("parameters", row.get(5)?);
        data["user_context"] = bounded("user_context", row.get(6)?);
    }
    // What is told of an operation's progress is in memory only; segments are on disk.
    if operation == NARRATE {
        let progress = Progress {
            current: summary.done.into(),
            total: summary.segments.into(),
            extra: None,
        };
        data["progress"] = json!({
            "current": progress.current,
            "total": progress.total,
            "percentage": progress.percentage(),
            "fraction": progress.fraction(),
        });
        data["segments"] = json!({
            "total": summary.segments,
            "completed": summary.done,
            "failed": summary.errors,
        });
        data["audio_seconds"] = summary.audio_seconds.into();
        let context = schedule.context.as_ref().map(to_json);
        data["user_context"] = bounded("user_context", context);
    }
    if let Some(group) = &schedule.group {
        data["group"] = json!(group);
    }
    let written: Option<String> = row.get(17)?;
    if let Some(run) = written.and_then(|run| from_json::<Occurrence>(&run).ok()) {
        data["recurring"] = json!({ "name": run.recurring, "due": time(run.due) });
    }
    if !left_out.is_empty() {
        data["left_out"] = left_out.into();
    }
    Ok(data)
}

/// Why a task has ended: of one that tells much, the code and the beginning of the message.
fn error(written: &str) -> Value {
    match from_json::<ErrorObject>(written) {
        Ok(error) if written.len() > LONGEST_VALUE => {
            let (message, advice) = (short(&error.message), short(&error.remediation));
            json!(ErrorObject::new(error.code, message).with_remediation(advice))
        }
        _ => lenient(written),
    }
}

/// What is written there; nothing if that can't be read: the change itself must come to the disk.
fn lenient<T: serde::de::DeserializeOwned + Default>(written: &str) -> T {
    from_json(written).unwrap_or_default()
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
