//! What is said where it is not what is written, as a person is shown it: in whole words, each change
//! once, and why something is not said. Pure. It must never hide that words are said otherwise or left
//! out; what only looks or pauses otherwise is no change.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;

use crate::model::{Reading, Said};

/// So many characters that can't be seen are named.
const NAMED: usize = 4;

/// Words that are said otherwise than they are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Change {
    /// What is written. There is always something to be seen: what has no shape is named.
    pub(crate) written: String,
    /// What is said; empty where nothing is.
    pub(crate) said: String,
    /// Why some of it is not said, or nothing at all.
    pub(crate) left_out: Option<String>,
}

impl Change {
    /// What is not said and why: `not said (emoji)`.
    pub(crate) fn silence(&self) -> Option<String> {
        let reason = self.left_out.as_deref()?;
        let what = if self.said.is_empty() {
            "not said"
        } else {
            "the rest not said"
        };
        Some(format!("{what} ({reason})"))
    }
}

/// What of this text is said otherwise, in order. Neighbours are one change, and what comes twice is
/// told once.
pub(crate) fn changes(text: &str, reading: &Reading) -> Vec<Change> {
    let mut stretches = joined(text, reading);
    let mut past = 0;
    for at in 0..stretches.len() {
        let next = stretches.get(at + 1).map_or(text.len(), |next| next.start);
        let stretch = &mut stretches[at];
        if stretch.left_out.is_none() {
            stretch.widen(text, past, next);
        }
        past = stretch.end;
    }
    let mut known = HashSet::new();
    let changes = stretches.into_iter().filter_map(|stretch| {
        let written = text[stretch.start..stretch.end].trim();
        let said = stretch.said.trim();
        let is_same = written.nfc().eq(said.nfc());
        if stretch.left_out.is_none() && is_same {
            return None;
        }
        Some(Change {
            written: seen(written, &text[stretch.start..stretch.end]),
            said: said.to_owned(),
            left_out: stretch.left_out.map(ToOwned::to_owned),
        })
    });
    changes
        .filter(|change| known.insert(change.clone()))
        .collect()
}

/// Bytes of a text and what is said for them.
struct Stretch<'r> {
    start: usize,
    end: usize,
    said: String,
    left_out: Option<&'r str>,
}

impl Stretch<'_> {
    /// To the ends of the words that it begins and ends in: `ﬁ` is shown as `ﬁsh`.
    fn widen(&mut self, text: &str, from: usize, to: usize) {
        let own = &text[self.start..self.end];
        let (begins, ends) = (
            own.starts_with(char::is_alphanumeric),
            own.ends_with(char::is_alphanumeric),
        );
        let before = text[from..self.start].trim_end_matches(char::is_alphanumeric);
        if begins && from + before.len() < self.start {
            let start = from + before.len();
            self.said.insert_str(0, &text[start..self.start]);
            self.start = start;
        }
        let after = text[self.end..to].trim_start_matches(char::is_alphanumeric);
        if ends {
            let end = to - after.len();
            self.said.push_str(&text[self.end..end]);
            self.end = end;
        }
    }
}

/// The stretches of a reading, neighbours as one.
fn joined<'r>(text: &str, reading: &'r Reading) -> Vec<Stretch<'r>> {
    let mut stretches: Vec<Stretch<'r>> = Vec::new();
    let (mut past, mut is_open) = (0, false);
    for Said {
        start,
        end,
        words,
        left_out,
    } in reading.said()
    {
        let (start, end) = (*start as usize, *end as usize);
        // As where it is spoken: what is none of the text changes nothing.
        let Some(between) = text
            .get(past..start)
            .filter(|_| text.get(start..end).is_some())
        else {
            continue;
        };
        past = end;
        let is_near = between.chars().all(char::is_alphanumeric) || between == " ";
        let goes_on = is_open && is_near && left_out.is_none();
        let is_heard = has_words(&text[start..end]) || has_words(words);
        is_open = is_heard && left_out.is_none();
        if !is_heard && left_out.is_none() {
            // Only a pause.
            continue;
        }
        match stretches.last_mut() {
            Some(last) if goes_on => {
                last.said.push_str(between);
                last.said.push_str(words);
                last.end = end;
            }
            _ => stretches.push(Stretch {
                start,
                end,
                said: words.to_string(),
                left_out: left_out.as_deref(),
            }),
        }
    }
    stretches
}

