//! Raised and lowered signs: H₂O, 10², 1st, and the marks of notes, which look the same. It decides by what
//! stands around them, and must never leave out what is no mark.

use super::super::OmissionReason;
use super::writer::{Mark, Writer};

/// The words since `mark` were raised; `behind` is where the text goes on.
pub(super) fn end_raised(writer: &mut Writer<'_>, mark: Mark, is_link: bool, behind: &str) {
    let Some(words) = writer.words_since(mark, MOST) else {
        return;
    };
    match raised(&writer.words_before(mark), &words, behind, is_link) {
        Raised::Note => writer.take_back(mark, OmissionReason::Footnote),
        Raised::Signs => writer.replace(mark, superscript),
        Raised::Fraction { after_number: true } => writer.part(mark),
        Raised::Fraction { .. } | Raised::AsWritten => {}
    }
}

/// The words since `mark` were lowered.
pub(super) fn end_lowered(writer: &mut Writer<'_>, mark: Mark) {
    let Some(words) = writer.words_since(mark, MOST) else {
        return;
    };
    let is_under = writer.words_before(mark).ends_with(['/', '⁄']);
    if !is_under && words.chars().all(|c| subscript(c).is_some()) {
        writer.replace(mark, subscript);
    }
}

/// The words since `mark` lead to a place in the same text.
pub(super) fn end_link(writer: &mut Writer<'_>, mark: Mark) {
    let words = writer.words_since(mark, MOST);
    if words.is_some_and(|words| is_note_link(&words)) {
        writer.take_back(mark, OmissionReason::Footnote);
    }
}

/// What raised words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raised {
    /// The mark of a note, or its label.
    Note,
    /// A power, a charge: the signs that Unicode has for it.
    Signs,
    /// The upper half of a fraction, behind a whole number or alone.
    Fraction { after_number: bool },
    /// Letters like others: 1st.
    AsWritten,
}

/// Longest words that are looked at, in bytes.
const MOST: usize = 64;

/// What `words` are that stand raised between `before` and `behind`; a link leads away from them or not.
fn raised(before: &str, words: &str, behind: &str, is_link: bool) -> Raised {
    let words = words.trim();
    let is_number = !words.is_empty() && words.bytes().all(|b| b.is_ascii_digit());
    if is_note_sign(words) || is_bracketed(words) {
        return Raised::Note;
    }
    if is_link && (is_numbers(words) || is_letter_or_roman(words)) {
        return Raised::Note;
    }
    let over = ["/", "⁄", "&frasl;", "&#8260;"];
    if is_number && over.iter().any(|over| behind.starts_with(over)) {
        let after_number = before.ends_with(|c: char| c.is_ascii_digit());
        return Raised::Fraction { after_number };
    }
    if is_numbers(words) && !takes_power(before) {
        return Raised::Note;
    }
    if !words.is_empty() && words.chars().all(|c| superscript(c).is_some()) {
        return Raised::Signs;
    }
    Raised::AsWritten
}

/// The link at the end of a note that leads back, or a mark of a note that is not raised: `[3]`, `*`.
fn is_note_link(words: &str) -> bool {
    let words = words.trim();
    let inner = words
        .strip_prefix('[')
        .and_then(|words| words.strip_suffix(']'));
    let arrows = |c: char| {
        matches!(
            c,
            '↩' | '↑' | '⤴' | '⬆' | '↵' | '⏎' | '^' | '\u{FE0E}' | '\u{FE0F}'
        )
    };
    is_note_sign(words)
        || inner.is_some_and(|inner| is_numbers(inner) || is_note_sign(inner))
        || (!words.is_empty() && words.chars().all(arrows))
}

/// `*`, `†`, `‡` …
fn is_note_sign(words: &str) -> bool {
    let sign = |c: char| matches!(c, '*' | '∗' | '†' | '‡' | '§' | '¶' | '‖' | '#');
    (1..=4).contains(&words.chars().count()) && words.chars().all(sign)
}

/// `[3]`, `[a]`, `[citation needed]`.
fn is_bracketed(words: &str) -> bool {
    words.len() > 2 && words.starts_with('[') && words.ends_with(']')
}

