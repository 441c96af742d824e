//! Puts the rooms together: settings → assets → voice → engine.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::assets::Assets;
use crate::cli::fetching::{Show, ensure_for_use};
use crate::engine::{Engine, Narration, NarrationSettings, Submission, TaskId};
use crate::narrate::{
    Composed, LibraryId, Owner, Request, VoiceError, Voices, claim, compose, create_folder,
    library_options_with, load_voice,
};
use crate::settings::Settings;
use crate::speech::Voice;
use crate::text::printable;

/// A voice that is there, and what narrations call it.
pub(super) struct Ready {
    pub voice: Arc<dyn Voice>,
    /// Its name, or the absolute path of its model.
    pub reference: String,
}

/// Brings what the voice of these settings needs, and reads its configuration.
pub(super) fn ready(
    settings: &Settings,
    offline: bool,
    show: Show,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<Ready> {
    let assets = Assets::from_settings(settings);
    let reference = reference(&settings.voice);
    // An unknown voice is told before anything is fetched for it.
    match assets.voice(&reference) {
        Ok(_) | Err(crate::assets::AssetError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    ensure_for_use(
        &assets,
        &assets.need_for(&reference),
        offline,
        show,
        interrupted,
    )?;
    let voice = load_voice(settings, &reference).map_err(|error| match error {
        VoiceError::Asset(error) => anyhow::Error::from(error),
        VoiceError::Speech(error) => error.into(),
    })?;
    Ok(Ready { voice, reference })
}

/// A path stays right when a later start runs in another folder.
pub(super) fn reference(voice: &str) -> String {
    let path = Path::new(voice);
    let is_path = path
        .extension()
        .is_some_and(|extension| extension == "onnx");
    if is_path && let Ok(absolute) = std::path::absolute(path) {
        return absolute.to_string_lossy().into_owned();
    }
    voice.to_owned()
}

/// Opens the library; narrations that an earlier run left continue at once.
pub(super) fn open_engine(settings: &Settings, voices: &Arc<Voices>) -> anyhow::Result<Engine> {
    let engine = Engine::open(library_options_with(settings, voices))?;
    if let Some(recovery) = engine.recovery() {
        let said = recovery.to_string();
        // It is in the log as well.
        let _ = writeln!(std::io::stderr(), "aloud: {}", printable(&said));
    }
    Ok(engine)
}

/// Cuts a text for this voice under these settings.
pub(super) fn compose_for(
    request: &Request,
    ready: &Ready,
    settings: &Settings,
) -> anyhow::Result<Composed> {
    let how = NarrationSettings {
        speed: settings.speed,
        speaker: settings.speaker,
    };
    let info = ready.voice.info();
    Ok(compose(
        request,
        info,
        &ready.reference,
        &how,
        &settings.pauses,
        &settings.out,
    )?)
}

/// A narration that is in the engine's hands.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub id: TaskId,
    /// Whether an earlier run had begun it.
    pub continued: bool,
}

/// Submits a narration, unless the same one is unfinished from an earlier run: that one continues.
pub(super) fn submit(
    engine: &Engine,
    settings: &Settings,
    composed: Composed,
) -> anyhow::Result<Submitted> {
    submit_with(engine, settings, composed, |submission| submission)
}

/// The same with more that is said of it: its place in the queue, its limits. One that is unfinished
/// keeps what it has.
pub(super) fn submit_with(
    engine: &Engine,
    settings: &Settings,
    composed: Composed,
    with: impl Fn(Submission) -> Submission,
) -> anyhow::Result<Submitted> {
    let submit = |narration: Narration| engine.submit(with(Submission::new(narration)));
    let mut narration = composed.narration;
    if let Some(id) = engine.unfinished_like(&narration.fingerprint) {
        return Ok(Submitted {
            id,
            continued: true,
        });
    }
    let library = &settings.paths.library;
    let library_id = LibraryId::of(library)
        .with_context(|| format!("the library {} can't be written", library.display()))?;
    let owner = Owner::new(&library_id, &narration);
    // What ended here before with the same text, voice and settings is not made a second time.
    if let Some(folder) = engine
        .ended_like(&narration.fingerprint)?
        .filter(|folder| claim(folder, &owner))
    {
        narration.folder = folder;
        return Ok(Submitted {
            id: submit(narration)?,
            continued: true,
        });
    }
    // One that can't be asked about is taken for known.
    let is_known = |folder: &Path| engine.knows_folder(folder).unwrap_or(true);
    let folder = create_folder(&narration.folder, &owner, is_known)?;
    folder.path().clone_into(&mut narration.folder);
    match submit(narration) {
        Ok(id) => Ok(Submitted {
            id,
            continued: false,
        }),
        Err(error) => {
            // An error may come after the narration is on disk; the folder is its own then.
            if !is_known(folder.path()) {
                folder.give_back();
            }
            Err(error.into())
        }
    }
}
