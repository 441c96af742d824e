//! A voice at hand at this terminal: what it sounds like, and how it will speak. It needs the voice's
//! files and no engine, whoever works the queue.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::submit::Ready;
use super::voice::{advised, check, usable};
use crate::clip;
use crate::engine::Interrupt;
use crate::model::NarrationSettings;
use crate::narrate::NewNarration;
use crate::settings::Settings;
use crate::speech::{FrontEnd, SpeechError, Utterance};
use crate::text::printable;

/// How long a voice is taken for what it was, without a look at its files: following the work, the
/// monitor asks for the phonemes of every segment.
const FRONT_END_KEPT: Duration = Duration::from_secs(10);

/// The voices of these settings, at hand. Share it in an [`Arc`].
pub(crate) struct Hearing {
    settings: Settings,
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

impl Hearing {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            previews: Mutex::default(),
            front_end: Mutex::default(),
        }
    }

    /// Whether a text could be narrated like that: the voice is there, and can do it.
    ///
    /// # Errors
    /// What is wrong with the voice, the speed or the speaker.
    pub(crate) fn accepts(&self, new: &NewNarration) -> anyhow::Result<()> {
        let ready = usable(&self.settings, &new.voice)?;
        check(ready.voice.info(), new.speed, new.speaker)
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
        let ready = usable(&self.settings, voice)?;
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
            None => self.front_end(voice, &usable(&self.settings, voice)?)?,
        };
        front_end.prepare(text).map_err(advised)
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

/// What a voice of this language says of itself.
pub(super) fn sample(language: &str) -> &'static str {
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
