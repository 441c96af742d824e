//! What is simulated: the core, what it wants of others, and what the others have in hand.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::Met;
use super::disk::{Disk, Record};
use crate::engine::core::{
    Again, Answer, Breaker, CallId, Command, Config, Core, Effect, Kind, Log, Now, Output, Report,
    Retries, Row, RunId,
};
use crate::engine::interrupt::StopReason;
use crate::model::{SegmentId, TaskId, TaskState, Timestamp};

/// Every kind of fault, and of what a user does, that histories must meet.
pub(super) const KINDS: &[&str] = &[
    "disk: a commit takes long",
    "disk: a row is refused for a while",
    "disk: a row is refused for good",
    "disk: a commit fails",
    "crash: the commit is lost",
    "crash: the commit is kept, its answer lost",
    "crash: nothing on its way",
    "worker: fails",
    "worker: fails for a while",
    "worker: hangs",
    "worker: is given up",
    "worker: comes back late",
    "worker: brings an old result",
    "worker: can't be started",
    "part: overdue",
    "part: fails",
    "part: result gone",
    "part: several open",
    "task: overdue",
    "task: its dependency fails",
    "task: tried again",
    "task: results taken over",
    "breaker: opens",
    "clock: the wall jumps",
    "clock: oversleeps",
    "user: submits twice",
    "user: finds the queue full",
    "user: cancels what waits",
    "user: cancels what runs",
    "user: cancels all",
    "user: pauses what runs",
    "user: pauses the queue",
    "user: moves",
    "user: moves to the front",
    "user: reports",
    "user: has a task recur",
    "user: ends a recurrence",
    "recurring: a run begins",
    "recurring: a run is late",
    "user: waits for an end",
    "user: changes the workers",
    "user: shuts down now",
    "user: shuts down after parts",
    "user: shuts down after tasks",
    "user: drains",
    "user: shuts down twice",
    "user: opens again",
    "urgent: an operation is asked to make room",
    "urgent: an operation makes room",
    "urgent: starts in a paused queue",
    "urgent: several wait",
];

/// What the wall's clock says at first, in milliseconds: early in 2026.
pub(super) const TODAY: i64 = 1_767_312_000_000;

thread_local! {
    static IN_CORE: Cell<bool> = const { Cell::new(false) };
}

/// Work, as something that must not be dropped by the core.
pub(super) struct Body {
    pub label: u64,
    alive: Rc<RefCell<BTreeSet<u64>>>,
    broken: Rc<RefCell<Vec<String>>>,
}

impl Again for Body {
    fn again(&self) -> Option<Self> {
        let mut alive = self.alive.borrow_mut();
        // Far from the numbers of those that are handed in.
        let label = alive.last().map_or(0, |last| last + 1).max(1 << 32);
        alive.insert(label);
        Some(Self {
            label,
            alive: Rc::clone(&self.alive),
            broken: Rc::clone(&self.broken),
        })
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if IN_CORE.get() {
            let inside = format!("work {} is dropped inside the core", self.label);
            self.broken.borrow_mut().push(inside);
        }
        self.alive.borrow_mut().remove(&self.label);
    }
}

/// A job on its way to a worker, or a thread that is one too many.
pub(super) enum Job {
    Run(Box<RunningJob>),
    Leave,
}

pub(super) struct RunningJob {
    pub run: RunId,
    pub task: TaskId,
    pub kind: Kind,
    pub body: Option<Body>,
    pub asked: Option<StopReason>,
    /// A part that was told to stop.
    pub broken_off: BTreeSet<SegmentId>,
    /// Attempts, open or made, with their leases.
    pub leases: Vec<(SegmentId, u64, bool)>,
    /// Calls for results that the disk has not answered.
    pub calls: BTreeMap<CallId, SegmentId>,
    /// It looks at nothing any more.
    pub hangs: bool,
    pub abandoned: bool,
    pub failed: bool,
}

/// What a caller waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Waits {
    Submission(TaskId),
    /// Whether it is to recur, or to recur no more.
    Recurring(Arc<str>, bool),
    Part(RunId),
    End(TaskId),
    Down,
}

