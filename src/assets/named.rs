//! What a voice's name stands for: a file, a voice that was fetched or could be, or a blend of some. It
//! tells what such a voice needs; it must never fetch anything.

use std::path::Path;

use super::blend::{Blend, BlendError, is_blend};
use super::voices::is_path;
use super::{
    AssetError, Assets, Family, Ingredient, KnownVoice, Piece, PieceId, Role, VoiceEntry,
    VoiceFiles,
};
use crate::text::excerpt;

/// Below this likeness a suggestion would puzzle more than it helps.
const LIKE_ENOUGH: f64 = 0.7;
/// So much of a name is told, and no longer name is taken for a slip, in bytes.
pub(super) const LONGEST_NAME: usize = 100;

/// The voice that somebody means.
enum Meant<'a> {
    /// One that is there, fetched or a user's own.
    Found(VoiceFiles),
    /// One that could be fetched.
    Known(&'a Piece, &'a KnownVoice),
    /// One that shares its model with others, or several of these, fetched or not.
    Kokoro(&'a Piece, Blend),
}

/// The name of a voice as it is stored: with a blend's shares in full, whatever was written.
#[must_use]
pub fn canonical_name(voice: &str) -> String {
    let blend = is_blend(voice).then(|| Blend::parse(voice));
    match blend {
        Some(Ok(blend)) => blend.to_string(),
        _ => voice.to_owned(),
    }
}

impl Assets {
    /// The files of a voice: by path when it ends in `.onnx`, otherwise by name, which may be that of a blend.
    ///
    /// # Errors
    /// [`AssetError::VoiceFile`] for a path without a model or config,
    /// [`AssetError::Missing`] for a known voice that is not installed,
    /// [`AssetError::Blend`] for a blend that can't be made,
    /// [`AssetError::Unspoken`] for a voice whose language can't be spoken yet,
    /// [`AssetError::UnknownVoice`] with the nearest name otherwise.
    pub fn voice(&self, name_or_path: &str) -> Result<VoiceFiles, AssetError> {
        match self.meant(name_or_path)? {
            Meant::Found(files) => Ok(files),
            Meant::Known(piece, _) => Err(AssetError::Missing {
                piece: piece.name(),
            }),
            Meant::Kokoro(piece, blend) => self.kokoro(piece, &blend),
        }
    }

    /// What narrating with this voice needs: the runtime, eSpeak NG if it takes its phonemes from there,
    /// and the voice itself when it is one that can be fetched and no user's file takes its place.
    #[must_use]
    pub fn need_for(&self, voice: &str) -> Vec<PieceId> {
        let mut need = vec![PieceId::ONNXRUNTIME];
        let (takes_espeak, piece) = match self.meant(voice) {
            Ok(Meant::Found(files)) => {
                let fetched = self.fetched(&files).filter(|_| !is_path(voice));
                (files.takes_espeak(), fetched.map(|(piece, _)| piece))
            }
            // It is fetched first.
            Ok(Meant::Known(piece, known)) => {
                (known.family.takes_espeak(&known.language), Some(piece))
            }
            Ok(Meant::Kokoro(piece, blend)) => {
                let voices = blend.0.iter().filter_map(|share| piece.voice(&share.name));
                let mut takes = voices.map(|voice| voice.family.takes_espeak(&voice.language));
                (takes.any(|takes| takes), Some(piece))
            }
            Err(_) => (true, None),
        };
        if takes_espeak {
            need.push(PieceId::ESPEAK_NG);
        }
        need.extend(piece.map(|piece| piece.id.clone()));
        need
    }

