//! How an engine shuts down, and what it reports of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What to wait for when shutting down.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{ShutdownWait, TaskState, Work, testing::Library};
///
/// let engine = Library::new();
/// let work = Work::closure("sum", |_| Ok((1..=1000).sum::<u32>().into()));
/// let id = engine.submit(work)?;
/// engine.shutdown(ShutdownWait::Drain(Duration::from_secs(60)));
/// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShutdownWait {
    /// For everything that is queued and may run, at most this long.
    Drain(Duration),
    /// For running tasks to end, at most this long.
    Tasks(Duration),
    /// For the current segments, at most this long; their narrations continue at the next start.
    Segments(Duration),
    /// For nothing.
    Now,
}

/// What a shutdown did.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{Event, ShutdownWait, TaskState};
///
/// let engine = Library::with_narrator(testing::long_silence);
/// let events = engine.subscribe();
/// let id = engine.submit(engine.narration("A story"))?;
/// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
/// let report = engine.shutdown(ShutdownWait::Segments(Duration::from_secs(60)));
/// assert_eq!((report.finished, report.interrupted, report.abandoned), (0, 1, 0));
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Running tasks that ended while it waited.
    pub finished: usize,
    /// Narrations and operations that were requeued and continue at the next start.
    pub interrupted: usize,
    /// Tasks whose work did not come back in time; their threads were left behind.
    pub abandoned: usize,
    /// Closures that waited for their turn and will not run.
    pub cancelled: usize,
    /// Changes that the disk refused to the last: what they were about continues at the next start as
    /// if it had not happened. The log names them.
    #[serde(default)]
    pub not_stored: usize,
    /// How long each step took.
    pub steps: ShutdownSteps,
    /// How long it took in all, in seconds.
    pub seconds: f64,
}

/// How long each step of a shutdown took, in seconds.
///
/// ```
/// use aloud::engine::{ShutdownWait, testing::Library};
///
/// let report = Library::new().shutdown(ShutdownWait::Now);
/// let steps = report.steps;
/// assert!(steps.refuse + steps.wait + steps.interrupt + steps.join <= report.seconds);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShutdownSteps {
    /// Telling the embedding program and refusing new work.
    pub refuse: f64,
    /// Waiting for what ran.
    pub wait: f64,
    /// Interrupting the rest.
    pub interrupt: f64,
    /// Joining every thread, the database's included.
    pub join: f64,
}
