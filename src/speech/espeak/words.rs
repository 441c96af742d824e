//! Which phonemes of a sentence are those of which word. eSpeak does not say: it runs words together
//! ("of the"), says one as several, and weakens what it would stress alone. So each word is asked for by
//! itself, and what comes of all of them is laid beside what came of the sentence, so that as little as
//! possible differs.
//!
//! The distance is that of Levenshtein, with the ends of words as signs of their own.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

/// A word, and what is said for it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alone {
    /// Its bytes in the text.
    pub text: Range<usize>,
    /// Its phonemes.
    pub phonemes: String,
}

/// A word of a text, and its phonemes in what is said of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its bytes in the text.
    pub text: Range<usize>,
    /// Its phonemes, counted in code points; none if it has no sound of its own.
    pub phonemes: Range<usize>,
}

/// More steps than this are not worth what they tell: a sentence of some two thousand phonemes.
const MOST_STEPS: usize = 4_000_000;

/// Signs that are said where they stand alone.
const SAID: &str = "&%+=@#§°€$£¥";

/// The words of a text: what blanks and dashes part, without the marks around it; where no blanks are put, each
/// sign. Phonemes between `[[` and `]]` are a word, with the "'s" behind them.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let (mut begun, mut looked) = (0, 0);
    while let Some(end) = text[looked..].find("]]").map(|at| looked + at + 2) {
        looked = end;
        let Some(start) = text[begun..end].rfind("[[").map(|at| begun + at) else {
            continue;
        };
        add_words(text, begun..start, &mut words);
        let own = owned(&text[end..]).unwrap_or(0);
        words.push(start..end + own);
        (begun, looked) = (end + own, end + own);
    }
    add_words(text, begun..text.len(), &mut words);
    words
}

/// How long the "'s" is that a text begins with.
fn owned(text: &str) -> Option<usize> {
    let behind = super::wording::owned(text)?;
    Some(text.len() - behind.len())
}

fn add_words(text: &str, range: Range<usize>, words: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let mut begun = 0;
    let mut before = ' ';
    let mut chars = part.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let behind = chars.peek().map_or(' ', |(_, c)| *c);
        // Several of them are a dash, or a pause.
        let is_run = matches!(c, '-' | '.') && (c == before || c == behind);
        let stands_alone = is_word(c);
        if is_run || stands_alone || is_between(c) {
            add_word(part, begun..at, range.start, words);
            begun = at + c.len_utf8();
            if stands_alone {
                words.push(range.start + at..range.start + begun);
            }
        }
        before = c;
    }
    add_word(part, begun..part.len(), range.start, words);
}

fn add_word(part: &str, range: Range<usize>, offset: usize, words: &mut Vec<Range<usize>>) {
    let all = &part[range];
    let is_of_a_word = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let word = match all.trim_matches(|c: char| !is_of_a_word(c)) {
        "" => all.trim_matches(|c: char| !SAID.contains(c)),
        word => word,
    };
    if !word.is_empty() {
        let start = offset + (word.as_ptr() as usize - part.as_ptr() as usize);
        words.push(start..start + word.len());
    }
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || "–—―…/，。、；：！？「」『』（）".contains(c)
}

/// Whether such signs are put without blanks, so that each stands for itself.
fn is_word(c: char) -> bool {
    matches!(
        c.script(),
        Script::Han | Script::Hiragana | Script::Katakana
    )
}

/// What counts in a row of phonemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Sound(char),
    /// Between two words.
    Gap,
}

/// The signs of phonemes, and which code point each of them is.
fn signs(phonemes: &str) -> impl Iterator<Item = (usize, Sign)> {
    phonemes.chars().enumerate().filter_map(|(at, c)| match c {
        ' ' => Some((at, Sign::Gap)),
        c if is_sound(c) => Some((at, Sign::Sound(c))),
        _ => None,
    })
}

/// Stress and length belong to a sound, and punctuation to none.
fn is_sound(c: char) -> bool {
    c.is_alphabetic() && !('\u{2b0}'..='\u{2ff}').contains(&c) && !is_combining_mark(c)
}

fn is_vowel(c: char) -> bool {
    "aeiouyɐɑɒæɔəɘɚɛɜɝɞɤɨɪɯɵøœɶɷʉʊʌʏᵻᵿ".contains(c)
}

/// What it costs that one stands where the other did.
fn cost(one: Sign, other: Sign) -> u32 {
    const NEVER: u32 = 100;
    match (one, other) {
        (Sign::Sound(one), Sign::Sound(other)) if one == other => 0,
        (Sign::Sound(one), Sign::Sound(other)) if is_vowel(one) == is_vowel(other) => 2,
        (Sign::Sound(_), Sign::Sound(_)) => 3,
        (Sign::Gap, Sign::Gap) => 0,
        _ => NEVER,
    }
}

