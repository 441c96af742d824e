//! What eSpeak is told to say. It names the letters of "Shh", reads "F B I" as three words without a
//! tune, and takes a letter A for the article: here such things are put so that it says them right.
//! Between `[[` and `]]` stand phonemes, which pass it by. It must never change what anything else says.

mod letters;
mod sounds;
mod spellings;

use std::borrow::Cow;

use letters::{is_letter, is_letters_own, spelled};
use sounds::sound;
use spellings::{contracted, drawled, stutter};

/// A stretch of what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Words for eSpeak.
    Words(Cow<'t, str>),
    /// Phonemes as the voice knows them.
    Phonemes(Cow<'t, str>),
}

/// The pieces of a sentence. `english` tells whether eSpeak reads it as English.
pub(super) fn pieces(text: &str, english: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((inside, behind)) = rest.split_once("]]") {
        let Some((before, phonemes)) = inside.rsplit_once("[[") else {
            let (all, _) = rest.split_at(rest.len() - behind.len());
            words(all, english, &mut pieces);
            rest = behind;
            continue;
        };
        words(before, english, &mut pieces);
        let phonemes = phonemes.trim();
        pieces.push(Piece::Phonemes(phonemes.into()));
        rest = behind;
        if let Some(behind) = owned(rest).filter(|_| english) {
            pieces.push(Piece::Phonemes(owners_sound(phonemes).into()));
            rest = behind;
        }
    }
    words(rest, english, &mut pieces);
    pieces
}

/// The text without the phonemes that stand in it.
pub(super) fn without_phonemes(text: &str) -> Cow<'_, str> {
    if !text.contains("[[") {
        return Cow::Borrowed(text);
    }
    let words = pieces(text, false)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Words(words) => Some(words),
            Piece::Phonemes(_) => None,
        });
    words.collect::<Vec<_>>().join(" ").into()
}

/// What comes behind the "'s" that a text begins with.
pub(super) fn owned(text: &str) -> Option<&str> {
    let behind = text
        .strip_prefix("'s")
        .or_else(|| text.strip_prefix("’s"))?;
    (!behind.starts_with(char::is_alphanumeric)).then_some(behind)
}

/// How "'s" sounds behind phonemes. By itself eSpeak would name the letter.
fn owners_sound(phonemes: &str) -> &'static str {
    match phonemes.chars().rev().find(|c| c.is_alphabetic()) {
        Some('s' | 'z' | 'ʃ' | 'ʒ') => "ᵻz",
        Some('p' | 't' | 'k' | 'f' | 'θ') => "s",
        _ => "z",
    }
}

fn words<'t>(text: &'t str, english: bool, pieces: &mut Vec<Piece<'t>>) {
    if !english {
        push(text, pieces);
        return;
    }
    let first = pieces.len();
    let mut start = 0;
    for (at, word) in spans(text) {
        if let Some(phonemes) = sound(word) {
            push(&text[start..at], pieces);
            pieces.push(Piece::Phonemes(phonemes));
            start = at + word.len();
        }
    }
    push(&text[start..], pieces);
    for piece in &mut pieces[first..] {
        if let Piece::Words(words) = piece
            && let Some(put) = respelled(words)
        {
            *words = put.into();
        }
    }
}

fn push<'t>(text: &'t str, pieces: &mut Vec<Piece<'t>>) {
    if !text.is_empty() {
        pieces.push(Piece::Words(text.into()));
    }
}

/// Words with the hyphens and apostrophes inside them, and their places.
fn spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’');
    text.split(move |c| !is_part(c))
        .map(move |word| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            (word.as_ptr() as usize - text.as_ptr() as usize, word)
        })
        .filter(|(_, word)| !word.is_empty())
}

