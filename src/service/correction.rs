//! A word that is to be said otherwise from now on: what a person asks for while they listen.

use serde::{Deserialize, Serialize};

use crate::model::{SegmentId, TaskId};

/// What is to be said for a word of a narration from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The word, or several, as they are written.
    pub word: String,
    /// Other words, or phonemes between slashes: `/ˈoʊmən/`.
    pub said: String,
    /// In this text only; in all otherwise.
    #[serde(default)]
    pub only_here: bool,
    /// A segment that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// Only finds out what would come of it.
    #[serde(default, rename = "dry_run")]
    pub is_trial: bool,
}

/// What comes of a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The lexicon that has it from now on.
    pub lexicon: String,
    /// How many segments of the narration are said otherwise.
    pub segments: usize,
    /// What is said for the segment that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoken: Option<String>,
    /// The task that makes them again. `None` if there is nothing to be made, or it was a trial.
    #[serde(default, rename = "task_id", skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}
