//! Writing a clip so that it is whole or not there, whatever happens in between: `NAME.part`,
//! fsync, rename, fsync of the folder. A `.part` that is left over is litter.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use super::ClipError;
use crate::failpoint::reach;

/// What a file is called until it is whole.
const PART: &str = "part";

/// Samples as a WAV file: 16 bits, mono. Values beyond −1.0…1.0 are cut.
///
/// # Errors
/// [`ClipError::Write`] if there are more samples than a WAV file can hold.
pub fn encode(samples: &[f32], rate: u32, path: &Path) -> Result<Vec<u8>, ClipError> {
    let failed = || ClipError::encode(path);
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = hound::WavWriter::new(&mut bytes, spec(rate)).map_err(failed())?;
    let count = u32::try_from(samples.len()).map_err(|_| ClipError::Write {
        path: path.to_owned(),
        source: std::io::Error::other("too long for a WAV file"),
    })?;
    let mut fast = writer.get_i16_writer(count);
    for &sample in samples {
        fast.write_sample(to_i16(sample));
    }
    fast.flush().map_err(failed())?;
    writer.finalize().map_err(failed())?;
    Ok(bytes.into_inner())
}

pub(super) fn spec(rate: u32) -> hound::WavSpec {
    hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the range before"
)]
fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16
}

/// Puts `bytes` at `path`, whole or not at all, and on disk when it returns.
///
/// # Errors
/// [`ClipError::DiskFull`] or [`ClipError::Write`]; nothing is left behind.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<(), ClipError> {
    let part = part_of(path);
    let written = File::create(&part).and_then(|mut file| {
        reach("part-created");
        file.write_all(bytes)?;
        reach("part-written");
        file.sync_all()
    });
    reach("part-synced");
    settle(path, &part, written.map_err(ClipError::write(path)))
}

/// Gives a finished part its name, or removes it if it failed.
pub(super) fn settle(
    path: &Path,
    part: &Path,
    written: Result<(), ClipError>,
) -> Result<(), ClipError> {
    let result = written.and_then(|()| {
        fs::rename(part, path).map_err(ClipError::write(path))?;
        reach("renamed");
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(ClipError::write(folder))
    });
    if result.is_err() {
        // The error that matters is the first one; a part left over is removed at the next start.
        let _ = fs::remove_file(part);
    }
    result
}

pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PART);
    PathBuf::from(name)
}

/// Removes the parts that an earlier run left in a narration's folder.
///
/// # Errors
/// [`ClipError::Write`] if the folder can't be read or a part not removed.
pub fn remove_parts(folder: &Path) -> Result<(), ClipError> {
    for entry in fs::read_dir(folder).map_err(ClipError::write(folder))? {
        let path = entry.map_err(ClipError::write(folder))?.path();
        let is_ours = path
            .to_str()
            .is_some_and(|name| name.ends_with(".wav.part"));
        if is_ours && path.is_file() {
            fs::remove_file(&path).map_err(ClipError::write(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_there_whole_and_no_part_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0001-hello.wav");
        let samples = [0.0, 0.5, -0.5, 1.0, -1.0, 7.0];
        publish(&path, &encode(&samples, 22_050, &path).unwrap()).unwrap();
        let read: Vec<i16> = hound::WavReader::open(&path)
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read, [0, 16384, -16384, 32767, -32767, 32767]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn leftover_parts_go_and_clips_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("0001.wav"), "x").unwrap();
        fs::create_dir(folder.path().join("x.wav.part")).unwrap();
        fs::write(folder.path().join("0002.wav.part"), "x").unwrap();
        remove_parts(folder.path()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left.contains(&"0001.wav".into()) && left.contains(&"x.wav.part".into()));
    }
}
