//! Bare samples. They can't say how fast they are, so their rate is always the same.

use super::{EncodeError, Encoder, Format, PCM_RATE, little_endian};
use crate::audio::resample::{RATES, Resampler};

pub(super) struct Pcm {
    /// `None` where they come at that rate.
    resampler: Option<Rounding>,
}

/// A resampler of samples of 16 bits.
pub(super) struct Rounding(Resampler);

impl Rounding {
    pub(super) fn push(&mut self, samples: &[i16]) -> Vec<i16> {
        let samples = samples.iter().map(|sample| f32::from(*sample));
        rounded(self.0.push(samples))
    }

    pub(super) fn finish(&mut self) -> Vec<i16> {
        rounded(self.0.finish())
    }
}

fn rounded(samples: Vec<f32>) -> Vec<i16> {
    let samples = samples.into_iter().map(|sample| {
        let sample = sample
            .round()
            .clamp(f32::from(i16::MIN), f32::from(i16::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
        let sample = sample as i16;
        sample
    });
    samples.collect()
}

/// A resampler to this rate, if one is needed.
pub(super) fn resampler(
    format: Format,
    from: u32,
    to: u32,
) -> Result<Option<Rounding>, EncodeError> {
    if !RATES.contains(&from) {
        return Err(EncodeError::Rate { format, rate: from });
    }
    Ok((from != to).then(|| Rounding(Resampler::new(from, to))))
}

impl Pcm {
    pub(super) fn new(rate: u32) -> Result<Self, EncodeError> {
        let resampler = resampler(Format::Pcm, rate, PCM_RATE)?;
        Ok(Self { resampler })
    }
}

impl Encoder for Pcm {
    fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, EncodeError> {
        Ok(match &mut self.resampler {
            Some(resampler) => little_endian(&resampler.push(samples)),
            None => little_endian(samples),
        })
    }

    fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        let rest = self.resampler.as_mut().map(Rounding::finish);
        Ok(little_endian(&rest.unwrap_or_default()))
    }
}
