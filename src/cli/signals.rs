//! Signals for the headless front end: the first one stops the work so that nothing is lost, the
//! second one does not wait for the segment in work.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals as Iterator};

use crate::engine::{Engine, ShutdownWait};
use crate::outlet::is_stalled;

#[derive(Default)]
struct Shared {
    raised: AtomicI32,
    /// Nothing is at stake: a signal may end the process where it is.
    idle: AtomicBool,
    /// The loss of the terminal is somebody else's to deal with.
    spares_hangup: AtomicBool,
    engine: Mutex<Option<(Engine, Duration)>>,
    listener: Mutex<Option<Sender<i32>>>,
    before_hangup: Mutex<Option<Hook>>,
    /// Whether the program has come to its end, which is told by the other.
    has_ended: Mutex<bool>,
    ending: Condvar,
}

/// What is done when the terminal is lost, before the engine ends.
type Hook = Box<dyn Fn() + Send>;

/// How often it is looked after a signal whether the terminal takes what is written.
const GLANCE: Duration = Duration::from_millis(100);
/// So many looks in a row may find that it takes nothing.
const PATIENCE: u32 = 20;

/// How many signals may wait for whoever listens; more say nothing new.
const UNHEARD: usize = 8;

/// Whether a signal is ignored in this process. Where the system does not tell, none is.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Lets a write beyond the limit on the size of files (`ulimit -f`) fail with an error, which is told as
/// one: left alone, its signal ends the program without a word. A handler that does nothing is used, for
/// programs that are started from here do not inherit it, unlike a signal that is ignored.
pub(super) fn survive_large_files() -> std::io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

impl Shared {
    /// Ends the process if it does not come to its end because it writes to a terminal that nobody reads.
    /// What it had to keep is on disk by now.
    fn leave_stalled(&self, signal: i32) {
        let mut stalled = 0;
        let mut has_ended = lock(&self.has_ended);
        while !*has_ended && stalled < PATIENCE {
            (has_ended, _) = self
                .ending
                .wait_timeout(has_ended, GLANCE)
                .unwrap_or_else(PoisonError::into_inner);
            let is_stalled = is_stalled(std::io::stdout()) || is_stalled(std::io::stderr());
            stalled = if is_stalled { stalled + 1 } else { 0 };
        }
        if !*has_ended {
            tracing::warn!(signal, "the terminal does not read what is left to be said");
            std::process::exit(128 + signal);
        }
    }
}

/// The thread that waits for signals, until this is dropped.
pub(super) struct Signals {
    shared: Arc<Shared>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Takes INT, TERM and HUP from now on.
    pub(super) fn install() -> std::io::Result<Self> {
        // What was ignored when we were started stays ignored: that is how `nohup` works.
        let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter();
        let mut signals = Iterator::new(wanted.filter(|signal| !is_ignored(*signal)))?;
        let handle = signals.handle();
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("aloud-signals".into())
            .spawn(move || {
                let mut stopping: Vec<JoinHandle<()>> = Vec::new();
                for signal in signals.forever() {
                    let is_spared = signal == SIGHUP && mine.spares_hangup.load(Ordering::Acquire);
                    // Noted before anyone is told: whoever hears of it may leave with its exit code. Whoever
                    // begins to listen meanwhile hears of it once.
                    let listener = lock(&mine.listener);
                    let first = !is_spared && mine.raised.swap(signal, Ordering::AcqRel) == 0;
                    if let Some(listener) = &*listener {
                        // Who has as many before them knows enough.
                        let _ = listener.try_send(signal);
                    }
                    drop(listener);
                    if is_spared {
                        continue;
                    }
                    if mine.idle.load(Ordering::Acquire) {
                        std::process::exit(128 + signal);
                    }
                    if signal == SIGHUP
                        && let Some(hook) = &*lock(&mine.before_hangup)
                    {
                        hook();
                    }
                    let engine = lock(&mine.engine).clone();
                    let shared = Arc::clone(&mine);
                    let stop = std::thread::Builder::new().name("aloud-stop".into());
                    let stop = stop.spawn(move || {
                        if let Some((engine, deadline)) = engine {
                            engine.shutdown(if first {
                                ShutdownWait::Segments(deadline)
                            } else {
                                ShutdownWait::Now
                            });
                        }
                        shared.leave_stalled(signal);
                    });
                    // Without a thread for it the end of the program still stops the engine.
                    stopping.extend(stop);
                }
                for stopping in stopping {
                    // A panic there is in the log; nothing is left to do about it.
                    let _ = stopping.join();
                }
            })?;
        Ok(Self {
            shared,
            handle,
            thread: Some(thread),
        })
    }

