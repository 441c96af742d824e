//! Code that is not the engine's: what closures hold, what panics, wakers, hooks, callbacks. It may
//! call the engine, panic or never return, and nothing else comes to harm.

use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aloud::engine::{
    Engine, Event, ShutdownWait, Submission, Subscription, TaskState, Work, WorkError,
};
use serde_json::Value;

use crate::kit::{OnDrop, PATIENCE, bounded, events, holding, in_time, nothing, open, still_works};

#[test]
fn cancelling_a_closure_whose_capture_uses_the_engine_returns() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        engine.pause_queue();
        let (told, dropped) = mpsc::channel();
        let handle = engine.clone();
        let capture = OnDrop(move || {
            let submitted = handle.submit_task(nothing(), None).is_ok();
            told.send((handle.stats().cancelled, submitted)).unwrap();
        });
        let id = engine.submit_task(holding(capture), None).unwrap();
        assert!(engine.cancel_task(&id).is_ok());
        assert_eq!(dropped.recv_timeout(PATIENCE), Ok((1, true)));
        engine.resume_queue();
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_repeatable_closure_whose_capture_uses_the_engine_ends_well() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let (told, dropped) = mpsc::channel();
        let handle = engine.clone();
        let capture = Mutex::new(OnDrop(move || {
            handle.pause_queue();
            handle.resume_queue();
            told.send(handle.stats().completed).unwrap();
        }));
        let work = Work::repeatable("uses the engine", move |_| {
            let _held = &capture;
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        assert_eq!(dropped.recv_timeout(PATIENCE), Ok(1));
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_shutdown_returns_though_captures_use_the_engine_as_they_go() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        engine.pause_queue();
        let (told, dropped) = mpsc::channel();
        for _ in 0..3 {
            let (handle, told) = (engine.clone(), told.clone());
            let capture = OnDrop(move || {
                handle.cancel_all();
                drop(handle.subscribe());
                let late = handle.submit_task(nothing(), None);
                told.send(late.is_err()).unwrap();
            });
            engine.submit_task(holding(capture), None).unwrap();
        }
        let report = engine.shutdown(ShutdownWait::Now);
        assert_eq!((report.cancelled, report.abandoned), (3, 0));
        for _ in 0..3 {
            assert_eq!(dropped.recv_timeout(PATIENCE), Ok(true));
        }
    });
}

#[test]
fn a_capture_that_takes_long_to_go_holds_nobody_up() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let events = events(&engine);
        engine.pause_queue();
        let (begun, goes) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let capture = OnDrop(move || {
            begun.send(()).unwrap();
            let _ = gate.recv();
        });
        let id = engine.submit_task(holding(capture), None).unwrap();
        assert!(engine.cancel_task(&id).is_ok());
        goes.recv_timeout(PATIENCE).unwrap();
        // It goes, and does not come to its end: everything else does.
        assert_eq!(engine.stats().cancelled, 1);
        events.until_ended(&engine, &id);
        engine.resume_queue();
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
        drop(release);
    });
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor that panics");
    }
}

#[test]
fn a_panic_in_a_destructor_ends_no_thread() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let bomb = Bomb;
        let work = Work::repeatable("holds a bomb", move |_| {
            let _held = &bomb;
            Ok(Value::Null)
        });
        let id = engine.submit_task(work, None).unwrap();
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        still_works(&engine);
        // One that is dropped on the worker, and one that never runs.
        let id = engine.submit_task(holding(Bomb), None).unwrap();
        assert_eq!(engine.wait(&id).unwrap().error.unwrap().code, "PANIC");
        still_works(&engine);
        let waits = engine.submit(Submission::new(holding(Bomb)).paused());
        assert!(engine.cancel_task(&waits.unwrap()).is_ok());
        still_works(&engine);
        engine
            .submit(Submission::new(holding(Bomb)).paused())
            .unwrap();
        let report = engine.shutdown(ShutdownWait::Now);
        assert_eq!((report.cancelled, report.abandoned), (1, 0));
    });
}

#[test]
fn a_panic_whose_payload_panics_as_it_goes_fails_its_task_only() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let work = Work::closure("panics", |_| std::panic::panic_any(Bomb));
        let id = engine.submit_task(work, None).unwrap();
        let status = engine.wait(&id).unwrap();
        assert_eq!(
            (status.state, status.error.unwrap().code.as_str()),
            (TaskState::Failed, "PANIC")
        );
        still_works(&engine);
        let report = engine.shutdown(ShutdownWait::Now);
        assert_eq!(report.abandoned, 0);
    });
}

/// A waker that is not the engine's.
struct Foreign<F: Fn() + Send + Sync>(F);

