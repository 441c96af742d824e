//! The joined narration: all clips with the pauses between them, streamed from disk to disk, under
//! one gain for the whole. What would pass the size a WAV file can hold goes on in another file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::ClipError;
use super::publish::{part_of, settle, spec};
use crate::files;

/// The largest WAV file in bytes: RIFF counts in 32 bits.
pub const WAV_LIMIT: u64 = u32::MAX as u64 - 1024;

/// The loudest sample of a joined narration: −1 dBFS.
const LOUDEST: f32 = 0.891;
/// The most a quiet voice is raised: 12 dB.
const MOST_GAIN: f32 = 4.0;

/// A clip and the silence after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The clip's file.
    pub path: PathBuf,
    /// Its samples; a file with another number is damaged.
    pub samples: u64,
    /// Its largest absolute sample, 0.0 to 1.0.
    pub peak: f32,
    /// Samples of silence after it, unless it is the last.
    pub pause: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The files, in order; more than one only beyond [`WAV_LIMIT`].
    pub files: Vec<PathBuf>,
    /// Samples in all of them.
    pub samples: u64,
    /// The gain that was used.
    pub gain: f32,
}

/// Joins clips of one rate into `path`, or into `NAME-1.wav`, `NAME-2.wav` … where one file would
/// be larger than `limit` bytes. One gain for the whole brings the loudest sample to −1 dBFS:
/// quiet sentences stay quiet beside loud ones, and nothing is cut. `go_on` is asked before each
/// clip. A file that is there already, as long as it would become and younger than all of its clips,
/// is taken as it is.
///
/// # Errors
/// [`ClipError`]; `None` if `go_on` said no. Either way nothing half-written is left.
pub fn join(
    parts: &[Part],
    rate: u32,
    path: &Path,
    limit: u64,
    go_on: impl Fn() -> bool,
) -> Result<Option<Joined>, ClipError> {
    let loudest = parts
        .iter()
        .fold(0.0, |peak: f32, part| part.peak.max(peak));
    let gain = if loudest > 0.0 {
        (LOUDEST / loudest).min(MOST_GAIN)
    } else {
        1.0
    };
    let volumes = split(parts, limit);
    let mut joined = Joined {
        files: Vec::new(),
        samples: 0,
        gain,
    };
    for (number, volume) in (1..).zip(&volumes) {
        let path = if volumes.len() == 1 {
            path.to_owned()
        } else {
            numbered(path, number)
        };
        if let Some(samples) = is_joined(volume, &path) {
            joined.samples += samples;
            joined.files.push(path);
            continue;
        }
        let part = part_of(&path);
        let written = write(volume, rate, gain, &part, &go_on);
        let stopped = matches!(written, Ok(None));
        if stopped {
            // Litter if it can't be removed; the next start tries again.
            let _ = std::fs::remove_file(&part);
            return Ok(None);
        }
        let samples = written.as_ref().ok().copied().flatten().unwrap_or(0);
        settle(&path, &part, written.map(drop))?;
        joined.samples += samples;
        joined.files.push(path);
    }
    Ok(Some(joined))
}

/// The samples of a file that was joined from these clips before, if it was.
fn is_joined(parts: &[Part], path: &Path) -> Option<u64> {
    // A link is none of ours: it is replaced, and what it leads to stays.
    let file = std::fs::symlink_metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    let all: u64 = parts.iter().map(|part| part.samples + part.pause).sum();
    let samples = all - parts.last().map_or(0, |last| last.pause);
    let made = file.modified().ok()?;
    let is_younger = |part: &Part| {
        let clip = std::fs::metadata(&part.path).and_then(|clip| clip.modified());
        clip.is_ok_and(|clip| clip <= made)
    };
    (file.len() == 44 + 2 * samples && parts.iter().all(is_younger)).then_some(samples)
}

/// Cuts the clips into runs that fit a file each. A file ends with its last clip: the pause before
/// a cut is left out, as the one at the very end is.
fn split(parts: &[Part], limit: u64) -> Vec<&[Part]> {
    let mut volumes = Vec::new();
    let (mut start, mut bytes) = (0, 44);
    for (index, part) in parts.iter().enumerate() {
        let more = (part.samples + part.pause) * 2;
        if bytes + more > limit && index > start {
            volumes.push(&parts[start..index]);
            (start, bytes) = (index, 44);
        }
        bytes += more;
    }
    volumes.push(&parts[start..]);
    volumes
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{number}.wav"))
}

fn write(
    parts: &[Part],
    rate: u32,
    gain: f32,
    to: &Path,
    go_on: &impl Fn() -> bool,
) -> Result<Option<u64>, ClipError> {
    let file = files::create_new(to).map_err(ClipError::write(to))?;
    let sync = file.try_clone().map_err(ClipError::write(to))?;
    let mut writer = hound::WavWriter::new(BufWriter::with_capacity(1 << 18, file), spec(rate))
        .map_err(ClipError::encode(to))?;
    for (index, part) in parts.iter().enumerate() {
        if !go_on() {
            return Ok(None);
        }
        copy(part, rate, gain, &mut writer, to)?;
        if index + 1 < parts.len() {
            for _ in 0..part.pause {
                writer.write_sample(0i16).map_err(ClipError::encode(to))?;
            }
        }
    }
    let samples = u64::from(writer.len());
    writer.finalize().map_err(ClipError::encode(to))?;
    sync.sync_all().map_err(ClipError::write(to))?;
    Ok(Some(samples))
}

