//! What a careful reader of English says for what is written. The pieces of a sentence are gone through
//! once; at each, the rules of its kind look at a bounded number of neighbours, and the first that knows
//! it says what is read for how many pieces. What no rule knows is read as it stands.

mod abbreviations;
mod addresses;
mod capitals;
pub(crate) mod cardinal;
mod dashes;
mod dates;
pub(crate) mod initials;
mod lists;
mod money;
mod notes;
mod numbers;
mod quantity;
mod roman;
mod short;
mod signs;
mod symbols;
mod units;
mod years;

use std::ops::Range;

use super::edits::Edit;
use super::tokens::{Kind, Token, tokens};
use super::{OmissionReason, Taste};
use capitals::Shouting;

/// English, as it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct English {
    /// Whether it is read as in Britain and where its ways are followed.
    british: bool,
}

impl English {
    /// English by its BCP 47 tag; `None` for any other language.
    pub(super) fn of(tag: &str) -> Option<Self> {
        const BRITISH: [&str; 6] = ["gb", "au", "nz", "ie", "in", "za"];
        let mut parts = tag.split(['-', '_']).map(str::to_ascii_lowercase);
        let is_english = parts.next().is_some_and(|language| language == "en");
        let british = parts.any(|part| BRITISH.contains(&part.as_str()));
        is_english.then_some(Self { british })
    }

    /// Edits of a sentence. What `stays` is words that no rule reads.
    pub(super) fn edits(self, text: &str, stays: &[Range<usize>], taste: &Taste) -> Vec<Edit> {
        let tokens = tokens_around(text, stays);
        let reader = Reader {
            text,
            shouting: Shouting::of(text, &tokens),
            tokens,
            british: self.british,
            taste,
        };
        reader.edits(stays)
    }
}

/// The pieces of a text, where each stretch that stays is one word.
fn tokens_around(text: &str, stays: &[Range<usize>]) -> Vec<Token> {
    let mut all = Vec::new();
    let mut at = 0;
    let between = |from: usize, to: usize, all: &mut Vec<Token>| {
        let pieces = tokens(&text[from..to]).into_iter();
        all.extend(pieces.map(|token| Token {
            span: from + token.span.start..from + token.span.end,
            ..token
        }));
    };
    for stretch in stays.iter().filter(|stretch| !stretch.is_empty()) {
        between(at, stretch.start, &mut all);
        all.push(Token {
            kind: Kind::Word,
            span: stretch.clone(),
        });
        at = stretch.end;
    }
    between(at, text.len(), &mut all);
    all
}

/// Short forms that want a name or a number behind them, with one.
#[cfg(test)]
pub(crate) fn short_forms() -> impl Iterator<Item = (&'static str, &'static str)> {
    use short::Wants::{Either, Name, Number};
    short::SHORT
        .iter()
        .filter_map(|(short, _, wants)| match wants {
            Name => Some((*short, "Smith")),
            Number | Either => Some((*short, "5")),
            _ => None,
        })
}

/// What a rule says.
#[derive(Debug)]
struct Read {
    /// The first piece after those that are read.
    next: usize,
    /// How many pieces before the present one are read with it.
    back: usize,
    said: String,
    left_out: Option<OmissionReason>,
    /// Whether it was a year, so that one beside it is one as well.
    is_year: bool,
}

impl Read {
    fn new(next: usize, said: impl Into<String>) -> Self {
        Read {
            next,
            back: 0,
            said: said.into(),
            left_out: None,
            is_year: false,
        }
    }

    fn year(next: usize, said: impl Into<String>) -> Self {
        Read {
            is_year: true,
            ..Read::new(next, said)
        }
    }
}

/// The pieces of a sentence, and how it is to be read.
struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    shouting: Shouting,
    /// Whether it is British English.
    british: bool,
    taste: &'t Taste,
}

