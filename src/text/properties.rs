//! What holds for any text whatever, in both formats: nothing is lost, nothing unprintable gets
//! through, and no input is slow. These tests must never lean on the code that they check.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::control::{is_control, is_invisible};
use super::*;

const FORMATS: [&dyn Format; 2] = [&PlainText, &Markdown];

/// Bits of text that parsers stumble over.
const BITS: &[&str] = &[
    "word",
    "Dr. Smith",
    " 3.14",
    "e.g. ",
    ". ",
    "? ",
    "! ",
    "… ",
    ", ",
    "; ",
    "“",
    "”",
    "\"",
    "—",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "    ",
    " ",
    "\u{a0}",
    "\u{2028}",
    "\u{3000}",
    "\u{85}",
    "# ",
    "## ",
    "\n===\n",
    "\n---\n",
    "***",
    "*",
    "_",
    "**",
    "~~",
    "`",
    "```",
    "\n```\n",
    "> ",
    "- ",
    "1. ",
    "2) ",
    "- [x] ",
    "[",
    "]",
    "(",
    ")",
    "](",
    "](http://a.b/c)",
    "![alt](i.png)",
    "\n[ref]: http://x.y\n",
    "[^1]",
    "\n[^1]: note\n",
    "\n| a | b |\n|---|---|\n| c | d | e |\n",
    "|",
    "&amp;",
    "&nbsp;",
    "&#27;",
    "&#0;",
    "&shy;",
    "&notanentity;",
    "\\*",
    "\\",
    "\\\n",
    "  \n",
    "<b>",
    "</b>",
    "<br>",
    "<!-- c -->",
    "\n<div>x</div>\n",
    "<http://auto.link>",
    "\u{FEFF}",
    "\u{1b}[31m",
    "\u{1b}]0;t\u{7}",
    "\u{1b}]8;;u\u{1b}\\",
    "\u{1b}",
    "\u{9b}2J",
    "\0",
    "\u{7f}",
    "\u{202E}",
    "\u{AD}",
    "\u{200B}",
    "e\u{301}",
    "\u{301}",
    "👩‍👩‍👧",
    "漢字。",
    "नमस्ते",
    "مرحبا",
    "ß",
    "½",
    "---\ntitle: T\n---\n",
    "Chapter 3\n\n",
    "Donaudampfschifffahrtsgesellschaft",
    "$",
    "1,000,000",
];

fn soup() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        8 => proptest::sample::select(BITS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z]{1,40}",
        1 => "\\PC{0,6}",
    ];
    proptest::collection::vec(bit, 0..40).prop_map(|bits| bits.concat())
}

