//! Letters and digits in other clothes: ligatures, wide and circled forms, mathematical alphabets, small
//! capitals, marks apart from their letters, and the many signs that stand for an apostrophe or a
//! hyphen. They become what a reader sees in them. Superscripts and fractions are not among them: a
//! reader says something else for these.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::edits::Edit;

/// What each such character or cluster is read as. Linear.
pub(super) fn edits(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    if text.is_ascii() && !text.contains('`') {
        return edits;
    }
    let mut characters = text.char_indices().peekable();
    let mut before = None;
    while let Some((at, c)) = characters.next() {
        let mut end = at + c.len_utf8();
        let next = characters.peek().map(|(_, next)| *next);
        if c.is_alphabetic() && next.is_some_and(is_combining_mark) {
            while let Some((_, mark)) = characters.next_if(|(_, c)| is_combining_mark(*c)) {
                end += mark.len_utf8();
            }
            let cluster = &text[at..end];
            let composed: String = cluster.nfc().collect();
            if composed != cluster {
                edits.push(Edit::new(at..end, composed));
            }
        } else if let Some(seen) = plain(c, before, next) {
            edits.push(Edit::new(at..end, seen));
        }
        before = Some(c);
    }
    edits
}

/// What a reader sees in one character, where that is another one.
fn plain(c: char, before: Option<char>, next: Option<char>) -> Option<String> {
    if c.is_ascii() && c != '`' {
        return None;
    }
    // ㎚ is read as letters, too.
    let is_letter = |c: Option<char>, end: fn(&str) -> Option<char>| {
        let read = c.map(|c| plain(c, None, None).unwrap_or_else(|| c.to_string()));
        let letter = read.as_deref().and_then(end);
        letter.is_some_and(char::is_alphabetic)
    };
    let in_word = || {
        is_letter(before, |read| read.chars().next_back())
            && is_letter(next, |read| read.chars().next())
    };
    let text = match c {
        '`' | '´' | '′' if in_word() => "'".to_owned(),
        'ʼ' | '＇' | '‛' | 'ʹ' => "'".to_owned(),
        '\u{2010}' | '\u{2011}' | '\u{FE63}' | '\u{FF0D}' => "-".to_owned(),
        '℃' => "°C".to_owned(),
        '℉' => "°F".to_owned(),
        // In brackets or with a full stop: the number or letter alone is meant.
        '\u{2474}'..='\u{249B}' | '\u{249C}'..='\u{24B5}' => {
            let inner: String = c.nfkc().filter(char::is_ascii_alphanumeric).collect();
            inner
        }
        // Units, such as the square kilometre.
        '\u{3371}'..='\u{33DF}' => c.nfkd().map(|c| superscript(c).unwrap_or(c)).collect(),
        _ if is_dressed(c) => c.nfkc().collect(),
        _ => small_capital(c)?.to_string(),
    };
    Some(text)
}

fn superscript(digit: char) -> Option<char> {
    match digit {
        '2' => Some('²'),
        '3' => Some('³'),
        _ => None,
    }
}

/// Characters whose compatible form is what a reader sees.
fn is_dressed(c: char) -> bool {
    matches!(c,
        'ſ' | '\u{132}'..='\u{133}' | '\u{1C4}'..='\u{1CC}' | '\u{1F1}'..='\u{1F3}'
        | 'ℂ' | 'ℊ'..='ℓ' | 'ℕ' | '№' | 'ℙ'..='ℝ' | 'ℤ' | 'K' | 'Å' | 'ℬ' | 'ℭ' | 'ℯ'..='ℹ' | 'ℼ'..='⅀' | 'ⅅ'..='ⅉ'
        | '\u{2160}'..='\u{217F}' | '\u{2460}'..='\u{2473}' | '\u{24B6}'..='\u{24EA}'
        | '\u{FB00}'..='\u{FB06}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{FF01}'..='\u{FF5E}' | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1D400}'..='\u{1D7FF}' | '\u{1F130}'..='\u{1F149}')
}

/// Letters that are written as small capitals in the phonetic blocks, and read as letters.
fn small_capital(c: char) -> Option<char> {
    const SMALL: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ";
    const LETTERS: &str = "abcdefghijklmnopqrstuvwyz";
    let at = SMALL.chars().position(|small| small == c)?;
    LETTERS.chars().nth(at)
}

#[cfg(test)]
mod tests {
    use super::super::edits::apply;
    use super::*;

    #[test]
    fn what_a_reader_sees() {
        for (written, seen) in [
            ("diﬃcult ﬁre", "difficult fire"),
            ("𝐓𝐡𝐞 ｏｎ ① ⑴ ⒈ ⒜ Ⓐ", "The on 1 1 1 a A"),
            ("Ⅷ ㎢ ㎏ ㎥", "VIII km² kg m³"),
            ("cafe\u{301} nai\u{308}ve", "café naïve"),
            ("ᴛʜᴇ ᴇɴᴅ", "the end"),
            ("don`t can´t `code` a`㎚", "don't can't `code` a'nm"),
            ("№ 5, 20 ℃", "No 5, 20 °C"),
            ("x² CO₂ ½ ™ … “a”", "x² CO₂ ½ ™ … “a”"),
        ] {
            assert_eq!(apply(written, &edits(written)), seen);
        }
    }
}
