//! What is read, against what a careful reader says.

use super::*;

/// A line of a table of readings.
struct Case {
    kind: String,
    written: String,
    said: String,
}

fn cases(file: &str) -> Vec<Case> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reading")
        .join(file);
    let table = std::fs::read_to_string(path).unwrap();
    let case = |line: &str| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap().to_owned();
        Case {
            kind: next(),
            written: unescaped(&next()),
            said: next(),
        }
    };
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(case)
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (len, c) = match rest.as_bytes()[at + 1] {
            b'n' => (0, '\n'),
            b'u' => (4, ' '),
            b'U' => (8, ' '),
            other => panic!("what is \\{}?", char::from(other)),
        };
        let digits = &rest[at + 2..at + 2 + len];
        plain.push(match len {
            0 => c,
            _ => char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap(),
        });
        rest = &rest[at + 2 + len..];
    }
    plain + rest
}

/// Lower case, pauses as "," and ends of sentences as "|", nothing else but words.
fn heard(said: &str) -> String {
    let mut heard = String::new();
    for c in said.to_lowercase().chars() {
        match c {
            ',' | ';' | ':' | '—' | '–' => heard.push_str(" , "),
            '.' | '!' | '?' | '…' => heard.push_str(" | "),
            '’' | '\'' => heard.push('\''),
            '"' | '“' | '”' | '‘' | '(' | ')' | '[' | ']' | '«' | '»' => {}
            _ => heard.push(c),
        }
    }
    let mut words: Vec<&str> = Vec::new();
    for word in heard.split_whitespace() {
        let word = match word {
            "|" | "," => word,
            _ => word.trim_matches('\''),
        };
        if word.is_empty() {
            continue;
        }
        // A pause at the end of a sentence is none.
        match (words.last().copied(), word) {
            (Some("|" | ","), ",") | (None, "," | "|") | (Some("|"), "|") => {}
            (Some(","), "|") => *words.last_mut().unwrap() = "|",
            _ => words.push(word),
        }
    }
    while words.last() == Some(&"|") {
        words.pop();
    }
    words.join(" ")
}

/// The lines that are not read as they should be, as a report.
fn wrong(file: &str) -> (usize, Vec<String>) {
    let cases = cases(file);
    let mut wrong = Vec::new();
    for case in &cases {
        let source = &case.written;
        let format = super::super::PlainText;
        let document = super::super::Format::parse(&format, source);
        let cut = super::super::segment(source, &document, "en", &super::super::Limits::default());
        let said: Vec<String> = cut
            .segments
            .iter()
            .map(|segment| {
                apply(
                    &segment.text,
                    &read(
                        &segment.text,
                        "en-US",
                        &Taste::default(),
                        &Lexicon::default(),
                    ),
                )
                .into_owned()
            })
            .collect();
        let said = said.join(" | ");
        if heard(&said) != heard(&case.said) {
            wrong.push(format!(
                "{}\t{source}\n  said:   {}\n  wanted: {}",
                case.kind,
                heard(&said),
                heard(&case.said)
            ));
        }
    }
    (cases.len(), wrong)
}

