//! The marks of notes in a text: "out.¹", "slept.\[12\]", "woke.*", "knows† why". Only a mark that is
//! attached to a word or a sentence is one; it must never take a power ("x²", "3 m²"), a letter that
//! an editor put in ("boat\[s\]") or the stars of an emphasis.

use super::super::OmissionReason;
use super::super::abbreviations::has;
use super::super::document::SENTENCE_END;
use super::super::formats::takes_power;
use super::stream::{Edit, Stream};

/// How far a look back or ahead goes, in bytes.
const NEAR: usize = 64;

/// The marks in a block, in order.
pub(super) fn edits(stream: &Stream) -> Vec<Edit> {
    let text = stream.text.as_str();
    let mut edits = Vec::new();
    let mut stars = Stars::default();
    let mut at = 0;
    while let Some(found) = text[at..].find(begins_mark) {
        let start = at + found;
        let rest = &text[start..];
        let c = rest.chars().next().unwrap_or_default();
        // What stands before a row of marks counts for each of them.
        let before = &text[..match edits.last() {
            Some(Edit::Omit(last, _)) if last.end == start => last.start,
            _ => start,
        }];
        let len = match c {
            '[' => brackets(before, rest),
            '*' => stars.mark(before, rest),
            '†' | '‡' | '§' => sign(before, rest),
            _ => power(before, rest),
        };
        let end = start + len.unwrap_or_else(|| same_kind(rest, c));
        if len.is_some() {
            match edits.last_mut() {
                Some(Edit::Omit(last, _)) if last.end == start => last.end = end,
                _ => edits.push(Edit::Omit(start..end, OmissionReason::NoteMark)),
            }
        }
        at = end;
    }
    edits
}

fn begins_mark(c: char) -> bool {
    matches!(c, '[' | '*' | '†' | '‡' | '§') || is_superscript(c)
}

fn is_superscript(c: char) -> bool {
    matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹')
}

/// How long a row of signs like the first one is.
fn same_kind(rest: &str, first: char) -> usize {
    let same = |c: char| c == first || (is_superscript(first) && is_superscript(c));
    rest.find(|c| !same(c)).unwrap_or(rest.len())
}

fn near_before(text: &str) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(NEAR))..]
}

/// The letters that `text` ends with.
fn word_before(text: &str) -> &str {
    let near = near_before(text);
    let start = near
        .char_indices()
        .rev()
        .find(|&(_, c)| !c.is_alphanumeric())
        .map_or(0, |(at, c)| at + c.len_utf8());
    &near[start..]
}

/// True for signs that a sentence or a part of it ends with.
fn is_closing(c: char) -> bool {
    const SIGNS: &str = ".,;:!?…”’\"'»›)]%";
    SIGNS.contains(c)
}

/// True if a word of two letters at least, or a sign behind one, stands before.
fn is_attached(before: &str) -> bool {
    let Some(c) = before.chars().next_back() else {
        return false;
    };
    if is_closing(c) {
        // A row of signs alone ("?!*") is no sentence.
        return near_before(before).contains(char::is_alphanumeric);
    }
    c.is_alphabetic() && word_before(before).chars().nth(1).is_some()
}

/// True if nothing goes on behind a mark.
fn is_loose(after: &str) -> bool {
    const SIGNS: &str = ".,;:!?…”’\"'»)]—–*†‡§[";
    after
        .chars()
        .next()
        .is_none_or(|c| c.is_whitespace() || c == SENTENCE_END || SIGNS.contains(c))
}

/// `[12]`, `[a]`, `[12, 14]`, `[12–14]`, `[note 3]`.
fn brackets(before: &str, rest: &str) -> Option<usize> {
    let near = &rest[1..rest.floor_char_boundary(NEAR)];
    let inside = &near[..near.find([']', '['])?];
    let after = &rest[1 + inside.len()..];
    let after = after.strip_prefix(']')?;
    let goes_on = after.starts_with(|c: char| c.is_alphanumeric() || "(:={".contains(c));
    if !is_attached(before) || (goes_on && !after.starts_with(char::is_uppercase)) {
        return None;
    }
    let behind_word = before.ends_with(char::is_alphanumeric);
    let parts = || inside.split([',', '–', '-', ';']).map(str::trim);
    let number = |part: &str| {
        (1..=4).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && !part.starts_with('0')
    };
    // An editor's letter: "boat[s]", "love[d]".
    let letter = |part: &str| {
        matches!(part.as_bytes(), [c] if c.is_ascii_alphabetic())
            && !(behind_word && "sdrnytem".contains(&part.to_ascii_lowercase()))
    };
    let numeral =
        |part: &str| (2..=5).contains(&part.len()) && part.bytes().all(|b| b"ivxl".contains(&b));
    let named = || {
        let (name, count) = inside.split_once(' ')?;
        let is_name = matches!(name, "note" | "n" | "n." | "nb" | "fn" | "ref");
        Some(is_name && (number(count) || letter(count)))
    };
    let needed = matches!(
        inside,
        "citation needed" | "clarification needed" | "better source needed"
    );
    let is_mark = needed
        || parts().all(|part| number(part) || letter(part))
        || numeral(inside)
        || matches!(inside, "*" | "†" | "‡" | "§")
        || named().unwrap_or(false);
    is_mark.then_some(inside.len() + 2)
}

