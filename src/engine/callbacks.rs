//! Callbacks of the embedding program: called for each change of a task, on one thread that owns them
//! all. A panic in one is logged and changes nothing; one that takes long delays the others, never the
//! work.

use std::sync::{Mutex, PoisonError};

use async_channel::{Receiver, Sender};
use uuid::Uuid;

use super::Engine;
use super::error::SubmitError;
use super::guard::guarded;
use super::runtime::subscription::Subscription;
use super::runtime::{CALLBACKS, Runtime};
use super::submission::Submission;
use crate::model::{Event, TaskId, TaskStatus};

type Callback = Box<dyn FnMut(&Event, Option<&TaskStatus>) + Send>;

/// What the callbacks' thread is told.
pub(super) enum Note {
    All(Callback),
    /// A task is about to be submitted.
    Task {
        token: Uuid,
        task: TaskId,
        callback: Callback,
    },
    /// Whether it was.
    Decided {
        token: Uuid,
        is_accepted: bool,
    },
}

/// A handle to the callbacks' thread, once there is one.
#[derive(Default)]
pub(super) struct Callbacks {
    notes: Mutex<Option<Sender<Note>>>,
}

impl Engine {
    /// Has `callback` called for each event from now on, with a copy of what is known of its task.
    /// All callbacks share one thread, so one that takes long delays the others, never the work;
    /// when they fall behind, some events are replaced by [`Event::Missed`].
    ///
    /// A callback that keeps a handle keeps the engine from stopping by itself.
    ///
    /// ```
    /// use aloud::engine::{Event, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let (said, heard) = std::sync::mpsc::channel();
    /// engine.on_event(move |event, task| {
    ///     if let (Event::Ended { .. }, Some(task)) = (event, task) {
    ///         said.send(task.result.clone()).unwrap();
    ///     }
    /// })?;
    /// engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// assert_eq!(heard.recv()?, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError::ShutDown`]; [`SubmitError::Thread`] if the thread can't be started.
    pub fn on_event(
        &self,
        callback: impl FnMut(&Event, Option<&TaskStatus>) + Send + 'static,
    ) -> Result<(), SubmitError> {
        note(self, Note::All(Box::new(callback)))
    }

    /// The same as [`Self::submit`], and has `callback` called for each change of this task, the
    /// first one being that it was submitted, the last one that it ended. After [`Event::Missed`]
    /// the copy of what is known is what counts.
    ///
    /// ```
    /// use aloud::engine::{Event, TaskState, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let (said, heard) = std::sync::mpsc::channel();
    /// let work = Work::closure("answer", |_| Ok(42.into()));
    /// engine.submit_with(work, move |event, _| said.send(event.clone()).unwrap())?;
    /// let events: Vec<Event> = heard.iter().collect();
    /// assert!(matches!(events[0], Event::Submitted { .. }));
    /// assert!(matches!(events[2], Event::Ended { state: TaskState::Completed, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::submit`] and [`Self::on_event`].
    pub fn submit_with(
        &self,
        submission: impl Into<Submission>,
        callback: impl FnMut(&Event, Option<&TaskStatus>) + Send + 'static,
    ) -> Result<TaskId, SubmitError> {
        let submission = submission.into().with_id();
        let id = submission.id_given();
        let token = uuid::Uuid::new_v4();
        let task = id.clone();
        let callback = Box::new(callback);
        let new = Note::Task {
            token,
            task,
            callback,
        };
        note(self, new)?;
        let submitted = self.submit(submission);
        let is_accepted = submitted.is_ok();
        // Too late for the callback, and still accepted: the engine went down in between.
        let _ = note(self, Note::Decided { token, is_accepted });
        submitted
    }
}

/// Tells the callbacks' thread, and starts it for the first one.
fn note(engine: &Engine, note: Note) -> Result<(), SubmitError> {
    let sender = sender(engine)?;
    sender
        .send_blocking(note)
        .map_err(|_| SubmitError::ShutDown)
}

