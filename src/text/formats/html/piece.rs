//! A piece of HTML and where it stands in the source. In a quotation or a list of Markdown its lines stand
//! behind marks that are no part of it, so it is put together from several places. It must never name a
//! place of the source that is not its own.

use std::borrow::Cow;
use std::ops::Range;

/// Text of HTML with the way back to the source.
pub(in super::super) struct Piece<'t> {
    text: Cow<'t, str>,
    /// Where a stretch begins in the piece and in the source, in order; the first at 0.
    places: Vec<(usize, usize)>,
}

impl<'t> Piece<'t> {
    /// One that stands in the source as it is.
    pub(in super::super) fn at(text: &'t str, start: usize) -> Self {
        let places = vec![(0, start)];
        let text = text.into();
        Piece { text, places }
    }

    /// One that is put together from these stretches of `source`.
    pub(in super::super) fn joined(source: &'t str, stretches: &[Range<usize>]) -> Self {
        let touching = stretches
            .windows(2)
            .all(|pair| pair[0].end == pair[1].start);
        if let (true, Some(first), Some(last)) = (touching, stretches.first(), stretches.last()) {
            return Piece::at(&source[first.start..last.end], first.start);
        }
        let mut text = String::new();
        let mut places = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            places.push((text.len(), stretch.start));
            text.push_str(&source[stretch.clone()]);
        }
        let text = text.into();
        Piece { text, places }
    }

    /// A tag as a parser tells it, without the marks before its second and later lines.
    pub(in super::super) fn aligned(source: &'t str, tag: &str, range: &Range<usize>) -> Self {
        if source[range.clone()] == *tag {
            return Piece::at(&source[range.clone()], range.start);
        }
        let mut lines = Vec::new();
        let mut at = range.start;
        for line in tag.split_inclusive('\n') {
            // Each stands in the source as it is; if not, the tag is one with the marks in it.
            let Some(found) = source[at..range.end].find(line) else {
                return Piece::at(&source[range.clone()], range.start);
            };
            lines.push(at + found..at + found + line.len());
            at += found + line.len();
        }
        Piece::joined(source, &lines)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the source of a byte of the piece.
    pub(super) fn source(&self, at: usize) -> usize {
        let index = self.places.partition_point(|place| place.0 <= at);
        match self.places.get(index.saturating_sub(1)) {
            Some(place) => place.1 + (at - place.0),
            None => at,
        }
    }

    /// From the first to the last byte of a stretch that is not empty, with what stands between.
    pub(super) fn span(&self, range: &Range<usize>) -> Range<usize> {
        self.source(range.start)..self.source(range.end - 1) + 1
    }

    /// The same without what stands between.
    pub(super) fn parts(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let next = self.places.partition_point(|place| place.0 <= at);
            let end = self.places.get(next).map_or(range.end, |place| place.0);
            let part = at..end.min(range.end);
            at = part.end;
            Some(self.span(&part))
        })
    }
}