fn copy(
    part: &Part,
    rate: u32,
    gain: f32,
    writer: &mut hound::WavWriter<BufWriter<File>>,
    to: &Path,
) -> Result<(), ClipError> {
    let damaged = |reason: String| ClipError::Damaged {
        path: part.path.clone(),
        reason,
    };
    let reader = hound::WavReader::open(&part.path).map_err(|error| damaged(error.to_string()))?;
    if reader.spec() != spec(rate) {
        return Err(damaged("it has another format than the narration's".into()));
    }
    if u64::from(reader.duration()) != part.samples {
        return Err(damaged(format!(
            "it has {} samples, and had {} when it was made",
            reader.duration(),
            part.samples
        )));
    }
    for sample in reader.into_samples::<i16>() {
        let sample = sample.map_err(|error| damaged(error.to_string()))?;
        writer
            .write_sample(scale(sample, gain))
            .map_err(ClipError::encode(to))?;
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the range before"
)]
fn scale(sample: i16, gain: f32) -> i16 {
    (f32::from(sample) * gain).round().clamp(-32768.0, 32767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{encode, publish};

    fn clips(folder: &Path, lengths: &[usize]) -> Vec<Part> {
        lengths
            .iter()
            .enumerate()
            .map(|(index, &length)| {
                let path = folder.join(format!("{index}.wav"));
                let samples = vec![0.25; length];
                publish(&path, &encode(&samples, 8000, &path).unwrap()).unwrap();
                Part {
                    path,
                    samples: length as u64,
                    peak: 0.25,
                    pause: 10,
                }
            })
            .collect()
    }

    #[test]
    fn what_was_joined_is_joined_again_only_if_a_clip_is_younger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50]);
        let again = || {
            let joined = join(&parts, 8000, &path, WAV_LIMIT, || true);
            joined.unwrap().unwrap().samples
        };
        assert_eq!(again(), 160);
        let length = std::fs::metadata(&path).unwrap().len();
        let marked = vec![7; usize::try_from(length).unwrap()];
        std::fs::write(&path, &marked).unwrap();
        assert_eq!(again(), 160);
        assert_eq!(std::fs::read(&path).unwrap(), marked);
        let clip = File::options().append(true).open(&parts[1].path).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        clip.set_modified(later).unwrap();
        assert_eq!(again(), 160);
        assert_ne!(std::fs::read(&path).unwrap(), marked);
        std::fs::write(&path, &marked[1..]).unwrap();
        assert_eq!(again(), 160);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
    }

    #[test]
    fn the_length_is_clips_and_pauses_to_the_sample() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50, 25]);
        let joined = join(&parts, 8000, &path, WAV_LIMIT, || true)
            .unwrap()
            .unwrap();
        assert_eq!(joined.samples, 100 + 10 + 50 + 10 + 25);
        let read: Vec<i16> = hound::WavReader::open(&path)
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.len() as u64, joined.samples);
        // A quarter of full scale, raised by the one gain to −1 dBFS; silence stays silence.
        assert!((29_100..29_300).contains(&read[0]), "{}", read[0]);
        assert_eq!(read[100..110], [0; 10]);
    }

    #[test]
    fn what_a_file_cannot_hold_goes_on_in_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 100, 100]);
        let joined = join(&parts, 8000, &path, 44 + 450, || true)
            .unwrap()
            .unwrap();
        let names: Vec<_> = joined
            .files
            .iter()
            .map(|file| file.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["all-1.wav", "all-2.wav"]);
        assert_eq!(joined.samples, 100 + 10 + 100 + 100);
    }

    #[test]
    fn a_damaged_clip_is_named_and_nothing_half_written_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50]);
        let bytes = std::fs::read(&parts[1].path).unwrap();
        std::fs::write(&parts[1].path, &bytes[..60]).unwrap();
        let error = join(&parts, 8000, &path, WAV_LIMIT, || true).unwrap_err();
        assert!(error.to_string().contains("1.wav"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(
            join(&parts, 8000, &path, WAV_LIMIT, || false).unwrap(),
            None
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50]);
        join(&parts, 8000, &path, WAV_LIMIT, || true).unwrap();
        // As long as the joined file, and younger than the clips.
        let mine = folder.path().join("mine.wav");
        std::fs::rename(&path, &mine).unwrap();
        let before = std::fs::read(&mine).unwrap();
        for link in [&path, &part_of(&path)] {
            std::os::unix::fs::symlink(&mine, link).unwrap();
            join(&parts, 8000, &path, WAV_LIMIT, || true).unwrap();
            assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
            assert!(std::fs::symlink_metadata(part_of(&path)).is_err());
            assert_eq!(std::fs::read(&mine).unwrap(), before);
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::create_dir(&path).unwrap();
        let error = join(&parts, 8000, &path, WAV_LIMIT, || true).unwrap_err();
        assert!(error.to_string().contains("there is a folder"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
