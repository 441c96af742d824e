//! Which key asks for what: the table of actions, with what a user changed about it. A key that two
//! actions want is an error with both names; nothing is ever bound silently to something else.

use std::collections::HashMap;

use super::action::{Action, Mode, TABLE};
use super::keys::Key;

/// What is wrong with the keys of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no action of that name.
    #[error("keys: there is no action “{name}”; {advice}")]
    Action {
        /// The name.
        name: String,
        /// The nearest names.
        advice: String,
    },
    /// Not a key.
    #[error(
        "keys.{action}: “{key}” is no key; write a letter, a sign, `C-x` for Ctrl and x, `A-x` for \
         Alt and x, or up, down, left, right, pgup, pgdn, home, end, enter, esc, tab, bspace, space"
    )]
    Key {
        /// The action.
        action: String,
        /// What stands there.
        key: String,
    },
    /// Two actions want the same key.
    #[error("keys.{action}: “{key}” is the key of {other}; give {other} another one as well")]
    Conflict {
        /// The action that was to get it.
        action: String,
        /// The key.
        key: String,
        /// The action that has it.
        other: String,
    },
    /// An action that is not for the pages.
    #[error("keys.{action}: the answers to questions keep their keys; this one can't be changed")]
    Fixed {
        /// The action.
        action: String,
    },
}

/// The keys in force.
#[derive(Debug, Clone)]
pub(crate) struct Keymap {
    by_key: HashMap<(Mode, Key), Action>,
    /// In the order in which they are shown.
    by_action: Vec<(Mode, Action, Key)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self {
            by_key: HashMap::new(),
            by_action: Vec::new(),
        };
        for info in TABLE {
            for binding in info.bindings {
                for (name, &mode) in binding
                    .keys
                    .iter()
                    .flat_map(|name| binding.modes.iter().map(move |mode| (name, mode)))
                {
                    if let Some(key) = Key::parse(name) {
                        keymap.bind(mode, info.action, key);
                    }
                }
            }
        }
        keymap
    }
}

impl Keymap {
    fn bind(&mut self, mode: Mode, action: Action, key: Key) {
        self.by_key.insert((mode, key), action);
        self.by_action.push((mode, action, key));
    }

    /// The table with some actions of the pages on other keys. `changes` are names of actions with
    /// their keys, separated by blanks; no key at all leaves the action to the palette.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub(crate) fn with<'a>(
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<KeyError>> {
        let (mut keymap, mut wrong, mut bound) = (Self::default(), Vec::new(), Vec::new());
        for (name, keys) in changes {
            let Some(info) = TABLE.iter().find(|info| info.name == name) else {
                let names = TABLE.iter().filter(|info| info.is_command());
                wrong.push(KeyError::Action {
                    name: name.to_owned(),
                    advice: super::theme::nearest(name, names.map(|info| info.name)),
                });
                continue;
            };
            if !info.is_command() {
                wrong.push(KeyError::Fixed {
                    action: name.to_owned(),
                });
                continue;
            }
            // Whatever else is changed: Ctrl-C is a way out.
            let stays = |mode: Mode, action: Action, key: Key| {
                mode != Mode::Main || action != info.action || Some(key) == Key::parse("C-c")
            };
            keymap
                .by_key
                .retain(|(mode, key), action| stays(*mode, *action, *key));
            keymap
                .by_action
                .retain(|(mode, action, key)| stays(*mode, *action, *key));
            for key in keys.split_whitespace() {
                match Key::parse(key) {
                    Some(key) => bound.push((info, key)),
                    None => wrong.push(KeyError::Key {
                        action: name.to_owned(),
                        key: key.to_owned(),
                    }),
                }
            }
        }
        // Only now is it known which keys have become free.
        for (info, key) in bound {
            match keymap.action(Mode::Main, key) {
                Some(other) if other != info.action => wrong.push(KeyError::Conflict {
                    action: info.name.to_owned(),
                    key: key.to_string(),
                    other: other.info().name.to_owned(),
                }),
                _ => keymap.bind(Mode::Main, info.action, key),
            }
        }
        if wrong.is_empty() {
            Ok(keymap)
        } else {
            Err(wrong)
        }
    }

    /// What this key asks for in this mode.
    pub(crate) fn action(&self, mode: Mode, key: Key) -> Option<Action> {
        self.by_key.get(&(mode, key)).copied()
    }

    /// The keys of an action in this mode, first the one to show.
    pub(crate) fn keys(&self, mode: Mode, action: Action) -> impl Iterator<Item = Key> {
        self.by_action
            .iter()
            .filter(move |(in_mode, of, _)| (*in_mode, *of) == (mode, action))
            .map(|(_, _, key)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_is_a_key_and_reaches_its_action() {
        let keymap = Keymap::default();
        for info in TABLE {
            for binding in info.bindings {
                for name in binding.keys {
                    let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
                    for &mode in binding.modes {
                        assert_eq!(
                            keymap.action(mode, key),
                            Some(info.action),
                            "{name} in {mode:?} is taken by another action"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn keys_can_be_changed_and_swapped() {
        let key = |name| Key::parse(name).unwrap();
        let keymap = Keymap::with([("cancel", "x C-x"), ("help", "c"), ("redraw", "")]).unwrap();
        assert_eq!(keymap.action(Mode::Main, key("x")), Some(Action::Cancel));
        assert_eq!(keymap.action(Mode::Main, key("C-x")), Some(Action::Cancel));
        assert_eq!(keymap.action(Mode::Main, key("c")), Some(Action::Help));
        assert_eq!(keymap.action(Mode::Main, key("?")), None);
        assert_eq!(keymap.action(Mode::Main, key("C-l")), None);
        let keymap_of_quit = Keymap::with([("quit", "")]).unwrap();
        assert_eq!(
            keymap_of_quit.action(Mode::Main, key("C-c")),
            Some(Action::Quit)
        );
        // What is not of the pages stays.
        assert_eq!(keymap.action(Mode::Help, key("C-l")), Some(Action::Redraw));
    }

    #[test]
    fn every_mistake_is_told() {
        let wrong = Keymap::with([
            ("cancel", "q"),
            ("cancle", "x"),
            ("add", "C-nonsense"),
            ("yes", "j"),
        ])
        .unwrap_err();
        let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].contains("“cancle”") && said[0].contains("did you mean “cancel”?"));
        assert!(said[1].contains("“C-nonsense” is no key"));
        assert!(said[2].contains("can't be changed"));
        assert!(said[3].contains("“q” is the key of quit"), "{said:?}");
    }

    #[test]
    fn every_mode_has_a_way_out() {
        let keymap = Keymap::default();
        for mode in Mode::ALL {
            let key = Key::parse("C-c").unwrap();
            assert!(keymap.action(mode, key).is_some(), "Ctrl-C in {mode:?}");
        }
    }
}
