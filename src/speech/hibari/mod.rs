//! hibari voices: a small model that says what each frame sounds like, and the sound that is made of it here.

mod approximations;
mod noise;
mod pulses;
mod waveform;

pub use waveform::{BINS, Spectra, Waveform};
