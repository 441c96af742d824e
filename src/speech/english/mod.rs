//! English text in phonemes of Kokoro's alphabet, without eSpeak: what is listed is looked up by its part of
//! speech, forms of it are made by rule, and a small model reads the rest. Numbers, dates and abbreviations
//! are words before they come here. Nothing is left out in silence: what can't be read is named.

mod digits;
mod endings;
mod files;
mod lexicon;
mod reader;
mod sounds;
mod stress;
mod table;
mod tagger;
#[cfg(test)]
mod tests;
mod tokens;
mod unknown;
mod words;

use std::path::Path;
use std::thread;

use super::SpeechError;
use super::read::Read;
use lexicon::Lexicon;
use reader::Exceptions;
use tagger::Tagger;
use unknown::Unknown;

/// Which English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    American,
    British,
}

impl Dialect {
    /// That of the lexicons in a folder; American English where both are, or none.
    pub(super) fn of(folder: &Path) -> Self {
        let is_there = |of: &str| folder.join(format!("lexicon_{of}_gold.json.gz")).is_file();
        if is_there("gb") && !is_there("us") {
            Self::British
        } else {
            Self::American
        }
    }

    /// Its BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::American => "en-US",
            Self::British => "en-GB",
        }
    }
}

/// Reads English. Any number of threads may ask; those with unknown words wait for each other.
pub(super) struct English {
    dialect: Dialect,
    lexicon: Lexicon,
    tagger: Tagger,
    exceptions: Exceptions,
    unknown: Unknown,
}

impl English {
    /// `folder` holds the wheel's files under their names; `library` is ONNX Runtime's shared library, which
    /// is loaded when the first word comes that no list has.
    ///
    /// # Errors
    /// [`SpeechError::Config`] with the file that can't be used.
    pub(super) fn open(
        folder: &Path,
        library: &Path,
        dialect: Dialect,
    ) -> Result<Self, SpeechError> {
        // The lists and the tagger's weights take about as long to read, and neither needs the other.
        let path = folder.join("tagger.json.gz");
        let (lexicon, tagger) = thread::scope(|scope| {
            let name = "aloud-tagger".to_owned();
            let tagger = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || Tagger::open(&path));
            let lexicon = Lexicon::open(folder, dialect);
            let tagger = match tagger.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(tagger)) => tagger,
                // There is no thread to be had, or it has panicked.
                Ok(Err(_)) | Err(_) => Tagger::open(&path),
            };
            (lexicon, tagger)
        });
        Ok(Self {
            dialect,
            lexicon: lexicon?,
            tagger: tagger?,
            exceptions: files::parse(&folder.join("tokenizer_exceptions.json"))?,
            unknown: Unknown::new(folder, library, dialect)?,
        })
    }

    /// The phonemes of a sentence or so.
    ///
    /// # Errors
    /// [`SpeechError`] if the model for unknown words can't be opened or run.
    pub(super) fn read(&self, text: &str) -> Result<Read, SpeechError> {
        let is_word = |word: &str| {
            let is_shouted = words::is_all_capitals(word) && self.lexicon.has(&word.to_lowercase());
            is_shouted || self.lexicon.get(word).is_some()
        };
        let tokens = tokens::tokens(text, &is_word);
        self.say(text, tokens)
    }
}
