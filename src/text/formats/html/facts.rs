//! What the attributes of a tag say to a listener: that it is hidden, that it is a note, how its items
//! count. It must never take a value for more than it says.

use std::ops::Range;

use super::attributes::attributes;
use super::pages;
use super::references::decoded;
use crate::text::language::language_tag;

/// What a tag says of itself.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Not to be seen, or not to be heard.
    pub(super) hidden: bool,
    /// Leads to a note, or back from it.
    pub(super) note_link: bool,
    /// Is a note.
    pub(super) note: bool,
    /// Leads to a place in the same text, or in a file of notes.
    pub(super) leads_within: bool,
    /// Is the number of a printed page, as its class says.
    pub(super) page: bool,
    /// The number of the page whose name it has.
    pub(super) page_name: Option<String>,
    /// A class says that it is code, or that `<pre>` in it is.
    pub(super) code: bool,
    pub(super) holds_code: bool,
    /// Is a heading of this level.
    pub(super) heading: Option<u8>,
    pub(super) language: Option<String>,
    /// The first number of a list; nothing if its items have none.
    pub(super) start: Option<i64>,
    /// The items of a list count down.
    pub(super) reversed: bool,
    /// The number of an item.
    pub(super) number: Option<i64>,
    alt: Option<Range<usize>>,
    alttext: Option<Range<usize>>,
}

impl Facts {
    /// The facts in these attributes of a text.
    pub(super) fn of(text: &str, span: Range<usize>) -> Self {
        let mut facts = Facts {
            start: Some(1),
            ..Facts::default()
        };
        let mut start = None;
        let mut level = None;
        let mut counts = true;
        for (name, value) in attributes(text, span) {
            let written = &text[value.clone()];
            match &*name.to_ascii_lowercase() {
                "hidden" => facts.hidden = true,
                "aria-hidden" => facts.hidden |= written.eq_ignore_ascii_case("true"),
                "style" => {
                    let style = plain(written);
                    facts.hidden |=
                        style.contains("display:none") || style.contains("visibility:hidden");
                    counts &= !style.contains("list-style:none")
                        && !style.contains("list-style-type:none");
                }
                "epub:type" | "role" => facts.kind(written),
                "class" => facts.class(written),
                "id" | "name" if facts.page_name.is_none() => {
                    facts.page_name = pages::named(written);
                }
                "aria-level" => level = written.trim().parse().ok(),
                "href" => facts.leads_within = written.contains('#'),
                "lang" | "xml:lang" if facts.language.is_none() => {
                    facts.language = language_tag(written);
                }
                "start" => start = written.trim().parse().ok(),
                "value" => facts.number = written.trim().parse().ok(),
                "reversed" => facts.reversed = true,
                "alt" => facts.alt = Some(value),
                "alttext" => facts.alttext = Some(value),
                _ => {}
            }
        }
        // How many items there are is known only at their end, so no number is better than a wrong one.
        facts.start = start.or((!facts.reversed).then_some(1)).filter(|_| counts);
        if let (Some(known), Some(level)) = (&mut facts.heading, level) {
            *known = u8::clamp(level, 1, 6);
        }
        facts
    }

    /// A word of EPUB's or ARIA's for what something is.
    fn kind(&mut self, words: &str) {
        for word in words.split_ascii_whitespace() {
            let word = word.to_ascii_lowercase();
            match word.strip_prefix("doc-").unwrap_or(&word) {
                "noteref" | "backlink" | "referrer" => self.note_link = true,
                "footnote" | "footnotes" | "endnote" | "endnotes" | "rearnote" | "rearnotes" => {
                    self.note = true;
                }
                "heading" => self.heading = Some(2),
                "pagebreak" => self.page = true,
                _ => {}
            }
        }
    }

    /// The classes of an element.
    fn class(&mut self, classes: &str) {
        const CODE: &[&str] = &[
            "code",
            "hljs",
            "listing",
            "prettyprint",
            "programlisting",
            "src",
            "literal-block",
        ];
        const HOLDERS: &[&str] = &[
            "highlight",
            "sourcecode",
            "mw-highlight",
            "codeblock",
            "code-block",
        ];
        for class in classes.split_ascii_whitespace() {
            self.page |= pages::is_class(class);
            let class = class.to_ascii_lowercase();
            let begins = |words: &[&str]| words.iter().any(|word| class.starts_with(word));
            // "highlight-python" is on the element around. "lang-de" there names a language of people.
            self.holds_code |= HOLDERS.contains(&&*class) || begins(&["highlight-"]);
            self.code |= self.holds_code
                || CODE.contains(&&*class)
                || begins(&["language-", "lang-", "brush:", "highlight"]);
        }
    }

    /// The value of an attribute that is spoken, if it is there.
    pub(super) fn value(&self, attribute: &str) -> Option<Range<usize>> {
        let value = match attribute {
            "alt" => &self.alt,
            _ => &self.alttext,
        };
        value.clone().filter(|value| !value.is_empty())
    }
}

/// A style without blanks, in small letters.
fn plain(style: &str) -> String {
    let style = decoded(style);
    let kept = style.chars().filter(|c| !c.is_whitespace());
    kept.map(|c| c.to_ascii_lowercase()).collect()
}