fn limits() -> impl Strategy<Value = Limits> {
    let small = (0usize..40, 0usize..60).prop_map(|(min_chars, max_chars)| Limits {
        min_chars,
        max_chars,
    });
    prop_oneof![Just(Limits::default()), small]
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the document says is spoken for the source between these bytes.
fn spoken_between(text: &str, document: &Document, span: &std::ops::Range<usize>) -> String {
    let mut spoken = String::new();
    for run in document.blocks.iter().flat_map(|block| &block.runs) {
        let part = run.span.start.max(span.start)..run.span.end.min(span.end);
        match &run.spoken {
            _ if part.is_empty() => {}
            Spoken::AsWritten => spoken.push_str(&text[part]),
            Spoken::Instead(words) => spoken.push_str(words),
        }
    }
    spoken
}

fn check(text: &str, format: &dyn Format, limits: &Limits) -> Result<(), TestCaseError> {
    let document = format.parse(text);
    let cut = segment(text, &document, "en", limits);

    // The document covers the source, each byte once.
    let mut owners = vec![0u8; text.len()];
    let runs = document
        .blocks
        .iter()
        .flat_map(|b| &b.runs)
        .map(|r| &r.span);
    for span in runs.chain(document.omissions.iter().map(|o| &o.span)) {
        prop_assert!(!span.is_empty());
        owners[span.clone()]
            .iter_mut()
            .for_each(|owner| *owner += 1);
    }
    prop_assert!(owners.iter().all(|&owner| owner == 1), "{document:?}");

    // So do the segments and the outer omissions; inner ones lie wholly within one segment.
    let mut owners = vec![0u8; text.len()];
    let mut last = 0;
    for segment in &cut.segments {
        prop_assert!(segment.span.start >= last && segment.span.start < segment.span.end);
        last = segment.span.end;
        prop_assert!(text.get(segment.span.clone()).is_some(), "char boundaries");
        owners[segment.span.clone()]
            .iter_mut()
            .for_each(|owner| *owner += 1);
    }
    let mut last = 0;
    for omission in &cut.omissions {
        prop_assert!(omission.span.start >= last && !omission.span.is_empty());
        last = omission.span.end;
        prop_assert!(text.get(omission.span.clone()).is_some(), "char boundaries");
        let owned = &mut owners[omission.span.clone()];
        if owned.iter().all(|&owner| owner == 0) {
            owned.fill(1);
        } else {
            let hosts = cut
                .segments
                .iter()
                .filter(|s| s.span.start <= omission.span.start && omission.span.end <= s.span.end);
            prop_assert_eq!(hosts.count(), 1, "{:?}", omission);
        }
        // Words are left out only where the reason tells which.
        let words = &text[omission.span.clone()];
        let only_signs = match omission.reason {
            OmissionReason::BlankSpace
            | OmissionReason::SceneBreak
            | OmissionReason::ByteOrderMark => true,
            // An entity or a `<br>` has letters and may stand for a sign or a blank.
            OmissionReason::Unspeakable | OmissionReason::Invisible => !words.contains(['&', '<']),
            _ => false,
        };
        prop_assert!(
            !only_signs || !words.contains(char::is_alphanumeric),
            "{omission:?}"
        );
        if omission.reason == OmissionReason::Markup {
            let task = words.to_lowercase().replace("[x]", "");
            prop_assert!(
                !task.contains(char::is_alphanumeric),
                "{omission:?} {words:?}"
            );
        }
    }
    prop_assert!(owners.iter().all(|&owner| owner == 1), "{cut:?}");

    for (index, segment) in cut.segments.iter().enumerate() {
        let words = &segment.text;
        prop_assert_eq!(words, &folded(words), "one line, folded");
        prop_assert!(!words.contains(is_control) && !words.contains(is_invisible));
        prop_assert!(words.contains(char::is_alphanumeric));
        prop_assert_eq!(
            words,
            &folded(&spoken_between(text, &document, &segment.span))
        );
        prop_assert!(segment.chapter < cut.chapters.len());
        prop_assert!(cut.chapters[segment.chapter].first_segment <= index);
        // Entities may stand for two characters that are not cut apart.
        prop_assert!(
            words.chars().count() <= limits.max_chars.max(1) + 4,
            "{words:?}"
        );
    }
    let firsts: Vec<_> = cut.chapters.iter().map(|c| c.first_segment).collect();
    prop_assert!(firsts.is_sorted() && firsts.iter().all(|&f| f < cut.segments.len()));
    if let Some(title) = &cut.title {
        prop_assert!(printable(title) == title.as_str(), "{title:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_in_soup(text in soup(), limits in limits()) {
        for format in FORMATS {
            check(&text, format, &limits)?;
        }
    }

    #[test]
    fn nothing_is_lost_in_any_string(text in any::<String>(), limits in limits()) {
        for format in FORMATS {
            check(&text, format, &limits)?;
        }
    }

    /// Without markup the oracle is the source itself: a segment is its bytes, less what is
    /// left out within them, folded.
    #[test]
    fn plain_segments_are_their_source(text in soup()) {
        let cut = segment(&text, &PlainText.parse(&text), "en", &Limits::default());
        for segment in &cut.segments {
            let mut kept = String::new();
            let mut at = segment.span.start;
            for omission in &cut.omissions {
                if segment.span.contains(&omission.span.start) {
                    kept.push_str(&text[at..omission.span.start]);
                    at = omission.span.end;
                }
            }
            kept.push_str(&text[at..segment.span.end]);
            prop_assert_eq!(&segment.text, &folded(&kept));
        }
    }

    #[test]
    fn punctuation_alone_is_silent(text in "[ \n.!?…—“”*#$%&()\\[\\]<>-]{0,80}") {
        for format in FORMATS {
            prop_assert!(segment(&text, &format.parse(&text), "en", &Limits::default()).segments.is_empty());
        }
    }
}

/// Four times the size takes about four times as long; what takes sixteen times is quadratic.
/// The best of several tries counts, so a busy machine does not matter.
#[test]
fn no_input_takes_quadratic_time() {
    const SMALL: usize = 8 * 1024;
    const SLACK: Duration = Duration::from_millis(20);
    let inputs = [
        "word",
        "a\u{301}",
        "\u{301}",
        "“",
        "\"",
        "(",
        "“a. ",
        "a. ",
        "1. ",
        ". ",
        "\n",
        "a\n\n",
        "- a\n",
        "> ",
        "[",
        "![",
        "*a ",
        "_",
        "`",
        "<",
        "<a ",
        "&",
        "\\",
        "|a",
        "# a\n",
        "\u{1b}]",
        "\u{9d}",
        "\u{1b}[",
        "\u{AD}",
        "a\u{AD}",
        "[a]: b\n",
        "[^a]: b\n",
        "漢字",
        "...",
        "—a",
        "’",
        "a) ",
        "a.) B",
        "\r",
        "\"a. B\" ",
        "「」",
        "👩‍",
        "| a ",
        "<!--",
        "~~a",
        "Mr. ",
        "a@b.c ",
        "“a.” ",
    ];
    let time = |bit: &str, size: usize| {
        let text = bit.repeat(size / bit.len());
        let start = Instant::now();
        for format in FORMATS {
            let _ = segment(&text, &format.parse(&text), "en", &Limits::default());
        }
        start.elapsed()
    };
    for bit in inputs {
        let linear = || time(bit, 4 * SMALL) < 9 * time(bit, SMALL) + SLACK;
        assert!((0..5).any(|_| linear()), "{bit:?} takes quadratic time");
    }
}
