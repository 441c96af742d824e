//! From a document to the segments a voice speaks: sentences of a good length with their spans.
//! Segments and the omissions outside of them cover the source, each byte once; this module must
//! never let a stretch fall between the two.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::dialogue::apart;
use super::directives::LONGEST_PAUSE;
use super::document::{push_omission, title_line};
use super::fit::{Limits, fit};
use super::flat::Flat;
use super::repair::{Repairs, repair};
use super::sentences::sentences;
use super::{
    Block, BlockEnd, BlockKind, Directive, DirectiveKind, Document, Omission, OmissionReason,
};

/// A text ready to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segmentation {
    /// The title the text gives itself, if it does.
    pub title: Option<String>,
    /// At least one if there are segments; each begins with the segment that heads it.
    pub chapters: Vec<Chapter>,
    /// What is spoken, in order. Spans are disjoint and rise.
    pub segments: Vec<Segment>,
    /// What is not spoken, in order. One that lies within a segment's span is markup and the like
    /// inside a sentence; the others and the segments' spans cover the source.
    pub omissions: Vec<Omission>,
    /// Voices that the text asks for, each from a segment on.
    #[serde(default)]
    pub voices: Vec<(usize, Box<str>)>,
}

/// What a voice speaks in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Bytes of the source, never empty.
    pub span: Range<usize>,
    /// What is spoken: one line, no control characters, at least one letter or digit.
    pub text: String,
    /// What it is part of.
    pub kind: SegmentKind,
    /// What ends with it, and so what pause follows.
    pub end: SegmentEnd,
    /// Index of its chapter.
    pub chapter: usize,
    /// Silence after it that its author asked for, in milliseconds.
    #[serde(default)]
    pub pause_ms: Option<u32>,
    /// Words of the text with the phonemes that its author gave them, in order.
    #[serde(default)]
    pub pronounced: Vec<(Range<usize>, Box<str>)>,
    /// Whether somebody says it in quotation marks; only told where that has segments of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spoken: bool,
}

/// What a segment is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// A heading and its level, from 1.
    Heading(u8),
    /// Running text.
    Sentence,
    /// A list.
    ListItem,
    /// A quotation set off from the text.
    Quote,
    /// A row of a table.
    TableRow,
    /// A footnote.
    Footnote,
}

/// What ends with a segment, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentEnd {
    /// Part of a sentence that was too long.
    Clause,
    /// A sentence.
    Sentence,
    /// A paragraph.
    Paragraph,
    /// A heading.
    Heading,
}

/// A part of the text under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// Its heading; for what stands before the first heading the text's title, or nothing.
    pub title: String,
    /// Index of its first segment.
    pub first_segment: usize,
}

/// Headings down to this level begin a chapter.
const CHAPTER_LEVEL: u8 = 2;

impl From<BlockKind> for SegmentKind {
    fn from(kind: BlockKind) -> Self {
        match kind {
            BlockKind::Heading(level) => SegmentKind::Heading(level),
            BlockKind::Paragraph => SegmentKind::Sentence,
            BlockKind::ListItem => SegmentKind::ListItem,
            BlockKind::Quote => SegmentKind::Quote,
            BlockKind::TableRow => SegmentKind::TableRow,
            BlockKind::Footnote => SegmentKind::Footnote,
        }
    }
}

/// Cuts `document`, which [`Document::new`] made of `text`, into segments, with all repairs.
///
/// `language` is the code of the text's language (`en`, `de`, `en-us` …); an unknown one is
/// treated like English. Takes time linear in the text, whatever the text.
#[must_use]
pub fn segment(text: &str, document: &Document, language: &str, limits: &Limits) -> Segmentation {
    segment_with(text, document, language, limits, &Repairs::default())
}

/// The same as [`segment`], with a choice of repairs.
#[must_use]
pub fn segment_with(
    text: &str,
    document: &Document,
    language: &str,
    limits: &Limits,
    repairs: &Repairs,
) -> Segmentation {
    let document = &repair(text, document.clone(), repairs);
    let mut cutter = Cutter {
        text,
        given: &document.omissions,
        next: 0,
        at: 0,
        out: Segmentation {
            title: document.title.clone(),
            chapters: Vec::new(),
            segments: Vec::new(),
            omissions: Vec::with_capacity(document.omissions.len()),
            voices: Vec::new(),
        },
        directives: &document.directives,
        marker: None,
        parted: None,
    };
    for block in &document.blocks {
        cutter.block(block, language, limits);
    }
    cutter.directives_to(text.len());
    cutter.leave_out(text.len());
    cutter.out
}

struct Cutter<'a> {
    text: &'a str,
    /// What the format left out, and how far that is copied.
    given: &'a [Omission],
    next: usize,
    /// How far the source is covered.
    at: usize,
    out: Segmentation,
    /// What is asked of whoever reads, as far as it is not dealt with.
    directives: &'a [Directive],
    /// A chapter that begins with the next segment.
    marker: Option<&'a str>,
    /// The heading that the block before is a part of.
    parted: Option<BlockKind>,
}

