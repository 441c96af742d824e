//! Entities of HTML in a plain text, left there by whoever took its tags out: `&amp;`, `&mdash;`, `&#8217;`.
//! It must never take the end of a name for one: only what has a semicolon and stands for one character counts.

use super::super::super::control::{is_control, is_invisible};
use super::super::super::{Document, Run, Spoken};
use super::super::html::reference;

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
    let is_sound = |c: char| !is_control(c) && !is_invisible(c) && c != char::REPLACEMENT_CHARACTER;
    let c = stands_for.only().filter(|&c| is_sound(c))?;
    let is_entity = match name.strip_prefix('#') {
        Some(digits) => digits.len() > 1,
        None => !c.is_ascii_alphanumeric(),
    };
    is_entity.then(|| (len, c.to_string()))
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
            ("&aelig; &oelig; &copy; &dagger; &bull;", "æ œ © † •"),
            ("&amp;mdash; &amp;amp;", "&mdash; &amp;"),
            (
                "AT&T; R&D; Tom &phones; &copy &amp &ampere; &fjlig; &; &#; &#1; &#27; &#0; &shy; Smith &sons;",
                "AT&T; R&D; Tom &phones; &copy &amp &ampere; &fjlig; &; &#; &#1; &#27; &#0; &shy; Smith &sons;",
            ),
        ];
        for (written, said) in cases {
            assert_eq!(decoded(written), said, "{written}");
        }
    }
}
