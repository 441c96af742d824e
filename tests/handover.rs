//! The work outlives its screen: a monitor whose terminal is closed, one that is quit with "leave it
//! running", and a narration that loses its terminal have `aloud serve` go on in the background. Nothing is
//! made twice, and whoever looks on, or comes in between, does no harm. `ALOUD_HANGUPS` says how often the
//! terminal is closed, at moments that `ALOUD_SEED` decides.

mod kit;
#[path = "kit/pty.rs"]
mod pty;

use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Signal, test_kill_process};

use kit::owner::{Desk, story};
use kit::{Running, clips, samples, wait_for, wait_for_end};
use pty::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");
const USUAL: (u16, u16) = (100, 30);
const SEGMENTS: usize = 100;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

/// A home whose voice does not stand back for other programs: whoever tests waits for it.
fn home() -> Desk {
    let desk = Desk::new();
    let config = "[limits]\nniceness = 0\n";
    desk.home.write("config/config.toml", config);
    desk
}

/// The monitor, with the voice of tones.
fn monitor(desk: &Desk) -> portable_pty::CommandBuilder {
    let voice = desk.home.path("tone.onnx");
    let arguments = ["--offline", "--voice", voice.to_str().unwrap()];
    pty::command(Path::new(PROGRAM), &arguments, desk.home.folder.path())
}

/// The monitor at work on a text of this name, which an earlier run has begun.
fn at_work(desk: &Desk, name: &str, segments: usize) -> Terminal {
    let text = story(desk, name, segments);
    let mut running = Running::start(desk.command(&["narrate", "--json", &text]));
    running.until("started");
    running.signal(Signal::TERM);
    assert_eq!(running.end().0, Some(143));
    Terminal::start(monitor(desk), USUAL)
}

fn until_clips(folder: &Path, count: usize) {
    wait_for("clips", || (clips(folder).len() >= count).then_some(()));
}

/// Each clip by its file, which nobody writes a second time.
fn identities(folder: &Path) -> HashMap<PathBuf, u64> {
    let clips = clips(folder).into_iter();
    clips
        .filter_map(|clip| Some((clip.metadata().ok()?.ino(), clip)))
        .map(|(number, clip)| (clip, number))
        .collect()
}

fn made_again(before: &HashMap<PathBuf, u64>, after: &HashMap<PathBuf, u64>) -> usize {
    let same = |(clip, number): &(&PathBuf, &u64)| after.get(*clip) != Some(*number);
    before.iter().filter(same).count()
}

/// Whoever answers now.
fn owner(desk: &Desk) -> rustix::process::Pid {
    wait_for("someone answers", || {
        let status = desk.command(&["log", "-n", "1"]).output().unwrap();
        status.status.success().then_some(())
    });
    desk.owner()
}

/// Programs that come in between: each looks, and has to be told how things stand.
fn newcomers(desk: &Desk) -> Vec<Child> {
    let start = |_| {
        let mut command = desk.command(&["status", "--json"]);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    (0..3).map(start).collect()
}

#[test]
fn closed_in_mid_work_the_work_goes_on_in_the_background_and_nothing_is_made_twice() {
    let seed = setting("ALOUD_SEED", 1);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut again, mut taken_up, mut visits) = (0, 0, 0);
    let rounds = setting("ALOUD_HANGUPS", 3);
    for round in 0..rounds {
        let desk = home();
        let folder = desk.home.path("narrations/book");
        let terminal = at_work(&desk, "book", SEGMENTS);
        let first = terminal.process_id();
        until_clips(&folder, random.usize(1..SEGMENTS / 2));
        // Some look on, and some come in between.
        let watcher = random.bool().then(|| {
            let text = desk.home.path("book.txt");
            let text = text.to_str().unwrap();
            let mut watcher = Running::start(desk.command(&["narrate", "--json", text]));
            watcher.until("submitted");
            watcher
        });
        let before = identities(&folder);
        let mut process = terminal.close();
        let mut visitors = Vec::new();
        while process.ended().is_none() {
            if visitors.len() < 12 && random.bool() {
                visitors.extend(newcomers(&desk));
            }
            std::thread::park_timeout(std::time::Duration::from_millis(random.u64(1..40)));
        }
        assert_eq!(process.exit_code(), 129);
        let handed = identities(&folder);
        visits += visitors.len();
        for mut visitor in visitors {
            assert_eq!(wait_for_end(&mut visitor), Some(0), "round {round}");
        }
        let next = owner(&desk);
        assert_ne!(next.as_raw_pid().cast_unsigned(), first);
        taken_up += usize::from(handed.len() < SEGMENTS);
        let said = desk.says(&["wait"]);
        assert!(!said.contains("failed"), "{said}");
        let said = desk.says(&["status"]);
        assert!(said.contains("completed  100 %"), "{said}");
        if let Some(watcher) = watcher {
            let (code, events) = watcher.end();
            assert_eq!(code, Some(0), "round {round}");
            assert_eq!(events.last().unwrap()["completed"], SEGMENTS);
        }
        let after = identities(&folder);
        assert_eq!(after.len(), SEGMENTS);
        again += made_again(&before, &handed) + made_again(&handed, &after);
        for clip in after.keys() {
            samples(clip);
        }
        assert!(folder.join("book.wav").exists());
    }
    println!("{rounds} hang-ups, {taken_up} before the end, {visits} visitors, {again} made twice");
    assert_eq!(again, 0, "made twice (seed {seed})");
    assert!(taken_up > 0);
}

