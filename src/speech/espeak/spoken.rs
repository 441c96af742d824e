//! From eSpeak's clauses to the phonemes of a text, exactly as Piper's own front end does it: clause
//! phonemes, the clause's punctuation, Unicode NFD, one code point one phoneme.

use unicode_normalization::UnicodeNormalization;

use super::Clause;

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
}
