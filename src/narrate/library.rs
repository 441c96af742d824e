//! The engine of a user's library: under their settings, with the voices that are installed.

use std::sync::Arc;

use super::{ClipCache, Tuning, VoiceNarrator, VoiceResolver};
use crate::assets::{AssetError, Assets};
use crate::engine::{ErrorCode, ErrorObject, Options};
use crate::settings::Settings;
use crate::speech::{self, Runtime, SpeechError, Voice, process};

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
/// in this process, or in one of its own if `settings.voice_program` is set.
///
/// # Errors
/// [`VoiceError`]
pub fn load_voice(settings: &Settings, voice: &str) -> Result<Arc<dyn Voice>, VoiceError> {
    let assets = Assets::from_settings(settings);
    let files = assets.voice(voice)?;
    let espeak = assets.espeak()?;
    let mut runtime = Runtime {
        onnxruntime: assets.onnxruntime()?,
        espeak_library: espeak.library,
        espeak_data: espeak.data,
        threads: settings.threads,
    };
    let load = |runtime: &Runtime| match &settings.voice_program {
        Some(program) => process::load(&files, runtime, program),
        None => speech::load(&files, runtime),
    };
    let voice = load(&runtime)?;
    if runtime.threads.is_some() {
        // What someone has set counts before what was measured.
        return Ok(voice);
    }
    // Only now is it known which voice it is; its configuration is read again with the threads.
    runtime.threads = Tuning::read(&settings.paths).threads(&voice.info().version);
    match runtime.threads {
        Some(_) => Ok(load(&runtime)?),
        None => Ok(voice),
    }
}

/// How the engine of this user's library is opened.
///
/// Its voices run in this process: a crash of the model's runtime ends it, and the next start goes on
/// from there. A program that wants them in processes of their own sets `settings.voice_program`, to its
/// own path if it calls [`process::serve`] when it is started with [`process::ARGUMENT`], or to that of
/// `aloud`.
///
/// ```
/// use aloud::engine::{Engine, ShutdownWait};
/// use aloud::settings::{Overrides, Paths, load_from};
///
/// let home = tempfile::tempdir()?;
/// let settings = load_from(Paths::under(home.path()), Overrides::default(), &|_| None)?;
/// let engine = Engine::open(aloud::narrate::library_options(&settings))?;
/// assert_eq!(engine.health().max_threads, settings.workers);
/// engine.shutdown(ShutdownWait::Now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn library_options(settings: &Settings) -> Options {
    let for_voices = settings.clone();
    let resolve: VoiceResolver =
        Arc::new(move |name: &str| load_voice(&for_voices, name).map_err(Into::into));
    let mut options = Options::new(&settings.paths.library);
    options.workers = settings.workers;
    options.cleanup_threshold = settings.cleanup_threshold;
    options.task_timeout = settings.task_timeout;
    options.segment_timeout = settings.segment_timeout;
    let kept = ClipCache::from_settings(settings);
    let library = settings.paths.library.clone();
    options.narrator = Some(Arc::new(move || {
        let narrator = VoiceNarrator::new(Arc::clone(&resolve));
        Box::new(narrator.keeping(kept.clone()).in_library(&library))
    }));
    options
}
