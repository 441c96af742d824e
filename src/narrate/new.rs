//! What a person asks for when they want something narrated: plain data, checked by whoever takes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::{Limits, Priority};
use crate::settings::{ChapterVoices, Settings};
use crate::speech::Speaker;
use crate::text::FormatName;

/// A text to narrate, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNarration {
    /// What is to be read aloud.
    pub text: NewText,
    /// The format it is read in; `None` is what its name tells, or how it looks.
    pub written_as: Option<FormatName>,
    /// A voice's name, or the path of its `.onnx`.
    pub voice: String,
    /// 1.0 is the voice's own pace.
    pub speed: f32,
    /// Which of the voice's speakers; `None` is its first.
    pub speaker: Option<Speaker>,
    /// Who else says some of it.
    pub others: OtherVoices,
    /// How urgent it is.
    pub priority: Priority,
    /// What it may use of the machine, beside what the settings say.
    pub limits: Limits,
}

/// Who says parts of a text; for what is not told, the settings count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherVoices {
    /// The voice that says what stands in quotation marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue_voice: Option<String>,
    /// The voices that tell chapters, as `1=af_heart, 3-5=bf_emma`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chapter_voices: Option<ChapterVoices>,
}

impl OtherVoices {
    /// What these settings say, to be told to whoever has others.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let chapters = &settings.chapter_voices;
        Self {
            dialogue_voice: settings.dialogue_voice.clone(),
            chapter_voices: (!chapters.is_empty()).then(|| chapters.clone()),
        }
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let chapters = self.chapter_voices.iter();
        let chapters = chapters.flat_map(ChapterVoices::voices);
        self.dialogue_voice.as_deref().into_iter().chain(chapters)
    }
}

/// Where the words come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewText {
    /// A file, as a person typed or dragged it: relative, with `~`, in quotes.
    File(PathBuf),
    /// The words themselves.
    Typed(String),
    /// The content of a file that is somewhere else: read like a file of that name, which decides its
    /// format where none is told, and is never a path here.
    Bytes {
        /// What the file is called.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}
