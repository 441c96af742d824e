//! HTML cut into tags, text and comments, each with its place, by the states of the HTML standard. An
//! XML reader will not do: for it `<a href=it's>` goes on to the next quote, and takes the words on the
//! way for an address. Where the standard itself would swallow words (a tag or a comment without an
//! end), the sign that opens it is text here. It must never look at the same bytes again and again.

use std::ops::Range;

use super::attributes::{MOST_ATTRIBUTES, Quotes, Step, next_attribute};
use super::ends::EndTags;
use super::names;
use super::piece::Piece;
use super::references::{Reference, reference};

/// A stretch of the text and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    pub(super) what: What,
}

/// What a token is. Ranges are those of the text that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Characters as they stand.
    Text,
    /// What stands for other characters.
    Reference(Reference),
    /// `<name attributes>`, or `<name/>`, which is closed at once.
    Start {
        name: Range<usize>,
        attributes: Range<usize>,
        closed: bool,
    },
    /// `</name>`.
    End { name: Range<usize> },
    /// `<!-- … -->`.
    Comment,
    /// What is neither: `<!DOCTYPE html>`, `<?xml … ?>`, `<![endif]>`.
    Declaration,
}

/// The tokens of a text, in order and touching.
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Up to here nothing but text is to be found: the inside of `<script>`, of CDATA.
    raw: Option<Raw>,
    last: Last,
    piece: &'t Piece<'t>,
    ends: &'t EndTags<'t>,
}

#[derive(Clone, Copy)]
struct Raw {
    until: usize,
    /// `&amp;` stands for `&` in it.
    references: bool,
}

/// Where something is found for the last time: a search beyond it would be in vain, and costly if it
/// were made for every sign of the text.
struct Last {
    angle: Option<usize>,
    quotes: Quotes,
    comment: Option<usize>,
    section: Option<usize>,
    subset: Option<usize>,
    instruction: Option<usize>,
}

impl<'t> Tokens<'t> {
    /// `ends` are those of the whole source.
    pub(super) fn new(piece: &'t Piece<'t>, ends: &'t EndTags<'t>) -> Self {
        let text = piece.text();
        Tokens {
            text,
            at: 0,
            raw: None,
            piece,
            ends,
            last: Last {
                angle: text.rfind('>'),
                quotes: Quotes::of(text),
                comment: text.rfind("-->").max(text.rfind("--!>")),
                section: text.rfind("]]>"),
                subset: text.rfind("]>"),
                instruction: text.rfind("?>"),
            },
        }
    }

    /// Up to the next `<`, or the next `&` that stands for something.
    fn text_or_reference(&mut self, from: usize, until: usize, references: bool) -> Token {
        let start = self.at;
        let mut at = from;
        let signs: &[char] = if references { &['<', '&'] } else { &['<'] };
        loop {
            let rest = &self.text[at..until];
            let Some(found) = rest.find(signs) else {
                at = until;
                break;
            };
            at += found;
            if self.text.as_bytes()[at] == b'<' {
                // In raw text it is a sign like others.
                if self.raw.is_none() {
                    break;
                }
            } else if let Some((len, stands_for)) = reference(&self.text[at..until]) {
                if at > start {
                    break;
                }
                self.at = at + len;
                return Token {
                    span: at..self.at,
                    what: What::Reference(stands_for),
                };
            }
            at += 1;
        }
        self.at = at;
        Token {
            span: start..at,
            what: What::Text,
        }
    }

    /// What begins with the `<` that is here, and its length; nothing if it is a sign of the text.
    fn markup(&mut self) -> Option<(usize, What)> {
        // Without a `>` behind it there is no end to be found.
        self.last.angle.filter(|&last| last > self.at)?;
        let rest = &self.text[self.at..];
        match rest.as_bytes().get(1)? {
            b'!' => self.declaration(rest),
            b'?' => self.instruction(rest),
            b'/' if rest.starts_with("</>") => Some((3, What::Declaration)),
            b'/' if rest.as_bytes().get(2)?.is_ascii_alphabetic() => {
                let (name, _, end, _) = self.tag(2)?;
                Some((end - self.at, What::End { name }))
            }
            first if first.is_ascii_alphabetic() => {
                let (name, attributes, end, closed) = self.tag(1)?;
                if self.is_placeholder(&name, &attributes) {
                    return None;
                }
                if !closed {
                    self.raw_after(&name, end);
                }
                let start = What::Start {
                    name,
                    attributes,
                    closed,
                };
                Some((end - self.at, start))
            }
            _ => None,
        }
    }

