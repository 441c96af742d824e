//! From what the model says of each frame to samples: pulses at the voice's pitch, their harmonics as strong
//! and as late as the model has them, noise, and a third part that is told as it is; then back from
//! frequencies to time. The model has no part in it, and no step is random: the noise has a seed.
//!
//! For the frame `F` and the bin `k`, with `E` the spectrum of the pulses and `Z` noise:
//! `S = e^min(lh,7)·e^(iπ·tanh θ)·E + e^min(ln,7)·Z + e^min(lr,7)·e^(iφ)`.
//!
//! Frames lie side by side, in the model's values as in registers: some are made at once.

use std::f32::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex};

use super::approximations::{at_most, exp, sin_cos, tanh};
use super::noise::{LANES, Lanes, Noise};
use super::pulses::Pulses;
use crate::speech::SpeechError;

/// The samples of a frame.
pub(super) const HOP: usize = 300;
/// The samples that a frame's spectrum is of.
const SIZE: usize = 1200;
/// Before the middle of the first frame.
const HALF: usize = SIZE / 2;
/// The frequencies of a spectrum, from 0 to half of the rate.
pub const BINS: usize = SIZE / 2 + 1;
/// The sum of the squared windows over a sample, where none is missing.
const OVERLAP: f32 = 1.5;
/// The first transform's scale.
const SCALE: f32 = 1.0 / 300.0;
/// The second one's, which leaves its size to be divided by, and that of the windows that overlap.
const SCALE_BACK: f32 = 1.0 / (1200.0 * OVERLAP);
/// Magnitudes are no larger than e to the power of this.
const LOUDEST: f32 = 7.0;

/// What the model says of an utterance. Each but `pitch` has the shape `[BINS, frames]`, the frames of a bin
/// side by side.
#[derive(Clone, Copy, Debug)]
pub struct Spectra<'a> {
    /// The logarithm of the harmonics' magnitudes.
    harmonics: &'a [f32],
    /// Their phases, as what has a half turn's share as its hyperbolic tangent.
    lateness: &'a [f32],
    /// The logarithm of the noise's magnitudes.
    noise: &'a [f32],
    /// The logarithm of the magnitudes of the rest.
    rest: &'a [f32],
    /// Its phases, in radians.
    phases: &'a [f32],
    /// Of the voice, in hertz; shape `[frames]`.
    pitch: &'a [f32],
}

impl<'a> Spectra<'a> {
    /// Of the model's `lh`, `theta`, `ln`, `lr` and `phi`, and its `f0`. `None` if they don't have the shapes
    /// that belong together.
    #[must_use]
    pub fn new(parts: [&'a [f32]; 5], pitch: &'a [f32]) -> Option<Self> {
        let whole = pitch.len().checked_mul(BINS)?;
        if parts.iter().any(|part| part.len() != whole) {
            return None;
        }
        let [harmonics, lateness, noise, rest, phases] = parts;
        Some(Self {
            harmonics,
            lateness,
            noise,
            rest,
            phases,
            pitch,
        })
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.pitch.len()
    }

    /// A bin of some frames.
    #[inline]
    fn lanes(&self, part: &[f32], bin: usize, first: usize) -> Lanes {
        let start = bin * self.frames() + first;
        let count = LANES.min(self.frames() - first);
        if let (true, Some(all)) = (count == LANES, part[start..].first_chunk()) {
            return *all;
        }
        let mut lanes = [0.0; LANES];
        lanes[..count].copy_from_slice(&part[start..start + count]);
        lanes
    }
}

/// Makes samples, with what is needed for it again and again.
pub struct Waveform {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<Complex32>,
    /// A period of Hann's window.
    window: Vec<f32>,
    /// The samples of a frame.
    frame: Vec<f32>,
    /// The spectra of some frames, one after the other.
    spectra: Vec<Complex32>,
}

impl Default for Waveform {
    fn default() -> Self {
        Self::new()
    }
}

impl Waveform {
    /// Plans the transforms.
    #[must_use]
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(SIZE);
        let inverse = planner.plan_fft_inverse(SIZE);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        #[expect(clippy::cast_precision_loss, reason = "below 1200")]
        let hann = |index: usize| 0.5 - 0.5 * (TAU * index as f32 / SIZE as f32).cos();
        Self {
            forward,
            inverse,
            scratch: vec![Complex32::default(); scratch],
            window: (0..SIZE).map(hann).collect(),
            frame: vec![0.0; SIZE],
            spectra: vec![Complex32::default(); LANES * BINS],
        }
    }

