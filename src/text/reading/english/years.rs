//! Which four digits are a year. "In 1905" is one and "1905 sheep" is none: what stands before and behind
//! decides, and in doubt it is a number.

use super::super::tokens::{Kind, is_apostrophe};
use super::cardinal::{cardinal, plural, year};
use super::lists::{COUNTED, FUNCTION_WORDS};
use super::{Read, Reader};
use crate::text::reading::Years;

/// Behind these a year comes.
const STRONG: &[&str] = &[
    "in",
    "since",
    "until",
    "till",
    "during",
    "year",
    "circa",
    "summer",
    "winter",
    "spring",
    "autumn",
    "fall",
    "early",
    "late",
    "mid",
    "ad",
    "anno",
    "year's",
    "copyright",
    "years",
    "founded",
    "published",
    "established",
    "built",
    "into",
    "dated",
    "born",
    "died",
    "ce",
];
/// Behind these it may come.
const WEAK: &[&str] = &[
    "by", "of", "from", "to", "between", "before", "after", "around", "through", "for", "about",
    "again", "back", "on", "pre", "post",
];

const ERAS: &[&str] = &["BC", "AD", "BCE", "CE"];

impl Reader<'_> {
    /// A year, or two with a dash between them.
    pub(super) fn years(&self, at: usize, was_year: bool) -> Option<Read> {
        let written = self.digits(at)?;
        let number: u64 = written.parse().ok()?;
        let next = at + 1;
        if self.taste.years == Years::Numbers {
            return None;
        }
        let say = |number: u64| year(number, self.british);
        // "44 BC", "1066 AD"
        let era = self.past_blank(next);
        let is_era = self.word(era).is_some_and(|word| ERAS.contains(&word))
            || (self.word(era) == Some("B")
                && self.is_sign(era + 1, '.')
                && self.word(era + 2) == Some("C"))
            || (self.word(era) == Some("A")
                && self.is_sign(era + 1, '.')
                && self.word(era + 2) == Some("D"));
        if is_era && written.len() <= 4 {
            return Some(Read::year(next, say(number)));
        }
        if written.len() != 4 || !(1000..2200).contains(&number) {
            return None;
        }
        if let Some(range) = self.years_with_dash(at, number) {
            return Some(range);
        }
        // "1,905" and "1905.5" are quantities, "1905th" is a place.
        let goes_on = matches!(self.kind(next), Some(Kind::Word | Kind::Digits))
            || (matches!(self.sign_at(next), Some('.' | ',' | ':' | '/' | '-' | '–'))
                && self.digits(next + 1).is_some())
            || matches!(
                self.sign_at(self.past_blank(next)),
                Some('%' | '°' | '$' | '€' | '£' | '×' | '=' | '+')
            );
        let touches = self.touches(at)
            && matches!(
                self.kind(at - 1),
                Some(Kind::Word | Kind::Sign('.' | ',' | '$' | '#' | '/'))
            );
        if goes_on || touches {
            return None;
        }
        self.is_year(at, was_year)
            .then(|| Read::year(next, say(number)))
    }

    fn is_year(&self, at: usize, was_year: bool) -> bool {
        let next = at + 1;
        let behind = self.word_after(next);
        let is_counted = behind.is_some_and(counts);
        if self.is_end(next) && self.is_start(at) {
            return true;
        }
        // "the 1848 revolutions": of so many things a careful writer parts the thousands.
        let is_named = matches!(self.word_before(at), Some("the" | "The"))
            && behind.is_some_and(|word| !COUNTED.contains(&word));
        if is_counted && !is_named {
            return false;
        }
        // Nothing comes that could be counted.
        let stands_alone =
            behind.is_none_or(|word| FUNCTION_WORDS.contains(&word.to_lowercase().as_str()));
        let Some(before) = self.before(at) else {
            // "1776 was a year of …", "1905. It rained."
            return stands_alone && !self.is_sign(next, '-');
        };
        if was_year {
            return true;
        }
        match self.kind(before) {
            Some(Kind::Word) => {
                let word = self.str(before);
                let lower = word.to_lowercase();
                if STRONG.contains(&lower.as_str()) {
                    return true;
                }
                if WEAK.contains(&lower.as_str()) {
                    return stands_alone;
                }
                if matches!(lower.as_str(), "was" | "is") {
                    let subject = self.word_before(before).map(str::to_lowercase);
                    let of_time = subject.is_some_and(|word| {
                        matches!(word.as_str(), "year" | "it" | "this" | "then" | "date")
                    });
                    return stands_alone && of_time;
                }
                if word.ends_with("'s") || word.ends_with("’s") {
                    return behind.is_some();
                }
                let describes = matches!(
                    lower.as_str(),
                    "the"
                        | "a"
                        | "his"
                        | "her"
                        | "its"
                        | "their"
                        | "our"
                        | "my"
                        | "this"
                        | "that"
                        | "another"
                        | "each"
                );
                if describes {
                    return behind.is_some() && !stands_alone;
                }
                // "Paris 1900", "World Cup 1966"
                super::begins_large(word) && stands_alone && !super::is_all_large(word)
            }
            Some(Kind::Sign('©')) => true,
            Some(Kind::Sign('-' | '–'))
                if before > 0
                    && matches!(
                        self.word(before - 1),
                        Some("pre" | "post" | "mid" | "Pre" | "Post" | "Mid")
                    ) =>
            {
                true
            }
            Some(Kind::Sign('(' | '“' | '–' | '-')) => stands_alone,
            Some(Kind::Sign(',' | ';' | ':' | '—')) => {
                let name = self.before(before).and_then(|at| self.word(at));
                stands_alone && name.is_some_and(super::begins_large)
            }
            // "c. 1890"
            Some(Kind::Sign('.'))
                if before > 0
                    && self.word(before - 1).is_some_and(|word| {
                        matches!(
                            word,
                            "c" | "ca" | "b" | "d" | "D" | "est" | "r" | "fl" | "Est"
                        )
                    }) =>
            {
                true
            }
            Some(Kind::Sign('.')) => {
                stands_alone
                    && behind.is_some_and(|word| matches!(word, "was" | "is" | "had" | "would"))
            }
            _ => false,
        }
    }

    /// "1914–1918", "1939-45".
    fn years_with_dash(&self, at: usize, from: u64) -> Option<Read> {
        let blank = self.is_blank(at + 1);
        let dash = at + 1 + usize::from(blank);
        if !matches!(self.sign_at(dash), Some('-' | '–' | '—' | '‒'))
            || blank != self.is_blank(dash + 1)
        {
            return None;
        }
        let until = dash + 1 + usize::from(blank);
        let written = self.digits(until)?;
        let number: u64 = written.parse().ok()?;
        let said = match written.len() {
            4 if number > from && number < 2200 => year(number, self.british),
            2 if !blank && number > from % 100 => cardinal(number, self.british),
            _ => return None,
        };
        let next = until + 1;
        let goes_on = self.kind(next) == Some(Kind::Word)
            || (matches!(self.sign_at(next), Some('.' | ',' | '-' | '–'))
                && self.digits(next + 1).is_some());
        if goes_on || self.word_after(next).is_some_and(counts) {
            return None;
        }
        let said = format!("{} to {said}", year(from, self.british));
        Some(Read::year(next, said))
    }

    /// "the '60s", "in '45": an apostrophe in the place of a century.
    pub(super) fn short_year(&self, at: usize) -> Option<Read> {
        let apostrophe = self
            .sign_at(at)
            .is_some_and(|c| is_apostrophe(c) || c == '‘');
        let written = self.digits(at + 1).filter(|digits| digits.len() == 2)?;
        if !apostrophe || self.touches(at) && !matches!(self.sign_at(at - 1), Some('(' | '–' | '-'))
        {
            return None;
        }
        let number: u64 = written.parse().ok()?;
        let words = match number {
            0..10 => format!("oh {}", cardinal(number, self.british)),
            _ => cardinal(number, self.british),
        };
        if self.word(at + 2) == Some("s") {
            return Some(Read::new(at + 3, plural(&cardinal(number, self.british))));
        }
        // A quotation that begins with a number ends somewhere.
        let closes = self.tokens[at + 2..]
            .iter()
            .take(40)
            .any(|token| matches!(token.kind, Kind::Sign('’' | '\'')));
        (!closes).then(|| Read::year(at + 2, words))
    }
}

/// Whether a word is something that is counted.
pub(super) fn counts(word: &str) -> bool {
    const NOT_MANY: &[&str] = &[
        "was",
        "is",
        "has",
        "as",
        "this",
        "his",
        "its",
        "us",
        "plus",
        "thus",
        "always",
        "perhaps",
        "besides",
        "across",
        "yes",
        "does",
        "sometimes",
        "afterwards",
        "towards",
        "minus",
        "yours",
        "hers",
        "theirs",
        "less",
        "unless",
        "whereas",
        "sees",
        "brings",
        "begins",
        "comes",
        "marks",
        "saw",
    ];
    let plural = word.len() > 2
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("'s")
        && !word.ends_with("’s");
    word.starts_with(char::is_lowercase)
        && (COUNTED.contains(&word) || (plural && !NOT_MANY.contains(&word)))
}
