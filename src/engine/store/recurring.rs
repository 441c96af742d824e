//! What recurs, on disk.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::columns::{from_json, millis, to_json};
use super::{Answer, Store};
use crate::engine::core::{RecurringRow, RunRow, SetRecurringRow};
use crate::engine::record::{OperationRecord, Record};
use crate::engine::recurrence::Recurrence;
use crate::engine::schedule::StoredSchedule;
use crate::model::Timestamp;

/// What an earlier run left to recur.
pub(crate) struct StoredRecurring {
    pub name: Arc<str>,
    pub recurrence: Recurrence,
    pub record: OperationRecord,
    pub timeout_ms: Option<u64>,
    pub schedule: StoredSchedule,
    pub next: Timestamp,
    /// When that was reckoned.
    pub noted: Timestamp,
}

impl Store {
    /// Everything that recurs. What can't be read stays as it is, and is told in the log.
    pub(crate) fn recurring(&self) -> Answer<Vec<StoredRecurring>> {
        self.ask(|db| {
            let mut query = db.prepare(
                "SELECT name, recurrence, title, operation, parameters, context, timeout_ms,
                        schedule, next, noted
                 FROM recurring ORDER BY name",
            )?;
            let mut rows = query.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                match stored(row) {
                    Ok(one) => all.push(one),
                    Err(error) if super::schema::is_damage(&error) => return Err(error),
                    Err(error) => {
                        let name: String = row.get(0)?;
                        tracing::error!(name, %error, "what recurs can't be read; it is left as it is");
                    }
                }
            }
            Ok(all)
        })
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRecurring> {
    let text = |index| row.get::<_, String>(index);
    Ok(StoredRecurring {
        name: text(0)?.into(),
        recurrence: from_json(&text(1)?)?,
        record: OperationRecord {
            title: text(2)?.into(),
            name: text(3)?.into(),
            parameters: from_json(&text(4)?)?,
            context: from_json(&text(5)?)?,
        },
        timeout_ms: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        schedule: from_json(&text(7)?)?,
        next: Timestamp(row.get(8)?),
        noted: Timestamp(row.get(9)?),
    })
}

pub(super) fn put(db: &Connection, row: &RecurringRow<Record>) -> rusqlite::Result<()> {
    match row {
        RecurringRow::Set(new) => set(db, new),
        RecurringRow::Next {
            name,
            recurrence,
            next,
            at,
        } => set_next(db, name, recurrence, *next, *at),
        RecurringRow::Removed(name) => db
            .prepare_cached("DELETE FROM recurring WHERE name = ?1")?
            .execute([&**name])
            .map(drop),
    }
}

fn set(db: &Connection, new: &SetRecurringRow<Record>) -> rusqlite::Result<()> {
    let Record::Operation(operation) = &new.record else {
        // Nobody can have it recur.
        return Err(rusqlite::Error::InvalidQuery);
    };
    db.prepare_cached(
        "INSERT INTO recurring (name, recurrence, title, operation, parameters, context,
                                timeout_ms, schedule, next, noted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (name) DO UPDATE SET
             next = IIF(recurrence = excluded.recurrence, next, excluded.next),
             noted = IIF(recurrence = excluded.recurrence, noted, excluded.noted),
             recurrence = excluded.recurrence, title = excluded.title,
             operation = excluded.operation, parameters = excluded.parameters,
             context = excluded.context, timeout_ms = excluded.timeout_ms,
             schedule = excluded.schedule",
    )?
    .execute(params![
        &*new.name,
        to_json(&new.recurrence),
        &*operation.title,
        &*operation.name,
        to_json(&operation.parameters),
        to_json(&operation.context),
        new.timeout.map(|timeout| millis(timeout).cast_signed()),
        to_json(&StoredSchedule::new(&new.schedule, new.at)),
        new.next.0,
        new.at.0,
    ])
    .map(drop)
}

/// A run was accepted: notes when the next one is due, unless it recurs otherwise by now.
pub(super) fn run_accepted(db: &Connection, run: &RunRow, at: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE recurring SET next = ?2, noted = ?3
         WHERE name = ?1 AND recurrence = ?4 AND next <= ?5",
    )?
    .execute(params![
        &*run.occurrence.recurring,
        run.next.0,
        at.0,
        to_json(&run.recurrence),
        run.occurrence.due.0,
    ])
    .map(drop)
}

/// Sets when it is due, if it still recurs in this way.
fn set_next(
    db: &Connection,
    name: &str,
    recurrence: &Recurrence,
    next: Timestamp,
    at: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE recurring SET next = ?2, noted = ?3
         WHERE name = ?1 AND recurrence = ?4",
    )?
    .execute(params![name, next.0, at.0, to_json(recurrence)])
    .map(drop)
}
