//! From a user's file to the phonemes that a voice gets, with the real eSpeak and the real voice's
//! configuration: markup, hard texts, a person's own lexicons, and what is a matter of taste.

#[path = "reading/directives.rs"]
mod directives;
mod kit;
#[path = "reading/lexicons.rs"]
mod lexicons;

use kit::{Home, Ran};
use serde_json::Value;

/// What `aloud phonemes` says of a file.
struct Heard(Ran);

impl Heard {
    fn of(home: &Home, file: &str) -> Self {
        Self::with(home, &[file], &[])
    }

    fn with(home: &Home, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = home.command(&["phonemes", "--json"]);
        command.args(args).envs(env.iter().copied());
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        Self(ran)
    }

    /// A text in a file of the home.
    fn text(home: &Home, text: &str) -> Self {
        Self::of(home, &home.write("text.txt", text))
    }

    fn all(&self, key: &str) -> Vec<String> {
        let words = |segment: Value| segment[key].as_str().unwrap().to_owned();
        self.0.events().into_iter().map(words).collect()
    }

    fn spoken(&self) -> Vec<String> {
        self.all("spoken")
    }

    fn phonemes(&self) -> Vec<String> {
        self.all("phonemes")
    }
}

/// A file of `tests/reading/cases`.
fn case(name: &str) -> String {
    format!("{}/tests/reading/cases/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What is said of each of them, segment by segment.
const CASES: &[(&str, &[&str])] = &[
    (
        "html.md",
        &[
            "Tide",
            "Read this first",
            "Oil is poison.",
            "The pier is closed.",
            "Open on Monday.",
            "Two boats",
            "Go home.",
        ],
    ),
    ("html-all.md", &["My Story", "Everything here is H T M L."]),
    (
        "dot-md.md",
        &[
            "The lamp went out. Nobody saw. Then. Now go.",
            "The end. Bold start. Done.",
            "code here. See the pier. A map helps.",
        ],
    ),
    (
        "markup.md",
        &[
            "The bright harbour. See the map and Old Pier.",
            "Note.",
            "Bring oil.",
            "Keep off",
            "The pier is wet.",
        ],
    ),
    (
        "lines.txt",
        &[
            "Shopping:",
            "two eggs",
            "bread",
            "a lamp",
            "Roses are red",
            "Violets are blue",
            "The lamp is out",
            "And so are you",
        ],
    ),
    (
        "lines-md.md",
        &[
            "The lamp is low",
            "The tide is slow",
            "And so we go",
            "Anna Bell",
            "four Pier Road",
            "Harbour Town",
            "He waved. Holds out a hand Nice to meet you.",
        ],
    ),
    (
        "pages.txt",
        &["The keeper walked along the pier until dark. Then he lit the fire."],
    ),
    ("unnamed.txt", &["The Lamp", "oil", "rope", "the end"]),
    (
        "softhyphen.txt",
        &[
            "The lighthouse keeper was proficient.",
            "The lighthouse keeper met the emotional captain.",
        ],
    ),
    (
        "hyphen.txt",
        &[
            "The mariner spoke of a one-sided fight; the system broke, and help was needed on \
                 pages ten to twelve for the mother-in-law.",
        ],
    ),
    (
        "ellipsis.txt",
        &[
            "“Um, Clara, it’s not… Tom is here, but…” She paused...",
            "Then she ran. Wait...what?",
        ],
    ),
    ("breaks.txt", &["He slept.", "She woke."]),
    (
        "old-book.html",
        &[
            "The old pier",
            "CHAPTER one",
            "The keeper of the lamp went down to the pier with all the men of the town, and nobody was \
             there to meet them. Then he sang:",
            "The lamp is low",
            "The tide is slow",
            "And so we go",
            "She left home in the rain.",
            "The pier was never seen again.",
        ],
    ),
    (
        "heads.txt",
        &[
            "The old pier",
            "The keeper went down to the pier in the rain, and the men of the town went with him.",
            "Nobody was there to meet them, nobody at all, and so they went home.",
            "ROMEO.",
            "She speaks.",
        ],
    ),
];

#[test]
fn whole_files_are_heard_as_a_listener_wants_them() {
    let home = Home::ready();
    for (file, wanted) in CASES {
        let heard = Heard::of(&home, &case(file));
        let spoken = heard.spoken();
        if *file == "markup.md" {
            // What signs of mathematics say is a matter of its own.
            let last = spoken.last().unwrap();
            assert!(last.starts_with("Math E equals"), "{last}");
            assert_eq!(spoken[..spoken.len() - 1], **wanted);
        } else {
            assert_eq!(spoken, *wanted, "{file}");
        }
        for phonemes in heard.phonemes().iter().take(wanted.len()) {
            // "asterisk", "hash", "equals", "dot", "exclamation"
            for name in ["ˈæstɚɹ", "hˈæʃ", "ˈiːkwəl", "dˈɑːt", "ˈɛkskləm"] {
                assert!(!phonemes.contains(name), "{file}: {phonemes}");
            }
        }
    }
}

#[test]
fn what_is_left_out_of_a_text_is_told() {
    let home = Home::ready();
    let voice = home.tone();
    for (file, told) in [
        ("pages.txt", "2 × page number"),
        ("markup.md", "1 × comment"),
        ("heads.txt", "3 × running head"),
        ("old-book.html", "1 × code block"),
    ] {
        let ran = home.run(&["narrate", "--plain", "--voice", &voice, &case(file)]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let all = ran.out + &ran.err;
        assert!(
            all.contains("left out") && all.contains(told),
            "{file}: {all}"
        );
    }
}

#[test]
fn a_format_can_be_said_and_a_noticed_one_is_told() {
    let home = Home::ready();
    let noticed = Heard::of(&home, &case("unnamed.txt"));
    assert!(noticed.0.err.contains("Markdown"), "{}", noticed.0.err);
    let plain = home.write("notes", "One *two* three.");
    let markdown = Heard::with(&home, &["--as", "md", &plain], &[]);
    assert_eq!(markdown.spoken(), ["One two three."]);
    let ran = home.run_with_input(
        &["phonemes", "--json", "--as", "html", "-"],
        b"<p>One <b>two</b>",
    );
    assert_eq!(Heard(ran).spoken(), ["One two"]);
}

#[test]
fn interjections_are_sounds_and_stutters_are_stutters() {
    let home = Home::ready();
    let heard = Heard::text(
        &home,
        "Hm. Mm. Shh! Brr! Mhm. Hmph. Hmmm. Psst!\n\nW-w-what? Th-that. B-but no!",
    );
    for phonemes in heard.phonemes() {
        // The letters H, M, S, B, P and T, and "double".
        for letters in ["ˈeɪtʃ", "ˈɛm", "ˈɛs", "bˈiː", "pˈiː", "tˈiː", "dˈʌbəl"] {
            assert!(!phonemes.contains(letters), "{letters}: {phonemes}");
        }
        assert!(!phonemes.contains("eɪtʃ"), "{phonemes}");
    }
    assert_eq!(
        heard.phonemes()[1],
        "wˈʌ wˈʌ wˈʌt? θˈʌ ðˈæt. bˈʌ bˌʌt nˈoʊ!"
    );
}

#[test]
fn a_full_stop_that_ends_no_sentence_is_none() {
    let home = Home::ready();
    let text = "Dr. Ruiz joined the U.S. Navy with Mrs. Kerr of St. Ives, vol. XII of No. 5.";
    let phonemes = Heard::text(&home, text).phonemes().join(" | ");
    assert_eq!(phonemes.matches('.').count(), 1, "{phonemes}");
    assert!(phonemes.ends_with('.'), "{phonemes}");
}

#[test]
fn a_text_says_phonemes_and_all_else_between_their_marks_is_words() {
    let home = Home::ready();
    let heard = Heard::text(&home, "Say [[fəˈnɛt]] twice, not [[Old Pier]].");
    let phonemes = heard.phonemes().concat();
    assert!(phonemes.contains("sˈeɪ fəˈnɛt twˈaɪs"), "{phonemes}");
    assert!(phonemes.contains("ˈoʊld pˈɪɹ"), "{phonemes}");
}

#[test]
fn characters_that_the_voice_cannot_say_are_told() {
    let home = Home::ready();
    let heard = Heard::text(
        &home,
        "The ꙮ looks.\n\nA ȡog barks.\n\nThe ʘ clicks.\n\nAll is well.",
    );
    let told: Vec<Value> = heard
        .0
        .events()
        .iter()
        .map(|e| e["spelled"].clone())
        .collect();
    assert_eq!(
        told,
        [
            serde_json::json!(["ꙮ"]),
            serde_json::json!(["ȡog"]),
            serde_json::json!(["ʘ"]),
            Value::Null
        ]
    );
    assert!(heard.0.err.contains("in 3 segments"), "{}", heard.0.err);
    let shown = home.run(&["phonemes", home.path("text.txt").to_str().unwrap()]);
    assert!(shown.out.contains("! the voice"), "{}", shown.out);
}

#[test]
fn each_matter_of_taste_is_a_setting() {
    let home = Home::ready();
    for (name, value, written, usual, other) in [
        (
            "YEARS",
            "numbers",
            "It was in 1492.",
            "It was in fourteen ninety-two.",
            "It was in one thousand four hundred ninety-two.",
        ),
        (
            "DATES",
            "day-first",
            "Come on 5/4/2024.",
            "Come on May fourth, twenty twenty-four.",
            "Come on April fifth, twenty twenty-four.",
        ),
        (
            "NOTE_MARKS",
            "spoken",
            "The boat sank.[12] Nobody knew.",
            "The boat sank. Nobody knew.",
            "The boat sank. Note twelve. Nobody knew.",
        ),
        (
            "URLS",
            "whole",
            "See https://example.org/tide now.",
            "See example dot org now.",
            "See example dot org slash tide now.",
        ),
        (
            "URLS",
            "silent",
            "See https://example.org/tide now.",
            "See example dot org now.",
            "See now.",
        ),
        (
            "ADDRESSES",
            "silent",
            "Write to kerr@example.org today.",
            "Write to kerr at example dot org today.",
            "Write to today.",
        ),
        (
            "EMOJI",
            "named",
            "They left 🚤 early.",
            "They left early.",
            "They left speedboat early.",
        ),
    ] {
        let file = home.write("text.txt", written);
        let spoken = |env: &[(&str, &str)]| Heard::with(&home, &[&file], env).spoken().join(" ");
        let name = format!("ALOUD_READING_{name}");
        assert_eq!(spoken(&[]), usual, "{name}");
        assert_eq!(spoken(&[(&name, value)]), other, "{name}={value}");
        let mut command = home.command(&["phonemes", &file]);
        let ran = Ran::from(command.env(&name, "sideways").output().unwrap());
        assert_eq!(ran.code, Some(2), "{}", ran.err);
    }
}

#[test]
fn what_the_readme_says_is_so() {
    let home = Home::ready();
    let readme = include_str!("../README.md");
    let (_, readme) = readme.split_once("## What is said").unwrap();
    let (readme, _) = readme.split_once("\n## ").unwrap();
    let examples: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("- ")?.split_once(" → "))
        .collect();
    assert_eq!(examples.len(), 2);
    for (written, said) in examples {
        assert_eq!(Heard::text(&home, written).spoken(), [said]);
    }

    let block = |mark: &str| {
        let mut blocks = readme.split("```toml\n").skip(1);
        let block = blocks.find(|block| block.contains(mark)).unwrap();
        block.split_once("```").unwrap().0
    };
    home.write("config/lexicon.toml", block("[patterns]"));
    home.write("config/config.toml", block("[reading]"));
    let text = "Leith is 7mm past Omán Rd, or not.[12] In 1492 🚤 saw k@a.org on 5/4/2024.";
    assert_eq!(
        Heard::text(&home, text).spoken().join(" "),
        "leeth is 7 millimeters past [[ˈoʊmən]] road, or not. Note twelve. In one thousand four \
         hundred ninety-two speedboat saw on April fifth, twenty twenty-four."
    );
}
