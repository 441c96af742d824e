//! Puts blocks together from the words that a format finds one after the other: where a paragraph ends,
//! what parts two cells of a table, where the number of an item goes. It must never drop a word: what it
//! is given is in a block or named as left out.

use std::ops::Range;

use super::super::flat::Flat;
use super::super::{Block, BlockEnd, BlockKind, Omission, OmissionReason, Run, Spoken};

/// Blocks and omissions of a text, in the making.
pub(super) struct Writer<'a> {
    text: &'a str,
    open: Option<Block>,
    blocks: Vec<Block>,
    omissions: Vec<Omission>,
    /// The number of an item, until its first words come.
    number: Option<Run>,
    /// What parts the next words from those before, if both are there: the tag of a cell, a bar.
    separator: Option<Range<usize>>,
    /// A paragraph within a cell has ended; the block ends only if another comes in the same cell.
    ended: bool,
}

/// A place in what is written, to come back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    blocks: usize,
    runs: usize,
    omissions: usize,
    /// Where the number of an item stands that waits for its words.
    number: Option<usize>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Writer {
            text,
            open: None,
            blocks: Vec::new(),
            omissions: Vec::new(),
            number: None,
            separator: None,
            ended: false,
        }
    }

    /// What is spoken for a stretch, in a block of this kind.
    pub(super) fn run(&mut self, kind: BlockKind, span: Range<usize>, spoken: Spoken) {
        if span.is_empty() {
            return;
        }
        let words = match &spoken {
            Spoken::AsWritten => &self.text[span.clone()],
            Spoken::Instead(words) => words,
        };
        let is_blank = words.chars().all(char::is_whitespace);
        if is_blank && (self.open.is_none() || self.ended || self.separator.is_some()) {
            let reason = match spoken {
                Spoken::AsWritten => OmissionReason::BlankSpace,
                Spoken::Instead(_) => OmissionReason::Invisible,
            };
            return self.omit(span, reason);
        }
        if self.ended && self.separator.is_none() {
            self.close(BlockEnd::Paragraph);
        }
        self.ended = false;
        let comma = self.separator.take().and_then(|span| {
            let spoken = Spoken::Instead(self.comma()?.into());
            Some(Run { span, spoken })
        });
        let number = self.number.take();
        let block = self.open.get_or_insert_with(|| Block {
            kind,
            runs: Vec::new(),
            end: BlockEnd::Paragraph,
        });
        block.runs.extend(comma.into_iter().chain(number));
        block.runs.push(Run { span, spoken });
    }

    /// What is heard between two cells: nothing if there is none before.
    fn comma(&self) -> Option<&'static str> {
        let last = self.open.as_ref()?.runs.last()?;
        let before = match &last.spoken {
            Spoken::AsWritten => &self.text[last.span.clone()],
            Spoken::Instead(words) => words,
        };
        let goes_on = before.trim_end().ends_with(char::is_alphanumeric);
        Some(if goes_on { ", " } else { " " })
    }

    pub(super) fn omit(&mut self, span: Range<usize>, reason: OmissionReason) {
        if !span.is_empty() {
            self.omissions.push(Omission { span, reason });
        }
    }

    /// Ends the block, if one is open. A paragraph that ends right after one of its lines ends with it.
    pub(super) fn close(&mut self, end: BlockEnd) {
        self.separator = None;
        self.ended = false;
        if let Some(mut block) = self.open.take() {
            block.end = end;
            self.blocks.push(block);
        } else if let (BlockEnd::Paragraph, Some(last)) = (end, self.blocks.last_mut()) {
            last.end = end;
        }
    }

    /// A line that its author ended. In a heading the words go on: it is one title. Where nothing came
    /// since the last one, both together end a paragraph.
    pub(super) fn line_break(&mut self, kind: BlockKind, span: Range<usize>) {
        if matches!(kind, BlockKind::Heading(_)) {
            self.separator(span);
        } else if self.open.is_some() {
            self.close(BlockEnd::Line);
        } else {
            self.close(BlockEnd::Paragraph);
        }
    }

    /// The words before this and those behind it belong together, and are heard apart.
    pub(super) fn separator(&mut self, span: Range<usize>) {
        if self.open.is_some() {
            self.separator = Some(span);
        }
    }

    /// Ends a paragraph within a cell.
    pub(super) fn end_in_cell(&mut self) {
        self.ended = self.open.is_some();
    }

    /// The number of an item that begins here.
    pub(super) fn number(&mut self, span: Range<usize>, spoken: String) {
        self.flush_number();
        let spoken = Spoken::Instead(spoken.into());
        self.number = Some(Run { span, spoken });
    }

    /// An item has ended, and no words came: its number is spoken alone.
    pub(super) fn flush_number(&mut self) {
        if let Some(number) = self.number.take() {
            self.blocks.push(Block {
                kind: BlockKind::ListItem,
                runs: vec![number],
                end: BlockEnd::Paragraph,
            });
        }
    }

    /// The same where a tag stands for the number, and nothing is lost if it is not heard.
    pub(super) fn forget_number(&mut self) {
        self.number
            .take_if(|number| self.text[number.span.clone()].starts_with('<'));
    }

    /// Where the last words of the open block end.
    pub(super) fn last_end(&self) -> Option<usize> {
        Some(self.open.as_ref()?.runs.last()?.span.end)
    }

    /// Where the words that come next begin.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            blocks: self.blocks.len(),
            runs: self.open.as_ref().map_or(0, |block| block.runs.len()),
            omissions: self.omissions.len(),
            number: self.number.as_ref().map(|number| number.span.start),
        }
    }

    /// Nothing is written before a place.
    pub(super) fn is_first(mark: Mark) -> bool {
        mark.blocks == 0 && mark.runs == 0
    }

    /// The runs since a place in the block that is open now.
    fn since(&mut self, mark: Mark) -> &mut [Run] {
        match &mut self.open {
            Some(block) if self.blocks.len() == mark.blocks => {
                block.runs.get_mut(mark.runs..).unwrap_or_default()
            }
            _ => &mut [],
        }
    }

    /// Speaks other signs for those written since a place, where there are others.
    pub(super) fn replace(&mut self, mark: Mark, other: fn(char) -> Option<char>) {
        let text = self.text;
        let Some(block) = self.open.as_mut() else {
            return;
        };
        if self.blocks.len() != mark.blocks || block.runs.len() < mark.runs {
            return;
        }
        let instead = |c: char| Spoken::Instead(other(c).unwrap_or(c).to_string().into());
        for run in block.runs.split_off(mark.runs) {
            let start = run.span.start;
            match run.spoken {
                // Each by itself, so that they can be cut apart like what they stand for.
                Spoken::AsWritten => {
                    let each = text[run.span].char_indices().map(|(at, c)| Run {
                        span: start + at..start + at + c.len_utf8(),
                        spoken: instead(c),
                    });
                    block.runs.extend(each);
                }
                Spoken::Instead(words) => {
                    let words: String = words.chars().map(|c| other(c).unwrap_or(c)).collect();
                    let spoken = Spoken::Instead(words.into());
                    block.runs.push(Run { spoken, ..run });
                }
            }
        }
    }

    /// Parts the words since a place from those before, which they touch.
    pub(super) fn part(&mut self, mark: Mark) {
        let text = self.text;
        if let Some(first) = self.since(mark).first_mut()
            && first.spoken == Spoken::AsWritten
        {
            let words = format!(" {}", &text[first.span.clone()]);
            first.spoken = Spoken::Instead(words.into());
        }
    }

    /// What is spoken since a place, as far as it is short: no more than this many bytes.
    pub(super) fn words_since(&mut self, mark: Mark, most: usize) -> Option<String> {
        let text = self.text;
        let mut words = String::new();
        for run in self.since(mark) {
            let part = run.words(text);
            // Many may ask for the same long words, which are not copied for each.
            if words.len() + part.len() > most {
                return None;
            }
            words.push_str(part);
        }
        Some(words)
    }

    /// The last words before a place in the open block.
    pub(super) fn words_before(&self, mark: Mark) -> String {
        const ENOUGH: usize = 48;
        let mut parts: Vec<&str> = Vec::new();
        let runs = match &self.open {
            Some(block) if self.blocks.len() == mark.blocks => &block.runs[..],
            _ => &[],
        };
        let mut len = 0;
        for run in runs[..mark.runs.min(runs.len())].iter().rev() {
            let words = match &run.spoken {
                Spoken::AsWritten => &self.text[run.span.clone()],
                Spoken::Instead(words) => words,
            };
            let start = words.ceil_char_boundary(words.len().saturating_sub(ENOUGH));
            parts.push(&words[start..]);
            len += words.len();
            if len > ENOUGH {
                break;
            }
        }
        parts.into_iter().rev().collect()
    }

    /// What is spoken since a place in all blocks, each on lines of its own; nothing if it is longer than
    /// this many bytes.
    pub(super) fn all_since(&self, mark: Mark, most: usize) -> Option<String> {
        let mut words = String::new();
        let blocks = self.blocks.iter().skip(mark.blocks).chain(&self.open);
        for (index, block) in blocks.enumerate() {
            if index > 0 {
                words.push('\n');
            }
            let known = if index == 0 { mark.runs } else { 0 };
            for run in block.runs.iter().skip(known) {
                let part = run.words(self.text);
                if words.len().saturating_add(part.len()) > most {
                    return None;
                }
                words.push_str(part);
            }
        }
        Some(words)
    }

    /// Whether a heading was begun since a place.
    pub(super) fn has_heading_since(&self, mark: Mark) -> bool {
        let blocks = self.blocks.iter().skip(mark.blocks).chain(&self.open);
        let new = blocks.skip(usize::from(mark.runs > 0));
        new.into_iter()
            .any(|block| matches!(block.kind, BlockKind::Heading(_)))
    }

    /// Leaves out what was written since a place. The number of an item waits for other words.
    pub(super) fn take_back(&mut self, mark: Mark, reason: OmissionReason) {
        let mut blocks = self.blocks.split_off(mark.blocks.min(self.blocks.len()));
        let is_open = blocks.is_empty();
        blocks.extend(self.open.take());
        let mut taken = Vec::new();
        for (index, mut block) in blocks.into_iter().enumerate() {
            let known = if index == 0 { mark.runs } else { 0 };
            taken.extend(block.runs.drain(known.min(block.runs.len())..));
            match block.runs.is_empty() {
                true => {}
                false if is_open => self.open = Some(block),
                false => self.blocks.push(block),
            }
        }
        for run in taken {
            if mark.number == Some(run.span.start) && self.number.is_none() {
                self.number = Some(run);
            } else {
                self.omit(run.span, reason);
            }
        }
    }

    /// Gives one reason to all that lies between the first and the last that was left out since a place.
    pub(super) fn name_since(&mut self, mark: Mark, reason: OmissionReason) {
        let since = self.omissions.split_off(mark.omissions);
        let start = since.iter().map(|omission| omission.span.start).min();
        let end = since.iter().map(|omission| omission.span.end).max();
        if let (Some(start), Some(end)) = (start, end) {
            self.omit(start..end, reason);
        }
    }

    /// Puts others in the place of the blocks since a place, where none is open.
    pub(super) fn rewrite(
        &mut self,
        mark: Mark,
        mut other: impl FnMut(Block) -> (Vec<Block>, Vec<Omission>),
    ) {
        for block in self.blocks.split_off(mark.blocks.min(self.blocks.len())) {
            let (blocks, omissions) = other(block);
            self.blocks.extend(blocks);
            self.omissions.extend(omissions);
        }
    }

    pub(super) fn first_heading(&self) -> Option<String> {
        let heading = |block: &&Block| matches!(block.kind, BlockKind::Heading(_));
        let first = self.blocks.iter().find(heading)?;
        Some(Flat::new(self.text, first).text)
    }

    /// Everything, and the omissions in their order.
    pub(super) fn finish(mut self) -> (Vec<Block>, Vec<Omission>) {
        self.flush_number();
        self.close(BlockEnd::Paragraph);
        self.omissions.sort_by_key(|omission| omission.span.start);
        (self.blocks, self.omissions)
    }
}
