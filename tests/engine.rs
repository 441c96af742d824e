//! The engine's promises, with closures and with a narrator made for tests.

#[path = "engine/recurring.rs"]
mod recurring;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use aloud::engine::{
    ClipRecord, Engine, ErrorObject, Event, GroupId, Hooks, Narration, NarrationSettings, Narrator,
    Options, Plan, PlannedSegment, Priority, SegmentId, ShutdownWait, StoreError, Submission,
    SubmitError, Subscription, TaskContext, TaskId, TaskState, TaskStatus, Work, WorkError,
    WorkResult,
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads events until one of them says what we wait for.
fn until(events: &Subscription, mut wanted: impl FnMut(&Event) -> bool) -> Event {
    loop {
        let event = events.recv_blocking().expect("the engine still runs");
        if wanted(&event) {
            return event;
        }
    }
}

fn until_ended(engine: &Engine, events: &Subscription, id: &TaskId) -> TaskStatus {
    until(
        events,
        |event| matches!(event, Event::Ended { task, .. } if task == id),
    );
    engine.task_status(id).unwrap()
}

fn open(folder: &Path) -> Engine {
    Engine::open(Options::new(folder)).unwrap()
}

/// Work that runs until it is told to stop, and says when it has begun.
fn endless(begun: mpsc::Sender<()>) -> Work {
    Work::closure("endless", move |task| {
        begun.send(()).unwrap();
        let until = Instant::now() + PATIENCE;
        while !task.is_cancelled() {
            assert!(Instant::now() < until, "nobody stopped it");
            std::thread::yield_now();
        }
        Err(WorkError::Interrupted)
    })
}

#[test]
fn a_task_waits_its_turn_and_keeps_what_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let (release, gate) = mpsc::channel::<()>();
    let (begun, first_begun) = mpsc::channel();
    let first = engine
        .submit_task(
            Work::closure("first", move |task| {
                begun.send(()).unwrap();
                gate.recv().unwrap();
                task.update_progress(1, 3, Some(json!({ "phase": "one" })));
                task.add_completed_segment(1, "clips/1.wav", Duration::from_millis(1500));
                task.add_error(2, "it would not speak");
                task.set_partial_result(json!(["one"]));
                task.update_progress(3, 3, None);
                Ok(json!("all"))
            }),
            Some(TaskId::from("mine")),
        )
        .unwrap();
    assert_eq!(first.as_str(), "mine");
    first_begun.recv_timeout(PATIENCE).unwrap();
    let second = engine
        .submit_task(Work::closure("second", |_| Ok(Value::Null)), None)
        .unwrap();
    assert_eq!(
        engine.task_status(&first).unwrap().state,
        TaskState::Processing
    );
    let waiting = engine.task_status(&second).unwrap();
    assert_eq!(waiting.state, TaskState::Pending);
    assert!(waiting.started_at.is_none() && waiting.completed_at.is_none());
    assert!(uuid_like(second.as_str()));
    let health = engine.health();
    assert_eq!(
        (health.active_threads, health.max_threads, health.backlog),
        (1, 1, 1)
    );
    assert!(matches!(
        engine.submit_task(
            Work::closure("again", |_| Ok(Value::Null)),
            Some(first.clone())
        ),
        Err(SubmitError::Duplicate(_))
    ));
    release.send(()).unwrap();
    let done = until_ended(&engine, &events, &first);
    assert_eq!(
        (done.state, done.progress.percentage()),
        (TaskState::Completed, 100)
    );
    assert!((done.progress.fraction() - 1.0).abs() < f64::EPSILON);
    assert_eq!(
        done.completed_segments.get(1).unwrap().duration,
        Duration::from_millis(1500)
    );
    assert_eq!(
        done.errors.of(2).next().unwrap().message,
        "it would not speak"
    );
    assert_eq!(
        (done.result, done.partial_result),
        (Some("all".into()), Some(json!(["one"]).into()))
    );
    assert!(done.completed_at.unwrap() >= done.started_at.unwrap());
    assert_eq!(
        until_ended(&engine, &events, &second).state,
        TaskState::Completed
    );
    let nobody = TaskId::from("nobody");
    engine.update_progress(&nobody, 1, 2, None);
    engine.add_completed_segment(&nobody, 1, "clip", Duration::from_secs(1));
    engine.add_error(&nobody, 1, "no");
    engine.set_partial_result(&nobody, Value::Null);
    assert!(engine.task_status(&nobody).is_none());
    assert!(engine.cancel_task(&TaskId::from("nobody")).is_err());
}

fn uuid_like(id: &str) -> bool {
    id.len() == 36 && id.chars().filter(|&c| c == '-').count() == 4
}

#[test]
fn a_total_of_nothing_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let work = Work::closure("empty", |task| {
        task.update_progress(5, 0, None);
        Ok(Value::Null)
    });
    let id = engine.submit_task(work, None).unwrap();
    let status = until_ended(&engine, &events, &id);
    assert_eq!(status.progress.percentage(), 0);
    assert!(status.progress.fraction().abs() < f64::EPSILON);
}

