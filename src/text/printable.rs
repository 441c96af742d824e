//! Makes any string safe to print on one line of a terminal: titles, file names, texts of others.
//! It must never let through a character that moves the cursor, changes the screen or reorders
//! what stands around it, and it shows that something was there.

use std::borrow::Cow;

use super::control::is_control;

/// `text` as one line that a terminal prints as it stands.
///
/// Line ends, tabs and other blank controls become a space (`\r\n` one space), other control
/// characters their visible picture (`␛`, `␀`, …) or `�`, and so do direction overrides. What
/// follows an escape character stays visible, so nothing can hide in a sequence.
///
/// ```
/// assert_eq!(aloud::text::printable("red\x1b[31m\nline"), "red␛[31m line");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(needs_replacing) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' if characters.peek() == Some(&'\n') => {}
            _ if !needs_replacing(c) => safe.push(c),
            _ if c.is_whitespace() => safe.push(' '),
            '\0'..='\u{1F}' => safe.push(picture(c)),
            '\u{7F}' => safe.push('␡'),
            _ => safe.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(safe)
}

/// The first characters of a text, at most so many, printable, and with an ellipsis for what is left
/// out: a value that someone gave may be as long as a book, and the message around it must still be
/// seen.
///
/// ```
/// assert_eq!(aloud::text::excerpt("a value", 7), "a value");
/// assert_eq!(aloud::text::excerpt("another value", 7), "another…");
/// ```
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}

fn needs_replacing(c: char) -> bool {
    // U+061C, U+200E and U+200F reorder their neighbours without being overrides.
    let mark = matches!(
        c,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
    );
    c.is_control() || is_control(c) || mark
}

/// The Control Pictures block holds one picture for each of the first 32 characters, in order.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        let cases = [
            ("plain “text” — ok", "plain “text” — ok"),
            ("a\r\nb\nc\td", "a b c d"),
            ("\x1b]0;owned\x07", "␛]0;owned␇"),
            ("\u{9b}2J", "\u{FFFD}2J"),
            ("ab\u{202E}dc", "ab\u{FFFD}dc"),
            ("del\x7f\0", "del␡␀"),
            ("x\u{2028}y", "x y"),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected);
        }
        assert!(matches!(printable("safe"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_excerpt_is_cut_between_characters_and_safe() {
        assert_eq!(excerpt("éé", 2), "éé");
        assert_eq!(excerpt("é\u{1b}é", 2), "é␛…");
        assert_eq!(excerpt("é", 0), "…");
        assert_eq!(excerpt("", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_gets_through(text in any::<String>()) {
            let safe = printable(&text);
            prop_assert!(!safe.contains(needs_replacing));
            prop_assert_eq!(printable(&safe), safe.as_ref());
        }
    }
}
