//! What can go wrong with the assets. Every message says what happened, to what, and what to do
//! next; text from other programs is made safe to print before it gets here.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::blend::{BlendError, EXAMPLE};
use crate::shortage::advice;
use crate::size::human_size;

/// Why something that narrating needs is not there, or could not be brought.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// A piece is not installed.
    #[error("{piece} is not installed: run `aloud setup`")]
    Missing {
        /// Its name.
        piece: String,
    },
    /// There is no package for this platform, and none was found on the system.
    #[error(
        "there is no {piece} to fetch for {platform}, and none was found on this system: {hint}"
    )]
    Unsupported {
        /// Its name.
        piece: String,
        /// The platform.
        platform: String,
        /// What to do.
        hint: String,
    },
    /// Pieces are missing and the network is forbidden.
    #[error(
        "not installed, and the network is forbidden by --offline:\n{}\nEither run `aloud setup` \
         without --offline ({} to fetch), or carry the packages above here from another machine \
         and run `aloud setup --from FOLDER`",
        lines(lacking), human_size(*bytes)
    )]
    Offline {
        /// One line for each piece.
        lacking: Vec<String>,
        /// All downloads together, in bytes.
        bytes: u64,
    },
    /// A folder given with `--from` has not everything.
    #[error(
        "{} does not have everything{}; still missing:\n{}{}\nAdd these files and run the same \
         command again, or run `aloud setup` to fetch them from the network",
        folder.display(), taken(found), lines(lacking), remarks(notes)
    )]
    FolderLacks {
        /// The folder.
        folder: PathBuf,
        /// The pieces that were taken from it.
        found: Vec<String>,
        /// One line for each piece that is still missing.
        lacking: Vec<String>,
        /// What was seen and not taken, and why.
        notes: Vec<String>,
    },
    /// No pip was found.
    #[error(
        "nothing can be fetched without Python 3 and pip (tried: {}). Install them (Debian, \
         Ubuntu: apt install python3-pip; Fedora: dnf install python3-pip; macOS: brew install \
         python3), or name a Python in ALOUD_PYTHON, or carry the packages here and run \
         `aloud setup --from FOLDER`",
        tried.join(", ")
    )]
    NoPip {
        /// What was tried and why it would not do.
        tried: Vec<String>,
    },
    /// A package of npm is needed, and no npm was found.
    #[error(
        "{package} can't be fetched without npm (tried: {}). Install Node.js with npm (Debian, Ubuntu: \
         apt install npm; Fedora: dnf install nodejs-npm; macOS: brew install node), or run `npm pack \
         {package}` on another machine and put {archive} into {}, and run the same command again; \
         without a network: `aloud setup --from FOLDER`",
        tried.join(", "), folder.display()
    )]
    NoNpm {
        /// The package, `name@version`.
        package: String,
        /// What it is called as a file.
        archive: String,
        /// Where a package that somebody carried here is found.
        folder: PathBuf,
        /// What was tried and why it would not do.
        tried: Vec<String>,
    },
    /// The program that fetches ended with an error.
    #[error(
        "{piece} could not be fetched, {tool} says:\n{output}\nCheck the network (and what you set for \
         {tool}: index or registry, proxy, certificates) and run the same command again; without a \
         network: `aloud setup --from FOLDER`"
    )]
    FetchFailed {
        /// The piece.
        piece: String,
        /// `pip` or `npm`.
        tool: &'static str,
        /// Its last lines.
        output: String,
    },
    /// Nothing arrived for too long.
    #[error(
        "{piece} could not be fetched: nothing arrived for {seconds} seconds. Check the network \
         and run the same command again; what is installed stays"
    )]
    Stalled {
        /// The piece.
        piece: String,
        /// How long nothing came.
        seconds: u64,
    },
    /// The user interrupted it.
    #[error("interrupted: nothing is half-installed; run the same command again to continue")]
    Interrupted,
    /// A folder can't be written.
    #[error(
        "{} can't be written ({source}): {}",
        path.display(),
        advice(source, "change its permissions, or set ALOUD_HOME to another folder")
    )]
    NotWritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full, or too small for what is to come.
    #[error("not enough space on the disk of {}{}: free some, or set ALOUD_HOME to a folder on another disk", path.display(), sizes(*needed, *free))]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes needed, if known.
        needed: Option<u64>,
        /// Bytes free, if known.
        free: Option<u64>,
    },
    /// Another operation on files failed.
    #[error(
        "could not {doing} {} ({source}): {}",
        path.display(),
        advice(source, "check the folder and run the same command again")
    )]
    Io {
        /// What was being done: "read".
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A package or file is not what was pinned.
    #[error("{} is not the {piece} that this version of aloud needs ({why}): nothing of it was used; delete it and run `aloud setup`", path.display())]
    NotThePinned {
        /// The piece.
        piece: String,
        /// The package or file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// An installed file changed since.
    #[error("{piece} is damaged: {} {why}; `aloud setup` replaces it", path.display())]
    Damaged {
        /// The piece.
        piece: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A path given in the settings leads nowhere.
    #[error("the setting `{setting}` names {}, which is not there: correct it, or remove it to use the fetched one", path.display())]
    Override {
        /// The setting.
        setting: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// No voice has this name.
    #[error("there is no voice `{name}`{}; `aloud voices` lists them, and a path to an .onnx file works too", meant(nearest.as_deref()))]
    UnknownVoice {
        /// The name, safe to print.
        name: String,
        /// The voice whose name is most like it.
        nearest: Option<String>,
    },
    /// A blend of voices is written wrong, or can't be made of these.
    #[error(
        "`{name}` is no blend of voices: {why}. A blend is written as {EXAMPLE}, with whole numbers of percent, or without numbers for equal shares"
    )]
    Blend {
        /// What was written, safe to print.
        name: String,
        /// What is wrong with it.
        why: BlendError,
    },
    /// A voice whose language can't be spoken yet.
    #[error(
        "`{name}` speaks {language}, which aloud can't speak yet; the other voices of its model speak {others}: `aloud voices` lists them"
    )]
    Unspoken {
        /// The voice.
        name: String,
        /// Its language.
        language: String,
        /// The languages that can be spoken.
        others: String,
    },
    /// A voice's file is missing.
    #[error("the voice {} can't be used: {why}", path.display())]
    VoiceFile {
        /// The model.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
}

impl AssetError {
    /// The right error for a failed operation on files: full, forbidden or something else.
    pub(super) fn files(doing: &'static str, path: &Path, source: io::Error) -> AssetError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AssetError::DiskFull {
                path,
                needed: None,
                free: None,
            },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                if doing != "read" =>
            {
                AssetError::NotWritable { path, source }
            }
            _ => AssetError::Io {
                doing,
                path,
                source,
            },
        }
    }
}

fn lines(items: &[String]) -> String {
    items
        .iter()
        .map(|item| format!("  - {item}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn taken(found: &[String]) -> String {
    if found.is_empty() {
        String::new()
    } else {
        format!(" (taken from it: {})", found.join(", "))
    }
}

fn remarks(notes: &[String]) -> String {
    if notes.is_empty() {
        String::new()
    } else {
        format!("\nSeen, but not usable:\n{}", lines(notes))
    }
}

fn sizes(needed: Option<u64>, free: Option<u64>) -> String {
    match (needed, free) {
        (Some(needed), Some(free)) => {
            format!(
                " ({} needed, {} free)",
                human_size(needed),
                human_size(free)
            )
        }
        _ => String::new(),
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}
