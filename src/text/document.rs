//! What a format makes of a text: blocks of spoken runs, and the stretches left out with reasons.
//! [`Document::new`] is the one way to build it: it guarantees that runs and omissions cover the
//! source, each byte once, whatever a format hands it. It must never drop a run's words.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::control::{control_spans, is_control, is_invisible};
use super::{Markdown, PlainText};

/// A way of writing texts: plain, Markdown, …
pub trait Format: Send + Sync {
    /// The format's name for people, such as "Markdown".
    fn name(&self) -> &'static str;

    /// Takes `text` apart. Never fails: what a format does not understand is spoken as it stands.
    fn parse(&self, text: &str) -> Document;
}

/// The format of a file, by its name. `_text` is there for formats that are known by how they
/// begin; neither of the present two is.
pub fn format_for(file_name: Option<&Path>, _text: &str) -> &'static dyn Format {
    const MARKDOWN: [&str; 4] = ["md", "markdown", "mdown", "mkd"];
    let extension = file_name.and_then(Path::extension).and_then(|e| e.to_str());
    match extension {
        Some(e) if MARKDOWN.iter().any(|known| e.eq_ignore_ascii_case(known)) => &Markdown,
        _ => &PlainText,
    }
}

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
}

/// A paragraph or something of that rank: no sentence goes across its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its words, in order.
    pub runs: Vec<Run>,
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
    /// HTML in another format.
    Html,
    /// The address of a link.
    Link,
    /// The address of an image.
    Image,
    /// The mark or label of a footnote.
    Footnote,
    /// Metadata at the start of a file.
    FrontMatter,
    /// A line of signs between scenes.
    SceneBreak,
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
            Self::Html => "HTML",
            Self::Link => "address of a link",
            Self::Image => "address of an image",
            Self::Footnote => "footnote mark",
            Self::FrontMatter => "front matter",
            Self::SceneBreak => "scene break",
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
        }
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
