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
    /// The file beside the model.
    file: PathBuf,
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
    /// So many numbers it says for a letter.
    slots: usize,
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
        if alphabet.phonemes.is_empty() && !alphabet.letters.is_empty() {
            return Err(unusable(&path, "it has letters and no phonemes"));
        }
        Ok(Self {
            model: folder.join(format!("{name}.onnx")),
            file: path,
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
            phonemes += &self.phonemes(&self.run(part, model, stop)?)?;
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
        let mut model = opener.open(opener.read(1)?, 1)?;
        let stop = Stop::new()?;
        // A model of fewer letters would fail at some word, long after this.
        let last = i64::try_from(self.alphabet.letters.len()).unwrap_or(i64::MAX);
        self.run(&[last], &mut model, &stop)?;
        Ok((model, stop))
    }

    /// What the model says for letters.
    fn run(
        &self,
        letters: &[i64],
        model: &mut Model,
        stop: &Stop,
    ) -> Result<Vec<i64>, SpeechError> {
        let mut inputs = Inputs::default();
        let length = i64::try_from(letters.len()).unwrap_or(i64::MAX);
        inputs.add("chars", vec![1, length], letters.to_vec())?;
        let numbers = model.run_whole(inputs, stop).map_err(|error| match error {
            SpeechError::Run(reason) => self.misfit(&reason),
            error => error,
        })?;
        let expected = letters.len() * self.alphabet.slots;
        if numbers.len() != expected {
            let said = numbers.len();
            return Err(self.misfit(&format!("it says {said} numbers for {expected}")));
        }
        Ok(numbers)
    }

    /// The error that the model and the file beside it are not of one voice.
    fn misfit(&self, reason: &str) -> SpeechError {
        SpeechError::Model {
            path: self.model.clone(),
            reason: format!("it does not fit {}: {reason}", self.file.display()),
        }
    }

    /// What the model says, without repetitions and gaps, and without what is no phoneme.
    fn phonemes(&self, numbers: &[i64]) -> Result<String, SpeechError> {
        let mut phonemes = String::new();
        let mut last = 0;
        for &number in numbers {
            if number != last && number > 0 {
                let all = &self.alphabet.phonemes;
                let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
                let Some(phoneme) = all.get(at) else {
                    let known = all.len();
                    return Err(self.misfit(&format!("it says phoneme {number} of {known}")));
                };
                match phoneme.as_str() {
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
        Ok(phonemes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(file: &str) -> Result<Unknown, SpeechError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("oov.json"), file).unwrap();
        Unknown::new(folder.path(), Path::new("nowhere"), Dialect::American)
    }

    #[test]
    fn a_file_that_does_not_fit_its_model_is_named() {
        let file = r#"{"in": ["a"], "out": ["ɹ", "a"], "maxlen": 24, "slots": 4}"#;
        let unknown = unknown(file).unwrap();
        assert_eq!(unknown.phonemes(&[2, 0, 1, 1, 0, 1, 2]).unwrap(), "aɹa");
        let error = unknown.phonemes(&[2, 3]).unwrap_err().to_string();
        assert!(error.contains("oov.onnx can't be used"), "{error}");
        assert!(
            error.contains("oov.json: it says phoneme 3 of 2"),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_phonemes_is_refused() {
        let told = |file: &str| unknown(file).err().unwrap().to_string();
        let without = r#"{"in": ["a"], "out": [], "maxlen": 24, "slots": 4}"#;
        assert!(told(without).contains("no phonemes"));
        let endless = r#"{"in": [], "out": [], "maxlen": 0, "slots": 4}"#;
        assert!(told(endless).contains("no length"));
    }
}
