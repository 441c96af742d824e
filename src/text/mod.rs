//! From the bytes of a file to the segments a voice speaks, each with its byte span in the source.
//!
//! The way is [`decode`] → [`parse`] in a [`Format`] → [`segment`], which mends the text ([`repair`])
//! before it cuts it → [`reading::read`], which says what is said. This room must never lose a word silently: every byte of the source lies in exactly one segment or in an [`Omission`] that says
//! why it is not spoken. It does no I/O, knows no voice, and stays linear on hostile input.
//!
//! ```
//! use aloud::text::{Limits, decode, format_for, segment};
//!
//! let source = decode(b"# Tea\n\nBoil the water. *Then* wait for four minutes.".to_vec())?;
//! let format = format_for(Some("tea.md".as_ref()), &source.text);
//! let document = format.parse(&source.text);
//! let spoken = segment(&source.text, &document, "en", &Limits::default());
//!
//! assert_eq!(spoken.title.as_deref(), Some("Tea"));
//! assert_eq!(spoken.segments[1].text, "Boil the water. Then wait for four minutes.");
//! # Ok::<(), aloud::text::DecodeError>(())
//! ```

mod abbreviations;
mod control;
mod decode;
mod dialogue;
mod directives;
mod document;
mod fit;
mod flat;
mod formats;
mod language;
mod numerals;
mod printable;
pub mod reading;
mod repair;
mod segment;
mod sentences;

#[cfg(test)]
mod examples;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod invariants;
#[cfg(test)]
mod properties;

#[cfg(feature = "monitor")]
pub(crate) use abbreviations::is_abbreviation;
pub use decode::{DecodeError, Encoding, Source, decode};
pub use directives::{Directive, DirectiveKind, parse};
pub use document::{Block, BlockEnd, BlockKind, Document, Omission, OmissionReason, Run, Spoken};
pub use fit::Limits;
pub use formats::{
    Format, FormatName, Html, Markdown, PlainText, Recognized, UnknownFormat, format_for, recognize,
};
pub use language::subtag;
pub use printable::{excerpt, printable};
pub use repair::{Repairs, repair};
pub use segment::{Chapter, Segment, SegmentEnd, SegmentKind, Segmentation, segment, segment_with};
