//! A task comes to the database, and what is asked about tasks there.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::columns::to_json;
use super::segments::clips;
use super::{Answer, Store};
use crate::engine::record::{OperationRecord, Record};
use crate::engine::schedule::StoredSchedule;
use crate::model::{ClipRecord, Narration, Occurrence, SegmentId, TaskId, Timestamp};

/// The name under which narrations are stored among the operations.
pub(crate) const NARRATE: &str = "narrate";

/// A new task, as it goes to disk.
pub(super) struct NewRow<'a> {
    pub id: &'a TaskId,
    pub seq: u64,
    pub record: &'a Record,
    pub timeout_ms: Option<u64>,
    pub schedule: &'a StoredSchedule,
    pub at: Timestamp,
    /// Of a run of what recurs.
    pub occurrence: Option<&'a Occurrence>,
}

impl Store {
    /// The folder of the last narration with this fingerprint that ended and still has clips.
    pub(crate) fn ended_like(&self, fingerprint: &str) -> Answer<Option<PathBuf>> {
        let fingerprint = fingerprint.to_owned();
        self.ask(move |db| {
            let ended = ended_like(db, &fingerprint)?;
            Ok(ended.map(|(_, folder)| PathBuf::from(folder)))
        })
    }

    /// The last narration with this fingerprint that is complete, and its folder, unless another one has
    /// taken that over.
    pub(crate) fn completed_like(&self, fingerprint: &str) -> Answer<Option<(TaskId, PathBuf)>> {
        let fingerprint = fingerprint.to_owned();
        self.ask(move |db| {
            db.prepare_cached(
                "SELECT id, folder FROM tasks
                 WHERE fingerprint = ?1 AND state = 'COMPLETED'
                   AND NOT EXISTS (SELECT 1 FROM tasks AS later WHERE later.folder = tasks.folder
                                   AND later.fingerprint <> tasks.fingerprint
                                   AND later.seq > tasks.seq)
                 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row([fingerprint], |row| {
                Ok((
                    row.get::<_, String>(0)?.into(),
                    row.get::<_, String>(1)?.into(),
                ))
            })
            .optional()
        })
    }

    /// Whether a narration is known to have its clips in this folder.
    pub(crate) fn knows_folder(&self, folder: &Path) -> Answer<bool> {
        let folder = folder.to_string_lossy().into_owned();
        self.ask(move |db| {
            db.prepare_cached("SELECT 1 FROM tasks WHERE folder = ?1")?
                .exists([folder])
        })
    }

    /// Which of these tasks has ended and did not end as it should.
    pub(crate) fn failed_among(&self, ids: Vec<TaskId>) -> Answer<Option<TaskId>> {
        self.ask(move |db| failed_among(db, &ids))
    }
}

pub(super) fn failed_among(db: &Connection, ids: &[TaskId]) -> rusqlite::Result<Option<TaskId>> {
    let query = "SELECT 1 FROM tasks WHERE id = ?1 AND state IN ('FAILED', 'CANCELLED')";
    for id in ids {
        if db.prepare_cached(query)?.exists([id.as_str()])? {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// Stores a new task with all its segments. A narration takes over the clips of the last one that
/// ended in the same folder with the same fingerprint, but for the segments `again`; the answer names
/// them. `None` if the id is taken.
pub(super) fn insert(
    db: &Connection,
    new: &NewRow<'_>,
    again: &[SegmentId],
) -> rusqlite::Result<Option<Vec<ClipRecord>>> {
    match new.record {
        Record::Narration(narration) => insert_narration(db, new, narration, again),
        Record::Operation(operation) => {
            let is_new = insert_operation(db, new, operation)?;
            Ok(is_new.then(Vec::new))
        }
    }
}

fn insert_operation(
    db: &Connection,
    new: &NewRow<'_>,
    operation: &OperationRecord,
) -> rusqlite::Result<bool> {
    let rows = db
        .prepare_cached(
            "INSERT INTO tasks (id, title, state, folder, voice, settings, fingerprint, source,
                                timeout_ms, created_at, schedule, seq, operation, parameters,
                                context, occurrence)
             VALUES (?1, ?2, 'PENDING', '', '', '{}', '', '', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            new.id.as_str(),
            &*operation.title,
            new.timeout_ms.map(u64::cast_signed),
            new.at.0,
            to_json(new.schedule),
            new.seq.cast_signed(),
            &*operation.name,
            to_json(&operation.parameters),
            to_json(&operation.context),
            new.occurrence.map(to_json),
        ])?;
    Ok(rows == 1)
}

fn insert_narration(
    db: &Connection,
    new: &NewRow<'_>,
    narration: &Narration,
    again: &[SegmentId],
) -> rusqlite::Result<Option<Vec<ClipRecord>>> {
    let folder = narration.folder.to_string_lossy();
    let seq: Option<i64> = db
        .prepare_cached(
            "INSERT INTO tasks (id, title, state, folder, voice, settings, fingerprint, source,
                                timeout_ms, created_at, schedule, voice_version, seq, file)
             VALUES (?1, ?2, 'PENDING', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (id) DO NOTHING RETURNING seq",
        )?
        .query_row(
            params![
                new.id.as_str(),
                &*narration.title,
                folder,
                &*narration.voice,
                to_json(&narration.settings),
                narration.fingerprint,
                &*narration.source,
                new.timeout_ms.map(u64::cast_signed),
                new.at.0,
                to_json(new.schedule),
                &*narration.voice_version,
                new.seq.cast_signed(),
                // A name that is not text can't be kept; only its lexicon is not found then.
                narration.file.as_deref().and_then(Path::to_str),
            ],
            |row| row.get(0),
        )
        .optional()?;
    let Some(seq) = seq else { return Ok(None) };
    let mut row = db.prepare_cached(
        "INSERT INTO segments (task, number, first, past, text, pause_ms, heading, reading,
                               voice)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (number, segment) in narration.plan.iter() {
        row.execute(params![
            seq,
            number,
            segment.start.cast_signed(),
            segment.end.cast_signed(),
            &*segment.text,
            segment.pause_ms,
            segment.heading,
            (!segment.reading.is_plain()).then(|| to_json(&segment.reading)),
            segment.voice,
        ])?;
    }
    let like = ended_like(db, &narration.fingerprint)?.filter(|old| old.1 == folder);
    let old = match like {
        Some((old, _)) => Some(old),
        None => read_otherwise(db, narration, &folder, seq)?,
    };
    let Some(old) = old else {
        return Ok(Some(Vec::new()));
    };
    adopt(db, old, seq)?;
    for &segment in again {
        super::segments::forget(db, new.id, segment)?;
    }
    clips(db, seq).map(Some)
}

fn ended_like(db: &Connection, fingerprint: &str) -> rusqlite::Result<Option<(i64, String)>> {
    db.prepare_cached(
        "SELECT seq, folder FROM tasks
         WHERE fingerprint = ?1 AND completed_at IS NOT NULL
           AND EXISTS (SELECT 1 FROM segments WHERE task = seq AND clip IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM tasks AS later WHERE later.folder = tasks.folder
                           AND later.fingerprint <> tasks.fingerprint AND later.seq > tasks.seq)
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// The narration that went before in this folder, if only what is said for its words differs.
fn read_otherwise(
    db: &Connection,
    narration: &Narration,
    folder: &str,
    new: i64,
) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT seq FROM tasks
         WHERE folder = ?1 AND seq <> ?2 AND voice = ?3 AND voice_version = ?4 AND settings = ?5
           AND source = ?6 AND completed_at IS NOT NULL
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row(
        params![
            folder,
            new,
            &*narration.voice,
            &*narration.voice_version,
            to_json(&narration.settings),
            &*narration.source,
        ],
        |row| row.get(0),
    )
    .optional()
}

/// Hands the faultless clips of an ended narration to a new one that speaks the same text.
fn adopt(db: &Connection, old: i64, new: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE segments SET clip = old.clip, bytes = old.bytes, samples = old.samples,
                             rate = old.rate, peak = old.peak,
                             checksum = old.checksum, words = old.words
         FROM segments AS old
         WHERE segments.task = ?2 AND old.task = ?1 AND old.number = segments.number
           AND old.text = segments.text AND old.reading IS segments.reading
           AND old.voice = segments.voice
           AND old.clip IS NOT NULL AND old.error IS NULL",
    )?
    .execute([old, new])?;
    db.prepare_cached("DELETE FROM segments WHERE task = ?1")?
        .execute([old])?;
    Ok(())
}
