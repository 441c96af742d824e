//! Opening a library: one engine for a folder in a process, and one process for a library. Nothing is
//! locked while the embedding program's hook runs or the database is checked.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::callbacks::Callbacks;
use super::core::Command;
use super::error::OpenError;
use super::journal::Journal;
use super::options::Options;
use super::runtime::lock::LibraryLock;
use super::runtime::{MOST_WORKERS, Runtime};
use super::store::{NARRATE, Opened, Store};
use super::{recurring, submit};
use crate::model::{ErrorCode, ErrorObject, ShutdownReport, Timestamp};

/// How long an opening waits for another one of the same folder, or for an engine that shuts down.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a change may go unnoticed.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// What handles share: the threads and the library.
pub(super) struct Inner {
    pub runtime: Arc<Runtime>,
    /// What the shutdown did, once every thread has been joined.
    pub report: Mutex<Option<ShutdownReport>>,
    /// Whether the embedding program was told that the engine is about to stop.
    pub is_stop_told: AtomicBool,
    pub callbacks: Callbacks,
    folder: PathBuf,
    lock: Mutex<Option<LibraryLock>>,
}

/// What this process does with a folder.
enum Slot {
    Opening(ThreadId),
    Open(Weak<Inner>),
}

/// The libraries of this process. Locked only for moments.
static SLOTS: Mutex<BTreeMap<PathBuf, Slot>> = Mutex::new(BTreeMap::new());
/// Notified when one of them has changed.
static CHANGED: Condvar = Condvar::new();

fn slots() -> MutexGuard<'static, BTreeMap<PathBuf, Slot>> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Says in the lock's file how this process can be reached.
    pub(super) fn announce(&self, said: Map<String, Value>) -> io::Result<()> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        match &*lock {
            Some(lock) => lock.announce(said),
            None => Err(io::Error::other("the library is closed")),
        }
    }

    /// Releases the library, so that another process can open it.
    pub(super) fn free_library(&self) {
        let lock = self
            .lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(lock);
        let mut slots = slots();
        let is_me =
            |slot: &Slot| matches!(slot, Slot::Open(inner) if std::ptr::eq(inner.as_ptr(), self));
        if slots.get(&self.folder).is_some_and(is_me) {
            slots.remove(&self.folder);
        }
        drop(slots);
        CHANGED.notify_all();
    }
}

/// Frees the slot of an opening that failed, for whatever reason.
struct Claim<'a> {
    folder: &'a Path,
    is_kept: bool,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            slots().remove(self.folder);
            CHANGED.notify_all();
        }
    }
}

pub(super) fn open(options: Options) -> Result<Arc<Inner>, OpenError> {
    if options.operations.contains_key(NARRATE) {
        return Err(OpenError::ReservedOperation);
    }
    // One folder may have many names.
    let folder = std::fs::create_dir_all(&options.folder)
        .and_then(|()| options.folder.canonicalize())
        .map_err(|source| OpenError::Folder {
            path: options.folder.clone(),
            source,
        })?;
    if let Some(running) = claim(&folder, &options)? {
        return Ok(running);
    }
    let mut claim = Claim {
        folder: &folder,
        is_kept: false,
    };
    let inner = start(options, &folder)?;
    claim.is_kept = true;
    slots().insert(folder.clone(), Slot::Open(Arc::downgrade(&inner)));
    CHANGED.notify_all();
    Ok(inner)
}

