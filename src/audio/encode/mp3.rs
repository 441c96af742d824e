//! MP3 by the crate `rusty_mp3`, which nothing but this file knows.

use rusty_mp3::{Error, Mp3Encoder, Mp3EncoderConfig};

use super::pcm::{Rounding, resampler};
use super::{EncodeError, Encoder, Format};

/// Bits a second, in thousands: speech of one voice needs no more.
const KILOBITS: u32 = 64;
/// Rates that are kept, of MPEG-2 and 2.5. Those of MPEG-1 the codec holds back to the end, to move bits
/// between frames: nobody could listen meanwhile.
const RATES: [u32; 6] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000];
/// What others become.
const RATE: u32 = 24_000;
/// What the frame holds that is no sound, but says how long the whole is. It goes before the sound, when
/// nobody knows that, and in the middle of two files that were joined it would be wrong.
const TAGS: [&[u8]; 2] = [b"Info", b"Xing"];

pub(super) struct Mp3 {
    codec: Mp3Encoder,
    rate: u32,
    resampler: Option<Rounding>,
    has_begun: bool,
}

impl Mp3 {
    pub(super) fn new(from: u32) -> Result<Self, EncodeError> {
        let rate = if RATES.contains(&from) { from } else { RATE };
        let config = Mp3EncoderConfig {
            bitrate_kbps: KILOBITS,
            vbr_quality: None,
        };
        Ok(Self {
            codec: Mp3Encoder::new(config),
            rate,
            resampler: resampler(Format::Mp3, from, rate)?,
            has_begun: false,
        })
    }

    fn encode(&mut self, samples: &[i16]) -> Result<Vec<u8>, EncodeError> {
        let pushed = self.codec.push_pcm_s16(samples, 1, self.rate);
        pushed.map_err(|error| failed(&error))?;
        self.packets()
    }

    fn packets(&mut self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        loop {
            match self.codec.next_packet() {
                Ok(packet) => {
                    let is_first = !std::mem::replace(&mut self.has_begun, true);
                    if !(is_first && is_tag(&packet)) {
                        bytes.extend(packet);
                    }
                }
                Err(Error::Again | Error::Eof) => return Ok(bytes),
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}

impl Encoder for Mp3 {
    fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, EncodeError> {
        match &mut self.resampler {
            Some(resampler) => {
                let samples = resampler.push(samples);
                self.encode(&samples)
            }
            None => self.encode(samples),
        }
    }

    fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        let rest = self.resampler.as_mut().map(Rounding::finish);
        let mut bytes = self.encode(&rest.unwrap_or_default())?;
        self.codec.finish();
        bytes.extend(self.packets()?);
        Ok(bytes)
    }
}

fn is_tag(packet: &[u8]) -> bool {
    // Behind the head and the side information, which is 9 bytes long here.
    let place = packet.get(4 + 9..4 + 9 + 4);
    place.is_some_and(|place| TAGS.contains(&place))
}

fn failed(error: &Error) -> EncodeError {
    EncodeError::Codec {
        format: Format::Mp3,
        reason: error.to_string(),
    }
}