    /// Whether a signal came.
    pub(super) fn raised(&self) -> bool {
        self.shared.raised.load(Ordering::Acquire) != 0
    }

    /// The exit code that the signal asks for, if one came.
    pub(super) fn exit_code(&self) -> Option<ExitCode> {
        self.witness().exit_code()
    }

    /// Something that outlives this and still knows which signal came.
    pub(super) fn witness(&self) -> Witness {
        Witness(Arc::clone(&self.shared))
    }

    /// While `work` runs, a signal ends the process at once: nothing has been begun that could be
    /// lost, and the work may wait for input that never comes.
    pub(super) fn exiting_at_once<R>(&self, work: impl FnOnce() -> R) -> R {
        self.shared.idle.store(true, Ordering::Release);
        let result = work();
        self.shared.idle.store(false, Ordering::Release);
        result
    }

    /// From now on HUP does nothing here: whoever draws on the terminal notices its loss.
    pub(super) fn spare_hangup(&self) {
        self.shared.spares_hangup.store(true, Ordering::Release);
    }

    /// The signals that come from now on, after the one that has come, if any.
    pub(super) fn listen(&self) -> Receiver<i32> {
        let (listener, signals) = async_channel::bounded(UNHEARD);
        let mut place = lock(&self.shared.listener);
        let raised = self.shared.raised.load(Ordering::Acquire);
        if raised != 0 {
            // It is empty, so there is room.
            let _ = listener.try_send(raised);
        }
        *place = Some(listener);
        signals
    }

    /// From now on this is done when HUP comes, before it shuts the engine down.
    pub(super) fn before_hangup(&self, hook: impl Fn() + Send + 'static) {
        *lock(&self.shared.before_hangup) = Some(Box::new(hook));
    }

    /// From now on a signal shuts this engine down, waiting at most `deadline` for the segment in
    /// work. One that came before does so now.
    pub(super) fn shut_down(&self, engine: &Engine, deadline: Duration) {
        *lock(&self.shared.engine) = Some((engine.clone(), deadline));
        if self.raised() {
            engine.shutdown(ShutdownWait::Now);
        }
    }
}

/// Knows which signal came.
pub(super) struct Witness(Arc<Shared>);

impl Witness {
    /// The exit code that the signal asks for, if one came.
    pub(super) fn exit_code(&self) -> Option<ExitCode> {
        let signal = self.0.raised.load(Ordering::Acquire);
        (signal != 0).then(|| ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Signals {
    fn drop(&mut self) {
        *lock(&self.shared.has_ended) = true;
        self.shared.ending.notify_all();
        lock(&self.shared.engine).take();
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It only waits for signals; what it may have started has been waited for.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_came_before_anyone_listened_is_heard_once() {
        let signals = Signals::install().unwrap();
        signal_hook::low_level::raise(SIGTERM).unwrap();
        while !signals.raised() {
            std::thread::yield_now();
        }
        let heard = signals.listen();
        assert_eq!(heard.recv_blocking(), Ok(SIGTERM));
        assert!(heard.is_empty());
        assert_eq!(signals.exit_code(), Some(ExitCode::from(143)));
    }
}
