//! What is mended before the cutting, and what is left alone: texts beside the segments they become.

use super::*;

/// The segments of a text, however short its sentences are.
fn said(text: &str, format: &dyn Format) -> Vec<String> {
    let limits = Limits {
        min_chars: 0,
        ..Limits::default()
    };
    let cut = segment(text, &format.parse(text), "en", &limits);
    cut.segments.into_iter().map(|s| s.text).collect()
}

#[track_caller]
fn all_say(cases: &[(&str, &[&str])], format: &dyn Format) {
    for (text, expected) in cases {
        assert_eq!(&said(text, format), expected, "{text:?}");
    }
}

/// Each of these is one sentence, and stays as it stands.
#[track_caller]
fn all_stay(texts: &[&str]) {
    for text in texts {
        assert_eq!(said(text, &PlainText), [*text]);
    }
}

#[test]
fn words_are_joined_at_line_ends() {
    all_say(
        &[
            (
                "A care-\nful cook and a two-\nheaded calf.",
                &["A careful cook and a two-headed calf."],
            ),
            (
                "See pages 31-\n38 by my sister-in-\nlaw.",
                &["See pages 31-38 by my sister-in-law."],
            ),
            (
                "A self-\nmade man of Anglo-\nSaxon stock.",
                &["A self-made man of Anglo-Saxon stock."],
            ),
            (
                "A merry-go-\nround and an up-\nto-date map.",
                &["A merry-go-round and an up-to-date map."],
            ),
            (
                "His ex-\nwife ex-\npected it.",
                &["His ex-wife expected it."],
            ),
            (
                "This sea-\nson the sea-\ncaptain is well-\nfed.",
                &["This season the sea-captain is well-fed."],
            ),
            (
                "A blue-\neyed boy be-\nheaded a doll.",
                &["A blue-eyed boy beheaded a doll."],
            ),
            (
                "Both pre-\nand post-war, two-\nor three-legged.",
                &["Both pre- and post-war, two- or three-legged."],
            ),
            (
                "He went -\nslowly --\nand then home.",
                &["He went - slowly -- and then home."],
            ),
            ("THE LIGHT-\nHOUSE IS DARK.", &["THE LIGHTHOUSE IS DARK."]),
            (
                "Rain\u{AD}\nbow, gar\u{FFFE}den, win\u{AD} dow, can\u{2010}\r\ndle, mar¬\nket.",
                &["Rainbow, garden, window, candle, market."],
            ),
        ],
        &PlainText,
    );
    // How it stands elsewhere is heard first.
    all_say(
        &[
            (
                "A tide-\nmark, the tide-mark.",
                &["A tide-mark, the tide-mark."],
            ),
            (
                "A half-\nway house, halfway.",
                &["A halfway house, halfway."],
            ),
        ],
        &PlainText,
    );
    all_say(
        &[(
            "> A gar-\n> den and a *self-\n> made* man.",
            &["A garden and a self-made man."],
        )],
        &Markdown,
    );
}

#[test]
fn marks_of_notes_are_left_out() {
    all_say(
        &[
            (
                "The bell rang.⁴ Tom hid.¹²",
                &["The bell rang.", "Tom hid."],
            ),
            (
                "We ran.[3] They hid.[7, 9] It rained.[2–4]",
                &["We ran.", "They hid.", "It rained."],
            ),
            (
                "Some say† that dogs‡ dream.*",
                &["Some say that dogs dream."],
            ),
            (
                "A claim[a] and (as above)² a word⁵.",
                &["A claim and (as above) a word."],
            ),
            (
                "They left.[12]Nobody knew.",
                &["They left.", "Nobody knew."],
            ),
            ("“Go,”³ she said.** Then*", &["“Go,” she said.", "Then"]),
        ],
        &PlainText,
    );
    all_stay(&[
        "An area of 10² or x² or 3 m² or 5 km² of CO₂.",
        "So E = mc² and (a + b)² = c² and πr² at 9 m·s⁻¹.",
        "He *really* meant the **whole** of it.",
        "The boat[s] of [the] keeper [12] and list[0].",
        "A product of 5 * 3 and §4 or sh** or f***.",
    ]);
    let text = "The bell rang.⁴ Tom hid.";
    let spoken = Repairs { note_marks: true };
    let cut = segment_with(
        text,
        &PlainText.parse(text),
        "en",
        &Limits::default(),
        &spoken,
    );
    assert_eq!(cut.segments[0].text, text);
}

#[test]
fn sentences_that_stick_together_are_parted() {
    all_say(
        &[
            (
                "Tom sneezed.Nobody laughed.",
                &["Tom sneezed.", "Nobody laughed."],
            ),
            (
                "Run!Hide.Is it gone?I think so.",
                &["Run!", "Hide.", "Is it gone?", "I think so."],
            ),
            (
                "“It is late.”Then he yawned.“Go home.”",
                &["“It is late.”", "Then he yawned.", "“Go home.”"],
            ),
            ("She asked Dr.Hale twice.", &["She asked Dr. Hale twice."]),
            (
                "Who?—Me. Look!—There. Why?--Because.",
                &["Who?", "Me.", "Look!", "There.", "Why?", "Because."],
            ),
        ],
        &PlainText,
    );
    all_say(
        &[
            (
                "It rained.*Hard* too. All done.`make` ran. Past.[the gate](x) stood.",
                &[
                    "It rained.",
                    "Hard too.",
                    "All done.",
                    "make ran.",
                    "Past.",
                    "the gate stood.",
                ],
            ),
            (
                "The U.**S.** army and *Mr.* Hale.",
                &["The U.S. army and Mr. Hale."],
            ),
        ],
        &Markdown,
    );
    all_stay(&[
        "Open story.txt in Vue.js 3.1.2 at example.com now.",
        "The U.S.Army and a Ph.D. in e.g. maths.",
        "But...why, he asked.",
        "“Now”—she frowned—“or never.”",
        "“Who?”—she whispered to Tom.",
        "“Run!”—Ruth whispered to Tom.",
        "See www.Example.org and Vue.JS now.",
    ]);
}

#[test]
fn abbreviations_do_not_end_sentences() {
    all_stay(&[
        "See vol. IX, ch. II, App. C, ed. Brown, at Ft. Knox.",
        "Our Sgt. Malone and Lt. Shaw met Prof. Lane near St. Ives, by Mt. Elgin.",
        "The U.K. Parliament, Elm Ave. in June, c. 1750, e.g. at noon, p. 12.",
        "An M.D., Gen. Hood, Rev. Cole, on Feb. 9, Hale Inc. said, at 7 a.m. on time.",
        "About approx. 9, fig. 3, A. B. Carter vs. Poe & Co. of Ohio.",
    ]);
    all_say(
        &[
            (
                "She lives in the U.K. He left.",
                &["She lives in the U.K.", "He left."],
            ),
            (
                "It was 9 a.m. Tom woke. Rope, oil, etc. Then he ate.",
                &[
                    "It was 9 a.m.",
                    "Tom woke.",
                    "Rope, oil, etc.",
                    "Then he ate.",
                ],
            ),
        ],
        &PlainText,
    );
    // A long line is not cut there, either.
    let line = "the wind came down from the hills by Ft. Hood and over vol. XII of it ".repeat(9);
    for part in said(&line, &PlainText) {
        assert!(!part.ends_with('.'), "{part}");
    }
}
