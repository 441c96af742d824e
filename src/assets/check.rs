//! Is a piece there, and is it the right one? A cheap answer from its manifest and the files'
//! sizes, a certain one from SHA-256. It only reads; it must never repair.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AssetError, Piece};

/// The manifest's name in a piece's folder.
pub(super) const MANIFEST: &str = "installed.json";

/// What was installed, written last: a folder without it is no installed piece.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub piece: String,
    pub version: String,
    pub installed_at: String,
    /// SHA-256 of each pinned folder.
    pub trees: Vec<Installed>,
    /// Every file, those in the folders too.
    pub files: Vec<Installed>,
}

/// One installed file or folder, its path relative to the piece's folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Installed {
    pub path: String,
    pub size: u64,
    pub sha256: String,
}

/// What a full check found to be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The piece's folder.
    pub folder: PathBuf,
    /// How many files were hashed.
    pub files: usize,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// SHA-256 of what can be read from `source`, with its length; each stretch is reported.
pub(super) fn hash(
    mut source: impl Read,
    mut each: impl FnMut(&[u8]) -> Result<(), AssetError>,
    failed: impl Fn(io::Error) -> AssetError,
) -> Result<(u64, String), AssetError> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0;
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok((size, hex(&digest.finalize()))),
            Ok(read) => read,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(failed(why)),
        };
        digest.update(&buffer[..read]);
        each(&buffer[..read])?;
        size += read as u64;
    }
}

/// SHA-256 of a file, with its length.
pub(super) fn hash_file(
    path: &Path,
    mut each: impl FnMut(u64) -> Result<(), AssetError>,
) -> Result<(u64, String), AssetError> {
    let failed = |why| AssetError::files("read", path, why);
    let file = File::open(path).map_err(failed)?;
    hash(file, |bytes| each(bytes.len() as u64), failed)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one hash of a folder: `files` have paths relative to it.
pub(super) fn tree_hash(mut files: Vec<Installed>) -> String {
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(format!("{}\0{}\0{}\n", file.path, file.size, file.sha256));
    }
    hex(&digest.finalize())
}

/// All files below a folder, relative with `/`; an error for links, odd names and too many.
pub(super) fn walk(folder: &Path, at_most: usize) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        let entries = folder
            .join(&prefix)
            .read_dir()
            .map_err(|why| why.to_string())?;
        for entry in entries {
            let entry = entry.map_err(|why| why.to_string())?;
            let name = entry.file_name();
            let name = name.to_str().ok_or("has a file with an odd name")?;
            let path = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}/{name}")
            };
            let kind = entry.file_type().map_err(|why| why.to_string())?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            } else {
                return Err(format!("has a link or a device in it ({path:?})"));
            }
            if found.len() + open.len() > at_most {
                return Err("has more files than it should".to_owned());
            }
        }
    }
    Ok(found)
}

/// More than any pinned folder has, for its files and subfolders.
pub(super) fn most_files(files: usize) -> usize {
    files.saturating_mul(2)
}

/// The cheap check: the manifest fits the catalogue, and every file has its size.
pub(super) fn looks_installed(piece: &Piece, folder: &Path) -> bool {
    let Some(manifest) = std::fs::read(folder.join(MANIFEST))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok())
    else {
        return false;
    };
    let listed = |path: &str, sha256: &str, list: &[Installed]| {
        list.iter()
            .any(|installed| installed.path == path && installed.sha256 == sha256)
    };
    manifest.version == piece.version
        && piece
            .files()
            .all(|pin| listed(pin.to, pin.sha256, &manifest.files))
        && piece
            .trees()
            .all(|pin| listed(&pin.to, &pin.sha256, &manifest.trees))
        && manifest.files.iter().all(|file| {
            std::fs::metadata(folder.join(&file.path))
                .is_ok_and(|meta| meta.is_file() && meta.len() == file.size)
        })
}

/// The certain check: every pinned file is there and has its SHA-256.
pub(super) fn verify(
    piece: &Piece,
    folder: &Path,
    each: &mut dyn FnMut(u64) -> Result<(), AssetError>,
) -> Result<Verified, AssetError> {
    let damaged = |path: PathBuf, why: &str| AssetError::Damaged {
        piece: piece.name(),
        path,
        why: why.to_owned(),
    };
    if !folder.join(MANIFEST).is_file() {
        return Err(AssetError::Missing {
            piece: piece.name(),
        });
    }
    let mut verified = Verified {
        folder: folder.to_owned(),
        files: 0,
        bytes: 0,
    };
    for pin in piece.files() {
        let path = folder.join(pin.to);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() && meta.len() == pin.size => {}
            Ok(_) => return Err(damaged(path, "has the wrong size")),
            Err(_) => return Err(damaged(path, "is gone")),
        }
        let (size, sha256) = hash_file(&path, &mut *each)?;
        if sha256 != pin.sha256 {
            return Err(damaged(path, "has the wrong SHA-256"));
        }
        verified.files += 1;
        verified.bytes += size;
    }
    for pin in piece.trees() {
        let root = folder.join(&pin.to);
        let names =
            walk(&root, most_files(pin.files)).map_err(|why| damaged(root.clone(), &why))?;
        let mut files = Vec::with_capacity(names.len());
        for name in names {
            let (size, sha256) = hash_file(&root.join(&name), &mut *each)?;
            verified.files += 1;
            verified.bytes += size;
            files.push(Installed {
                path: name,
                size,
                sha256,
            });
        }
        if tree_hash(files) != pin.sha256 {
            return Err(damaged(
                root,
                "has files in it that changed, are missing or are too many",
            ));
        }
    }
    if !looks_installed(piece, folder) {
        return Err(damaged(folder.join(MANIFEST), "does not fit the files"));
    }
    Ok(verified)
}