#[test]
fn a_panic_or_an_error_fails_the_task_and_the_worker_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let submit = |work| engine.submit_task(work, None).unwrap();
    let panics = submit(Work::closure("panics", |_| panic!("no {}", "good")));
    let fails = submit(Work::closure("fails", |_| {
        let text = std::fs::read_to_string("/no/such/file")?;
        Ok(Value::String(text))
    }));
    let object = submit(Work::closure("object", |_| {
        Err(ErrorObject::new("MINE", "mine").with_remediation("try less"))?
    }));
    let lives = submit(Work::closure("lives", |_| Ok(json!(1))));
    let error = |id| {
        let status = until_ended(&engine, &events, id);
        assert_eq!(status.state, TaskState::Failed);
        assert!(status.completed_at.is_some());
        status.error.unwrap()
    };
    let panicked = error(&panics);
    assert_eq!(panicked.code, "PANIC");
    assert!(panicked.message.contains("no good"), "{}", panicked.message);
    assert!(error(&fails).message.contains("No such file"));
    let mine = error(&object);
    assert_eq!(
        (mine.code.as_str(), mine.remediation.as_str()),
        ("MINE", "try less")
    );
    assert_eq!(
        until_ended(&engine, &events, &lives).state,
        TaskState::Completed
    );
}

#[test]
fn cancelling_ends_a_waiting_task_at_once_and_interrupts_a_running_one() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let (begun, running) = mpsc::channel();
    let first = engine.submit_task(endless(begun), None).unwrap();
    running.recv_timeout(PATIENCE).unwrap();
    let never = Work::closure("never", |_| panic!("it must not run"));
    let second = engine.submit_task(never, None).unwrap();
    assert!(engine.cancel_task(&second).is_ok());
    let cancelled = engine.task_status(&second).unwrap();
    assert_eq!(cancelled.state, TaskState::Cancelled);
    assert!(cancelled.completed_at.is_some() && engine.is_cancelled(&second));
    assert!(engine.cancel_task(&second).is_err(), "it has ended");
    assert!(engine.cancel_task(&first).is_ok());
    assert!(engine.is_cancelled(&first));
    engine.cancel_task(&first).unwrap();
    assert_eq!(
        until_ended(&engine, &events, &first).state,
        TaskState::Cancelled
    );
}

#[test]
fn a_task_over_its_time_fails_with_its_partial_result() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let (begun, _running) = mpsc::channel();
    let slow = Work::closure("slow", move |task| {
        task.set_partial_result(json!({ "half": true }));
        match endless(begun) {
            Work::Closure { run, .. } => run(task),
            _ => unreachable!(),
        }
    });
    let limit = Duration::from_millis(50);
    let id = engine.submit(Submission::new(slow).timeout(limit)).unwrap();
    let status = until_ended(&engine, &events, &id);
    assert_eq!(status.state, TaskState::Failed);
    assert_eq!(
        serde_json::to_value(status.error).unwrap(),
        json!({
            "code": "TIMEOUT",
            "message": "Operation exceeded timeout of 0.05 seconds",
            "details": { "timeout_seconds": 0.05, "partial_result": { "half": true } },
            "remediation":
                "Try breaking the operation into smaller chunks or increase timeout",
        })
    );
    let next = engine
        .submit_task(Work::closure("next", |_| Ok(Value::Null)), None)
        .unwrap();
    assert_eq!(
        until_ended(&engine, &events, &next).state,
        TaskState::Completed
    );
}

#[test]
fn clean_up_takes_the_ended_and_never_the_active() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let done = engine
        .submit_task(Work::closure("done", |_| Ok(Value::Null)), None)
        .unwrap();
    until_ended(&engine, &events, &done);
    let (begun, running) = mpsc::channel();
    let active = engine.submit_task(endless(begun), None).unwrap();
    running.recv_timeout(PATIENCE).unwrap();
    let waiting = engine
        .submit_task(Work::closure("w", |_| Ok(Value::Null)), None)
        .unwrap();
    assert_eq!(engine.cleanup_old_tasks(Duration::from_secs(3600)), 0);
    assert!(engine.task_status(&done).is_some());
    assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 1);
    assert!(engine.task_status(&done).is_none());
    assert!(engine.task_status(&active).is_some() && engine.task_status(&waiting).is_some());
    assert_eq!(engine.stats().completed, 0);
    engine.cancel_task(&active).unwrap();
}

