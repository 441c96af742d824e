//! What a worker runs, and what it may do while it runs. Work sees the engine through its
//! [`TaskContext`] only.

use std::sync::Arc;

use serde_json::Value;

use super::context::TaskContext;
use super::error::WorkError;
use super::speech::SpeechRequest;
use crate::model::{ErrorCode, ErrorObject, Narration};

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
///     Work::Operation { name, .. } => name,
///     Work::Closure { title, .. } | Work::Repeatable { title, .. } => title,
///     Work::Speech(speech) => &speech.title,
/// };
/// assert_eq!(&**title, "answer");
/// ```
pub enum Work {
    /// A text to be narrated; it survives restarts.
    Narration(Narration),
    /// An operation that was registered by name, with what it is to do; it survives restarts.
    Operation {
        /// Under which name it was registered, in [`Options::operations`](super::Options).
        name: Arc<str>,
        /// What it is to do. A text `title` in it is what a person calls the task.
        parameters: Value,
        /// What the embedding program wants to find again.
        context: Value,
    },
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
    /// Speech for someone who listens now; it lives as long as the process.
    Speech(SpeechRequest),
}

impl Work {
    /// A closure as work.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let numbers = vec![1, 2, 3];
    /// let sum = Work::closure("sum", move |_| Ok(numbers.iter().sum::<i32>().into()));
    /// let id = engine.submit(sum)?;
    /// assert_eq!(engine.wait(&id)?.result, Some(6.into()));
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
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{ErrorObject, Work, WorkError, testing::Library};
    ///
    /// let engine = Library::with(|options| options.retries.first = Duration::ZERO);
    /// let work = Work::repeatable("fetch", |task| match task.status() {
    ///     Some(status) if status.attempt > 1 => Ok("fetched".into()),
    ///     _ => Err(WorkError::Transient(ErrorObject::new("BUSY", "come back later"))),
    /// });
    /// let id = engine.submit(work)?;
    /// assert_eq!(engine.wait(&id)?.result, Some("fetched".into()));
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
/// narration comes, and made again after a panic.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{Narration, Narrator, TaskContext, WorkResult};
///
/// struct Silence;
///
/// impl Narrator for Silence {
///     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
///         let done = task.status().unwrap().completed_segments;
///         for (segment_id, _segment) in narration.plan.iter() {
///             if done.get(segment_id).is_some() {
///                 continue; // an earlier run made it
///             }
///             let attempt = task.begin_segment(segment_id)?;
///             // Here the text of the segment is spoken, into a WAV file.
///             let clip = testing::clip(segment_id);
///             std::fs::write(narration.folder.join(&*clip.clip), [])?;
///             task.complete_segment(attempt, clip, Duration::ZERO)?;
///         }
///         Ok("spoken".into())
///     }
/// }
///
/// let engine = Library::with(|options| options.narrator = Some(Arc::new(|| Box::new(Silence))));
/// let id = engine.submit(engine.narration("A story"))?;
/// assert_eq!(engine.wait(&id)?.completed_segments.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Narrator {
    /// Narrates what of `narration` is not yet done.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] when the context's interrupt stopped it; anything else fails the
    /// task.
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult;

    /// Speaks to someone who listens: one segment after the other, as long as one is wanted. A narrator
    /// that does not say how can't.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] when the context's interrupt stopped it; anything else fails the
    /// task.
    fn speak(&mut self, speech: &SpeechRequest, context: &TaskContext) -> WorkResult {
        let _ = context;
        let title = &speech.title;
        let message = format!("there is no voice here that could speak \"{title}\" to a listener");
        let error = ErrorObject::new(ErrorCode::NoOperation, message);
        Err(WorkError::Failed(error.with_remediation(
            "Open the engine with a narrator that speaks to listeners",
        )))
    }
}

/// Makes the narrator of a worker.
///
/// ```
/// use std::sync::Arc;
///
/// use aloud::engine::testing::Library;
/// use aloud::engine::{Narration, Narrator, NarratorFactory, TaskContext, WorkResult};
///
/// struct Counter;
///
/// impl Narrator for Counter {
///     fn narrate(&mut self, narration: &Narration, _: &TaskContext) -> WorkResult {
///         Ok(narration.plan.len().into())
///     }
/// }
///
/// let factory: NarratorFactory = Arc::new(|| Box::new(Counter));
/// let engine = Library::with(|options| options.narrator = Some(factory));
/// let id = engine.submit(engine.narration("A story"))?;
/// assert_eq!(engine.wait(&id)?.result, Some(2.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type NarratorFactory = Arc<dyn Fn() -> Box<dyn Narrator> + Send + Sync>;

/// Work that is registered by name and survives restarts. Each worker has one of its own, made on the
/// worker's thread when the first task of that name comes, and made again after a panic.
///
/// ```
/// use std::sync::Arc;
///
/// use aloud::engine::{Operation, TaskContext, WorkResult, testing::Library};
/// use serde_json::{Value, json};
///
/// struct Add;
///
/// impl Operation for Add {
///     fn run(&mut self, parameters: &Value, _: &Value, _: &TaskContext) -> WorkResult {
///         let numbers = parameters["numbers"].as_array().into_iter().flatten();
///         Ok(numbers.filter_map(Value::as_i64).sum::<i64>().into())
///     }
/// }
///
/// let engine = Library::with(|options| {
///     options.operations.insert("add".into(), Arc::new(|| Box::new(Add)));
/// });
/// let id = engine.create_task("add", json!({ "numbers": [1, 2, 3] }), json!({}), None)?;
/// assert_eq!(engine.wait(&id)?.result, Some(6.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Operation {
    /// Does what `parameters` say; `context` is what the submitter gave with it.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] when it was asked to stop; anything else fails the task.
    fn run(&mut self, parameters: &Value, context: &Value, task: &TaskContext) -> WorkResult;
}

/// Makes the operation of a worker.
pub type OperationFactory = Arc<dyn Fn() -> Box<dyn Operation> + Send + Sync>;
