//! Where sentences end, by `sentencex`, corrected where its answer is bad for listening.
//! The ranges returned cover the text without gaps. It must never hand the crate more than a
//! bounded stretch at once: nested quotation marks cost it the square of the length.

use std::ops::Range;

use super::abbreviations::{Stop, stop};

/// Longest stretch handed to the crate, in bytes.
const WINDOW: usize = 4096;

const OPENING: &[char] = &['“', '"', '«', '„', '‘', '‹', '(', '['];
const CLOSING: &[char] = &['”', '"', '»', '“', '’', '›', ')', ']'];

/// The sentences of `text`, which is one line, in order and touching. One ends at each of `ends`,
/// which are in order, whatever follows.
pub(super) fn sentences(text: &str, ends: &[usize], language: &str) -> Vec<Range<usize>> {
    let code = language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let mut cuts = Vec::new();
    in_windows(text, &code, &mut cuts);
    inside_quotations(text, &code, &mut cuts);
    let english = has_english_rules(&code);
    if english {
        behind_abbreviations(text, &mut cuts);
    }
    cuts.extend_from_slice(ends);
    cuts.push(text.len());
    cuts.sort_unstable();
    cuts.dedup();
    let mut found: Vec<Range<usize>> = Vec::with_capacity(cuts.len());
    let mut start = 0;
    for end in cuts {
        let is_told = ends.binary_search(&end).is_ok();
        let end = leave_opening_marks(text, start, end);
        if start < end && (is_told || !is_wrong(text, start, end, english)) {
            found.push(start..end);
            start = end;
        }
    }
    found
}

/// English, and what is treated like it: a language that the crate has no abbreviations for.
fn has_english_rules(code: &str) -> bool {
    const OTHERS: &[&str] = &[
        "am", "ar", "bg", "bn", "ca", "da", "de", "el", "es", "fi", "fr", "gu", "hi", "hy", "it",
        "ja", "kk", "kn", "ml", "mr", "my", "nl", "pa", "pl", "pt", "ru", "sk", "ta", "te", "uk",
        "zh",
    ];
    !OTHERS.contains(&code)
}

/// Finds the ends of sentences window by window. The last sentence of a window may go on behind
/// it, so the next window begins with it.
fn in_windows(text: &str, code: &str, cuts: &mut Vec<usize>) {
    let mut at = 0;
    while at < text.len() {
        let end = window_end(text, at);
        let mut found: Vec<usize> = sentencex::get_sentence_boundaries(code, &text[at..end])
            .iter()
            .map(|sentence| at + sentence.end_byte)
            .filter(|&cut| cut < end)
            .collect();
        found.dedup();
        match found.last() {
            Some(&last) if end < text.len() => at = last,
            _ => at = end,
        }
        cuts.append(&mut found);
        if at == end && end < text.len() {
            cuts.push(end);
        }
    }
}

/// After the last blank of the window, if it has one.
fn window_end(text: &str, at: usize) -> usize {
    let most = text.floor_char_boundary(at + WINDOW);
    if most == text.len() {
        return most;
    }
    text[at..most]
        .rfind(' ')
        .map_or(most, |blank| at + blank + 1)
}

/// `“I am. I said so. It is true.”` comes back as one sentence; a listener hears three.
fn inside_quotations(text: &str, code: &str, cuts: &mut Vec<usize>) {
    let mut all = Vec::with_capacity(cuts.len());
    let mut start = 0;
    for &end in cuts.iter().chain([&text.len()]) {
        let sentence = &text[start..end];
        let inside = sentence.trim_start().strip_prefix(OPENING);
        if let Some(inside) = inside.filter(|inside| inside.len() <= WINDOW) {
            let spoken = inside.trim_end();
            let closes_at_the_end = spoken
                .find(CLOSING)
                .is_some_and(|at| spoken[at..].chars().all(|c| CLOSING.contains(&c)));
            if closes_at_the_end {
                let base = start + (sentence.len() - inside.len());
                let found = sentencex::get_sentence_boundaries(code, inside);
                let inner = found.iter().map(|sentence| base + sentence.end_byte);
                all.extend(inner.filter(|&cut| start < cut && cut < end));
            }
        }
        after_brackets(text, start..end, &mut all);
        if end < text.len() {
            all.push(end);
        }
        start = end;
    }
    all.sort_unstable();
    all.dedup();
    *cuts = all;
}

/// `(He left. She stayed.) Then it rained.` comes back as one sentence, too.
fn after_brackets(text: &str, sentence: Range<usize>, cuts: &mut Vec<usize>) {
    // Behind "(e.g.)" or "(b. 1920, d.)" a sentence continues more often than not, so what is in
    // the brackets must begin like a sentence of its own.
    let mut own = false;
    for (at, bracket) in text[sentence.clone()].match_indices(['(', '[', ')', ']']) {
        let at = sentence.start + at;
        let after = text[at + 1..sentence.end].chars().next();
        if matches!(bracket, "(" | "[") {
            own = after.is_some_and(char::is_uppercase);
            continue;
        }
        let ended = text[sentence.start..at].ends_with(['.', '!', '?', '…']);
        let next = text[at + 1..sentence.end].chars().nth(1);
        let begins = next.is_some_and(|c| c.is_uppercase() || OPENING.contains(&c));
        if own && ended && after == Some(' ') && begins {
            cuts.push(at + 2);
        }
    }
}