/// `3`, `12, 14`, `3–5`: numbers of at most four digits.
fn is_numbers(words: &str) -> bool {
    let parts = words.split([',', ';', '–', '-', ' ']).map(str::trim);
    let mut numbers = parts.filter(|part| !part.is_empty()).peekable();
    let is_number = |part: &str| part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    words.starts_with(|c: char| c.is_ascii_digit())
        && words.ends_with(|c: char| c.is_ascii_digit())
        && numbers.all(is_number)
}

fn is_letter_or_roman(words: &str) -> bool {
    let lower = words.to_lowercase();
    let letter = words.len() == 1 && words.chars().all(char::is_alphabetic);
    letter || (!lower.is_empty() && lower.len() <= 6 && lower.chars().all(|c| "ivxl".contains(c)))
}

/// True behind what a raised number belongs to: a number, a single letter, a unit, a formula in brackets.
pub(in crate::text) fn takes_power(before: &str) -> bool {
    const UNITS: &[&str] = &[
        "mm", "cm", "dm", "km", "in", "ft", "yd", "mi", "ha", "sec", "min", "hr", "kg", "mg", "lb",
        "nm", "µm", "μm", "sin", "cos", "tan", "log", "ln", "sq",
    ];
    match before.chars().next_back() {
        None => false,
        Some(')' | ']') => closes_formula(before),
        // "H₂O": what is lowered belongs to a formula, too.
        Some(c) if c.is_numeric() => true,
        Some(c) if c.is_alphabetic() => {
            let word = before
                .rsplit(|c: char| !c.is_alphabetic())
                .next()
                .unwrap_or_default();
            // "A" and "I" may be words, but nobody puts a note at them.
            word.chars().count() == 1 || UNITS.contains(&word)
        }
        Some(_) => false,
    }
}

/// `(x + 1)` or `(2a)`, but not `(see below)`.
fn closes_formula(before: &str) -> bool {
    let inner = &before[..before.len() - 1];
    let Some(open) = inner.rfind(['(', '[']) else {
        return false;
    };
    let inner = &inner[open + 1..];
    let signs = |c: char| c.is_numeric() || "+−-*/=×·^".contains(c);
    let mut words = inner.split(|c: char| !c.is_alphabetic());
    let no_words = words.all(|word| word.chars().count() < 3);
    no_words && (inner.contains(signs) || inner.chars().count() == 1)
}

/// The raised form of a sign, if there is one that is read.
pub(super) fn superscript(c: char) -> Option<char> {
    Some(match c {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4'..='9' => char::from_u32('⁴' as u32 + (c as u32 - '4' as u32))?,
        '+' => '⁺',
        '-' | '−' | '–' => '⁻',
        '=' => '⁼',
        '(' => '⁽',
        ')' => '⁾',
        'n' => 'ⁿ',
        _ => return None,
    })
}

/// The lowered form of a sign, if there is one that is read.
pub(super) fn subscript(c: char) -> Option<char> {
    Some(match c {
        '0'..='9' => char::from_u32('₀' as u32 + (c as u32 - '0' as u32))?,
        '+' => '₊',
        '-' | '−' | '–' => '₋',
        '=' => '₌',
        '(' => '₍',
        ')' => '₎',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_powers() {
        let notes = [
            ("The lamp went out.", "3"),
            ("known word", "12"),
            ("(see below)", "3"),
            ("“Yes.”", "3, 4"),
            ("slept", "*"),
            ("slept", "[citation needed]"),
            ("", "1"),
        ];
        for (before, words) in notes {
            assert_eq!(
                raised(before, words, " and", false),
                Raised::Note,
                "{before}"
            );
        }
        let powers = [
            ("10", "2"),
            ("x", "2"),
            ("5 km", "2"),
            ("(x + 1)", "2"),
            ("10", "-3"),
            ("x", "n"),
        ];
        for (before, words) in powers {
            assert_eq!(
                raised(before, words, " and", false),
                Raised::Signs,
                "{before}"
            );
        }
        assert_eq!(raised("1", "st", "", false), Raised::AsWritten);
        assert_eq!(raised("10", "2", "", true), Raised::Note);
        let fraction = Raised::Fraction { after_number: true };
        assert_eq!(raised("3", "1", "/<sub>2", false), fraction);
        assert!(is_note_link("[12]") && is_note_link("↩\u{FE0E}") && !is_note_link("3"));
    }
}
