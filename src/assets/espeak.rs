//! eSpeak NG as the system's own packages install it, for platforms with no package to fetch.
//! It only looks in the usual places; it must never load the library.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The library and its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EspeakFiles {
    /// The shared library.
    pub library: PathBuf,
    /// The folder `espeak-ng-data` itself.
    pub data: PathBuf,
}

const PREFIXES: [&str; 4] = ["usr", "usr/local", "opt/homebrew", "opt/local"];
const LIBRARIES: [&str; 4] = [
    "libespeak-ng.so.1",
    "libespeak-ng.so",
    "libespeak-ng.1.dylib",
    "libespeak-ng.dylib",
];

fn library_folders(root: &Path) -> Vec<PathBuf> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let mut folders = Vec::new();
    for prefix in PREFIXES {
        let prefix = root.join(prefix);
        folders.extend([
            prefix.join("lib").join(&triple),
            prefix.join("lib64"),
            prefix.join("lib"),
        ]);
    }
    folders
}

/// Is this a usable folder `espeak-ng-data`?
pub(super) fn is_data(folder: &Path) -> bool {
    folder.join("phontab").is_file()
}

/// The system's library, if there is one below `root` (`/`).
pub(super) fn system_library(root: &Path) -> Option<PathBuf> {
    library_folders(root)
        .iter()
        .flat_map(|folder| LIBRARIES.map(|name| folder.join(name)))
        .find(|path| path.is_file())
}

/// The system's data, if there is any below `root`.
pub(super) fn system_data(root: &Path) -> Option<PathBuf> {
    PREFIXES
        .iter()
        .map(|prefix| root.join(prefix).join("share"))
        .chain(library_folders(root))
        .map(|folder| folder.join("espeak-ng-data"))
        .find(|folder| is_data(folder))
}
