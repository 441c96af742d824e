//! What a narration is to do: its segments in order, and the settings under which they are spoken.
//! Made once before the task is submitted, stored with it, and never changed afterwards.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::SegmentId;

/// One stretch of text that becomes one clip.
///
/// ```
/// use aloud::engine::PlannedSegment;
///
/// let source = "# Night\n\nIt was dark.";
/// let segment = PlannedSegment {
///     start: 9,
///     end: 21,
///     text: "It was dark.".into(),
///     pause_ms: 300,
///     heading: false,
/// };
/// assert_eq!(&source[segment.start as usize..segment.end as usize], &*segment.text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSegment {
    /// First byte in the source.
    pub start: u64,
    /// One past the last byte in the source.
    pub end: u64,
    /// What is spoken: one line, no control characters.
    pub text: Box<str>,
    /// Silence after it in the joined narration, in milliseconds.
    pub pause_ms: u32,
    /// Whether it is a heading.
    pub heading: bool,
}

/// The segments of a narration, numbered from 1.
///
/// ```
/// use aloud::engine::{Plan, PlannedSegment};
///
/// let segment = |start: u64, end: u64, text: &str| PlannedSegment {
///     start,
///     end,
///     text: text.into(),
///     pause_ms: 300,
///     heading: false,
/// };
/// let plan = Plan::new(vec![segment(0, 4, "One."), segment(5, 9, "Two.")]);
/// assert_eq!((plan.len(), plan.chars()), (2, 8));
/// assert!(!plan.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    segments: Vec<PlannedSegment>,
    chars: u64,
}

impl Plan {
    /// A plan of these segments, in this order.
    ///
    /// ```
    /// use aloud::engine::{Plan, PlannedSegment};
    ///
    /// let text = "Größer".into();
    /// let segment = PlannedSegment { start: 0, end: 8, text, pause_ms: 0, heading: true };
    /// let plan = Plan::new(vec![segment]);
    /// assert_eq!(plan.chars(), 6, "characters, not bytes");
    /// assert!(Plan::new(Vec::new()).is_empty());
    /// ```
    #[must_use]
    pub fn new(segments: Vec<PlannedSegment>) -> Self {
        let chars = segments
            .iter()
            .map(|segment| char_count(&segment.text))
            .sum();
        Self { segments, chars }
    }

    /// How many segments there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.segments.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is nothing to speak.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The segment with this number; `None` for 0 and beyond the end.
    ///
    /// ```
    /// use aloud::engine::testing;
    ///
    /// let plan = testing::plan(["One.", "Two."]);
    /// assert_eq!(&*plan.get(2).unwrap().text, "Two.");
    /// assert!(plan.get(0).is_none() && plan.get(3).is_none());
    /// ```
    #[must_use]
    pub fn get(&self, id: impl Into<SegmentId>) -> Option<&PlannedSegment> {
        self.segments.get(id.into().index()?)
    }

    /// All segments with their numbers.
    ///
    /// ```
    /// use aloud::engine::testing;
    ///
    /// let plan = testing::plan(["One.", "Two."]);
    /// let lines = plan.iter().map(|(id, segment)| format!("{id}: {}", segment.text));
    /// assert_eq!(lines.collect::<Vec<_>>(), ["1: One.", "2: Two."]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (SegmentId, &PlannedSegment)> {
        SegmentId::all(self.len()).zip(&self.segments)
    }

    /// Characters in all segments.
    #[must_use]
    pub fn chars(&self) -> u64 {
        self.chars
    }
}

/// Characters in a text, the measure of the work it makes.
pub(crate) fn char_count(text: &str) -> u64 {
    text.chars().count() as u64
}

/// How a narration is spoken. Stored with it, so that it continues as it began.
///
/// ```
/// use aloud::engine::NarrationSettings;
///
/// let faster = NarrationSettings { speed: 1.2, ..NarrationSettings::default() };
/// assert_eq!(faster.speaker, None);
/// let stored = serde_json::to_string(&NarrationSettings::default())?;
/// assert_eq!(stored, r#"{"speed":1.0,"speaker":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NarrationSettings {
    /// Speed of speech: 1.0 as the voice was trained, 1.2 a fifth faster.
    pub speed: f32,
    /// Which speaker of a voice that has several.
    #[serde(default)]
    pub speaker: Option<u32>,
}

impl Default for NarrationSettings {
    fn default() -> Self {
        Self {
            speed: 1.0,
            speaker: None,
        }
    }
}

/// A text to be narrated: work that survives restarts.
///
/// ```
/// use std::sync::Arc;
///
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{Narration, NarrationSettings, TaskKind};
///
/// let engine = Library::new();
/// let id = engine.submit(Narration {
///     title: "A story".into(),
///     source: "One. Two.".into(),
///     plan: Arc::new(testing::plan(["One.", "Two."])),
///     folder: engine.folder().join("A story"),
///     voice: "en_US-joe-medium".into(),
///     voice_version: "1".into(),
///     settings: NarrationSettings::default(),
///     fingerprint: "all that the clips depend on, hashed".into(),
/// })?;
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.kind, status.progress.total), (TaskKind::Narration, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Narration {
    /// What a person calls it.
    pub title: Arc<str>,
    /// The whole source, to which the spans of the plan refer.
    pub source: Arc<str>,
    /// Its segments.
    pub plan: Arc<Plan>,
    /// The folder of its own for its clips; absolute.
    pub folder: PathBuf,
    /// The voice: a name, or the absolute path of a model.
    pub voice: Arc<str>,
    /// Which version of that voice; empty if that does not matter. A narration that was begun with
    /// one version is not finished with another.
    pub voice_version: Arc<str>,
    /// How it is spoken.
    pub settings: NarrationSettings,
    /// Equal for two narrations that would give the same clips in the same place: the same one,
    /// submitted again.
    pub fingerprint: String,
}
