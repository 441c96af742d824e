//! The numbers of printed pages that stand in the text of old books. It must never leave out more than a
//! number, whatever a class says: a page that begins with a chapter has the same class as one that does not.

use super::super::super::numerals::roman;
use super::super::super::{BlockKind, OmissionReason};
use super::super::writer::{Mark, Writer};

/// Longest words that are looked at, in bytes.
const MOST: usize = 64;

/// What was written since `mark` is marked as the number of a page; it is left out if it is one. `kind` is
/// that of the block it stands in; a heading of its own is the number of a chapter.
pub(super) fn end_page(writer: &mut Writer<'_>, mark: Mark, kind: BlockKind) {
    let words = writer.all_since(mark, MOST);
    let holds_heading = || !matches!(kind, BlockKind::Heading(_)) && writer.has_heading_since(mark);
    if words.is_some_and(|words| is_number(&words)) && !holds_heading() {
        writer.take_back(mark, OmissionReason::PageNumber);
    }
}

/// `12`, `[Pg 12]`, `{xiv}`, `Page 12 of 80`, or what is left of one: brackets.
fn is_number(words: &str) -> bool {
    const WORDS: &[&str] = &["page", "pages", "pg", "p", "pp", "of", "s", "seite"];
    let mut parts = words.split(|c: char| !c.is_alphanumeric());
    let mut numbers = 0;
    let all = parts.all(|part| {
        let is_number = is_page(part);
        numbers += usize::from(is_number);
        is_number || part.is_empty() || WORDS.contains(&&*part.to_lowercase())
    });
    all && (numbers > 0 || !words.contains(char::is_alphanumeric))
}

/// The number of one page: 12, 12a, xiv.
fn is_page(part: &str) -> bool {
    const LAST: u64 = 399;
    let letter = |c: char| c.is_ascii_lowercase();
    let digits = part.strip_suffix(letter).unwrap_or(part);
    let is_digits = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_digits || roman(&part.to_uppercase()).is_some_and(|number| number <= LAST)
}

/// Whether a class says that something is the number of a page: `pagenum`, `pageno`, `pagebreak`.
pub(super) fn is_class(class: &str) -> bool {
    const CLASSES: &[&str] = &[
        "pagenum",
        "pageno",
        "pagebreak",
        "pagenumber",
        "pgnum",
        "pgno",
        "wspagenum",
    ];
    let plain: String = class.chars().filter(char::is_ascii_alphabetic).collect();
    CLASSES.contains(&&*plain.to_ascii_lowercase())
}

/// Whether a name is that of a page: `Page_12`, `pg12`, `page-xiv`.
pub(super) fn is_name(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    ["page", "pg", "p", "seite"].iter().any(|word| {
        let rest = lower.strip_prefix(word);
        rest.is_some_and(|rest| is_page(rest.trim_start_matches(['_', '-', '.', ' '])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pages() {
        for words in [
            "12",
            "[Pg 12]",
            "{xiv}",
            "p. 12a",
            "Page 12 of 80",
            "[]",
            "12\n",
        ] {
            assert!(is_number(words), "{words}");
        }
        for words in ["Page", "12345", "[Illustration]", "Chapter 3", "He is 12"] {
            assert!(!is_number(words), "{words}");
        }
        assert!(is_class("pagenum") && is_class("page-number") && is_class("PageNo1"));
        assert!(!is_class("pagenote") && !is_class("page") && !is_class("newpage"));
        assert!(is_name("Page_12") && is_name("pg12") && is_name("page_iv"));
        assert!(!is_name("part2") && !is_name("Page_of_fame") && !is_name("p"));
    }
}
