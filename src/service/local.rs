//! The service over the engine of this process. Nothing here prints, fetches or decides what is shown;
//! every error says what to do.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::adding::{self, Adder, refused};
use super::speech::Listeners;
use super::{
    API, Action, Corrected, Correction, Done, Health, Host, Info, ListedVoice, Live, LogLine,
    NarrationDefaults, PublicCall, Recurring, Refusal, RefusalKind, RequestKey, Schedule,
    SegmentView, Service, Sound, SpeechOrder, SpeechStream, Stats, Submitted, Subscription,
    TaskAction, TaskSummary, Terms, current_trace, voice,
};
use crate::assets::Assets;
use crate::engine::{Engine, Options, Recurrence, SubmitError, trace_span};
use crate::model::{
    ErrorObject, GroupId, GroupStatus, HistoryEntry, SegmentId, ShutdownWait, TaskId, TaskStatus,
};
use crate::narrate::{NewNarration, Voices};
use crate::settings::Settings;

/// How far back a narration is looked for that has left the queue.
const HISTORY: usize = 10_000;

/// What gives the last lines of the program's log.
pub type LogSource = fn() -> Vec<LogLine>;

/// The service over the engine of this process. Share it in an [`Arc`].
pub struct Local {
    engine: Engine,
    voices: Arc<Voices>,
    settings: Settings,
    boot: String,
    log: LogSource,
    /// The thread that ends the engine, once someone has asked for that.
    stopping: Mutex<Option<JoinHandle<()>>>,
    listeners: Listeners,
    /// Held from when the name of a schedule is chosen until the disk has it: a moment, and only others who
    /// set one wait for it.
    naming: Mutex<()>,
    /// Held while a word of a lexicon changes and what it touches is given to the engine, which may have to
    /// end a segment first: only others who change one wait for it.
    correcting: Mutex<()>,
}

impl Local {
    /// The service before this engine and its voices, under these settings.
    #[must_use]
    pub fn new(engine: Engine, voices: Arc<Voices>, settings: Settings, log: LogSource) -> Self {
        let listeners = Listeners::new(settings.speech.requests);
        Self {
            engine,
            voices,
            settings,
            boot: uuid::Uuid::new_v4().to_string(),
            log,
            stopping: Mutex::default(),
            listeners,
            naming: Mutex::default(),
            correcting: Mutex::default(),
        }
    }

    /// Has narrations recur in the engine that is opened with these options: each run adds one to the queue.
    /// Call it before the engine is opened, with what the service will be made of; what recurs since an
    /// earlier start runs at once otherwise, and does not know how.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aloud::engine::Engine;
    /// use aloud::narrate::{Voices, library_options_with};
    /// use aloud::service::{Local, Service};
    /// use aloud::settings::{Overrides, Paths, load_from};
    ///
    /// let home = tempfile::tempdir()?;
    /// let settings = load_from(Paths::under(home.path()), Overrides::default(), &|_| None)?;
    /// let voices = Voices::new(&settings);
    /// let mut options = library_options_with(&settings, &voices);
    /// Local::prepare(&mut options, &settings, &voices);
    /// let service = Local::new(Engine::open(options)?, voices, settings, Vec::new);
    /// assert!(service.schedules()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare(options: &mut Options, settings: &Settings, voices: &Arc<Voices>) {
        adding::register(options, settings, voices);
    }

    /// Reads the text, cuts it and submits it. The same narration, unfinished or ended, continues.
    ///
    /// # Errors
    /// What is wrong with the text, the voice or the output folder, or what the engine says.
    pub(crate) fn add_text(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
    ) -> anyhow::Result<Submitted> {
        self.adder().add(new, out, &Terms::default())
    }

    fn adder(&self) -> Adder<'_> {
        Adder {
            engine: &self.engine,
            voices: &self.voices,
            settings: &self.settings,
            warms_up: true,
        }
    }
}

