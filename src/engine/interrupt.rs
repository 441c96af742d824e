//! How running work is told to stop: one flag, with the reason, and a hook that breaks off what
//! can't look at a flag (a model run). Raising it never waits for the work.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::SegmentId;

/// Why running work should stop. Later ones outrank earlier ones.
///
/// ```
/// use aloud::engine::StopReason;
///
/// assert!(StopReason::Cancel > StopReason::CancelAfterSegment);
/// assert!(StopReason::CancelAfterSegment > StopReason::ShutdownAfterSegment);
/// assert!(StopReason::ShutdownAfterSegment > StopReason::Pause);
/// assert!(StopReason::Pause > StopReason::Yield);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum StopReason {
    /// Something urgent waits: finish the current segment; the rest continues by itself after that.
    /// Only narrations are asked.
    Yield = 1,
    /// Paused: finish the current segment, then requeue the rest. Only narrations are asked.
    Pause = 2,
    /// The engine is shutting down, but the current segment may be finished.
    ShutdownAfterSegment = 3,
    /// Cancelled, but the current segment may be finished.
    CancelAfterSegment = 4,
    /// The engine is shutting down: the work is requeued.
    Shutdown = 5,
    /// It took longer than its time limit.
    TimedOut = 6,
    /// Cancelled, now.
    Cancel = 7,
}

impl StopReason {
    /// Whether it breaks off what is in the model.
    pub(crate) fn is_now(self) -> bool {
        self > Self::CancelAfterSegment
    }

    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Yield),
            2 => Some(Self::Pause),
            3 => Some(Self::ShutdownAfterSegment),
            4 => Some(Self::CancelAfterSegment),
            5 => Some(Self::Shutdown),
            6 => Some(Self::TimedOut),
            7 => Some(Self::Cancel),
            _ => None,
        }
    }
}

type Hook = Arc<dyn Fn() + Send + Sync>;

/// The request to stop, shared between one running task and whoever may stop it.
///
/// ```
/// use aloud::engine::{Interrupt, StopReason};
///
/// let interrupt = Interrupt::default();
/// let mut rounds = 0;
/// while !interrupt.is_now() {
///     rounds += 1;
///     if rounds == 3 {
///         interrupt.raise(StopReason::Cancel); // usually done by another thread
///     }
/// }
/// assert_eq!(rounds, 3);
/// ```
#[derive(Default)]
pub struct Interrupt {
    reason: AtomicU8,
    /// The current segment, and the one that is overdue; 0, [`SegmentId::TASK`], for none.
    segment: AtomicU32,
    overdue: AtomicU32,
    /// Nobody waits for the work any more.
    abandoned: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupt")
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

impl Interrupt {
    /// Why the work should stop, if it should.
    ///
    /// ```
    /// use aloud::engine::{Interrupt, StopReason};
    ///
    /// let interrupt = Interrupt::default();
    /// assert_eq!(interrupt.reason(), None);
    /// interrupt.raise(StopReason::TimedOut);
    /// assert_eq!(interrupt.reason(), Some(StopReason::TimedOut));
    /// ```
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        StopReason::from_bits(self.reason.load(Ordering::Acquire))
    }

    /// Whether the work should stop at once, in the middle of a segment.
    ///
    /// ```
    /// use aloud::engine::{Interrupt, StopReason};
    ///
    /// let interrupt = Interrupt::default();
    /// interrupt.raise(StopReason::CancelAfterSegment);
    /// assert!(!interrupt.is_now(), "the current segment may be finished");
    /// interrupt.raise(StopReason::Cancel);
    /// assert!(interrupt.is_now());
    /// ```
    #[must_use]
    pub fn is_now(&self) -> bool {
        self.reason().is_some_and(StopReason::is_now) || self.is_segment_overdue()
    }

