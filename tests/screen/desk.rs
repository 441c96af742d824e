//! A home with the voice of tones, and people at its terminal.

use std::path::{Path, PathBuf};

use portable_pty::CommandBuilder;
use rustix::process::Signal;

use crate::kit::{self, Home, Running};
use crate::pty::{self, Terminal};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");

/// A text with a sound that the voice of tones lacks.
pub const ODD: &str =
    "The Odd Word\n\nOne is easy to say.\n\nA measure is not.\n\nThree is easy again.\n";

/// A text that is quickly told.
pub const SHORT: &str = "The Quiet Road\n\nIt led along the river.\n\nNobody ever took it.\n\n\
    It did not mind.\n\nOnce a hare came by.\n\nThen it rained.\n\nThe hare went home.\n\nSo did \
    the river.\n\nIt was evening.\n\nIt grew dark.\n\nThe road lay still.\n";

pub const SHORT_TITLE: &str = "The Quiet Road";
pub const LONG_TITLE: &str = "The Long Road";
/// So many sentences that they are being narrated as long as any test looks.
const LONG: usize = 6000;

pub struct Desk {
    pub home: Home,
}

impl Desk {
    /// A home in which the voice of tones narrates, with more lines for its `config.toml`.
    pub fn new(config: &str) -> Self {
        let home = Home::ready();
        let voice = home.tone();
        let json = home.path("tone.onnx.json");
        let mut about: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        about["phoneme_id_map"].as_object_mut().unwrap().remove("ʒ");
        std::fs::write(json, about.to_string()).unwrap();
        let desk = Self { home };
        desk.configure(&format!("voice = \"{voice}\"\n{config}"));
        desk
    }

    pub fn configure(&self, config: &str) {
        self.home.write("config/config.toml", config);
    }

    /// More lines for the end of `config.toml`.
    pub fn add_config(&self, lines: &str) {
        let file = self.home.path("config/config.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, before + lines).unwrap();
    }

    /// A program of the home's own: its path.
    pub fn script(&self, name: &str, lines: &str) -> String {
        let path = self.home.write(name, format!("#!/bin/sh\n{lines}\n"));
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
        path
    }

    /// Adds a text in the monitor, by a file that is dragged into it.
    #[track_caller]
    pub fn add(&self, terminal: &mut Terminal, file: &str, text: &str) {
        let file = self.home.write(file, text);
        terminal.paste(&file);
        terminal.until("Add a text");
        terminal.until(&file);
        terminal.press("\r");
        terminal.until_gone("Add a text");
    }

    /// Puts a narration into the library that is held back. Returns its title.
    pub fn hold_short(&self) -> &'static str {
        let mut terminal = self.open((120, 36));
        terminal.until("Nothing to narrate yet");
        terminal.press("P");
        terminal.until("paused: nothing begins");
        self.add(&mut terminal, "short.txt", SHORT);
        terminal.press("p");
        state(&mut terminal, SHORT_TITLE, "PAUSED");
        terminal.press("q");
        terminal.until("Quit?");
        terminal.press("y");
        assert_eq!(terminal.exit_code(), 0);
        SHORT_TITLE
    }

    /// The clips of the long narration.
    pub fn long_clips(&self) -> Vec<PathBuf> {
        kit::clips(&self.home.path("narrations/long"))
    }

    /// Puts a narration into the library that takes longer than any test looks. Returns its title.
    pub fn begin_long(&self) -> &'static str {
        self.begin(LONG)
    }

    /// The same with so many segments.
    pub fn begin(&self, segments: usize) -> &'static str {
        let lines: String = (1..segments)
            .map(|number| format!("Walker {number} went by.\n\n"))
            .collect();
        self.begin_text("long.txt", &format!("{LONG_TITLE}\n\n{lines}"));
        LONG_TITLE
    }

    /// Puts a text into the library that is long enough not to be told at once.
    pub fn begin_text(&self, name: &str, text: &str) {
        let file = self.home.write(name, text);
        let mut running = Running::start(self.home.command(&["narrate", "--json", &file]));
        running.until("started");
        running.signal(Signal::TERM);
        assert_eq!(running.end().0, Some(143));
    }

    pub fn command(&self) -> CommandBuilder {
        pty::command(Path::new(PROGRAM), &[], self.home.folder.path())
    }

    pub fn open(&self, size: (u16, u16)) -> Terminal {
        Terminal::start(self.command(), size)
    }
}

/// Waits until the page of this title is shown: its tab is underlined.
#[track_caller]
pub fn page(terminal: &mut Terminal, title: &str) {
    terminal.until_seen(&format!("the page {title}"), |terminal| {
        terminal.find(" 1 Queue").is_some_and(|(_, row)| {
            let cols = terminal.screen().size().1.get();
            let cells = (0..cols).filter_map(|col| terminal.screen().cell(row, col));
            let shown: String = cells
                .filter(|cell| cell.underline())
                .map(vt100::Cell::contents)
                .collect();
            shown == title
        })
    });
}

/// Waits until the queue says this of a task.
#[track_caller]
pub fn state(terminal: &mut Terminal, title: &str, word: &str) {
    terminal.until_screen(&format!("{title}: {word}"), |screen| {
        let mut lines = screen.lines();
        lines.any(|line| line.contains(title) && line.contains(word))
    });
}

/// Whether a process has been stopped and not continued.
pub fn stopped(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name before it may hold anything, in parentheses.
    status
        .rsplit(')')
        .next()
        .unwrap()
        .trim_start()
        .starts_with('T')
}
