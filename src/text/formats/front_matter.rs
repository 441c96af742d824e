//! Front matter at the very start of a Markdown file, YAML between `---` or TOML between `+++`, and the
//! title in it. It must not take a text that merely begins with a rule for metadata: every line has to
//! look like YAML, or like TOML.

/// The length of the front matter in bytes, with its last line end, and its title.
pub(super) struct FrontMatter {
    pub(super) len: usize,
    pub(super) title: Option<String>,
}

/// Longest front matter, in bytes; the search goes no further.
const MOST: usize = 64 * 1024;

/// The front matter that `text` begins with, if it does.
pub(super) fn front_matter(text: &str) -> Option<FrontMatter> {
    let head = &text[..text.floor_char_boundary(MOST)];
    let mut lines = head.split_inclusive('\n');
    let first = lines.next()?;
    match first.trim_end() {
        "---" => yaml(first.len(), lines),
        "+++" => toml(first.len(), lines),
        _ => None,
    }
}

/// `len` is that of the first line.
fn yaml<'a>(mut len: usize, lines: impl Iterator<Item = &'a str>) -> Option<FrontMatter> {
    let mut title = None;
    let mut any = false;
    for line in lines {
        len += line.len();
        let bare = line.trim_end();
        if any && matches!(bare, "---" | "...") {
            return Some(FrontMatter { len, title });
        }
        if !looks_like_yaml(bare) {
            return None;
        }
        any = true;
        if let Some(value) = bare.strip_prefix("title:") {
            title = Some(unquoted(value.trim()).to_owned());
        }
    }
    None
}

/// The same as [`yaml`] in TOML. A value may go on over several lines, in brackets or in three quotes.
fn toml<'a>(mut len: usize, lines: impl Iterator<Item = &'a str>) -> Option<FrontMatter> {
    let (mut title, mut any) = (None, false);
    // What ends the value that goes on.
    let mut open: Option<&str> = None;
    for line in lines {
        len += line.len();
        let bare = line.trim();
        if let Some(end) = open {
            open = open.filter(|_| !bare.contains(end));
            continue;
        }
        if any && bare == "+++" {
            return Some(FrontMatter { len, title });
        }
        if bare.is_empty()
            || bare.starts_with('#')
            || (bare.starts_with('[') && bare.ends_with(']'))
        {
            continue;
        }
        let (key, value) = bare.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.\"'".contains(c);
        if key.is_empty() || value.is_empty() || !key.chars().all(plain) {
            return None;
        }
        any = true;
        open = ["\"\"\"", "'''"].into_iter().find(|&quotes| {
            value
                .strip_prefix(quotes)
                .is_some_and(|rest| !rest.contains(quotes))
        });
        if value.starts_with('[') && !value.contains(']') {
            open = Some("]");
        }
        if key == "title" {
            title = Some(quoted(value).to_owned());
        }
    }
    None
}

/// What stands between the quotes that a value begins with.
fn quoted(value: &str) -> &str {
    let inner = ['"', '\''].into_iter().find_map(|mark| {
        let rest = value.strip_prefix(mark)?;
        Some(&rest[..rest.find(mark)?])
    });
    inner.unwrap_or(value)
}

fn looks_like_yaml(line: &str) -> bool {
    let key = |line: &str| {
        line.split_once(':').is_some_and(|(key, value)| {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
            !key.is_empty()
                && key.chars().all(plain)
                && (value.is_empty() || value.starts_with(' '))
        })
    };
    line.is_empty() || line.starts_with([' ', '\t', '#']) || line.starts_with("- ") || key(line)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|&mark| value.strip_prefix(mark)?.strip_suffix(mark))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_told_from_a_text_between_rules() {
        let found =
            front_matter("---\ntitle: \"Tea: a story\"\ntags:\n  - tea\n---\nText").unwrap();
        assert_eq!(
            (found.len, found.title.as_deref()),
            (44, Some("Tea: a story"))
        );
        let found = front_matter(
            "+++\ntitle = \"Tea\" # x\ntags = [\n  \"a\",\n]\n[params]\n  draft = false\n+++\nText",
        )
        .unwrap();
        assert_eq!((found.len, found.title.as_deref()), (69, Some("Tea")));
        for text in [
            "+++\nHe left = so it rained.\n+++\n",
            "+++\n+++\n",
            "+++\ntitle = 1\n",
            "+++\ntags = [\n+++\n",
            "---\nHe left: it rained.\n---\n",
            "---\n---\n",
            "---\ntitle: x\n",
            "text",
            "",
        ] {
            assert!(front_matter(text).is_none(), "{text:?}");
        }
    }
}
