//! Sentences that stick together: "slept.Then", "end.**Bold**", "What?—Nothing." A blank is said where
//! one sentence ends, and the cutting does the rest. It must leave alone what only looks so: names of
//! files, versions, addresses, abbreviations, a question inside of a sentence.

use super::super::abbreviations::{has, is_abbreviation};
use super::stream::{Edit, Stream};

/// How far a look back or ahead goes, in bytes.
const NEAR: usize = 64;

/// A blank, and a sentence ends whatever follows.
const END: &str = "\u{2029}";

const ENDS: [char; 4] = ['.', '!', '?', '…'];

/// What there is to change in a block.
pub(super) fn edits(stream: &Stream) -> Vec<Edit> {
    let text = stream.text.as_str();
    let mut edits = Vec::new();
    let mut quotes = Quotes::default();
    let mut at = 0;
    // What comes before is parted from what comes now.
    let mut parted = 0;
    while let Some(found) = text[at..].find(ENDS) {
        let first = at + found;
        let end = first
            + text[first..]
                .find(|c| !ENDS.contains(&c))
                .unwrap_or(text.len() - first);
        quotes.pass(&text[at..end]);
        at = end;
        let place = Place::new(text, first..end, quotes.inside, parted);
        if let Some(dash) = place.dash() {
            parted = dash.end;
            edits.push(Edit::Say(dash, " "));
        } else if let Some(blank) = place.glued(|at| stream.has_seam(at)) {
            let (at, words) = blank;
            parted = at;
            edits.push(Edit::Insert(at, words));
        }
    }
    edits
}

/// Whether a straight quotation mark opens or closes.
#[derive(Default)]
struct Quotes {
    inside: bool,
}

impl Quotes {
    fn pass(&mut self, text: &str) {
        self.inside ^= text.matches('"').count() % 2 == 1;
    }
}

/// Signs that may end a sentence, and what stands around them.
struct Place<'a> {
    text: &'a str,
    signs: std::ops::Range<usize>,
    /// Behind the signs and what closes there.
    closed: usize,
    /// Behind what opens there, too.
    opened: usize,
    /// Where the last blank is wanted before it.
    parted: usize,
}

impl<'a> Place<'a> {
    fn new(text: &'a str, signs: std::ops::Range<usize>, quoted: bool, parted: usize) -> Self {
        let near = &text[signs.end..text.floor_char_boundary(signs.end + NEAR)];
        let closes = |c: char| matches!(c, '”' | '’' | '»' | '›' | ')' | ']');
        let mut closing = near.len() - near.trim_start_matches(closes).len();
        if quoted && near[closing..].starts_with('"') {
            closing += 1;
            closing += near[closing..].len() - near[closing..].trim_start_matches(closes).len();
        }
        let closed = signs.end + closing;
        let signs_start = signs.start;
        let opening = opening(&near[closing..]);
        Self {
            text,
            signs,
            closed,
            opened: closed + opening,
            parted: parted.min(signs_start),
        }
    }

    /// The dash of "What?—Nothing.", which parts two sentences.
    fn dash(&self) -> Option<std::ops::Range<usize>> {
        let after = &self.text[self.closed..];
        let after = &after[..after.floor_char_boundary(NEAR)];
        let is_dash = |c: char| matches!(c, '—' | '–' | '―' | '⸺' | '-');
        let len = after.len() - after.trim_start_matches(is_dash).len();
        let (dash, next) = after.split_at(len);
        if dash.is_empty() || dash == "-" {
            return None;
        }
        let opening = opening(next);
        let is_closed = self.closed > self.signs.end;
        let begins = next[opening..].starts_with(char::is_uppercase) && (opening > 0 || !is_closed);
        let ends = match self.ends_with() {
            '.' => self.is_plain_word() && self.signs.len() == 1 && !is_closed,
            '…' => false,
            _ => self.text[..self.signs.start]
                .ends_with(|c: char| c.is_alphanumeric() || "'’\"”".contains(c)),
        };
        (begins && ends).then(|| self.closed..self.closed + len)
    }

    fn ends_with(&self) -> char {
        self.text[..self.signs.end]
            .chars()
            .next_back()
            .unwrap_or(' ')
    }

