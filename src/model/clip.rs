//! A finished clip, as the database and the narration's folder know it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::SegmentId;

/// A finished clip, as it is handed to the store.
///
/// ```
/// use aloud::engine::{ClipRecord, SegmentId};
///
/// let clip = ClipRecord {
///     segment_id: SegmentId::FIRST,
///     clip: "0001-it-was-dark.wav".into(),
///     bytes: 44 + 2 * 33_075,
///     samples: 33_075,
///     rate: 22_050,
///     peak: 0.8,
///     checksum: None,
///     words: Default::default(),
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
    /// CRC-32 of the file's bytes: how damaged sound is known later. `None` if an earlier version of
    /// the program made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<u32>,
    /// When each word is said; empty if the voice does not tell, or where nobody asked.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub words: Arc<[WordTime]>,
}

/// When a word of a segment is said in its clip.
///
/// ```
/// use aloud::engine::WordTime;
///
/// let word = WordTime { word: "1492".into(), at: 3, start: 4_352, end: 21_760 };
/// assert_eq!(
///     serde_json::to_string(&word)?,
///     r#"{"word":"1492","at":3,"start":4352,"end":21760}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordTime {
    /// The word as it is written; several where they are said as one.
    pub word: Box<str>,
    /// Its first byte in the segment's text.
    pub at: u32,
    /// Its first sample in the clip.
    pub start: u64,
    /// One past its last sample.
    pub end: u64,
}

impl ClipRecord {
    /// How long the clip plays.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{ClipRecord, testing};
    ///
    /// let clip = ClipRecord { samples: 44_100, rate: 22_050, ..testing::clip(1) };
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
/// use aloud::engine::{StoredClip, testing};
///
/// /// How long all of these play, in seconds.
/// fn seconds(clips: &[StoredClip]) -> f64 {
///     clips.iter().map(|clip| clip.duration().as_secs_f64()).sum()
/// }
/// assert_eq!(seconds(&[testing::clip(1), testing::clip(2)]), 2.0);
/// ```
pub type StoredClip = ClipRecord;
