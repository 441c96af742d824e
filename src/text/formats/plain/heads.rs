//! Running heads: the title that stands at the top of each page of a printed book, with the number of the
//! page or without. Whoever made the text ended each page with a form feed. It must never take the heading
//! of a chapter or the first words of a page for one.

use std::collections::HashMap;

use super::super::heading::is_chapter;
use super::line::{Line, Look};
use super::pages::number;

/// So many pages have the same head.
const ENOUGH: usize = 3;

/// Longest head, in bytes.
const LONGEST: usize = 120;

/// A running head.
pub(super) struct Head {
    pub(super) line: usize,
    /// Its words were heard before: it is not the first of its kind, or they stood in a line of their own.
    pub(super) is_known: bool,
}

/// The first words of a page, which may be its head.
#[derive(Clone, Copy)]
struct Top {
    line: usize,
    page: usize,
    number: Number,
}

/// How the number of a page stands in a line.
#[derive(Clone, Copy, PartialEq)]
enum Number {
    None,
    /// A gap stands between it and the words.
    SetOff,
    /// One blank stands there, as in "Letter 3" and "1 John".
    Close(u32),
    /// Digits are a part of the words.
    Within,
}

/// The running heads of a text, in order.
pub(super) fn running_heads(lines: &[Line<'_>]) -> Vec<Head> {
    let mut named: HashMap<String, Vec<Top>> = HashMap::new();
    for top in tops(lines) {
        if let Some(name) = name(&lines[top.line]) {
            named.entry(name).or_default().push(top);
        }
    }
    named.retain(|_, tops| tops.len() >= ENOUGH);
    if named.is_empty() {
        return Vec::new();
    }
    let series = named
        .into_iter()
        .flat_map(|(name, tops)| series(lines, name, tops));
    let stands = standing(lines);
    let mut heads = Vec::new();
    for (name, tops) in series {
        let others = stands.get(&name).map_or(&[][..], Vec::as_slice);
        // Who speaks in a play stands at the top of a page by chance.
        if others.len() > 2 * tops.len() {
            continue;
        }
        let first = tops[0];
        // Further off it is a list of contents, which announces no chapter.
        let is_heard = |&(line, page): &(usize, usize)| line < first.line && page + 2 >= first.page;
        let is_heard = others.iter().any(is_heard);
        heads.extend(tops.iter().enumerate().map(|(index, top)| Head {
            line: top.line,
            is_known: index > 0 || is_heard,
        }));
    }
    heads.sort_unstable_by_key(|head| head.line);
    heads
}

/// The first line of each page but the first page; a number alone may stand before it.
fn tops(lines: &[Line<'_>]) -> Vec<Top> {
    let mut tops = Vec::new();
    let mut begins = false;
    for (line, page, text) in numbered(lines) {
        let Line { look, feeds, .. } = lines[line];
        if look == Look::Words && begins && number(text).is_none() {
            let number = number_in(text);
            tops.push(Top { line, page, number });
            begins = false;
        }
        begins = feeds || (begins && look != Look::SceneBreak);
    }
    tops
}

/// Lines with their index and the page they stand on.
fn numbered<'a>(lines: &[Line<'a>]) -> impl Iterator<Item = (usize, usize, &'a str)> {
    let pages = lines.iter().scan(0, |page, line| {
        let this = *page;
        *page += usize::from(line.feeds);
        Some((this, line.text))
    });
    pages
        .enumerate()
        .map(|(index, (page, text))| (index, page, text))
}

