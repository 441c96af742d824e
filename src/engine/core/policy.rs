//! When a task may run, how often it is tried again, and when a whole kind of work waits because it
//! keeps failing.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{GroupId, Limits, Priority, SharedValue, TaskId, Trace};

/// How often, and after how long, work is tried again that failed with
/// [`WorkError::Transient`](crate::engine::WorkError::Transient).
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, ErrorObject, Event, Options, Retries, Work, WorkError};
///
/// # let folder = tempfile::tempdir()?;
/// let mut options = Options::new(folder.path());
/// options.retries = Retries { most: 4, first: Duration::ZERO, ..Retries::default() };
/// let engine = Engine::open(options)?;
/// let events = engine.subscribe();
/// let busy = |_: &_| Err(WorkError::Transient(ErrorObject::new("BUSY", "come back later")));
/// let id = engine.submit_task(Work::repeatable("knock", busy), None)?;
/// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// assert_eq!(engine.task_status(&id).unwrap().attempt, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often at most.
    pub most: u32,
    /// The wait before the first; each one after waits twice as long, give or take a quarter.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            most: 2,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
        }
    }
}

impl Retries {
    /// The wait after the failure of attempt number `attempt`, counted from 1.
    pub(super) fn delay(&self, attempt: u32, random: &mut fastrand::Rng) -> Duration {
        // Many that failed together must not come back together.
        doubled(self.first, attempt, self.longest).mul_f64(0.75 + 0.5 * random.f64())
    }
}

/// When the tasks of one operation and voice wait because the last ones all failed for one cause that
/// may pass: the circuit is open. After the pause one of them is tried; when it does well the others
/// follow, otherwise all wait for twice as long.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Breaker, Options};
///
/// let mut options = Options::new("library");
/// options.breaker = Breaker { failures: 3, first: Duration::from_secs(5), ..Breaker::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// So many failures in a row with one code open it; 0 for never.
    pub failures: u32,
    /// The first pause; each one after is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            first: Duration::from_secs(30),
            longest: Duration::from_secs(600),
        }
    }
}

impl Breaker {
    pub(super) fn pause(&self, opened: u32) -> Duration {
        doubled(self.first, opened, self.longest)
    }
}

/// `first`, doubled for each time after the first one, at most `longest`.
pub(super) fn doubled(first: Duration, time: u32, longest: Duration) -> Duration {
    let factor = 1u32.checked_shl(time.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

/// When a task may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Schedule {
    /// How urgent it is.
    pub priority: Priority,
    /// Not before that much time has passed.
    pub delay: Option<Duration>,
    /// Not before these have ended as they should.
    pub after: Vec<TaskId>,
    /// Held back until it is resumed.
    pub paused: bool,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// Its place in the queue, if someone moved it in an earlier run.
    pub rank: Option<i64>,
    /// What it may use of the machine.
    pub limits: Limits,
    /// The trace that the request for it belongs to.
    pub trace: Option<Arc<Trace>>,
    /// What its submitter wants to find again, of work that has no place for it.
    pub context: Option<SharedValue>,
}
