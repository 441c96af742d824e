//! What stands in `<noscript>` and `<noframes>`, for browsers without scripts or frames. A listener has
//! neither, so it is read: in a page of frames it may be all the words there are, and in an article it may
//! be a picture's description. Two things nobody wants to hear: the request to turn scripts on, and a
//! picture that was told already, which a script would have put there. It must never leave out more.

use super::super::super::OmissionReason;
use super::super::writer::{Mark, Writer};

/// A request is shorter than this, in bytes.
const MOST: usize = 400;

/// What was written since `mark` is there for other browsers; it is left out if it only says so.
pub(super) fn end_fallback(writer: &mut Writer<'_>, mark: Mark) {
    if (writer.all_since(mark, MOST)).is_some_and(|words| is_request(&words)) {
        writer.take_back(mark, OmissionReason::Html);
    }
}

/// "Please enable JavaScript to view this page.", "Your browser does not support frames."
fn is_request(words: &str) -> bool {
    let lower = words.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    has(&["javascript", "java script"])
        || (has(&["script", "frames", "cookies"])
            && has(&["browser", "enable", "support", "turn on"]))
}

/// The pictures of a page whose descriptions were told.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    last: Option<(String, bool)>,
}

impl Pictures {
    /// Whether the next picture repeats the one before: one of them is a fallback for the other.
    pub(super) fn repeats(&mut self, description: String, is_fallback: bool) -> bool {
        let next = (description, is_fallback);
        let repeats =
            (self.last.as_ref()).is_some_and(|last| last.0 == next.0 && (last.1 || is_fallback));
        self.last = Some(next);
        repeats
    }
}
