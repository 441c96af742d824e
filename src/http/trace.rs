//! The trace that a request belongs to, by its headers.

use std::sync::Arc;

use hyper::header::HeaderMap;

use crate::model::Trace;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// `None` if there is none, or none that is valid: the request is answered all the same.
pub(super) fn of(headers: &HeaderMap) -> Option<Arc<Trace>> {
    let mut parents = headers.get_all(PARENT).iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        // Nobody knows which one counts.
        return None;
    }
    // Several lines of it are one list.
    let states = headers.get_all(STATE).iter();
    let states: Result<Vec<_>, _> = states.map(|state| state.to_str()).collect();
    let state = states.ok().map(|states| states.join(","));
    Trace::parse(parent.trim(), state.as_deref()).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn headers_are_taken_as_the_recommendation_says() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), None);
        headers.append(PARENT, HeaderValue::from_static(parent));
        assert_eq!(of(&headers).unwrap().tracestate(), None);
        headers.append(STATE, HeaderValue::from_static("a=1"));
        headers.append(STATE, HeaderValue::from_static("b=2"));
        assert_eq!(of(&headers).unwrap().tracestate(), Some("a=1,b=2"));
        headers.append(STATE, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(of(&headers).unwrap().tracestate(), None);
        headers.append(PARENT, HeaderValue::from_static(parent));
        assert_eq!(of(&headers), None, "two of them");
    }
}
