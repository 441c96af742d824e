//! What the lines of a plain text mean: lists, verse, the numbers of pages, wrapped prose.

use super::*;

#[track_caller]
fn all_show(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(&show(text, &PlainText), expected, "{text:?}");
    }
}

/// `text` in lines as long as `width` allows.
fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if column > 0 && column + 1 + len <= width {
            wrapped.push(' ');
            column += 1 + len;
        } else {
            wrapped.push_str(if column > 0 { "\n" } else { "" });
            column = len;
        }
        wrapped.push_str(word);
    }
    wrapped
}

#[test]
fn lists_are_told_item_by_item() {
    all_show(&[
        (
            "To pack:\n- a warm coat\n- rope\n• two maps of\n  the coast\n\nThen go.",
            &[
                "|¶|To pack:",
                "item|¶|a warm coat",
                "item|¶|rope",
                "item|¶|two maps of the coast",
                "|¶|Then go.",
            ],
        ),
        (
            "1. Light the fire.\n2. Sit down and\nwait for it.\n3) Eat.",
            &[
                "item|¶|1. Light the fire.",
                "item|¶|2. Sit down and wait for it.",
                "item|¶|3) Eat.",
            ],
        ),
        (
            "* One of them\n\n* The other\n\nHe took:\n+ none",
            &[
                "item|¶|One of them",
                "item|¶|The other",
                "|¶|He took:",
                "item|¶|none",
            ],
        ),
        (
            "Take:\na) salt\nb) oil",
            &["|¶|Take:", "item|¶|a) salt", "item|¶|b) oil"],
        ),
        // A dash and a year of wrapped prose.
        (
            "The old ship went down with all her crew in the winter of\n1888. The new one, which was built by the same yard, lasted\n- so they say - for ever.",
            &[
                "|.|The old ship went down with all her crew in the winter of 1888.",
                "|¶|The new one, which was built by the same yard, lasted - so they say - for ever.",
            ],
        ),
    ]);
    assert_eq!(
        left_out("- a\n- b", &PlainText),
        [
            ("-".to_owned(), OmissionReason::Markup),
            ("-".to_owned(), OmissionReason::Markup)
        ]
    );
}

#[test]
fn lines_that_were_ended_on_purpose_stay_lines() {
    all_show(&[
        (
            "The fields are white\nThe crows are loud\n\nThe moon is high",
            &[
                "|.|The fields are white",
                "|¶|The crows are loud",
                "|¶|The moon is high",
            ],
        ),
        (
            "Tom Hale\n12 Mill Lane\nOxford\n\nDear Ruth,\n\nIt rained all week, and nobody came to\nsee the garden that you planted.\n\nYours ever,\nTom",
            &[
                "|.|Tom Hale",
                "|.|12 Mill Lane",
                "|¶|Oxford",
                "|¶|Dear Ruth,",
                "|¶|It rained all week, and nobody came to see the garden that you planted.",
                "|.|Yours ever,",
                "|¶|Tom",
            ],
        ),
        (
            "When winter comes across the frozen northern hills,\nAnd every river stands as still as polished glass,\nThe shepherds count again what little grain is left\nAnd tell their children when the heavy snow will pass.",
            &[
                "|.|When winter comes across the frozen northern hills,",
                "|.|And every river stands as still as polished glass,",
                "|.|The shepherds count again what little grain is left",
                "|¶|And tell their children when the heavy snow will pass.",
            ],
        ),
        (
            "It was dark in the mill when\nTom left.",
            &["|¶|It was dark in the mill when Tom left."],
        ),
        (
            "“Where to?” asked Tom.\n“Home,” said Ruth.",
            &["|¶|“Where to?” asked Tom.", "|¶|“Home,” said Ruth."],
        ),
    ]);
}

