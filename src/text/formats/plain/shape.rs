//! Tells prose that was wrapped by hand from lines that were ended on purpose: verse, addresses, the
//! head of a letter. It must rather take verse for prose than prose for verse: who wraps a text breaks
//! a line only where the next word does not fit, and so that is what it looks for.

use super::super::super::abbreviations::has;
use super::line::Line;

/// Lines longer than this, in bytes, were not wrapped by hand: each is a paragraph.
const WRAPPED: usize = 120;

/// How wide prose is where the text does not tell, at least.
const NARROW: usize = 50;

/// The longest line of verse, in characters.
const VERSE: usize = 70;

/// What a line of a group is to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// It goes on with it.
    Flows,
    /// A line of its own.
    Line,
    /// A paragraph of its own.
    Paragraph,
}

/// The width that the prose of a text was wrapped to, in characters, if some of it surely was.
pub(super) fn prose_width<'a>(groups: impl Iterator<Item = &'a [Line<'a>]>) -> Option<usize> {
    let mut widths: Vec<usize> = groups
        .filter(|lines| lines.len() > 2 && is_prose(lines))
        .map(longest)
        .collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied()
}

/// Most lines go on in lower case, and nearly all were full.
fn is_prose(lines: &[Line<'_>]) -> bool {
    let breaks = lines.len() - 1;
    let longest = longest(lines);
    let lower = lines[1..].iter().filter(|line| line.begins_lower()).count();
    let full = pairs(lines).filter(|(line, next)| !fits(line, next, longest - longest / 8));
    2 * lower >= breaks && 5 * full.count() >= 4 * breaks && !has_long(lines)
}

fn longest(lines: &[Line<'_>]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

fn has_long(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| line.text.len() > WRAPPED)
}

fn pairs<'a, 'b>(lines: &'b [Line<'a>]) -> impl Iterator<Item = (&'b Line<'a>, &'b Line<'a>)> {
    lines.iter().zip(lines.iter().skip(1))
}

/// True if the first word of `next` had still fitted into `line`.
fn fits(line: &Line<'_>, next: &Line<'_>, width: usize) -> bool {
    line.width() + 1 + next.first_word().chars().count() <= width
}

/// What each line of a group, which stands between blank lines, is to the one before; `prose` is what
/// [`prose_width`] found.
pub(super) fn starts(lines: &[Line<'_>], prose: Option<usize>) -> Vec<Start> {
    let is_verse = are_lines(lines, prose);
    // A first-line indent tells only where other lines are flush.
    let indents = !is_verse && lines.iter().any(|line| !line.is_indented());
    let mut starts = vec![Start::Paragraph; lines.len().min(1)];
    for (index, (line, next)) in pairs(lines).enumerate() {
        let is_paragraph = (indents && next.is_indented())
            || line.text.len() > WRAPPED
            || (next.opens_speech() && line.ends_a_sentence());
        starts.push(match () {
            () if next.goes_on => Start::Flows,
            () if is_paragraph => Start::Paragraph,
            () if is_verse || ends_early(index, line, next, prose) => Start::Line,
            () => Start::Flows,
        });
    }
    starts
}

/// True for two lines or more that are ended on purpose, all of them.
pub(super) fn are_lines(lines: &[Line<'_>], prose: Option<usize>) -> bool {
    if lines.len() < 2 || has_long(lines) || lines.iter().any(|line| line.goes_on) {
        return false;
    }
    if pairs(lines).any(|(line, next)| next.begins_lower() || line.parts_a_word()) {
        return false;
    }
    let longest = longest(lines);
    // Narrow prose that begins its lines with capitals by chance: every line is full, and sentences end
    // within lines.
    let full = |width: usize| pairs(lines).all(|(line, next)| !fits(line, next, width));
    if prose.is_none() && full(longest) && lines.iter().any(holds_an_end) {
        return false;
    }
    // Some programs leave lines a little short, so room for the word alone proves nothing.
    let width = prose.map_or(longest.max(NARROW), |width| longest.max(width - width / 8));
    let is_whole = lines.len() > 3 || !pairs(lines).any(|(line, _)| leaves_open(line));
    if is_whole && pairs(lines).all(|(line, next)| fits(line, next, width)) {
        return true;
    }
    let width = prose.map_or(longest, |width| longest.max(width));
    let early = pairs(lines).filter(|(line, next)| fits(line, next, width));
    let capital = |line: &Line<'_>| {
        let opens = |c: char| !c.is_alphanumeric();
        let words = line.text.trim_start_matches(opens);
        words.starts_with(char::is_uppercase)
    };
    lines.len() > 3
        && longest <= VERSE
        && lines.iter().all(capital)
        && 3 * early.count() >= lines.len() - 1
}

/// True if the last word of a line wants another, as "the" does.
fn leaves_open(line: &Line<'_>) -> bool {
    const WORDS: &str = "a an the of to in and or but with for at by from on as my his her its our your \
        their that when if was is were had has be";
    let last = line.text.split_whitespace().next_back();
    last.is_some_and(|last| has(WORDS, last))
}

/// True if a sentence ends within the line, and another begins.
fn holds_an_end(line: &Line<'_>) -> bool {
    line.text
        .trim_end()
        .match_indices(['.', '!', '?'])
        .any(|(at, _)| {
            let rest = line.text[at + 1..].trim_start_matches(['”', '"', '’', '»', ')']);
            let words = rest.trim_start();
            words.len() < rest.len() && words.starts_with(char::is_uppercase)
        })
}

/// The last line of something within a group: a sentence ends long before the margin, or the group
/// begins with "Dear Tom,".
fn ends_early(index: usize, line: &Line<'_>, next: &Line<'_>, prose: Option<usize>) -> bool {
    let is_address = index == 0 && line.text.trim_end().ends_with([',', ':']);
    prose.is_some_and(|width| fits(line, next, width - width / 4))
        && !next.begins_lower()
        && (line.ends_a_sentence() || is_address)
}
