//! Theme files. Reads text that a user may have written: every mistake is named with its place
//! and the nearest thing that would have been right. It must never fail on what it does not know
//! about a terminal: colours that can't be shown become the nearest that can.
//!
//! ```toml
//! inherits = "dark"              # a theme of the program to start from; without it, no colour
//!
//! [palette]                      # names for colours, and what to take where there are few
//! blue = { rgb = "#7aa2f7", xterm = 111, ansi = "light-blue" }
//! ink = "#c0caf5"
//!
//! [roles]                        # what is painted; `themes/dark.toml` says what each role is
//! running = { fg = "blue", modifiers = ["bold"] }
//! screen = { bg = "none" }
//! ```
//!
//! A colour is `#rrggbb`, a number of xterm's 256, one of the sixteen names (`black`, `red`,
//! `green`, `yellow`, `blue`, `magenta`, `cyan`, `gray`, `dark-gray`, `light-red` … `light-cyan`,
//! `white`), a name from the palette, `reset` for the terminal's own, or `none` for whatever lies
//! below, which for `screen` is the terminal's own too. `xterm` is taken on terminals with 256
//! colours and `ansi` on those with sixteen; without them, the nearest colour is. Modifiers are
//! `bold`, `dim`, `italic`, `underlined` and `reversed`.
//!
//! A file that inherits has the palette and the roles of the other theme and replaces what it
//! names, `fg`, `bg` and `modifiers` one by one. A new colour in the palette so repaints every role
//! that uses its name.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::depth::ColorDepth;
use super::{Role, Theme, ThemeError};
use crate::text::printable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, Paint>,
    #[serde(default)]
    roles: BTreeMap<String, Patch>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a colour is written “#7aa2f7” or { rgb = “#7aa2f7”, xterm = 111, \
                 ansi = “light-blue” } with a number from 0 to 255 and one of the sixteen names"
)]
enum Paint {
    Plain(String),
    Each {
        rgb: String,
        xterm: Option<u8>,
        ansi: Option<String>,
    },
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a role is written { fg = “…”, bg = “…”, modifiers = [“bold”] }, each part of it \
                 only where it is wanted"
)]
struct Patch {
    fg: Option<String>,
    bg: Option<String>,
    modifiers: Option<Vec<String>>,
}

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// The roles that a file names or inherits, with their styles for this depth.
pub(super) fn read(
    theme: &str,
    text: &str,
    depth: ColorDepth,
) -> Result<Vec<(Role, Style)>, ThemeError> {
    let mut file = parse(theme, text)?;
    if let Some(base) = file.inherits.take() {
        let Some((name, text)) = Theme::BUILT_IN.iter().find(|(name, _)| *name == base) else {
            return Err(ThemeError::Inherits {
                theme: theme.to_owned(),
                base: printable(&base).into_owned(),
                advice: nearest(&base, Theme::names()),
            });
        };
        file = parse(name, text)?.patched(file);
    }
    let reader = Reader {
        theme,
        depth,
        palette: &file.palette,
    };
    // Every entry is checked, used or not: a typo should not wait for its first use.
    for name in file.palette.keys() {
        reader.color(name, &format!("palette entry “{}”", printable(name)))?;
    }
    file.roles
        .iter()
        .map(|(name, patch)| reader.role(name, patch))
        .collect()
}

fn parse(theme: &str, text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.bytes().take(start);
        ThemeError::Syntax {
            theme: theme.to_owned(),
            line: 1 + before.filter(|byte| *byte == b'\n').count(),
            message: printable(&error.message().trim_end().replace('\n', ", ")).into_owned(),
        }
    })
}

impl File {
    /// This with everything replaced that `other` names.
    fn patched(mut self, other: Self) -> Self {
        self.palette.extend(other.palette);
        for (role, patch) in other.roles {
            let below = self.roles.entry(role).or_default();
            below.fg = patch.fg.or(below.fg.take());
            below.bg = patch.bg.or(below.bg.take());
            below.modifiers = patch.modifiers.or(below.modifiers.take());
        }
        self
    }
}

struct Reader<'a> {
    theme: &'a str,
    depth: ColorDepth,
    palette: &'a BTreeMap<String, Paint>,
}

impl Reader<'_> {
    fn role(&self, name: &str, patch: &Patch) -> Result<(Role, Style), ThemeError> {
        let role = Role::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(role, _)| *role)
            .ok_or_else(|| ThemeError::Role {
                theme: self.theme.to_owned(),
                role: printable(name).into_owned(),
                advice: nearest(name, Role::ALL.iter().map(|(_, name)| *name)),
            })?;
        let mut style = role.default_style();
        let place = format!("role “{name}”");
        if let Some(color) = &patch.fg {
            style.fg = self.color(color, &place)?;
        }
        if let Some(color) = &patch.bg {
            style.bg = self.color(color, &place)?;
        }
        let Some(names) = &patch.modifiers else {
            return Ok((role, style));
        };
        // Without colours the defaults' modifiers are what tells roles apart: add, don't replace.
        if self.depth != ColorDepth::None {
            style.add_modifier = Modifier::empty();
        }
        for modifier in names {
            style.add_modifier |= self.modifier(name, modifier)?;
        }
        Ok((role, style))
    }

    fn modifier(&self, role: &str, name: &str) -> Result<Modifier, ThemeError> {
        MODIFIERS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, modifier)| *modifier)
            .ok_or_else(|| ThemeError::Modifier {
                theme: self.theme.to_owned(),
                role: role.to_owned(),
                modifier: printable(name).into_owned(),
                advice: nearest(name, MODIFIERS.iter().map(|(name, _)| *name)),
            })
    }

    /// The colour as this terminal can show it; `None` for whatever lies below.
    fn color(&self, name: &str, place: &str) -> Result<Option<Color>, ThemeError> {
        let (full, number, few) = match self.palette.get(name) {
            Some(Paint::Plain(color)) => (color.as_str(), None, None),
            Some(Paint::Each { rgb, xterm, ansi }) => (rgb.as_str(), *xterm, ansi.as_deref()),
            None => (name, None, None),
        };
        let parse = |text: &str| match text {
            "none" => Ok(None),
            _ => text
                .parse::<Color>()
                .map(Some)
                .map_err(|_| ThemeError::Color {
                    theme: self.theme.to_owned(),
                    place: place.to_owned(),
                    color: printable(text).into_owned(),
                }),
        };
        let full = parse(full)?;
        let few = few.map(parse).transpose()?;
        let chosen = match self.depth {
            ColorDepth::Ansi16 => few.unwrap_or(full),
            ColorDepth::Ansi256 => number.map(Color::Indexed).or(full),
            _ => full,
        };
        Ok(chosen.and_then(|color| self.depth.show(color)))
    }
}