/// What it costs that one is not there in the other row.
fn cost_alone(sign: Sign) -> u32 {
    match sign {
        Sign::Sound(_) => 2,
        Sign::Gap => 1,
    }
}

/// Where the phonemes of each of these words are in those of the sentence that they make; in order. Empty if
/// there are too many to look.
pub(super) fn places(words: &[Alone], sentence: &str) -> Vec<Place> {
    // The words one after the other, and whose each sign is.
    let mut alone = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            alone.push((index, Sign::Gap));
        }
        alone.extend(signs(&word.phonemes).map(|(_, sign)| (index, sign)));
    }
    let said: Vec<(usize, Sign)> = signs(sentence).collect();
    if alone.len().saturating_mul(said.len()) > MOST_STEPS {
        return Vec::new();
    }
    let chars: Vec<char> = sentence.chars().collect();
    let mut places: Vec<Place> = Vec::with_capacity(words.len());
    let mut owners = owners(&alone, &said).into_iter().zip(&said).peekable();
    let mut past = 0;
    for (index, word) in words.iter().enumerate() {
        let (mut first, mut last) = (None, None);
        while let Some((_, &(at, sign))) = owners.next_if(|(owner, _)| *owner <= index) {
            if sign != Sign::Gap {
                first.get_or_insert(at);
                last = Some(at);
            }
        }
        let phonemes = match first.zip(last) {
            None => past..past,
            Some((first, last)) => {
                let before = chars[past..first].iter().rev();
                let stress = before.take_while(|c| matches!(c, 'ˈ' | 'ˌ')).count();
                let behind = chars[last + 1..].iter();
                let marks = behind
                    .take_while(|&&c| !is_sound(c) && is_of_a_sound(c))
                    .count();
                first - stress..last + 1 + marks
            }
        };
        past = phonemes.end;
        let text = word.text.clone();
        places.push(Place { text, phonemes });
    }
    places
}

/// Length, and what stands above or below a letter.
fn is_of_a_sound(c: char) -> bool {
    !matches!(c, 'ˈ' | 'ˌ') && (('\u{2b0}'..='\u{2ff}').contains(&c) || is_combining_mark(c))
}

/// Whose each sign of the sentence is: the number of a word, never smaller than the one before. A gap is
/// that of the word before it.
fn owners(alone: &[(usize, Sign)], said: &[(usize, Sign)]) -> Vec<usize> {
    let width = said.len() + 1;
    // What it costs to get to each place, of which only the last row is needed, and the way there.
    let mut ways = vec![Way::Both; (alone.len() + 1) * width];
    let mut row: Vec<u32> = Vec::with_capacity(width);
    row.push(0);
    for (at, &(_, sign)) in said.iter().enumerate() {
        row.push(row[at] + cost_alone(sign));
        ways[at + 1] = Way::Said;
    }
    for (index, &(_, sign)) in alone.iter().enumerate() {
        let ways = &mut ways[(index + 1) * width..(index + 2) * width];
        let mut before = row[0];
        row[0] += cost_alone(sign);
        ways[0] = Way::Alone;
        for (at, &(_, other)) in said.iter().enumerate() {
            let both = before + cost(sign, other);
            let only_alone = row[at + 1] + cost_alone(sign);
            let only_said = row[at] + cost_alone(other);
            before = row[at + 1];
            let (least, way) = [
                (both, Way::Both),
                (only_alone, Way::Alone),
                (only_said, Way::Said),
            ]
            .into_iter()
            .min_by_key(|(cost, _)| *cost)
            .unwrap_or_default();
            (row[at + 1], ways[at + 1]) = (least, way);
        }
    }
    let mut owners = vec![None; said.len()];
    let (mut index, mut at) = (alone.len(), said.len());
    while index > 0 || at > 0 {
        match ways[index * width + at] {
            Way::Both => {
                (index, at) = (index - 1, at - 1);
                owners[at] = Some(alone[index].0);
            }
            Way::Alone => index -= 1,
            Way::Said => at -= 1,
        }
    }
    settle(&owners, said)
}

