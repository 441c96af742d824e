//! What a frame costs, over a task of 100,000 segments on a large screen: to draw, and in bytes for
//! the terminal. Before criterion's figures come the percentiles over many different frames.
//!
//!     cargo bench --bench frame

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, Event, Options, Plan, PlannedSegment, Reading, SegmentId, TaskStatus, Timestamp, Work,
};
use aloud::monitor::{HeadlessRenderer, theme::ColorDepth};
use criterion::{Criterion, criterion_group, criterion_main};

const SEGMENTS: u32 = 100_000;
const SIZE: (u16, u16) = (250, 80);
const SENTENCE: &str = "By midnight the sea had swallowed the lower path, and the only light for \
                        twenty miles was the lamp above his head.";

/// A task of so many segments, half of them done.
fn task() -> TaskStatus {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(Options::new(folder.path())).expect("an engine");
    let events = engine.subscribe();
    let work = Work::closure("A long book", |task| {
        for segment in 1..=SEGMENTS / 2 {
            let length = Duration::from_millis(4600);
            task.add_completed_segment(segment, format!("{segment:06}-by-midnight.wav"), length);
        }
        for segment in (1..SEGMENTS / 2).step_by(1000) {
            task.add_error(segment, "not to be spoken");
        }
        Ok(().into())
    });
    let id = engine.submit_task(work, None).expect("a task");
    while !matches!(events.recv_blocking(), Ok(Event::Ended { .. }) | Err(_)) {}
    let mut status = engine.task_status(&id).expect("its status");
    let segment = |number: u32| PlannedSegment {
        start: u64::from(number) * 120,
        end: u64::from(number) * 120 + 119,
        text: SENTENCE.into(),
        pause_ms: 250,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    status.plan = Some(Arc::new(Plan::new((0..SEGMENTS).map(segment).collect())));
    status.state = aloud::engine::TaskState::Processing;
    status.completed_at = None;
    status.progress.total = u64::from(SEGMENTS);
    status.progress.current = u64::from(SEGMENTS / 2);
    status.current_segment = Some(SegmentId::new(SEGMENTS / 2 + 1));
    status
}

fn monitor(task: &TaskStatus) -> HeadlessRenderer {
    let mut still = HeadlessRenderer::new("dark", ColorDepth::TrueColor, SIZE).expect("a theme");
    still.show(vec![task.clone()], Timestamp(0));
    still.draw();
    still
}

/// Frames as a person sees them: the work goes on, and they move about.
fn percentiles(task: &TaskStatus) {
    let mut still = monitor(task);
    let mut task = task.clone();
    let keys = [
        "tab", "down", "pgdn", "end", "home", "2", "pgup", "3", "1", "e", "e", "f",
    ];
    let mut times = Vec::new();
    let (mut answers, mut progress) = (Vec::new(), Vec::new());
    for step in 0..5000_u32 {
        let now = Timestamp(i64::from(step) * 100);
        let begun = Instant::now();
        if step % 2 == 0 {
            task.current_segment = Some(SegmentId::new(SEGMENTS / 2 + 1 + step % 1000));
            still.change(task.clone(), now);
            progress.push(still.draw().len());
        } else {
            still.press(keys[step as usize / 2 % keys.len()]);
            answers.push(still.draw().len());
        }
        times.push(begun.elapsed());
    }
    println!(
        "a frame at {}x{} over {SEGMENTS} segments, of {}: {}",
        SIZE.0,
        SIZE.1,
        times.len(),
        spread(&mut times),
    );
    println!("bytes of an answer: {}", spread(&mut answers));
    println!("bytes of progress: {}", spread(&mut progress));
}

fn spread<T: Ord + Debug>(of: &mut [T]) -> String {
    of.sort_unstable();
    let at = |percent: usize| &of[(of.len() - 1) * percent / 100];
    format!("median {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100))
}

fn frames(criterion: &mut Criterion) {
    let task = task();
    percentiles(&task);
    let mut group = criterion.benchmark_group("frame");
    let mut still = monitor(&task);
    group.bench_function("nothing changed", |bencher| bencher.iter(|| still.draw()));
    let mut still = monitor(&task);
    let mut running = task.clone();
    group.bench_function("the next segment", |bencher| {
        bencher.iter(|| {
            let at = running.current_segment.map_or(0, SegmentId::get);
            running.current_segment = Some(SegmentId::new(at % SEGMENTS + 1));
            still.change(running.clone(), Timestamp(0));
            still.draw()
        });
    });
    let mut still = monitor(&task);
    let mut running = task.clone();
    let mut now = 0;
    group.bench_function("a turned page", |bencher| {
        bencher.iter(|| {
            let at = running.current_segment.map_or(0, SegmentId::get);
            running.current_segment = Some(SegmentId::new((at + 500) % SEGMENTS + 1));
            now += 100;
            still.change(running.clone(), Timestamp(now));
            still.draw()
        });
    });
    let mut still = monitor(&task);
    still.press("tab");
    group.bench_function("a page down", |bencher| {
        bencher.iter(|| {
            still.press("pgdn");
            still.draw()
        });
    });
    let mut still = monitor(&task);
    still.press("tab");
    still.press("/");
    let mut long = false;
    group.bench_function("a letter of the filter", |bencher| {
        bencher.iter(|| {
            long = !long;
            still.press(if long { "m" } else { "bspace" });
            still.draw()
        });
    });
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
