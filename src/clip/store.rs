//! Clips by what they were made from, so that the same work is never done twice: a sentence that
//! was spoken once, with the same voice and settings, is copied the next time, into whichever
//! narration. It is a cache: whatever is wrong with it is passed over, and all of it may be deleted
//! at any time. It never touches a narration's folder.
//!
//! A file is called by the SHA-256 of its inputs and holds a line of JSON (its own version, the
//! SHA-256 of the WAV file, what is known of its samples) and then that WAV file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a clip was made from, as a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipKey(String);

impl ClipKey {
    /// The key of these inputs, in this order. Nothing that determines a clip may be missing.
    ///
    /// ```
    /// use aloud::clip::ClipKey;
    ///
    /// let key = ClipKey::of(&[b"joe", b"Rain again."]);
    /// assert_eq!(key, ClipKey::of(&[b"joe", b"Rain again."]));
    /// // What belongs together counts, not only the letters.
    /// assert_ne!(key, ClipKey::of(&[b"joeRain", b" again."]));
    /// ```
    #[must_use]
    pub fn of(inputs: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for input in inputs {
            hash.update((input.len() as u64).to_le_bytes());
            hash.update(input);
        }
        Self(hex(&hash.finalize()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A clip from the store.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptClip {
    /// The WAV file.
    pub wav: Vec<u8>,
    /// How many samples it has.
    pub samples: u64,
    /// Samples a second.
    pub rate: u32,
    /// The loudest sample, 0.0 to 1.0.
    pub peak: f32,
    /// How many samples each of the model's inputs takes, in order; empty if the voice does not tell.
    pub durations: Vec<u32>,
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    sha256: String,
    samples: u64,
    rate: u32,
    peak: f32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    durations: Vec<u32>,
}

/// The version of the files.
const VERSION: u32 = 1;

/// The longest first line: what some thousand durations take.
const LONGEST_HEAD: usize = 1 << 16;

/// What [`ClipStore::trim`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trimmed {
    /// Clips that were deleted, and their bytes.
    pub deleted: u64,
    /// The bytes of those.
    pub freed: u64,
    /// Clips that are left.
    pub left: u64,
    /// The bytes of those.
    pub bytes: u64,
}

/// The store.
///
/// ```
/// use aloud::clip::{ClipKey, ClipStore, KeptClip};
///
/// let folder = tempfile::tempdir()?;
/// let store = ClipStore::new(folder.path());
/// let key = ClipKey::of(&[b"joe", b"Rain again."]);
/// assert_eq!(store.get(&key), None);
/// let clip = KeptClip {
///     wav: b"RIFF...".to_vec(),
///     samples: 20_000,
///     rate: 22_050,
///     peak: 0.4,
///     durations: vec![256, 19_744],
/// };
/// store.put(&key, &clip)?;
/// assert_eq!(store.get(&key), Some(clip));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClipStore {
    folder: PathBuf,
}

impl ClipStore {
    /// The store in this folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn path(&self, key: &ClipKey) -> PathBuf {
        // Not all in one folder: there may be hundreds of thousands.
        self.folder.join(&key.0[..2]).join(&key.0[2..])
    }

    /// The clip with this key, whole and unchanged; `None` if there is none, or if anything about it
    /// is not right.
    #[must_use]
    pub fn get(&self, key: &ClipKey) -> Option<KeptClip> {
        let path = self.path(key);
        // A link is none of ours, and what it leads to is left alone.
        if !fs::symlink_metadata(&path).ok()?.is_file() {
            return None;
        }
        let mut bytes = fs::read(&path).ok()?;
        let read = read(&bytes);
        let Some((head, begin)) = read else {
            tracing::warn!(path = %path.display(), "a stored clip is damaged: it is made again");
            let _ = fs::remove_file(&path);
            return None;
        };
        // Whoever is used stays longest. Where the time can't be set, it goes a little sooner.
        if let Ok(file) = File::options().append(true).open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        bytes.drain(..begin);
        Some(KeptClip {
            wav: bytes,
            samples: head.samples,
            rate: head.rate,
            peak: head.peak,
            durations: head.durations,
        })
    }

    /// Keeps a clip. It is not waited for the disk: after a power cut a damaged one is passed over.
    ///
    /// # Errors
    /// Whatever the disk says; nothing is left behind.
    pub fn put(&self, key: &ClipKey, clip: &KeptClip) -> io::Result<()> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let mut head = Head {
            version: VERSION,
            sha256: hex(&Sha256::digest(&clip.wav)),
            samples: clip.samples,
            rate: clip.rate,
            peak: clip.peak,
            durations: clip.durations.clone(),
        };
        let mut line = serde_json::to_vec(&head)?;
        if line.len() >= LONGEST_HEAD {
            // It is found all the same; only when its words are said is not known.
            head.durations.clear();
            line = serde_json::to_vec(&head)?;
        }
        // Its name is made up, and nobody's file or link is opened by it (`O_EXCL`).
        let mut part = tempfile::NamedTempFile::new_in(folder)?;
        part.write_all(&line)?;
        part.write_all(b"\n")?;
        part.write_all(&clip.wav)?;
        part.persist(&path)?;
        Ok(())
    }

