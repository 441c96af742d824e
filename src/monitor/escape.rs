//! What is told to the terminal beside the screen itself: its title and the progress in the task
//! bar. Small types that print themselves; whoever sends one also sends its end.

use std::fmt;

/// Remembers the terminal's title, to be brought back by [`PopTitle`].
pub(super) struct PushTitle;

impl fmt::Display for PushTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\x1b[22;2t")
    }
}

/// Clears the title and brings back the one before, where the terminal kept it.
pub(super) struct PopTitle;

impl fmt::Display for PopTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\x1b]2;\x1b\\\x1b[23;2t")
    }
}

/// Sets the title. Its text must be printable: a control character would end it early.
pub(super) struct Title<'a>(pub(super) &'a str);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\x1b]2;{}\x1b\\", self.0)
    }
}

/// Progress in the task bar or tab: OSC 9;4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskBar {
    /// None.
    Clear,
    /// Whole percent.
    Percent(u8),
    /// Whole percent, with something that failed.
    Failed(u8),
}

impl fmt::Display for TaskBar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear => f.write_str("\x1b]9;4;0;0\x1b\\"),
            Self::Percent(percent) => write!(f, "\x1b]9;4;1;{percent}\x1b\\"),
            Self::Failed(percent) => write!(f, "\x1b]9;4;2;{percent}\x1b\\"),
        }
    }
}

impl TaskBar {
    /// Whether the terminal takes OSC 9;4 for what it is. To some it is a notification that
    /// pops up, and the Linux console prints what it does not know.
    pub(super) fn is_known(variable: impl Fn(&str) -> Option<String>) -> bool {
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        !matches!(term.as_str(), "" | "dumb" | "linux") && program != "iTerm.app"
    }
}

/// Terminals that can't erase a part of a line, or don't do it in the colour that they write on
/// (terminfo's `ech` and `bce`). GNU screen does not unless told to, and whatever calls itself `screen`
/// may be that.
const POOR_ERASERS: [&str; 6] = ["", "ansi", "cons25", "screen", "sun", "wsvt25"];

/// Whether the terminal erases a part of a line in the colour that it writes on.
pub(super) fn erases_in_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    let kind = term.split(['-', '.']).next().unwrap_or_default();
    !(POOR_ERASERS.contains(&kind) || kind.starts_with("vt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_print_themselves() {
        assert_eq!(Title("x").to_string(), "\x1b]2;x\x1b\\");
        assert_eq!(TaskBar::Percent(42).to_string(), "\x1b]9;4;1;42\x1b\\");
        assert_eq!(TaskBar::Clear.to_string(), "\x1b]9;4;0;0\x1b\\");
        assert!(PopTitle.to_string().starts_with(&Title("").to_string()));
    }

    #[test]
    fn some_terminals_are_spared() {
        let term = |value: &'static str| move |name: &str| (name == "TERM").then(|| value.into());
        assert!(TaskBar::is_known(term("xterm-256color")));
        assert!(erases_in_colour(term("xterm-256color")));
        assert!(!erases_in_colour(term("screen.xterm-256color")));
        assert!(!TaskBar::is_known(term("linux")));
    }
}
