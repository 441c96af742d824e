//! What is stored of a narration, and how: accepted, taken up, its clips, its end. Each change is
//! guarded so that the order in which two threads send theirs can't matter: an end is final, and
//! only one attempt at a segment can win.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::record::{self, Line};
use super::{Answer, Store, StoreError, rebuild};
use serde::{Deserialize, Serialize};

use crate::engine::plan::{Narration, NarrationSettings, Plan, PlannedSegment};
use crate::engine::registry::{GroupId, Priority};
use crate::engine::task::{ErrorObject, SegmentId, TaskId, TaskState, Timestamp};
use crate::failpoint::reach;

/// A finished clip, as it is handed to the store.
///
/// ```
/// use aloud::engine::ClipRecord;
///
/// let clip = ClipRecord {
///     segment_id: 1,
///     clip: "0001-it-was-dark.wav".into(),
///     bytes: 44 + 2 * 33_075,
///     samples: 33_075,
///     rate: 22_050,
///     peak: 0.8,
/// };
/// assert_eq!(clip.duration().as_millis(), 1500);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipRecord {
    /// Which segment.
    pub segment_id: SegmentId,
    /// The file's name in the narration's folder.
    pub clip: Arc<str>,
    /// Its size in bytes: how a damaged file is known later.
    pub bytes: u64,
    /// Its samples.
    pub samples: u64,
    /// Samples a second.
    pub rate: u32,
    /// The largest absolute sample, 0.0 to 1.0.
    pub peak: f32,
}

/// A clip that is in the store.
///
/// ```
/// use aloud::engine::StoredClip;
///
/// /// How long all of these play, in seconds.
/// fn seconds(clips: &[StoredClip]) -> f64 {
///     clips.iter().map(|clip| clip.duration().as_secs_f64()).sum()
/// }
/// # let clip = StoredClip {
/// #     segment_id: 1,
/// #     clip: "1.wav".into(),
/// #     bytes: 0,
/// #     samples: 1000,
/// #     rate: 1000,
/// #     peak: 0.0,
/// # };
/// assert_eq!(seconds(&[clip.clone(), clip]), 2.0);
/// ```
pub type StoredClip = ClipRecord;

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

    /// Notes the end of a task. One that has ended stays as it is.
    pub(crate) fn ended(
        &self,
        id: &TaskId,
        state: TaskState,
        error: Option<&ErrorObject>,
        result: Option<&serde_json::Value>,
        at: Timestamp,
    ) -> Answer<()> {
        let id = id.clone();
        let error = error.cloned();
        let result = result.map(to_json);
        self.send(move |db| {
            let text = error.as_ref().map(to_json);
            let folder: Option<String> = db
                .prepare_cached("SELECT folder FROM tasks WHERE id = ?1 AND completed_at IS NULL")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            db.prepare_cached(
                "UPDATE tasks SET state = ?2, error = ?3, result = ?4, completed_at = ?5
                 WHERE id = ?1 AND completed_at IS NULL",
            )?
            .execute(params![id.as_str(), state.word(), text, result, at.0])?;
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

    /// Begins an attempt at a segment; the answer is its number.
    pub(crate) fn begin_segment(&self, id: &TaskId, segment: SegmentId) -> Answer<u32> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE segments SET attempt = attempt + 1, error = NULL
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2
                 RETURNING attempt",
            )?
            .query_row(params![id.as_str(), segment], |row| row.get(0))
        })
    }

    /// Notes a published clip. The answer: whether this attempt won.
    pub(crate) fn complete_segment(
        &self,
        id: &TaskId,
        attempt: u32,
        clip: ClipRecord,
    ) -> Answer<bool> {
        let id = id.clone();
        self.send(move |db| {
            let rows = db
                .prepare_cached(
                    "UPDATE segments SET clip = ?4, bytes = ?5, samples = ?6, rate = ?7, peak = ?8,
                                         crashes = 0
                     WHERE task = (SELECT seq FROM tasks WHERE id = ?1)
                       AND number = ?2 AND attempt = ?3",
                )?
                .execute(params![
                    id.as_str(),
                    clip.segment_id,
                    attempt,
                    &*clip.clip,
                    clip.bytes.cast_signed(),
                    clip.samples.cast_signed(),
                    clip.rate,
                    clip.peak,
                ])?;
            if rows == 1 {
                let folder: String = db
                    .prepare_cached("SELECT folder FROM tasks WHERE id = ?1")?
                    .query_row([id.as_str()], |row| row.get(0))?;
                let folder = Path::new(&folder);
                noted(folder, record::append(folder, &Line::Clip(clip)));
            }
            Ok(rows == 1)
        })
    }

    /// Notes what went wrong with a segment.
    pub(crate) fn segment_error(
        &self,
        id: &TaskId,
        segment: SegmentId,
        error: &ErrorObject,
    ) -> Answer<()> {
        let (id, error) = (id.clone(), to_json(error));
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE segments SET error = ?3
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
            )?
            .execute(params![id.as_str(), segment, error])
            .map(drop)
        })
    }

    /// Forgets the clip of a segment whose file is gone or damaged.
    pub(crate) fn forget_clip(&self, id: &TaskId, segment: SegmentId) -> Answer<()> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "UPDATE segments SET clip = NULL, bytes = NULL, samples = NULL, peak = NULL
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1) AND number = ?2",
            )?
            .execute(params![id.as_str(), segment])
            .map(drop)
        })
    }

    /// The clips of a narration, by segment.
    pub(crate) fn clips(&self, id: &TaskId) -> Answer<Vec<StoredClip>> {
        let id = id.clone();
        self.send(move |db| {
            let seq = db.query_row(
                "SELECT seq FROM tasks WHERE id = ?1",
                [id.as_str()],
                |row| row.get(0),
            )?;
            clips(db, seq)
        })
    }

    /// The segments without a clip that were in work when the process died, and how often.
    pub(crate) fn crashes(&self, id: &TaskId) -> Answer<BTreeMap<SegmentId, u32>> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "SELECT number, crashes FROM segments
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1)
                   AND crashes > 0 AND clip IS NULL",
            )?
            .query_map([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })
    }

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
fn noted(folder: &Path, written: std::io::Result<()>) {
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

fn clips(db: &Connection, seq: i64) -> rusqlite::Result<Vec<StoredClip>> {
    db.prepare_cached(
        "SELECT number, clip, bytes, samples, rate, peak FROM segments
         WHERE task = ?1 AND clip IS NOT NULL ORDER BY number",
    )?
    .query_map([seq], |row| {
        Ok(ClipRecord {
            segment_id: row.get(0)?,
            clip: row.get::<_, String>(1)?.into(),
            bytes: row.get::<_, i64>(2)?.cast_unsigned(),
            samples: row.get::<_, i64>(3)?.cast_unsigned(),
            rate: row.get(4)?,
            peak: row.get(5)?,
        })
    })?
    .collect()
}

/// Errors of segments that have a clip all the same; the others are tried again.
fn errors(db: &Connection, seq: i64) -> rusqlite::Result<Vec<(SegmentId, ErrorObject)>> {
    db.prepare_cached(
        "SELECT number, error FROM segments
         WHERE task = ?1 AND error IS NOT NULL AND clip IS NOT NULL ORDER BY number",
    )?
    .query_map([seq], |row| {
        Ok((row.get(0)?, from_json(&row.get::<_, String>(1)?)?))
    })?
    .collect()
}

pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data with text keys always serialises")
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
