//! What stands between double brackets: a page's name, a picture, or phonemes that a voice is to speak as
//! they are. It must never take a name with a letter of its language for phonemes.

use std::ops::Range;

use pulldown_cmark::{LinkType, Tag};

use crate::text::reading::are_phonemes;

/// What is heard of a part of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    AsWritten,
    /// What parts a page from its section.
    Comma,
    Nothing,
}

/// What is heard of `[[page]]`, `[[page#section]]`, `[[fəˈnɛtɪks]]`, in order. Nothing of one that has words
/// of its own: they are told by other events.
pub(super) fn said(link: &str, has_words: bool) -> Vec<(Range<usize>, Said)> {
    let inner = link
        .strip_prefix("[[")
        .and_then(|rest| rest.strip_suffix("]]"));
    let Some(name) = inner else {
        return Vec::new();
    };
    if are_phonemes(name) {
        return vec![(0..link.len(), Said::AsWritten)];
    }
    let name = match name.split_once('|') {
        Some((_, words)) if has_words && !words.trim().is_empty() => return Vec::new(),
        Some((name, _)) => name,
        None => name,
    };
    let mut at = "[[".len();
    let mut said = Vec::new();
    for (index, part) in name.split('#').enumerate() {
        let is_id = part.starts_with('^');
        if index > 0 {
            said.push((at..at + 1, if is_id { Said::Nothing } else { Said::Comma }));
            at += 1;
        }
        let how = if is_id {
            Said::Nothing
        } else {
            Said::AsWritten
        };
        said.push((at..at + part.len(), how));
        at += part.len();
    }
    said.push((at..link.len(), Said::Nothing));
    said
}

/// A picture or another page that is shown in this one: `![[boat.png]]`, `![[boat.png|300]]`.
pub(super) fn is_embedded(tag: &Tag<'_>, source: &str) -> bool {
    let Tag::Image {
        link_type: LinkType::WikiLink { has_pothole },
        ..
    } = tag
    else {
        return false;
    };
    let alias = source.rsplit('|').next().unwrap_or_default();
    let is_size = !alias.contains(|c: char| c.is_alphabetic() && c != 'x');
    !has_pothole || is_size
}
