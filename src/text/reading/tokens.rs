//! The pieces that reading works on: words, digits, blanks and single signs. They cover the text, and
//! none is empty.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with the apostrophes between them.
    Word,
    /// ASCII digits.
    Digits,
    /// Blanks.
    Blank,
    /// One character of any other kind.
    Sign(char),
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

/// The pieces of a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 3 + 1);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let end = at + c.len_utf8();
        let follows_word = tokens.last().is_some_and(|last| last.kind == Kind::Word);
        let kind = if c.is_alphabetic() || (follows_word && is_combining_mark(c)) {
            Kind::Word
        } else if c.is_ascii_digit() {
            Kind::Digits
        } else if c.is_whitespace() {
            Kind::Blank
        } else if is_apostrophe(c)
            && follows_word
            && characters.peek().is_some_and(|(_, c)| c.is_alphabetic())
        {
            Kind::Word
        } else {
            Kind::Sign(c)
        };
        match tokens.last_mut() {
            Some(last) if last.kind == kind && !matches!(kind, Kind::Sign(_)) => {
                last.span.end = end;
            }
            _ => tokens.push(Token {
                kind,
                span: at..end,
            }),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        let text = "It's 5km, ’tis O’Hara";
        let pieces: Vec<_> = tokens(text)
            .into_iter()
            .map(|token| &text[token.span])
            .collect();
        assert_eq!(
            pieces,
            ["It's", " ", "5", "km", ",", " ", "’", "tis", " ", "O’Hara"]
        );
    }
}
