//! The parent's side as a voice: its front end and its models share one child, which is started when
//! it is first needed, and again after it has died. After a crash the front end has a child of its own:
//! what ends one of the two is then known.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::super::error::CHANGED;
use super::super::{
    Comparison, FrontEnd, Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo,
};
use super::Terms;
use super::connection::{Connection, Lease};
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
    terms: Terms,
) -> Result<Arc<dyn Voice>, SpeechError> {
    let info = super::super::load(files, runtime)?.info().clone();
    let program = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    let launcher = Launcher {
        program,
        load: Load::new(files, runtime, terms.limits),
        terms,
        version: info.version.clone(),
        model: OnceLock::new(),
        current: Mutex::default(),
        changed: Condvar::new(),
    };
    let launcher = Arc::new(launcher);
    Ok(Arc::new(ProcessVoice { info, launcher }))
}

/// How long the end of another start may go unnoticed by whoever may be interrupted.
const LOOK_AROUND: Duration = Duration::from_millis(20);

/// Starts children, one at a time, and keeps the last one. It ends with the voice, and with the last
/// front end or model of it.
struct Launcher {
    program: PathBuf,
    load: Load,
    terms: Terms,
    version: String,
    /// The checksum of the model that was opened first.
    model: OnceLock<Option<u32>>,
    current: Mutex<Current>,
    changed: Condvar,
}

#[derive(Default)]
struct Current {
    /// Someone is at it, without the lock.
    is_starting: bool,
    child: Option<Arc<Connection>>,
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
    /// One that starts children of its own for the same voice.
    fn another(&self) -> Self {
        Self {
            program: self.program.clone(),
            load: self.load.clone(),
            terms: self.terms,
            version: self.version.clone(),
            model: self.model.clone(),
            current: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// The child, when it has loaded the voice. `interrupt` ends the waiting.
    fn connection(&self, interrupt: Option<&Interrupt>) -> Result<Lease, SpeechError> {
        let child = self.child(interrupt)?;
        let version = child.ready(interrupt);
        if matches!(&version, Ok(version) if *version == self.version) {
            return Ok(child);
        }
        if !matches!(version, Err(SpeechError::Interrupted)) {
            // The next one finds the files as they are then.
            child.retire();
        }
        // What was made with another version before would no longer fit.
        version.and_then(|_| {
            Err(SpeechError::Config {
                path: self.load.config().to_owned(),
                reason: CHANGED.into(),
            })
        })
    }

    /// The child, a new one if there is none or if it has ended; it may still be loading the voice.
    fn child(&self, interrupt: Option<&Interrupt>) -> Result<Lease, SpeechError> {
        let mut current = lock(&self.current);
        while current.is_starting {
            if interrupt.is_some_and(Interrupt::is_now) {
                return Err(SpeechError::Interrupted);
            }
            let waited = self.changed.wait_timeout(current, LOOK_AROUND);
            current = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(lease) = current.child.as_ref().and_then(Connection::lease) {
            return Ok(lease);
        }
        if let Some(end) = current.child.as_ref().and_then(|child| child.spent()) {
            return Err(end);
        }
        current.is_starting = true;
        let ended = current.child.take();
        drop(current);
        let starting = Starting(self);
        // It is joined here, not under the lock; and two at a time would take twice the memory.
        drop(ended);
        let child = Connection::start(&self.program, &self.load, self.terms)?;
        lock(&self.current).child = Some(Arc::clone(child.connection()));
        drop(starting);
        Ok(child)
    }

    /// Whether a model is what the first one was. A voice's version says too little for that, and
    /// between two children its file may have been replaced.
    fn check(&self, checksum: Option<u32>) -> Result<(), SpeechError> {
        if *self.model.get_or_init(|| checksum) == checksum {
            return Ok(());
        }
        Err(SpeechError::Model {
            path: self.load.model().to_owned(),
            reason: CHANGED.into(),
        })
    }
}

/// So often is an opening tried whose child crashes.
const OPENINGS: u32 = 3;

/// Opens something in a child, and in another if that crashes. The other half of the voice, which is at
/// work in the same child, may have crashed of a text; it tries that once more itself.
fn opened<T>(mut open: impl FnMut() -> Result<T, SpeechError>) -> Result<T, SpeechError> {
    let mut tries = 1;
    loop {
        match open() {
            Err(SpeechError::Crashed { .. }) if tries < OPENINGS => tries += 1,
            result => return result,
        }
    }
}

impl Voice for ProcessVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        opened(|| {
            let child = self.launcher.connection(None)?;
            match child.ask_briefly(Request::FrontEnd)? {
                Reply::Done => Ok(()),
                other => Err(child.out_of_place(&other)),
            }
        })?;
        Ok(Box::new(ProcessFrontEnd {
            launcher: Arc::clone(&self.launcher),
            apart: OnceLock::new(),
        }))
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let (opened, _) = ProcessSynthesizer::open(&self.launcher, interrupt)?;
        Ok(Box::new(opened))
    }

    fn compare_layouts(&self, interrupt: &Interrupt) -> Result<Option<Comparison>, SpeechError> {
        let child = self.launcher.connection(Some(interrupt))?;
        match child.ask_patiently(Request::CompareLayouts, interrupt)? {
            (_, Reply::Compared(compared)) => Ok(compared),
            (_, other) => Err(child.out_of_place(&other)),
        }
    }

    fn warm_up(&self) {
        // What is wrong with it is told to whoever opens it.
        if let Ok(child) = self.launcher.child(None) {
            child.tell(Request::WarmUp);
        }
    }

    fn memory(&self) -> Option<u64> {
        let child = lock(&self.launcher.current).child.clone();
        child.and_then(|child| child.memory())
    }

    fn rest(&self) {
        let child = lock(&self.launcher.current).child.clone();
        if let Some(child) = child {
            child.retire_unused();
        }
    }
}

struct ProcessFrontEnd {
    launcher: Arc<Launcher>,
    /// Its own processes, since it was in one that crashed.
    apart: OnceLock<Launcher>,
}

impl FrontEnd for ProcessFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        match self.prepare_once(text) {
            // It may have died of what the model was at. If it is this text, it dies again: this time
            // without the model, which would be taken for the one to blame.
            Err(SpeechError::Crashed { .. }) => {
                self.apart.get_or_init(|| self.launcher.another());
                self.prepare_once(text)
            }
            Err(SpeechError::Killed { .. }) => self.prepare_once(text),
            prepared => prepared,
        }
    }
}

