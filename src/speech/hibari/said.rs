//! One utterance from its phonemes' numbers to samples: the model, and then the sound of what it says.

use super::super::SpeechError;
use super::super::durations::as_heard;
use super::super::onnx::{Inputs, Model, Outputs, Stop};
use super::waveform::{HOP, Spectra, Waveform};

/// The model's inputs.
pub(super) const INPUTS: [&str; 2] = ["ids", "speed"];
/// Its outputs of the shape `[1, 601, frames]`.
const SPECTRA: [&str; 5] = ["lh", "theta", "ln", "lr", "phi"];
/// That of the shape `[1, frames]`.
const PITCH: &str = "f0";
/// How long each of the ids takes: an inner value of the model as it was published.
pub(super) const DURATIONS: &str = "/Cast_32_output_0";
/// The samples of a duration of 1: two frames.
const UNIT: usize = 2 * HOP;
/// How many samples before its durations say so a phoneme is heard: 75 ms, about what lies between the
/// durations and the places by forced alignment (half of the words between 58 and 110 ms).
const LEAD: u64 = 1800;
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

/// What an utterance has become.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// At 24,000 a second.
    pub samples: Vec<f32>,
    /// The samples of each id; empty if the voice does not tell.
    pub durations: Vec<u32>,
}

impl Said {
    /// Adds what follows, of which the utterance has no silence in between: what both have there is its last
    /// phoneme's.
    fn join(&mut self, mut next: Self) {
        let told = (&mut self.durations[..], &next.durations[..]);
        if let ([.., last, end], [start, rest @ ..]) = told {
            *last = last.saturating_add(*end).saturating_add(*start);
            self.durations.pop();
            self.durations.extend_from_slice(rest);
        } else {
            self.durations.clear();
        }
        self.samples.append(&mut next.samples);
    }
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
    let mut all: Option<Said> = None;
    for ids in &request.pieces {
        let said = run(ids, request.speed, model, waveform, stop, &is_stopped)?;
        match &mut all {
            Some(all) => all.join(said),
            None => all = Some(said),
        }
    }
    Ok(all.unwrap_or_default())
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
    let durations = durations(&outputs, piece.len(), samples.len());
    Ok(Said { samples, durations })
}

/// The samples of each id. Empty if the model has no durations, or if what has their name is something else:
/// in another voice of the family it may be.
fn durations(outputs: &Outputs, ids: usize, samples: usize) -> Vec<u32> {
    let units = outputs.integers(DURATIONS).unwrap_or_default();
    in_samples(units, ids, samples).unwrap_or_default()
}

fn in_samples(units: &[i64], ids: usize, samples: usize) -> Option<Vec<u32>> {
    let units: Result<Vec<u32>, _> = units.iter().map(|&one| u32::try_from(one)).collect();
    let units = units.ok().filter(|units| units.len() == ids)?;
    let told: u64 = units.iter().map(|&one| u64::from(one) * UNIT as u64).sum();
    (told == samples as u64).then(|| as_heard(&units, UNIT, LEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_the_sound_or_none() {
        assert_eq!(
            in_samples(&[10, 2, 0, 4], 4, 16 * 600),
            Some(vec![4200, 1200, 0, 4200])
        );
        // Others than the ids, less than nothing, and of another sound.
        assert_eq!(in_samples(&[10, 2], 4, 12 * 600), None);
        assert_eq!(in_samples(&[-1, 2], 2, 600), None);
        assert_eq!(in_samples(&[1, 2], 2, 4 * 600), None);
        assert_eq!(in_samples(&[i64::MAX, 2], 2, 4 * 600), None);
    }

    #[test]
    fn joined_pieces_have_the_durations_of_the_ids_without_the_silence_between() {
        let said = |durations: &[u32]| Said {
            samples: vec![0.0; durations.iter().sum::<u32>() as usize],
            durations: durations.to_vec(),
        };
        let mut all = said(&[1, 2, 3, 4]);
        all.join(said(&[5, 6, 7]));
        assert_eq!(all.durations, [1, 2, 3 + 4 + 5, 6, 7]);
        assert_eq!(all.samples.len(), 28);
        // One that does not tell.
        all.join(said(&[]));
        assert_eq!((all.samples.len(), all.durations.len()), (28, 0));
        all.join(said(&[1, 2, 3]));
        assert_eq!((all.samples.len(), all.durations.len()), (34, 0));
    }
}
