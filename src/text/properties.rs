//! Texts and bytes at random against what must hold for any (`invariants.rs`), and inputs that were
//! slow once.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::invariants::{FORMATS, check, check_bytes};
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
    "[pause:1.5]",
    "<<VOICE:x>>",
    "<<CHAPTER_MARKER:y z>>",
    "[w](/ɹ/)",
    "<break/>",
    "\n<div>x</div>\n",
    "\n<div hidden>\n",
    "\n\n</div>\n\n",
    "<p>",
    "</p>",
    "<td>",
    "<li>",
    "<ol start=7>",
    "</ol>",
    "<h2>",
    "</h2>",
    "<sup>",
    "</sup>",
    "<sub>2</sub>",
    "<a href='#x'>",
    "</a>",
    "<img alt=\"a &amp; b\">",
    "<hr>",
    "<title>",
    "</title>",
    "<script>",
    "</script>",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE html>",
    "<x y='",
    "'",
    ">",
    "&#146;",
    "&nbsp",
    "==",
    "%%",
    "^[",
    "^2^",
    "~2~",
    " ^id7",
    ":smile:",
    "[[a|b]]",
    "[[a#b]]",
    "![[a]]",
    "[[ˈa]]",
    "> [!NOTE]\n> ",
    "[!tip]- ",
    "$x$",
    "$$",
    "\n: ",
    " {#a .b}\n",
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
    "-\n",
    "sea-\ncaptain and two-\nor three-legged",
    "\u{2010}\n",
    "\u{FFFE}",
    "\u{2060} ",
    "\u{2}\n",
    "&shy;\n",
    "¹",
    "²⁻³",
    "[12]",
    "[a]",
    "†",
    "end.Then",
    "?—Now",
    "--",
    "U.S. ",
    "Mt. ",
    "\n\n14\n\n",
    "\n\n-15-\n\nand so ",
    "\u{c}",
    "\nA line\nAnd more\n",
    "\n* ",
    "<pre>",
    "</pre>",
    "<pre class=code>",
    "<code>",
    "<listing>",
    "<span class=pagenum>",
    "<span class=pagenum>[Pg 12]</span>",
    "<a name=Page_3>",
    "</span>",
    "<noscript>",
    "</noscript>",
    "<noframes>",
    "</noframes>",
    "&NewLine;",
    "&bull; ",
    "x = f(y);\n",
    "\u{c}\nTHE TIDE  27\n\n",
    "\u{c}THE TIDE  28\nand so ",
    "\u{c}\nCHAPTER I\n",
    "&mdash;",
    "&#8217;",
    "&eacute;",
    "ROMEO.\n",
    "+++\ntitle = \"T\"\n+++\n",
    "\n2. ",
];

/// What entities among the bits stand for; the last one makes no others.
const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", " "),
    ("&mdash;", "—"),
    ("&#8217;", "’"),
    ("&#146;", "’"),
    ("&eacute;", "é"),
    ("&bull;", "•"),
    ("&NewLine;", " "),
    ("&amp;", "&"),
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
    let small = (0usize..40, 0usize..60, any::<bool>());
    let small = small.prop_map(|(min_chars, max_chars, speech_apart)| Limits {
        min_chars,
        max_chars,
        speech_apart,
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
    /// left out within them. Blanks may come in between where sentences stick together, and a dash may
    /// become one. A few entities stand for their characters.
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
            for (entity, character) in ENTITIES {
                kept = kept.replace(entity, character);
            }
            let letters = |text: &str| text.replace(|c: char| c.is_whitespace() || "-–—―⸺".contains(c), "");
            prop_assert_eq!(letters(&segment.text), letters(&kept));
        }
    }

    #[test]
    fn punctuation_alone_is_silent(text in "[ \n.!?…—“”*#$%&()\\[\\]<>-]{0,80}") {
        for format in FORMATS {
            prop_assert!(segment(&text, &format.parse(&text), "en", &Limits::default()).segments.is_empty());
        }
    }
}

