//! How a text becomes a task: cut for its voice, given a folder of its own, and handed to the engine,
//! unless it is there already.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::{Submitted, current_trace};
use crate::assets::{Assets, canonical_name};
use crate::engine::{Engine, Submission};
use crate::model::{Narration, NarrationSettings, TaskId};
use crate::narrate::{
    Casting, Composed, Found, Language, LibraryId, Manner, Owner, Request, claim, compose,
    create_folder, joined_name, language_name, lexicon_for,
};
use crate::service::voice::{self, speaker_of};
use crate::settings::Settings;
use crate::speech::{Voice, VoiceInfo};
use crate::text::printable;

/// A voice that is there, and what narrations call it.
pub(crate) struct Ready {
    pub voice: Arc<dyn Voice>,
    /// Its name, or the absolute path of its model.
    pub reference: String,
}

/// A path stays right when a later start runs in another folder, and a blend is the same however its shares
/// are written.
pub(crate) fn reference(voice: &str) -> String {
    let path = Path::new(voice);
    let is_path = path
        .extension()
        .is_some_and(|extension| extension == "onnx");
    if is_path && let Ok(absolute) = std::path::absolute(path) {
        return absolute.to_string_lossy().into_owned();
    }
    canonical_name(voice)
}

/// Cuts a text for this voice under these settings.
pub(crate) fn compose_for(
    request: &Request,
    ready: &Ready,
    settings: &Settings,
) -> anyhow::Result<Composed> {
    let info = ready.voice.info();
    let speaker = settings.speaker.as_ref();
    let how = NarrationSettings {
        speed: settings.speed,
        speaker: speaker.map(|it| speaker_of(info, it)).transpose()?,
        others: Vec::new(),
    };
    let (taste, lexicon) = (
        settings.taste(),
        lexicon_for(&settings.paths, request.file.as_deref())?,
    );
    let manner = Manner {
        pauses: &settings.pauses,
        taste: &taste,
        lexicon: &lexicon,
    };
    let narrator = (info, ready.reference.as_str());
    let composed = with_casting(settings, |casting| {
        compose(request, narrator, &how, manner, casting, &settings.out)
    });
    Ok(composed?)
}

/// Who says what beside the narrator, under these settings; `f` is given that.
pub(super) fn with_casting<T>(settings: &Settings, f: impl FnOnce(&Casting<'_>) -> T) -> T {
    let find = |name: &str| {
        let named = settings.voices.get(name).map(String::as_str);
        let is_set = settings.dialogue_voice.as_deref() == Some(name)
            || settings.chapter_voices.voices().any(|voice| voice == name)
            || settings.voice == name;
        // A text is from anywhere: what it names is a voice of the list, and no file.
        let is_file = name.contains(['/', '\\', '~']) || name.to_lowercase().ends_with(".onnx");
        if named.is_none() && !is_set && is_file {
            return Err("it is no voice of the list that `aloud voices` shows".to_owned());
        }
        let name = named.unwrap_or(name);
        let found = voice::usable(settings, name).map_err(|error| format!("{error:#}"))?;
        Ok(Found {
            info: found.voice.info().clone(),
            reference: found.reference.into(),
        })
    };
    let chapters = &settings.chapter_voices;
    f(&Casting {
        find: &find,
        dialogue: settings.dialogue_voice.as_deref(),
        chapters: (!chapters.is_empty()).then_some(chapters),
    })
}

/// What a voice does to a text in another language than its own, and which voices speak that.
pub(crate) fn foreign(
    settings: &Settings,
    info: &VoiceInfo,
    language: Option<&Language>,
) -> Option<String> {
    let language = language.filter(|language| !language.is_spoken_by(&info.language))?;
    let listed = Assets::from_settings(settings).voices();
    let others = listed
        .iter()
        .filter(|voice| language.is_spoken_by(&voice.language) && voice.language != "unknown");
    let others: Vec<String> = others
        .map(|voice| printable(&voice.name).into_owned())
        .collect();
    let advice = match others.is_empty() {
        true => "add a Piper voice of that language with `aloud voices add`".to_owned(),
        false => format!("choose one that does: {}", others.join(", ")),
    };
    let seems = if language.is_named {
        "is"
    } else {
        "seems to be"
    };
    Some(format!(
        "it {seems} in {}, which {} does not speak, for it speaks {}; {advice}",
        printable(language.name()),
        printable(&info.name),
        printable(language_name(&info.language)),
    ))
}

/// The task that has completed the same narration, if what it made is there.
pub(crate) fn completed_before(
    engine: &Engine,
    settings: &Settings,
    composed: &Composed,
) -> anyhow::Result<Option<TaskId>> {
    let narration = &composed.narration;
    let Some((id, folder)) = engine.completed_like(&narration.fingerprint)? else {
        return Ok(None);
    };
    let library_id = LibraryId::of(&settings.paths.library)?;
    let is_there = folder.join(joined_name(&narration.title)).is_file();
    if is_there && claim(&folder, &Owner::new(&library_id, narration)) {
        return Ok(Some(id));
    }
    Ok(None)
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
            notes: Vec::new(),
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
            notes: Vec::new(),
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
            notes: Vec::new(),
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
