//! A database that another program holds: what is told is on disk, nobody waits for ever, and nothing
//! is lost.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use aloud::engine::{
    Engine, ErrorObject, Event, ShutdownWait, Submission, TaskId, TaskState, Work, WorkError,
};
use serde_json::{Value, json};

use crate::kit::{
    PATIENCE, bounded, database, database_of, events, eventually, hold_database, in_time,
    is_end_of, make_clips, narrating, narration, nothing, open, still_works, stored_state, story,
};

#[test]
fn a_cancel_returns_at_once_and_is_told_once_it_is_stored() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.pause_queue();
        let id = engine.submit(story(folder.path(), "a")).unwrap();
        let events = events(&engine);
        let held = hold_database(folder.path());
        let handle = engine.clone();
        let asked = id.clone();
        assert!(in_time("the cancel", move || handle
            .cancel_task(&asked)
            .is_ok()));
        assert!(engine.is_cancelled(&id));
        // A closure's end needs no disk: it is told meanwhile, and the other is not.
        engine.resume_queue();
        let closure = engine.submit_task(nothing(), None).unwrap();
        let mut before = Vec::new();
        events.until(|event| {
            before.push(event.clone());
            is_end_of(event, &closure)
        });
        assert!(!before.iter().any(|event| is_end_of(event, &id)));
        assert_eq!(stored_state(&held, &id), "PENDING");
        assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Pending);
        held.execute_batch("ROLLBACK").unwrap();
        let status = events.until_ended(&engine, &id);
        assert_eq!(status.state, TaskState::Cancelled);
        assert_eq!(stored_state(&held, &id), "CANCELLED");
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn completed_is_not_told_while_its_row_cannot_be_stored() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (begun, runs) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let options = narrating(folder.path(), move |_, _| {
            begun.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            Ok(json!("done"))
        });
        let engine = Engine::open(options).unwrap();
        let events = events(&engine);
        let id = engine.submit(story(folder.path(), "a")).unwrap();
        runs.recv_timeout(PATIENCE).unwrap();
        let held = hold_database(folder.path());
        drop(release);
        eventually("the worker is back", || engine.health().active_threads == 0);
        still_works(&engine);
        assert_eq!(
            engine.task_status(&id).unwrap().state,
            TaskState::Processing
        );
        assert!(!events.told().iter().any(|event| is_end_of(event, &id)));
        held.execute_batch("ROLLBACK").unwrap();
        let status = events.until_ended(&engine, &id);
        assert_eq!(status.result, Some("done".into()));
        assert_eq!(stored_state(&held, &id), "COMPLETED");
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn every_end_is_on_disk_when_it_is_told() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let options = narrating(folder.path(), |narration, task| match &*narration.title {
            "fails" => Err(ErrorObject::new("NO", "no").into()),
            "too slow" => {
                let (stop, stopped) = mpsc::channel();
                let interrupt = task.interrupt();
                let _ = interrupt.breaking(
                    move || {
                        let _ = stop.send(());
                    },
                    || stopped.recv_timeout(PATIENCE),
                );
                Err(WorkError::Interrupted)
            }
            _ => make_clips(narration, task),
        });
        let engine = Engine::open(options).unwrap();
        let events = events(&engine);
        engine.pause_queue();
        let submit = |submission: Submission| engine.submit(submission).unwrap();
        let story = |name| story(folder.path(), name);
        submit(story("completes"));
        let fails = submit(story("fails"));
        submit(story("waits for it").after([fails]));
        submit(story("too slow").timeout(Duration::from_millis(20)));
        let cancelled = submit(story("cancelled"));
        submit(story("waits for that").after([cancelled.clone()]));
        engine.cancel_task(&cancelled).unwrap();
        engine.resume_queue();
        let disk = database(folder.path());
        for _ in 0..6 {
            let event = events.until(|event| matches!(event, Event::Ended { .. }));
            let Event::Ended { task, state, .. } = event else {
                unreachable!();
            };
            assert_eq!(stored_state(&disk, &task), state.to_string(), "{task}");
        }
        engine.shutdown(ShutdownWait::Now);
    });
}

/// How many commits are in the log of a database, which was empty.
fn commits(folder: &std::path::Path) -> usize {
    let log = database_of(folder).with_extension("db-wal");
    let log = std::fs::read(log).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let page = number(8) as usize;
    let salt = &log[16..24];
    let frames = (32..log.len()).step_by(24 + page);
    // The frame that ends a commit says how large the database is then.
    frames
        .filter(|&at| log[at + 8..at + 16] == *salt && number(at + 4) > 0)
        .count()
}

