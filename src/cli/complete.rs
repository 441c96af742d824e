//! Completing a path in a text field. It reads one folder and nothing else; names that a terminal
//! could not show as they are, or a text field not hold, are left out.

use std::collections::BTreeSet;
use std::fs::FileType;
use std::path::Path;

use crate::monitor::services::Completion;
use crate::service::typed::expanded;
use crate::text::printable;

/// More than anyone reads.
const MOST: usize = 200;

/// Completes the last part of a path as it was typed: relative, absolute, with a leading `~`, with a
/// quotation mark before it; all that stays as it is. Hidden names come once a dot was typed. A slow
/// file system makes this slow: call it where that can be waited for.
pub(crate) fn complete(typed: &str) -> Completion {
    if typed.trim_start_matches(['\'', '"']) == "~" {
        let home = format!("{typed}/");
        return Completion {
            common: home.clone(),
            candidates: vec![home],
        };
    }
    let (folder, begun) = typed.split_at(typed.rfind('/').map_or_else(
        || typed.len() - typed.trim_start_matches(['\'', '"']).len(),
        |slash| slash + 1,
    ));
    let mut common: Option<String> = None;
    let mut first = BTreeSet::new();
    for (name, kind) in names(folder) {
        if !name.starts_with(begun) || (name.starts_with('.') && !begun.starts_with('.')) {
            continue;
        }
        match &mut common {
            Some(common) => common.truncate(shared(common, &name)),
            common => *common = Some(name.clone()),
        }
        first.insert((name, IsFolder::of(kind)));
        if first.len() > MOST {
            first.pop_last();
        }
    }
    let candidates: Vec<String> = first
        .into_iter()
        .map(|(name, is_folder)| {
            let path = format!("{folder}{name}");
            if is_folder.settled(&path) {
                path + "/"
            } else {
                path
            }
        })
        .collect();
    let common = match (&*candidates, common) {
        ([only], _) => only.clone(),
        (_, Some(common)) => format!("{folder}{common}"),
        (_, None) => typed.to_owned(),
    };
    Completion { common, candidates }
}

/// The names in a folder that can be typed and shown.
fn names(folder: &str) -> impl Iterator<Item = (String, Option<FileType>)> {
    let folder = match folder.trim_start_matches(['\'', '"']) {
        "" => Path::new(".").to_owned(),
        folder => expanded(folder),
    };
    let entries = folder.read_dir().into_iter().flatten();
    entries.filter_map(Result::ok).filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        (printable(&name) == name).then(|| (name, entry.file_type().ok()))
    })
}

/// Whether a name is a folder's. A link's target is looked at only if its name is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum IsFolder {
    Yes,
    No,
    Unknown,
}

impl IsFolder {
    fn of(kind: Option<FileType>) -> Self {
        match kind {
            Some(kind) if kind.is_dir() => Self::Yes,
            Some(kind) if !kind.is_symlink() => Self::No,
            _ => Self::Unknown,
        }
    }

    fn settled(self, typed: &str) -> bool {
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Unknown => expanded(typed.trim_start_matches(['\'', '"'])).is_dir(),
        }
    }
}

/// How many bytes two names have in common, in whole characters.
fn shared(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with these files; names that end in `/` are folders.
    fn with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            match name.strip_suffix('/') {
                Some(_) => std::fs::create_dir(path).unwrap(),
                None => std::fs::write(path, "").unwrap(),
            }
        }
        folder
    }

    /// What `typed` becomes in this folder, without the folder's own path.
    fn completed(folder: &tempfile::TempDir, typed: &str) -> (String, Vec<String>) {
        let at = format!("{}/", folder.path().display());
        let completion = complete(&format!("{at}{typed}"));
        let short = |path: &String| path.strip_prefix(&at).unwrap().to_owned();
        let candidates = completion.candidates.iter().map(short).collect();
        (short(&completion.common), candidates)
    }

    #[test]
    fn what_all_have_in_common_is_typed_and_the_rest_is_offered() {
        let folder = with(&[
            "story.txt",
            "stories/",
            "stoat",
            "night train.md",
            ".hidden",
        ]);
        let all = ["night train.md", "stoat", "stories/", "story.txt"];
        assert_eq!(
            completed(&folder, ""),
            (String::new(), all.map(Into::into).into())
        );
        let (common, candidates) = completed(&folder, "s");
        assert_eq!((&*common, candidates.len()), ("sto", 3));
        let (common, candidates) = completed(&folder, "stor");
        assert_eq!((&*common, candidates.len()), ("stor", 2));
        // Spaces are characters like others, and one that is alone is taken.
        assert_eq!(completed(&folder, "ni").0, "night train.md");
        assert_eq!(completed(&folder, "stori").0, "stories/");
        assert_eq!(completed(&folder, "x"), ("x".into(), vec![]));
        assert_eq!(
            completed(&folder, "."),
            (".hidden".into(), vec![".hidden".into()])
        );
        assert_eq!(
            completed(&folder, "no such/x"),
            ("no such/x".into(), vec![])
        );
        assert_eq!(
            completed(&folder, "story.txt/"),
            ("story.txt/".into(), vec![])
        );
    }

    #[test]
    fn letters_of_several_bytes_stay_whole() {
        let folder = with(&["märz", "mächte", "m\u{e0}x"]);
        assert_eq!(completed(&folder, "").0, "m");
        assert_eq!(completed(&folder, "mä").0, "mä");
        assert_eq!(completed(&folder, "mär").0, "märz");
    }

    #[test]
    fn links_are_what_they_lead_to() {
        let folder = with(&["real/"]);
        symlink(folder.path().join("real"), folder.path().join("to folder")).unwrap();
        symlink("nowhere", folder.path().join("to nothing")).unwrap();
        assert_eq!(completed(&folder, "to ").1, ["to folder/", "to nothing"]);
    }

    #[test]
    fn names_that_no_field_can_hold_are_left_out() {
        let folder = with(&["good", "go\u{1b}[2Jd", "go\u{202e}d", "go\nd"]);
        let odd = folder.path().join(OsStr::from_bytes(b"go\xff"));
        std::fs::write(odd, "").unwrap();
        assert_eq!(
            completed(&folder, "g"),
            ("good".into(), vec!["good".into()])
        );
    }

    #[test]
    fn of_very_many_the_first_are_offered_and_all_are_heeded() {
        let names: Vec<String> = (0..300).map(|number| format!("n{number:03}")).collect();
        let folder = with(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let (common, candidates) = completed(&folder, "");
        assert_eq!((&*common, candidates.len()), ("n", MOST));
        assert_eq!((&*candidates[0], &*candidates[199]), ("n000", "n199"));
        assert_eq!(completed(&folder, "n1").0, "n1");
    }

    #[test]
    fn home_and_quotes_stay_as_they_were_typed() {
        assert_eq!(complete("~").common, "~/");
        assert_eq!(complete("'~").candidates, ["'~/"]);
        for path in complete("~/").candidates {
            assert!(path.starts_with("~/"), "{path}");
        }
        let folder = with(&["a b"]);
        let typed = format!("\"{}/a", folder.path().display());
        assert_eq!(complete(&typed).common, format!("{typed} b"));
        // Tests run in the folder of the crate.
        assert_eq!(complete("Cargo.t").common, "Cargo.toml");
        assert_eq!(complete("\"Cargo.t").common, "\"Cargo.toml");
    }
}
