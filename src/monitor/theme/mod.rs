//! Themes: named roles with colours and modifiers, as TOML files that are patches over built-in
//! defaults, so that a new role never breaks an old file. Resolving for what the terminal can
//! show happens once, when a theme is loaded; drawing only looks styles up.

#[cfg(test)]
mod contrast;
mod depth;
mod error;
mod file;
mod folder;
mod symbols;

pub use depth::ColorDepth;
pub use error::ThemeError;
pub(in crate::monitor) use file::nearest;
pub(crate) use folder::{find, load};
pub(crate) use symbols::SymbolSet;

use ratatui::style::{Modifier, Style};

/// What a style is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Screen,
    Text,
    Muted,
    Brand,
    Accent,
    Border,
    BorderFocused,
    Heading,
    Selected,
    SelectedQuiet,
    Pending,
    Running,
    Done,
    Failed,
    Cancelled,
    Bar,
    BarTrack,
    Key,
    Hint,
    Warning,
    Dialog,
}

impl Role {
    /// Every role with its name in theme files, in the order of their numbers.
    pub(crate) const ALL: [(Self, &'static str); 21] = [
        (Self::Screen, "screen"),
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Brand, "brand"),
        (Self::Accent, "accent"),
        (Self::Border, "border"),
        (Self::BorderFocused, "border_focused"),
        (Self::Heading, "heading"),
        (Self::Selected, "selected"),
        (Self::SelectedQuiet, "selected_quiet"),
        (Self::Pending, "pending"),
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Cancelled, "cancelled"),
        (Self::Bar, "bar"),
        (Self::BarTrack, "bar_track"),
        (Self::Key, "key"),
        (Self::Hint, "hint"),
        (Self::Warning, "warning"),
        (Self::Dialog, "dialog"),
    ];

    /// What a role looks like when no file says otherwise: no colour at all.
    fn default_style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Muted | Self::Hint => style.add_modifier(Modifier::DIM),
            Self::Brand | Self::Key | Self::Heading | Self::Running | Self::BorderFocused => {
                style.add_modifier(Modifier::BOLD)
            }
            Self::Failed | Self::Warning => style.add_modifier(Modifier::BOLD),
            Self::Selected => style.add_modifier(Modifier::REVERSED),
            Self::SelectedQuiet => style.add_modifier(Modifier::UNDERLINED),
            _ => style,
        }
    }
}

