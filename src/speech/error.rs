//! What can go wrong with a voice, with the file it concerns and what to do.

use std::path::PathBuf;

use crate::engine::{ErrorCode, ErrorObject};

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
    /// The phonemes could not be had.
    #[error("eSpeak NG failed: {0}")]
    Phonemes(String),
    /// The model run failed.
    #[error("the model run failed: {0}")]
    Run(String),
    /// It was asked to stop, and did.
    #[error("interrupted")]
    Interrupted,
}

impl SpeechError {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Config { .. } => ErrorCode::VoiceConfig,
            Self::Model { .. } => ErrorCode::VoiceModel,
            Self::Library { .. } => ErrorCode::Library,
            Self::Phonemes(_) => ErrorCode::Phonemes,
            Self::Run(_) => ErrorCode::ModelRun,
            Self::Interrupted => ErrorCode::Interrupted,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remediation(&self) -> &'static str {
        match self {
            Self::Config { .. } => {
                "Download the voice's .onnx.json again, from where its .onnx came"
            }
            Self::Model { .. } => "Download the voice again, or choose another: aloud voices",
            Self::Library { .. } => {
                "Run `aloud doctor` to see what is there, and `aloud setup` to mend it"
            }
            Self::Phonemes(_) => "Run `aloud doctor`; if all is well there, report this text",
            Self::Run(_) => "Try again; if it fails again, report this text and voice",
            Self::Interrupted => "",
        }
    }
}

impl From<SpeechError> for ErrorObject {
    fn from(error: SpeechError) -> Self {
        Self::new(error.code(), error.to_string()).with_remediation(error.remediation())
    }
}
