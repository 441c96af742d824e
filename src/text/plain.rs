//! Plain text: paragraphs, headings and scene breaks found by how the lines stand. Lines of a
//! paragraph may be hard-wrapped or not. It must never leave out a line that has a word in it.

use std::ops::Range;

use super::control::{is_control, is_invisible};
use super::heading::{could_be_title, is_chapter};
use super::{Block, BlockKind, Document, Format, Omission, OmissionReason, Run, Spoken};

/// Text without markup.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainText;

/// Lines longer than this, in bytes, were not wrapped by hand: each is a paragraph.
const WRAPPED: usize = 120;

impl Format for PlainText {
    fn name(&self) -> &'static str {
        "plain text"
    }

    fn parse(&self, text: &str) -> Document {
        let mut parts = Parts::default();
        let mut group: Vec<Line<'_>> = Vec::new();
        for line in lines(text) {
            match line.look() {
                Look::Blank => parts.paragraphs(&mut group),
                Look::SceneBreak => {
                    parts.paragraphs(&mut group);
                    let reason = OmissionReason::SceneBreak;
                    parts.breaks.push(Omission {
                        span: line.span(),
                        reason,
                    });
                }
                Look::Words => group.push(line),
            }
        }
        parts.paragraphs(&mut group);
        let (title, blocks) = headings(text, &parts.paragraphs);
        Document::new(text, title, blocks, parts.breaks)
    }
}

/// A line without its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

enum Look {
    Blank,
    SceneBreak,
    Words,
}

impl Line<'_> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn look(&self) -> Look {
        const SIGNS: &str = "*-_=~#·•⁂+—–";
        let mut seen = self
            .text
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
            (true, _) if self.text.contains('⁂') => Look::SceneBreak,
            _ => Look::Words,
        }
    }

    fn is_indented(&self) -> bool {
        self.text.starts_with(['\t', '\u{3000}']) || self.text.starts_with("  ")
    }

    /// True if a sentence may end with this line.
    fn ends_a_sentence(&self) -> bool {
        let closing_marks = ['”', '"', '’', '»', ')'];
        let words = self.text.trim_end().trim_end_matches(closing_marks);
        words.ends_with(['.', '!', '?', '…', ':', '—'])
    }

    fn opens_speech(&self) -> bool {
        let opening_marks = ['“', '"', '«', '„', '—', '‘'];
        self.text.trim_start().starts_with(opening_marks)
    }
}

/// Lines end at `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let len = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = Line {
            start,
            text: &rest[..len],
        };
        let end = &rest[len..];
        start += len + if end.starts_with("\r\n") { 2 } else { 1 };
        Some(line)
    })
}

#[derive(Default)]
struct Parts {
    paragraphs: Vec<Paragraph>,
    breaks: Vec<Omission>,
}

struct Paragraph {
    span: Range<usize>,
    /// A single line between blank ones.
    alone: bool,
}

impl Parts {
    /// Divides the lines between two blank ones into paragraphs.
    fn paragraphs(&mut self, group: &mut Vec<Line<'_>>) {
        // A first-line indent tells only where other lines are flush.
        let indents = group.iter().any(|line| !line.is_indented());
        let alone = group.len() == 1;
        let mut previous: Option<Line<'_>> = None;
        for line in group.drain(..) {
            let starts = previous.is_none_or(|previous| {
                (indents && line.is_indented())
                    || previous.text.len() > WRAPPED
                    || (line.opens_speech() && previous.ends_a_sentence())
            });
            match self.paragraphs.last_mut() {
                Some(last) if !starts => last.span.end = line.span().end,
                _ => self.paragraphs.push(Paragraph {
                    span: line.span(),
                    alone,
                }),
            }
            previous = Some(line);
        }
    }
}

/// Tells headings from paragraphs; the first heading is the title if it stands first.
fn headings(text: &str, paragraphs: &[Paragraph]) -> (Option<String>, Vec<Block>) {
    let only = paragraphs.len() == 1;
    let mut title = None;
    let mut blocks = Vec::with_capacity(paragraphs.len());
    for (index, paragraph) in paragraphs.iter().enumerate() {
        let words = &text[paragraph.span.clone()];
        let kind = if only || !paragraph.alone {
            BlockKind::Paragraph
        } else if is_chapter(words) {
            BlockKind::Heading(2)
        } else if index == 0 && could_be_title(words) {
            BlockKind::Heading(1)
        } else {
            BlockKind::Paragraph
        };
        if title.is_none() && matches!(kind, BlockKind::Heading(_)) {
            title = Some(words.to_owned());
        }
        let run = Run {
            span: paragraph.span.clone(),
            spoken: Spoken::AsWritten,
        };
        blocks.push(Block {
            kind,
            runs: vec![run],
        });
    }
    (title, blocks)
}