impl<F: Fn() + Send + Sync> Wake for Foreign<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Lets a subscription wake this the next time that something happens.
fn wake_on_next(subscription: &Subscription, wake: impl Fn() + Send + Sync + 'static) {
    let waker = Waker::from(Arc::new(Foreign(wake)));
    let mut next = Box::pin(subscription.recv());
    let polled = next.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Pending));
    // Dropped, it would not be woken.
    std::mem::forget(next);
}

fn forever(subscription: Subscription) -> &'static Subscription {
    Box::leak(Box::new(subscription))
}

#[test]
fn a_waker_that_calls_the_engine_and_blocks_holds_up_listeners_only() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let subscription = forever(engine.subscribe());
        let (told, woken) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let (handle, gate) = (engine.clone(), Mutex::new(gate));
        wake_on_next(subscription, move || {
            handle.submit_task(nothing(), None).unwrap();
            told.send(handle.stats().submitted).unwrap();
            let _ = gate.lock().unwrap().recv();
        });
        engine.submit_task(nothing(), None).unwrap();
        assert!(woken.recv_timeout(PATIENCE).unwrap() >= 1);
        // Now it blocks, for as long as it likes.
        let (ran, has_run) = mpsc::channel();
        let work = Work::closure("works", move |_| {
            ran.send(()).unwrap();
            Ok(Value::Null)
        });
        engine.submit_task(work, None).unwrap();
        has_run.recv_timeout(PATIENCE).unwrap();
        let report = engine.shutdown(ShutdownWait::Now);
        assert_eq!(report.abandoned, 0);
        assert!(!open(folder.path()).health().is_shutdown);
        drop(release);
    });
}

#[test]
fn a_waker_that_panics_costs_no_other_listener_an_event() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let first = forever(engine.subscribe());
        let second = engine.subscribe();
        wake_on_next(first, || panic!("a waker that panics"));
        let id = engine.submit_task(nothing(), None).unwrap();
        let told = in_time("an event", move || second.recv_blocking()).unwrap();
        assert_eq!(told, Event::Submitted { task: id });
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn an_end_is_waited_for_in_async_code_with_any_waker() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let id = engine.submit(Submission::new(nothing()).paused()).unwrap();
        let (told, woken) = mpsc::channel();
        let handle = engine.clone();
        let waker = Waker::from(Arc::new(Foreign(move || {
            told.send(handle.stats().completed).unwrap();
        })));
        let mut end = Box::pin(engine.wait_async(&id));
        let context = &mut Context::from_waker(&waker);
        assert!(end.as_mut().poll(context).is_pending());
        engine.resume_task(&id).unwrap();
        assert_eq!(woken.recv_timeout(PATIENCE), Ok(1));
        let Poll::Ready(Ok(status)) = end.as_mut().poll(context) else {
            panic!("it was woken for nothing");
        };
        assert_eq!(status.state, TaskState::Completed);
        engine.shutdown(ShutdownWait::Now);
    });
}

/// Work whose hook blocks when it is told to stop, once the gate is there.
fn blocking_hook(gate: mpsc::Receiver<()>, begun: mpsc::Sender<()>) -> Work {
    let gate = Arc::new(Mutex::new(gate));
    Work::closure("its hook blocks", move |task| {
        let (stop, stopped) = mpsc::channel::<()>();
        let hook = {
            let (gate, begun) = (Arc::clone(&gate), begun.clone());
            move || {
                let _ = begun.send(());
                let _ = gate.lock().unwrap().recv();
                let _ = stop.send(());
            }
        };
        let _ = task.interrupt().breaking(hook, || stopped.recv());
        Err(WorkError::Interrupted)
    })
}

#[test]
fn a_hook_that_blocks_holds_up_neither_the_clock_nor_a_shutdown() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel();
        let (begun, blocks) = mpsc::channel();
        let work = Submission::new(blocking_hook(gate, begun));
        let id = engine
            .submit(work.timeout(Duration::from_millis(20)))
            .unwrap();
        blocks.recv_timeout(PATIENCE).unwrap();
        // Its worker is given up, which the clock sees to, and another one takes its place.
        events.until_ended(&engine, &id);
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
        drop(release);
    });
}

#[test]
fn a_callback_may_submit_any_number_of_tasks_with_callbacks() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let (told, heard) = mpsc::channel();
        let handle = engine.clone();
        let submit = move |engine: &Engine| {
            let told = told.clone();
            let callback = move |event: &Event, _: Option<&_>| {
                if matches!(event, Event::Ended { .. }) {
                    told.send(()).unwrap();
                }
            };
            engine
                .submit_with(Submission::new(nothing()), callback)
                .unwrap();
        };
        engine
            .submit_with(Submission::new(nothing()), move |event, _| {
                if matches!(event, Event::Ended { .. }) {
                    for _ in 0..100 {
                        submit(&handle);
                    }
                }
            })
            .unwrap();
        for _ in 0..100 {
            heard.recv_timeout(PATIENCE).unwrap();
        }
        engine.shutdown(ShutdownWait::Now);
    });
}