    /// Whether the current segment is overdue: that one is given up, the task continues.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::testing::{self, Library};
    ///
    /// let engine = Library::with(|options| {
    ///     options.segment_timeout = Some(Duration::from_millis(10));
    ///     options.narrator = Some(testing::narrator(|_, task| {
    ///         let _attempt = task.begin_segment(1)?;
    ///         while !task.interrupt().is_segment_overdue() {
    ///             std::thread::yield_now(); // a model that hangs
    ///         }
    ///         assert_eq!(task.interrupt().reason(), None, "the task may continue");
    ///         Ok(task.end_segment().into())
    ///     }));
    /// });
    /// let id = engine.submit(engine.narration("A story"))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(true.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_segment_overdue(&self) -> bool {
        let segment = self.segment.load(Ordering::Acquire);
        segment != 0 && segment == self.overdue.load(Ordering::Acquire)
    }

    /// The current segment; [`SegmentId::TASK`] for none.
    pub(crate) fn segment(&self) -> SegmentId {
        SegmentId::new(self.segment.load(Ordering::Acquire))
    }

    /// Says which segment is the current one; [`SegmentId::TASK`] for none.
    pub(crate) fn begin_segment(&self, segment: SegmentId) {
        // It may be the overdue one, which begins again.
        self.overdue.store(0, Ordering::Release);
        self.segment.store(segment.get(), Ordering::Release);
    }

    /// Asks the work to stop, without a call of its hook: that is not ours, and may block.
    pub(crate) fn mark(&self, reason: StopReason) {
        self.reason.fetch_max(reason as u8, Ordering::AcqRel);
    }

    /// Breaks a segment off, if that one is still in work; the hook is to be called.
    pub(crate) fn mark_segment(&self, segment: SegmentId) {
        self.overdue.store(segment.get(), Ordering::Release);
    }

    /// Gives the work up: whatever it still does, nobody waits for it. The hook is to be called.
    pub(crate) fn mark_abandoned(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.mark(StopReason::Cancel);
    }

    /// Whether there is a hook to be called.
    pub(crate) fn is_hooked(&self) -> bool {
        self.is_now() && self.lock().is_some()
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Asks the work to stop. A weaker reason never replaces a stronger one.
    ///
    /// ```
    /// use aloud::engine::{Interrupt, StopReason};
    ///
    /// let interrupt = Interrupt::default();
    /// interrupt.raise(StopReason::Cancel);
    /// interrupt.raise(StopReason::Shutdown);
    /// assert_eq!(interrupt.reason(), Some(StopReason::Cancel));
    /// ```
    pub fn raise(&self, reason: StopReason) {
        self.mark(reason);
        self.call_hook();
    }

    /// Calls the hook, if the work should stop at once.
    pub(crate) fn call_hook(&self) {
        if self.is_now() {
            let hook = self.lock().clone();
            if let Some(hook) = hook {
                hook();
            }
        }
    }

    /// Runs `work` with a hook that breaks it off. The hook is called at most a few times, from
    /// any thread, and at once if the request was already there. There is one hook at a time: a call
    /// inside `work` takes the place of this one for good.
    ///
    /// ```
    /// use aloud::engine::{Interrupt, StopReason};
    ///
    /// let interrupt = Interrupt::default();
    /// let (stop, stopped) = std::sync::mpsc::channel();
    /// let broken = std::thread::scope(|scope| {
    ///     scope.spawn(|| interrupt.raise(StopReason::Cancel));
    ///     // What waits in `recv` can't look at the interrupt; the hook ends its waiting.
    ///     interrupt.breaking(move || drop(stop.send("broken off")), || stopped.recv())
    /// });
    /// assert_eq!(broken, Ok("broken off"));
    /// ```
    pub fn breaking<R>(
        &self,
        hook: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce() -> R,
    ) -> R {
        struct Unhook<'a>(&'a Interrupt);
        impl Drop for Unhook<'_> {
            fn drop(&mut self) {
                self.0.set_hook(None);
            }
        }
        let hook: Hook = Arc::new(hook);
        self.set_hook(Some(Arc::clone(&hook)));
        let _unhook = Unhook(self);
        // Raised between the caller's last look and the line above: nobody called the hook.
        if self.is_now() {
            hook();
        }
        work()
    }

    /// Whatever the old hook holds is dropped after the lock is released: it is not ours.
    fn set_hook(&self, hook: Option<Hook>) {
        let old = std::mem::replace(&mut *self.lock(), hook);
        drop(old);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Hook>> {
        self.hook.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_request_made_before_the_work_still_breaks_it() {
        let interrupt = Interrupt::default();
        interrupt.raise(StopReason::Cancel);
        let broken = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&broken);
        interrupt.breaking(move || flag.store(true, Ordering::Release), || ());
        assert!(broken.load(Ordering::Acquire));
    }

    #[test]
    fn waiting_for_the_segment_breaks_nothing_and_yields_to_now() {
        let interrupt = Interrupt::default();
        interrupt.raise(StopReason::CancelAfterSegment);
        assert!(!interrupt.is_now());
        interrupt.raise(StopReason::Cancel);
        interrupt.raise(StopReason::Shutdown);
        assert_eq!(interrupt.reason(), Some(StopReason::Cancel));
    }
}
