//! What can go wrong with a voice, with the file it concerns and what to do.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::engine::{ErrorCode, ErrorObject, Shortage};

/// What is wrong with a file of a voice that is not what it was when the voice was loaded.
pub(super) const CHANGED: &str = "it has changed since it was read";

/// Why a voice can't be used or could not speak.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpeechError {
    /// The configuration beside the model can't be used.
    #[error("the voice's configuration {path} can't be used: {reason}")]
    Config {
        /// The configuration.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model can't be used.
    #[error("the voice's model {path} can't be used: {reason}")]
    Model {
        /// The model.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A library can't be loaded.
    #[error("{what} at {path} can't be loaded: {reason}")]
    Library {
        /// Its name.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is too little of something. Neither the voice nor the text is to blame.
    #[error("can't {doing}: {shortage}")]
    Shortage {
        /// What could not be done: "run the voice's model".
        doing: String,
        /// What there is too little of.
        shortage: Shortage,
    },
    /// The phonemes could not be had.
    #[error("eSpeak NG failed: {0}")]
    Phonemes(String),
    /// The model run failed.
    #[error("the model run failed: {0}")]
    Run(String),
    /// It was asked to stop, and did.
    #[error("interrupted")]
    Interrupted,
    /// The process that the voice runs in crashed.
    #[error("the voice crashed ({signal})")]
    Crashed {
        /// The signal's name, such as `SIGSEGV`.
        signal: &'static str,
    },
    /// The process that the voice runs in was ended from outside, or ended by itself.
    #[error("the voice's process ended: {reason}")]
    Killed {
        /// By what, as far as that is known.
        reason: String,
    },
    /// The voice needs more memory than it may use.
    #[error("the voice needs more than the {} MB of memory that it may use", limit / 1_000_000)]
    MemoryLimit {
        /// Bytes that it may use.
        limit: u64,
    },
    /// The voice has used the processor time that it may use.
    #[error("the voice has used the {seconds} s of processor time that it may use")]
    CpuLimit {
        /// The time.
        seconds: u64,
    },
    /// The task has limits of its own, and the voice can't be held to them.
    #[error("the voice runs in this program's own process, where no limits can be set on it")]
    Unlimited,
    /// A process for the voice can't be started, or does not speak as ours does.
    #[error("the voice's process can't be used: {reason}")]
    Process {
        /// What is wrong with it.
        reason: String,
    },
}

impl SpeechError {
    /// Whether there was too little memory, or perhaps was: another try may get more.
    #[must_use]
    pub fn is_for_want_of_memory(&self) -> bool {
        matches!(
            self,
            Self::Killed { .. }
                | Self::MemoryLimit { .. }
                | Self::Shortage {
                    shortage: Shortage::Memory,
                    ..
                }
        )
    }

    /// Whether the voice ended of what it was at, or perhaps did.
    #[must_use]
    pub fn is_death(&self) -> bool {
        matches!(self, Self::Crashed { .. }) || self.is_for_want_of_memory()
    }

    /// Whether it is about the voice, or about the machine: with any other text it would be the same.
    #[must_use]
    pub fn is_of_the_voice(&self) -> bool {
        match self {
            Self::Config { .. }
            | Self::Model { .. }
            | Self::Library { .. }
            | Self::Shortage { .. }
            | Self::Killed { .. }
            | Self::CpuLimit { .. }
            | Self::Unlimited
            | Self::Process { .. } => true,
            Self::Phonemes(_)
            | Self::Run(_)
            | Self::Interrupted
            | Self::Crashed { .. }
            | Self::MemoryLimit { .. } => false,
        }
    }

    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Config { .. } => ErrorCode::VoiceConfig,
            Self::Model { .. } => ErrorCode::VoiceModel,
            Self::Library { .. } => ErrorCode::Library,
            Self::Shortage { .. } => ErrorCode::Shortage,
            Self::Phonemes(_) => ErrorCode::Phonemes,
            Self::Run(_) => ErrorCode::ModelRun,
            Self::Interrupted => ErrorCode::Interrupted,
            Self::Crashed { .. } => ErrorCode::VoiceCrashed,
            Self::Killed { .. } => ErrorCode::VoiceKilled,
            Self::MemoryLimit { .. } => ErrorCode::OutOfMemory,
            Self::CpuLimit { .. } => ErrorCode::CpuTime,
            Self::Unlimited => ErrorCode::NoLimits,
            Self::Process { .. } => ErrorCode::Voice,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remediation(&self) -> &'static str {
        match self {
            Self::Config { .. } => {
                "Download the voice again with all of its files, from where they came"
            }
            Self::Model { .. } => "Download the voice again, or choose another: aloud voices",
            Self::Library { .. } => {
                "Run `aloud doctor` to see what is there, and `aloud setup` to mend it"
            }
            Self::Shortage { shortage, .. } => shortage.remediation(),
            Self::Phonemes(_) => "Run `aloud doctor`; if all is well there, report this text",
            Self::Run(_) => "Try again; if it fails again, report this text and voice",
            Self::Interrupted => "",
            Self::Crashed { .. } => {
                "Try again; if it crashes again, report this text and voice, or choose another voice"
            }
            Self::Killed { .. } => {
                "End some other programs, which gives it more memory, then try again"
            }
            Self::MemoryLimit { .. } => {
                "Raise its limit (limits.memory_mb in the settings, or the task's own) or choose a \
                 smaller voice, then narrate the text again"
            }
            Self::CpuLimit { .. } => {
                "Raise its limit (limits.cpu_time in the settings, or the task's own), then narrate the \
                 text again: what is finished is kept"
            }
            Self::Unlimited => {
                "Narrate the text without limits, or with `aloud`, which can set them"
            }
            Self::Process { .. } => {
                "Start the program again; if it was updated meanwhile, that is all it needs"
            }
        }
    }
}

impl From<SpeechError> for ErrorObject {
    fn from(error: SpeechError) -> Self {
        Self::new(error.code(), error.to_string()).with_remediation(error.remediation())
    }
}

/// Whether words of the system or of a library say that there is too little memory. The runtime has no
/// code for it, and what ends a program for it has only words.
pub(super) fn is_about_memory(reason: &str) -> bool {
    const WORDS: [&str; 6] = [
        // The runtime's allocator, C++, and Rust.
        "Failed to allocate memory",
        "bad_alloc",
        "memory allocation of",
        // The system: for memory, for a library, and for the stack of a thread.
        "Cannot allocate memory",
        "failed to map segment",
        "Resource temporarily unavailable",
    ];
    WORDS.iter().any(|words| reason.contains(words))
}

/// Files that a library may have open at once while it loads one: folders within folders.
const OPEN_AT_ONCE: usize = 8;

/// The shortage that a library has met which could not load this file and does not say why: whether it
/// can be opened now, with some more beside it, and with memory for twice its size. Loaded, a file takes
/// more than it has bytes.
pub(super) fn shortage_at(path: &Path) -> Option<Shortage> {
    let load = || {
        let files = (0..OPEN_AT_ONCE).map(|_| File::open(path));
        let files = files.collect::<io::Result<Vec<_>>>()?;
        let length = files[0].metadata()?.len();
        let mut memory = Vec::<u8>::new();
        memory.try_reserve_exact(usize::try_from(length.saturating_mul(2)).unwrap_or(0))?;
        Ok(())
    };
    load()
        .err()
        .and_then(|error: io::Error| Shortage::of(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_seen_where_a_file_is_loaded() {
        assert_eq!(shortage_at(Path::new("Cargo.toml")), None);
        assert_eq!(shortage_at(Path::new("nowhere")), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        let file = File::create(&path).unwrap();
        // More than a machine has addresses; the file itself takes no room.
        if file.set_len(1 << 60).is_ok() {
            assert_eq!(shortage_at(&path), Some(Shortage::Memory));
        }
    }

    #[test]
    fn a_shortage_blames_neither_voice_nor_text() {
        let error = SpeechError::Shortage {
            doing: "open the voice's model joe.onnx".into(),
            shortage: Shortage::OpenFiles,
        };
        let error = ErrorObject::from(error);
        assert_eq!(
            error.message,
            "can't open the voice's model joe.onnx: this program has too many files open"
        );
        let advice = error.remediation;
        assert!(advice.contains("`ulimit -n`"), "{advice}");
        assert!(!advice.contains("voice") && !advice.contains("report"));
    }
}
