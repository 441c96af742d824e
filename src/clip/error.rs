//! What can go wrong with a file of sound.

use std::io;
use std::path::{Path, PathBuf};

use crate::engine::{ErrorCode, ErrorObject, Shortage};

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
    /// The file can't be read, for a reason that is not its own.
    #[error("can't read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
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
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::DiskFull { path }
                }
                io::ErrorKind::IsADirectory => Self::FolderInTheWay { path },
                _ => Self::Write { path, source },
            }
        }
    }

    pub(super) fn encode(path: &Path) -> impl FnOnce(hound::Error) -> Self {
        move |error| match error {
            hound::Error::IoError(source) => Self::write(path)(source),
            other => Self::Write {
                path: path.to_owned(),
                source: io::Error::other(other),
            },
        }
    }
}

impl ClipError {
    /// Whether the same may do well later. A folder in the way stays there, and so does damage.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::Write { source, .. } | Self::Read { source, .. } => {
                Shortage::of(source).is_none_or(Shortage::may_pass)
            }
            Self::FolderInTheWay { .. } | Self::Damaged { .. } => false,
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
            ClipError::Write { source, .. } | ClipError::Read { source, .. }
                if Shortage::of(source).is_some() =>
            {
                let shortage = Shortage::of(source);
                (
                    ErrorCode::Output,
                    shortage.map_or("", Shortage::remediation),
                )
            }
            ClipError::Write { .. } | ClipError::Read { .. } => (
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_shortage_does_not_send_people_to_the_folder() {
        let write = |errno: Errno| ClipError::write(Path::new("a.wav"))(errno.into());
        let advice = |errno| ErrorObject::from(write(errno)).remediation;
        assert!(advice(Errno::ACCESS).contains("folder"));
        for (errno, limit, may_pass) in [
            (Errno::MFILE, "`ulimit -n`", true),
            (Errno::NOMEM, "`ulimit -v`", true),
            (Errno::FBIG, "`ulimit -f`", false),
        ] {
            let advice = advice(errno);
            assert!(
                advice.contains(limit) && !advice.contains("folder"),
                "{advice}"
            );
            assert_eq!(write(errno).may_pass(), may_pass, "{errno}");
        }
    }
}
