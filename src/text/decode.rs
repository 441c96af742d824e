//! Bytes to text: UTF-8 and UTF-16, with or without a byte order mark where that is unambiguous.
//! It refuses what is no text with the place and a way out, and must never replace or drop a
//! byte it cannot read.

use thiserror::Error;

/// A file's text. Spans everywhere in the program count bytes of [`Source::text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// For UTF-8 the file byte for byte (a byte order mark stays in, as U+FEFF); for UTF-16 the
    /// text after conversion, without the mark.
    pub text: String,
    /// How the file was encoded.
    pub encoding: Encoding,
}

/// How a file's bytes encode its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 that begins with a byte order mark.
    Utf8Bom,
    /// UTF-16, little-endian, known by its byte order mark.
    Utf16Le,
    /// UTF-16, big-endian, known by its byte order mark.
    Utf16Be,
}

/// Why bytes could not be read as text. The messages complete "cannot read FILE: …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Nothing but blank space, or nothing at all.
    #[error("there is no text in it; give a file that has words")]
    Empty,
    /// A byte sequence that is no UTF-8.
    #[error(
        "it is not valid UTF-8: byte 0x{byte:02X} at line {line}, column {column} (offset \
         {offset}); if it is in an older encoding, convert it first, for instance with \
         `iconv -f WINDOWS-1252 -t UTF-8`"
    )]
    InvalidUtf8 {
        /// Offset of the offending byte from the start of the file.
        offset: usize,
        /// Its line, counted from 1.
        line: usize,
        /// Its column in characters, counted from 1.
        column: usize,
        /// The byte itself.
        byte: u8,
    },
    /// A lone surrogate or half a code unit in a UTF-16 file.
    #[error(
        "it begins like UTF-16 but breaks off at byte offset {offset} (half a character); the \
         file is damaged or was cut short: save it again as UTF-8"
    )]
    InvalidUtf16 {
        /// Offset of the offending code unit in bytes from the start of the file.
        offset: usize,
    },
    /// Not a text at all.
    #[error(
        "it is not a text file: it {what} (byte offset {offset}); export it as plain text or Markdown first"
    )]
    Binary {
        /// Offset of what gave it away, in bytes.
        offset: usize,
        /// What it looks like, as the end of the sentence "it …".
        what: &'static str,
    },
}

/// First bytes of the formats that people hand to a narrator by mistake.
const MAGIC: &[(&[u8], &str)] = &[
    (
        b"PK\x03\x04",
        "looks like a ZIP archive (EPUB, DOCX or ODT)",
    ),
    (b"%PDF-", "looks like a PDF"),
    (b"{\\rtf", "looks like an RTF document"),
    (
        b"\xD0\xCF\x11\xE0",
        "looks like an old Word or Excel document",
    ),
    (b"\x89PNG", "looks like a PNG image"),
    (b"\xFF\xD8\xFF", "looks like a JPEG image"),
    (b"GIF8", "looks like a GIF image"),
    (b"\x7FELF", "looks like a program (ELF)"),
    (b"\x1F\x8B", "looks like a gzip archive"),
    (b"RIFF", "looks like a WAV or other RIFF file"),
    (b"OggS", "looks like an Ogg file"),
    (b"ID3", "looks like an MP3 file"),
    (b"fLaC", "looks like a FLAC file"),
    (b"SQLite format 3\0", "looks like an SQLite database"),
    (b"\xFF\xFE\0\0", "looks like UTF-32"),
    (b"\0\0\xFE\xFF", "looks like UTF-32"),
];

/// Reads a file's bytes as text.
///
/// # Errors
///
/// [`DecodeError`] says what the bytes are instead, where, and what to do.
pub fn decode(bytes: Vec<u8>) -> Result<Source, DecodeError> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| is_magic(&bytes, magic)) {
        return Err(DecodeError::Binary { offset: 0, what });
    }
    let source = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => Source {
            text: utf16(rest, u16::from_le_bytes)?,
            encoding: Encoding::Utf16Le,
        },
        [0xFE, 0xFF, rest @ ..] => Source {
            text: utf16(rest, u16::from_be_bytes)?,
            encoding: Encoding::Utf16Be,
        },
        _ => utf8(bytes)?,
    };
    let blank = |c: char| c.is_whitespace() || c == '\u{FEFF}';
    if source.text.chars().all(blank) {
        return Err(DecodeError::Empty);
    }
    Ok(source)
}

