//! Words that no list has: a small model reads their letters. It is opened when the first such word comes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::Dialect;
use super::files::{self, unusable};
use crate::engine::Interrupt;
use crate::speech::SpeechError;
use crate::speech::onnx::{Inputs, Model, Opener, Stop};

/// So many words are remembered; then it begins again.
const MOST_WORDS: usize = 10_000;

pub(super) struct Unknown {
    model: PathBuf,
    library: PathBuf,
    alphabet: Alphabet,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<(Model, Stop)>,
    known: HashMap<String, String>,
}

/// The file beside the model.
#[derive(Deserialize)]
struct Alphabet {
    /// The letters that it knows; the first has the number 1.
    #[serde(rename = "in")]
    letters: Vec<String>,
    /// The phonemes; the first has the number 1, and 0 is none.
    #[serde(rename = "out")]
    phonemes: Vec<String>,
    /// So many letters it reads at once.
    maxlen: usize,
}

impl Unknown {
    /// # Errors
    /// [`SpeechError::Config`].
    pub(super) fn new(
        folder: &Path,
        library: &Path,
        dialect: Dialect,
    ) -> Result<Self, SpeechError> {
        let name = match dialect {
            Dialect::American => "oov",
            Dialect::British => "oov_gb",
        };
        let path = folder.join(format!("{name}.json"));
        let alphabet: Alphabet = files::parse(&path)?;
        if alphabet.maxlen == 0 {
            return Err(unusable(&path, "its words have no length"));
        }
        Ok(Self {
            model: folder.join(format!("{name}.onnx")),
            library: library.to_owned(),
            alphabet,
            state: Mutex::default(),
        })
    }

    /// The phonemes of a word; empty if it knows none of its letters.
    ///
    /// # Errors
    /// [`SpeechError`] if the model can't be opened or run.
    pub(super) fn read(&self, word: &str) -> Result<String, SpeechError> {
        let letters = word.chars().filter_map(|c| {
            let known = &self.alphabet.letters;
            let at = known.iter().position(|letter| letter.chars().eq([c]))?;
            i64::try_from(at + 1).ok()
        });
        let letters: Vec<i64> = letters.collect();
        if letters.is_empty() {
            return Ok(String::new());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(phonemes) = state.known.get(word) {
            return Ok(phonemes.clone());
        }
        if state.open.is_none() {
            state.open = Some(self.open()?);
        }
        let Some((model, stop)) = &mut state.open else {
            return Ok(String::new());
        };
        let mut phonemes = String::new();
        // A word that is too long for it is read in parts, or its end would be lost.
        for part in letters.chunks(self.alphabet.maxlen) {
            let mut inputs = Inputs::default();
            let length = i64::try_from(part.len()).unwrap_or(i64::MAX);
            inputs.add("chars", vec![1, length], part.to_vec())?;
            phonemes += &self.phonemes(&model.run_whole(inputs, stop)?);
        }
        if state.known.len() >= MOST_WORDS {
            state.known.clear();
        }
        state.known.insert(word.to_owned(), phonemes.clone());
        Ok(phonemes)
    }

    /// A word with those of its letters put otherwise that the model does not know.
    pub(super) fn in_its_letters(&self, word: &str, other: impl Fn(&str) -> String) -> String {
        let known = &self.alphabet.letters;
        let letters = word.chars().map(|c| {
            let letter = c.to_string();
            if c.is_ascii() || known.contains(&letter) {
                letter
            } else {
                other(&letter)
            }
        });
        letters.collect()
    }

    fn open(&self) -> Result<(Model, Stop), SpeechError> {
        let interrupt = Interrupt::default();
        let opener = Opener::new(&self.model, &self.library, &interrupt)?;
        let model = opener.open(opener.read(1)?, 1)?;
        Ok((model, Stop::new()?))
    }

    /// What the model says, without repetitions and gaps, and without what is no phoneme.
    fn phonemes(&self, numbers: &[i64]) -> String {
        let mut phonemes = String::new();
        let mut last = 0;
        for &number in numbers {
            if number != last && number > 0 {
                let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
                let phoneme = self.alphabet.phonemes.get(at).map_or("", String::as_str);
                match phoneme {
                    // Names are said as several words: "FitzGerald".
                    " " if !phonemes.is_empty() && !phonemes.ends_with(' ') => phonemes.push(' '),
                    " " | "(" | ")" | "-" | "1" | "ʀ" => {}
                    // It says the r of "cetera" twice, which no English word has.
                    "ɹ" if phonemes.ends_with('ɹ') => {}
                    phoneme => phonemes.push_str(phoneme),
                }
            }
            last = number;
        }
        phonemes.truncate(phonemes.trim_end().len());
        phonemes
    }
}
