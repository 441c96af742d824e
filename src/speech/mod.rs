//! Voices: text → phonemes → samples. A voice has a front end, which prepares text and may run on
//! any thread, and a synthesizer, which owns the model and belongs to one worker. What follows
//! this room knows only the traits here; each family of voices implements them in a room of its
//! own. Nothing here writes files or knows of tasks.

mod clock;
mod configuration;
mod cuts;
mod durations;
mod english;
mod error;
mod espeak;
pub mod hibari;
pub mod kokoro;
mod onnx;
pub mod piper;
pub mod process;
mod read;
mod said;
mod speaker;
mod turn;
mod vocabulary;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::assets::{EspeakFiles, Family, VoiceFiles};
use crate::engine::{Interrupt, NarrationSettings};

pub use error::SpeechError;
pub use espeak::{Clause, Espeak};
#[cfg(feature = "fuzzing")]
pub(crate) use onnx::check_bytes as check_model_bytes;
pub use onnx::check_envelope;
#[cfg(feature = "fuzzing")]
pub(crate) use process::check_bytes as check_process_bytes;
pub use speaker::Speaker;

/// The runtime libraries that voices need, and how to use them.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The shared library of ONNX Runtime.
    pub onnxruntime: PathBuf,
    /// eSpeak NG; `None` where it is not installed, and for voices that do without.
    pub espeak: Option<EspeakFiles>,
    /// Threads that a model runs on; `None` for all cores.
    pub threads: Option<usize>,
    /// How a decoder's values lie in memory; `None` for what is usually faster on such a processor.
    pub layout: Option<Layout>,
}

/// How the values of a voice's decoder lie in memory while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// As the model's file has them: each channel by itself.
    Plain,
    /// Some channels side by side, as many as a register holds. The samples are the same but for rounding.
    Blocked,
}

impl Layout {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Blocked];

    /// What is faster where nothing was measured. ONNX Runtime as it is published for x86 has convolutions in
    /// blocks, fast ones with FMA3; where it has none, what would be blocked is only reordered
    /// (`MlasNchwcGetBlockSize` in its `core/mlas/lib/snchwc.cpp`). Whether others have any, `aloud bench`
    /// measures.
    #[must_use]
    pub fn usual() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return Self::Blocked;
        }
        Self::Plain
    }
}

/// The layouts of a decoder side by side, with the same frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// How long one thread took with the plain layout.
    pub plain: Duration,
    /// The same with the blocked one.
    pub blocked: Duration,
    /// How far apart the samples are at most; 1.0 is full scale. `None` where the two round differently on
    /// purpose, and either is right.
    pub difference: Option<f32>,
}

impl Comparison {
    /// With samples further apart it would be another sound.
    pub const MOST: f32 = 1e-3;

    /// The faster one, if it says the same. What needs no such proof takes more memory, and has to be a tenth
    /// faster.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::speech::{Comparison, Layout};
    ///
    /// let (plain, blocked) = (Duration::from_millis(90), Duration::from_millis(60));
    /// let mut compared = Comparison { plain, blocked, difference: Some(1e-6) };
    /// assert_eq!(compared.best(), Layout::Blocked);
    /// compared.difference = Some(0.01);
    /// assert_eq!(compared.best(), Layout::Plain);
    /// ```
    #[must_use]
    pub fn best(&self) -> Layout {
        let least = match self.difference {
            Some(_) => self.plain,
            None => self.plain.mul_f64(0.9),
        };
        if self.is_same() && self.blocked < least {
            Layout::Blocked
        } else {
            Layout::Plain
        }
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.difference.is_none_or(|apart| apart <= Self::MOST)
    }
}

impl Runtime {
    /// One that opens nothing: enough to read what voices say of themselves.
    #[must_use]
    pub fn none() -> Self {
        Self {
            onnxruntime: PathBuf::new(),
            espeak: None,
            threads: None,
            layout: None,
        }
    }

