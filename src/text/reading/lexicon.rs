//! What a person wants said for a word: names, foreign words, whatever the rules or the voice say
//! otherwise. Words are whole and the longest come first; patterns are there for those who ask. A
//! lexicon wins over every rule, and what it says is read no further.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::edits::Edit;
use super::tokens::{Kind, Token, tokens};

/// What is wrong with a lexicon. Completes "can't use the lexicon FILE: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexiconError {
    /// It is no TOML.
    #[error("{0}")]
    Toml(String),
    /// A word has something else than words or phonemes.
    #[error(
        "`{word}` must have a text in quotation marks: other words, or phonemes between slashes, \
         such as \"/ˈoʊmən/\""
    )]
    Value {
        /// The word.
        word: String,
    },
    /// There is no word to say something else for.
    #[error("a word must have letters or digits, and `{word}` has none")]
    NoWord {
        /// What stands in its place.
        word: String,
    },
    /// It is no PLS document, or has what is not read of them.
    #[error("at byte {at}: {reason}")]
    Pls {
        /// Where, in bytes from the beginning.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// A pattern is none.
    #[error("the pattern `{pattern}` is wrong: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
}

/// What is said for words.
///
/// ```
/// use aloud::text::reading::{Lexicon, Taste, apply, read};
///
/// let lexicon = Lexicon::from_toml("Leith = \"leeth\"\n\"Omán\" = \"/ˈoʊmən/\"")?;
/// let text = "Leith is far from Omán.";
/// let edits = read(text, "en", &Taste::default(), &lexicon);
/// assert_eq!(apply(text, &edits), "leeth is far from [[ˈoʊmən]].");
/// # Ok::<(), aloud::text::reading::LexiconError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    /// By the first piece of each, in small letters.
    words: HashMap<String, Entries>,
    patterns: Vec<(Regex, Box<str>)>,
}

/// The words that begin with one piece, and what is said for them, by their length in bytes; the longest
/// first. However many there are, a place in a text is compared with one of each length.
#[derive(Debug, Clone, Default)]
struct Entries(BTreeMap<Reverse<usize>, HashMap<Box<str>, Box<str>>>);

impl Entries {
    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.0.keys().map(|Reverse(length)| *length)
    }

    /// What is said for what is written. A word in small letters is meant however it is written; one with
    /// capitals only so.
    fn said(&self, written: &str) -> Option<&str> {
        let words = self.0.get(&Reverse(written.len()))?;
        let said = words.get(written);
        let said = said.or_else(|| words.get(written.to_lowercase().as_str()));
        said.map(|said| &**said)
    }
}

impl Lexicon {
    /// Reads one line a word: `Leith = "leeth"`, `"Omán Rd" = "/ˈoʊmən/ road"`, and a table
    /// `[patterns]` of regular expressions with what is said for them, where `$1` is their first group.
    ///
    /// # Errors
    /// [`LexiconError`]
    pub fn from_toml(text: &str) -> Result<Self, LexiconError> {
        let table: toml::Table =
            toml::from_str(text).map_err(|error| LexiconError::Toml(error.to_string()))?;
        let mut lexicon = Self::default();
        for (word, value) in &table {
            match value {
                toml::Value::String(said) => lexicon.add(word, said)?,
                toml::Value::Table(patterns) if word == "patterns" => {
                    for (pattern, value) in patterns {
                        let toml::Value::String(said) = value else {
                            return Err(LexiconError::Value {
                                word: pattern.clone(),
                            });
                        };
                        lexicon.add_pattern(pattern, said)?;
                    }
                }
                toml::Value::Table(words) if word == "words" => {
                    for (word, value) in words {
                        let toml::Value::String(said) = value else {
                            return Err(LexiconError::Value { word: word.clone() });
                        };
                        lexicon.add(word, said)?;
                    }
                }
                _ => return Err(LexiconError::Value { word: word.clone() }),
            }
        }
        Ok(lexicon)
    }

    /// Adds a word; one that is known already is said otherwise from now on.
    ///
    /// # Errors
    /// [`LexiconError::NoWord`]
    pub fn add(&mut self, word: &str, said: &str) -> Result<(), LexiconError> {
        self.put(word, &phonemes_marked(said))
    }

