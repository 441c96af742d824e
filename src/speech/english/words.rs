//! How a single word is said: as it is listed, as a form of one that is, by its letters or digits, or as the
//! model for unknown words reads it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use super::endings::{self, Ending};
use super::tokens::is_of_a_word;
use super::{Dialect, English, digits, stress};
use crate::speech::SpeechError;
use crate::text::reading::cardinal;

/// What is said behind a word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// Whether it begins with a vowel; `None` at a pause.
    pub vowel: Option<bool>,
    /// Whether it is "to".
    pub to: bool,
}

impl English {
    /// A word that is listed, or made of one that is.
    pub(super) fn word(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        if word.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(phonemes) = self.small(word, tag, context) {
            return Some(phonemes);
        }
        if is_initialism(word) {
            let listed = self.listed(word, tag, context);
            return listed.or_else(|| self.initialism(word));
        }
        if is_all_capitals(word) && !self.lexicon.has(word) {
            return self.capitals(word, tag, context);
        }
        let found = self.listed(word, tag, context);
        let found = found.or_else(|| self.formed(word, tag, context));
        found.or_else(|| {
            let plain = plain(word);
            let is_same_word = plain != word && has_only_diaereses(word);
            is_same_word
                .then(|| self.word(&plain, tag, context))
                .flatten()
        })
    }

    /// A word in capitals that is not listed so: what it is in small letters, if it is no name that happens to
    /// look like a word, or its letters. A long one that is neither is not known.
    fn capitals(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        /// Names of more letters are said as words.
        const MOST_LETTERS: usize = 3;
        /// More letters are never said one by one.
        const MOST_SPELLED: usize = 5;
        let length = word.chars().filter(|c| c.is_alphabetic()).count();
        let is_short = word.contains('\'');
        let is_name = tag.starts_with("NNP") && length <= MOST_LETTERS && !is_short;
        let lower = word.to_lowercase();
        let listed = self.lexicon.get(&lower).and_then(|entry| {
            let phonemes = entry.reading(tag, context.vowel.is_none())?;
            let is_likely = !is_name || (entry.is_gold && phonemes.contains(stress::FIRST));
            is_likely.then(|| phonemes.to_owned())
        });
        let formed = || self.formed(&lower, tag, context).filter(|_| !is_name);
        match listed.or_else(formed) {
            Some(phonemes) => Some(stress::give_first(&phonemes)),
            None if length <= MOST_SPELLED || is_short => self.spelled_form(word, tag, context),
            None => None,
        }
    }

    /// The letters of a word, with an ending that is none of them: "BBC's".
    fn spelled_form(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        self.formed(word, tag, context)
            .filter(|_| word.contains('\''))
            .or_else(|| self.spelled(word))
    }

    /// A form of a word that is listed.
    pub(super) fn formed(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let formed = endings::stems(word).into_iter().find_map(|(stem, ending)| {
            // "CIA's", "IBMs".
            let phonemes = if is_all_capitals(&stem) && ending == Ending::S {
                self.word(&stem, tag, context)
            } else {
                self.listed(&stem, tag, context)
            };
            Some(ending.behind(&phonemes?, self.dialect))
        });
        formed.or_else(|| {
            let (stem, verb) = endings::contraction(word)?;
            let phonemes = self.listed(stem, tag, context)?;
            Some(endings::contracted(&phonemes, verb))
        })
    }

    /// What is listed for a word, with the stress that its capitals give it.
    pub(super) fn listed(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let entry = self.lexicon.get(word)?;
        let Some(phonemes) = entry.reading(tag, context.vowel.is_none()) else {
            return self.spelled(word);
        };
        let is_name = tag.starts_with("NNP") && is_all_capitals(word);
        if is_name && !(entry.is_gold && phonemes.contains(stress::FIRST)) {
            return self.spelled(word);
        }
        Some(match word.chars().next() {
            _ if is_all_capitals(word) => stress::give_first(phonemes),
            Some(first) if first.is_uppercase() => stress::give_second(phonemes),
            _ => phonemes.to_owned(),
        })
    }

    /// Small words that sound as what follows them asks for.
    fn small(&self, word: &str, tag: &str, context: Context) -> Option<String> {
        let is_name = tag.starts_with("NNP") && is_all_capitals(word);
        let long = match self.dialect {
            Dialect::American => "",
            Dialect::British => "ː",
        };
        let said = match word {
            "the" | "The" | "THE" if context.vowel == Some(true) => "ði".to_owned(),
            "the" | "The" | "THE" => "ðə".to_owned(),
            "a" | "A" if tag == "DT" => "ɐ".to_owned(),
            "a" | "A" => "ˈA".to_owned(),
            "an" | "An" | "AN" if !is_name => "ɐn".to_owned(),
            "I" if tag == "PRP" => "ˌI".to_owned(),
            "am" | "Am" | "AM" if !is_name && context.vowel.is_some() => "ɐm".to_owned(),
            "to" | "To" | "TO" if matches!(tag, "TO" | "IN") => match context.vowel {
                None => return None,
                Some(true) => "tʊ".to_owned(),
                Some(false) => "tə".to_owned(),
            },
            "in" | "In" | "IN" if !is_name => if context.vowel.is_none() || tag != "IN" {
                "ˈɪn"
            } else {
                "ɪn"
            }
            .to_owned(),
            "used" | "Used" => {
                let is_habit = context.to && matches!(tag, "VBD" | "JJ");
                if is_habit {
                    format!("jˈu{long}st")
                } else {
                    format!("jˈu{long}zd")
                }
            }
            "St" => return self.listed("Saint", tag, context),
            "vs" | "Vs" | "vs." => return self.listed("versus", tag, context),
            _ => return None,
        };
        Some(said)
    }