#[test]
fn history_keeps_what_clean_up_removes_and_what_a_lost_database_had() {
    let folder = tempfile::tempdir().unwrap();
    let story = |name: &str, segments| {
        let mut story = narration(&folder.path().join(name), segments);
        story.title = name.into();
        story.fingerprint = name.into();
        Submission::new(story).id(name)
    };
    let (engine, _) = narrating(folder.path(), Some(4));
    let events = engine.subscribe();
    let done = engine.submit(story("done", 3)).unwrap();
    until_ended(&engine, &events, &done);
    let cancelled = engine.submit(story("cancelled", 5)).unwrap();
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { task, segment } if *task == cancelled && segment.segment_id.get() == 3),
    );
    engine.cancel_task(&cancelled).unwrap();
    until_ended(&engine, &events, &cancelled);
    // Neither closures nor what has not ended are history.
    let closure = engine.submit_task(Work::closure("closure", |_| Ok(Value::Null)), None);
    until_ended(&engine, &events, &closure.unwrap());
    engine.submit(story("waiting", 2).paused()).unwrap();
    assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 3);

    let history = engine.history(10).unwrap();
    let lines: Vec<_> = history
        .iter()
        .map(|past| {
            let tally = past.tally.unwrap();
            let counts = (tally.segments, tally.done, tally.errors);
            (&*past.title, past.state, counts, past.problem.is_some())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("cancelled", TaskState::Cancelled, (5, 3, 0), true),
            ("done", TaskState::Completed, (3, 3, 0), false),
        ]
    );
    // 100 samples at 1000 a second in each clip.
    assert!((history[1].tally.unwrap().audio_seconds - 0.3).abs() < 1e-9);
    assert!(history[1].completed_at >= history[1].created_at);
    assert_eq!(*history[1].folder, folder.path().join("done"));
    assert_eq!(engine.history(1).unwrap(), history[..1]);
    assert!(engine.history(0).unwrap().is_empty());
    assert_eq!(engine.history(usize::MAX).unwrap().len(), 2);
    engine.shutdown(ShutdownWait::Now);
    assert!(matches!(engine.history(1), Err(StoreError::Closed)));
    drop(engine);

    std::fs::remove_file(folder.path().join("library/aloud.db")).unwrap();
    let (engine, _) = narrating(folder.path(), None);
    assert_eq!(engine.history(10).unwrap(), history);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn one_engine_a_folder_and_handles_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = open(folder.path());
    let id = first
        .submit_task(Work::closure("one", |_| Ok(Value::Null)), None)
        .unwrap();
    assert!(second.task_status(&id).is_some());
    let detour = open(
        &folder
            .path()
            .join("..")
            .join(folder.path().file_name().unwrap()),
    );
    assert!(
        detour.task_status(&id).is_some(),
        "another name of the same folder"
    );
    second.shutdown(ShutdownWait::Now);
    assert!(first.health().is_shutdown);
    let again = open(folder.path());
    assert!(!again.health().is_shutdown);
}

#[test]
fn after_shutdown_nothing_is_taken_and_no_thread_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let (begun, running) = mpsc::channel();
    let id = engine.submit_task(endless(begun), None).unwrap();
    running.recv_timeout(PATIENCE).unwrap();
    let report = engine.shutdown(ShutdownWait::Now);
    assert_eq!(
        (report.finished, report.interrupted, report.abandoned),
        (1, 0, 0)
    );
    let status = engine.task_status(&id).unwrap();
    assert_eq!(
        (status.state, status.error.unwrap().code.as_str()),
        (TaskState::Cancelled, "SHUTDOWN")
    );
    assert!(matches!(
        engine.submit_task(Work::closure("late", |_| Ok(Value::Null)), None),
        Err(SubmitError::ShutDown)
    ));
    while events.recv_blocking().is_ok() {}
    assert!(engine.health().is_shutdown);
    engine.shutdown(ShutdownWait::Now);
}

/// A narrator that makes clips of a few bytes, and counts them. It stops before segment `stop_at`
/// until it is interrupted.
struct TestNarrator {
    made: Arc<AtomicUsize>,
    stop_at: Option<u32>,
}

impl Narrator for TestNarrator {
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult {
        let done = context.status().unwrap().completed_segments;
        for (segment_id, _) in narration.plan.iter() {
            if done.get(segment_id).is_some() {
                continue;
            }
            if self.stop_at == Some(segment_id.get()) {
                let until = Instant::now() + PATIENCE;
                while context.interrupt().reason().is_none() {
                    assert!(Instant::now() < until, "nobody stopped it");
                    std::thread::yield_now();
                }
            }
            let attempt = context.begin_segment(segment_id)?;
            let clip = format!("{segment_id}.wav");
            std::fs::write(narration.folder.join(&clip), b"clip")?;
            self.made.fetch_add(1, Ordering::SeqCst);
            let record = ClipRecord {
                segment_id,
                clip: clip.into(),
                bytes: 4,
                samples: 100,
                rate: 1000,
                peak: 0.5,
                checksum: None,
            };
            context.complete_segment(attempt, record, Duration::from_millis(1))?;
        }
        Ok(json!(context.clips()?.len()))
    }
}

fn narrating(folder: &Path, stop_at: Option<u32>) -> (Engine, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let mut options = Options::new(folder.join("library"));
    options.narrator = Some(Arc::new(move || {
        Box::new(TestNarrator {
            made: Arc::clone(&counter),
            stop_at,
        })
    }));
    (Engine::open(options).unwrap(), made)
}

fn narration(folder: &Path, segments: u32) -> Narration {
    let segment = |number: u32| PlannedSegment {
        start: u64::from(number),
        end: u64::from(number) + 1,
        text: format!("Segment {number}.").into(),
        pause_ms: 100,
        heading: false,
    };
    Narration {
        title: "A story".into(),
        source: "text".into(),
        plan: Arc::new(Plan::new((1..=segments).map(segment).collect())),
        folder: folder.to_owned(),
        voice: "test".into(),
        voice_version: "".into(),
        settings: NarrationSettings::default(),
        fingerprint: "same".into(),
    }
}

