//! ONNX models: looked at from outside, read, cut in two, opened, and run so that they can be broken
//! off. The one room that talks to ONNX Runtime; it knows nothing of voices.

mod envelope;
mod fields;
mod graph;
mod halves;
#[cfg(any(test, feature = "fuzzing"))]
mod invariants;
mod model;
mod shapes;

pub use envelope::check_envelope;
pub(super) use halves::{Decoder, cut_off_decoder};
#[cfg(feature = "fuzzing")]
pub(crate) use invariants::check_bytes;
pub(super) use model::{Inputs, Model, Opener, Stop, Values};
