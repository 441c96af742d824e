//! An open Piper voice: in lanes if its model can be cut in two, otherwise as one model that uses
//! all threads for each step.

use std::path::Path;
use std::sync::Arc;

use super::super::onnx::{Halves, Model, Opener, Stop, halve};
use super::super::{Runtime, SpeechError, Synthesizer, Utterance};
use super::config::PiperConfig;
use super::lanes::{Lanes, Request};
use crate::engine::{Interrupt, NarrationSettings};

/// More lanes would take more memory than they give; further threads are shared out among them.
const MOST_LANES: usize = 4;
/// The frames that all lanes together have in work. Each takes some 200 KB of memory with a voice
/// of medium quality; fewer would have a larger share of them made twice, at the windows' ends.
const FRAMES_IN_WORK: usize = 384;
/// The most frames of a window, two seconds of most voices.
const LONGEST_WINDOW: usize = 192;

/// An open Piper voice.
pub(super) struct PiperSynthesizer {
    config: Arc<PiperConfig>,
    takes_speaker: bool,
    model: Opened,
}

enum Opened {
    Lanes { lanes: Lanes, looks_ahead: bool },
    Whole { model: Model, stop: Stop },
}

impl PiperSynthesizer {
    /// Opens the model at `path`.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], [`SpeechError::Library`], or [`SpeechError::Model`], also if
    /// it does not take what a Piper voice takes.
    pub(super) fn open(
        path: &Path,
        config: Arc<PiperConfig>,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Self, SpeechError> {
        let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
        let threads = runtime.threads();
        let bytes = opener.read()?;
        let opened = match halve(&bytes) {
            Some(halves) => {
                drop(bytes);
                open_lanes(&opener, halves, threads)
            }
            None => open_whole(&opener, bytes, threads),
        };
        let (model, inputs) = match opened {
            Err(error) if error != SpeechError::Interrupted => {
                // What lies in files beside the model is found from there only.
                let model = opener.open_file(threads)?;
                whole(model)?
            }
            opened => opened?,
        };
        for needed in ["input", "input_lengths", "scales"] {
            if !inputs.iter().any(|name| name == needed) {
                let reason = format!("it has no input «{needed}»: it is not a Piper voice");
                return Err(opener.failed(&reason));
            }
        }
        Ok(Self {
            config,
            takes_speaker: inputs.iter().any(|name| name == "sid"),
            model,
        })
    }

    fn request(&self, utterance: &Utterance, settings: &NarrationSettings) -> Request {
        let inference = &self.config.inference;
        let speed = if settings.speed > 0.0 {
            settings.speed
        } else {
            1.0
        };
        Request {
            ids: utterance.ids.clone(),
            scales: [
                inference.noise_scale,
                inference.length_scale / speed,
                inference.noise_w,
            ],
            speaker: self
                .takes_speaker
                .then(|| i64::from(settings.speaker.unwrap_or(0))),
        }
    }
}

impl Synthesizer for PiperSynthesizer {
    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: Option<&Utterance>,
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Vec<f32>, SpeechError> {
        let request = self.request(utterance, settings);
        let ahead = ahead.map(|ahead| self.request(ahead, settings));
        match &mut self.model {
            Opened::Lanes { lanes, looks_ahead } => {
                lanes.speak(request, ahead.filter(|_| *looks_ahead), interrupt)
            }
            Opened::Whole { model, stop } => {
                stop.take_back()?;
                let inputs = request.inputs()?;
                let to_stop = stop.clone();
                let outputs =
                    interrupt.breaking(move || to_stop.stop(), || model.run(inputs, stop));
                if interrupt.is_now() {
                    return Err(SpeechError::Interrupted);
                }
                let samples = outputs?.into_iter().next();
                Ok(samples.map(|samples| samples.values).unwrap_or_default())
            }
        }
    }
}

/// The model, and the names of what it takes.
type Named = (Opened, Vec<String>);

fn open_lanes(opener: &Opener<'_>, halves: Halves, threads: usize) -> Result<Named, SpeechError> {
    let count = threads.min(MOST_LANES);
    let frames = (&halves).into();
    // Few of its steps can use more than one thread; one lane in four is all that it keeps busy.
    let encoder = opener.open(halves.encoder, threads / MOST_LANES)?;
    let inputs = encoder.inputs().map(str::to_owned).collect();
    let decoders = (0..count)
        .map(|_| opener.open(halves.decoder.clone(), threads / count))
        .collect::<Result<_, _>>()?;
    let (hop, reach) = (halves.hop, halves.reach);
    tracing::debug!(lanes = count, hop, reach, "the voice is cut in two");
    let window = (FRAMES_IN_WORK / count).min(LONGEST_WINDOW);
    let lanes = Lanes::start(encoder, decoders, frames, window)?;
    let looks_ahead = count > 1;
    Ok((Opened::Lanes { lanes, looks_ahead }, inputs))
}

fn open_whole(opener: &Opener<'_>, bytes: Vec<u8>, threads: usize) -> Result<Named, SpeechError> {
    whole(opener.open(bytes, threads)?)
}

fn whole(model: Model) -> Result<Named, SpeechError> {
    let inputs = model.inputs().map(str::to_owned).collect();
    let stop = Stop::new()?;
    Ok((Opened::Whole { model, stop }, inputs))
}