    /// The samples, mono at 24,000 a second, 300 for each frame. With the same `seed` they are the same.
    /// `is_stopped` is asked every few frames.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] once `is_stopped` says so.
    pub fn samples(
        &mut self,
        spectra: &Spectra<'_>,
        seed: u64,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Vec<f32>, SpeechError> {
        let noise = |first| {
            let mut noise = Noise::new(seed, first);
            move || noise.next()
        };
        self.samples_with(spectra, noise, is_stopped)
    }

    /// The same with another source of noise: for the frames from a number on, what gives the real and the
    /// imaginary parts of each bin.
    fn samples_with<N: FnMut() -> (Lanes, Lanes)>(
        &mut self,
        spectra: &Spectra<'_>,
        noise: impl Fn(usize) -> N,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Vec<f32>, SpeechError> {
        let frames = spectra.frames();
        let excitation = excitation(spectra.pitch, &is_stopped)?;
        let mut samples = vec![0.0; frames * HOP];
        for first in (0..frames).step_by(LANES) {
            if is_stopped() {
                return Err(SpeechError::Interrupted);
            }
            let count = LANES.min(frames - first);
            self.analyse(&excitation[first * HOP..], count)
                .map_err(failed)?;
            shape(&mut self.spectra, spectra, first, noise(first));
            for lane in 0..count {
                self.add(lane, first + lane, &mut samples).map_err(failed)?;
            }
        }
        self.level_ends(&mut samples);
        Ok(samples)
    }

    /// The spectra of so many frames, of which the first begins where `excitation` does.
    fn analyse(&mut self, excitation: &[f32], count: usize) -> Result<(), FftError> {
        for lane in 0..count {
            let start = lane * HOP;
            let windowed = excitation[start..start + SIZE].iter().zip(&self.window);
            for (value, (sample, weight)) in self.frame.iter_mut().zip(windowed) {
                *value = sample * weight * SCALE;
            }
            let spectrum = &mut self.spectra[lane * BINS..(lane + 1) * BINS];
            let scratch = &mut self.scratch[..self.forward.get_scratch_len()];
            (self.forward).process_with_scratch(&mut self.frame, spectrum, scratch)?;
        }
        Ok(())
    }

    /// Adds a frame to the samples, where it belongs.
    fn add(&mut self, lane: usize, frame: usize, samples: &mut [f32]) -> Result<(), FftError> {
        let spectrum = &mut self.spectra[lane * BINS..(lane + 1) * BINS];
        // They have no phase.
        spectrum[0].im = 0.0;
        spectrum[BINS - 1].im = 0.0;
        let scratch = &mut self.scratch[..self.inverse.get_scratch_len()];
        (self.inverse).process_with_scratch(spectrum, &mut self.frame, scratch)?;
        let start = frame * HOP;
        let cut = HALF.saturating_sub(start);
        let place = &mut samples[(start + cut) - HALF..];
        let made = self.frame[cut..].iter().zip(&self.window[cut..]);
        for (sample, (value, weight)) in place.iter_mut().zip(made) {
            *sample += value * (weight * SCALE_BACK);
        }
        Ok(())
    }

    /// Makes up for the windows that are missing before the first frame and after the last one.
    fn level_ends(&self, samples: &mut [f32]) {
        let frames = samples.len() / HOP;
        for (place, part) in samples.chunks_exact_mut(HOP).enumerate() {
            if place > 0 && place + 2 < frames {
                continue;
            }
            // Those of the frames from `place - 1` to `place + 2` lie over it.
            let there = (0..4).filter(|before| (1..=frames).contains(&(place + 3 - before)));
            let there: Vec<usize> = there.collect();
            for (index, sample) in part.iter_mut().enumerate() {
                let weights = there.iter().map(|before| self.window[before * HOP + index]);
                let sum: f32 = weights.map(|weight| weight * weight).sum();
                *sample *= OVERLAP / sum;
            }
        }
    }
}

/// The pulses, reflected at both ends as far as a spectrum there looks.
fn excitation(pitch: &[f32], is_stopped: &impl Fn() -> bool) -> Result<Vec<f32>, SpeechError> {
    let length = pitch.len() * HOP;
    let mut all = vec![0.0; length + SIZE];
    let mut pulses = Pulses::new(pitch);
    let (places, _) = all[HALF..].as_chunks_mut::<HOP>();
    for (frame, place) in places.iter_mut().take(pitch.len()).enumerate() {
        if frame % LANES == 0 && is_stopped() {
            return Err(SpeechError::Interrupted);
        }
        pulses.fill(frame, place);
    }
    if length > 1 {
        // Fewer than two frames are reflected more than once.
        let period = 2 * (length - 1);
        let reflected = |place: usize| place.min(period - place);
        for before in 0..HALF {
            let place = (period - (HALF - before) % period) % period;
            all[before] = all[HALF + reflected(place)];
            all[HALF + length + before] = all[HALF + reflected((length + before) % period)];
        }
    }
    Ok(all)
}

/// Makes the spectra of the pulses those of the sound, for the frames from `first` on.
fn shape<N: FnMut() -> (Lanes, Lanes)>(
    pulses: &mut [Complex32],
    spectra: &Spectra<'_>,
    first: usize,
    mut noise: N,
) {
    for bin in 0..BINS {
        let lanes = |part| spectra.lanes(part, bin, first);
        let harmonics = magnitudes(lanes(spectra.harmonics));
        let mut lateness = lanes(spectra.lateness);
        for lateness in &mut lateness {
            *lateness = 0.5 * tanh(*lateness);
        }
        let (late_sin, late_cos) = directions(lateness);
        let noises = magnitudes(lanes(spectra.noise));
        let rest = magnitudes(lanes(spectra.rest));
        let mut phases = lanes(spectra.phases);
        for phase in &mut phases {
            *phase *= 1.0 / TAU;
        }
        let (rest_sin, rest_cos) = directions(phases);
        let (noise_real, noise_imaginary) = noise();
        let (mut pulse_real, mut pulse_imaginary) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let pulse = pulses[lane * BINS + bin];
            (pulse_real[lane], pulse_imaginary[lane]) = (pulse.re, pulse.im);
        }
        let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let (sin, cos) = (late_sin[lane], late_cos[lane]);
            let turned_real = cos * pulse_real[lane] - sin * pulse_imaginary[lane];
            let turned_imaginary = sin * pulse_real[lane] + cos * pulse_imaginary[lane];
            real[lane] = harmonics[lane] * turned_real
                + noises[lane] * noise_real[lane]
                + rest[lane] * rest_cos[lane];
            imaginary[lane] = harmonics[lane] * turned_imaginary
                + noises[lane] * noise_imaginary[lane]
                + rest[lane] * rest_sin[lane];
        }
        for lane in 0..LANES {
            pulses[lane * BINS + bin] = Complex32::new(real[lane], imaginary[lane]);
        }
    }
}

