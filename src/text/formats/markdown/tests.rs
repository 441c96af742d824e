//! Markdown with HTML in it, and as people write who take notes, beside what is heard of it.

use super::super::super::{Limits, OmissionReason, SegmentEnd, SegmentKind, segment};
use super::super::Format;
use super::Markdown;

/// Each segment's words, with a `/` behind those that a line ends and a mark before some kinds.
fn heard(text: &str) -> Vec<String> {
    let document = Markdown.parse(text);
    let cut = segment(text, &document, "en", &Limits::default());
    let line = |segment: &crate::text::Segment| {
        let kind = match segment.kind {
            SegmentKind::Heading(_) => "# ",
            SegmentKind::Quote => "> ",
            SegmentKind::ListItem => "- ",
            _ => "",
        };
        let end = match segment.end {
            SegmentEnd::Sentence => " /",
            _ => "",
        };
        format!("{kind}{}{end}", segment.text)
    };
    cut.segments.iter().map(line).collect()
}

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(&heard(text), expected, "{text}");
    }
}

#[test]
fn html_is_heard() {
    check(&[
        (
            "# Rain\n\n<details><summary>First</summary>Coal is *dirty*.</details>\n\n<p>The gate is <b>shut</b>.</p>\n\n\
             <div align=\"center\">\n\nCome on **Sunday**.\n\n</div>\n\n<table><tr><td>One</td><td>Cat</td></tr></table>\n\nEnd.",
            &[
                "# Rain",
                "First",
                "Coal is *dirty*.",
                "The gate is shut.",
                "Come on Sunday.",
                "One, Cat",
                "End.",
            ],
        ),
        (
            "<h1 align=center>My Tale</h1>\n<p>All of it.</p>\n",
            &["# My Tale", "All of it."],
        ),
        (
            "Out.<sup>3</sup> In<sub>2</sub> 10<sup>2</sup> <b>x</b>y<br>Town <!-- c --> &amp; <kbd>k</kbd>",
            &["Out. In₂ 10² xy /", "Town & k"],
        ),
        // In a quotation and a list the lines of HTML stand behind marks.
        (
            "> <div class=\"a\"\n>  title=\"b\">\n> One\n> and two\n> </div>\n\n- <p>Three\n  <img alt=\"Four\n  five\"></p>\n",
            &["> One and two", "- Three Four five"],
        ),
        (
            "a <span\nhidden>b *c* d</span> e\n\n<div hidden>\n\nf\n\n</div>\n\n<blockquote>\n\ng\n\n</blockquote>\n\nh",
            &["a e", "> g", "h"],
        ),
        // What nobody closes silences nothing.
        (
            "Use the <title> tag, <script> or <noscript>.\n\nMore <svg>.\n\nEnd",
            &["Use the tag, or .", "More .", "End"],
        ),
        (
            "Dear <name>, see <your name here>.",
            &["Dear <name>, see <your name here>."],
        ),
        ("<!-- one\n\ntwo -->\n\nThree", &["Three"]),
        (
            "1. <p>One</p>\n2. Two\n\n   more\n3. - x\n4.\n",
            &["- 1. One", "- 2. Two", "- more", "- 3. x", "- 4."],
        ),
        (
            "# One<br>two\n\n| a<br>b | c |\n|---|---|\n",
            &["# One, two", "a /", "b, c"],
        ),
    ]);
}

#[test]
fn lines_that_are_ended_on_purpose() {
    check(&[
        (
            "The lamp\\\nThe tide  \nThe sea\nis grey\n\nEnd",
            &["The lamp /", "The tide /", "The sea is grey", "End"],
        ),
        ("> One\\\n> two\n", &["> One /", "> two"]),
    ]);
}

