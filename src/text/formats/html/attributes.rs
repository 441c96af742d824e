//! The attributes of a tag, by the states of the HTML standard: quoted, bare, without a value. It must
//! never go on behind the end of a tag, nor look for a quote where none is left.

use std::ops::Range;

/// A tag with more attributes than this is none: whoever wrote it forgot a quote or means harm.
pub(super) const MOST_ATTRIBUTES: usize = 256;

/// Where each kind of quote is found for the last time.
pub(super) struct Quotes {
    double: Option<usize>,
    single: Option<usize>,
}

impl Quotes {
    pub(super) fn of(text: &str) -> Self {
        Quotes {
            double: text.rfind('"'),
            single: text.rfind('\''),
        }
    }
}

/// What comes next in a tag.
pub(super) enum Step {
    Attribute {
        name: Range<usize>,
        value: Option<Range<usize>>,
        next: usize,
    },
    /// The `>`, and whether a `/` stands before it.
    End {
        at: usize,
        closed: bool,
    },
    /// A `<`: what seemed to be a tag was none.
    NoTag,
    TextEnds,
}

/// What comes next in a tag from here on.
pub(super) fn next_attribute(text: &str, from: usize, quotes: &Quotes) -> Step {
    let bytes = text.as_bytes();
    let mut at = from;
    let blank = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
    while blank(at) || bytes.get(at) == Some(&b'/') {
        at += 1;
    }
    match bytes.get(at) {
        None => return Step::TextEnds,
        Some(b'<') => return Step::NoTag,
        Some(b'>') => {
            let closed = at > from && bytes[at - 1] == b'/';
            return Step::End { at, closed };
        }
        Some(_) => {}
    }
    let start = at;
    // A first `=` belongs to the name.
    at += 1;
    while let Some(b) = bytes.get(at)
        && !b.is_ascii_whitespace()
        && !matches!(b, b'/' | b'>' | b'=' | b'<')
    {
        at += 1;
    }
    let name = start..at;
    let mut ahead = at;
    while blank(ahead) {
        ahead += 1;
    }
    if bytes.get(ahead) != Some(&b'=') {
        return Step::Attribute {
            name,
            value: None,
            next: at,
        };
    }
    at = ahead + 1;
    while blank(at) {
        at += 1;
    }
    let value = match bytes.get(at) {
        None => return Step::TextEnds,
        Some(&quote @ (b'"' | b'\'')) => {
            let last = match quote {
                b'"' => quotes.double,
                _ => quotes.single,
            };
            if last.is_none_or(|last| last <= at) {
                return Step::TextEnds;
            }
            let Some(len) = text[at + 1..].find(char::from(quote)) else {
                return Step::TextEnds;
            };
            return Step::Attribute {
                name,
                value: Some(at + 1..at + 1 + len),
                next: at + len + 2,
            };
        }
        Some(_) => {
            let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'<');
            match bytes[at..].iter().position(ends) {
                Some(len) if bytes[at + len] == b'<' => return Step::NoTag,
                Some(len) => at..at + len,
                None => return Step::TextEnds,
            }
        }
    };
    let next = value.end;
    Step::Attribute {
        name,
        value: Some(value),
        next,
    }
}

/// The names and values in the attributes of a tag, in order; what has no value has an empty one.
pub(super) fn attributes(
    text: &str,
    span: Range<usize>,
) -> impl Iterator<Item = (&str, Range<usize>)> {
    // With the `>`, which lies right behind.
    let tag = &text[..(span.end + 1).min(text.len())];
    let mut at = span.start;
    // It was measured once; there is an end to every value.
    let quotes = Quotes {
        double: Some(tag.len()),
        single: Some(tag.len()),
    };
    std::iter::from_fn(move || match next_attribute(tag, at, &quotes) {
        Step::Attribute { name, value, next } => {
            at = next;
            let value = value.unwrap_or(name.end..name.end);
            Some((&tag[name], value))
        }
        _ => None,
    })
    .take(MOST_ATTRIBUTES)
}
