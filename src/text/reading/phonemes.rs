//! Phonemes that stand in a text between `[[` and `]]`, as Piper has them. They are said as they stand,
//! and no rule reads them. Other words between such marks, as note-takers link them, are words.

use std::ops::Range;

use super::edits::Edit;

/// The longest stretch of phonemes, in bytes.
const LONGEST: usize = 400;

/// Letters that nothing but phonemes have.
const SURE: &str = "ˈˌːɪʊɑʃɹɡɜɒɐɾʔɲʎʁɫɚɝʌʍɥɦɟɱɳɻɽʂʈʐʑʕʙʜʟɬɮɯɰɤɵɶɘɞɨʉ";
/// Letters that some languages write as well.
const LIKELY: &str = "əɛɔæðθŋʒɣβχ";

/// Whether these are phonemes: `fəˈnɛtɪks`, and no words of a language.
pub(crate) fn are_phonemes(words: &str) -> bool {
    if words.len() > LONGEST || words.contains(['[', ']', '|', '\n']) {
        return false;
    }
    let sure = words.contains(|c| SURE.contains(c));
    let others = words.contains(|c: char| c.is_uppercase() || is_greek(c));
    let likely = words.contains(|c| LIKELY.contains(c)) && !others;
    // A name beside a letter of the alphabet of phonemes: "The letter ə".
    let is_plain = |word: &str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
    (sure || likely) && !words.split_whitespace().any(is_plain)
}

/// Letters of Greek words, those that phonemes borrow set aside.
fn is_greek(c: char) -> bool {
    matches!(c, '\u{386}'..='\u{3CE}') && !"βθχ".contains(c)
}

/// Where phonemes stand in a text, their marks with them, and what is said for other pairs of the marks:
/// what is between them.
pub(super) fn find(text: &str) -> (Vec<Range<usize>>, Vec<Edit>) {
    let (mut phonemes, mut others) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(close) = text[at..].find("]]").map(|found| at + found) {
        let end = close + 2;
        // Of several marks that open the last is meant.
        if let Some(open) = text[at..close].rfind("[[").map(|found| at + found) {
            if are_phonemes(&text[open + 2..close]) {
                phonemes.push(open..end);
            } else {
                others.push(Edit::new(open..open + 2, ""));
                others.push(Edit::new(close..end, ""));
            }
        }
        at = end;
    }
    (phonemes, others)
}

#[cfg(test)]
mod tests {
    use super::super::edits::apply;
    use super::*;

    #[test]
    fn phonemes_are_told_from_links() {
        let text = "A [[fəˈnɛt]] and [[Old Pier]], [[ and ]] or [[";
        let (phonemes, others) = find(text);
        assert_eq!(phonemes.len(), 1);
        assert_eq!(&text[phonemes[0].clone()], "[[fəˈnɛt]]");
        assert_eq!(
            apply(text, &others),
            "A [[fəˈnɛt]] and Old Pier,  and  or [["
        );
    }

    #[test]
    fn phonemes_are_told_from_names() {
        for words in ["fəˈnɛtɪks", "kæt", "ðə kæt", "h@ˈloʊ"] {
            assert!(are_phonemes(words), "{words}");
        }
        for words in [
            "Old Pier",
            "Færøerne",
            "θεός",
            "The letter ə",
            "Café",
            "naïve",
            "façade",
            "garçon",
            "cœur",
            "smørrebrød",
            "François",
            "Ægir",
        ] {
            assert!(!are_phonemes(words), "{words}");
        }
    }
}
