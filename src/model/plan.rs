//! What a narration is to do: its segments in order, and the settings under which they are spoken.
//! Made once before the task is submitted, stored with it, and never changed afterwards.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::SegmentId;
use super::reading::Reading;

/// One stretch of text that becomes one clip.
///
/// ```
/// use aloud::engine::{PlannedSegment, Reading};
///
/// let source = "# Night\n\nIt was dark.";
/// let segment = PlannedSegment {
///     start: 9,
///     end: 21,
///     text: "It was dark.".into(),
///     pause_ms: 300,
///     heading: false,
///     reading: Reading::default(),
///     voice: 0,
/// };
/// assert_eq!(&source[segment.start as usize..segment.end as usize], &*segment.text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSegment {
    /// First byte in the source.
    pub start: u64,
    /// One past the last byte in the source.
    pub end: u64,
    /// What is written: one line, no control characters.
    pub text: Box<str>,
    /// Silence after it in the joined narration, in milliseconds.
    pub pause_ms: u32,
    /// Whether it is a heading.
    pub heading: bool,
    /// What of the text is said otherwise than it is written.
    #[serde(default, skip_serializing_if = "Reading::is_plain")]
    pub reading: Reading,
    /// Who says it: 0 is the narration's own voice, N the Nth of [`NarrationSettings::others`].
    #[serde(default, skip_serializing_if = "is_narrator")]
    pub voice: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_narrator(voice: &u16) -> bool {
    *voice == 0
}

impl PlannedSegment {
    /// What is said.
    ///
    /// ```
    /// let plan = aloud::engine::testing::plan(["One."]);
    /// assert_eq!(plan.get(1).unwrap().spoken(), "One.");
    /// ```
    #[must_use]
    pub fn spoken(&self) -> Cow<'_, str> {
        self.reading.of(&self.text)
    }
}

/// The segments of a narration, numbered from 1.
///
/// ```
/// use aloud::engine::{Plan, PlannedSegment, Reading};
///
/// let segment = |start: u64, end: u64, text: &str| PlannedSegment {
///     start,
///     end,
///     text: text.into(),
///     pause_ms: 300,
///     heading: false,
///     reading: Reading::default(),
///     voice: 0,
/// };
/// let plan = Plan::new(vec![segment(0, 4, "One."), segment(5, 9, "Two.")]);
/// assert_eq!((plan.len(), plan.chars()), (2, 8));
/// assert!(!plan.is_empty());
/// ```
///
/// Whoever follows a narration in another process may know only some of its plan: how long it is, and
/// the segments that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Windows of as many segments each, the last one maybe shorter; copying a plan copies pointers.
    windows: Vec<Option<Arc<[PlannedSegment]>>>,
    len: u32,
    chars: u64,
}

/// So many segments are known together.
const WINDOW: usize = Plan::WINDOW as usize;

impl Plan {
    /// How many segments are known together.
    pub(crate) const WINDOW: u32 = 256;

