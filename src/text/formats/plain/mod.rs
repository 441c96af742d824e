//! Plain text: paragraphs, headings, lists, verse and scene breaks found by how the lines stand. Lines
//! of a paragraph may be hard-wrapped or not. It must never leave out a line that has a word in it.

mod entities;
mod heads;
mod line;
mod list;
mod pages;
mod shape;

use std::ops::Range;

use super::super::{Block, BlockEnd, BlockKind, Document, Omission, OmissionReason, Run, Spoken};
use super::Format;
use super::heading::{could_be_title, is_chapter};
use line::{Line, Look, lines};
use shape::{Start, prose_width, starts};

/// Text without markup.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainText;

impl Format for PlainText {
    fn name(&self) -> &'static str {
        "plain text"
    }

    fn parse(&self, text: &str) -> Document {
        let layout = lay_out(text, true);
        let title = layout.title.as_deref().map(entities::decoded);
        let mut document = Document::new(text, title, layout.blocks, layout.omissions);
        entities::replace(text, &mut document);
        document
    }
}

/// What the lines of a text mean.
pub(super) struct Layout {
    pub(super) title: Option<String>,
    /// In order; every run is as it is written.
    pub(super) blocks: Vec<Block>,
    /// Lines that are not spoken, in order.
    pub(super) omissions: Vec<Omission>,
}

/// Reads the lines of `text`. Only one that `begins` a work has its title in its first line.
pub(super) fn lay_out(text: &str, begins: bool) -> Layout {
    let mut lines = lines(text);
    let is_words = |line: &Line<'_>| line.look == Look::Words;
    let prose = prose_width(
        lines
            .chunk_by(|a, b| is_words(a) && is_words(b))
            .filter(|chunk| is_words(&chunk[0])),
    );
    pages::mark(&mut lines, prose);
    let mut omissions = Vec::new();
    for line in &lines {
        let reason = match line.look {
            Look::SceneBreak => OmissionReason::SceneBreak,
            Look::PageNumber => OmissionReason::PageNumber,
            Look::RunningHead => OmissionReason::RunningHead,
            Look::Blank | Look::Feed | Look::Words => continue,
        };
        omissions.push(Omission {
            span: line.span(),
            reason,
        });
    }
    let paragraphs = paragraphs(&groups(&lines), prose);
    let (title, blocks) = headings(text, paragraphs, begins);
    Layout {
        title,
        blocks,
        omissions,
    }
}

/// The lines of words between blank ones.
fn groups<'a>(lines: &[Line<'a>]) -> Vec<Vec<Line<'a>>> {
    let mut groups = Vec::new();
    let mut group: Vec<Line<'a>> = Vec::new();
    for line in lines {
        match line.look {
            Look::Words if line.is_apart => {
                groups.push(std::mem::take(&mut group));
                groups.push(vec![*line]);
            }
            Look::Words => group.push(*line),
            Look::Feed | Look::PageNumber | Look::RunningHead => {}
            Look::Blank | Look::SceneBreak => groups.push(std::mem::take(&mut group)),
        }
    }
    groups.push(group);
    groups.retain(|group| !group.is_empty());
    groups
}

struct Paragraph {
    /// Where its words are: one stretch, or several with the numbers of pages between.
    spans: Vec<Range<usize>>,
    kind: BlockKind,
    end: BlockEnd,
    /// A single line between blank ones.
    alone: bool,
}

impl Paragraph {
    fn new(start: usize, line: &Line<'_>, kind: BlockKind) -> Self {
        let words = line.start + start..line.span().end;
        Paragraph {
            spans: vec![words],
            kind,
            end: BlockEnd::Paragraph,
            alone: false,
        }
    }

    /// Goes on with `line`, which follows `previous`.
    fn push(&mut self, previous: &Line<'_>, line: &Line<'_>) {
        match self.spans.last_mut() {
            Some(last) if previous.next == line.start => {
                last.end = line.span().end;
            }
            Some(last) => {
                // With the line end, which is the blank between the two words.
                last.end = previous.next;
                self.spans.push(line.span());
            }
            None => {}
        }
    }
}

