//! One row of the core on disk. Each is guarded so that an end is final: a task that has ended on disk
//! is not changed by a row that comes after it.

use rusqlite::{Connection, params};

use super::columns::{millis, to_json};
use super::outbox::Outbox;
use super::tasks::{NewRow, insert};
use super::{history, recurring, segments};
use crate::engine::core::{Row, RowAnswer};
use crate::engine::record::Record;
use crate::engine::schedule::StoredSchedule;
use crate::model::{StateChange, TaskId, TaskState};

/// Puts it there, and notes what others are to be told of it.
pub(super) fn put(
    db: &Connection,
    row: &Row<Record>,
    outbox: &Outbox,
) -> rusqlite::Result<RowAnswer> {
    match row {
        Row::Accepted {
            task,
            seq,
            record,
            timeout,
            schedule,
            again,
            at,
            run,
        } => {
            let new = NewRow {
                id: task,
                seq: *seq,
                record,
                timeout_ms: timeout.map(millis),
                schedule: &StoredSchedule::new(schedule, *at),
                at: *at,
                occurrence: run.as_ref().map(|run| &*run.occurrence),
            };
            let clips = insert(db, &new, again)?;
            if let (Some(run), true) = (run, clips.is_some()) {
                recurring::run_accepted(db, run, *at)?;
            }
            if clips.is_some() {
                outbox.note(db, task, StateChange::Submitted, *at)?;
            }
            return Ok(clips.map_or(RowAnswer::Taken, RowAnswer::Accepted));
        }
        Row::Started { task, at } => {
            let sql = "UPDATE tasks SET state = 'PROCESSING', started_at = ?2
                       WHERE id = ?1 AND completed_at IS NULL";
            match changed(db, sql, params![task.as_str(), at.0])? {
                0 => Ok(()),
                _ => outbox.note(db, task, StateChange::Started, *at),
            }
        }
        Row::Waiting { task, at } => {
            let sql = "UPDATE tasks SET state = 'PENDING' WHERE id = ?1 AND completed_at IS NULL";
            match changed(db, sql, params![task.as_str()])? {
                0 => Ok(()),
                _ => outbox.note(db, task, StateChange::Waiting, *at),
            }
        }
        Row::CancelRequested { task } => set_schedule(db, task, "$.cancelled", true),
        Row::Paused { task, paused } => set_schedule(db, task, "$.paused", *paused),
        Row::Places(places) => {
            for (task, rank) in places {
                update(
                    db,
                    "UPDATE tasks SET schedule = json_set(schedule, '$.rank', ?2)
                     WHERE id = ?1 AND completed_at IS NULL",
                    params![task.as_str(), rank],
                )?;
            }
            Ok(())
        }
        Row::PartBegun { task, part } => update(
            db,
            "UPDATE segments SET attempt = attempt + 1, error = NULL
             WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
            params![task.as_str(), part],
        ),
        Row::PartDone { task, clip, .. } => segments::complete(db, task, clip),
        Row::PartFailed {
            task, part, error, ..
        } => update(
            db,
            "UPDATE segments SET error = ?3
             WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
            params![task.as_str(), part, to_json(error)],
        ),
        Row::PartForgotten { task, part } => segments::forget(db, task, *part),
        Row::Ended {
            task,
            state,
            error,
            result,
            summary,
            at,
            ..
        } => {
            let result = result.as_ref().map(to_json);
            let (error, summary) = (error.as_ref(), Some(*summary));
            match history::end(db, task, *state, error, result, summary, *at)? {
                true => outbox.note(db, task, end(*state), *at),
                false => Ok(()),
            }
        }
        Row::Recurring(row) => recurring::put(db, row),
        Row::Archived(tasks) => tasks.iter().try_for_each(|task| archive(db, task)),
    }
    .map(|()| RowAnswer::Done)
}

fn end(state: TaskState) -> StateChange {
    match state {
        TaskState::Completed => StateChange::Completed,
        TaskState::Cancelled => StateChange::Cancelled,
        // Nothing else is an end.
        TaskState::Failed | TaskState::Pending | TaskState::Processing => StateChange::Failed,
    }
}

fn update(db: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
    changed(db, sql, values).map(drop)
}

/// How many rows it changes.
fn changed(db: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(values)
}

fn set_schedule(db: &Connection, task: &TaskId, field: &str, value: bool) -> rusqlite::Result<()> {
    let value = if value { "true" } else { "false" };
    update(
        db,
        "UPDATE tasks SET schedule = json_set(schedule, ?2, json(?3))
         WHERE id = ?1 AND completed_at IS NULL",
        params![task.as_str(), field, value],
    )
}

/// Reduces a task that is complete to a line of history, and a run of what recurs to nothing: there
/// would be more and more of them. The others can be tried again and keep what they have.
fn archive(db: &Connection, task: &TaskId) -> rusqlite::Result<()> {
    update(
        db,
        "DELETE FROM segments WHERE task =
         (SELECT seq FROM tasks WHERE id = ?1 AND state = 'COMPLETED')",
        params![task.as_str()],
    )?;
    update(
        db,
        "DELETE FROM tasks WHERE id = ?1 AND state = 'COMPLETED' AND occurrence IS NOT NULL",
        params![task.as_str()],
    )?;
    update(
        db,
        "UPDATE tasks SET source = '', parameters = NULL, context = NULL
         WHERE id = ?1 AND state = 'COMPLETED'",
        params![task.as_str()],
    )
}
