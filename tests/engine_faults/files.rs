//! What lies on disk beside the database's rows: the database that is lost or damaged, and what a
//! narration's folder says of itself.

use std::path::Path;

use aloud::engine::{
    Engine, ErrorObject, Event, Narration, RECORD_FILE, SegmentId, ShutdownWait, TaskContext,
    TaskId, TaskState, WorkResult,
};

use crate::kit::{
    bounded, database_of, events, in_time, make_clips, narrating, still_works, story,
};

#[test]
fn a_rebuild_that_was_killed_is_begun_again() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = || Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let first = engine();
        for name in ["a", "b"] {
            first.submit(story(folder.path(), name).paused()).unwrap();
        }
        first.shutdown(ShutdownWait::Now);
        drop(first);
        let database = database_of(folder.path());
        let list = folder.path().join("library/narrations.jsonl");
        // What a kill right after the first steps leaves: an empty database, and a half-made one.
        let text = std::fs::read(&list).unwrap();
        std::fs::remove_file(&database).unwrap();
        std::fs::remove_file(&list).unwrap();
        engine().shutdown(ShutdownWait::Now);
        std::fs::write(&list, text).unwrap();
        std::fs::write(database.with_extension("db.rebuilding"), b"half made").unwrap();
        let engine = engine();
        assert_eq!(engine.recovery().unwrap().narrations, 2);
        engine.resume_all();
        for name in ["a", "b"] {
            let status = engine.wait(&TaskId::from(name)).unwrap();
            assert_eq!(status.state, TaskState::Completed);
        }
        engine.shutdown(ShutdownWait::Now);
        assert!(!database.with_extension("db.rebuilding").exists());
    });
}

#[test]
fn a_damaged_database_is_set_aside_with_its_log() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        engine.submit(story(folder.path(), "a").paused()).unwrap();
        engine.shutdown(ShutdownWait::Now);
        drop(engine);
        let database = database_of(folder.path());
        let (garbage, log) = (
            vec![0x5a; 8192],
            b"what was not yet in the database".as_slice(),
        );
        std::fs::write(&database, &garbage).unwrap();
        std::fs::write(database.with_extension("db-wal"), log).unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let recovery = engine.recovery().unwrap();
        assert_eq!(recovery.narrations, 1, "{recovery}");
        let aside = recovery.set_aside.clone().unwrap();
        assert_eq!(std::fs::read(&aside).unwrap(), garbage);
        let mut name = aside.into_os_string();
        name.push("-wal");
        assert_eq!(std::fs::read(name).unwrap(), log);
        engine.resume_all();
        let status = engine.wait(&TaskId::from("a")).unwrap();
        assert_eq!(status.state, TaskState::Completed);
        engine.shutdown(ShutdownWait::Now);
    });
}

/// The lines of a narration's record.
fn record(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join(RECORD_FILE)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Fails the first segment, and makes the others.
fn fail_first(narration: &Narration, task: &TaskContext) -> WorkResult {
    let _attempt = task.begin_segment(1)?;
    let error = ErrorObject::new("UNSPEAKABLE", "nobody can say this");
    task.fail_segment(1, error.clone());
    make_clips(narration, task)?;
    // It was made after all, and something is still wrong with it.
    task.fail_segment(1, error);
    Ok("all".into())
}

#[test]
fn a_narrations_record_says_what_went_wrong_with_a_segment() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(narrating(folder.path(), fail_first)).unwrap();
        let events = events(&engine);
        let id = engine.submit(story(folder.path(), "a")).unwrap();
        events.until(|event| {
            matches!(
                event,
                Event::SegmentFailed {
                    segment_id: SegmentId::FIRST,
                    ..
                }
            )
        });
        events.until_ended(&engine, &id);
        engine.shutdown(ShutdownWait::Now);
        let lines = record(&folder.path().join("a"));
        let kinds: Vec<_> = lines
            .iter()
            .map(|line| line["record"].as_str().unwrap())
            .collect();
        let all = ["narration", "error", "clip", "clip", "error", "ended"];
        assert_eq!(kinds, all);
        assert_eq!(lines[1]["segment_id"], 1);
        assert_eq!(lines[1]["error"]["code"], "UNSPEAKABLE");
    });
}

#[test]
fn a_link_in_the_place_of_a_record_is_not_followed() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious.txt");
        std::fs::write(&precious, "someone's own").unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let record = folder.path().join("a").join(RECORD_FILE);
        std::os::unix::fs::symlink(&precious, &record).unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        let id = engine.submit(story(folder.path(), "a")).unwrap();
        assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        engine.shutdown(ShutdownWait::Now);
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "someone's own");
        assert!(record.is_symlink());
    });
}

#[test]
fn a_folder_that_hangs_holds_up_neither_work_nor_a_shutdown() {
    bounded(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let record = folder.path().join("a").join(RECORD_FILE);
        // Nobody reads from it: who opens it to write waits, as in a folder of a dead network.
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &record, kind, mode, 0).unwrap();
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        for name in ["a", "b"] {
            let id = engine.submit(story(folder.path(), name)).unwrap();
            assert_eq!(engine.wait(&id).unwrap().state, TaskState::Completed);
        }
        still_works(&engine);
        let handle = engine.clone();
        in_time("the shutdown", move || handle.shutdown(ShutdownWait::Now));
        drop(engine);
        let engine = Engine::open(narrating(folder.path(), make_clips)).unwrap();
        still_works(&engine);
        // Someone reads from it: what waits comes to its end.
        let _reader = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&record);
        engine.shutdown(ShutdownWait::Now);
    });
}
