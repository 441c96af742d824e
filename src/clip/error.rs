//! What can go wrong with a file of sound.

use std::io;
use std::path::{Path, PathBuf};

use crate::engine::{ErrorCode, ErrorObject};

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The disk is full.
    #[error("the disk is full: {path} could not be written")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder can't be written.
    #[error("can't write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder has the file's name. Nothing is removed for it, and it will not pass by itself.
    #[error("can't write {path}: there is a folder of that name")]
    FolderInTheWay {
        /// The file.
        path: PathBuf,
    },
    /// A clip that was there is gone or is not what it was.
    #[error("the clip {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClipError {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::IsADirectory => Self::FolderInTheWay { path },
            _ => Self::Write { path, source },
        }
    }

    pub(super) fn encode(path: &Path) -> impl FnOnce(hound::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| match error {
            hound::Error::IoError(source) => Self::write(&path)(source),
            other => Self::Write {
                path,
                source: io::Error::other(other),
            },
        }
    }
}

impl From<ClipError> for ErrorObject {
    fn from(error: ClipError) -> Self {
        let (code, remediation) = match &error {
            ClipError::DiskFull { .. } => (
                ErrorCode::DiskFull,
                "Free some space and narrate the same text again: what is finished is kept, and it \
                 goes on from there",
            ),
            ClipError::Write { .. } => (
                ErrorCode::Output,
                "Check that the folder is there and may be written to, then narrate the same text \
                 again: it goes on from where it was",
            ),
            ClipError::FolderInTheWay { .. } => (
                ErrorCode::Output,
                "Move that folder away, then narrate the same text again: it goes on from where it \
                 was",
            ),
            ClipError::Damaged { .. } => (
                ErrorCode::ClipDamaged,
                "It was made again and is damaged once more: check the disk, then narrate the same \
                 text again",
            ),
        };
        Self::new(code, error.to_string()).with_remediation(remediation)
    }
}
