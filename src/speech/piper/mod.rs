//! Piper (VITS) voices: a model with its `.onnx.json` beside it. eSpeak NG gives the phonemes, the
//! configuration their numbers.

mod config;
mod lanes;
mod layouts;
mod phonemes;
mod script;
mod synthesizer;
mod unreadable;
mod windows;
mod wording;
mod words;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use unicode_script::Script;

use super::configuration::version;
use super::{
    Comparison, Espeak, FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo,
};
use crate::assets::VoiceFiles;
use crate::engine::Interrupt;

pub use config::PiperConfig;
use phonemes::Spoken;
use synthesizer::PiperSynthesizer;
use unreadable::Unreadable;
use wording::Piece;
use words::{Alone, Place};

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
        let espeak = self.runtime.espeak.as_ref().ok_or_else(no_espeak)?;
        let espeak = Espeak::open(&espeak.library, &espeak.data)?;
        Ok(Box::new(PiperFrontEnd {
            espeak,
            config: Arc::clone(&self.config),
            unreadable: Unreadable::default(),
            alone: Mutex::default(),
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

fn no_espeak() -> SpeechError {
    SpeechError::Library {
        what: "eSpeak NG",
        path: "libespeak-ng".into(),
        reason: "it is not installed".into(),
    }
}

struct PiperFrontEnd {
    espeak: Espeak,
    config: Arc<PiperConfig>,
    unreadable: Unreadable,
    /// What is said of single words, as often as they come.
    alone: Mutex<HashMap<String, String>>,
}

/// So many single words are remembered; then it begins anew.
const MOST_WORDS: usize = 10_000;

impl FrontEnd for PiperFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let map = &self.config.phoneme_id_map;
        if self.config.speaks_text() {
            let phonemes = phonemes::of_text(text);
            let alone = |word: &str| Ok(phonemes::of_text(word));
            let words = places(text, &phonemes, alone);
            return Ok(phonemes::utterance(phonemes, map, words));
        }
        // Phonemes in the text are no words of any script.
        let words = wording::without_phonemes(text);
        let spelled = self.spelled(&words)?;
        let has_phonemes = words.len() < text.len();
        let has_more = has_phonemes || script::has_more(&words, &spelled);
        let phonemes = if spelled.is_empty() || has_more {
            self.phonemes(text)?
        } else {
            String::new()
        };
        let words = places(text, &phonemes, |word| self.alone(word));
        let mut utterance = phonemes::utterance(phonemes, map, words);
        let mut told = HashSet::new();
        for word in spelled {
            if told.insert(word) {
                utterance.spelled.push(word.to_owned());
            }
        }
        Ok(utterance)
    }
}

/// Where each word of a text is in its phonemes. `alone` tells what is said for a word by itself; where it
/// fails, the text is said all the same, and nobody knows when which word is.
fn places(
    text: &str,
    phonemes: &str,
    alone: impl Fn(&str) -> Result<String, SpeechError>,
) -> Vec<Place> {
    let words = words::words(text).into_iter().map(|word| {
        let phonemes = alone(&text[word.clone()])?;
        Ok(Alone {
            text: word,
            phonemes,
        })
    });
    let words: Result<Vec<Alone>, SpeechError> = words.collect();
    words.map_or_else(|_| Vec::new(), |words| words::places(&words, phonemes))
}

impl PiperFrontEnd {
    /// The phonemes of a single word.
    fn alone(&self, word: &str) -> Result<String, SpeechError> {
        let known = || self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(phonemes) = known().get(word) {
            return Ok(phonemes.clone());
        }
        let phonemes = self.phonemes(word)?;
        let mut known = known();
        if known.len() >= MOST_WORDS {
            known.clear();
        }
        known.insert(word.to_owned(), phonemes.clone());
        Ok(phonemes)
    }

    /// The phonemes of a text: eSpeak's, and those that stand in it.
    fn phonemes(&self, text: &str) -> Result<String, SpeechError> {
        let voice = &self.config.espeak.voice;
        let mut spoken = Spoken::default();
        for piece in wording::pieces(text, voice.starts_with("en")) {
            match piece {
                Piece::Phonemes(phonemes) => spoken.add_phonemes(&phonemes),
                Piece::Words(words) => {
                    let words = spoken.add_marks(&words);
                    if words.contains(char::is_alphanumeric) || spoken.is_empty() {
                        let clauses = self.espeak.clauses(voice, words)?;
                        spoken.add_clauses(&clauses);
                    }
                }
            }
        }
        Ok(spoken.finish())
    }

    /// The words of which only the letters would be named.
    fn spelled<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, SpeechError> {
        let language = self.config.language_tag();
        let mut words = script::foreign(text, &language);
        let mut asked: Vec<(Script, bool)> = Vec::new();
        for foreign in &words {
            if asked.iter().all(|(script, _)| *script != foreign.script) {
                let voice = &self.config.espeak.voice;
                let clauses = self.espeak.clauses(voice, foreign.word)?;
                let mut clauses = clauses.iter();
                let is_read = clauses.any(|clause| script::is_read(&clause.ipa, foreign.script));
                asked.push((foreign.script, is_read));
            }
        }
        words.retain(|foreign| !asked.contains(&(foreign.script, true)));
        let mut spelled: Vec<&str> = words.into_iter().map(|foreign| foreign.word).collect();
        let ask = |text: &str| self.espeak.clauses(&self.config.espeak.voice, text);
        let own = script::scripts(&language);
        let others = self.unreadable.words(text, &own, &ask)?;
        let is_new = |other: &&str| spelled.iter().all(|word| !other.contains(word));
        let others: Vec<&str> = others.into_iter().filter(is_new).collect();
        spelled.extend(others);
        Ok(spelled)
    }
}
