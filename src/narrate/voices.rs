//! The voices of a library: each worker gets one of its own, and one may be opening before a worker
//! asks for it, while the text is still being read and cut.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::Tuning;
use crate::assets::{AssetError, Assets};
use crate::engine::{ErrorCode, ErrorObject, Limits};
use crate::settings::Settings;
use crate::speech::process::{self, Terms};
use crate::speech::{self, Runtime, SpeechError, Voice};

/// Why a voice can't be had.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// Something that it needs is not installed, or not what it should be.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// It is there and can't be used.
    #[error(transparent)]
    Speech(#[from] SpeechError),
}

impl From<VoiceError> for ErrorObject {
    fn from(error: VoiceError) -> Self {
        match error {
            VoiceError::Speech(error) => error.into(),
            VoiceError::Asset(error) => Self::new(ErrorCode::Voice, error.to_string())
                .with_remediation("Run `aloud doctor` to see what is missing"),
        }
    }
}

/// Opens an installed voice by its name, or any by the path of its model. Nothing is fetched. It runs
/// in this process, or in one of its own, under the limits of the settings, if
/// `settings.voice_program` is set.
///
/// # Errors
/// [`VoiceError`]
pub fn load_voice(settings: &Settings, voice: &str) -> Result<Arc<dyn Voice>, VoiceError> {
    load_limited(settings, voice, Limits::default())
}

/// The same, under limits of its own.
fn load_limited(
    settings: &Settings,
    voice: &str,
    limits: Limits,
) -> Result<Arc<dyn Voice>, VoiceError> {
    let assets = Assets::from_settings(settings);
    let files = assets.voice(voice)?;
    let espeak = match files.takes_espeak() {
        true => Some(assets.espeak()?),
        false => None,
    };
    let mut runtime = Runtime {
        onnxruntime: assets.onnxruntime()?,
        espeak,
        threads: settings.threads,
        layout: settings.layout,
    };
    let load = |runtime: &Runtime| match &settings.voice_program {
        Some(program) => process::load(&files, runtime, program, terms(settings, limits)),
        None if limits.is_none() => speech::load(&files, runtime),
        None => Err(SpeechError::Unlimited),
    };
    let voice = load(&runtime)?;
    if runtime.threads.is_some() && runtime.layout.is_some() {
        return Ok(voice);
    }
    // Only now is it known which voice it is; its configuration is read again with what was measured.
    let tuning = Tuning::read(&settings.paths);
    let Some(tuned) = tuning.here(&voice.info().version, &runtime.onnxruntime) else {
        return Ok(voice);
    };
    // What someone has set counts before that.
    runtime.threads = runtime.threads.or(tuned.threads);
    runtime.layout = runtime.layout.or(tuned.layout);
    Ok(load(&runtime)?)
}

fn terms(settings: &Settings, limits: Limits) -> Terms {
    let set = &settings.limits;
    let all = Limits {
        memory_bytes: set
            .memory_mb
            .map(|megabytes| u64::from(megabytes) * 1_000_000),
        cpu_seconds: set.cpu_time.map(whole_seconds),
        niceness: u8::try_from(set.niceness).ok(),
        cores: set.cores,
    };
    Terms {
        limits: limits.or(all),
        keep: settings.keep_voice,
    }
}

/// The system counts whole seconds: no limit is shorter than it was set.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The voices of a library, under these settings.
pub struct Voices {
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that workers have, by what they are called.
    given: Vec<(String, Weak<dyn Voice>)>,
    /// One that nobody has asked for yet.
    spare: Option<(String, Arc<dyn Voice>)>,
}

impl Voices {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            settings: settings.clone(),
            state: Mutex::default(),
        })
    }

    /// Begins to open this voice, which `name` stands for, for the worker that asks for it next. For a
    /// time when no worker does anything: other voices give back what they hold, since two may not fit.
    /// Returns at once.
    pub fn warm_up(&self, name: &str, voice: &Arc<dyn Voice>) {
        let mut state = self.lock();
        state.given.retain(|(_, voice)| voice.strong_count() > 0);
        let all = state.given.iter();
        let given: Vec<_> = all
            .filter_map(|(name, voice)| Some((name.clone(), voice.upgrade()?)))
            .collect();
        let is_same = |other: &(String, Arc<dyn Voice>)| {
            other.0 == name && other.1.info().version == voice.info().version
        };
        let known = given.iter().find(|given| is_same(given));
        let old = match known {
            Some(_) => state.spare.take(),
            None => state.spare.replace((name.to_owned(), Arc::clone(voice))),
        };
        // Processes are started and ended without the lock.
        drop(state);
        drop(old);
        for (_, other) in given.iter().filter(|given| !is_same(given)) {
            other.rest();
        }
        known.map_or(voice, |(_, known)| known).warm_up();
    }

    /// A voice for one worker alone, by its name or the path of its model. Nothing is fetched.
    ///
    /// # Errors
    /// [`VoiceError`], also if it can't be held to `limits`.
    pub fn take(&self, name: &str, limits: Limits) -> Result<Arc<dyn Voice>, VoiceError> {
        let spare = self.lock().spare.take();
        // It may have been replaced since.
        let voice = load_limited(&self.settings, name, limits);
        let is_right = |spare: &(String, Arc<dyn Voice>)| {
            let version = &spare.1.info().version;
            spare.0 == name && voice.as_ref().is_ok_and(|it| it.info().version == *version)
        };
        let spare = spare.filter(is_right).filter(|_| limits.is_none());
        let voice = match spare {
            Some((_, spare)) => spare,
            None => voice?,
        };
        let mut state = self.lock();
        state.given.retain(|(_, voice)| voice.strong_count() > 0);
        if limits.is_none() {
            state.given.push((name.to_owned(), Arc::downgrade(&voice)));
        }
        Ok(voice)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
