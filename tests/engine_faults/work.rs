//! Which work runs, when, and on how many workers: limits, duplicates, breakers, drains, restarts.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use aloud::engine::{
    Breaker, Engine, ErrorObject, Event, Hold, Operation, Options, ShutdownWait, Submission,
    SubmitError, TaskContext, TaskId, TaskState, WaitError, Work, WorkError, WorkResult,
};
use serde_json::{Value, json};

use crate::kit::{
    PATIENCE, bounded, events, eventually, in_time, make_clips, narrating, narration, nothing,
    open, still_works, story,
};

#[test]
fn a_segment_that_fails_before_the_model_leaves_no_limit_behind() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = narrating(folder.path(), |_, task| {
            let _attempt = task.begin_segment(2)?;
            task.fail_segment(2, ErrorObject::new("NOTHING_TO_SPEAK", "no words"));
            // Nobody interrupts what goes on long after the segment's limit.
            let (stop, stopped) = mpsc::channel();
            let interrupted = task.interrupt().breaking(
                move || {
                    let _ = stop.send(());
                },
                || stopped.recv_timeout(Duration::from_millis(500)),
            );
            Ok(json!(
                interrupted.is_ok() || task.interrupt().is_segment_overdue()
            ))
        });
        options.segment_timeout = Some(Duration::from_millis(50));
        let engine = Engine::open(options).unwrap();
        let id = engine.submit(story(folder.path(), "a")).unwrap();
        let status = engine.wait(&id).unwrap();
        assert_eq!(
            (status.state, status.result),
            (TaskState::Completed, Some(false.into()))
        );
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn one_narration_handed_in_twice_at_once_is_taken_once() {
    bounded(|| {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
            engine.pause_queue();
            let barrier = Arc::new(Barrier::new(2));
            let threads = [(); 2].map(|()| {
                let (engine, barrier) = (engine.clone(), Arc::clone(&barrier));
                let narration = narration(folder.path(), "same");
                std::thread::spawn(move || {
                    barrier.wait();
                    engine.submit_task(narration, None)
                })
            });
            let [one, other] = threads.map(|thread| thread.join().unwrap());
            let (taken, refused) = if one.is_ok() {
                (one, other)
            } else {
                (other, one)
            };
            let taken = taken.unwrap();
            assert!(
                matches!(&refused, Err(SubmitError::Duplicate(id)) if *id == taken),
                "{refused:?}"
            );
            assert_eq!(engine.tasks().len(), 1);
            engine.shutdown(ShutdownWait::Now);
        }
    });
}

#[test]
fn of_two_submissions_of_one_id_only_the_taken_one_is_called_back() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        for round in 0..20 {
            let barrier = Arc::new(Barrier::new(2));
            let (told, heard) = mpsc::channel();
            let threads = [0, 1].map(|number| {
                let (engine, barrier, told) = (engine.clone(), Arc::clone(&barrier), told.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    let work = Submission::new(nothing()).id(format!("same {round}"));
                    let taken = engine.submit_with(work, move |_, _| told.send(number).unwrap());
                    taken.is_ok()
                })
            });
            drop(told);
            let taken = threads.map(|thread| thread.join().unwrap());
            assert_ne!(taken[0], taken[1], "one is taken");
            let number = usize::from(taken[1]);
            // Both callbacks go in the end, and with them the channel.
            let heard = in_time("the end", move || heard.iter().collect::<Vec<_>>());
            assert_eq!(heard, [number; 3], "submitted, started, ended");
        }
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn whoever_waits_for_a_task_that_could_not_be_stored_fails() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let held = crate::kit::hold_database(folder.path());
        let submitting = {
            let (engine, story) = (engine.clone(), story(folder.path(), "first"));
            std::thread::spawn(move || engine.submit(story))
        };
        eventually("it is on its way", || {
            engine.unfinished_like("first").is_some()
        });
        let after = Submission::new(nothing()).after([TaskId::from("first")]);
        let after = engine.submit(after).unwrap();
        let refused = in_time("the submission", move || submitting.join().unwrap());
        assert!(matches!(refused, Err(SubmitError::Store(_))), "{refused:?}");
        let status = {
            let engine = engine.clone();
            in_time("its dependant", move || engine.wait(&after)).unwrap()
        };
        assert_eq!(status.error.unwrap().code, "DEPENDENCY");
        drop(held);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn an_end_is_waited_for_by_any_number_of_callers() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let unknown = engine.wait(&TaskId::from("nobody"));
        assert_eq!(unknown.unwrap_err(), WaitError::Unknown);
        let id = engine.submit(Submission::new(nothing()).paused()).unwrap();
        let waiting = [(); 3].map(|()| {
            let (engine, id) = (engine.clone(), id.clone());
            std::thread::spawn(move || engine.wait(&id).unwrap().state)
        });
        let in_async = {
            let (engine, id) = (engine.clone(), id.clone());
            std::thread::spawn(move || {
                let end = futures_lite::future::block_on(engine.wait_async(&id));
                end.unwrap().state
            })
        };
        engine.resume_task(&id).unwrap();
        for thread in waiting.into_iter().chain([in_async]) {
            let state = in_time("the end", move || thread.join().unwrap());
            assert_eq!(state, TaskState::Completed);
        }
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        // One that continues at the next start does not end in this one.
        let continues = engine.submit(story(folder.path(), "a").paused()).unwrap();
        let waiting = {
            let (engine, id) = (engine.clone(), continues.clone());
            std::thread::spawn(move || engine.wait(&id))
        };
        engine.shutdown(ShutdownWait::Now);
        let told = in_time("the waiting", move || waiting.join().unwrap());
        assert_eq!(told.unwrap_err(), WaitError::ShutDown);
        assert_eq!(engine.wait(&continues).unwrap_err(), WaitError::ShutDown);
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
    });
}

