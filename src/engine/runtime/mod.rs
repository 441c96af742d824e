//! The threads around the core. They hold no decision and no state of their own: whatever happens is
//! told to the [`Core`] as a command under one short lock, and what follows is carried out after that
//! lock is released, by the thread that told it.
//!
//! Who wakes whom:
//!
//! | thread | waits for | woken by |
//! |---|---|---|
//! | `aloud-worker` (one or more) | a job | whoever carries out [`Effect::Start`] |
//! | `aloud-store` | a batch of rows, a question | [`Effect::Persist`], readers |
//! | `aloud-journal` | lines for a narration's folder | the store, after a commit |
//! | `aloud-clock` | the time of the next alarm | [`Effect::WakeAt`], whoever asks whether it runs |
//! | `aloud-events` | events, and replies to those who wait for an end | every command |
//! | `aloud-reaper` | the work of ended tasks, to be dropped | [`Effect::Drop`] |
//! | `aloud-callbacks` | events (only with callbacks) | `aloud-events` |
//! | `aloud-hook` | nothing: it calls one hook of running work | whoever interrupts that work |
//!
//! The work's own code, its destructors and its wakers run on workers, on the reaper, on the events'
//! and the callbacks' thread, on threads for one hook and on callers' threads, never under a lock and
//! always with their panics caught.

mod body;
mod clock;
pub(super) mod events;
mod host;
pub(super) mod lock;
mod reaper;
pub(super) mod subscription;
mod threads;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};

use self::clock::Clock;
use self::events::Announcer;
use self::reaper::Reaper;
use self::subscription::Subscription;
use self::threads::Threads;
use super::core::{
    Answer, CallId, Command, Config, Core, Effect, Log, Now, Output, Reply, Report, Row, RunId,
};
use super::guard::guarded;
use super::interrupt::Interrupt;
use super::journal::Journal;
use super::open::Inner;
use super::options::Options;
use super::record::Record;
use super::store::{Recovery, Store};
use super::trace::trace_span;
use crate::model::{TaskId, Timestamp, Trace};

pub(super) use self::body::Body;
pub(super) use self::threads::{CALLBACKS, is_worker};
pub(super) use self::worker::{Finished, Job};

/// Workers that there may be at all: as many jobs and results fit into their channels.
pub(super) const MOST_WORKERS: usize = 256;

/// Everything behind the lock.
pub(super) struct Locked {
    pub core: Core<Body, Record>,
    out: Output<Body, Record>,
    /// The handles by which runs are interrupted.
    runs: BTreeMap<RunId, Arc<Interrupt>>,
    /// The callers that wait for a reply.
    calls: BTreeMap<CallId, Sender<Reply>>,
    next_call: CallId,
}

/// What threads and handles share.
pub(super) struct Runtime {
    locked: Mutex<Locked>,
    jobs: (Sender<Job>, Receiver<Job>),
    results: (Sender<Finished>, Receiver<Finished>),
    reaper: Reaper,
    pub store: Store,
    pub journal: Journal,
    announcer: Announcer,
    pub clock: Clock,
    pub threads: Threads,
    pub recovery: Option<Recovery>,
    pub options: Options,
    started: Instant,
    next_worker: AtomicUsize,
    /// What handles share of it, for work that asks for one.
    pub owner: OnceLock<Weak<Inner>>,
}

/// An effect with the handles that it needs, to be carried out once the lock is released.
enum Act {
    Persist(u64, Vec<Row<Record>>),
    Start(Job),
    SpawnWorker,
    Raise(Arc<Interrupt>, Raise),
    Drop(Body),
    WakeAt(Duration),
    Reply(Sender<Reply>, Reply),
    Log(Log, Option<Arc<Trace>>),
}

enum Raise {
    Reason(super::interrupt::StopReason),
    Part(crate::model::SegmentId),
    Abandon,
}

