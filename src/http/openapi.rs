//! The interface as OpenAPI 3.1 has it, for people's tools. It is kept by hand: a test holds it against
//! the routes, and `tests/peers/openapi.py` against what a server answers.

use hyper::StatusCode;
use hyper::body::Bytes;

use super::answer::{Answer, encoded};

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn document() -> Answer {
    encoded(StatusCode::OK, Bytes::from_static(DOCUMENT.as_bytes()))
}
