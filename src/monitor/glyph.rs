//! Characters of which terminals agree how many cells they take, as long as those that East Asia once
//! drew wide are left narrow: the frames of all panes rely on that. Most texts have no others, and need
//! no rules for clusters and widths.

/// ASCII, letters of Latin, Greek and Cyrillic, phonetic signs, punctuation, and the symbols that the
/// views draw with: each stands alone, in one cell.
pub(super) fn is_narrow(symbol: char) -> bool {
    matches!(u32::from(symbol), 0x20..=0x7e | 0xa1..=0x2ff | 0x370..=0x52f | 0x1d00..=0x1dbf | 0x2010..=0x2027 | 0x2500..=0x259f | 0x25cb | 0x25cf | 0x2800..=0x28ff)
        && !matches!(symbol, '\u{ad}' | '\u{483}'..='\u{489}')
}

/// Kana, Han and Hangul: two cells each. The symbol of a cell is one if it is nothing else.
pub(super) fn is_ideograph(symbol: &str) -> bool {
    only(symbol).is_some_and(|symbol| {
        matches!(u32::from(symbol), 0x3041..=0x3096 | 0x30a1..=0x30fa | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3)
    })
}

/// The one character of a symbol.
pub(super) fn only(symbol: &str) -> Option<char> {
    let mut characters = symbol.chars();
    characters.next().filter(|_| characters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_segmentation::UnicodeSegmentation;
    use unicode_width::UnicodeWidthChar;

    #[test]
    fn they_are_as_wide_as_unicode_says_and_stand_alone() {
        for symbol in '\0'..=char::MAX {
            if is_narrow(symbol) {
                assert_eq!(symbol.width(), Some(1), "{symbol:?}");
                assert_eq!(
                    format!("{symbol}{symbol}a").graphemes(true).count(),
                    3,
                    "{symbol:?}"
                );
            }
            if is_ideograph(symbol.encode_utf8(&mut [0; 4])) {
                assert_eq!(symbol.width(), Some(2), "{symbol:?}");
            }
        }
    }
}
