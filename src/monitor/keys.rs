//! Keys by name: `C-c`, `pgdn`, `G`. The one notation for the table of actions, the help, the
//! tests and, later, a user's configuration. Knows nothing of what a key does.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One key press, with what was held down.
///
/// A letter carries its own case: `G` is the key, never `shift` and `g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

/// The named keys, and how the help writes them.
const NAMED: [(&str, KeyCode, &str); 14] = [
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("pgup", KeyCode::PageUp, "PgUp"),
    ("pgdn", KeyCode::PageDown, "PgDn"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("backtab", KeyCode::BackTab, "Shift-Tab"),
    ("bspace", KeyCode::Backspace, "Backspace"),
    ("space", KeyCode::Char(' '), "Space"),
];

impl Key {
    /// The key of that name, if it is one.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (mut ctrl, mut alt, mut rest) = (false, false, name);
        loop {
            // A lone `C` or `-` is a letter; only `C-x` is a modifier and its key.
            if let Some(after) = rest.strip_prefix("C-").filter(|after| !after.is_empty()) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("A-").filter(|after| !after.is_empty()) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let named = NAMED.iter().find(|(name, ..)| *name == rest);
        let code = if let Some((_, code, _)) = named {
            *code
        } else {
            let mut letters = rest.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => KeyCode::Char(letter),
                _ => return None,
            }
        };
        Some(Self { code, ctrl, alt })
    }

    /// The key of this letter.
    pub(crate) fn letter(letter: char) -> Self {
        Self {
            code: KeyCode::Char(letter),
            ctrl: false,
            alt: false,
        }
    }

    /// The same as the terminal would send it.
    pub(crate) fn to_event(self) -> KeyEvent {
        let mut modifiers = KeyModifiers::NONE;
        modifiers.set(KeyModifiers::CONTROL, self.ctrl);
        modifiers.set(KeyModifiers::ALT, self.alt);
        KeyEvent::new(self.code, modifiers)
    }

    /// What the terminal sent, unless it is a key being let go.
    pub(crate) fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Tab if shift => KeyCode::BackTab,
            // Some terminals send `shift` and `g`, others `G`.
            KeyCode::Char(letter) if shift && letter.is_ascii_lowercase() => {
                KeyCode::Char(letter.to_ascii_uppercase())
            }
            code => code,
        };
        Some(Self {
            code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if let Some((.., shown)) = NAMED.iter().find(|(_, code, _)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(letter) if self.ctrl => write!(f, "{}", letter.to_uppercase()),
            KeyCode::Char(letter) => write!(f, "{letter}"),
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_shown() {
        for (name, shown) in [
            ("C-c", "Ctrl-C"),
            ("pgdn", "PgDn"),
            ("G", "G"),
            ("?", "?"),
            ("up", "↑"),
            ("A-x", "Alt-x"),
            ("C", "C"),
            ("-", "-"),
        ] {
            assert_eq!(Key::parse(name).unwrap().to_string(), shown);
        }
        assert_eq!(Key::parse("nonsense"), None);
        assert_eq!(Key::parse(""), None);
    }

    #[test]
    fn shift_is_part_of_the_letter() {
        let upper = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        let lower = KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT);
        assert_eq!(Key::from_event(&upper), Key::parse("G"));
        assert_eq!(Key::from_event(&lower), Key::parse("G"));
        let mut release = upper;
        release.kind = KeyEventKind::Release;
        assert_eq!(Key::from_event(&release), None);
    }
}
