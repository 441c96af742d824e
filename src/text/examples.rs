//! Examples to read: texts beside the segments they become.

use super::*;

mod lines;
mod repairs;

fn cut(text: &str, format: &dyn Format) -> Segmentation {
    segment(text, &format.parse(text), "en", &Limits::default())
}

/// Each segment as `kind|end|text`, in short.
fn show(text: &str, format: &dyn Format) -> Vec<String> {
    let short = |segment: &Segment| {
        let kind = match segment.kind {
            SegmentKind::Heading(level) => format!("h{level}"),
            SegmentKind::Sentence => String::new(),
            SegmentKind::ListItem => "item".into(),
            SegmentKind::Quote => "quote".into(),
            SegmentKind::TableRow => "row".into(),
            SegmentKind::Footnote => "note".into(),
        };
        let end = match segment.end {
            SegmentEnd::Clause => "..",
            SegmentEnd::Sentence => ".",
            SegmentEnd::Paragraph => "¶",
            SegmentEnd::Heading => "#",
        };
        format!("{kind}|{end}|{}", segment.text)
    };
    cut(text, format).segments.iter().map(short).collect()
}

fn left_out(text: &str, format: &dyn Format) -> Vec<(String, OmissionReason)> {
    let blank = |o: &Omission| o.reason == OmissionReason::BlankSpace;
    let named = |o: Omission| (text[o.span].to_owned(), o.reason);
    cut(text, format)
        .omissions
        .into_iter()
        .filter(|o| !blank(o))
        .map(named)
        .collect()
}

