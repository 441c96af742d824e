//! What the two sides say to each other. All of it is plain data; what one side could not understand
//! is an error that says so, never a panic.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::{Comparison, Layout, Runtime, Speech, SpeechError, Utterance};
use super::frame::{Frame, FrameError, Kind};
use crate::assets::{EspeakFiles, Family, Ingredient, VoiceFiles};
use crate::engine::{Limits, NarrationSettings, Shortage};

/// Raised with every change that the other side could not understand.
pub(super) const PROTOCOL: u32 = 3;

/// Who is speaking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub protocol: u32,
    /// The version of the program.
    pub version: String,
}

impl Hello {
    pub(super) fn ours() -> Self {
        Self {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A request, and the number that its reply has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Numbered {
    pub number: u64,
    pub request: Request,
}

/// What the voice is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Request {
    /// Take up this voice: the first request.
    Load(Box<Load>),
    /// Open the front end.
    FrontEnd,
    /// Begin to open a model, for whoever opens one next. There is no reply.
    WarmUp,
    /// Prepare a text.
    Prepare { text: String },
    /// Open a model; the number of this request is its name from then on.
    Open,
    /// Speak with an open model.
    Synthesize {
        model: u64,
        utterance: Utterance,
        ahead: Vec<Utterance>,
        settings: Settings,
    },
    /// Compare the layouts of the decoder.
    CompareLayouts,
    /// Stop what a model has begun ahead.
    CancelPrefetch { model: u64 },
    /// Close a model. There is no reply.
    Close { model: u64 },
    /// Break off the request with this number, if it is not done. There is no reply but that
    /// request's own.
    Stop { number: u64 },
}

/// A voice and what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Load {
    name: String,
    #[serde(with = "path")]
    model: PathBuf,
    #[serde(with = "path")]
    config: PathBuf,
    #[serde(with = "path")]
    onnxruntime: PathBuf,
    family: Family,
    blend: Vec<Part>,
    espeak: Option<Espeak>,
    threads: Option<usize>,
    layout: Option<Layout>,
    limits: Limits,
    /// Where to begin among the cores, if it may have only some of them: children side by side take
    /// turns.
    first_core: usize,
}

/// As [`Ingredient`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    name: String,
    #[serde(with = "path")]
    pack: PathBuf,
    percent: u32,
}

/// Where eSpeak NG is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Espeak {
    #[serde(with = "path")]
    library: PathBuf,
    #[serde(with = "path")]
    data: PathBuf,
}

impl Load {
    /// The other process has another working directory: what lies in this one's is named in full.
    pub(super) fn new(files: &VoiceFiles, runtime: &Runtime, limits: Limits) -> Self {
        static CORES_GIVEN: AtomicUsize = AtomicUsize::new(0);
        let cores = limits.cores.unwrap_or(0);

        let full = |path: &PathBuf| {
            // The name of a library that the system finds stays as it is.
            let path = Some(path).filter(|path| path.exists());
            path.and_then(|path| std::path::absolute(path).ok())
        };
        let full = |path: &PathBuf| full(path).unwrap_or_else(|| path.clone());
        Self {
            name: files.name.clone(),
            model: full(&files.model),
            config: full(&files.config),
            onnxruntime: full(&runtime.onnxruntime),
            family: files.family,
            blend: (files.blend.iter())
                .map(|part| Part {
                    name: part.name.clone(),
                    pack: full(&part.pack),
                    percent: part.percent,
                })
                .collect(),
            espeak: runtime.espeak.as_ref().map(|espeak| Espeak {
                library: full(&espeak.library),
                data: full(&espeak.data),
            }),
            threads: runtime.threads,
            layout: runtime.layout,
            limits,
            first_core: CORES_GIVEN.fetch_add(cores, Ordering::Relaxed),
        }
    }

