//! The engine over a long life and over many lives: nothing is left behind, neither memory nor
//! threads nor open files. Each test reads the numbers of its whole process, and therefore runs in
//! one of its own.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, ErrorObject, Event, Narration, NarrationSettings, Narrator, Options, Plan,
    PlannedSegment, Reading, ShutdownWait, Subscription, TaskContext, TaskId, TaskState, Work,
    WorkError, WorkResult,
};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);
/// How long a thread that has been joined may still be listed.
const LISTED: Duration = Duration::from_secs(1);
/// Set in the process that is one test's own.
const ALONE: &str = "ALOUD_TEST_ALONE";

/// Runs the calling test in a process of its own. Returns whether this is it.
///
/// The process has one heap for all threads: those that the allocator adds for threads that happen
/// to meet would look like growth.
#[track_caller]
fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&ran.stdout);
    println!("{out}");
    assert!(
        ran.status.success(),
        "{out}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(out.contains("1 passed"), "no such test: {test}");
    false
}

/// Memory of this process that is in use now, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// The names of this process's threads.
fn threads() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let mut names: Vec<_> = threads
        // One that ends while it is looked at has no name any more.
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .collect();
    names.sort();
    names
}

/// Waits until `names` gives these. A thread has its name a moment after its start, and is listed a
/// moment longer than it can be joined; one that was forgotten is there much longer than `patience`.
#[track_caller]
fn await_threads(names: impl Fn() -> Vec<String>, wanted: &[impl AsRef<str>], patience: Duration) {
    let until = Instant::now() + patience;
    let same = |found: &[String]| found.iter().eq(wanted.iter().map(AsRef::as_ref));
    let mut found = names();
    while !same(&found) {
        let wanted: Vec<_> = wanted.iter().map(AsRef::as_ref).collect();
        assert!(Instant::now() < until, "{found:?} are not {wanted:?}");
        std::thread::yield_now();
        found = names();
    }
}

/// What this process has open, by number: files, pipes and sockets.
fn descriptors() -> Vec<String> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let mut open: Vec<_> = open
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let file = std::fs::read_link(&path).ok()?;
            Some(format!("{} → {}", path.display(), file.display()))
        })
        // The folder that is being read here.
        .filter(|open| !open.ends_with("/fd"))
        .collect();
    open.sort();
    open
}

/// At most one part in twenty more than before. The heap's own ups and downs stay below half of
/// that; 64 bytes left by each task, or 4 kB by each life, are more.
#[track_caller]
fn assert_no_growth(before: u64, after: u64) {
    assert!(
        after <= before + before / 20,
        "resident memory grew from {before} kB to {after} kB"
    );
}

/// Waits until a task has ended, or has been cleared away since.
fn wait_for(engine: &Engine, events: &Subscription, id: &TaskId) {
    while engine
        .task_status(id)
        .is_some_and(|task| !task.state.is_terminal())
    {
        events.recv_blocking().expect("the engine still runs");
    }
}

/// A task that tells everything that a task can tell, and ends well or not.
fn small(number: u32) -> Work {
    Work::closure(format!("task {number}"), move |task| {
        task.update_progress(1, 2, Some(json!({ "phase": "half" })));
        task.add_completed_segment(1, format!("clips/{number}.wav"), Duration::from_secs(2));
        if number.is_multiple_of(7) {
            task.add_error(2, format!("segment 2 of task {number} would not speak"));
        }
        task.set_partial_result(json!([number]));
        if number.is_multiple_of(11) {
            return Err(ErrorObject::new("UNLUCKY", format!("task {number} fails")).into());
        }
        Ok(json!({ "number": number }))
    })
}

