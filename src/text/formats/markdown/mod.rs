//! Markdown, by pulldown-cmark's events and their places in the source. Marks, addresses and code
//! blocks are left out with their reasons; HTML goes the way of HTML. It must never leave out a word that
//! the events happen not to mention (a surplus cell of a table, say): such words are spoken.

mod callout;
mod emoji;
mod marks;
mod reader;
mod wiki;

#[cfg(test)]
mod tests;

use pulldown_cmark::{Options, Parser, Tag, TagEnd};

use super::super::{Document, OmissionReason};
use super::Format;
use super::front_matter::front_matter;
use super::html::EndTags;
use marks::Marks;
use reader::Reader;

/// CommonMark with tables, footnotes, strikethrough, task lists, definitions, formulas and front matter
/// (YAML or TOML); HTML in it; and what people who take notes write beside: `[[page]]`, `==mark==`, `> [!NOTE]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "Markdown"
    }

    fn parse(&self, text: &str) -> Document {
        let mark = if text.starts_with('\u{FEFF}') {
            '\u{FEFF}'.len_utf8()
        } else {
            0
        };
        let front = front_matter(&text[mark..]);
        let body = mark + front.as_ref().map_or(0, |front| front.len);
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_DEFINITION_LIST
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_MATH
            | Options::ENABLE_WIKILINKS;
        let ends = EndTags::of(text);
        let marks = Marks::of(text, body, options);
        let mut reader = Reader::new(text, &ends, marks);
        if front.is_some() {
            reader.omit(mark..body, OmissionReason::FrontMatter);
        }
        for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
            reader.event(event, body + range.start..body + range.end);
        }
        let writer = reader.finish();
        let (title, language) = front.map_or((None, None), |front| (front.title, front.language));
        let title = title.or_else(|| writer.first_heading());
        let (blocks, omissions) = writer.finish();
        Document {
            language,
            ..Document::new(text, title, blocks, omissions)
        }
    }
}

/// What stands in a line beside other words.
fn is_inline(tag: &Tag<'_>) -> bool {
    is_inline_end(tag.to_end())
}

fn is_inline_end(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::TableCell
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
    )
}
