//! What tasks, groups, segments and moments are called.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The name of a task: a UUID unless its submitter gave another.
///
/// Cloning copies a pointer.
///
/// ```
/// use aloud::engine::TaskId;
///
/// let id = TaskId::from("chapter-1");
/// assert_eq!(id.as_str(), "chapter-1");
/// assert_eq!(serde_json::to_string(&id)?, r#""chapter-1""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(Arc<str>);

impl TaskId {
    /// A new random id (UUID version 4).
    ///
    /// ```
    /// use aloud::engine::TaskId;
    ///
    /// let id = TaskId::random();
    /// assert_eq!(id.as_str().len(), 36);
    /// assert_ne!(id, TaskId::random());
    /// ```
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<Arc<str>>> From<S> for TaskId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a segment within its task, counted from 1. [`SegmentId::TASK`], which is 0, stands for
/// the task as a whole.
///
/// What takes a segment's number takes a plain number as well.
///
/// ```
/// use aloud::engine::{SegmentId, testing};
///
/// let plan = testing::plan(["One.", "Two."]);
/// assert_eq!(&*plan.get(SegmentId::FIRST).unwrap().text, "One.");
/// assert_eq!(plan.get(2), plan.get(SegmentId::FIRST.next()));
/// assert_eq!(serde_json::to_string(&SegmentId::new(2))?, "2");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentId(u32);

impl SegmentId {
    /// Stands for the task as a whole, where something may be about one of its segments or about none.
    pub const TASK: Self = Self(0);

    /// The first segment of a task.
    pub const FIRST: Self = Self(1);

    /// The segment with this number, counted from 1.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number, counted from 1.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The segment at this place of a list, counted from 0.
    ///
    /// ```
    /// use aloud::engine::SegmentId;
    ///
    /// assert_eq!(SegmentId::at(0), SegmentId::FIRST);
    /// assert_eq!(SegmentId::at(6).index(), Some(6));
    /// ```
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Its place in the list of all segments, counted from 0; `None` for the task as a whole.
    ///
    /// ```
    /// use aloud::engine::SegmentId;
    ///
    /// assert_eq!(SegmentId::new(7).index(), Some(6));
    /// assert_eq!(SegmentId::TASK.index(), None);
    /// ```
    #[must_use]
    pub fn index(self) -> Option<usize> {
        usize::try_from(self.0.checked_sub(1)?).ok()
    }

    /// The segment after this one.
    ///
    /// ```
    /// use aloud::engine::SegmentId;
    ///
    /// assert_eq!(SegmentId::new(7).next(), SegmentId::new(8));
    /// ```
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The numbers of a task's segments, if it has so many.
    ///
    /// ```
    /// use aloud::engine::SegmentId;
    ///
    /// let all: Vec<_> = SegmentId::all(3).map(SegmentId::get).collect();
    /// assert_eq!(all, [1, 2, 3]);
    /// ```
    pub fn all(count: u32) -> impl DoubleEndedIterator<Item = Self> + Clone {
        (1..=count).map(Self)
    }
}

impl From<u32> for SegmentId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<SegmentId> for u32 {
    fn from(id: SegmentId) -> Self {
        id.0
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Milliseconds since the Unix epoch, UTC.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use aloud::engine::Timestamp;
///
/// let day = Timestamp(24 * 3600 * 1000);
/// let time = SystemTime::UNIX_EPOCH + day.since(Timestamp(0));
/// assert_eq!(time, SystemTime::UNIX_EPOCH + Duration::from_secs(24 * 3600));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// What the clock on the wall says. For those who tell others the time: what decides is told it.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Self(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The time from `earlier` to this, zero if the clock was set back in between.
    ///
    /// ```
    /// use std::time::Duration;
    /// use aloud::engine::Timestamp;
    ///
    /// let (earlier, later) = (Timestamp(1_000), Timestamp(2_500));
    /// assert_eq!(later.since(earlier), Duration::from_millis(1500));
    /// assert_eq!(earlier.since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The name of a group.
///
/// ```
/// use aloud::engine::GroupId;
///
/// let book = GroupId::from("book");
/// assert_eq!(book.as_str(), "book");
/// assert_eq!(book.to_string(), "book");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(Arc<str>);

impl GroupId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<Arc<str>>> From<S> for GroupId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
