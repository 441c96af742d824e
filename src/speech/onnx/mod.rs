//! ONNX models: looked at from outside, read, cut in two, opened, and run so that they can be broken
//! off. The one room that talks to ONNX Runtime; it knows nothing of voices.

mod blocked;
mod chain;
mod envelope;
mod fields;
mod floats;
mod graph;
mod halves;
#[cfg(any(test, feature = "fuzzing"))]
mod invariants;
mod lookup;
mod messages;
mod model;
mod operators;
mod pieces;
mod shapes;
#[cfg(test)]
#[cfg(feature = "cli")]
mod trials;

pub(super) use blocked::{Blocked, Crop, in_blocks};
pub(super) use chain::Chain;
pub use envelope::check_envelope;
pub(super) use floats::in_floats;
pub(super) use halves::{Decoder, cut_off_decoder, give_integers_too, give_too};
#[cfg(feature = "fuzzing")]
pub(crate) use invariants::check_bytes;
pub(super) use model::{Inputs, Model, Opener, Opening, Stop, Values};
pub(super) use operators::with_operators;
pub(super) use pieces::cut_in_pieces;
