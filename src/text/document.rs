//! What a format makes of a text: blocks of spoken runs, and the stretches left out with reasons.
//! [`Document::new`] is the one way to build it: it guarantees that runs and omissions cover the
//! source, each byte once, whatever a format hands it. It must never drop a run's words.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Directive;
use super::control::{control_spans, is_control, is_invisible};

/// A text taken apart. The runs of all blocks and the omissions are in the order of the source
/// and cover it, each byte exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The title the text gives itself, on one line, if it does.
    pub title: Option<String>,
    /// Paragraphs, headings, …, in reading order. Each has at least one run.
    pub blocks: Vec<Block>,
    /// What is not spoken, and why.
    pub omissions: Vec<Omission>,
    /// What it asks of whoever reads it aloud, in order.
    pub directives: Vec<Directive>,
    /// The tag of its language, such as `en-GB`, if the text names one.
    pub language: Option<String>,
}

/// A paragraph or something of that rank: no sentence goes across its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its words, in order.
    pub runs: Vec<Run>,
    /// What ends with it.
    pub end: BlockEnd,
}

/// What ends with a block, and so how long the pause after it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockEnd {
    /// A paragraph, a heading, an item of a list …
    #[default]
    Paragraph,
    /// A line that its author ended on purpose, within something of that rank: a line of verse, of an
    /// address, before `<br>`.
    Line,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading and its level, from 1.
    Heading(u8),
    /// A paragraph of running text.
    Paragraph,
    /// A paragraph in a list.
    ListItem,
    /// A paragraph in a quotation.
    Quote,
    /// A row of a table, its cells one after the other.
    TableRow,
    /// A paragraph of a footnote.
    Footnote,
}

/// A stretch of the source and what is spoken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Bytes of the source; never empty.
    pub span: Range<usize>,
    /// What is spoken for them.
    pub spoken: Spoken,
}

impl Run {
    /// What is spoken for it; `text` is the source.
    #[must_use]
    pub fn words<'a>(&'a self, text: &'a str) -> &'a str {
        match &self.spoken {
            Spoken::AsWritten => &text[self.span.clone()],
            Spoken::Instead(words) => words,
        }
    }
}

/// A paragraph separator. Within [`Spoken::Instead`] it is a blank where a sentence ends, whatever
/// follows.
pub(super) const SENTENCE_END: char = '\u{2029}';

/// What is spoken for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// The source as it stands (blank space is folded later).
    AsWritten,
    /// This instead, for the run as a whole: the character an entity stands for, for instance.
    Instead(Box<str>),
}

/// A stretch of the source that is not spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// Bytes of the source; never empty.
    pub span: Range<usize>,
    /// Why.
    pub reason: OmissionReason,
}

/// Why a stretch is not spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OmissionReason {
    /// Blank space between blocks or sentences.
    BlankSpace,
    /// Marks of the format that are no words: `**`, `>`, `|` …
    Markup,
    /// A block of code.
    Code,
    /// What HTML holds and no browser shows: drawings, templates, what is there for browsers without
    /// this or that.
    Html,
    /// The tags of HTML.
    Tag,
    /// Scripts and styles in HTML.
    Script,
    /// Text that its author hid from those who look at a page.
    Hidden,
    /// The address of a link, or the name by which links know a place.
    Link,
    /// The address of an image.
    Image,
    /// The mark or label of a footnote.
    Footnote,
    /// The mark of a note in plain words: ¹, `[12]`, `*`.
    NoteMark,
    /// Metadata at the start of a file.
    FrontMatter,
    /// A line of signs between scenes.
    SceneBreak,
    /// The number of a page, between the halves of a text that goes on.
    PageNumber,
    /// The title of a book or a chapter, at the top of each page.
    RunningHead,
    /// The hyphen that parts a word at the end of a line.
    Hyphen,
    /// What an author wrote for nobody to read: `%% … %%`, `<!-- … -->`.
    Comment,
    /// A word to whoever reads aloud, such as `[pause:1.5]`.
    Directive,
    /// Emoji, arrows and other pictures.
    Emoji,
    /// The byte order mark.
    ByteOrderMark,
    /// Control characters, terminal escape sequences, direction overrides.
    Control,
    /// Characters without shape or sound, such as soft hyphens.
    Invisible,
    /// Only punctuation or symbols, with no words beside them to be spoken with.
    Unspeakable,
}