    pub(super) fn limits(&self) -> (Limits, usize) {
        (self.limits, self.first_core)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn model(&self) -> &Path {
        &self.model
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    pub(super) fn into_parts(self) -> (VoiceFiles, Runtime) {
        let files = VoiceFiles {
            name: self.name,
            model: self.model,
            config: self.config,
            family: self.family,
            card: None,
            blend: (self.blend.into_iter())
                .map(|part| Ingredient {
                    name: part.name,
                    pack: part.pack,
                    percent: part.percent,
                })
                .collect(),
        };
        let runtime = Runtime {
            onnxruntime: self.onnxruntime,
            espeak: self.espeak.map(|espeak| EspeakFiles {
                library: espeak.library,
                data: espeak.data,
            }),
            threads: match (self.threads, self.limits.cores) {
                (Some(threads), Some(cores)) => Some(threads.min(cores)),
                (threads, _) => threads,
            },
            layout: self.layout,
        };
        (files, runtime)
    }
}

/// How to speak. JSON has no numbers beyond the finite ones, so the speed goes as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    speed: u32,
    speaker: Option<u32>,
}

impl From<&NarrationSettings> for Settings {
    fn from(settings: &NarrationSettings) -> Self {
        Self {
            speed: settings.speed.to_bits(),
            speaker: settings.speaker,
        }
    }
}

impl From<Settings> for NarrationSettings {
    fn from(settings: Settings) -> Self {
        Self {
            speed: f32::from_bits(settings.speed),
            speaker: settings.speaker,
            ..Self::default()
        }
    }
}

/// A reply, and the number of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub number: u64,
    pub reply: Reply,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The voice is there, and this is its version.
    Loaded {
        version: String,
    },
    /// It is done, and there is nothing to add.
    Done,
    Prepared(Utterance),
    /// The model is open, and makes use of so many utterances ahead. Its bytes have this checksum.
    Opened {
        looks_ahead: usize,
        checksum: Option<u32>,
    },
    Compared(Option<Comparison>),
    /// Goes in a frame of its own kind.
    #[serde(skip)]
    Spoken(Speech),
    Failed(#[serde(with = "WireError")] SpeechError),
}

/// Why a message can't be sent or understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a message can't be understood: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a message of samples has {0} bytes, which is none")]
    Samples(usize),
    #[error("a message comes out of turn: {0:?}")]
    OutOfTurn(Kind),
    #[error(
        "it is aloud {} and speaks version {} of the protocol; this is aloud {}, which speaks {PROTOCOL}",
        .0.version.escape_debug(), .0.protocol, env!("CARGO_PKG_VERSION")
    )]
    Protocol(Hello),
}

/// Something is wrong with the process itself.
pub(super) fn process_error(reason: impl ToString) -> SpeechError {
    SpeechError::Process {
        reason: reason.to_string(),
    }
}

/// The number, the time and how many durations there are come first, then these, then the samples.
const SAMPLES_HEADER: usize = 20;

impl Hello {
    pub(super) fn bytes(&self) -> Result<Vec<u8>, MessageError> {
        to_bytes(Kind::Hello, self)
    }

    pub(super) fn of(frame: &Frame) -> Result<Self, MessageError> {
        of_json(Kind::Hello, frame)
    }
}

impl Numbered {
    pub(super) fn bytes(&self) -> Result<Vec<u8>, MessageError> {
        to_bytes(Kind::Request, self)
    }

    pub(super) fn of(frame: &Frame) -> Result<Self, MessageError> {
        of_json(Kind::Request, frame)
    }
}

impl Answer {
    pub(super) fn bytes(&self) -> Result<Vec<u8>, MessageError> {
        let Reply::Spoken(speech) = &self.reply else {
            return to_bytes(Kind::Reply, self);
        };
        let Speech {
            samples, durations, ..
        } = speech;
        let numbers = durations.len() + samples.len();
        let mut payload = Vec::with_capacity(SAMPLES_HEADER + 4 * numbers);
        payload.extend(self.number.to_le_bytes());
        let nanoseconds = u64::try_from(speech.work.as_nanos()).unwrap_or(u64::MAX);
        payload.extend(nanoseconds.to_le_bytes());
        let count = u32::try_from(durations.len()).unwrap_or(u32::MAX);
        payload.extend(count.to_le_bytes());
        payload.extend(durations.iter().flat_map(|one| one.to_le_bytes()));
        payload.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        Ok(Frame::bytes(Kind::Samples, &payload)?)
    }

