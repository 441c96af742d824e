//! What a front end has read: the phonemes of a text, before the model's numbers of them.

use std::ops::Range;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// In the alphabet of the voice, with its punctuation and blanks; one code point each.
    pub phonemes: String,
    /// Each word: its bytes in the text, and its place in `phonemes`, counted in code points; that is
    /// empty for a word without a sound of its own. In order; none at all if that is not known.
    pub words: Vec<(Range<usize>, Range<usize>)>,
    /// Words that can't be read (another script), each once.
    pub unknown: Vec<String>,
}
