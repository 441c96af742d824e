//! The body of a request: bounded in length and in time.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use smol::future::FutureExt;

use super::answer::Fault;

/// The most bytes of JSON.
pub(super) const JSON_BYTES: usize = 64 * 1024;
/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of it, unless it is longer than this.
pub(super) async fn bytes(body: Incoming, most: usize) -> Result<Vec<u8>, Fault> {
    within(body, most, PATIENCE).await
}

/// The same, of pieces that come within so long.
async fn within<B>(mut body: B, most: usize, patience: Duration) -> Result<Vec<u8>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Fault::too_large(most));
    }
    let mut bytes = Vec::new();
    loop {
        let late = async {
            smol::Timer::after(patience).await;
            Err(Fault::too_slow())
        };
        let Some(frame) = async { Ok(body.frame().await) }.or(late).await? else {
            return Ok(bytes);
        };
        let frame = frame.map_err(|error| {
            Fault::malformed(format!("the request ended before its body did: {error}"))
        })?;
        // Trailers mean nothing here.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > most {
            return Err(Fault::too_large(most));
        }
        bytes.extend_from_slice(&data);
    }
}

/// JSON, which must say that it is. An empty body without a type is `None`.
pub(super) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Option<T>, Fault> {
    let is_json = media_type(headers) == "application/json";
    // A browser sends other types without asking; no such request may be taken for an order.
    let is_nothing = body.is_end_stream() && media_type(headers).is_empty();
    if !is_json && !is_nothing {
        return Err(Fault::wrong_type("application/json"));
    }
    parse(&bytes(body, JSON_BYTES).await?)
}

/// What JSON says. Nothing is `None`.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<T>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let value = serde_json::from_slice(bytes);
    value.map(Some).map_err(|error| {
        Fault::malformed(format!("the body is not the JSON it should be: {error}"))
    })
}

/// The type of the body without its parameters; empty if none is named.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let named = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next());
    named.unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io;

    use http_body_util::StreamBody;
    use hyper::StatusCode;
    use hyper::body::Frame;
    use smol::stream::{self, StreamExt};

    use super::*;

    #[test]
    fn a_body_that_stalls_or_breaks_off_is_given_up() {
        let piece = || Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"piece")));
        let read = |body: Vec<io::Result<Frame<Bytes>>>, patience| {
            let body = StreamBody::new(stream::iter(body).chain(stream::pending()));
            smol::block_on(within(body, 100, patience))
                .unwrap_err()
                .status
        };
        let moment = Duration::from_millis(10);
        assert_eq!(
            read(vec![piece(), piece()], moment),
            StatusCode::REQUEST_TIMEOUT
        );
        assert_eq!(read(vec![], Duration::ZERO), StatusCode::REQUEST_TIMEOUT);
        let broken = vec![piece(), Err(io::ErrorKind::ConnectionReset.into())];
        assert_eq!(read(broken, PATIENCE), StatusCode::BAD_REQUEST);
        let long = (0..100).map(|_| piece()).collect();
        assert_eq!(read(long, PATIENCE), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