    /// The same with what is said as it is for a voice: phonemes in their marks, slashes as signs.
    pub(super) fn put(&mut self, word: &str, said: &str) -> Result<(), LexiconError> {
        let word = normal(word);
        let none = || LexiconError::NoWord { word: word.clone() };
        let first = first_piece(&word).ok_or_else(none)?;
        self.insert(first, word.clone(), said);
        // A text has the other apostrophe as often.
        let other = match word.contains('\'') {
            true => word.replace('\'', "’"),
            false => word.replace('’', "'"),
        };
        if other != word
            && let Some(first) = first_piece(&other)
        {
            self.insert(first, other, said);
        }
        Ok(())
    }

    fn insert(&mut self, first: String, word: String, said: &str) {
        let Entries(by_length) = self.words.entry(first).or_default();
        let words = by_length.entry(Reverse(word.len())).or_default();
        words.insert(word.into(), said.into());
    }

    fn add_pattern(&mut self, pattern: &str, said: &str) -> Result<(), LexiconError> {
        const LARGEST: usize = 1 << 20;
        let pattern = regex::RegexBuilder::new(pattern)
            .size_limit(LARGEST)
            .build()
            .map_err(|error| LexiconError::Pattern {
                pattern: pattern.to_owned(),
                reason: error.to_string(),
            })?;
        if let Some(unknown) = unknown_group(&pattern, said) {
            return Err(LexiconError::Pattern {
                pattern: pattern.as_str().to_owned(),
                reason: format!(
                    "it has no group `{unknown}`, which its words ask for; a group before letters is \
                     written as `${{1}}`, and a dollar as `$$`"
                ),
            });
        }
        self.patterns.push((pattern, phonemes_marked(said).into()));
        Ok(())
    }

    /// This one, with the words of another, which win.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        for (first, Entries(lengths)) in other.words {
            let Entries(mine) = self.words.entry(first).or_default();
            for (length, words) in lengths {
                mine.entry(length).or_default().extend(words);
            }
        }
        self.patterns.splice(..0, other.patterns);
        self
    }

    /// Whether it has this word, however its apostrophes and blanks are written.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        let word = normal(word);
        let entries = first_piece(&word).and_then(|first| self.words.get(&first));
        entries.is_some_and(|entries| entries.said(&word).is_some())
    }

    /// Whether it knows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.patterns.is_empty()
    }

    /// What it says of a text, in order and disjoint.
    pub(super) fn edits(&self, text: &str) -> Vec<Edit> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut edits = self.words_in(text);
        for (pattern, said) in &self.patterns {
            for found in pattern.captures_iter(text) {
                let span = found.get_match().range();
                let at = edits.partition_point(|edit| edit.span.end <= span.start);
                let is_free = edits.get(at).is_none_or(|edit| edit.span.start >= span.end);
                if is_free && !span.is_empty() {
                    let mut words = String::new();
                    found.expand(said, &mut words);
                    edits.insert(at, Edit::new(span, words));
                }
            }
        }
        for edit in &mut edits {
            let mut letters = edit.said.chars();
            if begins_sentence(text, edit.span.start)
                && let Some(first) = letters.next().filter(|c| c.is_lowercase())
            {
                let capital: String = first.to_uppercase().chain(letters).collect();
                edit.said = capital.into();
            }
        }
        edits
    }

    fn words_in(&self, text: &str) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        if self.words.is_empty() {
            return edits;
        }
        let tokens = tokens(text);
        let mut past = 0;
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Blank || token.span.start < past {
                continue;
            }
            let Some(entries) = self.words.get(&text[token.span.clone()].to_lowercase()) else {
                // "Leith's": the word without what makes it another's.
                if let Some(edit) = self.owner(text, token) {
                    past = edit.span.end;
                    edits.push(edit);
                }
                continue;
            };
            let start = token.span.start;
            for length in entries.lengths() {
                let end = start + length;
                let written = text.get(start..end);
                let Some(said) = written.and_then(|written| entries.said(written)) else {
                    continue;
                };
                // It ends where a piece does, or before what makes that another's.
                let last = tokens[at..]
                    .iter()
                    .take_while(|token| token.span.start < end)
                    .last();
                let ends = last.is_some_and(|token| {
                    matches!(&text[end..token.span.end.max(end)], "" | "'s" | "’s")
                        && token.span.end >= end
                });
                if ends {
                    edits.push(Edit::new(start..end, said));
                    past = end;
                    break;
                }
            }
        }
        edits
    }

    fn owner(&self, text: &str, token: &Token) -> Option<Edit> {
        let word = &text[token.span.clone()];
        let bare = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("’s"))?;
        let said = self.words.get(&bare.to_lowercase())?.said(bare)?;
        let span = token.span.start..token.span.start + bare.len();
        Some(Edit::new(span, said))
    }
}