#[test]
fn wrapped_prose_is_no_verse_at_any_width() {
    let names = "When Tom Hale and Ruth Marsh met Old John at the Mill in Oxford on Monday, Peter was \
        gone to London. I Have Seen It All, said Mary. Then Anna, Paul, Jack, Lucy, Henry, Alice, \
        George, Emma, Frank, Clara, Edward, Rose, Walter, Grace, Albert, Nora and Fred came, too.";
    let plain = include_str!("../../../samples/the-night-train.txt");
    for width in [30, 40, 60, 66, 72, 80] {
        let blocks = PlainText.parse(&wrapped(names, width)).blocks;
        assert_eq!(blocks.len(), 1, "{width}: {blocks:?}");
        let blocks = PlainText.parse(&wrapped(plain, width)).blocks;
        assert!(
            blocks.iter().all(|b| b.end == BlockEnd::Paragraph),
            "{width}"
        );
    }
}

#[test]
fn numbers_of_pages_are_left_out() {
    use OmissionReason::PageNumber;
    let mended = |text: &str| {
        let numbers: Vec<String> = left_out(text, &PlainText)
            .into_iter()
            .filter(|(_, reason)| *reason == PageNumber)
            .map(|(number, _)| number)
            .collect();
        (show(text, &PlainText).join(" "), numbers.join(" "))
    };
    let cases = [
        (
            "Ruth went down to the\n\n7\n\nriver at noon.",
            "|¶|Ruth went down to the river at noon.",
            "7",
        ),
        (
            "He took the lan-\n\n[31]\n\ntern with him.",
            "|¶|He took the lantern with him.",
            "[31]",
        ),
        (
            "They had seen the\n\n– 8 –\n\x0c\nship, and Tom\n\nPage 9 of 20\n\nwaved.",
            "|¶|They had seen the ship, and Tom waved.",
            "– 8 – Page 9 of 20",
        ),
        (
            "They waited for\n12 / 80\n\x0cthe rain to end.",
            "|¶|They waited for the rain to end.",
            "12 / 80",
        ),
        // Counted on from one that is proven.
        (
            "It was late.\n\n- 4 -\n\nNobody saw the\n\n- 5 -\n\nfire that night.\n\n- 6 -\n\nThen it was day.",
            "|¶|It was late. |¶|Nobody saw the fire that night. |¶|Then it was day.",
            "- 4 - - 5 - - 6 -",
        ),
        // Chapters.
        (
            "It was late.\n\n2\n\nThen it was day.",
            "|¶|It was late. h2|#|2 |¶|Then it was day.",
            "",
        ),
        (
            "The Mill\n\n1\n\nTom woke.",
            "h1|#|The Mill h2|#|1 |¶|Tom woke.",
            "",
        ),
    ];
    for (text, said, numbers) in cases {
        assert_eq!(
            mended(text),
            (said.to_owned(), numbers.to_owned()),
            "{text:?}"
        );
    }
}

/// The name above a speech is heard by itself, whether the speech is verse or prose.
#[test]
fn speakers_of_a_play_stand_apart() {
    all_show(&[
        (
            "FIRST WITCH.\nWhen shall we three meet again\nIn thunder, lightning, or in rain?\n\n\
             DR. WATSON:\nHe went along the pier with all the men of the town, and he saw\n\
             that nobody was there to meet him.\nROMEO.\nShe speaks.",
            &[
                "|.|FIRST WITCH.",
                "|.|When shall we three meet again",
                "|¶|In thunder, lightning, or in rain?",
                "|.|DR. WATSON:",
                "|¶|He went along the pier with all the men of the town, and he saw that nobody was there to meet him.",
                "|.|ROMEO.",
                "|¶|She speaks.",
            ],
        ),
        // A name at the end of a wrapped line, words that are all in capitals.
        (
            "It was the second night of the rain, and the old ship belonged to the\nU.S.A.\nThe end of it came soon, and \
             the keeper went down to the pier with\nhis lamp.",
            &[
                "|.|It was the second night of the rain, and the old ship belonged to the U.S.A.",
                "|¶|The end of it came soon, and the keeper went down to the pier with his lamp.",
            ],
        ),
        (
            "COME AT ONCE.\nBRING THE LAMP.\nSTOP.",
            &["|.|COME AT ONCE.", "|.|BRING THE LAMP.", "|¶|STOP."],
        ),
    ]);
}

