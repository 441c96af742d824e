//! From a text to a narration: read, decode, cut, pauses, a folder of its own. Everything that can
//! be wrong with the input is found here, before any work starts.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clip::{WAV_LIMIT, slug};
use crate::engine::{Narration, NarrationSettings, Plan, PlannedSegment};
use crate::settings::Pauses;
use crate::shortage::{advice, told};
use crate::speech::VoiceInfo;
use crate::text::{
    DecodeError, Limits, OmissionReason, Segment, SegmentEnd, SegmentKind, Segmentation, Source,
    decode, format_for, segment,
};

/// Seconds of speech in a character, on average: some 15 characters a second.
const SECONDS_PER_CHAR: f64 = 0.066;

/// What is wrong with the input.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The file can't be read.
    #[error("can't read {}: {reason}", crate::text::printable(name))]
    Read {
        /// The file.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// What is in it is not a text.
    #[error("can't read {}: {source}", crate::text::printable(name))]
    Decode {
        /// The file.
        name: String,
        /// Why.
        source: DecodeError,
    },
    /// It holds nothing that can be spoken.
    #[error(
        "there is nothing to speak in {}: it holds {left}; give a text that has words",
        crate::text::printable(name)
    )]
    NothingToSpeak {
        /// The file.
        name: String,
        /// What it holds instead.
        left: String,
    },
    /// The output folder can't be used.
    #[error(
        "can't write to the output folder {path}: {source}; {}",
        advice(source, "choose another with --out")
    )]
    Output {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A text that was read, and what it is called.
#[derive(Debug)]
pub struct Request {
    /// What messages call it: the path as it was given, or "standard input".
    pub name: String,
    /// Its path, from which its format is known; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The text.
    pub source: Source,
}

impl Request {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// [`ComposeError::Read`] or [`ComposeError::Decode`].
    pub fn read(path: &Path) -> Result<Self, ComposeError> {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            let name = "standard input".to_owned();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| ComposeError::Read {
                    name: name.clone(),
                    reason: told(&error),
                })?;
            return Self::from_bytes(name, None, bytes);
        }
        let name = path.display().to_string();
        let failed = |reason: String| ComposeError::Read {
            name: name.clone(),
            reason,
        };
        if path.is_dir() {
            return Err(failed("it is a folder; name the files in it".into()));
        }
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed("there is no such file; check the name".into()),
            io::ErrorKind::PermissionDenied => failed("permission denied".into()),
            _ => failed(told(&error)),
        })?;
        Self::from_bytes(name, Some(path.to_owned()), bytes)
    }

    /// A text that is in memory.
    ///
    /// # Errors
    /// [`ComposeError::Decode`].
    pub fn from_bytes(
        name: String,
        path: Option<PathBuf>,
        bytes: Vec<u8>,
    ) -> Result<Self, ComposeError> {
        match decode(bytes) {
            Ok(source) => Ok(Self { name, path, source }),
            Err(source) => Err(ComposeError::Decode { name, source }),
        }
    }
}

/// Something of the text that is left out on purpose and that a person would want to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Why.
    pub reason: OmissionReason,
    /// How many stretches.
    pub stretches: usize,
    /// Bytes in them.
    pub bytes: usize,
}

/// A narration that can be submitted once it has a folder.
#[derive(Debug)]
pub struct Composed {
    /// The narration; its folder is where it would like to be.
    pub narration: Narration,
    /// Its segments as the text room cut them.
    pub segments: Vec<Segment>,
    /// What is left out and would be missed.
    pub left: Vec<Left>,
    /// Seconds of speech, estimated.
    pub estimated_seconds: f64,
    /// How many files the joined narration will probably need, for a WAV file holds 4 GiB.
    pub estimated_files: u64,
}