    /// Where a blank is wanted, and which.
    fn glued(&self, has_seam: impl Fn(usize) -> bool) -> Option<(usize, &'static str)> {
        let next = &self.text[self.opened..];
        let next = &next[..next.floor_char_boundary(NEAR)];
        let (word, rest) = next.split_at(
            next.find(|c: char| !c.is_alphabetic())
                .unwrap_or(next.len()),
        );
        let first = word.chars().next()?;
        // Marks may stand before or behind what closes and opens here.
        let seam = (self.signs.end..=self.opened)
            .filter(|&at| self.text.is_char_boundary(at))
            .find(|&at| has_seam(at));
        let before = self.word();
        if seam.is_some() && before.chars().any(char::is_alphanumeric) {
            let at = self.closed.max(self.signs.end);
            let is_short = self.ends_with() == '.'
                && self.signs.len() == 1
                && (is_abbreviation(before) || before.chars().nth(1).is_none() || before == "www");
            return match is_short {
                // "e.g. *this*" lacks its blank, "U.**S.**" does not.
                true => is_abbreviation(before).then_some((at, " ")),
                false => Some((at, END)),
            };
        }
        if !first.is_uppercase() || self.is_address() {
            return None;
        }
        let at = self.closed;
        let is_word = word.chars().nth(1).is_some_and(char::is_lowercase)
            || (matches!(word, "I" | "A") && rest.starts_with([' ', '’', '\'', '\n']));
        match self.ends_with() {
            '.' if self.signs.len() > 1 => (is_word && before.len() > 1).then_some((at, " ")),
            '.' => {
                let stands =
                    is_word && !is_suffix(word) && !rest.starts_with(['_', '(', '.', '@', '/']);
                let is_glued =
                    self.is_plain_word() || (self.closed > self.signs.end && before.len() > 1);
                (stands && (is_glued || is_title(before))).then_some((at, " "))
            }
            _ => before.chars().any(char::is_alphabetic).then_some((at, " ")),
        }
    }

    /// The word before the signs, with the full stops in it.
    fn word(&self) -> &'a str {
        let head = &self.text[self.parted..self.signs.start];
        let head = &head[head.ceil_char_boundary(head.len().saturating_sub(NEAR))..];
        let head = head.trim_end_matches(['”', '’', '"', '»', ')', ']']);
        let start = head
            .char_indices()
            .rev()
            .find(|&(_, c)| !(c.is_alphanumeric() || matches!(c, '.' | '\'' | '’' | '_')))
            .map_or(0, |(at, c)| at + c.len_utf8());
        &head[start..]
    }

    /// True for a word as sentences end with: "slept", "Tom", "1890".
    fn is_plain_word(&self) -> bool {
        let word = self.word();
        let mut letters = word.chars().filter(|c| !matches!(c, '\'' | '’'));
        let is_number = word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
        let first = letters.next().is_some_and(char::is_alphabetic);
        let count = word.chars().count();
        let rest = letters.all(char::is_lowercase);
        is_number || (first && rest && count > 1 && !is_abbreviation(word))
    }

    /// True inside of an address: "example.org/A?B".
    fn is_address(&self) -> bool {
        let head = &self.text[self.parted..self.signs.start];
        let head = &head[head.ceil_char_boundary(head.len().saturating_sub(NEAR))..];
        let tail = &self.text[self.signs.end..];
        let tail = &tail[..tail.floor_char_boundary(NEAR)];
        let head = head.rsplit(char::is_whitespace).next().unwrap_or_default();
        // Only the name of the first field counts, for no sentence can be parted within it.
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '%' | '[' | ']');
        let field = tail.trim_start_matches(is_name);
        let marks = ["://", "www.", "@", "\\", "::"];
        marks.iter().any(|mark| head.contains(mark))
            || (self.ends_with() == '?' && field.starts_with('=') && head.contains('/'))
            || tail.starts_with('@')
    }
}

/// How long the marks are that open something.
fn opening(text: &str) -> usize {
    let opens = |c: char| matches!(c, '“' | '‘' | '«' | '„' | '‹' | '(' | '[' | '"' | '¿' | '¡');
    text.len() - text.trim_start_matches(opens).len()
}

/// A title that only lacks its blank: "Dr.Ruiz".
fn is_title(word: &str) -> bool {
    const TITLES: &str = "Mr Mrs Ms Dr Prof St Mt Capt Sgt Lt Rev";
    has(TITLES, word)
}

/// The end of a name with a full stop in it: "Vue.Js", "Booking.Com".
fn is_suffix(word: &str) -> bool {
    const SUFFIXES: &str = "js net com org io edu gov txt md pdf doc docx exe py rs ts html htm jpg png zip info co \
        uk de ai app dev";
    has(SUFFIXES, &word.to_lowercase())
}
