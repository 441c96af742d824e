//! From eSpeak's clauses to the numbers a Piper model takes, exactly as Piper's own front end does
//! it: clause phonemes, the clause's punctuation, Unicode NFD, one code point one phoneme, the pad
//! between all of them.

use std::collections::{BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::super::{Clause, SpokenWord, Utterance};
use super::words::Place;

/// The phonemes of a text, put together from what eSpeak has said of its parts and from what stands
/// between them.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    phonemes: String,
    /// A blank is due before the next.
    wants_blank: bool,
}

impl Spoken {
    /// The phonemes of a part that eSpeak has cut into clauses.
    pub(super) fn add_clauses(&mut self, clauses: &[Clause]) {
        for (index, clause) in clauses.iter().enumerate() {
            self.blank();
            without_language_flags(&clause.ipa, &mut self.phonemes);
            let last = clauses[index + 1..]
                .iter()
                .all(|clause| clause.ipa.is_empty());
            self.phonemes.push_str(terminator(&clause.consumed, last));
            // The words of two clauses must not run together.
            self.wants_blank = true;
            if last {
                break;
            }
        }
    }

    /// Phonemes as they stand in the text.
    pub(super) fn add_phonemes(&mut self, phonemes: &str) {
        self.blank();
        self.phonemes.push_str(phonemes);
        self.wants_blank = false;
    }

    /// The marks that a part begins with belong to the phonemes before it; eSpeak would skip them. The
    /// rest of the part comes back.
    pub(super) fn add_marks<'t>(&mut self, words: &'t str) -> &'t str {
        if self.phonemes.is_empty() {
            return words;
        }
        let is_mark =
            |c: char| c.is_whitespace() || !c.is_alphanumeric() && !"([{“‘\"'-".contains(c);
        let rest = words.trim_start_matches(is_mark);
        let marks = &words[..words.len() - rest.len()];
        let is_end = rest.is_empty();
        self.phonemes.push_str(terminator(marks, is_end));
        self.wants_blank |= !marks.is_empty();
        rest
    }

    fn blank(&mut self) {
        if std::mem::take(&mut self.wants_blank) && !self.phonemes.is_empty() {
            self.phonemes.push(' ');
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.phonemes.is_empty()
    }

    /// One code point each.
    pub(super) fn finish(self) -> String {
        self.phonemes.nfd().collect()
    }
}

/// A voice of the type "text" reads the letters themselves.
pub(super) fn of_text(text: &str) -> String {
    text.nfd().collect()
}

/// eSpeak marks words of another language as `(fr)word(en)`.
fn without_language_flags(ipa: &str, out: &mut String) {
    let mut rest = ipa;
    while let Some((before, flagged)) = rest.split_once('(') {
        let Some((_, after)) = flagged.split_once(')') else {
            break;
        };
        out.push_str(before);
        rest = after;
    }
    out.push_str(rest);
}

/// The punctuation that ended a clause: the first of the last run of punctuation in what was read
/// for it. What was read goes a little past the clause, but never into the next punctuation.
fn terminator(consumed: &str, last: bool) -> &'static str {
    let is_mark = |c: char| ".?!,;:…—–".contains(c);
    // Letters are put as "U.S", and numbers have marks inside: these end nothing.
    let is_inside = |at: usize, mark: char| {
        matches!(mark, '.' | ',' | ':') && consumed[at + 1..].starts_with(char::is_alphanumeric)
    };
    let last_mark = consumed
        .char_indices()
        .rfind(|&(at, c)| is_mark(c) && !is_inside(at, c));
    let Some((end, _)) = last_mark else {
        return "";
    };
    let before = &consumed[..end];
    let start = before.trim_end_matches(is_mark).len();
    let run = &consumed[start..];
    match run.chars().next() {
        // An ellipsis has no phoneme: a comma's pause inside, a full stop at the end.
        Some('…') => {
            if last {
                "."
            } else {
                ","
            }
        }
        Some('.') if run.starts_with("..") => {
            if last {
                "."
            } else {
                ","
            }
        }
        Some('.') => ".",
        Some('?') => "?",
        Some('!') => "!",
        Some(',') => ",",
        Some(':') => ":",
        Some(';' | '—' | '–') => ";",
        _ => "",
    }
}

