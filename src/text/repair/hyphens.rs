//! Words that a hyphen parts at the end of a line, and hyphens that were never meant to be seen.
//! Whether the hyphen is the word's own is decided by how the same word stands elsewhere in the text,
//! then by lists; it must never join across a dash, or what "pre- and post-war" leaves open.

use std::collections::HashMap;
use std::ops::Range;

use super::super::{Document, Omission, OmissionReason};
use super::compounds::{is_conjunction, is_link, is_number, keeps_hyphen};
use super::stream::{Edit, Stream};

/// The longest word that is looked at, in bytes; a bound keeps hostile texts linear.
const LONGEST: usize = 64;

/// Signs that show a hyphen only at the end of a line, or forbid one: they are inside of words.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{2060}' | '\u{2}')
}

/// A mark with what stands around it.
struct Parted<'a> {
    /// The mark and the blanks behind it.
    mark: Range<usize>,
    end: usize,
    sign: char,
    before: char,
    after: char,
    at_line_end: bool,
    text: &'a str,
}

/// What to do about a mark.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// One word without a hyphen.
    Join,
    /// One word with its hyphen.
    Keep,
    /// As it stands.
    Leave,
}

/// Every mark that may part a word, in order.
fn parted(text: &str) -> impl Iterator<Item = Parted<'_>> {
    const SIGNS: [char; 8] = [
        '-', '\u{2010}', '\u{2011}', '\u{FFFE}', '¬', '\u{AD}', '\u{2060}', '\u{2}',
    ];
    text.match_indices(SIGNS).filter_map(move |(at, sign)| {
        let before = text[..at].chars().next_back()?;
        let start = at + sign.len();
        if !before.is_alphanumeric() {
            return None;
        }
        let end = text.len() - text[start..].trim_start().len();
        let after = text[end..].chars().next()?;
        after.is_alphanumeric().then(|| Parted {
            mark: at..start,
            end,
            sign: sign.chars().next().unwrap_or('-'),
            before,
            after,
            at_line_end: text[start..end].contains(['\n', '\r']),
            text,
        })
    })
}

impl Parted<'_> {
    /// The letters before the mark, and what a hyphen sets off before them.
    fn first(&self) -> (&str, bool) {
        let head = &self.text[..self.mark.start];
        let head = &head[head.ceil_char_boundary(head.len().saturating_sub(LONGEST))..];
        let first = last_word(head);
        (first, head[..head.len() - first.len()].ends_with(is_hyphen))
    }

    /// The letters behind the blanks, and what follows those.
    fn second(&self) -> (&str, &str) {
        let tail = &self.text[self.end..];
        let tail = &tail[..tail.floor_char_boundary(LONGEST)];
        let len = tail.find(|c: char| !is_of_word(c)).unwrap_or(tail.len());
        tail.split_at(len)
    }

    fn verdict(&self, evidence: &Evidence) -> Verdict {
        let has_blank = self.end > self.mark.end;
        let letters = self.before.is_alphabetic() && self.after.is_alphabetic();
        match self.sign {
            '\u{FFFE}' if !has_blank && letters => return Verdict::Join,
            '¬' if !self.at_line_end => return Verdict::Leave,
            '\u{FFFE}' | '¬' | '\u{AD}' | '\u{2060}' | '\u{2}' => {
                let goes_on = has_blank && letters && self.same_case();
                return if goes_on {
                    Verdict::Join
                } else {
                    Verdict::Leave
                };
            }
            _ if !self.at_line_end => return Verdict::Leave,
            _ => {}
        }
        let (first, is_compound) = self.first();
        let (second, rest) = self.second();
        let (first, second) = (first.to_lowercase(), second.to_lowercase());
        // Decided without evidence, so that what is left once is left again.
        let suspended = is_conjunction(&first, &second) && !rest.starts_with(is_hyphen);
        if suspended && (!letters || is_left_open(&first, rest)) {
            return Verdict::Leave;
        }
        if !letters {
            return Verdict::Keep;
        }
        if !self.same_case() {
            return Verdict::Keep;
        }
        match evidence.of(&first, &second) {
            Some(true) => return Verdict::Keep,
            Some(false) => return Verdict::Join,
            None => {}
        }
        let keep = keeps_hyphen(&first, &second)
            || first.chars().nth(1).is_none()
            || (is_compound && (is_link(&first) || is_number(&first)))
            || (is_link(&second) && rest.starts_with(is_hyphen));
        if keep { Verdict::Keep } else { Verdict::Join }
    }

    /// A word goes on in lower case, or in capitals if it is written so.
    fn same_case(&self) -> bool {
        if !self.after.is_uppercase() {
            return true;
        }
        let (first, _) = self.first();
        let (second, _) = self.second();
        let capitals = |word: &str| word.len() > 1 && !word.contains(char::is_lowercase);
        capitals(first) && capitals(second)
    }
}

