//! Tasks that are closures: their order, their limits, what they tell, how they end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, ErrorObject, GroupId, Options, Priority, ShutdownWait, Submission, SubmitError, TaskId,
    TaskState, Work, WorkError,
};
use serde_json::{Value, json};

use crate::kit::{PATIENCE, endless, open, until_ended};

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
    let (release, gate) = mpsc::channel::<()>();
    // It stays in work after it was stopped, until it is let go: to be stopped a second time.
    let stubborn = Work::closure("stubborn", move |task| {
        begun.send(()).unwrap();
        gate.recv_timeout(PATIENCE).unwrap();
        assert!(task.is_cancelled(), "nobody stopped it");
        Err(WorkError::Interrupted)
    });
    let first = engine.submit_task(stubborn, None).unwrap();
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
    release.send(()).unwrap();
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
