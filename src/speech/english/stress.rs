//! Stress in Kokoro's alphabet: a mark before the vowel that has it, not before the syllable.

/// The vowels, diphthongs with them.
const VOWELS: &str = "AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻɐoeᵊ";
/// Vowels that are two in one.
const DIPHTHONGS: &str = "AIOQWYʤʧ";

pub(super) const FIRST: char = 'ˈ';
pub(super) const SECOND: char = 'ˌ';

pub(super) fn is_vowel(c: char) -> bool {
    VOWELS.contains(c)
}

/// Whether the first sound is a vowel; `None` where there is none. The weak ɐ of "a" and "an" asks for no other
/// form of the word before it, and is passed over: so it is in what Kokoro was taught with.
pub(super) fn begins_with_vowel(phonemes: &str) -> Option<bool> {
    let mut sounds = phonemes
        .chars()
        .filter(|c| c.is_alphabetic() && !is_mark(*c));
    sounds.find(|c| *c != 'ɐ').map(is_vowel)
}

fn is_mark(c: char) -> bool {
    matches!(c, FIRST | SECOND | 'ː')
}

/// Gives a word some stress that has none.
pub(super) fn give_second(phonemes: &str) -> String {
    if phonemes.contains([FIRST, SECOND]) {
        return phonemes.to_owned();
    }
    put(SECOND, phonemes)
}

/// Gives a word full stress that has less.
pub(super) fn give_first(phonemes: &str) -> String {
    if phonemes.contains(FIRST) {
        phonemes.to_owned()
    } else if phonemes.contains(SECOND) {
        phonemes.replacen(SECOND, "ˈ", 1)
    } else {
        put(FIRST, phonemes)
    }
}

/// Takes some of the stress off a word that has full stress.
pub(super) fn lower(phonemes: &str) -> String {
    if !phonemes.contains(FIRST) {
        return phonemes.to_owned();
    }
    let marks = phonemes.chars().filter(|c| *c != SECOND);
    marks.map(|c| if c == FIRST { SECOND } else { c }).collect()
}

/// A mark before the first vowel, if there is one.
fn put(mark: char, phonemes: &str) -> String {
    let Some(at) = phonemes.find(is_vowel) else {
        return phonemes.to_owned();
    };
    let (before, behind) = phonemes.split_at(at);
    format!("{before}{mark}{behind}")
}

/// How long a word sounds, about.
fn weight(phonemes: &str) -> usize {
    let weight = |c| if DIPHTHONGS.contains(c) { 2 } else { 1 };
    phonemes.chars().map(weight).sum()
}

/// Leaves the parts of one word with stress on about half of them: the lighter ones have less of it. Behind a
/// single letter ("T-shirt") it is the second part that has less.
pub(super) fn balance(parts: &mut [String], begins_with_letter: bool) {
    let mut order: Vec<usize> = (0..parts.len())
        .filter(|at| !parts[*at].is_empty())
        .collect();
    if let ([_, second], true) = (order.as_slice(), begins_with_letter) {
        parts[*second] = lower(&parts[*second]);
        return;
    }
    let is_full = |at: &usize| parts[*at].contains(FIRST);
    let full = order.iter().filter(|at| is_full(at)).count();
    if order.len() < 2 || full <= order.len().div_ceil(2) {
        return;
    }
    order.sort_by_key(|at| (is_full(at), weight(&parts[*at]), *at));
    for at in &order[..order.len() / 2] {
        parts[*at] = lower(&parts[*at]);
    }
}

/// Letters said one after the other, the last with the most stress.
pub(super) fn spelled(letters: &[&str]) -> String {
    let letters: String = letters.iter().map(|letter| lower(letter)).collect();
    match letters.rfind(SECOND) {
        None => letters,
        Some(at) => {
            let behind = &letters[at + SECOND.len_utf8()..];
            format!("{}{FIRST}{behind}", &letters[..at])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stress_stands_before_the_vowel() {
        assert_eq!(give_second("hi"), "hˌi");
        assert_eq!(give_first("ænd"), "ˈænd");
        assert_eq!(give_first("ˌɔn"), "ˈɔn");
        assert_eq!(give_first("s"), "s");
        assert_eq!(spelled(&["ˈɛf", "bˈi", "ˈI"]), "ˌɛfbˌiˈI");
        assert_eq!(spelled(&["dˈʌbᵊljˌu"]), "dˈʌbᵊlju");
    }

    #[test]
    fn a_word_of_several_has_about_half_of_their_stress() {
        let balanced = |parts: &[&str], begins_with_letter| {
            let mut parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            balance(&mut parts, begins_with_letter);
            parts.concat()
        };
        assert_eq!(balanced(&["wˈɛl", "nˈOn"], false), "wˌɛlnˈOn");
        assert_eq!(balanced(&["tˈi", "ʃˈɜɹt"], true), "tˈiʃˌɜɹt");
        let seven_year_old = ["sˈɛvən", "jˈɪɹ", "ˈOld"];
        assert_eq!(balanced(&seven_year_old, false), "sˈɛvənjˌɪɹˈOld");
        let art = ["stˈAt", "ʌv", "ði", "ˈɑɹt"];
        assert_eq!(balanced(&art, false), "stˈAtʌvðiˈɑɹt");
    }
}
