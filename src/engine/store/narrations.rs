//! What is stored of a narration, and how: accepted, taken up, its clips, its end. Each change is
//! guarded so that the order in which two threads send theirs can't matter: an end is final, and
//! only one attempt at a segment can win.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::record::{self, Line};
use super::segments::clips;
use super::{Answer, Store, history, rebuild};
use crate::model::StoredClip;
use serde::{Deserialize, Serialize};

use crate::failpoint::reach;
use crate::model::ErrorObject;
use crate::model::Narration;
use crate::model::Tally;
use crate::model::{GroupId, Priority};
use crate::model::{TaskId, TaskState, Timestamp};

/// When a narration may run, as it is kept on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StoredSchedule {
    pub priority: Priority,
    pub paused: bool,
    pub due: Option<Timestamp>,
    /// How long it had to wait when it was submitted, in milliseconds: a clock that was set back
    /// must not make it longer.
    pub delay_ms: Option<u64>,
    /// Its place in the queue, if someone moved it.
    pub rank: Option<i64>,
    pub after: Vec<TaskId>,
    pub group: Option<GroupId>,
}

impl Store {
    /// Stores a new narration with all its segments. It takes over the clips of the last one that
    /// ended in the same folder with the same fingerprint, and the answer names them; `None` if the
    /// id is taken.
    pub(crate) fn insert(
        &self,
        id: &TaskId,
        seq: u64,
        narration: &Narration,
        timeout_ms: Option<u64>,
        schedule: &StoredSchedule,
        at: Timestamp,
    ) -> Answer<Option<Vec<StoredClip>>> {
        let (id, narration, schedule) = (id.clone(), narration.clone(), schedule.clone());
        let path = Arc::clone(&self.path);
        self.send(move |db| {
            let folder = narration.folder.to_string_lossy();
            if !has_folder(db, &folder)?
                && let Err(error) = rebuild::note_folder(&path, &folder)
            {
                tracing::warn!(%error, "the list of narrations' folders can't be written");
            }
            let clips = insert(db, &id, seq, &narration, timeout_ms, &schedule, at)?;
            if let Some(clips) = &clips {
                let begun = record::begin(&id, &narration, timeout_ms, &schedule, at, clips);
                noted(&narration.folder, begun);
                reach("recorded");
            }
            Ok(clips)
        })
    }

    /// The folder of the last narration with this fingerprint that ended and still has clips.
    pub(crate) fn ended_like(&self, fingerprint: &str) -> Answer<Option<PathBuf>> {
        let fingerprint = fingerprint.to_owned();
        self.send(move |db| {
            let ended = ended_like(db, &fingerprint)?;
            Ok(ended.map(|(_, folder)| PathBuf::from(folder)))
        })
    }

