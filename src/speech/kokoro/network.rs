//! The network of a Kokoro model, in the form that it is run in.

use prost::bytes::Bytes;

use super::super::onnx::{
    Inputs, Model, Opener, Stop, give_integers_too, in_floats, with_operators,
};
use super::super::said::Said;
use super::super::{Layout, SpeechError};

/// The names of the first input, as the model is published.
const IDS: [&str; 2] = ["tokens", "input_ids"];
const STYLE: &str = "style";
const SPEED: &str = "speed";
/// The numbers of a style.
const WIDTH: i64 = 256;
/// How long each of the ids takes: an inner value of the model as it was published.
const DURATIONS: &str = "/encoder/Gather_output_0";
/// Silence, with which everything begins and ends.
const SILENCE: i64 = 0;

/// An open model.
pub(super) struct Network {
    model: Model,
    /// What its first input is called.
    ids: &'static str,
}

impl Network {
    /// Opens the model: as it is in the file, [`Layout::Plain`], or with its convolutions as floats, which
    /// takes a few hundred MB more.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`] or [`SpeechError::Model`], also if it does not take what a Kokoro model
    /// takes.
    pub(super) fn open(
        opener: &Opener<'_>,
        layout: Layout,
        threads: usize,
    ) -> Result<Self, SpeechError> {
        let model = match Self::open_fast(opener, layout, threads) {
            Err(error @ SpeechError::Model { .. }) => {
                tracing::warn!(%error, "the voice is opened as it is in its file");
                Self::open_as_it_is(opener, threads)?
            }
            opened => opened?,
        };
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
        })
    }

    /// In that form, and with operators of ours where there is something for them.
    fn open_fast(
        opener: &Opener<'_>,
        layout: Layout,
        threads: usize,
    ) -> Result<Model, SpeechError> {
        let mut bytes = opener.read(threads)?;
        if layout == Layout::Blocked {
            bytes = rewritten(bytes, in_floats);
        }
        bytes = rewritten(bytes, with_operators);
        give_integers_too(&mut bytes, DURATIONS);
        opener.open_with_operators(bytes, threads)
    }

    /// The file is read again: together with what was made of it, it would take too much memory.
    fn open_as_it_is(opener: &Opener<'_>, threads: usize) -> Result<Model, SpeechError> {
        let mut bytes = opener.read(threads)?;
        give_integers_too(&mut bytes, DURATIONS);
        match opener.open(bytes, threads) {
            // A model that does not tell its durations.
            Err(SpeechError::Model { .. }) => opener.open(opener.read(threads)?, threads),
            opened => opened,
        }
    }

    /// Says so many phonemes at once: their numbers, without the silence around them, in this style.
    ///
    /// # Errors
    /// [`SpeechError::Run`], also if `stop` has broken it off.
    pub(super) fn say(
        &mut self,
        phonemes: &[i64],
        style: &[f32],
        speed: f32,
        stop: &Stop,
    ) -> Result<Said, SpeechError> {
        let ids = [&[SILENCE], phonemes, &[SILENCE]].concat();
        let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let mut inputs = Inputs::default();
        inputs.add(self.ids, vec![1, count], ids)?;
        inputs.add(STYLE, vec![1, WIDTH], style.to_vec())?;
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

/// What becomes of a model, or the model where nothing does.
fn rewritten(model: Vec<u8>, by: impl FnOnce(Bytes) -> Option<Vec<u8>>) -> Vec<u8> {
    let model = Bytes::from(model);
    match by(model.clone()) {
        Some(rewritten) => rewritten,
        None => model.into(),
    }
}
