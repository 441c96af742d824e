//! The real program in a pseudo-terminal, with the real voice.

mod kit;
#[path = "kit/pty.rs"]
mod pty;

use std::path::Path;
use std::process::Command;

use kit::{Home, clips};
use pty::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");

#[test]
fn the_demo_narrates_every_sample_and_gives_the_terminal_back() {
    let home = Home::ready();
    let mut terminal = Terminal::run(Path::new(PROGRAM), &["demo"], home.folder.path(), (120, 36));
    terminal.until("The Lighthouse Keeper");
    terminal.until("real time");
    terminal.press("?");
    terminal.until("Esc closes");
    terminal.press("\u{1b}");
    terminal.until("All done");
    let screen = terminal.text();
    assert_eq!(screen.matches("COMPLETED").count(), 3, "{screen}");
    terminal.press("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    for sample in ["the-lighthouse-keeper", "the-night-train", "listening-well"] {
        let folder = home.path("narrations").join(sample);
        assert!(clips(&folder).len() > 20, "{sample}");
        assert!(std::fs::read_dir(&folder).unwrap().any(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            name.ends_with(".wav") && !name.starts_with('0')
        }));
    }
}

#[test]
fn quitting_in_the_middle_loses_nothing_and_the_next_start_goes_on() {
    let home = Home::ready();
    let program = Path::new(PROGRAM);
    let mut terminal = Terminal::run(program, &["demo"], home.folder.path(), (80, 24));
    terminal.until("real time");
    terminal.press("q");
    terminal.until("Quit?");
    terminal.press("y");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    let made = clips(&home.path("narrations/the-lighthouse-keeper")).len();
    assert!(made > 0);

    let mut terminal = Terminal::run(program, &[], home.folder.path(), (80, 24));
    terminal.until("The Night Train");
    terminal.press("c");
    terminal.until("Cancel");
    terminal.press("y");
    terminal.until("CANCELLED");
    terminal.press("\u{3}");
    terminal.until("Quit?");
    terminal.press("y");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    assert!(clips(&home.path("narrations/the-lighthouse-keeper")).len() >= made);
}

#[test]
fn a_signal_gives_the_terminal_back_and_keeps_the_work() {
    let home = Home::ready();
    let program = Path::new(PROGRAM);
    let mut terminal = Terminal::run(program, &["demo"], home.folder.path(), (120, 36));
    terminal.until("real time");
    let id = terminal.process_id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(terminal.exit_code(), 143);
    terminal.assert_given_back();
    assert!(
        terminal.text().contains("it continues at the next start"),
        "{}",
        terminal.text()
    );
}

#[test]
fn without_a_terminal_the_monitor_says_what_works() {
    let home = Home::empty();
    let ran = home.run(&["demo"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("aloud narrate --plain"), "{}", ran.err);
}
