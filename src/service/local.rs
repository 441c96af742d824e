//! The service over the engine of this process. Nothing here prints, fetches or decides what is shown;
//! every error says what to do.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use tempfile::TempDir;

use super::submit::{self, Ready, compose_for};
use super::{
    API, Action, Done, Health, Info, ListedVoice, Live, LogLine, NarrationDefaults, Refusal,
    SegmentView, Service, Stats, Submitted, Subscription, TaskAction, TaskSummary, typed,
};
use crate::assets::{AssetError, Assets};
use crate::clip;
use crate::engine::{Engine, Interrupt, StoreError, Submission, SubmitError};
use crate::model::{HistoryEntry, NarrationSettings, SegmentId, ShutdownWait, TaskId, TaskStatus};
use crate::narrate::{
    ComposeError, NewNarration, NewText, Request, VoiceError, Voices, load_voice,
};
use crate::settings::Settings;
use crate::speech::{FrontEnd, SpeechError, Utterance, VoiceInfo};
use crate::text::printable;

/// The speeds that a voice can be asked for, as the settings have them.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

/// How long a voice is taken for what it was, without a look at its files: following the work, the
/// monitor asks for the phonemes of every segment.
const FRONT_END_KEPT: Duration = Duration::from_secs(10);

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
    previews: Mutex<Previews>,
    /// The voice that was asked for phonemes last.
    front_end: Mutex<Option<CachedFrontEnd>>,
}

/// A front end that is open.
struct CachedFrontEnd {
    /// What the voice was asked for by.
    name: String,
    /// When its files were looked at last.
    since: Instant,
    key: Key,
    front_end: Arc<dyn FrontEnd>,
}

/// A voice by its reference and its version.
type Key = (String, String);

/// Previews that were made, in a folder that goes with them.
#[derive(Default)]
struct Previews {
    folder: Option<TempDir>,
    /// The number of the last file.
    last: u32,
    made: HashMap<(Key, u32, Option<u32>), PathBuf>,
}

impl Local {
    /// The service before this engine and its voices, under these settings.
    #[must_use]
    pub fn new(engine: Engine, voices: Arc<Voices>, settings: Settings, log: LogSource) -> Self {
        Self {
            engine,
            voices,
            settings,
            boot: uuid::Uuid::new_v4().to_string(),
            log,
            stopping: Mutex::default(),
            previews: Mutex::default(),
            front_end: Mutex::default(),
        }
    }

    /// This text, with the voice and pace of the settings.
    pub(crate) fn defaults(&self, text: NewText) -> NewNarration {
        self.usual().narrate(text)
    }

    /// Whether a text could be narrated like that: the voice is there, and can do it.
    ///
    /// # Errors
    /// What is wrong with the voice, the speed or the speaker.
    pub(crate) fn accepts(&self, new: &NewNarration) -> anyhow::Result<()> {
        let ready = self.voice(&new.voice)?;
        check(ready.voice.info(), new.speed, new.speaker)
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
        let ready = self.voice(&new.voice)?;
        check(ready.voice.info(), new.speed, new.speaker)?;
        if self.engine.stats().processing == 0 {
            // It opens while the text is cut.
            self.voices.warm_up(&ready.reference, &ready.voice);
        }
        let settings = Settings {
            speed: new.speed,
            speaker: new.speaker,
            out: out.map_or_else(|| self.settings.out.clone(), Path::to_owned),
            ..self.settings.clone()
        };
        let composed = compose_for(&request, &ready, &settings)?;
        let with = |submission: Submission| submission.priority(new.priority).limits(new.limits);
        let submitted = submit::submit_with(&self.engine, &self.settings, composed, with);
        submitted.map_err(|error| match error.downcast_ref() {
            // The database goes first; that is no news for a person.
            Some(StoreError::Closed) => SubmitError::ShutDown.into(),
            _ => error,
        })
    }

