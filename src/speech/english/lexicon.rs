//! The phonemes of words that are listed: a list that people have looked at ("gold") and one that is made
//! from others ("silver"). A word may have several readings, by its part of speech.

use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::Dialect;
use super::files::{self, Member, Object};
use super::table::{Builder, Table};
use crate::speech::SpeechError;

/// Where the phonemes of a word are in the string of a list.
type List = Table<(u32, u32)>;

pub(super) struct Lexicon {
    gold: List,
    silver: List,
}

/// What is listed for a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// The phonemes; or for each reading a line of its name, a tab and the phonemes.
    text: &'a str,
    /// Whether people have looked at it.
    pub is_gold: bool,
}

impl<'a> Entry<'a> {
    /// What a word of this part of speech is read as; `pauses` tells that a pause follows. `None` where the
    /// list says that such a word has no reading, as the name "AA".
    pub(super) fn reading(self, tag: &str, pauses: bool) -> Option<&'a str> {
        if !self.text.contains('\t') {
            return Some(self.text);
        }
        let named = |name: &str| {
            let mut lines = self.text.lines().filter_map(|line| line.split_once('\t'));
            lines.find_map(|(of, phonemes)| (of == name).then_some(phonemes))
        };
        let paused = named("None").filter(|_| pauses);
        let found = paused
            .or_else(|| named(tag))
            .or_else(|| named(class(tag)))
            .or_else(|| named("DEFAULT"))?;
        Some(found).filter(|phonemes| !phonemes.is_empty())
    }
}

/// The kind of words that the list tells apart.
fn class(tag: &str) -> &str {
    match tag.get(..2) {
        Some("VB") => "VERB",
        Some("NN") => "NOUN",
        Some("RB") => "ADV",
        Some("JJ") => "ADJ",
        _ => tag,
    }
}

impl Lexicon {
    /// # Errors
    /// [`SpeechError::Config`].
    pub(super) fn open(folder: &Path, dialect: Dialect) -> Result<Self, SpeechError> {
        let of = match dialect {
            Dialect::American => "us",
            Dialect::British => "gb",
        };
        let open = |list: &str| -> Result<List, SpeechError> {
            let mut words = Builder::default();
            let path = folder.join(format!("lexicon_{of}_{list}.json.gz"));
            files::parse_into(&path, Object(Words(&mut words)))?;
            Ok(words.finish())
        };
        Ok(Self {
            gold: open("gold")?,
            silver: open("silver")?,
        })
    }

    /// What is listed for a word as it is written, or with its first letter in the other case.
    pub(super) fn get(&self, word: &str) -> Option<Entry<'_>> {
        let other = other_case(word);
        let mut lists = [(&self.gold, true), (&self.silver, false)].into_iter();
        lists.find_map(|(list, is_gold)| {
            let found = list.get(word);
            let (start, end) = found.or_else(|| list.get(other.as_deref()?))?;
            let text = list.slice(start, end);
            Some(Entry { text, is_gold })
        })
    }

    /// Whether a word is listed as it is written.
    pub(super) fn has(&self, word: &str) -> bool {
        self.gold.get(word).is_some() || self.silver.get(word).is_some()
    }
}

/// "alice" for "Alice", "'tis" for "'Tis" and the reverse, where only the first letter may be a capital. Single
/// letters are what they are.
fn other_case(word: &str) -> Option<String> {
    let (apostrophe, letters) = match word.strip_prefix('\'') {
        Some(letters) => ("'", letters),
        None => ("", word),
    };
    let mut chars = letters.chars();
    let first = chars.next()?;
    let rest = chars.as_str();
    if rest.is_empty() || rest.contains(char::is_uppercase) {
        return None;
    }
    let other: String = if first.is_uppercase() {
        first.to_lowercase().chain(rest.chars()).collect()
    } else if first.is_lowercase() {
        first.to_uppercase().chain(rest.chars()).collect()
    } else {
        return None;
    };
    Some(format!("{apostrophe}{other}"))
}

/// Takes the words of a list in.
struct Words<'a>(&'a mut Builder<(u32, u32)>);

impl Member for Words<'_> {
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        let word = self.0.text(key);
        let readings = map.next_value_seed(Readings(self.0))?;
        self.0.add(word, readings);
        Ok(())
    }
}

/// Takes the readings of a word in, and tells where they are.
struct Readings<'a>(&'a mut Builder<(u32, u32)>);

impl<'de> DeserializeSeed<'de> for Readings<'_> {
    type Value = (u32, u32);

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(u32, u32), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readings<'_> {
    type Value = (u32, u32);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("phonemes, or an object of them by their parts of speech")
    }

    fn visit_str<E>(self, phonemes: &str) -> Result<(u32, u32), E> {
        Ok(self.0.text(phonemes))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(u32, u32), M::Error> {
        let mut lines = String::new();
        while let Some(files::Text(tag)) = map.next_key()? {
            let phonemes = map.next_value::<Option<files::Text<'_>>>()?;
            let phonemes = phonemes.as_ref().map_or("", |phonemes| &phonemes.0);
            lines.extend([&*tag, "\t", phonemes, "\n"]);
        }
        Ok(self.0.text(&lines))
    }
}
