//! Frames: how messages are cut out of a stream of bytes. A frame is the length of its payload in
//! four bytes, little-endian, then its kind in one byte, then the payload. Each kind has a bound, and
//! nothing longer is read or written. Whatever the bytes are, reading them ends with a frame or an
//! error, and takes no more memory than the bytes that came.

use std::io::{self, ErrorKind, Read};

/// What is in a frame. The numbers and the form of [`Kind::Hello`] stay what they are in every version
/// of the protocol, so that two versions can tell each other who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Who is speaking, as JSON. The first frame each way.
    Hello = 1,
    /// What is asked for, as JSON.
    Request = 2,
    /// What came of it, as JSON.
    Reply = 3,
    /// What came of it when that is sound, as plain numbers.
    Samples = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Hello, Self::Request, Self::Reply, Self::Samples]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }

    /// The longest payload, in bytes.
    pub(super) fn bound(self) -> usize {
        match self {
            Self::Hello => 1 << 10,
            // The longest text, all of its phonemes and as many ahead, with room to spare.
            Self::Request | Self::Reply => 16 << 20,
            // Fifty minutes of most voices.
            Self::Samples => 256 << 20,
        }
    }
}

/// One message, still as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub kind: Kind,
    pub payload: Vec<u8>,
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the pipe failed: {0}")]
    Pipe(#[from] io::Error),
    #[error("it ended in the middle of a message")]
    Truncated,
    #[error("a message is of the unknown kind {0}")]
    UnknownKind(u8),
    #[error("a message has {length} bytes, of at most {bound}")]
    TooLong { length: usize, bound: usize },
}

const HEADER: usize = 5;

impl Frame {
    /// Reads the next frame; `None` if the stream ends before it.
    pub(super) fn read(from: &mut impl Read) -> Result<Option<Self>, FrameError> {
        let mut header = [0; HEADER];
        match fill(from, &mut header)? {
            0 => return Ok(None),
            HEADER => {}
            _ => return Err(FrameError::Truncated),
        }
        let [length @ .., kind] = header;
        let kind = Kind::of(kind).ok_or(FrameError::UnknownKind(kind))?;
        let length = u32::from_le_bytes(length);
        check(kind, length as usize)?;
        let mut payload = Vec::new();
        // It grows as bytes come: a length alone takes no memory.
        let came = from.take(length.into()).read_to_end(&mut payload)?;
        if came < length as usize {
            return Err(FrameError::Truncated);
        }
        Ok(Some(Self { kind, payload }))
    }

    /// A frame that says so, as bytes for the stream.
    pub(super) fn bytes(kind: Kind, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
        check(kind, payload.len())?;
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(length.to_le_bytes());
        bytes.push(kind as u8);
        bytes.extend(payload);
        Ok(bytes)
    }
}

fn check(kind: Kind, length: usize) -> Result<(), FrameError> {
    let bound = kind.bound();
    if length > bound {
        return Err(FrameError::TooLong { length, bound });
    }
    Ok(())
}

/// Reads until the buffer is full or the stream ends, and tells how many bytes came.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut full = 0;
    while full < buffer.len() {
        match from.read(&mut buffer[full..]) {
            Ok(0) => break,
            Ok(count) => full += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
        Frame::read(&mut bytes)
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let bytes = Frame::bytes(Kind::Reply, b"{}").unwrap();
        assert_eq!(bytes, b"\x02\0\0\0\x03{}");
        let frame = read(&bytes).unwrap().unwrap();
        assert_eq!((frame.kind, &*frame.payload), (Kind::Reply, &b"{}"[..]));
        assert!(read(b"").unwrap().is_none());
    }

    #[test]
    fn a_frame_that_is_cut_off_is_an_error() {
        let bytes = Frame::bytes(Kind::Hello, b"hello").unwrap();
        for end in 1..bytes.len() {
            let read = read(&bytes[..end]);
            assert!(matches!(read, Err(FrameError::Truncated)), "{end}");
        }
    }

    #[test]
    fn what_is_over_the_bound_is_not_read() {
        let length = u32::try_from(Kind::Hello.bound()).unwrap() + 1;
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.push(Kind::Hello as u8);
        bytes.resize(HEADER + length as usize, b' ');
        assert!(matches!(read(&bytes), Err(FrameError::TooLong { .. })));
        let written = Frame::bytes(Kind::Hello, &bytes[HEADER..]);
        assert!(matches!(written, Err(FrameError::TooLong { .. })));
        let unknown = read(b"\x00\0\0\0\x09");
        assert!(matches!(unknown, Err(FrameError::UnknownKind(9))));
    }
}
