//! Dashes, which are pauses, the signs of ranges and sums, and minus before a number. A hyphen in a word
//! is left as it stands.

use super::super::tokens::Kind;
use super::{OmissionReason, Read, Reader, is_closing, is_opening};

impl Reader<'_> {
    /// A dash, a minus, or a hyphen, which is left.
    pub(super) fn line(&self, at: usize, sign: char) -> Option<Read> {
        if let Some(minus) = self.minus(at, sign) {
            return Some(minus);
        }
        // "10%-15%", "$1.2 million–$1.5 million"
        let amount =
            self.digits(at + 1).is_some() || matches!(self.sign_at(at + 1), Some('$' | '£' | '€'));
        let measured = at > 0
            && (matches!(self.sign_at(at - 1), Some('%' | '°'))
                || matches!(
                    self.word(at - 1),
                    Some("million" | "billion" | "percent" | "dollars")
                ));
        if amount && measured {
            return Some(Read::new(at + 1, " to "));
        }
        // "->" and "-->" are pictures.
        let mut past = at;
        while matches!(self.sign_at(past), Some('-' | '=')) {
            past += 1;
        }
        if self.is_sign(past, '>') {
            return Some(self.silent(at, past + 1, OmissionReason::Emoji));
        }
        let next = self.past_dash(at)?;
        let words = (
            self.touches(at).then(|| self.word(at - 1)).flatten(),
            self.word(next),
        );
        if let (Some(before), Some(behind)) = words {
            let (begun, whole) = (before.to_lowercase(), behind.to_lowercase());
            // "Wh—what?"
            if begun.len() <= 3
                && begun.len() < whole.len()
                && whole.starts_with(&begun)
                && begun != "a"
            {
                return Some(Read::new(next, "-"));
            }
            // "Paris–London", "A–Z"
            let names = before.chars().next().is_some_and(char::is_uppercase)
                && behind.chars().next().is_some_and(char::is_uppercase);
            if sign == '–' && next == at + 1 && names {
                let letters = before.chars().count() == 1 && behind.chars().count() == 1;
                return Some(Read::new(next, if letters { " to " } else { "-" }));
            }
        }
        self.pause(at, at, next)
    }

    /// The piece behind a dash: `—`, `--`, `---`, and a hyphen only between blanks.
    fn past_dash(&self, at: usize) -> Option<usize> {
        let mut next = at;
        while matches!(self.sign_at(next), Some('-' | '–' | '—' | '―' | '‒' | '−')) {
            next += 1;
        }
        let hyphen = next == at + 1 && matches!(self.sign_at(at), Some('-' | '−'));
        let parts = at > 0 && self.is_blank(at - 1) && self.is_blank(next);
        (next > at && (!hyphen || parts)).then_some(next)
    }

    /// A blank with a dash behind it.
    pub(super) fn dash(&self, at: usize) -> Option<Read> {
        let sign = self.sign_at(at + 1)?;
        if !matches!(sign, '-' | '–' | '—' | '―' | '‒' | '−') {
            return None;
        }
        if self.minus(at + 1, sign).is_some() {
            return None;
        }
        let next = self.past_dash(at + 1)?;
        // "5 - 3" is a sum.
        if self.is_sum(at + 1, next) {
            let said = if matches!(sign, '-' | '–' | '−') {
                " minus "
            } else {
                ", "
            };
            return Some(Read::new(self.past_blank(next), said));
        }
        self.pause(at, at + 1, next)
    }

    fn is_sum(&self, at: usize, next: usize) -> bool {
        let is_operand = |at: usize| {
            self.digits(at).is_some()
                || self
                    .word(at)
                    .is_some_and(|word| word.len() == 1 && word != "I" && word != "a")
        };
        next == at + 1
            && self.before(at).is_some_and(is_operand)
            && is_operand(self.past_blank(next))
    }

    /// A dash is a pause, unless one is there already.
    fn pause(&self, from: usize, at: usize, next: usize) -> Option<Read> {
        let behind = self.past_blank(next);
        let before = self.before(from);
        let Some(before) = before.filter(|_| !self.is_start(at)) else {
            // "— Come in" is someone speaking.
            return Some(self.silent(from, behind, OmissionReason::Unspeakable));
        };
        if self.is_end(next) {
            // Speech that breaks off has no pause of its own.
            return Some(Read::new(next, String::new()));
        }
        let before = match self.sign_at(before) {
            Some(sign) if is_closing(sign) => before.checked_sub(1).and_then(|at| self.sign_at(at)),
            sign => sign,
        };
        // "He was--" and "I'll--”: the sentence breaks off.
        if self
            .sign_at(next)
            .is_some_and(|sign| matches!(sign, ',' | ';' | ':' | '.' | '!' | '?'))
        {
            return Some(Read::new(next, String::new()));
        }
        let closes = self.sign_at(next).is_some_and(is_closing);
        let said = match before {
            Some(',' | ';' | ':' | '.' | '!' | '?' | '…') => " ",
            _ if closes => ",",
            _ => ", ",
        };
        let next = if closes { next } else { behind };
        Some(Read::new(next, said))
    }

    /// A minus before a number or an amount: nothing that could be its first number stands before.
    fn minus(&self, at: usize, sign: char) -> Option<Read> {
        let number = at + 1;
        let is_amount = self.digits(number).is_some()
            || (self.is_sign(number, '.') && self.digits(number + 1).is_some())
            || (matches!(self.sign_at(number), Some('$' | '£' | '€' | '¥'))
                && self.digits(number + 1).is_some());
        if !is_amount || matches!(sign, '—' | '―' | '‒') {
            return None;
        }
        let opens = match at.checked_sub(1) {
            None => true,
            Some(before) => match self.kind(before)? {
                Kind::Blank => {
                    // "5 -3" is a sum, and "pages 5 –7" a range.
                    sign != '–' || self.before(at).is_none_or(|at| self.digits(at).is_none())
                }
                Kind::Sign(sign) => {
                    is_opening(sign)
                        || matches!(sign, '=' | '<' | '>' | '±' | '×' | '/' | '≤' | '≥' | '≈')
                }
                Kind::Word | Kind::Digits => sign == '−',
            },
        };
        if !opens {
            return None;
        }
        let read = self.rule(number, false)?;
        let blank = if self.touches(at) && !self.sign_at(at - 1).is_some_and(is_opening) {
            " "
        } else {
            ""
        };
        Some(Read::new(read.next, format!("{blank}minus {}", read.said)))
    }
}
