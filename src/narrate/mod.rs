//! The operation that the engine's worker runs for a narration, and the way from a text to one.
//!
//! While the model runs, the next segment is prepared and the last one is published; the model
//! never waits for phonemes, the disk or the database. Both hand-overs are bounded. What could not
//! be spoken is an error on its segment, never a silent gap.

mod casting;
mod clip_cache;
mod compose;
mod ensemble;
mod errors;
mod folder;
mod identity;
mod joining;
mod language;
mod lexicon;
mod library;
mod live;
mod narrator;
mod new;
mod pipeline;
mod resample;
mod tuning;
mod voices;
mod word_times;

pub use crate::speech::Speaker;
pub use casting::{Casting, FindVoice, Found};
pub use clip_cache::ClipCache;
pub use compose::{
    ComposeError, Composed, Left, Manner, Request, compose, read_again, speech_plan, spoken_by,
};
pub use folder::{MARK_FILE, OwnFolder, Owner, claim, create_folder, pass_on};
pub use identity::LibraryId;
pub use joining::joined_name;
pub use language::{Language, language_name};
pub use lexicon::{ChangedLexicon, lexicon_for};
#[cfg(feature = "cli")]
pub(crate) use library::outbox_of;
pub use library::{library_options, library_options_with};
pub use narrator::{VoiceNarrator, VoiceResolver};
pub use new::{NewNarration, NewText, OtherVoices};
pub use tuning::{Tuned, Tuning, machine, runtime};
pub use voices::{VoiceError, Voices, load_voice};
