//! Tasks that recur, over restarts, with the real clock and the real database.

use std::sync::Arc;
use std::time::Duration;

use aloud::engine::testing::Library;
use aloud::engine::{
    Engine, Event, OpenError, Operation, Options, Recurrence, TaskContext, TaskState, Timestamp,
    Work, WorkResult,
};
use rusqlite::Connection;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

struct Count;

impl Operation for Count {
    fn run(&mut self, parameters: &Value, _: &Value, _: &TaskContext) -> WorkResult {
        Ok(parameters["number"].clone())
    }
}

fn counting(options: &mut Options) {
    let factory = Arc::new(|| -> Box<dyn Operation> { Box::new(Count) });
    options.operations.insert("count".into(), factory);
}

fn count(number: u32) -> Work {
    Work::Operation {
        name: "count".into(),
        parameters: json!({ "number": number }),
        context: Value::Null,
    }
}

fn hourly() -> Recurrence {
    Recurrence::every(HOUR).unwrap()
}

/// Puts off what recurs into the past, as if no program had run for so long.
fn let_pass(library: &Library, time: Duration) {
    let database = Connection::open(library.folder().join("aloud.db")).unwrap();
    let millis = i64::try_from(time.as_millis()).unwrap();
    let changed = database
        .execute(
            "UPDATE recurring SET next = next - ?1, noted = noted - ?1",
            [millis],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

/// The ids of the runs that ended, once so many have.
fn ended(library: &Library, number: usize) -> Vec<String> {
    let events = library.subscribe();
    let runs = || {
        let tasks = library.tasks().into_iter();
        let ended = tasks.filter(|task| task.occurrence.is_some() && task.state.is_terminal());
        ended.map(|task| task.id.to_string()).collect::<Vec<_>>()
    };
    while runs().len() < number {
        events.recv_blocking().expect("an event");
    }
    runs()
}

#[test]
fn a_missed_run_of_an_operation_is_run_once_late_and_says_so() {
    let mut library = Library::with(counting);
    let next = library.set_recurring("count", hourly(), count(7)).unwrap();
    assert!(next > Timestamp(0) && library.tasks().is_empty());
    library.shutdown(aloud::engine::ShutdownWait::Now);
    // It was due at 3.5 hours ago, and three times since then.
    let missed = HOUR * 9 / 2;
    let_pass(&library, missed);
    library.reopen();
    let runs = ended(&library, 1);
    let due = next.0 - i64::try_from(missed.as_millis()).unwrap();
    assert_eq!(runs, [format!("count@{due}")]);
    let status = library.task_status(&runs[0].as_str().into()).unwrap();
    assert_eq!(
        (status.state, status.result),
        (TaskState::Completed, Some(7.into()))
    );
    let run = status.occurrence.unwrap();
    assert!(run.is_late() && run.late >= HOUR * 7 / 2, "{run:?}");
    let document = library.task_document(&runs[0].as_str().into()).unwrap();
    assert_eq!(document["recurring"]["name"], "count");
    assert!(document["recurring"]["late_seconds"].as_f64() >= Some(3.5 * 3600.0));
    // What was missed in between is passed over, and the beat is kept.
    let recurring = library.recurring_tasks();
    assert_eq!(recurring[0].next, Timestamp(due + 4 * 3_600_000));
    // Nothing of this is done again by the next process.
    library.shutdown(aloud::engine::ShutdownWait::Now);
    library.reopen();
    assert_eq!(library.recurring_tasks(), recurring);
    assert!(library.tasks().is_empty());
}

#[test]
fn what_is_set_again_keeps_its_time_and_what_is_removed_is_gone_for_good() {
    let mut library = Library::with(counting);
    let nightly = Recurrence::cron("0 3 * * *", "Europe/Berlin").unwrap();
    let first = library.set_recurring("count", hourly(), count(1)).unwrap();
    let other = library
        .set_recurring("count", nightly.clone(), count(1))
        .unwrap();
    assert_ne!(first, other);
    library.reopen();
    // This is what a program does at each start, here with other parameters.
    let again = library.set_recurring("count", nightly, count(2)).unwrap();
    assert_eq!(again, other);
    library.shutdown(aloud::engine::ShutdownWait::Now);
    let_pass(&library, HOUR * 25);
    library.reopen();
    let runs = ended(&library, 1);
    let status = library.task_status(&runs[0].as_str().into()).unwrap();
    assert_eq!(status.result, Some(2.into()));
    library.remove_recurring("count").unwrap();
    library.reopen();
    assert!(library.recurring_tasks().is_empty());
}

#[test]
fn an_operation_in_the_place_of_a_closure_is_due_when_its_setter_was_told() {
    let mut library = Library::with(counting);
    let closure = Work::repeatable("count", |_| Ok(1.into()));
    library.set_recurring("count", hourly(), closure).unwrap();
    let due = library.set_recurring("count", hourly(), count(1)).unwrap();
    library.reopen();
    assert_eq!(library.recurring_tasks()[0].next, due);
}

#[test]
fn the_name_of_narrations_is_no_operations() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    let factory = Arc::new(|| -> Box<dyn Operation> { Box::new(Count) });
    options.operations.insert("narrate".into(), factory);
    let error = Engine::open(options).err().unwrap();
    assert!(matches!(error, OpenError::ReservedOperation), "{error}");
}

#[test]
fn the_next_run_waits_for_the_one_before_it() {
    let library = Library::new();
    let events = library.subscribe();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let slow = Work::repeatable("slow", move |_| {
        let _ = released.lock().unwrap().recv();
        Ok("done".into())
    });
    let every = Recurrence::every(Duration::from_secs(1)).unwrap();
    library.set_recurring("slow", every, slow).unwrap();
    let mut begun = Vec::new();
    while begun.len() < 2 {
        match events.recv_blocking().unwrap() {
            Event::Submitted { task } => begun.push(task),
            Event::Started { .. } if begun.len() == 1 => {
                // Two more are due while it runs; one comes, when it has ended.
                let waits = library.recurring_tasks().remove(0);
                assert_eq!(waits.run.as_ref(), Some(&begun[0]));
                release.send(()).unwrap();
            }
            Event::Ended { task, .. } => assert_eq!(task, begun[0]),
            _ => {}
        }
    }
    assert_ne!(begun[0], begun[1]);
    drop(release);
}
