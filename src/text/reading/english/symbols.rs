//! Emoji and other pictures among letters, and faces made of punctuation.

/// Whether a character is a picture, or a part of one.
pub(super) fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{25FF}'
        | '\u{2500}'..='\u{259F}' | '\u{2900}'..='\u{297F}' | '\u{27F0}'..='\u{27FF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{E000}'..='\u{F8FF}')
        || is_joint(c)
}

/// What joins or changes pictures and is none itself.
pub(super) fn is_joint(c: char) -> bool {
    matches!(
        c,
        '\u{FE0E}' | '\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}'
    )
}

/// The length in bytes of the face that a text begins with: `:-)`, `;)`, `:D`, `<3`, `^_^`.
pub(super) fn face(text: &str) -> Option<usize> {
    const WHOLE: &[&str] = &[
        "<3",
        "^_^",
        "^^",
        "-_-",
        "o_O",
        "¯\\_(ツ)_/¯",
        "xD",
        "XD",
        ">.<",
        "T_T",
    ];
    let ends = |len: usize| {
        text[len..]
            .chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || ".,!?;)”\"".contains(c))
    };
    if let Some(face) = WHOLE.iter().find(|face| text.starts_with(**face)) {
        return Some(face.len()).filter(|&len| ends(len));
    }
    let mut characters = text.char_indices();
    let (_, eyes) = characters.next()?;
    if !matches!(eyes, ':' | ';' | '=') {
        return None;
    }
    let (_, mut mouth) = characters.next()?;
    let mut len = eyes.len_utf8() + mouth.len_utf8();
    if matches!(mouth, '-' | '\'' | '^' | 'o') {
        let (at, next) = characters.next()?;
        mouth = next;
        len = at + next.len_utf8();
    }
    (matches!(
        mouth,
        ')' | '(' | 'D' | 'P' | 'p' | '/' | '\\' | '|' | 'O' | '3' | '*'
    ) && ends(len))
    .then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces() {
        for (text, len) in [
            (":-) said", Some(3)),
            (";) ", Some(2)),
            (":D", Some(2)),
            ("<3!", Some(2)),
            (":Dear", None),
            (": (a)", None),
            ("=5", None),
        ] {
            assert_eq!(face(text), len, "{text}");
        }
    }
}