    /// How a decoder's values lie in memory: what is set, or what is usually faster here.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout.unwrap_or_else(Layout::usual)
    }

    /// How many threads a model runs on: what is set, or as many as there are cores. A core's second
    /// thread gains nothing here, for both want the same units.
    #[must_use]
    pub fn threads(&self) -> usize {
        let cores = || {
            // The first counts cores, the second what this process may use of them.
            let allowed = std::thread::available_parallelism().map_or(1, usize::from);
            num_cpus::get_physical().clamp(1, allowed)
        };
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// What is known of a voice without opening its model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoiceInfo {
    /// What a person calls it.
    pub name: String,
    /// The family, such as `piper`.
    pub family: &'static str,
    /// Its language as a BCP 47 tag, such as `en-US`; empty if its maker did not say.
    pub language: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// How many speakers it has, at least 1.
    pub speakers: u32,
    /// What they are called, with their numbers; those without a name have only that.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub speaker_names: BTreeMap<String, u32>,
    /// What tells this voice from another of the same name: its configuration's hash and its
    /// model's size.
    pub version: String,
}

/// A text as the model wants it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
    /// The phonemes, one code point each.
    pub phonemes: String,
    /// The model's input, shape `[n]`.
    pub ids: Vec<i64>,
    /// What is not spoken, each once: phonemes that the voice does not know, and those of `spelled` of which
    /// not even the letters are named.
    pub unknown: Vec<String>,
    /// Words in a script that the voice can't read, each once; at best their letters are named. If
    /// there is nothing else, nothing is spoken.
    pub spelled: Vec<String>,
    /// Where the words of the text are among the ids, in order; empty if that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<SpokenWord>,
    /// Which of a narration's voices says it, as [`PlannedSegment::voice`](crate::engine::PlannedSegment);
    /// a voice itself knows of no other.
    #[serde(skip)]
    pub voice: u16,
}

/// A word of a text, and what the model is given for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenWord {
    /// Its bytes in the text that was prepared.
    pub text: Range<u32>,
    /// Its places in [`Utterance::ids`]; none for a word that has no sound of its own.
    pub ids: Range<u32>,
}

/// So many words are told of, each up to so many characters; the others are counted.
const MAX_REPORTED_WORDS: (usize, usize) = (5, 20);

impl Utterance {
    /// What the voice does not do as it should, such as "leaves out the phonemes ʘ"; `None` if it
    /// speaks all of the text.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let told = |words: &[String]| {
            let (most, longest) = MAX_REPORTED_WORDS;
            let mut told: Vec<String> = (words.iter().take(most))
                .map(|word| match word.char_indices().nth(longest) {
                    Some((end, _)) => format!("{}…", &word[..end]),
                    None => word.clone(),
                })
                .collect();
            if words.len() > most {
                told.push(format!("and {} more", words.len() - most));
            }
            told.join(" ")
        };
        let is_told = |words: &Vec<String>| !words.is_empty();
        let all = self.spelled.iter().cloned();
        let (left_out, spelled): (Vec<_>, Vec<_>) = if self.sounds() == 0 {
            (all.collect(), Vec::new())
        } else {
            all.partition(|word| self.unknown.contains(word))
        };
        let problems = [
            Some(left_out)
                .filter(is_told)
                .map(|all| match self.sounds() {
                    0 => format!("can't read {}", told(&all)),
                    _ => format!("leaves out {}, which it can't read", told(&all)),
                }),
            Some(spelled)
                .filter(is_told)
                .map(|all| format!("can only spell, not read, {}", told(&all))),
            Some(self.unknown_phonemes())
                .filter(is_told)
                .map(|all| format!("leaves out the phonemes {}", told(&all))),
        ];
        let problems: Vec<_> = problems.into_iter().flatten().collect();
        Some(problems.join(", and ")).filter(|problem| !problem.is_empty())
    }

    /// The phonemes that the voice does not know.
    #[must_use]
    pub fn unknown_phonemes(&self) -> Vec<String> {
        let unknown = self.unknown.iter();
        let phonemes = unknown.filter(|unknown| !self.spelled.contains(unknown));
        phonemes.cloned().collect()
    }

    /// The same of a voice that names no letters of what it can't read.
    pub(in crate::speech) fn without_spelling(mut self) -> Self {
        self.unknown.extend_from_slice(&self.spelled);
        self
    }

    /// How many of the phonemes make a sound of their own: letters, without stress, length and
    /// punctuation. What the plausible length of a clip is reckoned from.
    #[must_use]
    pub fn sounds(&self) -> usize {
        // The modifiers ˈ ˌ ː and their kin are letters to Unicode, but make no sound alone.
        let modifier = |c: char| ('\u{2b0}'..='\u{2ff}').contains(&c);
        self.phonemes
            .chars()
            .filter(|&c| c.is_alphabetic() && !modifier(c))
            .count()
    }
}

