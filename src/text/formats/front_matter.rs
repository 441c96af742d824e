//! Front matter at the very start of a Markdown file, YAML between `---` or TOML between `+++`, and the
//! title and language in it. It must not take a text that merely begins with a rule for metadata: every line has to
//! look like YAML, and TOML has to be right.

use super::super::language::language_tag;

/// The length of the front matter in bytes, with its last line end, its title, and the tag of its language.
pub(super) struct FrontMatter {
    pub(super) len: usize,
    pub(super) title: Option<String>,
    pub(super) language: Option<String>,
}

/// What the language of a text is called there.
const LANGUAGE: [&str; 2] = ["lang", "language"];

/// Longest front matter, in bytes; the search goes no further.
const MOST: usize = 64 * 1024;

/// The front matter that `text` begins with, if it does.
pub(super) fn front_matter(text: &str) -> Option<FrontMatter> {
    let head = &text[..text.floor_char_boundary(MOST)];
    let mut lines = head.split_inclusive('\n');
    let first = lines.next()?;
    match first.trim_end() {
        "---" => yaml(first.len(), lines),
        "+++" => toml(first.len(), &head[first.len()..]),
        _ => None,
    }
}

/// `len` is that of the first line.
fn yaml<'a>(mut len: usize, lines: impl Iterator<Item = &'a str>) -> Option<FrontMatter> {
    let (mut title, mut language) = (None, None);
    let mut any = false;
    for line in lines {
        len += line.len();
        let bare = line.trim_end();
        if any && matches!(bare, "---" | "...") {
            return Some(FrontMatter {
                len,
                title,
                language,
            });
        }
        if !looks_like_yaml(bare) {
            return None;
        }
        any = true;
        if let Some(value) = bare.strip_prefix("title:") {
            title = Some(unquoted(value.trim()).to_owned());
        } else if let Some((key, value)) = bare.split_once(':')
            && LANGUAGE.contains(&key)
        {
            language = language_tag(unquoted(value.trim())).or(language);
        }
    }
    None
}

/// The same as [`yaml`] in TOML; `body` is what comes behind the first line.
fn toml(len: usize, body: &str) -> Option<FrontMatter> {
    let mut end = 0;
    let mut lines = body.split_inclusive('\n');
    let last = lines.find(|line| {
        let is_end = line.trim_end() == "+++";
        end += if is_end { 0 } else { line.len() };
        is_end
    })?;
    let values: toml::Table = body[..end].parse().ok()?;
    let title = match values.get("title") {
        Some(toml::Value::String(title)) => Some(title.clone()),
        Some(toml::Value::Integer(number)) => Some(number.to_string()),
        _ => None,
    };
    let mut told = LANGUAGE.iter().filter_map(|key| values.get(*key)?.as_str());
    let language = told.find_map(language_tag);
    let len = len + end + last.len();
    (!values.is_empty()).then_some(FrontMatter {
        len,
        title,
        language,
    })
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
        assert_eq!(found.language, None);
        let languages = [
            ("---\nlang: en-GB\n---\n", Some("en-GB")),
            ("---\nlanguage: 'de'\nlang:\n---\n", Some("de")),
            ("---\nlanguage: the one of the sea\n---\n", None),
            ("+++\nlanguage = \"pt_BR\"\n+++\n", Some("pt_BR")),
            ("+++\nlang = 7\n+++\n", None),
        ];
        for (text, language) in languages {
            let found = front_matter(text).unwrap();
            assert_eq!(found.language.as_deref(), language, "{text}");
        }
        let found = front_matter("+++\r\n[menu]\r\ntitle = 'No'\r\n+++\r\nText").unwrap();
        assert_eq!((found.len, found.title), (32, None));
        let found = front_matter("+++\ntitle = \"\"\"\nThe \\\"Tea\\\"\"\"\"\n+++").unwrap();
        assert_eq!(found.title.as_deref(), Some("The \"Tea\""));
        for text in [
            "+++\ntitle = Tea\n+++\n",
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