    /// Speaks a sentence in the voice's language, and returns its WAV file, which lives as long as
    /// the service; the same preview is made once. It takes seconds, and waits for another that is
    /// being made: two models at once may not fit. `interrupt` breaks its own off.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], or what is wrong with the voice.
    pub(crate) fn preview(
        &self,
        voice: &str,
        speed: f32,
        speaker: Option<u32>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<PathBuf> {
        let ready = self.voice(voice)?;
        let info = ready.voice.info();
        check(info, speed, speaker)?;
        let mut previews = lock(&self.previews);
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted.into());
        }
        let key = (key(&ready), speed.to_bits(), speaker);
        // Whoever clears the temporary folder may have taken it away.
        if let Some(file) = previews.made.get(&key).filter(|file| file.is_file()) {
            return Ok(file.clone());
        }
        let sentence = sample(&info.language);
        let utterance = self
            .front_end(voice, &ready)?
            .prepare(sentence)
            .map_err(advised)?;
        let how = NarrationSettings { speed, speaker };
        let samples = ready
            .voice
            .open(interrupt)
            .and_then(|mut model| model.synthesize(&utterance, &[], &how, interrupt))
            .map_err(advised)?
            .samples;
        let fault = clip::check(&samples, info.sample_rate, utterance.sounds(), speed);
        if let Some(fault) = fault.filter(|fault| !fault.is_usable()) {
            let name = printable(&info.name);
            bail!("the voice {name} can't be heard: {fault}; try again, or choose another voice");
        }
        let file = previews.next_file()?;
        let bytes = clip::encode(&samples, info.sample_rate, &file)?;
        std::fs::write(&file, bytes)
            .with_context(|| format!("the preview can't be written to {}", file.display()))?;
        previews.made.insert(key, file.clone());
        Ok(file)
    }

    /// How this voice will speak a text. The voice asked for last is kept at hand.
    ///
    /// # Errors
    /// What is wrong with the voice, or with eSpeak NG.
    pub(crate) fn phonemes(&self, voice: &str, text: &str) -> anyhow::Result<Utterance> {
        let fresh =
            |kept: &&CachedFrontEnd| kept.name == voice && kept.since.elapsed() < FRONT_END_KEPT;
        let front_end = lock(&self.front_end)
            .as_ref()
            .filter(fresh)
            .map(|kept| Arc::clone(&kept.front_end));
        let front_end = match front_end {
            Some(front_end) => front_end,
            None => self.front_end(voice, &self.voice(voice)?)?,
        };
        front_end.prepare(text).map_err(advised)
    }

    /// A voice that is installed, by its name or by a path as a person types it.
    fn voice(&self, voice: &str) -> anyhow::Result<Ready> {
        let path = typed::path(Path::new(voice));
        let reference = if path.extension().is_some_and(|ending| ending == "onnx") {
            submit::reference(&path.to_string_lossy())
        } else {
            voice.trim().to_owned()
        };
        let voice = load_voice(&self.settings, &reference).map_err(|error| match error {
            VoiceError::Asset(AssetError::Missing { piece }) => {
                let voice = printable(&reference);
                anyhow!("{piece} is not installed: run `aloud setup --voice {voice}`")
            }
            VoiceError::Asset(error) => error.into(),
            VoiceError::Speech(error) => advised(error),
        })?;
        Ok(Ready { voice, reference })
    }

    /// The front end of a voice, the one that is open if that is the same.
    fn front_end(&self, name: &str, ready: &Ready) -> anyhow::Result<Arc<dyn FrontEnd>> {
        let key = key(ready);
        let kept = lock(&self.front_end).take().filter(|kept| kept.key == key);
        let front_end = match kept {
            Some(kept) => kept.front_end,
            None => ready.voice.front_end().map_err(advised)?.into(),
        };
        *lock(&self.front_end) = Some(CachedFrontEnd {
            name: name.to_owned(),
            since: Instant::now(),
            key,
            front_end: Arc::clone(&front_end),
        });
        Ok(front_end)
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
        let tasks = self.engine.tasks();
        let first = match after {
            None => 0,
            Some(id) => {
                let place = tasks.iter().position(|task| task.id == *id);
                1 + place.ok_or_else(|| Refusal::no_task(id))?
            }
        };
        let page = tasks[first..].iter().take(limit);
        Ok(page.map(TaskSummary::from).collect())
    }

    fn task(&self, id: &TaskId) -> Result<TaskSummary, Refusal> {
        Ok((&self.status(id)?).into())
    }

    fn segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal> {
        Ok(SegmentView::window(&self.status(id)?, from, limit))
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
        let voices = Assets::from_settings(&self.settings).voices();
        let mut voices: Vec<_> = voices
            .into_iter()
            .map(|voice| ListedVoice {
                name: voice.name,
                language: voice.language,
                quality: voice.quality,
                speakers: voice.speakers,
                installed: voice.installed,
            })
            .collect();
        // They come by name, and a stable sort keeps that.
        voices.sort_by_key(|voice| !voice.installed);
        Ok(voices)
    }

    fn narration_defaults(&self) -> Result<NarrationDefaults, Refusal> {
        Ok(self.usual())
    }

    fn check_voice(&self) -> Result<(), Refusal> {
        let voice = self.voice(&self.settings.voice);
        voice.map(drop).map_err(|error| Refusal::of(&error))
    }

    fn log(&self) -> Result<Vec<LogLine>, Refusal> {
        Ok((self.log)())
    }

    fn add(&self, new: &NewNarration, out: Option<&Path>) -> Result<Submitted, Refusal> {
        self.add_text(new, out)
            .map_err(|error| match error.downcast::<SubmitError>() {
                Ok(error) => error.into(),
                Err(error) => Refusal::of(&error),
            })
    }

    fn act(&self, action: &Action) -> Result<Done, Refusal> {
        match action {
            Action::Task { task, what } => {
                let id = self.act_on(task, what)?;
                return Ok(Done {
                    tasks: vec![id],
                    refused: Vec::new(),
                });
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
            Action::CancelAll => drop(self.engine.cancel_all()),
            Action::ResumeAll => self.engine.resume_all(),
            Action::PauseQueue => self.engine.pause_queue(),
            Action::ResumeQueue => self.engine.resume_queue(),
        }
        Ok(Done::default())
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
}

impl Local {
    fn usual(&self) -> NarrationDefaults {
        NarrationDefaults {
            voice: self.settings.voice.clone(),
            speed: self.settings.speed,
            speaker: self.settings.speaker,
        }
    }

    fn status(&self, id: &TaskId) -> Result<TaskStatus, Refusal> {
        self.engine
            .task_status(id)
            .ok_or_else(|| Refusal::no_task(id))
    }

    /// The task that it has become.
    fn act_on(&self, id: &TaskId, what: &TaskAction) -> Result<TaskId, Refusal> {
        let status = self.engine.task_status(id);
        if let Some(status) = &status {
            what.check(status)
                .map_err(|why| Refusal::conflict(id, why))?;
        }
        let done = match what {
            TaskAction::Retry(segments) => return self.retry(id, segments, status.as_ref()),
            _ if status.is_none() => return Err(Refusal::no_task(id)),
            TaskAction::Cancel => self.engine.cancel_task(id).map(drop),
            TaskAction::Pause => self.engine.pause_task(id),
            TaskAction::Resume => self.engine.resume_task(id),
            TaskAction::Sooner => self.engine.move_up(id),
            TaskAction::Later => self.engine.move_down(id),
        };
        done.map_err(|error| Refusal::of_control(id, error))?;
        Ok(id.clone())
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
        match self.engine.retry_segments(id, &segments) {
            Err(SubmitError::NotRetryable(_)) if status.is_none() => Err(Refusal::no_task(id)),
            tried => Ok(tried?),
        }
    }
}

impl Previews {
    /// Where the next one goes. None takes the place of another: that may be playing.
    fn next_file(&mut self) -> anyhow::Result<PathBuf> {
        let gone = |folder: &TempDir| !folder.path().is_dir();
        if self.folder.as_ref().is_none_or(gone) {
            let new = tempfile::Builder::new().prefix("aloud-preview-").tempdir();
            self.folder = Some(new.context("no temporary folder can be made for a preview")?);
        }
        let folder = self.folder.as_ref().context("there is no folder")?;
        self.last += 1;
        Ok(folder.path().join(format!("{}.wav", self.last)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(ready: &Ready) -> Key {
    (ready.reference.clone(), ready.voice.info().version.clone())
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

fn check(info: &VoiceInfo, speed: f32, speaker: Option<u32>) -> anyhow::Result<()> {
    if !SPEEDS.contains(&speed) {
        let (slowest, fastest) = (SPEEDS.start(), SPEEDS.end());
        bail!("the speed {speed} is not possible: it must be from {slowest} to {fastest}");
    }
    if let Some(speaker) = speaker.filter(|speaker| *speaker >= info.speakers) {
        let (name, last) = (printable(&info.name), info.speakers.saturating_sub(1));
        bail!("the voice {name} has no speaker {speaker}: its speakers are 0 to {last}");
    }
    Ok(())
}

/// The error with its advice. An interruption stays what it is: whoever asked for it knows.
fn advised(error: SpeechError) -> anyhow::Error {
    match error {
        SpeechError::Interrupted => error.into(),
        error => anyhow!("{error}. {}", error.remediation()),
    }
}

/// What a voice of this language says of itself.
fn sample(language: &str) -> &'static str {
    match language.split(['-', '_']).next().unwrap_or_default() {
        "de" => "Gegen Mitternacht wurde der Wind still, und das Licht im Turm brannte weiter.",
        "es" => "A medianoche el viento se calmó, y la luz de la torre siguió encendida.",
        "fr" => "Vers minuit, le vent est tombé, et la lumière de la tour brûlait encore.",
        "it" => "Verso mezzanotte il vento si calmò, e la luce della torre rimase accesa.",
        "nl" => "Tegen middernacht ging de wind liggen, en het licht in de toren bleef branden.",
        "pt" => "Perto da meia-noite o vento parou, e a luz da torre continuou acesa.",
        _ => "By midnight the wind had gone down, and the lamp in the tower was still burning.",
    }
}

#[cfg(test)]
mod tests;
