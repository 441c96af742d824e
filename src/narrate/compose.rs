//! From a text to a narration: read, decode, cut, pauses, a folder of its own. Everything that can
//! be wrong with the input is found here, before any work starts.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Language;
use super::casting::{Cast, Casting};
use crate::clip::{WAV_LIMIT, slug};
use crate::engine::{Narration, NarrationSettings, Plan, PlannedSegment, Reading, Said};
use crate::settings::Pauses;
use crate::shortage::{advice, told};
use crate::speech::VoiceInfo;
use crate::text::reading::{Edit, Lexicon, NoteMarks, Taste, read_with};
use crate::text::{
    DecodeError, FormatName, Limits, OmissionReason, Recognized, Repairs, Segment, SegmentEnd,
    SegmentKind, Segmentation, Source, decode, parse, recognize, segment_with,
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
    /// What a person wants said for words can't be used.
    #[error("can't use the lexicon {}: {reason}", crate::text::printable(&path.to_string_lossy()))]
    Lexicon {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It asks for a voice that can't be had, or somebody does for a part of it.
    #[error(
        "segment {segment} of {} is for the voice {}, which can't be had: {reason}",
        crate::text::printable(name),
        crate::text::printable(voice)
    )]
    OtherVoice {
        /// The file.
        name: String,
        /// The segment, counted from 1.
        segment: usize,
        /// The voice.
        voice: String,
        /// Why, and what to do.
        reason: String,
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
    /// The file it was read from, beside which there may be a lexicon. None for what came another way:
    /// its path is only a name.
    pub file: Option<PathBuf>,
    /// The text.
    pub source: Source,
    /// The format it is read in, where that was told.
    pub written_as: Option<FormatName>,
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
        let file = Some(path.to_owned());
        let request = Self::from_bytes(name, file.clone(), bytes)?;
        Ok(Self { file, ..request })
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
            Ok(source) => Ok(Self {
                name,
                path,
                file: None,
                source,
                written_as: None,
            }),
            Err(source) => Err(ComposeError::Decode { name, source }),
        }
    }

    /// The same, read in this format if one is told, whatever its name says.
    #[must_use]
    pub fn written_as(self, format: Option<FormatName>) -> Self {
        Self {
            written_as: format,
            ..self
        }
    }

    /// The format it is read in.
    #[must_use]
    pub fn format(&self) -> Recognized {
        recognize(self.path.as_deref(), &self.source.text, self.written_as)
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
    /// The language that the text is in, if that is known.
    pub language: Option<Language>,
    /// What is left out and would be missed.
    pub left: Vec<Left>,
    /// Seconds of speech, estimated.
    pub estimated_seconds: f64,
    /// How many files the joined narration will probably need, for a WAV file holds 4 GiB.
    pub estimated_files: u64,
}

/// How a text becomes words and pauses.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// Silence between the segments.
    pub pauses: &'a Pauses,
    /// What is a matter of taste in reading.
    pub taste: &'a Taste,
    /// What a person wants said for words.
    pub lexicon: &'a Lexicon,
}

/// Cuts a text and makes a narration of it, to be spoken by `voice` (its name or its path) and those that
/// `casting` gives parts of it to, into a new folder in `out`.
///
/// # Errors
/// [`ComposeError::NothingToSpeak`]; [`ComposeError::OtherVoice`]; [`ComposeError::Output`] if the name of
/// `out` is not UTF-8.
pub fn compose(
    request: &Request,
    (info, voice): (&VoiceInfo, &str),
    settings: &NarrationSettings,
    manner: Manner<'_>,
    casting: &Casting<'_>,
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
    let (cut, language) = cut(request, info, manner, casting)?;
    let cast = cast(request, &cut, voice, casting)?;
    let settings = &NarrationSettings {
        others: cast.kept(),
        ..settings.clone()
    };
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
    let plan = Plan::new(planned(&cut.segments, &info.language, &cast, manner));
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
        file: request.file.as_deref().and_then(kept),
    };
    let left = missed(&cut.omissions);
    Ok(Composed {
        narration,
        language,
        left,
        estimated_seconds,
        estimated_files,
    })
}

