//! Work with everything that can be said of when and how it runs.

use std::sync::Arc;
use std::time::Duration;

use super::core::Schedule;
use super::work::Work;
use crate::model::{GroupId, Limits, Priority, SegmentId, SharedValue, TaskId, Trace};

/// Work with everything that can be said of when and how it runs.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Priority, Submission, Work, testing::Library};
///
/// let engine = Library::new();
/// let first = engine.submit(Work::closure("first", |_| Ok(1.into())))?;
/// let second = Submission::new(Work::closure("second", |_| Ok(2.into())))
///     .priority(Priority::High)
///     .after([first])
///     .timeout(Duration::from_secs(60));
/// let second = engine.submit(second)?;
/// assert_eq!(engine.wait(&second)?.result, Some(2.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a submission does nothing until it is submitted"]
pub struct Submission {
    pub(super) work: Work,
    pub(super) id: Option<TaskId>,
    pub(super) timeout: Option<Duration>,
    pub(super) schedule: Schedule,
    pub(super) urgent: bool,
    /// It takes the place of a task that has ended: there was room for that.
    pub(super) replaces: bool,
    /// Segments to be made again though there are clips of them.
    pub(super) again: Vec<SegmentId>,
}

impl Submission {
    /// Work that runs as soon as it is its turn.
    ///
    /// ```
    /// use aloud::engine::{Priority, Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let id = engine.submit(Submission::new(Work::closure("answer", |_| Ok(42.into()))))?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.priority, Priority::Normal);
    /// assert!(!status.paused && status.after.is_empty() && status.group.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(work: impl Into<Work>) -> Self {
        Self {
            work: work.into(),
            id: None,
            timeout: None,
            schedule: Schedule::default(),
            urgent: false,
            replaces: false,
            again: Vec::new(),
        }
    }

    /// Under this id instead of a random one.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("chapter", |_| Ok("read".into()));
    /// let id = engine.submit(Submission::new(work).id("chapter-1"))?;
    /// assert_eq!(id.as_str(), "chapter-1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn id(mut self, id: impl Into<TaskId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The operation that it is, with what it is to do.
    #[cfg(feature = "cli")]
    pub(crate) fn operation(&self) -> Option<(&str, &serde_json::Value)> {
        match &self.work {
            Work::Operation {
                name, parameters, ..
            } => Some((name, parameters)),
            _ => None,
        }
    }

    /// The same with an id: a random one, unless one was given.
    pub(crate) fn with_id(mut self) -> Self {
        self.id.get_or_insert_with(TaskId::random);
        self
    }

    pub(crate) fn id_given(&self) -> TaskId {
        self.id.clone().unwrap_or_else(TaskId::random)
    }

    /// With a time limit of its own, instead of the engine's.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{Submission, Work};
    ///
    /// let engine = Library::new();
    /// let endless = Work::closure("endless", testing::until_stopped);
    /// let id = engine.submit(Submission::new(endless).timeout(Duration::from_millis(10)))?;
    /// assert_eq!(engine.wait(&id)?.error.unwrap().code, "TIMEOUT");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// More or less urgent than others.
    ///
    /// ```
    /// use aloud::engine::{Priority, Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let usual = engine.submit(Work::closure("usual", |_| Ok(1.into())))?;
    /// let work = Work::closure("urgent", |_| Ok(2.into()));
    /// let urgent = engine.submit(Submission::new(work).priority(Priority::High))?;
    /// let rank = |id| engine.task_status(id).unwrap().rank;
    /// assert!(rank(&urgent) < rank(&usual), "it runs sooner");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn priority(mut self, priority: Priority) -> Self {
        self.schedule.priority = priority;
        self
    }

    /// Next, for someone waits for it: before all that waits, also while the queue is paused, and if no
    /// worker is free, a narration in work makes room after its segment and continues by itself
    /// afterwards. Only for work that lives as long as the process.
    ///
    /// ```
    /// use aloud::engine::{Submission, SubmitError, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let usual = engine.submit(Work::closure("usual", |_| Ok(1.into())))?;
    /// let urgent = Submission::new(Work::closure("urgent", |_| Ok(2.into()))).urgent();
    /// let urgent = engine.submit(urgent)?;
    /// assert_eq!(engine.wait(&urgent)?.result, Some(2.into()));
    /// assert_eq!(engine.task_status(&usual).unwrap().state, TaskState::Pending);
    ///
    /// let story = Submission::new(engine.narration("A story")).urgent();
    /// assert!(matches!(engine.submit(story), Err(SubmitError::NotUrgent(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Not before this time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::{Submission, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("in an hour", |_| Ok(1.into()));
    /// let later = engine.submit(Submission::new(work).delay(Duration::from_secs(3600)))?;
    /// let now = engine.submit(Work::closure("now", |_| Ok(2.into())))?;
    /// engine.wait(&now)?;
    /// assert_eq!(engine.task_status(&later).unwrap().state, TaskState::Pending);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delay(mut self, delay: Duration) -> Self {
        self.schedule.delay = Some(delay);
        self
    }

    /// Not before these have ended as they should. If one of them does not, this one fails with
    /// `DEPENDENCY`. Those that are no longer known count as done.
    ///
    /// ```
    /// use aloud::engine::{ErrorObject, Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let fails = |_: &_| Err(ErrorObject::new("DISK", "the disk is full").into());
    /// let first = engine.submit(Work::closure("first", fails))?;
    /// let second = Submission::new(Work::closure("second", |_| Ok("done".into())));
    /// let second = engine.submit(second.after([first]))?;
    /// assert_eq!(engine.wait(&second)?.error.unwrap().code, "DEPENDENCY");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after(mut self, tasks: impl IntoIterator<Item = TaskId>) -> Self {
        self.schedule.after.extend(tasks);
        self
    }

    /// As part of a group.
    ///
    /// ```
    /// use aloud::engine::{Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("chapter one", |_| Ok("read".into()));
    /// let id = engine.submit(Submission::new(work).group("book"))?;
    /// assert_eq!(engine.task_status(&id).unwrap().group, Some("book".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group(mut self, group: impl Into<GroupId>) -> Self {
        self.schedule.group = Some(group.into());
        self
    }

    /// With limits of its own on what it may use of the machine. Only what runs in a process of its own
    /// can be held to them: narrations, where [`Options::takes_limits`](super::Options::takes_limits) is
    /// set.
    ///
    /// ```
    /// use aloud::engine::{Limits, Submission, SubmitError, Work, testing::Library};
    ///
    /// let limits = Limits::default().memory(500_000_000);
    /// let engine = Library::with(|options| options.takes_limits = true);
    /// let story = Submission::new(engine.narration("A story")).limits(limits);
    /// let id = engine.submit(story)?;
    /// assert_eq!(engine.task_status(&id).unwrap().limits, limits);
    ///
    /// let here = Submission::new(Work::closure("answer", |_| Ok(42.into()))).limits(limits);
    /// assert!(matches!(engine.submit(here), Err(SubmitError::Limits(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.schedule.limits = limits;
        self
    }

    /// As part of a trace: its id is in every line of the log about this task, also after a restart.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use aloud::engine::{Submission, Trace, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let came = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let trace = Trace::parse(came, None).map(Arc::new);
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// let id = engine.submit(Submission::new(work).trace(trace.clone()))?;
    /// assert_eq!(engine.wait(&id)?.trace, trace);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trace(mut self, trace: Option<Arc<Trace>>) -> Self {
        self.schedule.trace = trace;
        self
    }

    /// With something that its submitter wants to find again: it is kept with the task, on disk as well,
    /// and comes back in [`TaskStatus::context`](super::TaskStatus::context). An operation has a context of
    /// its own, which it is given when it runs.
    ///
    /// ```
    /// use aloud::engine::{Submission, testing::Library};
    /// use serde_json::json;
    ///
    /// let engine = Library::new();
    /// let story = Submission::new(engine.narration("A story")).context(json!({ "order": 7 }));
    /// let id = engine.submit(story)?;
    /// assert_eq!(engine.task_status(&id).unwrap().context.unwrap()["order"], 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn context(mut self, context: impl Into<SharedValue>) -> Self {
        self.schedule.context = Some(context.into());
        self
    }

    /// Held back until it is resumed.
    ///
    /// ```
    /// use aloud::engine::{Submission, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("later", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert!(status.paused && status.state == TaskState::Pending);
    /// assert!(engine.resume_task(&id).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn paused(mut self) -> Self {
        self.schedule.paused = true;
        self
    }
}

impl<W: Into<Work>> From<W> for Submission {
    fn from(work: W) -> Self {
        Self::new(work)
    }
}