    /// The voice that somebody means, whether or not it is installed.
    fn meant(&self, name_or_path: &str) -> Result<Meant<'_>, AssetError> {
        if is_path(name_or_path) {
            return VoiceFiles::at(Path::new(name_or_path)).map(Meant::Found);
        }
        let found = self.found_voices();
        // A user's own voice may be called what would be a blend, and then be stored as one.
        let is_it = |name: &str| name == name_or_path || canonical_name(name) == name_or_path;
        if let Some(files) = found.into_iter().find(|files| is_it(&files.name)) {
            return Ok(Meant::Found(files));
        }
        if let Some((piece, known)) = self.catalogue.voice(name_or_path)
            && known.family != Family::Kokoro
        {
            return Ok(Meant::Known(piece, known));
        }
        if is_blend(name_or_path) || self.catalogue.voice(name_or_path).is_some() {
            return self.blend(name_or_path);
        }
        self.expect_spoken(name_or_path)?;
        Err(AssetError::UnknownVoice {
            name: excerpt(name_or_path, LONGEST_NAME),
            nearest: self.nearest(name_or_path, |_| true),
        })
    }

    /// A Kokoro voice or several, each of which there is.
    fn blend(&self, text: &str) -> Result<Meant<'_>, AssetError> {
        let wrong = |why| AssetError::Blend {
            name: excerpt(text, LONGEST_NAME),
            why,
        };
        let blend = Blend::parse(text).map_err(wrong)?;
        let mut found = None;
        for share in &blend.0 {
            let name = &share.name;
            let (piece, _) = match self.catalogue.voice(name) {
                Some((piece, known)) if known.family == Family::Kokoro => (piece, known),
                Some(_) => return Err(wrong(BlendError::OtherFamily(name.clone()))),
                None => {
                    self.expect_spoken(name)?;
                    let printable = excerpt(name, LONGEST_NAME);
                    if self.found_voices().iter().any(|files| files.name == *name) {
                        return Err(wrong(BlendError::OtherFamily(printable)));
                    }
                    let nearest = self.nearest(name, |voice| voice.family == Family::Kokoro);
                    let name = printable;
                    return Err(wrong(BlendError::Unknown { name, nearest }));
                }
            };
            found = Some(piece);
        }
        let piece = found.ok_or_else(|| wrong(BlendError::NoName))?;
        Ok(Meant::Kokoro(piece, blend))
    }

    /// The files of a Kokoro voice or blend.
    fn kokoro(&self, piece: &Piece, blend: &Blend) -> Result<VoiceFiles, AssetError> {
        let missing = || AssetError::Missing {
            piece: piece.name(),
        };
        let model = self.shared_model(piece).ok_or_else(missing)?;
        let folder = self.folder(piece);
        let config = piece.member(Role::Config).ok_or_else(missing)?;
        let packs = blend.0.iter().map(|share| Ingredient {
            name: share.name.clone(),
            pack: folder.join(format!("{}.bin", share.name)),
            percent: share.percent,
        });
        Ok(VoiceFiles {
            name: blend.to_string(),
            model,
            config: folder.join(config),
            family: Family::Kokoro,
            card: None,
            blend: packs.collect(),
        })
    }

    /// Sees that this is none of the voices whose language can't be spoken yet.
    fn expect_spoken(&self, name: &str) -> Result<(), AssetError> {
        let Some((piece, language)) = self.catalogue.unspoken(name) else {
            return Ok(());
        };
        let mut others: Vec<&str> = Vec::new();
        for voice in &piece.voices {
            if !others.contains(&&*voice.language) {
                others.push(&voice.language);
            }
        }
        Err(AssetError::Unspoken {
            name: name.to_owned(),
            language: language.to_owned(),
            others: others.join(", "),
        })
    }

    /// The voice whose name is most like this one.
    fn nearest(&self, name: &str, among: impl Fn(&VoiceEntry) -> bool) -> Option<String> {
        self.voices()
            .into_iter()
            // Comparing takes the product of both lengths.
            .filter(|voice| name.len() <= LONGEST_NAME && among(voice))
            .map(|voice| (strsim::jaro_winkler(&voice.name, name), voice.name))
            .filter(|(likeness, _)| *likeness > LIKE_ENOUGH)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    }

    /// Whether this is a blend of voices that there are, fetched or not.
    #[must_use]
    pub fn is_known_blend(&self, name: &str) -> bool {
        is_blend(name) && matches!(self.meant(name), Ok(Meant::Kokoro(..)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blend_is_stored_in_full_and_all_else_as_it_is() {
        for (written, stored) in [
            ("af_heart + bf_emma", "af_heart:50+bf_emma:50"),
            ("af_heart:100", "af_heart"),
            ("af_heart", "af_heart"),
            ("af_heart:60+bf_emma", "af_heart:60+bf_emma"),
            ("/voices/a+b.onnx", "/voices/a+b.onnx"),
        ] {
            assert_eq!(canonical_name(written), stored);
        }
    }
}
