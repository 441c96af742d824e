//! Bare samples. They can't say how fast they are, so their rate is always the same.

use super::resample::{RATES, Resampler};
use super::{EncodeError, Encoder, Format, PCM_RATE, little_endian};

pub(super) struct Pcm {
    /// `None` where they come at that rate.
    resampler: Option<Resampler>,
}

/// A resampler to this rate, if one is needed.
pub(super) fn resampler(
    format: Format,
    from: u32,
    to: u32,
) -> Result<Option<Resampler>, EncodeError> {
    if !RATES.contains(&from) {
        return Err(EncodeError::Rate { format, rate: from });
    }
    Ok((from != to).then(|| Resampler::new(from, to)))
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
        let rest = self.resampler.as_mut().map(Resampler::finish);
        Ok(little_endian(&rest.unwrap_or_default()))
    }
}
