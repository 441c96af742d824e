//! Where things are kept. It only computes paths: it must never create a folder or read a file.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, base_strategy::Xdg};
use serde::Serialize;

use super::SettingsError;

/// The folders of one installation; all absolute, none of them need exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The folder that holds `config.toml`.
    pub config: PathBuf,
    /// What was fetched: runtime, eSpeak NG, voices.
    pub data: PathBuf,
    /// The database of tasks and its lock.
    pub library: PathBuf,
    /// Where narrations go unless told otherwise.
    pub narrations: PathBuf,
    /// Log files.
    pub logs: PathBuf,
    /// Clips that are kept for other narrations. May be deleted at any time.
    pub clips: PathBuf,
}

/// The base folders of the user, as the XDG rules give them.
#[derive(Debug, Clone)]
pub(crate) struct BaseFolders {
    pub home: PathBuf,
    pub config: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    pub cache: PathBuf,
}

impl BaseFolders {
    fn of_this_user() -> Result<BaseFolders, SettingsError> {
        let xdg = Xdg::new().map_err(|_| SettingsError::NoHome)?;
        let home = xdg.home_dir().to_path_buf();
        Ok(BaseFolders {
            config: xdg.config_dir(),
            data: xdg.data_dir(),
            cache: xdg.cache_dir(),
            state: xdg.state_dir().unwrap_or_else(|| home.join(".local/state")),
            home,
        })
    }
}

impl Paths {
    /// The folders of this user: everything under `ALOUD_HOME` if that is set, otherwise
    /// under the XDG folders, and narrations in `~/Narrations`, where a person finds them.
    ///
    /// # Errors
    /// [`SettingsError::NoHome`] without a home folder, [`SettingsError::BadFolder`] when
    /// `ALOUD_HOME` can't be made absolute.
    pub fn resolve() -> Result<Paths, SettingsError> {
        Paths::resolve_from(&|name| std::env::var_os(name), BaseFolders::of_this_user)
    }

    /// The same with the environment and the base folders handed in.
    pub(crate) fn resolve_from(
        env: &dyn Fn(&str) -> Option<OsString>,
        base: impl FnOnce() -> Result<BaseFolders, SettingsError>,
    ) -> Result<Paths, SettingsError> {
        if let Some(home) = env("ALOUD_HOME").filter(|value| !value.is_empty()) {
            let home = std::path::absolute(&home).map_err(|why| SettingsError::BadFolder {
                variable: "ALOUD_HOME",
                why: why.to_string(),
            })?;
            return Ok(Paths::under(&home));
        }
        let base = base()?;
        let library = base.state.join("aloud");
        Ok(Paths {
            config: base.config.join("aloud"),
            data: base.data.join("aloud"),
            narrations: base.home.join("Narrations"),
            logs: library.join("logs"),
            clips: base.cache.join("aloud/clips"),
            library,
        })
    }

    /// Everything under one folder, as with `ALOUD_HOME`.
    #[must_use]
    pub fn under(home: &Path) -> Paths {
        Paths {
            config: home.join("config"),
            data: home.join("data"),
            library: home.join("state"),
            narrations: home.join("narrations"),
            logs: home.join("logs"),
            clips: home.join("cache/clips"),
        }
    }

    /// The settings file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The folder of the user's own themes for the monitor, beside the settings file.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Result<BaseFolders, SettingsError> {
        Ok(BaseFolders {
            home: "/home/ann".into(),
            config: "/home/ann/.config".into(),
            data: "/home/ann/.local/share".into(),
            state: "/home/ann/.local/state".into(),
            cache: "/home/ann/.cache".into(),
        })
    }

    #[test]
    fn xdg_unless_one_home_is_given() {
        let paths = Paths::resolve_from(&|_| None, base).unwrap();
        assert_eq!(
            paths.config_file(),
            Path::new("/home/ann/.config/aloud/config.toml")
        );
        assert_eq!(paths.themes(), Path::new("/home/ann/.config/aloud/themes"));
        assert_eq!(paths.data, Path::new("/home/ann/.local/share/aloud"));
        assert_eq!(paths.narrations, Path::new("/home/ann/Narrations"));

        let one = Paths::resolve_from(
            &|name| (name == "ALOUD_HOME").then(|| "/box".into()),
            || Err(SettingsError::NoHome),
        )
        .unwrap();
        for path in [
            &one.config,
            &one.data,
            &one.library,
            &one.narrations,
            &one.logs,
        ] {
            assert!(path.starts_with("/box"), "{}", path.display());
        }
    }

    #[test]
    fn an_empty_or_relative_home_is_understood() {
        let empty = Paths::resolve_from(&|_| Some(OsString::new()), base).unwrap();
        assert_eq!(empty.data, Path::new("/home/ann/.local/share/aloud"));
        let relative = Paths::resolve_from(&|_| Some("here".into()), base).unwrap();
        assert!(relative.data.is_absolute());
    }
}
