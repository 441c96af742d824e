//! Where lexicons are: one for all texts beside the settings, and one beside a text.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::ComposeError;
use crate::files;
use crate::settings::Paths;
use crate::shortage::told;
use crate::text::reading::{Lexicon, LexiconError, with_word};

/// What the files beside the settings are called, and what a text's own end in. Of the two in one place
/// the second wins: it is written by hand, and mends what was imported.
const TOML: &str = "lexicon.toml";
const FILES: [(&str, Parse); 2] = [
    ("lexicon.pls", Lexicon::from_pls),
    (TOML, Lexicon::from_toml),
];

type Parse = fn(&str) -> Result<Lexicon, LexiconError>;

/// The largest lexicon, in bytes.
const MOST: u64 = 16 << 20;

/// What a person wants said for words in this text: what stands in `lexicon.toml` beside the settings,
/// and in `NAME.lexicon.toml` beside the text, which wins. In each place a lexicon in PLS may lie as
/// well, `lexicon.pls`, over which the one in TOML wins. Without these files nothing.
///
/// # Errors
/// [`ComposeError::Lexicon`], with the file and what is wrong with it.
pub fn lexicon_for(paths: &Paths, text: Option<&Path>) -> Result<Lexicon, ComposeError> {
    lexicon_with(paths, text, None)
}

fn lexicon_with(
    paths: &Paths,
    text: Option<&Path>,
    changed: Option<&ChangedLexicon>,
) -> Result<Lexicon, ComposeError> {
    let everywhere = FILES.map(|(file, parse)| (paths.config.join(file), parse));
    let beside = text.map(|text| FILES.map(|(file, parse)| (text.with_extension(file), parse)));
    let all = everywhere.into_iter().chain(beside.into_iter().flatten());
    all.map(|(path, parse)| match changed {
        Some(changed) if changed.path == path => parsed(&path, &changed.text, parse),
        _ => parsed(&path, &read(&path)?, parse),
    })
    .try_fold(Lexicon::default(), |all, more| Ok(all.with(more?)))
}

/// A lexicon with something else said for a word, before it is written.
#[derive(Debug)]
pub struct ChangedLexicon {
    word: String,
    /// The folder is made if it is not there: whose text has gone has none.
    makes_folder: bool,
    path: PathBuf,
    text: String,
}

impl ChangedLexicon {
    /// The lexicon in TOML beside the settings, or that of a text, with this said for a word.
    ///
    /// # Errors
    /// [`ComposeError::Lexicon`]: what is wrong with the word, or with the lexicon as it is.
    pub fn new(
        paths: &Paths,
        text: Option<&Path>,
        word: &str,
        said: &str,
    ) -> Result<Self, ComposeError> {
        let is_everywhere = text.is_none();
        let path = match text {
            Some(text) => text.with_extension(TOML),
            None => paths.config.join(TOML),
        };
        let changed = with_word(&read(&path)?, word, said);
        let changed = changed.map_err(|error| failed(&path, error.to_string()))?;
        Ok(Self {
            word: word.to_owned(),
            makes_folder: is_everywhere,
            path,
            text: changed,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the lexicon beside a text says something for the word as well, which wins over this one.
    ///
    /// # Errors
    /// [`ComposeError::Lexicon`]
    pub fn is_overruled(&self, text: Option<&Path>) -> Result<bool, ComposeError> {
        for (file, parse) in FILES {
            let Some(path) = text.map(|text| text.with_extension(file)) else {
                continue;
            };
            if parsed(&path, &read(&path)?, parse)?.knows(&self.word) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`lexicon_for`], once it is written.
    ///
    /// # Errors
    /// As [`lexicon_for`].
    pub fn lexicon_for(&self, paths: &Paths, text: Option<&Path>) -> Result<Lexicon, ComposeError> {
        lexicon_with(paths, text, Some(self))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`ComposeError::Lexicon`]: what the disk says.
    pub fn write(&self) -> Result<(), ComposeError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let there = match self.makes_folder {
            true => files::create_folders(folder),
            false => Ok(()),
        };
        there
            .and_then(|()| files::replace(&self.path, self.text.as_bytes()))
            .map_err(|error| failed(&self.path, told(&error)))
    }
}

fn failed(path: &Path, reason: String) -> ComposeError {
    let path = path.to_owned();
    ComposeError::Lexicon { path, reason }
}

fn parsed(path: &Path, text: &str, parse: Parse) -> Result<Lexicon, ComposeError> {
    if text.is_empty() {
        return Ok(Lexicon::default());
    }
    parse(text).map_err(|error| failed(path, error.to_string()))
}

/// What is in a file; nothing if there is none.
fn read(path: &Path) -> Result<String, ComposeError> {
    let failed = |reason: String| failed(path, reason);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        // A pipe could be waited for, or read, for ever.
        Ok(metadata) if !metadata.is_file() => return Err(failed("it is no file".to_owned())),
        Err(error) => return Err(failed(told(&error))),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(told(&error)))?;
    if bytes.len() as u64 > MOST {
        return Err(failed(format!("it is larger than {MOST} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
