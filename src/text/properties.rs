//! Texts and bytes at random against what must hold for any (`invariants.rs`), and inputs that were
//! slow once.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::invariants::{FORMATS, check, check_bytes, folded};
use super::*;

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

/// A file of a text, some of them damaged at one place or cut short.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let encoded = (soup(), 0u8..4).prop_map(|(text, encoding)| match encoding {
        0 => text.into_bytes(),
        1 => format!("\u{FEFF}{text}").into_bytes(),
        2 => utf16(&text, u16::to_le_bytes),
        _ => utf16(&text, u16::to_be_bytes),
    });
    (encoded, any::<prop::sample::Index>(), any::<u8>(), 0u8..4).prop_map(
        |(mut bytes, at, byte, damage)| {
            if damage == 0 && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            } else if damage == 1 {
                bytes.truncate(at.index(bytes.len() + 1));
            }
            bytes
        },
    )
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(bytes)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_file_is_read_or_refused_at_its_fault(bytes in file()) {
        check_bytes(&bytes);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_bytes(&bytes);
    }

    #[test]
    fn nothing_is_lost_in_soup(text in soup(), limits in limits()) {
        for format in FORMATS {
            check(&text, format, &limits);
        }
    }

    #[test]
    fn nothing_is_lost_in_any_string(text in any::<String>(), limits in limits()) {
        for format in FORMATS {
            check(&text, format, &limits);
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