#[test]
fn running_heads_are_left_out() {
    let heads = |text: &str| {
        let left = left_out(text, &PlainText).into_iter();
        let heads = left.filter(|(_, reason)| *reason == OmissionReason::RunningHead);
        heads.map(|(head, _)| head).collect::<Vec<_>>()
    };
    let pages = |heads: &[&str], words: &[&str]| {
        let heads = heads.iter().zip(words.iter().cycle());
        let pages = heads.map(|(head, words)| format!("\u{c}\n{head}\n\n{words}\n"));
        format!(
            "It was the second night of the rain, and the\n{}",
            pages.collect::<String>()
        )
    };
    let goes_on = ["keeper went down to the old pier with a lamp, and the"];
    let text = pages(
        &["THE HOUND  27", "THE HOUND  28", "29  THE HOUND"],
        &goes_on,
    );
    assert_eq!(
        heads(&text),
        ["THE HOUND  27", "THE HOUND  28", "29  THE HOUND"]
    );
    assert_eq!(
        show(&text, &PlainText).len(),
        1,
        "{:?}",
        show(&text, &PlainText)
    );
    // Pages whose sentences end with them: the first is the title. A number by itself above the head.
    let whole = ["He left.", "She woke.", "It rained."];
    let text = pages(&["THE TIDE", "THE TIDE", "THE TIDE"], &whole);
    assert_eq!(heads(&text), ["THE TIDE", "THE TIDE"]);
    assert_eq!(show(&text, &PlainText).len(), 5);
    assert_eq!(heads(&format!("The Tide\n\n{text}")).len(), 3);
    let text = pages(&["7\nTHE TIDE", "8\nTHE TIDE", "9\nTHE TIDE"], &goes_on);
    assert_eq!(heads(&text).len(), 3);
    let text = pages(&["4 THE TIDE", "5 THE TIDE", "6 THE TIDE"], &whole);
    assert_eq!(heads(&text), ["5 THE TIDE", "6 THE TIDE"]);
    let text =
        "It rained.\n\u{c}THE TIDE\nHe left.\n\u{c}THE TIDE\nHe ran.\n\u{c}THE TIDE\nHe slept.\n";
    assert_eq!(
        show(text, &PlainText)[..2],
        ["|¶|It rained.", "|¶|THE TIDE"]
    );
    // What a list of contents names on the first page is heard where it begins.
    let chapters = ["The Tide"; 4].iter().chain(&["The Storm"; 3]);
    let chapters: Vec<&str> = chapters.copied().collect();
    let text = format!("Contents\n\nThe Storm\n\n{}", pages(&chapters, &whole));
    assert_eq!(
        heads(&text),
        chapters[1..4]
            .iter()
            .chain(&chapters[5..])
            .copied()
            .collect::<Vec<_>>()
    );
    // A chapter is heard where it begins.
    let chapter = ["CHAPTER II", "CHAPTER II", "CHAPTER II", "CHAPTER III"];
    assert_eq!(heads(&pages(&chapter, &whole)), chapter[1..3]);
    let begun = format!(
        "{}\n\nCHAPTER II\n\nIt rained, and the\n",
        pages(&["I"], &whole)
    );
    let text = begun + &pages(&chapter, &goes_on);
    assert_eq!(heads(&text), chapter[..3]);
    for text in [
        pages(&["THE HOUND  27", "THE HOUND  28"], &goes_on),
        pages(&["Chapter 1", "Chapter 2", "Chapter 3"], &whole),
        pages(&["CHAPTER I", "CHAPTER II", "CHAPTER III"], &whole),
        pages(&["Letter 1", "Letter 2", "Letter 3"], &whole),
        pages(&["1 John", "2 John", "3 John"], &whole),
        pages(&["Psalm 23", "Psalm 24", "Psalm 25"], &whole),
        pages(&["HAMLET.", "HAMLET.", "HAMLET."], &whole),
        pages(&["Dear Tom,", "Dear Tom,", "Dear Tom,"], &whole),
        pages(&["He left.", "He left.", "He left."], &whole),
    ] {
        assert_eq!(heads(&text), [""; 0], "{text:?}");
    }
}

