//! Words in a script that the voice's language is not written in. eSpeak reads some of them in
//! their own language; of others it names the letters, or says "Chinese letter" for each, which
//! nobody wants to listen to, and nobody would find before listening.

use unic_langid::LanguageIdentifier;
use unicode_script::{Script, UnicodeScript};

/// A word that the language has no letters for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign<'t> {
    pub(super) word: &'t str,
    /// That of its first letter.
    pub(super) script: Script,
}

/// The words of a text in scripts that this language, a BCP 47 tag, is not written in. Latin is at
/// home everywhere, and a single letter of an alphabet is a name: α, but not 天.
pub(super) fn foreign<'t>(text: &'t str, language: &str) -> Vec<Foreign<'t>> {
    if text.is_ascii() {
        return Vec::new();
    }
    let own = scripts(language);
    if own.is_empty() {
        return Vec::new();
    }
    let is_foreign = |letter: char| {
        let script = letter.script();
        // Common and inherited: what many scripts share.
        !matches!(
            script,
            Script::Latin | Script::Common | Script::Inherited | Script::Unknown
        ) && !own.contains(&script)
    };
    // Marks and signs between letters belong to no script of their own.
    let mut words = Vec::new();
    for run in text.split(|c: char| !is_foreign(c) && c.script() != Script::Inherited) {
        let mut letters = run.chars().filter(|c| is_foreign(*c));
        let Some(script) = letters.next().map(|first| first.script()) else {
            continue;
        };
        if is_syllabic(script) || letters.next().is_some() {
            words.push(Foreign { word: run, script });
        }
    }
    words
}

/// Whether there is anything to read in a text beside these words.
pub(super) fn has_more(text: &str, words: &[&str]) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    letters(text) > words.iter().map(|word| letters(word)).sum()
}

/// Whether eSpeak has read a word in a language that is written in this script; it marks those words
/// as `(el)word(en)`.
pub(super) fn is_read(ipa: &str, script: Script) -> bool {
    let mut flags = ipa
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    flags.any(|(language, _)| scripts(language).contains(&script))
}

/// The scripts that a language is written in; none if that is not known.
pub(super) fn scripts(language: &str) -> Vec<Script> {
    // eSpeak has variants that are no tags, such as `en-gb-x-rp`.
    let language = match language.split(['-', '_']).next() {
        // Unicode knows Mandarin by the name of all Chinese.
        Some("cmn") => "zh",
        Some(language) => language,
        None => return Vec::new(),
    };
    let Ok(mut tag) = language.parse::<LanguageIdentifier>() else {
        return Vec::new();
    };
    tag.maximize();
    match tag
        .script
        .as_ref()
        .map(unic_langid::subtags::Script::as_str)
    {
        None => Vec::new(),
        Some("Hans" | "Hant") => vec![Script::Han, Script::Bopomofo],
        Some("Jpan") => vec![Script::Han, Script::Hiragana, Script::Katakana],
        Some("Kore") => vec![Script::Hangul, Script::Han],
        Some(script) => Script::from_short_name(script).into_iter().collect(),
    }
}

/// Whether one sign is a syllable or a word.
fn is_syllabic(script: Script) -> bool {
    use Script::{Ethiopic, Han, Hangul, Hiragana, Katakana};
    matches!(script, Ethiopic | Han | Hangul | Hiragana | Katakana)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
        let words = foreign(text, language).into_iter();
        words.map(|foreign| foreign.word).collect()
    }

    #[test]
    fn words_in_other_scripts_are_found() {
        assert_eq!(
            words("The tower in 東京, or Москва́ and 天.", "en-US"),
            ["東京", "Москва́", "天"]
        );
        assert_eq!(
            words("naïve café, 5 µm, α and β, 😀 x² → y ½", "en-US"),
            [""; 0]
        );
        assert_eq!(words("Война и мир, War and Peace", "ru-RU"), [""; 0]);
        assert_eq!(words("春天来了 はる", "zh-CN"), ["はる"]);
        assert_eq!(words("春天来了 はる", "cmn"), ["はる"]);
        assert_eq!(words("春天 はる", "ja"), [""; 0]);
        assert_eq!(words("東京", "xx"), [""; 0]);
        assert_eq!(words("東京", ""), [""; 0]);
    }

    #[test]
    fn what_else_there_is_to_read_is_seen() {
        for (text, has) in [
            ("東京!", false),
            ("«東京» 2026", true),
            ("東京 … はる", false),
        ] {
            let words = words(text, "en");
            assert_eq!(has_more(text, &words), has, "{text}");
        }
    }

    #[test]
    fn a_word_that_was_read_in_its_own_language_has_its_flag() {
        assert!(is_read("(ko)pˈomi wˈɐt-t-ɐ(en-us)", Script::Hangul));
        assert!(is_read("(el)jˈa su(de)", Script::Greek));
        // The names of its letters, in English.
        assert!(!is_read("kyːrˈɪlɪʃ(en)pˈɛː(de)", Script::Cyrillic));
        assert!(!is_read("tʃˈaɪniːzlˌɛɾɚ", Script::Han));
    }
}
