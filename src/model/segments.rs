//! What is known of a task's segments: what is done, and what went wrong. Both grow to hundreds of
//! thousands and are copied with each status, so copying them costs the same however many there are.

use std::sync::Arc;
use std::time::Duration;

use rpds::{ListSync, RedBlackTreeMapSync, VectorSync};
use serde::{Deserialize, Serialize, Serializer};

use super::error::ErrorObject;
use super::ids::SegmentId;

/// A segment that is done, with its clip.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{CompletedSegment, SegmentId};
/// use serde_json::json;
///
/// let segment = CompletedSegment {
///     segment_id: SegmentId::new(3),
///     clip: "0003-the-end.wav".into(),
///     duration: Duration::from_millis(1500),
///     work: Duration::ZERO,
/// };
/// assert_eq!(serde_json::to_value(&segment)?, json!({
///     "segment_id": 3, "clip": "0003-the-end.wav",
///     "duration_seconds": 1.5, "work_seconds": 0.0,
/// }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletedSegment {
    /// Which segment.
    pub segment_id: SegmentId,
    /// The clip's path or address as the work gave it. For a narration: the file's name inside
    /// [`TaskStatus::folder`](super::TaskStatus::folder).
    pub clip: Arc<str>,
    /// How long the clip plays.
    #[serde(rename = "duration_seconds", with = "seconds")]
    pub duration: Duration,
    /// How long it took to make, zero if that is not known.
    #[serde(rename = "work_seconds", with = "seconds", default)]
    pub work: Duration,
}

/// Something that went wrong with one segment.
///
/// ```
/// use aloud::engine::{ErrorCode, ErrorObject, SegmentError, SegmentId};
///
/// let error = ErrorObject::new(ErrorCode::Timeout, "it took over 60 seconds");
/// let error = SegmentError { segment_id: SegmentId::new(4), error };
/// let value = serde_json::to_value(&error)?;
/// assert_eq!((&value["segment_id"], &value["code"]), (&4.into(), &"TIMEOUT".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentError {
    /// Which segment; [`SegmentId::TASK`] for an error of the task as a whole.
    pub segment_id: SegmentId,
    /// What went wrong.
    #[serde(flatten)]
    pub error: ErrorObject,
}

/// The completed segments of a task, in the order of their numbers. Cloning copies a pointer.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Work, testing::Library};
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("three clips", |task| {
///     for (segment, clip) in [(2, "2.wav"), (1, "1.wav"), (2, "2-better.wav")] {
///         task.add_completed_segment(segment, clip, Duration::from_secs(1));
///     }
///     Ok("spoken".into())
/// }))?;
/// let segments = engine.wait(&id)?.completed_segments;
/// assert_eq!(segments.len(), 2, "one that comes twice is replaced");
/// assert_eq!(&*segments.iter().next().unwrap().clip, "1.wav");
/// assert!(segments.get(2).is_some() && segments.get(3).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CompletedSegments {
    by_id: RedBlackTreeMapSync<SegmentId, Numbered>,
    /// All that were ever inserted, the last one first.
    inserted: ListSync<SegmentId>,
}

/// A segment with its place in the order of completion.
#[derive(Clone, Debug)]
struct Numbered {
    segment: CompletedSegment,
    place: usize,
}

impl CompletedSegments {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.size()
    }

    /// Whether there is none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The one with this number.
    #[must_use]
    pub fn get(&self, id: impl Into<SegmentId>) -> Option<&CompletedSegment> {
        self.by_id.get(&id.into()).map(|one| &one.segment)
    }

    /// All of them, by number.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &CompletedSegment> {
        self.by_id.iter().map(|(_, one)| &one.segment)
    }

    /// All of them, in the order in which they were completed. It sorts them: for what is written once.
    #[must_use]
    pub fn in_order_of_completion(&self) -> Vec<&CompletedSegment> {
        let mut all: Vec<_> = self.by_id.values().collect();
        all.sort_unstable_by_key(|one| one.place);
        all.into_iter().map(|one| &one.segment).collect()
    }

    /// All of them from this number on.
    #[cfg(feature = "cli")]
    pub(crate) fn from(&self, id: SegmentId) -> impl Iterator<Item = &CompletedSegment> {
        self.by_id.range(id..).map(|(_, one)| &one.segment)
    }

    pub(crate) fn remove(&mut self, id: SegmentId) {
        self.by_id.remove_mut(&id);
    }

    pub(crate) fn insert(&mut self, segment: CompletedSegment) {
        let (id, place) = (segment.segment_id, self.inserted.len());
        self.inserted.push_front_mut(id);
        self.by_id.insert_mut(id, Numbered { segment, place });
    }

    /// What was completed since an earlier copy, in the order of completion.
    #[cfg(feature = "monitor")]
    pub(crate) fn since(&self, before: &Self) -> Vec<SegmentId> {
        since(&self.inserted, &before.inserted)
    }
}

