//! What the engine costs a caller: submitting, reading, cancelling, taking the next task, and one
//! segment's update, with few and with many tasks, and with a task of few and of many segments.
//!
//!     cargo bench --bench engine

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, Narration, NarrationSettings, Narrator, Options, Plan, PlannedSegment, Reading,
    ShutdownWait, Submission, TaskContext, TaskId, Work, WorkError, WorkResult,
};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::Value;

/// Waits until it is told to stop: the worker is busy, and everything behind it waits.
fn busy() -> Work {
    Work::closure("busy", |task| {
        while !task.is_cancelled() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err(WorkError::Interrupted)
    })
}

fn nothing() -> Work {
    Work::closure("nothing", |_| Ok(Value::Null))
}

/// An engine with a busy worker and so many waiting tasks.
fn crowded(folder: &Path, tasks: usize) -> Engine {
    let engine = Engine::open(Options::new(folder)).expect("a new folder");
    engine
        .submit_task(busy(), None)
        .expect("the engine is open");
    for _ in 0..tasks {
        engine
            .submit_task(nothing(), None)
            .expect("the engine is open");
    }
    engine
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("calls");
    for tasks in [10, 10_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let engine = crowded(folder.path(), tasks);
        group.bench_with_input(
            BenchmarkId::new("submit and cancel", tasks),
            &tasks,
            |b, _| {
                b.iter_batched(
                    nothing,
                    |work| {
                        let id = engine.submit_task(work, None).expect("the engine is open");
                        engine.cancel_task(&id).is_ok()
                    },
                    BatchSize::SmallInput,
                );
            },
        );
        let id = engine
            .submit_task(nothing(), None)
            .expect("the engine is open");
        group.bench_with_input(BenchmarkId::new("status", tasks), &tasks, |b, _| {
            b.iter(|| black_box(engine.task_status(&id)));
        });
        group.bench_with_input(BenchmarkId::new("stats", tasks), &tasks, |b, _| {
            b.iter(|| black_box(engine.stats()));
        });
        engine.shutdown(ShutdownWait::Now);
    }
    group.finish();
}

/// How many times the worker goes on to the next task in one sample.
const CHANGES: u32 = 1000;

/// The worker goes from one task to the next, with so many waiting behind all of them. The worker
/// itself takes the time, from its first task to its last: neither its waking up nor that of
/// whoever waits for it is counted, and filling the queue is not, either.
fn next_task(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("next task");
    group.sample_size(20);
    for waiting in [10u32, 10_000] {
        group.bench_function(BenchmarkId::from_parameter(waiting), |b| {
            b.iter_custom(|rounds| {
                // The set-up takes so long that criterion may ask for a single round: however few
                // they are, many changes stand for them.
                let samples = rounds.div_ceil(u64::from(CHANGES));
                let took: Duration = (0..samples).map(|_| change_tasks(waiting)).sum();
                let changes = u128::from(samples) * u128::from(CHANGES);
                let nanos = took.as_nanos() * u128::from(rounds) / changes;
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            });
        });
    }
    group.finish();
}

/// How long a worker takes from its first task to the one [`CHANGES`] later.
fn change_tasks(waiting: u32) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = Engine::open(Options::new(folder.path())).expect("a new folder");
    engine.pause_queue();
    let (say, said) = std::sync::mpsc::channel();
    let now = || {
        let say = say.clone();
        Work::closure("now", move |_| {
            say.send(Instant::now()).ok();
            Ok(Value::Null)
        })
    };
    for number in 0..=CHANGES + waiting {
        let work = match number {
            0 | CHANGES => now(),
            _ => nothing(),
        };
        engine.submit_task(work, None).expect("the engine is open");
    }
    engine.resume_queue();
    let begun = said.recv().expect("the first task runs");
    let ended = said.recv().expect("the last task runs");
    engine.shutdown(ShutdownWait::Now);
    ended - begun
}

/// A closure of so many segments reports one after the other.
fn segment_update(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("segment update");
    for segments in [100u32, 100_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let engine = Engine::open(Options::new(folder.path())).expect("a new folder");
        let (ready, begun) = std::sync::mpsc::channel();
        let work = Work::closure("segments", move |task| {
            for segment in 1..=segments {
                task.add_completed_segment(segment, "clip.wav", Duration::from_secs(1));
            }
            ready.send(()).ok();
            while !task.is_cancelled() {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            Err(WorkError::Interrupted)
        });
        let id = engine.submit_task(work, None).expect("the engine is open");
        begun.recv().expect("it begins");
        let mut next = 0;
        group.bench_with_input(BenchmarkId::new("complete", segments), &segments, |b, _| {
            b.iter(|| {
                next = next % segments + 1;
                engine.add_completed_segment(&id, next, "clip.wav", Duration::from_secs(1));
            });
        });
        group.bench_with_input(BenchmarkId::new("status", segments), &segments, |b, _| {
            b.iter(|| black_box(engine.task_status(&id)));
        });
        engine.shutdown(ShutdownWait::Now);
    }
    group.finish();
}

struct Never;

impl Narrator for Never {
    fn narrate(&mut self, _: &Narration, context: &TaskContext) -> WorkResult {
        while !context.is_cancelled() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err(WorkError::Interrupted)
    }
}

/// A narration of 100,000 segments goes to disk.
fn durable(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("durable submission");
    group.sample_size(10);
    for segments in [100u32, 100_000] {
        let plan = Arc::new(Plan::new(
            (1..=segments)
                .map(|number| PlannedSegment {
                    start: u64::from(number) * 60,
                    end: u64::from(number) * 60 + 59,
                    text: "A sentence of about sixty characters, as in any long text.".into(),
                    pause_ms: 250,
                    heading: false,
                    reading: Reading::default(),
                    voice: 0,
                })
                .collect(),
        ));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut options = Options::new(folder.path());
        options.narrator = Some(Arc::new(|| Box::new(Never)));
        let engine = Engine::open(options).expect("a new folder");
        group.bench_with_input(BenchmarkId::from_parameter(segments), &plan, |b, plan| {
            b.iter_batched(
                || {
                    Submission::new(Narration {
                        title: "long".into(),
                        source: "text".into(),
                        plan: Arc::clone(plan),
                        folder: folder.path().to_owned(),
                        voice: "voice".into(),
                        voice_version: "".into(),
                        file: None,
                        settings: NarrationSettings::default(),
                        fingerprint: TaskId::random().to_string(),
                    })
                    .paused()
                },
                |submission| engine.submit(submission).expect("the engine is open"),
                BatchSize::PerIteration,
            );
        });
        engine.shutdown(ShutdownWait::Now);
    }
    group.finish();
}

criterion_group!(benches, calls, next_task, segment_update, durable);
criterion_main!(benches);
