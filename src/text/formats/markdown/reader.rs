//! Turns the events of Markdown's parser into blocks. It knows how far the source is dealt with, so that
//! whatever no event mentions is named or spoken. It must never go back in the source.

mod gaps;

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::super::super::{BlockEnd, BlockKind, OmissionReason, Spoken};
use super::super::html::{Context, EndTags, Page, Piece};
use super::super::writer::Writer;
use super::marks::{Marks, What};
use super::wiki::{self, Said};
use super::{is_inline, is_inline_end};

/// What an event stands in, as far as it matters here. Each frame knows what those around it
/// decided, so that deep nesting costs nothing.
#[derive(Debug, Clone, Copy)]
struct Frame {
    context: Context,
    /// Why the rest of it is left out, if that is not for being markup.
    named: Option<OmissionReason>,
    /// Its words are left out, too.
    silent: bool,
}

pub(super) struct Reader<'a> {
    text: &'a str,
    /// How far the source is dealt with.
    at: usize,
    frames: Vec<Frame>,
    /// For each open list the number of its next item, if it counts.
    lists: Vec<Option<u64>>,
    /// A cell of a table has begun and no word of it was seen yet.
    new_cell: bool,
    marks: Marks,
    /// The lines of the HTML block that is open.
    html: Vec<Range<usize>>,
    page: Page<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, ends: &'a EndTags<'a>, marks: Marks) -> Self {
        Reader {
            text,
            at: 0,
            frames: Vec::new(),
            lists: Vec::new(),
            new_cell: false,
            marks,
            html: Vec::new(),
            page: Page::new(text, ends),
        }
    }

    /// Everything is read.
    pub(super) fn finish(mut self) -> Writer<'a> {
        self.gap(self.text.len());
        self.page.surround(0, Context::OUTSIDE, self.text.len());
        self.page.finish();
        self.page.writer
    }

    pub(super) fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.frame().silent && !matches!(event, Event::Start(_) | Event::End(_)) {
            return;
        }
        match event {
            // What HTML opens holds what comes behind the block, too.
            Event::Start(Tag::HtmlBlock) => {
                self.gap(range.start);
                self.close();
            }
            Event::End(TagEnd::HtmlBlock) => {
                self.html_block();
                self.gap(range.end);
                self.close();
            }
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(words) => self.words(&words, range),
            Event::Code(words) => self.code(&words, '`', range),
            Event::SoftBreak | Event::HardBreak if self.marks.ends_paragraph(&range) => {
                self.gap(range.start);
                self.close();
                self.omit(range, OmissionReason::Markup);
            }
            Event::SoftBreak => self.instead(" ", range),
            Event::HardBreak => {
                self.gap(range.start);
                self.page.line_break(range.clone());
                self.omit(range, OmissionReason::Markup);
            }
            Event::Html(_) => self.html.push(range),
            Event::InlineHtml(tag) => {
                let piece = Piece::aligned(self.text, &tag, &range);
                self.piece(&piece, range);
            }
            Event::FootnoteReference(_) => self.omit(range, OmissionReason::Footnote),
            Event::TaskListMarker(_) => self.omit(range, OmissionReason::Markup),
            Event::Rule => {
                self.gap(range.start);
                self.close();
                self.omit(range, OmissionReason::SceneBreak);
            }
            Event::InlineMath(words) if is_money(&words, &self.text[range.end..]) => {
                self.run(range, Spoken::AsWritten);
            }
            Event::InlineMath(words) | Event::DisplayMath(words) => self.code(&words, '$', range),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.gap(range.start);
        let mut frame = self.frame();
        let kind = &mut frame.context.kind;
        match tag {
            Tag::Heading { level, .. } => *kind = BlockKind::Heading(*level as u8),
            Tag::BlockQuote(_) => *kind = BlockKind::Quote,
            Tag::Item => *kind = BlockKind::ListItem,
            Tag::FootnoteDefinition(_) => *kind = BlockKind::Footnote,
            Tag::TableHead | Tag::TableRow => *kind = BlockKind::TableRow,
            _ => {}
        }
        match tag {
            Tag::CodeBlock(_) => frame.named = Some(OmissionReason::Code),
            Tag::MetadataBlock(_) => frame.named = Some(OmissionReason::FrontMatter),
            Tag::Link { .. } => frame.named = Some(OmissionReason::Link),
            Tag::Image { .. } => frame.named = Some(OmissionReason::Image),
            _ => {}
        }
        frame.silent |= matches!(tag, Tag::CodeBlock(_) | Tag::MetadataBlock(_))
            || wiki::is_embedded(tag, &self.text[range.clone()]);
        frame.context.is_link |= matches!(tag, Tag::Link { .. });
        match tag {
            Tag::List(number) => self.lists.push(*number),
            Tag::TableCell => self.new_cell = true,
            _ => {}
        }
        if !is_inline(tag) {
            self.close();
        }
        self.frames.push(frame);
        self.page
            .surround(self.frames.len(), frame.context, range.start);
        match tag {
            Tag::Item => self.number(range),
            Tag::FootnoteDefinition(_) => self.label(range),
            Tag::Link {
                link_type: LinkType::WikiLink { has_pothole },
                ..
            } if !frame.silent => {
                self.page_name(range, *has_pothole);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        if matches!(tag, TagEnd::Heading(_)) {
            self.attributes(range.end);
        }
        self.gap(range.end);
        self.frames.pop();
        let outer = self
            .frames
            .last()
            .map_or(Context::OUTSIDE, |frame| frame.context);
        self.page.surround(self.frames.len(), outer, range.end);
        if matches!(tag, TagEnd::List(_)) {
            self.lists.pop();
        }
        if !is_inline_end(tag) {
            self.close();
        }
        if tag == TagEnd::Item {
            self.page.writer.flush_number();
        }
    }

    /// The lines of HTML that were told, which stand behind marks in a quotation or a list.
    fn html_block(&mut self) {
        let lines = std::mem::take(&mut self.html);
        if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
            let span = first.start..last.end;
            let piece = Piece::joined(self.text, &lines);
            self.piece(&piece, span);
        }
    }

    /// A piece of HTML, unless a comment holds it.
    fn piece(&mut self, piece: &Piece<'_>, span: Range<usize>) {
        self.gap(span.start);
        let is_comment = self
            .marks
            .from(span.start)
            .is_some_and(|mark| mark.span.start <= span.start);
        if self.at <= span.start && !is_comment {
            self.page.piece(piece);
            self.at = span.end;
        }
        self.gap(span.end);
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
            self.gap(start);
            match self.page.context().silent {
                Some(reason) => self.omit(start..end, reason),
                None => self.page.writer.number(start..end, spoken),
            }
            self.at = self.at.max(end);
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

    /// The `{#name .class}` behind a heading, by which links know it.
    fn attributes(&mut self, end: usize) {
        let Some(rest) = self.text.get(self.at..end) else {
            return;
        };
        let braces = rest.trim_matches(|c: char| c.is_whitespace() || c == '#');
        let inner = braces
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let is_one = |word: &str| word.starts_with(['#', '.']) || word.contains('=');
        if inner.is_some_and(|inner| inner.split_whitespace().all(is_one)) {
            self.omit(self.at..end, OmissionReason::Link);
        } else if inner.is_some() {
            // The parser took words for attributes.
            self.run(self.at..end, Spoken::AsWritten);
        }
    }

    /// `[[page]]` and `[[page#section]]` are heard by their names, phonemes stay as they stand.
    fn page_name(&mut self, range: Range<usize>, has_words: bool) {
        for (part, said) in wiki::said(&self.text[range.clone()], has_words) {
            let span = range.start + part.start..range.start + part.end;
            match said {
                Said::AsWritten => self.run(span, Spoken::AsWritten),
                Said::Comma if self.at > range.start + 2 => self.instead(", ", span),
                Said::Comma | Said::Nothing => self.omit(span, OmissionReason::Link),
            }
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

    /// Code in a line, or a formula: what stands between its signs, or what the parser made of it where
    /// that is not a part of the source.
    fn code(&mut self, words: &str, sign: char, range: Range<usize>) {
        self.gap(range.start);
        let source = &self.text[range.clone()];
        let mut characters = source
            .char_indices()
            .skip_while(|&(_, c)| c == sign)
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
        // Where the parser's range goes on, what is there is dealt with like any gap.
        let rest = self.text.get(self.at..range.end).unwrap_or_default();
        let signs = rest.trim_start_matches(|c: char| c.is_whitespace() || c == sign);
        self.omit(self.at..range.end - signs.len(), OmissionReason::Markup);
    }

    fn run(&mut self, range: Range<usize>, spoken: Spoken) {
        self.gap(range.start);
        let span = range.start.max(self.at)..range.end;
        if span.is_empty() {
            return;
        }
        self.between_cells(span.start);
        self.at = span.end;
        if spoken == Spoken::AsWritten {
            return self.as_written(span);
        }
        match self.marks.from(span.start) {
            Some(mark)
                if mark.span.start <= span.start
                    && let What::Omit(reason) = mark.what =>
            {
                self.page.omit(span, reason);
            }
            _ => self.page.words(span, spoken),
        }
    }

    /// Words with the marks of whoever takes notes among them.
    fn as_written(&mut self, span: Range<usize>) {
        let mut at = span.start;
        while at < span.end {
            let mark = self
                .marks
                .from(at)
                .filter(|mark| mark.span.start < span.end);
            let Some(mark) = mark.cloned() else {
                return self.page.words(at..span.end, Spoken::AsWritten);
            };
            if at < mark.span.start {
                self.page.words(at..mark.span.start, Spoken::AsWritten);
            }
            let part = mark.span.start.max(at)..mark.span.end.min(span.end);
            at = part.end;
            match mark.what {
                What::Omit(reason) => self.page.omit(part, reason),
                What::Say(words) => self.page.words(part, Spoken::Instead((*words).into())),
            }
        }
    }

    /// The bar between two cells is heard as a comma.
    fn between_cells(&mut self, start: usize) {
        if !std::mem::take(&mut self.new_cell) || self.page.context().kind != BlockKind::TableRow {
            return;
        }
        let Some(last) = self.page.writer.last_end() else {
            return;
        };
        if let Some(bar) = self.text.get(last..start).and_then(|gap| gap.find('|')) {
            self.page.writer.separator(last + bar..last + bar + 1);
        }
    }

    pub(super) fn omit(&mut self, range: Range<usize>, reason: OmissionReason) {
        if range.start > self.at {
            self.gap(range.start);
        }
        self.leave_out(range, reason);
    }

    fn leave_out(&mut self, range: Range<usize>, reason: OmissionReason) {
        let span = range.start.max(self.at)..range.end;
        if !span.is_empty() {
            self.at = span.end;
            self.page.omit(span, reason);
        }
    }

    /// What holds here, of Markdown and of the HTML in it.
    fn frame(&self) -> Frame {
        let frame = self.frames.last();
        Frame {
            context: self.page.context(),
            named: frame.and_then(|frame| frame.named),
            silent: frame.is_some_and(|frame| frame.silent),
        }
    }

    fn close(&mut self) {
        self.page.writer.close(BlockEnd::Paragraph);
        self.new_cell = false;
    }
}

/// Two prices look like a formula: `$10/month to US$20`, `$5-$6`.
fn is_money(formula: &str, behind: &str) -> bool {
    let has_word = || {
        let mut words = formula.split_whitespace().skip(1);
        words.any(|word| word.len() > 1 && word.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    let begins_with_digit = formula.starts_with(|c: char| c.is_ascii_digit());
    begins_with_digit && (behind.starts_with(|c: char| c.is_alphanumeric()) || has_word())
}
