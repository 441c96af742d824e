//! Narrations: continued, cancelled, tried again, and no clip made twice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aloud::engine::testing::{self, Library};
use aloud::engine::{
    Event, GroupId, SegmentId, ShutdownWait, Submission, SubmitError, TaskId, TaskState,
};

use serde_json::json;

use crate::kit::{PATIENCE, narrating, narration, open, until, until_ended};

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

/// Each time the one that was moved to the front has its turn after a segment of the other.
#[test]
fn what_is_moved_to_the_front_does_not_wait_for_the_end_of_what_runs() {
    let engine = Library::with_narrator(testing::long_silence);
    let events = engine.subscribe();
    let begun = |id: &TaskId| {
        until(
            &events,
            |event| matches!(event, Event::SegmentStarted { task, .. } if task == id),
        );
    };
    let book = engine.submit(engine.narration("A book")).unwrap();
    begun(&book);
    let note = engine.submit(engine.narration("A note")).unwrap();
    assert_eq!(engine.move_first(std::slice::from_ref(&note)), Ok(1));
    until(
        &events,
        |event| matches!(event, Event::Requeued { task } if *task == book),
    );
    begun(&note);
    // One that runs is not in its own way.
    let both = [note.clone(), book.clone(), "nobody".into()];
    assert_eq!(engine.move_first(&both), Ok(2));
    assert_eq!(engine.move_first(std::slice::from_ref(&book)), Ok(1));
    for id in [&book, &note] {
        let status = engine.wait(id).unwrap();
        let done = status.completed_segments.len();
        assert_eq!((status.state, done), (TaskState::Completed, 2));
        assert_eq!(status.attempt, 1, "that it stood back counts as no attempt");
    }
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
fn a_narration_keeps_its_context_and_its_time_over_a_restart() {
    let mut library = Library::new();
    let hour = Duration::from_secs(3600);
    let story = Submission::new(library.narration("A story"));
    let story = story.delay(hour).context(json!({ "order": 7 }));
    let id = library.submit(story).unwrap();
    let before = library.task_status(&id).unwrap();
    let due = before.due.unwrap();
    assert!(due.since(before.created_at) <= hour, "{due:?}");
    library.shutdown(ShutdownWait::Now);
    library.reopen();
    let after = library.task_status(&id).unwrap();
    assert_eq!(
        (after.state, after.context),
        (TaskState::Pending, before.context)
    );
    // The clocks of two processes differ by a few milliseconds.
    assert!(
        after.due.unwrap().0.abs_diff(due.0) < 1000,
        "{:?}",
        after.due
    );
    let document = library.task_document(&id).unwrap();
    assert_eq!(document["user_context"], json!({ "order": 7 }));
}
