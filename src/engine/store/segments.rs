//! What is stored of a narration's segments: attempts, clips, errors, crashes. Only one attempt at a
//! segment can win.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::narrations::{from_json, noted, to_json};
use super::record::{self, Line};
use super::{Answer, Store};
use crate::engine::segments::ErrorObject;
use crate::engine::task::{SegmentId, TaskId};

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
///     checksum: None,
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
    /// The CRC-32 of the file's bytes: how damage is known that leaves the size. `None` for a clip
    /// of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<u32>,
}

impl ClipRecord {
    /// How long the clip plays.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::ClipRecord;
    /// let (clip, rate, peak) = ("1.wav".into(), 22_050, 0.8);
    /// let clip = ClipRecord { segment_id: 1, clip, bytes: 88_244, samples: 44_100, rate, peak, checksum: None };
    /// assert_eq!(clip.duration(), Duration::from_secs(2));
    /// ```
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 samples are 13,000 years of speech"
    )]
    pub fn duration(&self) -> Duration {
        let seconds = self.samples as f64 / f64::from(self.rate.max(1));
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
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
/// #     checksum: None,
/// # };
/// assert_eq!(seconds(&[clip.clone(), clip]), 2.0);
/// ```
pub type StoredClip = ClipRecord;

impl Store {
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
                "UPDATE segments SET clip = NULL, bytes = NULL, samples = NULL, peak = NULL,
                                     attempt = MAX(attempt, 1)
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

    /// The segments without a clip that were begun before, or are to be made anew.
    pub(crate) fn attempted(&self, id: &TaskId) -> Answer<BTreeSet<SegmentId>> {
        let id = id.clone();
        self.send(move |db| {
            db.prepare_cached(
                "SELECT number FROM segments
                 WHERE task = (SELECT seq FROM tasks WHERE id = ?1)
                   AND attempt > 0 AND clip IS NULL",
            )?
            .query_map([id.as_str()], |row| row.get(0))?
            .collect()
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
}

pub(super) fn clips(db: &Connection, seq: i64) -> rusqlite::Result<Vec<StoredClip>> {
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
            checksum: None,
        })
    })?
    .collect()
}

/// Errors of segments that have a clip all the same; the others are tried again.
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