    /// Letters with points between them, and the ending behind them: "U.S.A.", "D.V.D's".
    fn initialism(&self, word: &str) -> Option<String> {
        let ending = word.strip_suffix("'s").or_else(|| word.strip_suffix('s'));
        match ending.filter(|letters| letters.ends_with(char::is_uppercase)) {
            Some(letters) => Some(Ending::S.behind(&self.spelled(letters)?, self.dialect)),
            None => self.spelled(word),
        }
    }

    /// The letters of a word by their names.
    fn spelled(&self, word: &str) -> Option<String> {
        let letters = word.chars().filter(|c| c.is_alphabetic());
        let letters: Option<Vec<&str>> = letters
            .map(|letter| {
                let name = letter.to_uppercase().collect::<String>();
                self.lexicon.get(&name)?.reading("NN", false)
            })
            .collect();
        letters
            .filter(|letters| !letters.is_empty())
            .map(|letters| stress::spelled(&letters))
    }

    /// A word that no list has; empty if nothing can be said for it.
    pub(super) fn unlisted(&self, word: &str) -> Result<String, SpeechError> {
        if !is_readable(word) {
            return Ok(String::new());
        }
        if word.contains(|c: char| c.is_ascii_digit()) {
            return self.with_digits(word);
        }
        let is_letter = word.chars().nth(1).is_none() || word.eq_ignore_ascii_case("www");
        if let Some(spelled) = is_letter.then(|| self.spelled(word)).flatten() {
            return Ok(spelled);
        }
        let lower = Some(word).filter(|word| is_all_capitals(word));
        let lower = lower.map(str::to_lowercase);
        let word = lower.as_deref().unwrap_or(word);
        let word = &self.unknown.in_its_letters(word, plain);
        // A name sounds as it does alone.
        if let Some(owner) = word
            .strip_suffix("'s")
            .filter(|owner| owner.contains(char::is_alphabetic))
        {
            let phonemes = match self.word(owner, "NNP", Context::default()) {
                Some(known) => known,
                None => self.unknown.read(owner)?,
            };
            if !phonemes.is_empty() {
                return Ok(Ending::S.behind(&phonemes, self.dialect));
            }
        }
        let phonemes = self.unknown.read(word)?;
        if phonemes.contains(stress::is_vowel) {
            return Ok(phonemes);
        }
        Ok(self.spelled(&plain(word)).unwrap_or(phonemes))
    }

    /// Digits, and the letters among them.
    fn with_digits(&self, word: &str) -> Result<String, SpeechError> {
        let mut said: Vec<String> = Vec::new();
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let is_number = first.is_ascii_digit();
            let belongs = |c: char| {
                if is_number {
                    c.is_ascii_digit() || c == '.' || c == ','
                } else {
                    !c.is_ascii_digit()
                }
            };
            let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
            let (run, behind) = rest.split_at(length);
            rest = behind;
            if is_number {
                let mut words = digits::words(run);
                if let Some(ending) = ["st", "nd", "rd", "th"]
                    .iter()
                    .find(|ending| rest == **ending)
                {
                    words = cardinal::place(&words);
                    rest = &rest[ending.len()..];
                }
                said.push(self.phrase(&words, Context::default())?);
            } else if run == "⁄" {
                said.push(self.phrase("over", Context::default())?);
            } else if let ("s" | "'s", Some(last)) = (run, said.last_mut()) {
                *last = Ending::S.behind(last, self.dialect);
            } else {
                // "A4" begins with no article.
                if run == "A" {
                    said.push("ˈA".to_owned());
                    continue;
                }
                let run = run.trim_matches(|c| !is_of_a_word(c));
                let is_short = run.chars().count() < 3;
                let known = self
                    .word(run, "NN", Context::default())
                    .filter(|_| !is_short);
                let phonemes = match known.or_else(|| self.spelled(run)) {
                    Some(known) => known,
                    None => self.unknown.read(run)?,
                };
                said.push(phonemes);
            }
        }
        said.retain(|part| !part.is_empty());
        Ok(said.join(" "))
    }
}

/// Whether its letters are those that English is written with.
fn is_readable(word: &str) -> bool {
    let is_latin = |c: char| {
        matches!(
            c.script(),
            Script::Latin | Script::Common | Script::Inherited
        )
    };
    let is_digit = |c: char| !c.is_numeric() || c.is_ascii_digit();
    word.chars().all(|c| is_latin(c) && is_digit(c))
}

/// A word without accents, in letters that English has.
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ł' => plain.push('l'),
            'Ł' => plain.push('L'),
            'ø' => plain.push('o'),
            'Ø' => plain.push('O'),
            'đ' => plain.push('d'),
            'Đ' => plain.push('D'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'Æ' => plain.push_str("Ae"),
            'œ' => plain.push_str("oe"),
            'Œ' => plain.push_str("Oe"),
            'ß' => plain.push_str("ss"),
            'þ' | 'ð' => plain.push_str("th"),
            'Þ' | 'Ð' => plain.push_str("Th"),
            c => plain.push(c),
        }
    }
    plain
}

/// Whether all that a word has of accents are the two dots that part vowels: "naïve", "Zoë". With others it is
/// another word than without: "résumé".
fn has_only_diaereses(word: &str) -> bool {
    word.nfc()
        .all(|c| c.is_ascii() || matches!(c, 'ë' | 'ï' | 'ö'))
}

pub(super) fn is_all_capitals(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic());
    let capitals = letters.clone().filter(|c| c.is_uppercase()).count();
    capitals > 1 && capitals == letters.count()
}

/// "U.S.A.", "e.g.".
fn is_initialism(word: &str) -> bool {
    word.contains('.') && word.chars().any(char::is_alphabetic)
}
