//! The ends of narrations, and the history that they make: read from its own index, so that it costs
//! the same however long the texts are. An end is final; nothing here may change one.

use std::path::PathBuf;

use rusqlite::{Connection, Row, params};

use super::columns::to_json;
use super::{Answer, Store};
use crate::model::ErrorObject;
use crate::model::{HistoryEntry, RunSummary};
use crate::model::{TaskId, TaskState, Timestamp};

const NEWEST_FIRST: &str = "SELECT id, title, state, voice, folder, created_at, completed_at, \
                                   segments, done, errors, audio_seconds, problem
     FROM tasks WHERE completed_at IS NOT NULL
     ORDER BY completed_at DESC, seq DESC LIMIT ?1";

impl Store {
    /// The narrations that have ended, newest first, at most `limit` of them.
    pub(crate) fn history(&self, limit: usize) -> Answer<Vec<HistoryEntry>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(move |db| {
            db.prepare_cached(NEWEST_FIRST)?
                .query_map([limit], past)?
                .collect()
        })
    }
}

fn past(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let text = |index| row.get::<_, String>(index);
    Ok(HistoryEntry {
        id: TaskId::from(text(0)?),
        title: text(1)?.into(),
        // The table has no other words than these.
        state: TaskState::from_word(&text(2)?).unwrap_or(TaskState::Failed),
        voice: text(3)?.into(),
        folder: PathBuf::from(text(4)?).into(),
        created_at: Timestamp(row.get(5)?),
        completed_at: Timestamp(row.get(6)?),
        summary: match row.get::<_, Option<u32>>(7)? {
            Some(_) => Some(summary_at(row, 7)?),
            None => None,
        },
        problem: row.get(11)?,
    })
}

fn summary_at(row: &Row<'_>, first: usize) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        segments: row.get(first)?,
        done: row.get(first + 1)?,
        errors: row.get(first + 2)?,
        audio_seconds: row.get(first + 3)?,
    })
}

/// Notes the end of a task, and says whether it is one: what has ended stays as it is.
pub(super) fn end(
    db: &Connection,
    id: &TaskId,
    state: TaskState,
    error: Option<&ErrorObject>,
    result: Option<String>,
    summary: Option<RunSummary>,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "UPDATE tasks SET state = ?2, error = ?3, problem = ?4, result = ?5, completed_at = ?6,
                          segments = ?7, done = ?8, errors = ?9, audio_seconds = ?10
         WHERE id = ?1 AND completed_at IS NULL",
    )?
    .execute(params![
        id.as_str(),
        state.word(),
        error.map(to_json),
        error.map(|error| &error.message),
        result,
        at.0,
        summary.map(|summary| summary.segments),
        summary.map(|summary| summary.done),
        summary.map(|summary| summary.errors),
        summary.map(|summary| summary.audio_seconds),
    ])
    .map(|rows| rows == 1)
}

/// What the segments of a task come to. It looks at every one of them: for when nobody else knows.
pub(super) fn summary(db: &Connection, seq: i64) -> rusqlite::Result<RunSummary> {
    db.query_row(
        "SELECT COUNT(*), COUNT(clip), COUNT(error), TOTAL(CAST(samples AS REAL) / rate)
         FROM segments WHERE task = ?1",
        [seq],
        |row| summary_at(row, 0),
    )
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn history_is_read_from_its_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let opened = schema::open(&folder.path().join("aloud.db")).unwrap();
        let plan: Vec<String> = opened
            .prepare(&format!("EXPLAIN QUERY PLAN {NEWEST_FIRST}"))
            .unwrap()
            .query_map([10], |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        // Neither a sort nor a look at the rows, which hold whole texts.
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(
            plan[0].contains("USING COVERING INDEX tasks_ended"),
            "{plan:?}"
        );
    }
}
