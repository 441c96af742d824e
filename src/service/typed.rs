//! What a person types or drags into a line: words, and paths with `~`, quotes and backslashes or as
//! `file://` addresses, as a terminal puts them there. Nothing is run, and nothing but the existence
//! of a file is looked at.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The words of a line, as a shell would part them: blanks separate, quotes and backslashes keep
/// together. `None` if a quote is left open.
pub(crate) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let kept = characters.next()?;
                word.get_or_insert_default().push(kept);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The path that a person means: as it stands if there is such a file, otherwise without quotes and
/// backslashes, or what the address of a file on this machine stands for. A leading `~` is the home
/// folder.
pub(crate) fn path(typed: &Path) -> PathBuf {
    // A name that is not text was typed by nobody.
    let Some(text) = typed.to_str().map(str::trim) else {
        return typed.to_owned();
    };
    let plain = expanded(text);
    if plain.exists() {
        return plain;
    }
    // In an address quotes are letters like others.
    if let Some(path) = from_address(text) {
        return path;
    }
    // Words outside of quotes: no terminal drops a path like that, but a person may type one.
    let meant = match words(text) {
        Some(words) if !words.is_empty() => words.join(" "),
        _ => text.to_owned(),
    };
    from_address(&meant).unwrap_or_else(|| expanded(&meant))
}

/// The path in `file:///…` or `file://localhost/…`; of another machine's files there is none here.
fn from_address(text: &str) -> Option<PathBuf> {
    const SCHEME: &str = "file://";
    let scheme = text.get(..SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let rest = &text[SCHEME.len()..];
    let (host, path) = rest.split_at(rest.find('/')?);
    let is_here = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    is_here.then(|| {
        let path = percent_decode_str(path).collect();
        PathBuf::from(OsString::from_vec(path))
    })
}

/// A leading `~` as the home folder, if there is one.
pub(crate) fn expanded(path: &str) -> PathBuf {
    let rest = match path.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    match (rest, etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_as_a_shell_would() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  mpv   --no-video ", &["mpv", "--no-video"]),
            ("'my player' -q", &["my player", "-q"]),
            (r#""a \"b\"" c\ d"#, &[r#"a "b""#, "c d"]),
            (r"'it'\''s'", &["it's"]),
            (r"'a\b'", &[r"a\b"]),
            ("'' x", &["", "x"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).unwrap(), *expected, "{line}");
        }
        for open in ["'a", "\"a", "a\\", "\"a\\\""] {
            assert_eq!(words(open), None, "{open}");
        }
    }

    #[test]
    fn a_path_is_understood_as_it_was_dragged_or_typed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["my story.txt", "it's.txt", "'odd'"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let at = folder.path().to_str().unwrap();
        let typed = |line: String| path(Path::new(&line));
        let story = folder.path().join("my story.txt");
        assert_eq!(typed(format!(" {at}/my story.txt\n")), story);
        assert_eq!(typed(format!("'{at}/my story.txt' ")), story);
        assert_eq!(typed(format!("\"{at}/my story.txt\"")), story);
        assert_eq!(typed(format!(r"{at}/my\ story.txt")), story);
        let quoted = typed(format!(r"'{at}/it'\''s.txt'"));
        assert_eq!(quoted, folder.path().join("it's.txt"));
        // What is there goes before what could be meant.
        let odd = folder.path().join("'odd'");
        assert_eq!(typed(odd.to_str().unwrap().to_owned()), odd);
        assert_eq!(path(Path::new("it's")), Path::new("it's"));

        // The address of a file, as file managers drop it.
        for address in [
            format!("file://{at}/my%20story.txt"),
            format!("FILE://localhost{at}/my%20story.txt\r\n"),
            format!("'file://{at}/my story.txt'"),
            format!("file://{at}/m%79%20story%2Etxt"),
        ] {
            assert_eq!(typed(address.clone()), story, "{address}");
        }
        let percent = folder.path().join("100%.txt");
        assert_eq!(typed(format!("file://{at}/100%.txt")), percent);
        assert_eq!(typed(format!("file://{at}/100%25.txt")), percent);
        assert_eq!(
            typed(format!("file://{at}/'odd'")),
            folder.path().join("'odd'")
        );
        // Whatever is no address of a file here is no path of one.
        for other in ["file://elsewhere/x", "file:", "file://", "https://x/y"] {
            assert_eq!(path(Path::new(other)), Path::new(other));
        }

        let home = etcetera::home_dir().unwrap();
        assert_eq!(path(Path::new("~")), home);
        assert_eq!(path(Path::new("~//no such/x")), home.join("no such/x"));
        assert_eq!(path(Path::new("'~/no such'")), home.join("no such"));
        assert_eq!(path(Path::new("no/~/such")), Path::new("no/~/such"));
        assert_eq!(path(Path::new("~nobody/x")), Path::new("~nobody/x"));
    }
}
