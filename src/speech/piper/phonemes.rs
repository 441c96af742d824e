//! From phonemes to the numbers a Piper model takes: the pad between all of them.

use std::collections::{BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::super::read::Read;
use super::super::{SpokenWord, Utterance};

/// A voice of the type "text" reads the letters themselves.
pub(super) fn of_text(text: &str) -> String {
    text.nfd().collect()
}

/// Gives each phoneme its numbers: `^`, then every phoneme followed by the pad, then `$`. A
/// phoneme that the voice doesn't know is left out and named.
pub(super) fn utterance(read: Read, map: &HashMap<String, Vec<i64>>) -> Utterance {
    let Read {
        phonemes,
        words,
        unknown: spelled,
    } = read;
    let of = |phoneme: &str| map.get(phoneme).map_or(&[][..], Vec::as_slice);
    let pad = of("_");
    let mut ids = Vec::with_capacity(phonemes.len() * 2 + 4);
    ids.extend_from_slice(of("^"));
    ids.extend_from_slice(pad);
    let mut unknown = BTreeSet::new();
    let mut buffer = [0; 4];
    // Where the ids of each phoneme begin.
    let mut begins = Vec::with_capacity(phonemes.len() + 1);
    for phoneme in phonemes.chars() {
        begins.push(ids.len());
        match map.get(&*phoneme.encode_utf8(&mut buffer)) {
            Some(numbers) => {
                ids.extend_from_slice(numbers);
                ids.extend_from_slice(pad);
            }
            None => {
                unknown.insert(phoneme.to_string());
            }
        }
    }
    begins.push(ids.len());
    ids.extend_from_slice(of("$"));
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let words = words.into_iter().map(|(text, phonemes)| SpokenWord {
        text: number(text.start)..number(text.end),
        ids: number(begins[phonemes.start])..number(begins[phonemes.end]),
    });
    let words = words.collect();
    Utterance {
        phonemes,
        ids,
        unknown: unknown.into_iter().collect(),
        spelled,
        words,
        voice: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_phoneme_is_named_and_left_out() {
        let map = [("^", 1), ("_", 0), ("$", 2), ("a", 14)]
            .map(|(phoneme, id)| (phoneme.to_owned(), vec![id]));
        let read = Read {
            phonemes: "aʘa".into(),
            words: vec![(0..3, 1..3)],
            unknown: Vec::new(),
        };
        let utterance = utterance(read, &map.into_iter().collect());
        assert_eq!(utterance.ids, [1, 0, 14, 0, 14, 0, 2]);
        assert_eq!(utterance.unknown, ["ʘ"]);
        let word = SpokenWord {
            text: 0..3,
            ids: 4..6,
        };
        assert_eq!(utterance.words, [word]);
    }
}
