//! What others are owed, for whoever delivers it: one notice after the other for each target, until it
//! was delivered or is given up. How it travels is not the engine's matter.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::error::StoreError;
use super::store::Store;
use crate::model::{TaskId, Timestamp, Trace};

/// A change that someone is to be told of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notice {
    /// The number of this notice to this target.
    pub(super) number: i64,
    /// An id that is the same at each try, and for each target.
    pub id: String,
    /// The task that has changed.
    pub task: TaskId,
    /// When it did.
    pub at: Timestamp,
    /// What is told, as JSON: `type`, `timestamp` and `data`. Some thousand bytes at most.
    pub payload: String,
    /// The trace that the request for the task belongs to.
    pub trace: Option<Trace>,
    /// How often it was refused.
    pub attempts: u32,
}

/// What is to be delivered next.
#[derive(Clone, Debug, PartialEq)]
pub enum NextNotice {
    /// This.
    Now(Notice),
    /// Something, but not before this time.
    At(Timestamp),
    /// Nothing is owed.
    Nothing,
}

/// What is owed, and what became of it since the engine was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeCounts {
    /// Notices that are yet to be delivered.
    pub owed: u64,
    /// Those that were delivered.
    pub delivered: u64,
    /// Tries that came to nothing.
    pub failed: u64,
    /// Notices that were given up.
    pub given_up: u64,
}

/// What others are owed. A handle to it does not keep the engine running.
///
/// ```
/// use aloud::engine::{NextNotice, StateChange, testing::Library};
///
/// let engine = Library::with(|options| {
///     let ends = StateChange::ENDS.to_vec();
///     options.outbox.insert("the shelf".into(), ends);
/// });
/// let id = engine.submit(engine.narration("A story"))?;
/// engine.wait(&id)?;
/// let outbox = engine.outbox();
/// let NextNotice::Now(notice) = outbox.next("the shelf")? else { panic!("nothing is owed") };
/// assert_eq!(notice.task, id);
/// let told: serde_json::Value = serde_json::from_str(&notice.payload)?;
/// assert_eq!((&told["type"], &told["data"]["segments"]["completed"]), (&"task.completed".into(), &2.into()));
/// outbox.delivered(&notice)?;
/// assert_eq!(outbox.next("the shelf")?, NextNotice::Nothing);
/// assert_eq!((outbox.counts().owed, outbox.counts().delivered), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Outbox {
    store: Store,
}

impl Engine {
    /// What others are owed; see [`Options::outbox`](super::Options::outbox).
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        let store = self.runtime().store.clone();
        Outbox { store }
    }
}

impl Outbox {
    /// Tries for which a notice that is refused holds back those behind it, so that they come in order.
    pub const TRIES_IN_ORDER: u32 = 5;

    /// Those that are told something, by name.
    #[must_use]
    pub fn targets(&self) -> Vec<Arc<str>> {
        self.store.outbox.targets().cloned().collect()
    }

    /// What this target is to be told next. The order is that of the changes; a notice that was refused
    /// holds back the others for its [first tries](Self::TRIES_IN_ORDER), and is passed over then.
    ///
    /// # Errors
    /// A failure of the database, or the engine has shut down.
    pub fn next(&self, target: &str) -> Result<NextNotice, StoreError> {
        self.store.next_notice(target, Timestamp::now()).wait()
    }

    /// It was delivered, and is forgotten.
    ///
    /// # Errors
    /// As [`Self::next`]; it then is owed still.
    pub fn delivered(&self, notice: &Notice) -> Result<(), StoreError> {
        let gone = self.store.forget_notice(notice.number).wait()?;
        self.store.outbox.note_delivered(gone);
        Ok(())
    }

    /// It was refused, and is to be tried again at this time.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn refused(&self, notice: &Notice, again: Timestamp) -> Result<(), StoreError> {
        self.store.outbox.note_failed();
        self.store.notice_refused(notice.number, again).wait()
    }

    /// Nobody could be reached: nothing changes but the count of tries.
    pub fn unreached(&self) {
        self.store.outbox.note_failed();
    }

    /// It is given up.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn give_up(&self, notice: &Notice) -> Result<(), StoreError> {
        let gone = self.store.forget_notice(notice.number).wait()?;
        self.store.outbox.note_given_up(gone);
        Ok(())
    }

    /// Gives up what this target is owed from before this time, or all of it, and returns how much that
    /// was.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn give_up_all(&self, target: &str, before: Option<Timestamp>) -> Result<u64, StoreError> {
        let before = before.unwrap_or(Timestamp(i64::MAX));
        let gone = self.store.forget_notices(target, before).wait()?;
        self.store.outbox.note_given_up(gone);
        Ok(gone)
    }

    /// Forgets what is owed to targets that this opening of the library does not name, from before this
    /// time, and returns how much that was. It is kept otherwise, for an opening that names them.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn forget_unnamed(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.store.forget_unnamed_notices(before).wait()
    }

    /// How much is owed, and what became of the rest.
    #[must_use]
    pub fn counts(&self) -> NoticeCounts {
        self.store.outbox.counts()
    }

    /// Waits until something has changed; `false` once the engine has shut down. For one who waits: what
    /// several wait for, one of them hears.
    pub async fn changed(&self) -> bool {
        self.store.outbox.news().recv().await.is_ok()
    }
}
