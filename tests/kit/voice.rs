//! A voice made for tests: it takes the text as its phonemes, and whoever opens it says what its
//! model does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aloud::engine::{
    ErrorObject, Interrupt, Narration, NarrationSettings, Options, Plan, PlannedSegment, Reading,
    TaskId,
};
use aloud::narrate::{ClipCache, VoiceNarrator, VoiceResolver};
use aloud::speech::{FrontEnd, SpeechError, SpokenWord, Synthesizer, Utterance, Voice, VoiceInfo};

/// Opens the model.
pub type Open = Arc<dyn Fn() -> Box<dyn Synthesizer> + Send + Sync>;

/// Samples a second.
pub const RATE: u32 = 1000;

struct TestVoice {
    info: VoiceInfo,
    open: Open,
}

struct Letters;

impl FrontEnd for Letters {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let words = text.split(' ').map(|word| {
            let start = (word.as_ptr() as usize - text.as_ptr() as usize) as u32;
            let place = start..start + word.len() as u32;
            SpokenWord {
                text: place.clone(),
                ids: place,
            }
        });
        Ok(Utterance {
            phonemes: text.to_owned(),
            ids: text.bytes().map(i64::from).collect(),
            words: words.collect(),
            ..Utterance::default()
        })
    }
}

impl Voice for TestVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        Ok(Box::new(Letters))
    }

    fn open(&self, _: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        Ok((self.open)())
    }
}

/// A library in `folder` whose every voice is this one.
pub fn library(folder: &Path, open: Open, kept: Option<ClipCache>) -> Options {
    let info = VoiceInfo {
        name: "test".into(),
        family: "test",
        language: "en".into(),
        sample_rate: RATE,
        speakers: 1,
        speaker_names: [].into(),
        version: "1".into(),
    };
    library_of(info, folder, open, kept)
}

/// The same of a voice that says this of itself.
pub fn library_of(info: VoiceInfo, folder: &Path, open: Open, kept: Option<ClipCache>) -> Options {
    let voice: Arc<dyn Voice> = Arc::new(TestVoice { info, open });
    let resolve: VoiceResolver =
        Arc::new(move |_: &str, _| Ok::<_, ErrorObject>(Arc::clone(&voice)));
    let mut options = Options::new(folder.join("library"));
    options.narrator = Some(Arc::new(move || {
        Box::new(VoiceNarrator::new(Arc::clone(&resolve)).keeping(kept.clone()))
    }));
    options
}

/// A narration of these segments by that voice, into `folder`; no other is like it.
pub fn narration(folder: PathBuf, title: &str, texts: &[&str]) -> Narration {
    let segment = |text: &&str| PlannedSegment {
        start: 0,
        end: 1,
        text: (*text).into(),
        pause_ms: 100,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    Narration {
        title: title.into(),
        source: "text".into(),
        plan: Arc::new(Plan::new(texts.iter().map(segment).collect())),
        folder,
        voice: "test".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: TaskId::random().to_string(),
    }
}
