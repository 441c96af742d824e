//! How an engine is opened.

use std::path::PathBuf;
use std::time::Duration;

use super::hooks::Hooks;
use super::work::NarratorFactory;

/// How an engine is opened.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, Options};
///
/// let folder = tempfile::tempdir()?;
/// let mut options = Options::new(folder.path());
/// options.workers = 2;
/// options.task_timeout = Some(Duration::from_secs(600));
/// let engine = Engine::open(options)?;
/// assert_eq!(engine.stats().workers, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Options {
    /// The library: database and lock live here.
    pub folder: PathBuf,
    /// Worker threads; one by default, for a voice uses all cores.
    pub workers: usize,
    /// Finished tasks older than this leave the registry.
    pub cleanup_threshold: Duration,
    /// A task over this time fails with `TIMEOUT`, unless it has a limit of its own.
    pub task_timeout: Option<Duration>,
    /// A segment over this time is given up with `TIMEOUT`; its task goes on.
    pub segment_timeout: Option<Duration>,
    /// How work that failed for a reason that may pass is tried again.
    pub retries: Retries,
    /// What runs narrations; without it the engine takes closures only, and stored narrations wait.
    pub narrator: Option<NarratorFactory>,
    /// What to call when the engine starts and stops.
    pub hooks: Hooks,
}

impl Options {
    /// The defaults for a library in this folder.
    ///
    /// ```
    /// # use aloud::engine::Options;
    /// let options = Options::new("library");
    /// assert_eq!(options.workers, 1);
    /// assert_eq!(options.retries.most, 2);
    /// assert!(options.task_timeout.is_none() && options.narrator.is_none());
    /// ```
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            workers: 1,
            cleanup_threshold: Duration::from_secs(3600),
            task_timeout: None,
            segment_timeout: None,
            retries: Retries::default(),
            narrator: None,
            hooks: Hooks::default(),
        }
    }
}

/// How often, and after how long, work is tried again that failed with
/// [`WorkError::Transient`](super::WorkError::Transient).
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
    pub(super) fn delay(&self, attempt: u32) -> Duration {
        let doubled = 1u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let delay = self.first.saturating_mul(doubled).min(self.longest);
        // Many that failed together must not come back together.
        delay.mul_f64(0.75 + 0.5 * fastrand::f64())
    }
}
