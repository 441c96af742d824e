//! The formats by their names: as a person says them, as a file's ending tells them, as a text shows them.
//! Where a format is found out that nobody told, that can be said. It must never overrule what was told.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::evidence::{is_html, is_markdown, is_page};
use super::{Format, Html, Markdown, PlainText};

/// The name of a way to write texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FormatName {
    /// Text without markup.
    #[serde(rename = "txt", alias = "text", alias = "text/plain")]
    Plain,
    /// Markdown.
    #[serde(rename = "md", alias = "markdown", alias = "text/markdown")]
    Markdown,
    /// HTML and XHTML.
    #[serde(rename = "html", alias = "xhtml", alias = "text/html")]
    Html,
}

/// There is no such format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a text is read as md, txt or html")]
pub struct UnknownFormat;

impl FromStr for FormatName {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        match &*word.to_ascii_lowercase() {
            "txt" | "text" | "text/plain" => Ok(Self::Plain),
            "md" | "markdown" | "text/markdown" => Ok(Self::Markdown),
            "html" | "xhtml" | "text/html" => Ok(Self::Html),
            _ => Err(UnknownFormat),
        }
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "txt",
            Self::Markdown => "md",
            Self::Html => "html",
        })
    }
}

impl FormatName {
    /// The format.
    #[must_use]
    pub fn format(self) -> &'static dyn Format {
        match self {
            Self::Plain => &PlainText,
            Self::Markdown => &Markdown,
            Self::Html => &Html,
        }
    }
}

/// The format a text is read in, and whether anyone told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognized {
    /// It is read so.
    pub name: FormatName,
    /// What its name tells, where the text plainly is something else.
    pub overruled: Option<FormatName>,
}

impl Recognized {
    /// What a person should know: that the format was found out.
    #[must_use]
    pub fn noticed(&self) -> Option<String> {
        self.overruled?;
        let name = self.name.format().name();
        Some(format!("it looks like {name}, and is read so"))
    }

    /// The same at the command line, with how to have it otherwise.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let otherwise = self.overruled?;
        let how = match otherwise {
            FormatName::Plain => "as it stands".to_owned(),
            other => format!("as {}", other.format().name()),
        };
        let name = self.name.format().name();
        Some(format!("read as {name}; --as {otherwise} reads it {how}"))
    }
}

/// The format of a text: the one that was told, or else the one of its file's ending. A text without a
/// telling one that plainly is Markdown or HTML is read so, and a whole page of HTML always.
#[must_use]
pub fn recognize(file_name: Option<&Path>, text: &str, told: Option<FormatName>) -> Recognized {
    let sure = |name| Recognized {
        name,
        overruled: None,
    };
    if let Some(name) = told {
        return sure(name);
    }
    let (by_name, is_telling) = by_ending(file_name);
    let by_looks = match by_name {
        FormatName::Html => FormatName::Html,
        _ if is_page(text) => FormatName::Html,
        FormatName::Plain if !is_telling && is_html(text) => FormatName::Html,
        FormatName::Plain if !is_telling && is_markdown(text) => FormatName::Markdown,
        name => name,
    };
    match by_looks == by_name {
        true => sure(by_name),
        false => Recognized {
            name: by_looks,
            overruled: Some(by_name),
        },
    }
}

/// What an ending says, and whether it says anything: half the world ends with `.txt`.
fn by_ending(file_name: Option<&Path>) -> (FormatName, bool) {
    let ending = file_name.and_then(Path::extension);
    let ending = ending.unwrap_or_default().to_string_lossy().to_lowercase();
    match &*ending {
        "md" | "markdown" | "mdown" | "mkd" => (FormatName::Markdown, true),
        "html" | "htm" | "xhtml" | "xht" => (FormatName::Html, true),
        "" | "txt" | "text" => (FormatName::Plain, false),
        // A file's name may have a dot in it: "Vol. 2".
        other => (FormatName::Plain, !other.contains(' ')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_or_found_out() {
        use FormatName::*;
        let marked = "# The Gate\n\n- **coal**\n- [cord](https://example.org/c)\n";
        let page = "<!DOCTYPE html>\n<p>Rain.</p>";
        let cases = [
            (Some("a.MD"), "Rain.", None, Markdown, None),
            (Some("a.xhtml"), "Rain.", None, Html, None),
            (Some("a.txt"), "Rain.", None, Plain, None),
            (Some("a.txt"), marked, None, Markdown, Some(Plain)),
            (None, marked, None, Markdown, Some(Plain)),
            (None, marked, Some(Plain), Plain, None),
            (Some("a.rst"), marked, None, Plain, None),
            (Some("a.md"), page, None, Html, Some(Markdown)),
            (Some("a.md"), page, Some(Markdown), Markdown, None),
            (None, page, None, Html, Some(Plain)),
        ];
        for (file, text, told, name, overruled) in cases {
            let found = recognize(file.map(Path::new), text, told);
            assert_eq!(found, Recognized { name, overruled }, "{file:?} {text:?}");
        }
        let noticed = recognize(None, marked, None).noticed();
        let expected = "it looks like Markdown, and is read so";
        assert_eq!(noticed.as_deref(), Some(expected));
        let note = recognize(None, marked, None).note();
        let expected = "read as Markdown; --as txt reads it as it stands";
        assert_eq!(note.as_deref(), Some(expected));
        assert_eq!("Markdown".parse(), Ok(Markdown));
        assert_eq!("pdf".parse::<FormatName>(), Err(UnknownFormat));
    }
}
