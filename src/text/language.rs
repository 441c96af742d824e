//! Tags of languages as texts have them (BCP 47, <https://www.rfc-editor.org/rfc/rfc5646>).

/// The tag of a language, if it looks like one; many write `pt_BR` for `pt-BR`.
pub(super) fn language_tag(written: &str) -> Option<String> {
    let written = written.trim();
    let mut parts = written.split(['-', '_']);
    let first = parts.next()?;
    let plain = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let is_one = (2..=8).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && written.len() <= 35
        && parts.all(plain);
    is_one.then(|| written.to_owned())
}

/// The primary subtag of a tag, in lower case.
///
/// ```
/// assert_eq!(aloud::text::subtag("pt_BR"), "pt");
/// assert_eq!(aloud::text::subtag("EN"), "en");
/// ```
#[must_use]
pub fn subtag(tag: &str) -> String {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    first.to_ascii_lowercase()
}
