//! Piper (VITS) voices: a model with its `.onnx.json` beside it. eSpeak NG gives the phonemes, the
//! configuration their numbers.

mod config;
mod lanes;
mod layouts;
mod phonemes;
mod synthesizer;
mod windows;

use std::path::PathBuf;
use std::sync::Arc;

use super::configuration::version;
use super::espeak::{Alphabet, Reader, places};
use super::read::Read;
use super::{Comparison, FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo};
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
        let (config, text) = PiperConfig::read_with_text(&files.config)?;
        let info = VoiceInfo {
            name: files.name.clone(),
            family: "piper",
            language: config.language_tag(),
            sample_rate: config.audio.sample_rate,
            speakers: config.num_speakers.max(1),
            speaker_names: config.speaker_id_map.clone(),
            version: version(&text, files),
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
        let open = || {
            let voice = &self.config.espeak.voice;
            let language = self.config.language_tag();
            Reader::open(&self.runtime, voice, &language, Alphabet::Espeak)
        };
        let reads_letters = self.config.speaks_text();
        Ok(Box::new(PiperFrontEnd {
            reader: (!reads_letters).then(open).transpose()?,
            config: Arc::clone(&self.config),
        }))
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let config = Arc::clone(&self.config);
        let opened = PiperSynthesizer::open(&self.model, config, &self.runtime, interrupt)?;
        Ok(Box::new(opened))
    }

    fn compare_layouts(&self, interrupt: &Interrupt) -> Result<Option<Comparison>, SpeechError> {
        layouts::compare(&self.model, &self.config, &self.runtime, interrupt)
    }
}

struct PiperFrontEnd {
    /// `None` for a voice that reads letters.
    reader: Option<Reader>,
    config: Arc<PiperConfig>,
}

impl FrontEnd for PiperFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let read = if let Some(reader) = &self.reader {
            reader.read(text)?
        } else {
            let phonemes = phonemes::of_text(text);
            let alone = |word: &str| Ok(phonemes::of_text(word));
            Read {
                words: places(text, &phonemes, alone),
                phonemes,
                unknown: Vec::new(),
            }
        };
        Ok(phonemes::utterance(read, &self.config.phoneme_id_map))
    }
}
