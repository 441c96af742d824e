//! What can be done to tasks and to the queue: cancel, hold back, move.

use std::sync::Arc;

use super::Engine;
use super::events::Event;
use super::interrupt::StopReason;
use super::shared::Body;
use super::task::{TaskId, TaskState};

impl Engine {
    /// Cancels a task at once: a waiting one ends, a running one is interrupted. Finished clips
    /// stay. Returns whether there was anything to cancel.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let work = Work::closure("never run", |_| Ok("done".into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(engine.cancel_task(&id));
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.error.unwrap().code, "CANCELLED");
    /// assert!(!engine.cancel_task(&id), "it has ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_task(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::Cancel)
    }

    /// Cancels a task; a running one finishes its segment first.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct Waiting;
    /// # impl Narrator for Waiting {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         for (segment_id, _) in narration.plan.iter() {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             while task.interrupt().reason().is_none() {
    /// #                 std::thread::yield_now();
    /// #             }
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #         }
    /// #         Ok("spoken".into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(Waiting)));
    /// # let engine = Engine::open(options)?;
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
    /// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
    /// assert!(engine.cancel_after_segment(&id));
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!(status.state, TaskState::Cancelled);
    /// assert_eq!(status.completed_segments.len(), 1, "the one in work was finished");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_after_segment(&self, id: &TaskId) -> bool {
        self.shared().cancel(id, StopReason::CancelAfterSegment)
    }

    /// Holds a task back until it is resumed. A running narration finishes its segment first and goes
    /// back to its place, as with [`Self::pause_queue`]; a running closure can't be paused. Returns
    /// whether that changed anything.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.pause_task(&first));
    /// assert!(!engine.pause_task(&first), "it is held back already");
    /// engine.resume_queue();
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&first).unwrap().state, TaskState::Pending);
    /// assert_eq!(engine.task_status(&second).unwrap().state, TaskState::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause_task(&self, id: &TaskId) -> bool {
        self.set_paused(id, true)
    }

    /// Lets a task go that was held back. Returns whether that changed anything.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Submission, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// let id = engine.submit(Submission::new(work).paused())?;
    /// assert!(engine.resume_task(&id));
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
    /// assert!(!engine.resume_task(&id), "it has ended");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_task(&self, id: &TaskId) -> bool {
        self.set_paused(id, false)
    }

    fn set_paused(&self, id: &TaskId, paused: bool) -> bool {
        let shared = self.shared();
        let changed = shared.change(|registry, now| registry.set_paused(id, paused, now));
        if changed {
            drop(shared.store.paused(id, paused));
            if paused {
                let running = shared.lock().running.get(id).cloned();
                // Only a narration lets itself be paused while it runs.
                if let Some(interrupt) = running {
                    interrupt.raise(StopReason::Pause);
                }
            } else {
                shared.work.notify_one();
            }
        }
        changed
    }

    /// Gives the machine back: nothing new begins, and each narration in work finishes the segment
    /// that its voice has begun and goes back to its place in the queue, `PENDING`, with its clips.
    /// That is no attempt, and its time limit begins anew when it goes on. Closures run on. It ends
    /// with the process.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use aloud::engine::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let mut options = Options::new(folder.path());
    /// # struct Waiting;
    /// # impl Narrator for Waiting {
    /// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
    /// #         let done = task.clips()?.len();
    /// #         for (segment_id, _) in narration.plan.iter().skip(done) {
    /// #             let attempt = task.begin_segment(segment_id)?;
    /// #             while segment_id == 1 && task.interrupt().reason().is_none() {
    /// #                 std::thread::yield_now();
    /// #             }
    /// #             let clip = format!("{segment_id}.wav").into();
    /// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
    /// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
    /// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
    /// #         }
    /// #         Ok("spoken".into())
    /// #     }
    /// # }
    /// # options.narrator = Some(Arc::new(|| Box::new(Waiting)));
    /// # let engine = Engine::open(options)?;
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
    /// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
    /// engine.pause_queue();
    /// while !matches!(events.recv_blocking()?, Event::Requeued { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
    /// engine.resume_queue();
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// let status = engine.task_status(&id).unwrap();
    /// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Completed, 2));
    /// assert_eq!(status.attempt, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause_queue(&self) {
        let shared = self.shared();
        let mut state = shared.lock();
        let Some(event) = state.registry.set_queue_paused(true) else {
            return;
        };
        state.subscribers.tell(&event);
        let running = state.running.iter();
        let narrations = running
            .filter(|(id, _)| matches!(state.bodies.get(*id), Some(Body::Narration(_))))
            .map(|(_, interrupt)| Arc::clone(interrupt));
        let narrations: Vec<_> = narrations.collect();
        drop(state);
        for interrupt in narrations {
            interrupt.raise(StopReason::Pause);
        }
    }

    /// Lets the waiting tasks go on, those that were taken back from their worker included.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, TaskState, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// engine.resume_queue();
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_queue(&self) {
        self.shared()
            .change(|registry, _| registry.set_queue_paused(false));
        self.shared().work.notify_all();
    }

    /// Whether all waiting tasks are held back.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// assert!(!engine.is_queue_paused());
    /// engine.pause_queue();
    /// assert!(engine.is_queue_paused());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_queue_paused(&self) -> bool {
        self.shared().lock().registry.is_queue_paused()
    }

    /// Moves a task that could run now one place up in the queue. Returns whether there was one.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.move_up(&second));
    /// assert!(!engine.move_up(&second), "it is the next one");
    /// engine.resume_queue();
    /// let started = loop {
    ///     if let Event::Started { task } = events.recv_blocking()? {
    ///         break task;
    ///     }
    /// };
    /// assert_eq!(started, second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn move_up(&self, id: &TaskId) -> bool {
        self.shift(id, true)
    }

    /// Cancels every task that has not ended. Those that wait go first, or each would begin as the one
    /// before it ends. Returns how many there were.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// engine.submit_task(Work::closure("one", |_| Ok(1.into())), None)?;
    /// engine.submit_task(Work::closure("two", |_| Ok(2.into())), None)?;
    /// assert_eq!(engine.cancel_all(), 2);
    /// assert_eq!((engine.stats().cancelled, engine.cancel_all()), (2, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_all(&self) -> usize {
        let mut tasks = self.tasks();
        tasks.retain(|task| !task.state.is_terminal());
        tasks.sort_by_key(|task| task.state == TaskState::Processing);
        let cancelled = tasks.iter().filter(|task| self.cancel_task(&task.id));
        cancelled.count()
    }

    /// Lets go of everything that is held back: every task, and the queue.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// engine.pause_queue();
    /// let id = engine.submit_task(Work::closure("one", |_| Ok(1.into())), None)?;
    /// engine.pause_task(&id);
    /// engine.resume_all();
    /// assert!(!engine.is_queue_paused());
    /// assert!(!engine.task_status(&id).unwrap().paused);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_all(&self) {
        for task in self.tasks().iter().filter(|task| task.paused) {
            self.resume_task(&task.id);
        }
        self.resume_queue();
    }

    /// Moves a task that could run now one place down in the queue. Returns whether there was one.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let events = engine.subscribe();
    /// engine.pause_queue();
    /// let first = engine.submit_task(Work::closure("first", |_| Ok(1.into())), None)?;
    /// let second = engine.submit_task(Work::closure("second", |_| Ok(2.into())), None)?;
    /// assert!(engine.move_down(&first));
    /// assert!(!engine.move_down(&first), "it is the last one");
    /// engine.resume_queue();
    /// let started = loop {
    ///     if let Event::Started { task } = events.recv_blocking()? {
    ///         break task;
    ///     }
    /// };
    /// assert_eq!(started, second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn move_down(&self, id: &TaskId) -> bool {
        self.shift(id, false)
    }

    /// The place is kept on disk without waiting for it: a crash may cost the last move.
    fn shift(&self, id: &TaskId, up: bool) -> bool {
        let shared = self.shared();
        let now = shared.now();
        let mut state = shared.lock();
        let Some(places) = state.registry.shift(id, up, now) else {
            return false;
        };
        for (task, _) in &places {
            let task = task.clone();
            state.subscribers.tell(&Event::Progress { task });
        }
        drop(state);
        drop(shared.store.moved(places.into()));
        true
    }
}
