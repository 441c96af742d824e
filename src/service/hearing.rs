//! A voice at hand at this terminal: what it sounds like, and how it will speak. It needs the voice's
//! files and no engine, whoever works the queue.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::samples;
use super::submit::Ready;
use super::voice::{advised, check, usable};
use crate::assets::{AssetError, Assets};
use crate::clip;
use crate::engine::Interrupt;
use crate::narrate::NewNarration;
use crate::settings::Settings;
use crate::speech::{FrontEnd, Speaker, SpeechError, Utterance};
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

/// So many are kept: what was heard longer ago is spoken again.
const MOST_KEPT: usize = 32;

/// What was spoken to be heard, in a folder that goes with it.
#[derive(Default)]
struct Previews {
    folder: Option<TempDir>,
    /// The number of the last file.
    last: u32,
    /// The oldest first.
    made: VecDeque<(PreviewKey, Preview)>,
}

/// What tells one from another.
#[derive(PartialEq)]
struct PreviewKey {
    voice: Key,
    speed: u32,
    speaker: Option<u32>,
    spoken: String,
}

/// Words that were spoken.
#[derive(Clone, Debug)]
pub(crate) struct Preview {
    /// A WAV file.
    pub(crate) file: PathBuf,
    /// What the voice does not do as it should, as a sentence.
    pub(crate) problem: Option<String>,
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
        check(ready.voice.info(), new.speed, new.speaker.as_ref()).map(drop)
    }

    /// Speaks a sentence in the voice's language, and returns its WAV file: as [`Self::speak`]. Of a voice that
    /// is not fetched yet it is the sentence that comes with the program.
    ///
    /// # Errors
    /// As [`Self::speak`].
    pub(crate) fn preview(
        &self,
        voice: &str,
        speed: f32,
        speaker: Option<&Speaker>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<PathBuf> {
        let ready = match usable(&self.settings, voice) {
            Err(error) => return self.recorded(voice).unwrap_or(Err(error)),
            Ok(ready) => ready,
        };
        let spoken = sample(&ready.voice.info().language);
        let how = (speed, speaker);
        let preview = self.speak_with(&ready, voice, spoken, how, interrupt)?;
        Ok(preview.file)
    }

    /// The sentence that comes with the program of a voice which is not fetched yet; `None` of any other.
    fn recorded(&self, voice: &str) -> Option<anyhow::Result<PathBuf>> {
        let assets = Assets::from_settings(&self.settings);
        let Err(AssetError::Missing { .. }) = assets.voice(voice) else {
            return None;
        };
        let (heard, rate) = samples::decoded(samples::of(voice)?)?;
        let mut previews = lock(&self.previews);
        let file = previews.next_file();
        Some(file.and_then(|file| {
            let bytes = clip::encode(&heard, rate, &file)?;
            std::fs::write(&file, bytes)
                .with_context(|| format!("{} can't be written", file.display()))?;
            Ok(file)
        }))
    }

    /// Speaks words, which are what is said, at this pace and with this speaker into a WAV file; it lives as
    /// long as the service, or until many
    /// others were heard. What was heard just before is not spoken again. It takes seconds, and waits for
    /// another that is being made: two models at once may not fit. `interrupt` breaks its own off.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], or what is wrong with the voice.
    pub(crate) fn speak(
        &self,
        voice: &str,
        spoken: &str,
        how: (f32, Option<&Speaker>),
        interrupt: &Interrupt,
    ) -> anyhow::Result<Preview> {
        let ready = usable(&self.settings, voice)?;
        self.speak_with(&ready, voice, spoken, how, interrupt)
    }

    fn speak_with(
        &self,
        ready: &Ready,
        voice: &str,
        spoken: &str,
        (speed, speaker): (f32, Option<&Speaker>),
        interrupt: &Interrupt,
    ) -> anyhow::Result<Preview> {
        let info = ready.voice.info();
        let how = &check(info, speed, speaker)?;
        let mut previews = lock(&self.previews);
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted.into());
        }
        let key = PreviewKey {
            voice: key(ready),
            speed: how.speed.to_bits(),
            speaker: how.speaker,
            spoken: spoken.to_owned(),
        };
        if let Some(made) = previews.made_before(&key) {
            return Ok(made);
        }
        let utterance = self
            .front_end(voice, ready)?
            .prepare(spoken)
            .map_err(advised)?;
        let name = printable(&info.name);
        let problem = utterance.problem();
        let problem = problem.map(|problem| format!("the voice {name} {problem}"));
        if utterance.sounds() == 0 {
            bail!(problem.unwrap_or_else(|| format!("the voice {name} has nothing to say there")));
        }
        let samples = ready
            .voice
            .open(interrupt)
            .and_then(|mut model| model.synthesize(&utterance, &[], how, interrupt))
            .map_err(advised)?
            .samples;
        let fault = clip::check(&samples, info.sample_rate, utterance.sounds(), how.speed);
        if let Some(fault) = fault.filter(|fault| !fault.is_usable()) {
            bail!("the voice {name} can't be heard: {fault}; try again, or choose another voice");
        }
        let file = previews.next_file()?;
        let bytes = clip::encode(&samples, info.sample_rate, &file)?;
        std::fs::write(&file, bytes)
            .with_context(|| format!("the preview can't be written to {}", file.display()))?;
        let preview = Preview { file, problem };
        previews.keep(key, preview.clone());
        Ok(preview)
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
    /// The same that was spoken before. Whoever clears the temporary folder may have taken it away.
    fn made_before(&self, key: &PreviewKey) -> Option<Preview> {
        let (_, made) = self.made.iter().find(|(other, _)| other == key)?;
        Some(made.clone()).filter(|made| made.file.is_file())
    }

    /// Keeps one, and drops the oldest: long heard by then.
    fn keep(&mut self, key: PreviewKey, preview: Preview) {
        self.made.retain(|(other, _)| *other != key);
        self.made.push_back((key, preview));
        while self.made.len() > MOST_KEPT {
            if let Some((_, oldest)) = self.made.pop_front() {
                // The whole folder goes at the end, with what could not be removed.
                let _ = std::fs::remove_file(oldest.file);
            }
        }
    }

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
        "hi" => "आधी रात तक हवा थम गई थी, और मीनार का दीया अब भी जल रहा था।",
        "fr" => "Vers minuit, le vent est tombé, et la lumière de la tour brûlait encore.",
        "it" => "Verso mezzanotte il vento si calmò, e la luce della torre rimase accesa.",
        "nl" => "Tegen middernacht ging de wind liggen, en het licht in de toren bleef branden.",
        "pt" => "Perto da meia-noite o vento parou, e a luz da torre continuou acesa.",
        _ => "By midnight the wind had gone down, and the lamp in the tower was still burning.",
    }
}
