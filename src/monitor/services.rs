//! What the monitor asks of the program around it: the service, which does the work, and whatever is
//! neither the service's nor the screen's. Unless it says otherwise, every call may take its time and is made on a thread of its own, never on the one
//! that draws. The monitor itself touches no file, no player and no voice.

use std::path::{Path, PathBuf};

use crate::model::{ShutdownReport, ShutdownWait};
use crate::narrate::{NewNarration, Speaker};
use crate::service::{Live, Submitted};

/// What a new narration is like unless someone says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// A voice's name, or the path of its model.
    pub voice: String,
    /// 1 is the voice's own pace.
    pub speed: f32,
    /// One of the voice's speakers.
    pub speaker: Option<Speaker>,
}

/// A voice that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceChoice {
    /// What it is called.
    pub name: String,
    /// Language and quality, or what is to be done to have it.
    pub about: String,
    /// Whether it can be used at once.
    pub is_installed: bool,
}

/// What a half-typed path could become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What was typed, as far as every continuation begins with it: the field's next content. What
    /// was typed, if there is none.
    pub common: String,
    /// The first continuations, sorted; each is a whole content for the field. Folders end with a
    /// `/`.
    pub candidates: Vec<String>,
}

/// A line of the program's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `12:34:56`.
    pub time: String,
    /// How grave it is.
    pub level: tracing::Level,
    /// What it says, with its fields.
    pub text: String,
}

/// What the program around the monitor does for it.
///
/// Every error is a sentence for a person, with what to do next.
pub trait Services: Send + Sync {
    /// Whoever does the work: how it is, what it has done, what it is told to do.
    fn service(&self) -> &dyn Live;
    /// Whether that is another program, which goes on when this one ends. Answers at once.
    fn is_attached(&self) -> bool;
    /// Ends the work, where it is done in this program: returns when that has ended.
    fn stop(&self, wait: ShutdownWait) -> ShutdownReport;
    /// Has another process go on with the work of this one, which is ended next. Answers at once.
    fn hand_over(&self);
    /// What a new narration is like unless someone says otherwise. Answers at once.
    fn defaults(&self) -> Defaults;
    /// Reads, cuts and submits a text.
    ///
    /// # Errors
    /// What is wrong with the text, the voice or the engine.
    fn add(&self, new: &NewNarration) -> Result<Submitted, String>;
    /// The voices that can be chosen, those that are installed first.
    fn voices(&self) -> Vec<VoiceChoice>;
    /// Speaks a sentence with this voice. Returns once it is being played.
    ///
    /// # Errors
    /// The voice can't be used, or nothing can play it.
    fn preview(&self, voice: &str, speed: f32) -> Result<(), String>;
    /// Speaks these words, which are what is said, with this voice. Returns once they are being played.
    ///
    /// # Errors
    /// The voice can't be used, or nothing can play it; or they are being played, and not all of them can
    /// be spoken as they stand.
    fn hear(&self, voice: &str, speed: f32, spoken: &str) -> Result<(), String>;
    /// How a voice will speak these words, which are what is said, as phonemes.
    ///
    /// # Errors
    /// The voice can't be used.
    fn phonemes(&self, voice: &str, text: &str) -> Result<String, String>;
    /// Plays a WAV file, or the whole narration in a folder; whatever was being played ends. If that
    /// was the same, it only ends. Returns whether something is being played now.
    ///
    /// # Errors
    /// There is no player, or it can't be started.
    fn play(&self, file: &Path) -> Result<bool, String>;
    /// Shows a folder in the system's file manager.
    ///
    /// # Errors
    /// There is none, or it can't be started.
    fn open_folder(&self, folder: &Path) -> Result<(), String>;
    /// What a half-typed path could become.
    fn complete(&self, typed: &str) -> Completion;
    /// The last lines of the log, oldest first.
    fn log(&self) -> Vec<LogLine>;
    /// The monitor is being left: whatever takes long is broken off.
    fn leave(&self);
    /// The folder whose disk the clips go to.
    fn output(&self) -> PathBuf;
}
