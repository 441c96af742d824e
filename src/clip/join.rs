//! The joined narration: all clips with the pauses between them, streamed from disk to disk, under
//! one gain for the whole. What would pass the size a WAV file can hold continues in another file. Every
//! clip is checked as it is read: a damaged one is named, and never becomes a part of the whole.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::ClipError;
use super::publish::{finalize, part_of, rounded, samples, spec};
use crate::engine::Shortage;
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
    /// The CRC-32 of the file's bytes; `None` if it was not noted when the clip was made.
    pub checksum: Option<u32>,
    /// Samples of silence after it, unless it is the last.
    pub pause: u64,
}

/// Why there is no joined file.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// It was told to stop.
    #[error("the joining was stopped")]
    Stopped,
    /// Clips are gone or not what they were: all of those that would go into the same file.
    #[error("{} clips are damaged", .0.len())]
    Damaged(Vec<DamagedClip>),
    /// It can't be written.
    #[error(transparent)]
    Write(#[from] ClipError),
}

/// A clip that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedClip {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
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
/// is taken as it is; its clips are checked all the same.
///
/// # Errors
/// [`JoinError`]; nothing half-written is left.
pub fn join(
    parts: &[Part],
    rate: u32,
    path: &Path,
    limit: u64,
    go_on: impl Fn() -> bool,
) -> Result<Joined, JoinError> {
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
        joined.samples += if let Some(samples) = is_joined(volume, &path) {
            read_all(volume, rate, &go_on, |_, _| Ok(()))?;
            samples
        } else {
            let part = part_of(&path);
            let samples = write(volume, rate, gain, &part, &go_on).inspect_err(|_| {
                // Litter if it can't be removed; the next start tries again.
                let _ = std::fs::remove_file(&part);
            })?;
            finalize(&path, &part, Ok(()))?;
            samples
        };
        joined.files.push(path);
    }
    Ok(joined)
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
    (file.len() == file_size(samples) && parts.iter().all(is_younger)).then_some(samples)
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
) -> Result<u64, JoinError> {
    let file = files::create_new(to).map_err(ClipError::write(to))?;
    let sync = file.try_clone().map_err(ClipError::write(to))?;
    let mut writer = hound::WavWriter::new(BufWriter::with_capacity(1 << 18, file), spec(rate))
        .map_err(ClipError::encode(to))?;
    let mut pause = 0;
    read_all(parts, rate, go_on, |part, samples| {
        // The pause before this clip: the last one has none after it.
        for _ in 0..std::mem::replace(&mut pause, part.pause) {
            writer.write_sample(0i16).map_err(ClipError::encode(to))?;
        }
        // A clip that fits a file fits its own numbers.
        let mut clip = writer.get_i16_writer(samples.len() as u32);
        for sample in samples {
            clip.write_sample(scale(*sample, gain));
        }
        clip.flush().map_err(ClipError::encode(to))
    })?;
    let samples = u64::from(writer.len());
    writer.finalize().map_err(ClipError::encode(to))?;
    sync.sync_all().map_err(ClipError::write(to))?;
    Ok(samples)
}

/// Reads every clip and hands its samples to `take`, in order. From the first damaged one on nothing
/// is handed over, but the rest is still checked, so that all that has to be made again is known at
/// once.
fn read_all(
    parts: &[Part],
    rate: u32,
    go_on: &impl Fn() -> bool,
    mut take: impl FnMut(&Part, &[i16]) -> Result<(), ClipError>,
) -> Result<(), JoinError> {
    let mut damaged = Vec::new();
    for part in parts {
        if !go_on() {
            return Err(JoinError::Stopped);
        }
        match read(part, rate)? {
            Ok(samples) if damaged.is_empty() => take(part, &samples)?,
            Ok(_) => {}
            Err(reason) => damaged.push(DamagedClip {
                path: part.path.clone(),
                reason,
            }),
        }
    }
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(JoinError::Damaged(damaged))
    }
}

