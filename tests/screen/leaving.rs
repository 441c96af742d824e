//! Every way out that nobody chose: signals, a terminal that goes away, a panic. The terminal is
//! given back where there is one, the exit code says what it was, and the work is kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::desk::{Desk, state};
use crate::kit::{self, samples, wait_for};
use crate::pty::Terminal;

const USUAL: (u16, u16) = (120, 36);

/// At work on the long narration, with clips that it has made since it was opened.
fn at_work(desk: &Desk, title: &str) -> Terminal {
    let before = desk.long_clips().len();
    let mut terminal = desk.open(USUAL);
    state(&mut terminal, title, "PROCESSING");
    wait_for("a clip", || {
        (desk.long_clips().len() > before).then_some(())
    });
    terminal
}

/// Every clip that counts as finished is there and whole; nothing else is.
#[track_caller]
fn in_order(desk: &Desk) -> Vec<(PathBuf, u64)> {
    let mut rows = kit::finished(&desk.home, None);
    rows.sort();
    assert_eq!(rows, desk.long_clips(), "rows and files");
    let identity = |clip: PathBuf| {
        samples(&clip);
        let inode = clip.metadata().unwrap().ino();
        (clip, inode)
    };
    rows.into_iter().map(identity).collect()
}

/// The next start makes what is missing, and nothing that was there again.
#[track_caller]
fn goes_on(desk: &Desk, title: &str, before: &[(PathBuf, u64)]) {
    let mut terminal = at_work(desk, title);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143);
    let after = in_order(desk);
    assert!(after.len() > before.len());
    assert!(before.iter().all(|clip| after.contains(clip)), "made again");
}

#[test]
fn a_signal_gives_the_terminal_back_and_keeps_the_work() {
    let desk = Desk::new("on_hangup = \"stop\"\n");
    let title = desk.begin_long();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut terminal = at_work(&desk, title);
        terminal.signal(signal);
        assert_eq!(terminal.exit_code(), code);
        terminal.assert_given_back();
        assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
        if signal != Signal::HUP {
            let said = terminal.text();
            assert!(said.contains("it continues at the next start"), "{said}");
        }
    }
    let before = in_order(&desk);
    goes_on(&desk, title, &before);
}

/// One voice that needs seconds for its one segment: the first signal waits for it, the second one
/// does not.
#[test]
fn a_second_signal_does_not_wait_for_the_segment_in_work() {
    let desk = Desk::new("");
    desk.configure("speed = 0.25\nthreads = 1\n");
    let mut terminal = desk.open(USUAL);
    terminal.until("Nothing to narrate yet");
    desk.add(
        &mut terminal,
        "slow.txt",
        "She walked along the shore until the wind had dropped and the boats had all come home, \
         and then she walked the whole way back, counting the lamps in the windows.",
    );
    terminal.until("in work");
    terminal.signal(Signal::TERM);
    terminal.until("Finishing the segment in work");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143);
    terminal.assert_given_back();
    assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
    assert!(kit::finished(&desk.home, None).is_empty(), "it waited");
}

#[test]
fn without_its_terminal_it_ends_by_itself_and_nothing_is_lost() {
    let desk = Desk::new("on_hangup = \"stop\"\n");
    let title = desk.begin_long();
    let mut process = at_work(&desk, title).close();
    assert_eq!(process.exit_code(), 129);
    assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
    let before = in_order(&desk);
    goes_on(&desk, title, &before);
}

#[test]
fn without_its_terminal_it_finishes_the_work_where_that_is_wished() {
    let desk = Desk::new("on_hangup = \"finish\"\n");
    let segments = 250;
    let title = desk.begin(segments);
    let mut process = at_work(&desk, title).close();
    // Nobody reads keys any more: that is what kept a core busy in other programs.
    let threads = format!("/proc/{}/task", process.id());
    wait_for("the end of the reading thread", || {
        let names = fs::read_dir(&threads).into_iter().flatten().flatten();
        let mut names =
            names.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        (!names.any(|name| name.trim_end() == "aloud-input")).then_some(())
    });
    assert_eq!(process.exit_code(), 129);
    assert_eq!(kit::stored_states(&desk.home), ["COMPLETED"]);
    assert_eq!(desk.long_clips().len(), segments);
    assert!(desk.home.path("narrations/long/the-long-road.wav").exists());
}

/// What is held back can't be let go without a screen: nothing waits for that.
#[test]
fn without_its_terminal_it_does_not_wait_for_what_is_held_back() {
    let desk = Desk::new("on_hangup = \"finish\"\n");
    let title = desk.hold_short();
    let mut terminal = desk.open(USUAL);
    state(&mut terminal, title, "PAUSED");
    // Something that is written, so that the terminal goes.
    terminal.press("?");
    let mut process = terminal.close();
    assert_eq!(process.exit_code(), 129);
    assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
}

#[test]
#[cfg(feature = "failpoints")]
fn a_panic_in_a_frame_gives_the_terminal_back_before_it_is_told() {
    let desk = Desk::new("");
    let title = desk.begin_long();
    let mut command = desk.command();
    command.env("ALOUD_FAILPOINT", "monitor-frame:9");
    command.env("RUST_BACKTRACE", "0");
    let mut terminal = Terminal::start(command, USUAL);
    assert_eq!(terminal.exit_code(), 101);
    terminal.assert_given_back();
    // On the screen that was there before, or it would have gone with the other one.
    let said = terminal.text();
    assert!(
        said.contains("panicked at") && said.contains("monitor-frame"),
        "{said}"
    );
    assert!(!said.contains("Queue"), "{said}");
    assert_eq!(kit::stored_states(&desk.home), ["PENDING"]);
    let before = kit::finished(&desk.home, None);
    for clip in &before {
        samples(clip);
    }
    let mut terminal = at_work(&desk, title);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143);
    in_order(&desk);
}