/// What a list has that an earlier copy of it had not, oldest first.
#[cfg(feature = "monitor")]
fn since(now: &ListSync<SegmentId>, before: &ListSync<SegmentId>) -> Vec<SegmentId> {
    let news = now.len().saturating_sub(before.len());
    let mut news: Vec<_> = now.iter().take(news).copied().collect();
    news.reverse();
    news
}

impl PartialEq for CompletedSegments {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for CompletedSegments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for CompletedSegments {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut segments = Self::default();
        for segment in Vec::<CompletedSegment>::deserialize(deserializer)? {
            segments.insert(segment);
        }
        Ok(segments)
    }
}

/// The errors of a task's segments, by segment and then by time. Cloning copies a pointer.
///
/// ```
/// use aloud::engine::{Work, testing::Library};
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("mumble", |task| {
///     task.add_error(7, "no voice");
///     task.add_error(7, "no voice yet");
///     task.add_error(2, "too long");
///     Ok(().into())
/// }))?;
/// let errors = engine.wait(&id)?.errors;
/// assert_eq!((errors.len(), errors.segments()), (3, 2));
/// assert_eq!(errors.iter().next().unwrap().segment_id.get(), 2);
/// assert_eq!(errors.of(7).last().unwrap().message, "no voice yet");
/// assert!(errors.has(7) && !errors.has(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SegmentErrors {
    by_id: RedBlackTreeMapSync<SegmentId, VectorSync<ErrorObject>>,
    count: usize,
    /// The segments of all that were ever pushed, the last one first.
    pushed: ListSync<SegmentId>,
}

impl SegmentErrors {
    /// How many errors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many segments have at least one; errors of the task as a whole don't count.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.by_id.size() - usize::from(self.by_id.contains_key(&SegmentId::TASK))
    }

    /// The errors of one segment, oldest first.
    pub fn of(&self, id: impl Into<SegmentId>) -> impl Iterator<Item = &ErrorObject> {
        self.by_id
            .get(&id.into())
            .into_iter()
            .flat_map(|errors| errors.iter())
    }

    /// The segments that have errors, ascending; [`SegmentId::TASK`] for errors of the task as a whole.
    ///
    /// ```
    /// use aloud::engine::{SegmentId, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Work::closure("mumble", |task| {
    ///     task.add_error(7, "not to be spoken");
    ///     Ok(().into())
    /// }))?;
    /// let errors = engine.wait(&id)?.errors;
    /// assert_eq!(errors.segment_ids().collect::<Vec<_>>(), [SegmentId::new(7)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn segment_ids(&self) -> impl Iterator<Item = SegmentId> + '_ {
        self.by_id.keys().copied()
    }

    /// Whether this segment has an error.
    #[must_use]
    pub fn has(&self, id: impl Into<SegmentId>) -> bool {
        self.by_id.contains_key(&id.into())
    }

    /// All of them, by segment.
    pub fn iter(&self) -> impl Iterator<Item = SegmentError> + '_ {
        self.by_id.iter().flat_map(|(&segment_id, errors)| {
            errors.iter().map(move |error| SegmentError {
                segment_id,
                error: error.clone(),
            })
        })
    }

    /// The segments from this number on that have errors.
    #[cfg(feature = "cli")]
    pub(crate) fn ids_from(&self, id: SegmentId) -> impl Iterator<Item = SegmentId> + '_ {
        self.by_id.range(id..).map(|(&id, _)| id)
    }

    pub(crate) fn push(&mut self, id: SegmentId, error: ErrorObject) {
        let mut errors = self.by_id.get(&id).cloned().unwrap_or_default();
        errors.push_back_mut(error);
        self.by_id.insert_mut(id, errors);
        self.count += 1;
        self.pushed.push_front_mut(id);
    }

    /// The segments of the errors that came since an earlier copy, in their order.
    #[cfg(feature = "monitor")]
    pub(crate) fn since(&self, before: &Self) -> Vec<SegmentId> {
        since(&self.pushed, &before.pushed)
    }

    pub(crate) fn clear(&mut self, id: SegmentId) {
        let gone = self.by_id.get(&id).map_or(0, VectorSync::len);
        self.by_id.remove_mut(&id);
        self.count -= gone;
    }
}

impl PartialEq for SegmentErrors {
    fn eq(&self, other: &Self) -> bool {
        self.by_id == other.by_id
    }
}

impl Serialize for SegmentErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for SegmentErrors {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut errors = Self::default();
        for error in Vec::<SegmentError>::deserialize(deserializer)? {
            errors.push(error.segment_id, error.error);
        }
        Ok(errors)
    }
}

/// Durations as seconds with a fraction, the unit of every number the program prints.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let value = f64::deserialize(from)?;
        Duration::try_from_secs_f64(value).map_err(serde::de::Error::custom)
    }
}