/// A theme, ready to draw with.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    name: String,
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// The themes that come with the program: name and file.
    const BUILT_IN: [(&'static str, &'static str); 12] = [
        ("dark", include_str!("../../../themes/dark.toml")),
        ("light", include_str!("../../../themes/light.toml")),
        ("dusk", include_str!("../../../themes/dusk.toml")),
        ("dawn", include_str!("../../../themes/dawn.toml")),
        ("ember", include_str!("../../../themes/ember.toml")),
        ("midnight", include_str!("../../../themes/midnight.toml")),
        ("paper", include_str!("../../../themes/paper.toml")),
        ("amber", include_str!("../../../themes/amber.toml")),
        ("okabe-ito", include_str!("../../../themes/okabe-ito.toml")),
        (
            "high-contrast",
            include_str!("../../../themes/high-contrast.toml"),
        ),
        ("ansi", include_str!("../../../themes/ansi.toml")),
        ("mono", include_str!("../../../themes/mono.toml")),
    ];

    /// The name of the theme without colours.
    pub(crate) const MONO: &'static str = "mono";

    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Reads a theme file: a patch over the defaults.
    ///
    /// # Errors
    /// [`ThemeError`] naming the theme, the role and what is wrong with it.
    pub fn parse(name: &str, text: &str, depth: ColorDepth) -> Result<Self, ThemeError> {
        let mut styles = Role::ALL.map(|(role, _)| role.default_style());
        for (role, style) in file::read(name, text, depth)? {
            styles[role as usize] = style;
        }
        Ok(Self {
            name: name.to_owned(),
            styles,
        })
    }

    /// All themes that come with the program.
    ///
    /// # Errors
    /// [`ThemeError`] if one of the embedded files is broken, which a test rules out.
    #[cfg(test)]
    pub(crate) fn built_in(depth: ColorDepth) -> Result<Vec<Self>, ThemeError> {
        Self::BUILT_IN
            .iter()
            .map(|(name, text)| Self::parse(name, text, depth))
            .collect()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

/// What they are called.
pub(crate) fn names(themes: &[Theme]) -> Vec<String> {
    themes.iter().map(|theme| theme.name().to_owned()).collect()
}

/// The place of the theme of that name among `themes`.
///
/// # Errors
/// [`ThemeError::Unknown`] with the nearest name.
pub(crate) fn position(themes: &[Theme], name: &str) -> Result<usize, ThemeError> {
    themes
        .iter()
        .position(|theme| theme.name == name)
        .ok_or_else(|| ThemeError::Unknown {
            name: name.to_owned(),
            advice: file::nearest(name, themes.iter().map(Theme::name)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Color;

    #[test]
    fn roles_stand_in_the_order_of_their_numbers() {
        for (place, (role, name)) in Role::ALL.iter().enumerate() {
            assert_eq!(*role as usize, place, "{name}");
        }
    }

    #[test]
    fn every_built_in_theme_can_be_read_at_every_depth() {
        for depth in ColorDepth::ALL {
            let themes = Theme::built_in(depth).unwrap();
            assert_eq!(themes.len(), Theme::names().count());
            for theme in themes {
                assert!(position(std::slice::from_ref(&theme), theme.name()).is_ok());
            }
        }
    }

    #[test]
    fn every_file_in_the_folder_is_built_in_and_says_what_it_is_for() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/themes");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("# "), "{}", path.display());
            // One that inherits would inherit what may inherit, and so on.
            assert!(!text.contains("\ninherits"), "{}", path.display());
            files.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
        files.sort();
        let mut names: Vec<_> = Theme::names().collect();
        names.sort_unstable();
        assert_eq!(files, names);
    }

    #[test]
    fn the_default_theme_explains_every_role() {
        let (_, text) = Theme::BUILT_IN[0];
        let roles = text.split("[roles]").last().unwrap();
        for (_, name) in Role::ALL {
            let start = format!("{name} = ");
            let line = roles.lines().find(|line| line.starts_with(&start));
            assert!(line.is_some_and(|line| line.contains(" # ")), "{name}");
        }
    }

    #[test]
    fn without_colours_no_theme_has_one_and_the_selection_still_shows() {
        let mut plain = Theme::built_in(ColorDepth::None).unwrap();
        plain.push(
            Theme::built_in(ColorDepth::TrueColor)
                .unwrap()
                .into_iter()
                .find(|theme| theme.name() == Theme::MONO)
                .unwrap(),
        );
        for theme in plain {
            for (role, name) in Role::ALL {
                let style = theme.style(role);
                assert_eq!((style.fg, style.bg), (None, None), "{} {name}", theme.name);
            }
            let selected = theme.style(Role::Selected);
            assert!(selected.add_modifier.contains(Modifier::REVERSED));
        }
    }

    #[test]
    fn sixteen_colours_are_sixteen() {
        for theme in Theme::built_in(ColorDepth::Ansi16).unwrap() {
            for (role, name) in Role::ALL {
                let style = theme.style(role);
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(
                        !matches!(color, Color::Rgb(..) | Color::Indexed(_)),
                        "{} {name}: {color}",
                        theme.name
                    );
                }
            }
        }
    }

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let text = "[roles]\nfailed = { fg = \"#ff0000\" }";
        let theme = Theme::parse("mine", text, ColorDepth::TrueColor).unwrap();
        assert_eq!(theme.style(Role::Failed).fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(theme.style(Role::Key), Role::Key.default_style());
    }

    #[test]
    fn unknown_names_get_the_nearest() {
        let themes = Theme::built_in(ColorDepth::TrueColor).unwrap();
        let error = position(&themes, "drak").unwrap_err().to_string();
        assert!(error.contains("drak") && error.contains("dark"), "{error}");
    }
}
