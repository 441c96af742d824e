//! The way down: refuse new work, wait for what runs, interrupt the rest, join every thread, and
//! say what happened. A second request shortens the first one's waiting.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Inner;
use super::events::Event;
use super::interrupt::StopReason;
use super::shared::{Life, Shared};

/// How long an interrupted worker may take to come back before it is left behind.
const GRACE: Duration = Duration::from_secs(5);

/// As good as no limit, where a limit is too large for the clock.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// What to wait for when shutting down.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, Event, Options, ShutdownWait, TaskState, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let events = engine.subscribe();
/// let work = Work::closure("sum", |_| Ok((1..=1000).sum::<u32>().into()));
/// let id = engine.submit_task(work, None)?;
/// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
/// engine.shutdown(ShutdownWait::Tasks(Duration::from_secs(60)));
/// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownWait {
    /// For running tasks to end, at most this long.
    Tasks(Duration),
    /// For the segments in work, at most this long; their narrations continue at the next start.
    Segments(Duration),
    /// For nothing.
    Now,
}

/// What a shutdown did.
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
/// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak };
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
/// let report = engine.shutdown(ShutdownWait::Segments(Duration::from_secs(60)));
/// assert_eq!((report.finished, report.interrupted, report.abandoned), (0, 1, 0));
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Tasks that ended while it waited.
    pub finished: usize,
    /// Narrations that were put back and continue at the next start.
    pub interrupted: usize,
    /// Tasks whose work did not come back in time; their threads were left behind.
    pub abandoned: usize,
    /// How long it took in all, in seconds.
    pub seconds: f64,
}

/// Shuts the engine down; see [`super::Engine::shutdown`].
pub(super) fn shut_down(inner: &Inner, wait: ShutdownWait) -> ShutdownReport {
    let shared = &inner.shared;
    let begun = Instant::now();
    let active = refuse_work(shared);
    let (reason, deadline) = match wait {
        ShutdownWait::Tasks(time) => (None, time),
        ShutdownWait::Segments(time) => (Some(StopReason::ShutdownAfterSegment), time),
        ShutdownWait::Now => (Some(StopReason::Shutdown), Duration::ZERO),
    };
    if let Some(reason) = reason {
        interrupt(shared, reason);
    }
    let until = begun.checked_add(deadline).unwrap_or(begun + LONG);
    let left = wait_until(shared, until, |shared| shared.lock().running.len());
    if left > 0 {
        if !deadline.is_zero() {
            tracing::warn!("{left} tasks still active after {deadline:?}");
        }
        interrupt(shared, StopReason::Shutdown);
    }
    let abandoned = wait_until(shared, Instant::now() + GRACE, |shared| {
        let state = shared.lock();
        state.workers + state.abandoned
    });
    // One of several callers joins; the others wait for it here.
    let mut threads = shared
        .threads
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let first = shared.lock().life != Life::Down;
    shared.lock().life = Life::Down;
    shared.timer.notify_all();
    let (clock_and_store, workers): (Vec<_>, Vec<_>) = threads
        .drain(..)
        .partition(|thread| thread.thread().name() != Some(super::WORKER));
    join(
        workers
            .into_iter()
            .filter(|worker| abandoned == 0 || worker.is_finished()),
    );
    shared.store.close();
    join(clock_and_store);
    drop(threads);
    let interrupted = {
        let mut state = shared.lock();
        state.subscribers.close();
        state.running.clear();
        active
            .iter()
            .filter(|id| state.bodies.contains_key(*id))
            .count()
    };
    inner
        .lock
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    let report = ShutdownReport {
        finished: active.len() - interrupted,
        interrupted: interrupted.saturating_sub(abandoned),
        abandoned,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if first {
        tracing::info!(?report, "the engine has shut down");
        if abandoned > 0 {
            tracing::warn!("{abandoned} tasks did not stop and were left behind");
        }
    }
    report
}

fn refuse_work(shared: &Shared) -> Vec<super::TaskId> {
    let mut state = shared.lock();
    if state.life == Life::Open {
        state.life = Life::ShuttingDown;
        state.subscribers.tell(&Event::ShuttingDown);
    }
    let active = state.running.keys().cloned().collect();
    drop(state);
    shared.work.notify_all();
    active
}

fn interrupt(shared: &Shared, reason: StopReason) {
    let running: Vec<_> = shared.lock().running.values().map(Arc::clone).collect();
    for task in running {
        task.raise(reason);
    }
    shared.ended.notify_all();
}

/// Waits until nothing is left to count, the time is over, or a second request said «now».
fn wait_until(shared: &Shared, until: Instant, count: impl Fn(&Shared) -> usize) -> usize {
    loop {
        let left = count(shared);
        let now = Instant::now();
        if left == 0 || now >= until {
            return left;
        }
        let state = shared.lock();
        // Short: the count may have changed between the two locks.
        let wait = (until - now).min(Duration::from_millis(50));
        drop(shared.ended.wait_timeout(state, wait));
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        let name = thread.thread().name().unwrap_or("a thread").to_owned();
        // Dropping the engine on one of its own threads must not wait for itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("{name} panicked");
        }
    }
}
