//! eSpeak NG as a reader of many languages: the library, and what has to be done around it so that
//! nothing is read wrong or left out without a word. Several families of voices take their phonemes
//! from here.

mod library;
mod reader;
mod script;
mod spoken;
mod unreadable;
mod wording;
mod words;

pub use library::{Clause, Espeak};
pub(super) use reader::{Alphabet, Reader, places};
