//! Finds what must neither be spoken nor reach a terminal: control characters, escape sequences,
//! direction overrides and invisible characters. It never takes more than a well-formed sequence,
//! so that a stray escape character cannot make the words after it vanish.

use std::ops::Range;

use super::OmissionReason;

const ESCAPE: char = '\u{1B}';
const BELL: char = '\u{7}';

/// True for characters that steer a terminal. Blank space (tab, line ends, …) is not among them.
pub(super) fn is_control(c: char) -> bool {
    let overrides_direction = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !c.is_whitespace()) || overrides_direction
}

/// True for characters without any shape or sound. Joiners are not among them: they change how
/// words of some scripts are written.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2060}'..='\u{2064}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// The unspeakable stretches of `text` in order, touching ones of the same reason joined. Linear.
pub(super) fn control_spans(text: &str) -> Vec<(Range<usize>, OmissionReason)> {
    let mut spans: Vec<(Range<usize>, OmissionReason)> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (len, reason) = if at == 0 && c == '\u{FEFF}' {
            (c.len_utf8(), OmissionReason::ByteOrderMark)
        } else if is_control(c) {
            (sequence_len(&text[at..], c), OmissionReason::Control)
        } else if is_invisible(c) {
            (c.len_utf8(), OmissionReason::Invisible)
        } else {
            at += c.len_utf8();
            continue;
        };
        match spans.last_mut() {
            Some((last, same)) if last.end == at && *same == reason => last.end = at + len,
            _ => spans.push((at..at + len, reason)),
        }
        at += len;
    }
    spans
}

/// Length in bytes of the control sequence that `text` begins with; `first` is its first character.
fn sequence_len(text: &str, first: char) -> usize {
    let rest = &text[first.len_utf8()..];
    let inner = match first {
        ESCAPE => escape_len(rest),
        '\u{9B}' => csi_len(rest).unwrap_or(0),
        '\u{90}' | '\u{98}' | '\u{9D}'..='\u{9F}' => string_len(rest).unwrap_or(0),
        _ => 0,
    };
    first.len_utf8() + inner
}

/// What follows an escape character: the whole sequence if it is well-formed, else its opening.
fn escape_len(rest: &str) -> usize {
    match rest.as_bytes().first() {
        Some(b'[') => 1 + csi_len(&rest[1..]).unwrap_or(0),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => 1 + string_len(&rest[1..]).unwrap_or(0),
        Some(b' '..=b'/') => {
            let middle = rest
                .bytes()
                .take_while(|b| matches!(b, b' '..=b'/'))
                .count();
            match rest.as_bytes().get(middle) {
                Some(b'0'..=b'~') => middle + 1,
                _ => 0,
            }
        }
        Some(b'0'..=b'~') => 1,
        _ => 0,
    }
}

/// Parameters, intermediates and the final byte of a CSI sequence.
fn csi_len(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let parameters = bytes
        .iter()
        .take_while(|b| matches!(b, b'0'..=b'?'))
        .count();
    let tail = &bytes[parameters..];
    let middle = tail.iter().take_while(|b| matches!(b, b' '..=b'/')).count();
    matches!(tail.get(middle), Some(b'@'..=b'~')).then_some(parameters + middle + 1)
}

/// The body of an OSC, DCS, … with its terminator. Any other control character or a line end
/// breaks it off, which also keeps the whole scan linear.
fn string_len(rest: &str) -> Option<usize> {
    for (at, c) in rest.char_indices() {
        match c {
            BELL | '\u{9C}' => return Some(at + c.len_utf8()),
            ESCAPE if rest[at + 1..].starts_with('\\') => return Some(at + 2),
            '\n' | '\r' => return None,
            _ if c.is_control() => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without its control sequences.
    fn kept(text: &str) -> String {
        let mut kept = String::new();
        let mut at = 0;
        for (span, _) in control_spans(text) {
            kept.push_str(&text[at..span.start]);
            at = span.end;
        }
        kept + &text[at..]
    }

    #[test]
    fn sequences_go_and_words_stay() {
        let cases = [
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("a\x1b]0;title\x07b", "ab"),
            ("\x1b]8;;https://x.org\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1bPq#0\x1b\\after", "after"),
            ("\x1b(Bplain\x1b7", "plain"),
            ("\u{9b}2Jc1\u{9d}0;t\u{9c}!", "c1!"),
            ("bell\x07 null\0 del\x7f", "bell null del"),
            ("ab\u{202E}dc\u{202C}", "abdc"),
            ("hy\u{AD}phen\u{200B}ation", "hyphenation"),
            // Malformed: only the opening goes.
            ("\x1b]0;never ends\nwords", "0;never ends\nwords"),
            ("\x1b[é", "é"),
            ("end\x1b", "end"),
            ("\x1b]a\x1b[31mb", "ab"),
        ];
        for (text, expected) in cases {
            assert_eq!(kept(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_byte_order_mark_is_one_only_at_the_start() {
        let reasons: Vec<_> = control_spans("\u{FEFF}a\u{FEFF}").into_iter().collect();
        let expected = vec![
            (0..3, OmissionReason::ByteOrderMark),
            (4..7, OmissionReason::Invisible),
        ];
        assert_eq!(reasons, expected);
    }
}
