//! A user's own voice is put beside the others. It is checked before, copied beside its place, and there
//! under its name only when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::install::{STAGING, sync_folder};
use super::voices::visible;
use super::{AssetError, Assets, Family, VoiceFiles, check};

impl Assets {
    /// The voices at a path: the one whose model it is, or all those in a folder, but for hidden ones.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] if there is none, or a model lacks its configuration.
    pub fn voices_at(&self, path: &Path) -> Result<Vec<VoiceFiles>, AssetError> {
        if !path.is_dir() {
            return Ok(vec![VoiceFiles::at(path)?]);
        }
        fs::read_dir(path).map_err(|why| AssetError::files("read", path, why))?;
        let mut models = visible(path);
        models.retain(|path| path.extension().is_some_and(|it| it == "onnx") && path.is_file());
        if models.is_empty() {
            return Err(broken(path, "there is no .onnx file in this folder"));
        }
        models.iter().map(|model| VoiceFiles::at(model)).collect()
    }

    /// Those of these voices that [`Self::add_voice`] has to copy: what is there already, byte for byte, is
    /// left out.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] for the first that can't be added: there is another voice of its name, also
    /// among these, or a command line can't name it, or it is not of a kind that lies in one file.
    pub fn to_add(&self, all: Vec<VoiceFiles>) -> Result<Vec<VoiceFiles>, AssetError> {
        let mut wanted: Vec<VoiceFiles> = Vec::new();
        for files in all {
            self.check_name(&files)?;
            let other = wanted.iter().find(|other| other.name == files.name);
            let there = self.voice(&files.name).ok();
            match other.or(there.as_ref()) {
                None => wanted.push(files),
                Some(other) if is_same(&files, other)? => {}
                Some(_) => {
                    let why = format!(
                        "there is a voice called {} already; rename this one, or remove that one first",
                        files.name
                    );
                    return Err(broken(&files.model, &why));
                }
            }
        }
        Ok(wanted)
    }

    fn check_name(&self, files: &VoiceFiles) -> Result<(), AssetError> {
        /// Longer ones leave no room for endings in a file's name.
        const LONGEST: usize = 200;
        let name = &files.name;
        if files.family != Family::Piper {
            let why = format!(
                "a voice of the family {} is more than its model: use it by its path",
                files.family.name(),
            );
            return Err(broken(&files.model, &why));
        }
        let is_plain = !name.starts_with(['.', '-'])
            && !name.ends_with(".onnx")
            && !name.is_empty()
            && name.len() <= LONGEST;
        if !is_plain {
            let why = "no command can name a voice so: rename its files to something short that \
                       begins with a letter";
            return Err(broken(&files.model, why));
        }
        Ok(())
    }

    /// Copies a voice into the folder for voices, and returns where it is now.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] if something has its name already; [`AssetError::Io`] if it can't be copied.
    /// Nothing is left half-copied, and nothing that was there is replaced.
    pub fn add_voice(&self, files: &VoiceFiles) -> Result<VoiceFiles, AssetError> {
        let folder = self.voices_folder();
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
        let mut placed: Vec<PathBuf> = Vec::new();
        for (_, to) in &all {
            let place = folder.join(to);
            let part = tempfile::TempPath::try_from_path(staging.path().join(to));
            let part = part.map_err(|why| AssetError::files("move into place", &place, why))?;
            // Another who adds a voice of this name at the same moment keeps what is theirs.
            if let Err(error) = part.persist_noclobber(&place) {
                for place in placed {
                    // Litter if it can't be removed: without a model it is no voice.
                    let _ = fs::remove_file(place);
                }
                return Err(match error.error.kind() {
                    io::ErrorKind::AlreadyExists => broken(
                        &place,
                        "there is a file of this name already; remove it first",
                    ),
                    _ => AssetError::files("move into place", &place, error.error),
                });
            }
            placed.push(place);
        }
        sync_folder(&folder)?;
        VoiceFiles::at(&folder.join(name(".onnx")))
    }
}

/// Whether two voices are the same, byte for byte.
fn is_same(one: &VoiceFiles, other: &VoiceFiles) -> Result<bool, AssetError> {
    let digest = |path: &Path| {
        let file = File::open(path).map_err(|why| AssetError::files("read", path, why))?;
        check::hash(file, |_| Ok(()), |why| AssetError::files("read", path, why))
    };
    Ok(digest(&one.config)? == digest(&other.config)?
        && digest(&one.model)? == digest(&other.model)?)
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