    pub(super) fn of(frame: &Frame) -> Result<Self, MessageError> {
        if frame.kind != Kind::Samples {
            return of_json(Kind::Reply, frame);
        }
        let wrong = || MessageError::Samples(frame.payload.len());
        let (number, rest) = frame.payload.split_first_chunk().ok_or_else(wrong)?;
        let (nanoseconds, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let (count, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let (numbers, []) = rest.as_chunks::<4>() else {
            return Err(wrong());
        };
        let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| wrong())?;
        let (durations, samples) = numbers.split_at_checked(count).ok_or_else(wrong)?;
        Ok(Self {
            number: u64::from_le_bytes(*number),
            reply: Reply::Spoken(Speech {
                samples: samples.iter().map(|one| f32::from_le_bytes(*one)).collect(),
                durations: durations
                    .iter()
                    .map(|one| u32::from_le_bytes(*one))
                    .collect(),
                work: Duration::from_nanos(u64::from_le_bytes(*nanoseconds)),
            }),
        })
    }
}

fn to_bytes(kind: Kind, message: &impl Serialize) -> Result<Vec<u8>, MessageError> {
    Ok(Frame::bytes(kind, &serde_json::to_vec(message)?)?)
}

fn of_json<T: DeserializeOwned>(kind: Kind, frame: &Frame) -> Result<T, MessageError> {
    if frame.kind != kind {
        return Err(MessageError::OutOfTurn(frame.kind));
    }
    Ok(serde_json::from_slice(&frame.payload)?)
}

/// By its own name serde would take it for a part of the bytes that are read.
type Name = &'static str;

/// [`SpeechError`] as it is sent. What only the parent knows of is never sent.
#[derive(Serialize, Deserialize)]
#[serde(remote = "SpeechError")]
enum WireError {
    Config {
        #[serde(with = "path")]
        path: PathBuf,
        reason: String,
    },
    Model {
        #[serde(with = "path")]
        path: PathBuf,
        reason: String,
    },
    Library {
        #[serde(with = "library")]
        what: Name,
        #[serde(with = "path")]
        path: PathBuf,
        reason: String,
    },
    Shortage {
        doing: String,
        #[serde(with = "WireShortage")]
        shortage: Shortage,
    },
    Phonemes(String),
    Run(String),
    Interrupted,
    #[serde(skip)]
    Crashed {
        signal: Name,
    },
    #[serde(skip)]
    Killed {
        reason: String,
    },
    #[serde(skip)]
    MemoryLimit {
        limit: u64,
    },
    #[serde(skip)]
    CpuLimit {
        seconds: u64,
    },
    #[serde(skip)]
    Unlimited,
    Process {
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Shortage")]
enum WireShortage {
    OpenFiles,
    SystemFiles,
    Memory,
    FileSize,
}

/// The names of libraries are constants of the program.
mod library {
    use super::{Cow, Deserialize, Deserializer, Serialize, Serializer};

    const NAMES: [&str; 2] = ["eSpeak NG", "ONNX Runtime"];

    pub(super) fn serialize<S: Serializer>(what: &str, to: S) -> Result<S::Ok, S::Error> {
        what.serialize(to)
    }

    pub(super) fn deserialize<'de, D>(from: D) -> Result<&'static str, D::Error>
    where
        D: Deserializer<'de>,
    {
        let what = Cow::<str>::deserialize(from)?;
        let known = NAMES.into_iter().find(|name| *name == what);
        Ok(known.unwrap_or("a library"))
    }
}

/// Paths go as their bytes: not each of them is text.
mod path {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::Path;

    use super::{Deserialize, Deserializer, PathBuf, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(to)
    }

    pub(super) fn deserialize<'de, D>(from: D) -> Result<PathBuf, D::Error>
    where
        D: Deserializer<'de>,
    {
        let bytes = Vec::<u8>::deserialize(from)?;
        Ok(OsString::from_vec(bytes).into())
    }
}