impl Service for Local {
    fn info(&self) -> Info {
        Info {
            name: "aloud".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: API,
            api_min: API,
            boot: self.boot.clone(),
            pid: std::process::id(),
            library: self.settings.paths.library.display().to_string(),
        }
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskSummary>, Refusal> {
        let Some(page) = self.engine.tasks_after(after, limit) else {
            // Only one that was named can be unknown.
            return Err(after.map_or_else(|| Refusal::failed("no page"), Refusal::no_task));
        };
        Ok(page.iter().map(TaskSummary::from).collect())
    }

    fn task(&self, id: &TaskId) -> Result<TaskSummary, Refusal> {
        let status = self.known(id)?;
        Ok(TaskSummary::whole(&status, |name| self.is_shown(name)))
    }

    fn segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal> {
        Ok(SegmentView::window(&self.known(id)?, from, limit))
    }

    fn stats(&self) -> Result<Stats, Refusal> {
        Ok(self.engine.stats())
    }

    fn health(&self) -> Result<Health, Refusal> {
        Ok(self.engine.health())
    }

    fn is_queue_paused(&self) -> Result<bool, Refusal> {
        Ok(self.engine.is_queue_paused())
    }

    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Refusal> {
        let history = self.engine.history(limit);
        history.map_err(|error| Refusal::failed(error.to_string()))
    }

    fn voices(&self) -> Result<Vec<ListedVoice>, Refusal> {
        let assets = Assets::from_settings(&self.settings);
        let size = |name: &str| Some(assets.catalogue().voice(name)?.0.download_size());
        let voices = assets.voices();
        let mut voices: Vec<_> = voices
            .into_iter()
            .map(|voice| ListedVoice {
                fetch_bytes: size(&voice.name).filter(|_| !voice.installed),
                name: voice.name,
                language: voice.language,
                quality: voice.quality,
                speakers: voice.speakers,
                installed: voice.installed,
                family: Some(voice.family),
                grade: voice.grade,
                note: voice.note,
            })
            .collect();
        // They come in an order that a stable sort keeps.
        voices.sort_by_key(|voice| !voice.installed);
        Ok(voices)
    }

    fn narration_defaults(&self) -> Result<NarrationDefaults, Refusal> {
        Ok(NarrationDefaults::of(&self.settings))
    }

    fn check_voice(&self) -> Result<(), Refusal> {
        let voice = voice::usable(&self.settings, &self.settings.voice);
        voice.map(drop).map_err(|error| Refusal::of(&error))
    }

    fn log(&self) -> Result<Vec<LogLine>, Refusal> {
        Ok((self.log)())
    }

    fn add(&self, new: &NewNarration, out: Option<&Path>) -> Result<Submitted, Refusal> {
        self.add_text(new, out).map_err(refused)
    }

    fn act(&self, action: &Action) -> Result<Done, Refusal> {
        match action {
            Action::Task { task, what } => {
                return self.act_on(task, what);
            }
            Action::RetryAll => {
                let mut done = Done::default();
                for tried in self.engine.retry_all() {
                    match tried {
                        Ok(id) => done.tasks.push(id),
                        Err(error) => done.refused.push(error.into()),
                    }
                }
                return Ok(done);
            }
            Action::First { tasks } => {
                let moved = self.engine.move_first(tasks);
                // No task is wrong: the engine is.
                moved.map_err(|_| Refusal::shutting_down())?;
            }
            Action::CancelAll => drop(self.engine.cancel_all()),
            Action::ResumeAll => self.engine.resume_all(),
            Action::PauseQueue => self.engine.pause_queue(),
            Action::ResumeQueue => self.engine.resume_queue(),
        }
        Ok(Done::default())
    }

    fn correct(&self, id: &TaskId, correction: &Correction) -> Result<Corrected, Refusal> {
        self.correct_word(id, correction)
    }

    fn schedules(&self) -> Result<Vec<Schedule>, Refusal> {
        Ok(self.shown_schedules())
    }

    fn remove_schedule(&self, name: &str) -> Result<(), Refusal> {
        self.remove_shown_schedule(name)
    }

    fn shut_down(&self) -> Result<(), Refusal> {
        let wait = ShutdownWait::Segments(self.settings.shutdown_timeout);
        let mut stopping = lock(&self.stopping);
        if stopping.is_none() {
            let engine = self.engine.clone();
            let thread = std::thread::Builder::new().name("aloud-stop".into());
            let thread = thread.spawn(move || {
                engine.shutdown(wait);
            });
            let failed = |error| Refusal::failed(format!("no thread can be started: {error}"));
            *stopping = Some(thread.map_err(failed)?);
        }
        Ok(())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(thread) = lock(&self.stopping).take() {
            // The engine's end is bounded, and a panic there is in the log.
            drop(thread.join());
        }
    }
}

impl Live for Local {
    fn events(&self) -> Subscription {
        self.engine.subscribe()
    }

    fn statuses(&self) -> Vec<TaskStatus> {
        self.engine.tasks()
    }

    fn status(&self, id: &TaskId) -> Option<TaskStatus> {
        self.engine.task_status(id)
    }
}

impl Host for Local {
    fn add_on(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
        terms: &Terms,
    ) -> Result<Submitted, Refusal> {
        if let Some(before) = self.made_before(terms)? {
            return Ok(before);
        }
        terms.check_moment()?;
        let added = self.adder().add(new, out, terms);
        added.or_else(|error| again(terms, error))
    }

    fn perform(&self, call: &PublicCall, terms: &Terms) -> Result<Submitted, Refusal> {
        self.perform_public(call, terms)
    }

    fn schedule(
        &self,
        task: &Recurring,
        recurrence: &Recurrence,
        name: Option<&str>,
        terms: &Terms,
    ) -> Result<Schedule, Refusal> {
        self.set_schedule(task, recurrence, name, terms)
    }

