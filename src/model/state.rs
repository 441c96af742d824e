//! Where a task stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a task stands: `PENDING → PROCESSING → COMPLETED | FAILED | CANCELLED`.
///
/// ```
/// use aloud::engine::TaskState;
///
/// assert_eq!(TaskState::Processing.to_string(), "PROCESSING");
/// assert_eq!(serde_json::to_string(&TaskState::Failed)?, r#""FAILED""#);
/// assert_eq!(TaskState::ALL.into_iter().filter(|state| state.is_terminal()).count(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskState {
    /// Accepted, waiting for a worker.
    Pending,
    /// A worker runs it.
    Processing,
    /// Ended as it should.
    Completed,
    /// Ended by an error, a panic or a time-out; [`TaskStatus::error`](super::TaskStatus::error) says which.
    Failed,
    /// Ended because someone asked for it.
    Cancelled,
}

impl TaskState {
    /// All states, in the order of a task's life.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Processing,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word under which the state is serialised and shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of that name, if there is one.
    ///
    /// ```
    /// use aloud::engine::TaskState;
    ///
    /// for state in TaskState::ALL {
    ///     assert_eq!(TaskState::from_word(state.word()), Some(state));
    /// }
    /// assert_eq!(TaskState::from_word("completed"), None, "the case counts");
    /// ```
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the task has ended; an ended task never changes again.
    ///
    /// ```
    /// use aloud::engine::TaskState;
    ///
    /// assert!(!TaskState::Pending.is_terminal() && !TaskState::Processing.is_terminal());
    /// assert!(TaskState::Cancelled.is_terminal());
    /// ```
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
