//! Writing a clip so that it is whole or not there, whatever happens in between: `NAME.part`,
//! fsync, rename, fsync of the folder. A `.part` that is left over is litter.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use super::ClipError;
use crate::failpoint::reach;
use crate::files;

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

/// The samples of a clip's bytes: what [`encode`] made of them. `None` if they are no clip of ours.
#[must_use]
pub fn decode(wav: &[u8]) -> Option<Vec<i16>> {
    let reader = hound::WavReader::new(wav).ok()?;
    let is_ours = reader.spec() == spec(reader.spec().sample_rate);
    let told = u64::from(reader.len());
    is_ours
        .then(|| samples(reader))
        .filter(|samples| samples.len() as u64 == told)
}

/// All samples of a clip in our format, as many as there are.
pub(super) fn samples(reader: hound::WavReader<&[u8]>) -> Vec<i16> {
    let count = usize::try_from(reader.len()).unwrap_or(usize::MAX);
    // The reader stands where they begin; one by one it would take ten times as long.
    let (samples, _) = reader.into_inner().as_chunks::<2>();
    let samples = samples.iter().take(count);
    samples.map(|two| i16::from_le_bytes(*two)).collect()
}

pub(super) fn spec(rate: u32) -> hound::WavSpec {
    hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    }
}

fn to_i16(sample: f32) -> i16 {
    rounded(sample.clamp(-1.0, 1.0) * 32767.0)
}

/// The nearest sample to a value, the even one of two; the last one where it is beyond them. Not a number
/// is silence.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the range before"
)]
pub(super) fn rounded(value: f32) -> i16 {
    // 1.5 · 2^23: beside it a float has no digits left for a fraction. `round` is a call of a function on
    // processors without an instruction for it.
    const WHOLE: f32 = 12_582_912.0;
    ((value.clamp(-32768.0, 32767.0) + WHOLE) - WHOLE) as i16
}

/// Puts `bytes` at `path`, whole or not at all, and on disk when it returns.
///
/// # Errors
/// [`ClipError::DiskFull`] or [`ClipError::Write`]; nothing is left behind.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<(), ClipError> {
    let part = part_of(path);
    let created = files::create_new(&part).map_err(ClipError::write(&part));
    let written = created.and_then(|mut file| {
        reach("part-created");
        file.write_all(bytes).map_err(ClipError::write(path))?;
        reach("part-written");
        file.sync_all().map_err(ClipError::write(path))
    });
    reach("part-synced");
    finalize(path, &part, written)
}

/// Gives a finished part its name, or removes it if it failed. A link that has the name is replaced,
/// not followed.
pub(super) fn finalize(
    path: &Path,
    part: &Path,
    written: Result<(), ClipError>,
) -> Result<(), ClipError> {
    let result = written.and_then(|()| {
        fs::rename(part, path).map_err(ClipError::write(path))?;
        reach("renamed");
        let folder = path.parent().unwrap_or(Path::new("."));
        files::sync_folder(folder).map_err(ClipError::write(folder))
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
        let entry = entry.map_err(ClipError::write(folder))?;
        let path = entry.path();
        let is_ours = path
            .to_str()
            .is_some_and(|name| name.ends_with(".wav.part"));
        // Of a link, this is the type of the link.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && !is_folder {
            fs::remove_file(&path).map_err(ClipError::write(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

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
    fn values_become_the_nearest_samples() {
        for tenth in -400_000i32..400_000 {
            let value = f64::from(tenth) / 10.0;
            let nearest = value.clamp(-32768.0, 32767.0).round_ties_even();
            #[expect(clippy::cast_possible_truncation, reason = "a number of few digits")]
            let rounded = rounded(value as f32);
            assert!(
                (f64::from(rounded) - nearest).abs() < 0.1,
                "{value} {rounded}"
            );
        }
        assert_eq!(rounded(f32::NAN), 0);
        assert_eq!((rounded(f32::INFINITY), rounded(-1e30)), (32767, -32768));
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0001.wav");
        let mine = folder.path().join("mine.txt");
        fs::write(&mine, "mine").unwrap();
        for link in [&path, &part_of(&path)] {
            symlink(&mine, link).unwrap();
            publish(&path, b"a clip").unwrap();
            assert!(fs::symlink_metadata(&path).unwrap().is_file());
            assert_eq!(fs::read(&path).unwrap(), b"a clip");
            assert_eq!(fs::read(&mine).unwrap(), b"mine");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0001.wav");
        for taken in [&path, &part_of(&path)] {
            fs::create_dir(taken).unwrap();
            let error = publish(&path, b"a clip").unwrap_err();
            let expected = format!("can't write {}: there is a folder of that", taken.display());
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            fs::remove_dir(taken).unwrap();
        }
    }

    #[test]
    fn leftover_parts_go_and_clips_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("0001.wav"), "x").unwrap();
        fs::create_dir(folder.path().join("x.wav.part")).unwrap();
        fs::write(folder.path().join("0002.wav.part"), "x").unwrap();
        symlink("0001.wav", folder.path().join("0003.wav.part")).unwrap();
        symlink("nowhere", folder.path().join("0004.wav.part")).unwrap();
        remove_parts(folder.path()).unwrap();
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left.contains(&"0001.wav".into()) && left.contains(&"x.wav.part".into()));
    }
}