#[inline]
fn magnitudes(mut logarithms: Lanes) -> Lanes {
    for logarithm in &mut logarithms {
        *logarithm = exp(at_most(*logarithm, LOUDEST));
    }
    logarithms
}

#[inline]
fn directions(turns: Lanes) -> (Lanes, Lanes) {
    let (mut sin, mut cos) = ([0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        (sin[lane], cos[lane]) = sin_cos(turns[lane]);
    }
    (sin, cos)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn failed(error: FftError) -> SpeechError {
    SpeechError::Run(format!("the sound can't be made: {error}"))
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the voice's own package has made of some frames; `tests/peers/waveform.py` writes it.
    struct Original {
        parts: Vec<Vec<f32>>,
        pulses: Vec<f32>,
        quiet: Vec<f32>,
        noisy: Vec<f32>,
    }

    fn original() -> Original {
        let bytes = include_bytes!("../../../tests/fixtures/hibari.bin");
        let (count, rest) = bytes.split_first_chunk().unwrap();
        let frames = usize::try_from(u32::from_le_bytes(*count)).unwrap();
        let (steps, floats) = rest.split_at(2 * frames * (5 * BINS + 1));
        let steps: Vec<f32> = (steps.chunks_exact(2))
            .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])))
            .collect();
        let (spectra, pitch) = steps.split_at(5 * BINS * frames);
        let scaled = |part: &[f32], by: f32| part.iter().map(|step| step / by).collect();
        let mut parts: Vec<Vec<f32>> = (spectra.chunks_exact(BINS * frames))
            .map(|part| scaled(part, 1024.0))
            .collect();
        parts.push(scaled(pitch, 64.0));
        let floats: Vec<f32> = (floats.chunks_exact(4))
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect();
        let mut made = floats.chunks_exact(frames * HOP).map(<[f32]>::to_vec);
        let mut next = || made.next().unwrap();
        Original {
            parts,
            pulses: next(),
            quiet: next(),
            noisy: next(),
        }
    }

    fn spectra(parts: &[Vec<f32>]) -> Spectra<'_> {
        let (pitch, others) = parts.split_last().unwrap();
        let others: Vec<&[f32]> = others.iter().map(Vec::as_slice).collect();
        Spectra::new(others.try_into().unwrap(), pitch).unwrap()
    }

    /// With this in the place of each number of the noise.
    fn made(parts: &[Vec<f32>], noise: f32) -> Vec<f32> {
        let noise = |_| move || ([noise; LANES], [noise; LANES]);
        let mut waveform = Waveform::new();
        (waveform.samples_with(&spectra(parts), noise, || false)).unwrap()
    }

    fn apart(one: &[f32], other: &[f32]) -> f32 {
        assert_eq!(one.len(), other.len());
        let distances = one
            .iter()
            .zip(other)
            .map(|(one, other)| (one - other).abs());
        distances.fold(0.0, f32::max)
    }

    #[test]
    fn it_sounds_as_the_original_does() {
        let original = original();
        let frames = original.parts[5].len();
        let excitation = excitation(&original.parts[5], &|| false).unwrap();
        let pulses = apart(&excitation[HALF..HALF + frames * HOP], &original.pulses);
        let quiet = apart(&made(&original.parts, 0.0), &original.quiet);
        let noisy = apart(&made(&original.parts, 1.0), &original.noisy);
        println!("pulses {pulses:e} quiet {quiet:e} noisy {noisy:e}");
        // The pulses are as high as 130; the sound is at most 0.3.
        assert!(pulses < 0.02 && quiet < 1e-5 && noisy < 1e-5);
    }

    /// Every part alike, of so many frames.
    fn alike(values: [f32; 6], frames: usize) -> Vec<Vec<f32>> {
        let part = |(index, value)| vec![value; if index == 5 { frames } else { BINS * frames }];
        values.into_iter().enumerate().map(part).collect()
    }

    #[test]
    fn without_pitch_and_noise_only_the_rest_is_heard() {
        // As loud at each frequency, each half a turn after the one before: a click in the middle of each
        // frame's window.
        let mut parts = alike([7.0, 1.0, -90.0, -2.0, 0.0, 12.0], 8);
        for (bin, phases) in parts[4].chunks_exact_mut(8).enumerate() {
            phases.fill(std::f32::consts::PI * (bin % 2) as f32);
        }
        let samples = made(&parts, 1.0);
        for (index, sample) in samples.iter().enumerate() {
            let is_click = index % HOP == 0;
            assert_eq!(sample.abs() > 1e-3, is_click, "{index}: {sample}");
        }
    }

    #[test]
    fn the_noise_is_as_strong_as_the_model_has_it_and_follows_its_seed() {
        let parts = alike([-90.0, 0.0, 0.0, -90.0, 0.0, 0.0], 40);
        let mut waveform = Waveform::new();
        let mut with = |seed| waveform.samples(&spectra(&parts), seed, || false).unwrap();
        let samples = with(3);
        assert_eq!(samples, with(3));
        assert_ne!(samples, with(4));
        // Each frame has 1,200 independent numbers of variance 1, scaled as the transform and the windows do.
        let power: f32 = samples.iter().map(|sample| sample * sample).sum();
        let expected = samples.len() as f32 * 2.0 / (SIZE as f32 * OVERLAP);
        assert!((power / expected - 1.0).abs() < 0.1, "{power} {expected}");
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused_and_a_stop_is_heard() {
        let parts = alike([0.0; 6], 3);
        let short = &parts[0][1..];
        assert!(
            Spectra::new(
                [&parts[0], &parts[1], short, &parts[3], &parts[4]],
                &parts[5]
            )
            .is_none()
        );
        let stopped = Waveform::new().samples(&spectra(&parts), 1, || true);
        assert_eq!(stopped, Err(SpeechError::Interrupted));
        assert_eq!(made(&alike([0.0; 6], 0), 1.0), [0.0; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_numbers_give_samples(
            frames in 1usize..40,
            seed: u64,
            strange in prop::collection::vec((0usize..6, any::<prop::sample::Index>(), number()), 0..50),
            values in prop::array::uniform6(number()),
        ) {
            let mut parts = alike(values, frames);
            for (part, at, value) in strange {
                let length = parts[part].len();
                parts[part][at.index(length)] = value;
            }
            let samples = Waveform::new().samples(&spectra(&parts), seed, || false).unwrap();
            prop_assert_eq!(samples.len(), frames * HOP);
            prop_assert!(samples.iter().all(|sample| sample.is_finite()));
        }
    }

    /// Any, and often one near those that a voice has.
    fn number() -> impl Strategy<Value = f32> {
        let finite = prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO;
        prop_oneof![finite, -30.0f32..300.0]
    }
}
