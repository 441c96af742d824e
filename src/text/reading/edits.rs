//! What is said in the place of stretches of a text. Edits are in order and disjoint; what none of them
//! covers is said as it is written. One list is the whole way from what is written to what is said and
//! back.

use std::borrow::Cow;
use std::ops::Range;

use super::super::OmissionReason;

/// What is said for a stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the text, never empty.
    pub span: Range<usize>,
    /// What is said for them; empty for what is not spoken.
    pub said: Box<str>,
    /// Why some of it is not spoken, if so.
    pub left_out: Option<OmissionReason>,
}

impl Edit {
    pub(super) fn new(span: Range<usize>, said: impl Into<Box<str>>) -> Self {
        Edit {
            span,
            said: said.into(),
            left_out: None,
        }
    }
}

/// What is said for `text` with these edits of it.
#[must_use]
pub fn apply<'t>(text: &'t str, edits: &[Edit]) -> Cow<'t, str> {
    if edits.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut said = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for edit in edits {
        said.push_str(&text[at..edit.span.start]);
        said.push_str(&edit.said);
        at = edit.span.end;
    }
    said.push_str(&text[at..]);
    Cow::Owned(said)
}

/// Where what edits say stands in what they make of the text.
pub(super) fn places(edits: &[Edit]) -> impl Iterator<Item = Range<usize>> {
    let (mut text, mut said) = (0, 0);
    edits.iter().map(move |edit| {
        let start = said + (edit.span.start - text);
        (text, said) = (edit.span.end, start + edit.said.len());
        start..said
    })
}

/// Where stretches of a text come to stand by edits that touch none of them.
pub(super) fn moved(stretches: &[Range<usize>], edits: &[Edit]) -> Vec<Range<usize>> {
    let mut edits = edits.iter().peekable();
    let (mut text, mut said) = (0, 0);
    let place = |stretch: &Range<usize>| {
        while let Some(edit) = edits.next_if(|edit| edit.span.end <= stretch.start) {
            said += (edit.span.start - text) + edit.said.len();
            text = edit.span.end;
        }
        let start = said + (stretch.start - text);
        start..start + stretch.len()
    };
    stretches.iter().map(place).collect()
}

/// `second` are edits of what `first` makes of a text: both as edits of the text itself. Those that
/// overlap become one.
pub(super) fn compose(text: &str, first: Vec<Edit>, second: Vec<Edit>) -> Vec<Edit> {
    if first.is_empty() {
        return second;
    }
    let between = apply(text, &first).into_owned();
    let mut joined: Vec<Edit> = Vec::with_capacity(first.len() + second.len());
    let mut first = Placed::all(first).into_iter().peekable();
    let mut second = second.into_iter().peekable();
    // What lies behind this place of the text and of what is between is the same in both.
    let (mut in_text, mut in_between) = (0, 0);
    loop {
        let next = [
            first.peek().map(|placed| placed.at.start),
            second.peek().map(|edit| edit.span.start),
        ];
        let Some(start) = next.into_iter().flatten().min() else {
            return joined;
        };
        let mut at = start..start;
        let text_start = in_text + (start - in_between);
        let (mut said, mut copied, mut left_out) = (String::new(), start, None);
        let (mut earlier, mut later) = (None, 0);
        loop {
            let touches = |other: &Range<usize>| {
                let is_first = other.start == start && at.is_empty();
                is_first || (other.start < at.end && (other.end > at.start || !other.is_empty()))
            };
            if let Some(placed) = first.next_if(|placed| touches(&placed.at)) {
                at.end = at.end.max(placed.at.end);
                (in_text, in_between) = (placed.edit.span.end, placed.at.end);
                left_out = left_out.or(placed.edit.left_out);
                let is_alone = placed.at.is_empty() && at.is_empty();
                earlier = Some(placed.edit);
                if is_alone {
                    break;
                }
            } else if let Some(edit) = second.next_if(|edit| touches(&edit.span)) {
                at.end = at.end.max(edit.span.end);
                said.push_str(&between[copied..edit.span.start]);
                said.push_str(&edit.said);
                copied = edit.span.end;
                left_out = left_out.or(edit.left_out);
                later += 1;
            } else {
                break;
            }
        }
        if later == 0 {
            joined.extend(earlier);
            continue;
        }
        said.push_str(&between[copied..at.end]);
        let text_end = in_text + (at.end - in_between);
        (in_text, in_between) = (text_end, at.end);
        joined.push(Edit {
            span: text_start..text_end,
            said: said.into(),
            left_out,
        });
    }
}

/// An edit, and where what it says stands.
struct Placed {
    at: Range<usize>,
    edit: Edit,
}

impl Placed {
    fn all(edits: Vec<Edit>) -> Vec<Self> {
        let places: Vec<_> = places(&edits).collect();
        let placed = places.into_iter().zip(edits);
        placed.map(|(at, edit)| Placed { at, edit }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Edits of a text of as many bytes, one for each pair of a gap and a length.
    fn edits(len: usize, parts: &[(usize, usize, String)]) -> Vec<Edit> {
        let mut at = 0;
        let mut edits = Vec::new();
        for (gap, length, said) in parts {
            let span = at + gap..at + gap + length;
            if span.end > len {
                break;
            }
            at = span.end;
            edits.push(Edit::new(span, said.as_str()));
        }
        edits
    }

    fn parts() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
        prop::collection::vec((0..4usize, 1..4usize, "[x-z]{0,3}"), 0..6)
    }

    proptest! {
        #[test]
        fn two_ways_are_one(text in "[a-f]{0,24}", one in parts(), other in parts()) {
            let first = edits(text.len(), &one);
            let between = apply(&text, &first).into_owned();
            let second = edits(between.len(), &other);
            let last = apply(&between, &second).into_owned();
            let both = compose(&text, first, second);
            prop_assert_eq!(apply(&text, &both), last.as_str());
            let mut at = 0;
            for edit in &both {
                prop_assert!(edit.span.start >= at && edit.span.start < edit.span.end);
                at = edit.span.end;
            }
        }
    }
}
