//! Fits sentences to lengths that a voice speaks well: short ones joined, long ones cut.
//! It works on ranges of a block's flat text and must never reorder or drop any of it.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::abbreviations::{Stop, stop};
use super::flat::Flat;

/// How a block is cut. Lengths are in characters of spoken text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Limits {
    /// A shorter sentence is joined to a neighbour in the same block, if there is one and both
    /// together do not pass `max_chars`.
    pub min_chars: usize,
    /// A longer sentence is cut: at clauses, else between words, else inside a word. At least 1;
    /// 0 is taken as 1. Only what stands for one piece of the source may be longer.
    pub max_chars: usize,
    /// Whether what somebody says in quotation marks has segments of its own, however short.
    pub speech_apart: bool,
}

impl Default for Limits {
    /// 25 to 300 characters: a voice hurries below and mumbles above.
    fn default() -> Self {
        Limits {
            min_chars: 25,
            max_chars: 300,
            speech_apart: false,
        }
    }
}

/// A stretch of a block that becomes a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) range: Range<usize>,
    /// True if a sentence continues in the next stretch.
    pub(super) inside_sentence: bool,
}

/// The stretches of `flat` to speak, trimmed of blanks, each with at least one letter or digit.
/// What has none and fits no neighbour is left out.
pub(super) fn fit(flat: &Flat, sentences: Vec<Range<usize>>, limits: &Limits) -> Vec<Stretch> {
    let most = limits.max_chars.max(1);
    let mut cut = Vec::new();
    for sentence in join(flat, sentences, limits.min_chars, most) {
        cut_sentence(flat, sentence, most, &mut cut);
    }
    let mut speakable: Vec<Stretch> = Vec::with_capacity(cut.len());
    // Signs before the first words; they go with those if they fit.
    let mut waiting: Option<usize> = None;
    for mut stretch in cut {
        stretch.range = trim(&flat.text, stretch.range);
        if stretch.range.is_empty() {
            continue;
        }
        if has_words(&flat.text[stretch.range.clone()]) {
            if let Some(start) = waiting.take()
                && fits(&flat.text[start..stretch.range.end], most)
            {
                stretch.range.start = start;
            }
            speakable.push(stretch);
            continue;
        }
        match speakable.last_mut() {
            Some(last) if fits(&flat.text[last.range.start..stretch.range.end], most) => {
                last.range.end = stretch.range.end;
                last.inside_sentence = stretch.inside_sentence;
            }
            Some(_) => {}
            None => waiting = Some(stretch.range.start),
        }
    }
    speakable
}

/// Letters or digits: something a voice can say.
pub(super) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// True if `text` has at most `most` characters; looks no further than it must.
fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.end - words.trim_start().len();
    start..start + words.trim().len()
}

/// Joins what is too short, or has no words, to what follows; the last one to what precedes.
fn join(flat: &Flat, sentences: Vec<Range<usize>>, least: usize, most: usize) -> Vec<Range<usize>> {
    let text = &flat.text;
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(sentences.len());
    for sentence in sentences {
        let sentence = flat.cut_at(sentence.start)..flat.cut_at(sentence.end);
        if sentence.is_empty() {
            continue;
        }
        let own = trim(text, sentence.clone());
        let wanting = |range: &Range<usize>| {
            let words = text[range.clone()].trim();
            fits(words, least.saturating_sub(1)) || (fits(words, most) && !has_words(words))
        };
        match joined.last_mut() {
            Some(last)
                if (wanting(last) || !has_words(&text[own.clone()]))
                    && fits(text[last.start..own.end].trim(), most) =>
            {
                last.end = sentence.end;
            }
            _ => joined.push(sentence),
        }
    }
    if let [.., before, last] = joined.as_mut_slice()
        && fits(text[last.clone()].trim(), least.saturating_sub(1))
        && fits(text[before.start..last.end].trim(), most)
    {
        before.end = last.end;
        joined.pop();
    }
    joined
}

/// Cuts `sentence` into stretches of at most `most` characters and about the same length.
fn cut_sentence(flat: &Flat, sentence: Range<usize>, most: usize, out: &mut Vec<Stretch>) {
    let mut rest = trim(&flat.text, sentence);
    let mut left = flat.text[rest.clone()].chars().count();
    while left > most {
        let target = left.div_ceil(left.div_ceil(most));
        let at = flat.cut_at(rest.start + best_cut(&flat.text[rest.clone()], target, most));
        if at >= rest.end {
            break;
        }
        let words = &flat.text[rest.start..at];
        left -= words.chars().count();
        let after = &flat.text[at..rest.end];
        let inside_sentence = rank_between(words.trim_end(), after) != Some(Rank::Sentence);
        out.push(Stretch {
            range: rest.start..at,
            inside_sentence,
        });
        rest.start = at;
        let blank = flat.text[rest.clone()].len() - flat.text[rest.clone()].trim_start().len();
        left -= flat.text[rest.start..rest.start + blank].chars().count();
        rest.start += blank;
    }
    if !rest.is_empty() {
        out.push(Stretch {
            range: rest,
            inside_sentence: false,
        });
    }
}

/// How good a place is for a cut, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Between the parts of a name or a number.
    Bound,
    Word,
    Comma,
    Clause,
    Sentence,
}

/// Where to cut `text`, in bytes, so that at most `most` characters and not much less than
/// `target` stand before it. Never 0.
fn best_cut(text: &str, target: usize, most: usize) -> usize {
    let window_end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let mut best: Option<(Rank, usize, usize)> = None;
    for (count, (at, c)) in text.char_indices().enumerate().take(most + 1).skip(1) {
        let rank = if c == ' ' {
            rank_between(&text[..at], &text[at..]).unwrap_or(Rank::Word)
        } else if text[..at].ends_with('—') {
            Rank::Clause
        } else {
            continue;
        };
        // A clause that ends early makes a stump; then a comma nearer to the middle is better.
        let stump = 2 * count < target;
        let rank = if stump { rank.min(Rank::Word) } else { rank };
        let off = count.abs_diff(target);
        if best.is_none_or(|(known, distance, _)| rank > known || (rank == known && off < distance))
        {
            best = Some((rank, off, at));
        }
    }
    best.map_or_else(|| grapheme_cut(&text[..window_end]), |(_, _, at)| at)
}

/// What ends right before a blank.
fn rank_between(words: &str, after: &str) -> Option<Rank> {
    match stop(words, after) {
        Some(Stop::Bound) => return Some(Rank::Bound),
        Some(Stop::Inside) => return Some(Rank::Word),
        Some(Stop::End) | None => {}
    }
    let closing_marks = ['”', '"', '’', '»', ')', ']'];
    let words = words.trim_end_matches(closing_marks);
    match words.chars().next_back()? {
        '.' | '!' | '?' | '…' | '。' | '！' | '？' => Some(Rank::Sentence),
        ';' | ':' | '—' | '–' => Some(Rank::Clause),
        ',' | '、' | '，' => Some(Rank::Comma),
        _ => None,
    }
}

/// Before the last grapheme of a window without blanks, which may go on behind it; if the window
/// is a single one, at its end.
fn grapheme_cut(window: &str) -> usize {
    match window.grapheme_indices(true).next_back() {
        Some((at, _)) if at > 0 => at,
        _ => window.len(),
    }
}
