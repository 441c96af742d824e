//! The narrator of one worker: keeps the voice it used last open, for the next narration probably
//! wants the same.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::live::Live;
use super::{ClipCache, joining, pipeline};
use crate::engine::{
    ErrorCode, ErrorObject, Interrupt, Limits, Narration, Narrator, SpeechRequest, TaskContext,
    WorkError, WorkResult,
};
use crate::speech::{FrontEnd, SpeechError, Synthesizer, Voice};

/// Finds a voice by what a narration calls it: a name, or the path of a model; it is to be held to the
/// limits of the task.
pub type VoiceResolver =
    Arc<dyn Fn(&str, Limits) -> Result<Arc<dyn Voice>, ErrorObject> + Send + Sync>;

/// Narrates with real voices.
pub struct VoiceNarrator {
    resolve: VoiceResolver,
    open: Option<Open>,
    kept: Option<ClipCache>,
    library: Option<PathBuf>,
    always_new: bool,
}

struct Open {
    name: Arc<str>,
    limits: Limits,
    voice: Arc<dyn Voice>,
    front_end: Option<Box<dyn FrontEnd>>,
    synthesizer: Option<Box<dyn Synthesizer>>,
}

impl VoiceNarrator {
    /// A narrator that finds its voices with `resolve`.
    #[must_use]
    pub fn new(resolve: VoiceResolver) -> Self {
        Self {
            resolve,
            open: None,
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

    /// The same with a voice of its own for each narration.
    #[must_use]
    pub fn with_new_voices(mut self) -> Self {
        self.always_new = true;
        self
    }

    /// The voice of this name; if it is open already, that one, if it has this version.
    fn open(
        &mut self,
        name: &Arc<str>,
        version: &str,
        limits: Limits,
    ) -> Result<&mut Open, WorkError> {
        let same =
            |open: &Open| open.name == *name && open.limits == limits && is_version(open, version);
        if !self.open.as_ref().is_some_and(same) {
            // The old model goes before the new one comes: two would not fit everywhere.
            self.close();
            let voice = (self.resolve)(name, limits).map_err(WorkError::Failed)?;
            let open = Open {
                name: Arc::clone(name),
                limits,
                voice,
                front_end: None,
                synthesizer: None,
            };
            return Ok(self.open.insert(open));
        }
        self.open.as_mut().ok_or_else(|| {
            WorkError::Failed(ErrorObject::new(
                ErrorCode::Voice,
                format!("the voice {name} is not open"),
            ))
        })
    }

    /// Gives the voice back, with what others have of it.
    fn close(&mut self) {
        if let Some(Open {
            voice,
            front_end,
            synthesizer,
            ..
        }) = self.open.take()
        {
            drop((front_end, synthesizer));
            voice.rest();
        }
    }

    fn speak_with(&mut self, speech: &SpeechRequest, context: &TaskContext) -> WorkResult {
        let kept = self.kept.clone();
        let version = &speech.voice_version;
        let open = self.open(&speech.voice, version, context.limits())?;
        if !is_version(open, version) {
            let error = voice_changed_error(&speech.voice, &speech.title);
            return Err(WorkError::Failed(error));
        }
        let voice = Arc::clone(&open.voice);
        let front_end = front_end_of(&*voice, &mut open.front_end).map_err(work_error)?;
        let live = Live {
            speech,
            context,
            kept: kept.as_ref(),
            rate: voice.info().sample_rate,
            front_end,
        };
        let synthesizer = &mut open.synthesizer;
        live.speak(|| synthesizer_of(&*voice, synthesizer, context.interrupt()))?;
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
        let open = self.open(&narration.voice, &narration.voice_version, limits)?;
        if !is_version(open, &narration.voice_version) {
            let error = voice_changed_error(&narration.voice, &narration.title);
            return Err(WorkError::Failed(error));
        }
        let rate = open.voice.info().sample_rate;
        let voice = Arc::clone(&open.voice);
        // Clips may be cleared away or damaged before they are joined: these are made again, once.
        let mut again = HashSet::new();
        let joined = loop {
            let (synthesizer, front_end) = (&mut open.synthesizer, &mut open.front_end);
            let job = pipeline::Job {
                narration,
                context,
                kept: kept.as_ref(),
                library: library.as_deref(),
                rate,
            };
            pipeline::speak(
                job,
                || front_end_of(&*voice, front_end),
                || synthesizer_of(&*voice, synthesizer, context.interrupt()),
            )?;
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

/// The front end of an open voice; the first who asks opens it.
fn front_end_of<'o>(
    voice: &dyn Voice,
    slot: &'o mut Option<Box<dyn FrontEnd>>,
) -> Result<&'o (dyn FrontEnd + 'static), SpeechError> {
    match slot {
        Some(front_end) => Ok(&**front_end),
        slot => Ok(&**slot.insert(voice.front_end()?)),
    }
}

/// The model of an open voice; the first who asks opens it.
fn synthesizer_of<'o>(
    voice: &dyn Voice,
    slot: &'o mut Option<Box<dyn Synthesizer>>,
    interrupt: &Interrupt,
) -> Result<&'o mut (dyn Synthesizer + 'static), SpeechError> {
    match slot {
        Some(synthesizer) => Ok(synthesizer.as_mut()),
        slot => {
            let begun = Instant::now();
            let opened = slot.insert(voice.open(interrupt)?);
            let seconds = begun.elapsed().as_secs_f64();
            let name = &voice.info().name;
            tracing::info!(voice = name, "the voice is open, after {seconds:.1} s");
            Ok(opened.as_mut())
        }
    }
}

/// Whether the voice is the one that is wanted, such as the one that a narration was begun with.
fn is_version(open: &Open, wanted: &str) -> bool {
    wanted.is_empty() || wanted == open.voice.info().version
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
