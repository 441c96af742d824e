//! Clips: 16-bit mono WAV files that are whole or not there, and the narration joined from them.
//! Whatever reads a file back trusts nothing in it. Nothing here knows of voices or tasks.

mod check;
mod error;
mod join;
mod name;
mod peaks;
mod publish;
mod store;

pub use check::{Fault, check, peak};
pub use error::ClipError;
pub use join::{DamagedClip, JoinError, Joined, Part, WAV_LIMIT, join};
pub use name::{file_name, slug};
pub use peaks::peaks;
pub use publish::{decode, encode, publish, remove_parts};
pub use store::{ClipKey, ClipStore, KeptClip, Trimmed};
