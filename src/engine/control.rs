//! What can be done to tasks and to the queue: cancel, pause, resume, move.

use super::Engine;
use super::core::{Answer, Command, Refusal};
use super::error::ControlError;
use super::record::Record;
use super::runtime::Body;
use crate::model::TaskId;

impl Engine {
    /// Cancels a task: one that waits never runs, a running one is interrupted. Finished clips stay.
    /// It returns at once: an operation is told to be `CANCELLED` when its end is on disk, which
    /// [`Engine::wait`] waits for.
    ///
    /// ```
    /// use aloud::engine::{ControlError, Submission, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("never run", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.cancel_task(&id)?;
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.error.unwrap().code, "CANCELLED");
    /// assert_eq!(engine.cancel_task(&id), Err(ControlError::Ended));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn cancel_task(&self, id: &TaskId) -> Result<(), ControlError> {
        self.cancel(id, false)
    }

    /// Cancels a task; a running one finishes its segment first.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{Event, TaskState};
    ///
    /// let engine = Library::with_narrator(testing::long_silence);
    /// let events = engine.subscribe();
    /// let id = engine.submit(engine.narration("A story"))?;
    /// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
    /// engine.cancel_after_segment(&id)?;
    /// let status = engine.wait(&id)?;
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.completed_segments.len(), 1, "the running one was finished");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn cancel_after_segment(&self, id: &TaskId) -> Result<(), ControlError> {
        self.cancel(id, true)
    }

    fn cancel(&self, id: &TaskId, after_part: bool) -> Result<(), ControlError> {
        let task = id.clone();
        self.done(Command::Cancel { task, after_part })
    }

    fn done(&self, command: Command<Body, Record>) -> Result<(), ControlError> {
        match self.runtime().apply(command) {
            Answer::Refused(refusal) => Err(refused(refusal)),
            _ => Ok(()),
        }
    }

    /// Holds a task back until it is resumed. A running narration finishes its segment first and
    /// returns to its place in the queue, as with [`Self::pause_queue`]; a running closure can't be
    /// paused.
    ///
    /// ```
    /// use aloud::engine::{ControlError, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let first = engine.submit(Work::closure("first", |_| Ok(1.into())))?;
    /// let second = engine.submit(Work::closure("second", |_| Ok(2.into())))?;
    /// engine.pause_task(&first)?;
    /// assert_eq!(engine.pause_task(&first), Err(ControlError::NoChange));
    /// engine.resume_queue();
    /// assert_eq!(engine.wait(&second)?.state, TaskState::Completed);
    /// assert_eq!(engine.task_status(&first).unwrap().state, TaskState::Pending);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn pause_task(&self, id: &TaskId) -> Result<(), ControlError> {
        self.set_paused(id, true)
    }

    /// Resumes a paused task.
    ///
    /// ```
    /// use aloud::engine::{ControlError, Submission, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// engine.resume_task(&id)?;
    /// assert_eq!(engine.wait(&id)?.state, TaskState::Completed);
    /// assert_eq!(engine.resume_task(&id), Err(ControlError::Ended));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn resume_task(&self, id: &TaskId) -> Result<(), ControlError> {
        self.set_paused(id, false)
    }

    fn set_paused(&self, id: &TaskId, paused: bool) -> Result<(), ControlError> {
        let task = id.clone();
        self.done(Command::SetPaused { task, paused })
    }

    /// Pauses the queue, to free the machine: nothing new begins, and each running narration finishes
    /// the segment that its voice has begun and returns to its place in the queue, `PENDING`, with
    /// its clips. That does not count as an attempt, and its time limit starts again when it
    /// continues. Running closures continue. The pause ends with the process.
    ///
    /// ```
    /// use aloud::engine::testing::{self, Library};
    /// use aloud::engine::{Event, TaskState};
    ///
    /// let engine = Library::with_narrator(testing::long_silence);
    /// let events = engine.subscribe();
    /// let id = engine.submit(engine.narration("A story"))?;
    /// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
    /// engine.pause_queue();
    /// while !matches!(events.recv_blocking()?, Event::Requeued { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
    /// engine.resume_queue();
    /// let status = engine.wait(&id)?;
    /// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Completed, 2));
    /// assert_eq!(status.attempt, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause_queue(&self) {
        self.runtime().apply(Command::SetQueuePaused(true));
    }

    /// Resumes the queue: waiting tasks run again, also those that the pause had interrupted.
    ///
    /// ```
    /// use aloud::engine::{TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// engine.resume_queue();
    /// assert_eq!(engine.wait(&id)?.state, TaskState::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_queue(&self) {
        self.runtime().apply(Command::SetQueuePaused(false));
    }

    /// Whether all waiting tasks are held back.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// assert!(!engine.is_queue_paused());
    /// engine.pause_queue();
    /// assert!(engine.is_queue_paused());
    /// ```
    #[must_use]
    pub fn is_queue_paused(&self) -> bool {
        self.runtime().lock().core.is_queue_paused()
    }

    /// Moves a task that could run now one place up in the queue.
    ///
    /// ```
    /// use aloud::engine::{ControlError, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let first = engine.submit(Work::closure("first", |_| Ok(1.into())))?;
    /// let second = engine.submit(Work::closure("second", |_| Ok(2.into())))?;
    /// engine.move_up(&second)?;
    /// assert_eq!(engine.move_up(&second), Err(ControlError::NoPlace));
    /// let rank = |id| engine.task_status(id).unwrap().rank;
    /// assert!(rank(&second) < rank(&first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn move_up(&self, id: &TaskId) -> Result<(), ControlError> {
        self.shift(id, true)
    }

    /// Cancels every task that has not ended, and returns how many there were. Waiting ones are
    /// cancelled first, or each would begin when the one before it ends.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// engine.submit(Work::closure("one", |_| Ok(1.into())))?;
    /// engine.submit(Work::closure("two", |_| Ok(2.into())))?;
    /// assert_eq!(engine.cancel_all(), 2);
    /// assert_eq!((engine.stats().cancelled, engine.cancel_all()), (2, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_all(&self) -> usize {
        match self.runtime().apply(Command::CancelAll) {
            Answer::Count(count) => count,
            _ => 0,
        }
    }

    /// Resumes the queue and every paused task.
    ///
    /// ```
    /// use aloud::engine::{Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let id = engine.submit(Work::closure("one", |_| Ok(1.into())))?;
    /// engine.pause_task(&id)?;
    /// engine.resume_all();
    /// assert!(!engine.is_queue_paused());
    /// assert!(!engine.task_status(&id).unwrap().paused);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_all(&self) {
        self.runtime().apply(Command::ResumeAll);
    }

    /// Moves a task that could run now one place down in the queue.
    ///
    /// ```
    /// use aloud::engine::{ControlError, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let first = engine.submit(Work::closure("first", |_| Ok(1.into())))?;
    /// let second = engine.submit(Work::closure("second", |_| Ok(2.into())))?;
    /// engine.move_down(&first)?;
    /// assert_eq!(engine.move_down(&first), Err(ControlError::NoPlace));
    /// let rank = |id| engine.task_status(id).unwrap().rank;
    /// assert!(rank(&second) < rank(&first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError`] says why nothing changed.
    pub fn move_down(&self, id: &TaskId) -> Result<(), ControlError> {
        self.shift(id, false)
    }

    /// Moves these tasks before all others, in this order, and returns how many of them wait or run.
    /// Where no worker is free, a running narration with a worse place finishes its segment and returns
    /// to its place in the queue, as with [`Self::pause_queue`].
    ///
    /// ```
    /// use aloud::engine::{Priority, Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// engine.pause_queue();
    /// let work = |name| Work::closure(name, |_| Ok(1.into()));
    /// let urgent = engine.submit(Submission::new(work("urgent")).priority(Priority::High))?;
    /// let (one, two) = (engine.submit(work("one"))?, engine.submit(work("two"))?);
    /// assert_eq!(engine.move_first(&[two.clone(), one.clone()]), Ok(2));
    /// let rank = |id| engine.task_status(id).unwrap().rank;
    /// assert!(rank(&two) < rank(&one) && rank(&one) < rank(&urgent));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ControlError::ShutDown`]
    pub fn move_first(&self, tasks: &[TaskId]) -> Result<usize, ControlError> {
        match self.runtime().apply(Command::MoveFirst(tasks.to_vec())) {
            Answer::Refused(refusal) => Err(refused(refusal)),
            Answer::Count(count) => Ok(count),
            _ => Ok(0),
        }
    }

    /// The place is written to disk without waiting for it: a crash may cost the last move.
    fn shift(&self, id: &TaskId, up: bool) -> Result<(), ControlError> {
        let task = id.clone();
        self.done(Command::Move { task, up })
    }
}

fn refused(refusal: Refusal) -> ControlError {
    match refusal {
        Refusal::Ended => ControlError::Ended,
        Refusal::NoChange => ControlError::NoChange,
        Refusal::NotPausable => ControlError::NotPausable,
        Refusal::NoPlace => ControlError::NoPlace,
        Refusal::ShutDown => ControlError::ShutDown,
        Refusal::Unknown | Refusal::Duplicate(_) | Refusal::Full { .. } | Refusal::Stale => {
            ControlError::Unknown
        }
    }
}
