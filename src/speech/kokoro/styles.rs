//! What a voice sounds like: a file with a row of numbers for each length of what it says. Rows of several
//! voices can be mixed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::super::SpeechError;
use crate::assets::Ingredient;
use crate::engine::Shortage;

/// The longest that a model says at once, in phonemes; there is a row for each length.
const ROWS: usize = 510;
/// The numbers of a row.
const ROW: usize = 256;
/// A file has nothing else.
const BYTES: usize = ROWS * ROW * size_of::<f32>();

/// A voice's rows, or those of a blend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Styles {
    rows: Vec<f32>,
    checksum: u32,
}

impl Styles {
    /// Reads and mixes the packs of a blend.
    ///
    /// # Errors
    /// [`SpeechError::Config`] with the pack that can't be used; [`SpeechError::Shortage`].
    pub(super) fn read(blend: &[Ingredient]) -> Result<Self, SpeechError> {
        let mut mixed = Mixed::default();
        for one in blend {
            let failed = |reason: String| SpeechError::Config {
                path: one.pack.clone(),
                reason,
            };
            let bytes = bytes(&one.pack)?;
            mixed.add(&bytes, one.percent).map_err(failed)?;
        }
        Ok(mixed.finish())
    }

    /// The row for what has so many phonemes, shape `[256]`.
    pub(super) fn of(&self, phonemes: usize) -> &[f32] {
        let row = phonemes.clamp(1, ROWS) - 1;
        &self.rows[row * ROW..][..ROW]
    }

    /// What tells these from others.
    pub(super) fn checksum(&self) -> u32 {
        self.checksum
    }
}

#[derive(Default)]
struct Mixed {
    rows: Vec<f32>,
    hasher: crc32fast::Hasher,
}

impl Mixed {
    fn add(&mut self, bytes: &[u8], percent: u32) -> Result<(), String> {
        if bytes.len() != BYTES {
            let found = bytes.len();
            return Err(format!("it has {found} bytes, and a voice has {BYTES}"));
        }
        let (numbers, _) = bytes.as_chunks::<4>();
        let numbers = numbers.iter().map(|one| f32::from_le_bytes(*one));
        if !numbers.clone().all(f32::is_finite) {
            return Err("it has something in it that is no number".into());
        }
        self.hasher.update(bytes);
        self.hasher.update(&percent.to_le_bytes());
        #[expect(clippy::cast_precision_loss, reason = "it is 100 at most")]
        let share = percent as f32 / 100.0;
        self.rows.resize(ROWS * ROW, 0.0);
        for (sum, number) in self.rows.iter_mut().zip(numbers) {
            *sum += share * number;
        }
        Ok(())
    }

    fn finish(mut self) -> Styles {
        self.rows.resize(ROWS * ROW, 0.0);
        Styles {
            rows: self.rows,
            checksum: self.hasher.finalize(),
        }
    }
}

/// What is in a pack, or a little more than could be.
fn bytes(path: &Path) -> Result<Vec<u8>, SpeechError> {
    let read = || {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        file.take(BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| match Shortage::of(&error) {
        Some(shortage) => SpeechError::Shortage {
            doing: format!("read the voice {}", path.display()),
            shortage,
        },
        None => SpeechError::Config {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(value: f32) -> Vec<u8> {
        let row = |row: usize| value + f32::from(u16::try_from(row).unwrap());
        let rows = (0..ROWS).flat_map(|it| std::iter::repeat_n(row(it), ROW));
        rows.flat_map(f32::to_le_bytes).collect()
    }

    fn mixed(parts: &[(Vec<u8>, u32)]) -> Result<Styles, String> {
        let mut mixed = Mixed::default();
        for (bytes, percent) in parts {
            mixed.add(bytes, *percent)?;
        }
        Ok(mixed.finish())
    }

    #[test]
    fn rows_are_those_of_the_length_and_mix_by_their_shares() {
        let one = mixed(&[(pack(1.0), 100)]).unwrap();
        for (phonemes, value) in [(0, 1.0), (1, 1.0), (2, 2.0), (510, 510.0), (9000, 510.0)] {
            assert_eq!(one.of(phonemes), [value; ROW], "{phonemes}");
        }
        let blend = mixed(&[(pack(0.0), 75), (pack(8.0), 25)]).unwrap();
        assert_eq!(blend.of(1), [2.0; ROW]);
        let other = mixed(&[(pack(0.0), 25), (pack(8.0), 75)]).unwrap();
        assert_ne!(blend.checksum(), other.checksum());
    }

    #[test]
    fn what_is_no_pack_is_refused() {
        let short = mixed(&[(vec![0; BYTES - 4], 100)]).unwrap_err();
        assert!(short.contains("522236 bytes"), "{short}");
        let strange = mixed(&[(pack(f32::NAN), 100)]).unwrap_err();
        assert!(strange.contains("no number"), "{strange}");
    }
}
