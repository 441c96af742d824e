//! Tells from outside, with a few reads, whether a file is a whole ONNX model. It never opens it.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use crate::speech::SpeechError;

/// Tells whether a file is, from outside, a whole ONNX model: its outermost protobuf fields follow
/// each other to the very end of the file, and a graph is among them. Costs a few reads.
///
/// The format: <https://protobuf.dev/programming-guides/encoding/>; field 1 of ONNX's `ModelProto`
/// is the version, field 7 the graph.
///
/// # Errors
/// [`SpeechError::Model`] that says what the file is not.
pub fn check_envelope(path: &Path) -> Result<(), SpeechError> {
    let failed = |reason: &str| SpeechError::Model {
        path: path.to_owned(),
        reason: reason.into(),
    };
    let system = |error: std::io::Error| failed(&error.to_string());
    let file = File::open(path).map_err(system)?;
    let metadata = file.metadata().map_err(system)?;
    if metadata.is_dir() {
        return Err(failed("it is a folder, not a file"));
    }
    let size = metadata.len();
    check(&mut BufReader::new(file), size).map_err(|reason| failed(&reason))
}

/// As [`check_envelope`], for what was read from the file.
///
/// # Errors
/// What the bytes are not.
pub(super) fn check_bytes(bytes: &[u8]) -> Result<(), String> {
    check(&mut Cursor::new(bytes), bytes.len() as u64)
}

fn check(file: &mut (impl Read + Seek), size: u64) -> Result<(), String> {
    if size == 0 {
        return Err("the file is empty".into());
    }
    let (mut at, mut graph) = (0, false);
    while at < size {
        let Some((field, past)) = skip_field(file, at) else {
            return Err("it is not an ONNX model".into());
        };
        if past > size {
            let missing = past - size;
            return Err(format!(
                "it is truncated: at least {missing} bytes are missing"
            ));
        }
        graph |= field == GRAPH;
        at = past;
    }
    if graph {
        Ok(())
    } else {
        Err("it holds no graph: it is not an ONNX model, or it is truncated".into())
    }
}

/// The fields of `ModelProto` (onnx.proto3), and the one that is the graph.
const FIELDS: [u64; 12] = [1, 2, 3, 4, 5, 6, GRAPH, 8, 14, 20, 25, 26];
const GRAPH: u64 = 7;

/// Reads one field's head at `at` and returns its number and where the next one begins; `None` if
/// no model has such a field.
fn skip_field(file: &mut (impl Read + Seek), at: u64) -> Option<(u64, u64)> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let (key, after_key) = varint(file, at)?;
    let field = key >> 3;
    let past = match key & 7 {
        0 => varint(file, after_key)?.1,
        1 => after_key + 8,
        2 => {
            let (length, start) = varint(file, after_key)?;
            start.checked_add(length)?
        }
        5 => after_key + 4,
        _ => return None,
    };
    FIELDS.contains(&field).then_some((field, past))
}

fn varint(file: &mut impl Read, mut at: u64) -> Option<(u64, u64)> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        file.read_exact(&mut byte).ok()?;
        at += 1;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let verdict = match check_envelope(file.path()) {
            Ok(()) => "fine".into(),
            Err(SpeechError::Model { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        };
        let of_bytes = check_bytes(bytes).err().unwrap_or_else(|| "fine".into());
        assert_eq!(of_bytes, verdict);
        verdict
    }

    #[test]
    fn a_file_is_known_from_outside() {
        // ir_version 8, then a graph of three bytes.
        let whole = [0x08, 8, 0x3a, 3, 1, 2, 3];
        assert_eq!(verdict(&whole), "fine");
        assert_eq!(
            verdict(&whole[..6]),
            "it is truncated: at least 1 bytes are missing"
        );
        assert_eq!(
            verdict(&whole[..2]),
            "it holds no graph: it is not an ONNX model, or it is truncated"
        );
        assert_eq!(verdict(b""), "the file is empty");
        assert_eq!(
            verdict(b"RIFF\x10\0\0\0WAVEfmt "),
            "it is not an ONNX model"
        );
        assert_eq!(
            verdict(b"<!DOCTYPE html><html>not found</html>"),
            "it is not an ONNX model"
        );
    }
}
