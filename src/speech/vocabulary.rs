//! The file `vocab.json` beside a model of hibari's or Kokoro's: the number of each phoneme.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::read::Read;
use super::{SpeechError, SpokenWord, Utterance, configuration};

/// Silence, with which an utterance begins and ends.
const SILENCE: i64 = 0;
/// No model has as many phonemes.
const LARGEST: i64 = 100_000;

/// The numbers of phonemes.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    numbers: HashMap<char, i64>,
}

impl Vocabulary {
    /// Reads and checks a vocabulary, and returns it with what the file says.
    ///
    /// # Errors
    /// [`SpeechError::Config`] with what is wrong.
    pub(super) fn read(path: &Path) -> Result<(Self, String), SpeechError> {
        let text = configuration::read(path)?;
        let vocabulary = Self::parse(&text).map_err(|reason| SpeechError::Config {
            path: path.to_owned(),
            reason,
        })?;
        Ok((vocabulary, text))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut file: serde_json::Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        // Kokoro's has them in a part of it.
        if let Some(part @ serde_json::Value::Object(_)) = file.get_mut("vocab") {
            file = part.take();
        }
        let all: BTreeMap<String, i64> =
            serde_json::from_value(file).map_err(|error| error.to_string())?;
        if all.is_empty() {
            return Err("it has no phonemes".into());
        }
        let mut numbers = HashMap::with_capacity(all.len());
        for (phoneme, number) in all {
            let mut chars = phoneme.chars();
            let (Some(one), None) = (chars.next(), chars.next()) else {
                return Err(format!("`{phoneme}` is not one character"));
            };
            if !(1..=LARGEST).contains(&number) {
                return Err(format!("`{phoneme}` has the number {number}"));
            }
            numbers.insert(one, number);
        }
        Ok(Self { numbers })
    }

    /// The largest number.
    pub(super) fn largest(&self) -> i64 {
        self.numbers.values().copied().max().unwrap_or(SILENCE)
    }

    /// What was read as the model wants it: silence, a number for each phoneme, silence. A phoneme that the
    /// voice doesn't know is left out and named.
    pub(super) fn utterance(&self, read: Read) -> Utterance {
        let mut ids = vec![SILENCE];
        let mut unknown = BTreeSet::new();
        // Where the id of each phoneme is.
        let mut places = Vec::with_capacity(read.phonemes.len() + 1);
        for phoneme in read.phonemes.chars() {
            places.push(ids.len());
            match self.numbers.get(&phoneme) {
                Some(&number) => ids.push(number),
                None => drop(unknown.insert(phoneme.to_string())),
            }
        }
        places.push(ids.len());
        ids.push(SILENCE);
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = |at: usize| number(places[at.min(places.len() - 1)]);
        let words = read.words.into_iter().map(|(text, phonemes)| SpokenWord {
            text: number(text.start)..number(text.end),
            ids: place(phonemes.start)..place(phonemes.end),
        });
        let words = words.collect();
        Utterance {
            phonemes: read.phonemes,
            ids,
            unknown: unknown.into_iter().collect(),
            spelled: read.unknown,
            words,
            voice: 0,
        }
    }
}

/// Whether a vocabulary up to this number has all of these. Told of one that it does not know, a model would
/// say another's phoneme, or fail with words that name nobody.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn check(ids: &[i64], largest: i64) -> Result<(), String> {
    let mut strange = ids.iter().filter(|id| !(SILENCE..=largest).contains(*id));
    strange.next().map_or(Ok(()), |id| {
        Err(format!(
            "there is no phoneme with the number {id} in the voice's vocabulary, which ends with \
             {largest}; narrate the text again, which asks for its phonemes again"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phonemes_become_numbers_and_words_keep_their_places() {
        let vocabulary = Vocabulary::parse(r#"{"a": 3, "ˈ": 7, " ": 5, "ɹ": 177}"#).unwrap();
        assert_eq!(vocabulary.largest(), 177);
        let kokoros = Vocabulary::parse(r#"{"vocab": {"a": 3}}"#).unwrap();
        assert_eq!(kokoros.largest(), 3);
        let utterance = vocabulary.utterance(Read {
            phonemes: "ˈaʘɹ ʘ aʘ".into(),
            words: vec![(0..4, 0..4), (5..6, 5..6), (7..9, 7..9)],
            unknown: vec!["Ωmega".into()],
        });
        assert_eq!(utterance.ids, [0, 7, 3, 177, 5, 5, 3, 0]);
        assert_eq!(utterance.unknown, ["ʘ"]);
        assert_eq!(utterance.spelled, ["Ωmega"]);
        let words: Vec<_> = utterance.words.into_iter().map(|word| word.ids).collect();
        assert_eq!(words, [1..4, 5..5, 6..7]);
        let nothing = vocabulary.utterance(Read::default());
        assert_eq!((nothing.ids, nothing.words), (vec![0, 0], vec![]));
    }

    #[test]
    fn numbers_beyond_the_vocabulary_are_refused_with_what_to_do() {
        assert_eq!(check(&[0, 177, 0], 177), Ok(()));
        let told = |ids: &[i64]| check(ids, 177).unwrap_err();
        assert!(told(&[0, 178, 0]).contains("number 178"));
        assert!(told(&[0, -1, 0]).contains("number -1"));
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        let told = |text: &str| Vocabulary::parse(text).unwrap_err();
        assert_eq!(told("{}"), "it has no phonemes");
        assert_eq!(told(r#"{"ab": 1}"#), "`ab` is not one character");
        assert_eq!(told(r#"{"": 1}"#), "`` is not one character");
        assert_eq!(told(r#"{"a": 0}"#), "`a` has the number 0");
        assert!(told(r#"{"audio": {"sample_rate": 22050}}"#).contains("invalid type"));
    }
}