#[test]
fn a_narration_survives_a_shutdown_and_no_clip_is_made_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, made) = narrating(folder.path(), Some(4));
    let events = engine.subscribe();
    let id = engine
        .submit_task(narration(folder.path(), 10), None)
        .unwrap();
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { segment, .. } if segment.segment_id.get() == 3),
    );
    let report = engine.shutdown(ShutdownWait::Segments(PATIENCE));
    assert_eq!((report.interrupted, made.load(Ordering::SeqCst)), (1, 3));
    assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Pending);
    drop(engine);

    // One clip is lost and another damaged while nobody looks.
    std::fs::remove_file(folder.path().join("1.wav")).unwrap();
    std::fs::write(folder.path().join("2.wav"), b"cl").unwrap();
    let (engine, made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    let task = engine.task_status(&id).unwrap();
    let status = match task.state {
        TaskState::Completed => task,
        _ => until_ended(&engine, &events, &id),
    };
    assert_eq!(
        (status.state, status.result),
        (TaskState::Completed, Some(10.into()))
    );
    assert_eq!(made.load(Ordering::SeqCst), 9, "segment 3 was made before");
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_cancelled_narration_keeps_its_clips_and_the_same_one_goes_on_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, made) = narrating(folder.path(), Some(3));
    let events = engine.subscribe();
    let id = engine
        .submit_task(narration(folder.path(), 5), None)
        .unwrap();
    assert_eq!(engine.unfinished_like("same"), Some(id.clone()));
    let twice = engine.submit_task(narration(folder.path(), 5), None);
    assert!(matches!(twice, Err(SubmitError::Duplicate(first)) if first == id));
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { segment, .. } if segment.segment_id.get() == 2),
    );
    assert!(engine.cancel_after_segment(&id).is_ok());
    let status = until_ended(&engine, &events, &id);
    assert_eq!(
        (status.state, status.completed_segments.len()),
        (TaskState::Cancelled, 2)
    );
    assert_eq!(engine.unfinished_like("same"), None);
    assert_eq!(
        engine.ended_like("same").unwrap().as_deref(),
        Some(folder.path())
    );
    engine.shutdown(ShutdownWait::Now);

    let before = made.load(Ordering::SeqCst);
    let (engine, made) = narrating(folder.path(), None);
    assert!(
        engine.tasks().is_empty(),
        "a cancelled narration does not come back by itself"
    );
    let events = engine.subscribe();
    let again = engine
        .submit_task(narration(folder.path(), 5), None)
        .unwrap();
    assert_eq!(
        until_ended(&engine, &events, &again)
            .completed_segments
            .len(),
        5
    );
    assert_eq!((before, made.load(Ordering::SeqCst)), (2, 3));
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn everything_that_was_cancelled_is_tried_again_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = narrating(folder.path(), None);
    let events = engine.subscribe();
    engine.pause_queue();
    let id = engine
        .submit_task(narration(folder.path(), 5), None)
        .unwrap();
    assert!(engine.retry_all().is_empty(), "it has not ended");
    assert_eq!(engine.cancel_all(), 1);
    until_ended(&engine, &events, &id);
    let [again] = &engine.retry_all()[..] else {
        panic!("one was cancelled");
    };
    let again = again.as_ref().unwrap();
    assert!(engine.retry_all().is_empty());
    engine.pause_task(again).unwrap();
    engine.resume_all();
    let status = until_ended(&engine, &events, again);
    assert_eq!(status.state, TaskState::Completed);
    assert!(engine.retry_all().is_empty());
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn without_a_narrator_narrations_are_refused_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let refused = engine.submit_task(narration(folder.path(), 1), None);
    assert!(matches!(refused, Err(SubmitError::NoNarrator)));
}

#[test]
fn tasks_run_by_priority_after_others_and_in_groups() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let order = Arc::clone(&order);
        Work::closure(name, move |_| {
            order.lock().unwrap().push(name);
            Ok(Value::Null)
        })
    };
    engine.pause_queue();
    let submit = |submission: Submission| engine.submit(submission).unwrap();
    let book = GroupId::from("book");
    let first = submit(Submission::new(note("first")).group("book"));
    let low = submit(Submission::new(note("low")).priority(Priority::Low));
    let high = submit(
        Submission::new(note("high"))
            .priority(Priority::High)
            .group("book"),
    );
    let last = submit(
        Submission::new(note("last"))
            .priority(Priority::High)
            .after([low.clone(), first.clone()]),
    );
    let held = submit(Submission::new(note("held")).paused().group("book"));
    let moved = submit(Submission::new(note("moved")));
    assert!(
        engine.move_up(&moved).is_ok() && engine.move_up(&last).is_err(),
        "it can't run yet"
    );
    let group = engine.group_status(&book).unwrap();
    assert_eq!((group.tasks(), group.state), (3, TaskState::Pending));
    engine.resume_queue();
    until_ended(&engine, &events, &last);
    assert_eq!(
        *order.lock().unwrap(),
        ["high", "moved", "first", "low", "last"]
    );
    assert_eq!(engine.task_status(&held).unwrap().state, TaskState::Pending);
    assert_eq!(
        engine.group_status(&book).unwrap().state,
        TaskState::Processing
    );
    assert!(engine.resume_task(&held).is_ok());
    until_ended(&engine, &events, &held);
    assert_eq!(
        engine.group_status(&book).unwrap().state,
        TaskState::Completed
    );
    assert_eq!(engine.task_status(&high).unwrap().group, Some(book.clone()));
    engine.cleanup_old_tasks(Duration::ZERO);
    assert!(engine.group_status(&book).is_none());
}

