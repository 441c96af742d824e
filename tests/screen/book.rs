//! What the program's own help lists, and which of it was tried. A key is pressed because the help
//! says so; what it lists and nobody tried is an error.

use std::collections::BTreeSet;

use crate::pty::Terminal;

/// The columns within the frame of the help, where there is room.
const WIDE: usize = 82;

/// The lines of the help: what an action does, and its keys as they are shown.
#[derive(Default)]
pub struct Book {
    lines: Vec<(String, Vec<String>)>,
    tried: BTreeSet<(String, String)>,
}

impl Book {
    /// Opens the help on a screen with room for all of it, and reads it.
    pub fn read(terminal: &mut Terminal) -> Self {
        terminal.press("?");
        terminal.until("Esc closes");
        let text = terminal.text();
        assert!(!text.contains("↓ more"), "not all of it fits:\n{text}");
        let inside: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.contains("─ Help ─"))
            .filter_map(|line| line.split('│').find(|part| part.chars().count() == WIDE))
            .collect();
        let known = inside
            .iter()
            .find(|line| line.contains("every key, and what it does"));
        let column = known
            .expect("a line about the help")
            .find("every key, and what it does");
        let column = column
            .map(|at| known.unwrap()[..at].chars().count())
            .unwrap();
        let mut book = Self::default();
        for line in inside {
            let (keys, help): (String, String) = (
                line.chars().take(column).collect(),
                line.chars().skip(column).collect(),
            );
            let keys: Vec<String> = keys.split_whitespace().map(str::to_owned).collect();
            // The title of a group has nothing at its right; the last line says what symbols mean.
            if !line.contains('○') && !keys.is_empty() && !help.trim().is_empty() {
                book.lines.push((help.trim().to_owned(), keys));
            }
        }
        book
    }

    /// Presses a key that the help has for an action.
    #[track_caller]
    pub fn press(&mut self, terminal: &mut Terminal, help: &str, key: &str) {
        let Some((_, keys)) = self.lines.iter().find(|(known, _)| known == help) else {
            panic!("the help has no `{help}`: {:?}", self.lines);
        };
        assert!(
            keys.iter().any(|known| known == key),
            "{help}: {key}, {keys:?}"
        );
        self.tried.insert((help.to_owned(), key.to_owned()));
        terminal.press(&bytes(key));
    }

    /// Everything in the help was tried.
    pub fn assert_all_tried(&self) {
        assert!(self.lines.len() > 40, "{:?}", self.lines);
        let all = self.lines.iter();
        let all = all.flat_map(|(help, keys)| keys.iter().map(move |key| (help, key)));
        let left: Vec<_> = all
            .filter(|(help, key)| !self.tried.contains(&((*help).clone(), (*key).clone())))
            .collect();
        assert!(left.is_empty(), "in the help, and never tried: {left:#?}");
    }
}

/// What a terminal sends for a key as the help writes it.
fn bytes(key: &str) -> String {
    let named = match key {
        "↑" => "\u{1b}[A",
        "↓" => "\u{1b}[B",
        "→" => "\u{1b}[C",
        "←" => "\u{1b}[D",
        "PgUp" => "\u{1b}[5~",
        "PgDn" => "\u{1b}[6~",
        "Home" => "\u{1b}[H",
        "End" => "\u{1b}[F",
        "Enter" => "\r",
        "Esc" => "\u{1b}",
        "Tab" => "\t",
        "Shift-Tab" => "\u{1b}[Z",
        "Space" => " ",
        _ => match key.strip_prefix("Ctrl-") {
            Some(letter) => return char::from(letter.as_bytes()[0] & 0x1f).to_string(),
            None => key,
        },
    };
    named.to_owned()
}
