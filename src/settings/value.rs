//! How one setting is read from a file, the environment or a flag, and shown again. It knows
//! types only, never names: ranges belong to the table of settings.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::chapters::ChapterVoices;
use super::error::shown;
use crate::speech::{Layout, Speaker};
use crate::text::reading::{Addresses, Dates, Emoji, NoteMarks, Urls, Years};

/// A value as `config.toml` holds it, reduced to what settings need.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A string.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A list of strings.
    Words(Vec<String>),
    /// Anything else, by the name of its type.
    Other(&'static str),
}

impl Raw {
    /// The value as a person would write it, for error messages: short, and safe to print.
    pub(super) fn show(&self) -> String {
        match self {
            Raw::Text(text) => format!("{:?}", shown(text)),
            Raw::Int(number) => number.to_string(),
            Raw::Float(number) => number.to_string(),
            Raw::Words(_) => "a list".to_owned(),
            Raw::Other(kind) => (*kind).to_owned(),
        }
    }
}

/// A type that settings can have.
pub trait Setting: Sized {
    /// What a flag hands over: the value itself, without the choice of having none.
    type Flag;
    /// What the value must be, in words: "must be a number".
    const WANTS: &'static str;
    /// Whether it is never to be shown, not even where it is wrong.
    const IS_SECRET: bool = false;
    /// From a flag.
    fn from_flag(flag: Self::Flag) -> Self;
    /// From a file's value; relative paths start at `base`. `None` if the type is wrong.
    fn from_raw(raw: &Raw, base: &Path) -> Option<Self>;
    /// From the text of an environment variable. `None` if it can't be read so.
    fn from_text(text: &str) -> Option<Self>;
    /// The value for a person.
    fn show(&self) -> String;
}

macro_rules! whole_number {
    ($($ty:ty),*) => {$(
        impl Setting for $ty {
            type Flag = $ty;
            const WANTS: &'static str = "must be a whole number, 0 or more";
            fn from_flag(flag: $ty) -> $ty { flag }
            fn from_raw(raw: &Raw, _: &Path) -> Option<$ty> {
                match raw { Raw::Int(number) => (*number).try_into().ok(), _ => None }
            }
            fn from_text(text: &str) -> Option<$ty> { text.parse().ok() }
            fn show(&self) -> String { self.to_string() }
        }
    )*};
}
whole_number!(u32, usize);

