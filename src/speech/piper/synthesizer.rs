//! An open Piper voice: in lanes if its model can be cut in two, otherwise as one model that uses
//! all threads for each step.

use std::path::Path;
use std::sync::Arc;

use super::super::onnx::{Decoder, Model, Opener, Stop, cut_off_decoder};
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
    Lanes(Lanes),
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
        let mut bytes = opener.read()?;
        let opened = match cut_off_decoder(&mut bytes) {
            Some(decoder) => open_lanes(&opener, bytes, decoder, threads),
            None => opener.open(bytes, threads).and_then(whole),
        };
        let (model, inputs) = match opened {
            Err(error) if error != SpeechError::Interrupted => {
                // What lies in files beside the model is found from there only.
                opener.open_file(threads).and_then(whole)?
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
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Vec<f32>, SpeechError> {
        let request = self.request(utterance, settings);
        let ahead: Vec<_> = (ahead.iter())
            .map(|ahead| self.request(ahead, settings))
            .collect();
        match &mut self.model {
            Opened::Lanes(lanes) => lanes.speak(request, ahead, interrupt),
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

fn open_lanes(
    opener: &Opener<'_>,
    encoder: Vec<u8>,
    decoder: Decoder,
    threads: usize,
) -> Result<Named, SpeechError> {
    let count = threads.min(MOST_LANES);
    let frames = (&decoder).into();
    // Few of its steps can use more than one thread; one lane in four is all that it keeps busy.
    let encoder = opener.open(encoder, threads / MOST_LANES)?;
    let inputs = encoder.inputs().map(str::to_owned).collect();
    let decoders = (0..count)
        .map(|_| opener.open(decoder.model.clone(), threads / count))
        .collect::<Result<_, _>>()?;
    let (hop, reach) = (decoder.hop, decoder.reach);
    tracing::debug!(lanes = count, hop, reach, "the voice is cut in two");
    let window = (FRAMES_IN_WORK / count).min(LONGEST_WINDOW);
    let lanes = Lanes::start(encoder, decoders, frames, window)?;
    Ok((Opened::Lanes(lanes), inputs))
}

fn whole(model: Model) -> Result<Named, SpeechError> {
    let inputs = model.inputs().map(str::to_owned).collect();
    let stop = Stop::new()?;
    Ok((Opened::Whole { model, stop }, inputs))
}
