//! WAV files. Who begins to send one before the last sample is known can't say how long it is; players
//! take the largest number for "until it ends".

use super::{EncodeError, Encoder, little_endian};

/// Bytes before the samples.
const HEAD: u64 = 44;
/// What stands where a length is not known.
const UNKNOWN: u32 = u32::MAX;

pub(super) struct Wav {
    rate: u32,
    samples: Option<u64>,
    has_begun: bool,
}

/// Bytes of a whole file; `None` if a WAV file can't be so long.
pub(super) fn length(samples: u64) -> Option<u64> {
    let length = samples.checked_mul(2)?.checked_add(HEAD)?;
    u32::try_from(length).is_ok().then_some(length)
}

impl Wav {
    pub(super) fn new(rate: u32, samples: Option<u64>) -> Self {
        Self {
            rate,
            samples,
            has_begun: false,
        }
    }

    fn head(&self) -> Vec<u8> {
        let length = self.samples.and_then(length);
        let sized = |before: u64| {
            let size = length.and_then(|length| u32::try_from(length - before).ok());
            size.unwrap_or(UNKNOWN).to_le_bytes()
        };
        let mut head = Vec::with_capacity(HEAD as usize);
        head.extend(b"RIFF");
        head.extend(sized(8));
        head.extend(b"WAVEfmt ");
        head.extend(16_u32.to_le_bytes());
        // Plain samples, one channel.
        head.extend(1_u16.to_le_bytes());
        head.extend(1_u16.to_le_bytes());
        head.extend(self.rate.to_le_bytes());
        head.extend(self.rate.saturating_mul(2).to_le_bytes());
        // Bytes and bits of a sample.
        head.extend(2_u16.to_le_bytes());
        head.extend(16_u16.to_le_bytes());
        head.extend(b"data");
        head.extend(sized(HEAD));
        head
    }
}

impl Encoder for Wav {
    fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            bytes = self.head();
        }
        bytes.extend(little_endian(samples));
        Ok(bytes)
    }

    fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        // Also one without a sample has a head.
        self.push(&[])
    }
}
