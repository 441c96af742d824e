//! The parent's side as a voice: its front end and its models share one child, which is started when
//! it is first needed, and again after it has died.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::super::piper::PiperVoice;
use super::super::{
    FrontEnd, Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo,
    check_envelope,
};
use super::connection::Connection;
use super::message::{Load, Reply, Request};
use crate::assets::VoiceFiles;
use crate::engine::{Interrupt, NarrationSettings};

/// A voice that runs in a process of its own.
pub struct ProcessVoice {
    info: VoiceInfo,
    host: Arc<Host>,
}

/// As [`super::super::load`], for a voice in a process of its own. `program` is started with
/// [`ARGUMENT`](super::ARGUMENT) and has to call [`serve`](super::serve) then; `aloud` does. Nothing is
/// started yet.
///
/// # Errors
/// [`SpeechError::Config`] or [`SpeechError::Model`], with what is wrong and where.
pub fn load(
    files: &VoiceFiles,
    runtime: &Runtime,
    program: &Path,
) -> Result<Arc<dyn Voice>, SpeechError> {
    check_envelope(&files.model)?;
    let info = PiperVoice::load(files, runtime)?.info().clone();
    let program = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    let host = Host {
        program,
        load: Load::new(files, runtime),
        version: info.version.clone(),
        current: Mutex::default(),
    };
    let host = Arc::new(host);
    Ok(Arc::new(ProcessVoice { info, host }))
}

/// Starts children. It holds none: a child ends with the last front end or model that uses it.
struct Host {
    program: PathBuf,
    load: Load,
    version: String,
    current: Mutex<Weak<Connection>>,
}

impl Host {
    /// The child, a new one if there is none or if it has ended.
    fn connection(&self, interrupt: Option<&Interrupt>) -> Result<Arc<Connection>, SpeechError> {
        let mut current = lock(&self.current);
        let alive = current.upgrade().filter(|current| current.is_alive());
        if let Some(alive) = alive {
            return Ok(alive);
        }
        let (connection, version) = Connection::start(&self.program, &self.load, interrupt)?;
        if version != self.version {
            // What was made with it before would no longer fit.
            return Err(SpeechError::Config {
                path: self.load.config().to_owned(),
                reason: "it has changed since it was read".into(),
            });
        }
        let connection = Arc::new(connection);
        *current = Arc::downgrade(&connection);
        Ok(connection)
    }
}

impl Voice for ProcessVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        let connection = self.host.connection(None)?;
        match connection.ask_briefly(Request::FrontEnd)? {
            Reply::Done => Ok(Box::new(ProcessFrontEnd {
                host: Arc::clone(&self.host),
                connection: Mutex::new(connection),
            })),
            other => Err(connection.out_of_place(&other)),
        }
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let opened = ProcessSynthesizer::open(&self.host, interrupt)?;
        Ok(Box::new(opened))
    }
}

struct ProcessFrontEnd {
    host: Arc<Host>,
    connection: Mutex<Arc<Connection>>,
}

impl FrontEnd for ProcessFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let prepared = self.prepare_once(text);
        match prepared {
            // It may have died of what the model was at. If it is this text, it dies again.
            Err(SpeechError::Crashed { .. } | SpeechError::Killed { .. }) => {
                self.prepare_once(text)
            }
            prepared => prepared,
        }
    }
}

impl ProcessFrontEnd {
    fn prepare_once(&self, text: &str) -> Result<Utterance, SpeechError> {
        let connection = self.connection()?;
        let text = text.to_owned();
        match connection.ask_briefly(Request::Prepare { text })? {
            Reply::Prepared(utterance) => Ok(utterance),
            other => Err(connection.out_of_place(&other)),
        }
    }

    fn connection(&self) -> Result<Arc<Connection>, SpeechError> {
        let mut connection = lock(&self.connection);
        if !connection.is_alive() {
            *connection = self.host.connection(None)?;
        }
        Ok(Arc::clone(&connection))
    }
}

struct ProcessSynthesizer {
    host: Arc<Host>,
    connection: Arc<Connection>,
    /// The model's number in that child.
    model: u64,
    looks_ahead: usize,
}

impl ProcessSynthesizer {
    fn open(host: &Arc<Host>, interrupt: &Interrupt) -> Result<Self, SpeechError> {
        let connection = host.connection(Some(interrupt))?;
        match connection.ask_patiently(Request::Open, interrupt)? {
            (model, Reply::Opened { looks_ahead }) => Ok(Self {
                host: Arc::clone(host),
                connection,
                model,
                looks_ahead,
            }),
            (_, other) => Err(connection.out_of_place(&other)),
        }
    }
}

impl Synthesizer for ProcessSynthesizer {
    fn looks_ahead(&self) -> usize {
        self.looks_ahead
    }

    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        if !self.connection.is_alive() {
            return Ok(());
        }
        let model = self.model;
        let cancelled = (self.connection).ask_briefly(Request::CancelPrefetch { model });
        match cancelled {
            Ok(Reply::Done) => Ok(()),
            Ok(other) => Err(self.connection.out_of_place(&other)),
            // Whatever was begun ahead went with it.
            Err(SpeechError::Crashed { .. } | SpeechError::Killed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        if !self.connection.is_alive() {
            *self = Self::open(&self.host, interrupt)?;
        }
        let request = Request::Synthesize {
            model: self.model,
            utterance: utterance.clone(),
            ahead: ahead.iter().map(|&ahead| ahead.clone()).collect(),
            settings: settings.into(),
        };
        match self.connection.ask_patiently(request, interrupt)? {
            (_, Reply::Spoken(speech)) => Ok(speech),
            (_, other) => Err(self.connection.out_of_place(&other)),
        }
    }
}

impl Drop for ProcessSynthesizer {
    fn drop(&mut self) {
        let model = self.model;
        self.connection.tell(Request::Close { model });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
