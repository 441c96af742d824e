//! How texts are written: each format takes a text apart into blocks and what it leaves out. A format
//! never fails and never drops a word: what it does not understand is spoken as it stands.

mod evidence;
mod front_matter;
mod heading;
mod html;
mod markdown;
mod named;
mod plain;
mod scripts;
mod writer;

use std::path::Path;

pub use html::Html;
pub(super) use html::entity;
pub use markdown::Markdown;
pub use named::{FormatName, Recognized, UnknownFormat, recognize};
pub use plain::PlainText;
pub(super) use scripts::takes_power;

use super::Document;

/// A way of writing texts: plain, Markdown, …
pub trait Format: Send + Sync {
    /// The format's name for people, such as "Markdown".
    fn name(&self) -> &'static str;

    /// Takes `text` apart. Never fails: what a format does not understand is spoken as it stands.
    fn parse(&self, text: &str) -> Document;
}

/// The format of a text, by the name of its file and by how it looks.
pub fn format_for(file_name: Option<&Path>, text: &str) -> &'static dyn Format {
    recognize(file_name, text, None).name.format()
}
