//! The two layouts of a decoder side by side: how long each takes for the same frames, and how far apart
//! the samples are. For a time when nobody waits for anything.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::super::clock::processor_time;
use super::super::onnx::{
    Chain, Model, Opener, Opening, Stop, cut_in_pieces, cut_off_decoder, in_blocks,
};
use super::super::{Comparison, Runtime, SpeechError};
use super::config::PiperConfig;
use super::lanes::Request;
use super::synthesizer::{MOST_PIECES, window};
use super::windows::{Frames, Latent, windows};
use crate::engine::Interrupt;

/// How often each window is decoded; the fastest counts. The first time, memory is found.
const ROUNDS: usize = 4;
/// So many phonemes are spoken, some seconds.
const PHONEMES: usize = 60;

/// Compares them. `None` if the voice has no choice.
///
/// # Errors
/// [`SpeechError::Interrupted`], or what the runtime said of the voice as it is in its file.
pub(super) fn compare(
    path: &Path,
    config: &PiperConfig,
    runtime: &Runtime,
    interrupt: &Interrupt,
) -> Result<Option<Comparison>, SpeechError> {
    let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
    let mut bytes = opener.read(1)?;
    let Some(decoder) = cut_off_decoder(&mut bytes) else {
        return Ok(None);
    };
    let Some(blocked) = in_blocks(&decoder.model) else {
        return Ok(None);
    };
    let crops = blocked.crops;
    let pieces = cut_in_pieces(bytes, MOST_PIECES).into_iter();
    let pieces = pieces.map(|piece| Opening::new(|| piece.into_bytes(), 1));
    let pieces = opener.open_all(pieces.collect(), 1)?.into_iter();
    let mut encoder = Chain::new(pieces.collect::<Result<_, _>>()?);
    let takes_speaker = encoder.inputs().iter().any(|name| name == "sid");
    let mut plain = opener.open(decoder.model.clone(), 1)?;
    let mut blocked = match opener.open_as_stated(blocked.model.into(), 1) {
        Ok(blocked) => blocked,
        // Whoever opens the voice takes it as it is then.
        Err(SpeechError::Model { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let stop = Stop::new()?;
    let to_stop = stop.clone();
    let compared = interrupt.breaking(
        move || to_stop.stop(),
        || {
            let request = request(config, takes_speaker);
            let frames = Frames::new(&decoder, config.audio.sample_rate);
            let values = encoder.run(request.inputs()?, &frames.wanted(&plain), &stop)?;
            let frames = Frames {
                durations: None,
                ..frames
            };
            let with_crops = Frames {
                crops,
                ..frames.clone()
            };
            let latent = Latent::new(values, request.ids.len(), &frames)?;
            // Each layout has the windows that it is spoken with. They take turns, for a machine's speed changes.
            let mut plain = Form::new(&mut plain, frames, &latent, runtime.threads());
            let mut blocked = Form::new(&mut blocked, with_crops, &latent, runtime.threads());
            for _ in 0..ROUNDS {
                plain.decode(&latent, &stop)?;
                blocked.decode(&latent, &stop)?;
            }
            let compared = Comparison {
                plain: plain.best.iter().sum(),
                blocked: blocked.best.iter().sum(),
                difference: Some(difference(&[plain.samples, blocked.samples])),
            };
            Ok(compared)
        },
    );
    if interrupt.is_now() {
        return Err(SpeechError::Interrupted);
    }
    compared.map(Some)
}

/// A decoder in one layout, at work.
struct Form<'m> {
    model: &'m mut Model,
    frames: Frames,
    windows: Vec<Range<usize>>,
    /// The shortest time for each window.
    best: Vec<Duration>,
    samples: Vec<f32>,
}

impl<'m> Form<'m> {
    fn new(model: &'m mut Model, frames: Frames, latent: &Latent, threads: usize) -> Self {
        let windows = windows(latent.frames, window(threads, !frames.crops.is_empty()));
        Self {
            model,
            frames,
            best: vec![Duration::MAX; windows.len()],
            windows,
            samples: Vec::new(),
        }
    }

    fn decode(&mut self, latent: &Latent, stop: &Stop) -> Result<(), SpeechError> {
        self.samples.clear();
        for (window, best) in self.windows.iter().zip(&mut self.best) {
            let begun = processor_time();
            let samples = latent.decode(window.clone(), &self.frames, self.model, stop)?;
            *best = (*best).min(processor_time().saturating_sub(begun));
            self.samples.extend(samples);
        }
        Ok(())
    }
}

/// How far apart two rows are at most. What is no number is far from everything.
fn difference([one, other]: &[Vec<f32>; 2]) -> f32 {
    let apart = one
        .iter()
        .zip(other)
        .map(|(one, other)| (one - other).abs());
    let number = |apart: f32| if apart.is_finite() { apart } else { f32::MAX };
    let most = apart.map(number).fold(0.0, f32::max);
    if one.len() == other.len() {
        most
    } else {
        f32::MAX
    }
}

/// Some of the voice's phonemes, one after the other, whatever they mean.
fn request(config: &PiperConfig, takes_speaker: bool) -> Request {
    let ids = |phoneme: &str| {
        config
            .phoneme_id_map
            .get(phoneme)
            .map_or(&[][..], Vec::as_slice)
    };
    let map = config.phoneme_id_map.iter();
    let sounds = map.filter(|(phoneme, _)| phoneme.chars().all(char::is_alphabetic));
    let mut sounds: Vec<&[i64]> = sounds.map(|(_, ids)| ids.as_slice()).collect();
    sounds.sort_unstable();
    let pad = ids("_");
    let mut request = [ids("^"), pad].concat();
    for sound in sounds.iter().cycle().take(PHONEMES) {
        request.extend_from_slice(sound);
        request.extend_from_slice(pad);
    }
    request.extend_from_slice(ids("$"));
    let inference = &config.inference;
    Request {
        ids: request,
        scales: [
            inference.noise_scale,
            inference.length_scale,
            inference.noise_w,
        ],
        speaker: takes_speaker.then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_far_from_everything() {
        for (one, other, apart) in [
            (vec![0.5, -0.5], vec![0.5, -0.25], 0.25),
            (vec![], vec![], 0.0),
            (vec![0.5], vec![f32::NAN], f32::MAX),
            (vec![0.5], vec![0.5, 0.5], f32::MAX),
        ] {
            assert_eq!(difference(&[one, other]).to_bits(), f32::to_bits(apart));
        }
    }
}