#[test]
fn a_task_that_waits_for_a_failed_one_fails_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    engine.pause_queue();
    let fails = Work::closure("fails", |_| Err(ErrorObject::new("NO", "no").into()));
    let first = engine.submit_task(fails, None).unwrap();
    let never = || Work::closure("never", |_| panic!("it must not run"));
    let second = engine
        .submit(Submission::new(never()).after([first.clone()]))
        .unwrap();
    let third = engine
        .submit(Submission::new(never()).after([second.clone()]))
        .unwrap();
    engine.resume_queue();
    until_ended(&engine, &events, &third);
    for id in [&second, &third] {
        let status = engine.task_status(id).unwrap();
        assert_eq!(status.state, TaskState::Failed);
        assert_eq!(status.error.unwrap().code, "DEPENDENCY");
    }
    let late = engine
        .submit(Submission::new(never()).after([first]))
        .unwrap();
    assert_eq!(engine.task_status(&late).unwrap().state, TaskState::Failed);
}

#[test]
fn a_delayed_task_waits_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let begun = Instant::now();
    let delay = Duration::from_millis(80);
    let work = Work::closure("later", |_| Ok(Value::Null));
    let id = engine.submit(Submission::new(work).delay(delay)).unwrap();
    assert_eq!(
        until_ended(&engine, &events, &id).state,
        TaskState::Completed
    );
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_passing_fault_is_tried_again_and_a_lasting_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.retries.first = Duration::from_millis(1);
    let engine = Engine::open(options).unwrap();
    let events = engine.subscribe();
    let repeatable = |fails: usize| {
        let tries = AtomicUsize::new(0);
        Work::repeatable("unlucky", move |_| {
            if tries.fetch_add(1, Ordering::SeqCst) < fails {
                return Err(WorkError::Transient(ErrorObject::new("BUSY", "not now")));
            }
            Ok(Value::Null)
        })
    };
    let recovers = engine.submit_task(repeatable(2), None).unwrap();
    let status = until_ended(&engine, &events, &recovers);
    assert_eq!((status.state, status.attempt), (TaskState::Completed, 3));
    let fails = engine.submit_task(repeatable(9), None).unwrap();
    let status = until_ended(&engine, &events, &fails);
    assert_eq!((status.state, status.attempt), (TaskState::Failed, 3));
    assert_eq!(status.error.unwrap().code, "BUSY");
}

#[test]
fn a_closure_that_ignores_everything_ends_on_time_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let (release, gate) = mpsc::channel::<()>();
    let stuck = Work::closure("stuck", move |_| {
        // It looks at nothing until the test lets it go.
        let _ = gate.recv();
        Ok(Value::Null)
    });
    let limit = Duration::from_millis(30);
    let begun = Instant::now();
    let id = engine
        .submit(Submission::new(stuck).timeout(limit))
        .unwrap();
    let next = engine
        .submit_task(Work::closure("next", |_| Ok(Value::Null)), None)
        .unwrap();
    let status = until_ended(&engine, &events, &id);
    assert!(begun.elapsed() < Duration::from_secs(5), "not on time");
    assert_eq!(
        (status.state, status.error.unwrap().code.as_str()),
        (TaskState::Failed, "TIMEOUT")
    );
    assert_eq!(
        until_ended(&engine, &events, &next).state,
        TaskState::Completed
    );
    let health = engine.health();
    assert_eq!((health.abandoned_threads, health.max_threads), (1, 1));
    assert_eq!(engine.stats().workers, 1);
    let report = engine.shutdown(ShutdownWait::Now);
    assert_eq!(
        report.abandoned, 1,
        "it can't be stopped, and is not waited for"
    );
    assert_eq!(
        engine.shutdown(ShutdownWait::Now),
        report,
        "told, not done again"
    );
    drop(release);
    assert_eq!(
        engine.task_status(&id).unwrap().state,
        TaskState::Failed,
        "an end is final"
    );
}

