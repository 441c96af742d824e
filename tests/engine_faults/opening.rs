//! Openings that meet: with a shutdown, with each other, with a hook that opens a library itself.

use std::sync::mpsc;

use aloud::engine::{
    Engine, Event, Hold, Hooks, OpenError, Options, ShutdownWait, TaskState, Work,
};
use serde_json::Value;

use crate::kit::{
    PATIENCE, bounded, events, in_time, make_clips, narrating, nothing, open, still_works, story,
};

#[test]
fn an_opening_waits_for_the_last_handle_that_goes() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let work = Work::closure("slow", move |_| {
            let _ = gate.recv();
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        let dropping = std::thread::spawn(move || drop(engine));
        events.until(|event| matches!(event, Event::ShuttingDown));
        let again = open(folder.path());
        assert!(again.tasks().is_empty(), "it is another engine");
        still_works(&again);
        drop(release);
        in_time("the last handle", move || dropping.join().unwrap());
        again.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn an_opening_waits_for_an_engine_that_goes_down() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let work = Work::closure("slow", move |_| {
            let _ = gate.recv();
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        let stopping = {
            let engine = engine.clone();
            std::thread::spawn(move || engine.shutdown(ShutdownWait::Now))
        };
        events.until(|event| matches!(event, Event::ShuttingDown));
        // The other handle is still there, and of no use to anyone who wants to work.
        let again = open(folder.path());
        still_works(&again);
        drop(release);
        in_time("the shutdown", move || stopping.join().unwrap());
        again.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_hook_may_open_another_library_but_not_its_own() {
    bounded(|| {
        let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (told, opened) = mpsc::channel();
        let folder = other.path().to_owned();
        let mut options = Options::new(mine.path());
        options.hooks = Hooks::default().before_start(move |own| {
            let other = Engine::open(Options::new(&folder)).map(drop);
            told.send((other, Engine::open(Options::new(own)).map(drop)))
                .unwrap();
            Ok(())
        });
        let engine = in_time("the opening", move || Engine::open(options).unwrap());
        let (other, own) = opened.recv_timeout(PATIENCE).unwrap();
        other.unwrap();
        assert!(
            matches!(&own, Err(OpenError::Refused(error)) if error.code == "RECURSION"),
            "{own:?}"
        );
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn an_opening_waits_for_no_other_library() {
    bounded(|| {
        let (slow, quick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (begun, in_hook) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let mut options = Options::new(slow.path());
        options.hooks = Hooks::default().before_start(move |_| {
            begun.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            Ok(())
        });
        let opening = std::thread::spawn(move || Engine::open(options).unwrap());
        in_hook.recv_timeout(PATIENCE).unwrap();
        let engine = open(quick.path());
        still_works(&engine);
        // One that wants the same library waits, and shares it.
        let folder = slow.path().to_owned();
        let sharing = std::thread::spawn(move || open(&folder));
        drop(release);
        let [first, second] = [opening, sharing].map(|thread| thread.join().unwrap());
        let id = first.submit_task(nothing(), None).unwrap();
        assert!(second.task_status(&id).is_some());
        first.shutdown(ShutdownWait::Now);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn an_opening_with_other_options_is_told_which() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let mut options = Options::new(folder.path());
        options.workers = 3;
        options.task_timeout = Some(PATIENCE);
        let refused = Engine::open(options).map(drop).unwrap_err();
        let OpenError::OtherOptions { different, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(different, &["workers", "task_timeout"]);
        assert!(refused.to_string().contains("workers, task_timeout"));
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn stored_narrations_wait_for_an_opening_with_a_narrator() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let with_narrator = || Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let engine = with_narrator();
        engine.pause_queue();
        let id = engine.submit(story(folder.path(), "waits")).unwrap();
        assert_eq!(engine.task_status(&id).unwrap().hold, None);
        engine.shutdown(ShutdownWait::Now);
        assert_eq!(
            engine.task_status(&id).unwrap().hold,
            None,
            "there was a narrator"
        );
        drop(engine);

        let engine = open(&folder.path().join("library"));
        still_works(&engine);
        let status = engine.task_status(&id).unwrap();
        assert_eq!(
            (status.state, status.hold),
            (TaskState::Pending, Some(Hold::NoOperation.into()))
        );
        engine.shutdown(ShutdownWait::Drain(PATIENCE));
        drop(engine);

        let engine = with_narrator();
        let status = engine.wait(&id).unwrap();
        assert_eq!(status.state, TaskState::Completed);
        assert_eq!(status.completed_segments.len(), 2);
        engine.shutdown(ShutdownWait::Now);
    });
}