    /// A plan of these segments, in this order.
    ///
    /// ```
    /// use aloud::engine::{Plan, PlannedSegment, Reading};
    ///
    /// let text = "Größer".into();
    /// let reading = Reading::default();
    /// let segment = PlannedSegment { start: 0, end: 8, text, pause_ms: 0, heading: true, reading, voice: 0 };
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
        let len = u32::try_from(segments.len()).unwrap_or(u32::MAX);
        let mut windows = Vec::with_capacity(segments.len().div_ceil(WINDOW));
        let mut segments = segments.into_iter();
        while segments.len() > 0 {
            windows.push(Some(segments.by_ref().take(WINDOW).collect()));
        }
        Self {
            windows,
            len,
            chars,
        }
    }

    /// A plan of which nothing is known but how long it is.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn outline(len: u32, chars: u64) -> Self {
        let windows = vec![None; (len as usize).div_ceil(WINDOW)];
        Self {
            windows,
            len,
            chars,
        }
    }

    /// The first segment of the first window that is not known.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn first_unknown(&self) -> Option<SegmentId> {
        let window = self.windows.iter().position(Option::is_none)?;
        Some(SegmentId::at(window * WINDOW))
    }

    /// Adds a whole window that begins at this segment. Anything else is no window of this plan, and
    /// nothing happens.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn add_window(&mut self, first: SegmentId, segments: Vec<PlannedSegment>) {
        let Some(index) = first.index().filter(|index| index % WINDOW == 0) else {
            return;
        };
        let wanted = (self.len as usize).saturating_sub(index).min(WINDOW);
        if segments.len() == wanted
            && let Some(window) = self.windows.get_mut(index / WINDOW)
        {
            *window = Some(segments.into());
        }
    }

    /// How many segments there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is nothing to speak.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
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
        let index = id.into().index()?;
        self.windows
            .get(index / WINDOW)?
            .as_ref()?
            .get(index % WINDOW)
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
        SegmentId::all(self.len).filter_map(|id| Some((id, self.get(id)?)))
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
    /// The voices that say some of its segments, beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherVoice>,
}

/// A voice that says some of a narration's segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherVoice {
    /// Its name, or the absolute path of its model.
    pub voice: Arc<str>,
    /// Which version of it.
    pub version: Arc<str>,
}

impl NarrationSettings {
    /// What the others are called.
    pub(crate) fn other_names(&self) -> Arc<[Arc<str>]> {
        self.others
            .iter()
            .map(|other| Arc::clone(&other.voice))
            .collect()
    }

    /// The voice with this number, as [`PlannedSegment::voice`] counts them; `None` for the narration's own.
    #[must_use]
    pub fn other(&self, voice: u16) -> Option<&OtherVoice> {
        self.others.get(usize::from(voice).checked_sub(1)?)
    }
}

impl Default for NarrationSettings {
    fn default() -> Self {
        Self {
            speed: 1.0,
            speaker: None,
            others: Vec::new(),
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
///     file: None,
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
    /// The file that the source was read from, absolute; `None` if it came another way.
    pub file: Option<PathBuf>,
}

impl Narration {
    /// Who says a segment: the voice and its version.
    #[must_use]
    pub fn voice_of(&self, segment: &PlannedSegment) -> (&str, &str) {
        match self.settings.other(segment.voice) {
            Some(other) => (&other.voice, &other.version),
            None => (&self.voice, &self.voice_version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(count: u64) -> Vec<PlannedSegment> {
        let segment = |n: u64| PlannedSegment {
            start: 10 * n,
            end: 10 * n + 9,
            text: n.to_string().into(),
            pause_ms: 0,
            heading: false,
            reading: Reading::default(),
            voice: 0,
        };
        (1..=count).map(segment).collect()
    }

    #[test]
    fn an_outline_becomes_the_plan() {
        let all = segments(600);
        let plan = Plan::new(all.clone());
        assert_eq!((plan.len(), plan.iter().count()), (600, 600));
        let mut known = Plan::outline(plan.len(), plan.chars());
        assert_eq!((known.get(1), known.iter().count()), (None, 0));
        known.add_window(SegmentId::new(257), all[256..512].to_vec());
        assert_eq!(known.get(300), plan.get(300));
        assert_eq!(known.first_unknown(), Some(SegmentId::new(1)));
        // What is no window of it changes nothing.
        let before = known.clone();
        known.add_window(SegmentId::new(2), all[1..257].to_vec());
        known.add_window(SegmentId::new(1), all[..255].to_vec());
        known.add_window(SegmentId::new(513), all[..256].to_vec());
        known.add_window(SegmentId::new(1025), all[..256].to_vec());
        known.add_window(SegmentId::TASK, Vec::new());
        assert_eq!(known, before);
        known.add_window(SegmentId::new(1), all[..256].to_vec());
        known.add_window(SegmentId::new(513), all[512..].to_vec());
        assert_eq!((known.first_unknown(), known), (None, plan));
    }
}