/// The same with letters, and stutters, as eSpeak says them right. `None` if nothing has to change.
fn respelled(text: &str) -> Option<String> {
    let mut put = String::new();
    let mut start = 0;
    let mut words = spans(text).peekable();
    let mut before: Option<&str> = None;
    while let Some((at, word)) = words.next() {
        let end = at + word.len();
        if let Some(plain) = drawled(word).or_else(|| contracted(word)) {
            put.push_str(&text[start..at]);
            put.push_str(&plain);
            start = end;
        } else if let Some(stutter) = stutter(word) {
            put.push_str(&text[start..at]);
            put.push_str(&stutter);
            start = end;
        } else if is_letter(word) {
            // Letters that only a blank parts.
            let (mut letters, mut past) = (vec![word], end);
            while let Some(&(next, other)) = words.peek()
                && &text[past..next] == " "
                && (is_letter(other) || is_letters_own(other))
            {
                letters.push(other);
                past = next + other.len();
                words.next();
                if is_letters_own(other) {
                    break;
                }
            }
            // "P S I love you": a pronoun ends the letters.
            let is_pronoun = letters.len() > 1
                && letters.last() == Some(&"I")
                && words.peek().is_some_and(|(next, word)| {
                    &text[past..*next] == " " && word.starts_with(char::is_lowercase)
                });
            if is_pronoun {
                letters.pop();
                past -= 2;
            }
            let begins = at == 0
                || text[..at]
                    .trim_end()
                    .ends_with(['.', '!', '?', ':', '“', '"']);
            let next = words.peek().map(|(next, word)| (&text[past..*next], *word));
            if let Some(said) = spelled(&letters, before, begins, next) {
                put.push_str(&text[start..at]);
                put.push_str(&said);
                start = past;
            }
            before = letters.last().copied();
            continue;
        }
        before = Some(word);
    }
    if start == 0 {
        return None;
    }
    put.push_str(&text[start..]);
    Some(put)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(text: &str) -> String {
        let show = |piece: Piece<'_>| match piece {
            Piece::Words(words) => words.into_owned(),
            Piece::Phonemes(phonemes) => format!("[{phonemes}]"),
        };
        pieces(text, true).into_iter().map(show).collect()
    }

    #[test]
    fn what_espeak_would_say_wrong_is_put_otherwise() {
        for (said, told) in [
            ("The U S Navy and the F B I.", "The U.S Navy and the F.B.I."),
            ("D V D's, T V's and A B's", "D.V D's, T V's and A- B's"),
            (
                "at twelve p m, in A D seventy",
                "at twelve P.M, in A.D seventy",
            ),
            ("five a m", "five A.M"),
            (
                "Plan A was a good one. A boat.",
                "Plan A- was a good one. A boat.",
            ),
            ("I a and b see a B flat", "I a and b see a B flat"),
            ("Hmmm, well. Shhh! MM", "[həm], well. [ʃː]! MM"),
            (
                "Plan A. [[fˈuː]] and [[bˈɑː]]",
                "Plan A-. [fˈuː] and [bˈɑː]",
            ),
            ("open [[ and [[fˈuː]]", "open [[ and [fˈuː]"),
            ("re-read it in mph", "re-read it in mph"),
            ("Bzzt, nngh; https and DNS", "[bzːt], [nːɡ]; https and DNS"),
            ("Nooooo, whaaat? Oooh, p'raps", "No, what? ooh, perhaps"),
            (
                "W-w-what? Th-that. Wha-what",
                "Wuh wuh what? Thuh that. Whah what",
            ),
            (
                "I-I can't, an S-shaped e-mail",
                "I-I can't, an S-shaped e-mail",
            ),
            ("the [[fˈuː]] bar", "the [fˈuː] bar"),
            (
                "[[liːθ]]’s [[tʃɜːtʃ]]'s [[bɛn]]'s",
                "[liːθ][s] [tʃɜːtʃ][ᵻz] [bɛn][z]",
            ),
            ("open [[ only", "open [[ only"),
            ("plain words, of course", "plain words, of course"),
        ] {
            assert_eq!(put(said), told, "{said}");
        }
        assert_eq!(pieces("Hm", false), [Piece::Words("Hm".into())]);
    }
}