impl Runtime {
    /// An engine without threads of its own yet. Submissions are counted from `next_seq`.
    pub(super) fn new(
        options: Options,
        store: Store,
        journal: Journal,
        recovery: Option<Recovery>,
        next_seq: u64,
    ) -> Arc<Self> {
        let config = Config {
            cleanup_threshold: options.cleanup_threshold,
            task_timeout: options.task_timeout,
            part_timeout: options.segment_timeout,
            retries: options.retries,
            breaker: options.breaker,
            max_waiting: options.max_waiting,
            seed: fastrand::u64(..),
        };
        Arc::new(Self {
            locked: Mutex::new(Locked {
                core: Core::new(config, next_seq),
                out: Output::default(),
                runs: BTreeMap::new(),
                calls: BTreeMap::new(),
                next_call: 1,
            }),
            jobs: async_channel::bounded(2 * MOST_WORKERS),
            results: async_channel::bounded(2 * MOST_WORKERS),
            reaper: Reaper::default(),
            store,
            journal,
            announcer: Announcer::default(),
            clock: Clock::default(),
            threads: Threads::default(),
            recovery,
            options,
            started: Instant::now(),
            next_worker: AtomicUsize::new(1),
            owner: OnceLock::new(),
        })
    }

    /// Starts everything but the workers, which come with [`Command::Open`].
    pub(super) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        self.spawn(threads::EVENTS, |runtime| runtime.announcer.run())?;
        self.spawn(threads::CLOCK, clock::run)?;
        self.spawn(threads::REAPER, |runtime| runtime.reaper.run())
    }

    /// Starts a thread that is joined at the end.
    pub(super) fn spawn(
        self: &Arc<Self>,
        name: &'static str,
        run: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> std::io::Result<()> {
        let runtime = Arc::clone(self);
        self.threads.spawn(name, move || run(&runtime))
    }

    /// The lock. A panic can't leave the state half changed: no foreign code runs under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Now {
        Now {
            wall: Timestamp::now(),
            mono: self.started.elapsed(),
        }
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Tells the core what happened, and carries out what follows.
    pub(super) fn apply(self: &Arc<Self>, command: Command<Body, Record>) -> Answer {
        self.apply_all(|locked, now| {
            let Locked { core, out, .. } = locked;
            core.apply(command, now, out)
        })
    }

    /// The same for a command whose reply may come later: it is in the channel then. One that was
    /// answered at once has a closed channel.
    pub(super) fn call(
        self: &Arc<Self>,
        command: impl FnOnce(CallId) -> Command<Body, Record>,
    ) -> (Answer, Receiver<Reply>) {
        let (sender, replies) = async_channel::bounded(1);
        let answer = self.apply_all(|locked, now| {
            let call = locked.next_call;
            locked.next_call += 1;
            locked.calls.insert(call, sender);
            let Locked { core, out, .. } = locked;
            let answer = core.apply(command(call), now, out);
            if answer != Answer::Later {
                locked.calls.remove(&call);
            }
            answer
        });
        (answer, replies)
    }

    /// Tells the core of every run that has come back.
    pub(super) fn collect(self: &Arc<Self>, finished: Finished) {
        // Each worker has one result at a time, and there is room for all of them.
        let _ = self.results.0.try_send(finished);
        self.apply_all(|locked, now| {
            while let Ok(Finished { run, result, body }) = self.results.1.try_recv() {
                locked.runs.remove(&run);
                let command = Command::Finished { run, result, body };
                let Locked { core, out, .. } = locked;
                core.apply(command, now, out);
            }
        });
    }

    /// Tells the core what work says of itself: nothing but its event follows.
    pub(super) fn report(&self, task: &TaskId, report: Report) {
        let mut locked = self.lock();
        let now = self.now();
        let Locked { core, out, .. } = &mut *locked;
        core.report(task, report, now, out);
        let is_news = self.announcer.take(&mut out.events);
        drop(locked);
        if is_news {
            self.announcer.wake();
        }
    }

    fn apply_all<T>(self: &Arc<Self>, apply: impl FnOnce(&mut Locked, Now) -> T) -> T {
        let mut locked = self.lock();
        // Under the lock: moments must come to the core in order.
        let now = self.now();
        let answer = apply(&mut locked, now);
        let is_news = self.announcer.take(&mut locked.out.events);
        let discarded = std::mem::take(&mut locked.out.discarded);
        let acts = locked.take_acts();
        drop(locked);
        if is_news {
            self.announcer.wake();
        }
        for act in acts {
            self.carry_out(act);
        }
        drop(discarded);
        answer
    }

    fn carry_out(self: &Arc<Self>, act: Act) {
        match act {
            Act::Start(job) => {
                // As many as there are workers at most: there is room.
                let _ = self.jobs.0.try_send(job);
            }
            Act::Raise(interrupt, raise) => {
                match raise {
                    Raise::Reason(reason) => interrupt.mark(reason),
                    Raise::Part(part) => interrupt.mark_segment(part),
                    Raise::Abandon => interrupt.mark_abandoned(),
                }
                if interrupt.is_hooked() {
                    self.call_hook(interrupt);
                }
            }
            // The wakers of those who wait for an end are not ours.
            Act::Reply(caller, reply @ (Reply::Ended(_) | Reply::ShutDown)) => {
                self.announcer.reply(caller, reply);
            }
            Act::Reply(caller, reply) => {
                let _ = caller.try_send(reply);
            }
            Act::Persist(batch, rows) => {
                let runtime = Arc::clone(self);
                self.store.persist(rows, move |answers| {
                    runtime.apply(Command::Persisted { batch, answers });
                });
            }
            Act::SpawnWorker => {
                let number = self.next_worker.fetch_add(1, Ordering::Relaxed);
                let spawned = self.spawn(threads::WORKER, move |runtime| {
                    worker::run(runtime, number);
                });
                if let Err(error) = spawned {
                    tracing::error!(%error, "no worker thread can be started");
                    self.apply(Command::WorkerLost);
                }
            }
            Act::Drop(body) => {
                if let Some(body) = self.reaper.take(body) {
                    // The engine is down; whoever asked for this is the last one.
                    guarded("the destructor of a task's work", || drop(body));
                }
            }
            Act::WakeAt(at) => self.clock.wake_at(at),
            Act::Log(log, trace) => trace_span(trace.as_deref()).in_scope(|| write_log(&log)),
        }
    }

    /// A hook is not ours and may block: whoever is here has more to do, the clock above all.
    fn call_hook(self: &Arc<Self>, interrupt: Arc<Interrupt>) {
        let called = self.spawn(threads::HOOK, move |_| {
            guarded("the hook of an interrupt", || interrupt.call_hook());
            guarded("the hook of an interrupt", || drop(interrupt));
        });
        if let Err(error) = called {
            tracing::error!(%error, "no thread can be started to break work off");
        }
    }

    pub(super) fn jobs(&self) -> &Receiver<Job> {
        &self.jobs.1
    }

    /// Events from now on; `None` once there are no more.
    pub(super) fn subscribe(&self) -> Option<Subscription> {
        let locked = self.lock();
        let (_, _, is_down) = locked.core.life();
        (!is_down).then(|| self.announcer.subscribe())
    }

    /// Tells every thread to end, once the core has shut down.
    pub(super) fn close(&self) {
        self.jobs.0.close();
        // What was given up before a thread could be started for it.
        while let Ok(job) = self.jobs.1.try_recv() {
            guarded("the destructor of a task's work", || drop(job));
        }
        self.clock.close();
        // Everything is on disk: no row and no line comes any more.
        self.store.close();
        self.journal.close();
        self.reaper.close();
    }

    /// Ends the streams of events, once what is in them has been read.
    pub(super) fn close_events(&self) {
        self.announcer.close();
    }
}

