//! A block's spoken text on one line, and the way back from its bytes to the source.
//! It holds no control characters, no line ends and no two blanks in a row, and it must never
//! map a stretch to bytes of the source that another stretch also maps to.

use std::ops::Range;

use super::document::SENTENCE_END;
use super::{Block, Spoken};

/// Spoken text with its origin.
#[derive(Debug, Default)]
pub(super) struct Flat {
    pub(super) text: String,
    /// Where a sentence ends whatever follows, in order.
    pub(super) ends: Vec<usize>,
    /// In order; the first begins at 0 if there is any text.
    pieces: Vec<Piece>,
}

/// A stretch of the flat text, up to where the next begins.
#[derive(Debug)]
struct Piece {
    flat: usize,
    source: Range<usize>,
    /// Byte for byte as in the source (a blank may stand for another of the same length), or one
    /// stretch that stands for the source as a whole.
    as_written: bool,
}

impl Flat {
    /// The runs of `block` one after the other, blank space folded.
    pub(super) fn new(text: &str, block: &Block) -> Self {
        let mut flat = Flat::default();
        for run in &block.runs {
            match &run.spoken {
                Spoken::AsWritten => flat.as_written(text, run.span.clone()),
                Spoken::Instead(words) => flat.instead(words, run.span.clone()),
            }
        }
        flat
    }

    fn as_written(&mut self, text: &str, span: Range<usize>) {
        for (at, c) in text[span.clone()].char_indices() {
            let source = span.start + at..span.start + at + c.len_utf8();
            if !c.is_whitespace() {
                self.piece(source, c.len_utf8());
                self.text.push(c);
            } else if self.wants_blank() {
                self.piece(source, 1);
                self.text.push(' ');
            }
        }
    }

    /// Announces `len` bytes of flat text for `source`; lengthens the last piece if it can.
    fn piece(&mut self, source: Range<usize>, len: usize) {
        let as_written = source.len() == len;
        match self.pieces.last_mut() {
            Some(last) if as_written && last.as_written && last.source.end == source.start => {
                last.source.end = source.end;
            }
            _ => self.pieces.push(Piece {
                flat: self.text.len(),
                source,
                as_written,
            }),
        }
    }

    fn instead(&mut self, words: &str, source: Range<usize>) {
        let flat = self.text.len();
        for c in words.chars() {
            if !c.is_whitespace() {
                self.text.push(c);
            } else if self.wants_blank() {
                self.text.push(' ');
            }
            if c == SENTENCE_END && !self.text.is_empty() {
                self.ends.push(self.text.len());
            }
        }
        if self.text.len() > flat {
            self.pieces.push(Piece {
                flat,
                source,
                as_written: false,
            });
        }
    }

    fn wants_blank(&self) -> bool {
        !self.text.is_empty() && !self.text.ends_with(' ')
    }

    /// The source of a stretch of the flat text, which must not be empty.
    pub(super) fn source(&self, stretch: &Range<usize>) -> Range<usize> {
        let first = &self.pieces[self.piece_at(stretch.start)];
        let last = &self.pieces[self.piece_at(stretch.end - 1)];
        let start = match first.as_written {
            true => first.source.start + (stretch.start - first.flat),
            false => first.source.start,
        };
        let end = match last.as_written {
            true => last.source.start + (stretch.end - last.flat),
            false => last.source.end,
        };
        start..end
    }

    /// Where what stands for these bytes of the source is, as far as it is here: marks at their edges
    /// stand for nothing.
    pub(super) fn stretch(&self, source: &Range<usize>) -> Option<Range<usize>> {
        let first = self
            .pieces
            .partition_point(|piece| piece.source.end <= source.start);
        let past = self
            .pieces
            .partition_point(|piece| piece.source.start < source.end);
        let (piece, last) = (self.pieces.get(first)?, self.pieces[..past].last()?);
        let start = match piece.as_written {
            true => piece.flat + source.start.saturating_sub(piece.source.start),
            false => piece.flat,
        };
        let end = match last.as_written {
            true => last.flat + (source.end.min(last.source.end) - last.source.start),
            false => self
                .pieces
                .get(past)
                .map_or(self.text.len(), |next| next.flat),
        };
        (start < end && self.text.get(start..end).is_some()).then_some(start..end)
    }

    /// The nearest place at or after `at` where the text may be cut: not inside a stretch that
    /// stands for its source as a whole.
    pub(super) fn cut_at(&self, at: usize) -> usize {
        if at == 0 || at >= self.text.len() {
            return at.min(self.text.len());
        }
        let index = self.piece_at(at);
        let piece = &self.pieces[index];
        if piece.as_written || piece.flat == at {
            return at;
        }
        self.pieces
            .get(index + 1)
            .map_or(self.text.len(), |next| next.flat)
    }

    fn piece_at(&self, at: usize) -> usize {
        self.pieces
            .partition_point(|piece| piece.flat <= at)
            .saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BlockEnd, BlockKind, Run};
    use super::*;

    #[test]
    fn every_stretch_knows_its_source() {
        let text = " one\r\n  two &amp; three";
        let instead = Run {
            span: 12..17,
            spoken: Spoken::Instead("&".into()),
        };
        let runs = vec![
            Run {
                span: 0..12,
                spoken: Spoken::AsWritten,
            },
            instead,
            Run {
                span: 17..23,
                spoken: Spoken::AsWritten,
            },
        ];
        let flat = Flat::new(
            text,
            &Block {
                kind: BlockKind::Paragraph,
                runs,
                end: BlockEnd::Paragraph,
            },
        );
        assert_eq!(flat.text, "one two & three");
        let source = |stretch: Range<usize>| &text[flat.source(&stretch)];
        assert_eq!(source(0..3), "one");
        assert_eq!(source(4..7), "two");
        assert_eq!(source(8..9), "&amp;");
        assert_eq!(source(10..15), "three");
        assert_eq!(source(0..9), "one\r\n  two &amp;");
    }

    #[test]
    fn what_stands_for_a_whole_is_not_cut() {
        let runs = vec![
            Run {
                span: 0..1,
                spoken: Spoken::AsWritten,
            },
            Run {
                span: 1..2,
                spoken: Spoken::Instead("xyz".into()),
            },
        ];
        let flat = Flat::new(
            "a?",
            &Block {
                kind: BlockKind::Paragraph,
                runs,
                end: BlockEnd::Paragraph,
            },
        );
        assert_eq!(
            (0..=4).map(|at| flat.cut_at(at)).collect::<Vec<_>>(),
            [0, 1, 4, 4, 4]
        );
    }
}
