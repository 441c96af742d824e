//! What holds of the reading of any text, and of any bytes as a lexicon. Property tests and the fuzz
//! target call it. It must never lean on the code that it checks.

use super::{Edit, Lexicon, LexiconError, Taste, apply, read};

/// Panics unless these bytes, as a text and as a lexicon, are read as promised.
#[track_caller]
pub(crate) fn check_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for language in ["en-US", "en-GB", "de"] {
        check(&text, language);
    }
    for parse in [Lexicon::from_toml, Lexicon::from_pls] {
        match parse(&text) {
            Ok(lexicon) => check_order(&text, &read(&text, "en", &Taste::default(), &lexicon)),
            Err(LexiconError::Pls { at, .. }) => assert!(at <= text.len()),
            Err(_) => {}
        }
    }
}

/// Panics unless what is said of a text has a reason for each word that it leaves out, is of a bounded
/// length, and stays as it is when it is read again.
#[track_caller]
pub(super) fn check(text: &str, language: &str) {
    let read = |text: &str| read(text, language, &Taste::default(), &Lexicon::default());
    let edits = read(text);
    check_order(text, &edits);
    for edit in &edits {
        let has_words = text[edit.span.clone()].contains(char::is_alphanumeric);
        let is_told = !edit.said.trim().is_empty() || edit.left_out.is_some();
        assert!(!has_words || is_told, "{edit:?}");
    }
    let said = apply(text, &edits).into_owned();
    assert!(said.len() <= 80 + 40 * text.len());
    assert_eq!(apply(&said, &read(&said)), said.as_str(), "{text:?}");
}

/// Edits are in order and disjoint, none is empty, and none cuts a character.
#[track_caller]
fn check_order(text: &str, edits: &[Edit]) {
    let mut at = 0;
    for edit in edits {
        assert!(at <= edit.span.start && edit.span.start < edit.span.end);
        assert!(text.get(edit.span.clone()).is_some());
        at = edit.span.end;
    }
}
