//! How a text becomes a task: cut for its voice, given a folder of its own, and handed to the engine,
//! unless it is there already.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::{Submitted, current_trace};
use crate::engine::{Engine, Submission};
use crate::model::{Narration, NarrationSettings};
use crate::narrate::{Composed, LibraryId, Owner, Request, claim, compose, create_folder};
use crate::settings::Settings;
use crate::speech::Voice;

/// A voice that is there, and what narrations call it.
pub(crate) struct Ready {
    pub voice: Arc<dyn Voice>,
    /// Its name, or the absolute path of its model.
    pub reference: String,
}

/// A path stays right when a later start runs in another folder.
pub(crate) fn reference(voice: &str) -> String {
    let path = Path::new(voice);
    let is_path = path
        .extension()
        .is_some_and(|extension| extension == "onnx");
    if is_path && let Ok(absolute) = std::path::absolute(path) {
        return absolute.to_string_lossy().into_owned();
    }
    voice.to_owned()
}

/// Cuts a text for this voice under these settings.
pub(crate) fn compose_for(
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

/// Submits a narration, unless the same one is unfinished from an earlier run: that one continues.
pub(crate) fn submit(
    engine: &Engine,
    settings: &Settings,
    composed: Composed,
) -> anyhow::Result<Submitted> {
    submit_with(engine, settings, composed, |submission| submission)
}

/// The same with more that is said of it: its place in the queue, its limits. One that is unfinished
/// keeps what it has.
pub(crate) fn submit_with(
    engine: &Engine,
    settings: &Settings,
    composed: Composed,
    with: impl Fn(Submission) -> Submission,
) -> anyhow::Result<Submitted> {
    let submit = |narration: Narration| {
        let submission = Submission::new(narration).trace(current_trace());
        engine.submit(with(submission))
    };
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