/// Formats whose magic is printable ASCII could also be the first word of a text, so those
/// need a byte that no text has nearby.
fn is_magic(bytes: &[u8], magic: &[u8]) -> bool {
    let could_be_words = magic.iter().all(u8::is_ascii_alphanumeric);
    let head = &bytes[..bytes.len().min(64)];
    bytes.starts_with(magic) && (!could_be_words || head.contains(&0))
}

fn utf8(bytes: Vec<u8>) -> Result<Source, DecodeError> {
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        let what = "contains a NUL byte (UTF-16 without a byte order mark does, too)";
        return Err(DecodeError::Binary { offset, what });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let good = String::from_utf8_lossy(&error.as_bytes()[..offset]).into_owned();
        let line_start = good.rfind('\n').map_or(0, |newline| newline + 1);
        DecodeError::InvalidUtf8 {
            offset,
            line: good.matches('\n').count() + 1,
            column: good[line_start..].chars().count() + 1,
            byte: error.as_bytes()[offset],
        }
    })?;
    let encoding = match text.starts_with('\u{FEFF}') {
        true => Encoding::Utf8Bom,
        false => Encoding::Utf8,
    };
    Ok(Source { text, encoding })
}

/// `bytes` are those after the byte order mark; offsets in errors count from before it.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DecodeError> {
    const MARK: usize = 2;
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut offset = MARK;
    for decoded in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        let character = decoded.map_err(|_| DecodeError::InvalidUtf16 { offset })?;
        text.push(character);
        offset += 2 * character.len_utf16();
    }
    match odd {
        [] => Ok(text),
        _ => Err(DecodeError::InvalidUtf16 { offset }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let cases: &[(&[u8], &str, Encoding)] = &[
            (b"Hi.", "Hi.", Encoding::Utf8),
            (b"\xEF\xBB\xBFHi.", "\u{FEFF}Hi.", Encoding::Utf8Bom),
            (b"\xFF\xFEH\0i\0", "Hi", Encoding::Utf16Le),
            (b"\xFE\xFF\0H\0i", "Hi", Encoding::Utf16Be),
            (b"\xFF\xFE\x3D\xD8\x00\xDE", "😀", Encoding::Utf16Le),
        ];
        for &(bytes, text, encoding) in cases {
            let source = decode(bytes.to_vec()).unwrap();
            assert_eq!((source.text.as_str(), source.encoding), (text, encoding));
        }
    }

    #[test]
    fn bad_utf8_is_located() {
        let error = decode(b"one\ntw\xC3\xB6 \xE9t\xE9".to_vec()).unwrap_err();
        let expected = DecodeError::InvalidUtf8 {
            offset: 9,
            line: 2,
            column: 5,
            byte: 0xE9,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("line 2, column 5"), "{error}");
    }

    #[test]
    fn bad_utf16_is_located() {
        let half = decode(b"\xFF\xFEa\0b".to_vec()).unwrap_err();
        assert_eq!(half, DecodeError::InvalidUtf16 { offset: 4 });
        let lone = decode(b"\xFF\xFEa\0\x3D\xD8b\0".to_vec()).unwrap_err();
        assert_eq!(lone, DecodeError::InvalidUtf16 { offset: 4 });
    }

    #[test]
    fn what_is_no_text_is_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"PK\x03\x04rest", "ZIP"),
            (b"%PDF-1.7", "PDF"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\x7FELF\x02", "ELF"),
            (b"\xFF\xFE\0\0a\0\0\0", "UTF-32"),
            (b"RIFF\x24\0\0\0WAVE", "WAV"),
            (b"some\0thing", "NUL"),
        ];
        for &(bytes, what) in cases {
            let message = decode(bytes.to_vec()).unwrap_err().to_string();
            assert!(message.contains(what), "{message}");
        }
        assert!(decode(b"RIFF is an old word.".to_vec()).is_ok());
    }

    #[test]
    fn blank_is_empty() {
        for bytes in [
            &b""[..],
            b" \n\t",
            b"\xEF\xBB\xBF",
            b"\xFF\xFE",
            b"\xEF\xBB\xBF\r\n",
        ] {
            assert_eq!(decode(bytes.to_vec()), Err(DecodeError::Empty));
        }
    }
}
