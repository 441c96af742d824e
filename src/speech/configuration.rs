//! The file beside a model that says how it is to be used.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::SpeechError;
use crate::assets::VoiceFiles;
use crate::engine::Shortage;

/// The largest configuration that is read; real ones have some 10 KB.
const LARGEST: u64 = 16 << 20;

/// What a configuration says.
///
/// # Errors
/// [`SpeechError::Config`] or [`SpeechError::Shortage`] if it can't be read.
pub(super) fn read(path: &Path) -> Result<String, SpeechError> {
    let failed = |reason: String| SpeechError::Config {
        path: path.to_owned(),
        reason,
    };
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed("it is missing; it belongs beside the model".into()),
        _ => failed(error.to_string()),
    })?;
    if !metadata.is_file() {
        return Err(failed("it is not a file".into()));
    }
    if metadata.len() > LARGEST {
        return Err(failed(format!(
            "it has {} bytes, which no configuration has",
            metadata.len()
        )));
    }
    std::fs::read_to_string(path).map_err(|error| match Shortage::of(&error) {
        Some(shortage) => SpeechError::Shortage {
            doing: format!("read the voice's configuration {}", path.display()),
            shortage,
        },
        None => failed(error.to_string()),
    })
}

/// What tells a voice from another of the same name. Hashing the model as well would cost more than it
/// tells: a retrained one has another configuration or another size, and a fetched one is checked when it
/// is installed.
pub(super) fn version(config: &str, files: &VoiceFiles) -> String {
    let hash: String = Sha256::digest(config)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let size = std::fs::metadata(&files.model).map_or(0, |model| model.len());
    format!("{hash}-{size}")
}

/// The same of a voice whose configuration is that of others of its family, and whose model is small: its
/// bytes tell it from them.
pub(super) fn version_with_model(config: &str, files: &VoiceFiles) -> String {
    let crc = std::fs::File::open(&files.model).and_then(|model| {
        let mut hasher = crc32fast::Hasher::new();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(model, LARGEST), &mut bytes)?;
        hasher.update(&bytes);
        Ok(hasher.finalize())
    });
    format!("{}-{:08x}", version(config, files), crc.unwrap_or_default())
}
