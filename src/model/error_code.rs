//! The stable words by which programs tell errors apart. Messages may be reworded, these may not:
//! they are in databases, in records beside the clips and in the scripts of users.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

/// One table makes the enum and both conversions, so that no word can be written and not be read.
macro_rules! error_codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// What kind of error an [`ErrorObject`](super::ErrorObject) is: a stable word, such as
        /// `TIMEOUT`.
        ///
        /// Work brings codes of its own as plain text, and a code that this version does not know is
        /// kept as it was read. Text that is one of the words below becomes that variant, so codes are
        /// equal exactly if their words are.
        ///
        /// ```
        /// use aloud::engine::{ErrorCode, ErrorObject};
        ///
        /// let own = ErrorObject::new("PRINTER_JAM", "the printer has jammed");
        /// assert!(matches!(own.code, ErrorCode::Other { .. }));
        /// assert_eq!(own.code, "PRINTER_JAM");
        ///
        /// assert_eq!(ErrorCode::from("TIMEOUT"), ErrorCode::Timeout);
        /// assert_eq!(serde_json::to_string(&ErrorCode::Timeout)?, r#""TIMEOUT""#);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[serde(from = "String")]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])+ $name,)+
            /// A code that is none of the others: one that work brought, or that another version
            /// makes. It comes from text, [`ErrorCode::from`], which never puts a known word here.
            #[non_exhaustive]
            Other(Arc<str>),
        }

        impl ErrorCode {
            #[cfg(test)]
            const KNOWN: &[Self] = &[$(Self::$name,)+];

            /// The word.
            ///
            /// ```
            /// use aloud::engine::ErrorCode;
            ///
            /// assert_eq!(ErrorCode::DiskFull.as_str(), "DISK_FULL");
            /// ```
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other(word) => word,
                }
            }

            fn known(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    // What the engine says of any task.

    /// The task was cancelled on request.
    Cancelled = "CANCELLED",
    /// The database could not be read or written.
    Database = "DATABASE",
    /// A task that had to end first did not complete.
    Dependency = "DEPENDENCY",
    /// Any error for which nobody gave a code.
    Error = "ERROR",
    /// No operation of that name is registered.
    NoOperation = "NO_OPERATION",
    /// The work panicked.
    Panic = "PANIC",
    /// The engine was opened by its own hook, which runs before it starts.
    Recursion = "RECURSION",
    /// The program shut down before work that can't outlive it was done.
    Shutdown = "SHUTDOWN",
    /// The work stopped without being asked to.
    Stopped = "STOPPED",
    /// A newer attempt at the segment has taken the place of this one.
    Superseded = "SUPERSEDED",
    /// It took longer than it may.
    Timeout = "TIMEOUT",

    // What narration says of files and folders.

    /// A clip that was there is gone, or is not what it was.
    ClipDamaged = "CLIP_DAMAGED",
    /// No space is left for a file.
    DiskFull = "DISK_FULL",
    /// The narration's folder belongs to another one by now.
    FolderTaken = "FOLDER_TAKEN",
    /// A file or its folder can't be written.
    Output = "OUTPUT",
    /// The system gave too few open files, or too little memory.
    Shortage = "SHORTAGE",

    // What narration says of voices.

    /// It was asked to stop, and did.
    Interrupted = "INTERRUPTED",
    /// A library that voices need can't be loaded.
    Library = "LIBRARY",
    /// The model run failed.
    ModelRun = "MODEL_RUN",
    /// A text could not be turned into phonemes.
    Phonemes = "PHONEMES",
    /// The task has used the processor time that it may use.
    CpuTime = "CPU_TIME",
    /// The task has limits of its own, and can't be held to them here.
    NoLimits = "NO_LIMITS",
    /// A voice, or what it needs, is not installed or not usable.
    Voice = "VOICE",
    /// The voice is not the one that the narration was begun with.
    VoiceChanged = "VOICE_CHANGED",
    /// The process that a voice runs in crashed.
    VoiceCrashed = "VOICE_CRASHED",
    /// The process that a voice runs in was ended from outside, or ended by itself.
    VoiceKilled = "VOICE_KILLED",
    /// The configuration beside a model can't be used.
    VoiceConfig = "VOICE_CONFIG",
    /// A voice's model can't be used.
    VoiceModel = "VOICE_MODEL",

    // What narration says of segments.

    /// The clip is cut off at full scale.
    Clipped = "CLIPPED",
    /// Some words are in a script that the voice does not read: it spells them.
    ForeignScript = "FOREIGN_SCRIPT",
    /// The voice gave something that is not sound.
    NotSound = "NOT_SOUND",
    /// Nothing in the segment can be spoken by the voice.
    NothingToSpeak = "NOTHING_TO_SPEAK",
    /// There is too little memory, or a limit leaves too little. Of a segment: it is left out, for that
    /// was so again and again while it was spoken.
    OutOfMemory = "OUT_OF_MEMORY",
    /// The segment is left out, for the voice crashed of it twice.
    Poisonous = "POISONOUS",
    /// Some segments of the narration have errors.
    SegmentsFailed = "SEGMENTS_FAILED",
    /// The clip came out silent.
    Silent = "SILENT",
    /// The clip is too long for its text.
    TooLong = "TOO_LONG",
    /// The clip is too short for its text.
    TooShort = "TOO_SHORT",
    /// The voice has no sound for some phonemes.
    UnknownPhonemes = "UNKNOWN_PHONEMES",
}

impl From<&str> for ErrorCode {
    fn from(word: &str) -> Self {
        Self::known(word).unwrap_or_else(|| Self::Other(word.into()))
    }
}

impl From<String> for ErrorCode {
    fn from(word: String) -> Self {
        Self::known(&word).unwrap_or_else(|| Self::Other(word.into()))
    }
}

impl FromStr for ErrorCode {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(word.into())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<str> for ErrorCode {
    fn eq(&self, word: &str) -> bool {
        self.as_str() == word
    }
}

impl PartialEq<&str> for ErrorCode {
    fn eq(&self, word: &&str) -> bool {
        self.as_str() == *word
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn through_json(code: &ErrorCode) -> ErrorCode {
        let text = serde_json::to_string(code).unwrap();
        assert_eq!(text, format!("\"{code}\""));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_code_has_a_word_of_its_own_and_comes_back_from_it() {
        let words: HashSet<_> = ErrorCode::KNOWN.iter().map(ErrorCode::as_str).collect();
        assert_eq!(words.len(), ErrorCode::KNOWN.len());
        for code in ErrorCode::KNOWN {
            assert!(!matches!(code, ErrorCode::Other(_)));
            assert_eq!(&ErrorCode::from(code.as_str()), code);
            assert_eq!(&ErrorCode::from(code.to_string()), code);
            assert_eq!(&code.as_str().parse::<ErrorCode>().unwrap(), code);
            assert_eq!(&through_json(code), code);
        }
    }

    #[test]
    fn a_word_of_another_version_or_program_stays_as_it_is() {
        for word in ["FROM_THE_FUTURE", "timeout", "TIMEOUT ", ""] {
            let code = ErrorCode::from(word);
            assert_eq!(code, ErrorCode::Other(word.into()));
            assert_eq!(code, word);
            assert_eq!(through_json(&code), code);
        }
    }

    /// Libraries of earlier versions and scripts of users hold these.
    #[test]
    fn the_words_are_those_that_were_always_written() {
        let words: Vec<_> = ErrorCode::KNOWN.iter().map(ErrorCode::as_str).collect();
        insta::assert_snapshot!(words.join("\n"));
    }
}