impl ProcessFrontEnd {
    fn prepare_once(&self, text: &str) -> Result<Utterance, SpeechError> {
        let launcher = self.apart.get().unwrap_or(&self.launcher);
        let child = launcher.connection(None)?;
        let text = text.to_owned();
        match child.ask_briefly(Request::Prepare { text })? {
            Reply::Prepared(utterance) => Ok(utterance),
            other => Err(child.out_of_place(&other)),
        }
    }
}

struct ProcessSynthesizer {
    launcher: Arc<Launcher>,
    /// The child that has the model, as long as it lives.
    child: Weak<Connection>,
    /// The model's number in that child.
    model: u64,
    looks_ahead: usize,
}

impl ProcessSynthesizer {
    fn open(launcher: &Arc<Launcher>, interrupt: &Interrupt) -> Result<(Self, Lease), SpeechError> {
        opened(|| Self::open_once(launcher, interrupt))
    }

    fn open_once(
        launcher: &Arc<Launcher>,
        interrupt: &Interrupt,
    ) -> Result<(Self, Lease), SpeechError> {
        let child = launcher.connection(Some(interrupt))?;
        match child.ask_patiently(Request::Open, interrupt)? {
            (
                model,
                Reply::Opened {
                    looks_ahead,
                    checksum,
                },
            ) => {
                if let Err(changed) = launcher.check(checksum) {
                    child.tell(Request::Close { model });
                    return Err(changed);
                }
                let opened = Self {
                    launcher: Arc::clone(launcher),
                    child: Arc::downgrade(child.connection()),
                    model,
                    looks_ahead,
                };
                Ok((opened, child))
            }
            (_, other) => Err(child.out_of_place(&other)),
        }
    }

    /// The child that has the model, if it is still there.
    fn child(&self) -> Option<Lease> {
        self.child.upgrade()?.lease()
    }
}

impl Synthesizer for ProcessSynthesizer {
    fn looks_ahead(&self) -> usize {
        self.looks_ahead
    }

    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        // Whatever was begun ahead ended with its child.
        let Some(child) = self.child() else {
            return Ok(());
        };
        let model = self.model;
        match child.ask_briefly(Request::CancelPrefetch { model }) {
            Ok(Reply::Done) | Err(SpeechError::Crashed { .. } | SpeechError::Killed { .. }) => {
                Ok(())
            }
            Ok(other) => Err(child.out_of_place(&other)),
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
        let child = if let Some(child) = self.child() {
            child
        } else {
            let (again, child) = Self::open(&self.launcher, interrupt)?;
            *self = again;
            child
        };
        let request = Request::Synthesize {
            model: self.model,
            utterance: utterance.clone(),
            ahead: ahead.iter().map(|&ahead| ahead.clone()).collect(),
            settings: settings.into(),
        };
        match child.ask_patiently(request, interrupt)? {
            (_, Reply::Spoken(speech)) => Ok(speech),
            (_, other) => Err(child.out_of_place(&other)),
        }
    }
}

impl Drop for ProcessSynthesizer {
    fn drop(&mut self) {
        if let Some(child) = self.child() {
            child.tell(Request::Close { model: self.model });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
