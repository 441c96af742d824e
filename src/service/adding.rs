//! How a text comes into the queue: read, cut for its voice and handed to the engine. By whoever asks for
//! it now, and by the operation that does so again and again for a narration that recurs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::submit::{self, compose_for, foreign};
use super::{NarrationDefaults, Refusal, RefusalKind, Submitted, Terms, typed, voice};
use crate::engine::{
    Engine, Operation, Options, StoreError, Submission, SubmitError, TaskContext, WorkError,
    WorkResult,
};
use crate::model::{ErrorObject, GroupId, Limits, Priority};
use crate::narrate::{ComposeError, Composed, NewNarration, NewText, OtherVoices, Request, Voices};
use crate::settings::Settings;
use crate::speech::Speaker;
use crate::text::{FormatName, printable};

/// The name of the operation that adds a narration to the queue.
pub(super) const ADD_NARRATION: &str = "add-narration";

/// A text and how it is narrated, as a request says it. What is not said is as the settings have it when
/// it is narrated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NarrationOrder {
    /// The words themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Or a file of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The format it is read in, whatever its name says.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub written_as: Option<FormatName>,
    /// The folder for the narration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// The voice's name, or the path of its `.onnx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// 1.0 is the voice's own pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f32>,
    /// Which of the voice's speakers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Speaker>,
    /// Who else says some of it.
    #[serde(flatten)]
    pub others: OtherVoices,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What it may use of the machine.
    #[serde(skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
}

impl NarrationOrder {
    /// What is to be narrated, where this is how a text is narrated usually.
    ///
    /// # Errors
    /// [`Refusal`]: it is either a text or a file.
    pub fn with(&self, usual: NarrationDefaults) -> Result<NewNarration, Refusal> {
        let text = match (&self.text, &self.file) {
            (Some(text), None) => NewText::Typed(text.clone()),
            (None, Some(file)) => NewText::File(file.clone()),
            _ => {
                let message = "what is to be narrated is either `text` or `file`: name one of them";
                return Err(Refusal::invalid(message));
            }
        };
        Ok(self.narrating(text, usual))
    }

    /// The same of a text that is not in it.
    #[must_use]
    pub fn narrating(&self, text: NewText, usual: NarrationDefaults) -> NewNarration {
        let mut new = usual.narrate(text);
        new.written_as = self.written_as;
        new.voice = self.voice.clone().unwrap_or(new.voice);
        new.speed = self.speed.unwrap_or(new.speed);
        new.speaker = self.speaker.clone().or(new.speaker);
        new.others = self.others.clone();
        new.priority = self.priority.unwrap_or_default();
        new.limits = self.limits;
        new
    }

    /// What a person would call it.
    pub(super) fn subject(&self) -> String {
        let file = self.file.as_deref();
        let name = file.and_then(|file| Some(file.file_stem()?.to_string_lossy().into_owned()));
        name.unwrap_or_else(|| {
            let words = self.text.as_deref().unwrap_or_default().split_whitespace();
            words.take(4).collect::<Vec<_>>().join(" ")
        })
    }
}

/// What the operation is given: the order, and the terms of each narration that it adds.
#[derive(Serialize, Deserialize)]
pub(super) struct Added {
    /// What its runs are called.
    title: String,
    #[serde(flatten)]
    order: NarrationOrder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<GroupId>,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<f64>,
}

impl Added {
    pub(super) fn new(order: &NarrationOrder, terms: &Terms) -> Self {
        Self {
            title: format!("add {}", order.subject()),
            order: order.clone(),
            group: terms.group.clone(),
            timeout: terms.timeout.map(|timeout| timeout.as_secs_f64()),
        }
    }

    /// The same as whoever asked for it gave it.
    pub(super) fn shown(mut parameters: Value) -> Value {
        if let Some(fields) = parameters.as_object_mut() {
            fields.remove("title");
        }
        parameters
    }
}

/// Takes texts into the queue of an engine.
pub(super) struct Adder<'a> {
    pub engine: &'a Engine,
    pub voices: &'a Arc<Voices>,
    pub settings: &'a Settings,
    /// Whether the voice may open while a text is cut.
    pub warms_up: bool,
}