/// Gives back what it was given.
struct Echo;

impl Operation for Echo {
    fn run(&mut self, parameters: &Value, context: &Value, _: &TaskContext) -> WorkResult {
        Ok(json!([parameters, context]))
    }
}

#[test]
fn an_operation_survives_a_restart_with_what_it_was_given() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let with_echo = || {
            let mut options = Options::new(folder.path());
            let echo: aloud::engine::OperationFactory = Arc::new(|| Box::new(Echo));
            options.operations.insert("echo".into(), echo);
            Engine::open(options).unwrap()
        };
        let (parameters, context) = (json!({ "title": "An echo", "n": [1, 2] }), json!("mine"));
        let create = |engine: &Engine| {
            let limit = Some(Duration::from_secs(60));
            engine.create_task("echo", parameters.clone(), context.clone(), limit)
        };
        let engine = with_echo();
        engine.pause_queue();
        let id = create(&engine).unwrap();
        engine.shutdown(ShutdownWait::Now);
        assert!(matches!(create(&engine), Err(SubmitError::ShutDown)));
        drop(engine);

        let engine = open(folder.path());
        assert!(matches!(create(&engine), Err(SubmitError::NoOperation(name)) if &*name == "echo"));
        let status = engine.task_status(&id).unwrap();
        assert_eq!(status.hold.as_deref(), Some(&Hold::NoOperation));
        let operation = status.operation.unwrap();
        assert_eq!(
            (&operation.parameters, &operation.context),
            (&parameters, &context)
        );
        engine.shutdown(ShutdownWait::Now);
        drop(engine);

        let engine = with_echo();
        let status = engine.wait(&id).unwrap();
        assert_eq!(
            (&*status.title, status.result),
            ("An echo", Some(json!([parameters, context]).into()))
        );
        engine.shutdown(ShutdownWait::Now);
    });
}

struct Living(Arc<AtomicUsize>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

thread_local! {
    static LIVING: RefCell<Option<Living>> = const { RefCell::new(None) };
}

/// Work that meets others of its kind, and counts the threads that live.
fn meets(barrier: &Arc<Barrier>, living: &Arc<AtomicUsize>) -> Work {
    let (barrier, living) = (Arc::clone(barrier), Arc::clone(living));
    Work::closure("meets others", move |_| {
        LIVING.with_borrow_mut(|slot| {
            slot.get_or_insert_with(|| {
                living.fetch_add(1, Ordering::SeqCst);
                Living(Arc::clone(&living))
            });
        });
        barrier.wait();
        Ok(Value::Null)
    })
}

fn meet(engine: &Engine, number: usize, living: &Arc<AtomicUsize>) {
    let barrier = Arc::new(Barrier::new(number));
    let tasks: Vec<TaskId> = (0..number)
        .map(|_| engine.submit_task(meets(&barrier, living), None).unwrap())
        .collect();
    for id in tasks {
        let engine = engine.clone();
        in_time("they meet", move || engine.wait(&id)).unwrap();
    }
}

#[test]
fn workers_come_and_go_as_they_are_told() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let living = Arc::new(AtomicUsize::new(0));
        engine.set_workers(3, 3).unwrap();
        assert_eq!(engine.stats().workers, 3);
        meet(&engine, 3, &living);
        assert_eq!(living.load(Ordering::SeqCst), 3);
        engine.set_workers(1, 1).unwrap();
        eventually("two leave", || living.load(Ordering::SeqCst) == 1);
        assert_eq!(engine.stats().workers, 1);
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
        eventually("all leave", || living.load(Ordering::SeqCst) == 0);
    });
}

