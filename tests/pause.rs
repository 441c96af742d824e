//! A pause gives the machine back: what is in work finishes its segment, waits at its old place and
//! goes on from there. The voice says when it begins and waits to be let go, so that nothing here
//! depends on time.

mod kit;

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use aloud::engine::{Event, Narration, ShutdownWait, Submission, TaskState, Work};

use kit::line::{Desk, done, once};
use kit::voice;

const PATIENCE: Duration = Duration::from_secs(20);

fn narration(folder: &Path, title: &str, texts: &[&str]) -> Narration {
    voice::narration(folder.join(title), title, texts)
}

const STORY: [&str; 5] = ["One.", "Wait two.", "Three.", "Four.", "Five."];

#[test]
fn a_paused_queue_takes_the_narration_in_work_back_and_it_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path(), None);
    let story = narration(folder.path(), "story", &STORY);
    let first = desk.engine.submit_task(story, None).unwrap();
    let next = narration(folder.path(), "next", &["Later."]);
    let second = desk.engine.submit_task(next, None).unwrap();
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    // The segment in work is not broken off.
    assert_eq!(desk.status(&first).state, TaskState::Processing);
    desk.line.go.send(()).unwrap();
    let back = desk.until_back(&first);
    assert_eq!(
        (back.state, done(&back)),
        (TaskState::Pending, vec![1, 2]),
        "the one in work was finished"
    );
    assert!(back.errors.is_empty() && back.error.is_none());
    assert!(!back.cancel_requested && !back.paused);
    assert_eq!((back.attempt, back.current_segment), (0, None));
    assert_eq!(desk.engine.health().active_tasks, 0);
    assert_eq!(desk.status(&second).state, TaskState::Pending);

    desk.engine.resume_queue();
    let mut started = Vec::new();
    desk.until(|event| {
        if let Event::Started { task } = event {
            started.push(task.clone());
        }
        matches!(event, Event::Ended { task, .. } if *task == second)
    });
    assert_eq!(started, [first.clone(), second], "it kept its place");
    let status = desk.status(&first);
    assert_eq!(
        (status.state, status.attempt, done(&status).len()),
        (TaskState::Completed, 1, 5)
    );
    assert!(status.speed().is_some());
    assert_eq!(
        desk.all_made(),
        once(&[&STORY[..], &["Later."]].concat()),
        "nothing was made twice"
    );
    let library = folder.path().join("library/aloud.db");
    let db = rusqlite::Connection::open(library).unwrap();
    let attempts: u32 = db
        .query_row("SELECT MAX(attempt) FROM segments", [], |row| row.get(0))
        .unwrap();
    assert_eq!(attempts, 1);
}

#[test]
fn a_queue_that_goes_on_at_once_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path(), None);
    let story = narration(folder.path(), "story", &STORY);
    let id = desk.engine.submit_task(story, None).unwrap();
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    desk.engine.resume_queue();
    desk.line.go.send(()).unwrap();
    let status = desk.until_ended(&id);
    assert_eq!((status.state, status.attempt), (TaskState::Completed, 1));
    assert_eq!(desk.all_made(), once(&STORY));
}

#[test]
fn a_running_narration_that_is_held_back_lets_the_next_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path(), None);
    let story = narration(folder.path(), "story", &STORY);
    let first = desk.engine.submit_task(story, None).unwrap();
    let next = narration(folder.path(), "next", &["Later."]);
    let second = desk.engine.submit_task(next, None).unwrap();
    desk.until_begun("Wait two.");
    assert!(desk.engine.pause_task(&first).is_ok());
    assert!(
        desk.engine.pause_task(&first).is_err(),
        "it is being paused"
    );
    assert!(desk.status(&first).paused);
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&second).state, TaskState::Completed);
    let held = desk.status(&first);
    assert_eq!((held.state, held.paused), (TaskState::Pending, true));
    let before = desk.all_made();
    assert_eq!(before, once(&["One.", "Wait two.", "Later."]));

    // Held for itself it stays so over a restart.
    let desk = Desk::open(folder.path(), None);
    let held = desk.status(&first);
    assert_eq!((held.state, held.paused), (TaskState::Pending, true));
    assert!(desk.engine.resume_task(&first).is_ok());
    assert_eq!(desk.until_ended(&first).state, TaskState::Completed);
    assert_eq!(desk.all_made(), once(&STORY[2..]));
}

#[test]
fn what_was_taken_back_goes_on_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path(), None);
    let story = narration(folder.path(), "story", &STORY);
    let id = desk.engine.submit_task(story, None).unwrap();
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    desk.line.go.send(()).unwrap();
    desk.until_back(&id);
    desk.all_made();

    let desk = Desk::open(folder.path(), None);
    assert!(
        !desk.engine.is_queue_paused(),
        "a pause ends with the process"
    );
    let status = match desk.status(&id) {
        status if status.state.is_terminal() => status,
        _ => desk.until_ended(&id),
    };
    assert_eq!(status.state, TaskState::Completed);
    assert_eq!(desk.all_made(), once(&STORY[2..]));
}

#[test]
fn cancelling_and_stopping_outrank_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(folder.path(), None);
    let story = |title| narration(folder.path(), title, &STORY);
    let cancelled = desk.engine.submit_task(story("cancelled"), None).unwrap();
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    assert!(
        desk.engine.cancel_task(&cancelled).is_ok(),
        "without waiting for the segment"
    );
    assert_eq!(desk.until_ended(&cancelled).state, TaskState::Cancelled);

    let kept = desk.engine.submit_task(story("kept"), None).unwrap();
    desk.engine.resume_queue();
    desk.line.forget();
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    let report = desk.engine.shutdown(ShutdownWait::Now);
    assert_eq!((report.interrupted, report.abandoned), (1, 0));
    assert_eq!(desk.status(&kept).state, TaskState::Pending);
}

#[test]
fn closures_run_on() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path(), None);
    let (begun, has_begun) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let work = Work::closure("closure", move |task| {
        begun.send(()).unwrap();
        may_go.recv_timeout(PATIENCE).unwrap();
        Ok(task.interrupt().reason().is_none().into())
    });
    let id = desk.engine.submit(Submission::new(work)).unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();
    assert!(desk.engine.pause_task(&id).is_err(), "it can't be paused");
    desk.engine.pause_queue();
    go.send(()).unwrap();
    let status = desk.until_ended(&id);
    assert_eq!(
        (status.state, status.result),
        (TaskState::Completed, Some(true.into()))
    );
}
