//! Markdown, by pulldown-cmark's events and their places in the source. Marks, addresses, code
//! blocks and HTML are left out with their reasons. It must never leave out a word that the
//! events happen not to mention (a surplus cell of a table, say): such words are spoken.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::flat::Flat;
use super::front_matter::front_matter;
use super::{Block, BlockKind, Document, Format, Omission, OmissionReason, Run, Spoken};

/// CommonMark with tables, footnotes, strikethrough, task lists and YAML front matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "Markdown"
    }

    fn parse(&self, text: &str) -> Document {
        let mut reader = Reader::new(text);
        let mark = if text.starts_with('\u{FEFF}') {
            '\u{FEFF}'.len_utf8()
        } else {
            0
        };
        let front = front_matter(&text[mark..]);
        let body = mark + front.as_ref().map_or(0, |front| front.len);
        if front.is_some() {
            reader.omit(mark..body, OmissionReason::FrontMatter);
        }
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
            reader.event(event, body + range.start..body + range.end);
        }
        reader.gap(text.len());
        reader.close();
        let title = front
            .and_then(|front| front.title)
            .or_else(|| reader.first_heading());
        Document::new(text, title, reader.blocks, reader.omissions)
    }
}

/// What an event stands in, as far as it matters here. Each frame knows what those around it
/// decided, so that deep nesting costs nothing.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// What a block that begins in it is.
    kind: BlockKind,
    /// Why the rest of it is left out, if that is not for being markup.
    named: Option<OmissionReason>,
    /// Its words are left out, too.
    silent: bool,
}

