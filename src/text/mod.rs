//! From the bytes of a file to the segments a voice speaks, each with its byte span in the source.
//!
//! The way is [`decode`] → [`Format::parse`] → [`segment`]. This room must never lose a word
//! silently: every byte of the source lies in exactly one segment or in an [`Omission`] that says
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

mod control;
mod decode;
mod document;
mod fit;
mod flat;
mod front_matter;
mod heading;
mod markdown;
mod plain;
mod printable;
mod segment;
mod sentences;

#[cfg(test)]
mod examples;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod invariants;
#[cfg(test)]
mod properties;

pub use decode::{DecodeError, Encoding, Source, decode};
pub use document::{
    Block, BlockKind, Document, Format, Omission, OmissionReason, Run, Spoken, format_for,
};
pub use fit::Limits;
pub use markdown::Markdown;
pub use plain::PlainText;
pub use printable::{excerpt, printable};
pub use segment::{Chapter, Segment, SegmentEnd, SegmentKind, Segmentation, segment};