#[test]
fn workers_that_came_with_a_backlog_go_with_it() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path());
        options.max_workers = 4;
        let engine = Engine::open(options).unwrap();
        let living = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            meet(&engine, 4, &living);
            eventually("they leave", || living.load(Ordering::SeqCst) <= 1);
            assert_eq!(engine.stats().workers, 1);
        }
        still_works(&engine);
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_full_queue_refuses_with_a_time_to_come_back() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path());
        options.max_waiting = 2;
        let engine = Engine::open(options).unwrap();
        engine.pause_queue();
        let first = engine.submit_task(nothing(), None).unwrap();
        engine.submit_task(nothing(), None).unwrap();
        let refused = engine.submit_task(nothing(), None).unwrap_err();
        let SubmitError::Full { waiting, retry_in } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(*waiting, 2);
        assert!((1..=600).contains(&retry_in.as_secs()), "{refused}");
        assert!(engine.cancel_task(&first).is_ok());
        engine.submit_task(nothing(), None).unwrap();
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn tasks_of_a_voice_that_fails_wait_until_one_does_well() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let is_well = Arc::new(AtomicBool::new(false));
        let is_well_now = Arc::clone(&is_well);
        let mut options = narrating(folder.path(), move |narration, _| {
            if &*narration.voice == "broken" && !is_well_now.load(Ordering::SeqCst) {
                let error = ErrorObject::new("NO_VOICE", "it can't be opened");
                return Err(WorkError::Transient(error));
            }
            Ok(Value::Null)
        });
        options.retries.most = 0;
        let pause = Duration::from_secs(4);
        options.breaker = Breaker {
            failures: 2,
            first: pause,
            longest: pause,
        };
        let engine = Engine::open(options).unwrap();
        let events = events(&engine);
        engine.pause_queue();
        let submit = |name: &str, voice: &str| {
            let mut narration = narration(folder.path(), name);
            narration.voice = voice.into();
            let submission = Submission::new(narration).id(name);
            engine.submit(submission).unwrap()
        };
        let broken = ["a", "b", "c", "d"].map(|name| submit(name, "broken"));
        let other = submit("e", "other");
        engine.resume_queue();
        for id in &broken[..2] {
            let status = events.until_ended(&engine, id);
            assert_eq!(status.error.unwrap().code, "NO_VOICE");
        }
        for id in &broken[2..] {
            let status = engine.task_status(id).unwrap();
            assert_eq!(status.state, TaskState::Pending);
            let Some(Hold::Breaker { error, retry_at }) = status.hold.as_deref() else {
                panic!("{:?}", status.hold);
            };
            assert_eq!(error.code, "NO_VOICE");
            assert!(*retry_at > status.created_at);
        }
        assert_eq!(engine.wait(&other).unwrap().state, TaskState::Completed);
        assert_eq!(engine.stats().pending, 2, "another voice is not held back");
        is_well.store(true, Ordering::SeqCst);
        for id in &broken[2..] {
            let status = engine.wait(id).unwrap();
            assert_eq!((status.state, status.hold), (TaskState::Completed, None));
        }
        engine.shutdown(ShutdownWait::Now);
    });
}

#[test]
fn a_drain_runs_what_is_queued_and_takes_nothing_more() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        let events = events(&engine);
        let (release, gate) = mpsc::channel::<()>();
        let work = Work::closure("first", move |_| {
            let _ = gate.recv();
            Ok(Value::Null)
        });
        let first = engine.submit_task(work, None).unwrap();
        let mut queued: Vec<TaskId> = (0..3)
            .map(|_| engine.submit_task(nothing(), None).unwrap())
            .collect();
        let after = Submission::new(nothing()).after(queued.clone());
        queued.push(engine.submit(after).unwrap());
        let held = engine.submit(Submission::new(nothing()).paused()).unwrap();
        events.until_started(&first);
        let draining = {
            let engine = engine.clone();
            std::thread::spawn(move || engine.shutdown(ShutdownWait::Drain(PATIENCE)))
        };
        events.until(|event| matches!(event, Event::ShuttingDown));
        let late = engine.submit_task(nothing(), None);
        assert!(matches!(late, Err(SubmitError::ShutDown)));
        drop(release);
        let report = in_time("the drain", move || draining.join().unwrap());
        let counts = (report.finished, report.interrupted, report.cancelled);
        assert_eq!(counts, (5, 0, 1), "{report:?}");
        for id in queued {
            let status = engine.task_status(&id).unwrap();
            assert_eq!(status.state, TaskState::Completed);
        }
        let held = engine.task_status(&held).unwrap();
        assert_eq!(held.error.unwrap().code, "SHUTDOWN", "it could not run");
    });
}

#[test]
fn a_drain_runs_what_waits_for_a_narration() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.pause_queue();
        let first = engine.submit(story(folder.path(), "first")).unwrap();
        let second = story(folder.path(), "second").after([first.clone()]);
        let second = engine.submit(second).unwrap();
        let third = Submission::new(nothing()).after([second.clone()]);
        let third = engine.submit(third).unwrap();
        engine.resume_queue();
        let handle = engine.clone();
        in_time("the drain", move || {
            handle.shutdown(ShutdownWait::Drain(PATIENCE))
        });
        for id in [first, second, third] {
            let status = engine.task_status(&id).unwrap();
            assert_eq!(status.state, TaskState::Completed, "{}", status.title);
        }
    });
}
