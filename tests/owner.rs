//! One program works a library, and others look at it and steer it over its socket.

mod kit;

use rustix::process::{Signal, kill_process, test_kill_process};

use kit::owner::{Desk, story};
use kit::{clips, wait_for};

#[test]
fn texts_are_added_steered_and_waited_for_by_commands_of_their_own() {
    let desk = Desk::new();
    assert!(desk.says(&["status"]).contains("aloud add"));
    assert!(desk.says(&["stop"]).contains("Nothing runs"));
    let mut serve = desk.serve();
    desk.says(&["pause", "--all"]);
    let (one, two) = (story(&desk, "one", 3), story(&desk, "two", 3));
    let added = desk.says(&["add", &one, &two]);
    assert_eq!(added.lines().count(), 2, "{added}");
    let tasks = desk.tasks();
    let state = |at: usize| tasks[at]["state"].as_str().unwrap().to_owned();
    assert_eq!([state(0), state(1)], ["PENDING", "PENDING"]);
    assert!(desk.says(&["status"]).contains("The queue is paused"));
    desk.says(&["move", "two", "--sooner"]);
    let said = desk.refuses(&["move", "two", "--sooner"]);
    assert!(said.contains("no place beyond"), "{said}");
    let ranks = || {
        desk.tasks()
            .iter()
            .map(|task| task["rank"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    desk.says(&["move", "two", "one", "--first"]);
    assert!(
        ranks()[1] < ranks()[0] && ranks()[0] < -1000,
        "{:?}",
        ranks()
    );
    desk.says(&["cancel", "one"]);
    // Its end is told when it is on disk.
    wait_for("it has ended", || {
        (desk.tasks()[0]["state"] == "CANCELLED").then_some(())
    });
    let said = desk.refuses(&["cancel", "one"]);
    assert!(said.contains("has already ended"), "{said}");
    let said = desk.refuses(&["pause", "three"]);
    assert!(said.contains("there is no task three"), "{said}");
    desk.says(&["resume", "--all"]);
    let ends = desk.says(&["wait"]);
    assert!(ends.contains("completed  100 %  3 of 3  two"), "{ends}");
    let again = desk.says(&["retry", "one"]);
    assert!(again.starts_with("tried again: one"), "{again}");
    assert!(
        desk.says(&["wait"])
            .lines()
            .all(|line| line.contains("completed"))
    );
    assert!(desk.says(&["log"]).contains("completed successfully"));
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
    let status = desk.says(&["status"]);
    assert!(
        status.contains("There is no task"),
        "what has ended is history: {status}"
    );
}

#[test]
fn what_an_owner_has_left_is_steered_when_nobody_works() {
    let desk = Desk::new();
    let (left, lost) = (story(&desk, "left", 2), story(&desk, "lost", 2));
    // Bad input costs nothing: the good text beside it is not taken either.
    let said = desk.refuses(&["add", &left, "nowhere.txt"]);
    assert!(
        said.contains("nowhere.txt: there is no such file"),
        "{said}"
    );
    assert!(!desk.home.path("state").exists());
    let mut serve = desk.serve();
    desk.says(&["pause", "--all"]);
    desk.says(&["add", &left, &lost]);
    desk.says(&["cancel", "lost"]);
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
    assert!(
        desk.says(&["cancel", "left"])
            .starts_with("cancelled: left")
    );
    assert!(desk.says(&["status"]).contains("There is no task"));
    // Both are history by now.
    for title in ["left", "lost"] {
        assert!(desk.says(&["retry", title]).contains(title));
    }
    let ends = desk.says(&["wait"]);
    assert!(
        ends.lines().all(|line| line.contains("completed  100 %")),
        "{ends}"
    );
}

#[test]
fn one_that_cannot_begin_says_why() {
    let desk = Desk::new();
    let text = story(&desk, "text", 1);
    desk.home
        .write("state", "a file where the library is to be");
    let said = desk.refuses(&["add", &text]);
    let path = desk.home.path("state").display().to_string();
    assert!(
        said.contains("can't begin") && said.contains(&path),
        "{said}"
    );
}

#[test]
fn an_owner_that_is_killed_has_the_next_command_as_its_heir() {
    let desk = Desk::new();
    let long = story(&desk, "long", 400);
    // Nobody works the queue: `add` starts someone, and returns.
    desk.says(&["add", &long]);
    let first = desk.owner();
    let folder = desk.home.path("narrations/long");
    wait_for("clips", || (clips(&folder).len() > 5).then_some(()));
    kill_process(first, Signal::KILL).unwrap();
    wait_for("it is gone", || {
        test_kill_process(first).is_err().then_some(())
    });
    let before = clips(&folder).len();
    let said = desk.says(&["status"]);
    assert!(said.contains("Nothing runs now"), "{said}");
    let short = story(&desk, "short", 1);
    desk.says(&["add", &short]);
    assert_ne!(desk.owner(), first);
    desk.says(&["wait"]);
    let tasks = desk.tasks();
    assert_eq!(tasks.len(), 2);
    assert!(
        tasks.iter().all(|task| task["state"] == "COMPLETED"),
        "{tasks:?}"
    );
    assert!(clips(&folder).len() > before);
}

#[test]
fn it_goes_when_nothing_is_left_to_do() {
    let desk = Desk::new();
    desk.says(&["add", &story(&desk, "short", 1)]);
    let owner = desk.owner();
    desk.says(&["wait"]);
    wait_for("it leaves by itself", || {
        test_kill_process(owner).is_err().then_some(())
    });
    assert!(
        !desk.home.path("state/aloud.sock").exists(),
        "and takes its socket along"
    );
}
