//! The configuration beside a Piper model, `NAME.onnx.json`: what of it we need, checked when read.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::super::{SpeechError, configuration};

/// No voice has as many speakers.
const MOST_SPEAKERS: u32 = 10_000;

/// What a Piper voice says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct PiperConfig {
    /// How it sounds.
    pub audio: Audio,
    /// Which language of eSpeak NG it was trained with.
    #[serde(default)]
    pub espeak: EspeakVoice,
    /// The scales it was meant to be run with.
    #[serde(default)]
    pub inference: Inference,
    /// `espeak`, or `text` for voices that read letters.
    #[serde(default)]
    pub phoneme_type: Option<String>,
    /// The numbers of each phoneme.
    pub phoneme_id_map: HashMap<String, Vec<i64>>,
    /// How many speakers it has.
    #[serde(default)]
    pub num_speakers: u32,
    /// What they are called, with their numbers.
    #[serde(default)]
    pub speaker_id_map: BTreeMap<String, u32>,
    /// Its language.
    #[serde(default)]
    pub language: Option<Language>,
}

/// How a voice sounds.
#[derive(Clone, Debug, Deserialize)]
pub struct Audio {
    /// Samples a second.
    pub sample_rate: u32,
    /// `x_low`, `low`, `medium` or `high`.
    #[serde(default)]
    pub quality: Option<String>,
}

/// A language of eSpeak NG.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct EspeakVoice {
    /// Its name, such as `en-us`.
    #[serde(default)]
    pub voice: String,
}

/// The scales of a run.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Inference {
    /// How much the sound varies.
    pub noise_scale: f32,
    /// How slow it is.
    pub length_scale: f32,
    /// How much the rhythm varies.
    pub noise_w: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self {
            noise_scale: 0.667,
            length_scale: 1.0,
            noise_w: 0.8,
        }
    }
}

/// The language of a voice.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Language {
    /// Such as `en_US`.
    #[serde(default)]
    pub code: String,
}

impl PiperConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`SpeechError::Config`] with what is wrong.
    pub fn read(path: &Path) -> Result<Self, SpeechError> {
        Ok(Self::read_with_text(path)?.0)
    }

    /// The same, with what the file says.
    pub(super) fn read_with_text(path: &Path) -> Result<(Self, String), SpeechError> {
        let failed = |reason: String| SpeechError::Config {
            path: path.to_owned(),
            reason,
        };
        let text = configuration::read(path)?;
        let config: Self =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        config.check().map_err(failed)?;
        Ok((config, text))
    }

    fn check(&self) -> Result<(), String> {
        let rate = self.audio.sample_rate;
        if !(4_000..=192_000).contains(&rate) {
            return Err(format!(
                "audio.sample_rate is {rate}, expected 4000 to 192000"
            ));
        }
        if self.num_speakers > MOST_SPEAKERS {
            let speakers = self.num_speakers;
            return Err(format!(
                "num_speakers is {speakers}, expected at most {MOST_SPEAKERS}"
            ));
        }
        for mark in ["^", "_", "$"] {
            if self.phoneme_id_map.get(mark).is_none_or(Vec::is_empty) {
                return Err(format!("phoneme_id_map has no entry for `{mark}`"));
            }
        }
        match self.phoneme_type.as_deref() {
            None | Some("espeak") if self.espeak.voice.is_empty() => {
                Err("missing field `espeak.voice`".into())
            }
            None | Some("espeak" | "text") => Ok(()),
            Some(other) => Err(format!("its phoneme_type `{other}` is not supported")),
        }
    }

    /// Whether the voice reads letters instead of phonemes.
    pub(super) fn speaks_text(&self) -> bool {
        self.phoneme_type.as_deref() == Some("text")
    }

    /// The language as a BCP 47 tag, from what the voice says of itself.
    #[must_use]
    pub fn language_tag(&self) -> String {
        match &self.language {
            Some(language) if !language.code.is_empty() => language.code.replace('_', "-"),
            _ => self.espeak.voice.clone(),
        }
    }
}
