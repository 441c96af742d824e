//! Answers: JSON of what was asked for, or what is wrong in one form.

use std::fmt;

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::stream::Streamed;
use crate::model::{ErrorCode, ErrorObject};
use crate::service::{Refusal, RefusalKind};

/// What goes back: all of it at once, or piece by piece.
pub(super) type Body = Either<Full<Bytes>, Streamed>;
/// An answer.
pub(super) type Answer = Response<Body>;

/// How long to wait before asking again where nobody knows better.
const RETRY_SECONDS: u64 = 5;

/// Why a request is not answered as it wished.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) error: Box<ErrorObject>,
    /// One more line of the answer's head.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, error: ErrorObject) -> Self {
        Self {
            status,
            error: Box::new(error),
            header: None,
        }
    }

    /// The request can't be understood.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            ErrorObject::new("MALFORMED", message),
        )
    }

    /// There is nothing at this address.
    pub(super) fn no_route(path: &str) -> Self {
        let message = format!("there is nothing at {path}");
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorObject::new("NOT_FOUND", message),
        )
    }

    /// What is there knows only these methods.
    pub(super) fn wrong_method(allowed: &'static str) -> Self {
        let message = format!("this address answers to {allowed}");
        let error = ErrorObject::new("METHOD_NOT_ALLOWED", message);
        Self::new(StatusCode::METHOD_NOT_ALLOWED, error)
            .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// The same with one more line in the head of its answer.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// A path was named by someone who may name none.
    pub(super) fn no_paths(message: impl Into<String>) -> Self {
        let error = ErrorObject::new("PATH_NOT_ALLOWED", message);
        Self::new(StatusCode::FORBIDDEN, error)
    }

    /// The body is of another type than these.
    pub(super) fn wrong_type(wanted: &str) -> Self {
        let message = format!("the content type must be {wanted}");
        let error = ErrorObject::new("UNSUPPORTED_MEDIA_TYPE", message);
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
    }

    /// The body is longer than it may be.
    pub(super) fn too_large(most: usize) -> Self {
        let message = format!("the request is longer than {most} bytes");
        let error =
            ErrorObject::new("TOO_LARGE", message).with_details(json!({ "max_bytes": most }));
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    /// It took too long to arrive.
    pub(super) fn too_slow() -> Self {
        let error = ErrorObject::new(ErrorCode::Timeout, "the request did not arrive in time");
        Self::new(StatusCode::REQUEST_TIMEOUT, error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Full => StatusCode::TOO_MANY_REQUESTS,
            RefusalKind::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let is_for_now = matches!(refusal.kind, RefusalKind::Full | RefusalKind::ShuttingDown);
        let seconds = refusal.error.details["retry_in_seconds"].as_u64();
        let seconds = seconds.unwrap_or(RETRY_SECONDS).max(1);
        Self {
            header: is_for_now.then(|| Box::new((header::RETRY_AFTER, seconds.into()))),
            ..Self::new(status, refusal.error)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.error)
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Self {
        let body = json!({ "error": fault.error });
        fault.head_for(json(fault.status, &body))
    }
}

impl Fault {
    /// The answer with what this fault adds to its head.
    pub(super) fn head_for(&self, mut answer: Answer) -> Answer {
        if let Some((name, value)) = self.header.as_deref() {
            answer.headers_mut().insert(name, value.clone());
        }
        answer
    }
}

/// This value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    match encode(value) {
        Ok(body) => encoded(status, body),
        // Ours can all be written; should one not, nobody may take nothing for an answer.
        Err(fault) => encoded(fault.status, Bytes::new()),
    }
}

/// The bytes of a value, for an answer that is written on another thread.
pub(super) fn encode(value: &impl Serialize) -> Result<Bytes, Fault> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Fault::from(Refusal::failed(format!(
            "the answer can't be written: {error}"
        )))
    });
    bytes.map(Bytes::from)
}

/// Nothing but a status.
pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// JSON that is written already.
pub(super) fn encoded(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let plain = |text| HeaderValue::from_static(text);
    headers.insert(header::CONTENT_TYPE, plain("application/json"));
    headers.insert(header::CACHE_CONTROL, plain("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, plain("nosniff"));
    answer
}

/// What was asked for.
pub(super) fn ok(value: &impl Serialize) -> Result<Answer, Fault> {
    Ok(json(StatusCode::OK, value))
}
