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

/// The lines that are running heads, in order.
pub(super) fn running_heads(lines: &[Line<'_>]) -> Vec<usize> {
    let mut series: HashMap<String, Vec<usize>> = HashMap::new();
    for top in tops(lines) {
        if let Some(key) = key(lines[top].text) {
            series.entry(key).or_default().push(top);
        }
    }
    let mut heads = Vec::new();
    for mut same in series.into_values().filter(|same| same.len() >= ENOUGH) {
        if !same.iter().any(|&head| is_proven(lines, head)) {
            continue;
        }
        // The heading itself stands on the first of its pages.
        if is_chapter(lines[same[0]].text) {
            same.remove(0);
        }
        heads.extend(same);
    }
    heads.sort_unstable();
    heads
}

/// The first line of each page but the first page; a number alone may stand before it.
fn tops(lines: &[Line<'_>]) -> Vec<usize> {
    let mut tops = Vec::new();
    let mut begins = false;
    for (index, line) in lines.iter().enumerate() {
        if line.look == Look::Words && begins && number(line.text).is_none() {
            tops.push(index);
            begins = false;
        }
        begins = line.feeds || (begins && line.look != Look::SceneBreak);
    }
    tops
}

/// The words that the heads of a text have in common, if the line may be one.
fn key(line: &str) -> Option<String> {
    let line = line.trim();
    let opens = line.starts_with(['“', '"', '‘', '«', '„', '—', '(']);
    let goes_on = line.ends_with([',', ';', ':', '?', '!', '…', '-', '—', '”', '"', '’', '»']);
    let is_sentence = line.ends_with('.') && line.contains(char::is_lowercase);
    if line.len() > LONGEST || opens || goes_on || is_sentence {
        return None;
    }
    let has_letters = |word: &&str| word.contains(char::is_alphabetic);
    let words: Vec<&str> = line.split_whitespace().filter(has_letters).collect();
    if words.first()?.starts_with(char::is_lowercase) {
        return None;
    }
    // "Chapter 3" and "Chapter 4" have nothing in common.
    match is_chapter(line) && words.len() < 2 {
        true => Some(line.to_owned()),
        false => Some(words.join(" ")),
    }
}

/// What has a number may be a heading, such as "Letter 3", unless the number is set off, or a sentence
/// goes on behind it.
fn is_proven(lines: &[Line<'_>], head: usize) -> bool {
    let line = lines[head].text.trim();
    let has_number = |words: &str| words.contains(|c: char| c.is_ascii_digit());
    let set_off = |words: &str| number(words).is_some();
    let first = line.split_whitespace().next().unwrap_or_default();
    let mut parts = line.split("  ").flat_map(|part| part.split('\t'));
    let next = lines[head + 1..]
        .iter()
        .find(|line| line.look != Look::Blank);
    !has_number(line)
        || set_off(first)
        || parts.any(set_off)
        || next.is_some_and(|next| next.look == Look::Words && next.begins_lower())
}
