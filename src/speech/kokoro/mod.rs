//! Kokoro voices: one model that speaks as many voices as there are packs beside it.

use super::{FrontEnd, Runtime, SpeechError, Synthesizer, Voice, VoiceInfo};
use crate::assets::VoiceFiles;
use crate::engine::Interrupt;

/// A Kokoro voice, or a blend of some.
pub struct KokoroVoice {
    info: VoiceInfo,
}

impl KokoroVoice {
    /// Reads what lies beside the model.
    ///
    /// # Errors
    /// [`SpeechError::Config`] with what is wrong.
    pub fn load(files: &VoiceFiles, _runtime: &Runtime) -> Result<Self, SpeechError> {
        Err(SpeechError::Config {
            path: files.config.clone(),
            reason: "to be written".into(),
        })
    }
}

impl Voice for KokoroVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        unreachable!()
    }

    fn open(&self, _interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        unreachable!()
    }
}