/// A voice that is known and whose configuration is right; its model is not open yet.
pub trait Voice: Send + Sync {
    /// What is known of it.
    fn info(&self) -> &VoiceInfo;

    /// Opens the part that prepares text.
    ///
    /// # Errors
    /// [`SpeechError`] if a library it needs can't be used.
    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError>;

    /// Opens the model. Takes about a second and is broken off by `interrupt`.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], or whatever is wrong with the runtime or the model.
    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError>;

    /// Compares the layouts of its decoder; takes some seconds, and is broken off by `interrupt`. `None` if
    /// it has no choice.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], or whatever is wrong with the runtime or the model.
    fn compare_layouts(&self, _interrupt: &Interrupt) -> Result<Option<Comparison>, SpeechError> {
        Ok(None)
    }

    /// Begins to open the model for whoever opens it next, if that can be done in the background, and
    /// returns at once.
    fn warm_up(&self) {}

    /// Gives back what it holds for whoever may ask next, if nobody uses it now.
    fn rest(&self) {}

    /// Bytes of memory that it takes now, if it is in a process of its own.
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// Prepares text for a voice.
pub trait FrontEnd: Send + Sync {
    /// The text as the model wants it.
    ///
    /// # Errors
    /// [`SpeechError`] if the library that knows the phonemes fails.
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError>;
}

/// What a voice has said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Speech {
    /// Mono, at the voice's rate, about −1.0 to 1.0.
    pub samples: Vec<f32>,
    /// How many of the samples each of [`Utterance::ids`] takes, in order, all of them together; empty if
    /// the voice does not tell.
    pub durations: Vec<u32>,
    /// How long the model took for it, as if all of its threads had been at nothing else.
    pub work: Duration,
}

/// An open model.
pub trait Synthesizer {
    /// How many utterances ahead it makes use of.
    fn looks_ahead(&self) -> usize {
        0
    }

    /// What tells the model's bytes from others, if that is known.
    fn checksum(&self) -> Option<u32> {
        None
    }

    /// Stops whatever it has begun ahead, and forgets it.
    ///
    /// # Errors
    /// What the runtime said.
    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        Ok(())
    }

    /// Speaks an utterance. What comes `ahead` is asked for next, in that order and with the same
    /// settings, most likely; a voice may begin with it already, and says nothing of it before it is
    /// asked.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] if `interrupt` broke the run off, or what the runtime said.
    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError>;
}

/// Finds the family of a voice and reads its configuration. The model is looked at from outside
/// only, which tells a truncated or foreign file at once.
///
/// # Errors
/// [`SpeechError::Config`] or [`SpeechError::Model`], with what is wrong and where.
pub fn load(files: &VoiceFiles, runtime: &Runtime) -> Result<Arc<dyn Voice>, SpeechError> {
    check_envelope(&files.model)?;
    Ok(match files.family {
        Family::Piper => Arc::new(piper::PiperVoice::load(files, runtime)?),
        Family::Hibari => Arc::new(hibari::HibariVoice::load(files, runtime)?),
        Family::Kokoro => Arc::new(kokoro::KokoroVoice::load(files, runtime)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_left_out_are_told_from_those_that_are_spelled() {
        let mut utterance = Utterance {
            phonemes: "aʘ".into(),
            unknown: vec!["ʘ".into()],
            spelled: vec!["東京".into()],
            ..Utterance::default()
        };
        let problem = |utterance: &Utterance| utterance.problem().unwrap();
        assert_eq!(
            problem(&utterance),
            "can only spell, not read, 東京, and leaves out the phonemes ʘ"
        );
        utterance = utterance.without_spelling();
        assert_eq!(utterance.unknown_phonemes(), ["ʘ"]);
        assert_eq!(
            problem(&utterance),
            "leaves out 東京, which it can't read, and leaves out the phonemes ʘ"
        );
        utterance.phonemes.clear();
        assert!(problem(&utterance).starts_with("can't read 東京, and "));
        assert_eq!(Utterance::default().problem(), None);
    }
}
