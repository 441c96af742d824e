//! What a block says, character by character and with its line ends, and the way to change it:
//! rules look at the text of a [`Stream`] and answer with [`Edit`]s of it. An edit must never move
//! words or make a run speak for bytes of the source that were not its own.

use std::ops::Range;

use super::super::{Block, Omission, OmissionReason, Run, Spoken};

/// A block's words as they stand, blank space not folded: a line end of the source is one here, also
/// where a format gave a blank for it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) text: String,
    pieces: Vec<Piece>,
    /// Places where marks of the format stood between two words, in order.
    seams: Vec<usize>,
}

#[derive(Debug)]
struct Piece {
    /// Where it begins in the text; it goes up to the next.
    at: usize,
    /// Which run of the block it is; none for invisible characters, which no run holds.
    run: Option<usize>,
}

/// A change to what a block says; ranges and places count bytes of the stream's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// These are not said, for this reason.
    Omit(Range<usize>, OmissionReason),
    /// These are said as this.
    Say(Range<usize>, &'static str),
    /// This is said behind the character before this place, which is not the first.
    Insert(usize, &'static str),
}

impl Edit {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Omit(range, _) | Self::Say(range, _) => range.clone(),
            Self::Insert(at, _) => *at..*at,
        }
    }
}

impl Stream {
    /// The words of `block`. `omissions` are those of the document from its first run on.
    pub(super) fn new(text: &str, block: &Block, omissions: &[Omission]) -> Self {
        let mut stream = Self::default();
        let mut omissions = omissions.iter().peekable();
        for (index, run) in block.runs.iter().enumerate() {
            while let Some(omission) = omissions.next_if(|o| o.span.start < run.span.start) {
                if index > 0 {
                    stream.gap(&text[omission.span.clone()], omission.reason);
                }
            }
            stream.piece(Some(index));
            let source = &text[run.span.clone()];
            match &run.spoken {
                Spoken::AsWritten => stream.text.push_str(source),
                Spoken::Instead(words) if &**words == " " && source.contains(['\n', '\r']) => {
                    stream.text.push('\n');
                }
                Spoken::Instead(words) => stream.text.push_str(words),
            }
        }
        stream
    }

    /// Something between two runs: a mark of the format, or signs without shape, of which those
    /// that tell of a parted word are kept.
    fn gap(&mut self, source: &str, reason: OmissionReason) {
        match reason {
            OmissionReason::Invisible | OmissionReason::Control => {
                if source == "&shy;" {
                    self.piece(None);
                    self.text.push('\u{AD}');
                }
                for c in source.chars().filter(|c| super::hyphens::is_unseen(*c)) {
                    self.piece(None);
                    self.text.push(c);
                }
            }
            OmissionReason::BlankSpace
            | OmissionReason::Hyphen
            | OmissionReason::NoteMark
            | OmissionReason::PageNumber
            | OmissionReason::RunningHead
            | OmissionReason::ByteOrderMark => {}
            _ if self.seams.last() != Some(&self.text.len()) => self.seams.push(self.text.len()),
            _ => {}
        }
    }

    fn piece(&mut self, run: Option<usize>) {
        let at = self.text.len();
        self.pieces.push(Piece { at, run });
    }

    /// True if marks of the format stood at this place.
    pub(super) fn has_seam(&self, at: usize) -> bool {
        self.seams.binary_search(&at).is_ok()
    }

    /// `block` with the edits, which are in order and apart. What they leave out goes to `omitted`,
    /// in order.
    pub(super) fn edited(
        &self,
        block: &Block,
        edits: &[Edit],
        omitted: &mut Vec<Omission>,
    ) -> Block {
        let mut runs = Vec::with_capacity(block.runs.len() + 2 * edits.len());
        let mut rest = edits;
        for (index, piece) in self.pieces.iter().enumerate() {
            let end = self
                .pieces
                .get(index + 1)
                .map_or(self.text.len(), |next| next.at);
            let first = rest.partition_point(|edit| {
                let range = edit.range();
                range.end < piece.at || (range.end == piece.at && !range.is_empty())
            });
            rest = &rest[first..];
            let Some(run) = piece.run.map(|run| &block.runs[run]) else {
                continue;
            };
            let reach = |edit: &&Edit| match edit {
                Edit::Insert(at, _) => (piece.at + 1..=end).contains(at),
                _ => edit.range().start < end,
            };
            let own = rest
                .iter()
                .skip_while(|edit| matches!(edit, Edit::Insert(at, _) if *at <= piece.at));
            let own: Vec<&Edit> = own.take_while(reach).collect();
            match &run.spoken {
                _ if own.is_empty() => runs.push(run.clone()),
                Spoken::AsWritten => {
                    self.written(run, piece.at..end, &own, &mut runs, omitted);
                }
                Spoken::Instead(_) => self.instead(run, piece.at..end, &own, &mut runs, omitted),
            }
        }
        Block {
            kind: block.kind,
            runs,
            end: block.end,
        }
    }

    /// A run that is spoken as written falls into several.
    fn written(
        &self,
        run: &Run,
        piece: Range<usize>,
        edits: &[&Edit],
        runs: &mut Vec<Run>,
        omitted: &mut Vec<Omission>,
    ) {
        let source = |range: Range<usize>| {
            run.span.start + range.start - piece.start..run.span.start + range.end - piece.start
        };
        let mut at = piece.start;
        let mut push = |range: Range<usize>, spoken| {
            if !range.is_empty() {
                let span = source(range);
                runs.push(Run { span, spoken });
            }
        };
        for edit in edits {
            let range = edit.range();
            let range = range.start.clamp(at, piece.end)..range.end.clamp(at, piece.end);
            match edit {
                Edit::Omit(_, reason) => {
                    push(at..range.start, Spoken::AsWritten);
                    if !range.is_empty() {
                        let span = source(range.clone());
                        omitted.push(Omission {
                            span,
                            reason: *reason,
                        });
                    }
                }
                Edit::Say(_, words) => {
                    push(at..range.start, Spoken::AsWritten);
                    push(range.clone(), Spoken::Instead((*words).into()));
                }
                Edit::Insert(_, words) => {
                    let before = &self.text[at..range.start];
                    let Some(c) = before.chars().next_back() else {
                        continue;
                    };
                    let from = range.start - c.len_utf8();
                    push(at..from, Spoken::AsWritten);
                    let both = format!("{c}{words}");
                    push(from..range.start, Spoken::Instead(both.into()));
                }
            }
            at = range.end;
        }
        push(at..piece.end, Spoken::AsWritten);
    }

    /// A run that stands for its source as a whole gets other words, or none.
    fn instead(
        &self,
        run: &Run,
        piece: Range<usize>,
        edits: &[&Edit],
        runs: &mut Vec<Run>,
        omitted: &mut Vec<Omission>,
    ) {
        let mut words = String::with_capacity(piece.len());
        let mut at = piece.start;
        let mut why = OmissionReason::Hyphen;
        for edit in edits {
            let range = edit.range();
            let range = range.start.clamp(at, piece.end)..range.end.clamp(at, piece.end);
            words.push_str(&self.text[at..range.start]);
            match edit {
                Edit::Omit(_, reason) => why = *reason,
                Edit::Say(_, said) | Edit::Insert(_, said) => words.push_str(said),
            }
            at = range.end;
        }
        words.push_str(&self.text[at..piece.end]);
        let span = run.span.clone();
        if words.is_empty() {
            omitted.push(Omission { span, reason: why });
        } else {
            let spoken = Spoken::Instead(words.into());
            runs.push(Run { span, spoken });
        }
    }
}