#[test]
fn to_cancel_all_takes_a_few_commits_and_no_time_of_the_caller() {
    const TASKS: usize = 300;
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.pause_queue();
        for number in 0..TASKS {
            let narration = narration(folder.path(), &number.to_string());
            engine.submit_task(narration, None).unwrap();
        }
        let events = events(&engine);
        let other = database(folder.path());
        other
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                assert_eq!(row.get(0), Ok(0), "nobody else reads or writes");
                Ok(())
            })
            .unwrap();
        // While nothing can be stored, it returns.
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let handle = engine.clone();
        assert_eq!(in_time("it", move || handle.cancel_all()), TASKS);
        assert_eq!(engine.cancel_all(), 0);
        other.execute_batch("ROLLBACK").unwrap();
        for _ in 0..TASKS {
            events.until(|event| matches!(event, Event::Ended { .. }));
        }
        let commits = commits(folder.path());
        assert!((1..=5).contains(&commits), "{commits} commits");
        assert_eq!(engine.stats().cancelled, TASKS);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_shutdown_returns_while_a_worker_hangs_and_another_program_has_the_database() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let events = events(&engine);
        let paused = |name| engine.submit(story(folder.path(), name).paused()).unwrap();
        let [waits, cancelled] = ["waits", "cancelled"].map(paused);
        let (release, gate) = mpsc::channel::<()>();
        let hangs = Work::closure("hangs", move |_| {
            let _ = gate.recv();
            Ok(Value::Null)
        });
        let hangs = Submission::new(hangs).timeout(Duration::from_millis(20));
        let hangs = engine.submit(hangs).unwrap();
        events.until_started(&hangs);
        let held = hold_database(folder.path());
        // A row that can't be stored is on its way while the worker is given up and replaced.
        assert!(engine.cancel_task(&cancelled).is_ok());
        eventually("it is given up", || engine.health().abandoned_threads == 1);
        let handle = engine.clone();
        let report = in_time("the shutdown", move || handle.shutdown(ShutdownWait::Now));
        assert_eq!(report.abandoned, 1, "{report:?}");
        drop(held);
        drop(release);
        drop(engine);
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.resume_all();
        assert_eq!(engine.wait(&waits).unwrap().state, TaskState::Completed);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_shutdown_returns_while_another_program_has_the_database_and_many_rows_wait() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.pause_queue();
        for number in 0..20 {
            let narration = narration(folder.path(), &number.to_string());
            engine.submit_task(narration, None).unwrap();
        }
        let held = hold_database(folder.path());
        assert_eq!(engine.cancel_all(), 20);
        let handle = engine.clone();
        in_time("the shutdown", move || handle.shutdown(ShutdownWait::Now));
        drop(held);
    });
}

#[test]
fn a_narration_that_hangs_is_left_behind_while_another_program_has_the_database() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (begun, runs) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let options = narrating(folder.path(), move |_, _| {
            begun.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            Ok(Value::Null)
        });
        let engine = Engine::open(options).unwrap();
        let id = engine.submit(story(folder.path(), "hangs")).unwrap();
        runs.recv_timeout(PATIENCE).unwrap();
        let held = hold_database(folder.path());
        let handle = engine.clone();
        let report = in_time("the shutdown", move || handle.shutdown(ShutdownWait::Now));
        assert_eq!((report.abandoned, report.interrupted), (1, 1), "{report:?}");
        drop(held);
        drop(engine);
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        // What comes back late changes nothing.
        drop(release);
        assert_eq!(engine.task_status(&id).unwrap().result, Some("made".into()));
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_failed_dependency_that_was_cleaned_away_still_fails_its_dependants() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let fails = |_: &_, _: &_| Err(ErrorObject::new("NO", "no").into());
        let engine = Engine::open(narrating(folder.path(), fails)).unwrap();
        let first = engine.submit(story(folder.path(), "first")).unwrap();
        assert_eq!(engine.wait(&first).unwrap().state, TaskState::Failed);
        assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 1);
        assert!(engine.task_status(&first).is_none());
        let depends = |engine: &Engine, first: &TaskId| {
            let after = Submission::new(nothing()).after([first.clone()]);
            let after = engine.submit(after).unwrap();
            engine.wait(&after).unwrap().error.unwrap().code
        };
        assert_eq!(depends(&engine, &first), "DEPENDENCY");
        engine.shutdown(ShutdownWait::Now);
        drop(engine);
        let engine = open(&folder.path().join("library"));
        assert_eq!(depends(&engine, &first), "DEPENDENCY");
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn what_ended_in_an_earlier_process_leaves_the_database_at_the_start() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let count = |query: &str| -> i64 {
            let disk = database(folder.path());
            disk.query_row(query, [], |row| row.get(0)).unwrap()
        };
        let mut options = narrating(folder.path(), make_clips);
        options.cleanup_threshold = Duration::from_millis(1);
        for round in 1..=4 {
            let engine = Engine::open(options.clone()).unwrap();
            let name = round.to_string();
            let id = engine.submit(story(folder.path(), &name)).unwrap();
            assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
            engine.shutdown(ShutdownWait::Now);
            assert_eq!(count("SELECT COUNT(*) FROM segments"), 2, "its own alone");
            assert_eq!(
                count("SELECT COUNT(*) FROM tasks WHERE source <> ''"),
                1,
                "its own alone"
            );
        }
        let engine = Engine::open(options).unwrap();
        assert_eq!(engine.history(10).unwrap().len(), 4, "history stays");
        assert_eq!(count("SELECT COUNT(*) FROM segments"), 0);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_row_that_cannot_be_read_fails_nothing_else() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.pause_queue();
        for name in ["schedule", "settings", "sound"] {
            engine.submit(story(folder.path(), name)).unwrap();
        }
        engine.shutdown(ShutdownWait::Now);
        drop(engine);
        database(folder.path())
            .execute_batch(
                "UPDATE tasks SET schedule = '{' WHERE id = 'schedule';
                 UPDATE tasks SET settings = 'no JSON' WHERE id = 'settings';",
            )
            .unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let ids: Vec<_> = engine.tasks().into_iter().map(|task| task.id).collect();
        assert_eq!(ids, [TaskId::from("sound")]);
        assert_eq!(engine.wait(&ids[0]).unwrap().state, TaskState::Completed);
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
        // They are left as they were, for a program that can read them.
        let disk = database(folder.path());
        for name in ["schedule", "settings"] {
            assert_eq!(stored_state(&disk, &TaskId::from(name)), "PENDING");
        }
    });
}
