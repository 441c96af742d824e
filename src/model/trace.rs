//! The trace that a request belongs to, as the W3C recommendation "Trace Context" has it
//! (<https://www.w3.org/TR/trace-context/>).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The bytes of a `traceparent` of version 00.
const LENGTH: usize = 55;
/// The most bytes of a `tracestate` that must be passed on.
const STATE_LENGTH: usize = 512;
/// The most members of a `tracestate`.
const STATE_MEMBERS: usize = 32;

/// The trace that a request belongs to: what came in its headers `traceparent` and `tracestate`. It is
/// passed on as it came, for this program records no spans of its own.
///
/// ```
/// use aloud::engine::Trace;
///
/// let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace = Trace::parse(sent, Some("vendor=a")).unwrap();
/// assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!((trace.traceparent(), trace.tracestate()), (sent, Some("vendor=a")));
/// assert_eq!(Trace::parse("00-0-0-01", None), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Headers", into = "Headers")]
pub struct Trace {
    parent: String,
    state: Option<String>,
}

impl Trace {
    /// What these headers say; `None` if `traceparent` is not valid, which is to be ignored then. A
    /// `tracestate` that is not valid is left out.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        Some(Self {
            parent: parent(traceparent)?,
            state: tracestate
                .filter(|state| is_state(state))
                .map(str::to_owned),
        })
    }

    /// The id of the trace: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.parent[3..35]
    }

    /// The header `traceparent` for requests that follow from this one.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// The header `tracestate` for them, if there is one.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Headers {
    traceparent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracestate: Option<String>,
}

impl From<Trace> for Headers {
    fn from(trace: Trace) -> Self {
        Self {
            traceparent: trace.parent,
            tracestate: trace.state,
        }
    }
}

impl TryFrom<Headers> for Trace {
    type Error = &'static str;

    fn try_from(headers: Headers) -> Result<Self, Self::Error> {
        let trace = Self::parse(&headers.traceparent, headers.tracestate.as_deref());
        trace.ok_or("it is no valid traceparent")
    }
}

/// A `traceparent` in the form of version 00. Of a later version, what that one knows.
fn parent(text: &str) -> Option<String> {
    let known = text.get(..LENGTH)?;
    let mut parts = known.split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none()
        && is_hex(version, 2)
        && is_hex(id, 32)
        && is_hex(span, 16)
        && is_hex(flags, 2);
    let says_something = id.contains(|digit| digit != '0') && span.contains(|digit| digit != '0');
    if !is_whole || !says_something {
        return None;
    }
    let rest = &text[LENGTH..];
    match version {
        "ff" => None,
        "00" => rest.is_empty().then(|| known.to_owned()),
        _ if rest.is_empty() || rest.starts_with('-') => {
            // Of its flags only one is known to mean the same: whether the trace is sampled.
            let flags = u8::from_str_radix(flags, 16).ok()? & 1;
            Some(format!("00-{id}-{span}-{flags:02x}"))
        }
        _ => None,
    }
}

/// Capital letters are not valid.
fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

/// Whether it can be passed on: short, and nothing but plain characters.
fn is_state(text: &str) -> bool {
    let is_plain = |byte| matches!(byte, b' '..=b'~');
    !text.trim().is_empty()
        && text.len() <= STATE_LENGTH
        && text.bytes().all(is_plain)
        && text.split(',').count() <= STATE_MEMBERS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_is_valid_is_known_and_nothing_else() {
        let valid = format!("00-{ID}-{SPAN}-01");
        assert_eq!(Trace::parse(&valid, None).unwrap().traceparent(), valid);
        let later = format!("cc-{ID}-{SPAN}-03");
        for later in [&later, &format!("{later}-what the future brings")] {
            let known = Trace::parse(later, None).unwrap();
            assert_eq!(known.traceparent(), valid, "the flags that are known");
        }
        let (no_id, no_span) = ("0".repeat(32), "0".repeat(16));
        for wrong in [
            String::new(),
            "-".repeat(LENGTH),
            "ä".repeat(LENGTH),
            format!("ff-{ID}-{SPAN}-01"),
            format!("00-{no_id}-{SPAN}-01"),
            format!("00-{ID}-{no_span}-01"),
            format!("00-{}-{SPAN}-01", ID.to_uppercase()),
            format!("00-{ID}-{SPAN}-1"),
            format!("00-{ID}-{SPAN}-01-more"),
            format!("cc-{ID}-{SPAN}-01more"),
            format!("0-{ID}-{SPAN}-001"),
            format!(" {valid}"),
        ] {
            assert_eq!(Trace::parse(&wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_that_is_not_valid_is_left_out() {
        let parent = format!("00-{ID}-{SPAN}-00");
        let state = |state: &str| {
            let trace = Trace::parse(&parent, Some(state)).unwrap();
            trace.tracestate().map(str::to_owned)
        };
        assert_eq!(state("a=1, b=2").as_deref(), Some("a=1, b=2"));
        let many = vec!["a=1"; STATE_MEMBERS + 1].join(",");
        for wrong in ["", " ", "a=\n", "a=ä", &"a".repeat(STATE_LENGTH + 1), &many] {
            assert_eq!(state(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        /// Foreign bytes are never taken for more than they are, and what is taken comes back.
        #[test]
        fn whatever_comes_it_is_ignored_or_kept(
            parent in "[0-9a-fA-F]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}|.{0,60}",
            state in "\\PC*",
        ) {
            if let Some(trace) = Trace::parse(&parent, Some(&state)) {
                prop_assert!(parent.contains(trace.id()));
                let again = serde_json::to_value(&trace).unwrap();
                prop_assert_eq!(serde_json::from_value::<Trace>(again).unwrap(), trace);
            }
        }
    }
}