/// An opening mark at the end of a sentence belongs to the next: `He left. “` `Next …`.
fn leave_opening_marks(text: &str, start: usize, end: usize) -> usize {
    if end == text.len() {
        return end;
    }
    let words = text[start..end].trim_end();
    let opening_marks = ['“', '«', '„', '‘', '(', '['];
    let before = words.trim_end_matches(opening_marks);
    match before.ends_with(' ') {
        true => start + before.len(),
        false => end,
    }
}

/// `He lives in the U.S. She left.` comes back as one sentence. A full stop inside of brackets or of a
/// quotation that goes on is left alone, as everywhere.
fn behind_abbreviations(text: &str, cuts: &mut Vec<usize>) {
    let mut found = Vec::new();
    let mut known = cuts.iter().copied().peekable();
    let (mut depth, mut quoted) = (0usize, false);
    for (at, c) in text.char_indices() {
        if known.next_if(|&cut| cut <= at).is_some() {
            while known.next_if(|&cut| cut <= at).is_some() {}
            (depth, quoted) = (0, false);
        }
        match c {
            '(' | '[' | '“' | '«' | '„' => depth += 1,
            ')' | ']' | '”' | '»' => depth = depth.saturating_sub(1),
            '"' => quoted = !quoted,
            ' ' if depth == 0 && !quoted && stop(&text[..at], &text[at..]) == Some(Stop::End) => {
                found.push(at + 1);
            }
            _ => {}
        }
    }
    cuts.append(&mut found);
}

/// A cut behind an abbreviation that something must follow (`See vol.` `2.`), inside of what no blank
/// parts (`www.` `Example.org`), or before a dash that goes on (`“Run!”` `—Ruth cried.`).
fn is_wrong(text: &str, start: usize, end: usize, english: bool) -> bool {
    let words = text[start..end].trim_end();
    let next = text[end..].chars().next();
    if start + words.len() == end
        && next.is_some_and(|c| {
            matches!(c, '—' | '–' | '―') || (c.is_alphanumeric() && words.ends_with('.'))
        })
    {
        return true;
    }
    end < text.len()
        && match stop(words, &text[end..]) {
            Some(Stop::Bound) => true,
            // "est." may end a sentence in French.
            Some(Stop::Inside) => english,
            Some(Stop::End) | None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text, &[], "en")
            .into_iter()
            .map(|range| text[range].trim())
            .collect()
    }

    #[test]
    fn sentences_end_where_a_reader_breathes() {
        let cases: &[(&str, &[&str])] = &[
            (
                "“Come in,” said Dr. Smith. “It is 3.14 p.m. already.” He sat.",
                &[
                    "“Come in,” said Dr. Smith.",
                    "“It is 3.14 p.m. already.”",
                    "He sat.",
                ],
            ),
            (
                "“I am. I said so. It is true.” Then he left.",
                &["“I am.", "I said so.", "It is true.”", "Then he left."],
            ),
            (
                "She said: “We leave at dawn. Be ready.” and left.",
                &["She said: “We leave at dawn. Be ready.” and left."],
            ),
            (
                "“Stop!” she cried. “Are you mad?”",
                &["“Stop!” she cried.", "“Are you mad?”"],
            ),
            (
                "He waited... and left. He waited… and left.",
                &["He waited... and left.", "He waited… and left."],
            ),
            (
                "It was Vol. 2 of it. See No. 7, e.g. now. No. That is wrong.",
                &[
                    "It was Vol. 2 of it.",
                    "See No. 7, e.g. now.",
                    "No.",
                    "That is wrong.",
                ],
            ),
            (
                "(He left. She stayed.) Then it rained.",
                &["(He left. She stayed.)", "Then it rained."],
            ),
            (
                "Some (e.g. Tom, etc.) Went home.",
                &["Some (e.g. Tom, etc.) Went home."],
            ),
            ("One. “Two three. Four.", &["One.", "“Two three.", "Four."]),
            (
                "J. R. Jones met Mrs. Bell at 9 a.m. at St. Mary's.",
                &["J. R. Jones met Mrs. Bell at 9 a.m. at St. Mary's."],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(&cut(text), expected);
        }
    }

    #[test]
    fn long_texts_go_in_windows_and_nothing_is_lost() {
        let text = "A rather short sentence stands here. ".repeat(1000);
        let found = sentences(&text, &[], "en-us");
        assert_eq!(found.len(), 1000);
        assert_eq!(found.first().map(|r| r.start), Some(0));
        assert_eq!(found.last().map(|r| r.end), Some(text.len()));
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn other_languages_have_their_own_abbreviations() {
        let text = "Das ist z. B. Herr Dr. Braun. Er kommt am 3. Mai.";
        assert_eq!(sentences(text, &[], "de").len(), 2);
        assert_eq!(sentences("Il est. Puis il part.", &[], "fr").len(), 2);
        assert_eq!(sentences("Hello. There.", &[], "no such language").len(), 2);
    }
}
