//! The open voices of a narration: its own, and those that say some of it. All are held that memory allows;
//! where one more would not fit, the one that was silent for longest is closed.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::resample::Resampler;
use crate::engine::{Interrupt, Limits, NarrationSettings};
use crate::memory::available;
use crate::speech::{FrontEnd, Speech, SpeechError, Synthesizer, Utterance, Voice};

/// What a voice takes before it is known how much, in bytes: about what a Piper voice of medium quality does.
const USUAL: u64 = 300_000_000;
/// As far as the pipeline looks ahead, whatever a voice makes use of: it is shared out among them.
const AHEAD: usize = 4;

/// A voice that is meant: what a narration calls it, and which version of it; empty for whichever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub name: Arc<str>,
    pub version: Arc<str>,
}

/// Some voices of a narration, each with what is open of it. The first is the narration's own.
pub(super) struct Ensemble {
    pub limits: Limits,
    pub front_ends: Arc<FrontEnds>,
    pub models: Models,
}

/// A voice, and the part of it that prepares text once somebody has asked for that.
struct Reader {
    part: Part,
    voice: Arc<dyn Voice>,
    front_end: OnceLock<Box<dyn FrontEnd>>,
}

/// The parts that prepare text. Any thread may ask.
pub(super) struct FrontEnds(Vec<Reader>);

/// The models.
pub(super) struct Models {
    voices: Vec<Model>,
    /// The rate of the first voice, in which all speak.
    rate: u32,
    /// What they may take together, in bytes; `None` is half of what is free.
    most: Option<u64>,
    /// Counts requests, to tell who was silent for longest.
    turn: u64,
}

struct Model {
    voice: Arc<dyn Voice>,
    synthesizer: Option<Box<dyn Synthesizer>>,
    /// From its own rate to that of all; `None` where both are the same.
    resampler: Option<Resampler>,
    last: u64,
}

impl Ensemble {
    /// These voices, of which nothing is open. There is at least one.
    pub(super) fn new(
        voices: Vec<(Part, Arc<dyn Voice>)>,
        limits: Limits,
        most: Option<u64>,
    ) -> Self {
        let rate = |voice: &Arc<dyn Voice>| voice.info().sample_rate;
        let all = voices.first().map_or(0, |(_, voice)| rate(voice));
        let models = voices.iter().map(|(_, voice)| Model {
            voice: Arc::clone(voice),
            synthesizer: None,
            resampler: (rate(voice) != all).then(|| Resampler::new(rate(voice), all)),
            last: 0,
        });
        let models = Models {
            voices: models.collect(),
            rate: all,
            most,
            turn: 0,
        };
        let readers = voices.into_iter().map(|(part, voice)| Reader {
            part,
            voice,
            front_end: OnceLock::new(),
        });
        Self {
            limits,
            front_ends: Arc::new(FrontEnds(readers.collect())),
            models,
        }
    }

    /// Whether these are the voices of it, in this order.
    pub(super) fn is_of(&self, parts: &[Part]) -> bool {
        let readers = &self.front_ends.0;
        readers.len() == parts.len()
            && (readers.iter().zip(parts)).all(|(reader, part)| {
                reader.part.name == part.name && reader.is_version(&part.version)
            })
    }

    /// The first of these parts whose voice is another version than it should be. They are its own, in order.
    pub(super) fn stranger<'p>(&self, parts: &'p [Part]) -> Option<&'p Part> {
        let mut both = self.front_ends.0.iter().zip(parts);
        let stranger = both.find(|(reader, part)| !reader.is_version(&part.version));
        stranger.map(|(_, part)| part)
    }

    /// Samples a second of what it says.
    pub(super) fn rate(&self) -> u32 {
        self.models.rate
    }

    /// Gives the voices back, with what others have of them.
    pub(super) fn close(self) {
        let Self {
            front_ends, models, ..
        } = self;
        let voices: Vec<_> = models
            .voices
            .iter()
            .map(|it| Arc::clone(&it.voice))
            .collect();
        drop((front_ends, models));
        for voice in voices {
            voice.rest();
        }
    }
}

impl Reader {
    fn is_version(&self, wanted: &str) -> bool {
        wanted.is_empty() || wanted == self.voice.info().version
    }
}

impl FrontEnds {
    /// That of a voice; the first who asks opens it. A number that there is none of is the first voice's.
    ///
    /// # Errors
    /// What is wrong with a library that it needs.
    pub(super) fn get(&self, voice: u16) -> Result<&dyn FrontEnd, SpeechError> {
        let reader = self.0.get(usize::from(voice)).or(self.0.first());
        let Some(reader) = reader else {
            return Err(SpeechError::Run("there is no voice".into()));
        };
        if let Some(front_end) = reader.front_end.get() {
            return Ok(&**front_end);
        }
        let opened = reader.voice.front_end()?;
        Ok(&**reader.front_end.get_or_init(|| opened))
    }
}

