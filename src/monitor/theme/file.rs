//! Theme files. Reads text that a user may have written: every mistake is named with its place
//! and the nearest thing that would have been right.
//!
//! ```toml
//! [palette]                      # names for colours; `ansi` is for terminals with 16 of them
//! blue = { rgb = "#7aa2f7", ansi = "light-blue" }
//! ink = "#c0caf5"
//!
//! [roles]
//! running = { fg = "blue", modifiers = ["bold"] }
//! ```

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::Role;
use super::depth::ColorDepth;

/// What is wrong with a theme.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThemeError {
    /// There is no theme of that name.
    #[error("there is no theme “{name}”; {advice}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest names.
        advice: String,
    },
    /// Not a theme file.
    #[error("theme “{theme}” can't be read: {message}")]
    Syntax {
        /// The theme.
        theme: String,
        /// What the parser said, with line and column.
        message: String,
    },
    /// A role that nothing is drawn with.
    #[error("theme “{theme}” names an unknown role “{role}”; {advice}")]
    Role {
        /// The theme.
        theme: String,
        /// The role.
        role: String,
        /// The nearest names.
        advice: String,
    },
    /// Neither a colour nor a name in the palette.
    #[error(
        "theme “{theme}”, {place}: “{color}” is no colour; write “#rrggbb”, a number from 0 to \
         255, a name such as “light-blue”, or a name from [palette]"
    )]
    Color {
        /// The theme.
        theme: String,
        /// The role or palette entry.
        place: String,
        /// What stands there.
        color: String,
    },
    /// Not a modifier.
    #[error("theme “{theme}”, role “{role}”: “{modifier}” is no modifier; {advice}")]
    Modifier {
        /// The theme.
        theme: String,
        /// The role.
        role: String,
        /// What stands there.
        modifier: String,
        /// The nearest names.
        advice: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    palette: BTreeMap<String, Paint>,
    #[serde(default)]
    roles: BTreeMap<String, Patch>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Paint {
    Plain(String),
    Both { rgb: String, ansi: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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

/// The roles that a file names, with their styles for this depth.
pub(super) fn read(
    theme: &str,
    text: &str,
    depth: ColorDepth,
) -> Result<Vec<(Role, Style)>, ThemeError> {
    let file: File = toml::from_str(text).map_err(|error| ThemeError::Syntax {
        theme: theme.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    })?;
    let reader = Reader {
        theme,
        depth,
        palette: &file.palette,
    };
    // Every entry is checked, used or not: a typo should not wait for its first use.
    for name in file.palette.keys() {
        reader.color(name, &format!("palette entry “{name}”"))?;
    }
    file.roles
        .iter()
        .map(|(name, patch)| reader.role(name, patch))
        .collect()
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
                role: name.to_owned(),
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
                modifier: name.to_owned(),
                advice: nearest(name, MODIFIERS.iter().map(|(name, _)| *name)),
            })
    }

    /// The colour as this terminal can show it; `None` if it shows none.
    fn color(&self, name: &str, place: &str) -> Result<Option<Color>, ThemeError> {
        let (full, few) = match self.palette.get(name) {
            Some(Paint::Plain(color)) => (color.as_str(), None),
            Some(Paint::Both { rgb, ansi }) => (rgb.as_str(), Some(ansi.as_str())),
            None => (name, None),
        };
        let parse = |text: &str| {
            text.parse::<Color>().map_err(|_| ThemeError::Color {
                theme: self.theme.to_owned(),
                place: place.to_owned(),
                color: text.to_owned(),
            })
        };
        let full = parse(full)?;
        let few = few.map(parse).transpose()?;
        Ok(self.depth.show(full, few))
    }
}

/// «did you mean …» if something is near, else all there are.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
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
            ("[roles", "line 1"),
        ];
        for (text, expected) in cases {
            let message = error(text);
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("mine"), "{message}");
        }
    }

    #[test]
    fn a_palette_may_name_another_colour_for_few_colours() {
        let text = "[palette]\nblue = { rgb = \"#7aa2f7\", ansi = \"light-blue\" }\n\
                    [roles]\ntext = { fg = \"blue\" }";
        let color = |depth| read("mine", text, depth).unwrap()[0].1.fg;
        assert_eq!(
            color(ColorDepth::TrueColor),
            Some(Color::Rgb(0x7a, 0xa2, 0xf7))
        );
        assert_eq!(color(ColorDepth::Ansi16), Some(Color::LightBlue));
        assert_eq!(color(ColorDepth::None), None);
    }
}
