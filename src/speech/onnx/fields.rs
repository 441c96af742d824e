//! The protobuf fields of an ONNX model, read and written where they stand: nothing of it is copied
//! that is not asked for. What can't be read ends the reading, and never panics. The format:
//! <https://protobuf.dev/programming-guides/encoding/>.

use std::ops::Range;

/// The wire type "length, then content".
const LENGTH: u64 = 2;

/// The tag of a field that has a length: its number and wire type.
pub(super) const fn tag(field: u64) -> u64 {
    field << 3 | LENGTH
}

// The fields of `onnx.proto3` that more than one reader looks for.
pub(super) const MODEL_GRAPH: u64 = tag(7);
pub(super) const GRAPH_INPUT: u64 = tag(11);
pub(super) const VALUE_TYPE: u64 = tag(2);
pub(super) const TYPE_TENSOR: u64 = tag(1);

/// A tag that no message of a model knows: a reader passes over the field.
const UNUSED_FIELD_TAG: u8 = 6 << 3 | 2;

/// Hides a field with a length whose tag is one byte, by that byte.
pub(super) fn hide(bytes: &mut [u8], at: usize) {
    bytes[at] = UNUSED_FIELD_TAG;
}

/// One field.
pub(super) struct Field {
    /// Number and wire type.
    pub tag: u64,
    /// Where its tag stands.
    pub at: usize,
    /// The number that it holds; 0 for one with a length.
    pub number: u64,
    /// Where its content stands, if it has a length; otherwise where its number does.
    pub content: Range<usize>,
}

impl Field {
    /// All of it, with its tag.
    pub(super) fn whole(&self) -> Range<usize> {
        self.at..self.content.end
    }
}

/// The fields in `range`, up to the first that can't be read.
pub(super) fn fields(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = Field> {
    let (mut next, end) = (range.start, range.end);
    std::iter::from_fn(move || {
        if next >= end {
            return None;
        }
        let at = next;
        let (tag, after) = varint(bytes, at, end)?;
        // Nobody writes a tag in more bytes than it needs, and `hide` changes the first only.
        if after - at != varint_length(tag) {
            return None;
        }
        let (number, content) = match tag & 7 {
            0 => {
                let (number, past) = varint(bytes, after, end)?;
                (number, after..past)
            }
            1 => (0, after..after.checked_add(8)?),
            LENGTH => {
                let (length, start) = varint(bytes, after, end)?;
                (0, start..start.checked_add(usize::try_from(length).ok()?)?)
            }
            5 => (0, after..after.checked_add(4)?),
            _ => return None,
        };
        if content.end > end {
            return None;
        }
        next = content.end;
        Some(Field {
            tag,
            at,
            number,
            content,
        })
    })
}

/// The number that begins at `at`, and where it ends.
pub(super) fn varint(bytes: &[u8], at: usize, end: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.get(at..end)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, at + index + 1));
        }
    }
    None
}

/// How many bytes a number takes.
const fn varint_length(value: u64) -> usize {
    let bits = u64::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Writes a field with a length.
pub(super) fn put(out: &mut Vec<u8>, tag: u64, content: &[u8]) {
    put_varint(out, tag);
    put_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
