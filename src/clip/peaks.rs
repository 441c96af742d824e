//! What a clip looks like: its loudness over its length, for a picture. It only reads.

use std::path::Path;

use super::ClipError;

/// The peaks of `count` stretches of equal length in a WAV file of 16-bit samples, 0.0 to 1.0; of
/// several channels, the loudest. Fewer if the file has fewer samples.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("clip.wav");
/// let samples: Vec<f32> = (0..1000).map(|n| if n < 500 { 0.5 } else { -0.25 }).collect();
/// std::fs::write(&path, aloud::clip::encode(&samples, 22_050, &path)?)?;
/// let peaks = aloud::clip::peaks(&path, 2)?;
/// assert!((peaks[0] - 0.5).abs() < 0.001 && (peaks[1] - 0.25).abs() < 0.001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ClipError::Damaged`] if it can't be read as such a file.
pub fn peaks(path: &Path, count: usize) -> Result<Vec<f32>, ClipError> {
    let damaged = |error: &dyn std::fmt::Display| ClipError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut reader = hound::WavReader::open(path).map_err(|error| damaged(&error))?;
    let length = reader.len() as usize;
    // A header may promise more than there is: only what is read takes memory.
    let count = count.min(length);
    let mut peaks = vec![0.0_f32; count];
    for (at, sample) in reader.samples::<i16>().enumerate() {
        let sample = sample.map_err(|error| damaged(&error))?;
        let loudness = f32::from(sample.unsigned_abs()) / 32768.0;
        if let Some(peak) = peaks.get_mut(at * count / length.max(1)) {
            *peak = peak.max(loudness);
        }
    }
    Ok(peaks)
}