/// The engine of this process that has the folder; `None` if it is ours to open now.
fn claim(folder: &Path, options: &Options) -> Result<Option<Arc<Inner>>, OpenError> {
    let until = Instant::now() + PATIENCE;
    let mut slots = slots();
    loop {
        match slots.get(folder) {
            None => {
                let me = std::thread::current().id();
                slots.insert(folder.to_owned(), Slot::Opening(me));
                return Ok(None);
            }
            Some(Slot::Opening(thread)) if *thread == std::thread::current().id() => {
                let message = "a hook opens the library that is being opened";
                return Err(OpenError::Refused(ErrorObject::new(
                    ErrorCode::Recursion,
                    message,
                )));
            }
            Some(Slot::Open(inner)) => {
                if let Some(inner) = inner.upgrade() {
                    let (takes_work, _, _) = inner.runtime.lock().core.life();
                    if takes_work {
                        // As may this one.
                        drop(slots);
                        return same(inner, folder, options).map(Some);
                    }
                    // It may be the last handle, and this then ends the engine: not under the lock.
                    drop(slots);
                    drop(inner);
                    slots = self::slots();
                }
            }
            Some(Slot::Opening(_)) => {}
        }
        // It is being opened, or shuts down with its last handle.
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(OpenError::InUse {
                folder: folder.to_owned(),
                holder: "this process, which is opening or closing it".to_owned(),
            });
        }
        // What changed before the lock was taken again is not told.
        let waited = CHANGED.wait_timeout(slots, left.min(LOOK_AROUND));
        slots = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(slots, _)| slots);
    }
}

/// A handle to the running engine, if it was opened in the same way.
fn same(inner: Arc<Inner>, folder: &Path, options: &Options) -> Result<Arc<Inner>, OpenError> {
    let different = inner.runtime.options.different_from(options);
    if different.is_empty() {
        return Ok(inner);
    }
    Err(OpenError::OtherOptions {
        folder: folder.to_owned(),
        different,
    })
}

fn start(options: Options, folder: &Path) -> Result<Arc<Inner>, OpenError> {
    let lock = LibraryLock::take(folder)?;
    options.hooks.starting(folder).map_err(OpenError::Refused)?;
    tracing::info!("initialising with {} workers", options.workers.max(1));
    let database = folder.join("aloud.db");
    let (journal, journal_thread) = Journal::start(&database).map_err(OpenError::Thread)?;
    let opened = match Store::open(&database, journal.clone(), options.outbox.clone()) {
        Ok(opened) => opened,
        Err(error) => {
            journal.close();
            let _ = journal_thread.join();
            return Err(error.into());
        }
    };
    let Opened {
        store,
        thread: store_thread,
        recovery,
    } = opened;
    let next_seq = store.next_seq().wait();
    let first = *next_seq.as_ref().unwrap_or(&1);
    let runtime = Runtime::new(options, store, journal, recovery, first);
    for thread in [store_thread, journal_thread] {
        runtime.threads.add(thread);
    }
    // From here on, dropping `inner` stops what was started.
    let inner = Arc::new(Inner {
        runtime: Arc::clone(&runtime),
        report: Mutex::new(None),
        is_stop_told: AtomicBool::new(false),
        callbacks: Callbacks::default(),
        folder: folder.to_owned(),
        lock: Mutex::new(Some(lock)),
    });
    // Nothing runs yet that could ask for it, and it is set once.
    let _ = runtime.owner.set(Arc::downgrade(&inner));
    next_seq?;
    runtime.start().map_err(OpenError::Thread)?;
    restore(&runtime)?;
    // There is room for the jobs of so many.
    let bounded = |workers: usize| workers.min(MOST_WORKERS);
    let least = bounded(runtime.options.workers);
    let most = bounded(runtime.options.max_workers);
    runtime.apply(Command::SetWorkers(least, most.max(least)));
    if runtime.options.paused {
        runtime.apply(Command::SetQueuePaused(true));
    }
    runtime.apply(Command::Open);
    Ok(inner)
}

/// Brings back what an earlier process left.
fn restore(runtime: &Arc<Runtime>) -> Result<(), OpenError> {
    recurring::restore(runtime)?;
    runtime.store.count_owed().wait()?;
    for stored in runtime.store.unfinished()? {
        submit::restore(runtime, stored);
    }
    let now = runtime.now().wall;
    let threshold = i64::try_from(runtime.options.cleanup_threshold.as_millis());
    let before = Timestamp(now.0.saturating_sub(threshold.unwrap_or(i64::MAX)));
    if let Err(error) = runtime.store.archive_before(before).wait() {
        tracing::warn!(%error, "what ended long ago could not be cleared from the database");
    }
    Ok(())
}