/// A path as it can be kept: right wherever it is read, and text.
fn kept(file: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(file).ok()?;
    absolute.to_str().is_some().then_some(absolute)
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
    // What is said takes the time: a date of four digits is as long as three words.
    let chars: usize = plan
        .iter()
        .map(|(_, segment)| segment.spoken().chars().count())
        .sum();
    let seconds = chars as f64 * SECONDS_PER_CHAR / f64::from(speed.max(0.1)) + pauses;
    let bytes = seconds * f64::from(rate) * 2.0;
    (seconds, (bytes / WAV_LIMIT as f64).ceil().max(1.0) as u64)
}

/// Cuts a text that is spoken to someone now, and has no folder; gives its plan, and the settings with the
/// voices that say some of it.
///
/// # Errors
/// [`ComposeError::NothingToSpeak`]; [`ComposeError::OtherVoice`]
pub fn speech_plan(
    request: &Request,
    (info, voice): (&VoiceInfo, &str),
    settings: &NarrationSettings,
    manner: Manner<'_>,
    casting: &Casting<'_>,
) -> Result<(Plan, NarrationSettings), ComposeError> {
    let (cut, _) = cut(request, info, manner, casting)?;
    let cast = cast(request, &cut, voice, casting)?;
    let plan = Plan::new(planned(&cut.segments, &info.language, &cast, manner));
    let settings = NarrationSettings {
        others: cast.kept(),
        ..settings.clone()
    };
    Ok((plan, settings))
}

fn cast(
    request: &Request,
    cut: &Segmentation,
    voice: &str,
    casting: &Casting<'_>,
) -> Result<Cast, ComposeError> {
    Cast::of(cut, voice, casting).map_err(|absent| ComposeError::OtherVoice {
        name: request.name.clone(),
        segment: absent.segment + 1,
        voice: absent.voice,
        reason: absent.reason,
    })
}

fn cut(
    request: &Request,
    info: &VoiceInfo,
    manner: Manner<'_>,
    casting: &Casting<'_>,
) -> Result<(Segmentation, Option<Language>), ComposeError> {
    let text = request.source.text.as_str();
    let document = parse(text, request.format().name.format());
    let language = info.language.split(['-', '_']).next().unwrap_or("en");
    let repairs = Repairs {
        note_marks: manner.taste.note_marks == NoteMarks::Spoken,
    };
    let limits = Limits {
        speech_apart: casting.dialogue.is_some(),
        ..Limits::default()
    };
    let cut = segment_with(text, &document, language, &limits, &repairs);
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
    let found = Language::of(document.language.as_deref(), &cut.segments);
    Ok((cut, found))
}

fn first_words(text: &str) -> String {
    text.split_whitespace()
        .take(6)
        .collect::<Vec<_>>()
        .join(" ")
}

fn planned(
    segments: &[Segment],
    language: &str,
    cast: &Cast,
    manner: Manner<'_>,
) -> Vec<PlannedSegment> {
    let pauses = manner.pauses;
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
            let voice = cast.says.get(index).copied().unwrap_or_default();
            let other = usize::from(voice).checked_sub(1);
            let other = other.and_then(|other| cast.others.get(other));
            let language = other.map_or(language, |other| &other.info.language);
            PlannedSegment {
                start: segment.span.start as u64,
                end: segment.span.end as u64,
                text: segment.text.as_str().into(),
                pause_ms: match segment.pause_ms {
                    Some(asked) => asked,
                    None if before_heading => after.max(pauses.heading_ms),
                    None => after,
                },
                heading: heading(segment),
                reading: {
                    let given = segment.pronounced.iter();
                    let given = given.map(|(span, phonemes)| as_given(span.clone(), phonemes));
                    reading(&segment.text, given.collect(), language, manner)
                },
                voice,
            }
        })
        .collect()
}

/// The phonemes that the author has given for some of a segment's text.
fn as_given(span: Range<usize>, phonemes: &str) -> Edit {
    Edit {
        span,
        said: format!("[[{phonemes}]]").into(),
        left_out: None,
    }
}

/// What of a segment's text is said otherwise than it is written.
fn reading(text: &str, given: Vec<Edit>, language: &str, manner: Manner<'_>) -> Reading {
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let said = |edit: Edit| Said {
        start: place(edit.span.start),
        end: place(edit.span.end),
        words: edit.said,
        left_out: edit.left_out.map(|reason| reason.to_string().into()),
    };
    let edits = read_with(text, language, manner.taste, manner.lexicon, given);
    Reading::new(edits.into_iter().map(said).collect())
}

