//! Whether the engine's own threads still run, for whoever restarts a program that hangs. It asks and
//! waits; it changes nothing.

use std::time::Duration;

use super::Engine;

/// A thread of the engine that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPulse {
    /// The one that watches the time: no time-out, delay or retry comes any more.
    #[error("the thread that watches the time does not answer")]
    Clock,
    /// The one that owns the database: nothing is accepted or ends any more.
    #[error("the thread that owns the database does not answer")]
    Store,
}

impl Engine {
    /// Asks the thread that watches the time and the one that owns the database, and waits for each
    /// at most `within`. Neither is slowed by what a disk refuses or a voice does: one that does not
    /// answer for a minute hangs, and only a restart of the program helps.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// engine.pulse(Duration::from_secs(5))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NoPulse`]: the first that did not answer. So it is with an engine that has shut down.
    pub fn pulse(&self, within: Duration) -> Result<(), NoPulse> {
        let runtime = self.runtime();
        if !runtime.clock.answers(within) {
            return Err(NoPulse::Clock);
        }
        if !runtime.store.answers(within) {
            return Err(NoPulse::Store);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::engine::ShutdownWait;
    use crate::engine::testing::Library;

    const MOMENT: Duration = Duration::from_millis(20);
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_clock_that_cannot_reach_the_core_has_no_pulse() {
        let engine = Library::new();
        let held = engine.runtime().lock();
        assert_eq!(engine.pulse(MOMENT), Err(NoPulse::Clock));
        drop(held);
        assert_eq!(engine.pulse(PATIENCE), Ok(()));
    }

    #[test]
    fn a_database_that_is_busy_has_no_pulse_however_many_wait_for_it() {
        let engine = Library::new();
        let store = &engine.runtime().store;
        let (go_on, waiting) = mpsc::channel::<()>();
        let busy = store.ask(move |_| {
            // Told or not: it ends with the test.
            let _ = waiting.recv();
            Ok(())
        });
        assert_eq!(engine.pulse(MOMENT), Err(NoPulse::Store));
        // More than find a place before it.
        for _ in 0..100 {
            assert!(!store.answers(Duration::ZERO));
        }
        assert_eq!(engine.pulse(MOMENT), Err(NoPulse::Store));
        drop(go_on);
        busy.wait().unwrap();
        assert_eq!(engine.pulse(PATIENCE), Ok(()));
    }

    #[test]
    fn an_engine_that_has_shut_down_has_no_pulse() {
        let engine = Library::new();
        engine.shutdown(ShutdownWait::Now);
        assert_eq!(engine.pulse(PATIENCE), Err(NoPulse::Clock));
    }
}