#[test]
fn a_failed_narration_is_retried_as_a_new_task_with_its_clips() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, made) = narrating(folder.path(), Some(3));
    let events = engine.subscribe();
    let submission = Submission::new(narration(folder.path(), 4)).group("book");
    let id = engine.submit(submission).unwrap();
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { segment, .. } if segment.segment_id.get() == 2),
    );
    assert!(
        matches!(engine.retry_task(&id), Err(SubmitError::NotRetryable(_))),
        "it runs"
    );
    engine.cancel_task(&id).unwrap();
    until_ended(&engine, &events, &id);
    engine.shutdown(ShutdownWait::Now);
    let (engine, again_made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    // Segment 1 again though it has a clip, and 3 and 4 that have none.
    let again = engine.retry_segments(&id, &[SegmentId::FIRST]).unwrap();
    assert_ne!(again, id);
    let status = until_ended(&engine, &events, &again);
    assert_eq!(
        (status.state, status.completed_segments.len()),
        (TaskState::Completed, 4)
    );
    assert_eq!(status.group, Some(GroupId::from("book")));
    assert!(
        matches!(engine.retry_task(&id), Err(SubmitError::NotRetryable(_))),
        "its clips have gone to the new one"
    );
    assert_eq!(
        (
            made.load(Ordering::SeqCst),
            again_made.load(Ordering::SeqCst)
        ),
        (2, 3)
    );
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_library_of_version_1_is_migrated_and_goes_on() {
    migrated("library-v1.db", 7 - 3);
}

#[test]
fn a_library_of_version_2_is_migrated_and_goes_on() {
    migrated("library-v2.db", 6 - 3);
}

#[test]
fn a_library_of_version_4_is_migrated_and_goes_on() {
    migrated("library-v4.db", 6 - 3);
}

#[test]
fn a_library_of_version_5_is_migrated_and_goes_on() {
    migrated("library-v5.db", 6 - 3);
}

#[test]
fn a_library_of_version_3_has_its_history_as_far_as_it_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("library")).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/library-v3.db");
    std::fs::copy(fixture, folder.path().join("library/aloud.db")).unwrap();
    let (engine, _) = narrating(folder.path(), None);
    let history = engine.history(10).unwrap();
    let titles: Vec<_> = history.iter().map(|past| &*past.title).collect();
    assert_eq!(titles, ["late", "reduced", "The Small Hours"]);
    let late = history[0].problem.as_deref().unwrap();
    assert!(late.starts_with("Operation exceeded timeout"), "{late}");
    assert_eq!(history[0].tally.unwrap().done, 0);
    // Clean-up had taken its segments, and with them what there was to count.
    assert_eq!(history[1].tally, None);
    let whole = history[2].tally.unwrap();
    assert_eq!((whole.segments, whole.done, whole.errors), (4, 4, 0));
    let seconds = f64::from(33792 + 56320 + 74752 + 68608) / 22050.0;
    assert!((whole.audio_seconds - seconds).abs() < 1e-9);
    engine.shutdown(ShutdownWait::Now);
}

/// Opens a library that an earlier version of the program left when it was killed.
fn migrated(fixture: &str, still_to_make: usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("library")).unwrap();
    let database = folder.path().join("library/aloud.db");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::copy(fixtures.join(fixture), &database).unwrap();
    // The fixture was killed with three clips on disk; here they lie where the test can write.
    let connection = rusqlite::Connection::open(&database).unwrap();
    let clips = folder.path().join("clips");
    std::fs::create_dir(&clips).unwrap();
    connection
        .execute("UPDATE tasks SET folder = ?1", [clips.to_str().unwrap()])
        .unwrap();
    let mut rows = connection
        .prepare("SELECT clip, bytes FROM segments WHERE clip IS NOT NULL")
        .unwrap();
    let sizes: Vec<(String, u32)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(rows);
    for (name, bytes) in sizes {
        std::fs::File::create(clips.join(name))
            .unwrap()
            .set_len(bytes.into())
            .unwrap();
    }
    drop(connection);
    let (engine, made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    let tasks = engine.tasks();
    let titles: Vec<_> = tasks.iter().map(|task| &*task.title).collect();
    assert_eq!(titles, ["The Small Hours", "second"]);
    for task in &tasks {
        if !engine.task_status(&task.id).unwrap().state.is_terminal() {
            until_ended(&engine, &events, &task.id);
        }
    }
    assert_eq!(
        made.load(Ordering::SeqCst),
        still_to_make,
        "the three clips were made before"
    );
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_damaged_or_lost_database_is_set_aside_and_rebuilt_from_the_clips_folders() {
    let garbage = |path: &Path| std::fs::write(path, vec![0x5a; 8192]).unwrap();
    let torn = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        // The pages of the segments, not the header: such damage is found by looking at all of it.
        let half = bytes.len() / 2;
        bytes[half..].fill(0xa5);
        std::fs::write(path, bytes).unwrap();
        std::fs::write(path.with_extension("db-suspect"), "").unwrap();
    };
    let gone = |path: &Path| std::fs::remove_file(path).unwrap();
    let ways: [&dyn Fn(&Path); 3] = [&garbage, &torn, &gone];
    for (damage, set_aside) in ways.into_iter().zip([true, true, false]) {
        let folder = tempfile::tempdir().unwrap();
        let story = |name: &str| {
            let mut story = narration(&folder.path().join(name), 6);
            story.fingerprint = name.into();
            Submission::new(story).id(name)
        };
        let (engine, _) = narrating(folder.path(), Some(4));
        let events = engine.subscribe();
        let done = engine.submit(story("cancelled")).unwrap();
        let begun = |event: &Event, wanted: &TaskId| {
            matches!(event,
            Event::SegmentCompleted { task, segment } if task == wanted && segment.segment_id.get() == 3)
        };
        until(&events, |event| begun(event, &done));
        engine.cancel_task(&done).unwrap();
        until_ended(&engine, &events, &done);
        let open = engine.submit(story("open")).unwrap();
        until(&events, |event| begun(event, &open));
        engine.shutdown(ShutdownWait::Now);
        damage(&folder.path().join("library/aloud.db"));

        let (engine, made) = narrating(folder.path(), None);
        let recovery = engine.recovery().unwrap().clone();
        assert_eq!(
            (recovery.narrations, recovery.unfinished, recovery.clips),
            (2, 1, 6),
            "{recovery}"
        );
        assert_eq!(recovery.set_aside.is_some(), set_aside, "{recovery}");
        if let Some(path) = &recovery.set_aside {
            assert!(path.is_file() && recovery.to_string().contains(path.to_str().unwrap()));
        }
        let events = engine.subscribe();
        let status = match engine.task_status(&open).unwrap() {
            status if status.state.is_terminal() => status,
            _ => until_ended(&engine, &events, &open),
        };
        assert_eq!(status.state, TaskState::Completed);
        assert_eq!(made.load(Ordering::SeqCst), 3, "three clips were there");
        assert!(engine.task_status(&done).is_none(), "it had ended");
        let again = engine.retry_task(&done).unwrap();
        until_ended(&engine, &events, &again);
        assert_eq!(made.load(Ordering::SeqCst), 6, "three more were there");
        engine.shutdown(ShutdownWait::Now);
        // Rebuilt, it is a database like any other.
        let (engine, _) = narrating(folder.path(), None);
        assert!(engine.recovery().is_none());
        engine.shutdown(ShutdownWait::Now);
    }
}

