//! Texts for later and again and again, by commands of the real program: when they begin, what is narrated
//! of a file that recurs, and that a program that is killed loses nothing of it.

mod kit;

use rustix::process::{Signal, kill_process, test_kill_process};
use serde_json::Value;

use kit::owner::{Desk, story};
use kit::wait_for;

fn schedules(desk: &Desk) -> Vec<Value> {
    serde_json::from_str(&desk.says(&["schedules", "--json"])).unwrap()
}

/// The narrations, without the runs that have added them.
fn narrations(desk: &Desk) -> Vec<Value> {
    let mut tasks = desk.tasks();
    tasks.retain(|task| task["kind"] == "narration");
    tasks
}

fn completed(desk: &Desk) -> Vec<Value> {
    let mut tasks = narrations(desk);
    tasks.retain(|task| task["state"] == "COMPLETED");
    tasks
}

/// Kills whoever works the queue, with no time to say anything.
fn kill(desk: &Desk) {
    let owner = desk.owner();
    kill_process(owner, Signal::KILL).unwrap();
    wait_for("it is gone", || {
        test_kill_process(owner).is_err().then_some(())
    });
}

#[test]
fn a_text_begins_at_its_time_and_whoever_works_waits_for_it() {
    let desk = Desk::new();
    let (one, two) = (story(&desk, "one", 1), story(&desk, "two", 1));
    for (wrong, part) in [
        (vec!["--at", "2001-01-01T00:00"], " has passed: name a time"),
        (vec!["--at", "soon"], "soon is no time: write 03:00"),
        (
            vec!["--every", "often"],
            "neither an interval nor a cron expression",
        ),
        (vec!["--every", "0 3 * * 9"], "is no cron expression"),
        (vec!["--every", "0.1s"], "from a second to ten years"),
        (
            vec!["--every", "1d", "--name", "both", &two],
            "--name is the name of one text",
        ),
    ] {
        let args = [&["add", &one], &wrong[..]].concat();
        let ran = desk.command(&args).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{wrong:?}: {said}");
        assert!(said.contains(part), "{wrong:?}: {said}");
    }
    assert!(
        !desk.home.path("state").exists(),
        "nobody was started for it"
    );

    let said = desk.says(&["add", &one, "--at", "+2h"]);
    assert!(said.contains(", and begins "), "{said}");
    let again = desk.says(&["add", &one, "--at", "+3h"]);
    let begins = said.trim().rsplit("begins ").next().unwrap();
    let kept = format!("begins {begins}; for another time, cancel it first");
    assert!(again.contains(&kept), "{again}");
    // Whoever was started for it stays, for there is something to be done later.
    let owner = desk.owner();
    let said = desk.says(&["status"]);
    assert!(
        said.contains("waits") && said.contains("(begins "),
        "{said}"
    );
    kill(&desk);
    assert!(desk.says(&["status"]).contains("(begins "), "it is on disk");

    let said = desk.says(&["add", &two, "--at", "in 1 s"]);
    assert!(said.contains("two.txt is "), "{said}");
    assert_ne!(desk.owner(), owner);
    desk.says(&["wait", "two"]);
    let tasks = narrations(&desk);
    assert_eq!(
        [&tasks[0]["state"], &tasks[1]["state"]],
        ["PENDING", "COMPLETED"]
    );
    let ran = &tasks[1];
    assert!(ran["started_at"].as_i64() >= ran["due"].as_i64(), "{ran}");
}

#[test]
fn a_file_that_recurs_is_narrated_again_when_it_has_changed() {
    let desk = Desk::new();
    assert!(desk.says(&["schedules"]).contains("aloud add --every"));
    let news = desk.home.write("news.txt", "It struck one.");
    let said = desk.says(&["add", &news, "--every", "1s"]);
    assert!(
        said.contains("is read every 1 s as \"news\", next at "),
        "{said}"
    );
    let run_after = |due: i64| {
        wait_for("a run has ended", || {
            let last = schedules(&desk)[0]["last"].clone();
            let is_next = last["due"].as_i64()? > due && last["state"] == "COMPLETED";
            is_next.then(|| last["due"].as_i64().unwrap())
        })
    };
    wait_for("it is narrated", || {
        (completed(&desk).len() == 1).then_some(())
    });
    let folder = completed(&desk)[0]["folder"].clone();
    let since = run_after(run_after(0));
    run_after(since);
    assert_eq!(
        narrations(&desk).len(),
        1,
        "the same text is not narrated twice"
    );
    desk.home.write("news.txt", "It struck two.");
    wait_for("the other one is narrated", || {
        (completed(&desk).len() == 2).then_some(())
    });
    assert_ne!(completed(&desk)[1]["folder"], folder);
    assert_eq!(
        desk.says(&["schedules", "--remove", "news"]),
        "removed: news\n"
    );
    assert!(
        desk.refuses(&["schedules", "--remove", "news"])
            .contains("no schedule news")
    );
    assert!(desk.says(&["schedules"]).contains("Nothing recurs"));
}

#[test]
fn what_a_killed_program_missed_is_done_once_and_late() {
    let desk = Desk::new();
    let (later, news) = (story(&desk, "later", 1), story(&desk, "news", 1));
    let mut serve = desk.serve();
    desk.says(&["add", &later, "--at", "+6s"]);
    desk.says(&["add", &news, "--every", "6s", "--name", "often"]);
    let next = schedules(&desk)[0]["next"].as_i64().unwrap();
    kill_process(desk.owner(), Signal::KILL).unwrap();
    serve.wait().unwrap();
    assert_eq!(schedules(&desk)[0]["next"], next, "seen, and not done");
    wait_for("several times are missed", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        (now.unwrap().as_millis() > u128::try_from(next).unwrap() + 13_000).then_some(())
    });
    let is_run = |task: &Value| task["kind"] == "operation";
    assert!(
        !desk.tasks().iter().any(is_run),
        "whoever only looks begins nothing"
    );
    let mut serve = desk.serve();
    wait_for("both are narrated", || {
        (completed(&desk).len() == 2).then_some(())
    });
    let mut runs = desk.tasks();
    runs.retain(is_run);
    let due = |run: &Value| run["occurrence"]["due"].as_i64().unwrap();
    assert_eq!(due(&runs[0]), next);
    assert!(
        runs[0]["occurrence"]["late"]["secs"].as_u64() >= Some(12),
        "{}",
        runs[0]
    );
    assert!(
        runs.iter().skip(1).all(|run| due(run) > next + 12_000),
        "the others are passed over"
    );
    desk.says(&["stop"]);
    assert!(serve.wait().unwrap().success());
}

#[test]
fn a_narration_that_is_done_leaves_someone_to_what_recurs() {
    let desk = Desk::new();
    let (news, now) = (story(&desk, "news", 1), story(&desk, "now", 1));
    desk.says(&["add", &news, "--every", "1d"]);
    let first = desk.owner();
    desk.says(&["stop"]);
    wait_for("it is gone", || {
        test_kill_process(first).is_err().then_some(())
    });
    desk.says(&["narrate", "--plain", &now]);
    assert_eq!(schedules(&desk)[0]["name"], "news");
    let last = desk.owner();
    assert!(
        test_kill_process(last).is_ok() && last != first,
        "someone works"
    );
    assert!(!desk.says(&["schedules"]).contains("Nothing runs now"));
}
