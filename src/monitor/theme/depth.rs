//! How many colours the terminal shows, and what becomes of a colour that it can't show. Decides
//! from the environment alone; it never asks the terminal, whose answer could come late.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// None: `NO_COLOR` is set, or the terminal has none.
    None,
    /// The sixteen that the terminal's user chose.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// All.
    TrueColor,
}

/// Terminals that show all colours and may not say so in `COLORTERM`.
const TRUE_COLOR_TERMS: [&str; 7] = [
    "-direct",
    "kitty",
    "alacritty",
    "ghostty",
    "wezterm",
    "foot",
    "contour",
];

/// The sixteen colours as most terminals have them, for finding the nearest.
const ANSI: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 49, 49]),
    (Color::Green, [13, 188, 121]),
    (Color::Yellow, [205, 205, 16]),
    (Color::Blue, [36, 114, 200]),
    (Color::Magenta, [188, 63, 188]),
    (Color::Cyan, [17, 168, 205]),
    (Color::Gray, [204, 204, 204]),
    (Color::DarkGray, [102, 102, 102]),
    (Color::LightRed, [241, 76, 76]),
    (Color::LightGreen, [35, 209, 139]),
    (Color::LightYellow, [245, 245, 67]),
    (Color::LightBlue, [59, 142, 234]),
    (Color::LightMagenta, [214, 112, 214]),
    (Color::LightCyan, [41, 184, 219]),
    (Color::White, [255, 255, 255]),
];

impl ColorDepth {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Ansi16, Self::Ansi256, Self::TrueColor];

    /// What the environment says: `NO_COLOR`, `COLORTERM`, `TERM`.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::None;
        }
        let term = variable("TERM").unwrap_or_default();
        if term == "dumb" || term.starts_with("vt") {
            return Self::None;
        }
        let colorterm = variable("COLORTERM").unwrap_or_default();
        if matches!(colorterm.as_str(), "truecolor" | "24bit")
            || TRUE_COLOR_TERMS.iter().any(|known| term.contains(known))
        {
            return Self::TrueColor;
        }
        if term.contains("256") {
            return Self::Ansi256;
        }
        Self::Ansi16
    }

    /// `color` as far as this terminal can show it.
    pub(super) fn show(self, color: Color) -> Option<Color> {
        match (self, color) {
            (Self::None, _) => None,
            (Self::Ansi16, _) => Some(nearest_ansi(color)),
            (Self::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_index([r, g, b]))),
            _ => Some(color),
        }
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // Green weighs most and blue least, as in the eye.
    [2, 4, 3]
        .into_iter()
        .zip(a.into_iter().zip(b))
        .map(|(weight, (a, b))| weight * u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

fn nearest_ansi(color: Color) -> Color {
    let rgb = match color {
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Indexed(index) => rgb_of(index),
        named => return named,
    };
    ANSI.iter()
        .min_by_key(|(_, known)| distance(rgb, *known))
        .map_or(Color::Reset, |(color, _)| *color)
}

const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The colour behind a number of xterm's table.
fn rgb_of(index: u8) -> [u8; 3] {
    match index {
        0..=15 => ANSI[usize::from(index)].1,
        16..=231 => {
            let cube = usize::from(index - 16);
            [cube / 36, cube / 6 % 6, cube % 6].map(|step| STEPS[step])
        }
        _ => [8 + 10 * (index - 232); 3],
    }
}

/// What a colour looks like on most terminals; `None` for the terminal's own.
#[cfg(test)]
pub(super) fn seen(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => Some(rgb_of(index)),
        named => {
            let known = ANSI.iter().find(|(known, _)| *known == named);
            known.map(|(_, rgb)| *rgb)
        }
    }
}

/// The nearest number above 15: the first sixteen are whatever the user made them.
fn nearest_index(rgb: [u8; 3]) -> u8 {
    (16..=255)
        .min_by_key(|index| distance(rgb, rgb_of(*index)))
        .unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> ColorDepth {
        ColorDepth::detect(|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn the_environment_decides() {
        let cases: [(&[(&str, &str)], ColorDepth); 8] = [
            (&[("TERM", "xterm-256color")], ColorDepth::Ansi256),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                ColorDepth::TrueColor,
            ),
            (&[("TERM", "xterm-kitty")], ColorDepth::TrueColor),
            (&[("TERM", "linux")], ColorDepth::Ansi16),
            (&[("TERM", "dumb")], ColorDepth::None),
            (&[], ColorDepth::Ansi16),
            (
                &[("TERM", "xterm-kitty"), ("NO_COLOR", "1")],
                ColorDepth::None,
            ),
            // An empty NO_COLOR does not count, says its convention.
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                ColorDepth::Ansi256,
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(detect(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn colours_go_to_their_nearest() {
        assert_eq!(nearest_index([255, 255, 255]), 231);
        assert_eq!(nearest_index([8, 8, 8]), 232);
        assert_eq!(nearest_ansi(Color::Rgb(250, 250, 250)), Color::White);
        assert_eq!(nearest_ansi(Color::Indexed(196)), Color::Red);
        assert_eq!(nearest_ansi(Color::Cyan), Color::Cyan);
    }
}