/// Stars: those that are open wait for their partner, for the two of them are an emphasis.
#[derive(Default)]
struct Stars {
    /// How many are open: single ones, double ones, more.
    open: [usize; 3],
}

impl Stars {
    fn mark(&mut self, before: &str, rest: &str) -> Option<usize> {
        let count = same_kind(rest, '*');
        let open = &mut self.open[count.min(3) - 1];
        let after = &rest[count..];
        let opens = after.starts_with(|c: char| !c.is_whitespace() && !is_closing(c))
            && !before.ends_with(char::is_alphanumeric);
        if opens && !before.ends_with(is_closing) {
            *open += 1;
            return None;
        }
        if *open > 0 && before.ends_with(|c: char| !c.is_whitespace()) {
            *open -= 1;
            return None;
        }
        // "damn*" has a note; "sh**" has lost its letters.
        let letters = word_before(before).chars().count();
        let is_word = letters >= if count > 1 { 4 } else { 2 };
        let is_sentence = before.ends_with(is_closing);
        let ends = is_loose(after) || (is_sentence && after.starts_with(char::is_uppercase));
        ((is_word || is_sentence) && is_attached(before) && ends && count <= 3).then_some(count)
    }
}

/// `†` and the like, maybe doubled.
fn sign(before: &str, rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let len = same_kind(rest, first);
    let ends = is_loose(&rest[len..]) || rest[len..].starts_with(char::is_uppercase);
    let number = first != '§' && before.ends_with(|c: char| c.is_ascii_digit());
    ((is_attached(before) || number) && ends && len <= 3 * first.len_utf8()).then_some(len)
}

/// ¹ behind a word or a sentence, not behind what can be raised to a power.
fn power(before: &str, rest: &str) -> Option<usize> {
    let digits = same_kind(rest, '¹');
    // "¹,²" and "¹⁻³" are rows of marks; "⁻¹" and "²⁺" are none.
    let mut len = digits;
    while let Some(c) = rest[len..]
        .chars()
        .next()
        .filter(|c| matches!(c, '⁻' | '˒' | ',' | '–'))
    {
        let more = &rest[len + c.len_utf8()..];
        if !more.starts_with(is_superscript) {
            break;
        }
        len += c.len_utf8() + same_kind(more, '¹');
    }
    let after = &rest[len..];
    let goes_on = |c: char| c.is_lowercase() || c.is_numeric() || "⁺⁻⁄/".contains(c);
    if after.starts_with(goes_on) || !is_attached(before) {
        return None;
    }
    let calculates = after
        .trim_start_matches(' ')
        .starts_with(['+', '=', '×', '·', '−', '<', '>', '≤', '≥', '^', '≈', '÷']);
    // What a format has made a power of stays one.
    let is_power = rest.starts_with(['²', '³']) && takes_power(before);
    if calculates
        || is_power
        || before.ends_with(|c: char| c.is_alphanumeric()) && is_formula(before)
    {
        return None;
    }
    (!before.ends_with(')') || !is_sum(before)).then_some(len)
}

/// True if the word at the end is a unit, a function, or letters of a formula.
fn is_formula(before: &str) -> bool {
    const UNITS: &str = "km cm mm dm µm μm nm kg hz sin cos tan cot log ln sinh cosh tanh exp mc";
    const BEHIND_NUMBERS: &str = "ft in yd mi sec inch inches feet foot yard yards mile miles meter meters metre metres pc \
        ly au li sq";
    let word = word_before(before);
    let lower = word.to_lowercase();
    let rest = before[..before.len() - word.len()].trim_end();
    let counted = rest.ends_with(|c: char| c.is_numeric());
    let vowels = |c: char| "aeiouyAEIOUY".contains(c) || (!c.is_ascii() && c.is_alphabetic());
    has(UNITS, &lower)
        || (counted && has(BEHIND_NUMBERS, &lower))
        || rest.ends_with(['=', '+', '×', '·', '/', '^', '√', '−', '<', '>', '≤', '≥'])
        || (word.chars().count() < 4 && !word.contains(vowels))
        || (word.chars().count() == 2 && (!word.is_ascii() || word == word.to_uppercase()))
        || word.contains(|c: char| c.is_ascii_digit())
}

/// True if brackets at the end hold no words: "(x + 1)".
fn is_sum(before: &str) -> bool {
    let near = near_before(before);
    let Some(open) = near.rfind('(') else {
        return false;
    };
    let inside = &near[open + 1..near.len() - 1];
    let is_year = inside.len() > 2 && inside.bytes().all(|b| b.is_ascii_digit());
    let mut words = inside.split(|c: char| !c.is_alphabetic());
    !is_year && !words.any(|word| word.chars().nth(2).is_some())
}
