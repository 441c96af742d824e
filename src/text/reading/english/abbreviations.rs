//! Short forms with a full stop that ends no sentence: "Dr. Ruiz", "U.S. Navy", "e.g.", "vol. 2". They are
//! read in full, and without the fall of a full stop; where a sentence ends with them as well, it stays.

use super::short::{SHORT, Wants};
use super::{Read, Reader, begins_large};
use crate::text::numerals;

/// Titles that British writers give no full stop.
const WITHOUT_STOP: &[&str] = &[
    "Mr", "Mrs", "Ms", "Mx", "Messrs", "Mme", "Mlle", "Prof", "Sgt", "Lt", "Capt", "Cmdr", "Cpl",
    "Revd", "Col", "Rev", "Maj", "Cdr", "Sen",
];

/// Short forms of single letters that are read as words.
const LATIN: &[(&str, &str)] = &[
    ("eg", "for example"),
    ("mph", "miles per hour"),
    ("ie", "that is"),
    ("aka", "also known as"),
];

impl Reader<'_> {
    /// A short form.
    pub(super) fn abbreviation(&self, at: usize) -> Option<Read> {
        self.saint_or_street(at)
            .or_else(|| self.doctor_or_drive(at))
            .or_else(|| self.letters_with_stops(at))
            .or_else(|| self.initial(at))
            .or_else(|| self.against(at))
            .or_else(|| self.short_form(at))
    }

    fn short_form(&self, at: usize) -> Option<Read> {
        let word = self.word(at)?;
        let dotted = self.is_sign(at + 1, '.') && !self.is_sign(at + 2, '.');
        let known = |word: &str| SHORT.iter().find(|(short, ..)| *short == word);
        let (_, said, wants) = match known(word) {
            Some(entry) => entry,
            // Where all is in capitals.
            None if self.shouting.covers(at) && super::is_all_large(word) => {
                let mut letters = word.chars();
                let first = letters.next()?;
                let title: String = std::iter::once(first)
                    .chain(letters.flat_map(char::to_lowercase))
                    .collect();
                SHORT.iter().find(|(short, ..)| *short == title)?
            }
            None => return None,
        };
        if !dotted {
            let letter = self
                .word_after(at + 1)
                .is_some_and(|word| word.chars().count() == 1);
            let bare = !letter
                && WITHOUT_STOP.contains(&word)
                && self.name_follows(at + 1)
                && !self.is_sign(at + 1, '.');
            return (bare || word == "vs").then(|| Read::new(at + 1, *said));
        }
        let next = at + 2;
        let meant = match wants {
            Wants::Nothing => true,
            // "Mr. and Mrs. Hart"
            Wants::Name => self.name_follows(next) || self.name_follows_and(next),
            Wants::Number => self.number_follows(next),
            Wants::Time => {
                const TIMES: &[&str] = &[
                    "and",
                    "or",
                    "to",
                    "at",
                    "morning",
                    "afternoon",
                    "evening",
                    "night",
                ];
                self.number_follows(next)
                    || self
                        .word_after(next)
                        .is_some_and(|word| TIMES.contains(&word))
            }
            Wants::Either => self.number_follows(next) || self.name_follows(next),
            Wants::After => {
                self.word_before(at).is_some_and(begins_large)
                    || self.before(at).is_some_and(|at| self.is_sign(at, '&'))
            }
        };
        if !meant {
            return None;
        }
        if self.is_everyday(at, word) {
            return None;
        }
        // "et al."
        if word == "al" && self.word_before(at) != Some("et") {
            return None;
        }
        let ends = matches!(wants, Wants::Nothing | Wants::After) && self.sentence_ends(next);
        let next = if ends { at + 1 } else { next };
        let glued = !ends
            && matches!(
                self.kind(next),
                Some(super::Kind::Digits | super::Kind::Word)
            );
        let said = match (self.british, *said) {
            (true, "honorable") => "honourable",
            (_, said) => said,
        };
        let blank = if glued { " " } else { "" };
        Some(Read::new(next, format!("{said}{blank}")))
    }

    /// Whether a short form is an everyday word here: "Yes or no. 3 tries.", "Open the app. 3 tabs."
    fn is_everyday(&self, at: usize, word: &str) -> bool {
        const ANSWERS: &[&str] = &["or", "and", "said", "oh", "say", "says", "is", "was"];
        const BEHIND: &[&str] = &[
            "the", "an", "a", "this", "that", "his", "her", "my", "your", "our", "their", "modern",
            "of", "love", "loved", "fine", "one", "each", "every", "new", "ripe", "black",
        ];
        let before = self.word_before(at);
        let behind = |words: &[&str]| before.is_some_and(|before| words.contains(&before));
        match word {
            "no" => behind(ANSWERS),
            "app" | "art" | "sec" | "max" | "ext" | "op" | "fig" => behind(BEHIND),
            _ => false,
        }
    }

    /// A name behind a blank: a word with a capital, or an initial.
    fn name_follows(&self, at: usize) -> bool {
        // "Lieut.-Col. Pym"
        if self.is_sign(at, '-') && self.word(at + 1).is_some_and(begins_large) {
            return true;
        }
        self.is_blank(at) && self.word(at + 1).is_some_and(begins_large)
            || self.is_blank(at)
                && matches!(self.sign_at(at + 1), Some('“' | '"' | '‘'))
                && self.word(at + 2).is_some_and(begins_large)
    }

    fn name_follows_and(&self, at: usize) -> bool {
        self.word_after(at) == Some("and") && self.name_follows(at + 2)
    }

    fn number_follows(&self, at: usize) -> bool {
        let place = self.past_blank(at);
        if self.digits(place).is_some() || self.is_sign(place, '#') {
            return true;
        }
        self.word(place).is_some_and(|word| {
            let letter = word.len() == 1 && begins_large(word) && word != "I" && word != "A";
            letter
                || numerals::roman(word).is_some() && word != "I"
                || numerals::roman(&word.to_uppercase()).is_some()
                    && word.len() > 1
                    && word.bytes().all(|b| b.is_ascii_lowercase())
        })
    }

    /// "St. Helen" and "Pine St."
    fn saint_or_street(&self, at: usize) -> Option<Read> {
        let word = self.word(at)?;
        if !matches!(word, "St" | "ST") || (word == "ST" && !self.shouting.covers(at)) {
            return None;
        }
        let dotted = self.is_sign(at + 1, '.');
        let next = at + 1 + usize::from(dotted);
        let is_saint = self.name_follows(next)
            && !self
                .word_after(next)
                .is_some_and(|word| super::lists::STARTERS.contains(&word));
        let street = self.before(at).is_some_and(|before| {
            self.word(before).is_some_and(begins_large)
                || (self.place(before.saturating_sub(1)).is_some())
        });
        if is_saint
            && !(street
                && self.word_before(at).is_some_and(|word| word.len() > 3)
                && self.is_sign(next, ','))
        {
            // "Oak St. Helen came" is rarer than "in Port St. Lucie".
            return Some(Read::new(next, "saint"));
        }
        if !street || (!dotted && !self.is_end(next) && !self.is_sign(next, ',')) {
            return None;
        }
        let ends = dotted && self.sentence_ends(next);
        Some(Read::new(if ends { at + 1 } else { next }, "street"))
    }

    /// "Dr. Ruiz" and "Elm Dr."
    fn doctor_or_drive(&self, at: usize) -> Option<Read> {
        let word = self.word(at)?;
        if !matches!(word, "Dr" | "Drs" | "DR") || (word == "DR" && !self.shouting.covers(at)) {
            return None;
        }
        let dotted = self.is_sign(at + 1, '.');
        let next = at + 1 + usize::from(dotted);
        let starts = self
            .word_after(next)
            .is_some_and(|word| super::lists::STARTERS.contains(&word));
        let is_street = self.word_before(at).is_some_and(begins_large);
        if self.name_follows(next) && (!starts || !is_street) {
            let said = if word == "Drs" { "doctors" } else { "doctor" };
            return Some(Read::new(next, said));
        }
        let is_drive = dotted && self.word_before(at).is_some_and(begins_large);
        let ends = dotted && self.sentence_ends(next);
        is_drive.then(|| Read::new(if ends { at + 1 } else { next }, "drive"))
    }

    /// "U.S.", "e.g.", "p.m.", "Ph.D.", "J.R.R."
    fn letters_with_stops(&self, at: usize) -> Option<Read> {
        const MOST: usize = 8;
        let mut letters: Vec<&str> = Vec::new();
        let mut next = at;
        while letters.len() < MOST
            && let Some(word) = self
                .word(next)
                .filter(|word| self.is_part(word, letters.is_empty()))
            && self.is_sign(next + 1, '.')
        {
            letters.push(word);
            next += 2;
        }
        // "U.S", "Ph.D": the last without its full stop.
        let mut has_stop = true;
        if let Some(word) = self
            .word(next)
            .filter(|word| !letters.is_empty() && word.chars().count() == 1)
        {
            letters.push(word);
            next += 1;
            has_stop = false;
        }
        if letters.len() < 2 {
            return None;
        }
        let all: String = letters.concat();
        let lower = all.to_lowercase();
        let known = LATIN.iter().find(|(short, _)| *short == lower);
        let ends = has_stop && self.sentence_ends(next);
        let mut next = if ends { next - 1 } else { next };
        let mut said = match known {
            Some((_, said)) => (*said).to_owned(),
            None => super::spelled(&all),
        };
        // "U.S.'s"
        if known.is_none()
            && matches!(self.sign_at(next), Some('\'' | '’'))
            && self.word(next + 1) == Some("s")
        {
            said.push_str("'s");
            next += 2;
        }
        Some(Read::new(next, said))
    }

    fn is_part(&self, word: &str, is_first: bool) -> bool {
        match word.chars().count() {
            1 => true,
            // "Ph.D.", "B.Sc.", "Lt.Col." is none.
            2 => {
                matches!(word, "Ph" | "Sc" | "Ed" | "Th" | "Lt" | "St")
                    && (is_first == (word == "Ph") || !is_first)
            }
            _ => false,
        }
    }

    /// "Hart v. Hale".
    fn against(&self, at: usize) -> Option<Read> {
        let dotted = self.is_sign(at + 1, '.');
        let names = self.word_before(at).is_some_and(begins_large) && self.name_follows(at + 2);
        if self.word(at) != Some("v") {
            return None;
        }
        let bare = self.word_before(at).is_some_and(begins_large) && self.name_follows(at + 1);
        match (dotted && names, bare) {
            (true, _) => Some(Read::new(at + 2, "versus")),
            (_, true) => Some(Read::new(at + 1, "versus")),
            _ => None,
        }
    }
}