/// Where the words of each short line stand: the line and its page.
fn standing(lines: &[Line<'_>]) -> HashMap<String, Vec<(usize, usize)>> {
    let mut stands: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
    let short = numbered(lines).filter(|(_, _, text)| text.len() <= LONGEST);
    for (line, page, text) in short {
        stands.entry(plain(text)).or_default().push((line, page));
    }
    stands
}

/// The words of a line in small letters, without the signs around them.
fn plain(line: &str) -> String {
    let sign = |c: char| !c.is_alphanumeric();
    let words = line.split_whitespace();
    let words = words.map(|word| word.trim_matches(sign));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// What the heads of a text have in common, if the line may be one.
fn name(line: &Line<'_>) -> Option<String> {
    let text = line.text.trim();
    let opens = text.starts_with(['“', '"', '‘', '«', '„', '—', '(']);
    let goes_on = text.ends_with([',', ';', ':', '?', '!', '…', '-', '—', '”', '"', '’', '»']);
    let is_sentence = text.ends_with('.') && text.contains(char::is_lowercase);
    if text.len() > LONGEST || opens || goes_on || is_sentence || line.names_a_speaker() {
        return None;
    }
    let has_letters = |word: &&str| word.contains(char::is_alphabetic);
    let words: Vec<&str> = text.split_whitespace().filter(has_letters).collect();
    if words.first()?.starts_with(char::is_lowercase) {
        return None;
    }
    // "Chapter 3" and "Chapter 4" have nothing in common.
    match is_chapter(text) && words.len() < 2 {
        true => Some(plain(text)),
        false => Some(plain(&words.join(" "))),
    }
}

fn number_in(text: &str) -> Number {
    let value = |words: &str| number(words).map(|(value, _)| value);
    let mut parts = text.trim().split("  ").flat_map(|part| part.split('\t'));
    let mut words = text.split_whitespace();
    let mut close = || {
        let first = words.next().and_then(value);
        first.or_else(|| words.next_back().and_then(value))
    };
    match () {
        () if !text.contains(|c: char| c.is_ascii_digit()) => Number::None,
        () if parts.any(|part| value(part).is_some()) => Number::SetOff,
        () => close().map_or(Number::Within, Number::Close),
    }
}

/// The series of heads among lines of one name.
fn series(lines: &[Line<'_>], name: String, tops: Vec<Top>) -> Vec<(String, Vec<Top>)> {
    let is_set_off = tops.iter().any(|top| top.number == Number::SetOff);
    if is_set_off || count_pages(lines, &name, &tops) {
        return vec![(name, tops)];
    }
    // Without such a proof a number is a part of the name, unless a sentence goes on behind it.
    let (within, others): (Vec<Top>, Vec<Top>) = tops
        .into_iter()
        .partition(|top| top.number != Number::None && goes_on(lines, top.line));
    let mut series: HashMap<String, Vec<Top>> = HashMap::new();
    for top in others {
        let text = lines[top.line].text;
        series.entry(plain(text)).or_default().push(top);
    }
    series.retain(|_, tops| tops.len() >= ENOUGH);
    let within = Some((name, within)).filter(|(_, tops)| !tops.is_empty());
    series.into_iter().chain(within).collect()
}

/// Whether the numbers in these lines go on with the pages. Letters and psalms of one page each would do so,
/// too.
fn count_pages(lines: &[Line<'_>], name: &str, tops: &[Top]) -> bool {
    let values = tops.iter().filter_map(|top| match top.number {
        Number::Close(value) => Some((value as usize, top.page)),
        _ => None,
    });
    let values: Vec<_> = values.collect();
    let steps = |(a, b): (&(usize, usize), &(usize, usize))| b.0.checked_sub(a.0);
    let mut pairs = values.iter().zip(values.iter().skip(1));
    let counts = pairs
        .clone()
        .all(|pair| steps(pair) == Some(pair.1.1 - pair.0.1));
    let goes_on = |top: &&Top| goes_on(lines, top.line);
    values.len() >= ENOUGH
        && counts
        && ((values[0].0 > ENOUGH && name.contains(' '))
            || pairs.any(|pair| steps(pair) != Some(1))
            || 3 * tops.iter().filter(goes_on).count() >= tops.len())
}

/// Whether the words behind this line begin within a sentence.
fn goes_on(lines: &[Line<'_>], head: usize) -> bool {
    let mut behind = lines[head + 1..].iter();
    let next = behind.find(|line| line.look != Look::Blank);
    next.is_some_and(|next| next.look == Look::Words && next.begins_lower())
}
