//! Reads a text with eSpeak NG: what it says of each part, which phonemes are whose, and the words it
//! can't read.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use unicode_script::Script;

use super::spoken::Spoken;
use super::unreadable::Unreadable;
use super::wording::{self, Piece};
use super::words::{self, Alone};
use super::{Clause, Espeak, script};
use crate::speech::read::Read;
use crate::speech::{Runtime, SpeechError};

/// So many single words are remembered; then it begins anew.
const MOST_WORDS: usize = 10_000;

/// The phonemes that a voice knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::speech) enum Alphabet {
    /// eSpeak's own.
    Espeak,
    /// Kokoro's: a phoneme of several letters is one.
    Kokoro,
}

/// Reads one language.
pub(in crate::speech) struct Reader {
    espeak: Espeak,
    /// eSpeak's name of the language, such as `en-us`.
    voice: String,
    /// Its BCP 47 tag.
    language: String,
    alphabet: Alphabet,
    unreadable: Unreadable,
    /// What is said of single words, as often as they come.
    alone: Mutex<HashMap<String, String>>,
}

impl Reader {
    /// Opens eSpeak NG.
    ///
    /// # Errors
    /// [`SpeechError::Library`] if it is not there or can't be used.
    pub(in crate::speech) fn open(
        runtime: &Runtime,
        voice: &str,
        language: &str,
        alphabet: Alphabet,
    ) -> Result<Self, SpeechError> {
        let espeak = runtime.espeak.as_ref().ok_or_else(no_espeak)?;
        Ok(Self {
            espeak: Espeak::open(&espeak.library, &espeak.data)?,
            voice: voice.to_owned(),
            language: language.to_owned(),
            alphabet,
            unreadable: Unreadable::default(),
            alone: Mutex::default(),
        })
    }

    /// The phonemes of a sentence or so.
    ///
    /// # Errors
    /// [`SpeechError::Phonemes`].
    pub(in crate::speech) fn read(&self, text: &str) -> Result<Read, SpeechError> {
        // Phonemes in the text are no words of any script.
        let words = wording::without_phonemes(text);
        let spelled = self.spelled(&words)?;
        let has_phonemes = words.len() < text.len();
        let has_more = has_phonemes || script::has_more(&words, &spelled);
        let phonemes = if spelled.is_empty() || has_more {
            self.phonemes(text)?
        } else {
            String::new()
        };
        let words = places(text, &phonemes, |word| self.alone(word));
        let mut told = HashSet::new();
        let unknown = spelled.into_iter().filter(|word| told.insert(*word));
        let unknown = unknown.map(str::to_owned).collect();
        Ok(Read {
            phonemes,
            words,
            unknown,
        })
    }

    fn clauses(&self, text: &str) -> Result<Vec<Clause>, SpeechError> {
        match self.alphabet {
            Alphabet::Espeak => self.espeak.clauses(&self.voice, text),
            Alphabet::Kokoro => {
                let mut clauses = self.espeak.tied_clauses(&self.voice, text)?;
                for clause in &mut clauses {
                    clause.ipa = kokoro(&clause.ipa);
                }
                Ok(clauses)
            }
        }
    }

    /// The phonemes of a single word.
    fn alone(&self, word: &str) -> Result<String, SpeechError> {
        let known = || self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(phonemes) = known().get(word) {
            return Ok(phonemes.clone());
        }
        let phonemes = self.phonemes(word)?;
        let mut known = known();
        if known.len() >= MOST_WORDS {
            known.clear();
        }
        known.insert(word.to_owned(), phonemes.clone());
        Ok(phonemes)
    }

    /// The phonemes of a text: eSpeak's, and those that stand in it.
    fn phonemes(&self, text: &str) -> Result<String, SpeechError> {
        let mut spoken = Spoken::default();
        for piece in wording::pieces(text, self.voice.starts_with("en")) {
            match piece {
                Piece::Phonemes(phonemes) => spoken.add_phonemes(&phonemes),
                Piece::Words(words) => {
                    let words = spoken.add_marks(&words);
                    if words.contains(char::is_alphanumeric) || spoken.is_empty() {
                        spoken.add_clauses(&self.clauses(words)?);
                    }
                }
            }
        }
        let phonemes = spoken.finish();
        Ok(match self.alphabet {
            Alphabet::Espeak => phonemes,
            // Of the letters with marks this is the only one that it has as one.
            Alphabet::Kokoro => phonemes.replace("c\u{327}", "ç"),
        })
    }

    /// The words of which only the letters would be named.
    fn spelled<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, SpeechError> {
        let mut words = script::foreign(text, &self.language);
        let mut asked: Vec<(Script, bool)> = Vec::new();
        let ask = |text: &str| self.espeak.clauses(&self.voice, text);
        for foreign in &words {
            if asked.iter().all(|(script, _)| *script != foreign.script) {
                let clauses = ask(foreign.word)?;
                let mut clauses = clauses.iter();
                let is_read = clauses.any(|clause| script::is_read(&clause.ipa, foreign.script));
                asked.push((foreign.script, is_read));
            }
        }
        words.retain(|foreign| !asked.contains(&(foreign.script, true)));
        let mut spelled: Vec<&str> = words.into_iter().map(|foreign| foreign.word).collect();
        let own = script::scripts(&self.language);
        let others = self.unreadable.words(text, &own, &ask)?;
        let is_new = |other: &&str| spelled.iter().all(|word| !other.contains(word));
        let others: Vec<&str> = others.into_iter().filter(is_new).collect();
        spelled.extend(others);
        Ok(spelled)
    }
}

fn no_espeak() -> SpeechError {
    SpeechError::Library {
        what: "eSpeak NG",
        path: "libespeak-ng".into(),
        reason: "it is not installed".into(),
    }
}

/// Where each word of a text is in its phonemes. `alone` tells what is said for a word by itself; where it
/// fails, the text is said all the same, and nobody knows when which word is.
pub(in crate::speech) fn places(
    text: &str,
    phonemes: &str,
    alone: impl Fn(&str) -> Result<String, SpeechError>,
) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let words = words::words(text).into_iter().map(|word| {
        let phonemes = alone(&text[word.clone()])?;
        Ok(Alone {
            text: word,
            phonemes,
        })
    });
    let words: Result<Vec<Alone>, SpeechError> = words.collect();
    let places = words.map_or_else(|_| Vec::new(), |words| words::places(&words, phonemes));
    let places = places.into_iter();
    places.map(|place| (place.text, place.phonemes)).collect()
}

/// What has a letter of its own in Kokoro's alphabet, as eSpeak says it with ties.
const OF_KOKORO: [(&str, &str); 11] = [
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^z", "ʣ"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("s^s", "S"),
    ("t^s", "ʦ"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
];

/// eSpeak's phonemes, with ties, in Kokoro's alphabet.
fn kokoro(ipa: &str) -> String {
    let mut put = ipa.to_owned();
    for (several, one) in OF_KOKORO {
        put = put.replace(several, one);
    }
    // A hyphen would be said as a pause.
    put.replace(['^', '-'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_letters_of_one_phoneme_are_one_of_kokoros() {
        assert_eq!(kokoro("t^ʃˈa^ʊ d^ʒˈe^ɪ"), "ʧˈW ʤˈA");
        assert_eq!(kokoro("bɔ̃ʒˈuʁ-la"), "bɔ̃ʒˈuʁla");
        assert_eq!(kokoro("(en)hˈə^ʊm(fr)"), "(en)hˈQm(fr)");
    }
}