#[test]
fn what_is_written_is_said_as_a_reader_would() {
    for file in ["english.tsv", "fresh.tsv", "found.tsv"] {
        let (all, wrong) = wrong(file);
        println!("{file}: {} of {all} are wrong", wrong.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Bits of text that rules stumble over.
const BITS: &[&str] = &[
    " ",
    " ",
    " ",
    "word",
    "He",
    "Dr",
    ".",
    "U.S.",
    "A",
    "I",
    "IV",
    "VIII",
    "Henry",
    "chapter",
    "12",
    "1905",
    "007",
    "3",
    "1/2",
    "½",
    "²",
    "%",
    "$",
    "£",
    "€",
    "-",
    "–",
    "—",
    "--",
    ",",
    ":",
    ";",
    "!",
    "?",
    "'",
    "’",
    "“",
    "”",
    "(",
    ")",
    "km",
    "h",
    "kg",
    "/",
    "@",
    "example.org",
    "https://a.bc/d",
    "www.",
    "#",
    "&",
    "+",
    "=",
    "<",
    ">",
    "×",
    "~",
    "*",
    "_",
    "→",
    "🚤",
    "\u{FE0F}",
    "\u{200D}",
    "July",
    "Jan",
    "in",
    "p.m.",
    "AM",
    "st",
    "th",
    "s",
    "million",
    "bn",
    "FBI",
    "CO2",
    "NO",
    "STOP",
    "é",
    "e\u{301}",
    "ﬃ",
    "①",
    "ᴛ",
    "東",
    ":-)",
    "00",
    ".5",
    "°",
    "C",
    "F",
    "no",
    "St",
    "vs",
    "v",
    "ed",
    "5'10\"",
];

fn text() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(BITS), 0..12).prop_map(|bits| bits.concat())
}

use proptest::prelude::*;

proptest! {
    #[test]
    fn whatever_is_written_is_read_once(text in text(), british in any::<bool>()) {
        invariants::check(&text, if british { "en-GB" } else { "en-US" });
    }

    #[test]
    fn any_text_is_read_once_and_any_lexicon_is_read_or_refused(text in ".{0,40}") {
        invariants::check_bytes(text.as_bytes());
    }
}

/// Each of these was a square of its length for one way of looking around, or would be.
#[test]
fn hostile_sentences_take_time_in_line_with_their_length() {
    for bit in [
        "1", "1,", "-", "U.", "[[", "WAS ", "’5", ")", "p.m.)", "a.b/", "IV ", "$1-", "😀",
        "e\u{301}", "A", "(((",
    ] {
        let time = |times: usize| {
            let text = bit.repeat(times);
            let begun = std::time::Instant::now();
            let edits = read(&text, "en-US", &Taste::default(), &Lexicon::default());
            assert!(apply(&text, &edits).len() <= 80 + 40 * text.len());
            begun.elapsed()
        };
        let (short, long) = (time(500), time(8_000));
        // Sixteen times the length; the square would be 256 times the time.
        assert!(
            long < short * 100 + std::time::Duration::from_millis(50),
            "{bit:?}: {short:?}, {long:?}"
        );
    }
}

#[test]
fn taste_decides_where_readers_differ() {
    let said = |text: &str, language: &str, taste: Taste| {
        let edits = read(text, language, &taste, &Lexicon::default());
        apply(text, &edits).into_owned()
    };
    let usual = Taste::default();
    let whole = Taste {
        years: Years::Numbers,
        urls: Urls::Whole,
        emoji: Emoji::Named,
        ..usual
    };
    let silent = Taste {
        urls: Urls::Silent,
        addresses: Addresses::Silent,
        dates: Dates::DayFirst,
        ..usual
    };
    let notes = Taste {
        note_marks: NoteMarks::Spoken,
        ..usual
    };
    for (text, taste, expected) in [
        (
            "In 1492 at a.org/b 🚤.",
            whole,
            "In one thousand four hundred ninety-two at a dot org slash b speedboat.",
        ),
        ("See a.org/b or k@a.org now.", silent, "See or now."),
        (
            "On 5/4/2024.",
            silent,
            "On April fifth, twenty twenty-four.",
        ),
        ("On 5/4/2024.", usual, "On May fourth, twenty twenty-four."),
        (
            "Out.¹² He[3] left.",
            notes,
            "Out. Note twelve. He, note three, left.",
        ),
    ] {
        assert_eq!(said(text, "en-US", taste), expected);
    }
    for (text, expected) in [
        (
            "On 5/4/2024 he had 105 km.",
            "On the fifth of April twenty twenty-four he had one hundred and five kilometres.",
        ),
        ("On July 4.", "On July the fourth."),
    ] {
        assert_eq!(said(text, "en-GB", usual), expected);
    }
    // In a sentence of capitals, those that tell something stay.
    for (text, expected) in [
        (
            "O'NEILL WINS THE NASA PRIZE.",
            "O'Neill wins the NASA prize.",
        ),
        (
            "WHY VITAMIN A IS A MUST AT SIX O'CLOCK.",
            "Why vitamin A is a must at six o'clock.",
        ),
    ] {
        assert_eq!(said(text, "en-US", usual), expected);
    }
    // Without rules only letters in other clothes are read otherwise.
    assert_eq!(
        said("Im ﬁnstern 12. Mai 1492", "de", usual),
        "Im finstern 12. Mai 1492"
    );
}
