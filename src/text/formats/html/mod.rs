//! HTML and XHTML as they are found: whole pages, parts of them, with forgotten ends and stray signs.
//! A stream of tags and words with their places in the source, never a tree, so that depth costs nothing.
//! It must never lose a word that a browser would show.

mod attributes;
mod code;
mod ends;
mod facts;
mod fallback;
mod names;
mod page;
mod pages;
mod piece;
mod preformatted;
mod references;
mod tokens;

#[cfg(test)]
mod tests;

pub(super) use ends::EndTags;
pub(super) use page::{Context, Page};
pub(super) use piece::Piece;
pub(in crate::text) use references::entity;
pub(super) use references::reference;

use super::super::Document;
use super::Format;

/// Whether `text` begins with a tag of an element that is known, its end included.
pub(super) fn is_known_tag(text: &str) -> bool {
    let Some(tag) = text.strip_prefix('<') else {
        return false;
    };
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let length = tag
        .bytes()
        .take(16)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let goes_on = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
    length > 0 && tag[length..].starts_with(goes_on) && !names::is_unknown(&tag[..length])
}

/// Pages as browsers read them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "HTML"
    }

    fn parse(&self, text: &str) -> Document {
        let ends = EndTags::of(text);
        let mut page = Page::new(text, &ends);
        page.piece(&Piece::at(text, 0));
        page.finish();
        let title = page.title.take();
        let title = title.or_else(|| page.writer.first_heading());
        let (blocks, omissions) = page.writer.finish();
        let mut document = Document::new(text, title, blocks, omissions);
        document.language = page.language;
        document
    }
}
