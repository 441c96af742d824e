//! What is said for what is written: the stretches of a segment's text that are read otherwise than they
//! stand. Together with the text it is both, and the way from one to the other.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A stretch of a text and what is said for it.
///
/// ```
/// use aloud::engine::Said;
///
/// // "In 1492": bytes 3 to 7.
/// let year = Said { start: 3, end: 7, words: "fourteen ninety-two".into(), left_out: None };
/// assert_eq!(serde_json::to_string(&year)?, r#"{"start":3,"end":7,"words":"fourteen ninety-two"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// First byte in the text.
    pub start: u32,
    /// One past the last byte in the text.
    pub end: u32,
    /// What is said; empty where nothing is.
    pub words: Box<str>,
    /// Why some of it is not said, such as "emoji".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Box<str>>,
}

/// How a segment is read: what of its text is said otherwise, in order and disjoint.
///
/// ```
/// use aloud::engine::{Reading, Said};
///
/// let word = |start, end, words: &str| Said { start, end, words: words.into(), left_out: None };
/// let reading = Reading::new(vec![word(0, 3, "doctor"), word(14, 16, "five dollars")]);
/// assert_eq!(reading.of("Dr. Orr wants $5."), "doctor Orr wants five dollars.");
/// assert_eq!(Reading::default().of("As it stands."), "As it stands.");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reading(Box<[Said]>);

impl Reading {
    /// A reading of these stretches.
    #[must_use]
    pub fn new(said: Vec<Said>) -> Self {
        Self(said.into())
    }

    /// Whether all is said as it is written.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.is_empty()
    }

    /// The stretches that are read otherwise.
    #[must_use]
    pub fn said(&self) -> &[Said] {
        &self.0
    }

    /// What is said for this text. Stretches that are none of it, as a damaged record may have, change
    /// nothing.
    #[must_use]
    pub fn of<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_plain() {
            return Cow::Borrowed(text);
        }
        let mut spoken = String::with_capacity(text.len() * 2);
        for (written, words) in self.stretches(text) {
            spoken.push_str(words.unwrap_or(&text[written]));
        }
        Cow::Owned(spoken)
    }

    /// The parts of this text, in order: which bytes of what is said are said for which of it.
    #[cfg(feature = "narrate")]
    pub(crate) fn parts(&self, text: &str) -> Vec<Part> {
        let mut at = 0;
        let parts = self.stretches(text).map(|(written, words)| {
            let length = words.map_or(written.len(), str::len);
            let said = at..at + length;
            at += length;
            Part {
                said,
                is_plain: words.is_none(),
                written,
            }
        });
        parts.collect()
    }

    /// The parts of this text, each with what is said for it, or nothing if it is said as it stands.
    fn stretches<'r>(
        &'r self,
        text: &'r str,
    ) -> impl Iterator<Item = (Range<usize>, Option<&'r str>)> {
        let mut at = 0;
        let mut all = Vec::with_capacity(2 * self.0.len() + 1);
        for said in &self.0 {
            let (start, end) = (said.start as usize, said.end as usize);
            if text.get(at..start).is_none() || text.get(start..end).is_none() {
                continue;
            }
            all.push((at..start, None));
            all.push((start..end, Some(&*said.words)));
            at = end;
        }
        all.push((at..text.len(), None));
        all.into_iter()
    }
}

/// A part of a text that is said as it stands, or otherwise as a whole.
#[cfg(feature = "narrate")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its bytes in what is said.
    pub said: Range<usize>,
    /// Its bytes in the text.
    pub written: Range<usize>,
    /// Whether it is said as it stands.
    pub is_plain: bool,
}

#[cfg(feature = "narrate")]
impl Part {
    /// The bytes of the text that a stretch of what is said, which lies at least partly here, is said for
    /// here.
    pub(crate) fn written(&self, said: &Range<usize>) -> Range<usize> {
        if !self.is_plain {
            return self.written.clone();
        }
        let at = |place: usize| {
            self.written.start + place.clamp(self.said.start, self.said.end) - self.said.start
        };
        at(said.start)..at(said.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_are_none_of_the_text_change_nothing() {
        let said = |start, end| Said {
            start,
            end,
            words: "x".into(),
            left_out: None,
        };
        for (start, end) in [(1, 2), (0, 9), (5, 3), (9, 9)] {
            assert_eq!(Reading::new(vec![said(start, end)]).of("é a"), "é a");
        }
        assert_eq!(Reading::new(vec![said(3, 4), said(2, 3)]).of("é a"), "é x");
    }
}