impl Adder<'_> {
    /// Reads the text, cuts it and submits it. The same narration, unfinished or ended, continues.
    pub(super) fn add(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
        terms: &Terms,
    ) -> anyhow::Result<Submitted> {
        let (composed, notes) = self.compose(new, out)?;
        let submitted = self.submit(composed, new, terms)?;
        Ok(Submitted { notes, ..submitted })
    }

    /// Reads the text and cuts it. Returns also what a person should know of how that was done.
    pub(super) fn compose(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
    ) -> anyhow::Result<(Composed, Vec<String>)> {
        let request = match &new.text {
            NewText::File(path) => read(path)?,
            NewText::Typed(text) if text.trim().is_empty() => {
                bail!("there is no text yet: type or paste what is to be spoken")
            }
            NewText::Typed(text) => {
                Request::from_bytes("the text".into(), None, text.clone().into_bytes())?
            }
            NewText::Bytes { name, bytes } => {
                // Only what would be the file's name in its folder: it names the output folder.
                let path = Path::new(name).file_name().map(PathBuf::from);
                Request::from_bytes(name.clone(), path, bytes.clone())?
            }
        };
        let request = request.written_as(new.written_as);
        let format = request.format();
        if let Some(note) = format.note() {
            tracing::info!(text = %printable(&request.name), "{note}");
        }
        let ready = voice::usable(self.settings, &new.voice)?;
        voice::check(ready.voice.info(), new.speed, new.speaker.as_ref())?;
        if self.warms_up && self.engine.stats().processing == 0 {
            self.voices.warm_up(&ready.reference, &ready.voice);
        }
        let usual = self.settings.clone();
        let or = |told: &Option<String>, usual| told.clone().or(usual);
        let settings = Settings {
            speed: new.speed,
            speaker: new.speaker.clone(),
            dialogue_voice: or(&new.others.dialogue_voice, usual.dialogue_voice),
            chapter_voices: (new.others.chapter_voices.clone()).unwrap_or(usual.chapter_voices),
            out: out.map_or_else(|| self.settings.out.clone(), Path::to_owned),
            ..self.settings.clone()
        };
        let composed = compose_for(&request, &ready, &settings)?;
        let text = printable(&request.name);
        let language = composed.language.as_ref();
        let mut told = Vec::from_iter(foreign(self.settings, ready.voice.info(), language));
        for left in &composed.left {
            told.push(format!("left out: {} × {}", left.stretches, left.reason));
        }
        for note in &told {
            tracing::info!(%text, "{note}");
        }
        let notes = format.noticed().into_iter().chain(told);
        Ok((composed, notes.collect()))
    }

    fn submit(
        &self,
        composed: Composed,
        new: &NewNarration,
        terms: &Terms,
    ) -> anyhow::Result<Submitted> {
        let with = |submission: Submission| {
            let submission = submission.priority(new.priority).limits(new.limits);
            let submission = match &terms.context {
                Some(context) => submission.context(context.clone()),
                None => submission,
            };
            terms.on(submission)
        };
        let submitted = submit::submit_with(self.engine, self.settings, composed, with);
        let submitted = submitted.inspect(|added| {
            let continued = added.continued;
            tracing::info!(task = %added.id, continued, "taken into the queue");
        });
        submitted.map_err(|error| match error.downcast_ref() {
            // The database goes first; that is no news for a person.
            Some(StoreError::Closed) => SubmitError::ShutDown.into(),
            _ => error,
        })
    }
}

/// Registers what narrations that recur need.
pub(super) fn register(options: &mut Options, settings: &Settings, voices: &Arc<Voices>) {
    let (settings, voices) = (settings.clone(), Arc::clone(voices));
    let adding = AddNarration { settings, voices };
    let factory = move || Box::new(adding.clone()) as Box<dyn Operation>;
    options
        .operations
        .insert(ADD_NARRATION.into(), Arc::new(factory));
}

/// The operation that adds a narration to the queue: the file is read anew each time, and a text that has
/// not changed since it was narrated is left as it is.
#[derive(Clone)]
struct AddNarration {
    settings: Settings,
    voices: Arc<Voices>,
}

impl Operation for AddNarration {
    fn run(&mut self, parameters: &Value, context: &Value, task: &TaskContext) -> WorkResult {
        let added: Added = serde_json::from_value(parameters.clone())?;
        let Some(engine) = task.engine() else {
            return Err(WorkError::Interrupted);
        };
        let terms = Terms {
            group: added.group,
            timeout: added.timeout.map(Duration::try_from_secs_f64).transpose()?,
            context: (!context.is_null()).then(|| context.clone()),
            ..Terms::default()
        };
        let adder = Adder {
            engine: &engine,
            voices: &self.voices,
            settings: &self.settings,
            warms_up: false,
        };
        let usual = NarrationDefaults::of(&self.settings);
        let new = added.order.with(usual)?;
        let out = added.order.out.as_deref();
        let result = adder.compose(&new, out).and_then(|(composed, _)| {
            if let Some(id) = submit::completed_before(&engine, &self.settings, &composed)? {
                return Ok(json!({ "task_id": id, "continued": true, "unchanged": true }));
            }
            let Submitted { id, continued, .. } = adder.submit(composed, &new, &terms)?;
            Ok(json!({ "task_id": id, "continued": continued, "unchanged": false }))
        });
        let result = result.map_err(|error| failed(refused(error)))?;
        task.update_progress(1, 1, None);
        Ok(result)
    }
}

/// What a refusal means for the run that met it.
fn failed(refusal: Refusal) -> WorkError {
    let error: ErrorObject = refusal.error;
    match refusal.kind {
        RefusalKind::ShuttingDown => WorkError::Interrupted,
        RefusalKind::Full => WorkError::Transient(error),
        _ => WorkError::Failed(error),
    }
}

/// Why a text was not taken.
pub(super) fn refused(error: anyhow::Error) -> Refusal {
    match error.downcast::<SubmitError>() {
        Ok(error) => error.into(),
        Err(error) => Refusal::of(&error),
    }
}

/// Reads a file as a person named it. Only a real one: a pipe or a device could be read for ever.
fn read(named: &Path) -> anyhow::Result<Request> {
    let path = typed::path(named);
    if path.as_os_str().is_empty() {
        bail!("no file is named: type the path of a text, or the text itself");
    }
    let path = std::path::absolute(&path).unwrap_or(path);
    if path
        .metadata()
        .is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
    {
        let name = path.display().to_string();
        let reason = "it is a device or a pipe; name a file".into();
        return Err(ComposeError::Read { name, reason }.into());
    }
    Ok(Request::read(&path)?)
}
