//! What a person wants said for words: lexicons beside the settings and beside a text, wrong ones, those
//! of other programs, and what a changed line costs.

use serde_json::Value;

use super::Heard;
use super::kit::{Home, Ran};

#[test]
fn lexicons_beside_the_settings_and_the_text_say_what_a_person_wants() {
    let home = Home::ready();
    let text = home.write(
        "story.txt",
        "Leith Walk is in Leith, past Omán Rd, by 7mm. Leithen saw Kerr's 1905.",
    );
    let before = Heard::of(&home, &text).spoken();
    assert!(
        before[0].starts_with("Leith Walk is in Leith,"),
        "{before:?}"
    );
    home.write(
        "config/lexicon.toml",
        "Leith = \"leeth\"\n\"Leith Walk\" = \"leeth wok\"\n\"Omán Rd\" = \"/ˈoʊmən/ road\"\n\
         kerr = \"car\"\n1905 = \"nineteen hundred five\"\n\
         [patterns]\n'(\\d+)mm' = \"$1 tiny steps\"\n",
    );
    let heard = Heard::of(&home, &text);
    assert_eq!(
        heard.spoken().join(" "),
        "leeth wok is in leeth, past [[ˈoʊmən]] road, by 7 tiny steps. Leithen saw car's nineteen \
         hundred five."
    );
    let phonemes = heard.phonemes().join(" ");
    assert!(phonemes.contains(" ˈoʊmən ɹˈoʊd"), "{phonemes}");
    let written = std::fs::read_to_string(&text).unwrap();
    assert_eq!(heard.all("text").join(" "), written);

    // The text's own wins; what it does not say stays.
    home.write("story.lexicon.toml", "Leith = \"/liːθ/\"\n");
    let heard = Heard::of(&home, &text);
    assert!(heard.spoken()[0].starts_with("leeth wok is in [[liːθ]], past"));
    assert!(
        heard.phonemes()[0].contains(" liːθ,"),
        "{:?}",
        heard.phonemes()
    );
    // Another text has nothing of it.
    let other = home.write("other.txt", "They live in Leith.");
    assert_eq!(Heard::of(&home, &other).spoken(), ["They live in leeth."]);
}

#[test]
fn lexicons_of_other_programs_are_read_and_mended_by_hand() {
    let home = Home::ready();
    let text = home.write("story.txt", "Leith, Omán, Kerr and the W3C. Omán’s boat.");
    let pls = |alphabet: &str, lexemes: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <lexicon version=\"1.0\" alphabet=\"{alphabet}\" xml:lang=\"en\"\n\
             \x20 xmlns=\"http://www.w3.org/2005/01/pronunciation-lexicon\">{lexemes}</lexicon>"
        )
    };
    let lexeme =
        |word: &str, said: &str| format!("<lexeme><grapheme>{word}</grapheme>{said}</lexeme>");
    home.write(
        "config/lexicon.pls",
        pls(
            "ipa",
            &[
                lexeme("Leith", "<phoneme>liːθ</phoneme>"),
                lexeme(
                    "Omán",
                    "<phoneme>oʊ</phoneme><phoneme prefer=\"true\">ˈoʊmən</phoneme>",
                ),
                lexeme("Kerr", "<alias>car</alias>"),
                lexeme("W3C", "<alias>World Wide Web Consortium</alias>"),
            ]
            .concat(),
        ),
    );
    let heard = Heard::of(&home, &text);
    let said = "[[liːθ]], [[ˈoʊmən]], car and the World Wide Web Consortium. [[ˈoʊmən]]’s boat.";
    assert_eq!(heard.spoken().join(" "), said);
    let phonemes = heard.phonemes().concat();
    assert!(phonemes.ends_with("ˈoʊmənz bˈoʊt."), "{phonemes}");
    assert!(
        phonemes.starts_with("liːθ, ˈoʊmən, kˈɑːɹ ænd"),
        "{phonemes}"
    );

    // By hand over imported, beside the text over beside the settings.
    home.write("config/lexicon.toml", "Kerr = \"cur\"\nLeith = \"one\"\n");
    home.write(
        "story.lexicon.pls",
        pls("ipa", &lexeme("Leith", "<alias>two</alias>")),
    );
    assert!(Heard::of(&home, &text).spoken()[0].starts_with("two, [[ˈoʊmən]], cur and"));
    home.write("story.lexicon.toml", "Leith = \"three\"\n");
    assert!(Heard::of(&home, &text).spoken()[0].starts_with("three, [[ˈoʊmən]], cur and"));

    let foreign = pls("x-sampa", &lexeme("Leith", "<phoneme>li:T</phoneme>"));
    let at = foreign.find("<phoneme").unwrap();
    let file = home.write("story.lexicon.pls", &foreign);
    let ran = home.run(&["phonemes", &text]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    for said in [file, format!("at byte {at}: "), "`x-sampa`".to_owned()] {
        assert!(ran.err.contains(&said), "{said}: {}", ran.err);
    }
}

