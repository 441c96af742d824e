//! The way down: refuse new work, wait for what runs, interrupt the rest, join every thread, and
//! say what happened. A second request shortens the first one's waiting.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::events::Event;
use super::interrupt::StopReason;
use super::registry::Outcome;
use super::segments::ErrorObject;
use super::shared::{Body, Life, Shared};
use super::{Inner, hooks};

/// How long an interrupted worker may take to come back before it is left behind: a model run comes
/// back within a tenth of this.
const GRACE: Duration = Duration::from_secs(1);

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
/// let report = engine.shutdown(ShutdownWait::Segments(Duration::from_secs(60)));
/// assert_eq!((report.finished, report.interrupted, report.abandoned), (0, 1, 0));
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Running tasks that ended while it waited.
    pub finished: usize,
    /// Narrations that were put back and continue at the next start.
    pub interrupted: usize,
    /// Tasks whose work did not come back in time; their threads were left behind.
    pub abandoned: usize,
    /// Closures that waited for their turn and will not have it.
    pub cancelled: usize,
    /// How long each step took.
    pub steps: ShutdownSteps,
    /// How long it took in all, in seconds.
    pub seconds: f64,
}

/// How long each step of a shutdown took, in seconds.
///
/// ```
/// # use aloud::engine::{Engine, Options, ShutdownWait};
/// # let folder = tempfile::tempdir()?;
/// let engine = Engine::open(Options::new(folder.path()))?;
/// let report = engine.shutdown(ShutdownWait::Now);
/// let steps = report.steps;
/// assert!(steps.refuse + steps.wait + steps.interrupt + steps.join <= report.seconds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownSteps {
    /// Telling the embedding program and refusing new work.
    pub refuse: f64,
    /// Waiting for what ran.
    pub wait: f64,
    /// Interrupting the rest.
    pub interrupt: f64,
    /// Joining every thread, the database's included.
    pub join: f64,
}

/// Measures one step after the other.
struct Laps(Instant);

impl Laps {
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let seconds = (now - self.0).as_secs_f64();
        self.0 = now;
        seconds
    }
}

/// Shuts the engine down; see [`super::Engine::shutdown`].
pub(super) fn shut_down(inner: &Inner, wait: ShutdownWait) -> ShutdownReport {
    let shared = &inner.shared;
    if let Some(report) = &shared.lock().report {
        return report.clone();
    }
    let begun = Instant::now();
    let mut laps = Laps(begun);
    let mut steps = ShutdownSteps::default();

    // 1. Refuse new work.
    let active = refuse_work(shared);
    steps.refuse = laps.lap();

    // 2. Wait for what runs.
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
    steps.wait = laps.lap();

    // 3. Interrupt the rest.
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
    steps.interrupt = laps.lap();

    // 4. Join every thread. One of several callers does; the others wait for it here.
    let mut threads = shared
        .threads
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(report) = &shared.lock().report {
        return report.clone();
    }
    let cancelled = end_what_cannot_wait(shared);
    shared.lock().life = Life::Down;
    shared.timer.notify_all();
    let is = |thread: &JoinHandle<()>, name| thread.thread().name() == Some(name);
    let (workers, others): (Vec<_>, Vec<_>) = threads
        .drain(..)
        .partition(|thread| is(thread, super::WORKER));
    let (callbacks, clock_and_store): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|thread| is(thread, hooks::CALLBACKS));
    join(
        workers
            .into_iter()
            .filter(|worker| abandoned == 0 || worker.is_finished()),
    );
    shared.store.close();
    join(clock_and_store);
    shared.lock().subscribers.close();
    join_callbacks(shared, callbacks);
    steps.join = laps.lap();

    let interrupted = {
        let mut state = shared.lock();
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

    // 5. Say what happened.
    let report = ShutdownReport {
        finished: active.len() - interrupted,
        interrupted,
        abandoned,
        cancelled,
        steps,
        seconds: begun.elapsed().as_secs_f64(),
    };
    shared.lock().report = Some(report.clone());
    drop(threads);
    tracing::info!(
        finished = report.finished,
        interrupted = report.interrupted,
        abandoned = report.abandoned,
        cancelled = report.cancelled,
        seconds = report.seconds,
        steps = ?report.steps,
        "the engine has shut down"
    );
    if abandoned > 0 {
        tracing::warn!("{abandoned} tasks did not stop and were left behind");
    }
    shared.options.hooks.stopped(&report);
    report
}

fn refuse_work(shared: &Shared) -> Vec<super::TaskId> {
    let first = !std::mem::replace(&mut shared.lock().is_stop_told, true);
    if first {
        shared.options.hooks.stopping();
    }
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

/// Ends what lives no longer than the process: closures that wait, and those that did not come
/// back. Narrations that did not come back wait for the next start. Returns how many waited.
///
/// The database's thread answers to nobody here, and its channel is empty by now: sending to it
/// under the lock does not wait.
fn end_what_cannot_wait(shared: &Shared) -> usize {
    let now = shared.now();
    let mut state = shared.lock();
    let mut waiting = Vec::new();
    let mut stuck = Vec::new();
    for (id, body) in &state.bodies {
        match body {
            Body::Narration(_) if state.running.contains_key(id) => stuck.push(id.clone()),
            Body::Narration(_) => {}
            Body::Closure(_) | Body::Repeatable(_) | Body::Taken => waiting.push(id.clone()),
        }
    }
    let mut events = Vec::new();
    for id in &stuck {
        events.extend(state.registry.requeue(id, None, now));
        drop(shared.store.requeued(id));
    }
    let mut count = 0;
    for id in &waiting {
        count += usize::from(!state.running.contains_key(id));
        events.extend(state.registry.end_alone(id, shutdown_error(), now));
    }
    // None of them is durable: nothing of it has to go to disk.
    state.announce(&events);
    count
}

/// Why a closure ends with the engine.
pub(super) fn shutdown_error() -> Outcome {
    let message = "the program shut down before this was done";
    Outcome::Cancelled(ErrorObject::new("SHUTDOWN", message))
}

/// Callbacks are the embedding program's: one that hangs is not waited for.
fn join_callbacks(shared: &Shared, threads: Vec<JoinHandle<()>>) {
    let is_me = |thread: &JoinHandle<()>| thread.thread().id() == std::thread::current().id();
    if threads.iter().any(is_me) {
        return;
    }
    let left = wait_until(shared, Instant::now() + GRACE, |_| {
        threads.iter().filter(|one| !one.is_finished()).count()
    });
    if left > 0 {
        tracing::warn!("a callback of the embedding program does not return and is left behind");
    }
    join(threads.into_iter().filter(JoinHandle::is_finished));
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