#[test]
fn quit_with_leave_it_running_it_goes_on_and_says_where() {
    let desk = home();
    let mut terminal = at_work(&desk, "book", 4000);
    until_clips(&desk.home.path("narrations/book"), 3);
    // A second monitor looks on all the time.
    let mut other = Terminal::start(monitor(&desk), USUAL);
    other.until("book");
    terminal.press("q");
    terminal.until("it goes on in the background");
    terminal.press("l");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    let said = terminal.text();
    assert!(
        said.contains("The work goes on in the background") && said.contains("aloud stop"),
        "{said}"
    );
    let made = clips(&desk.home.path("narrations/book")).len();
    until_clips(&desk.home.path("narrations/book"), made + 5);
    // It still shows the work, and leaving it ends nothing.
    other.press("q");
    assert_eq!(other.exit_code(), 0);
    assert!(desk.says(&["status"]).contains("running"));
}

#[test]
fn a_narration_that_loses_its_terminal_goes_on_in_the_background() {
    let desk = home();
    let folder = desk.home.path("narrations/book");
    let text = story(&desk, "book", SEGMENTS);
    let mut running = Running::start(desk.command(&["narrate", "--json", &text]));
    running.until("segment_completed");
    let before = identities(&folder);
    running.signal(Signal::HUP);
    assert_eq!(running.end().0, Some(129));
    desk.says(&["wait"]);
    assert_eq!(made_again(&before, &identities(&folder)), 0);
    assert_eq!(clips(&folder).len(), SEGMENTS);
    // Where that is wished, it works on itself.
    let text = story(&desk, "other", SEGMENTS);
    desk.says(&["stop"]);
    wait_for("nobody works", || {
        desk.says(&["stop"]).contains("Nothing runs").then_some(())
    });
    let mut command = desk.command(&["narrate", "--json", &text]);
    command.env("ALOUD_ON_HANGUP", "finish");
    let mut running = Running::start(command);
    running.until("segment_completed");
    running.signal(Signal::HUP);
    assert_eq!(running.end().0, Some(0));
    assert_eq!(clips(&desk.home.path("narrations/other")).len(), SEGMENTS);
}

#[test]
fn what_others_have_brought_outlives_the_one_who_worked() {
    let desk = home();
    let text = story(&desk, "own", 100);
    let mut running = Running::start(desk.command(&["narrate", "--json", &text]));
    running.until("started");
    let worker = desk.owner();
    desk.says(&["add", &story(&desk, "theirs", 100)]);
    assert_eq!(running.end().0, Some(0));
    assert_ne!(owner(&desk), worker);
    desk.says(&["wait"]);
    let theirs = clips(&desk.home.path("narrations/theirs"));
    assert_eq!(theirs.len(), 100);
}

