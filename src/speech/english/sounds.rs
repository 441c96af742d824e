//! Phonemes that a user gives, as eSpeak and dictionaries write them, in Kokoro's alphabet: a diphthong is one
//! letter, and stress stands before the vowel, not before the syllable.

use super::Dialect;
use super::stress::{FIRST, SECOND, is_vowel};

/// What is written as several letters and is one in the alphabet, or otherwise; the longer come first.
const BOTH: &[(&str, &str)] = &[
    ("t͡ʃ", "ʧ"),
    ("d͡ʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("dʒ", "ʤ"),
    ("eɪ", "A"),
    ("aɪ", "I"),
    ("aʊ", "W"),
    ("ɔɪ", "Y"),
    ("oɪ", "Y"),
    ("r", "ɹ"),
    ("g", "ɡ"),
    ("ɫ", "l"),
    ("l̩", "ᵊl"),
    ("n̩", "ᵊn"),
    ("m̩", "ᵊm"),
];
const AMERICAN: &[(&str, &str)] = &[
    ("ɜːɹ", "ɜɹ"),
    ("ɜːr", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɝ", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("oʊ", "O"),
    ("əʊ", "O"),
    ("oː", "ɔ"),
    ("o", "O"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("ɒ", "ɑ"),
    ("a", "æ"),
    ("e", "ɛ"),
    ("ɐ", "ə"),
    ("ː", ""),
    (".", ""),
];
const BRITISH: &[(&str, &str)] = &[
    ("əʊ", "Q"),
    ("oʊ", "Q"),
    ("eə", "ɛː"),
    ("ɛə", "ɛː"),
    ("e", "ɛ"),
    ("æ", "a"),
    ("ɝ", "ɜː"),
    ("ɚ", "ə"),
    ("oː", "ɔː"),
    ("o", "ɒ"),
    ("ɾ", "t"),
    ("ʔ", "t"),
    ("ᵻ", "ɪ"),
    ("ɐ", "ə"),
    (".", ""),
];

/// Other letters that the alphabet has.
const OTHERS: &str =
    "bcdfhijkmnpqstuvwxzlɑɔəɛɜɪʊʌæaɒᵊᵻðθʃʒʤʧŋɡɹβçɕɖɟɣɥɨɯɰɲɳɴøœɸɻʁɽʂʈʋɤχʎʝʰʲːAIOQWYT ";

/// The phonemes in the alphabet, and what of them it does not have.
pub(super) fn in_the_alphabet(phonemes: &str, dialect: Dialect) -> (String, String) {
    let own = match dialect {
        Dialect::American => AMERICAN,
        Dialect::British => BRITISH,
    };
    let (mut put, mut unknown) = (String::new(), String::new());
    let mut stress = None;
    let mut rest = phonemes.trim();
    while let Some(c) = rest.chars().next() {
        let all = || BOTH.iter().chain(own);
        let known = all().filter(|(written, _)| rest.starts_with(written));
        let (written, sound) = match known.max_by_key(|(written, _)| written.len()) {
            Some((written, sound)) => (written.len(), (*sound).to_owned()),
            None => (c.len_utf8(), c.to_string()),
        };
        rest = &rest[written..];
        match c {
            FIRST | SECOND => stress = Some(c),
            '\'' => stress = Some(FIRST),
            // Ties, and marks of tone and the like.
            '\u{361}' | '|' | '-' | '_' => {}
            _ if sound.chars().all(|c| OTHERS.contains(c)) => {
                if sound.starts_with(is_vowel) {
                    put.extend(stress.take());
                }
                put.push_str(&sound);
            }
            _ => unknown.push_str(&sound),
        }
    }
    (put, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_writes_is_put_in_the_alphabet() {
        let american = |ipa| in_the_alphabet(ipa, Dialect::American).0;
        assert_eq!(american("fəˈniːmz"), "fənˈimz");
        assert_eq!(american("ˈtʃɜːtʃ"), "ʧˈɜɹʧ");
        assert_eq!(american("ˌoʊkˈeɪ"), "ˌOkˈA");
        assert_eq!(american("ˈwɔːɾɚ"), "wˈɔTəɹ");
        let british = |ipa| in_the_alphabet(ipa, Dialect::British).0;
        assert_eq!(british("ɡˈəʊt kæt"), "ɡˈQt kat");
        assert_eq!(british("skweə"), "skwɛː");
        assert_eq!(in_the_alphabet("ʘa", Dialect::British).1, "ʘ");
    }
}
