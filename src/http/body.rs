//! The body of a request: bounded in length and in time.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use smol::future::FutureExt;

use super::answer::Fault;

/// The most bytes of JSON.
pub(super) const JSON_BYTES: usize = 64 * 1024;
/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of it, unless it is longer than this.
pub(super) async fn bytes(mut body: Incoming, most: usize) -> Result<Vec<u8>, Fault> {
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Fault::too_large(most));
    }
    let mut bytes = Vec::new();
    loop {
        let late = async {
            smol::Timer::after(PATIENCE).await;
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
    let bytes = bytes(body, JSON_BYTES).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let value = serde_json::from_slice(&bytes);
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
