//! Voices: those that are installed, those that could be, and the files of those that are found. A
//! voice's config and card come from strangers: they are read with a limit and never trusted.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{AssetError, Assets, KnownVoice, Piece, Role};
use crate::settings::printable;

/// A voice's config and card are small; a bigger file is something else.
const MOST_CONFIG_BYTES: u64 = 16 << 20;
/// One line of the list of voices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceEntry {
    /// Its name, for `--voice`.
    pub name: String,
    /// Its kind of model.
    pub family: Family,
    /// Its language, as `en_US`; `unknown` when its config doesn't say.
    pub language: String,
    /// `low`, `medium`, `high`; `unknown` when its config doesn't say.
    pub quality: String,
    /// Samples per second of its audio, when its config says so.
    pub sample_rate: Option<u32>,
    /// The model's size in bytes.
    pub size_bytes: Option<u64>,
    /// Its licence, from its MODEL_CARD.
    pub licence: String,
    /// Can it be used now?
    pub installed: bool,
    /// The model, if it is installed.
    pub path: Option<PathBuf>,
    /// How many speakers it has, when its config says so.
    pub speakers: Option<u32>,
    /// How good its makers say it is, from `A` down, if they say.
    pub grade: Option<String>,
    /// What else one should know of it: `unchecked`.
    pub note: Option<String>,
}

impl VoiceEntry {
    /// A voice that can be fetched.
    fn known(piece: &Piece, known: &KnownVoice) -> Self {
        let model = piece.files().find(|file| file.role == Role::Model);
        Self {
            name: known.name.clone(),
            family: known.family,
            language: known.language.clone(),
            quality: known.quality.clone(),
            sample_rate: Some(known.sample_rate),
            size_bytes: model.map(|file| file.size),
            licence: piece.licence.clone(),
            installed: false,
            path: None,
            speakers: Some(known.speakers),
            grade: known.grade.clone(),
            note: known.note.clone(),
        }
    }
}

/// The kind of a voice's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// VITS as Piper trains it; phonemes by eSpeak NG.
    Piper,
    /// English, by lexicons that lie beside the model.
    Hibari,
    /// A model that speaks as many voices as there are packs beside it; English by lexicons, other
    /// languages by eSpeak NG.
    Kokoro,
}

impl Family {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Piper => "piper",
            Self::Hibari => "hibari",
            Self::Kokoro => "kokoro",
        }
    }

    /// Whether a voice of this language takes its phonemes from eSpeak NG.
    #[must_use]
    pub fn takes_espeak(self, language: &str) -> bool {
        match self {
            Self::Piper => true,
            Self::Hibari => false,
            Self::Kokoro => !language.starts_with("en"),
        }
    }

    /// The family whose configuration this is: that of hibari is nothing but the numbers of its phonemes, and
    /// that of Kokoro has them in a `vocab`.
    fn of(config: &serde_json::Value) -> Self {
        let is_vocabulary = config.as_object().is_some_and(|map| {
            let is_phoneme = |(key, value): (&String, &serde_json::Value)| {
                key.chars().count() == 1 && value.is_u64()
            };
            !map.is_empty() && map.iter().all(is_phoneme)
        });
        if config
            .get("vocab")
            .is_some_and(serde_json::Value::is_object)
        {
            Self::Kokoro
        } else if is_vocabulary {
            Self::Hibari
        } else {
            Self::Piper
        }
    }
}

/// The files of a voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceFiles {
    /// Its name: the model's file name without `.onnx`, or that of a Kokoro voice or blend.
    pub name: String,
    /// The model, `NAME.onnx`.
    pub model: PathBuf,
    /// Its configuration, `NAME.onnx.json`.
    pub config: PathBuf,
    /// Its kind of model.
    pub family: Family,
    /// Its MODEL_CARD, if there is one.
    pub card: Option<PathBuf>,
    /// Whose voices it is made of, where the model speaks several ([`Family::Kokoro`]); empty otherwise.
    pub blend: Vec<Ingredient>,
}

