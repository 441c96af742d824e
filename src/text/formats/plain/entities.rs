//! Entities of HTML in a plain text, left there by whoever took its tags out: `&amp;`, `&mdash;`, `&#8217;`.
//! It must never take the end of a name for one: only what has a semicolon and can be nothing else counts.

use super::super::super::control::{is_control, is_invisible};
use super::super::super::{Document, Run, Spoken};
use super::super::html::reference;

/// Names that are no words. Letters with accents come on top.
const NAMES: &[&str] = &[
    "amp", "apos", "bdquo", "deg", "emsp", "ensp", "frac12", "frac14", "frac34", "gt", "hellip",
    "laquo", "ldquo", "lsaquo", "lsquo", "lt", "mdash", "middot", "nbsp", "ndash", "pound", "quot",
    "raquo", "rdquo", "rsaquo", "rsquo", "sbquo", "szlig", "thinsp",
];

/// What stands behind the letter in the name of another letter.
const ACCENTS: &[&str] = &[
    "acute", "caron", "cedil", "circ", "grave", "ring", "slash", "tilde", "uml",
];

/// Lets the characters be spoken that entities stand for.
pub(super) fn replace(text: &str, document: &mut Document) {
    for block in &mut document.blocks {
        let runs = std::mem::take(&mut block.runs);
        for run in runs {
            match run.spoken {
                Spoken::AsWritten => split(text, &run, &mut block.runs),
                Spoken::Instead(_) => block.runs.push(run),
            }
        }
    }
}

/// A run that is as it is written, and the entities in it.
fn split(text: &str, run: &Run, runs: &mut Vec<Run>) {
    let mut at = run.span.start;
    let mut from = at;
    let mut part = |span: std::ops::Range<usize>, spoken| {
        if !span.is_empty() {
            runs.push(Run { span, spoken });
        }
    };
    while let Some(found) = text[at..run.span.end].find('&') {
        at += found;
        let Some((len, words)) = entity(&text[at..run.span.end]) else {
            at += 1;
            continue;
        };
        part(from..at, Spoken::AsWritten);
        part(at..at + len, Spoken::Instead(words.into()));
        at += len;
        from = at;
    }
    part(from..run.span.end, Spoken::AsWritten);
}

/// Words with their entities replaced.
pub(super) fn decoded(words: &str) -> String {
    let mut decoded = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(found) = rest.find('&') {
        decoded.push_str(&rest[..found]);
        rest = &rest[found..];
        let (len, words) = entity(rest).unwrap_or((1, "&".to_owned()));
        decoded.push_str(&words);
        rest = &rest[len..];
    }
    decoded + rest
}

/// The entity that `text` begins with: its length and what it stands for.
fn entity(text: &str) -> Option<(usize, String)> {
    let (len, stands_for) = reference(text)?;
    let name = text[..len].strip_prefix('&')?.strip_suffix(';')?;
    let is_accented = || {
        let accent = name.get(1..).unwrap_or_default();
        ACCENTS.contains(&accent) && name.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    let is_number = name
        .strip_prefix('#')
        .is_some_and(|digits| digits.len() > 1);
    if !(is_number || NAMES.contains(&name) || is_accented()) {
        return None;
    }
    let mut words = String::new();
    stands_for.push_to(&mut words);
    let is_sound = |c: char| !is_control(c) && !is_invisible(c) && c != char::REPLACEMENT_CHARACTER;
    words.chars().all(is_sound).then_some((len, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_nothing_else_is_an_entity() {
        let cases = [
            (
                "R&amp;D &mdash; it&#8217;s&nbsp;&quot;so&quot;&hellip;",
                "R&D — it’s\u{a0}\"so\"…",
            ),
            (
                "caf&eacute; &Uuml;ber &frac12; &#x2014; &#146;",
                "café Über ½ — ’",
            ),
            ("&amp;mdash; &amp;amp;", "&mdash; &amp;"),
            (
                "AT&T; R&D; Tom &phone; &copy &amp &ampere; &; &#; &#1; &#27; &#0; &shy; Smith &sons;",
                "AT&T; R&D; Tom &phone; &copy &amp &ampere; &; &#; &#1; &#27; &#0; &shy; Smith &sons;",
            ),
        ];
        for (written, said) in cases {
            assert_eq!(decoded(written), said, "{written}");
        }
    }
}
