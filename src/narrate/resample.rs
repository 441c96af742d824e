//! From a voice's rate to that of the narration which it has a part in.

use crate::audio::resample;
use crate::speech::Speech;

/// Turns what was said at one rate into what it is at another.
pub(super) struct Resampler {
    from: u32,
    to: u32,
}

impl Resampler {
    /// Between these rates, in samples a second.
    pub(super) fn new(from: u32, to: u32) -> Self {
        Self { from, to }
    }

    /// The same speech at the other rate: as long to the sample, and its durations with it.
    pub(super) fn speech(&self, speech: Speech) -> Speech {
        let Speech {
            samples,
            durations,
            work,
        } = speech;
        let durations = self.durations(&durations);
        let length = self.at(samples.len() as u64);
        let mut resampler = resample::Resampler::new(self.from, self.to);
        let mut samples = resampler.push(samples);
        samples.extend(resampler.finish());
        samples.resize(usize::try_from(length).unwrap_or(samples.len()), 0.0);
        Speech {
            samples,
            durations,
            work,
        }
    }

    /// Where a place is at the other rate, in samples from the beginning.
    fn at(&self, place: u64) -> u64 {
        place * u64::from(self.to) / u64::from(self.from).max(1)
    }

    /// Each begins where it did, so that they end with the samples.
    fn durations(&self, durations: &[u32]) -> Vec<u32> {
        let (mut past, mut before) = (0, 0);
        let durations = durations.iter().map(|duration| {
            past += u64::from(*duration);
            let end = self.at(past);
            let duration = end - before;
            before = end;
            u32::try_from(duration).unwrap_or(u32::MAX)
        });
        durations.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_a_tone_of_the_same_length() {
        let rate = 22_050;
        #[expect(clippy::cast_precision_loss, reason = "they are small")]
        let tone = |rate: u32, at: u32| {
            let seconds = at as f32 / rate as f32;
            0.5 * (std::f32::consts::TAU * 440.0 * seconds).sin()
        };
        let samples: Vec<f32> = (0..2 * rate).map(|at| tone(rate, at)).collect();
        let speech = Speech {
            durations: vec![1000, 3, 0, 2 * rate - 1003],
            samples,
            ..Speech::default()
        };
        let made = Resampler::new(rate, 24_000).speech(speech);
        assert_eq!(made.samples.len(), 48_000);
        assert_eq!(made.durations.iter().sum::<u32>(), 48_000);
        let apart = (1000..47_000).map(|at| (made.samples[at as usize] - tone(24_000, at)).abs());
        let most = apart.fold(0.0, f32::max);
        assert!(most < 1e-3, "{most}");
        let nothing = Resampler::new(rate, 24_000).speech(Speech::default());
        assert_eq!(nothing, Speech::default());
    }
}
