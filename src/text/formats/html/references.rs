//! Character references: `&amp;`, `&#8217;`, `&nbsp`. It must never take the `&` of a name such as
//! `R&D` for one: without a semicolon only those count that browsers take without, and only where no
//! letter, digit or `=` comes right behind.

use pulldown_cmark::{Event, Parser};

/// What a reference stands for: a character, with a few names a second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Reference(char, Option<char>);

impl Reference {
    pub(in super::super) fn push_to(self, text: &mut String) {
        text.push(self.0);
        text.extend(self.1);
    }

    /// The character, where it is one.
    pub(in super::super) fn only(self) -> Option<char> {
        self.1.is_none().then_some(self.0)
    }
}

/// Longest name, in bytes.
const LONGEST: usize = 32;

/// Those that are known without their semicolon.
const BARE: &str = " AElig AMP Aacute Acirc Agrave Aring Atilde Auml COPY Ccedil ETH Eacute Ecirc \
    Egrave Euml GT Iacute Icirc Igrave Iuml LT Ntilde Oacute Ocirc Ograve Oslash Otilde Ouml QUOT REG \
    THORN Uacute Ucirc Ugrave Uuml Yacute aacute acirc acute aelig agrave amp aring atilde auml brvbar \
    ccedil cedil cent copy curren deg divide eacute ecirc egrave eth euml frac12 frac14 frac34 gt iacute \
    icirc iexcl igrave iquest iuml laquo lt macr micro middot nbsp not ntilde oacute ocirc ograve ordf \
    ordm oslash otilde ouml para plusmn pound quot raquo reg sect shy sup1 sup2 sup3 szlig thorn times \
    uacute ucirc ugrave uml uuml yacute yen yuml ";

/// The reference that `text` begins with, and its length.
pub(in super::super) fn reference(text: &str) -> Option<(usize, Reference)> {
    let rest = text.strip_prefix('&')?;
    if let Some(digits) = rest.strip_prefix('#') {
        return number(digits).map(|(len, c)| (2 + len, Reference(c, None)));
    }
    let len = rest
        .bytes()
        .take(LONGEST + 1)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let name = &rest[..len];
    if rest[len..].starts_with(';') {
        return named(name).map(|stands_for| (len + 2, stands_for));
    }
    let is_known = len > 0 && BARE.contains(&format!(" {name} ")) && !rest[len..].starts_with('=');
    let stands_for = is_known.then(|| named(name)).flatten()?;
    Some((len + 1, stands_for))
}

/// The characters that `&name;` stands for.
pub(in crate::text) fn entity(name: &str) -> Option<String> {
    let mut words = String::new();
    named(name)?.push_to(&mut words);
    Some(words)
}

/// What a name stands for, which the parser of Markdown knows: the table of quick-xml 0.42 cuts the number
/// of every fourth character short, so that `&alpha;` is a semicolon.
fn named(name: &str) -> Option<Reference> {
    let is_name = name.len() <= LONGEST && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let written = is_name.then(|| format!("&{name};"))?;
    let text = Parser::new(&written).find_map(|event| match event {
        Event::Text(text) => Some(text),
        _ => None,
    });
    let text = text.filter(|text| **text != *written)?;
    let mut characters = text.chars();
    Some(Reference(characters.next()?, characters.next()))
}

/// The digits behind `&#`, with the semicolon if there is one.
fn number(text: &str) -> Option<(usize, char)> {
    let (mark, radix) = match text.as_bytes().first()? {
        b'x' | b'X' => (1, 16),
        _ => (0, 10),
    };
    let digits = &text[mark..];
    let len = digits
        .bytes()
        .take(LONGEST)
        .take_while(|b| char::from(*b).is_digit(radix))
        .count();
    if len == 0 {
        return None;
    }
    let code = u32::from_str_radix(&digits[..len], radix).unwrap_or(u32::MAX);
    let semicolon = usize::from(digits[len..].starts_with(';'));
    Some((mark + len + semicolon, character(code)))
}

/// Old pages name characters as Windows numbers them.
fn character(code: u32) -> char {
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž',
        '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}',
        'ž', 'Ÿ',
    ];
    match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9F => WINDOWS[(code - 0x80) as usize],
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// A value of an attribute with its references replaced.
pub(super) fn decoded(value: &str) -> String {
    let mut words = String::with_capacity(value.len());
    let mut at = 0;
    while let Some(found) = value[at..].find('&') {
        words.push_str(&value[at..at + found]);
        at += found;
        if let Some((len, stands_for)) = reference(&value[at..]) {
            stands_for.push_to(&mut words);
            at += len;
        } else {
            words.push('&');
            at += 1;
        }
    }
    words + &value[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stand_for_characters() {
        let cases = [
            ("a &amp; b", "a & b"),
            ("it&#8217;s &#x2019; &#146; &#39s", "it’s ’ ’ 's"),
            ("&nbsp;&eacute;t&eacute &hellip;", "\u{a0}été …"),
            (
                "R&D, AT&T, &regular; ?a=1&copy=2 & &; &#; &#x;",
                "R&D, AT&T, &regular; ?a=1&copy=2 & &; &#; &#x;",
            ),
            ("&CounterClockwiseContourIntegral;", "∳"),
            (
                "&alpha;&Omega; &OElig;uvre &fjlig;&Tab;&lt;",
                "αΩ Œuvre fj\t<",
            ),
            ("&#0;&#xD800;&#99999999999;", "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ];
        for (written, expected) in cases {
            assert_eq!(decoded(written), expected);
        }
    }
}
