//! The moments at which a task's state changes, as others are told of them.

use std::fmt;

/// A change of a task's state that others can be told of; see
/// [`Options::outbox`](crate::engine::Options::outbox).
///
/// ```
/// use aloud::engine::StateChange;
///
/// assert_eq!(StateChange::Completed.to_string(), "task.completed");
/// assert_eq!(StateChange::from_word("completed"), Some(StateChange::Completed));
/// assert_eq!(StateChange::from_word("task.failed"), Some(StateChange::Failed));
/// assert_eq!(StateChange::from_word("done"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StateChange {
    /// It was accepted, and waits.
    Submitted,
    /// A worker has begun with it.
    Started,
    /// It was begun and waits again: it was paused, it is to be tried again, or the program ended.
    Waiting,
    /// It has ended as it should.
    Completed,
    /// It has ended by an error, a panic or a time-out.
    Failed,
    /// It has ended because someone asked for it.
    Cancelled,
}

impl StateChange {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 6] = [
        Self::Submitted,
        Self::Started,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The ends of a task.
    pub const ENDS: [Self; 3] = [Self::Completed, Self::Failed, Self::Cancelled];

    /// The word for it, as `completed`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The change of that name, with or without `task.` before it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.strip_prefix("task.").unwrap_or(word);
        Self::ALL.into_iter().find(|change| change.word() == word)
    }
}

/// As the type of an event: `task.completed`.
impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task.{}", self.word())
    }
}
