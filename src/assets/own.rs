//! A user's own voice is put beside the others. It is checked before, copied beside its place, and there
//! under its name only when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::install::{STAGING, sync_folder};
use super::{AssetError, Assets, Family, VoiceFiles};

impl Assets {
    /// The voices at a path: the one whose model it is, or all those in a folder.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] if there is none, or a model lacks its configuration.
    pub fn voices_at(&self, path: &Path) -> Result<Vec<VoiceFiles>, AssetError> {
        if !path.is_dir() {
            return Ok(vec![VoiceFiles::at(path)?]);
        }
        let entries = fs::read_dir(path).map_err(|why| AssetError::files("read", path, why))?;
        let models = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut models: Vec<PathBuf> = models
            .filter(|path| path.extension().is_some_and(|it| it == "onnx"))
            .collect();
        models.sort();
        if models.is_empty() {
            return Err(broken(path, "there is no .onnx file in this folder"));
        }
        models.iter().map(|model| VoiceFiles::at(model)).collect()
    }

    /// Copies a voice into the folder for voices, and returns where it is now.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] if there is a voice of its name already or it is not of a kind that lies
    /// in one file; [`AssetError::Io`] if it can't be copied. Nothing is left half-copied.
    pub fn add_voice(&self, files: &VoiceFiles) -> Result<VoiceFiles, AssetError> {
        let folder = self.voices_folder();
        if files.family != Family::Piper {
            let why = format!(
                "a voice of the family {} is more than its model: copy its whole folder into {}",
                files.family.name(),
                folder.display()
            );
            return Err(broken(&files.model, &why));
        }
        if self.voice(&files.name).is_ok() {
            let why = format!(
                "there is a voice called {} already; rename this one, or remove that one first",
                files.name
            );
            return Err(broken(&files.model, &why));
        }
        fs::create_dir_all(&folder).map_err(|why| AssetError::files("create", &folder, why))?;
        let staging = tempfile::Builder::new()
            .prefix(STAGING)
            .tempdir_in(&folder)
            .map_err(|why| AssetError::files("create a folder in", &folder, why))?;
        let name = |ending: &str| format!("{}{ending}", files.name);
        // The model comes last: without it the others are no voice.
        let mut all = vec![(&files.config, name(".onnx.json"))];
        all.extend(files.card.as_ref().map(|card| (card, name(".MODEL_CARD"))));
        all.push((&files.model, name(".onnx")));
        for (from, to) in &all {
            copy(from, &staging.path().join(to))?;
        }
        for (_, to) in &all {
            let place = folder.join(to);
            fs::rename(staging.path().join(to), &place)
                .map_err(|why| AssetError::files("move into place", &place, why))?;
        }
        sync_folder(&folder)?;
        VoiceFiles::at(&folder.join(name(".onnx")))
    }
}

fn broken(path: &Path, why: &str) -> AssetError {
    AssetError::VoiceFile {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), AssetError> {
    let mut source = File::open(from).map_err(|why| AssetError::files("read", from, why))?;
    let written = |why| AssetError::files("write", to, why);
    let mut file = File::create_new(to).map_err(written)?;
    io::copy(&mut source, &mut file).map_err(written)?;
    file.sync_all().map_err(written)
}
