//! What a worker runs, and what it may do while it runs. Work sees the engine through its
//! [`TaskContext`] only.

use std::sync::Arc;

use serde_json::Value;

use super::context::TaskContext;
use super::error::WorkError;
use super::plan::Narration;

/// What a closure gives back.
///
/// ```
/// use aloud::engine::{WorkError, WorkResult};
///
/// fn double(text: &str) -> WorkResult {
///     let number: i64 = text.parse()?;
///     Ok((2 * number).into())
/// }
/// assert_eq!(double("21"), Ok(42.into()));
/// assert!(matches!(double("many"), Err(WorkError::Failed(_))));
/// ```
pub type WorkResult = Result<Value, WorkError>;

pub(crate) type Closure = Box<dyn FnOnce(&TaskContext) -> WorkResult + Send>;

pub(crate) type Repeatable = Arc<dyn Fn(&TaskContext) -> WorkResult + Send + Sync>;

/// What a task is to do.
///
/// ```
/// use aloud::engine::Work;
///
/// let work = Work::closure("answer", |_| Ok(42.into()));
/// let title = match &work {
///     Work::Narration(narration) => &narration.title,
///     Work::Closure { title, .. } | Work::Repeatable { title, .. } => title,
/// };
/// assert_eq!(&**title, "answer");
/// ```
pub enum Work {
    /// A text to be narrated; it survives restarts.
    Narration(Narration),
    /// A closure of the embedding program; it lives as long as the process.
    Closure {
        /// What a person calls it.
        title: Arc<str>,
        /// What is run, once.
        run: Box<dyn FnOnce(&TaskContext) -> WorkResult + Send>,
    },
    /// A closure that may be run again after [`WorkError::Transient`].
    Repeatable {
        /// What a person calls it.
        title: Arc<str>,
        /// What is run.
        run: Arc<dyn Fn(&TaskContext) -> WorkResult + Send + Sync>,
    },
}

impl Work {
    /// A closure as work.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let numbers = vec![1, 2, 3];
    /// let sum = Work::closure("sum", move |_| Ok(numbers.iter().sum::<i32>().into()));
    /// let id = engine.submit_task(sum, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().result, Some(6.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn closure(
        title: impl Into<Arc<str>>,
        run: impl FnOnce(&TaskContext) -> WorkResult + Send + 'static,
    ) -> Self {
        Self::Closure {
            title: title.into(),
            run: Box::new(run),
        }
    }
}

impl Work {
    /// A closure that is run again when it fails with [`WorkError::Transient`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use aloud::engine::{Engine, ErrorObject, Event, Options, Work, WorkError};
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// options.retries.first = Duration::ZERO;
    /// # let engine = Engine::open(options)?;
    /// # let events = engine.subscribe();
    /// let work = Work::repeatable("fetch", |task| match task.status() {
    ///     Some(status) if status.attempt > 1 => Ok("fetched".into()),
    ///     _ => Err(WorkError::Transient(ErrorObject::new("BUSY", "come back later"))),
    /// });
    /// let id = engine.submit_task(work, None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().result, Some("fetched".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn repeatable(
        title: impl Into<Arc<str>>,
        run: impl Fn(&TaskContext) -> WorkResult + Send + Sync + 'static,
    ) -> Self {
        Self::Repeatable {
            title: title.into(),
            run: Arc::new(run),
        }
    }
}

impl From<Narration> for Work {
    fn from(narration: Narration) -> Self {
        Self::Narration(narration)
    }
}

/// Runs narrations. Each worker has one of its own, made on the worker's thread when the first
/// narration comes, and made anew after a panic.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// /// Speaks nothing, for as long as the text.
/// struct Silence;
///
/// impl Narrator for Silence {
///     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
///         let done = task.status().unwrap().completed_segments;
///         for (segment_id, segment) in narration.plan.iter() {
///             if done.get(segment_id).is_some() {
///                 continue; // an earlier run made it
///             }
///             let attempt = task.begin_segment(segment_id)?;
///             let clip = format!("{segment_id}.wav");
///             let samples = 1000 * segment.text.len() as u64;
///             std::fs::write(narration.folder.join(&clip), [])?; // a WAV file, in earnest
///             let (clip, bytes, rate, peak) = (clip.into(), 0, 22_050, 0.0);
///             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
///             task.complete_segment(attempt, clip, Duration::ZERO)?;
///         }
///         Ok("spoken".into())
///     }
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// options.narrator = Some(Arc::new(|| Box::new(Silence)));
/// let engine = Engine::open(options)?;
/// # let events = engine.subscribe();
/// # let segment = |start, text: &str| PlannedSegment {
/// #     start,
/// #     end: start + 4,
/// #     text: text.into(),
/// #     pause_ms: 0,
/// #     heading: false,
/// # };
/// # let narration = Narration {
/// #     title: "A story".into(),
/// #     source: "One. Two.".into(),
/// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
/// #     folder: folder.path().to_owned(),
/// #     voice: "silence".into(),
/// #     voice_version: "".into(),
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: "One. Two. in silence".into(),
/// # };
/// let id = engine.submit_task(narration, None)?;
/// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
/// assert_eq!(engine.task_status(&id).unwrap().completed_segments.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Narrator {
    /// Narrates what of `narration` is not yet done.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] when the context's interrupt stopped it; anything else fails the
    /// task.
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult;
}

/// Makes the narrator of a worker.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// # struct Silence;
/// # impl Narrator for Silence {
/// #     fn narrate(&mut self, narration: &Narration, _: &TaskContext) -> WorkResult {
/// #         Ok(narration.plan.len().into())
/// #     }
/// # }
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// let factory: NarratorFactory = Arc::new(|| Box::new(Silence));
/// options.narrator = Some(factory);
/// let engine = Engine::open(options)?;
/// # let segment = |start, text: &str| PlannedSegment {
/// #     start,
/// #     end: start + 4,
/// #     text: text.into(),
/// #     pause_ms: 0,
/// #     heading: false,
/// # };
/// # let narration = Narration {
/// #     title: "A story".into(),
/// #     source: "One. Two.".into(),
/// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
/// #     folder: folder.path().to_owned(),
/// #     voice: "silence".into(),
/// #     voice_version: "".into(),
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: "One. Two. in silence".into(),
/// # };
/// assert!(engine.submit_task(narration, None).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type NarratorFactory = Arc<dyn Fn() -> Box<dyn Narrator> + Send + Sync>;