/// The same narration, read again: what is said for its words may have changed since. It is cut as before.
/// It has another fingerprint if anything is said otherwise.
#[must_use]
pub fn read_again(narration: &Narration, language: &str, manner: Manner<'_>) -> Narration {
    let source = &*narration.source;
    let read = |segment: &PlannedSegment| PlannedSegment {
        reading: {
            let given = given_in(source, &segment.reading);
            reading(&segment.text, given, language, manner)
        },
        ..segment.clone()
    };
    let plan = Plan::new(
        narration
            .plan
            .iter()
            .map(|(_, segment)| read(segment))
            .collect(),
    );
    known_anew(
        Narration {
            plan: Arc::new(plan),
            ..narration.clone()
        },
        narration,
    )
}

/// The same narration to be spoken by another voice, which `reference` stands for, by this speaker of it or
/// its first one, and read anew in its language.
#[must_use]
pub fn spoken_by(
    narration: &Narration,
    info: &VoiceInfo,
    reference: &str,
    speaker: Option<u32>,
    manner: Manner<'_>,
) -> Narration {
    let again = read_again(narration, &info.language, manner);
    let settings = NarrationSettings {
        speaker,
        ..narration.settings.clone()
    };
    let new = Narration {
        voice: reference.into(),
        voice_version: info.version.as_str().into(),
        settings,
        ..again
    };
    known_anew(new, narration)
}

/// The narration with its fingerprint, where it was another one before.
fn known_anew(new: Narration, old: &Narration) -> Narration {
    // The folder may have got a number behind the name that the narration was to have.
    let numbered = old.folder.to_string_lossy().into_owned();
    let bare = numbered.rsplit_once('-').filter(|(_, number)| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    let wanted = bare.map(|(bare, _)| PathBuf::from(bare));
    let known = |narration: &Narration, folder: &Path| {
        let Narration {
            source,
            plan,
            voice,
            voice_version,
            settings,
            ..
        } = narration;
        fingerprint(source, plan, voice, voice_version, settings, folder)
    };
    let folder = wanted
        .filter(|folder| known(old, folder) == old.fingerprint)
        .unwrap_or_else(|| old.folder.clone());
    Narration {
        fingerprint: known(&new, &folder),
        ..new
    }
}

/// The phonemes in a segment's reading that its author has written behind a word, as `[w](/…/)`: they
/// stand in the source.
fn given_in(written: &str, reading: &Reading) -> Vec<Edit> {
    let given = reading.said().iter().filter_map(|said| {
        let phonemes = said.words.strip_prefix("[[")?.strip_suffix("]]")?;
        let is_written = written.contains(&format!("](/{phonemes}/)"));
        is_written.then(|| as_given(said.start as usize..said.end as usize, phonemes))
    });
    given.collect()
}

/// What is left out and is not just form: words that someone might want to hear.
fn missed(omissions: &[crate::text::Omission]) -> Vec<Left> {
    let mut by_reason: BTreeMap<String, Left> = BTreeMap::new();
    for omission in omissions {
        let reason = omission.reason;
        if !matches!(
            reason,
            OmissionReason::Code
                | OmissionReason::Html
                | OmissionReason::Hidden
                | OmissionReason::Comment
                | OmissionReason::Control
                | OmissionReason::PageNumber
                | OmissionReason::RunningHead
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
    // Nothing where one voice says all: such narrations are known again from earlier versions.
    for other in &settings.others {
        add(other.voice.as_bytes());
        add(other.version.as_bytes());
    }
    for (_, segment) in plan.iter() {
        add(&segment.start.to_le_bytes());
        add(&segment.end.to_le_bytes());
        add(&segment.pause_ms.to_le_bytes());
        // A reading of the same bytes in another format, with other words.
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let written = text.get(place(segment.start)..place(segment.end));
        let same = written.is_some_and(|written| {
            written
                .split_whitespace()
                .eq(segment.text.split_whitespace())
        });
        if !same {
            add(segment.text.as_bytes());
        }
        if segment.voice > 0 {
            add(&segment.voice.to_le_bytes());
        }
        // Nothing where all is said as it stands: such texts are known again from earlier versions.
        for said in segment.reading.said() {
            add(&said.start.to_le_bytes());
            add(&said.end.to_le_bytes());
            add(said.words.as_bytes());
        }
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
