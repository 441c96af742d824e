//! Signs that a reader says, and those that only part what stands around them.

use super::super::tokens::Kind;
use super::quantity::vulgar;
use super::symbols::{face, is_joint, is_picture};
use super::{OmissionReason, Read, Reader, is_closing, is_opening};
use crate::text::reading::Emoji;

impl Reader<'_> {
    /// What is said for a sign.
    pub(super) fn sign(&self, at: usize, sign: char) -> Option<Read> {
        match sign {
            '.' => self.point(at),
            '\'' | '’' | '‘' => self.short_year(at),
            '-' | '−' | '–' | '—' | '―' | '‒' => self.line(at, sign),
            '(' => self.bracket(at),
            ':' | ';' | '^' | '¯' => self.picture(at),
            '#' => self.hash(at),
            '&' if self.word(at + 1) == Some("c") && self.is_sign(at + 2, '.') => {
                let ends = self.sentence_ends(at + 3);
                Some(Read::new(at + 3 - usize::from(ends), "et cetera"))
            }
            '&' => Some(self.between_words(at, "and")),
            '@' => self.at_sign(at),
            '+' => self.plus(at),
            '=' => self
                .picture(at)
                .or_else(|| Some(self.between_words(at, "equals"))),
            '<' | '>' => self.angle(at, sign),
            '×' | '⋅' => Some(self.between_words(at, "times")),
            '÷' => Some(self.between_words(at, "divided by")),
            '±' | '∓' => Some(self.between_words(at, "plus or minus")),
            '≈' | '≅' => Some(self.compared(at, "is approximately equal to", "approximately")),
            '≠' => Some(self.between_words(at, "is not equal to")),
            '≤' | '⩽' => Some(self.compared(at, "is less than or equal to", "at most")),
            '≥' | '⩾' => Some(self.compared(at, "is greater than or equal to", "at least")),
            '√' => Some(self.between_words(at, "the square root of")),
            '∞' => Some(self.between_words(at, "infinity")),
            '∑' => Some(self.between_words(at, "the sum of")),
            '%' => Some(self.between_words(at, "percent")),
            '‰' => Some(self.between_words(at, "per mille")),
            '°' => Some(self.between_words(at, "degrees")),
            '[' => self.note_in_brackets(at),
            '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' => self.raised_note(at),
            '§' => Some(self.section(at)),
            '¶' => Some(self.between_words(at, "paragraph")),
            '©' => Some(self.between_words(at, "copyright")),
            '®' | '™' | '℠' => Some(self.silent(at, at + 1, OmissionReason::Unspeakable)),
            '*' | '_' | '`' | '|' | '•' | '·' | '‣' | '\\' | '†' | '‡' => {
                self.mark(at, sign)
            }
            '~' => self.tilde(at),
            '/' => self.slash(at),
            _ if vulgar(sign).is_some() => {
                let fraction = vulgar(sign)?;
                Some(self.part_of_unit(at, at + 1, fraction.alone))
            }
            _ if is_picture(sign) => self.picture(at),
            _ => self.money(at, sign),
        }
    }

    /// ".5"
    fn point(&self, at: usize) -> Option<Read> {
        // "D. C., was": the comma is what is heard.
        let short = at > 0 && self.word(at - 1).is_some();
        if short && matches!(self.sign_at(at + 1), Some(',' | ';' | ':')) {
            return Some(Read::new(at + 1, String::new()));
        }
        // "It cost $5.He paid."
        let glued = at > 0
            && self.digits(at - 1).is_some()
            && self
                .word(at + 1)
                .is_some_and(|word| super::begins_large(word) && !super::is_all_large(word));
        if glued {
            return Some(Read::new(at + 1, ". "));
        }
        let decimals = self.digits(at + 1)?;
        let touches = self.touches(at)
            && !self
                .sign_at(at - 1)
                .is_some_and(|sign| is_opening(sign) || sign == '-');
        (!touches).then(|| {
            Read::new(
                at + 2,
                format!("point {}", super::cardinal::digits(decimals)),
            )
        })
    }

    /// "x-1", "x²", "n+1": a letter that stands for a number.
    pub(super) fn variable(&self, at: usize) -> Option<Read> {
        // "mc²"
        let letters = self.word(at)?;
        if (2..4).contains(&letters.len())
            && !letters.contains(['a', 'e', 'i', 'o', 'u', 'y'])
            && letters.bytes().all(|b| b.is_ascii_lowercase())
            && let Some((power, next)) = self.power(at + 1)
        {
            return Some(Read::new(
                next,
                format!("{} {power}", super::spelled(letters)),
            ));
        }
        let letter = self
            .word(at)
            .filter(|word| word.len() == 1 && !matches!(*word, "I"))?;
        if self.touches(at)
            && !self.sign_at(at - 1).is_some_and(|sign| {
                is_opening(sign) || matches!(sign, '+' | '-' | '−' | '=' | '/' | '×')
            })
        {
            return None;
        }
        if let Some((power, next)) = self.power(at + 1) {
            return Some(Read::new(next, format!("{letter} {power}")));
        }
        let is_small = letter.starts_with(char::is_lowercase);
        let minus = matches!(self.sign_at(at + 1), Some('-' | '−' | '–'));
        let number = self.digits(at + 2)?;
        let alone = !matches!(self.kind(at + 3), Some(Kind::Word | Kind::Sign('-')));
        (is_small && minus && alone).then(|| {
            let number = super::cardinal::whole(number, self.british);
            Read::new(at + 3, format!("{letter} minus {number}"))
        })
    }

    fn bracket(&self, at: usize) -> Option<Read> {
        // (212) 634-7788
        if self.is_sign(at, '(')
            && let Some(phone) = self.phone(at + 1)
            && phone.back == 1
        {
            return Some(Read { back: 0, ..phone });
        }
        None
    }

    fn hash(&self, at: usize) -> Option<Read> {
        if let Some(number) = self.quantity(at + 1) {
            return Some(Read::new(
                number.next,
                format!("number {}", number.words(self.british)),
            ));
        }
        let word = self.word(at + 1)?;
        let blank = if self.touches(at) { " " } else { "" };
        Some(Read::new(at + 2, format!("{blank}hashtag {word}")))
    }

    fn at_sign(&self, at: usize) -> Option<Read> {
        let name = self.word(at + 1).is_some();
        if name && !self.touches(at) {
            return Some(Read::new(at + 1, "at "));
        }
        Some(self.between_words(at, "at"))
    }

    fn plus(&self, at: usize) -> Option<Read> {
        let plus = self.between_words(at, "plus");
        // "C++"
        if self.is_sign(at + 1, '+') {
            return Some(Read::new(at + 2, " plus plus"));
        }
        Some(plus)
    }

    fn angle(&self, at: usize, sign: char) -> Option<Read> {
        if let Some(picture) = self.picture(at) {
            return Some(picture);
        }
        let mut next = at + 1;
        // "<-", "=>" begins with its sign of equality.
        if sign == '<'
            && matches!(self.sign_at(next), Some('-' | '='))
            && !self
                .digits(next + 1)
                .is_some_and(|_| self.is_sign(next, '-'))
        {
            if self.is_sign(next, '=') && self.is_operand_after(next + 1) {
                return Some(self.said_between(at, next + 1, "is less than or equal to"));
            }
            while matches!(self.sign_at(next), Some('-' | '=')) {
                next += 1;
            }
            return Some(self.silent(at, next, OmissionReason::Emoji));
        }
        if sign == '>' && self.is_sign(next, '=') {
            return Some(self.said_between(at, next + 1, "is greater than or equal to"));
        }
        // Of two words neither is less: these are brackets, or the marks of a quotation in a mail.
        let is_measured = |at: usize| {
            self.digits(at).is_some()
                || self.word(at).is_some_and(|word| word.chars().count() == 1)
                || matches!(
                    self.sign_at(at),
                    Some(')' | '(' | '%' | '°' | '-' | '−' | '$' | '£' | '€' | '.')
                )
        };
        let spaced = at > 0 && self.is_blank(at - 1) && self.is_blank(next);
        let operand = |at: usize| is_measured(at) || (spaced && self.word(at).is_some());
        let before = self.before(at).is_some_and(operand)
            && (self.before(at).is_some_and(is_measured) || is_measured(self.past_blank(next)));
        let (long, short) = match sign {
            '<' => ("is less than", "less than"),
            _ => ("is greater than", "greater than"),
        };
        if before && self.is_operand_after(next) {
            return Some(self.said_between(at, next, long));
        }
        if self.digits(self.past_blank(next)).is_some() {
            return Some(self.said_between(at, next, short));
        }
        Some(self.silent(at, next, OmissionReason::Unspeakable))
    }

    fn is_operand_after(&self, at: usize) -> bool {
        let place = self.past_blank(at);
        self.digits(place).is_some()
            || self.word(place).is_some()
            || matches!(self.sign_at(place), Some('-' | '−' | '$' | '£' | '€' | '('))
    }

    /// Compared with what stands before, or alone before a number.
    fn compared(&self, at: usize, between: &str, alone: &str) -> Read {
        let before = self.before(at).is_some_and(|before| {
            self.digits(before).is_some()
                || self
                    .word(before)
                    .is_some_and(|word| word.chars().count() == 1)
                || matches!(self.sign_at(before), Some(')' | '%' | '²' | '³' | '°'))
                || self.is_blank(at + 1) && self.word(before).is_some()
        });
        self.between_words(at, if before { between } else { alone })
    }

    /// A word in the place of a sign, with blanks where they are wanting.
    fn between_words(&self, at: usize, said: &str) -> Read {
        self.said_between(at, at + 1, said)
    }

    fn said_between(&self, at: usize, next: usize, said: &str) -> Read {
        let opens =
            at == 0 || self.is_blank(at - 1) || self.sign_at(at - 1).is_some_and(is_opening);
        let closes = next >= self.tokens.len()
            || self.is_blank(next)
            || self
                .sign_at(next)
                .is_some_and(|sign| is_closing(sign) || ".,;:!?".contains(sign));
        let mut words = String::new();
        if !opens {
            words.push(' ');
        }
        words.push_str(said);
        if !closes {
            words.push(' ');
        }
        Read::new(next, words)
    }

    fn section(&self, at: usize) -> Read {
        let many = usize::from(self.is_sign(at + 1, '§'));
        let said = if many == 1 { "sections" } else { "section" };
        self.said_between(at, at + 1 + many, said)
    }

    /// Marks that are silent wherever they stand, but between numbers.
    fn mark(&self, at: usize, sign: char) -> Option<Read> {
        let is_number = |at: usize| self.digits(at).is_some();
        let between = self.before(at).is_some_and(is_number) && is_number(self.past_blank(at + 1));
        if sign == '*' && between {
            return Some(self.between_words(at, "times"));
        }
        if matches!(sign, '·') && between {
            return Some(self.between_words(at, "times"));
        }
        if sign == '_'
            && self.touches(at)
            && self.word(at + 1).is_some()
            && self.word(at - 1).is_some()
        {
            return Some(Read::new(at + 1, " "));
        }
        if sign == '\\' {
            return Some(self.between_words(at, "backslash"));
        }
        let mut next = at + 1;
        while self.is_sign(next, sign) {
            next += 1;
        }
        if matches!(sign, '|' | '•' | '·') && !self.is_start(at) && !self.is_end(next) {
            let back = usize::from(self.is_blank(at.saturating_sub(1)));
            let mut read = Read::new(self.past_blank(next), ", ");
            read.back = back;
            return Some(read);
        }
        Some(self.silent(at, next, OmissionReason::Unspeakable))
    }

    fn tilde(&self, at: usize) -> Option<Read> {
        let touches = self.touches(at) && !self.sign_at(at - 1).is_some_and(is_opening);
        if self.digits(at + 1).is_some() && !touches {
            return Some(Read::new(at + 1, "about "));
        }
        Some(self.silent(at, at + 1, OmissionReason::Unspeakable))
    }

    /// "and/or", "he/she", "km/h" is a unit.
    fn slash(&self, at: usize) -> Option<Read> {
        const OR: &[&str] = &[
            "he", "she", "him", "her", "his", "hers", "s", "yes", "no", "his/her", "male", "female",
        ];
        let before = self.before(at).and_then(|at| self.word(at));
        let behind = self.word(self.past_blank(at + 1));
        // "w/o", "w/ milk"
        if before == Some("w") && self.touches(at) {
            let mut read = match behind {
                Some("o") => Read::new(at + 2, "without"),
                _ => Read::new(self.past_blank(at + 1), "with "),
            };
            read.back = 1;
            return Some(read);
        }
        let letters = |word: Option<&str>| {
            word.is_some_and(|word| super::is_all_large(word) && word.len() < 5)
        };
        if letters(before) && letters(behind) {
            return Some(Read::new(at + 1, " "));
        }
        let (Some(before), Some(behind)) = (before, behind) else {
            return Some(self.between_words(at, "slash"));
        };
        let is_or = |word: &str| OR.contains(&word.to_lowercase().as_str());
        let said = match () {
            () if before == "and" && behind == "or" => return Some(Read::new(at + 1, " ")),
            () if is_or(before) && is_or(behind) => "or",
            () => "slash",
        };
        Some(self.between_words(at, said))
    }

    /// Pictures and what joins them, as long as they go on.
    fn picture(&self, at: usize) -> Option<Read> {
        let start = self.tokens[at].span.start;
        if let Some(len) = face(&self.text[start..]).filter(|_| !self.touches(at)) {
            let end = start + len;
            let next = at + self.tokens[at..].partition_point(|token| token.span.end <= end);
            // A word that goes on behind the face is none of it.
            if self
                .tokens
                .get(next)
                .is_none_or(|token| token.span.start >= end)
            {
                return Some(self.silent(at, next, OmissionReason::Emoji));
            }
        }
        let mut next = at;
        while self.sign_at(next).is_some_and(is_picture) {
            next += 1;
        }
        if next == at {
            return None;
        }
        if self.sign_at(at).is_some_and(is_joint) && next == at + 1 {
            return Some(Read {
                left_out: Some(OmissionReason::Invisible),
                ..Read::new(next, String::new())
            });
        }
        if self.taste.emoji == Emoji::Named {
            let first = self.tokens[at].span.start;
            let picture = &self.text[first..self.tokens[next - 1].span.end];
            let name = emojis::get(picture).map(|emoji| emoji.name().to_owned());
            if let Some(name) = name {
                return Some(self.said_between(at, next, &name));
            }
        }
        Some(self.silent(at, next, OmissionReason::Emoji))
    }

    /// Nothing is said, and one of the blanks around it goes as well.
    pub(super) fn silent(&self, at: usize, next: usize, reason: OmissionReason) -> Read {
        let before =
            at == 0 || self.is_blank(at - 1) || self.sign_at(at - 1).is_some_and(is_opening);
        let at_end = self.is_end(next)
            || self
                .sign_at(next)
                .is_some_and(|sign| ".,;:!?".contains(sign));
        let mut read = Read::new(next, String::new());
        if before && self.is_blank(next) {
            read.next = next + 1;
        } else if at_end && at > 0 && self.is_blank(at - 1) {
            read.back = 1;
        } else if !before && !self.is_blank(next) && !at_end {
            // "a→b"
            read.said.push(' ');
        }
        read.left_out = Some(reason);
        read
    }
}