/// "pre-\nand post-war": another hyphen follows soon, or only a number can stand so.
fn is_left_open(first: &str, rest: &str) -> bool {
    let mut words = rest.split_whitespace();
    let soon = [words.next(), words.next()];
    let again = |word: &str| word.trim_matches(is_hyphen).contains(is_hyphen);
    is_number(first) || soon.into_iter().flatten().any(again)
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’' | '\u{300}'..='\u{36F}')
}

fn last_word(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .find(|&(_, c)| !is_of_word(c))
        .map_or(0, |(at, c)| at + c.len_utf8());
    &text[start..]
}

/// What there is to change in a block.
pub(super) fn edits(stream: &Stream, evidence: &Evidence) -> Vec<Edit> {
    let mut edits = Vec::new();
    for parted in parted(&stream.text) {
        let from = match parted.verdict(evidence) {
            Verdict::Join => parted.mark.start,
            Verdict::Keep if parted.end > parted.mark.end => parted.mark.end,
            Verdict::Keep | Verdict::Leave => continue,
        };
        edits.push(Edit::Omit(from..parted.end, OmissionReason::Hyphen));
    }
    edits
}

/// How the words that are parted at line ends stand elsewhere in the text.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// How often a word stands as one, for each that is asked for.
    whole: HashMap<String, u32>,
    /// How often with a hyphen, for each pair that is asked for, written with one.
    hyphened: HashMap<String, u32>,
}

impl Evidence {
    /// So many words are asked for at most; what is parted beyond that is decided by the lists.
    const MOST: usize = 1 << 16;

    /// Reads the whole of a document, if a word in it is parted.
    pub(super) fn new(text: &str, document: &Document) -> Self {
        let mut evidence = Self::default();
        each_stream(text, document, |words| evidence.ask(words));
        if !evidence.whole.is_empty() {
            each_stream(text, document, |words| evidence.count(words));
        }
        evidence
    }

    fn ask(&mut self, text: &str) {
        for parted in parted(text).filter(|parted| parted.at_line_end && is_hyphen(parted.sign)) {
            if self.whole.len() >= Self::MOST {
                return;
            }
            let first = parted.first().0.to_lowercase();
            let second = parted.second().0.to_lowercase();
            self.hyphened.insert(format!("{first}-{second}"), 0);
            self.whole.insert(first + &second, 0);
        }
    }

    fn count(&mut self, text: &str) {
        let mut word = String::new();
        let mut previous = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(is_of_word) {
            let start = at + found;
            let rest = &text[start..];
            let len = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            at = start + len;
            // Hyphens stand between the two, and no blank.
            let gap = &text[start - found..start];
            let goes_on = !gap.is_empty() && gap.chars().all(is_hyphen);
            word.clear();
            if len <= LONGEST {
                word.extend(rest[..len].chars().flat_map(char::to_lowercase));
            }
            if let Some(count) = self.whole.get_mut(&word) {
                *count += 1;
            }
            if goes_on {
                previous.push('-');
                previous.push_str(&word);
                if let Some(count) = self.hyphened.get_mut(&previous) {
                    *count += 1;
                }
            }
            previous.clone_from(&word);
        }
    }

    /// True if the word of these two has a hyphen elsewhere, false if it has none; nothing if the text
    /// does not tell.
    fn of(&self, first: &str, second: &str) -> Option<bool> {
        let whole = self.whole.get(&format!("{first}{second}"))?;
        let hyphened = self.hyphened.get(&format!("{first}-{second}"))?;
        match hyphened.cmp(whole) {
            std::cmp::Ordering::Greater => Some(true),
            std::cmp::Ordering::Less => Some(false),
            std::cmp::Ordering::Equal => (*whole > 0).then_some(true),
        }
    }
}

fn each_stream(text: &str, document: &Document, mut look: impl FnMut(&str)) {
    let mut rest: &[Omission] = &document.omissions;
    for block in &document.blocks {
        let start = block.runs.first().map_or(0, |run| run.span.start);
        rest = &rest[rest.partition_point(|omission| omission.span.start < start)..];
        look(&Stream::new(text, block, rest).text);
    }
}