#[test]
fn notes_are_read_without_their_marks() {
    check(&[
        (
            "The ==dark== sea, ==a **b** c==. [[Sea Map|The map]], [[New Gate]], [[Gate#Lock]]. %%x *y*\n\nz%% End a==b and c==d.",
            &[
                "The dark sea, a b c. The map, New Gate, Gate, Lock.",
                "End a==b and c==d.",
            ],
        ),
        (
            "> [!TIP]\n> Bring salt.\n\n> [!danger]- Stay *out*\n> It is deep.\n\n> [link] here\n\n> [!well-known]+\n",
            &[
                "> Tip.",
                "> Bring salt.",
                "> Stay out",
                "> It is deep.",
                "> [link] here",
                "> Well known.",
            ],
        ),
        (
            "Seen.^[a *b* [c](d)] Then.^[x [y] z] `^[d]` \\^[e]",
            &["Seen. Then. ^[d] ^[e]"],
        ),
        (
            "C~2~H~5~ and y^3^, 1^st^, a ~~b~~ ~c ^d",
            &["C₂H₅ and y³, 1st, a b ~c ^d"],
        ),
        (
            "It is $a + b^2$, $$x_1$$ and $5 to $6, $10/month to US$20, $5-$6.",
            &["It is a + b^2, x_1 and $5 to $6, $10/month to US$20, $5-$6."],
        ),
        (
            "Good :tada: :+1::fire:, (:wink:) a:b: c :author: d 10:30:45.",
            &["Good , () a:b: c :author: d 10:30:45."],
        ),
        (
            "One line. ^ab12c3\n\n- item ^x-1\n- x ^2 y\n\nTwo #tag ^z9",
            &["One line.", "- item", "- x ^2 y", "Two #tag"],
        ),
        (
            "Say [[fəˈnɛtɪks]] and ![[a.png]] ![[b|300]] now.",
            &["Say [[fəˈnɛtɪks]] and now."],
        ),
        (
            "# Title {#an-id .big}\n\n# The {lost}\n\nOil\n: A liquid\n: A paint\n",
            &["# Title", "# The {lost}", "Oil", "A liquid", "A paint"],
        ),
    ]);
}

#[test]
fn what_is_left_out_has_its_reason() {
    use OmissionReason::*;
    let text = "a %%b%% <!-- c --> :smile: <i hidden>d</i> e^[f]";
    let omissions = Markdown.parse(text).omissions;
    let named: Vec<_> = omissions
        .iter()
        .filter(|omission| !matches!(omission.reason, BlankSpace | Tag))
        .map(|omission| (&text[omission.span.clone()], omission.reason))
        .collect();
    let expected = [
        ("%%b%%", Comment),
        ("<!-- c -->", Comment),
        (":smile:", Emoji),
        ("d", Hidden),
        ("^[f]", Footnote),
    ];
    assert_eq!(named, expected);
}

/// Files with all that at once.
#[test]
fn whole_files() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reading/cases/");
    let read = |name: &str| std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap();
    let cases: &[(&str, &[&str])] = &[
        (
            "html.md",
            &[
                "# Tide",
                "Read this first",
                "Oil is poison.",
                "The pier is closed.",
                "Open on Monday.",
                "Two boats",
                "Go home.",
            ],
        ),
        ("html-all.md", &["# My Story", "Everything here is HTML."]),
        (
            "markup.md",
            &[
                "The bright harbour. See the map and Old Pier.",
                "> Note.",
                "> Bring oil.",
                "> Keep off",
                "> The pier is wet.",
                "Math E = mc^2 and and H₂O.",
            ],
        ),
        (
            "lines-md.md",
            &[
                "The lamp is low /",
                "The tide is slow /",
                "And so we go",
                "Anna Bell /",
                "4 Pier Road /",
                "Harbour Town",
                "He waved. Holds out a hand Nice to meet you.",
            ],
        ),
    ];
    for (name, expected) in cases {
        assert_eq!(&heard(&read(name)), expected, "{name}");
    }
    let unnamed = read("unnamed.txt");
    let found = crate::text::recognize(Some("unnamed.txt".as_ref()), &unnamed, None);
    assert_eq!(found.name, crate::text::FormatName::Markdown);
}
