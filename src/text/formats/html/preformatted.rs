//! The inside of `<pre>`: code, which is left out, or verse, a title page, a whole book of the old web. The
//! lines of these mean what those of a plain text do, and the plain format says what that is. It must never
//! read a word twice, nor lose one that an entity stands for.

use std::ops::Range;

use super::super::super::{Block, BlockEnd, BlockKind, Omission, OmissionReason, Run, Spoken};
use super::super::plain::lay_out;
use super::super::writer::{Mark, Writer};
use super::code;

/// The outermost `<pre>` that is open.
pub(super) struct Preformatted {
    frame: usize,
    mark: Mark,
    /// What is in it is code, as a class says.
    is_code: bool,
    /// It has an end tag; without one it silences nothing.
    is_closed: bool,
    /// How much is said in it, and how much of that in elements that hold code; in bytes, without blanks.
    said: usize,
    coded: usize,
}

impl Preformatted {
    /// `frame` is the index of its frame, `mark` the place where its words begin.
    pub(super) fn new(frame: usize, mark: Mark, is_code: bool, is_closed: bool) -> Self {
        Preformatted {
            frame,
            mark,
            is_code,
            is_closed,
            said: 0,
            coded: 0,
        }
    }

    pub(super) fn frame(&self) -> usize {
        self.frame
    }

    /// Words are said in it, `is_code` where an element around them holds code.
    pub(super) fn count(&mut self, words: &str, is_code: bool) {
        let len: usize = words.split_whitespace().map(str::len).sum();
        self.said += len;
        self.coded += if is_code { len } else { 0 };
    }

    /// One word that is tagged as code proves nothing of the others.
    fn is_tagged(&self) -> bool {
        self.coded > 0 && 10 * self.coded >= 9 * self.said
    }

    /// The text ends before it does.
    pub(super) fn finish(self, writer: &mut Writer<'_>, text: &str) {
        let is_closed = false;
        Preformatted { is_closed, ..self }.end(writer, text);
    }

    /// What stood in it is code, or its lines mean what those of a plain text do.
    pub(super) fn end(self, writer: &mut Writer<'_>, text: &str) {
        writer.close(BlockEnd::Paragraph);
        let looks_like_code = || {
            let words = writer.all_since(self.mark, usize::MAX);
            words.is_some_and(|words| code::is_code(&words))
        };
        if self.is_closed && (self.is_code || self.is_tagged() || looks_like_code()) {
            writer.take_back(self.mark, OmissionReason::Code);
            writer.name_since(self.mark, OmissionReason::Code);
            return;
        }
        let mut begins = Writer::is_first(self.mark);
        writer.rewrite(self.mark, |block| {
            laid_out(text, block, std::mem::take(&mut begins))
        });
    }
}

/// The blocks that the lines of `block` are, and what of it is not spoken. Only a block that `begins` a
/// page has its title in its first line. `text` is the source.
fn laid_out(text: &str, block: Block, begins: bool) -> (Vec<Block>, Vec<Omission>) {
    // A heading is one, on however many lines.
    if matches!(block.kind, BlockKind::Heading(_)) {
        return (vec![block], Vec::new());
    }
    let (words, starts) = joined(text, &block.runs);
    let layout = lay_out(&words, begins && block.kind == BlockKind::Paragraph);
    let mut source = Source {
        text,
        runs: &block.runs,
        starts,
        next: 0,
        omissions: Vec::new(),
    };
    let mut left = layout.omissions.into_iter().peekable();
    let mut blocks = Vec::with_capacity(layout.blocks.len());
    for part in layout.blocks {
        let mut runs = Vec::with_capacity(part.runs.len());
        for Run { span, .. } in part.runs {
            while let Some(line) = left.next_if(|line| line.span.start < span.start) {
                source.leave_out(&line);
            }
            source.speak(&span, &mut runs);
        }
        let kind = match block.kind {
            BlockKind::Paragraph => part.kind,
            kind => kind,
        };
        if !runs.is_empty() {
            let end = part.end;
            blocks.push(Block { kind, runs, end });
        }
    }
    left.for_each(|line| source.leave_out(&line));
    source.skip_to(usize::MAX);
    if let (BlockEnd::Line, Some(last)) = (block.end, blocks.last_mut()) {
        last.end = BlockEnd::Line;
    }
    (blocks, source.omissions)
}

/// The words of these runs, and where each begins in them; the end comes last.
fn joined(text: &str, runs: &[Run]) -> (String, Vec<usize>) {
    let mut words = String::new();
    let mut starts = Vec::with_capacity(runs.len() + 1);
    for run in runs {
        starts.push(words.len());
        match &run.spoken {
            // It is said as a whole, so it stands on one line.
            Spoken::Instead(instead) if instead.contains(char::is_alphanumeric) => {
                words.push_str(&instead.replace(['\n', '\r', '\u{c}'], " "));
            }
            _ => words.push_str(run.words(text)),
        }
    }
    starts.push(words.len());
    (words, starts)
}

/// The way from the words of a block back to the source, once and forwards.
struct Source<'a> {
    text: &'a str,
    runs: &'a [Run],
    starts: Vec<usize>,
    /// The first run that is not dealt with to its end.
    next: usize,
    omissions: Vec<Omission>,
}

impl Source<'_> {
    /// Speaks a stretch of the words.
    fn speak(&mut self, stretch: &Range<usize>, runs: &mut Vec<Run>) {
        self.skip_to(stretch.start);
        self.parts(stretch, |run| runs.push(run));
    }

    /// Leaves a line out.
    fn leave_out(&mut self, line: &Omission) {
        self.skip_to(line.span.start);
        let mut omitted = Vec::new();
        self.parts(&line.span, |run| omitted.push(run.span));
        let reason = line.reason;
        let named = omitted.into_iter().map(|span| Omission { span, reason });
        self.omissions.extend(named);
    }

    /// Names what stands for other signs and lies before this place: the marks of items, blanks. What is
    /// as it is written is named with the rest of the source.
    fn skip_to(&mut self, at: usize) {
        while self.next < self.runs.len() && self.starts[self.next + 1] <= at {
            let Run { span, spoken } = &self.runs[self.next];
            if let Spoken::Instead(words) = spoken {
                let is_blank = words.chars().all(char::is_whitespace);
                self.omissions.push(Omission {
                    span: span.clone(),
                    reason: match is_blank {
                        true => OmissionReason::Invisible,
                        false => OmissionReason::Unspeakable,
                    },
                });
            }
            self.next += 1;
        }
    }

    /// The runs, or parts of them, that a stretch of the words is made of.
    fn parts(&mut self, stretch: &Range<usize>, mut each: impl FnMut(Run)) {
        while self.next < self.runs.len() && self.starts[self.next] < stretch.end {
            let (start, end) = (self.starts[self.next], self.starts[self.next + 1]);
            let Run { span, spoken } = &self.runs[self.next];
            let part = match spoken {
                // What is left of it is not said a second time.
                Spoken::Instead(_) => span.clone(),
                Spoken::AsWritten => {
                    let at = |place: usize| span.start + place.clamp(start, end) - start;
                    at(stretch.start)..at(stretch.end)
                }
            };
            debug_assert!(self.text.get(part.clone()).is_some());
            if !part.is_empty() {
                let spoken = spoken.clone();
                each(Run { span: part, spoken });
            }
            if end > stretch.end && *spoken == Spoken::AsWritten {
                break;
            }
            self.next += 1;
        }
    }
}