/// Divides the lines between two blank ones into paragraphs, items and lines.
fn paragraphs(groups: &[Vec<Line<'_>>], prose: Option<usize>) -> Vec<Paragraph> {
    const WIDE: usize = 60;
    let width = prose.unwrap_or(WIDE);
    let begins_item = |group: Option<&Vec<Line<'_>>>| {
        group.is_some_and(|group| list::marker(&group[0]).is_some())
    };
    let mut paragraphs = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| &groups[index]);
        let beside = begins_item(previous) || begins_item(groups.get(index + 1));
        let before = previous.and_then(|group| group.last());
        let items = list::items(group, before, beside, width);
        let mut at = 0;
        for (item, (first, start)) in items.iter().enumerate() {
            prose_lines(&group[at..*first], prose, &mut paragraphs);
            let next = items.get(item + 1).map_or(group.len(), |next| next.0);
            let mut paragraph = Paragraph::new(*start, &group[*first], BlockKind::ListItem);
            at = first + 1;
            while at < next && list::continues(&group[at - 1], &group[at], width) {
                paragraph.push(&group[at - 1], &group[at]);
                at += 1;
            }
            paragraphs.push(paragraph);
        }
        let known = paragraphs.len();
        prose_lines(&group[at..], prose, &mut paragraphs);
        if group.len() == 1 && paragraphs.len() > known {
            paragraphs[known].alone = true;
        }
    }
    paragraphs
}

/// Divides lines that are no list. The name of who speaks in a play is a line of its own, however its
/// speech is set.
fn prose_lines(lines: &[Line<'_>], prose: Option<usize>, paragraphs: &mut Vec<Paragraph>) {
    let mut from = 0;
    for (index, pair) in lines.windows(2).enumerate() {
        let begins = index == from || lines[index - 1].ends_a_sentence();
        if begins && pair[0].names_a_speaker() && !pair[1].is_in_capitals() && !pair[1].goes_on {
            flowing_lines(&lines[from..index], prose, paragraphs);
            let mut name = Paragraph::new(0, &pair[0], BlockKind::Paragraph);
            name.end = BlockEnd::Line;
            paragraphs.push(name);
            from = index + 1;
        }
    }
    flowing_lines(&lines[from..], prose, paragraphs);
}

fn flowing_lines(lines: &[Line<'_>], prose: Option<usize>, paragraphs: &mut Vec<Paragraph>) {
    for (index, start) in starts(lines, prose).into_iter().enumerate() {
        let line = &lines[index];
        match (start, paragraphs.last_mut()) {
            (Start::Flows, Some(last)) if index > 0 => last.push(&lines[index - 1], line),
            (start, last) => {
                if let (Start::Line, Some(last)) = (start, last) {
                    last.end = BlockEnd::Line;
                }
                paragraphs.push(Paragraph::new(0, line, BlockKind::Paragraph));
            }
        }
    }
}

/// Tells headings from paragraphs; the first heading is the title if it stands first.
fn headings(text: &str, paragraphs: Vec<Paragraph>, begins: bool) -> (Option<String>, Vec<Block>) {
    let only = paragraphs.len() == 1;
    let mut title = None;
    let mut blocks = Vec::with_capacity(paragraphs.len());
    for (index, paragraph) in paragraphs.into_iter().enumerate() {
        let words = &text[paragraph.spans[0].clone()];
        let kind = if only || !paragraph.alone {
            paragraph.kind
        } else if is_chapter(words) {
            BlockKind::Heading(2)
        } else if begins && index == 0 && could_be_title(words) {
            BlockKind::Heading(1)
        } else {
            paragraph.kind
        };
        if title.is_none() && matches!(kind, BlockKind::Heading(_)) {
            title = Some(words.to_owned());
        }
        let run = |span| Run {
            span,
            spoken: Spoken::AsWritten,
        };
        blocks.push(Block {
            kind,
            runs: paragraph.spans.into_iter().map(run).collect(),
            end: paragraph.end,
        });
    }
    (title, blocks)
}
