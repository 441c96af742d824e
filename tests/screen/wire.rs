//! What goes over the line: frames that are one snapshot each, and a line that has stalled.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::desk::{Desk, LONG_TITLE, PROGRAM, state};
use crate::kit;
use crate::pty::Terminal;

/// What a frame ends with.
const END: &[u8] = b"\x1b[?2026l";
/// So many frames are looked at on each page.
const FRAMES: usize = 34;

/// Waits for the end of the next frame.
fn next_frame(terminal: &mut Terminal) {
    let from = terminal.raw().len();
    terminal.until_written(from, END);
}

/// The number that stands before these words, or behind them.
fn number(line: &str, words: &str, behind: bool) -> Option<u64> {
    let (before, after) = line.split_once(words)?;
    let word = if behind {
        after.split_whitespace().next()
    } else {
        before.split_whitespace().next_back()
    };
    word?.trim_end_matches(',').parse().ok()
}

/// The number of clips everywhere it stands on a screen: with where that is.
fn clips(screen: &str) -> Vec<(&'static str, u64)> {
    let mut found = Vec::new();
    for line in screen.lines() {
        let places = [
            ("the tab", number(line, "2 Clips", true)),
            (
                "the page",
                number(line, " · ", false).filter(|_| line.contains("─ Clips ─")),
            ),
            ("all tasks", number(line, " clips ", false)),
            ("health", number(line, "│ Clips", true)),
        ];
        found.extend(
            places
                .into_iter()
                .filter_map(|(place, clips)| Some((place, clips?))),
        );
        if line.contains(LONG_TITLE) && line.contains("PROCESSING") {
            let done = line
                .split_whitespace()
                .find_map(|word| word.split_once('/')?.0.parse().ok());
            found.extend(done.map(|done| ("the row", done)));
        }
    }
    found
}

/// The last title or progress that was told, in whole percent.
fn told(raw: &[u8], before: &[u8], after: u8) -> u64 {
    let at = (0..raw.len())
        .rev()
        .find(|at| raw[*at..].starts_with(before))
        .unwrap();
    let rest = &raw[at + before.len()..];
    let end = rest.iter().position(|byte| *byte == after).unwrap();
    std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap()
}

/// The segment of the detail beside a list, and its row there: their symbols.
fn detail(screen: &str) -> Option<(u64, [char; 2])> {
    let lines: Vec<&str> = screen.lines().collect();
    let at = lines.iter().position(|line| line.contains("─ Segment "))?;
    let id = number(lines[at], "─ Segment ", true)?;
    let beside = lines[at + 1].split("││ ").nth(1)?.chars().next()?;
    let row = lines[at + 1..].iter().find_map(|line| {
        let mut words = line.strip_prefix('│')?.split_whitespace();
        let symbol = words.next()?;
        (words.next()?.parse() == Ok(id)).then(|| symbol.chars().next())?
    });
    Some((
        id,
        [
            beside,
            row.unwrap_or_else(|| panic!("{id} has no row in\n{screen}")),
        ],
    ))
}

#[test]
fn a_frame_is_one_snapshot() {
    let desk = Desk::new("");
    let title = desk.begin_long();
    let mut terminal = desk.open((120, 36));
    state(&mut terminal, title, "PROCESSING");
    // None and one are told in other words.
    let some = |screen: &str| {
        let mut clips = clips(screen).into_iter();
        clips.any(|(place, clips)| place == "the row" && clips > 1)
    };
    terminal.until_screen("clips", some);
    for (key, page, places) in [
        ("1", "All tasks", 3),
        ("2", "─ Clips ─", 2),
        ("3", "nothing went wrong", 1),
        ("4", "─ History ─", 1),
        ("5", "─ Log ─", 1),
        ("6", "│ Clips", 2),
    ] {
        terminal.press(key);
        terminal.until(page);
        for _ in 0..FRAMES {
            next_frame(&mut terminal);
            let screen = terminal.text();
            let clips = clips(&screen);
            assert!(clips.len() >= places, "{clips:?} in\n{screen}");
            assert!(
                clips.iter().all(|(_, count)| *count == clips[0].1),
                "{clips:?} in\n{screen}"
            );
            if let Some((_, [beside, row])) = detail(&screen) {
                assert_eq!(beside, row, "the detail and its row in\n{screen}");
            }
            if key == "1" {
                let of_row = screen.lines().find(|line| line.contains(LONG_TITLE));
                let percent = of_row.and_then(|line| number(line, " %", false)).unwrap();
                let in_all = screen
                    .lines()
                    .find(|line| line.contains(" clips "))
                    .unwrap();
                let title = told(terminal.raw(), b"\x1b]2;", b' ');
                let bar = told(terminal.raw(), b"\x1b]9;4;1;", 0x1b);
                let all = number(in_all, " %", false).unwrap();
                assert_eq!((percent, title, bar), (all, all, all), "{screen}");
            }
        }
    }
    terminal.press("q");
    terminal.until("Quit?");
    terminal.press("i");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
}

/// Waits until so many more clips are made, asking for a whole screen again and again. Returns how often.
fn redraw_until_made(desk: &Desk, terminal: &mut Terminal, more: usize) -> usize {
    let enough = desk.long_clips().len() + more;
    let mut asked = 0;
    let until = Instant::now() + kit::PATIENCE;
    while desk.long_clips().len() < enough {
        assert!(Instant::now() < until, "the work stands still");
        terminal.press("\u{c}");
        asked += 1;
        std::thread::park_timeout(Duration::from_millis(20));
    }
    asked
}

#[test]
fn a_line_that_has_stalled_holds_up_nothing() {
    let desk = Desk::new("");
    let title = desk.begin_long();
    let mut terminal = desk.open((120, 36));
    state(&mut terminal, title, "PROCESSING");
    terminal.until("in work");
    let reading = terminal.reading();
    let stalled = reading.lock().unwrap();
    let asked = redraw_until_made(&desk, &mut terminal, 300);
    let made = u64::try_from(desk.long_clips().len()).unwrap();
    let from = terminal.raw().len();
    drop(stalled);
    // Of all the frames that were asked for, those that had left, and one of how things stand now.
    terminal.until_screen("the clips that were made", |screen| {
        clips(screen).iter().any(|(_, clips)| *clips >= made)
    });
    let seen = terminal.raw()[from..].windows(END.len());
    let frames = seen.filter(|window| *window == END).count();
    assert!(frames * 2 < asked, "{frames} frames for {asked}");

    let stalled = reading.lock().unwrap();
    redraw_until_made(&desk, &mut terminal, 100);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code_unread(), 143);
    drop(stalled);
}

#[test]
fn lines_that_nobody_reads_keep_nobody_from_ending() {
    let desk = Desk::new("");
    let lines: String = (0..4000)
        .map(|number| format!("Walker {number} went by.\n\n"))
        .collect();
    let text = desk
        .home
        .write("long.txt", format!("{LONG_TITLE}\n\n{lines}"));
    let (program, home) = (Path::new(PROGRAM), desk.home.folder.path());
    let narrate = ["narrate", "--plain", &text];
    let mut terminal = Terminal::run(program, &narrate, home, (120, 36));
    terminal.until("opening the voice");
    let reading = terminal.reading();
    let stalled = reading.lock().unwrap();
    // A line for each is more than a terminal keeps; the work goes on all the same.
    let until = Instant::now() + kit::PATIENCE;
    while desk.long_clips().len() < 1500 {
        assert!(Instant::now() < until, "the work stands still");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code_unread(), 143);
    drop(stalled);
}
