//! What is fetched: pieces, the packages they come in, and the pins that prove each file. The
//! facts are data (`catalogue.toml`); this part reads them and must never touch the disk.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use super::voices::Family;

/// The name of a piece: `onnxruntime`, `espeak-ng`, `voice:en_US-joe-medium`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PieceId(Cow<'static, str>);

impl PieceId {
    /// The runtime that runs the voices' models.
    pub const ONNXRUNTIME: PieceId = PieceId(Cow::Borrowed("onnxruntime"));
    /// The library that turns text into phonemes, with its data.
    pub const ESPEAK_NG: PieceId = PieceId(Cow::Borrowed("espeak-ng"));

    /// The piece that is the voice of this name.
    #[must_use]
    pub fn voice(name: &str) -> PieceId {
        PieceId(Cow::Owned(format!("voice:{name}")))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PieceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a file of a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A shared library.
    Library,
    /// A folder of data.
    Data,
    /// A voice's model.
    Model,
    /// A voice's configuration.
    Config,
    /// A voice's description, with its licence.
    Card,
}

/// One file: where it is in the wheel, where it goes, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePin {
    /// What it is for.
    pub role: Role,
    /// Its name in the wheel.
    pub from: String,
    /// Its name in the piece's folder.
    pub to: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hex.
    pub sha256: String,
}

/// One folder with everything in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreePin {
    /// What it is for.
    pub role: Role,
    /// Its prefix in the wheel, ending in `/`.
    pub from: String,
    /// Its name in the piece's folder.
    pub to: String,
    /// How many files are in it.
    pub files: usize,
    /// Their sizes together, in bytes.
    pub size: u64,
    /// The SHA-256 over all of them, see `catalogue.toml`.
    pub sha256: String,
}

/// The package that a piece comes in, on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// `linux-x86_64`, …, or `any`.
    pub platform: String,
    /// The package's name.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The platform tag that pip is asked for, or `any`.
    pub tag: String,
    /// Its size in bytes, for progress.
    pub size: u64,
    /// The files that are taken from it.
    #[serde(default, rename = "file")]
    pub files: Vec<FilePin>,
    /// The folders that are taken from it.
    #[serde(default, rename = "tree")]
    pub trees: Vec<TreePin>,
}

impl Wheel {
    /// What the piece occupies once installed, in bytes.
    #[must_use]
    pub fn installed_size(&self) -> u64 {
        let files = self.files.iter().map(|file| file.size).sum::<u64>();
        files + self.trees.iter().map(|tree| tree.size).sum::<u64>()
    }

    /// How the names of its wheel files begin: `espeakng_loader-0.2.4-`.
    #[must_use]
    pub fn file_prefix(&self) -> String {
        let package = self.package.to_lowercase().replace(['-', '.'], "_");
        format!("{package}-{}-", self.version)
    }
}

/// What is known of a voice before it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownVoice {
    /// Its name.
    pub name: String,
    /// Its kind of model.
    pub family: Family,
    /// Its language: `en_US`.
    pub language: String,
    /// `low`, `medium`, `high` …
    pub quality: String,
    /// Samples per second of its audio.
    pub sample_rate: u32,
    /// How many speakers it has.
    pub speakers: u32,
}

/// One thing that is installed and replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name for programs.
    pub id: PieceId,
    /// Its name for people.
    pub title: String,
    /// The version of what is inside.
    pub version: String,
    /// Its licence.
    pub licence: String,
    /// A remark on the licence, or nothing.
    pub note: String,
    /// Its folder below the data folder.
    pub folder: String,
    /// What a user can do where no wheel exists.
    pub hint: String,
    /// The voice, if it is one.
    pub voice: Option<KnownVoice>,
    /// Its package on this platform; `None` where there is none.
    pub wheel: Option<Wheel>,
}

