//! The numbers and the heads of pages that stand between the halves of a text. A number is one only with proof: a
//! sentence goes on behind it, or it goes on counting from one where that is so. It must never take the
//! number of a chapter, which stands between two sentences.

use super::super::super::abbreviations::has;
use super::heads::{Head, running_heads};
use super::line::{Line, Look};
use super::list::marker;
use super::shape::are_lines;

/// A line that may be the number of a page.
struct Candidate {
    line: usize,
    value: u32,
    /// The signs around the number, which all numbers of a text have in common.
    looks: String,
    /// A sentence goes on behind it.
    proven: bool,
    accepted: bool,
}

/// Pages that may lack a number between two that have one.
const MISSING: u32 = 3;

/// Finds the numbers of pages and the running heads among `lines` and marks them, and the lines that go on
/// behind them.
pub(super) fn mark(lines: &mut [Line<'_>], prose: Option<usize>) {
    let mut candidates = candidates(lines);
    let heads = running_heads(lines);
    if candidates.is_empty() && heads.is_empty() {
        return;
    }
    let (mut around, mut proven) = surroundings(lines, prose, &candidates, &heads);
    // The first of its kind is heard, unless it stands within a sentence.
    let is_left_out = |head: &Head| head.is_known || proven.binary_search(&head.line).is_ok();
    let (heads, kept): (Vec<Head>, Vec<Head>) = heads.into_iter().partition(is_left_out);
    if !kept.is_empty() {
        (around, proven) = surroundings(lines, prose, &candidates, &heads);
    }
    for candidate in &mut candidates {
        candidate.proven = proven.binary_search(&candidate.line).is_ok();
    }
    // Of several bare numbers those are pages that count on; the others are what the text is about.
    let several = candidates.len() > 1;
    for index in 0..candidates.len() {
        let value = candidates[index].value;
        let counts = |other: Option<&Candidate>| {
            other.is_some_and(|other| (1..=MISSING).contains(&other.value.abs_diff(value)))
        };
        let before = index
            .checked_sub(1)
            .and_then(|before| candidates.get(before));
        let is_bare = several && candidates[index].looks == "0";
        if is_bare && !counts(before) && !counts(candidates.get(index + 1)) {
            candidates[index].proven = false;
        }
    }
    candidates.sort_by(|a, b| (&a.looks, a.line).cmp(&(&b.looks, b.line)));
    for series in candidates.chunk_by_mut(|a, b| a.looks == b.looks) {
        accept(series);
    }
    for candidate in candidates.iter().filter(|candidate| candidate.accepted) {
        lines[candidate.line].look = Look::PageNumber;
    }
    for head in &heads {
        lines[head.line].look = Look::RunningHead;
    }
    let numbers = candidates.iter().filter(|candidate| candidate.proven);
    let numbers = numbers.map(|candidate| candidate.line);
    let heads = heads.iter().map(|head| head.line);
    let heads = heads.filter(|head| proven.binary_search(head).is_ok());
    for line in numbers.chain(heads) {
        let (Some(before), Some(after)) = around.of(line) else {
            continue;
        };
        if std::mem::replace(&mut lines[after].goes_on, true) {
            continue;
        }
        for line in &mut lines[before + 1..after] {
            if line.look == Look::Blank {
                line.look = Look::Feed;
            }
        }
    }
    for head in kept {
        let line = &mut lines[head.line];
        (line.is_apart, line.goes_on) = (true, false);
    }
}

/// What stands around these lines, and those of them behind which a sentence goes on.
fn surroundings(
    lines: &[Line<'_>],
    prose: Option<usize>,
    candidates: &[Candidate],
    heads: &[Head],
) -> (Around, Vec<usize>) {
    let numbers = candidates.iter().map(|candidate| candidate.line);
    let mut found: Vec<usize> = numbers.chain(heads.iter().map(|head| head.line)).collect();
    found.sort_unstable();
    let around = Around::new(lines, &found);
    let proven = around.proven(&found, lines, prose);
    (around, proven)
}

/// Numbers that are alone between blank lines, or beside the end of a page.
fn candidates(lines: &[Line<'_>]) -> Vec<Candidate> {
    let blank = |line: Option<&Line<'_>>| line.is_none_or(|line| line.look == Look::Blank);
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.look != Look::Words || line.text.len() > 40 {
            continue;
        }
        let before = index.checked_sub(1).map(|before| &lines[before]);
        let after = lines.get(index + 1);
        let feeds = line.feeds
            || before.is_some_and(|before| before.feeds || before.look == Look::Feed)
            || after.is_some_and(|after| after.look == Look::Feed);
        if let Some((value, looks)) = number(line.text)
            && (feeds || (blank(before) && blank(after)))
        {
            found.push(Candidate {
                line: index,
                value,
                looks,
                proven: false,
                accepted: false,
            });
        }
    }
    found
}

/// The number of "14", "-16-", "– 17 –", "\[18\]", "Page 12", "12 / 80", and the signs around it.
pub(super) fn number(line: &str) -> Option<(u32, String)> {
    const WORDS: &str = "page pg p seite s pagina página strona";
    let clean: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = clean.to_lowercase();
    let start = lower.find(|c: char| c.is_ascii_digit())?;
    let (head, rest) = lower.split_at(start);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (value, tail) = rest.split_at(digits);
    let word: String = head.chars().filter(|c| c.is_alphabetic()).collect();
    let signs = |text: &str| {
        text.chars()
            .all(|c| c.is_alphabetic() || "-–—[](){}|~·•*.:/_=<>".contains(c))
    };
    let tail_looks = match tail.trim_end_matches(|c: char| c.is_ascii_digit()) {
        // "1/2" is a half.
        of @ ("/" | "of" | "von" | "de") if tail.len() > of.len() + 1 => of,
        rest if rest.len() == tail.len() && signs(rest) && !rest.contains(char::is_alphabetic) => {
            rest
        }
        _ => return None,
    };
    let knows = word.is_empty() || has(WORDS, &word);
    // "14." and "14)" number chapters and items.
    let numbers_something = head.is_empty() && matches!(tail, "." | ")" | ":");
    if !knows || !signs(head) || digits > 4 || numbers_something {
        return None;
    }
    Some((value.parse().ok()?, format!("{head}0{tail_looks}")))
}

/// For each line the nearest lines of words on both sides, numbers of pages and running heads aside.
struct Around {
    before: Vec<Option<usize>>,
    after: Vec<Option<usize>>,
}

impl Around {
    fn new(lines: &[Line<'_>], aside: &[usize]) -> Self {
        let mut is_aside = vec![false; lines.len()];
        for &line in aside {
            is_aside[line] = true;
        }
        let step = |last: &mut Option<usize>, index: usize| {
            let before = *last;
            match lines[index].look {
                Look::Words if !is_aside[index] => *last = Some(index),
                Look::SceneBreak => *last = None,
                _ => {}
            }
            before
        };
        let mut last = None;
        let before = (0..lines.len())
            .map(|index| step(&mut last, index))
            .collect();
        let mut last = None;
        let mut after: Vec<_> = (0..lines.len())
            .rev()
            .map(|index| step(&mut last, index))
            .collect();
        after.reverse();
        Self { before, after }
    }

    fn of(&self, line: usize) -> (Option<usize>, Option<usize>) {
        (self.before[line], self.after[line])
    }

    /// Those of these lines, which are in order, behind which a sentence goes on.
    fn proven(&self, found: &[usize], lines: &[Line<'_>], prose: Option<usize>) -> Vec<usize> {
        // Many may stand between the same two lines, which are looked at once.
        let mut last = None;
        let goes_on = |line: &usize| {
            let between = self.of(*line);
            let proven = match last {
                Some((same, proven)) if same == between => proven,
                _ => self.goes_on(*line, lines, prose),
            };
            last = Some((between, proven));
            proven
        };
        found.iter().copied().filter(goes_on).collect()
    }

    /// True if a sentence goes on from before the line to behind it.
    fn goes_on(&self, line: usize, lines: &[Line<'_>], prose: Option<usize>) -> bool {
        let (Some(before), Some(after)) = self.of(line) else {
            return false;
        };
        if marker(&lines[after]).is_some() {
            return false;
        }
        if lines[after].begins_lower() {
            return true;
        }
        // A title, a signature or a stanza ends without a sign, too.
        let most = before.saturating_sub(8);
        let first = (most..before)
            .rev()
            .take_while(|&index| lines[index].look == Look::Words)
            .last()
            .unwrap_or(before);
        let group = &lines[first..=before];
        let words = lines[before].text.trim_end();
        let is_open = !lines[before].ends_a_sentence()
            && words.ends_with(|c: char| {
                c.is_alphanumeric() || matches!(c, ',' | ';' | '-' | '\u{AD}' | '’')
            });
        let is_text =
            group.len() > 1 || lines[before].width() > 60 || words.ends_with([',', ';', '-']);
        is_open
            && is_text
            && !are_lines(group, prose)
            && lines[first..=before]
                .iter()
                .all(|line| marker(line).is_none())
    }
}

/// Accepts what is proven of a series of the same looks, and what goes on counting from it. Where few
/// are proven, the others are the numbers of chapters.
fn accept(series: &mut [Candidate]) {
    let proven = series.iter().filter(|candidate| candidate.proven).count();
    let enough = 4 * proven >= series.len();
    let mut last: Option<u32> = None;
    for candidate in series.iter_mut() {
        let counts = last.is_some_and(|last| {
            candidate.value > last && candidate.value - last <= MISSING && enough
        });
        candidate.accepted = candidate.proven || counts;
        if candidate.accepted {
            last = Some(candidate.value);
        }
    }
    let mut next: Option<u32> = None;
    for candidate in series.iter_mut().rev() {
        let counts = next.is_some_and(|next| {
            candidate.value < next && next - candidate.value <= MISSING && enough
        });
        candidate.accepted |= counts;
        if candidate.accepted {
            next = Some(candidate.value);
        }
    }
}
