//! Lists in plain text: lines that begin with a sign or a number. It must not take a wrapped line of
//! prose that happens to begin with a dash for an item, nor leave out a number.

use super::line::Line;

/// How a line of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet,
    Number(u32),
}

/// The marker that a line begins with, and where its words begin: a number is spoken, a sign is not.
pub(super) fn marker(line: &Line<'_>) -> Option<(Marker, usize)> {
    const BULLETS: &[char] = &[
        '-', '*', '•', '–', '+', '◦', '▪', '‣', '●', '○', '■', '□', '▸', '►', '✓', '✔', '☐', '☑',
        '∙', '⁃', '➢', '➤',
    ];
    let words = line.text.trim_start();
    let start = line.text.len() - words.len();
    let spaced = |rest: &str| rest.starts_with([' ', '\t', '\u{a0}']) && !rest.trim().is_empty();
    if let Some(rest) = words.strip_prefix(BULLETS) {
        let begins = rest.len() - rest.trim_start().len();
        return spaced(rest).then_some((Marker::Bullet, line.text.len() - rest.len() + begins));
    }
    let inner = words.strip_prefix('(').unwrap_or(words);
    if let [letter @ b'a'..=b'z', b')', rest @ ..] = inner.as_bytes()
        && rest.first().is_some_and(|&blank| blank == b' ')
    {
        return Some((Marker::Number(u32::from(letter - b'a') + 1), start));
    }
    let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
    let number = inner[..digits].parse().ok().filter(|_| digits < 4)?;
    let mut rest = inner[digits..].chars();
    let closes = match rest.next() {
        Some(')') => true,
        Some('.') => inner.len() == words.len(),
        _ => false,
    };
    (closes && spaced(rest.as_str())).then_some((Marker::Number(number), start))
}

/// The lines of a group that begin items, each with the place where its words begin. `before` is the
/// last line of words before the group, `beside` tells that a group next to it begins with a marker, too.
pub(super) fn items(
    lines: &[Line<'_>],
    before: Option<&Line<'_>>,
    beside: bool,
    width: usize,
) -> Vec<(usize, usize)> {
    let found: Vec<(usize, Marker, usize)> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.goes_on)
        .filter_map(|(index, line)| marker(line).map(|(marker, at)| (index, marker, at)))
        .collect();
    let Some(&(first, _, _)) = found.first() else {
        return Vec::new();
    };
    let before = if first > 0 {
        Some(&lines[first - 1])
    } else {
        before
    };
    let introduced = before.is_some_and(|line| line.text.trim_end().ends_with(':'));
    let numbers: Vec<u32> = found
        .iter()
        .filter_map(|(_, marker, _)| match marker {
            Marker::Number(number) => Some(*number),
            Marker::Bullet => None,
        })
        .collect();
    let counts = numbers
        .windows(2)
        .all(|pair| pair[0] + 1 == pair[1] || pair[1] == 1);
    // Where each line has its number, some may be missing.
    let counts =
        counts || (found.len() == lines.len() && numbers.windows(2).all(|pair| pair[0] < pair[1]));
    // In prose the line before was full.
    let stands = first == 0
        || introduced
        || lines[first - 1].ends_a_sentence()
        || lines[first - 1].width() + 12 < width;
    let enough = introduced || found.len() > 1 || (beside && first == 0);
    match stands && enough && counts {
        true => found
            .into_iter()
            .map(|(index, _, at)| (index, at))
            .collect(),
        false => Vec::new(),
    }
}

/// True if `line` belongs to the item that `previous` is a line of.
pub(super) fn continues(previous: &Line<'_>, line: &Line<'_>, width: usize) -> bool {
    let is_full = previous.width() + 1 + line.first_word().chars().count() > width;
    line.text.starts_with([' ', '\t', '\u{3000}']) || line.begins_lower() || line.goes_on || is_full
}