/// Bits that cost the square of their number where something is searched for again and again.
const HOSTILE: &[&str] = &[
    "<a/b=",
    "<!x ",
    "<?x ",
    "1\n\n2\n\n",
    "[pause:1]",
    "<<VOICE:x>> a ",
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
    "a-\n",
    "a-\nb",
    "ab-\ncd ",
    "a- ",
    "a\u{AD} ",
    "a.[1]",
    "ab¹",
    "*ab* ",
    "ab* ",
    "**ab* ",
    "a.B",
    "ab.Cd",
    "a!",
    "ab?—C",
    "ab. Cd(",
    "U.S. He ",
    "[1",
    "1\n\n",
    "a\n\n1\n\n",
    "1\u{c}",
    "- a\n1. b\n",
    "A b\n",
    "A bc de\nf ",
    "<p>",
    "</b>",
    "<i><p>",
    "<div>",
    "<a b='",
    "<a b='<i c=\">\"' ",
    "<script>",
    "</script>",
    "<!-->",
    "<!--->-",
    "<![CDATA[",
    "<!D[",
    "<?",
    "&a",
    "&#",
    "<td>a",
    "<sup>1",
    "<b>a</i>",
    "<name>",
    "<p hidden>",
    "<li>a",
    "<a href=#>[1]</a>",
    "> <b\n",
    "^[",
    "]",
    "==a",
    "%%a ",
    "x^",
    "x~",
    ":a_b:",
    "[[a",
    "[[a]]",
    "> [!a]\n\n",
    "$a",
    "<pre>",
    "<pre>a\n\nb</pre>",
    "<pre>a<code>",
    "<pre><p>A b\n",
    "&bull; a\n",
    "a(",
    "<span class=pagenum>",
    "<span class=pagenum>1",
    "<div class=pagenum><p>1</p>",
    "<noscript>a",
    "<noscript>a</noscript>",
    "<noscript><p>a",
    "<img alt=a>",
    "\u{c}A B  1\n",
    "\u{c}1 Ab\n",
    "\u{c}A B  1\n\nand c",
    "A B\u{c}",
    "\u{c}1\nA B\n",
    "&amp;",
    "&#8217",
    "ROMEO.\na\n",
    "[a = \n",
    "+++\na = 1\n",
    "+++\na = [",
];

/// Tags that ask for all the words between them when they end.
const NESTED: [[&str; 2]; 6] = [
    ["<sup>", "</sup>"],
    ["<a href=#>", "</a>"],
    ["<span class=pagenum>", "</span>"],
    ["<div class=pagenum>", "</div>"],
    ["<noscript>", "</noscript>"],
    ["<pre>", "</pre>"],
];

/// Whether four times the size takes much more than four times as long; what takes sixteen times is
/// quadratic. The best of several tries counts, so a busy machine does not matter.
fn is_linear(time: impl Fn(usize) -> Duration) -> bool {
    const SMALL: usize = 4 * 1024;
    const SLACK: Duration = Duration::from_millis(10);
    (0..5).any(|_| time(4 * SMALL) < 9 * time(SMALL) + SLACK)
}

#[test]
fn no_input_takes_quadratic_time() {
    let time = |text: String| {
        let start = Instant::now();
        for format in FORMATS {
            let _ = segment(&text, &parse(&text, format), "en", &Limits::default());
        }
        start.elapsed()
    };
    for bit in HOSTILE {
        let repeated = |size: usize| time(bit.repeat(size / bit.len()));
        assert!(is_linear(repeated), "{bit:?} takes quadratic time");
    }
    for [open, close] in NESTED {
        let nested = |size: usize| {
            let times = size / open.len();
            time(open.repeat(times) + &"word ".repeat(size / 5) + &close.repeat(times))
        };
        assert!(is_linear(nested), "{open:?} takes quadratic time");
    }
    // What does would be found.
    let quadratic = |size: usize| {
        let start = Instant::now();
        let bytes = "a".repeat(size);
        let pairs = bytes
            .bytes()
            .map(|_| bytes.bytes().filter(|b| *b == b'b').count());
        assert_eq!(pairs.sum::<usize>(), 0);
        start.elapsed()
    };
    assert!(!is_linear(quadratic));
}

#[test]
fn what_is_parted_behind_a_question_does_not_make_it_one_of_an_address() {
    let text = "a</noscript>b?Then</b>end.Then==<title>";
    for format in FORMATS {
        check(text, format, &Limits::default());
    }
}