impl Cutter<'_> {
    fn block(&mut self, block: &Block, language: &str, limits: &Limits) {
        let flat = Flat::new(self.text, block);
        let stretches = fit(&flat, sentences(&flat.text, &flat.ends, language), limits);
        let stretches = if limits.speech_apart {
            apart(&flat, stretches)
        } else {
            stretches.into_iter().map(|it| (it, false)).collect()
        };
        if stretches.is_empty() {
            return;
        }
        let begins = block.runs.first().map_or(self.at, |run| run.span.start);
        self.directives_to(begins);
        // A heading that a directive parts is one.
        let is_part = block.end == BlockEnd::Line && matches!(block.kind, BlockKind::Heading(_));
        let before = std::mem::replace(&mut self.parted, is_part.then_some(block.kind));
        let goes_on = before == Some(block.kind);
        if !goes_on || self.marker.is_some() {
            self.chapter(block.kind, &flat.text);
        }
        let last = stretches.len() - 1;
        for (index, (stretch, spoken)) in stretches.into_iter().enumerate() {
            let span = flat.source(&stretch.range);
            let pronounced = self.pronounced(&flat, &stretch.range, span.end);
            self.leave_out(span.start);
            self.inside(span.end);
            let end = match block.kind {
                _ if stretch.inside_sentence && index < last => SegmentEnd::Clause,
                _ if index < last => SegmentEnd::Sentence,
                _ if block.end == BlockEnd::Line => SegmentEnd::Sentence,
                BlockKind::Heading(_) => SegmentEnd::Heading,
                _ => SegmentEnd::Paragraph,
            };
            self.out.segments.push(Segment {
                span,
                text: flat.text[stretch.range].to_owned(),
                kind: block.kind.into(),
                end,
                chapter: self.out.chapters.len() - 1,
                pause_ms: None,
                pronounced,
                spoken,
            });
        }
    }

    /// Begins a chapter if `kind` does, or if there is none yet.
    fn chapter(&mut self, kind: BlockKind, words: &str) {
        let first_segment = self.out.segments.len();
        let title = match kind {
            _ if self.marker.is_some() => self.marker.take().unwrap_or_default().to_owned(),
            BlockKind::Heading(level) if level <= CHAPTER_LEVEL => title_line(words),
            _ if self.out.chapters.is_empty() => self.out.title.clone().unwrap_or_default(),
            _ => return,
        };
        self.out.chapters.push(Chapter {
            title,
            first_segment,
        });
    }

    /// Does what is asked for before this place of the source.
    fn directives_to(&mut self, at: usize) {
        while let [directive, rest @ ..] = self.directives
            && directive.span.start < at
        {
            // Its word begins what comes now.
            if matches!(&directive.kind, DirectiveKind::Phonemes { word, .. } if word.end > at) {
                break;
            }
            self.directives = rest;
            match &directive.kind {
                DirectiveKind::Pause(pause) => {
                    // Before the first words there is nothing to pause after.
                    if let Some(last) = self.out.segments.last_mut() {
                        let before = last.pause_ms.unwrap_or_default();
                        last.pause_ms = Some(before.saturating_add(*pause).min(LONGEST_PAUSE));
                    }
                }
                DirectiveKind::Voice(name) => {
                    self.out
                        .voices
                        .push((self.out.segments.len(), name.clone()));
                }
                DirectiveKind::Chapter(title) => self.marker = Some(title),
                // Its word is in no segment.
                DirectiveKind::Phonemes { .. } => {}
            }
        }
    }

    /// The words of a stretch that have phonemes of their own.
    fn pronounced(
        &mut self,
        flat: &Flat,
        stretch: &Range<usize>,
        end: usize,
    ) -> Vec<(Range<usize>, Box<str>)> {
        let mut pronounced = Vec::new();
        while let [directive, rest @ ..] = self.directives
            && directive.span.start < end
            && let DirectiveKind::Phonemes { word, phonemes } = &directive.kind
        {
            self.directives = rest;
            let found = flat.stretch(word);
            let found = found.filter(|at| stretch.start <= at.start && at.end <= stretch.end);
            if let Some(at) = found {
                let at = at.start - stretch.start..at.end - stretch.start;
                pronounced.push((at, phonemes.clone()));
            }
        }
        pronounced
    }

    /// Copies the omissions within a segment that ends at `end`.
    fn inside(&mut self, end: usize) {
        while let Some(omission) = self.given.get(self.next)
            && omission.span.start < end
        {
            // Not joined to its neighbour: that one may lie outside of the segment.
            self.out.omissions.push(omission.clone());
            self.next += 1;
        }
        self.at = end;
    }

    /// Leaves out everything up to `end`: what the format left out for its reasons, the rest
    /// because it is blank or has no words.
    fn leave_out(&mut self, end: usize) {
        let mut fresh = Vec::new();
        while self.at < end {
            let (stop, reason) = match self.given.get(self.next) {
                Some(omission) if omission.span.start <= self.at => {
                    self.next += 1;
                    (omission.span.end, omission.reason)
                }
                Some(omission) => (
                    omission.span.start.min(end),
                    self.reason_to(omission.span.start.min(end)),
                ),
                None => (end, self.reason_to(end)),
            };
            push_omission(&mut fresh, self.at..stop, reason);
            self.at = stop;
        }
        self.out.omissions.append(&mut fresh);
    }

    /// Why a stretch of a run up to `stop` is not in any segment.
    fn reason_to(&self, stop: usize) -> OmissionReason {
        let words = &self.text[self.at..stop];
        match words.trim().is_empty() {
            true => OmissionReason::BlankSpace,
            false => OmissionReason::Unspeakable,
        }
    }
}