#[test]
fn hooks_are_called_before_the_start_before_the_stop_and_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = Arc::new(std::sync::Mutex::new(Vec::new()));
    let say = |what: &'static str| {
        let said = Arc::clone(&said);
        move || said.lock().unwrap().push(what)
    };
    let (start, stop, stopped) = (say("start"), say("stop"), say("stopped"));
    let mut options = Options::new(folder.path());
    options.hooks = Hooks::default()
        .before_start(move |folder| {
            assert!(folder.is_dir());
            start();
            Ok(())
        })
        .before_stop(move || {
            stop();
            panic!("a hook that panics changes nothing");
        })
        .after_stop(move |report| {
            assert_eq!(report.finished, 0);
            stopped();
        });
    let engine = Engine::open(options).unwrap();
    assert_eq!(*said.lock().unwrap(), ["start"]);
    engine.shutdown(ShutdownWait::Now);
    engine.shutdown(ShutdownWait::Now);
    assert_eq!(*said.lock().unwrap(), ["start", "stop", "stopped"]);

    let mut options = Options::new(folder.path());
    options.hooks =
        Hooks::default().before_start(|_| Err(ErrorObject::new("NOT_NOW", "come back later")));
    let refused = Engine::open(options).err().unwrap();
    assert!(refused.to_string().contains("come back later"), "{refused}");
    // Nothing of the refused one is left.
    open(folder.path()).shutdown(ShutdownWait::Now);
}

#[test]
fn callbacks_hear_of_each_change_and_one_that_hangs_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let (all, heard_of_all) = mpsc::channel();
    engine
        .on_event(move |event, status| {
            if let Event::Ended { .. } = event {
                all.send(status.unwrap().state).unwrap();
            }
        })
        .unwrap();
    let (mine, heard_of_mine) = mpsc::channel();
    let work = Work::closure("told", |task| {
        task.update_progress(1, 2, None);
        Ok(Value::Null)
    });
    let id = engine
        .submit_with(Submission::new(work), move |event, status| {
            let state = status.map(|status| status.state);
            mine.send((event.clone(), state)).unwrap();
        })
        .unwrap();
    assert_eq!(
        heard_of_all.recv_timeout(PATIENCE).unwrap(),
        TaskState::Completed
    );
    let events: Vec<_> = heard_of_mine.iter().map(|(event, _)| event).collect();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Submitted { .. } => "submitted",
            Event::Started { .. } => "started",
            Event::Progress { .. } => "progress",
            Event::Ended { .. } => "ended",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["submitted", "started", "progress", "ended"]);
    assert!(events.iter().all(|event| event.task() == Some(&id)));
    // The channel closed: the callback of a task that has ended is dropped.
    let (begun, hangs) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    engine
        .on_event(move |_, _| {
            let _ = begun.send(());
            let _ = gate.recv();
        })
        .unwrap();
    let events = engine.subscribe();
    let next = Work::closure("next", |_| Ok(Value::Null));
    let next = engine.submit_task(next, None).unwrap();
    hangs.recv_timeout(PATIENCE).unwrap();
    let status = until_ended(&engine, &events, &next);
    assert_eq!(status.state, TaskState::Completed);
    engine.shutdown(ShutdownWait::Tasks(PATIENCE));
    drop(release);
    assert!(matches!(
        engine.on_event(|_, _| ()),
        Err(SubmitError::ShutDown)
    ));
}

