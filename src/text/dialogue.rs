//! What is said in quotation marks, apart from who tells it: for voices that take turns. What only stands in
//! marks, such as a title or a word that the author keeps at a distance, is no speech.

use std::ops::Range;

use super::fit::{Stretch, has_words};
use super::flat::Flat;

/// Marks that open, and what closes them, in one language or another.
const PAIRS: [(char, &[char]); 6] = [
    ('“', &['”']),
    ('„', &['“', '”']),
    ('«', &['»']),
    ('»', &['«', '»']),
    ('"', &['"']),
    ('‘', &['’']),
];

/// What is spoken by someone in a text, with its marks; in order and disjoint. A quotation that is not closed
/// goes on to the end of the paragraph: the next one opens it anew.
fn speeches(text: &str) -> Vec<Range<usize>> {
    let mut speeches = Vec::new();
    let mut open: Option<(usize, &[char])> = None;
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if let Some((start, closing)) = open {
            if closing.contains(&c) && closes(c, before, next) {
                let end = at + c.len_utf8();
                if is_speech(text, start..end) {
                    speeches.push(start..end);
                }
                open = None;
            }
        } else if let Some((_, closing)) = PAIRS.iter().find(|(opening, _)| *opening == c)
            && opens(c, before, &text[at + c.len_utf8()..])
        {
            open = Some((at, *closing));
        }
        before = Some(c);
    }
    // A mark for feet, inches or a missing letter opens nothing that goes on, and neither does one in the middle.
    if let Some((start, _)) = open
        && !text[start..].starts_with(['‘', '"'])
        && text[..start].trim().is_empty()
        && has_words(&text[start..])
    {
        speeches.push(start..text.len());
    }
    speeches
}

/// Whether such a mark opens what comes behind it. French puts a blank between the two.
fn opens(mark: char, before: Option<char>, behind: &str) -> bool {
    let is_free = before.is_none_or(|c| c.is_whitespace() || "([—–-:‘“".contains(c));
    let behind = match mark {
        '«' => behind.strip_prefix(char::is_whitespace).unwrap_or(behind),
        _ => behind,
    };
    let is_word = |c: char| match mark {
        '»' => c.is_alphanumeric(),
        _ => !c.is_whitespace(),
    };
    is_free && behind.starts_with(is_word)
}

/// An apostrophe closes nothing: of those that could be one, only that behind punctuation does.
fn closes(c: char, before: Option<char>, next: Option<char>) -> bool {
    let is_end = next.is_none_or(|c| !c.is_alphanumeric());
    is_end && (c != '’' || before.is_some_and(|c| ".,!?…—–".contains(c)))
}

/// Whether a sentence ends with this part: short ones were joined before speech was told from telling.
fn ends_sentence(part: &str) -> bool {
    let closing_marks = ['”', '“', '"', '’', '»', '«', ')', ']', ' '];
    let words = part.trim_end_matches(closing_marks);
    words.ends_with(['.', '!', '?', '…'])
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
    let begins = before.is_empty() || before.ends_with(['.', '!', '?', '…']);
    let is_all = before.is_empty() && behind.is_empty();
    // A title may stand before a comma as well, but seldom where a sentence begins.
    has_words(inside) && (ends || (is_told && (begins || inside.trim().contains(' '))) || is_all)
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
        let goes_on = |at: usize| {
            let (end, behind) = (parts[at].0.end, &flat.text[parts[at + 1].0.start..]);
            let is_told = behind.starts_with(char::is_lowercase);
            is_told || !ends_sentence(&flat.text[parts[at].0.start..end])
        };
        let last = parts.len().saturating_sub(1);
        for (at, (range, spoken)) in parts.iter().enumerate() {
            let inside_sentence = match at < last {
                true => goes_on(at),
                false => stretch.inside_sentence,
            };
            let range = range.clone();
            parted.push((
                Stretch {
                    range,
                    inside_sentence,
                },
                *spoken,
            ));
        }
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
            (
                "« Je viens », dit-il. « Et toi ? »",
                vec!["« Je viens »", "« Et toi ? »"],
            ),
            ("„Idę”, powiedział Jan. Wyszedł.", vec!["„Idę”"]),
            ("»Hej», sa Eva. Hon gick hem.", vec!["»Hej»"]),
            ("»Ich komme«, sagte er.", vec!["»Ich komme«"]),
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
            "He read “Emma, and slept.",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
