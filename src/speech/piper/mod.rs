//! Piper (VITS) voices: a model with its `.onnx.json` beside it. eSpeak NG gives the phonemes, the
//! configuration their numbers.

mod config;
mod phonemes;

use std::path::PathBuf;
use std::sync::Arc;

use ort::session::SessionInputValue;
use ort::value::Tensor;
use sha2::{Digest, Sha256};

use super::model::Model;
use super::{Espeak, FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo};
use crate::assets::VoiceFiles;
use crate::engine::{Interrupt, NarrationSettings};

pub use config::PiperConfig;

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
        let runtime = &self.runtime;
        let model = Model::open(
            &self.model,
            &runtime.onnxruntime,
            runtime.threads,
            interrupt,
        )?;
        for needed in ["input", "input_lengths", "scales"] {
            if !model.inputs().any(|name| name == needed) {
                let reason = format!("it has no input «{needed}»: it is not a Piper voice");
                return Err(SpeechError::Model {
                    path: self.model.clone(),
                    reason,
                });
            }
        }
        let takes_speaker = model.inputs().any(|name| name == "sid");
        Ok(Box::new(PiperSynthesizer {
            model,
            config: Arc::clone(&self.config),
            takes_speaker,
        }))
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

struct PiperSynthesizer {
    model: Model,
    config: Arc<PiperConfig>,
    takes_speaker: bool,
}

impl Synthesizer for PiperSynthesizer {
    fn synthesize(
        &mut self,
        utterance: &Utterance,
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Vec<f32>, SpeechError> {
        let failed = |error: ort::Error| SpeechError::Run(error.to_string());
        let ids = utterance.ids.clone();
        let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let inference = &self.config.inference;
        let speed = if settings.speed > 0.0 {
            settings.speed
        } else {
            1.0
        };
        let scales = vec![
            inference.noise_scale,
            inference.length_scale / speed,
            inference.noise_w,
        ];
        let mut inputs: Vec<(&'static str, SessionInputValue<'_>)> = vec![
            (
                "input",
                Tensor::from_array(([1, count], ids))
                    .map_err(failed)?
                    .into(),
            ),
            (
                "input_lengths",
                Tensor::from_array(([1], vec![count]))
                    .map_err(failed)?
                    .into(),
            ),
            (
                "scales",
                Tensor::from_array(([3], scales)).map_err(failed)?.into(),
            ),
        ];
        if self.takes_speaker {
            let speaker = i64::from(settings.speaker.unwrap_or(0));
            inputs.push((
                "sid",
                Tensor::from_array(([1], vec![speaker]))
                    .map_err(failed)?
                    .into(),
            ));
        }
        self.model.run(inputs, interrupt)
    }
}