    /// Notes that a worker took the task up.
    pub(crate) fn started(&self, id: &TaskId, at: Timestamp) -> Answer<()> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE tasks SET state = 'PROCESSING', started_at = ?2
                 WHERE id = ?1 AND completed_at IS NULL",
            )?
            .execute(params![id.as_str(), at.0])
            .map(drop)
        })
    }

    /// Notes that the task waits again.
    pub(crate) fn requeued(&self, id: &TaskId) -> Answer<()> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE tasks SET state = 'PENDING'
                 WHERE id = ?1 AND completed_at IS NULL",
            )?
            .execute([id.as_str()])
            .map(drop)
        })
    }

    /// Notes the end of a task and what it came to. One that has ended stays as it is.
    pub(crate) fn ended(
        &self,
        id: &TaskId,
        state: TaskState,
        error: Option<&ErrorObject>,
        result: Option<&serde_json::Value>,
        tally: Option<Tally>,
        at: Timestamp,
    ) -> Answer<()> {
        let id = id.clone();
        let error = error.cloned();
        let result = result.map(to_json);
        self.send(move |db| {
            let folder: Option<String> = db
                .prepare_cached("SELECT folder FROM tasks WHERE id = ?1 AND completed_at IS NULL")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            history::end(db, &id, state, error.as_ref(), result, tally, at)?;
            if let Some(folder) = folder {
                let folder = Path::new(&folder);
                noted(
                    folder,
                    record::append(folder, &Line::Ended { state, at, error }),
                );
            }
            Ok(())
        })
    }

    /// Whether a narration is known to have its clips in this folder.
    pub(crate) fn knows_folder(&self, folder: &Path) -> Answer<bool> {
        let folder = folder.to_string_lossy().into_owned();
        self.send(move |db| has_folder(db, &folder))
    }

    /// Notes the places of waiting tasks in the queue. Those that are not durable are not known
    /// here, and left out.
    pub(crate) fn moved(&self, places: Vec<(TaskId, i64)>) -> Answer<()> {
        self.send(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE tasks SET schedule = json_set(schedule, '$.rank', ?2)
                 WHERE id = ?1 AND completed_at IS NULL",
            )?;
            for (id, rank) in places {
                update.execute(params![id.as_str(), rank])?;
            }
            Ok(())
        })
    }

    /// Notes that a waiting task is held back, or goes on.
    pub(crate) fn paused(&self, id: &TaskId, paused: bool) -> Answer<()> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE tasks SET schedule = json_set(schedule, '$.paused', json(?2))
                 WHERE id = ?1 AND completed_at IS NULL",
            )?
            .execute(params![id.as_str(), if paused { "true" } else { "false" }])
            .map(drop)
        })
    }

    /// Reduces narrations that are complete to a line of history. The others can be tried again
    /// and keep what they have.
    pub(crate) fn archive(&self, ids: Vec<TaskId>) -> Answer<()> {
        self.send(move |db| {
            for id in ids {
                db.prepare_cached(
                    "DELETE FROM segments WHERE task =
                     (SELECT seq FROM tasks WHERE id = ?1 AND state = 'COMPLETED')",
                )?
                .execute([id.as_str()])?;
                db.prepare_cached(
                    "UPDATE tasks SET source = '' WHERE id = ?1 AND state = 'COMPLETED'",
                )?
                .execute([id.as_str()])?;
            }
            Ok(())
        })
    }
}

fn has_folder(db: &Connection, folder: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM tasks WHERE folder = ?1")?
        .exists([folder])
}

/// The database is what counts: without the record, only a lost database would be missed.
pub(super) fn noted(folder: &Path, written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(folder = %folder.display(), %error, "the narration's record can't be written");
    }
}

pub(super) fn insert(
    db: &Connection,
    id: &TaskId,
    seq: u64,
    narration: &Narration,
    timeout_ms: Option<u64>,
    schedule: &StoredSchedule,
    at: Timestamp,
) -> rusqlite::Result<Option<Vec<StoredClip>>> {
    let folder = narration.folder.to_string_lossy();
    let seq: Option<i64> = db
        .prepare_cached(
            "INSERT INTO tasks (id, title, state, folder, voice, settings, fingerprint, source,
                                timeout_ms, created_at, schedule, voice_version, seq)
             VALUES (?1, ?2, 'PENDING', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (id) DO NOTHING RETURNING seq",
        )?
        .query_row(
            params![
                id.as_str(),
                &*narration.title,
                folder,
                &*narration.voice,
                to_json(&narration.settings),
                narration.fingerprint,
                &*narration.source,
                timeout_ms.map(u64::cast_signed),
                at.0,
                to_json(schedule),
                &*narration.voice_version,
                seq.cast_signed(),
            ],
            |row| row.get(0),
        )
        .optional()?;
    let Some(seq) = seq else { return Ok(None) };
    let mut row = db.prepare_cached(
        "INSERT INTO segments (task, number, first, past, text, pause_ms, heading)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
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
        ])?;
    }
    if let Some((old, _)) = ended_like(db, &narration.fingerprint)?.filter(|old| old.1 == folder) {
        adopt(db, old, seq)?;
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

/// Hands the faultless clips of an ended narration to a new one that speaks the same text.
fn adopt(db: &Connection, old: i64, new: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE segments SET clip = old.clip, bytes = old.bytes, samples = old.samples,
                             rate = old.rate, peak = old.peak
         FROM segments AS old
         WHERE segments.task = ?2 AND old.task = ?1 AND old.number = segments.number
           AND old.text = segments.text AND old.clip IS NOT NULL AND old.error IS NULL",
    )?
    .execute([old, new])?;
    db.prepare_cached("DELETE FROM segments WHERE task = ?1")?
        .execute([old])?;
    Ok(())
}

pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data with text keys always serialises")
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
