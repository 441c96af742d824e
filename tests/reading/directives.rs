//! What a text asks of whoever reads it aloud, in each format: from a user's file to the phonemes.

use serde_json::Value;

use super::Heard;
use super::kit::{Home, Ran};

/// What is said of a text, with the pause after each segment where it is asked for.
fn heard(home: &Home, file: &str, text: &str) -> Vec<(String, u64)> {
    let heard = Heard::of(home, &home.write(file, text));
    let segment = |segment: Value| {
        let spoken = segment["spoken"].as_str().unwrap().to_owned();
        (spoken, segment["pause_ms"].as_u64().unwrap())
    };
    heard.0.events().into_iter().map(segment).collect()
}

#[test]
fn pauses_are_silence_of_the_length_that_was_asked_for() {
    let home = Home::ready();
    for (file, text) in [
        ("a.txt", "He waited.[pause:1.5] Then he [pause:250ms] left."),
        (
            "a.md",
            "He *waited*.<break time=\"1500ms\"/> Then he <break strength=\"weak\"/>left.",
        ),
        (
            "a.html",
            "<p>He <b>waited</b>. <break time='1.5s'/>Then he [pause:0.25] left.</p>",
        ),
    ] {
        let heard = heard(&home, file, text);
        let (spoken, pauses): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
        assert_eq!(spoken, ["He waited.", "Then he", "left."], "{file}");
        assert_eq!(pauses[..2], [1500, 250], "{file}");
    }
    // What only looks like one is said.
    let spoken = heard(&home, "b.txt", "A [pause] and [pause:long].");
    assert_eq!(spoken[0].0, "A [pause] and [pause:long].");
}

#[test]
fn a_word_is_said_by_the_phonemes_behind_it() {
    let home = Home::ready();
    for (file, text) in [
        (
            "a.txt",
            "In [Oman](/ˈoʊmən/), by [[ˈoʊmən]] and [Oman](/docs/).",
        ),
        (
            "a.md",
            "In [Oman](/ˈoʊmən/), by [[ˈoʊmən]] and [Oman](/docs/).",
        ),
        (
            "a.html",
            "<p>In [Oman](/ˈoʊmən/), by [[ˈoʊmən]] and <a href='/docs/'>Oman</a>.</p>",
        ),
    ] {
        let heard = Heard::of(&home, &home.write(file, text));
        let spoken = heard.spoken().join(" ");
        assert!(
            spoken.starts_with("In [[ˈoʊmən]], by [[ˈoʊmən]] and "),
            "{spoken}"
        );
        let phonemes = heard.phonemes().join(" ");
        assert!(
            phonemes.starts_with("ɪn ˈoʊmən, baɪ ˈoʊmən") || phonemes.contains("ˈoʊmən, b"),
            "{phonemes}"
        );
        assert!(
            heard.all("text")[0].starts_with("In Oman, by"),
            "what is written is shown"
        );
    }
}

#[test]
fn chapters_and_voices_are_asked_for_in_silence() {
    let home = Home::ready();
    let text = "One day.\n\n<<CHAPTER_MARKER:Two>>\n\nAnother day. <<OTHER:x>>";
    let spoken: Vec<_> = heard(&home, "a.txt", text)
        .into_iter()
        .map(|(said, _)| said)
        .collect();
    assert_eq!(spoken[0], "One day.");
    assert!(
        spoken[1].starts_with("Another day.") && spoken.join(" ").contains("OTHER"),
        "{spoken:?}"
    );

    // One that is not there is an error before any work, and so is a file.
    for (voice, told) in [
        ("nobody", "segment 2 of"),
        ("/etc/passwd.onnx", "no voice of the list"),
    ] {
        let unknown = home.write("c.txt", format!("A <<VOICE:{voice}>> b."));
        let ran = Ran::from(home.command(&["phonemes", &unknown]).output().unwrap());
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(told), "{}", ran.err);
        assert!(ran.err.contains("can't be had"), "{}", ran.err);
    }
}

#[test]
fn phonemes_may_begin_a_segment_and_are_no_foreign_words() {
    let home = Home::ready();
    for (file, text, phonemes) in [
        ("a.txt", "[Oman](/ˈoʊmən/) is hot.", "ˈoʊmən ɪz hˈɑːt."),
        ("b.txt", "[[ˈoʊmən]]", "ˈoʊmən"),
        ("c.md", "# [Oman](/ˈoʊmən/)\n", "ˈoʊmən"),
    ] {
        let heard = Heard::of(&home, &home.write(file, text));
        assert_eq!(heard.phonemes(), [phonemes], "{file}");
        let problems: Vec<Value> = heard.0.events();
        assert!(
            problems
                .iter()
                .all(|segment| segment.get("spelled").is_none()),
            "{file}"
        );
    }
}

#[test]
fn what_is_quoted_asks_for_nothing() {
    let home = Home::ready();
    let text = "Write `<<VOICE:nobody>>` or `[pause:1]` there.\n\n```\n<<VOICE:nobody>>\n```\n\n<!-- <<VOICE:nobody>> -->\n\nThe end.\n";
    let spoken: Vec<_> = heard(&home, "a.md", text)
        .into_iter()
        .map(|(said, _)| said)
        .collect();
    assert_eq!(spoken.len(), 2, "{spoken:?}");
    assert!(
        spoken[0].contains("VOICE") && spoken[0].contains("pause"),
        "{spoken:?}"
    );
}