impl Setting for Speaker {
    type Flag = Speaker;
    const WANTS: &'static str = "must be the number or the name of one of the voice's speakers";
    fn from_flag(flag: Speaker) -> Speaker {
        flag
    }
    fn from_raw(raw: &Raw, _: &Path) -> Option<Speaker> {
        match raw {
            Raw::Int(number) => Some(Speaker::Number((*number).try_into().ok()?)),
            Raw::Text(text) => Self::from_text(text),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<Speaker> {
        text.parse().ok().filter(|_| !text.trim().is_empty())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for ChapterVoices {
    type Flag = ChapterVoices;
    const WANTS: &'static str =
        "must be chapters with their voices, as \"1=af_heart, 3-5=bf_emma\"";
    fn from_flag(flag: ChapterVoices) -> ChapterVoices {
        flag
    }
    fn from_raw(raw: &Raw, _: &Path) -> Option<ChapterVoices> {
        match raw {
            Raw::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<ChapterVoices> {
        text.parse().ok()
    }
    fn show(&self) -> String {
        if self.is_empty() {
            "none".to_owned()
        } else {
            self.to_string()
        }
    }
}

impl Setting for f32 {
    type Flag = f32;
    const WANTS: &'static str = "must be a number";
    fn from_flag(flag: f32) -> f32 {
        flag
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a speed needs no more digits"
    )]
    fn from_raw(raw: &Raw, _: &Path) -> Option<f32> {
        match raw {
            Raw::Int(number) => Some(*number as f32),
            Raw::Float(number) => Some(*number as f32),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<f32> {
        text.parse().ok()
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for String {
    type Flag = String;
    const WANTS: &'static str = "must be a text in quotation marks";
    fn from_flag(flag: String) -> String {
        flag
    }
    fn from_raw(raw: &Raw, _: &Path) -> Option<String> {
        match raw {
            Raw::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    type Flag = PathBuf;
    const WANTS: &'static str = "must be a path in quotation marks";
    fn from_flag(flag: PathBuf) -> PathBuf {
        flag
    }
    fn from_raw(raw: &Raw, base: &Path) -> Option<PathBuf> {
        match raw {
            Raw::Text(text) => Some(base.join(PathBuf::from_text(text)?)),
            _ => None,
        }
    }
    /// A leading `~/` is the home folder: no shell expands it in a file.
    fn from_text(text: &str) -> Option<PathBuf> {
        match text.strip_prefix("~/") {
            Some(rest) => Some(etcetera::home_dir().ok()?.join(rest)),
            None => Some(PathBuf::from(text)),
        }
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

/// A text that is never shown: a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What it is; for whoever compares it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Setting for Secret {
    type Flag = Secret;
    const WANTS: &'static str = String::WANTS;
    const IS_SECRET: bool = true;
    fn from_flag(flag: Secret) -> Secret {
        flag
    }
    fn from_raw(raw: &Raw, base: &Path) -> Option<Secret> {
        String::from_raw(raw, base).map(Secret)
    }
    fn from_text(text: &str) -> Option<Secret> {
        Some(text.into())
    }
    fn show(&self) -> String {
        "(set)".to_owned()
    }
}

/// Words separated by blanks or commas.
impl Setting for Vec<String> {
    type Flag = Vec<String>;
    const WANTS: &'static str = "must be words in quotation marks, separated by blanks";
    fn from_flag(flag: Vec<String>) -> Vec<String> {
        flag
    }
    fn from_raw(raw: &Raw, _: &Path) -> Option<Vec<String>> {
        match raw {
            Raw::Text(text) => Self::from_text(text),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<Vec<String>> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        let words = words.filter(|word| !word.is_empty());
        Some(words.map(str::to_owned).collect())
    }
    fn show(&self) -> String {
        self.join(" ")
    }
}

/// Durations are written in seconds, with a fraction if need be.
impl Setting for Duration {
    type Flag = Duration;
    const WANTS: &'static str = "must be a number of seconds, 0 or more";
    fn from_flag(flag: Duration) -> Duration {
        flag
    }
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 seconds")]
    fn from_raw(raw: &Raw, _: &Path) -> Option<Duration> {
        match raw {
            Raw::Int(number) => Duration::try_from_secs_f64(*number as f64).ok(),
            Raw::Float(number) => Duration::try_from_secs_f64(*number).ok(),
            _ => None,
        }
    }
    fn from_text(text: &str) -> Option<Duration> {
        Duration::try_from_secs_f64(text.parse().ok()?).ok()
    }
    fn show(&self) -> String {
        format!("{} s", self.as_secs_f64())
    }
}

/// A setting that is one of a few words becomes an enum.
macro_rules! choice {
    (
        $(#[$about:meta])*
        $name:ident, $wants:literal: $($(#[$doc:meta])* $word:literal => $variant:ident,)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        words! { $name, $wants: $($word => $variant,)* }
    };
}

/// How the words of a setting stand for the variants of an enum.
macro_rules! words {
    ($name:ident, $wants:literal: $($word:literal => $variant:ident,)*) => {
        impl Setting for $name {
            type Flag = $name;
            const WANTS: &'static str = $wants;
            fn from_flag(flag: $name) -> $name { flag }
            fn from_raw(raw: &Raw, _: &Path) -> Option<$name> {
                match raw { Raw::Text(text) => $name::from_text(text), _ => None }
            }
            fn from_text(text: &str) -> Option<$name> {
                match text { $($word => Some($name::$variant),)* _ => None }
            }
            fn show(&self) -> String {
                match self { $($name::$variant => $word,)* }.to_owned()
            }
        }
    };
}

choice! {
    /// Which symbols the monitor draws with.
    Symbols, "must be \"auto\", \"unicode\" or \"ascii\"":
    /// Whichever the locale and the terminal are good for.
    #[default]
    "auto" => Auto,
    /// All that the views use.
    "unicode" => Unicode,
    /// Only those of ASCII, for fonts and encodings that lack the others.
    "ascii" => Ascii,
}

choice! {
    /// What happens to the work when nobody can see the screen any more.
    OnHangup, "must be \"hand-over\", \"finish\" or \"stop\"":
    /// The segment in work is finished, and `aloud serve` goes on in the background.
    #[default]
    "hand-over" => HandOver,
    /// It continues to the end.
    "finish" => Finish,
    /// The segment in work is finished; what is left continues at the next start.
    "stop" => Stop,
}

words! {
    Layout, "must be \"plain\" or \"blocked\"":
    "plain" => Plain,
    "blocked" => Blocked,
}

words! {
    Years, "must be \"pairs\" or \"numbers\"":
    "pairs" => Pairs,
    "numbers" => Numbers,
}

words! {
    Dates, "must be \"local\", \"month-first\" or \"day-first\"":
    "local" => Local,
    "month-first" => MonthFirst,
    "day-first" => DayFirst,
}

words! {
    NoteMarks, "must be \"silent\" or \"spoken\"":
    "silent" => Silent,
    "spoken" => Spoken,
}

words! {
    Urls, "must be \"host\", \"whole\" or \"silent\"":
    "host" => Host,
    "whole" => Whole,
    "silent" => Silent,
}

words! {
    Addresses, "must be \"spoken\" or \"silent\"":
    "spoken" => Spoken,
    "silent" => Silent,
}

words! {
    Emoji, "must be \"silent\" or \"named\"":
    "silent" => Silent,
    "named" => Named,
}

/// A setting that may be left open: written `"none"`.
impl<T: Setting> Setting for Option<T> {
    type Flag = T::Flag;
    const WANTS: &'static str = T::WANTS;
    const IS_SECRET: bool = T::IS_SECRET;
    fn from_flag(flag: T::Flag) -> Option<T> {
        Some(T::from_flag(flag))
    }
    fn from_raw(raw: &Raw, base: &Path) -> Option<Option<T>> {
        match raw {
            Raw::Text(text) if text == "none" => Some(None),
            other => T::from_raw(other, base).map(Some),
        }
    }
    fn from_text(text: &str) -> Option<Option<T>> {
        if text == "none" {
            Some(None)
        } else {
            T::from_text(text).map(Some)
        }
    }
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::show)
    }
}
