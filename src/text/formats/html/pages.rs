//! The numbers of printed pages that stand in the text of old books. It must never leave out more than a
//! number, whatever a class says: a page that begins with a chapter has the same class as one that does not.

use super::super::super::numerals::roman;
use super::super::super::{BlockKind, OmissionReason};
use super::super::writer::{Mark, Writer};

/// Longest words that are looked at, in bytes.
const MOST: usize = 64;

/// What says that something is the number of a page.
#[derive(Debug)]
pub(super) enum Page {
    Class,
    /// Its name, with this number.
    Name(String),
}

/// What was written since `mark` is marked as the number of a page; it is left out if it is one. `kind` is
/// that of the block it stands in; a heading of its own is the number of a chapter.
pub(super) fn end_page(writer: &mut Writer<'_>, mark: Mark, page: &Page, kind: BlockKind) {
    let words = writer.all_since(mark, MOST);
    let holds_heading = || !matches!(kind, BlockKind::Heading(_)) && writer.has_heading_since(mark);
    let is_page = |words: &str| match page {
        Page::Class => is_number(words),
        Page::Name(number) => is_number(words) && first(words).is_none_or(|first| first == *number),
    };
    if words.is_some_and(|words| is_page(&words)) && !holds_heading() {
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

/// The first number of a page in these words, as it is compared.
fn first(words: &str) -> Option<String> {
    let mut parts = words.split(|c: char| !c.is_alphanumeric());
    parts.find(|part| is_page(part)).map(same)
}

/// `012` is `12`, `XIV` is `xiv`.
fn same(number: &str) -> String {
    number.trim_start_matches('0').to_lowercase()
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

/// The number in the name of a page: `Page_12`, `pg12`, `page-xiv`. A paragraph may be called `p12`.
pub(super) fn named(name: &str) -> Option<String> {
    let lower = name.trim().to_ascii_lowercase();
    let number = ["page", "pg", "seite"].iter().find_map(|word| {
        let rest = lower.strip_prefix(word)?;
        Some(rest.trim_start_matches(['_', '-', '.', ' ']))
    });
    number.filter(|number| is_page(number)).map(same)
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
        for (name, number) in [("Page_012", "12"), ("pg12a", "12a"), ("page_IV", "iv")] {
            assert_eq!(named(name).as_deref(), Some(number));
        }
        for name in ["part2", "Page_of_fame", "p5", "p", "page"] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
