//! The lines of a plain text and how each of them looks. It must see every byte: a line and its end
//! touch the next.

use std::ops::Range;

use super::super::super::control::{is_control, is_invisible};

/// A line without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) start: usize,
    pub(super) text: &'a str,
    /// Where the next line begins.
    pub(super) next: usize,
    /// A page ends with it.
    pub(super) feeds: bool,
    pub(super) look: Look,
    /// It goes on in the middle of a sentence, behind the number of a page.
    pub(super) goes_on: bool,
    /// It belongs to no other line, blank ones around it or not.
    pub(super) is_apart: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Blank,
    /// Blank, and beside the end of a page: it parts no paragraphs.
    Feed,
    SceneBreak,
    PageNumber,
    RunningHead,
    Words,
}

/// Lines end at `\n`, `\r\n`, `\r` or a form feed.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let len = rest.find(['\n', '\r', '\u{c}']).unwrap_or(rest.len());
        let end = &rest[len..];
        let feeds = end.starts_with('\u{c}');
        let next = start + len + end.len().min(if end.starts_with("\r\n") { 2 } else { 1 });
        let look = match look(&rest[..len]) {
            Look::Blank if feeds || lines.last().is_some_and(|last| last.feeds) => Look::Feed,
            look => look,
        };
        lines.push(Line {
            start,
            text: &rest[..len],
            next,
            feeds,
            look,
            goes_on: false,
            is_apart: false,
        });
        start = next;
    }
    lines
}

fn look(line: &str) -> Look {
    const SIGNS: &str = "*-_=~#·•⁂+—–";
    let mut seen = line
        .chars()
        .filter(|&c| !(c.is_whitespace() || is_control(c) || is_invisible(c)));
    let mut count = 0;
    let all_signs = seen
        .by_ref()
        .inspect(|_| count += 1)
        .all(|c| SIGNS.contains(c));
    match (all_signs, count) {
        (true, 0) => Look::Blank,
        (true, 3..) => Look::SceneBreak,
        (true, _) if line.contains('⁂') => Look::SceneBreak,
        _ => Look::Words,
    }
}

impl<'a> Line<'a> {
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(super) fn is_indented(&self) -> bool {
        self.text.starts_with(['\t', '\u{3000}']) || self.text.starts_with("  ")
    }

    /// True if a sentence may end with this line.
    pub(super) fn ends_a_sentence(&self) -> bool {
        let closing_marks = ['”', '"', '’', '»', ')'];
        let words = self.text.trim_end().trim_end_matches(closing_marks);
        words.ends_with(['.', '!', '?', '…', ':', '—'])
    }

    pub(super) fn is_in_capitals(&self) -> bool {
        self.text.contains(char::is_uppercase) && !self.text.contains(char::is_lowercase)
    }

    /// True for "ROMEO." and "FIRST WITCH:", which stand above a speech in a play.
    pub(super) fn names_a_speaker(&self) -> bool {
        const LONGEST: usize = 40;
        let name = self.text.trim();
        let letters = name.chars().filter(|c| c.is_alphabetic()).count();
        name.len() <= LONGEST
            && letters > 1
            && name.ends_with(['.', ':'])
            && self.is_in_capitals()
            && !self.goes_on
    }

    pub(super) fn opens_speech(&self) -> bool {
        let opening_marks = ['“', '"', '«', '„', '—', '‘'];
        self.text.trim_start().starts_with(opening_marks)
    }

    pub(super) fn begins_lower(&self) -> bool {
        let opens = |c: char| !c.is_alphanumeric();
        self.text
            .trim_start_matches(opens)
            .starts_with(char::is_lowercase)
    }

    /// True if a word goes on behind it.
    pub(super) fn parts_a_word(&self) -> bool {
        let hyphens = ['-', '\u{2010}', '\u{2011}', '\u{AD}', '\u{FFFE}', '¬'];
        let word = self.text.trim_end().strip_suffix(hyphens);
        word.is_some_and(|word| word.ends_with(char::is_alphanumeric))
    }

    /// How long it is, in characters, without blanks at its end.
    pub(super) fn width(&self) -> usize {
        self.text.trim_end().chars().count()
    }

    pub(super) fn first_word(&self) -> &'a str {
        self.text.split_whitespace().next().unwrap_or_default()
    }
}