impl Locked {
    /// What is to be done once the lock is released: handles are looked up here, where they are kept.
    fn take_acts(&mut self) -> Vec<Act> {
        if self.out.effects.is_empty() {
            return Vec::new();
        }
        let mut effects = std::mem::take(&mut self.out.effects);
        let mut acts = Vec::with_capacity(effects.len());
        for effect in effects.drain(..) {
            acts.extend(self.act(effect));
        }
        // Its room serves again.
        self.out.effects = effects;
        acts
    }

    fn act(&mut self, effect: Effect<Body, Record>) -> Option<Act> {
        Some(match effect {
            Effect::Start {
                run,
                task,
                kind,
                attempt,
                body,
            } => {
                let interrupt = Arc::new(Interrupt::default());
                self.runs.insert(run, Arc::clone(&interrupt));
                Act::Start(Job::Run {
                    run,
                    trace: self.core.trace(&task),
                    task,
                    kind,
                    attempt,
                    body,
                    interrupt,
                })
            }
            Effect::Interrupt { run, reason } => {
                Act::Raise(self.runs.get(&run)?.clone(), Raise::Reason(reason))
            }
            Effect::InterruptPart { run, part } => {
                Act::Raise(self.runs.get(&run)?.clone(), Raise::Part(part))
            }
            Effect::Abandon { run } => Act::Raise(self.runs.remove(&run)?, Raise::Abandon),
            Effect::Reply(call, reply) => Act::Reply(self.calls.remove(&call)?, reply),
            Effect::Persist { batch, rows } => Act::Persist(batch, rows),
            Effect::Retire => Act::Start(Job::Leave),
            Effect::SpawnWorker => Act::SpawnWorker,
            Effect::Drop(body) => Act::Drop(body),
            Effect::WakeAt(at) => Act::WakeAt(at),
            Effect::Log(log) => {
                let trace = log.task().and_then(|task| self.core.trace(task));
                Act::Log(log, trace)
            }
        })
    }
}

