//! Tells whether a line that stands alone in a plain text is a heading. It must be shy: a
//! sentence taken for a heading is spoken all the same, but it spoils the list of chapters.

use super::super::numerals::{is_number_word, roman};

/// Words that open a heading, in the languages of common voices.
const OPENERS: &[&str] = &[
    "chapter",
    "part",
    "book",
    "volume",
    "act",
    "scene",
    "canto",
    "section",
    "prologue",
    "epilogue",
    "preface",
    "introduction",
    "foreword",
    "afterword",
    "appendix",
    "interlude",
    "kapitel",
    "teil",
    "buch",
    "abschnitt",
    "prolog",
    "epilog",
    "vorwort",
    "nachwort",
    "einleitung",
    "chapitre",
    "partie",
    "livre",
    "acte",
    "scène",
    "épilogue",
    "préface",
    "capítulo",
    "parte",
    "libro",
    "prólogo",
    "epílogo",
    "capitolo",
    "prologo",
    "epilogo",
    "hoofdstuk",
    "deel",
    "rozdział",
    "глава",
    "часть",
];

/// Longest heading, in characters.
const MOST: usize = 90;

/// True for a line that may be a title if it stands first: short, with words, and not ending
/// like a sentence.
pub(super) fn could_be_title(line: &str) -> bool {
    let line = line.trim();
    let stops = ['.', ',', ';', ':', '…'];
    let closing_quotes = ['”', '"', '»', '’', '\''];
    let ends_like_a_sentence = line.ends_with(stops) || line.ends_with(closing_quotes);
    line.chars().nth(MOST).is_none() && has_words(line) && !ends_like_a_sentence
}

/// True for "Chapter 3", "CHAPTER III — The Road", "Part Two: Rain.", "IV.", "12".
pub(super) fn is_chapter(line: &str) -> bool {
    let line = line.trim();
    if line.chars().nth(MOST).is_some() || !has_words(line) {
        return false;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let first = bare(words[0]).to_lowercase();
    if !OPENERS.contains(&first.as_str()) {
        return words.len() == 1 && is_number(bare(words[0]));
    }
    // "Part of me knew it" begins like a heading, so what follows the opener must number it,
    // or nothing may follow but what a sign sets off.
    let set_off = |word: &str| word.ends_with([':', '.', '—', '–']) || !has_words(word);
    match words.get(1) {
        None => true,
        Some(second) => set_off(words[0]) || is_number(bare(second)) || set_off(second),
    }
}

fn has_words(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}

/// The word without the signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Digits (up to four), a Roman numeral, or a number word in English.
fn is_number(word: &str) -> bool {
    let digits = (1..=4).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    let lower = word.to_lowercase();
    let is_word =
        |part: &str| is_number_word(part) || matches!(part, "first" | "second" | "third" | "last");
    digits || is_roman(word) || lower.split('-').all(is_word)
}

/// A Roman numeral as people write them, all in capitals. A single C, D, L or M is more likely
/// an initial or a stray letter.
fn is_roman(word: &str) -> bool {
    const MOST: u64 = 399;
    !matches!(word, "C" | "L") && roman(word).is_some_and(|number| number <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters() {
        let yes = [
            "Chapter 3",
            "CHAPTER III — The Road",
            "Part Two: Rain.",
            "IV.",
            "12",
            "Prologue",
            "Kapitel 7",
            "Epilogue.",
            "Book I",
            "Chapter Twenty-One",
            "XLII",
            "Prologue: The Sea",
            "Introduction — Why",
        ];
        let no = [
            "Part of me knew it",
            "Scene of the crime",
            "Hello there",
            "12345",
            "C",
            "***",
            "He left.",
            "Book now",
            "MIX-UP",
            "Civil",
            "IIII",
            "",
        ];
        for line in yes {
            assert!(is_chapter(line), "{line}");
        }
        for line in no {
            assert!(!is_chapter(line), "{line}");
        }
    }

    #[test]
    fn titles() {
        for line in [
            "The Lighthouse Keeper",
            "Who Goes There?",
            "1984",
            "Die Glocke!",
        ] {
            assert!(could_be_title(line), "{line}");
        }
        for line in [
            "It was late.",
            "“Hello,” he said, “come in.”",
            "***",
            "Dear Tom,",
            "",
        ] {
            assert!(!could_be_title(line), "{line}");
        }
    }
}
