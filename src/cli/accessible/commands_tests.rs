//! The table, and what is understood with it.

use super::*;

fn parsed(line: &str) -> (Verb, Option<u32>, Option<u32>, String) {
    let command = parse(line).unwrap();
    let segment = command.segment.map(SegmentId::get);
    (command.verb, command.task, segment, command.words)
}

#[test]
fn what_the_help_says_is_what_is_understood() {
    let help: Vec<String> = help().skip(1).collect();
    assert_eq!(help.len(), TABLE.len());
    for (place, (info, said)) in TABLE.iter().zip(&help).enumerate() {
        assert_eq!(info.verb as usize, place);
        let same = TABLE
            .iter()
            .filter(|other| other.word == info.word || other.letter == info.letter);
        let nameless = TABLE.iter().filter(|other| other.letter.is_empty()).count();
        let expected = if info.letter.is_empty() { nameless } else { 1 };
        assert_eq!(same.count(), expected, "{}", info.word);
        let arguments = match info.takes.numbers() {
            Some((least, _)) => " 7".repeat(least),
            None => " words".to_owned(),
        };
        for name in [info.letter, info.word]
            .into_iter()
            .filter(|name| !name.is_empty())
        {
            assert_eq!(parsed(&format!(" {name}{arguments} ")).0, info.verb);
        }
        assert!(said.contains(info.word), "{said}");
        let letter = info.letter.replace('?', "question mark");
        assert!(said.contains(&letter), "{said}");
        assert!(said.ends_with('.') && !said.contains('\n'), "{said}");
    }
}

#[test]
fn lines_are_understood() {
    let none = String::new();
    let cases = [
        ("", (Verb::Status, None, None, none.clone())),
        ("s", (Verb::Status, None, None, none.clone())),
        ("status 2", (Verb::Status, Some(2), None, none.clone())),
        ("t 2  14", (Verb::Text, Some(2), Some(14), none.clone())),
        ("c2", (Verb::Cancel, Some(2), None, none.clone())),
        ("Cancel 2", (Verb::Cancel, Some(2), None, none.clone())),
        ("cancel all", (Verb::CancelAll, None, None, none.clone())),
        ("P", (Verb::PauseQueue, None, None, none.clone())),
        ("p 3", (Verb::Pause, Some(3), None, none.clone())),
        ("pause all", (Verb::PauseQueue, None, None, none.clone())),
        ("play 1 2", (Verb::Play, Some(1), Some(2), none.clone())),
        (
            "l night train",
            (Verb::List, None, None, "night train".into()),
        ),
        (
            "a ~/my story.txt ",
            (Verb::Add, None, None, "~/my story.txt".into()),
        ),
        ("v", (Verb::Verbosity, None, None, none)),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_understood_gets_one_helpful_sentence() {
    let cases = [
        ("x", "the nearest is capital X, or cancel all."),
        ("lst", "There is no command lst; the nearest is l, or list."),
        ("cancel-all", "the nearest is capital X, or cancel all."),
        (
            "c",
            "cancel needs a task number, as in cancel 1; list says the numbers.",
        ),
        ("c two", "two is not a number; try cancel 1."),
        ("s 1 2", "status takes one number;"),
        ("q now", "quit takes nothing after it;"),
        ("ä", "There is no command ä;"),
        ("s 99999999999", "99999999999 is not a number;"),
    ];
    for (line, expected) in cases {
        let said = parse(line).unwrap_err();
        assert!(said.contains(expected), "{line}: {said}");
    }
    let said = parse("\u{1b}[2J").unwrap_err();
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn each_question_says_its_answers() {
    assert_eq!(
        choices(Asked::Quit),
        "Type f to finish the segment in work first, a to finish everything first, i to interrupt \
         now, or s to stay, then Enter."
    );
    for (asked, expected, letter, word, meaning) in ANSWERS {
        assert_eq!(answer(*asked, letter), Some(*expected));
        assert_eq!(answer(*asked, &format!(" {word} ")), Some(*expected));
        assert!(choices(*asked).contains(meaning));
    }
    assert_eq!(answer(Asked::YesNo, "f"), None);
    assert_eq!(answer(Asked::Quit, ""), None);
}
