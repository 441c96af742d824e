//! How an engine is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Breaker, Retries};
use super::hooks::Hooks;
use super::work::{NarratorFactory, OperationFactory};
use crate::model::StateChange;

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
#[non_exhaustive]
pub struct Options {
    /// The library: database and lock live here.
    pub folder: PathBuf,
    /// Worker threads; one by default, for a voice uses all cores.
    pub workers: usize,
    /// The most worker threads: above [`Self::workers`] they come and go with the backlog.
    pub max_workers: usize,
    /// How many tasks may wait; a submission beyond that is refused with a time to try again.
    pub max_waiting: usize,
    /// When tasks of one kind wait because the last ones failed for one cause.
    pub breaker: Breaker,
    /// Finished tasks older than this leave the registry.
    pub cleanup_threshold: Duration,
    /// A task that takes longer fails with `TIMEOUT`, unless it has a limit of its own.
    pub task_timeout: Option<Duration>,
    /// A segment that takes longer is given up with `TIMEOUT`; its task continues.
    pub segment_timeout: Option<Duration>,
    /// How work that failed for a reason that may pass is tried again.
    pub retries: Retries,
    /// What runs narrations; without it the engine takes closures only, and stored narrations wait.
    pub narrator: Option<NarratorFactory>,
    /// Whether the narrator does its work in a process of its own, so that a narration can be held to
    /// [limits](super::Submission::limits) of its own.
    pub takes_limits: bool,
    /// What can be done by name; see [`Operation`](super::Operation).
    pub operations: BTreeMap<Arc<str>, OperationFactory>,
    /// Those of them that whoever reaches the program may ask for by name; see
    /// [`Self::public_operation`].
    pub public_operations: BTreeSet<Arc<str>>,
    /// Who is to be told, by name, of which changes of the state of tasks that outlive the process: each
    /// is noted on disk together with the change, until [whoever delivers it](super::Outbox) says that it
    /// was told.
    pub outbox: BTreeMap<Arc<str>, Vec<StateChange>>,
    /// Whether it begins with a [paused queue](super::Engine::pause_queue): nothing that an earlier
    /// process left begins before whoever opens it has decided what comes first.
    pub paused: bool,
    /// What to call when the engine starts and stops.
    pub hooks: Hooks,
}

impl Options {
    /// The defaults for a library in this folder.
    ///
    /// ```
    /// use aloud::engine::Options;
    ///
    /// let options = Options::new("library");
    /// assert_eq!(options.workers, 1);
    /// assert_eq!(options.retries.most, 2);
    /// assert!(options.task_timeout.is_none() && options.narrator.is_none());
    /// ```
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            workers: 1,
            max_workers: 1,
            max_waiting: 1_000_000,
            breaker: Breaker::default(),
            cleanup_threshold: Duration::from_secs(3600),
            task_timeout: None,
            segment_timeout: None,
            retries: Retries::default(),
            narrator: None,
            takes_limits: false,
            operations: BTreeMap::new(),
            public_operations: BTreeSet::new(),
            outbox: BTreeMap::new(),
            paused: false,
            hooks: Hooks::default(),
        }
    }

    /// Registers an operation that front ends may submit by name, for whoever reaches them: over HTTP, say.
    /// Its parameters come from there unseen, as any JSON; it has to refuse what it can't do. One that is
    /// only in [`Self::operations`] is for this program alone.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use aloud::engine::{Engine, ErrorObject, Operation, Options, TaskContext, WorkResult};
    /// use serde_json::Value;
    ///
    /// struct Count;
    ///
    /// impl Operation for Count {
    ///     fn run(&mut self, parameters: &Value, _: &Value, _: &TaskContext) -> WorkResult {
    ///         let text = parameters["text"].as_str();
    ///         let text = text.ok_or_else(|| ErrorObject::new("NO_TEXT", "there is no `text`"))?;
    ///         Ok(text.chars().count().into())
    ///     }
    /// }
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut options = Options::new(folder.path());
    /// options.public_operation("count", Arc::new(|| Box::new(Count)));
    /// let engine = Engine::open(options)?;
    /// assert_eq!(engine.public_operations(), ["count".into()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn public_operation(&mut self, name: impl Into<Arc<str>>, factory: OperationFactory) {
        let name = name.into();
        self.public_operations.insert(Arc::clone(&name));
        self.operations.insert(name, factory);
    }

    /// The options that differ from those of another opening, by name. What is run can't be compared.
    pub(super) fn different_from(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            ("workers", self.workers == other.workers),
            ("max_workers", self.max_workers == other.max_workers),
            ("max_waiting", self.max_waiting == other.max_waiting),
            ("breaker", self.breaker == other.breaker),
            ("retries", self.retries == other.retries),
            ("outbox", self.outbox == other.outbox),
            (
                "public_operations",
                self.public_operations == other.public_operations,
            ),
            ("task_timeout", self.task_timeout == other.task_timeout),
            (
                "segment_timeout",
                self.segment_timeout == other.segment_timeout,
            ),
            (
                "cleanup_threshold",
                self.cleanup_threshold == other.cleanup_threshold,
            ),
        ];
        let different = same.into_iter().filter(|(_, same)| !same);
        different.map(|(name, _)| name).collect()
    }
}