#[test]
fn entities_in_a_plain_text_are_their_characters() {
    all_show(&[(
        "Bell &amp; Sons\n\nIt&#8217;s late&mdash;the&nbsp;end of it. AT&T; stays, R&D too.",
        &[
            "h1|#|Bell & Sons",
            "|¶|It’s late—the end of it. AT&T; stays, R&D too.",
        ],
    )]);
    let cut = cut("Bell &amp; Sons\n\nIt rained.", &PlainText);
    assert_eq!(cut.title.as_deref(), Some("Bell & Sons"));
    assert_eq!(cut.segments[0].span, 0..15);
}

/// Lists whose marks differ, and whose numbers go on behind a paragraph.
#[test]
fn no_number_of_a_list_is_lost() {
    all_show(&[
        (
            "1) Oil\n2. Rope\n(3) Salt\n\nThat is not all.\n\n4. Bread\n5. Tea",
            &[
                "item|¶|1) Oil",
                "item|¶|2. Rope",
                "item|¶|(3) Salt",
                "|¶|That is not all.",
                "item|¶|4. Bread",
                "item|¶|5. Tea",
            ],
        ),
        (
            "1. Oil\n3. Rope\n7. Salt",
            &["item|¶|1. Oil", "item|¶|3. Rope", "item|¶|7. Salt"],
        ),
    ]);
    let markdown: &[(&str, &[&str])] = &[
        ("1. Oil\n3. Rope\n", &["item|¶|1. Oil", "item|¶|2. Rope"]),
        (
            "1. Oil\n2) Rope\n\nNot all.\n\n3. Salt\n4. Tea\n",
            &[
                "item|¶|1. Oil",
                "item|¶|2. Rope",
                "|¶|Not all.",
                "item|¶|3. Salt",
                "item|¶|4. Tea",
            ],
        ),
    ];
    for (text, expected) in markdown {
        assert_eq!(&show(text, &Markdown), expected, "{text:?}");
    }
}

/// Whole files whose hidden characters are kept byte by byte.
#[test]
fn cases() {
    let case = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/reading/cases")
            .join(name);
        let source = decode(std::fs::read(path).unwrap()).unwrap();
        show(&source.text, &PlainText)
    };
    assert_eq!(
        case("hyphen.txt"),
        [
            "|¶|The mariner spoke of a one-sided fight; the system broke, and help was needed on pages 10-12 for the mother-in-law."
        ]
    );
    assert_eq!(
        case("softhyphen.txt"),
        [
            "|¶|The lighthouse keeper was proficient.",
            "|¶|The lighthouse keeper met the emotional captain."
        ]
    );
    assert_eq!(
        case("pages.txt"),
        ["|¶|The keeper walked along the pier until dark. Then he lit the fire."]
    );
    assert_eq!(
        case("lines.txt"),
        [
            "|¶|Shopping:",
            "item|¶|two eggs",
            "item|¶|bread",
            "item|¶|a lamp",
            "|.|Roses are red",
            "|.|Violets are blue",
            "|.|The lamp is out",
            "|¶|And so are you",
        ]
    );
    assert_eq!(case("breaks.txt"), ["|¶|He slept.", "|¶|She woke."]);
    assert_eq!(
        case("ellipsis.txt"),
        [
            "|.|“Um, Clara, it’s not… Tom is here, but…” She paused...",
            "|¶|Then she ran. Wait...what?",
        ]
    );
}
