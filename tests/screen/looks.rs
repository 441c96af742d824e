//! Every theme starts, at every useful size; terminals with few colours, with none and with few
//! symbols get what they can show.

use std::path::Path;

use crate::desk::{Desk, SHORT_TITLE};
use crate::pty::{Terminal, has};

/// The names of the themes in a folder.
fn themes(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let themes = files.filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
    themes
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Starts with these variables, waits for the queue, and leaves.
#[track_caller]
fn shown(desk: &Desk, variables: &[(&str, Option<&str>)], size: (u16, u16)) -> Terminal {
    let mut command = desk.command();
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        }
    }
    let mut terminal = Terminal::start(command, size);
    terminal.until(SHORT_TITLE);
    // Its segments as well, where there is room.
    terminal.until("It led along the river.");
    terminal
}

#[track_caller]
fn leave(mut terminal: Terminal) {
    terminal.press("q");
    terminal.until("uit?");
    terminal.press("y");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
}

fn cells(terminal: &Terminal) -> impl Iterator<Item = &vt100::Cell> {
    let (rows, cols) = terminal.screen().size();
    let places = (0..rows.get()).flat_map(move |row| (0..cols.get()).map(move |col| (row, col)));
    places.filter_map(|(row, col)| terminal.screen().cell(row, col))
}

#[test]
fn every_theme_starts() {
    let desk = Desk::new("");
    desk.hold_short();
    desk.home
        .write("config/themes/mine.toml", "inherits = \"amber\"\n");
    let mut names = themes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("themes"));
    assert!(names.len() >= 8, "{names:?}");
    names.push("mine".to_owned());
    for name in &names {
        for size in [(80, 24), (40, 12)] {
            let terminal = shown(&desk, &[("ALOUD_THEME", Some(name))], size);
            let coloured = |cell: &vt100::Cell| cell.fgcolor() != vt100::Color::Default;
            assert_eq!(cells(&terminal).any(coloured), name != "mono", "{name}");
            leave(terminal);
        }
    }
    // The list to choose from has them all.
    let mut terminal = shown(&desk, &[], (120, 50));
    terminal.press("t");
    terminal.until("Enter takes");
    for name in &names {
        terminal.press(name);
        terminal.until_screen(name, |screen| {
            screen
                .lines()
                .any(|line| line.contains(&format!("│ {name} ")))
        });
        for _ in 0..name.len() {
            terminal.press("\u{7f}");
        }
    }
    terminal.press("\u{1b}");
    terminal.until_gone("Enter takes");
    leave(terminal);
}

#[test]
fn a_terminal_gets_the_colours_that_it_has() {
    let desk = Desk::new("");
    desk.hold_short();
    let of = |variables: &[(&str, Option<&str>)]| {
        let terminal = shown(&desk, variables, (80, 24));
        let colours = cells(&terminal).flat_map(|cell| [cell.fgcolor(), cell.bgcolor()]);
        let colours: Vec<_> = colours
            .filter(|colour| *colour != vt100::Color::Default)
            .collect();
        leave(terminal);
        colours
    };
    let is_true = |colour: &vt100::Color| matches!(colour, vt100::Color::Rgb(..));
    assert!(of(&[]).iter().any(is_true));
    assert_eq!(of(&[("NO_COLOR", Some("1"))]), []);
    assert_eq!(of(&[("TERM", Some("vt220")), ("COLORTERM", None)]), []);
    let few = of(&[("TERM", Some("xterm")), ("COLORTERM", None)]);
    assert!(!few.is_empty());
    assert!(
        few.iter()
            .all(|colour| matches!(colour, vt100::Color::Idx(..16))),
        "{few:?}"
    );
    let more = of(&[("TERM", Some("xterm-256color")), ("COLORTERM", None)]);
    assert!(!more.is_empty() && !more.iter().any(is_true), "{more:?}");
}

#[test]
fn with_ascii_nothing_else_is_written() {
    let desk = Desk::new("");
    desk.hold_short();
    let everywhere: [&[(&str, Option<&str>)]; 3] = [
        &[("ALOUD_SYMBOLS", Some("ascii"))],
        &[("ALOUD_SYMBOLS", None), ("TERM", Some("linux"))],
        &[("ALOUD_SYMBOLS", None), ("LC_ALL", Some("C"))],
    ];
    for variables in everywhere {
        let mut terminal = shown(&desk, variables, (120, 36));
        for (key, words) in [
            ("?", "Esc closes"),
            (":", "All actions"),
            ("a", "Add a text"),
        ] {
            terminal.press(key);
            terminal.until(words);
            terminal.press("\u{1b}");
            terminal.until_gone(words);
        }
        for (key, words) in [
            ("2", "no clip is finished yet"),
            ("3", "nothing went wrong"),
            ("4", "no narration has ended yet"),
            ("5", "Log"),
            ("6", "Memory"),
        ] {
            terminal.press(key);
            terminal.until(words);
        }
        // Phonemes are what they are: letters, and their signs.
        let is_text = |c: &char| c.is_alphabetic() || ('\u{2b0}'..='\u{36f}').contains(c);
        let written = String::from_utf8_lossy(terminal.raw()).into_owned();
        let other: String = written
            .chars()
            .filter(|c| !c.is_ascii() && !is_text(c))
            .collect();
        assert_eq!(other, "");
        if variables.contains(&("TERM", Some("linux"))) {
            assert!(
                !has(terminal.raw(), b"\x1b]9;4;"),
                "a task bar where there is none"
            );
        }
        leave(terminal);
    }
}
