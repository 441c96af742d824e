//! What can be wrong with the settings. Every message names the setting, the place it was
//! written and what would be right; it must never be about a value that nobody gave.

use std::path::PathBuf;

use crate::shortage::advice;
use crate::text::DecodeError;

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no home folder to derive the other folders from.
    #[error(
        "no home folder was found, so there is nowhere to keep settings and voices: \
         set HOME, or set ALOUD_HOME to a folder of your choice"
    )]
    NoHome,
    /// A folder given in the environment can't be used as a path.
    #[error("{variable} can't be used as a folder ({why}): set it to a folder, or unset it")]
    BadFolder {
        /// The environment variable.
        variable: &'static str,
        /// What the system said.
        why: String,
    },
    /// `config.toml` is a folder, a device or the like.
    #[error("the settings file {} is not a file: move it away, or put a TOML file in its place", path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
    },
    /// `config.toml` exists and could not be read.
    #[error(
        "the settings file {} could not be read ({source}): {}",
        path.display(),
        advice(source, "check its permissions")
    )]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `config.toml` is no text that could be read.
    #[error("the settings file {} can't be used: {}", path.display(), not_text(source))]
    NotText {
        /// Where it is.
        path: PathBuf,
        /// What is in it instead, and what to do.
        source: DecodeError,
    },
    /// `config.toml` is not TOML.
    #[error("{}:{line}: this is not valid TOML ({why}): correct this line", path.display())]
    Syntax {
        /// Where it is.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        why: String,
    },
    /// `config.toml` has a key that no setting has.
    #[error("{}:{line}: there is no setting `{key}`{}", path.display(), suggest(nearest.as_deref()))]
    UnknownKey {
        /// Where it is.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, with its table: `pauses.sentence_ms`.
        key: String,
        /// The setting that is spelled most like it, if any is.
        nearest: Option<String>,
    },
    /// A value has the wrong type or is out of range.
    #[error("{place}: `{name}` {problem} (it is {given})")]
    BadValue {
        /// Where it was given: `config.toml:3`, `ALOUD_SPEED` or `the command line`.
        place: String,
        /// The setting.
        name: String,
        /// What it must be: "must be a number from 0.25 to 4".
        problem: String,
        /// What it is, made safe to print.
        given: String,
    },
}

fn not_text(source: &DecodeError) -> String {
    match source {
        DecodeError::Binary { what, .. } => format!("it {what}; put a TOML file in its place"),
        other => other.to_string(),
    }
}

fn suggest(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!(": did you mean `{name}`?"),
        None => ": remove this line; `aloud doctor` lists all settings".to_owned(),
    }
}

/// Text from outside, safe to print on a terminal: nothing in it moves the cursor, changes
/// colours or turns the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    crate::text::printable(text).into_owned()
}

/// So many characters of a value are shown.
const LONGEST_VALUE: usize = 100;

/// A value, or a key that could be anything, for a message: it may be as long as the file.
pub(super) fn shown(text: &str) -> String {
    crate::text::excerpt(text, LONGEST_VALUE)
}
