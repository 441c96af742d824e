//! Initials of names: "J. R. Jones", "John F. Kennedy". Their full stops end no sentence.

use super::super::tokens::Kind;
use super::{Read, Reader, begins_large, lists};
use crate::text::numerals;

/// Words that a name with an initial may stand behind.
const BEFORE_NAMES: &[&str] = &[
    "and", "by", "of", "with", "to", "from", "said", "as", "for", "that", "met", "named", "called",
    "is", "was", "asked", "told", "saw", "knew", "or", "but", "then", "when", "where", "wrote",
];

/// What letters name, beside what numbers name.
const LETTERED: &[&str] = &[
    "vitamin",
    "hepatitis",
    "plan",
    "group",
    "option",
    "team",
    "gate",
    "block",
    "malcolm",
    "generation",
    "model",
];

/// Whether a letter behind this word is a name: "vitamin A", "plan B".
pub(crate) fn is_lettered(word: &str) -> bool {
    let word = word.to_lowercase();
    lists::LABELS.contains(&&*word) || LETTERED.contains(&&*word)
}

impl Reader<'_> {
    /// "J. R. Jones", "John F. Kennedy", "Lady A. said".
    pub(super) fn initial(&self, at: usize) -> Option<Read> {
        let word = self.word(at)?;
        if word.chars().count() != 1 || !begins_large(word) || !self.is_sign(at + 1, '.') {
            return None;
        }
        let next = at + 2;
        // "A. D. 70"
        let behind_another = at > 2
            && self.is_blank(at - 1)
            && self.is_sign(at - 2, '.')
            && self
                .word(at - 3)
                .is_some_and(|word| word.chars().count() == 1);
        if behind_another && self.digits(self.past_blank(next)).is_some() {
            return Some(Read::new(next, word));
        }
        let name = self.word_after(next)?;
        let is_initial = |at: usize| {
            self.word(at)
                .is_some_and(|word| word.chars().count() == 1 && begins_large(word))
                && self.is_sign(at + 1, '.')
        };
        let before = self.word_before(at);
        if !begins_large(name) {
            // What goes on in small letters is no end of a sentence.
            return before
                .is_some_and(begins_large)
                .then(|| Read::new(next, word));
        }
        if is_initial(next + 1) {
            return Some(Read::new(next, word));
        }
        if lists::STARTERS.contains(&name) {
            return None;
        }
        // "vitamin C. Then" ends a sentence: a name or nothing stands before an initial.
        let Some(place) = self.before(at) else {
            return numerals::roman(word)
                .is_none()
                .then(|| Read::new(next, word));
        };
        // "Vitamin K. Eat it."
        if before.is_some_and(is_lettered) {
            return None;
        }
        let follows = match self.kind(place) {
            Some(Kind::Word) => {
                before.is_some_and(|word| begins_large(word) || BEFORE_NAMES.contains(&word))
            }
            // Behind another initial, or where a sentence begins.
            _ => true,
        };
        follows.then(|| Read::new(next, word))
    }
}
