//! hibari voices: a small model with a `vocab.json` and English lexicons in its folder. The model says what
//! each frame of 12.5 ms is like; the sound of it is made here.

mod approximations;
mod lanes;
mod noise;
mod pulses;
mod said;
mod synthesizer;
mod waveform;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::configuration::version_with_model;
use super::english::{Dialect, English};
use super::read::Read;
use super::vocabulary::Vocabulary;
use super::{FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo};
use crate::assets::VoiceFiles;
use crate::engine::Interrupt;
use synthesizer::HibariSynthesizer;

pub use waveform::{BINS, Spectra, Waveform};

/// Samples a second.
const RATE: u32 = 24_000;

/// A hibari voice.
pub struct HibariVoice {
    info: VoiceInfo,
    vocabulary: Arc<Vocabulary>,
    model: PathBuf,
    /// Where the vocabulary is, and the lexicons.
    folder: PathBuf,
    dialect: Dialect,
    runtime: Runtime,
}

impl HibariVoice {
    /// Reads the vocabulary, which is the `config` of such files.
    ///
    /// # Errors
    /// [`SpeechError::Config`] if it is missing or is no vocabulary.
    pub fn load(files: &VoiceFiles, runtime: &Runtime) -> Result<Self, SpeechError> {
        let (vocabulary, text) = Vocabulary::read(&files.config)?;
        if !speaks(&vocabulary) {
            return Err(SpeechError::Config {
                path: files.config.clone(),
                reason:
                    "it has none of the phonemes that English has, such as ə: all would be silent"
                        .into(),
            });
        }
        let folder = files
            .config
            .parent()
            .map_or_else(PathBuf::new, PathBuf::from);
        let dialect = Dialect::of(&folder);
        let info = VoiceInfo {
            name: files.name.clone(),
            family: "hibari",
            language: dialect.tag().into(),
            sample_rate: RATE,
            speakers: 1,
            speaker_names: BTreeMap::new(),
            version: version_with_model(&text, files),
        };
        Ok(Self {
            info,
            vocabulary: Arc::new(vocabulary),
            model: files.model.clone(),
            folder,
            dialect,
            runtime: runtime.clone(),
        })
    }
}

/// Whether a vocabulary has any of the commonest phonemes.
fn speaks(vocabulary: &Vocabulary) -> bool {
    const COMMON: &str = "əɪæants";
    let read = Read {
        phonemes: COMMON.into(),
        ..Read::default()
    };
    vocabulary.utterance(read).unknown.len() < COMMON.chars().count()
}

impl Voice for HibariVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        let library = &self.runtime.onnxruntime;
        Ok(Box::new(HibariFrontEnd {
            english: English::open(&self.folder, library, self.dialect)?,
            vocabulary: Arc::clone(&self.vocabulary),
        }))
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let largest = self.vocabulary.largest();
        let opened = HibariSynthesizer::open(&self.model, largest, &self.runtime, interrupt)?;
        Ok(Box::new(opened))
    }
}

struct HibariFrontEnd {
    english: English,
    vocabulary: Arc<Vocabulary>,
}

impl FrontEnd for HibariFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let utterance = self.vocabulary.utterance(self.english.read(text)?);
        Ok(utterance.without_spelling())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vocabulary_without_phonemes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let load = |vocabulary: &str| {
            let config = folder.path().join("vocab.json");
            std::fs::write(&config, vocabulary).unwrap();
            let files = VoiceFiles {
                name: "hibari".into(),
                model: folder.path().join("hibari.onnx"),
                config,
                family: crate::assets::Family::Hibari,
                card: None,
                blend: Vec::new(),
            };
            HibariVoice::load(&files, &Runtime::none())
        };
        assert!(load(r#"{"ə": 1}"#).is_ok());
        let error = load(r#"{"?": 1, "!": 2}"#).err().unwrap().to_string();
        assert!(error.contains("vocab.json") && error.contains("none of the phonemes"));
    }
}