fn has_words(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// What is written, or the names of its characters where there is nothing to be seen.
fn seen(written: &str, whole: &str) -> String {
    if written.chars().any(|c| c.width().unwrap_or(0) > 0) {
        return written.to_owned();
    }
    let names = whole
        .chars()
        .take(NAMED)
        .map(|c| format!("U+{:04X}", u32::from(c)));
    names.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The changes of a text where each of these is said otherwise, as `written → said`.
    fn shown(text: &str, otherwise: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let mut at = 0;
        let said = otherwise.iter().map(|(written, words, left_out)| {
            let start = at + text[at..].find(written).unwrap();
            at = start + written.len();
            let place = |at: usize| u32::try_from(at).unwrap();
            Said {
                start: place(start),
                end: place(at),
                words: (*words).into(),
                left_out: left_out.map(Into::into),
            }
        });
        let reading = Reading::new(said.collect());
        let changes = changes(text, &reading).into_iter();
        let line = |change: Change| match (change.said.as_str(), change.silence()) {
            ("", why) => format!("{} {}", change.written, why.unwrap()),
            (said, None) => format!("{} → {said}", change.written),
            (said, Some(why)) => format!("{} → {said}, {why}", change.written),
        };
        changes.map(line).collect()
    }

    #[test]
    fn words_are_shown_whole_and_once() {
        let twice = [
            ("Ch.", "chapter", None),
            ("12", "twelve", None),
            ("§", "section ", None),
            ("4", "four", None),
            ("4", "four", None),
            ("4", "four", None),
        ];
        let lines = shown("In Ch. 12, §4, the 4, 4.", &twice);
        assert_eq!(
            lines,
            ["Ch. 12 → chapter twelve", "§4 → section four", "4 → four"]
        );
        let inside = [("ﬁ", "fi", None), ("ﬂ", "fl", None)];
        assert_eq!(shown("A ﬁreﬂy.", &inside), ["ﬁreﬂy → firefly"]);
    }

    #[test]
    fn what_only_looks_or_pauses_otherwise_is_no_change() {
        let marks = [
            (" — ", ", ", None),
            ("‑", "-", None),
            ("e\u{301}", "é", None),
        ];
        assert!(shown("So — a well‑known cafe\u{301}.", &marks).is_empty());
        let beside = [
            ("At", "by", None),
            (" – ", ", ", None),
            ("5 km", "five kilometers", None),
        ];
        let lines = shown("At – 5 km.", &beside);
        assert_eq!(lines, ["At → by", "5 km → five kilometers"]);
        assert_eq!(shown("3–4", &[("3–4", "three to four", None)]).len(), 1);
    }

    #[test]
    fn what_is_not_said_has_its_reason() {
        let left = [
            (" 🚤", "", Some("emoji")),
            ("\u{AD}", "", Some("invisible characters")),
            ("x.org/a", "x dot org", Some("address of a link")),
        ];
        assert_eq!(
            shown("A boat 🚤 co\u{AD}operates: x.org/a", &left),
            [
                "🚤 not said (emoji)",
                "U+00AD not said (invisible characters)",
                "x.org/a → x dot org, the rest not said (address of a link)",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_reading_of_any_text_breaks_it(
            text in "[a-zé ﬁ🚤.]{0,20}",
            said in prop::collection::vec((0u32..30, 0u32..30, "[a-z ]{0,4}", prop::option::of("x")), 0..6),
        ) {
            let said = said.into_iter().map(|(start, end, words, left_out)| Said {
                start, end, words: words.into(), left_out: left_out.map(Into::into),
            });
            for change in changes(&text, &Reading::new(said.collect())) {
                prop_assert!(!change.said.is_empty() || change.left_out.is_some() || !change.written.is_empty());
            }
        }
    }
}
