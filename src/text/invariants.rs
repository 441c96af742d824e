//! What holds for any bytes and any text whatever: nothing is lost, nothing unprintable gets through.
//! Property tests and fuzz targets call it. It must never lean on the code that it checks.

use super::control::{is_control, is_invisible};
use super::{
    DecodeError, Document, Encoding, Format, Html, Limits, Markdown, OmissionReason, PlainText,
    Repairs, Source, Spoken, decode, parse, printable, repair, segment,
};

pub(super) const FORMATS: [&dyn Format; 3] = [&PlainText, &Markdown, &Html];

/// Panics unless what is read of a file's bytes is as promised, from the bytes to the segments.
#[track_caller]
pub(crate) fn check_bytes(bytes: &[u8]) {
    let source = match decode(bytes.to_vec()) {
        Ok(source) => source,
        Err(error) => return check_refusal(bytes, &error),
    };
    assert_eq!(
        encoded(&source),
        bytes,
        "the text is not what was in the file"
    );
    for format in FORMATS {
        check(&source.text, format, &Limits::default());
    }
}

/// A text as it was in its file.
fn encoded(source: &Source) -> Vec<u8> {
    let units = || source.text.encode_utf16();
    match source.encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => source.text.clone().into_bytes(),
        Encoding::Utf16Le => [0xFF, 0xFE]
            .into_iter()
            .chain(units().flat_map(u16::to_le_bytes))
            .collect(),
        Encoding::Utf16Be => [0xFE, 0xFF]
            .into_iter()
            .chain(units().flat_map(u16::to_be_bytes))
            .collect(),
    }
}

/// The place that an error tells is the place of the fault.
#[track_caller]
fn check_refusal(bytes: &[u8], error: &DecodeError) {
    match *error {
        DecodeError::InvalidUtf8 {
            offset,
            line,
            column,
            byte,
        } => {
            assert_eq!(bytes[offset], byte);
            let before = std::str::from_utf8(&bytes[..offset]).unwrap();
            let mut lines = before.split('\n').rev();
            assert_eq!(column, lines.next().unwrap().chars().count() + 1);
            assert_eq!(line, lines.count() + 1);
        }
        DecodeError::InvalidUtf16 { offset } => assert!((2..bytes.len()).contains(&offset)),
        DecodeError::Binary { offset, .. } => assert!(offset < bytes.len()),
        DecodeError::Empty => {
            let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
            let text = String::from_utf8_lossy(bytes);
            assert!(utf16 || !text.contains(char::is_alphanumeric));
        }
    }
}

pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the document says is spoken for the source between these bytes.
fn spoken_between(text: &str, document: &Document, span: &std::ops::Range<usize>) -> String {
    let mut spoken = String::new();
    for run in document.blocks.iter().flat_map(|block| &block.runs) {
        let part = run.span.start.max(span.start)..run.span.end.min(span.end);
        match &run.spoken {
            _ if part.is_empty() => {}
            Spoken::AsWritten => spoken.push_str(&text[part]),
            Spoken::Instead(words) => spoken.push_str(words),
        }
    }
    spoken
}

/// Whether there are words in it, beside the mark of a task that is done and the kind of a callout.
fn has_words(markup: &str) -> bool {
    let mut rest = markup.to_lowercase().replace("[x]", "");
    if let Some((before, (kind, after))) = rest
        .split_once("[!")
        .and_then(|(before, callout)| Some((before, callout.split_once(']')?)))
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    {
        rest = format!("{before}{after}");
    }
    rest.contains(char::is_alphanumeric)
}

/// The document covers the source, each byte once.
#[track_caller]
fn check_cover(text: &str, document: &Document) {
    let mut owners = vec![0u8; text.len()];
    let runs = document
        .blocks
        .iter()
        .flat_map(|b| &b.runs)
        .map(|r| &r.span);
    for span in runs.chain(document.omissions.iter().map(|o| &o.span)) {
        assert!(!span.is_empty());
        owners[span.clone()]
            .iter_mut()
            .for_each(|owner| *owner += 1);
    }
    assert!(owners.iter().all(|&owner| owner == 1), "{document:?}");
}

/// Panics unless nothing of a text is lost and nothing unprintable gets through.
#[track_caller]
pub(crate) fn check(text: &str, format: &dyn Format, limits: &Limits) {
    let parsed = parse(text, format);
    let cut = segment(text, &parsed, "en", limits);
    check_cover(text, &parsed);
    let document = repair(text, parsed, &Repairs::default());
    check_cover(text, &document);
    let again = repair(text, document.clone(), &Repairs::default());
    assert_eq!(again, document, "what is mended is mended again");

    // Segments and the outer omissions cover it, too; inner ones lie wholly within one segment.
    let mut owners = vec![0u8; text.len()];
    let mut last = 0;
    for segment in &cut.segments {
        assert!(segment.span.start >= last && segment.span.start < segment.span.end);
        last = segment.span.end;
        assert!(text.get(segment.span.clone()).is_some(), "char boundaries");
        owners[segment.span.clone()]
            .iter_mut()
            .for_each(|owner| *owner += 1);
    }
    let mut last = 0;
    for omission in &cut.omissions {
        assert!(omission.span.start >= last && !omission.span.is_empty());
        last = omission.span.end;
        assert!(text.get(omission.span.clone()).is_some(), "char boundaries");
        let owned = &mut owners[omission.span.clone()];
        if owned.iter().all(|&owner| owner == 0) {
            owned.fill(1);
        } else {
            let hosts = cut
                .segments
                .iter()
                .filter(|s| s.span.start <= omission.span.start && omission.span.end <= s.span.end);
            assert_eq!(hosts.count(), 1, "{omission:?}");
        }
        // Words are left out only where the reason tells which.
        let words = &text[omission.span.clone()];
        let only_signs = match omission.reason {
            OmissionReason::BlankSpace | OmissionReason::ByteOrderMark => true,
            // An entity or a tag has letters and may stand for a sign, a blank or a line.
            OmissionReason::Unspeakable
            | OmissionReason::Invisible
            | OmissionReason::SceneBreak => !words.contains(['&', '<', '>']),
            _ => false,
        };
        assert!(
            !only_signs || !words.contains(char::is_alphanumeric),
            "{omission:?}"
        );
        if omission.reason == OmissionReason::Markup {
            assert!(!has_words(words), "{omission:?} {words:?}");
        }
    }
    assert!(owners.iter().all(|&owner| owner == 1), "{cut:?}");

    for (index, segment) in cut.segments.iter().enumerate() {
        let words = &segment.text;
        assert_eq!(words, &folded(words), "one line, folded");
        assert!(!words.contains(is_control) && !words.contains(is_invisible));
        assert!(words.contains(char::is_alphanumeric));
        assert_eq!(
            words,
            &folded(&spoken_between(text, &document, &segment.span))
        );
        assert!(segment.chapter < cut.chapters.len());
        assert!(cut.chapters[segment.chapter].first_segment <= index);
        // Entities may stand for two characters that are not cut apart.
        assert!(
            words.chars().count() <= limits.max_chars.max(1) + 4,
            "{words:?}"
        );
    }
    let firsts: Vec<_> = cut.chapters.iter().map(|c| c.first_segment).collect();
    assert!(firsts.is_sorted() && firsts.iter().all(|&f| f < cut.segments.len()));
    if let Some(title) = &cut.title {
        assert!(printable(title) == title.as_str(), "{title:?}");
    }
}
