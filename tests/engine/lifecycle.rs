//! Hooks, callbacks and shutdowns.

use std::sync::{Arc, mpsc};

use aloud::engine::{
    Engine, ErrorObject, Event, Hooks, Options, ShutdownWait, Submission, SubmitError, TaskState,
    Work,
};
use serde_json::Value;

use crate::kit::{PATIENCE, endless, narrating, narration, open, until, until_ended};

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
