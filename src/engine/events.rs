//! Events: what changed, told to any number of subscribers over bounded channels. A slow reader
//! loses detail, never correctness: it is told that it missed something and reads a fresh copy.
//! Telling never waits for a reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::{Receiver, Sender, TryRecvError, TrySendError};

use crate::model::Event;

/// How many events wait for one subscriber before it begins to miss some.
const BACKLOG: usize = 1024;

/// The engine has shut down and every event was read.
///
/// ```
/// use aloud::engine::{Engine, Event, NoMoreEvents, Options, ShutdownWait};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let events = engine.subscribe();
/// engine.shutdown(ShutdownWait::Now);
/// assert_eq!(events.recv_blocking(), Ok(Event::ShuttingDown));
/// assert_eq!(events.recv_blocking(), Err(NoMoreEvents));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has shut down: no more events")]
pub struct NoMoreEvents;

/// One reader's stream of events.
///
/// ```
/// use aloud::engine::{Engine, Event, Options, Submission, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let events = engine.subscribe();
/// let work = Work::closure("later", |_| Ok("done".into()));
/// let id = engine.submit(Submission::new(work).paused())?;
/// for n in 1..=2000 {
///     engine.update_progress(&id, n, 2000, None);
/// }
/// // 1024 events wait for a reader; one that comes too late begins with a fresh copy.
/// assert_eq!(events.recv_blocking()?, Event::Missed { count: 2001 - 1024 });
/// assert_eq!(engine.task_status(&id).unwrap().progress.percentage(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Subscription {
    events: Receiver<Event>,
    missed: Arc<AtomicU64>,
}

impl Subscription {
    /// One that has nothing to tell any more.
    pub(crate) fn ended() -> Self {
        Subscribers::default().subscribe()
    }

    /// The next event, for async readers on any runtime.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let events = engine.subscribe();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// while !matches!(events.recv().await?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().result, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NoMoreEvents`] once the engine has shut down.
    pub async fn recv(&self) -> Result<Event, NoMoreEvents> {
        if let Some(missed) = self.take_missed() {
            return Ok(missed);
        }
        self.events.recv().await.map_err(|_| NoMoreEvents)
    }

    /// The next event, waiting for it on this thread.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, Options, Work};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let events = engine.subscribe();
    /// let id = engine.submit_task(Work::closure("answer", |_| Ok(42.into())), None)?;
    /// while !matches!(events.recv_blocking()?, Event::Ended { .. }) {}
    /// assert_eq!(engine.task_status(&id).unwrap().result, Some(42.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NoMoreEvents`] once the engine has shut down.
    pub fn recv_blocking(&self) -> Result<Event, NoMoreEvents> {
        if let Some(missed) = self.take_missed() {
            return Ok(missed);
        }
        self.events.recv_blocking().map_err(|_| NoMoreEvents)
    }

    /// The next event if there is one now.
    ///
    /// ```
    /// # use aloud::engine::{Engine, Event, NoMoreEvents, Options, ShutdownWait};
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = Engine::open(Options::new(folder.path()))?;
    /// let events = engine.subscribe();
    /// assert_eq!(events.try_recv(), Ok(None));
    /// engine.pause_queue();
    /// assert_eq!(events.try_recv(), Ok(Some(Event::QueuePaused { paused: true })));
    /// engine.shutdown(ShutdownWait::Now);
    /// assert_eq!(events.try_recv(), Ok(Some(Event::ShuttingDown)));
    /// assert_eq!(events.try_recv(), Err(NoMoreEvents));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NoMoreEvents`] once the engine has shut down.
    pub fn try_recv(&self) -> Result<Option<Event>, NoMoreEvents> {
        if let Some(missed) = self.take_missed() {
            return Ok(Some(missed));
        }
        match self.events.try_recv() {
            Ok(event) => Ok(Some(event)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Closed) => Err(NoMoreEvents),
        }
    }

    fn take_missed(&self) -> Option<Event> {
        match self.missed.swap(0, Ordering::AcqRel) {
            0 => None,
            count => Some(Event::Missed { count }),
        }
    }
}

/// The sending side: everyone who listens.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    all: Vec<(Sender<Event>, Arc<AtomicU64>)>,
}

impl Subscribers {
    pub(crate) fn subscribe(&mut self) -> Subscription {
        let (sender, events) = async_channel::bounded(BACKLOG);
        let missed = Arc::new(AtomicU64::new(0));
        self.all.push((sender, Arc::clone(&missed)));
        Subscription { events, missed }
    }

    /// Tells everyone. A full channel counts as missed; a reader that has gone is forgotten.
    pub(crate) fn tell(&mut self, event: &Event) {
        self.all
            .retain(|(sender, missed)| match sender.try_send(event.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    missed.fetch_add(1, Ordering::AcqRel);
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            });
    }

    /// Ends every stream once what is in it has been read.
    pub(crate) fn close(&mut self) {
        self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskId;

    #[test]
    fn a_slow_reader_is_told_what_it_missed() {
        let mut subscribers = Subscribers::default();
        let slow = subscribers.subscribe();
        for number in 0..BACKLOG + 7 {
            subscribers.tell(&Event::Progress {
                task: TaskId::from(number.to_string()),
            });
        }
        assert_eq!(slow.try_recv(), Ok(Some(Event::Missed { count: 7 })));
        assert_eq!(
            slow.try_recv(),
            Ok(Some(Event::Progress {
                task: TaskId::from("0")
            }))
        );
    }

    #[test]
    fn the_stream_ends_after_what_is_in_it() {
        let mut subscribers = Subscribers::default();
        let reader = subscribers.subscribe();
        subscribers.tell(&Event::ShuttingDown);
        subscribers.close();
        assert_eq!(reader.recv_blocking(), Ok(Event::ShuttingDown));
        assert_eq!(reader.recv_blocking(), Err(NoMoreEvents));
    }
}
