//! The library on disk: history, older versions of it, a database that is lost, damaged or held.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aloud::engine::{
    Engine, Event, Priority, ShutdownWait, StoreError, Submission, TaskId, TaskState, Work,
};
use serde_json::Value;

use crate::kit::{narrating, narration, open, until, until_ended};

#[test]
fn history_keeps_what_clean_up_removes_and_what_a_lost_database_had() {
    let folder = tempfile::tempdir().unwrap();
    let story = |name: &str, segments| {
        let mut story = narration(&folder.path().join(name), segments);
        story.title = name.into();
        story.fingerprint = name.into();
        Submission::new(story).id(name)
    };
    let (engine, _) = narrating(folder.path(), Some(4));
    let events = engine.subscribe();
    let done = engine.submit(story("done", 3)).unwrap();
    until_ended(&engine, &events, &done);
    let cancelled = engine.submit(story("cancelled", 5)).unwrap();
    until(
        &events,
        |event| matches!(event, Event::SegmentCompleted { task, segment } if *task == cancelled && segment.segment_id.get() == 3),
    );
    engine.cancel_task(&cancelled).unwrap();
    until_ended(&engine, &events, &cancelled);
    // Neither closures nor what has not ended are history.
    let closure = engine.submit_task(Work::closure("closure", |_| Ok(Value::Null)), None);
    until_ended(&engine, &events, &closure.unwrap());
    engine.submit(story("waiting", 2).paused()).unwrap();
    assert_eq!(engine.cleanup_old_tasks(Duration::ZERO), 3);

    let history = engine.history(10).unwrap();
    let lines: Vec<_> = history
        .iter()
        .map(|past| {
            let summary = past.summary.unwrap();
            let counts = (summary.segments, summary.done, summary.errors);
            (&*past.title, past.state, counts, past.problem.is_some())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("cancelled", TaskState::Cancelled, (5, 3, 0), true),
            ("done", TaskState::Completed, (3, 3, 0), false),
        ]
    );
    // 100 samples at 1000 a second in each clip.
    assert!((history[1].summary.unwrap().audio_seconds - 0.3).abs() < 1e-9);
    assert!(history[1].completed_at >= history[1].created_at);
    assert_eq!(*history[1].folder, folder.path().join("done"));
    assert_eq!(engine.history(1).unwrap(), history[..1]);
    assert!(engine.history(0).unwrap().is_empty());
    assert_eq!(engine.history(usize::MAX).unwrap().len(), 2);
    engine.shutdown(ShutdownWait::Now);
    assert!(matches!(engine.history(1), Err(StoreError::Closed)));
    drop(engine);

    std::fs::remove_file(folder.path().join("library/aloud.db")).unwrap();
    let (engine, _) = narrating(folder.path(), None);
    assert_eq!(engine.history(10).unwrap(), history);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn one_engine_a_folder_and_handles_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = open(folder.path());
    let id = first
        .submit_task(Work::closure("one", |_| Ok(Value::Null)), None)
        .unwrap();
    assert!(second.task_status(&id).is_some());
    let detour = open(
        &folder
            .path()
            .join("..")
            .join(folder.path().file_name().unwrap()),
    );
    assert!(
        detour.task_status(&id).is_some(),
        "another name of the same folder"
    );
    second.shutdown(ShutdownWait::Now);
    assert!(first.health().is_shutdown);
    let again = open(folder.path());
    assert!(!again.health().is_shutdown);
}

#[test]
fn a_library_of_version_1_is_migrated_and_goes_on() {
    migrated("library-v1.db", 7 - 3);
}

#[test]
fn a_library_of_version_2_is_migrated_and_goes_on() {
    migrated("library-v2.db", 6 - 3);
}

#[test]
fn a_library_of_version_4_is_migrated_and_goes_on() {
    migrated("library-v4.db", 6 - 3);
}

#[test]
fn a_library_of_version_5_is_migrated_and_goes_on() {
    migrated("library-v5.db", 6 - 3);
}

#[test]
fn a_library_of_version_6_is_migrated_and_goes_on() {
    migrated("library-v6.db", 6 - 3);
}