/// Gives each phoneme its numbers: `^`, then every phoneme followed by the pad, then `$`. A
/// phoneme that the voice doesn't know is left out and named. `words` are in these phonemes, in order.
pub(super) fn utterance(
    phonemes: String,
    map: &HashMap<String, Vec<i64>>,
    words: Vec<Place>,
) -> Utterance {
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
    let words = words.into_iter().map(|word| SpokenWord {
        text: number(word.text.start)..number(word.text.end),
        ids: number(begins[word.phonemes.start])..number(begins[word.phonemes.end]),
    });
    let words = words.collect();
    Utterance {
        phonemes,
        ids,
        unknown: unknown.into_iter().collect(),
        spelled: Vec::new(),
        words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_clauses(clauses: &[Clause]) -> String {
        let mut spoken = Spoken::default();
        spoken.add_clauses(clauses);
        spoken.finish()
    }

    #[test]
    fn phonemes_in_a_text_keep_the_marks_around_them() {
        let mut spoken = Spoken::default();
        spoken.add_phonemes("həm");
        assert_eq!(spoken.add_marks(", well"), "well");
        spoken.add_clauses(&[clause("well", "wˈɛl")]);
        spoken.add_marks(" ");
        spoken.add_phonemes("ʃː");
        assert_eq!(spoken.add_marks("!"), "");
        assert_eq!(spoken.finish(), "həm, wˈɛl ʃː!");
    }

    fn clause(consumed: &str, ipa: &str) -> Clause {
        Clause {
            ipa: ipa.into(),
            consumed: consumed.into(),
        }
    }

    #[test]
    fn clauses_keep_their_punctuation_though_more_was_read() {
        let clauses = [
            clause("Dr. S", "dˈɑːktɚ"),
            clause("mith said, \"", "smˈɪθ sˈɛd"),
            clause("Why?! B", "wˈaɪ"),
            clause("ecause — n", "bɪkˈʌz"),
            clause("ow… t", "nˈaʊ"),
            clause("hen...", "ðˈɛn"),
        ];
        assert_eq!(
            of_clauses(&clauses),
            "dˈɑːktɚ. smˈɪθ sˈɛd, wˈaɪ? bɪkˈʌz; nˈaʊ, ðˈɛn."
        );
    }

    #[test]
    fn a_mark_inside_of_letters_ends_nothing() {
        assert_eq!(of_clauses(&[clause("the U.S Navy on ", "x")]), "x");
        assert_eq!(of_clauses(&[clause("the U.S Navy.", "x")]), "x.");
    }

    #[test]
    fn language_flags_are_not_spoken() {
        assert_eq!(
            of_clauses(&[clause("déjà vu", "(fr)deʒa vy(en-us)")]),
            "deʒa vy"
        );
    }

    #[test]
    fn accents_are_phonemes_of_their_own() {
        assert_eq!(of_clauses(&[clause("x", "ɔ̃ç")]).chars().count(), 4);
    }

    #[test]
    fn an_unknown_phoneme_is_named_and_left_out() {
        let map = [("^", 1), ("_", 0), ("$", 2), ("a", 14)]
            .map(|(phoneme, id)| (phoneme.to_owned(), vec![id]));
        let word = Place {
            text: 0..3,
            phonemes: 1..3,
        };
        let utterance = utterance("aʘa".into(), &map.into_iter().collect(), vec![word]);
        assert_eq!(utterance.ids, [1, 0, 14, 0, 14, 0, 2]);
        assert_eq!(utterance.unknown, ["ʘ"]);
        let word = SpokenWord {
            text: 0..3,
            ids: 4..6,
        };
        assert_eq!(utterance.words, [word]);
    }
}
