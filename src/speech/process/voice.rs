//! The parent's side as a voice: its front end and its models share one child, which is started when
//! it is first needed, and again after it has died.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

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
    launcher: Arc<Launcher>,
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
    let launcher = Launcher {
        program,
        load: Load::new(files, runtime),
        version: info.version.clone(),
        current: Mutex::default(),
        changed: Condvar::new(),
    };
    let launcher = Arc::new(launcher);
    Ok(Arc::new(ProcessVoice { info, launcher }))
}

/// How long the end of another start may go unnoticed by whoever may be interrupted.
const LOOK_AROUND: Duration = Duration::from_millis(20);

/// Starts children, one at a time. It holds none: a child ends with the last front end or model that
/// uses it.
struct Launcher {
    program: PathBuf,
    load: Load,
    version: String,
    current: Mutex<Current>,
    changed: Condvar,
}

#[derive(Default)]
struct Current {
    /// Someone is at it, without the lock.
    is_starting: bool,
    child: Weak<Connection>,
}

/// Lets the next one start a child, however this start ends.
struct Starting<'a>(&'a Launcher);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        lock(&self.0.current).is_starting = false;
        self.0.changed.notify_all();
    }
}

impl Launcher {
    /// The child, a new one if there is none or if it has ended. `interrupt` ends the waiting.
    fn connection(&self, interrupt: Option<&Interrupt>) -> Result<Arc<Connection>, SpeechError> {
        let mut current = lock(&self.current);
        while current.is_starting {
            if interrupt.is_some_and(Interrupt::is_now) {
                return Err(SpeechError::Interrupted);
            }
            let waited = self.changed.wait_timeout(current, LOOK_AROUND);
            current = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let known = current.child.upgrade();
        if let Some(alive) = known.as_ref().filter(|known| known.is_alive()) {
            return Ok(Arc::clone(alive));
        }
        current.is_starting = true;
        // One that has ended is joined where it is dropped last: not under the lock.
        drop(current);
        drop(known);
        let starting = Starting(self);
        let (connection, version) = Connection::start(&self.program, &self.load, interrupt)?;
        if version != self.version {
            // What was made with it before would no longer fit.
            return Err(SpeechError::Config {
                path: self.load.config().to_owned(),
                reason: "it has changed since it was read".into(),
            });
        }
        let connection = Arc::new(connection);
        lock(&self.current).child = Arc::downgrade(&connection);
        drop(starting);
        Ok(connection)
    }
}

impl Voice for ProcessVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        let connection = self.launcher.connection(None)?;
        match connection.ask_briefly(Request::FrontEnd)? {
            Reply::Done => Ok(Box::new(ProcessFrontEnd {
                launcher: Arc::clone(&self.launcher),
                connection: Mutex::new(connection),
            })),
            other => Err(connection.out_of_place(&other)),
        }
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let opened = ProcessSynthesizer::open(&self.launcher, interrupt)?;
        Ok(Box::new(opened))
    }
}

struct ProcessFrontEnd {
    launcher: Arc<Launcher>,
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
            *connection = self.launcher.connection(None)?;
        }
        Ok(Arc::clone(&connection))
    }
}

struct ProcessSynthesizer {
    launcher: Arc<Launcher>,
    connection: Arc<Connection>,
    /// The model's number in that child.
    model: u64,
    looks_ahead: usize,
}

impl ProcessSynthesizer {
    fn open(launcher: &Arc<Launcher>, interrupt: &Interrupt) -> Result<Self, SpeechError> {
        let connection = launcher.connection(Some(interrupt))?;
        match connection.ask_patiently(Request::Open, interrupt)? {
            (model, Reply::Opened { looks_ahead }) => Ok(Self {
                launcher: Arc::clone(launcher),
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
            *self = Self::open(&self.launcher, interrupt)?;
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
