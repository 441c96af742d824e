//! Every thread of the engine, by name, to be joined at the end.

use std::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::guard::discard;
use crate::engine::journal::JOURNAL;

pub(super) const WORKER: &str = "aloud-worker";
pub(super) const CLOCK: &str = "aloud-clock";
pub(super) const EVENTS: &str = "aloud-events";
pub(super) const REAPER: &str = "aloud-reaper";
/// A thread for one call of a hook.
pub(super) const HOOK: &str = "aloud-hook";
/// The thread of the embedding program's callbacks.
pub(in crate::engine) const CALLBACKS: &str = "aloud-callbacks";

/// Those that call the embedding program's code, beside the workers.
const FOREIGN: [&str; 4] = [REAPER, CALLBACKS, EVENTS, HOOK];

/// How long threads that run foreign code may take to end before they are left behind.
const GRACE: Duration = Duration::from_secs(1);
/// The same for the one that waits for other disks, or for a network.
const JOURNAL_GRACE: Duration = Duration::from_secs(5);
/// A thread is not at its end yet when it tells, and one from elsewhere does not tell: they are looked
/// after this soon, and then less and less often.
const LOOK_AROUND: [Duration; 2] = [Duration::from_micros(500), Duration::from_millis(20)];

/// Whether this thread is a worker.
pub(in crate::engine) fn is_worker() -> bool {
    std::thread::current().name() == Some(WORKER)
}

#[derive(Default)]
pub(in crate::engine) struct Threads {
    all: Mutex<Vec<JoinHandle<()>>>,
    ended: Arc<(Mutex<()>, Condvar)>,
}

impl Threads {
    pub(super) fn spawn(
        &self,
        name: &'static str,
        run: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        let ended = Arc::clone(&self.ended);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                run();
                ended.1.notify_all();
            })?;
        self.add(thread);
        Ok(())
    }

    /// A thread that was started elsewhere.
    pub(in crate::engine) fn add(&self, thread: JoinHandle<()>) {
        let mut all = self.lock();
        all.retain(|thread| !thread.is_finished());
        all.push(thread);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, wanted: impl Fn(&str) -> bool) -> Vec<JoinHandle<()>> {
        let mut all = self.lock();
        let (taken, left) = std::mem::take(&mut *all)
            .into_iter()
            .partition(|thread| wanted(thread.thread().name().unwrap_or_default()));
        *all = left;
        taken
    }

    /// Joins those that run only our own code, in our own folder: they all end.
    pub(in crate::engine) fn join_ours(&self) {
        for thread in
            self.take(|name| ![WORKER, JOURNAL].contains(&name) && !FOREIGN.contains(&name))
        {
            join(thread);
        }
    }

    /// Joins those of this name that end in time, and returns how many did not: those that run foreign
    /// code which does not return are left behind.
    fn join_in_time(&self, names: &[&str], grace: Duration) -> usize {
        let me = std::thread::current().id();
        let mut threads = self.take(|name| names.contains(&name));
        let until = Instant::now() + grace;
        let [mut pause, longest] = LOOK_AROUND;
        loop {
            let (done, left): (Vec<_>, Vec<_>) =
                threads.into_iter().partition(JoinHandle::is_finished);
            done.into_iter().for_each(join);
            threads = left;
            // The engine may be dropped on one of its own threads, which can't wait for itself.
            threads.retain(|thread| thread.thread().id() != me);
            if threads.is_empty() || Instant::now() >= until {
                return threads.len();
            }
            let guard = self.ended.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.ended.1.wait_timeout(guard, pause));
            pause = (2 * pause).min(longest);
        }
    }

    /// The same for the workers.
    pub(in crate::engine) fn join_workers(&self) -> usize {
        self.join_in_time(&[WORKER], GRACE)
    }

    /// The same for what calls the embedding program's code.
    pub(in crate::engine) fn join_foreign(&self) -> usize {
        self.join_in_time(&FOREIGN, GRACE)
    }

    /// Joins the journal; whether it came to its end in time.
    pub(in crate::engine) fn join_journal(&self) -> bool {
        self.join_in_time(&[JOURNAL], JOURNAL_GRACE) == 0
    }
}

fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or("a thread").to_owned();
    if thread.thread().id() == std::thread::current().id() {
        return;
    }
    if let Err(panic) = thread.join() {
        tracing::error!("{name} panicked");
        discard(panic);
    }
}
