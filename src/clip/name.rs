//! Names of files, from what is spoken in them: safe on every file system, readable in a listing.

use unicode_segmentation::UnicodeSegmentation;

use crate::engine::SegmentId;

/// The longest name made from words, in bytes.
const LONGEST: usize = 48;

/// The name of a clip: `NNNN-first-words.wav`.
///
/// ```
/// assert_eq!(aloud::clip::file_name(7, "“Patience,” he told the gulls."), "0007-patience-he-told-the-gulls.wav");
/// assert_eq!(aloud::clip::file_name(12_345, "…"), "12345.wav");
/// ```
#[must_use]
pub fn file_name(segment: impl Into<SegmentId>, text: &str) -> String {
    let segment = segment.into();
    match words(text, 5) {
        words if words.is_empty() => format!("{segment:04}.wav"),
        words => format!("{segment:04}-{words}.wav"),
    }
}

/// A folder's or file's name from a title; never empty.
///
/// ```
/// assert_eq!(aloud::clip::slug("The Night Train: 7.45 p.m."), "the-night-train-7.45-p.m");
/// assert_eq!(aloud::clip::slug("../../etc"), "etc");
/// assert_eq!(aloud::clip::slug("?!"), "narration");
/// ```
#[must_use]
pub fn slug(title: &str) -> String {
    match words(title, 8) {
        words if words.is_empty() => "narration".to_owned(),
        words => words,
    }
}

/// Up to `most` words, in lower case and joined by hyphens. Words are Unicode's (UAX #29): letters,
/// digits, and the points and apostrophes inside them.
fn words(text: &str, most: usize) -> String {
    let mut name = String::new();
    for word in text.unicode_words().take(most) {
        let word: String = word
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '.')
            .flat_map(char::to_lowercase)
            .collect();
        if name.len() + word.len() + 1 > LONGEST {
            if name.is_empty() {
                name = word.chars().take(LONGEST / 4).collect();
            }
            break;
        }
        if !name.is_empty() && !word.is_empty() {
            name.push('-');
        }
        name.push_str(&word);
    }
    name
}