/// A monitor that finds these lines of shell in the place of the user's service manager.
fn managed(desk: &Desk, run: &str, control: &str) -> portable_pty::CommandBuilder {
    std::fs::create_dir_all(desk.home.path("run/systemd")).unwrap();
    for (name, lines) in [("systemd-run", run), ("systemctl", control)] {
        let script = format!("#!/bin/sh\n{lines}\n");
        let path = desk.home.write(&format!("bin/{name}"), script);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", desk.home.path("bin").display());
    let mut command = monitor(desk);
    command.env("PATH", path);
    command.env("XDG_RUNTIME_DIR", desk.home.path("run"));
    command
}

/// A text in the queue that nobody works.
fn left(desk: &Desk, name: &str, segments: usize) {
    let text = story(desk, name, segments);
    desk.says(&["add", &text]);
    desk.says(&["stop"]);
    wait_for("nobody works", || {
        desk.says(&["stop"]).contains("Nothing runs").then_some(())
    });
}

fn leave_running(mut terminal: Terminal) -> String {
    terminal.press("q");
    terminal.until("it goes on in the background");
    terminal.press("l");
    assert_eq!(terminal.exit_code(), 0);
    terminal.text()
}

/// A stand-in for `systemd-run` writes down what it is told, and starts the program in a session of its own.
#[test]
fn the_users_service_manager_is_told_what_to_run() {
    let desk = home();
    let run = "printf '%s\\n' \"$@\" > \"$ALOUD_HOME/told\"
        while [ \"$1\" != -- ]; do shift; done; shift
        setsid \"$@\" > /dev/null 2>&1 < /dev/null &";
    let mut command = managed(&desk, run, "exit 0");
    command.env("ALOUD_TOKEN_FOR_TESTS", "secret");
    left(&desk, "book", SEGMENTS);
    let terminal = Terminal::start(command, USUAL);
    until_clips(&desk.home.path("narrations/book"), 3);
    leave_running(terminal);
    let told = std::fs::read_to_string(desk.home.path("told")).unwrap();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told[0], "--user");
    assert!(told[1].starts_with("--unit=aloud-"), "{told:?}");
    for wanted in [
        "--collect",
        "--same-dir",
        "--setenv=ALOUD_HOME",
        "--setenv=ALOUD_TOKEN_FOR_TESTS",
    ] {
        assert!(told.contains(&wanted), "{wanted}: {told:?}");
    }
    assert!(!told.iter().any(|one| one.contains("secret")));
    assert_eq!(told[told.len() - 3..], ["--", PROGRAM, "serve"]);
    assert!(test_kill_process(desk.owner()).is_ok());
    desk.says(&["wait"]);
    let clips = clips(&desk.home.path("narrations/book"));
    assert_eq!(clips.len(), SEGMENTS);
}

/// The service manager says that it has begun, and nothing comes of it.
#[test]
fn who_looks_on_takes_over_where_nobody_comes() {
    let desk = home();
    let command = managed(&desk, "exit 0", "exit 3");
    left(&desk, "book", 4000);
    let terminal = Terminal::start(command, USUAL);
    until_clips(&desk.home.path("narrations/book"), 3);
    let folder = desk.home.path("narrations/book");
    let text = desk.home.path("book.txt");
    let watcher = desk.command(&["narrate", "--json", text.to_str().unwrap()]);
    let mut watcher = Running::start(watcher);
    watcher.until("submitted");
    let said = leave_running(terminal);
    assert!(said.contains("Nobody goes on with the work"), "{said}");
    wait_for("it takes over", || {
        let lock = std::fs::read_to_string(desk.home.path("state/lock")).ok()?;
        let holder: serde_json::Value = serde_json::from_str(&lock).ok()?;
        (holder["pid"] == watcher.id()).then_some(())
    });
    let before = identities(&folder);
    until_clips(&folder, before.len() + 3);
    watcher.signal(Signal::TERM);
    assert_eq!(watcher.end().0, Some(143));
    assert_eq!(made_again(&before, &identities(&folder)), 0);
}

#[test]
fn quitting_asks_nothing_for_what_recurs_and_leaves_someone_to_it() {
    let desk = home();
    let news = story(&desk, "news", 1);
    desk.says(&["add", &news, "--every", "1d"]);
    let first = desk.owner();
    desk.says(&["stop"]);
    wait_for("it is gone", || {
        test_kill_process(first).is_err().then_some(())
    });
    let mut terminal = Terminal::start(monitor(&desk), USUAL);
    terminal.until("Queue");
    terminal.press("q");
    assert_eq!(terminal.exit_code(), 0);
    let heir = owner(&desk);
    assert!(test_kill_process(heir).is_ok() && heir != first);
    assert!(
        desk.says(&["schedules"])
            .contains("news  every 1 d, next tomorrow at ")
    );
}
