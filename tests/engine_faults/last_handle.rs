//! Shutdowns, and last handles that go, on the engine's own threads: the library is free again soon.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use aloud::engine::{Engine, Event, Hooks, Options, ShutdownWait, Submission, Work};
use serde_json::Value;

use crate::kit::{OnDrop, PATIENCE, bounded, events, holding, in_time, nothing, still_works};

/// How long it may take until the library is free.
const SOON: Duration = Duration::from_secs(10);

/// An engine, and word of its having stopped.
fn open(folder: &Path) -> (Engine, mpsc::Receiver<()>) {
    let (told, stopped) = mpsc::channel();
    let mut options = Options::new(folder);
    options.hooks = Hooks::default().after_stop(move |_| told.send(()).unwrap());
    (Engine::open(options).unwrap(), stopped)
}

/// Shows that the library is free, and works.
fn is_free(folder: &Path, stopped: &mpsc::Receiver<()>) {
    stopped.recv_timeout(SOON).expect("it stops soon");
    let folder = folder.to_owned();
    let again = in_time("another opening", move || {
        Engine::open(Options::new(folder)).unwrap()
    });
    assert!(!again.health().is_shutdown);
    still_works(&again);
    again.shutdown(ShutdownWait::Now);
}

/// Work that waits for its gate, and then lets go of what it holds.
fn until_released<T: Send + 'static>(gate: mpsc::Receiver<()>, held: T) -> Work {
    Work::closure("holds the last handle", move |_| {
        let _ = gate.recv();
        drop(held);
        Ok(Value::Null)
    })
}

#[test]
fn the_last_handle_may_go_inside_a_closure() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel();
        let work = until_released(gate, engine.clone());
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        drop(engine);
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn the_last_handle_may_go_with_a_repeatable_closure() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let (gate, handle) = (std::sync::Mutex::new(gate), engine.clone());
        let work = Work::repeatable("holds the last handle", move |_| {
            let _held = &handle;
            let _ = gate.lock().unwrap().recv();
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        drop(engine);
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn the_last_handle_may_go_with_a_closure_that_never_ran() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let (release, gate) = mpsc::channel::<()>();
        // The handle goes after the destructor beside it, which waits until there is no other.
        let held = (
            OnDrop(move || {
                let _ = gate.recv();
            }),
            engine.clone(),
        );
        let waits = Submission::new(holding(held)).paused();
        let id = engine.submit(waits).unwrap();
        assert!(engine.cancel_task(&id).is_ok());
        drop(engine);
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn the_last_handle_may_go_with_a_callback() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let (release, gate) = mpsc::channel();
        let handle = engine.clone();
        engine
            .submit_with(until_released(gate, ()), move |_, _| {
                let _held = &handle;
            })
            .unwrap();
        drop(engine);
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn a_running_closure_may_shut_the_engine_down() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let handle = engine.clone();
        let work = Work::closure("shuts down", move |_| {
            let report = handle.shutdown(ShutdownWait::Now);
            Ok(report.abandoned.into())
        });
        engine.submit_task(work, None).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn a_callback_may_shut_the_engine_down() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let handle = engine.clone();
        engine
            .submit_with(nothing(), move |event, _| {
                if matches!(event, Event::Ended { .. }) {
                    handle.shutdown(ShutdownWait::Now);
                }
            })
            .unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn the_destructor_of_a_capture_may_shut_the_engine_down() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let handle = engine.clone();
        let held = OnDrop(move || {
            handle.shutdown(ShutdownWait::Now);
        });
        let waits = Submission::new(holding(held)).paused();
        let id = engine.submit(waits).unwrap();
        assert!(engine.cancel_task(&id).is_ok());
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn two_may_shut_the_engine_down_at_once_from_outside_and_inside() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let handle = engine.clone();
        let work = Work::closure("shuts down", move |_| {
            let _ = gate.recv();
            handle.shutdown(ShutdownWait::Now);
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        let outside = {
            let engine = engine.clone();
            std::thread::spawn(move || engine.shutdown(ShutdownWait::Tasks(PATIENCE)))
        };
        events.until(|event| matches!(event, Event::ShuttingDown));
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
        let report = in_time("the other shutdown", move || outside.join().unwrap());
        assert_eq!(report.abandoned, 1, "{report:?}");
    });
}

#[test]
fn a_shutdown_that_was_begun_ends_as_asked_when_the_last_handle_goes() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        let work = Work::closure("slow", move |_| {
            let _ = gate.recv();
            done.send(()).unwrap();
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        engine.begin_shutdown(ShutdownWait::Tasks(PATIENCE));
        let dropped = std::thread::spawn(move || drop(engine));
        assert!(stopped.try_recv().is_err(), "it waits for what runs");
        release.send(()).unwrap();
        is_done.recv_timeout(SOON).expect("it ends on its thread");
        in_time("the drop", move || dropped.join().unwrap());
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn a_shutdown_that_was_begun_does_not_wait_for_the_work_that_drops_the_last_handle() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let handle = engine.clone();
        let work = Work::closure("holds a handle", move |_| {
            let _ = gate.recv();
            drop(handle);
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        events.until_started(&id);
        engine.begin_shutdown(ShutdownWait::Drain(Duration::from_secs(3600)));
        drop(engine);
        release.send(()).unwrap();
        is_free(folder.path(), &stopped);
    });
}

#[test]
fn an_opening_ends_what_was_begun_to_shut_down() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let (engine, stopped) = open(folder.path());
        engine.begin_shutdown(ShutdownWait::Now);
        let path = folder.path().to_owned();
        let opening = std::thread::spawn(move || Engine::open(Options::new(path)));
        drop(engine);
        stopped.recv_timeout(SOON).expect("it stops soon");
        let again = in_time("the opening", move || opening.join().unwrap());
        assert!(!again.unwrap().health().is_shutdown);
    });
}
