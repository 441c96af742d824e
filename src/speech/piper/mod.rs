//! Piper (VITS) voices: a model with its `.onnx.json` beside it. eSpeak NG gives the phonemes, the
//! configuration their numbers.

mod config;
mod lanes;
mod phonemes;
mod synthesizer;
mod windows;

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Espeak, FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo};
use crate::assets::VoiceFiles;
use crate::engine::Interrupt;

pub use config::PiperConfig;
use synthesizer::PiperSynthesizer;

/// A Piper voice.
pub struct PiperVoice {
    info: VoiceInfo,
    config: Arc<PiperConfig>,
    model: PathBuf,
    runtime: Runtime,
}

impl PiperVoice {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`SpeechError::Config`] if it is missing, is not JSON, or lacks a field we need.
    pub fn load(files: &VoiceFiles, runtime: &Runtime) -> Result<Self, SpeechError> {
        let config = PiperConfig::read(&files.config)?;
        let info = VoiceInfo {
            name: files.name.clone(),
            family: "piper",
            language: config.language_tag(),
            sample_rate: config.audio.sample_rate,
            speakers: config.num_speakers.max(1),
            version: version(files),
        };
        let model = files.model.clone();
        Ok(Self {
            info,
            config: Arc::new(config),
            model,
            runtime: runtime.clone(),
        })
    }
}

impl Voice for PiperVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        let espeak = Espeak::open(&self.runtime.espeak_library, &self.runtime.espeak_data)?;
        Ok(Box::new(PiperFrontEnd {
            espeak,
            config: Arc::clone(&self.config),
        }))
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let config = Arc::clone(&self.config);
        let opened = PiperSynthesizer::open(&self.model, config, &self.runtime, interrupt)?;
        Ok(Box::new(opened))
    }
}

/// Hashing the model as well would cost more than it tells: a retrained one has another
/// configuration or another size, and a fetched one is checked when it is installed.
fn version(files: &VoiceFiles) -> String {
    let config = std::fs::read(&files.config).unwrap_or_default();
    let hash: String = Sha256::digest(&config)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let size = std::fs::metadata(&files.model).map_or(0, |model| model.len());
    format!("{hash}-{size}")
}

struct PiperFrontEnd {
    espeak: Espeak,
    config: Arc<PiperConfig>,
}

impl FrontEnd for PiperFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let phonemes = if self.config.speaks_text() {
            phonemes::of_text(text)
        } else {
            phonemes::of_clauses(&self.espeak.clauses(&self.config.espeak.voice, text)?)
        };
        Ok(phonemes::utterance(phonemes, &self.config.phoneme_id_map))
    }
}
