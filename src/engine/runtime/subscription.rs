//! One reader's stream of events: bounded, and counting what found no room in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_channel::{Receiver, Sender, TryRecvError, TrySendError};

use crate::model::Event;

/// How many events wait for one subscriber before it begins to miss some.
pub(super) const BACKLOG: usize = 1024;

/// The engine has shut down and every event was read.
///
/// ```
/// use aloud::engine::{Event, NoMoreEvents, ShutdownWait, testing::Library};
///
/// let engine = Library::new();
/// let events = engine.subscribe();
/// engine.shutdown(ShutdownWait::Now);
/// assert_eq!(events.recv_blocking(), Ok(Event::ShuttingDown));
/// assert_eq!(events.recv_blocking(), Err(NoMoreEvents));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has shut down: no more events")]
pub struct NoMoreEvents;

/// One reader's stream of events.
///
/// ```
/// use aloud::engine::{Event, Work, testing::Library};
///
/// let engine = Library::new();
/// let events = engine.subscribe();
/// let id = engine.submit(Work::closure("count", |task| {
///     (1..=2000).for_each(|n| task.update_progress(n, 2000, None));
///     Ok("done".into())
/// }))?;
/// let status = engine.wait(&id)?;
/// // 1024 events wait for a reader; one that comes too late begins with a fresh copy.
/// assert_eq!(events.recv_blocking()?, Event::Missed { count: 2003 - 1024 });
/// assert_eq!(status.progress.percentage(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Subscription {
    events: Receiver<Event>,
    missed: Arc<AtomicU64>,
}

impl Subscription {
    /// A stream that has ended.
    pub(in crate::engine) fn ended() -> Self {
        channel().1
    }

    /// The next event, for async readers on any runtime.
    ///
    /// ```
    /// use aloud::engine::{Event, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
    /// let first = futures_lite::future::block_on(events.recv())?;
    /// assert_eq!(first, Event::Submitted { task: id });
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
    /// use aloud::engine::{Event, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// let id = engine.submit(Work::closure("answer", |_| Ok(42.into())))?;
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
    /// use aloud::engine::{Event, NoMoreEvents, ShutdownWait, testing::Library};
    ///
    /// let engine = Library::new();
    /// let events = engine.subscribe();
    /// assert_eq!(events.try_recv(), Ok(None));
    /// engine.shutdown(ShutdownWait::Now);
    /// assert_eq!(events.try_recv(), Ok(Some(Event::ShuttingDown)));
    /// assert_eq!(events.try_recv(), Err(NoMoreEvents));
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

/// The sending side of a subscription.
#[derive(Debug)]
pub(crate) struct Listener {
    events: Sender<Event>,
    missed: Arc<AtomicU64>,
}

impl Listener {
    /// Sends an event to the reader. A full channel counts as missed. Whether the reader is still there.
    pub(crate) fn tell(&self, event: &Event) -> bool {
        match self.events.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.miss(1);
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    /// So many events found no room on their way.
    pub(super) fn miss(&self, count: u64) {
        self.missed.fetch_add(count, Ordering::AcqRel);
    }
}

/// A stream, and what fills it.
pub(crate) fn channel() -> (Listener, Subscription) {
    let (sender, events) = async_channel::bounded(BACKLOG);
    let missed = Arc::new(AtomicU64::new(0));
    let listener = Listener {
        events: sender,
        missed: Arc::clone(&missed),
    };
    (listener, Subscription { events, missed })
}
