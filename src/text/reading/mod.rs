//! What is said for what is written: one list of edits for each segment, by the rules of its language.
//! A language without rules passes through, but for letters in other clothes. Reading is pure, takes
//! time linear in the text, and must never lose a word without a reason.
//!
//! ```
//! use aloud::text::reading::{Lexicon, Taste, apply, read};
//!
//! let text = "In 1492 Dr. Orr paid $5.";
//! let edits = read(text, "en-US", &Taste::default(), &Lexicon::default());
//! let said = "In fourteen ninety-two doctor Orr paid five dollars.";
//! assert_eq!(apply(text, &edits), said);
//! ```

mod compatible;
mod edits;
mod english;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod invariants;
mod lexicon;
mod lexicon_file;
mod phonemes;
mod pls;
mod tokens;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::OmissionReason;
pub use edits::{Edit, apply};
use english::English;
pub(crate) use english::cardinal;
pub(crate) use english::initials::is_lettered;
#[cfg(test)]
pub(crate) use english::short_forms;
pub use lexicon::{Lexicon, LexiconError};
pub use lexicon_file::with_word;
pub(crate) use phonemes::are_phonemes;

/// What is a matter of taste in reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Taste {
    /// How years are said.
    pub years: Years,
    /// Which comes first in a date of digits.
    pub dates: Dates,
    /// What is said of the marks of notes.
    pub note_marks: NoteMarks,
    /// What is said of the address of a page.
    pub urls: Urls,
    /// What is said of a mail address.
    pub addresses: Addresses,
    /// What is said of emoji.
    pub emoji: Emoji,
}

/// How years are said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Years {
    /// 1492 as "fourteen ninety-two".
    #[default]
    Pairs,
    /// 1492 as "one thousand four hundred ninety-two".
    Numbers,
}

/// Which comes first in a date such as 5/4/2024.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// The month in American English, elsewhere the day.
    #[default]
    Local,
    /// The month.
    MonthFirst,
    /// The day.
    DayFirst,
}

/// What is said of the marks of notes: `[12]`, ¹.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteMarks {
    /// Nothing.
    #[default]
    Silent,
    /// "note twelve".
    Spoken,
}

/// What is said of the address of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urls {
    /// "example dot org".
    #[default]
    Host,
    /// All of it.
    Whole,
    /// Nothing.
    Silent,
}

/// What is said of a mail address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addresses {
    /// "k at example dot org".
    #[default]
    Spoken,
    /// Nothing.
    Silent,
}

/// What is said of emoji.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emoji {
    /// Nothing.
    #[default]
    Silent,
    /// Their names.
    Named,
}

/// What is said for a segment's text in this language, a BCP 47 tag. Empty if it is said as it is
/// written.
#[must_use]
pub fn read(text: &str, language: &str, taste: &Taste, lexicon: &Lexicon) -> Vec<Edit> {
    read_with(text, language, taste, lexicon, Vec::new())
}

/// The same, where `given` is said already, in order and disjoint: it stays.
#[must_use]
pub fn read_with(
    text: &str,
    language: &str,
    taste: &Taste,
    lexicon: &Lexicon,
    given: Vec<Edit>,
) -> Vec<Edit> {
    let mut saying = Saying::new(text, given);
    saying.add(compatible::edits(&saying.said()));
    let (phonemes, links) = phonemes::find(&saying.said());
    saying.keep(phonemes);
    saying.add(links);
    saying.settle(lexicon.edits(&saying.said()));
    if let Some(english) = English::of(language) {
        for _ in 0..MOST_READINGS {
            let more = english.edits(&saying.said(), &saying.stays, taste);
            if more.is_empty() {
                break;
            }
            saying.add(more);
            saying.add(compatible::edits(&saying.said()));
        }
    }
    saying.edits
}

/// A text on the way to what is said for it.
struct Saying<'t> {
    text: &'t str,
    edits: Vec<Edit>,
    /// Stretches of what is said that stay as they are.
    stays: Vec<Range<usize>>,
}

impl<'t> Saying<'t> {
    fn new(text: &'t str, given: Vec<Edit>) -> Self {
        Self {
            text,
            stays: edits::places(&given).collect(),
            edits: given,
        }
    }

    fn said(&self) -> Cow<'t, str> {
        apply(self.text, &self.edits)
    }

    /// Those of these edits of what is said that touch nothing that stays.
    fn free(&self, edits: Vec<Edit>) -> Vec<Edit> {
        let is_free = |edit: &Edit| {
            let at = self
                .stays
                .partition_point(|stretch| stretch.end <= edit.span.start);
            self.stays
                .get(at)
                .is_none_or(|stretch| edit.span.end <= stretch.start)
        };
        edits.into_iter().filter(is_free).collect()
    }

    /// Changes what is said.
    fn add(&mut self, edits: Vec<Edit>) {
        let edits = self.free(edits);
        self.stays = edits::moved(&self.stays, &edits);
        self.edits = edits::compose(self.text, std::mem::take(&mut self.edits), edits);
    }

    /// Changes what is said for good.
    fn settle(&mut self, edits: Vec<Edit>) {
        let edits = self.free(edits);
        let places: Vec<_> = edits::places(&edits).collect();
        self.stays = edits::moved(&self.stays, &edits);
        self.edits = edits::compose(self.text, std::mem::take(&mut self.edits), edits);
        self.keep(places);
    }

    /// Lets these stretches of what is said stay.
    fn keep(&mut self, stretches: Vec<Range<usize>>) {
        self.stays.extend(stretches);
        self.stays.sort_unstable_by_key(|stretch| stretch.start);
        // Of two that overlap the first stays.
        let mut end = 0;
        self.stays.retain(|stretch| {
            let is_free = stretch.start >= end;
            end = end.max(stretch.end);
            is_free
        });
    }
}

/// What is said is read again until nothing changes, so that it stays as it is for whoever reads it
/// another time: what a rule says may bring two pieces together that another rule knows. Each time more
/// of it is plain words.
const MOST_READINGS: usize = 8;
