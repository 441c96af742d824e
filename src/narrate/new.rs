//! What a person asks for when they want something narrated: plain data, checked by whoever takes it.

use std::path::PathBuf;

use crate::engine::{Limits, Priority};
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
    /// How urgent it is.
    pub priority: Priority,
    /// What it may use of the machine, beside what the settings say.
    pub limits: Limits,
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