    /// The name, the attributes and the end of a tag whose name begins `skip` bytes from here.
    fn tag(&self, skip: usize) -> Option<(Range<usize>, Range<usize>, usize, bool)> {
        let start = self.at + skip;
        let bytes = self.text.as_bytes();
        let ends_name = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'<');
        let name = start..start + bytes[start..].iter().position(ends_name)?;
        let mut at = name.end;
        for _ in 0..MOST_ATTRIBUTES {
            match next_attribute(self.text, at, &self.last.quotes) {
                Step::Attribute { next, .. } => at = next,
                Step::End { at: angle, closed } => {
                    return Some((name.clone(), name.end..angle, angle + 1, closed));
                }
                Step::NoTag => return None,
                Step::TextEnds => break,
            }
        }
        // A quote is missing somewhere: the tag ends with the first `>`, whatever it stands in.
        let angle = name.end + self.text[name.end..].find('>')?;
        Some((name.clone(), name.end..angle, angle + 1, false))
    }

    /// `<name>` and `<your name here>` are words to fill in, not tags, unless something closes them.
    fn is_placeholder(&self, name: &Range<usize>, attributes: &Range<usize>) -> bool {
        let name = &self.text[name.clone()];
        let is_other = names::is_unknown(name) && !name.contains(['-', ':', '_', '.']);
        is_other
            && !self.text[attributes.clone()].contains('=')
            && !self.ends.follows(name, self.piece.source(self.at))
    }

    /// The content of `<script>` and its like is no markup, up to its end tag; without one it is.
    fn raw_after(&mut self, name: &Range<usize>, end: usize) {
        let name = &self.text[name.clone()];
        let Some(references) = names::raw(name) else {
            return;
        };
        if !self.ends.follows(name, self.piece.source(self.at)) {
            return;
        }
        let mut at = end;
        while let Some(found) = self.text[at..].find("</") {
            at += found;
            let after = &self.text.as_bytes()[at + 2..];
            let is_it = after
                .get(..name.len())
                .is_some_and(|other| other.eq_ignore_ascii_case(name.as_bytes()))
                && after
                    .get(name.len())
                    .is_some_and(|&b| b.is_ascii_whitespace() || b == b'/' || b == b'>');
            if is_it {
                self.raw = Some(Raw {
                    until: at,
                    references,
                });
                return;
            }
            at += 2;
        }
    }

    fn declaration(&mut self, rest: &str) -> Option<(usize, What)> {
        const SECTION: &str = "<![CDATA[";
        if rest.starts_with("<!--") {
            return self.comment(rest).map(|len| (len, What::Comment));
        }
        if rest.starts_with(SECTION) {
            self.last.section.filter(|&last| last > self.at)?;
            let inside = self.at + SECTION.len();
            self.raw = Some(Raw {
                until: inside + self.text[inside..].find("]]>")?,
                references: false,
            });
            return Some((SECTION.len(), What::Declaration));
        }
        // No further than the next tag: else each `<!` would look at all that follows.
        let first = 1 + rest[1..].find(['<', '>', '['])?;
        let end = match rest.as_bytes()[first] {
            b'>' => first,
            b'<' => return None,
            // A document type may declare things of its own.
            _ if rest[2..].starts_with(['D', 'd']) => {
                self.last.subset.filter(|&last| last > self.at)?;
                rest.find("]>")? + 1
            }
            _ => {
                let next = first + rest[first..].find(['<', '>'])?;
                (rest.as_bytes()[next] == b'>').then_some(next)?
            }
        };
        Some((end + 1, What::Declaration))
    }

    fn comment(&self, rest: &str) -> Option<usize> {
        for empty in ["<!-->", "<!--->"] {
            if rest.starts_with(empty) {
                return Some(empty.len());
            }
        }
        self.last.comment.filter(|&last| last > self.at)?;
        let mut at = 4;
        loop {
            at += rest[at..].find("--")?;
            let end = rest[at..].trim_start_matches('-');
            let end = end.strip_prefix('!').unwrap_or(end);
            if end.starts_with('>') {
                return Some(rest.len() - end.len() + 1);
            }
            at = (rest.len() - end.len()).max(at + 2);
        }
    }

    fn instruction(&self, rest: &str) -> Option<(usize, What)> {
        let is_program = rest.starts_with("<?php") || rest.starts_with("<?=");
        let end = if is_program {
            self.last.instruction.filter(|&last| last > self.at)?;
            rest.find("?>")? + 2
        } else {
            let first = 1 + rest[1..].find(['<', '>'])?;
            (rest.as_bytes()[first] == b'>').then_some(first + 1)?
        };
        Some((end, What::Declaration))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(raw) = self.raw {
            if self.at < raw.until {
                return Some(self.text_or_reference(self.at, raw.until, raw.references));
            }
            self.raw = None;
            if self.text[self.at..].starts_with("]]>") {
                let span = self.at..self.at + 3;
                self.at = span.end;
                let what = What::Declaration;
                return Some(Token { span, what });
            }
        }
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let mut from = self.at;
        if rest.starts_with('<') {
            if let Some((len, what)) = self.markup() {
                let span = self.at..self.at + len;
                self.at = span.end;
                return Some(Token { span, what });
            }
            from += 1;
        }
        Some(self.text_or_reference(from, self.text.len(), true))
    }
}