struct Reader<'a> {
    text: &'a str,
    /// How far the source is dealt with.
    at: usize,
    frames: Vec<Frame>,
    /// For each open list the number of its next item, if it counts.
    lists: Vec<Option<u64>>,
    open: Option<Block>,
    /// The open block holds only the number of a list item.
    only_number: bool,
    /// A cell of a table has begun and no word of it was seen yet.
    new_cell: bool,
    blocks: Vec<Block>,
    omissions: Vec<Omission>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader {
            text,
            at: 0,
            frames: Vec::new(),
            lists: Vec::new(),
            open: None,
            only_number: false,
            new_cell: false,
            blocks: Vec::new(),
            omissions: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.frame().silent && !matches!(event, Event::Start(_) | Event::End(_)) {
            return;
        }
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(words) => self.words(&words, range),
            Event::Code(words) => self.code(&words, range),
            Event::SoftBreak | Event::HardBreak => self.instead(" ", range),
            Event::InlineHtml(tag) if is_line_break(&tag) => self.instead(" ", range),
            Event::Html(_) | Event::InlineHtml(_) => self.omit(range, OmissionReason::Html),
            Event::FootnoteReference(_) => self.omit(range, OmissionReason::Footnote),
            Event::TaskListMarker(_) => self.omit(range, OmissionReason::Markup),
            Event::Rule => {
                self.gap(range.start);
                self.close();
                self.omit(range, OmissionReason::SceneBreak);
            }
            // Their option is off; if that changes, they are spoken rather than lost.
            Event::InlineMath(words) | Event::DisplayMath(words) => self.code(&words, range),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.gap(range.start);
        let mut frame = self.frame();
        let mut silence = |reason| (frame.named, frame.silent) = (Some(reason), true);
        match tag {
            Tag::CodeBlock(_) => silence(OmissionReason::Code),
            Tag::HtmlBlock => silence(OmissionReason::Html),
            Tag::MetadataBlock(_) => silence(OmissionReason::FrontMatter),
            Tag::Heading { level, .. } => frame.kind = BlockKind::Heading(*level as u8),
            Tag::BlockQuote(_) => frame.kind = BlockKind::Quote,
            Tag::Item => frame.kind = BlockKind::ListItem,
            Tag::FootnoteDefinition(_) => frame.kind = BlockKind::Footnote,
            Tag::TableHead | Tag::TableRow => frame.kind = BlockKind::TableRow,
            Tag::Link { .. } => frame.named = Some(OmissionReason::Link),
            Tag::Image { .. } => frame.named = Some(OmissionReason::Image),
            _ => {}
        }
        match tag {
            Tag::List(number) => self.lists.push(*number),
            Tag::TableCell => self.new_cell = true,
            _ => {}
        }
        let goes_on_after_number = self.only_number && matches!(tag, Tag::Paragraph);
        if !is_inline(tag) && !goes_on_after_number {
            self.close();
        }
        self.frames.push(frame);
        match tag {
            Tag::Item => self.number(range),
            Tag::FootnoteDefinition(_) => self.label(range),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        self.gap(range.end);
        self.frames.pop();
        match tag {
            TagEnd::List(_) => {
                self.lists.pop();
                self.close();
            }
            TagEnd::TableCell
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript => {}
            _ => self.close(),
        }
    }

    /// The number of an item is spoken as a reader of the rendered page would see it.
    fn number(&mut self, range: Range<usize>) {
        let Some(Some(number)) = self.lists.last_mut() else {
            return;
        };
        let spoken = format!("{number}. ");
        *number += 1;
        let item = &self.text[range.clone()];
        let start = range.start + (item.len() - item.trim_start().len());
        let digits = self.text[start..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let end = start + digits + 1;
        if digits > 0 && self.text[start + digits..].starts_with(['.', ')']) {
            self.instead(&spoken, start..end);
            self.only_number = true;
        }
    }

    /// The `[^label]:` of a footnote.
    fn label(&mut self, range: Range<usize>) {
        // Labels are shorter than this; a bound keeps nested definitions linear.
        let most = self
            .text
            .floor_char_boundary(range.end.min(range.start + 1024));
        if let Some(end) = self.text[range.start..most].find("]:") {
            self.omit(range.start..range.start + end + 2, OmissionReason::Footnote);
        }
    }

    fn words(&mut self, words: &str, range: Range<usize>) {
        if self.text[range.clone()] == *words {
            self.run(range, Spoken::AsWritten);
        } else {
            self.instead(words, range);
        }
    }

    fn instead(&mut self, words: &str, range: Range<usize>) {
        self.run(range, Spoken::Instead(words.into()));
    }

    /// Code in a line: what stands between the backticks, or what the parser made of it where
    /// that is not a part of the source.
    fn code(&mut self, words: &str, range: Range<usize>) {
        self.gap(range.start);
        let source = &self.text[range.clone()];
        let mut characters = source
            .char_indices()
            .skip_while(|&(_, c)| c == '`')
            .peekable();
        let mut found: Vec<Range<usize>> = Vec::new();
        for word in words.chars() {
            let same = |c: char| c == word || (c.is_whitespace() && word.is_whitespace());
            let Some((at, c)) = characters.find(|&(_, c)| same(c)) else {
                return self.instead(words, range);
            };
            let span = range.start + at..range.start + at + c.len_utf8();
            match found.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => found.push(span),
            }
        }
        for span in found {
            // Marks between two parts (a quotation's `>`, a table's backslash) are markup.
            self.omit(self.at..span.start, OmissionReason::Markup);
            self.run(span, Spoken::AsWritten);
        }
        self.omit(self.at..range.end, OmissionReason::Markup);
    }

    fn run(&mut self, range: Range<usize>, spoken: Spoken) {
        self.gap(range.start);
        let span = range.start.max(self.at)..range.end;
        if span.is_empty() {
            return;
        }
        self.between_cells(span.start);
        self.at = span.end;
        self.only_number = false;
        self.open_block().runs.push(Run { span, spoken });
    }

    /// The bar between two cells is heard as a comma.
    fn between_cells(&mut self, start: usize) {
        if !std::mem::take(&mut self.new_cell) || self.frame().kind != BlockKind::TableRow {
            return;
        }
        let Some(last) = self.open.as_ref().and_then(|block| block.runs.last()) else {
            return;
        };
        let before = match &last.spoken {
            Spoken::AsWritten => &self.text[last.span.clone()],
            Spoken::Instead(words) => words,
        };
        let comma = if before.trim_end().ends_with(char::is_alphanumeric) {
            ", "
        } else {
            " "
        };
        if let Some(bar) = self.text[last.span.end..start].find('|') {
            let bar = last.span.end + bar;
            let span = bar..bar + 1;
            self.open_block().runs.push(Run {
                span,
                spoken: Spoken::Instead(comma.into()),
            });
        }
    }

    /// Deals with what lies between the last event and this place.
    fn gap(&mut self, to: usize) {
        if self.at >= to {
            return;
        }
        let gap = self.at..to;
        let source = &self.text[gap.clone()];
        let has_words = source.contains(char::is_alphanumeric);
        let reason = match self.frame().named {
            Some(OmissionReason::Link | OmissionReason::Image) if !has_words => None,
            named => named,
        };
        if let Some(reason) = reason {
            self.omit(gap, reason);
        } else if !has_words {
            self.omit(gap, OmissionReason::Markup);
        } else if is_link_definition(source) {
            self.omit(gap, OmissionReason::Link);
        } else {
            self.unmentioned(gap);
        }
    }

    /// Words that no event mentions.
    fn unmentioned(&mut self, gap: Range<usize>) {
        let mut start = gap.start;
        for part in self.text[gap.clone()].split_inclusive('|') {
            let words = part.trim_end_matches('|').trim();
            let end = start + part.len();
            if words.contains(char::is_alphanumeric) {
                let from = start + (part.len() - part.trim_start().len());
                self.omit(start..from, OmissionReason::Markup);
                self.new_cell = true;
                self.run(from..from + words.len(), Spoken::AsWritten);
            }
            self.omit(self.at..end, OmissionReason::Markup);
            start = end;
        }
    }

    fn omit(&mut self, range: Range<usize>, reason: OmissionReason) {
        if range.start > self.at {
            self.gap(range.start);
        }
        let span = range.start.max(self.at)..range.end;
        if !span.is_empty() {
            self.at = span.end;
            self.omissions.push(Omission { span, reason });
        }
    }

    fn frame(&self) -> Frame {
        const OUTSIDE: Frame = Frame {
            kind: BlockKind::Paragraph,
            named: None,
            silent: false,
        };
        self.frames.last().copied().unwrap_or(OUTSIDE)
    }

    fn open_block(&mut self) -> &mut Block {
        let kind = self.frame().kind;
        self.open.get_or_insert_with(|| Block {
            kind,
            runs: Vec::new(),
        })
    }

    fn close(&mut self) {
        self.blocks.extend(self.open.take());
        self.only_number = false;
        self.new_cell = false;
    }

    fn first_heading(&self) -> Option<String> {
        let heading = |block: &&Block| matches!(block.kind, BlockKind::Heading(_));
        self.blocks
            .iter()
            .find(heading)
            .map(|block| Flat::new(self.text, block).text)
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::TableCell
            | Tag::Link { .. }
            | Tag::Image { .. }
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
    )
}

/// `<br>`, which parts two words.
fn is_line_break(tag: &str) -> bool {
    tag.get(1..3)
        .is_some_and(|name| name.eq_ignore_ascii_case("br"))
}

/// `[label]: address`, which the parser keeps to itself; maybe several, maybe in a quotation.
fn is_link_definition(source: &str) -> bool {
    let start = source.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
    start.starts_with('[') && start.contains("]:")
}
