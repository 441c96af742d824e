//! Kokoro voices: one model that speaks as many voices as there are packs beside it. English is read by
//! lexicons that lie there too, other languages by eSpeak NG.

mod language;
mod layouts;
mod network;
mod styles;
mod synthesizer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::configuration::version;
use super::english::English;
use super::espeak::{Alphabet, Reader};
use super::vocabulary::Vocabulary;
use super::{Comparison, FrontEnd, Runtime, SpeechError, Synthesizer, Utterance, Voice, VoiceInfo};
use crate::assets::VoiceFiles;
use crate::engine::Interrupt;
use language::Language;
use styles::Styles;
use synthesizer::KokoroSynthesizer;

/// Samples a second.
const RATE: u32 = 24_000;

/// A Kokoro voice, or a blend of some.
pub struct KokoroVoice {
    info: VoiceInfo,
    language: Language,
    vocabulary: Arc<Vocabulary>,
    styles: Arc<Styles>,
    model: PathBuf,
    /// Where the vocabulary is, and the lexicons.
    folder: PathBuf,
    runtime: Runtime,
}

impl KokoroVoice {
    /// Reads the vocabulary, which is the `config` of such files, and the packs of the blend. A blend's
    /// language is that of its first voice.
    ///
    /// # Errors
    /// [`SpeechError::Config`] if one of them is missing or is not what it should be.
    pub fn load(files: &VoiceFiles, runtime: &Runtime) -> Result<Self, SpeechError> {
        let failed = |reason: &str| SpeechError::Config {
            path: files.model.clone(),
            reason: reason.to_owned(),
        };
        let first = (files.blend.first()).ok_or_else(|| {
            failed("it speaks several voices; name one of them, such as af_heart")
        })?;
        let language = Language::of(&first.name)
            .ok_or_else(|| failed(&format!("the language of {} is not spoken yet", first.name)))?;
        let (vocabulary, text) = Vocabulary::read(&files.config)?;
        let styles = Styles::read(&files.blend)?;
        let folder = files
            .config
            .parent()
            .map_or_else(PathBuf::new, PathBuf::from);
        let info = VoiceInfo {
            name: files.name.clone(),
            family: "kokoro",
            language: language.tag().into(),
            sample_rate: RATE,
            speakers: 1,
            speaker_names: BTreeMap::new(),
            version: format!("{}-{:08x}", version(&text, files), styles.checksum()),
        };
        Ok(Self {
            info,
            language,
            vocabulary: Arc::new(vocabulary),
            styles: Arc::new(styles),
            model: files.model.clone(),
            folder,
            runtime: runtime.clone(),
        })
    }
}

impl Voice for KokoroVoice {
    fn info(&self) -> &VoiceInfo {
        &self.info
    }

    fn front_end(&self) -> Result<Box<dyn FrontEnd>, SpeechError> {
        let reads = match self.language {
            Language::English(dialect) => {
                let library = &self.runtime.onnxruntime;
                Reads::English(Box::new(English::open(&self.folder, library, dialect)?))
            }
            Language::Espeak(voice, tag) => {
                let reader = Reader::open(&self.runtime, voice, tag, Alphabet::Kokoro)?;
                Reads::Espeak(Box::new(reader))
            }
        };
        let vocabulary = Arc::clone(&self.vocabulary);
        Ok(Box::new(KokoroFrontEnd { reads, vocabulary }))
    }

    fn open(&self, interrupt: &Interrupt) -> Result<Box<dyn Synthesizer>, SpeechError> {
        let (largest, styles) = (self.vocabulary.largest(), Arc::clone(&self.styles));
        let runtime = &self.runtime;
        let opened = KokoroSynthesizer::open(&self.model, largest, styles, runtime, interrupt)?;
        Ok(Box::new(opened))
    }

    fn compare_layouts(&self, interrupt: &Interrupt) -> Result<Option<Comparison>, SpeechError> {
        let (largest, styles) = (self.vocabulary.largest(), &self.styles);
        layouts::compare(&self.model, largest, styles, &self.runtime, interrupt).map(Some)
    }
}

/// Who reads the text.
enum Reads {
    English(Box<English>),
    Espeak(Box<Reader>),
}

struct KokoroFrontEnd {
    reads: Reads,
    vocabulary: Arc<Vocabulary>,
}

impl FrontEnd for KokoroFrontEnd {
    fn prepare(&self, text: &str) -> Result<Utterance, SpeechError> {
        let utterance = |read| self.vocabulary.utterance(read);
        Ok(match &self.reads {
            Reads::English(english) => utterance(english.read(text)?).without_spelling(),
            Reads::Espeak(reader) => utterance(reader.read(text)?),
        })
    }
}
