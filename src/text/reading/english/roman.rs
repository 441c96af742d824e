//! Numbers in Roman letters. "Henry VIII" has "the eighth", "Part V" has "five", and "I am", "plan B" and
//! "vitamin C" have none: a single letter is a number only behind what numbers stand behind.

use super::super::tokens::Kind;
use super::cardinal::{cardinal, ordinal};
use super::lists::{FIRST_NAMES, LABELS, REGNAL, RULERS};
use super::{Read, Reader};
use crate::text::numerals;

/// Words and short forms that could be numbers, and are read as such only behind a label.
const NO_NUMBERS: &[&str] = &[
    "CC", "CD", "CI", "CIVIC", "CIVIL", "CM", "CV", "DC", "DI", "DID", "DILL", "DIM", "DIV",
    "DIVID", "ILL", "IV", "LI", "LID", "LIVID", "LL", "MC", "MD", "MDC", "MI", "MIC", "MID",
    "MILD", "MILL", "MIMIC", "MIX", "MM", "VIC", "VIM", "VIVID", "XL", "XX", "XXL", "XXX",
];

/// Behind a numeral they make it a place in a row: "the XIV century".
const PLACES: &[&str] = &[
    "century",
    "centuries",
    "Century",
    "Amendment",
    "Corps",
    "Legion",
    "Army",
    "Dynasty",
    "dynasty",
    "Olympiad",
    "Olympics",
    "Congress",
    "Arrondissement",
    "arrondissement",
];

/// What a number stands behind.
#[derive(PartialEq)]
enum Behind {
    Label { is_name: bool },
    Ruler,
    Name,
    Other,
}