/// A group that the words for a pattern name and it does not have. Nothing would be said for it.
fn unknown_group(pattern: &Regex, said: &str) -> Option<String> {
    let mut rest = said;
    while let Some((_, behind)) = rest.split_once('$') {
        if let Some(behind) = behind.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, behind) = match behind
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some(named) => named,
            None => behind.split_at(behind.find(|c| !is_name(c)).unwrap_or(behind.len())),
        };
        let is_there = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|known| known == name),
        };
        if !name.is_empty() && !is_there {
            return Some(name.to_owned());
        }
        rest = behind;
    }
    None
}

/// Whether a sentence ends before this place of a text: eSpeak hears no end before a small letter.
fn begins_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(['“', '"', '‘', '(', ' ']);
    before.len() < at && before.ends_with(['.', '!', '?', '…', '”'])
}

/// A word as it is looked for: composed, with single blanks.
pub(super) fn normal(word: &str) -> String {
    let words: Vec<&str> = word.split_whitespace().collect();
    words.join(" ").nfc().collect()
}

fn first_piece(word: &str) -> Option<String> {
    let pieces = tokens(word);
    let is_word = pieces
        .iter()
        .any(|piece| matches!(piece.kind, Kind::Word | Kind::Digits));
    let first = pieces.first().filter(|_| is_word)?;
    Some(word[first.span.clone()].to_lowercase())
}

/// What is said, with its phonemes in the marks that a voice knows: `/x/` becomes `[[x]]`.
fn phonemes_marked(said: &str) -> String {
    let mut marked = String::new();
    let mut at = 0;
    while let Some(open) = said[at..].find('/').map(|found| at + found) {
        let before = &said[..open];
        let opens = before.is_empty() || before.ends_with(char::is_whitespace);
        let pair = said[open + 1..]
            .split_once('/')
            .filter(|(phonemes, behind)| {
                opens && !phonemes.is_empty() && !behind.starts_with(char::is_alphanumeric)
            });
        marked.push_str(&said[at..open]);
        if let Some((phonemes, behind)) = pair {
            marked.push_str("[[");
            marked.push_str(phonemes);
            marked.push_str("]]");
            at = said.len() - behind.len();
        } else {
            marked.push('/');
            at = open + 1;
        }
    }
    marked + &said[at..]
}

#[cfg(test)]
mod tests {
    use super::super::edits::apply;
    use super::*;

    fn said(lexicon: &str, text: &str) -> String {
        let lexicon = Lexicon::from_toml(lexicon).unwrap();
        apply(text, &lexicon.edits(text)).into_owned()
    }

    #[test]
    fn words_are_whole_and_the_longest_come_first() {
        let lexicon = r#"
            leith = "leeth"
            "Leith Walk" = "leeth wok"
            Dr = "drive"
            "C++" = "see plus plus"
            "café" = "/kæˈfeɪ/"
        "#;
        for (text, expected) in [
            ("Leith, LEITH and Leithen", "leeth, leeth and Leithen"),
            ("On Leith Walk's end", "On leeth wok's end"),
            ("Leith's Dr and dr", "leeth's drive and dr"),
            ("Use C++, not C", "Use see plus plus, not C"),
            ("the café", "the [[kæˈfeɪ]]"),
        ] {
            assert_eq!(said(lexicon, text), expected);
        }
    }

    #[test]
    fn patterns_come_behind_words() {
        let lexicon =
            "5mm = \"tiny\"\n[patterns]\n'(\\d+)mm' = \"$1 millimeters\"\n'q*' = \"never\"";
        assert_eq!(said(lexicon, "5mm and 7mm"), "tiny and 7 millimeters");
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (lexicon, told) in [
            ("a = 5", "`a` must have a text"),
            ("[patterns]\n'(' = \"x\"", "the pattern `(` is wrong"),
            ("\"!\" = \"x\"", "`!` has none"),
            ("a = ", "TOML parse error"),
        ] {
            let error = Lexicon::from_toml(lexicon).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn phonemes_stand_between_slashes() {
        for (said, marked) in [
            ("/ˈoʊmən/ road", "[[ˈoʊmən]] road"),
            ("and/or/not", "and/or/not"),
            ("either/or", "either/or"),
            ("and/or /ˈoʊ/, /a/", "and/or [[ˈoʊ]], [[a]]"),
            ("//", "//"),
        ] {
            assert_eq!(phonemes_marked(said), marked);
        }
    }
}
