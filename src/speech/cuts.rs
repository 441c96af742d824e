//! Where to cut what is too long for a model to say at once. Nothing here knows of a voice: a piece is a
//! range of tokens, and what it may end with is told for each of them.

use std::ops::Range;

use super::Utterance;

/// How well a piece may end after a token; the later, the better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Within a word.
    #[default]
    None,
    /// Between two words.
    Blank,
    /// At the end of a clause.
    Clause,
    /// At the end of a sentence.
    Strong,
}

impl Mark {
    /// That of a phoneme.
    pub(super) fn of(phoneme: char) -> Self {
        match phoneme {
            '.' | '!' | '?' => Self::Strong,
            ',' | ';' | ':' | '—' | '…' => Self::Clause,
            ' ' => Self::Blank,
            _ => Self::None,
        }
    }

    /// Those of an utterance's ids but the first and the last, which are silence, if each of the others is
    /// one phoneme that the voice knows; else none are told.
    pub(super) fn between_silences(utterance: &Utterance) -> Vec<Self> {
        let length = utterance.ids.len().saturating_sub(2);
        let is_known = |phoneme: &char| {
            let mut buffer = [0; 4];
            let phoneme: &str = phoneme.encode_utf8(&mut buffer);
            !utterance.unknown.iter().any(|unknown| unknown == phoneme)
        };
        let known = utterance.phonemes.chars().filter(is_known);
        let marks: Vec<Self> = known.map(Self::of).collect();
        if marks.len() == length {
            marks
        } else {
            vec![Self::None; length]
        }
    }
}

/// Cuts tokens with these marks into pieces of at most `most` (at least 1) of them. Each ends at the best mark
/// in reach, and of equal ones at that which makes the pieces most alike. What needs cutting has no piece
/// below [`least`], for a model says a scrap worse than a sentence. No tokens give no pieces.
pub(super) fn cut(marks: &[Mark], most: usize) -> Vec<Range<usize>> {
    let most = most.max(1);
    let mut pieces = Vec::with_capacity(marks.len().div_ceil(most));
    let mut start = 0;
    while marks.len() - start > most {
        let rest = marks.len() - start;
        let alike = start + rest.div_ceil(rest.div_ceil(most));
        let last = (start + most).min(marks.len() - least(most));
        let end = (start + least(most)..=last)
            .max_by_key(|&end| (marks[end - 1], std::cmp::Reverse(end.abs_diff(alike))))
            .unwrap_or(last);
        pieces.push(start..end);
        start = end;
    }
    if start < marks.len() {
        pieces.push(start..marks.len());
    }
    pieces
}

/// The shortest piece of what is cut into pieces of at most `most` tokens.
fn least(most: usize) -> usize {
    (most / 4).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(text: &str, most: usize) -> Vec<String> {
        let marks: Vec<Mark> = text.chars().map(Mark::of).collect();
        let chars: Vec<char> = text.chars().collect();
        let pieces = cut(&marks, most).into_iter();
        pieces.map(|piece| chars[piece].iter().collect()).collect()
    }

    #[test]
    fn a_piece_ends_at_the_best_mark_in_reach() {
        assert_eq!(pieces("one two. six", 12), ["one two. six"]);
        assert_eq!(pieces("one, two. six ten", 12), ["one, two.", " six ten"]);
        assert_eq!(
            pieces("one two, six ten six", 12),
            ["one two,", " six ten six"]
        );
        assert_eq!(pieces("one two six ten", 12), ["one two ", "six ten"]);
        assert_eq!(pieces("", 12), [""; 0]);
        assert_eq!(pieces("ab", 0), ["a", "b"]);
    }

    #[test]
    fn no_scrap_is_left() {
        assert_eq!(pieces("abcdefghijklm", 12), ["abcdefg", "hijklm"]);
        // A better mark does not make one either.
        assert_eq!(pieces("a. bcd efgh ijkl", 12), ["a. bcd ", "efgh ijkl"]);
    }

    #[test]
    fn marks_are_those_of_the_phonemes_that_are_said() {
        let mut utterance = Utterance {
            phonemes: "aʘ, b.".into(),
            ids: vec![0, 1, 2, 3, 4, 5, 0],
            unknown: vec!["ʘ".into()],
            ..Utterance::default()
        };
        let marks = Mark::between_silences(&utterance);
        let known = [
            Mark::None,
            Mark::Clause,
            Mark::Blank,
            Mark::None,
            Mark::Strong,
        ];
        assert_eq!(marks, known);
        // Ids of a voice that has several for a phoneme.
        utterance.ids.push(0);
        assert_eq!(Mark::between_silences(&utterance), [Mark::None; 6]);
        assert_eq!(Mark::between_silences(&Utterance::default()), []);
    }

    proptest! {
        #[test]
        fn pieces_are_all_of_it_and_none_too_long_or_too_short(
            text in "[a-c ,.]{0,200}",
            most in 0usize..50,
        ) {
            let marks: Vec<Mark> = text.chars().map(Mark::of).collect();
            let pieces = cut(&marks, most);
            let mut end = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.start, end);
                prop_assert!(piece.len() <= most.max(1));
                let least = if pieces.len() > 1 { least(most) } else { 1 };
                prop_assert!(piece.len() >= least);
                end = piece.end;
            }
            prop_assert_eq!(end, marks.len());
        }
    }
}
