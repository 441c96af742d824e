//! What can be wrong with a theme. Every message names the theme and the place in it; text from a
//! file is made safe to print before it stands here.

use std::path::PathBuf;

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
    /// The folder of the user's themes can't be listed.
    #[error(
        "the folder of themes {} can't be read ({why}): check its permissions",
        path.display()
    )]
    Folder {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A theme file that can't be taken in at all.
    #[error("the theme file {} can't be used: {why}", path.display())]
    File {
        /// The theme.
        theme: String,
        /// Where it is.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Not a theme file.
    #[error("theme “{theme}”, line {line}: {message}")]
    Syntax {
        /// The theme.
        theme: String,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        message: String,
    },
    /// It builds on a theme that there is none of.
    #[error(
        "theme “{theme}” inherits “{base}”, and no theme of that name comes with the program; \
         {advice}"
    )]
    Inherits {
        /// The theme.
        theme: String,
        /// What it wants to build on.
        base: String,
        /// The nearest names.
        advice: String,
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
         255, a name such as “light-blue”, “none”, or a name from [palette]"
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

impl ThemeError {
    /// The theme that can't be used because of this; `None` if it is not about a single one.
    pub(crate) fn theme(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. } => Some(name),
            Self::Folder { .. } => None,
            Self::File { theme, .. }
            | Self::Syntax { theme, .. }
            | Self::Inherits { theme, .. }
            | Self::Role { theme, .. }
            | Self::Color { theme, .. }
            | Self::Modifier { theme, .. } => Some(theme),
        }
    }
}
