//! What tasks, groups, segments and moments are called.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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

/// The number of a segment within its task, counted from 1.
///
/// ```
/// use aloud::engine::{SegmentId, testing};
///
/// const FIRST: SegmentId = 1;
/// let plan = testing::plan(["One.", "Two."]);
/// assert_eq!(&*plan.get(FIRST).unwrap().text, "One.");
/// ```
pub type SegmentId = u32;

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
