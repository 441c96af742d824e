//! The engine of a user's library: under their settings, with the voices that are installed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ClipCache, VoiceNarrator, VoiceResolver, Voices};
use crate::engine::{Limits, Options, StateChange};
use crate::settings::Settings;

/// How the engine of this user's library is opened.
///
/// Its voices run in this process: a crash of the model's runtime ends it, and the next start goes on
/// from there. A program that wants them in processes of their own sets `settings.voice_program`, to its
/// own path if it calls [`process::serve`](crate::speech::process::serve) when it is started with
/// [`process::ARGUMENT`](crate::speech::process::ARGUMENT), or to that of
/// `aloud`. In this process, set `ORT_DISABLE_TELEMETRY=1` in its environment before it starts: ONNX Runtime
/// writes down its use otherwise, in a file in the user's cache.
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
    library_options_with(settings, &Voices::new(settings))
}

/// The same with voices that others may warm up.
#[must_use]
pub fn library_options_with(settings: &Settings, voices: &Arc<Voices>) -> Options {
    let voices = Arc::clone(voices);
    let resolve: VoiceResolver =
        Arc::new(move |name: &str, limits: Limits| voices.take(name, limits).map_err(Into::into));
    let mut options = Options::new(&settings.paths.library);
    options.workers = settings.workers;
    options.cleanup_threshold = settings.cleanup_threshold;
    options.task_timeout = settings.task_timeout;
    options.segment_timeout = settings.segment_timeout;
    options.outbox = outbox_of(settings);
    options.takes_limits = settings.voice_program.is_some();
    let kept = ClipCache::from_settings(settings);
    let library = settings.paths.library.clone();
    let most_memory = settings.voices_memory_mb;
    let most_memory = most_memory.map(|megabytes| u64::from(megabytes) * 1_000_000);
    // What a task has used of the processor is counted by the system, for a process.
    let is_counted = settings.limits.cpu_time.is_some();
    options.narrator = Some(Arc::new(move || {
        let narrator = VoiceNarrator::new(Arc::clone(&resolve))
            .keeping(kept.clone())
            .with_memory(most_memory)
            .in_library(&library);
        Box::new(if is_counted {
            narrator.with_new_voices()
        } else {
            narrator
        })
    }));
    options
}

/// Who is to be told of changes, also of those that are made while nobody works the queue.
pub(crate) fn outbox_of(settings: &Settings) -> BTreeMap<Arc<str>, Vec<StateChange>> {
    let webhooks = settings.webhooks.iter();
    let targets = webhooks.map(|webhook| (webhook.name.as_str().into(), webhook.on.clone()));
    targets.collect()
}