impl Reader<'_> {
    /// A Roman number.
    pub(super) fn roman(&self, at: usize) -> Option<Read> {
        let word = self.word(at)?;
        // "XIXth"
        if let Some(number) = word
            .strip_suffix("th")
            .filter(|word| word.len() > 1)
            .and_then(numerals::roman)
        {
            return Some(Read::new(at + 1, ordinal(number, self.british)));
        }
        let (letters, owner) = match word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")) {
            Some(letters) => (letters, "'s"),
            None => (word, ""),
        };
        let is_small = letters.bytes().all(|b| b.is_ascii_lowercase());
        let number = match is_small {
            true => numerals::roman(&letters.to_uppercase())?,
            false => numerals::roman(letters)?,
        };
        if is_small && matches!(letters, "c" | "d" | "l" | "m") {
            return None;
        }
        if is_small {
            return self.small_roman(at, number);
        }
        if matches!(letters, "C" | "D" | "L" | "M") {
            return None;
        }
        let behind = self.behind(at);
        let is_place = letters.len() > 1 || letters == "I" && self.word_before(at) == Some("the");
        let places = self
            .word_after(at + 1)
            .is_some_and(|word| PLACES.contains(&word));
        if is_place && places && !matches!(behind, Behind::Label { .. }) {
            return Some(Read::new(at + 1, ordinal(number, self.british) + owner));
        }
        let words = match behind {
            Behind::Label { is_name }
                if letters != "I" || is_name || self.word_after(at + 1).is_none() =>
            {
                cardinal(number, self.british)
            }
            Behind::Ruler => format!("the {}", ordinal(number, self.british)),
            Behind::Name if self.numbers_a_name(at, letters) => {
                format!("the {}", ordinal(number, self.british))
            }
            Behind::Other if letters.len() > 1 && self.may_stand_alone(at, letters) => {
                cardinal(number, self.british)
            }
            // The number of a chapter alone: "IV. The Storm", "V".
            _ if self.heads(at) => cardinal(number, self.british),
            _ => return None,
        };
        // "Parts I–III"
        let dash = at + 1;
        if matches!(self.sign_at(dash), Some('-' | '–' | '—'))
            && let Some(until) = self.word(dash + 1).and_then(numerals::roman)
            && owner.is_empty()
            && behind != Behind::Ruler
        {
            let until = cardinal(until, self.british);
            return Some(Read::new(dash + 2, format!("{words} to {until}")));
        }
        Some(Read::new(at + 1, words + owner))
    }

    /// "page iv", "(ii)".
    fn small_roman(&self, at: usize, number: u64) -> Option<Read> {
        let in_brackets = at > 0
            && self.is_sign(at - 1, '(')
            && self.is_sign(at + 1, ')')
            && (at == 1 || self.is_blank(at - 2));
        // "Luke xii. 14"
        let is_verse = self.word_before(at).is_some_and(super::begins_large)
            && self.is_sign(at + 1, '.')
            && self.digits(self.past_blank(at + 2)).is_some();
        if is_verse {
            return Some(Read::new(at + 2, cardinal(number, self.british) + ","));
        }
        let is_label = matches!(self.behind(at), Behind::Label { .. })
            && !matches!(self.word_before(at), Some("letter" | "letters"));
        let words = cardinal(number, self.british);
        if !in_brackets && !is_label {
            return None;
        }
        if is_label && matches!(self.sign_at(at + 1), Some('-' | '–')) {
            let until = self.word(at + 2)?;
            let until = numerals::roman(&until.to_uppercase())?;
            let until = cardinal(until, self.british);
            return Some(Read::new(at + 3, format!("{words} to {until}")));
        }
        Some(Read::new(at + 1, words))
    }

    /// What the piece before a number is.
    fn behind(&self, at: usize) -> Behind {
        // So many numbers may be counted up behind one label.
        const MOST: usize = 8;
        self.behind_within(at, MOST)
    }

    fn behind_within(&self, at: usize, most: usize) -> Behind {
        let Some(mut before) = self.before(at) else {
            return Behind::Other;
        };
        // "vol. XII", but "No. I won't."
        if self.is_sign(before, '.') && before > 0 {
            before -= 1;
            let is_single = self.str(at).chars().count() == 1;
            if is_single && matches!(self.word(before), Some("No" | "no" | "Art" | "art")) {
                return Behind::Other;
            }
        }
        let Some(word) = self.word(before) else {
            return Behind::Other;
        };
        let lower = word.to_lowercase();
        // "Chapters IV and V", "Parts I, II"
        if most > 0
            && matches!(lower.as_str(), "and" | "or" | "to" | "through")
            && let Some(other) = self.before(before)
            && self
                .word(other)
                .is_some_and(|word| numerals::roman(word).is_some())
            && let Behind::Label { is_name } = self.behind_within(other, most - 1)
        {
            return Behind::Label { is_name };
        }
        if word == "P" || word == "PS" || word == "PP" {
            return Behind::Other;
        }
        let one = lower.strip_suffix('s').unwrap_or(&lower);
        if LABELS.contains(&lower.as_str()) || LABELS.contains(&one) {
            return Behind::Label {
                is_name: super::begins_large(word),
            };
        }
        if !super::begins_large(word) {
            return Behind::Other;
        }
        let earlier = self.word_before(before).map(str::to_lowercase);
        let is_ruler = earlier
            .as_deref()
            .is_some_and(|word| RULERS.contains(&word));
        if is_ruler {
            return Behind::Ruler;
        }
        let is_person = earlier
            .as_deref()
            .is_some_and(|word| FIRST_NAMES.contains(&word));
        if REGNAL.contains(&lower.as_str()) || is_person {
            return Behind::Name;
        }
        Behind::Other
    }

    /// Whether a numeral behind a name is the number of its bearer: "George V", but "Mary I think".
    fn numbers_a_name(&self, at: usize, letters: &str) -> bool {
        const SAYS: &[&str] = &[
            "saw", "think", "know", "love", "like", "hate", "want", "need", "mean", "believe",
            "remember", "met", "knew", "am", "have", "will", "would", "can", "could", "wish",
            "hope", "feel", "felt", "shall", "do", "did", "may", "must", "might", "tell", "see",
            "thought", "liked", "loved",
        ];
        const GOES_ON: &[&str] = &[
            "of", "and", "or", "who", "died", "ruled", "reigned", "became",
        ];
        match letters {
            // "Elizabeth I never married", but "with Mary I feel safe".
            "I" => {
                let begins = self.before(at).is_some_and(|name| self.is_start(name));
                let behind = self.word_after(at + 1);
                // "Louis I Kahn" is a name.
                let is_name = behind.is_some_and(super::begins_large);
                let speaks = behind.is_some_and(|word| SAYS.contains(&word));
                !is_name && !speaks && (begins || behind.is_none_or(|word| GOES_ON.contains(&word)))
            }
            "X" if matches!(self.word_before(at), Some("Malcolm" | "Michael")) => false,
            // "Henry V Poor"
            "V" | "X" => !self.word_after(at + 1).is_some_and(|word| {
                super::begins_large(word) && !super::lists::STARTERS.contains(&word)
            }),
            _ => true,
        }
    }

    /// Whether several letters are a number without any sign of it: "Rocky IV", "Apollo XI", "see XII".
    fn may_stand_alone(&self, at: usize, letters: &str) -> bool {
        let behind_a_name = self.word_before(at).is_some_and(|word| {
            super::begins_large(word)
                && !super::is_all_large(word)
                && !super::lists::STARTERS.contains(&word)
        });
        if NO_NUMBERS.contains(&letters) {
            return behind_a_name && matches!(letters, "IV" | "XX" | "XXX" | "XL" | "LI");
        }
        behind_a_name
            || (!self.shouting.covers(at)
                && numerals::roman(letters).is_some_and(|number| number < 100))
    }

    /// Whether it stands first and alone: the number of a chapter. A single letter is more likely a
    /// word or an initial, so that no sentence may follow it.
    fn heads(&self, at: usize) -> bool {
        let stop = matches!(self.sign_at(at + 1), Some('.' | ':'));
        if at != 0 || (stop && self.is_sign(at + 2, '.')) {
            return false;
        }
        if self.str(at).chars().count() > 1 {
            return self.is_end(at + 1) || stop;
        }
        let is_alone = at + 1 == self.tokens.len() || (stop && at + 2 == self.tokens.len());
        let last = self.tokens.last().map(|token| token.kind);
        let is_sentence = matches!(last, Some(Kind::Sign('.' | '!' | '?' | '…' | '”' | '"')));
        let is_initial = self
            .word_after(at + 2)
            .is_some_and(|word| word.chars().count() == 1);
        is_alone || (stop && !is_sentence && !is_initial)
    }
}