/// Sounds that are in no word alone are those of the word they stand in: of the sound behind them, or else
/// of the one before.
fn settle(owners: &[Option<usize>], said: &[(usize, Sign)]) -> Vec<usize> {
    let mut settled = vec![0; said.len()];
    let mut behind = None;
    for at in (0..said.len()).rev() {
        match (said[at].1, owners[at]) {
            (Sign::Gap, _) => behind = None,
            (Sign::Sound(_), Some(owner)) => behind = Some(owner),
            (Sign::Sound(_), None) => {}
        }
        settled[at] = behind.map_or(0, |owner| owner + 1);
    }
    // So far one more, and nothing where nothing is known.
    let mut before = 0;
    for (at, owner) in settled.iter_mut().enumerate() {
        let is_gap = said[at].1 == Sign::Gap;
        *owner = match owner.checked_sub(1) {
            Some(known) if !is_gap => known.max(before),
            _ => before,
        };
        before = *owner;
    }
    settled
}

/// How a place in the two rows is got to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Both,
    Alone,
    Said,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words with what is said of each in the sentence.
    fn parts(alone: &[(&str, &str)], sentence: &str) -> Vec<String> {
        let words: Vec<Alone> = (alone.iter().enumerate())
            .map(|(index, (_, phonemes))| Alone {
                text: index..index + 1,
                phonemes: (*phonemes).to_owned(),
            })
            .collect();
        let chars: Vec<char> = sentence.chars().collect();
        let places = places(&words, sentence).into_iter();
        let part = |(place, (word, _)): (Place, &(&str, &str))| {
            format!(
                "{word}={}",
                chars[place.phonemes].iter().collect::<String>()
            )
        };
        places.zip(alone).map(part).collect()
    }

    #[test]
    fn words_are_what_blanks_and_dashes_part() {
        let words = |text: &'static str| -> Vec<&str> {
            words(text).into_iter().map(|word| &text[word]).collect()
        };
        assert_eq!(
            words("“Well-read,” said [[fˈuː]]'s D. Orr—twice… in 1492."),
            [
                "Well-read",
                "said",
                "[[fˈuː]]'s",
                "D",
                "Orr",
                "twice",
                "in",
                "1492"
            ]
        );
        assert_eq!(
            words("er--und & 3 + 4... was, €5"),
            ["er", "und", "&", "3", "+", "4", "was", "5"]
        );
        assert_eq!(
            words("open [[ and [[fˈuː]] ]] x"),
            ["open", "and", "[[fˈuː]]", "x"]
        );
        assert_eq!(words("महान् है।"), ["महान्", "है"]);
        assert_eq!(words("你好，世界。ok"), ["你", "好", "世", "界", "ok"]);
        assert_eq!(words("[[ "), [""; 0]);
    }

    #[test]
    fn words_that_run_together_are_told_apart() {
        let of_the_sea = [
            ("end", "ˈɛnd"),
            ("of", "ʌv"),
            ("the", "ðə"),
            ("sea", "sˈiː"),
        ];
        assert_eq!(
            parts(&of_the_sea, "ˈɛnd ʌvðə sˈiː."),
            ["end=ˈɛnd", "of=ʌv", "the=ðə", "sea=sˈiː"]
        );
        // A word in two, one that sounds otherwise than alone, and one without a sound.
        let some = [
            ("re-read", "ɹiː ɹˈɛd"),
            ("a", "ˈeɪ"),
            ("h", ""),
            ("book", "bˈʊk"),
        ];
        assert_eq!(
            parts(&some, "ɹiː ɹˈɛd ɐ bˈʊk,"),
            ["re-read=ɹiː ɹˈɛd", "a=ɐ", "h=", "book=bˈʊk"]
        );
    }

    #[test]
    fn what_no_word_has_belongs_to_one() {
        let words = [("for", "fɔːɹ"), ("all", "ˈɔːl")];
        assert_eq!(parts(&words, "fɚɹ ˈɔːlz"), ["for=fɚɹ", "all=ˈɔːlz"]);
        assert_eq!(parts(&[("x", "")], "ɛks"), ["x=ɛks"]);
        assert_eq!(parts(&[], "ɛks"), [""; 0]);
    }

    proptest! {
        #[test]
        fn places_follow_each_other_and_leave_no_sound_out(
            alone in prop::collection::vec("[abɹːˈ ]{0,5}", 1..8),
            sentence in "[abɹːˈ .]{0,30}",
        ) {
            let words: Vec<Alone> = alone
                .into_iter()
                .map(|phonemes| Alone { text: 0..0, phonemes })
                .collect();
            let places = places(&words, &sentence);
            prop_assert_eq!(places.len(), words.len());
            let mut past = 0;
            let chars: Vec<char> = sentence.chars().collect();
            for Place { phonemes, .. } in &places {
                prop_assert!(past <= phonemes.start && phonemes.start <= phonemes.end);
                let between = &chars[past..phonemes.start];
                prop_assert!(!between.iter().any(|c| is_sound(*c)));
                past = phonemes.end;
            }
            prop_assert!(!chars[past..].iter().any(|c| is_sound(*c)));
        }
    }
}
