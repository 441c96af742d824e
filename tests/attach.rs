//! `aloud narrate`, `status --watch` and `log -f` where another program works the queue: they follow it,
//! leave it, outlive it.

mod kit;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use kit::owner::{Desk, story};
use kit::{PATIENCE, Running, clips, wait_for, wait_for_end};

/// Longer than any test looks.
const LONG: usize = 4000;

/// A program whose words are read as they come. Killed if a test leaves it.
struct Talking {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Talking {
    /// What it says on standard error.
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let err = child.stderr.take().unwrap();
        Self::hearing(child, err)
    }

    /// What it says on standard output.
    fn telling(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        Self::hearing(child, out)
    }

    fn hearing(child: Child, words: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        let words = BufReader::new(words);
        // It ends with the program.
        std::thread::spawn(move || {
            for line in words.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    #[track_caller]
    fn until(&mut self, words: &str) {
        while !self.said.contains(words) {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("it does not say `{words}`: {}", self.said);
            };
            self.said += &line;
            self.said += "\n";
        }
    }

    /// All that it says, up to its end; it has to end well.
    #[track_caller]
    fn all(mut self) -> String {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said += &line;
            self.said += "\n";
        }
        assert_eq!(wait_for_end(&mut self.child), Some(0), "{}", self.said);
        std::mem::take(&mut self.said)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn narrate(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.command(&["narrate"]);
    command.args(args);
    command
}

fn state(desk: &Desk, title: &str) -> String {
    let tasks = desk.tasks();
    let task = tasks.iter().find(|task| task["title"] == title).unwrap();
    task["state"].as_str().unwrap().to_owned()
}

/// What each event of `--json` is called, and which fields it has; the disk decides their order.
fn shape(events: &[Value]) -> Vec<String> {
    let steps = events.iter().filter(|event| event["event"] != "progress");
    let shapes = steps.map(|event| {
        let mut fields: Vec<_> = event.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        format!("{}: {}", event["event"], fields.join(" "))
    });
    let mut shapes: Vec<_> = shapes.collect();
    shapes.sort();
    shapes
}

#[test]
fn a_text_that_is_named_where_another_works_comes_first_and_is_told_as_at_home() {
    let desk = Desk::new();
    let short = story(&desk, "short", 3);
    let home = Running::start(narrate(&desk, &["--json", &short])).end();
    assert_eq!(home.0, Some(0));
    std::fs::remove_dir_all(desk.home.path("narrations/short")).unwrap();

    let mut serve = desk.serve();
    desk.says(&["add", &story(&desk, "book", LONG)]);
    wait_for("the book runs", || {
        (state(&desk, "book") == "PROCESSING").then_some(())
    });
    let there = Running::start(narrate(&desk, &["--json", &short])).end();
    assert_eq!(there.0, Some(0));
    assert_eq!(shape(&there.1), shape(&home.1));
    assert_eq!(there.1.last().unwrap()["completed"], 3);
    let clip = there.1.iter().find_map(|event| event["clip"].as_str());
    assert!(std::path::Path::new(clip.unwrap()).is_file());
    // It stood back for that, and goes on.
    assert_ne!(state(&desk, "book"), "COMPLETED");
    wait_for("the book runs again", || {
        (state(&desk, "book") == "PROCESSING").then_some(())
    });
    // So it does for what is named with it, and before it.
    let book = desk.home.path("book.txt");
    let third = story(&desk, "third", 2);
    let mut both = Running::start(narrate(&desk, &["--json", &third, book.to_str().unwrap()]));
    both.until("ended");
    assert_eq!(state(&desk, "third"), "COMPLETED");
    assert_ne!(state(&desk, "book"), "COMPLETED");
    both.signal(Signal::TERM);
    assert_eq!(both.end().0, Some(143));
    let plain = narrate(&desk, &["--plain", &story(&desk, "other", 2)]);
    let mut plain = Talking::start(plain);
    plain.until("another aloud");
    assert_eq!(wait_for_end(&mut plain.child), Some(0));
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
}

#[test]
fn ctrl_c_leaves_the_work_where_it_is_and_twice_cancels_it() {
    let desk = Desk::new();
    let mut serve = desk.serve();
    let book = story(&desk, "book", LONG);
    let mut first = Talking::start(narrate(&desk, &["--plain", &book]));
    first.until("another aloud");
    first.signal(Signal::TERM);
    first.until("`aloud cancel ");
    assert_eq!(wait_for_end(&mut first.child), Some(143));
    // The same again is followed where it is.
    let mut second = Talking::start(narrate(&desk, &["--plain", &book]));
    second.until("another aloud");
    second.signal(Signal::INT);
    second.until("Ctrl-C again");
    second.until("the work goes on without this");
    assert_eq!(wait_for_end(&mut second.child), Some(130));
    assert!(!state(&desk, "book").contains("CANCEL"));
    let mut third = Talking::start(narrate(&desk, &["--plain", &book]));
    third.until("another aloud");
    third.signal(Signal::INT);
    third.until("Ctrl-C again");
    third.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut third.child), Some(130));
    assert_eq!(state(&desk, "book"), "CANCELLED");
    assert_eq!(desk.tasks().len(), 1);
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
}

#[test]
fn whoever_follows_goes_on_when_the_one_who_worked_is_killed() {
    let desk = Desk::new();
    let mut serve = desk.serve();
    let folder = desk.home.path("narrations/book");
    let mut one = Running::start(narrate(&desk, &["--json", &story(&desk, "book", 300)]));
    let mut two = Running::start(narrate(&desk, &["--json", &story(&desk, "other", 300)]));
    one.until("submitted");
    two.until("submitted");
    wait_for("clips", || (clips(&folder).len() > 5).then_some(()));
    serve.kill().unwrap();
    serve.wait().unwrap();
    // One of them is the next owner; when that is done with its own, the other one is.
    for running in [one, two] {
        let (code, events) = running.end();
        assert_eq!(code, Some(0));
        let summary = events.last().unwrap();
        assert_eq!(
            (summary["completed"].as_u64(), &summary["failed"]),
            (Some(300), &0.into())
        );
        assert_eq!(summary["files"].as_array().unwrap().len(), 1);
    }
    assert_eq!(clips(&folder).len(), 300);
}

#[test]
fn who_follows_an_owner_that_is_told_to_end_says_so_and_begins_nothing() {
    let desk = Desk::new();
    let mut serve = desk.serve();
    let mut follows = Talking::start(narrate(&desk, &["--plain", &story(&desk, "book", LONG)]));
    follows.until("another aloud");
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
    assert_eq!(wait_for_end(&mut follows.child), Some(1));
    follows.until("goes on at the next start");
    assert!(desk.says(&["status"]).contains("Nothing runs now"));
}

#[test]
fn at_home_too_what_is_named_now_comes_before_what_is_left() {
    let desk = Desk::new();
    let mut left = Running::start(narrate(&desk, &["--json", &story(&desk, "left", LONG)]));
    left.until("segment_completed");
    left.signal(Signal::TERM);
    assert_eq!(left.end().0, Some(143));
    let before = clips(&desk.home.path("narrations/left")).len();
    let two = [story(&desk, "one", 2), story(&desk, "two", 2)];
    let (code, events) = Running::start(narrate(&desk, &["--json", &two[0], &two[1]])).end();
    assert_eq!(code, Some(0));
    let ended = events.iter().filter(|event| event["event"] == "ended");
    assert_eq!(ended.count(), 2);
    let after = clips(&desk.home.path("narrations/left")).len();
    // Only what there was time for between the last end and the program's.
    assert!(after <= before + 50, "{before} {after}");
    assert!(desk.says(&["status"]).contains("left"));
}

#[test]
fn a_detached_narration_returns_at_once_and_comes_first() {
    let desk = Desk::new();
    desk.says(&["add", &story(&desk, "book", LONG)]);
    let said = desk.says(&[
        "narrate",
        "--detach",
        &story(&desk, "one", 2),
        &story(&desk, "two", 2),
    ]);
    assert!(said.contains("aloud attach"), "{said}");
    assert!(
        desk.says(&["wait", "one", "two"])
            .lines()
            .all(|line| line.contains("completed"))
    );
    assert_ne!(state(&desk, "book"), "COMPLETED");
    let said = desk.refuses(&["narrate", "--detach", "nowhere.txt"]);
    assert!(
        said.contains("nowhere.txt: there is no such file"),
        "{said}"
    );
}

#[test]
fn the_log_and_the_state_are_followed_until_nobody_works() {
    let desk = Desk::new();
    let said = desk.refuses(&["status", "--watch"]);
    assert!(said.contains("nothing runs"), "{said}");
    let mut serve = desk.serve();
    let start = |args: &[&str]| Talking::telling(desk.command(args));
    let mut all = start(&["status", "--watch"]);
    all.until("There is no task");
    desk.says(&["pause", "--all"]);
    let (one, two) = (story(&desk, "one", 3), story(&desk, "two", 3));
    desk.says(&["add", &one, &two]);
    let mut one = start(&["status", "one", "--watch"]);
    one.until("waits");
    desk.says(&["resume", "--all"]);
    desk.says(&["wait"]);
    let one = one.all();
    assert!(
        one.lines().last().unwrap().contains("completed  100 %"),
        "{one}"
    );
    assert!(!one.contains("two"), "{one}");
    let mut log = start(&["log", "-f"]);
    log.until("completed successfully");
    let mut only = start(&["log", "-f", "--task", "two"]);
    only.until("completed successfully");
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
    let [all, log, only] = [all, log, only].map(|program| {
        let said = program.all();
        assert!(said.contains("has ended"), "{said}");
        said
    });
    assert!(all.contains("completed  100 %  3 of 3  two"), "{all}");
    assert!(log.contains("title=one"), "{log}");
    assert!(
        only.contains("title=two") && !only.contains("title=one"),
        "{only}"
    );
}
