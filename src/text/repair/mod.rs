//! Mends what keeps sentences and words from being told apart, between a format and the cutting:
//! words parted at line ends, marks of notes, sentences that stick together. It changes only what
//! is said for the bytes it touches, or leaves them out with a reason; it must never lose a word,
//! and what is mended stays as it is when it is mended again.

use super::{Document, Omission};

mod compounds;
mod glue;
mod hyphens;
mod notes;
mod stream;

use hyphens::Evidence;
use stream::{Edit, Stream};

/// What may be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Repairs {
    /// Marks of notes are spoken: the `[12]` of "slept.\[12\]", the ¹ of "out.¹". Not so by default.
    pub note_marks: bool,
}

/// `document`, which [`Document::new`] made of `text`, with its words and sentences whole.
///
/// Joins words that a hyphen parts at the end of a line, leaves out the marks of notes, and parts
/// sentences that nothing parts. What is left out has a reason of its own. Takes time linear in the text,
/// and does nothing to a document that it has mended already, but for hostile ones of more rounds than
/// it goes.
///
/// ```
/// use aloud::text::{Format, PlainText, Repairs, repair};
///
/// let text = "The mari-\nner slept.[12] Nobody woke him.Then she left.";
/// let document = repair(text, PlainText.parse(text), &Repairs::default());
/// let spoken: String = document.blocks[0].runs.iter().map(|run| run.words(text)).collect();
/// assert_eq!(spoken, "The mariner slept. Nobody woke him. Then she left.");
/// ```
#[must_use]
pub fn repair(text: &str, document: Document, repairs: &Repairs) -> Document {
    let mut document = document;
    for _ in 0..ROUNDS {
        let evidence = Evidence::new(text, &document);
        let joined = edit(text, &mut document, |stream| {
            hyphens::edits(stream, &evidence)
        });
        let noted = !repairs.note_marks && edit(text, &mut document, notes::edits);
        if !joined && !noted {
            break;
        }
    }
    edit(text, &mut document, glue::edits);
    document
}

/// A mark that is gone may show a hyphen ("mari[1]-\nner"), and a whole word a mark ("o-\nx¹"). That is
/// rare, and a bound keeps hostile texts linear.
const ROUNDS: usize = 4;

/// Changes every block of `document` in one way; true if there was something to change.
fn edit(text: &str, document: &mut Document, rule: impl Fn(&Stream) -> Vec<Edit>) -> bool {
    let mut omitted = Vec::new();
    let mut changed = false;
    let mut rest: &[Omission] = &document.omissions;
    for block in &mut document.blocks {
        let start = block.runs.first().map_or(0, |run| run.span.start);
        rest = &rest[rest.partition_point(|omission| omission.span.start < start)..];
        let stream = Stream::new(text, block, rest);
        let edits = rule(&stream);
        if !edits.is_empty() {
            *block = stream.edited(block, &edits, &mut omitted);
            changed = true;
        }
    }
    if changed {
        document.leave_out(text, omitted);
    }
    changed
}
