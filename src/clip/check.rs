//! Whether a clip can be what its text sounds like. A fault here is told at once, on the segment,
//! instead of being heard hours later.

use std::fmt;

use crate::engine::ErrorCode;

/// Quieter than this at its loudest is silence: −54 dBFS, far below any speech.
const SILENCE: f32 = 0.002;
/// No one speaks a sound in less than this many seconds.
const SHORTEST_SOUND: f64 = 0.02;
/// Slower than this many seconds a sound is a tail of noise, not speech.
const LONGEST_SOUND: f64 = 0.5;
/// Silence around the speech that is no fault, in seconds.
const MARGIN: f64 = 3.0;
/// Beyond this many seconds, and so many more a sound, it is no clip at all, at any speed.
const ENDLESS: (f64, f64) = (240.0, 8.0);
/// This share of samples at full scale is heard as distortion.
const CLIPPED_SHARE: f64 = 0.001;

/// What is wrong with a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It has no samples, or some are not numbers.
    NotSound,
    /// Nothing can be heard.
    Silent,
    /// Too short for its text: words are missing.
    TooShort {
        /// How long it is, in seconds.
        seconds: f64,
        /// How many sounds it should hold.
        sounds: usize,
    },
    /// Too long for its text: noise at the end.
    TooLong {
        /// How long it is, in seconds.
        seconds: f64,
        /// How many sounds it should hold.
        sounds: usize,
    },
    /// Cut off at full scale.
    Clipped {
        /// The share of samples at full scale.
        share: f64,
    },
}

impl Fault {
    /// A stable word for programs.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NotSound => ErrorCode::NotSound,
            Self::Silent => ErrorCode::Silent,
            Self::TooShort { .. } => ErrorCode::TooShort,
            Self::TooLong { .. } => ErrorCode::TooLong,
            Self::Clipped { .. } => ErrorCode::Clipped,
        }
    }

    /// Whether the clip is of any use all the same.
    #[must_use]
    pub fn is_usable(self) -> bool {
        match self {
            Self::Clipped { .. } => true,
            Self::TooLong { seconds, sounds } => !is_endless(seconds, sounds),
            Self::NotSound | Self::Silent | Self::TooShort { .. } => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSound => f.write_str("the voice gave something that is not sound"),
            Self::Silent => f.write_str("the clip came out silent"),
            Self::TooShort { seconds, sounds } => {
                write!(
                    f,
                    "the clip is too short for its text: {seconds:.2} s for {sounds} sounds"
                )
            }
            Self::TooLong { seconds, sounds } => {
                write!(
                    f,
                    "the clip is too long for its text: {seconds:.2} s for {sounds} sounds"
                )
            }
            Self::Clipped { share } => {
                write!(
                    f,
                    "the clip is distorted: {:.1} % of it at full scale",
                    share * 100.0
                )
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers far below 2^53")]
fn is_endless(seconds: f64, sounds: usize) -> bool {
    let (at_most, a_sound) = ENDLESS;
    seconds > at_most + a_sound * sounds as f64
}

/// The largest absolute sample; `None` if there is none or some are not numbers.
#[must_use]
pub fn peak(samples: &[f32]) -> Option<f32> {
    if samples.is_empty() || samples.iter().any(|sample| !sample.is_finite()) {
        return None;
    }
    Some(
        samples
            .iter()
            .fold(0.0, |peak, sample| sample.abs().max(peak)),
    )
}

/// Checks samples against the number of sounds they should hold, at `speed` (1.0: as trained).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "lengths far below 2^53")]
pub fn check(samples: &[f32], rate: u32, sounds: usize, speed: f32) -> Option<Fault> {
    let seconds = samples.len() as f64 / f64::from(rate.max(1));
    // Before anything looks at so many samples.
    if is_endless(seconds, sounds) {
        return Some(Fault::TooLong { seconds, sounds });
    }
    let Some(peak) = peak(samples) else {
        return Some(Fault::NotSound);
    };
    if peak < SILENCE {
        return Some(Fault::Silent);
    }
    let natural = seconds * f64::from(speed.max(0.1));
    if natural < sounds as f64 * SHORTEST_SOUND {
        return Some(Fault::TooShort { seconds, sounds });
    }
    if natural > sounds as f64 * LONGEST_SOUND + MARGIN {
        return Some(Fault::TooLong { seconds, sounds });
    }
    let clipped = samples
        .iter()
        .filter(|sample| sample.abs() >= 0.9999)
        .count();
    let share = clipped as f64 / samples.len() as f64;
    (share > CLIPPED_SHARE).then_some(Fault::Clipped { share })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        let code = |samples: &[f32], sounds| check(samples, 1000, sounds, 1.0).map(Fault::code);
        let tone = vec![0.3; 1000];
        assert_eq!(code(&tone, 12), None);
        assert_eq!(code(&[], 12), Some(ErrorCode::NotSound));
        assert_eq!(code(&[0.1, f32::NAN], 12), Some(ErrorCode::NotSound));
        assert_eq!(code(&vec![0.0001; 1000], 12), Some(ErrorCode::Silent));
        assert_eq!(code(&tone, 60), Some(ErrorCode::TooShort));
        assert_eq!(code(&vec![0.3; 20_000], 12), Some(ErrorCode::TooLong));
        assert_eq!(code(&vec![1.0; 1000], 12), Some(ErrorCode::Clipped));
    }
}