impl Models {
    /// Opens the model of a voice, if it is not open.
    ///
    /// # Errors
    /// What is wrong with it, or [`SpeechError::Interrupted`].
    pub(super) fn open(&mut self, voice: u16, interrupt: &Interrupt) -> Result<(), SpeechError> {
        let place = self.place(voice);
        self.opened(place, interrupt).map(drop)
    }

    fn place(&self, voice: u16) -> usize {
        Some(usize::from(voice))
            .filter(|it| *it < self.voices.len())
            .unwrap_or(0)
    }

    fn opened(&mut self, place: usize, interrupt: &Interrupt) -> Result<&mut Model, SpeechError> {
        self.turn += 1;
        let turn = self.turn;
        if self.voices[place].synthesizer.is_none() {
            self.make_room();
            let begun = Instant::now();
            let model = &mut self.voices[place];
            model.synthesizer = Some(model.voice.open(interrupt)?);
            let seconds = begun.elapsed().as_secs_f64();
            let name = &model.voice.info().name;
            tracing::info!(voice = name, "the voice is open, after {seconds:.1} s");
        }
        let model = &mut self.voices[place];
        model.last = turn;
        Ok(model)
    }

    /// Closes those that were silent for longest, until one more may be opened.
    fn make_room(&mut self) {
        let mut held: u64 = self.voices.iter().map(Model::memory).sum();
        let most = self
            .most
            .unwrap_or_else(|| (available().unwrap_or(u64::MAX / 2) / 2).saturating_add(held));
        while held.saturating_add(USUAL) > most {
            let open = self.voices.iter_mut();
            let open = open.filter(|model| model.synthesizer.is_some());
            let Some(oldest) = open.min_by_key(|model| model.last) else {
                return;
            };
            held = held.saturating_sub(oldest.memory());
            oldest.synthesizer = None;
            oldest.voice.rest();
            let megabytes = most / 1_000_000;
            tracing::info!(
                voice = oldest.voice.info().name,
                "closed for another: the voices of a narration may take {megabytes} MB together"
            );
        }
    }
}

impl Model {
    /// Bytes that the voice takes now: what prepares its texts has a process as well.
    fn memory(&self) -> u64 {
        let usual = self.synthesizer.as_ref().map_or(0, |_| USUAL);
        self.voice.memory().unwrap_or(usual)
    }
}