fn sender(engine: &Engine) -> Result<Sender<Note>, SubmitError> {
    let runtime = engine.runtime();
    let (is_open, _, is_down) = runtime.lock().core.life();
    if is_down {
        return Err(SubmitError::ShutDown);
    }
    let mut notes = engine
        .inner
        .callbacks
        .notes
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*notes {
        return Ok(sender.clone());
    }
    if !is_open {
        return Err(SubmitError::ShutDown);
    }
    let events = runtime.subscribe().ok_or(SubmitError::ShutDown)?;
    // Bounded like the callbacks themselves: by the tasks that they are for. A callback that gives in
    // more work can't wait for its own thread.
    let (sender, inbox) = async_channel::unbounded();
    runtime
        .spawn(CALLBACKS, move |runtime| {
            let mut board = Board::default();
            run(&mut board, runtime, &events, &inbox);
            inbox.close();
            // What came too late goes here as well, and not with the engine, which it may hold.
            while let Ok(note) = inbox.try_recv() {
                board.note(note);
            }
            // What they hold goes before the thread does.
            guarded("the destructor of a callback", || drop(board));
        })
        .map_err(|error| SubmitError::Thread(error.to_string()))?;
    *notes = Some(sender.clone());
    Ok(sender)
}

/// A task's callback.
struct OfTask {
    token: Uuid,
    task: TaskId,
    callback: Callback,
    /// What has happened to a task of this id while it was not decided that it is this one.
    held: Option<Vec<(Event, Option<TaskStatus>)>>,
}

/// Who is called for what.
#[derive(Default)]
struct Board {
    all: Vec<Callback>,
    by_task: Vec<OfTask>,
}

enum Next {
    Note(Note),
    Event(Event),
}

/// The thread's loop: until the engine has shut down and every event was told.
fn run(board: &mut Board, runtime: &Runtime, events: &Subscription, inbox: &Receiver<Note>) {
    loop {
        let next = futures_lite::future::block_on(futures_lite::future::or(
            async {
                match inbox.recv().await {
                    Ok(note) => Some(Next::Note(note)),
                    Err(_) => None,
                }
            },
            async { events.recv().await.ok().map(Next::Event) },
        ));
        match next {
            Some(Next::Note(note)) => board.note(note),
            Some(Next::Event(event)) => board.tell(runtime, &event),
            None => return,
        }
    }
}

impl Board {
    fn note(&mut self, note: Note) {
        match note {
            Note::All(callback) => self.all.push(callback),
            Note::Task {
                token,
                task,
                callback,
            } => self.by_task.push(OfTask {
                token,
                task,
                callback,
                held: Some(Vec::new()),
            }),
            Note::Decided { token, is_accepted } => {
                let Some(index) = self.by_task.iter().position(|one| one.token == token) else {
                    return;
                };
                let mut one = self.by_task.swap_remove(index);
                let mut is_over = !is_accepted;
                for (event, status) in one.held.take().unwrap_or_default() {
                    if !is_over {
                        is_over = one.call(&event, status.as_ref());
                    }
                }
                if is_over {
                    guarded("the destructor of a callback", || drop(one));
                } else {
                    self.by_task.push(one);
                }
            }
        }
    }

    fn tell(&mut self, runtime: &Runtime, event: &Event) {
        let status = |id: &TaskId| runtime.lock().core.status(id);
        let of_event = event.task().and_then(status);
        for callback in &mut self.all {
            guarded("a callback", || callback(event, of_event.as_ref()));
        }
        let is_missed = matches!(event, Event::Missed { .. });
        let mut index = 0;
        while let Some(one) = self.by_task.get_mut(index) {
            let is_over = if is_missed {
                let status = status(&one.task);
                one.hear(event, status)
            } else if event.task() == Some(&one.task) {
                one.hear(event, of_event.clone())
            } else {
                false
            };
            if is_over {
                let one = self.by_task.swap_remove(index);
                guarded("the destructor of a callback", || drop(one));
            } else {
                index += 1;
            }
        }
    }
}

impl OfTask {
    /// Calls it, or keeps the event until it is decided; whether it has heard its last one.
    fn hear(&mut self, event: &Event, status: Option<TaskStatus>) -> bool {
        match &mut self.held {
            Some(held) => {
                held.push((event.clone(), status));
                false
            }
            None => self.call(event, status.as_ref()),
        }
    }

    fn call(&mut self, event: &Event, status: Option<&TaskStatus>) -> bool {
        guarded("a callback", || (self.callback)(event, status));
        // What is known of a task may be ahead of the event.
        match event {
            Event::Ended { .. } => true,
            Event::Missed { .. } => status.is_none_or(|status| status.state.is_terminal()),
            _ => false,
        }
    }
}
