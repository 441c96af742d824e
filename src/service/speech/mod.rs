//! Speech for someone who listens now: a text goes in, sound comes out while it is being spoken. It goes
//! before everything that waits, and a book in work makes room for it.

mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{Refusal, RefusalKind};
use crate::audio::encode::Format;
use crate::model::ErrorObject;

pub use stream::SpeechStream;
pub(super) use stream::{Source, begin};

/// A text to be spoken now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpeechOrder {
    /// What is spoken.
    pub text: String,
    /// A voice's name, or one of the names that stand for one; `None` for that of the settings.
    pub voice: Option<String>,
    /// 1.0 is the voice's own pace; `None` for that of the settings.
    pub speed: Option<f32>,
    /// What the sound is to become.
    pub format: Format,
}

/// The names of OpenAI's voices, which programs ask for that know no others. Each stands for the voice of
/// the settings, unless the settings say which.
pub(super) const FOREIGN_VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage",
    "shimmer", "verse",
];

/// How many listen now, and how many may.
pub(super) struct Listeners {
    now: Arc<AtomicUsize>,
    most: usize,
}

/// A listener's place, as long as it lives.
pub(super) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// About how long it takes until one of many listeners has heard all.
const RETRY: Duration = Duration::from_secs(2);

impl Listeners {
    pub(super) fn new(most: usize) -> Self {
        Self {
            now: Arc::default(),
            most,
        }
    }

    /// A place for one more.
    pub(super) fn enter(&self) -> Result<Seat, Refusal> {
        let seat = Seat(Arc::clone(&self.now));
        // Counted first: of two who come at once for the last place, one at most gets it.
        let before = self.now.fetch_add(1, Ordering::AcqRel);
        if before < self.most {
            return Ok(seat);
        }
        let message =
            format!("{before} requests for speech are being answered, and no more are taken");
        let error = ErrorObject::new("FULL", message)
            .with_details(json!({ "retry_in_seconds": RETRY.as_secs() }))
            .with_remediation("Come back in a moment, or raise speech.requests in the settings");
        Err(Refusal {
            kind: RefusalKind::Full,
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_listen_than_may() {
        let listeners = Listeners::new(2);
        let first = listeners.enter().unwrap();
        let _second = listeners.enter().unwrap();
        let refusal = listeners.enter().map(drop).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Full);
        assert!(
            listeners.enter().is_err(),
            "who was refused left nothing behind"
        );
        drop(first);
        assert!(listeners.enter().is_ok());
    }
}