/// One of the voices that a voice is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// Its name, such as `af_heart`.
    pub name: String,
    /// Its file, such as `af_heart.bin` beside the model.
    pub pack: PathBuf,
    /// How much of it there is, of 100.
    pub percent: u32,
}

impl VoiceFiles {
    /// Whether its phonemes come from eSpeak NG.
    #[must_use]
    pub fn takes_espeak(&self) -> bool {
        // The names of Kokoro voices begin with the letter of their language: `a` is American, `b` is
        // British.
        let is_english = |part: &Ingredient| part.name.starts_with(['a', 'b']);
        match self.family {
            Family::Kokoro => !self.blend.iter().all(is_english),
            family => family.takes_espeak("unknown"),
        }
    }

    /// The voice whose model this is; its config must lie beside it. A model that speaks as the packs beside
    /// it is none.
    pub(super) fn at(model: &Path) -> Result<VoiceFiles, AssetError> {
        let broken = |why: &str| AssetError::VoiceFile {
            path: model.to_owned(),
            why: why.to_owned(),
        };
        if !model.is_file() {
            return Err(broken(
                "there is no such file; check the path, or see `aloud voices`",
            ));
        }
        let name = model
            .file_stem()
            .map(|stem| printable(&stem.to_string_lossy()));
        let mut config = model.as_os_str().to_owned();
        config.push(".json");
        let config = PathBuf::from(config);
        if !config.is_file() {
            return Err(broken(
                "its configuration is missing; put the .onnx.json that came with it beside it",
            ));
        }
        let family = Family::of(&json(&config));
        if family == Family::Kokoro {
            return Err(broken(
                "it is a Kokoro model, which speaks as many voices; name one of them instead, such as \
                 af_heart: `aloud voices` lists them",
            ));
        }
        let card = |file: PathBuf| file.is_file().then_some(file);
        let mut own_card = model.with_extension("").into_os_string();
        own_card.push(".MODEL_CARD");
        Ok(VoiceFiles {
            name: name.unwrap_or_default(),
            card: card(own_card.into()).or_else(|| card(model.with_file_name("MODEL_CARD"))),
            model: model.to_owned(),
            family,
            config,
            blend: Vec::new(),
        })
    }
}

