//! What a text plainly is, though its name does not say so: HTML by its tags, Markdown by marks of several
//! kinds. It must be slow to believe: a plain text taken for Markdown loses the meaning of its lines.

use super::html::is_known_tag;

/// How much of a text is looked at, in bytes.
const ENOUGH: usize = 64 * 1024;

/// The beginning of a text, as far as it is looked at.
fn beginning(text: &str) -> &str {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    &text[..text.floor_char_boundary(ENOUGH)]
}

/// A whole page: it begins by saying so.
pub(super) fn is_page(text: &str) -> bool {
    let mut rest = beginning(text).trim_start();
    // A declaration and comments may come before.
    loop {
        let behind = if let Some(inner) = rest.strip_prefix("<!--") {
            inner.split_once("-->")
        } else if rest.starts_with("<?xml") {
            rest.split_once('>')
        } else {
            break;
        };
        match behind {
            Some((_, behind)) => rest = behind.trim_start(),
            None => return false,
        }
    }
    let begins =
        |sign: &str| (rest.get(..sign.len())).is_some_and(|start| start.eq_ignore_ascii_case(sign));
    begins("<!doctype html") || begins("<html>") || begins("<html ") || begins("<html\n")
}

/// A part of a page: it begins and ends with tags, or is full of them.
pub(super) fn is_html(text: &str) -> bool {
    if is_page(text) {
        return true;
    }
    let start = beginning(text);
    let (mut tags, mut ends) = (0, 0);
    for (at, _) in start.match_indices('<') {
        if is_known_tag(&start[at..]) {
            tags += 1;
            ends += usize::from(start[at..].starts_with("</"));
        }
    }
    let wrapped = is_known_tag(start.trim_start()) && text.trim_end().ends_with('>');
    // With a tag in each three lines of a book it is written in them.
    let is_full = tags >= 8 && tags * 250 > start.len();
    tags >= 2 && ends >= 1 && (wrapped || is_full) && !is_markdown(text)
}

/// Marks of Markdown, of several kinds.
pub(super) fn is_markdown(text: &str) -> bool {
    let start = beginning(text);
    let lines: Vec<&str> = start.lines().collect();
    let blank = |line: Option<&&str>| line.is_none_or(|line| line.trim().is_empty());
    let (mut headings, mut items, mut fences, mut indented, mut words) = (0, 0, 0, 0, 0);
    let (mut rows, mut notes, mut callouts) = (0, 0, 0);
    for (index, line) in lines.iter().enumerate() {
        let bare = line.trim();
        words += usize::from(!bare.is_empty());
        indented += usize::from(line.starts_with("    ") && !is_item(bare));
        items += usize::from(is_item(bare));
        let before = index.checked_sub(1).and_then(|before| lines.get(before));
        let alone = blank(before) || blank(lines.get(index + 1));
        headings += usize::from(alone && is_heading(line));
        fences += usize::from(bare.starts_with("```"));
        rows += usize::from(is_table_rule(bare));
        notes += usize::from(bare.starts_with("[^") && bare.contains("]:"));
        callouts += usize::from(bare.starts_with("> [!"));
    }
    // Paragraphs that are set in from the margin would be taken for code.
    if indented * 10 > words {
        return false;
    }
    let sure = [
        headings >= 1,
        headings >= 3,
        fences >= 2,
        rows >= 1,
        notes >= 1,
        callouts >= 1,
        has_strong(start),
        has_link(start),
        super::front_matter::front_matter(start).is_some(),
    ];
    let sure = sure.into_iter().filter(|&is| is).count();
    sure >= 2 || (sure == 1 && items >= 2)
}

/// `# Words`, and no comment of a program.
fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    (1..=6).contains(&level)
        && rest.starts_with(' ')
        && rest
            .trim_start()
            .starts_with(|c: char| !c.is_ascii_punctuation() || "*_[\"'(`".contains(c))
        && rest.contains(char::is_alphanumeric)
}

/// `- words`, `* words`, `+ words`.
fn is_item(line: &str) -> bool {
    let rest = line.strip_prefix(['-', '*', '+']);
    rest.is_some_and(|rest| rest.starts_with(' ') && rest.contains(char::is_alphanumeric))
}

/// `|---|:--:|`
fn is_table_rule(line: &str) -> bool {
    line.contains("--")
        && line.contains('|')
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// `**words**` within a line.
fn has_strong(text: &str) -> bool {
    text.lines().any(|line| {
        let mut parts = line.split("**");
        let mut before = parts.next().unwrap_or_default();
        let mut parts = parts.peekable();
        let mut found = false;
        while let Some(inner) = parts.next() {
            let is_flanked = inner.starts_with(|c: char| !c.is_whitespace() && c != '*')
                && inner.ends_with(|c: char| !c.is_whitespace())
                && inner.contains(char::is_alphabetic);
            found |= is_flanked && parts.peek().is_some() && !before.ends_with('*');
            before = inner;
        }
        found
    })
}

/// `[words](address)`
fn has_link(text: &str) -> bool {
    /// Longest words and longest address that are looked at, in bytes.
    const LONGEST: usize = 512;
    text.match_indices("](").any(|(at, _)| {
        let before = &text[text.ceil_char_boundary(at.saturating_sub(LONGEST))..at];
        let behind = &text[at + 2..text.floor_char_boundary(at + 2 + LONGEST)];
        let words = before.rsplit(['\n', '[']).next().unwrap_or_default();
        let opens = before[..before.len() - words.len()].ends_with('[');
        let address = behind.split([')', '\n', ' ']).next().unwrap_or_default();
        let leads = address.contains(['.', '/', '#']) || address.starts_with("mailto:");
        opens && leads && behind[address.len()..].starts_with([')', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_known_by_several_kinds_of_marks() {
        let yes = [
            "# The Gate\n\n- **coal**\n- [cord](https://example.org/c)\n\n*** END ***\n",
            "# One\n\nWords.\n\n# Two\n\nWords.\n\n# Three\n",
            "See [it](a.md).\n\n```sh\nx\n```\n",
            "---\ntitle: x\n---\n\n**Bold** words.",
        ];
        let no = [
            "The keeper slept.\n\n* * *\n\nShe woke.",
            "Shopping:\n- eggs\n- bread\n* a lamp\n",
            "# a comment\nrun this\n# and that\n",
            "He said *no*. 2 ** 3 ** 4. #1 and [12](see).",
            "    Set in.\n\n    # So is **this**.\n\n    And [this](http://a.b).",
            "# Only a heading\n\nAnd words.",
            "",
        ];
        for text in yes {
            assert!(is_markdown(text) && !is_html(text), "{text}");
        }
        for text in no {
            assert!(!is_markdown(text) && !is_html(text), "{text}");
        }
    }

    #[test]
    fn html_is_known_by_its_tags() {
        let yes = [
            "<!DOCTYPE html><p>x",
            "\u{FEFF}<?xml version='1.0'?>\n<!-- x -->\n<HTML lang=en>",
            "<h1 align=\"center\">My Tale</h1>\n<p>All of it.</p>\n",
        ];
        let no = [
            "<3 and a < b > c",
            "<name>, see </name>",
            "Dear <b>you</b>, come.",
            "<!-- x",
        ];
        for text in yes {
            assert!(is_html(text), "{text}");
        }
        for text in no {
            assert!(!is_html(text), "{text}");
        }
    }
}
