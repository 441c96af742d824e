//! What is said in quotation marks, apart from who tells it: for voices that take turns. What only stands in
//! marks, such as a title or a word that the author keeps at a distance, is no speech.

use std::ops::Range;

use super::fit::{Stretch, has_words};
use super::flat::Flat;

/// Marks that open, and what closes them.
const PAIRS: [(char, char); 6] = [
    ('“', '”'),
    ('„', '“'),
    ('«', '»'),
    ('»', '«'),
    ('"', '"'),
    ('‘', '’'),
];

/// What is spoken by someone in a text, with its marks; in order and disjoint. A quotation that is not closed
/// goes on to the end of the paragraph: the next one opens it anew.
fn speeches(text: &str) -> Vec<Range<usize>> {
    let mut speeches = Vec::new();
    let mut open: Option<(usize, char)> = None;
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if let Some((start, closing)) = open {
            if c == closing && closes(c, before, next) {
                let end = at + c.len_utf8();
                if is_speech(text, start..end) {
                    speeches.push(start..end);
                }
                open = None;
            }
        } else if let Some((_, closing)) = PAIRS.iter().find(|(opening, _)| *opening == c)
            && opens(before, next)
        {
            open = Some((at, *closing));
        }
        before = Some(c);
    }
    // A mark for feet, inches or a missing letter opens nothing that goes on.
    if let Some((start, closing)) = open
        && !matches!(closing, '’' | '"')
        && has_words(&text[start..])
    {
        speeches.push(start..text.len());
    }
    speeches
}

fn opens(before: Option<char>, next: Option<char>) -> bool {
    let is_free = before.is_none_or(|c| c.is_whitespace() || "([—–-:‘“".contains(c));
    is_free && next.is_some_and(|c| !c.is_whitespace())
}

/// An apostrophe closes nothing: of those that could be one, only that behind punctuation does.
fn closes(c: char, before: Option<char>, next: Option<char>) -> bool {
    let is_end = next.is_none_or(|c| !c.is_alphanumeric());
    is_end && (c != '’' || before.is_some_and(|c| ".,!?…—–".contains(c)))
}

/// Whether somebody says what stands in these marks: it ends with punctuation inside, as speech does in
/// English, or a comma parts it from who says it.
fn is_speech(text: &str, range: Range<usize>) -> bool {
    let mut inside = text[range.clone()].chars();
    inside.next();
    inside.next_back();
    let inside = inside.as_str();
    let ends = inside
        .trim_end()
        .ends_with(['.', ',', '!', '?', '…', '—', '–']);
    let behind = text[range.end..].trim_start();
    let before = text[..range.start].trim_end();
    let is_told = behind.starts_with(',') || before.ends_with([',', ':']);
    let is_all = before.is_empty() && behind.is_empty();
    has_words(inside) && (ends || (is_told && inside.contains(' ')) || is_all)
}

/// The stretches of a block, those in which speech and telling meet cut where they do; with each, whether it
/// is spoken. A part without words stays with its neighbour.
pub(super) fn apart(flat: &Flat, stretches: Vec<Stretch>) -> Vec<(Stretch, bool)> {
    let speeches = speeches(&flat.text);
    let mut parted = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let Range { start, end } = stretch.range;
        let first = speeches.partition_point(|speech| speech.end <= start);
        let past = speeches.partition_point(|speech| speech.start < end);
        let here = &speeches[first..past.max(first)];
        let mut places = vec![start];
        let ends = here.iter().flat_map(|speech| [speech.start, speech.end]);
        places.extend(
            ends.map(|at| flat.cut_at(at))
                .filter(|at| start < *at && *at < end),
        );
        places.push(end);
        places.dedup();
        let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
        for ends in places.windows(2) {
            let words = &flat.text[ends[0]..ends[1]];
            let begin = ends[1] - words.trim_start().len();
            let part = begin..begin + words.trim().len();
            if part.is_empty() {
                continue;
            }
            let is_spoken = here
                .iter()
                .any(|speech| speech.start <= part.start && part.end <= speech.end);
            match parts.last_mut() {
                Some((last, _)) if !has_words(&flat.text[part.clone()]) => last.end = part.end,
                Some((last, spoken)) if !has_words(&flat.text[last.clone()]) => {
                    (last.end, *spoken) = (part.end, is_spoken);
                }
                _ => parts.push((part, is_spoken)),
            }
        }
        let count = parts.len();
        parted.extend(
            parts
                .into_iter()
                .enumerate()
                .map(|(index, (range, spoken))| {
                    let inside_sentence = stretch.inside_sentence || index + 1 < count;
                    let part = Stretch {
                        range,
                        inside_sentence,
                    };
                    (part, spoken)
                }),
        );
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        speeches(text).into_iter().map(|it| &text[it]).collect()
    }

    #[test]
    fn what_somebody_says_is_found() {
        for (text, spoken) in [
            ("“I see,” said Tom. “Go on.”", vec!["“I see,”", "“Go on.”"]),
            ("\"Stop!\" she cried.", vec!["\"Stop!\""]),
            (
                "‘It’s late,’ he said, ‘isn’t it?’",
                vec!["‘It’s late,’", "‘isn’t it?’"],
            ),
            ("„Ich komme“, sagte er.", vec!["„Ich komme“"]),
            ("«Je viens», dit-il.", vec!["«Je viens»"]),
            ("He said: “we go”.", vec!["“we go”"]),
            (
                "“One paragraph of a long speech.",
                vec!["“One paragraph of a long speech."],
            ),
            ("“All of it”", vec!["“All of it”"]),
        ] {
            assert_eq!(found(text), spoken, "{text}");
        }
    }

    #[test]
    fn what_only_stands_in_marks_is_no_speech() {
        for text in [
            "The so-called “experts” agreed.",
            "He read “Emma” twice.",
            "A man of 6'2\" and a 5\" pipe.",
            "The boys’ dogs and the girls’ cats.",
            "’Tis the ‘why’ that counts.",
            "An empty “” pair.",
            "It is \"open",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