/// What was promised of a task, over all processes.
#[derive(Clone, Debug, Default)]
pub(super) struct Promise {
    pub durable: bool,
    pub accepted: bool,
    pub ended: Option<TaskState>,
    /// Its end could not be stored, and it was told so: it continues in the next process.
    pub unstored: bool,
    /// It was asked to be cancelled while it ran, and a batch that was sent after that is on disk.
    pub cancel_batch: Option<u64>,
    pub cancel_stored: bool,
    pub timeout: Option<Duration>,
    /// The tasks it waits for, and whether there ever were any.
    pub after: Vec<TaskId>,
    pub depends: bool,
    pub due: Option<Duration>,
    pub fingerprint: Option<u8>,
    pub paused: bool,
    pub urgent: bool,
    /// It made room for an urgent one and has not been started since.
    pub yielded: bool,
    /// When it was started, and for how long the process has been stopped since.
    pub started: Option<Duration>,
    pub has_run: bool,
}

pub(super) struct World {
    pub random: fastrand::Rng,
    pub core: Core<Body, Record>,
    pub out: Output<Body, Record>,
    pub disk: Disk,
    /// The batch that is with the store.
    pub batch: Option<(u64, Vec<Row<Record>>)>,
    pub batch_age: u32,
    pub last_batch: u64,
    pub mono: Duration,
    /// For how long the process was stopped, in all.
    pub slept: Duration,
    pub wall: i64,
    pub wake_at: Option<Duration>,
    pub jobs: VecDeque<Job>,
    pub threads: usize,
    pub running: Vec<RunningJob>,
    pub calls: BTreeMap<CallId, Waits>,
    pub next_call: CallId,
    pub next_task: u64,
    pub next_body: u64,
    pub promises: BTreeMap<TaskId, Promise>,
    pub to_admit: Vec<(TaskId, Vec<SegmentId>)>,
    pub alive: Rc<RefCell<BTreeSet<u64>>>,
    pub broken: Rc<RefCell<Vec<String>>>,
    pub is_down: bool,
    pub shutting_down: bool,
    pub queue_paused: bool,
    pub part_timeout: Option<Duration>,
    pub met: Met,
    pub steps: u64,
    pub log: Vec<String>,
    pub keeps_log: bool,
    pub calm: bool,
    /// The system gives no thread at all.
    pub no_threads: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (core, part_timeout) = Self::open(&mut random, &Disk::default());
        let mut world = Self {
            random,
            core,
            out: Output::default(),
            disk: Disk::default(),
            batch: None,
            batch_age: 0,
            last_batch: 0,
            mono: Duration::ZERO,
            slept: Duration::ZERO,
            // In some, the clock is not set at first, or wrong for a while.
            wall: if seed.is_multiple_of(8) {
                1_000_000
            } else {
                TODAY
            },
            wake_at: None,
            jobs: VecDeque::new(),
            threads: 0,
            running: Vec::new(),
            calls: BTreeMap::new(),
            next_call: 1,
            next_task: 1,
            next_body: 1,
            promises: BTreeMap::new(),
            to_admit: Vec::new(),
            alive: Rc::default(),
            broken: Rc::default(),
            is_down: false,
            shutting_down: false,
            queue_paused: false,
            part_timeout,
            met: Met::new(),
            steps: 0,
            log: Vec::new(),
            keeps_log: std::env::var("ALOUD_SIM_SEED").is_ok(),
            calm: false,
            no_threads: false,
        };
        world.begin();
        world
    }

    fn open(random: &mut fastrand::Rng, disk: &Disk) -> (Core<Body, Record>, Option<Duration>) {
        let second = Duration::from_secs(1);
        let part_timeout = random.bool().then(|| second * random.u32(1..20));
        let config = Config {
            cleanup_threshold: second * random.u32(10..4000),
            task_timeout: None,
            part_timeout,
            retries: Retries {
                most: random.u32(0..3),
                first: second,
                longest: second * 20,
            },
            breaker: Breaker {
                failures: random.u32(1..4),
                first: second * 5,
                longest: second * 40,
            },
            max_waiting: if random.u8(..4) == 0 { 3 } else { 50 },
            seed: random.u64(..),
        };
        (Core::new(config, disk.next_seq()), part_timeout)
    }

    /// A process begins: what the disk has comes back, then work may begin.
    pub(super) fn begin(&mut self) {
        for (name, stored) in self.disk.recurring.clone() {
            self.restore_recurring(&name, stored);
        }
        for (id, stored) in self.disk.tasks.clone() {
            if !stored.state.is_terminal() {
                self.restore(&id, stored);
            }
        }
        let most = self.random.usize(1..4);
        self.apply(Command::SetWorkers(
            self.random.clone().usize(1..=most),
            most,
        ));
        self.apply(Command::Open);
    }

    /// Another process opens the library: of this one, only the disk is left.
    pub(super) fn reopen(&mut self) {
        self.note("the library is opened again");
        let (core, part_timeout) = Self::open(&mut self.random, &self.disk);
        self.core = core;
        self.part_timeout = part_timeout;
        self.out = Output::default();
        self.batch = None;
        self.mono = Duration::ZERO;
        self.slept = Duration::ZERO;
        self.wake_at = None;
        self.jobs.clear();
        self.threads = 0;
        self.running.clear();
        self.calls.clear();
        self.to_admit.clear();
        self.is_down = false;
        self.shutting_down = false;
        self.queue_paused = false;
        self.last_batch = 0;
        self.promises.retain(|_, promise| promise.durable);
        for promise in self.promises.values_mut() {
            promise.started = None;
            promise.due = None;
            promise.has_run = false;
            promise.yielded = false;
            promise.cancel_batch = None;
            if std::mem::take(&mut promise.unstored) {
                promise.ended = None;
            }
        }
        self.begin();
    }

    pub(super) fn now(&self) -> Now {
        Now {
            wall: Timestamp(self.wall),
            mono: self.mono,
        }
    }

    pub(super) fn note(&mut self, line: impl Into<String>) {
        if self.keeps_log {
            let line = line.into();
            self.log
                .push(format!("{:?}, wall {}: {line}", self.mono, self.wall));
        }
    }

    pub(super) fn met(&mut self, kind: &'static str) {
        debug_assert!(KINDS.contains(&kind), "{kind}");
        *self.met.entry(kind).or_default() += 1;
    }

    pub(super) fn fail(&mut self, problem: impl Into<String>) {
        self.broken.borrow_mut().push(problem.into());
    }

    pub(super) fn new_body(&mut self) -> Body {
        let label = self.next_body;
        self.next_body += 1;
        self.alive.borrow_mut().insert(label);
        Body {
            label,
            alive: Rc::clone(&self.alive),
            broken: Rc::clone(&self.broken),
        }
    }

    /// One in so many.
    pub(super) fn one_in(&mut self, number: u32) -> bool {
        self.random.u32(..number) == 0
    }

    pub(super) fn call(&mut self, waits: Waits) -> CallId {
        let call = self.next_call;
        self.next_call += 1;
        self.calls.insert(call, waits);
        call
    }

    /// Tells the core, checks what it tells, and gives everyone what is theirs.
    pub(super) fn apply(&mut self, command: Command<Body, Record>) -> Answer {
        let now = self.now();
        IN_CORE.set(true);
        let answer = self.core.apply(command, now, &mut self.out);
        IN_CORE.set(false);
        let events = std::mem::take(&mut self.out.events);
        let effects = std::mem::take(&mut self.out.effects);
        self.out.discarded.clear();
        for event in &events {
            self.told(event);
        }
        for effect in effects {
            self.carry_out(effect);
        }
        answer
    }

    /// The same for a report, from which no effect follows.
    pub(super) fn report_to_core(&mut self, task: &TaskId, report: Report) -> Answer {
        let now = self.now();
        IN_CORE.set(true);
        let answer = self.core.report(task, report, now, &mut self.out);
        IN_CORE.set(false);
        for event in std::mem::take(&mut self.out.events) {
            self.told(&event);
        }
        if !self.out.effects.is_empty() {
            self.fail("a report has effects");
        }
        answer
    }

    /// The same for a command that may be answered later.
    pub(super) fn ask(
        &mut self,
        waits: Waits,
        command: impl FnOnce(CallId) -> Command<Body, Record>,
    ) -> (Answer, CallId) {
        let call = self.call(waits);
        let answer = self.apply(command(call));
        if answer != Answer::Later && self.calls.remove(&call).is_none() {
            self.fail("a call is answered at once and again");
        }
        (answer, call)
    }

    fn carry_out(&mut self, effect: Effect<Body, Record>) {
        match effect {
            Effect::Persist { batch, rows } => {
                if self.batch.is_some() {
                    self.fail("two batches are under way");
                }
                self.note(format!("batch {batch}: {} rows", rows.len()));
                self.batch = Some((batch, rows));
                self.batch_age = 0;
                self.last_batch = batch;
            }
            Effect::Start {
                run,
                task,
                kind,
                body,
                ..
            } => {
                self.note(format!("{task} starts as run {run}"));
                self.check_start(&task);
                let promise = self.promises.entry(task.clone()).or_default();
                promise.started = Some(self.mono);
                promise.has_run = true;
                promise.yielded = false;
                self.jobs.push_back(Job::Run(Box::new(RunningJob {
                    run,
                    task,
                    kind,
                    body: Some(body),
                    asked: None,
                    broken_off: BTreeSet::new(),
                    leases: Vec::new(),
                    calls: BTreeMap::new(),
                    hangs: false,
                    abandoned: false,
                    failed: false,
                })));
            }
            Effect::Retire => self.jobs.push_back(Job::Leave),
            Effect::SpawnWorker => {
                if !self.calm && (self.no_threads || self.one_in(40)) {
                    self.met("worker: can't be started");
                    self.apply(Command::WorkerLost);
                } else {
                    self.threads += 1;
                }
            }
            Effect::Interrupt { run, reason } => {
                if reason == StopReason::Yield {
                    self.met("urgent: an operation is asked to make room");
                }
                if let Some(job) = self.job(run) {
                    job.asked = job.asked.max(Some(reason));
                }
            }
            Effect::InterruptPart { run, part } => {
                self.met("part: overdue");
                let job = self.job(run);
                let is_open = job.as_ref().is_some_and(|job| {
                    let mut leases = job.leases.iter();
                    leases.any(|(open, _, is_open)| *open == part && *is_open)
                });
                if let Some(job) = job {
                    job.broken_off.insert(part);
                }
                if !is_open {
                    self.fail(format!("part {part} is broken off and is not in the model"));
                }
            }
            Effect::Abandon { run } => {
                self.met("worker: is given up");
                if let Some(job) = self.job(run) {
                    job.abandoned = true;
                }
            }
            Effect::Drop(body) => drop(body),
            Effect::WakeAt(at) => {
                let earlier = self.wake_at.is_none_or(|old| at < old);
                if earlier {
                    self.wake_at = Some(at);
                }
            }
            Effect::Reply(call, reply) => self.replied(call, reply),
            Effect::Log(log) => match log {
                Log::BreakerOpened { .. } => self.met("breaker: opens"),
                Log::TriedAgain { .. } => self.met("task: tried again"),
                Log::Late { .. } => self.met("recurring: a run is late"),
                _ => {}
            },
        }
    }

    /// The job of a run, on its way or in work.
    pub(super) fn job(&mut self, run: RunId) -> Option<&mut RunningJob> {
        let waiting = self.jobs.iter_mut().filter_map(|job| match job {
            Job::Run(job) => Some(&mut **job),
            Job::Leave => None,
        });
        let mut all = waiting.chain(&mut self.running);
        all.find(|job| job.run == run)
    }

    /// Time passes, at most to the moment that the clock was asked to wake at.
    pub(super) fn pass(&mut self, most: Duration) {
        let until = self.mono + most;
        match self.wake_at {
            Some(at) if at <= until => {
                self.mono = self.mono.max(at);
                self.wall += 1;
                self.ring();
            }
            _ => {
                self.mono = until;
                self.wall += i64::try_from(most.as_millis()).unwrap_or(0);
            }
        }
    }

    pub(super) fn ring(&mut self) {
        self.note(format!(
            "the clock rings; it was asked to at {:?}",
            self.wake_at
        ));
        self.wake_at = None;
        self.apply(Command::Tick);
        // The steps of a shutdown may follow each other at once.
        if let Some(at) = self.wake_at.filter(|at| *at <= self.mono)
            && !self.shutting_down
        {
            self.fail(format!("the clock rings again and again for {at:?}"));
        }
    }
}