    fn group(&self, id: &GroupId) -> Result<GroupStatus, Refusal> {
        self.engine.group_status(id).ok_or_else(|| Refusal {
            kind: RefusalKind::NotFound,
            error: ErrorObject::new("GROUP_NOT_FOUND", format!("there is no group {id}")),
        })
    }

    fn clip(&self, id: &TaskId, segment: SegmentId) -> Result<Sound, Refusal> {
        Sound::clip(&self.known(id)?, segment)
    }

    fn audio(&self, id: &TaskId, part: usize) -> Result<Sound, Refusal> {
        if let Some(status) = self.status(id) {
            return Sound::whole(&status, part);
        }
        let past = self
            .history(HISTORY)?
            .into_iter()
            .find(|past| past.id == *id);
        Sound::past(&past.ok_or_else(|| Refusal::no_task(id))?)
    }

    fn speak(&self, order: &SpeechOrder) -> Result<SpeechStream, Refusal> {
        self.speak_now(order)
    }

    fn speech_voices(&self) -> Result<Vec<String>, Refusal> {
        Ok(self.voices_to_order())
    }
}

impl Local {
    /// What the same request has made before.
    fn made_before(&self, terms: &Terms) -> Result<Option<Submitted>, Refusal> {
        let Some(key) = &terms.key else {
            return Ok(None);
        };
        let task = key.task();
        if self.status(task).is_some() {
            return Ok(Some(Submitted {
                id: task.clone(),
                continued: true,
                notes: Vec::new(),
            }));
        }
        let tasks = self.statuses();
        match tasks.iter().find(|other| key.is_of(&other.id)) {
            None => Ok(None),
            Some(other) => Err(Refusal {
                kind: RefusalKind::Conflict,
                error: ErrorObject::new(
                    "KEY_REUSED",
                    format!(
                        "this key was given to something else: the task {}",
                        other.id
                    ),
                )
                .with_remediation("Give each thing that is asked for a key of its own"),
            }),
        }
    }

    fn known(&self, id: &TaskId) -> Result<TaskStatus, Refusal> {
        self.status(id).ok_or_else(|| Refusal::no_task(id))
    }

    /// With the task that it has become.
    fn act_on(&self, id: &TaskId, what: &TaskAction) -> Result<Done, Refusal> {
        let status = self.engine.task_status(id);
        // A request without a trace of its own belongs to the task's.
        let trace = status.as_ref().and_then(|status| status.trace.as_deref());
        let trace = trace.filter(|_| current_trace().is_none());
        let _entered = trace_span(trace).entered();
        if let Some(status) = &status {
            what.check(status)
                .map_err(|why| Refusal::conflict(id, why))?;
        }
        let done = match what {
            TaskAction::Retry(segments) => {
                let new = self.retry(id, segments, status.as_ref())?;
                tracing::info!(task = %id, %new, "tried again as asked");
                return Ok(Done::of(new));
            }
            TaskAction::Render(voice, speaker) => {
                let done = self.render(id, voice, speaker.as_ref())?;
                let new = done.tasks.first().map(ToString::to_string);
                tracing::info!(task = %id, new, %voice, "to be spoken by another voice as asked");
                return Ok(done);
            }
            _ if status.is_none() => return Err(Refusal::no_task(id)),
            TaskAction::Cancel => self.engine.cancel_task(id).map(drop),
            TaskAction::Pause => self.engine.pause_task(id),
            TaskAction::Resume => self.engine.resume_task(id),
            TaskAction::Sooner => self.engine.move_up(id),
            TaskAction::Later => self.engine.move_down(id),
        };
        done.map_err(|error| Refusal::of_control(id, error))?;
        tracing::info!(task = %id, action = what.word(), "done as asked");
        Ok(Done::of(id.clone()))
    }

    /// Also what has left the registry: the disk knows it.
    fn retry(
        &self,
        id: &TaskId,
        segments: &[SegmentId],
        status: Option<&TaskStatus>,
    ) -> Result<TaskId, Refusal> {
        let mut segments = segments.to_vec();
        if segments.is_empty() {
            let failed = status.into_iter().flat_map(|it| it.errors.segment_ids());
            segments.extend(failed.filter(|id| *id != SegmentId::TASK));
        }
        match self.engine.retry_traced(id, &segments, current_trace()) {
            Err(SubmitError::NotRetryable(_)) if status.is_none() => Err(Refusal::no_task(id)),
            tried => Ok(tried?),
        }
    }
}

/// Why a request was not taken; one that has come twice at one moment, or whose task is history, was.
fn again(terms: &Terms, error: anyhow::Error) -> Result<Submitted, Refusal> {
    let key = terms.key.as_ref().map(RequestKey::task);
    match error.downcast_ref() {
        Some(SubmitError::Duplicate(id)) if key == Some(id) => Ok(Submitted {
            id: id.clone(),
            continued: true,
            notes: Vec::new(),
        }),
        _ => Err(refused(error)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

mod correct;
mod schedules;
mod speech;
#[cfg(test)]
mod tests;