#[test]
fn shutdown_ends_what_cannot_wait_and_says_what_became_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = narrating(folder.path(), Some(2));
    let events = engine.subscribe();
    let story = engine
        .submit_task(narration(folder.path(), 3), None)
        .unwrap();
    let waits = Work::closure("waits", |_| panic!("it must not run"));
    let waits = engine.submit_task(waits, None).unwrap();
    let mut later = narration(&folder.path().join("later"), 1);
    later.fingerprint = "later".into();
    let later = engine
        .submit(Submission::new(later).after([waits.clone()]))
        .unwrap();
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { segment, .. } if segment.segment_id.get() == 1),
    );
    // Cancelled while the engine waits for it to end by itself, which it never does.
    let stopper = {
        let (engine, story) = (engine.clone(), story.clone());
        let events = engine.subscribe();
        std::thread::spawn(move || {
            until(&events, |event| matches!(event, Event::ShuttingDown));
            assert!(engine.health().shutting_down);
            assert!(engine.cancel_task(&story).is_ok());
        })
    };
    let report = engine.shutdown(ShutdownWait::Tasks(PATIENCE));
    stopper.join().unwrap();
    let counts = (
        report.finished,
        report.interrupted,
        report.abandoned,
        report.cancelled,
    );
    assert_eq!(counts, (1, 0, 0, 1));
    let steps = report.steps;
    let sum = steps.refuse + steps.wait + steps.interrupt + steps.join;
    assert!(sum <= report.seconds && steps.wait > 0.0, "{report:?}");
    let state = |id| engine.task_status(id).unwrap().state;
    assert_eq!(state(&story), TaskState::Cancelled);
    let ended = engine.task_status(&waits).unwrap();
    assert_eq!(ended.error.unwrap().code, "SHUTDOWN");
    assert!(ended.completed_at.is_some());
    assert_eq!(state(&later), TaskState::Pending, "it waits on disk");
    assert!(
        engine.cancel_task(&later).is_err(),
        "nothing can be stored any more"
    );
    drop(engine);
    let (engine, _) = narrating(folder.path(), None);
    let events = engine.subscribe();
    let status = engine.task_status(&later).unwrap();
    if !status.state.is_terminal() {
        until_ended(&engine, &events, &later);
    }
    assert_eq!(
        engine.task_status(&later).unwrap().state,
        TaskState::Completed,
        "a closure of an earlier process counts as done"
    );
    assert!(engine.task_status(&story).is_none());
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_database_that_another_program_holds_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    engine.pause_queue();
    let id = engine
        .submit_task(narration(folder.path(), 6), None)
        .unwrap();
    let database = folder.path().join("library/aloud.db");
    let other = rusqlite::Connection::open(database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    engine.resume_queue();
    until(&events, |event| {
        matches!(event, Event::SegmentStarted { .. })
    });
    assert!(
        engine
            .task_status(&id)
            .unwrap()
            .completed_segments
            .is_empty(),
        "its clip can't be stored yet"
    );
    other.execute_batch("COMMIT").unwrap();
    let status = until_ended(&engine, &events, &id);
    assert_eq!(status.state, TaskState::Completed);
    assert_eq!(made.load(Ordering::SeqCst), 6);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn the_order_that_someone_made_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = narrating(folder.path(), None);
    engine.pause_queue();
    let submit = |name: &str, priority| {
        let mut story = narration(&folder.path().join(name), 1);
        story.title = name.into();
        story.fingerprint = name.into();
        let submission = Submission::new(story).priority(priority).id(name);
        engine.submit(submission).unwrap()
    };
    let [a, b, c] = ["a", "b", "c"].map(|name| submit(name, Priority::Normal));
    let high = submit("high", Priority::High);
    // high a b c → a c high b
    assert!(engine.move_up(&a).is_ok() && engine.move_up(&c).is_ok() && engine.move_up(&c).is_ok());
    assert!(engine.move_down(&c).is_ok());
    engine.shutdown(ShutdownWait::Now);

    let (engine, _) = narrating(folder.path(), Some(1));
    let events = engine.subscribe();
    let mut order = Vec::new();
    for _ in 0..4 {
        let running = |engine: &Engine| {
            let tasks = engine.tasks().into_iter();
            let mut tasks = tasks.filter(|task| task.state == TaskState::Processing);
            tasks.next().map(|task| task.id)
        };
        let id = running(&engine).unwrap_or_else(|| {
            let started = until(&events, |event| matches!(event, Event::Started { .. }));
            started.task().unwrap().clone()
        });
        engine.cancel_task(&id).unwrap();
        until_ended(&engine, &events, &id);
        order.push(id);
    }
    assert_eq!(order, [a, high, c, b]);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_limit_too_large_for_the_clock_is_no_limit() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let events = engine.subscribe();
    let work = Work::closure("patient", |_| Ok(Value::Null));
    let id = engine
        .submit(Submission::new(work).timeout(Duration::MAX))
        .unwrap();
    assert_eq!(
        until_ended(&engine, &events, &id).state,
        TaskState::Completed
    );
    engine.shutdown(ShutdownWait::Tasks(Duration::MAX));
}