/// The samples of a clip, or why it is not what it was when it was made. Where files or memory are
/// short, no clip can be read, and nothing is known of this one.
fn read(part: &Part, rate: u32) -> Result<Result<Vec<i16>, String>, ClipError> {
    match bytes(part) {
        Ok(bytes) => Ok(decode(part, rate, &bytes)),
        Err(source) if Shortage::of(&source).is_some() => Err(ClipError::Read {
            path: part.path.clone(),
            source,
        }),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// The bytes of a clip's file.
fn bytes(part: &Part) -> io::Result<Vec<u8>> {
    // Before it is opened: a pipe would be waited for.
    let file = std::fs::metadata(&part.path)?;
    let expected = file_size(part.samples);
    if !file.is_file() || file.len() != expected {
        let bytes = file.len();
        let reason = format!("it has {bytes} bytes, and had {expected}");
        return Err(io::Error::other(reason));
    }
    std::fs::read(&part.path)
}

fn decode(part: &Part, rate: u32, bytes: &[u8]) -> Result<Vec<i16>, String> {
    if part
        .checksum
        .is_some_and(|checksum| checksum != crc32fast::hash(bytes))
    {
        return Err("its checksum is not what it was".into());
    }
    let reader = hound::WavReader::new(bytes).map_err(|error| error.to_string())?;
    if reader.spec() != spec(rate) {
        return Err("it has another format than the narration's".into());
    }
    if u64::from(reader.duration()) != part.samples {
        let (now, before) = (reader.duration(), part.samples);
        return Err(format!("it has {now} samples, and had {before}"));
    }
    let samples = samples(reader);
    if samples.len() as u64 != part.samples {
        return Err("it ends too early".into());
    }
    Ok(samples)
}

/// The bytes of a file with so many samples.
fn file_size(samples: u64) -> u64 {
    samples.saturating_mul(2).saturating_add(44)
}

fn scale(sample: i16, gain: f32) -> i16 {
    rounded(f32::from(sample) * gain)
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
                let bytes = encode(&samples, 8000, &path).unwrap();
                publish(&path, &bytes).unwrap();
                Part {
                    path,
                    samples: length as u64,
                    peak: 0.25,
                    checksum: Some(crc32fast::hash(&bytes)),
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
            joined.unwrap().samples
        };
        assert_eq!(again(), 160);
        let length = std::fs::metadata(&path).unwrap().len();
        let marked = vec![7; usize::try_from(length).unwrap()];
        std::fs::write(&path, &marked).unwrap();
        assert_eq!(again(), 160);
        assert_eq!(std::fs::read(&path).unwrap(), marked);
        let clip = std::fs::File::options()
            .append(true)
            .open(&parts[1].path)
            .unwrap();
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
        let joined = join(&parts, 8000, &path, WAV_LIMIT, || true).unwrap();
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
        let joined = join(&parts, 8000, &path, 44 + 450, || true).unwrap();
        let names: Vec<_> = joined
            .files
            .iter()
            .map(|file| file.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["all-1.wav", "all-2.wav"]);
        assert_eq!(joined.samples, 100 + 10 + 100 + 100);
    }

    #[test]
    fn damaged_clips_are_all_named_and_nothing_half_written_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50, 80, 60, 70]);
        let whole: Vec<_> = parts
            .iter()
            .map(|part| std::fs::read(&part.path).unwrap())
            .collect();
        let damage = |clip: usize, change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = whole[clip].clone();
            change(&mut bytes);
            std::fs::write(&parts[clip].path, bytes).unwrap();
        };
        let joined = || join(&parts, 8000, &path, WAV_LIMIT, || true);
        let check = |is_joined: bool| {
            damage(0, &|bytes| bytes[60] ^= 1); // sound
            damage(1, &|bytes| bytes[0] = b'x'); // header
            damage(2, &|bytes| bytes.truncate(60));
            std::fs::remove_file(&parts[4].path).unwrap();
            let Err(JoinError::Damaged(damaged)) = joined() else {
                panic!("three clips are damaged and one is gone");
            };
            let names: Vec<_> = damaged
                .iter()
                .map(|clip| clip.path.file_name().unwrap())
                .collect();
            assert_eq!(names, ["0.wav", "1.wav", "2.wav", "4.wav"]);
            let files = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(files, 4 + usize::from(is_joined));
        };
        check(false);
        for (part, bytes) in parts.iter().zip(&whole) {
            std::fs::write(&part.path, bytes).unwrap();
        }
        joined().unwrap();
        // The joined file is younger than its clips, and these are looked at all the same.
        check(true);
    }

    #[test]
    fn without_a_checksum_the_header_and_the_length_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let mut parts = clips(folder.path(), &[100]);
        parts[0].checksum = None;
        let whole = std::fs::read(&parts[0].path).unwrap();
        let joins_with = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&parts[0].path, bytes).unwrap();
            join(&parts, 8000, &path, WAV_LIMIT, || true).is_ok()
        };
        assert!(joins_with(60), "sound of an earlier version is not known");
        assert!(!joins_with(22), "two channels");
    }

    #[test]
    fn told_to_stop_it_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let parts = clips(folder.path(), &[100, 50]);
        let stopped = join(&parts, 8000, &path, WAV_LIMIT, || false);
        assert!(matches!(stopped, Err(JoinError::Stopped)));
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