#[test]
fn a_library_of_version_7_is_migrated_and_goes_on() {
    migrated("library-v7.db", 6 - 3);
}

#[test]
fn a_library_of_version_3_has_its_history_as_far_as_it_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("library")).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/library-v3.db");
    std::fs::copy(fixture, folder.path().join("library/aloud.db")).unwrap();
    let (engine, _) = narrating(folder.path(), None);
    let history = engine.history(10).unwrap();
    let titles: Vec<_> = history.iter().map(|past| &*past.title).collect();
    assert_eq!(titles, ["late", "reduced", "The Small Hours"]);
    let late = history[0].problem.as_deref().unwrap();
    assert!(late.starts_with("Operation exceeded timeout"), "{late}");
    assert_eq!(history[0].summary.unwrap().done, 0);
    // Clean-up had taken its segments, and with them what there was to count.
    assert_eq!(history[1].summary, None);
    let whole = history[2].summary.unwrap();
    assert_eq!((whole.segments, whole.done, whole.errors), (4, 4, 0));
    let seconds = f64::from(33792 + 56320 + 74752 + 68608) / 22050.0;
    assert!((whole.audio_seconds - seconds).abs() < 1e-9);
    engine.shutdown(ShutdownWait::Now);
}

/// Opens a library that an earlier version of the program left when it was killed.
fn migrated(fixture: &str, still_to_make: usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("library")).unwrap();
    let database = folder.path().join("library/aloud.db");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::copy(fixtures.join(fixture), &database).unwrap();
    // The fixture was killed with three clips on disk; here they lie where the test can write.
    let connection = rusqlite::Connection::open(&database).unwrap();
    let clips = folder.path().join("clips");
    std::fs::create_dir(&clips).unwrap();
    connection
        .execute("UPDATE tasks SET folder = ?1", [clips.to_str().unwrap()])
        .unwrap();
    let mut rows = connection
        .prepare("SELECT clip, bytes FROM segments WHERE clip IS NOT NULL")
        .unwrap();
    let sizes: Vec<(String, u32)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(rows);
    for (name, bytes) in sizes {
        std::fs::File::create(clips.join(name))
            .unwrap()
            .set_len(bytes.into())
            .unwrap();
    }
    drop(connection);
    let (engine, made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    let tasks = engine.tasks();
    let titles: Vec<_> = tasks.iter().map(|task| &*task.title).collect();
    assert_eq!(titles, ["The Small Hours", "second"]);
    for task in &tasks {
        if !engine.task_status(&task.id).unwrap().state.is_terminal() {
            until_ended(&engine, &events, &task.id);
        }
    }
    assert_eq!(
        made.load(Ordering::SeqCst),
        still_to_make,
        "the three clips were made before"
    );
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_damaged_or_lost_database_is_set_aside_and_rebuilt_from_the_clips_folders() {
    let garbage = |path: &Path| std::fs::write(path, vec![0x5a; 8192]).unwrap();
    let torn = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        // The pages of the segments, not the header: such damage is found by looking at all of it.
        let half = bytes.len() / 2;
        bytes[half..].fill(0xa5);
        std::fs::write(path, bytes).unwrap();
        std::fs::write(path.with_extension("db-suspect"), "").unwrap();
    };
    let gone = |path: &Path| std::fs::remove_file(path).unwrap();
    let ways: [&dyn Fn(&Path); 3] = [&garbage, &torn, &gone];
    for (damage, set_aside) in ways.into_iter().zip([true, true, false]) {
        let folder = tempfile::tempdir().unwrap();
        let story = |name: &str| {
            let mut story = narration(&folder.path().join(name), 6);
            story.fingerprint = name.into();
            Submission::new(story).id(name)
        };
        let (engine, _) = narrating(folder.path(), Some(4));
        let events = engine.subscribe();
        let done = engine.submit(story("cancelled")).unwrap();
        let begun = |event: &Event, wanted: &TaskId| {
            matches!(event,
            Event::SegmentCompleted { task, segment } if task == wanted && segment.segment_id.get() == 3)
        };
        until(&events, |event| begun(event, &done));
        engine.cancel_task(&done).unwrap();
        until_ended(&engine, &events, &done);
        let open = engine.submit(story("open")).unwrap();
        until(&events, |event| begun(event, &open));
        engine.shutdown(ShutdownWait::Now);
        damage(&folder.path().join("library/aloud.db"));

        let (engine, made) = narrating(folder.path(), None);
        let recovery = engine.recovery().unwrap().clone();
        assert_eq!(
            (recovery.narrations, recovery.unfinished, recovery.clips),
            (2, 1, 6),
            "{recovery}"
        );
        assert_eq!(recovery.set_aside.is_some(), set_aside, "{recovery}");
        if let Some(path) = &recovery.set_aside {
            assert!(path.is_file() && recovery.to_string().contains(path.to_str().unwrap()));
        }
        let events = engine.subscribe();
        let status = match engine.task_status(&open).unwrap() {
            status if status.state.is_terminal() => status,
            _ => until_ended(&engine, &events, &open),
        };
        assert_eq!(status.state, TaskState::Completed);
        assert_eq!(made.load(Ordering::SeqCst), 3, "three clips were there");
        assert!(engine.task_status(&done).is_none(), "it had ended");
        let again = engine.retry_task(&done).unwrap();
        until_ended(&engine, &events, &again);
        assert_eq!(made.load(Ordering::SeqCst), 6, "three more were there");
        engine.shutdown(ShutdownWait::Now);
        // Rebuilt, it is a database like any other.
        let (engine, _) = narrating(folder.path(), None);
        assert!(engine.recovery().is_none());
        engine.shutdown(ShutdownWait::Now);
    }
}

