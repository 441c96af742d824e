//! How urgent a task is.

use serde::{Deserialize, Serialize};

/// How urgent a task is.
///
/// A more urgent task overtakes those that wait, but at most [`Priority::OVERTAKES`] of them for
/// each step: however many urgent tasks come, every task has its turn.
///
/// ```
/// use aloud::engine::Priority;
///
/// assert_eq!(Priority::default(), Priority::Normal);
/// assert!(Priority::High > Priority::Normal && Priority::Normal > Priority::Low);
/// assert_eq!(serde_json::to_string(&Priority::High)?, r#""high""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After the others.
    Low,
    /// In order of submission.
    #[default]
    Normal,
    /// Before the others.
    High,
}

impl Priority {
    /// How many tasks one step of priority overtakes at most: more than usually wait, so that what is
    /// urgent runs next, and yet a bound.
    pub const OVERTAKES: u32 = 100_000;

    /// All of them, from the least urgent.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Low => -1,
            Self::Normal => 0,
            Self::High => 1,
        }
    }
}