impl Synthesizer for Models {
    fn looks_ahead(&self) -> usize {
        match &self.voices[..] {
            [only] => only
                .synthesizer
                .as_ref()
                .map_or(0, |model| model.looks_ahead()),
            _ => AHEAD,
        }
    }

    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        let open = self.voices.iter_mut();
        let mut open = open.filter_map(|model| model.synthesizer.as_mut());
        open.try_for_each(|model| model.cancel_prefetch())
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let place = self.place(utterance.voice);
        let ahead: Vec<&Utterance> = ahead
            .iter()
            .filter(|next| self.place(next.voice) == place)
            .copied()
            .collect();
        let Model {
            synthesizer: Some(model),
            resampler,
            ..
        } = self.opened(place, interrupt)?
        else {
            return Err(SpeechError::Run("the voice is not open".into()));
        };
        let most = model.looks_ahead().min(ahead.len());
        // A speaker's number is one of the narration's own voice.
        let settings = NarrationSettings {
            speed: settings.speed,
            speaker: settings.speaker.filter(|_| place == 0),
            others: Vec::new(),
        };
        let speech = model.synthesize(utterance, &ahead[..most], &settings, interrupt)?;
        Ok(match resampler {
            Some(resampler) => resampler.speech(speech),
            None => speech,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::speech::VoiceInfo;

    /// One that takes so many bytes while its model is open, and says as many samples as it has ids.
    struct Counted {
        info: VoiceInfo,
        bytes: u64,
        opened: Arc<AtomicUsize>,
        is_open: Arc<AtomicUsize>,
        /// As many models of it as are open.
        own: Arc<AtomicUsize>,
    }

    struct Tone([Arc<AtomicUsize>; 2]);

    impl Drop for Tone {
        fn drop(&mut self) {
            for open in &self.0 {
                open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    impl Synthesizer for Tone {
        fn looks_ahead(&self) -> usize {
            1
        }

        fn synthesize(
            &mut self,
            utterance: &Utterance,
            ahead: &[&Utterance],
            settings: &NarrationSettings,
            _: &Interrupt,
        ) -> Result<Speech, SpeechError> {
            assert!(ahead.len() <= 1 && ahead.iter().all(|it| it.voice == utterance.voice));
            assert_eq!(settings.speaker.is_some(), utterance.voice == 0);
            Ok(Speech {
                samples: vec![0.0; utterance.ids.len()],
                ..Speech::default()
            })
        }
    }

    impl Voice for Counted {
        fn info(&self) -> &VoiceInfo {
            &self.info
        }

        fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
            Err(SpeechError::Phonemes("it has none".into()))
        }

        fn open(&self, _: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
            self.opened.fetch_add(1, Ordering::SeqCst);
            let open = [&self.is_open, &self.own].map(Arc::clone);
            for open in &open {
                open.fetch_add(1, Ordering::SeqCst);
            }
            Ok(Box::new(Tone(open)))
        }

        fn memory(&self) -> Option<u64> {
            Some(self.bytes * self.own.load(Ordering::SeqCst) as u64)
        }
    }

    /// An ensemble of so many, with the number of openings of each, and of those that are open.
    fn ensemble(
        rates: &[u32],
        most: Option<u64>,
    ) -> (Ensemble, Vec<Arc<AtomicUsize>>, Arc<AtomicUsize>) {
        let is_open = Arc::new(AtomicUsize::new(0));
        let mut opened = Vec::new();
        let voices = rates.iter().enumerate().map(|(number, rate)| {
            opened.push(Arc::default());
            let voice = Counted {
                info: VoiceInfo {
                    name: format!("voice {number}"),
                    family: "counted",
                    language: "en".into(),
                    sample_rate: *rate,
                    speakers: 2,
                    speaker_names: BTreeMap::new(),
                    version: "1".into(),
                },
                bytes: 100_000_000,
                opened: Arc::clone(&opened[number]),
                is_open: Arc::clone(&is_open),
                own: Arc::default(),
            };
            let part = Part {
                name: format!("voice {number}").into(),
                version: "1".into(),
            };
            (part, Arc::new(voice) as Arc<dyn Voice>)
        });
        let voices = voices.collect();
        (
            Ensemble::new(voices, Limits::default(), most),
            opened,
            is_open,
        )
    }

    fn utterance(voice: u16) -> Utterance {
        Utterance {
            ids: vec![1; 800],
            voice,
            ..Utterance::default()
        }
    }

    fn say(models: &mut Models, voice: u16) -> usize {
        let ahead = [0, 1, 2, voice].map(utterance);
        let ahead: Vec<&Utterance> = ahead.iter().collect();
        let settings = NarrationSettings {
            speaker: Some(1),
            ..NarrationSettings::default()
        };
        let what = utterance(voice);
        let said = models.synthesize(&what, &ahead, &settings, &Interrupt::default());
        said.unwrap().samples.len()
    }

    fn counts(opened: &[Arc<AtomicUsize>]) -> Vec<usize> {
        opened.iter().map(|it| it.load(Ordering::SeqCst)).collect()
    }

    #[test]
    fn voices_that_fit_are_opened_once_however_often_they_take_turns() {
        let (mut ensemble, opened, is_open) = ensemble(&[1000; 3], Some(1_000_000_000));
        for turn in 0..10 {
            say(&mut ensemble.models, turn % 3);
        }
        assert_eq!(counts(&opened), [1, 1, 1]);
        assert_eq!(is_open.load(Ordering::SeqCst), 3);
        assert_eq!(ensemble.models.looks_ahead(), AHEAD);
        ensemble.close();
        assert_eq!(is_open.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_one_that_was_silent_for_longest_makes_room() {
        // Two of a hundred each, and what a third may take.
        let (mut ensemble, opened, is_open) = ensemble(&[1000; 3], Some(USUAL + 150_000_000));
        for voice in [0, 1, 0, 2, 0, 1, 1] {
            say(&mut ensemble.models, voice);
            assert!(is_open.load(Ordering::SeqCst) <= 2);
        }
        assert_eq!(counts(&opened), [1, 2, 1]);
        // One alone is held however little there is.
        let (mut ensemble, opened, _) = super::tests::ensemble(&[1000; 2], Some(0));
        for voice in [0, 0, 1, 1, 0] {
            say(&mut ensemble.models, voice);
        }
        assert_eq!(counts(&opened), [2, 1]);
    }

    #[test]
    fn all_speak_at_the_rate_of_the_first() {
        let (mut ensemble, _, _) = ensemble(&[1000, 2000, 500], None);
        let said = [0, 1, 2].map(|voice| say(&mut ensemble.models, voice));
        assert_eq!((ensemble.rate(), said), (1000, [800, 400, 1600]));
    }

    #[test]
    fn another_version_is_a_stranger() {
        let (ensemble, _, _) = ensemble(&[1000; 2], None);
        let mut parts: Vec<Part> = (ensemble.front_ends.0.iter())
            .map(|reader| reader.part.clone())
            .collect();
        assert!(ensemble.is_of(&parts) && ensemble.stranger(&parts).is_none());
        assert!(!ensemble.is_of(&parts[..1]));
        parts[1].version = "2".into();
        assert!(!ensemble.is_of(&parts));
        assert_eq!(ensemble.stranger(&parts), Some(&parts[1]));
        parts[1].version = "".into();
        assert!(ensemble.is_of(&parts));
    }
}