impl Piece {
    /// The name of its file or folder with this role, below its own folder.
    #[must_use]
    pub fn member(&self, role: Role) -> Option<&str> {
        let wheel = self.wheel.as_ref()?;
        let file = wheel
            .files
            .iter()
            .find(|file| file.role == role)
            .map(|file| &file.to);
        let tree = || {
            wheel
                .trees
                .iter()
                .find(|tree| tree.role == role)
                .map(|tree| &tree.to)
        };
        file.or_else(tree).map(String::as_str)
    }

    /// Title and version: `ONNX Runtime 1.31.1`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.voice.is_some() {
            self.title.clone()
        } else {
            format!("{} {}", self.title, self.version)
        }
    }

    /// Bytes to fetch; 0 where there is nothing to fetch.
    #[must_use]
    pub fn download_size(&self) -> u64 {
        self.wheel.as_ref().map_or(0, |wheel| wheel.size)
    }
}

/// All pieces, as they are on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The platform, as `linux-x86_64`.
    pub platform: String,
    /// The pieces, in the order in which they are fetched.
    pub pieces: Vec<Piece>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    piece: Vec<WrittenPiece>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPiece {
    id: PieceId,
    title: String,
    version: String,
    licence: String,
    #[serde(default)]
    note: String,
    folder: String,
    hint: String,
    voice: Option<KnownVoice>,
    #[serde(default)]
    wheel: Vec<Wheel>,
}

impl Catalogue {
    /// The catalogue that comes with the program, for the machine it runs on.
    #[must_use]
    pub fn builtin() -> Catalogue {
        Catalogue::builtin_for(&format!(
            "{}-{}",
            std::env::consts::OS,
            std::env::consts::ARCH
        ))
    }

    /// The catalogue that comes with the program, for another platform.
    ///
    /// # Panics
    /// Never: the text is part of the program, and a test reads it.
    #[must_use]
    pub fn builtin_for(platform: &str) -> Catalogue {
        Catalogue::parse(include_str!("catalogue.toml"), platform)
            .expect("the built-in catalogue is read by a test")
    }

    /// A catalogue from its text, for `platform` (`linux-x86_64`).
    ///
    /// # Errors
    /// The parser's, when the text is not such a catalogue.
    pub fn parse(text: &str, platform: &str) -> Result<Catalogue, toml::de::Error> {
        let written: Written = toml::from_str(text)?;
        let here = |wheel: &Wheel| wheel.platform == platform || wheel.platform == "any";
        let pieces = written
            .piece
            .into_iter()
            .map(|piece| Piece {
                id: piece.id,
                title: piece.title,
                version: piece.version,
                licence: piece.licence,
                note: piece.note,
                folder: piece.folder,
                hint: piece.hint,
                voice: piece.voice,
                wheel: piece.wheel.into_iter().find(here),
            })
            .collect();
        Ok(Catalogue {
            platform: platform.to_owned(),
            pieces,
        })
    }

    /// The piece of this name.
    #[must_use]
    pub fn piece(&self, id: &PieceId) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_sound_on_each_platform() {
        for platform in [
            "linux-x86_64",
            "linux-aarch64",
            "macos-aarch64",
            "plan9-mips",
        ] {
            let catalogue = Catalogue::builtin_for(platform);
            assert!(catalogue.piece(&PieceId::ONNXRUNTIME).is_some());
            assert!(catalogue.piece(&PieceId::ESPEAK_NG).is_some());
            let voice = catalogue
                .piece(&PieceId::voice("en_US-joe-medium"))
                .unwrap();
            assert!(voice.wheel.is_some(), "a voice runs anywhere");
            for wheel in catalogue
                .pieces
                .iter()
                .filter_map(|piece| piece.wheel.as_ref())
            {
                let pins = wheel.files.iter().map(|file| (&file.sha256, &file.to));
                for (sha256, to) in pins.chain(wheel.trees.iter().map(|t| (&t.sha256, &t.to))) {
                    assert_eq!(sha256.len(), 64);
                    assert!(!to.contains('/') && !to.contains(".."), "{to}");
                }
            }
        }
        let elsewhere = Catalogue::builtin_for("linux-aarch64");
        assert_eq!(elsewhere.piece(&PieceId::ESPEAK_NG).unwrap().wheel, None);
    }
}
