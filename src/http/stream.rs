//! Bodies of answers that come piece by piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use smol::stream::Stream;

/// Pieces as the body of an answer. An error ends the connection: whoever reads notices that it is not
/// whole.
pub(super) struct Streamed {
    pieces: Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>,
    /// How many bytes are left, where that is known.
    left: Option<u64>,
}

impl Streamed {
    /// As many pieces as there will be.
    pub(super) fn endless(pieces: impl Stream<Item = io::Result<Bytes>> + 'static) -> Self {
        Self {
            pieces: Box::pin(pieces),
            left: None,
        }
    }

    /// Pieces of so many bytes in all.
    pub(super) fn sized(
        pieces: impl Stream<Item = io::Result<Bytes>> + 'static,
        bytes: u64,
    ) -> Self {
        Self {
            left: Some(bytes),
            ..Self::endless(pieces)
        }
    }
}

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streamed")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.as_mut().poll_next(context).map(|piece| {
            let piece = piece?;
            if let (Ok(piece), Some(left)) = (&piece, &mut self.left) {
                *left = left.saturating_sub(piece.len() as u64);
            }
            Some(piece.map(Frame::data))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
