//! Texts, titles and names of files that would break the screen if they could: escape sequences,
//! changes of direction, wide and combining characters, lines without an end.

use crate::desk::{Desk, page};
use crate::pty::{Terminal, has};

/// What must never be written as it stands.
const FORBIDDEN: [&str; 8] = [
    "\u{1b}[5;35;45m",
    "\u{1b}]2;owned",
    "\u{1b}]52;c;b3duZWQ=",
    "\u{1b}[3J",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2066}",
    "\u{7}",
];

fn hostile_text() -> String {
    let all = FORBIDDEN.join("owned");
    let stacked = "e".to_owned() + &"\u{301}".repeat(200);
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    format!(
        "A title {all} 漢字漢字 {stacked} {family} \u{feff}\u{200b}مرحبا\n\n\
         A paragraph {all} with 全角文字が続く行 and {stacked} in it.\n\n\
         {family}{family}{family} they said. {}\n\n{all}\n\nThe end of it.\n",
        "漢".repeat(300)
    )
}

/// Every framed line ends where its frame does.
#[track_caller]
fn frames_stand(terminal: &Terminal) {
    let (rows, cols) = terminal.screen().size();
    let symbol = |row, col| {
        terminal
            .screen()
            .cell(row, col)
            .map_or("", vt100::Cell::contents)
    };
    for row in 0..rows.get() {
        let (left, right) = (symbol(row, 0), symbol(row, cols.get() - 1));
        let fits = match left {
            "│" => matches!(right, "│" | "┃"),
            "╭" => right == "╮",
            "╰" => right == "╯",
            _ => true,
        };
        assert!(fits, "row {row}: {left}…{right}\n{}", terminal.text());
    }
}

/// Looks at every page, and at a segment's own text.
#[track_caller]
fn leaf_through(terminal: &mut Terminal) {
    for (key, title) in [
        ("2", "Clips"),
        ("3", "Errors"),
        ("4", "History"),
        ("5", "Log"),
        ("1", "Queue"),
    ] {
        terminal.press(key);
        page(terminal, title);
        frames_stand(terminal);
        // Through its rows; the help says when that is done.
        terminal.press("gjjj?");
        terminal.until("Esc closes");
        terminal.press("q");
        terminal.until_gone("Esc closes");
        frames_stand(terminal);
    }
    terminal.press("\t\r");
    terminal.until_gone("Segments · ");
    frames_stand(terminal);
    terminal.press("\u{1b}");
    terminal.until("Segments · ");
    terminal.press("\t");
}

#[track_caller]
fn nothing_got_through(terminal: &Terminal) {
    for sequence in FORBIDDEN {
        assert!(
            !has(terminal.raw(), sequence.as_bytes()),
            "{sequence:?} was written as it stands"
        );
    }
}

#[test]
fn no_text_breaks_a_frame_or_reaches_the_terminal_raw() {
    let desk = Desk::new("");
    let terminal = &mut desk.open((120, 36));
    terminal.until("Nothing to narrate yet");
    desk.add(terminal, "hostile.txt", &hostile_text());
    terminal.until_screen("its end", |screen| {
        screen.contains("COMPLETED") || screen.contains("FAILED")
    });
    terminal.until("A title");
    for size in [(120, 36), (80, 24), (91, 30)] {
        terminal.resize(size.0, size.1);
        leaf_through(terminal);
    }
    // The same as a text that is pasted: it is shown before it is taken.
    terminal.paste(&hostile_text().replace('\u{1b}', "\u{9b}"));
    terminal.until("pasted");
    frames_stand(terminal);
    terminal.press("\u{1b}");
    terminal.until_gone("pasted");
    terminal.press("q");
    assert_eq!(terminal.exit_code(), 0);
    nothing_got_through(terminal);
}

/// Such names come from elsewhere: nobody can type them.
#[test]
fn the_name_of_a_file_is_not_trusted_either() {
    let desk = Desk::new("");
    let name = "evil \u{1b}[5;35;45m\u{1b}]2;owned\u{7}\u{202e}漢字.txt";
    // The title is the name where the text has none.
    let text = format!("{}\n\n", hostile_text()).repeat(100);
    desk.begin_text(name, &text);
    let terminal = &mut desk.open((120, 36));
    terminal.until("PROCESSING");
    leaf_through(terminal);
    terminal.press("q");
    terminal.until("uit?");
    terminal.press("i");
    assert_eq!(terminal.exit_code(), 0);
    nothing_got_through(terminal);
}