#[test]
fn ten_thousand_small_tasks_leave_no_memory_behind() {
    if !alone("ten_thousand_small_tasks_leave_no_memory_behind") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.cleanup_threshold = Duration::from_millis(1);
    let engine = Engine::open(options).unwrap();
    let events = engine.subscribe();
    // A reader that never reads must not cost more and more, either.
    let _idle = engine.subscribe();
    let (mut number, mut most) = (0, 0);
    let mut run_until = |count: u32| {
        while number < count {
            // In bursts, so that tasks wait for each other; larger ones at first, so that the heap
            // has been as large as it will ever need to be when it is measured.
            let burst = if number < 1_000 { 100 } else { 50 };
            let mut last = None;
            for _ in 0..burst {
                number += 1;
                last = Some(engine.submit_task(small(number), None).unwrap());
            }
            wait_for(&engine, &events, &last.unwrap());
            let stats = engine.stats();
            most = most.max(stats.completed + stats.failed + stats.pending);
        }
        resident()
    };
    let before = run_until(1_000);
    let after = run_until(10_000);
    println!("resident after 1,000 tasks: {before} kB, after 10,000: {after} kB");
    println!("at most {most} tasks in the registry at once");
    assert_eq!(engine.stats().submitted, 10_000);
    assert!(most < 500, "{most} tasks in the registry at once");
    assert_no_growth(before, after);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn two_hundred_lives_leave_no_thread_descriptor_or_memory_behind() {
    if !alone("two_hundred_lives_leave_no_thread_descriptor_or_memory_behind") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (threads_before, descriptors_before) = (threads(), descriptors());
    let mut early = 0;
    for life in 1..=200 {
        let engine = Engine::open(Options::new(folder.path())).unwrap();
        let events = engine.subscribe();
        let id = engine.submit_task(small(life), None).unwrap();
        wait_for(&engine, &events, &id);
        engine.shutdown(ShutdownWait::Now);
        // By now whatever is made once is there, and the stacks that the system keeps for later.
        if life == 20 {
            early = resident();
        }
    }
    let late = resident();
    println!("resident after 20 lives: {early} kB, after 200: {late} kB");
    println!("threads: {threads_before:?}, descriptors: {descriptors_before:?}");
    await_threads(threads, &threads_before, LISTED);
    assert_eq!(descriptors(), descriptors_before);
    assert_no_growth(early, late);
}

/// Waits in the middle of a segment, with a thread of its own, until it is interrupted.
struct Patient;

impl Narrator for Patient {
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult {
        let wait = || {
            let until = Instant::now() + PATIENCE;
            while context.interrupt().reason().is_none() {
                assert!(Instant::now() < until, "nobody stopped it");
                std::thread::yield_now();
            }
        };
        for (segment_id, _) in narration.plan.iter() {
            context.begin_segment(segment_id)?;
            std::thread::scope(|scope| {
                let helper = std::thread::Builder::new().name("aloud-helper".into());
                helper.spawn_scoped(scope, wait).map(drop)
            })?;
        }
        Err(WorkError::Interrupted)
    }
}

fn narration(folder: &Path) -> Narration {
    let segment = PlannedSegment {
        start: 0,
        end: 4,
        text: "Text".into(),
        pause_ms: 0,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    Narration {
        title: "A story".into(),
        source: "Text".into(),
        plan: Arc::new(Plan::new(vec![segment])),
        folder: folder.to_owned(),
        voice: "test".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: "same".into(),
    }
}

#[test]
fn after_shutdown_no_thread_of_the_engine_is_left() {
    if !alone("after_shutdown_no_thread_of_the_engine_is_left") {
        return;
    }
    let ours = || {
        let mut names = threads();
        names.retain(|name| name.starts_with("aloud-"));
        names
    };
    let none: [&str; 0] = [];
    let idle = [
        "aloud-clock",
        "aloud-events",
        "aloud-journal",
        "aloud-reaper",
        "aloud-store",
        "aloud-worker",
        "aloud-worker",
    ];
    let at_work = [
        "aloud-clock",
        "aloud-events",
        "aloud-helper",
        "aloud-journal",
        "aloud-reaper",
        "aloud-store",
        "aloud-worker",
        "aloud-worker",
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().join("library"));
    options.workers = 2;
    let mut narrating = options.clone();
    narrating.narrator = Some(Arc::new(|| Box::new(Patient)));
    let waits = [
        ShutdownWait::Now,
        ShutdownWait::Segments(PATIENCE),
        ShutdownWait::Tasks(Duration::from_millis(20)),
    ];
    for wait in waits {
        let engine = Engine::open(options.clone()).unwrap();
        await_threads(ours, &idle, PATIENCE);
        engine.shutdown(wait);
        await_threads(ours, &none, LISTED);

        // With a narration that is interrupted in the middle of a segment.
        let engine = Engine::open(narrating.clone()).unwrap();
        let events = engine.subscribe();
        let id = match engine.unfinished_like("same") {
            Some(id) => id,
            None => engine.submit_task(narration(folder.path()), None).unwrap(),
        };
        await_threads(ours, &at_work, PATIENCE);
        let report = engine.shutdown(wait);
        await_threads(ours, &none, LISTED);
        assert_eq!((report.interrupted, report.abandoned), (1, 0), "{wait:?}");
        let mut left = std::iter::from_fn(|| events.recv_blocking().ok());
        assert!(left.any(|event| matches!(event, Event::Requeued { .. })));
        assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Pending);
    }
    // The last handle that goes does it as well.
    let engine = Engine::open(narrating).unwrap();
    await_threads(ours, &at_work, PATIENCE);
    drop(engine);
    await_threads(ours, &none, LISTED);
}