/// What a configuration says; nothing if it is no JSON.
fn json(config: &Path) -> serde_json::Value {
    let text = read_some(config);
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

impl Assets {
    /// The folder that users may put Piper voices into.
    #[must_use]
    pub fn voices_folder(&self) -> PathBuf {
        self.data.join("voices")
    }

    /// All voices, installed and known, by name, those of Kokoro after the others. A voice that a user put
    /// into the folder comes before a fetched one of the same name.
    #[must_use]
    pub fn voices(&self) -> Vec<VoiceEntry> {
        let mut entries: Vec<VoiceEntry> = self
            .found_voices()
            .iter()
            .map(|files| self.describe(files))
            .collect();
        for piece in &self.catalogue.pieces {
            let model = self.shared_model(piece);
            for known in &piece.voices {
                if entries.iter().any(|entry| entry.name == known.name) {
                    continue;
                }
                entries.push(VoiceEntry {
                    installed: model.is_some(),
                    path: model.clone(),
                    ..VoiceEntry::known(piece, known)
                });
            }
        }
        let place = |entry: &VoiceEntry| entry.family == Family::Kokoro;
        entries.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.name.cmp(&b.name)));
        entries
    }

    /// The model of a piece that speaks as many voices, if it is installed.
    pub(super) fn shared_model(&self, piece: &Piece) -> Option<PathBuf> {
        let is_shared = |voice: &KnownVoice| voice.family == Family::Kokoro;
        let model = piece.member(Role::Model)?;
        let is_there = piece.voices.iter().any(is_shared) && self.is_installed(piece);
        is_there.then(|| self.folder(piece).join(model))
    }

    /// Usable voices in the folder: the user's own first, then those in folders of their own.
    pub(super) fn found_voices(&self) -> Vec<VoiceFiles> {
        let (mut folders, mut models) = (Vec::new(), Vec::new());
        for path in visible(&self.voices_folder()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                models.push(path);
            }
        }
        for folder in folders {
            let piece = self
                .catalogue
                .pieces
                .iter()
                .find(|piece| self.folder(piece) == folder);
            // A fetched voice is one that its manifest vouches for.
            if piece.is_none_or(|piece: &Piece| self.is_installed(piece)) {
                models.extend(visible(&folder));
            }
        }
        models.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "onnx")
        });
        let mut found: Vec<VoiceFiles> = Vec::new();
        for files in models.iter().filter_map(|model| VoiceFiles::at(model).ok()) {
            if !found.iter().any(|other| other.name == files.name) {
                found.push(files);
            }
        }
        found
    }

    /// The piece that these files are, if they were fetched.
    pub(super) fn fetched(&self, files: &VoiceFiles) -> Option<(&Piece, &KnownVoice)> {
        let mut pieces = self.catalogue.pieces.iter();
        let is_it = |piece: &&Piece| {
            let model = piece.member(Role::Model);
            model.is_some_and(|model| files.model == self.folder(piece).join(model))
        };
        let piece = pieces.find(is_it)?;
        Some((piece, piece.voice(&files.name)?))
    }

    fn describe(&self, files: &VoiceFiles) -> VoiceEntry {
        if let Some((piece, known)) = self.fetched(files) {
            return VoiceEntry {
                installed: true,
                path: Some(files.model.clone()),
                ..VoiceEntry::known(piece, known)
            };
        }
        let config = json(&files.config);
        let text = |pointer: &str| {
            let value = config.pointer(pointer).and_then(|value| value.as_str());
            value.map_or_else(|| "unknown".to_owned(), printable)
        };
        let number = |pointer: &str| {
            config
                .pointer(pointer)
                .and_then(|value| value.as_u64()?.try_into().ok())
        };
        let licence = files
            .card
            .as_deref()
            .and_then(read_some)
            .and_then(|card| licence_in(&card));
        VoiceEntry {
            name: files.name.clone(),
            family: files.family,
            language: text("/language/code"),
            quality: text("/audio/quality"),
            sample_rate: number("/audio/sample_rate"),
            size_bytes: std::fs::metadata(&files.model).ok().map(|meta| meta.len()),
            licence: licence.unwrap_or_else(|| "unknown: see the voice's MODEL_CARD".to_owned()),
            installed: true,
            path: Some(files.model.clone()),
            speakers: number("/num_speakers"),
            grade: None,
            note: None,
        }
    }
}

pub(super) fn is_path(name_or_path: &str) -> bool {
    Path::new(name_or_path)
        .extension()
        .is_some_and(|extension| extension == "onnx")
}

/// What is in a folder, sorted, without hidden names (our staging folders are hidden).
pub(super) fn visible(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

fn read_some(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MOST_CONFIG_BYTES)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

/// The licence in a MODEL_CARD: its `* License:` line, the one under "Dataset" first.
fn licence_in(card: &str) -> Option<String> {
    let (mut in_dataset, mut other) = (false, None);
    for line in card.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('#') {
            in_dataset = heading
                .trim_matches(['#', ' '])
                .eq_ignore_ascii_case("dataset");
        }
        let item = line.trim_start_matches(['*', '-', ' ']);
        let Some((key, value)) = item.split_once(':') else {
            continue;
        };
        let value = printable(value.trim());
        if matches!(key.to_ascii_lowercase().as_str(), "license" | "licence") && !value.is_empty() {
            if in_dataset {
                return Some(value);
            }
            other.get_or_insert(value);
        }
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_the_data_sets() {
        let card = "# Model card\n* License: MIT\n\n## Dataset\n\n* URL: x\n* License: CC0\n";
        assert_eq!(licence_in(card).as_deref(), Some("CC0"));
        assert_eq!(
            licence_in("- Licence: CC BY\u{1b}[2J").as_deref(),
            Some("CC BY␛[2J")
        );
        assert_eq!(licence_in("License\n* License:\n"), None);
    }
}
