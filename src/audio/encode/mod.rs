//! Encoders: samples come in piece by piece, bytes go out piece by piece, so that somebody can listen
//! while the rest is still being spoken. Mono, 16 bits a sample.

mod mp3;
mod pcm;
mod wav;

use std::fmt;
use std::str::FromStr;

/// What samples become.
///
/// ```
/// use aloud::audio::encode::Format;
///
/// let mut encoder = Format::Wav.encoder(22_050, None)?;
/// let mut file = encoder.push(&[0; 1000])?;
/// file.extend(encoder.push(&[0; 500])?);
/// file.extend(encoder.finish()?);
/// assert_eq!((&file[..4], file.len()), (&b"RIFF"[..], 44 + 3000));
/// # Ok::<(), aloud::audio::encode::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// MPEG layer III, 64 kbit/s and without tags: two of them, one after the other, are one again. At the
    /// rate of its samples, or 24,000 a second where they are faster than that.
    #[default]
    Mp3,
    /// A WAV file at the rate of its samples.
    Wav,
    /// Samples and nothing else, little-endian, 24,000 a second.
    Pcm,
}

/// Samples a second of [`Format::Pcm`].
pub const PCM_RATE: u32 = 24_000;

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mp3, Self::Wav, Self::Pcm];

    /// What it is called: `mp3`, `wav` or `pcm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Pcm => "pcm",
        }
    }

    /// Its media type, with what [`Format::Pcm`] does not say itself.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm;rate=24000;channels=1",
        }
    }

    /// An encoder of samples that come at so many a second. `samples` is how many will come, if that is
    /// known.
    ///
    /// # Errors
    /// [`EncodeError::Rate`]
    pub fn encoder(self, rate: u32, samples: Option<u64>) -> Result<Box<dyn Encoder>, EncodeError> {
        Ok(match self {
            Self::Mp3 => Box::new(mp3::Mp3::new(rate)?),
            Self::Wav => Box::new(wav::Wav::new(rate, samples)),
            Self::Pcm => Box::new(pcm::Pcm::new(rate)?),
        })
    }

    /// How many bytes so many samples become, if that can be told before.
    #[must_use]
    pub fn length(self, samples: u64) -> Option<u64> {
        match self {
            Self::Wav => wav::length(samples),
            Self::Mp3 | Self::Pcm => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// There is no such format here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {0:?} here: choose mp3, wav or pcm")]
pub struct UnknownFormat(String);

/// Makes bytes of samples.
pub trait Encoder: Send {
    /// Takes samples, and gives the bytes that are ready.
    ///
    /// # Errors
    /// [`EncodeError`]
    fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, EncodeError>;

    /// Gives the last bytes. Nothing may be pushed after that.
    ///
    /// # Errors
    /// [`EncodeError`]
    fn finish(&mut self) -> Result<Vec<u8>, EncodeError>;
}

/// Why samples can't be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The format has no such rate.
    #[error("{format} can't hold {rate} samples a second; ask for wav")]
    Rate {
        /// The format.
        format: Format,
        /// Samples a second.
        rate: u32,
    },
    /// The codec failed.
    #[error("the {format} encoder failed: {reason}")]
    Codec {
        /// The format.
        format: Format,
        /// What it said.
        reason: String,
    },
}

fn little_endian(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests;
