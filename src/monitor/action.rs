//! What a person can do, in one table: the key handling, the hint bar and the help all read it,
//! so that none of them can drift from the others. It never says how an action is done; that is
//! [`super::app`]'s part.

use super::keys::Key;

/// Something a person can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    SwitchPane,
    Open,
    Back,
    Follow,
    Errors,
    Theme,
    Help,
    Cancel,
    Quit,
    Suspend,
    Redraw,
    Confirm,
    Decline,
    Hurry,
}

/// What has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The panes.
    Main,
    /// The help overlay.
    Help,
    /// The question whether to quit.
    AskQuit,
    /// The question whether to cancel a running task.
    AskCancel,
    /// The engine is finishing.
    Stopping,
}

impl Mode {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [
        Self::Main,
        Self::Help,
        Self::AskQuit,
        Self::AskCancel,
        Self::Stopping,
    ];
}

/// The part of the help an action stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Move,
    Look,
    Work,
    Program,
    Answer,
}

impl Group {
    pub(crate) const ALL: [Self; 5] = [
        Self::Move,
        Self::Look,
        Self::Work,
        Self::Program,
        Self::Answer,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Work => "Work",
            Self::Program => "Program",
            Self::Answer => "Answer a question",
        }
    }
}

/// Where some keys hold.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) modes: &'static [Mode],
    pub(crate) keys: &'static [&'static str],
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) action: Action,
    pub(crate) group: Group,
    /// One line for the help.
    pub(crate) help: &'static str,
    /// One word for the hint bar, empty if it is not worth a place there.
    pub(crate) hint: &'static str,
    /// Which hints stay when there is no room for all; 0 stays longest.
    pub(crate) rank: u8,
    pub(crate) bindings: &'static [Binding],
}

const MAIN: &[Mode] = &[Mode::Main];
const LISTS: &[Mode] = &[Mode::Main, Mode::Help];
const ASK: &[Mode] = &[Mode::AskQuit, Mode::AskCancel];
const EVERYWHERE: &[Mode] = &[
    Mode::Main,
    Mode::Help,
    Mode::AskQuit,
    Mode::AskCancel,
    Mode::Stopping,
];

const fn on(modes: &'static [Mode], keys: &'static [&'static str]) -> Binding {
    Binding { modes, keys }
}

macro_rules! info {
    ($action:ident, $group:ident, $help:literal, $hint:literal, $rank:literal, [$($binding:expr),+]) => {
        Info {
            action: Action::$action,
            group: Group::$group,
            help: $help,
            hint: $hint,
            rank: $rank,
            bindings: &[$($binding),+],
        }
    };
}

/// Everything a person can do, in the order of the help and of the hint bar.
pub(crate) const TABLE: &[Info] = &[
    info!(Help, Program, "this help", "help", 1, [on(MAIN, &["?"])]),
    info!(Up, Move, "up one row", "", 9, [on(LISTS, &["up", "k"])]),
    info!(
        Down,
        Move,
        "down one row",
        "",
        9,
        [on(LISTS, &["down", "j"])]
    ),
    info!(
        PageUp,
        Move,
        "up one page",
        "",
        9,
        [on(LISTS, &["pgup", "C-b"])]
    ),
    info!(
        PageDown,
        Move,
        "down one page",
        "",
        9,
        [on(LISTS, &["pgdn", "C-f"])]
    ),
    info!(
        First,
        Move,
        "to the first row",
        "",
        9,
        [on(LISTS, &["home", "g"])]
    ),
    info!(
        Last,
        Move,
        "to the segment in work, again: to the last row",
        "",
        9,
        [on(LISTS, &["end", "G"])]
    ),
    info!(
        SwitchPane,
        Move,
        "between queue and segments",
        "pane",
        5,
        [on(MAIN, &["tab", "backtab"])]
    ),
    info!(
        Open,
        Look,
        "queue: its segments; a segment: its whole text",
        "open",
        6,
        [on(MAIN, &["enter"])]
    ),
    info!(
        Back,
        Look,
        "back, close",
        "back",
        2,
        [
            on(MAIN, &["esc"]),
            on(&[Mode::Help], &["esc", "q", "?", "enter"])
        ]
    ),
    info!(
        Follow,
        Look,
        "follow the work again",
        "follow",
        4,
        [on(MAIN, &["f"])]
    ),
    info!(
        Errors,
        Look,
        "errors of the task, or its segments",
        "errors",
        3,
        [on(MAIN, &["e"])]
    ),
    info!(Theme, Look, "next theme", "theme", 7, [on(LISTS, &["t"])]),
    info!(
        Cancel,
        Work,
        "cancel the selected task; its clips stay",
        "cancel",
        2,
        [on(MAIN, &["c"])]
    ),
    info!(
        Quit,
        Program,
        "quit; asks while work is running",
        "quit",
        0,
        [
            on(MAIN, &["q"]),
            on(&[Mode::Main, Mode::Help, Mode::AskCancel], &["C-c"])
        ]
    ),
    info!(
        Suspend,
        Program,
        "suspend; `fg` comes back",
        "",
        9,
        [on(EVERYWHERE, &["C-z"])]
    ),
    info!(
        Redraw,
        Program,
        "draw the screen afresh",
        "",
        9,
        [on(EVERYWHERE, &["C-l"])]
    ),
    info!(
        Confirm,
        Answer,
        "yes; pressing q or c again says the same",
        "yes",
        0,
        [
            on(ASK, &["enter", "y"]),
            on(&[Mode::AskQuit], &["q", "C-c"]),
            on(&[Mode::AskCancel], &["c"])
        ]
    ),
    info!(
        Decline,
        Answer,
        "no, stay",
        "stay",
        0,
        [on(ASK, &["esc", "n"])]
    ),
    info!(
        Hurry,
        Answer,
        "while finishing: stop now",
        "stop now",
        0,
        [on(&[Mode::Stopping], &["q", "C-c"])]
    ),
];

impl Info {
    /// Its keys in this mode, first the one to show.
    pub(crate) fn keys(&self, mode: Mode) -> impl Iterator<Item = Key> {
        self.bindings
            .iter()
            .filter(move |binding| binding.modes.contains(&mode))
            .flat_map(|binding| binding.keys)
            .filter_map(|name| Key::parse(name))
    }

    /// All its keys, each once.
    pub(crate) fn all_keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        let names = self.bindings.iter().flat_map(|binding| binding.keys);
        for key in names.filter_map(|name| Key::parse(name)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

/// What this key asks for in this mode.
pub(crate) fn action_for(mode: Mode, key: Key) -> Option<Action> {
    TABLE
        .iter()
        .find(|info| info.keys(mode).any(|bound| bound == key))
        .map(|info| info.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_is_a_key_and_reaches_its_action() {
        for info in TABLE {
            assert!(!info.bindings.is_empty(), "{:?} has no key", info.action);
            for binding in info.bindings {
                for name in binding.keys {
                    let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
                    for &mode in binding.modes {
                        assert_eq!(
                            action_for(mode, key),
                            Some(info.action),
                            "{name} in {mode:?} is taken by another action"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn each_action_has_one_line() {
        for info in TABLE {
            let lines = TABLE.iter().filter(|other| other.action == info.action);
            assert_eq!(lines.count(), 1, "{:?}", info.action);
        }
    }

    #[test]
    fn every_mode_has_a_way_out() {
        for mode in Mode::ALL {
            let key = Key::parse("C-c").unwrap();
            assert!(action_for(mode, key).is_some(), "Ctrl-C in {mode:?}");
        }
    }
}