#[test]
fn plain_texts() {
    let cases: &[(&str, &[&str])] = &[
        (
            "The Keeper\n\nHe climbed the stairs, all two\nhundred of them. Then he lit the lamp at last.\n\n* * *\n\nMorning came slowly.",
            &[
                "h1|#|The Keeper",
                "|.|He climbed the stairs, all two hundred of them.",
                "|¶|Then he lit the lamp at last.",
                "|¶|Morning came slowly.",
            ],
        ),
        (
            "CHAPTER III — The Road\n\nIt was long.\n\nIV.\n\nIt went on.",
            &[
                "h2|#|CHAPTER III — The Road",
                "|¶|It was long.",
                "h2|#|IV.",
                "|¶|It went on.",
            ],
        ),
        ("just one line", &["|¶|just one line"]),
        (
            "Said so.\n\n  “Are you sure of that, Tom?”\n  “As sure as I ever was.”\n",
            &[
                "|¶|Said so.",
                "|¶|“Are you sure of that, Tom?”",
                "|¶|“As sure as I ever was.”",
            ],
        ),
        // Short sentences go together, but not across paragraphs.
        (
            "Yes. No. Maybe so.\r\n\r\nOh.",
            &["|¶|Yes. No. Maybe so.", "|¶|Oh."],
        ),
        (
            "\u{1b}[1mBold\u{1b}[0m and \u{1b}]0;x\u{7}plain.",
            &["|¶|Bold and plain."],
        ),
        ("?!\n\n...\n\n— ¿?", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(&show(text, &PlainText), expected, "{text:?}");
    }
}

#[test]
fn markdown_texts() {
    let cases: &[(&str, &[&str])] = &[
        (
            "# On *Tea*\n\nUse [good water](http://w.org) &amp; **patience**, not `kettle --fast`.\n",
            &[
                "h1|#|On Tea",
                "|¶|Use good water & patience, not kettle --fast.",
            ],
        ),
        (
            "- First comes the water.\n- Then\n  the tea.\n\n3. Three\n3. Four\n",
            &[
                "item|¶|First comes the water.",
                "item|¶|Then the tea.",
                "item|¶|3. Three",
                "item|¶|4. Four",
            ],
        ),
        (
            "> Quoted over\n> two lines.\n\nAfter[^1] it.\n\n[^1]: A note.\n",
            &[
                "quote|¶|Quoted over two lines.",
                "|¶|After it.",
                "note|¶|A note.",
            ],
        ),
        (
            "| Name | Age |\n|---|---|\n| Ada | 36 | countess |\n",
            &["row|¶|Name, Age", "row|¶|Ada, 36, countess"],
        ),
        (
            "Before.\n\n```sh\nrm -rf /\n```\n\n<div>Here</div>\n\n![A red boat](b.png)\n\n---\n\nAfter<br>all.",
            &[
                "|¶|Before.",
                "|¶|Here",
                "|¶|A red boat",
                "|.|After",
                "|¶|all.",
            ],
        ),
        (
            "Not \\*starred\\*, 2 &lt; 3.",
            &["|¶|Not *starred*, 2 < 3."],
        ),
        ("- [x] done\n- [ ] open", &["item|¶|done", "item|¶|open"]),
    ];
    for (text, expected) in cases {
        assert_eq!(&show(text, &Markdown), expected, "{text:?}");
    }
}

#[test]
fn omissions_say_why() {
    use OmissionReason::*;
    let text = "\u{FEFF}---\ntitle: T\n---\nSee [it](http://a.b)\u{7} now[^n].\n\n    let x = 1;\n\n***\n\n[r]: http://c.d\n\n[^n]: Here.";
    let expected = [
        ("\u{FEFF}", ByteOrderMark),
        ("---\ntitle: T\n---", FrontMatter),
        ("[", Markup),
        ("](http://a.b)", Link),
        ("\u{7}", Control),
        ("[^n]", Footnote),
        ("let x = 1;", Code),
        ("***", SceneBreak),
        ("[r]: http://c.d", Link),
        ("[^n]:", Footnote),
    ];
    let expected = expected.map(|(text, reason)| (text.to_owned(), reason));
    assert_eq!(left_out(text, &Markdown), expected);
    assert_eq!(
        left_out("One.\n\n⁂\n\n?!\n\nTwo.", &PlainText),
        [("⁂".to_owned(), SceneBreak), ("?!".to_owned(), Unspeakable),]
    );
}

#[test]
fn titles_and_chapters() {
    let text = "---\ntitle: The Whole\n---\nFirst words.\n\n# One\n\nText.\n\n### Deeper\n\nMore.\n\n## Two\n";
    let cut = cut(text, &Markdown);
    assert_eq!(cut.title.as_deref(), Some("The Whole"));
    let chapters: Vec<_> = cut
        .chapters
        .iter()
        .map(|c| (c.title.as_str(), c.first_segment))
        .collect();
    assert_eq!(chapters, [("The Whole", 0), ("One", 1), ("Two", 5)]);
    assert_eq!(cut.segments[3].chapter, 1);
}

#[test]
fn long_sentences_are_cut_at_clauses() {
    let clause = "the wind came down from the hills and over the water";
    let text =
        format!("{clause}, {clause}; {clause}, {clause}, {clause}, {clause}; {clause}, {clause}.");
    let cut = cut(&text, &PlainText);
    assert_eq!(cut.segments.len(), 2);
    assert!(cut.segments[0].text.ends_with(';') || cut.segments[0].text.ends_with(','));
    assert_eq!(cut.segments[0].end, SegmentEnd::Clause);
    assert_eq!(cut.segments[1].end, SegmentEnd::Paragraph);
    let number = super::segment(
        "1,000,000,000",
        &PlainText.parse("1,000,000,000"),
        "en",
        &Limits {
            min_chars: 0,
            max_chars: 8,
            ..Limits::default()
        },
    );
    assert_eq!(number.segments.len(), 2);
}

/// The samples are what demonstrations show: they must come through whole and well cut.
#[test]
fn samples() {
    let samples = [
        ("the-lighthouse-keeper.txt", "The Lighthouse Keeper"),
        ("the-night-train.txt", "The Night Train"),
        ("listening-well.md", "Listening Well"),
    ];
    for (name, title) in samples {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("samples")
            .join(name);
        let source = decode(std::fs::read(&path).unwrap()).unwrap();
        let document = format_for(Some(&path), &source.text).parse(&source.text);
        let cut = segment(&source.text, &document, "en", &Limits::default());
        assert_eq!(cut.title.as_deref(), Some(title));
        assert!(cut.segments.len() > 15, "{name}");
        assert!(
            cut.segments.iter().all(|s| s.end != SegmentEnd::Clause),
            "{name}"
        );
        let unspeakable = |o: &&Omission| o.reason == OmissionReason::Unspeakable;
        assert_eq!(cut.omissions.iter().find(unspeakable), None, "{name}");
    }
}