impl Reader<'_> {
    /// What is said otherwise than it is written, but for what stays.
    fn edits(&self, stays: &[Range<usize>]) -> Vec<Edit> {
        let mut stays = stays
            .iter()
            .filter(|stretch| !stretch.is_empty())
            .peekable();
        let mut edits = Vec::new();
        let mut was_year = false;
        // How far the pieces are read, and the present one.
        let (mut done, mut at) = (0, 0);
        while at < self.tokens.len() {
            let place = &self.tokens[at].span;
            while stays
                .next_if(|stretch| stretch.end <= place.start)
                .is_some()
            {}
            let stays_until = stays.peek().map(|stretch| stretch.start);
            let read = self.rule(at, was_year).filter(|read| {
                let end = self.tokens[read.next - 1].span.end;
                stays_until.is_none_or(|start| end <= start)
            });
            let Some(read) = read else {
                // "in 1914 and 1915": the words between two years keep the first in mind.
                let keeps = match self.kind(at) {
                    Some(Kind::Blank | Kind::Sign(',')) => true,
                    _ => matches!(self.word(at), Some("and" | "or" | "to" | "through")),
                };
                was_year &= keeps;
                at += 1;
                continue;
            };
            let start = self.tokens[(at - read.back).max(done)].span.start;
            // Where nothing is said, one of the blanks around it goes as well.
            let mut read = read;
            if read.said.is_empty()
                && self.is_blank(read.next)
                && (start == 0 || self.text[..start].ends_with(' '))
            {
                read.next += 1;
            }
            let span = start..self.tokens[read.next - 1].span.end;
            // What is said must not run into its neighbours.
            let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            if is_part(self.text[..start].chars().next_back()) && is_part(read.said.chars().next())
            {
                read.said.insert(0, ' ');
            }
            let behind = self.tokens[read.next - 1].span.end;
            if is_part(self.text[behind..].chars().next()) && is_part(read.said.chars().next_back())
            {
                read.said.push(' ');
            }
            let said = match self.begins_sentence(at - read.back) {
                true => capitalized(&read.said),
                false => read.said,
            };
            if self.text[span.clone()] != *said {
                edits.push(Edit {
                    span,
                    said: said.into(),
                    left_out: read.left_out,
                });
            }
            was_year = read.is_year;
            (done, at) = (read.next, read.next);
        }
        edits
    }

    fn rule(&self, at: usize, was_year: bool) -> Option<Read> {
        match self.tokens[at].kind {
            Kind::Blank => self.dash(at),
            Kind::Digits => self.number(at, was_year),
            Kind::Sign(sign) => self.sign(at, sign),
            Kind::Word => {
                let word = self.str(at);
                let is_roman = word.bytes().all(|b| b"ivxlc".contains(&b));
                let is_plain = word.bytes().all(|b| b.is_ascii_lowercase()) && !is_roman;
                // Most words are plain, and what makes them more stands behind them.
                if is_plain && !matches!(self.kind(at + 1), Some(Kind::Sign(_) | Kind::Digits)) {
                    return None;
                }
                self.address(at)
                    .or_else(|| self.abbreviation(at))
                    .or_else(|| self.variable(at))
                    .or_else(|| self.date_from_month(at))
                    .or_else(|| self.roman(at))
                    .or_else(|| self.capitals(at))
            }
        }
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// A piece as it is written; empty beyond the end.
    fn str(&self, at: usize) -> &str {
        self.tokens
            .get(at)
            .map_or("", |token| &self.text[token.span.clone()])
    }

    /// The word at this place, if one is there.
    fn word(&self, at: usize) -> Option<&str> {
        (self.kind(at)? == Kind::Word).then(|| self.str(at))
    }

    fn digits(&self, at: usize) -> Option<&str> {
        (self.kind(at)? == Kind::Digits).then(|| self.str(at))
    }

    fn sign_at(&self, at: usize) -> Option<char> {
        match self.kind(at)? {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        self.sign_at(at) == Some(sign)
    }

    fn is_blank(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Blank)
    }

    /// The first place from here on that is no blank.
    fn past_blank(&self, at: usize) -> usize {
        at + usize::from(self.is_blank(at))
    }

    /// The place of the piece before, past a blank.
    fn before(&self, at: usize) -> Option<usize> {
        let at = at.checked_sub(1)?;
        match self.is_blank(at) {
            true => at.checked_sub(1),
            false => Some(at),
        }
    }

    fn word_before(&self, at: usize) -> Option<&str> {
        self.word(self.before(at)?)
    }

    /// The word that follows, past a blank.
    fn word_after(&self, at: usize) -> Option<&str> {
        self.is_blank(at).then(|| self.word(at + 1)).flatten()
    }

    /// Whether a piece touches the one before it without a blank.
    fn touches(&self, at: usize) -> bool {
        at > 0 && !self.is_blank(at - 1)
    }

    /// Whether a sentence ends before this place, within the text: eSpeak hears no end of a sentence
    /// before a small letter.
    fn begins_sentence(&self, at: usize) -> bool {
        let before = self.tokens[..at].iter().rev().take(MOST_MARKS);
        let mut before = before.skip_while(|token| match token.kind {
            Kind::Sign(sign) => is_opening(sign) || is_closing(sign) || is_dash(sign),
            kind => kind == Kind::Blank,
        });
        let ends = |token: &Token| matches!(token.kind, Kind::Sign('.' | '!' | '?' | '…'));
        self.is_blank(at.wrapping_sub(1)) && before.next().is_some_and(ends)
    }

    /// Whether nothing but closing marks and brackets comes from here on.
    fn is_end(&self, at: usize) -> bool {
        let rest = self.tokens.iter().skip(at).take(MOST_MARKS);
        let closes = |token: &Token| match token.kind {
            Kind::Sign(sign) => is_closing(sign),
            kind => kind == Kind::Blank,
        };
        rest.clone().all(closes) && at + MOST_MARKS > self.tokens.len()
    }

    /// Whether nothing but opening marks came before this.
    fn is_start(&self, at: usize) -> bool {
        let opens = |token: &Token| match token.kind {
            Kind::Sign(sign) => is_opening(sign),
            kind => kind == Kind::Blank,
        };
        at < MOST_MARKS && self.tokens[..at].iter().all(opens)
    }

    /// Whether a sentence ends with the full stop before this place, as far as that can be told from
    /// what comes: nothing, or a blank and a word that begins most often a sentence.
    fn sentence_ends(&self, at: usize) -> bool {
        if self.is_end(at) {
            return true;
        }
        let mut next = at;
        while next < at + MOST_MARKS && self.sign_at(next).is_some_and(is_closing) {
            next += 1;
        }
        if !self.is_blank(next) {
            return false;
        }
        next += 1;
        let behind = next;
        while next < at + 2 * MOST_MARKS && self.sign_at(next).is_some_and(is_opening) {
            next += 1;
        }
        let opened = next > behind;
        self.word(next)
            .is_some_and(|word| begins_large(word) && (opened || lists::STARTERS.contains(&word)))
    }
}

/// So many marks may stand at the beginning and the end of a sentence.
const MOST_MARKS: usize = 16;

fn is_closing(c: char) -> bool {
    matches!(c, '”' | '"' | '’' | '\'' | '»' | '›' | ')' | ']' | '}')
}

fn is_opening(c: char) -> bool {
    matches!(
        c,
        '“' | '"' | '‘' | '\'' | '«' | '„' | '‹' | '(' | '[' | '{'
    )
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '―' | '‒')
}

/// With a capital where it begins with a letter.
fn capitalized(said: &str) -> String {
    let mut letters = said.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn begins_large(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn is_all_large(word: &str) -> bool {
    word.chars().all(|c| !c.is_lowercase()) && word.chars().any(char::is_uppercase)
}

/// Letters with blanks between them: "U S".
fn spelled(letters: &str) -> String {
    let mut said = String::with_capacity(letters.len() * 2);
    for c in letters.chars() {
        if !said.is_empty() {
            said.push(' ');
        }
        said.push(c);
    }
    said
}