impl fmt::Display for OmissionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlankSpace => "blank space",
            Self::Markup => "markup",
            Self::Code => "code block",
            Self::Html => "HTML that is not shown",
            Self::Tag => "HTML tags",
            Self::Script => "scripts and styles",
            Self::Hidden => "hidden text",
            Self::Link => "address of a link",
            Self::Image => "address of an image",
            Self::Footnote => "footnote mark",
            Self::NoteMark => "note mark",
            Self::FrontMatter => "front matter",
            Self::SceneBreak => "scene break",
            Self::PageNumber => "page number",
            Self::RunningHead => "running head",
            Self::Hyphen => "hyphen at the end of a line",
            Self::Comment => "comment",
            Self::Directive => "directive",
            Self::Emoji => "emoji",
            Self::ByteOrderMark => "byte order mark",
            Self::Control => "control characters",
            Self::Invisible => "invisible characters",
            Self::Unspeakable => "only punctuation or symbols",
        })
    }
}

impl Document {
    /// Puts a document together from what a format found in `text`.
    ///
    /// `omissions` are hints, in order and disjoint: they name the reason for stretches that no
    /// run covers; the rest of what no run covers becomes blank space or markup. Control and
    /// invisible characters are taken out of the runs. A run that overlaps an earlier one keeps
    /// what is left of it. The title is folded to one line.
    pub fn new(
        text: &str,
        title: Option<String>,
        blocks: Vec<Block>,
        omissions: Vec<Omission>,
    ) -> Self {
        let controls = control_spans(text);
        let mut sealer = Sealer {
            text,
            layers: [Layer::new(&controls), Layer::new(&hints(omissions))],
            at: 0,
            omissions: Vec::new(),
        };
        let mut sealed = Vec::with_capacity(blocks.len());
        for block in blocks {
            let mut runs = Vec::with_capacity(block.runs.len());
            block
                .runs
                .into_iter()
                .for_each(|run| sealer.run(run, &mut runs));
            if !runs.is_empty() {
                sealed.push(Block {
                    kind: block.kind,
                    runs,
                    end: block.end,
                });
            }
        }
        sealer.gap_to(text.len());
        let title = title
            .as_deref()
            .map(title_line)
            .filter(|title| !title.is_empty());
        Document {
            title,
            blocks: sealed,
            omissions: sealer.omissions,
            directives: Vec::new(),
            language: None,
        }
    }
}

impl Document {
    /// Names stretches of the source, in order and disjoint, as left out for this reason, whatever was
    /// said of them before.
    pub(super) fn name_omissions(
        &mut self,
        text: &str,
        spans: &[Range<usize>],
        reason: OmissionReason,
    ) {
        // What of a stretch lies outside of all spans.
        let outside = |of: Range<usize>| {
            let first = spans.partition_point(|span| span.end <= of.start);
            let mut parts = Vec::new();
            let mut at = of.start;
            for span in &spans[first..] {
                if span.start >= of.end {
                    break;
                }
                parts.push(at..span.start.max(at));
                at = span.end;
            }
            parts.push(at..of.end.max(at));
            parts.retain(|part| !part.is_empty());
            parts
        };
        let mut silenced = Vec::new();
        for block in &mut self.blocks {
            let runs = std::mem::take(&mut block.runs).into_iter();
            block.runs = runs
                .flat_map(|run| {
                    let mut parts = outside(run.span.clone());
                    if run.spoken != Spoken::AsWritten && parts.len() > 1 {
                        // Its words stand for the whole, and are said once.
                        let rest = parts.split_off(1).into_iter();
                        let reason = OmissionReason::Markup;
                        silenced.extend(rest.map(|span| Omission { span, reason }));
                    }
                    parts.into_iter().map(move |span| Run {
                        span,
                        spoken: run.spoken.clone(),
                    })
                })
                .collect();
        }
        let old = std::mem::take(&mut self.omissions).into_iter();
        self.omissions = old
            .flat_map(|omission| {
                let parts = outside(omission.span.clone()).into_iter();
                parts.map(move |span| Omission {
                    span,
                    reason: omission.reason,
                })
            })
            .collect();
        let named = spans.iter().cloned();
        let named = named.map(|span| Omission { span, reason });
        silenced.extend(named);
        self.leave_out(text, silenced);
    }

    /// Adds what runs of this document were cut down by, in any order. Blank edges are blank space; a
    /// block that lost its last run goes.
    pub(super) fn leave_out(&mut self, text: &str, omitted: Vec<Omission>) {
        let mut all = std::mem::take(&mut self.omissions);
        for Omission { span, reason } in omitted {
            let words = &text[span.clone()];
            let start = span.end - words.trim_start().len();
            let end = start + words.trim().len();
            let parts = [
                (span.start..start, OmissionReason::BlankSpace),
                (start..end, reason),
                (end..span.end, OmissionReason::BlankSpace),
            ];
            all.extend(parts.map(|(span, reason)| Omission { span, reason }));
        }
        all.sort_by_key(|omission| (omission.span.start, omission.span.end));
        for Omission { span, reason } in all {
            push_omission(&mut self.omissions, span, reason);
        }
        self.blocks.retain(|block| !block.runs.is_empty());
    }
}

