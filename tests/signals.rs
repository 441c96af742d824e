//! Signals to the real program, in every phase of its work: it ends in time and with the right
//! code, what is on disk is in order, and the next start goes on from there.

mod kit;

use std::path::Path;
use std::time::{Duration, Instant};

use kit::{Home, PATIENCE, Running, STORY, clips, finished, samples, stored_states};
use rustix::process::Signal;
use serde_json::Value;

/// How long a stop may wait for the segment in work, where none should have to wait that long. It
/// is generous because a machine under load opens a voice slowly.
const DEADLINE: Duration = Duration::from_secs(30);
/// What ending may cost beyond the deadline.
#[cfg(target_os = "linux")]
const MARGIN: Duration = Duration::from_secs(1);

/// A sentence that takes a slow voice seconds to speak.
#[cfg(target_os = "linux")]
const LONG: &str = "She walked along the shore until the wind had dropped and the boats had all \
    come home, and then she walked the whole way back, counting the lamps in the windows.";

/// Narrates the home's `story.txt`; a stop may wait so long for the segment in work.
fn narrate(home: &Home, deadline: Duration) -> Running {
    let mut command = home.command(&["narrate", "--json", &story(home)]);
    let seconds = deadline.as_secs_f64().to_string();
    command.env("ALOUD_SHUTDOWN_TIMEOUT", seconds);
    // What goes on in the background is tried elsewhere.
    command.env("ALOUD_ON_HANGUP", "stop");
    Running::start(command)
}

fn story(home: &Home) -> String {
    home.path("story.txt").to_str().unwrap().to_owned()
}

/// Sends a signal, and checks that the program ends within this time, with this code, and with
/// everything on disk in order. Returns the events of the whole run.
#[track_caller]
fn stopped_by(
    run: Running,
    home: &Home,
    signal: Signal,
    code: i32,
    within: Duration,
) -> Vec<Value> {
    let sent = Instant::now();
    run.signal(signal);
    let (ended, events) = run.end();
    let took = sent.elapsed();
    println!("exit code {code}: {took:.2?} after the signal");
    assert_eq!(ended, Some(code), "{signal:?}");
    assert!(took < within, "{signal:?}: it took {took:.2?}");
    assert_in_order(home);
    events
}

/// The task waits, its clips and their rows agree, nothing half-written is left, and the database
/// was closed.
#[track_caller]
fn assert_in_order(home: &Home) {
    assert!(!home.path("state/aloud.db-wal").exists(), "left open");
    assert_eq!(stored_states(home), ["PENDING"]);
    let folder = home.path("narrations/story");
    let mut rows = finished(home, None);
    rows.sort();
    assert_eq!(rows, clips(&folder), "rows and files");
    for clip in &rows {
        samples(clip);
    }
    assert_eq!(names(&folder).len(), rows.len(), "{:?}", names(&folder));
}

/// The next start goes on, makes what is missing and nothing else, and fails in nothing.
#[track_caller]
fn assert_goes_on(home: &Home) {
    let before = finished(home, None).len();
    let (code, events) = narrate(home, DEADLINE).end();
    assert_eq!(code, Some(0));
    assert_eq!(events[0]["continued"], true);
    let summary = events.last().unwrap();
    assert_eq!(
        (&summary["event"], &summary["failed"]),
        (&"summary".into(), &0.into())
    );
    assert_eq!(summary["completed"], summary["segments"]);
    let made = count(&events, "segment_completed");
    assert_eq!(summary["segments"], before + made, "{before} before");
    assert_eq!(stored_states(home), ["COMPLETED"]);
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["event"] == name).count()
}

/// The names of the files in a narration's folder.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != aloud::engine::RECORD_FILE && name != aloud::narrate::MARK_FILE)
        .collect()
}

#[test]
fn term_while_the_model_opens_ends_before_the_first_segment() {
    let home = Home::ready();
    home.write("story.txt", STORY);
    let mut run = narrate(&home, DEADLINE);
    run.until("started");
    let events = stopped_by(run, &home, Signal::TERM, 143, DEADLINE);
    assert_eq!(count(&events, "segment_started"), 0, "it came too late");
    assert!(finished(&home, None).is_empty());
    assert_goes_on(&home);
}

#[test]
fn a_signal_stops_it_cleanly_and_the_next_start_goes_on() {
    let home = Home::ready();
    home.write("story.txt", STORY);
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let before = clips(&home.path("narrations/story")).len();
        let mut run = narrate(&home, DEADLINE);
        run.until("segment_started");
        stopped_by(run, &home, signal, code, DEADLINE);
        // The segment in work was not thrown away.
        assert!(finished(&home, None).len() > before);
    }
    assert_goes_on(&home);
}

#[test]
fn term_while_a_clip_is_published_leaves_nothing_half_written() {
    let home = Home::ready();
    home.write("story.txt", STORY);
    let folder = home.path("narrations/story");
    let mut run = narrate(&home, DEADLINE);
    run.until("started");
    // As tight as can be: a part lives a few milliseconds. If it has its name already, its row is
    // on the way.
    let until = Instant::now() + PATIENCE;
    while names(&folder).is_empty() {
        assert!(Instant::now() < until, "no clip came");
        std::thread::yield_now();
    }
    println!("there when the signal was sent: {:?}", names(&folder));
    stopped_by(run, &home, Signal::TERM, 143, DEADLINE);
    assert!(!finished(&home, None).is_empty());
    assert_goes_on(&home);
}

/// One voice that needs seconds for its one segment: the first signal waits for it, the second one
/// or the deadline does not.
#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_or_the_deadline_breaks_the_segment_off() {
    let home = Home::ready();
    home.write("story.txt", LONG);
    home.write("config/config.toml", "speed = 0.25\nthreads = 1\n");
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut run = narrate(&home, DEADLINE);
        run.until("segment_started");
        run.signal(signal);
        // Two of a kind that come together count as one: the first must have been taken.
        kit::wait_for("the stop", || {
            has_thread(run.id(), "aloud-stop").then_some(())
        });
        let events = stopped_by(run, &home, signal, code, DEADLINE);
        assert_eq!(count(&events, "segment_completed"), 0, "it waited");
    }
    // Shorter than any machine takes for the segment.
    let deadline = Duration::from_millis(200);
    let mut run = narrate(&home, deadline);
    run.until("segment_started");
    let events = stopped_by(run, &home, Signal::TERM, 143, deadline + MARGIN);
    assert_eq!(count(&events, "segment_completed"), 0, "it waited");
    assert_goes_on(&home);
}

/// Whether a process has a thread of this name now.
#[cfg(target_os = "linux")]
fn has_thread(process: u32, name: &str) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let comm = std::fs::read_to_string(thread.path().join("comm"));
        comm.is_ok_and(|comm| comm.trim_end() == name)
    })
}

#[test]
fn what_was_ignored_at_the_start_stays_ignored() {
    let home = Home::ready();
    let story = home.write("story.txt", STORY);
    // As `nohup` starts a program.
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_aloud"))
        .args(["narrate", &story, "--json"])
        .env("ALOUD_HOME", home.folder.path());
    let mut running = Running::start(command);
    running.until("segment_completed");
    running.signal(Signal::HUP);
    let (code, events) = running.end();
    assert_eq!(code, Some(0));
    assert_eq!(events.last().unwrap()["failed"], 0);
}