/// The words of the log for what the core decided.
fn write_log(log: &Log) {
    match log {
        Log::CleanedUp { count, max_age } => tracing::info!(
            count,
            "tasks that ended over {max_age:?} ago left the registry"
        ),
        Log::TriedAgain {
            task,
            attempt,
            delay,
        } => {
            let seconds = delay.as_secs_f64();
            tracing::warn!(%task, attempt, "it is tried again in {seconds:.1} s");
        }
        Log::FailedForGood { task, attempts } => {
            tracing::error!(%task, "it has failed after {attempts} attempts");
        }
        Log::GivenUp { task } => {
            tracing::warn!(%task, "its work does not stop: another thread takes its place");
        }
        Log::NotStored { task, error } => {
            let task = task.as_ref().map(tracing::field::display);
            tracing::error!(task, error, "a change could not be stored");
        }
        Log::ShutdownBegun { active } => {
            tracing::info!("initiating graceful shutdown");
            if *active > 0 {
                tracing::info!("waiting for {active} active tasks to complete");
            }
        }
        Log::StillActive { tasks, after } => {
            let seconds = after.as_secs_f64();
            tracing::warn!("Timeout: {tasks} tasks still active after {seconds:.1} s");
            tracing::warn!("forced shutdown");
        }
        Log::BreakerOpened { key, error, pause } => {
            let seconds = pause.as_secs_f64();
            tracing::warn!(
                key = &**key,
                error,
                "the tasks of this kind wait; one is tried in {seconds:.1} s"
            );
        }
        Log::BreakerClosed { key } => {
            tracing::info!(key = &**key, "the tasks of this kind continue");
        }
        Log::PassedOver { task } => {
            tracing::warn!(%task, "a run is passed over: there is a task of its id");
        }
        Log::Late { task, due, by } => {
            let (due, seconds) = (due.0, by.as_secs_f64());
            tracing::warn!(%task, due, "it missed its time and runs once, {seconds:.0} s late");
        }
        Log::Overslept { by } => {
            let seconds = by.as_secs_f64();
            tracing::info!("stopped for {seconds:.1} s: this does not count towards time-outs");
        }
    }
}