/// "did you mean …" if something is near, else all there are.
pub(in crate::monitor) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let best = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, candidate)) => format!("did you mean “{candidate}”?"),
        None => format!("there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read("mine", text, ColorDepth::TrueColor)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                "[roles]\nruning = { fg = \"red\" }",
                "did you mean “running”?",
            ),
            (
                "[roles]\ntext = { fg = \"#12\" }",
                "role “text”: “#12” is no colour",
            ),
            ("[palette]\nx = \"reddish\"", "palette entry “x”: “reddish”"),
            (
                "[roles]\ntext = { modifiers = [\"blod\"] }",
                "did you mean “bold”?",
            ),
            ("[rolls]", "unknown field `rolls`"),
            ("\n[roles", "line 2"),
            (
                "[palette]\nx = { rgb = \"#ff0000\", ansii = \"red\" }",
                "line 2: a colour is written",
            ),
            (
                "inherits = \"drak\"",
                "inherits “drak”, and no theme of that name comes with the program; did you mean \
                 “dark”?",
            ),
        ];
        for (text, expected) in cases {
            let message = error(text);
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("mine"), "{message}");
        }
    }

    #[test]
    fn a_palette_may_name_another_colour_for_few_colours() {
        let text = "[palette]\n\
                    blue = { rgb = \"#7aa2f7\", xterm = 33, ansi = \"light-blue\" }\n\
                    [roles]\ntext = { fg = \"blue\" }";
        let color = |depth| read("mine", text, depth).unwrap()[0].1.fg;
        assert_eq!(
            color(ColorDepth::TrueColor),
            Some(Color::Rgb(0x7a, 0xa2, 0xf7))
        );
        assert_eq!(color(ColorDepth::Ansi256), Some(Color::Indexed(33)));
        assert_eq!(color(ColorDepth::Ansi16), Some(Color::LightBlue));
        assert_eq!(color(ColorDepth::None), None);
    }

    #[test]
    fn a_colour_for_few_is_one_of_the_sixteen_whatever_a_file_says() {
        let text = "[palette]\nblue = { rgb = \"#7aa2f7\", ansi = \"#f00000\" }\n\
                    [roles]\ntext = { fg = \"blue\", bg = \"none\" }";
        let style = read("mine", text, ColorDepth::Ansi16).unwrap()[0].1;
        assert_eq!((style.fg, style.bg), (Some(Color::Red), None));
    }

    #[test]
    fn a_theme_may_patch_another() {
        let text = "inherits = \"dark\"\n\
                    [palette]\naccent = \"#ff00ff\"\n\
                    [roles]\nscreen = { bg = \"none\" }\nrunning = { fg = \"red\" }";
        let mine = Theme::parse("mine", text, ColorDepth::TrueColor).unwrap();
        let dark = Theme::BUILT_IN.iter().find(|(name, _)| *name == "dark");
        let dark = Theme::parse("dark", dark.unwrap().1, ColorDepth::TrueColor).unwrap();
        // The palette repaints what uses it.
        assert_eq!(mine.style(Role::Bar).fg, Some(Color::Rgb(255, 0, 255)));
        assert_eq!(mine.style(Role::Screen).bg, None);
        assert_eq!(mine.style(Role::Screen).fg, dark.style(Role::Screen).fg);
        // What is not named stays, modifiers too.
        let running = dark.style(Role::Running).fg(Color::Red);
        assert_eq!(mine.style(Role::Running), running);
        assert_eq!(mine.style(Role::Done), dark.style(Role::Done));
        assert_eq!(mine.name(), "mine");
    }

    #[test]
    fn nothing_from_a_file_reaches_the_terminal_raw() {
        for text in [
            "inherits = \"\\u001b[2J\"",
            "[palette]\n\"\\u001b[2J\" = \"x\"",
            "[palette]\nx = \"\\u001b[2J\"",
            "[roles]\n\"\\u001b[2J\" = {}",
            "[roles]\ntext = { fg = \"\\u001b[2J\" }",
            "[roles]\ntext = { modifiers = [\"\\u001b[2J\"] }",
            "\"\\u001b[2J\" = 1",
            "\u{1b}[2J",
        ] {
            let message = error(text);
            assert!(!message.contains(char::is_control), "{message:?}");
        }
    }
}