    /// Deletes the clips that were not used for longest until the rest takes at most `most` bytes.
    ///
    /// # Errors
    /// The folder can't be read. A clip that can't be deleted is passed over.
    pub fn trim(&self, most: u64) -> io::Result<Trimmed> {
        let mut clips = self.clips()?;
        clips.sort_unstable_by_key(|(used, _, _)| std::cmp::Reverse(*used));
        let mut trimmed = Trimmed::default();
        for (_, bytes, path) in clips {
            if trimmed.bytes + bytes > most && fs::remove_file(&path).is_ok() {
                trimmed.deleted += 1;
                trimmed.freed += bytes;
            } else {
                trimmed.left += 1;
                trimmed.bytes += bytes;
            }
        }
        Ok(trimmed)
    }

    /// All files with their time and size, those that were left half-written included.
    fn clips(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut clips = Vec::new();
        let folders = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(clips),
            folders => folders?,
        };
        for folder in folders {
            let folder = folder?;
            if !is_ours(&folder.path()) {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let Ok(metadata) = file.metadata() else {
                    continue;
                };
                if metadata.is_file() {
                    let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    clips.push((used, metadata.len(), file.path()));
                }
            }
        }
        Ok(clips)
    }
}

/// Only folders that the store has made are looked into: two digits of a hash.
fn is_ours(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) && folder.is_dir()
}

/// The head of a file and where its WAV begins, if all of it is right.
fn read(bytes: &[u8]) -> Option<(Head, usize)> {
    let start = &bytes[..bytes.len().min(LONGEST_HEAD)];
    let begin = start.iter().position(|byte| *byte == b'\n')? + 1;
    let head: Head = serde_json::from_slice(&bytes[..begin]).ok()?;
    let is_whole = head.version == VERSION && head.sha256 == hex(&Sha256::digest(&bytes[begin..]));
    is_whole.then_some((head, begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn clip(size: usize) -> KeptClip {
        KeptClip {
            wav: vec![7; size],
            samples: 100,
            rate: 22_050,
            peak: 0.5,
            durations: Vec::new(),
        }
    }

    #[test]
    fn a_damaged_clip_is_passed_over_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = ClipStore::new(folder.path());
        let key = ClipKey::of(&[b"a"]);
        for damage in [&b""[..], b"{}\n", b"not json\nRIFF", &[b'x'; 2000]] {
            store.put(&key, &clip(100)).unwrap();
            assert!(store.path(&key).is_file());
            fs::write(store.path(&key), damage).unwrap();
            assert_eq!(store.get(&key), None);
            assert!(!store.path(&key).exists());
        }
        store.put(&key, &clip(100)).unwrap();
        let mut bytes = fs::read(store.path(&key)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(store.path(&key), bytes).unwrap();
        assert_eq!(store.get(&key), None, "one bit is enough");
    }

    #[test]
    fn a_clip_of_too_many_durations_is_kept_without() {
        let folder = tempfile::tempdir().unwrap();
        let store = ClipStore::new(folder.path());
        let key = ClipKey::of(&[b"a"]);
        for (count, kept) in [(300, 300), (30_000, 0)] {
            let durations = vec![256; count];
            let clip = KeptClip {
                durations,
                ..clip(100)
            };
            store.put(&key, &clip).unwrap();
            assert_eq!(store.get(&key).unwrap().durations.len(), kept);
        }
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = ClipStore::new(folder.path().join("clips"));
        let key = ClipKey::of(&[b"a"]);
        store.put(&key, &clip(100)).unwrap();
        let mine = folder.path().join("mine");
        fs::rename(store.path(&key), &mine).unwrap();
        let before = fs::read(&mine).unwrap();
        std::os::unix::fs::symlink(&mine, store.path(&key)).unwrap();
        assert_eq!(store.get(&key), None);
        store.put(&key, &clip(200)).unwrap();
        assert_eq!(store.get(&key), Some(clip(200)));
        assert!(fs::symlink_metadata(store.path(&key)).unwrap().is_file());
        assert_eq!(fs::read(&mine).unwrap(), before);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = ClipStore::new(folder.path().join("clips"));
        assert_eq!(store.trim(0).unwrap(), Trimmed::default());
        let keys: Vec<ClipKey> = (0..4_u8).map(|n| ClipKey::of(&[&[n]])).collect();
        for (age, key) in keys.iter().enumerate() {
            store.put(key, &clip(1000)).unwrap();
            let file = File::options().append(true).open(store.path(key)).unwrap();
            let hours = Duration::from_secs(3600 * (age as u64 + 1));
            file.set_modified(SystemTime::now() - hours).unwrap();
        }
        // The oldest is used again.
        assert!(store.get(&keys[3]).is_some());
        fs::write(folder.path().join("clips/readme.txt"), "not ours").unwrap();
        let size = fs::metadata(store.path(&keys[0])).unwrap().len();
        let trimmed = store.trim(2 * size + 10).unwrap();
        assert_eq!((trimmed.deleted, trimmed.left), (2, 2));
        assert_eq!((trimmed.freed, trimmed.bytes), (2 * size, 2 * size));
        let left: Vec<bool> = keys.iter().map(|key| store.path(key).is_file()).collect();
        assert_eq!(left, [true, false, false, true]);
        assert!(folder.path().join("clips/readme.txt").exists());
    }
}