type Reasoned = (Range<usize>, OmissionReason);

fn hints(omissions: Vec<Omission>) -> Vec<Reasoned> {
    omissions.into_iter().map(|o| (o.span, o.reason)).collect()
}

/// A title on one line, without control characters, of a length that fits a screen.
pub(super) fn title_line(title: &str) -> String {
    const MOST: usize = 200;
    let clean: String = title
        .chars()
        .take(8 * MOST)
        .filter(|&c| !is_control(c) && !is_invisible(c))
        .collect();
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Reasons for stretches in order, and how far they are used up.
struct Layer {
    spans: Vec<Reasoned>,
    next: usize,
}

impl Layer {
    fn new(spans: &[Reasoned]) -> Self {
        Layer {
            spans: spans.to_vec(),
            next: 0,
        }
    }

    /// The stretch at or after `at`, which must not go back between calls.
    fn from(&mut self, at: usize) -> Option<&Reasoned> {
        while self
            .spans
            .get(self.next)
            .is_some_and(|(span, _)| span.end <= at)
        {
            self.next += 1;
        }
        self.spans.get(self.next)
    }
}

/// Walks the source once, cutting runs clear of control characters and naming what lies between.
struct Sealer<'a> {
    text: &'a str,
    /// Control characters, then the format's hints: an earlier layer wins.
    layers: [Layer; 2],
    at: usize,
    omissions: Vec<Omission>,
}

impl Sealer<'_> {
    fn run(&mut self, run: Run, runs: &mut Vec<Run>) {
        let start = self.text.ceil_char_boundary(run.span.start.max(self.at));
        let end = self
            .text
            .floor_char_boundary(run.span.end.min(self.text.len()));
        if start >= end {
            return;
        }
        match run.spoken {
            Spoken::AsWritten => {
                self.gap_to(start);
                self.as_written(end, runs);
            }
            Spoken::Instead(words) => {
                let clean: String = words
                    .chars()
                    .filter(|&c| !is_control(c) && !is_invisible(c))
                    .collect();
                self.gap_to(start);
                if clean.is_empty() {
                    self.push(start..end, OmissionReason::Invisible);
                } else {
                    runs.push(Run {
                        span: start..end,
                        spoken: Spoken::Instead(clean.into()),
                    });
                }
                self.at = end;
            }
        }
    }

    fn as_written(&mut self, end: usize, runs: &mut Vec<Run>) {
        while self.at < end {
            let control = self.layers[0]
                .from(self.at)
                .map_or(end..end, |(span, _)| span.clone());
            let clear = control.start.clamp(self.at, end);
            if self.at < clear {
                runs.push(Run {
                    span: self.at..clear,
                    spoken: Spoken::AsWritten,
                });
                self.at = clear;
            }
            self.gap_to(control.end.min(end).max(self.at));
        }
    }

    /// Names everything up to `end` as left out.
    fn gap_to(&mut self, end: usize) {
        while self.at < end {
            let mut stop = end;
            let mut reason = None;
            for layer in &mut self.layers {
                match layer.from(self.at) {
                    Some((span, named)) if span.start <= self.at => {
                        (stop, reason) = (span.end.min(stop), Some(*named));
                        break;
                    }
                    Some((span, _)) => stop = span.start.min(stop),
                    None => {}
                }
            }
            let stretch = self.at..self.text.ceil_char_boundary(stop).min(end);
            self.at = stretch.end;
            self.omit(stretch, reason.unwrap_or(OmissionReason::Markup));
        }
    }

    /// Blank edges are blank space, whatever they belong to.
    fn omit(&mut self, span: Range<usize>, reason: OmissionReason) {
        let words = &self.text[span.clone()];
        let start = span.end - words.trim_start().len();
        let end = start + words.trim().len();
        self.push(span.start..start, OmissionReason::BlankSpace);
        self.push(start..end, reason);
        self.push(end..span.end, OmissionReason::BlankSpace);
    }

    fn push(&mut self, span: Range<usize>, reason: OmissionReason) {
        push_omission(&mut self.omissions, span, reason);
    }
}

/// Appends, or lengthens the last omission if it touches and has the same reason.
pub(super) fn push_omission(list: &mut Vec<Omission>, span: Range<usize>, reason: OmissionReason) {
    if span.is_empty() {
        return;
    }
    match list.last_mut() {
        Some(last) if last.span.end == span.start && last.reason == reason => {
            last.span.end = span.end;
        }
        _ => list.push(Omission { span, reason }),
    }
}