#[test]
fn a_database_that_another_program_holds_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, made) = narrating(folder.path(), None);
    let events = engine.subscribe();
    engine.pause_queue();
    let id = engine
        .submit_task(narration(folder.path(), 6), None)
        .unwrap();
    let database = folder.path().join("library/aloud.db");
    let other = rusqlite::Connection::open(database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    engine.resume_queue();
    until(&events, |event| {
        matches!(event, Event::SegmentStarted { .. })
    });
    assert!(
        engine
            .task_status(&id)
            .unwrap()
            .completed_segments
            .is_empty(),
        "its clip can't be stored yet"
    );
    other.execute_batch("COMMIT").unwrap();
    let status = until_ended(&engine, &events, &id);
    assert_eq!(status.state, TaskState::Completed);
    assert_eq!(made.load(Ordering::SeqCst), 6);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn the_order_that_someone_made_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = narrating(folder.path(), None);
    engine.pause_queue();
    let submit = |name: &str, priority| {
        let mut story = narration(&folder.path().join(name), 1);
        story.title = name.into();
        story.fingerprint = name.into();
        let submission = Submission::new(story).priority(priority).id(name);
        engine.submit(submission).unwrap()
    };
    let [a, b, c] = ["a", "b", "c"].map(|name| submit(name, Priority::Normal));
    let high = submit("high", Priority::High);
    // high a b c → a c high b
    assert!(engine.move_up(&a).is_ok() && engine.move_up(&c).is_ok() && engine.move_up(&c).is_ok());
    assert!(engine.move_down(&c).is_ok());
    engine.shutdown(ShutdownWait::Now);

    let (engine, _) = narrating(folder.path(), Some(1));
    let events = engine.subscribe();
    let mut order = Vec::new();
    for _ in 0..4 {
        let running = |engine: &Engine| {
            let tasks = engine.tasks().into_iter();
            let mut tasks = tasks.filter(|task| task.state == TaskState::Processing);
            tasks.next().map(|task| task.id)
        };
        let id = running(&engine).unwrap_or_else(|| {
            let started = until(&events, |event| matches!(event, Event::Started { .. }));
            started.task().unwrap().clone()
        });
        engine.cancel_task(&id).unwrap();
        until_ended(&engine, &events, &id);
        order.push(id);
    }
    assert_eq!(order, [a, high, c, b]);
    engine.shutdown(ShutdownWait::Now);
}
