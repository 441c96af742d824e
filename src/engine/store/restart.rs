//! How a narration is read back: what an earlier run did not end, and what is to be tried again.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::narrations::{StoredSchedule, from_json};
use super::segments::{clips, errors};
use super::{Answer, Store, StoreError};
use crate::model::ErrorObject;
use crate::model::StoredClip;
use crate::model::{Narration, NarrationSettings, Plan, PlannedSegment};
use crate::model::{SegmentId, TaskId, Timestamp};

/// A narration that an earlier run accepted and didn't end.
pub(crate) struct StoredNarration {
    pub id: TaskId,
    /// The number of its submission in this library.
    pub seq: u64,
    pub narration: Narration,
    pub timeout_ms: Option<u64>,
    pub schedule: StoredSchedule,
    /// A task it had to wait for, which did not end as it should.
    pub in_vain_after: Option<TaskId>,
    pub created_at: Timestamp,
    pub clips: Vec<StoredClip>,
    pub errors: Vec<(SegmentId, ErrorObject)>,
}

impl Store {
    /// The narrations that have not ended, oldest first. What was in work when an earlier process
    /// died is noted on its segment.
    pub(crate) fn unfinished(
        &self,
        in_work: Vec<(TaskId, SegmentId)>,
    ) -> Result<Vec<StoredNarration>, StoreError> {
        self.send(move |db| unfinished(db, &in_work)).wait()
    }

    /// A narration that failed or was cancelled, with everything that is needed to try it again.
    pub(crate) fn ended_narration(&self, id: &TaskId) -> Answer<Option<StoredNarration>> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare(&format!(
                // One that was retried has handed its segments over.
                "{STORED} WHERE id = ?1 AND state IN ('FAILED', 'CANCELLED') AND source <> ''
                   AND EXISTS (SELECT 1 FROM segments WHERE task = seq)"
            ))?
            .query_row([id.as_str()], |row| stored(db, row))
            .optional()
        })
    }

    /// The number that the next submission gets.
    pub(crate) fn next_seq(&self) -> Answer<u64> {
        self.send(|db| {
            let query = "SELECT COALESCE(MAX(seq), 0) + 1 FROM tasks";
            db.query_row(query, [], |row| row.get(0))
                .map(i64::cast_unsigned)
        })
    }
}

const STORED: &str = "SELECT seq, id, title, folder, voice, settings, fingerprint, source, \
                             timeout_ms, created_at, schedule, voice_version FROM tasks";

fn unfinished(
    db: &Connection,
    in_work: &[(TaskId, SegmentId)],
) -> rusqlite::Result<Vec<StoredNarration>> {
    for (id, segment) in in_work {
        db.prepare_cached(
            "UPDATE segments SET crashes = crashes + 1
             WHERE task = (SELECT seq FROM tasks WHERE id = ?1 AND completed_at IS NULL)
               AND number = ?2 AND clip IS NULL",
        )?
        .execute(params![id.as_str(), segment])?;
    }
    db.execute(
        "UPDATE tasks SET state = 'PENDING' WHERE state = 'PROCESSING'",
        [],
    )?;
    let mut tasks = db.prepare(&format!("{STORED} WHERE completed_at IS NULL ORDER BY seq"))?;
    tasks.query_map([], |row| stored(db, row))?.collect()
}

fn stored(db: &Connection, row: &Row<'_>) -> rusqlite::Result<StoredNarration> {
    let seq: i64 = row.get(0)?;
    let text = |index| row.get::<_, String>(index);
    let settings: NarrationSettings = from_json(&text(5)?)?;
    let schedule: StoredSchedule = from_json(&text(10)?)?;
    let narration = Narration {
        title: text(2)?.into(),
        source: text(7)?.into(),
        plan: Arc::new(Plan::new(planned(db, seq)?)),
        folder: PathBuf::from(text(3)?),
        voice: text(4)?.into(),
        settings,
        fingerprint: text(6)?,
        voice_version: text(11)?.into(),
    };
    Ok(StoredNarration {
        id: TaskId::from(text(1)?),
        seq: seq.cast_unsigned(),
        narration,
        timeout_ms: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
        created_at: Timestamp(row.get(9)?),
        in_vain_after: failed_dependency(db, &schedule)?,
        schedule,
        clips: clips(db, seq)?,
        errors: errors(db, seq)?,
    })
}

fn failed_dependency(
    db: &Connection,
    schedule: &StoredSchedule,
) -> rusqlite::Result<Option<TaskId>> {
    for id in &schedule.after {
        let query = "SELECT 1 FROM tasks WHERE id = ?1 AND state IN ('FAILED', 'CANCELLED')";
        if db.prepare_cached(query)?.exists([id.as_str()])? {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

fn planned(db: &Connection, seq: i64) -> rusqlite::Result<Vec<PlannedSegment>> {
    db.prepare_cached(
        "SELECT first, past, text, pause_ms, heading FROM segments WHERE task = ?1 ORDER BY number",
    )?
    .query_map([seq], |row| {
        Ok(PlannedSegment {
            start: row.get::<_, i64>(0)?.cast_unsigned(),
            end: row.get::<_, i64>(1)?.cast_unsigned(),
            text: row.get::<_, String>(2)?.into(),
            pause_ms: row.get(3)?,
            heading: row.get(4)?,
        })
    })?
    .collect()
}
