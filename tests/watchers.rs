//! Any number of people look at one queue, each from a terminal of their own, and the work outlives
//! whichever of them does it.

mod kit;
#[path = "kit/pty.rs"]
mod pty;

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use kit::{Home, clips, wait_for};
use pty::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");
const SIZE: (u16, u16) = (120, 36);

/// A home with the voice of tones.
fn home() -> Home {
    let home = Home::ready();
    let voice = home.tone();
    home.write("config/config.toml", format!("voice = \"{voice}\"\n"));
    home
}

fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = home.command(args);
    command.env_remove("XDG_RUNTIME_DIR");
    command
}

#[track_caller]
fn says(home: &Home, args: &[&str]) -> String {
    let ran = command(home, args).output().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{args:?}: {err}");
    String::from_utf8(ran.stdout).unwrap()
}

fn open(home: &Home) -> Terminal {
    let mut command = pty::command(Path::new(PROGRAM), &[], home.folder.path());
    command.env_remove("XDG_RUNTIME_DIR");
    Terminal::start(command, SIZE)
}

/// The monitor that works the queue.
fn owner(home: &Home) -> Terminal {
    let mut owner = open(home);
    owner.until("Nothing to narrate yet");
    wait_for("it can be reached", || {
        let lock = std::fs::read_to_string(home.path("state/lock")).ok()?;
        lock.contains("socket").then_some(())
    });
    owner
}

fn holder(home: &Home) -> Option<u32> {
    let lock = std::fs::read_to_string(home.path("state/lock")).ok()?;
    let lock: Value = serde_json::from_str(&lock).ok()?;
    lock.get("socket")?;
    u32::try_from(lock["pid"].as_u64()?).ok()
}

fn story(home: &Home, name: &str, sentences: usize) -> String {
    let text: Vec<_> = (0..sentences)
        .map(|n| format!("This is sentence {n} of {name}."))
        .collect();
    home.write(&format!("{name}.txt"), text.join("\n\n"))
}

fn states(home: &Home) -> Vec<String> {
    let tasks: Vec<Value> = serde_json::from_str(&says(home, &["status", "--json"])).unwrap();
    let state = |task: &Value| task["state"].as_str().unwrap().to_owned();
    tasks.iter().map(state).collect()
}

#[test]
fn a_second_monitor_is_the_same_and_steers_the_same_work() {
    let home = home();
    let mut first = owner(&home);
    let mut second = open(&home);
    second.until("another aloud does the work");
    second.until("aloud attached");
    says(&home, &["add", &story(&home, "the-long-road", 6000)]);
    for screen in [&mut first, &mut second] {
        screen.until("PROCESSING");
        screen.until("This is sentence 1 of the-long-road.");
    }
    // What was made before it came is there as well.
    let mut third = open(&home);
    third.press("2");
    third.until("✔ done");
    third.press("g");
    third.until("This is sentence 0 of the-long-road.");
    third.press("q");
    assert_eq!(third.exit_code(), 0);

    second.press("p");
    first.until("‖ paused");
    second.until("‖ paused");
    second.press("p");
    first.until_gone("‖ paused");
    // A text that was added here is seen there.
    let short = story(&home, "the-short-road", 2);
    second.paste(&short);
    second.until("Add a text");
    second.until(&short);
    second.press("\r");
    second.until_gone("Add a text");
    first.until("the-short-road");
    second.press("g");
    second.press("c");
    second.until("Cancel “the-long-road”?");
    second.press("y");
    first.until("CANCELLED");
    says(&home, &["wait"]);
    assert_eq!(states(&home), ["CANCELLED", "COMPLETED"]);

    // Whoever only looks leaves without a question, and nothing ends.
    second.press("q");
    assert_eq!(second.exit_code(), 0);
    assert_eq!(states(&home).len(), 2);
    // With work left it would ask.
    first.until("⊘ ended");
    first.press("q");
    assert_eq!(first.exit_code(), 0);
}

#[test]
fn when_the_one_that_works_is_killed_a_watcher_takes_over() {
    let home = home();
    let first = owner(&home);
    let mut watchers = [open(&home), open(&home)];
    says(&home, &["add", &story(&home, "the-road", 150)]);
    for watcher in &mut watchers {
        watcher.until("PROCESSING");
    }
    let killed = first.process_id();
    let folder = home.path("narrations/the-road");
    wait_for("clips", || (clips(&folder).len() > 5).then_some(()));
    first.signal(Signal::KILL);
    wait_for("another one works", || {
        holder(&home).filter(|pid| *pid != killed)
    });
    let heir = holder(&home).unwrap();
    let ids = watchers.each_ref().map(Terminal::process_id);
    assert!(ids.contains(&heir), "{heir} of {ids:?}");
    says(&home, &["wait"]);
    assert_eq!(states(&home), ["COMPLETED"]);
    assert_eq!(clips(&folder).len(), 150);
    for watcher in &mut watchers {
        let works = watcher.process_id() == heir;
        watcher.until_screen("who works", |screen| works != screen.contains("attached"));
        watcher.until("COMPLETED");
        watcher.until("150 clips");
    }
    // The one that only looks first: it does not end the other.
    watchers.sort_by_key(|watcher| watcher.process_id() == heir);
    for watcher in &mut watchers {
        watcher.press("q");
        assert_eq!(watcher.exit_code(), 0);
    }
}

#[test]
fn when_the_work_is_ended_on_purpose_watchers_say_so_and_leave() {
    let home = home();
    let mut first = owner(&home);
    let mut watcher = open(&home);
    watcher.until("another aloud does the work");
    says(&home, &["stop"]);
    assert_eq!(first.exit_code(), 0);
    watcher.until("The aloud that worked the queue has ended");
    assert_eq!(watcher.exit_code(), 0);
    watcher.assert_given_back();
}

#[test]
fn plain_lines_follow_another_program_as_well() {
    let home = home();
    let mut first = owner(&home);
    says(&home, &["pause", "--all"]);
    let one = story(&home, "one", 2);
    let said = home.run_with_input(
        &["--accessible"],
        format!("add {one}\nsay Rain again.\n").as_bytes(),
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    for line in [
        "The queue is empty.",
        "The queue is paused.",
        "Added as task 1: one, 2 segments.",
        "The work goes on in another aloud. Goodbye.",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let said = home.run_with_input(&["--accessible"], b"text 1 2\ncancel 1\nlist\nq\n");
    assert!(
        said.out
            .contains("segment 2, not made yet: This is sentence 1 of one."),
        "{}",
        said.out
    );
    assert_eq!(states(&home)[0], "CANCELLED");
    // A signal ends the look, and nothing else.
    let at = home.folder.path();
    let mut looking = Terminal::run(Path::new(PROGRAM), &["--accessible"], at, SIZE);
    looking.until("The queue is paused.");
    looking.signal(Signal::TERM);
    assert_eq!(looking.exit_code(), 143);
    first.press("q");
    first.press("\r");
    assert_eq!(first.exit_code(), 0);
}