/// Cuts a text and makes a narration of it, to be spoken by `voice` (its name or its path) into a
/// new folder in `out`.
///
/// # Errors
/// [`ComposeError::NothingToSpeak`]; [`ComposeError::Output`] if the name of `out` is not UTF-8.
pub fn compose(
    request: &Request,
    info: &VoiceInfo,
    voice: &str,
    settings: &NarrationSettings,
    pauses: &Pauses,
    out: &Path,
) -> Result<Composed, ComposeError> {
    if out.to_str().is_none() {
        let source = io::Error::other("its name is not valid UTF-8, which the database needs");
        return Err(ComposeError::Output {
            path: out.to_owned(),
            source,
        });
    }
    let text = request.source.text.as_str();
    let cut = cut(request, info)?;
    let stem = request
        .path
        .as_deref()
        .and_then(Path::file_stem)
        .map(|stem| stem.to_string_lossy());
    let title = cut
        .title
        .clone()
        .or_else(|| stem.as_deref().map(ToOwned::to_owned))
        .unwrap_or_else(|| first_words(&cut.segments[0].text));
    let folder = out.join(slug(stem.as_deref().unwrap_or(&title)));
    let plan = Plan::new(planned(&cut.segments, pauses));
    let (estimated_seconds, estimated_files) = estimate(&plan, info.sample_rate, settings.speed);
    let narration = Narration {
        title: title.into(),
        source: text.into(),
        fingerprint: fingerprint(text, &plan, voice, &info.version, settings, &folder),
        plan: Arc::new(plan),
        folder,
        voice: voice.into(),
        voice_version: info.version.as_str().into(),
        settings: settings.clone(),
    };
    let left = missed(&cut.omissions);
    Ok(Composed {
        narration,
        segments: cut.segments,
        left,
        estimated_seconds,
        estimated_files,
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of a positive number"
)]
fn estimate(plan: &Plan, rate: u32, speed: f32) -> (f64, u64) {
    let pauses: f64 = plan
        .iter()
        .map(|(_, segment)| f64::from(segment.pause_ms) / 1000.0)
        .sum();
    let seconds = plan.chars() as f64 * SECONDS_PER_CHAR / f64::from(speed.max(0.1)) + pauses;
    let bytes = seconds * f64::from(rate) * 2.0;
    (seconds, (bytes / WAV_LIMIT as f64).ceil().max(1.0) as u64)
}

/// Cuts a text that is spoken to someone now, and has no folder.
///
/// # Errors
/// [`ComposeError::NothingToSpeak`]
pub fn speech_plan(
    request: &Request,
    info: &VoiceInfo,
    pauses: &Pauses,
) -> Result<Plan, ComposeError> {
    let cut = cut(request, info)?;
    Ok(Plan::new(planned(&cut.segments, pauses)))
}

fn cut(request: &Request, info: &VoiceInfo) -> Result<Segmentation, ComposeError> {
    let text = request.source.text.as_str();
    let document = format_for(request.path.as_deref(), text).parse(text);
    let language = info.language.split(['-', '_']).next().unwrap_or("en");
    let cut = segment(text, &document, language, &Limits::default());
    if cut.segments.is_empty() {
        let mut reasons: Vec<_> = cut
            .omissions
            .iter()
            .map(|omission| omission.reason.to_string())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        let left = if reasons.is_empty() {
            "blank space".into()
        } else {
            reasons.join(", ")
        };
        return Err(ComposeError::NothingToSpeak {
            name: request.name.clone(),
            left,
        });
    }
    Ok(cut)
}

fn first_words(text: &str) -> String {
    text.split_whitespace()
        .take(6)
        .collect::<Vec<_>>()
        .join(" ")
}

fn planned(segments: &[Segment], pauses: &Pauses) -> Vec<PlannedSegment> {
    let heading = |segment: &Segment| matches!(segment.kind, SegmentKind::Heading(_));
    segments
        .iter()
        .enumerate()
        .map(|(index, segment)| {
            let after = match segment.end {
                SegmentEnd::Clause => pauses.clause_ms,
                SegmentEnd::Sentence => pauses.sentence_ms,
                SegmentEnd::Paragraph => pauses.paragraph_ms,
                SegmentEnd::Heading => pauses.heading_ms,
            };
            let before_heading = segments.get(index + 1).is_some_and(heading);
            PlannedSegment {
                start: segment.span.start as u64,
                end: segment.span.end as u64,
                text: segment.text.as_str().into(),
                pause_ms: if before_heading {
                    after.max(pauses.heading_ms)
                } else {
                    after
                },
                heading: heading(segment),
            }
        })
        .collect()
}

/// What is left out and is not just form: words that someone might want to hear.
fn missed(omissions: &[crate::text::Omission]) -> Vec<Left> {
    let mut by_reason: BTreeMap<String, Left> = BTreeMap::new();
    for omission in omissions {
        let reason = omission.reason;
        if !matches!(
            reason,
            OmissionReason::Code | OmissionReason::Html | OmissionReason::Control
        ) {
            continue;
        }
        let left = by_reason.entry(reason.to_string()).or_insert(Left {
            reason,
            stretches: 0,
            bytes: 0,
        });
        left.stretches += 1;
        left.bytes += omission.span.len();
    }
    by_reason.into_values().collect()
}

/// Known again: the same text, cut the same way, with the same voice and settings, to the same
/// place.
fn fingerprint(
    text: &str,
    plan: &Plan,
    voice: &str,
    version: &str,
    settings: &NarrationSettings,
    folder: &Path,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(text.as_bytes());
    add(voice.as_bytes());
    add(version.as_bytes());
    add(&settings.speed.to_le_bytes());
    add(&settings.speaker.map_or([0xff; 4], u32::to_le_bytes));
    add(folder.as_os_str().as_encoded_bytes());
    for (_, segment) in plan.iter() {
        add(&segment.start.to_le_bytes());
        add(&segment.end.to_le_bytes());
        add(&segment.pause_ms.to_le_bytes());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