#[test]
fn a_wrong_lexicon_is_named_and_nothing_is_said() {
    let home = Home::ready();
    let text = home.write("story.txt", "They live in Leith.");
    for (file, lexicon, wrong) in [
        (
            "config/lexicon.toml",
            "Leith = 5\n",
            "`Leith` must have a text",
        ),
        (
            "story.lexicon.toml",
            "Leith = \n",
            "TOML parse error at line 1",
        ),
        (
            "story.lexicon.toml",
            "[patterns]\n'(' = \"x\"\n",
            "the pattern `(` is wrong",
        ),
        ("story.lexicon.toml", "\"…\" = \"x\"\n", "`…` has none"),
        (
            "story.lexicon.toml",
            "[patterns]\n'([0-9]+)mm' = \"$1mm long\"\n",
            "it has no group `1mm`",
        ),
    ] {
        home.write(file, lexicon);
        for command in ["phonemes", "narrate"] {
            let ran = home.run(&[command, &text]);
            assert_eq!(ran.code, Some(2), "{}", ran.err);
            let name = home.path(file);
            for said in ["can't use the lexicon", name.to_str().unwrap(), wrong] {
                assert!(ran.err.contains(said), "{said}: {}", ran.err);
            }
            assert_eq!(ran.out, "");
        }
        std::fs::remove_file(home.path(file)).unwrap();
    }
}

#[test]
fn one_line_of_a_lexicon_makes_exactly_the_segments_again_that_it_touches() {
    let home = Home::ready();
    let voice = home.tone();
    let text = home.write(
        "story.txt",
        "The keeper lived in Leith.\n\nNobody knew his name.\n\nHe had a boat.\n\n\
         Leith was asleep.\n\nThe lamp went out.\n\nHe lit it again.\n",
    );
    let narrate = || {
        let ran = home.run(&["narrate", "--json", "--voice", &voice, &text]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran
    };
    // The model begins what is made; what is copied or there is not begun.
    let made = |ran: &Ran| -> Vec<Value> {
        let events = ran.events().into_iter();
        let begun = events.filter(|event| event["event"] == "segment_started");
        begun.map(|event| event["segment_id"].clone()).collect()
    };
    assert_eq!(made(&narrate()).len(), 6);
    assert_eq!(made(&narrate()).len(), 0, "nothing is new");
    home.write("story.lexicon.toml", "Leith = \"Loyth\"\n");
    let changed = narrate();
    assert_eq!(made(&changed), [1, 4]);
    assert_eq!(changed.summary()["completed"], 6);
    assert_eq!(made(&narrate()).len(), 0, "it is known with its lexicon");

    // Other words of the same sound make nothing again.
    home.write("story.lexicon.toml", "Leith = \"Loith\"\n");
    let same = narrate();
    assert_eq!(made(&same).len(), 0);
    assert_eq!(same.summary()["completed"], 6);
}

#[test]
fn a_word_is_known_with_either_apostrophe() {
    let home = Home::ready();
    home.write(
        "config/lexicon.toml",
        "\"O'Neill\" = \"oneel\"\nkerr = \"car\"\n",
    );
    let text = home.write("a.txt", "We met O’Neill and O'Neill. Kerr came.");
    let spoken = Heard::of(&home, &text).spoken().join(" ");
    assert_eq!(spoken, "We met oneel and oneel. Car came.");
}
