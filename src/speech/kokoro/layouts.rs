//! The forms of a model beside each other: how long each takes for the same phonemes. For a time when nobody
//! waits for anything. They are opened one after the other, for together they take most of a GB.

use std::path::Path;
use std::time::Duration;

use super::super::clock::processor_time;
use super::super::onnx::{Opener, Stop};
use super::super::{Comparison, Layout, Runtime, SpeechError};
use super::network::Network;
use super::styles::Styles;
use crate::engine::Interrupt;

/// How often the phonemes are said; the fastest counts. The first time, memory is found.
const ROUNDS: usize = 3;
/// So many phonemes are said, some seconds.
const PHONEMES: i64 = 60;

/// Compares them.
///
/// # Errors
/// [`SpeechError::Interrupted`], or what the runtime said.
pub(super) fn compare(
    path: &Path,
    largest: i64,
    styles: &Styles,
    runtime: &Runtime,
    interrupt: &Interrupt,
) -> Result<Comparison, SpeechError> {
    let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
    let phonemes: Vec<i64> = (0..PHONEMES)
        .map(|at| 1 + at * 7 % largest.max(1))
        .collect();
    let time = |layout: Layout| {
        let mut network = Network::open(&opener, layout, 1)?;
        let stop = Stop::new()?;
        let to_stop = stop.clone();
        interrupt.breaking(
            move || to_stop.stop(),
            || {
                let mut best = Duration::MAX;
                for _ in 0..ROUNDS {
                    let begun = processor_time();
                    network.say(&phonemes, styles.of(phonemes.len()), 1.0, &stop)?;
                    best = best.min(processor_time().saturating_sub(begun));
                }
                Ok(best)
            },
        )
    };
    let compared = time(Layout::Plain).and_then(|plain| {
        Ok(Comparison {
            plain,
            blocked: time(Layout::Blocked)?,
            // The quantised form rounds what goes into each convolution, and the other does not.
            difference: None,
        })
    });
    if interrupt.is_now() {
        return Err(SpeechError::Interrupted);
    }
    compared
}
