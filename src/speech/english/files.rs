//! Reads the files that the phonemes are looked up in: JSON, most of it packed. Whatever is wrong with one
//! is an error that names it.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::engine::Shortage;
use crate::speech::SpeechError;

/// No file of this kind is larger, unpacked; one that is would fill the memory.
const LARGEST: u64 = 64 << 20;

/// What is in a file, unpacked if its name ends in `.gz`.
///
/// # Errors
/// [`SpeechError::Config`], or [`SpeechError::Shortage`].
pub(super) fn read(path: &Path) -> Result<Vec<u8>, SpeechError> {
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let read = || {
        let file = File::open(path)?;
        let mut bytes = Vec::new();
        if is_packed {
            flate2::read::GzDecoder::new(file)
                .take(LARGEST + 1)
                .read_to_end(&mut bytes)?;
        } else {
            file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    let bytes = read().map_err(|error: std::io::Error| match Shortage::of(&error) {
        Some(shortage) => SpeechError::Shortage {
            doing: format!("read {}", path.display()),
            shortage,
        },
        None => unusable(path, &error.to_string()),
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(unusable(path, "it is too large"));
    }
    Ok(bytes)
}

/// A JSON file as a value.
///
/// # Errors
/// As [`read`].
pub(super) fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, SpeechError> {
    serde_json::from_slice(&read(path)?).map_err(|error| unusable(path, &error.to_string()))
}

/// A JSON file through something that takes it in as it comes, so that it is never there twice.
///
/// # Errors
/// As [`read`].
pub(super) fn parse_into<S>(path: &Path, seed: S) -> Result<(), SpeechError>
where
    S: for<'de> DeserializeSeed<'de, Value = ()>,
{
    let bytes = read(path)?;
    let mut parser = serde_json::Deserializer::from_slice(&bytes);
    seed.deserialize(&mut parser)
        .and_then(|()| parser.end())
        .map_err(|error| unusable(path, &error.to_string()))
}

/// An error about a file.
pub(super) fn unusable(path: &Path, reason: &str) -> SpeechError {
    SpeechError::Config {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A text that is copied only if something in it is escaped.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// An object of whatever keys: each is given to `key`, which makes what takes its value in.
pub(super) struct Object<F>(pub F);

/// Takes one value of an object in.
pub(super) trait Member {
    /// Reads the value that comes next.
    ///
    /// # Errors
    /// Those of the parser.
    fn take<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error>;
}

impl<'de, F: Member> DeserializeSeed<'de> for Object<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'de, F: Member> Visitor<'de> for Object<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(Text(key)) = map.next_key()? {
            self.0.take(&key, &mut map)?;
        }
        Ok(())
    }
}
