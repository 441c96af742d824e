//! What is stored of a task's segments: attempts, clips, errors.

use std::collections::BTreeSet;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};

use super::columns::{from_json, to_json};
use super::{Answer, Store};
use crate::model::{ClipRecord, ErrorObject, SegmentId, StoredClip, TaskId, WordTime};

impl ToSql for SegmentId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.get().into())
    }
}

impl FromSql for SegmentId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u32::column_result(value).map(Self::new)
    }
}

impl Store {
    /// The clips of a narration, by segment, without their words.
    pub(crate) fn clips(&self, id: &TaskId) -> Answer<Vec<StoredClip>> {
        let id = id.clone();
        self.ask(move |db| {
            let seq = db.query_row(
                "SELECT seq FROM tasks WHERE id = ?1",
                [id.as_str()],
                |row| row.get(0),
            )?;
            read_clips(db, seq, "NULL")
        })
    }

    /// The segments without a clip that were begun before, or are to be made again.
    pub(crate) fn attempted(&self, id: &TaskId) -> Answer<BTreeSet<SegmentId>> {
        let id = id.clone();
        self.ask(move |db| {
            db.prepare_cached(
                "SELECT number FROM segments
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1)
                   AND attempt > 0 AND clip IS NULL",
            )?
            .query_map([id.as_str()], |row| row.get(0))?
            .collect()
        })
    }
}

/// Notes a published clip. The core has made sure that it is the newest attempt.
pub(super) fn complete(db: &Connection, id: &TaskId, clip: &ClipRecord) -> rusqlite::Result<()> {
    let values = params![
        id.as_str(),
        clip.segment_id,
        &*clip.clip,
        clip.bytes.cast_signed(),
        clip.samples.cast_signed(),
        clip.rate,
        clip.peak,
        clip.checksum,
        words_of(clip),
    ];
    let rows = db
        .prepare_cached(
            "UPDATE segments SET clip = ?3, bytes = ?4, samples = ?5, rate = ?6, peak = ?7,
                                 checksum = ?8, words = ?9
             WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
        )?
        .execute(values)?;
    if rows == 1 {
        return Ok(());
    }
    // An operation that plans nothing ahead numbers its parts as they come.
    let rows = db
        .prepare_cached(
            "INSERT INTO segments (task, number, first, past, text, pause_ms, heading, attempt,
                                   clip, bytes, samples, rate, peak, checksum, words)
             SELECT seq, ?2, 0, 0, '', 0, 0, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             FROM tasks WHERE id = ?1 AND operation <> 'narrate'",
        )?
        .execute(values)?;
    if rows == 1 {
        Ok(())
    } else {
        Err(rusqlite::Error::QueryReturnedNoRows)
    }
}

/// Forgets the clip of a segment whose file is gone or damaged.
pub(super) fn forget(db: &Connection, id: &TaskId, segment: SegmentId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE segments SET clip = NULL, bytes = NULL, samples = NULL, peak = NULL,
                             checksum = NULL, words = NULL, attempt = MAX(attempt, 1)
         WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
    )?
    .execute(params![id.as_str(), segment])
    .map(drop)
}

/// The words of a clip as they are stored.
pub(super) fn words_of(clip: &ClipRecord) -> Option<String> {
    (!clip.words.is_empty()).then(|| to_json(&clip.words))
}

/// The clips of a narration, by segment, with their words: for its journal.
pub(super) fn clips(db: &Connection, seq: i64) -> rusqlite::Result<Vec<StoredClip>> {
    read_clips(db, seq, "words")
}

/// Words are many, and most who ask for clips want none.
fn read_clips(db: &Connection, seq: i64, words: &str) -> rusqlite::Result<Vec<StoredClip>> {
    db.prepare_cached(&format!(
        "SELECT number, clip, bytes, samples, rate, peak, checksum, {words} FROM segments
         WHERE task = ?1 AND clip IS NOT NULL ORDER BY number"
    ))?
    .query_map([seq], |row| {
        let words: Option<String> = row.get(7)?;
        // A clip is as good without them.
        let words = words.and_then(|words| from_json::<Vec<WordTime>>(&words).ok());
        Ok(ClipRecord {
            segment_id: row.get(0)?,
            clip: row.get::<_, String>(1)?.into(),
            bytes: row.get::<_, i64>(2)?.cast_unsigned(),
            samples: row.get::<_, i64>(3)?.cast_unsigned(),
            rate: row.get(4)?,
            peak: row.get(5)?,
            checksum: row.get(6)?,
            words: words.unwrap_or_default().into(),
        })
    })?
    .collect()
}

/// Errors of segments that have a clip nevertheless; the others are tried again.
pub(super) fn errors(db: &Connection, seq: i64) -> rusqlite::Result<Vec<(SegmentId, ErrorObject)>> {
    db.prepare_cached(
        "SELECT number, error FROM segments
         WHERE task = ?1 AND error IS NOT NULL AND clip IS NOT NULL ORDER BY number",
    )?
    .query_map([seq], |row| {
        Ok((row.get(0)?, from_json(&row.get::<_, String>(1)?)?))
    })?
    .collect()
}
