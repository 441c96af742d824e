//! The narrator of one worker: keeps the voice it used last open, for the next narration probably
//! wants the same.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::ensemble::{Ensemble, Part};
use super::live::Live;
use super::{ClipCache, joining, pipeline};
use crate::engine::{
    ErrorCode, ErrorObject, Limits, Narration, NarrationSettings, Narrator, SpeechRequest,
    TaskContext, WorkError, WorkResult,
};
use crate::speech::{SpeechError, Voice};

/// Finds a voice by what a narration calls it: a name, or the path of a model; it is to be held to the
/// limits of the task.
pub type VoiceResolver =
    Arc<dyn Fn(&str, Limits) -> Result<Arc<dyn Voice>, ErrorObject> + Send + Sync>;

/// Narrates with real voices.
pub struct VoiceNarrator {
    resolve: VoiceResolver,
    open: Option<Ensemble>,
    most_memory: Option<u64>,
    kept: Option<ClipCache>,
    library: Option<PathBuf>,
    always_new: bool,
}

impl VoiceNarrator {
    /// A narrator that finds its voices with `resolve`.
    #[must_use]
    pub fn new(resolve: VoiceResolver) -> Self {
        Self {
            resolve,
            open: None,
            most_memory: None,
            kept: None,
            library: None,
            always_new: false,
        }
    }

    /// The same, copying clips that were made before, and keeping those that it makes.
    #[must_use]
    pub fn keeping(mut self, kept: Option<ClipCache>) -> Self {
        self.kept = kept;
        self
    }

    /// The same for the library in this folder: a narration's folder is marked as its own, and one
    /// that another narration has is not written to.
    #[must_use]
    pub fn in_library(mut self, folder: impl Into<PathBuf>) -> Self {
        self.library = Some(folder.into());
        self
    }

    /// The same with so many bytes of memory for the voices of a narration that has several; `None` is half of
    /// what is free.
    #[must_use]
    pub fn with_memory(mut self, most: Option<u64>) -> Self {
        self.most_memory = most;
        self
    }

    /// The same with a voice of its own for each narration.
    #[must_use]
    pub fn with_new_voices(mut self) -> Self {
        self.always_new = true;
        self
    }

    /// These voices, the first being the narrator's; if they are open already, those.
    fn open(&mut self, parts: &[Part], limits: Limits) -> Result<&mut Ensemble, WorkError> {
        let same = |open: &Ensemble| open.limits == limits && open.is_of(parts);
        if let Some(open) = self.open.take_if(|open| same(open)) {
            return Ok(self.open.insert(open));
        }
        // The old model goes before the new one comes: two would not fit everywhere.
        self.close();
        let mut voices = Vec::with_capacity(parts.len());
        for part in parts {
            let voice = (self.resolve)(&part.name, limits).map_err(WorkError::Failed)?;
            voices.push((part.clone(), voice));
        }
        let open = Ensemble::new(voices, limits, self.most_memory);
        Ok(self.open.insert(open))
    }

    /// Gives the voices back, with what others have of them.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close();
        }
    }

    fn speak_with(&mut self, speech: &SpeechRequest, context: &TaskContext) -> WorkResult {
        let kept = self.kept.clone();
        let parts = parts(&speech.voice, &speech.voice_version, &speech.settings);
        let open = self.open(&parts, context.limits())?;
        if let Some(part) = open.stranger(&parts) {
            let error = voice_changed_error(&part.name, &speech.title);
            return Err(WorkError::Failed(error));
        }
        let front_ends = Arc::clone(&open.front_ends);
        // What can't be read at all is told before anything is opened.
        front_ends.get(0).map_err(work_error)?;
        let live = Live {
            speech,
            context,
            kept: kept.as_ref(),
            rate: open.rate(),
            front_ends: &front_ends,
        };
        live.speak(&mut open.models)?;
        if let Some(kept) = &kept {
            kept.trim_now_and_then();
        }
        Ok(json!({ "segments": speech.plan.len() }))
    }

    fn narrate_with(
        &mut self,
        narration: &Narration,
        context: &TaskContext,
        limits: Limits,
    ) -> WorkResult {
        let (kept, library) = (self.kept.clone(), self.library.clone());
        let parts = parts(
            &narration.voice,
            &narration.voice_version,
            &narration.settings,
        );
        let open = self.open(&parts, limits)?;
        if let Some(part) = open.stranger(&parts) {
            let error = voice_changed_error(&part.name, &narration.title);
            return Err(WorkError::Failed(error));
        }
        let rate = open.rate();
        // Clips may be cleared away or damaged before they are joined: these are made again, once.
        let mut again = HashSet::new();
        let joined = loop {
            let job = pipeline::Job {
                narration,
                context,
                kept: kept.as_ref(),
                library: library.as_deref(),
                rate,
            };
            pipeline::speak(job, &open.front_ends, &mut open.models)?;
            if let Some(joined) = joining::join(job, &mut again)? {
                break joined;
            }
        };
        if let Some(kept) = &kept {
            kept.trim_now_and_then();
        }
        let result = json!({
            "files": joined.files,
            "samples": joined.samples,
            "sample_rate": rate,
            "gain": joined.gain,
        });
        let Some(status) = context.status() else {
            return Err(WorkError::Interrupted);
        };
        if status.errors.is_empty() {
            return Ok(result);
        }
        context.set_partial_result(result);
        let (failed, all) = (status.errors.segments(), narration.plan.len());
        let segments: Vec<_> = status.errors.iter().take(1000).collect();
        let message = format!(
            "{failed} of {all} segments of \"{}\" have errors",
            narration.title
        );
        Err(WorkError::Failed(
            ErrorObject::new(ErrorCode::SegmentsFailed, message)
                .with_details(json!({ "failed": failed, "segments": all, "errors": segments }))
                .with_remediation(
                    "See what each of them says; mend the text there, or choose another voice",
                ),
        ))
    }
}

impl Narrator for VoiceNarrator {
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult {
        let limits = context.limits();
        let result = self.narrate_with(narration, context, limits);
        if self.always_new || !limits.is_none() {
            // What one has used of its limits is nothing to the next.
            self.close();
        }
        result
    }

    fn speak(&mut self, speech: &SpeechRequest, context: &TaskContext) -> WorkResult {
        let result = self.speak_with(speech, context);
        if self.always_new {
            self.close();
        }
        result
    }
}

/// The voices of a narration: its own, then the others.
fn parts(voice: &Arc<str>, version: &Arc<str>, settings: &NarrationSettings) -> Vec<Part> {
    let own = Part {
        name: Arc::clone(voice),
        version: Arc::clone(version),
    };
    let others = settings.others.iter().map(|other| Part {
        name: Arc::clone(&other.voice),
        version: Arc::clone(&other.version),
    });
    std::iter::once(own).chain(others).collect()
}

fn voice_changed_error(voice: &str, title: &str) -> ErrorObject {
    let message = format!("the voice {voice} is not the one that \"{title}\" was begun with");
    ErrorObject::new(ErrorCode::VoiceChanged, message).with_remediation(
        "Put the old model back and retry, or narrate the text again: it then starts from the beginning",
    )
}

pub(super) fn work_error(error: SpeechError) -> WorkError {
    match error {
        SpeechError::Interrupted => WorkError::Interrupted,
        // Memory may be there later: tried again, and many in a row hold the voice's other tasks back.
        error if error.is_for_want_of_memory() => WorkError::Transient(error.into()),
        error => WorkError::Failed(error.into()),
    }
}
