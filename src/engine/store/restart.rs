//! How a task is read back: what an earlier run did not end, and what is to be tried again.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use super::columns::from_json;
use super::outbox::Outbox;
use super::segments::{clips, errors};
use super::tasks::{NARRATE, failed_among};
use super::{Answer, Store};
use crate::engine::error::StoreError;
use crate::engine::record::{OperationRecord, Record};
use crate::engine::schedule::StoredSchedule;
use crate::model::{
    ErrorObject, Narration, NarrationSettings, Occurrence, Plan, PlannedSegment, Reading,
    SegmentId, StateChange, StoredClip, TaskId, Timestamp,
};

/// A task that an earlier run accepted.
pub(crate) struct StoredTask {
    pub id: TaskId,
    /// The number of its submission in this library.
    pub seq: u64,
    pub record: Record,
    pub timeout_ms: Option<u64>,
    pub schedule: StoredSchedule,
    /// A task it had to wait for, which did not end as it should.
    pub failed_dependency: Option<TaskId>,
    pub created_at: Timestamp,
    /// Of a run of what recurs.
    pub occurrence: Option<Occurrence>,
    pub clips: Vec<StoredClip>,
    pub errors: Vec<(SegmentId, ErrorObject)>,
}

impl Store {
    /// The tasks that have not ended, oldest first. One that can't be read stays as it is, and is told in the log.
    pub(crate) fn unfinished(&self) -> Result<Vec<StoredTask>, StoreError> {
        let outbox = Arc::clone(&self.outbox);
        self.change(move |db| unfinished(db, &outbox)).wait()
    }

    /// A narration that failed or was cancelled, with everything that is needed to try it again.
    pub(crate) fn ended_narration(&self, id: &TaskId) -> Answer<Option<StoredTask>> {
        self.narration_where(id, "state IN ('FAILED', 'CANCELLED')")
    }

    /// A narration, as long as there is more of it than a line of history.
    pub(crate) fn narration(&self, id: &TaskId) -> Answer<Option<StoredTask>> {
        self.narration_where(id, "TRUE")
    }

    fn narration_where(&self, id: &TaskId, holds: &'static str) -> Answer<Option<StoredTask>> {
        let id = id.clone();
        self.ask(move |db| {
            db.prepare(&format!(
                // One that was retried has handed its segments over.
                "{STORED} WHERE id = ?1 AND {holds} AND source <> ''
                   AND EXISTS (SELECT 1 FROM segments WHERE task = seq)"
            ))?
            .query_row([id.as_str()], |row| stored(db, row))
            .optional()
        })
    }

    /// The number that the next submission gets.
    pub(crate) fn next_seq(&self) -> Answer<u64> {
        self.ask(|db| {
            let query = "SELECT COALESCE(MAX(seq), 0) + 1 FROM tasks";
            db.query_row(query, [], |row| row.get(0))
                .map(i64::cast_unsigned)
        })
    }

    /// Of what completed before this time, only a line of history stays.
    pub(crate) fn archive_before(&self, time: Timestamp) -> Answer<()> {
        self.change(move |db| {
            db.execute(
                "DELETE FROM segments WHERE task IN
                 (SELECT seq FROM tasks WHERE completed_at < ?1 AND state = 'COMPLETED')",
                [time.0],
            )?;
            db.execute(
                "DELETE FROM tasks
                 WHERE completed_at < ?1 AND state = 'COMPLETED' AND occurrence IS NOT NULL",
                [time.0],
            )?;
            db.execute(
                "UPDATE tasks SET source = '', parameters = NULL, context = NULL
                 WHERE completed_at < ?1 AND state = 'COMPLETED'
                   AND (source <> '' OR parameters IS NOT NULL)",
                [time.0],
            )
            .map(drop)
        })
    }
}

const STORED: &str = "SELECT seq, id, title, folder, voice, settings, fingerprint, source, \
                             timeout_ms, created_at, schedule, voice_version, operation, \
                             parameters, context, occurrence, file FROM tasks";

fn unfinished(db: &Connection, outbox: &Outbox) -> rusqlite::Result<Vec<StoredTask>> {
    let stopped: Vec<String> = db
        .prepare("UPDATE tasks SET state = 'PENDING' WHERE state = 'PROCESSING' RETURNING id")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for task in stopped {
        outbox.note(db, &task.into(), StateChange::Waiting, Timestamp::now())?;
    }
    let mut query = db.prepare(&format!("{STORED} WHERE completed_at IS NULL ORDER BY seq"))?;
    let mut rows = query.query([])?;
    let mut tasks = Vec::new();
    while let Some(row) = rows.next()? {
        match stored(db, row) {
            Ok(task) => tasks.push(task),
            Err(error) if super::schema::is_damage(&error) => return Err(error),
            Err(error) => {
                let id: String = row.get(1)?;
                tracing::error!(task = id, %error, "a task can't be read; it is left as it is");
            }
        }
    }
    Ok(tasks)
}

fn stored(db: &Connection, row: &Row<'_>) -> rusqlite::Result<StoredTask> {
    let seq: i64 = row.get(0)?;
    let text = |index| row.get::<_, String>(index);
    let json = |index| -> rusqlite::Result<serde_json::Value> {
        let text: Option<String> = row.get(index)?;
        text.map_or(Ok(serde_json::Value::Null), |text| from_json(&text))
    };
    let schedule: StoredSchedule = from_json(&text(10)?)?;
    let name = text(12)?;
    let record = if name == NARRATE {
        let settings: NarrationSettings = from_json(&text(5)?)?;
        Record::Narration(Arc::new(Narration {
            title: text(2)?.into(),
            source: text(7)?.into(),
            plan: Arc::new(Plan::new(planned(db, seq)?)),
            folder: PathBuf::from(text(3)?),
            voice: text(4)?.into(),
            settings,
            fingerprint: text(6)?,
            voice_version: text(11)?.into(),
            file: row.get::<_, Option<String>>(16)?.map(PathBuf::from),
        }))
    } else {
        Record::Operation(Arc::new(OperationRecord {
            title: text(2)?.into(),
            name: name.into(),
            parameters: json(13)?,
            context: json(14)?,
        }))
    };
    Ok(StoredTask {
        id: TaskId::from(text(1)?),
        seq: seq.cast_unsigned(),
        record,
        timeout_ms: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
        created_at: Timestamp(row.get(9)?),
        occurrence: match row.get::<_, Option<String>>(15)? {
            Some(written) => Some(from_json(&written)?),
            None => None,
        },
        failed_dependency: failed_among(db, &schedule.after)?,
        schedule,
        clips: clips(db, seq)?,
        errors: errors(db, seq)?,
    })
}

fn planned(db: &Connection, seq: i64) -> rusqlite::Result<Vec<PlannedSegment>> {
    db.prepare_cached(
        "SELECT first, past, text, pause_ms, heading, reading, voice FROM segments
         WHERE task = ?1 ORDER BY number",
    )?
    .query_map([seq], |row| {
        Ok(PlannedSegment {
            start: row.get::<_, i64>(0)?.cast_unsigned(),
            end: row.get::<_, i64>(1)?.cast_unsigned(),
            text: row.get::<_, String>(2)?.into(),
            pause_ms: row.get(3)?,
            heading: row.get(4)?,
            reading: match row.get::<_, Option<String>>(5)? {
                Some(reading) => from_json(&reading)?,
                None => Reading::default(),
            },
            voice: row.get(6)?,
        })
    })?
    .collect()
}
