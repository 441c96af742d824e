//! The voice's excitation: a train of pulses at its pitch, with every harmonic up to a limit at the same
//! strength.

use super::approximations::{part_of_turn, sin_cos, sin_of_half};
use super::waveform::HOP;

/// The share of a frame that a sample is.
const STEP: f64 = 1.0 / 300.0;
/// Samples a second.
const RATE: f64 = 24_000.0;
/// Below it there is no voice, in hertz.
const LOWEST: f64 = 40.0;
/// No harmonic is higher, in hertz.
const HIGHEST: f64 = 11_000.0;
/// A pitch above it is not a voice's, and has no harmonic that is kept.
const ABSURD: f64 = 12_000.0;
/// Where the denominator of the harmonics' sum is no larger, the sum is what it tends to.
const CLOSE: f32 = 2e-3;

/// Makes pulses frame by frame.
pub(super) struct Pulses<'a> {
    /// In hertz, one for each frame.
    pitch: &'a [f32],
    /// The sum of the pitch so far, in turns, without whole ones.
    phase: f64,
}

impl<'a> Pulses<'a> {
    pub(super) fn new(pitch: &'a [f32]) -> Self {
        Self { pitch, phase: 0.0 }
    }

    /// Fills in the samples of the frame with this number; frames are asked for in order.
    pub(super) fn fill(&mut self, frame: usize, samples: &mut [f32; HOP]) {
        let near = |frame: usize| f64::from(self.pitch.get(frame).copied().unwrap_or(0.0));
        let last = self.pitch.len().saturating_sub(1);
        let (before, here) = (near(frame.saturating_sub(1)), near(frame));
        let behind = near((frame + 1).min(last));
        // The pitch is that of the frame's middle; between two middles it goes straight from one to the other.
        let half = HOP / 2;
        let (mut place, step) = (0.5 * STEP - 0.5, STEP);
        let mut numerators = [0.0; HOP];
        let mut denominators = [0.0; HOP];
        let mut limits = [0.0; HOP];
        for (index, numerator) in numerators.iter_mut().enumerate() {
            let other = if index < half { before } else { behind };
            let pitch = here + (other - here) * f64::abs(place);
            place += step;
            // In this order, what is no number becomes one: it would stay in the phase.
            #[expect(clippy::manual_clamp, reason = "it keeps what is no number")]
            let voiced = pitch.max(LOWEST).min(ABSURD);
            self.phase += voiced * (1.0 / RATE);
            if self.phase >= 1.0 {
                self.phase -= 1.0;
            }
            #[expect(clippy::cast_sign_loss, reason = "between 0 and 275")]
            let harmonics = f64::from((HIGHEST / voiced) as u32);
            // The nearer way round: both sines change their sign with it.
            let turns = if self.phase > 0.5 {
                self.phase - 1.0
            } else {
                self.phase
            };
            *numerator = part_of_turn((harmonics + 0.5) * turns);
            denominators[index] = turns as f32;
            limits[index] = if pitch > LOWEST {
                harmonics as f32
            } else {
                UNVOICED
            };
        }
        for (index, sample) in samples.iter_mut().enumerate() {
            let (sin, _) = sin_cos(numerators[index]);
            let below = 2.0 * sin_of_half(denominators[index]);
            let limit = limits[index];
            let is_close = below.abs() <= CLOSE;
            let sum = sin / if is_close { 1.0 } else { below } - 0.5;
            let value = if is_close { limit } else { sum };
            *sample = if limit < 0.0 { 0.0 } else { value };
        }
    }
}

/// A mark in place of the number of harmonics.
const UNVOICED: f32 = -1.0;

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    fn pulses(pitch: &[f32]) -> Vec<f32> {
        let mut pulses = Pulses::new(pitch);
        let mut all = vec![[0.0; HOP]; pitch.len()];
        for (frame, samples) in all.iter_mut().enumerate() {
            pulses.fill(frame, samples);
        }
        all.concat()
    }

    #[test]
    fn they_are_the_sum_of_the_harmonics() {
        let samples = pulses(&[200.0; 5]);
        for (index, &sample) in samples.iter().enumerate() {
            let turns = 200.0 / RATE * (index + 1) as f64;
            let harmonic = |number: u32| (std::f64::consts::TAU * turns * f64::from(number)).cos();
            let sum: f64 = (1..=55).map(harmonic).sum();
            assert!(
                (f64::from(sample) - sum).abs() < 2e-3,
                "{index}: {sample} {sum}"
            );
        }
    }

    #[test]
    fn their_phase_does_not_drift() {
        // A frame has two and a half periods; over a minute a thousandth of one would be heard.
        let samples = pulses(&vec![200.0; 4801]);
        let (first, last) = (&samples[..HOP], &samples[4800 * HOP..]);
        let apart = first
            .iter()
            .zip(last)
            .map(|(one, other)| (one - other).abs());
        assert!(apart.fold(0.0, f32::max) < 0.02);
    }

    #[test]
    fn without_pitch_there_are_none_and_extremes_are_finite() {
        assert!(
            pulses(&[0.0, 12.0, -3.0, 40.0])
                .iter()
                .all(|&sample| sample == 0.0)
        );
        let strange = pulses(&[1e38, -1e38, 11_000.0, 40.01, f32::NAN, 1e-40, 300.0]);
        assert!(strange.iter().all(|sample| sample.abs() < 300.0));
    }
}
