//! The themes there are: those of the program and those a user put into a folder. It reads that
//! folder and nothing else, and one bad file must never take the others away.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::depth::ColorDepth;
use super::{Theme, ThemeError, position};
use crate::text::printable;

/// The largest theme file that is read. All roles with a palette and comments take a tenth of it.
const LARGEST: u64 = 64 * 1024;

/// Every theme that can be used, and what is wrong with those that can't: the program's own in
/// their order, then the user's by name. A file named as one of the program's own replaces it.
pub(crate) fn load(depth: ColorDepth, folder: Option<&Path>) -> (Vec<Theme>, Vec<ThemeError>) {
    let (mut themes, mut errors) = (Vec::new(), Vec::new());
    for (name, text) in Theme::BUILT_IN {
        match Theme::parse(name, text, depth) {
            Ok(theme) => themes.push(theme),
            Err(error) => errors.push(error),
        }
    }
    let mut paths = match folder.map(files).transpose() {
        Ok(paths) => paths.unwrap_or_default(),
        Err(error) => {
            errors.push(error);
            Vec::new()
        }
    };
    paths.sort();
    for path in paths {
        match read(&path, depth) {
            Ok(theme) => match themes.iter_mut().find(|known| known.name == theme.name) {
                Some(known) => *known = theme,
                None => themes.push(theme),
            },
            Err(error) => errors.push(error),
        }
    }
    (themes, errors)
}

/// The place of the theme that was asked for.
///
/// # Errors
/// What is wrong with its file, if that is among the `errors` of [`load`], even where the program
/// has a theme of that name: whoever wrote the file wants to know. Else
/// [`ThemeError::Unknown`] with the nearest name.
pub(crate) fn find(
    themes: &[Theme],
    errors: &[ThemeError],
    name: &str,
) -> Result<usize, ThemeError> {
    match errors.iter().find(|error| error.theme() == Some(name)) {
        Some(error) => Err(error.clone()),
        None => position(themes, name),
    }
}

/// Everything in the folder that is named as a theme file. A folder that isn't there has none.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ThemeError> {
    let failed = |why: io::Error| ThemeError::Folder {
        path: folder.to_owned(),
        why: why.to_string(),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(why)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new("toml")) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn read(path: &Path, depth: ColorDepth) -> Result<Theme, ThemeError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = printable(&stem);
    let text = text(path).map_err(|why| ThemeError::File {
        theme: name.clone().into_owned(),
        path: path.to_owned(),
        why,
    })?;
    Theme::parse(&name, &text, depth)
}

/// The text of a file, or what is wrong with it.
fn text(path: &Path) -> Result<String, String> {
    let unreadable = |why: io::Error| format!("{why}; check its permissions");
    // Opening a pipe would wait for someone to write to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is not a file; give the file, or take it out of the folder".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!(
            "it is larger than {} KiB; a theme has a few lines",
            LARGEST / 1024
        ));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8; save it as UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::theme::Role;
    use ratatui::style::Color;

    fn names(themes: &[Theme]) -> Vec<&str> {
        themes.iter().map(Theme::name).collect()
    }

    #[test]
    fn without_a_folder_there_are_those_of_the_program() {
        let nowhere = tempfile::tempdir().unwrap().path().join("themes");
        for folder in [None, Some(nowhere.as_path())] {
            let (themes, errors) = load(ColorDepth::TrueColor, folder);
            assert!(names(&themes).into_iter().eq(Theme::names()));
            assert_eq!(errors, []);
        }
    }

    #[test]
    fn files_are_added_by_name_or_replace() {
        let folder = tempfile::tempdir().unwrap();
        let red = "inherits = \"light\"\n[roles]\ntext = { fg = \"#ff0000\" }";
        for (name, text) in [("zebra", red), ("apple", ""), ("dark", red)] {
            fs::write(folder.path().join(name).with_extension("toml"), text).unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "not [ a theme").unwrap();
        let (themes, errors) = load(ColorDepth::TrueColor, Some(folder.path()));
        assert_eq!(errors, []);
        let expected: Vec<_> = Theme::names().chain(["apple", "zebra"]).collect();
        assert_eq!(names(&themes), expected);
        let dark = find(&themes, &errors, "dark").unwrap();
        assert_eq!(
            themes[dark].style(Role::Text).fg,
            Some(Color::Rgb(255, 0, 0))
        );
    }

    #[test]
    fn a_bad_file_is_told_of_and_fatal_only_when_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("good.toml"), "").unwrap();
        fs::write(at("broken.toml"), "[roles").unwrap();
        fs::write(at("latin.toml"), b"# caf\xe9\n").unwrap();
        fs::write(at("huge.toml"), "#".repeat(64 * 1024 + 1)).unwrap();
        fs::write(at("large.toml"), "#".repeat(64 * 1024)).unwrap();
        fs::create_dir(at("folder.toml")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("lost.toml")).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(at("pipe.toml"))
            .status();
        assert!(pipe.unwrap().success());

        let (themes, errors) = load(ColorDepth::TrueColor, Some(folder.path()));
        for name in ["dark", "good", "large"] {
            assert!(find(&themes, &errors, name).is_ok(), "{name}");
        }
        let bad = [
            ("broken", "line 1"),
            ("folder", "not a file"),
            ("huge", "larger than 64 KiB"),
            ("latin", "not UTF-8"),
            ("lost", "No such file"),
            ("pipe", "not a file"),
        ];
        assert_eq!(errors.len(), bad.len(), "{errors:?}");
        for (name, expected) in bad {
            let message = find(&themes, &errors, name).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains(name), "{message}");
        }
        let unknown = find(&themes, &errors, "goood").unwrap_err().to_string();
        assert!(unknown.contains("did you mean “good”?"), "{unknown}");
    }

    #[test]
    fn a_folder_that_is_a_file_is_told_of() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (themes, errors) = load(ColorDepth::TrueColor, Some(file.path()));
        assert_eq!(themes.len(), Theme::names().count());
        assert!(matches!(errors[..], [ThemeError::Folder { .. }]));
        assert!(find(&themes, &errors, "dark").is_ok());
    }
}
