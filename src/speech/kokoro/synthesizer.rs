//! An open Kokoro voice. Each of the model's steps is shared out among all threads: its weights are too
//! large to have them once for each.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use prost::bytes::Bytes;

use super::super::cuts::{Mark, cut};
use super::super::onnx::{Inputs, Model, Opener, Stop, give_integers_too, with_operators};
use super::super::vocabulary::Vocabulary;
use super::super::{Runtime, Speech, SpeechError, Synthesizer, Utterance};
use super::said::{DURATIONS, Said, join};
use super::styles::Styles;
use crate::engine::{Interrupt, NarrationSettings};

/// What the model says well at once, in phonemes. It could say twice as many, and would hurry.
const MOST_PHONEMES: usize = 250;
/// How fast it can be asked to speak. Beyond, it swallows words.
const SPEEDS: (f32, f32) = (0.5, 2.0);
/// The names of the first input, as the model is published.
const IDS: [&str; 2] = ["tokens", "input_ids"];
const STYLE: &str = "style";
const SPEED: &str = "speed";
/// The numbers of a style.
const WIDTH: i64 = 256;

/// An open Kokoro voice.
pub(super) struct KokoroSynthesizer {
    model: Model,
    vocabulary: Arc<Vocabulary>,
    styles: Arc<Styles>,
    checksum: Option<u32>,
    /// What its first input is called.
    ids: &'static str,
}

impl KokoroSynthesizer {
    /// Opens the model at `path`.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], [`SpeechError::Library`], or [`SpeechError::Model`], also if
    /// it does not take what a Kokoro model takes.
    pub(super) fn open(
        path: &Path,
        vocabulary: Arc<Vocabulary>,
        styles: Arc<Styles>,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Self, SpeechError> {
        let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
        let threads = runtime.threads();
        let bytes = opener.read(threads)?;
        let model = open_fast(&opener, bytes, threads)?;
        let has = |name: &str| model.inputs().any(|known| known == name);
        let ids = IDS.into_iter().find(|name| has(name));
        let mut others = [STYLE, SPEED].into_iter();
        let lacking = match ids {
            None => Some(IDS[0]),
            Some(_) => others.find(|name| !has(name)),
        };
        if let Some(name) = lacking {
            let reason = format!("it has no input `{name}`: it is not a Kokoro model");
            return Err(opener.failed(&reason));
        }
        Ok(Self {
            ids: ids.unwrap_or(IDS[0]),
            model,
            vocabulary,
            styles,
            checksum: opener.checksum(),
        })
    }

    /// Says so many phonemes at once: their numbers, without the silence around them.
    fn say(&mut self, phonemes: &[i64], speed: f32, stop: &Stop) -> Result<Said, SpeechError> {
        let ids = [&[0], phonemes, &[0]].concat();
        let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let style = self.styles.of(phonemes.len()).to_vec();
        let mut inputs = Inputs::default();
        inputs.add(self.ids, vec![1, count], ids)?;
        inputs.add(STYLE, vec![1, WIDTH], style)?;
        inputs.add(SPEED, vec![1], vec![speed])?;
        let first = self.model.outputs().next().unwrap_or_default().to_owned();
        let outputs = self.model.run_for_all(inputs, stop)?;
        let samples = outputs.floats(&first)?.to_vec();
        if !samples.iter().all(|sample| sample.is_finite()) {
            return Err(SpeechError::Run("what it says is no sound".into()));
        }
        let units = outputs.integers(DURATIONS).unwrap_or_default();
        Ok(Said::new(samples, units, phonemes.len() + 2))
    }
}

/// Opens a model with operators of ours; as it is, where the runtime does not take it so.
fn open_fast(opener: &Opener<'_>, bytes: Vec<u8>, threads: usize) -> Result<Model, SpeechError> {
    let bytes = Bytes::from(bytes);
    let Some(faster) = with_operators(bytes.clone()) else {
        return open_telling(bytes.into(), |model| opener.open(model, threads));
    };
    // Read again where it is needed again: it is large.
    drop(bytes);
    match open_telling(faster, |model| opener.open_with_operators(model, threads)) {
        Err(error @ SpeechError::Model { .. }) => {
            tracing::warn!(%error, "the voice is opened without faster operators");
            let bytes = opener.read(threads)?;
            open_telling(bytes, |model| opener.open(model, threads))
        }
        opened => opened,
    }
}

/// Opens a model that tells its durations; without them, where it has none.
fn open_telling(
    mut model: Vec<u8>,
    open: impl Fn(Vec<u8>) -> Result<Model, SpeechError>,
) -> Result<Model, SpeechError> {
    let length = model.len();
    give_integers_too(&mut model, DURATIONS);
    match open(model.clone()) {
        Err(error @ SpeechError::Model { .. }) => {
            tracing::debug!(%error, "the voice has no durations");
            model.truncate(length);
            open(model)
        }
        opened => opened,
    }
}

impl Synthesizer for KokoroSynthesizer {
    fn checksum(&self) -> Option<u32> {
        self.checksum
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        _ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let phonemes = match utterance.ids.as_slice() {
            [0, phonemes @ .., 0] if !phonemes.is_empty() => phonemes,
            _ => return Err(SpeechError::Run("there are no phonemes to say".into())),
        };
        self.vocabulary.check(phonemes).map_err(SpeechError::Run)?;
        let (slowest, fastest) = SPEEDS;
        let speed = if settings.speed > 0.0 {
            settings.speed.clamp(slowest, fastest)
        } else {
            1.0
        };
        // One for each request: what stops an earlier one may come late.
        let stop = Stop::new()?;
        let to_stop = stop.clone();
        let begun = Instant::now();
        let pieces = cut(&Mark::between_silences(utterance), MOST_PHONEMES);
        let said = interrupt.breaking(
            move || to_stop.stop(),
            || {
                let mut pieces = pieces.into_iter();
                pieces.try_fold(Vec::new(), |mut said, piece| {
                    said.push(self.say(&phonemes[piece], speed, &stop)?);
                    Ok(said)
                })
            },
        );
        if interrupt.is_now() {
            return Err(SpeechError::Interrupted);
        }
        let Said { samples, durations } = join(said?);
        Ok(Speech {
            samples,
            durations,
            work: begun.elapsed(),
        })
    }
}
