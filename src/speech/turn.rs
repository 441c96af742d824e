//! What the lanes of all families have in common: the request in work, which can be stopped, and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::SpeechError;

/// The request in work, and whether it was stopped. A request that has ended has no number any more:
/// whoever comes late to stop it stops nothing, least of all the request after it.
#[derive(Default)]
pub(super) struct Turn {
    /// How often something was asked for.
    asked: u64,
    /// The number of the request in work.
    current: Option<u64>,
    /// Nothing new is begun until what runs has ended.
    pub(super) stopped: bool,
}

impl Turn {
    /// Begins a request and returns its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.asked += 1;
        self.current = Some(self.asked);
        self.asked
    }

    /// Stops the request with this number, if it is in work; whatever there is if `None`. Returns
    /// whether there is something to stop.
    pub(super) fn stop(&mut self, asked: Option<u64>) -> bool {
        let is_meant = asked.is_none() || asked == self.current;
        self.stopped |= is_meant;
        is_meant
    }

    /// Ends the request in work. Returns whether it was stopped; [`Self::resume`] lets others begin
    /// then.
    pub(super) fn end(&mut self) -> bool {
        self.current = None;
        self.stopped
    }

    pub(super) fn resume(&mut self) {
        self.stopped = false;
    }
}

/// A panic in a lane would leave its owner waiting: it is an error like others.
pub(super) fn caught<T>(run: impl FnOnce() -> Result<T, SpeechError>) -> Result<T, SpeechError> {
    let panicked = |_| Err(SpeechError::Run("it panicked; the log says where".into()));
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_that_comes_late_stops_no_other_request() {
        let mut turn = Turn::default();
        let first = turn.begin();
        assert!(!turn.end());
        assert!(!turn.stop(Some(first)), "it has ended");
        let second = turn.begin();
        assert!(!turn.stop(Some(first)), "another is in work");
        assert!(!turn.end(), "nobody has stopped it");

        let third = turn.begin();
        assert!(turn.stop(Some(third)));
        assert!(turn.end());
        assert!(!turn.stop(Some(third)), "what runs of it has still to end");
        turn.resume();
        turn.begin();
        assert!(!turn.end());
        assert!(!turn.stop(Some(second)));

        // Nothing is asked for, but something may be on its way.
        assert!(turn.stop(None));
        assert!(turn.end());
    }
}
