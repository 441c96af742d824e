//! One utterance from its phonemes' numbers to samples: the model, and then the sound of what it says.

use super::super::SpeechError;
use super::super::onnx::{Inputs, Model, Stop};
use super::super::said::{Said, join};
use super::waveform::{Spectra, Waveform};

/// The model's inputs.
pub(super) const INPUTS: [&str; 2] = ["ids", "speed"];
/// Its outputs of the shape `[1, 601, frames]`.
const SPECTRA: [&str; 5] = ["lh", "theta", "ln", "lr", "phi"];
/// That of the shape `[1, frames]`.
const PITCH: &str = "f0";
/// How long each of the ids takes: an inner value of the model as it was published.
pub(super) const DURATIONS: &str = "/Cast_32_output_0";
/// The noise is the same in each utterance.
const SEED: u64 = 0x6869_6261_7269;

/// All outputs that the sound is made of.
pub(super) fn outputs() -> impl Iterator<Item = &'static str> {
    SPECTRA.into_iter().chain([PITCH])
}

/// What a voice is asked to say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    /// The phonemes' numbers of each run, shape `[n]`, with the number of silence at both ends.
    pub pieces: Vec<Vec<i64>>,
    /// 1.0 as the voice was trained, 2.0 twice as fast.
    pub speed: f32,
}

/// Speaks a request.
///
/// # Errors
/// [`SpeechError::Interrupted`] once `is_stopped` says so, or [`SpeechError::Run`], also if `stop` has
/// broken it off.
pub(super) fn say(
    request: &Request,
    model: &mut Model,
    waveform: &mut Waveform,
    stop: &Stop,
    is_stopped: impl Fn() -> bool,
) -> Result<Said, SpeechError> {
    let pieces = request.pieces.iter();
    let said = pieces.map(|ids| run(ids, request.speed, model, waveform, stop, &is_stopped));
    Ok(join(said.collect::<Result<_, _>>()?))
}

/// Speaks a piece of it.
fn run(
    piece: &[i64],
    pace: f32,
    model: &mut Model,
    waveform: &mut Waveform,
    stop: &Stop,
    is_stopped: impl Fn() -> bool,
) -> Result<Said, SpeechError> {
    let count = i64::try_from(piece.len()).unwrap_or(i64::MAX);
    let mut inputs = Inputs::default();
    let [ids, speed] = INPUTS;
    inputs.add(ids, vec![1, count], piece.to_vec())?;
    inputs.add(speed, vec![1], vec![pace])?;
    let outputs = model.run_for_all(inputs, stop)?;
    let mut parts = [&[][..]; SPECTRA.len()];
    for (part, name) in parts.iter_mut().zip(SPECTRA) {
        *part = outputs.floats(name)?;
    }
    let spectra = Spectra::new(parts, outputs.floats(PITCH)?)
        .ok_or_else(|| SpeechError::Run("what the model says does not belong together".into()))?;
    let samples = waveform.samples(&spectra, SEED, is_stopped)?;
    if !samples.iter().all(|sample| sample.is_finite()) {
        let reason = "it gave something that is no number; another voice may say this text";
        return Err(SpeechError::Run(reason.into()));
    }
    // Another voice of the family may have none, or something else of that name.
    let units = outputs.integers(DURATIONS).unwrap_or_default();
    Ok(Said::new(samples, units, piece.len()))
}
