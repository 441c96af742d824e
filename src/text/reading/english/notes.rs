//! The marks of notes, for those who want them said: "note twelve".

use super::{Read, Reader};
use crate::text::reading::NoteMarks;

impl Reader<'_> {
    /// "slept.[12]", where its mark is wanted.
    pub(super) fn note_in_brackets(&self, at: usize) -> Option<Read> {
        let is_wanted = self.taste.note_marks == NoteMarks::Spoken && self.touches(at);
        let number = self.digits(at + 1).filter(|_| is_wanted)?;
        let said = super::cardinal::whole(number, self.british);
        self.is_sign(at + 2, ']')
            .then(|| self.note(at, at + 3, &said))
    }

    /// "slept.¹"
    pub(super) fn raised_note(&self, at: usize) -> Option<Read> {
        if self.taste.note_marks != NoteMarks::Spoken || !self.touches(at) {
            return None;
        }
        let mut digits = String::new();
        let mut next = at;
        while let Some(sign) = self.sign_at(next)
            && let Some(digit) = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|raised| raised == sign)
        {
            digits.push(char::from(b'0' + u8::try_from(digit).ok()?));
            next += 1;
        }
        let said = super::cardinal::whole(&digits, self.british);
        Some(self.note(at, next, &said))
    }

    /// A note's number as a sentence of its own behind one, else between pauses.
    fn note(&self, at: usize, next: usize, number: &str) -> Read {
        let before = at.checked_sub(1).and_then(|at| self.sign_at(at));
        let said = match before {
            Some('.' | '!' | '?' | '…') => format!(" Note {number}."),
            _ if self.is_blank(next) => format!(", note {number},"),
            _ => format!(", note {number}"),
        };
        Read::new(next, said)
    }
}
