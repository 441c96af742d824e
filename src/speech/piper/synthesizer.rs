//! An open Piper voice: in lanes if its model can be cut in two, otherwise as one model that uses
//! all threads for each step.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use prost::bytes::Bytes;

use super::super::onnx::{
    Blocked, Chain, Decoder, Model, Opener, Opening, Stop, cut_in_pieces, cut_off_decoder,
    give_too, in_blocks,
};
use super::super::{Layout, Runtime, Speech, SpeechError, Synthesizer, Utterance};
use super::config::PiperConfig;
use super::lanes::{Lanes, Request};
use super::windows::Frames;
use crate::engine::{Interrupt, NarrationSettings};

/// More lanes would take more memory than they give; further threads are shared out among them.
const MOST_LANES: usize = 4;
/// More pieces of the first half would take longer to run than they are opened sooner.
pub(super) const MOST_PIECES: usize = 4;
/// The frames that all lanes together have in work, and the most of a window, two seconds of most voices.
/// Each takes some 200 KB of memory with a voice of medium quality; fewer would have a larger share of
/// them made twice, at the windows' ends.
const WHOLE: (usize, usize) = (384, 192);
/// The same where what is made twice is cut off on the way: a shorter window takes no more time.
const CUT: (usize, usize) = (192, 96);

/// An open Piper voice.
pub(super) struct PiperSynthesizer {
    config: Arc<PiperConfig>,
    takes_speaker: bool,
    checksum: Option<u32>,
    model: Opened,
}

enum Opened {
    Lanes(Lanes),
    Whole(Model),
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
        let (model, inputs) = open(&opener, runtime, config.audio.sample_rate)?;
        for needed in ["input", "input_lengths", "scales"] {
            if !inputs.iter().any(|name| name == needed) {
                let reason = format!("it has no input `{needed}`: it is not a Piper voice");
                return Err(opener.failed(&reason));
            }
        }
        Ok(Self {
            config,
            takes_speaker: inputs.iter().any(|name| name == "sid"),
            checksum: opener.checksum(),
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
    fn looks_ahead(&self) -> usize {
        match &self.model {
            Opened::Lanes(lanes) => lanes.looks_ahead(),
            Opened::Whole(_) => 0,
        }
    }

    fn checksum(&self) -> Option<u32> {
        self.checksum
    }

    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        match &mut self.model {
            Opened::Lanes(lanes) => lanes.cancel_prefetch(),
            Opened::Whole(_) => Ok(()),
        }
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let request = self.request(utterance, settings);
        let ahead: Vec<_> = (ahead.iter())
            .map(|ahead| self.request(ahead, settings))
            .collect();
        match &mut self.model {
            Opened::Lanes(lanes) => lanes.speak(request, ahead, interrupt),
            Opened::Whole(model) => {
                // One for each run: what stops an earlier one may come late.
                let stop = Stop::new()?;
                let begun = Instant::now();
                let inputs = request.inputs()?;
                let to_stop = stop.clone();
                let outputs =
                    interrupt.breaking(move || to_stop.stop(), || model.run(inputs, &stop));
                if interrupt.is_now() {
                    return Err(SpeechError::Interrupted);
                }
                Ok(Speech {
                    samples: outputs?.values,
                    durations: Vec::new(),
                    work: begun.elapsed(),
                })
            }
        }
    }
}

/// The model, and the names of what it takes.
type Named = (Opened, Vec<String>);

/// In lanes if that can be, with its first half in pieces if that can be.
fn open(opener: &Opener<'_>, runtime: &Runtime, rate: u32) -> Result<Named, SpeechError> {
    let (layout, threads) = (runtime.layout(), runtime.threads());
    for most_pieces in [MOST_PIECES, 1] {
        let mut bytes = opener.read(threads)?;
        let Some(mut decoder) = cut_off_decoder(&mut bytes) else {
            return opener.open(bytes, threads).map(whole);
        };
        match &decoder.durations {
            Some(durations) if most_pieces > 1 => give_too(&mut bytes, durations),
            // It can be what the model can't be opened with.
            _ => decoder.durations = None,
        }
        let frames = Frames::new(&decoder, rate);
        match open_lanes(
            opener,
            bytes,
            &decoder,
            frames,
            (layout, threads, most_pieces),
        ) {
            Err(error) if error != SpeechError::Interrupted => {
                tracing::warn!(%error, most_pieces, "the voice can't be opened in parts");
            }
            opened => return opened,
        }
    }
    opener.open(opener.read(threads)?, threads).map(whole)
}

fn open_lanes(
    opener: &Opener<'_>,
    encoder: Vec<u8>,
    decoder: &Decoder,
    mut frames: Frames,
    (layout, threads, most_pieces): (Layout, usize, usize),
) -> Result<Named, SpeechError> {
    let count = threads.min(MOST_LANES);
    let encoder = cut_in_pieces(encoder, most_pieces);
    let pieces = encoder.len();
    let blocked: OnceLock<Option<Blocked>> = OnceLock::new();
    let plain = Bytes::from(decoder.model.clone());
    // Whichever thread comes to it first makes it.
    let in_blocks = || blocked.get_or_init(|| in_blocks(&plain));
    let form = || match layout {
        Layout::Blocked => in_blocks()
            .as_ref()
            .map_or(&plain, |blocked| &blocked.model),
        Layout::Plain => &plain,
    };
    // Few of the first half's steps can use more than one thread; one lane in four is all that it keeps busy.
    let encoder = encoder.into_iter();
    let encoder = encoder.map(|piece| Opening::new(|| piece.into_bytes(), threads / MOST_LANES));
    let mut all: Vec<Opening<'_>> = encoder.collect();
    all.extend(lanes(threads).map(|threads| Opening::new(|| form().clone(), threads)));
    let mut opened = opener.open_all(all, threads)?.into_iter();
    let encoder = Chain::new(opened.by_ref().take(pieces).collect::<Result<_, _>>()?);
    let inputs = encoder.inputs();
    let is_blocked = blocked.get().is_some_and(Option::is_some);
    let decoders: Vec<Model> = match opened.collect() {
        Err(error @ SpeechError::Model { .. }) if is_blocked => {
            tracing::warn!(%error, "the decoder stays as it is in the file");
            let all = lanes(threads).map(|threads| Opening::new(|| plain.clone(), threads));
            let opened = opener.open_all(all.collect(), threads)?.into_iter();
            opened.collect::<Result<_, _>>()?
        }
        opened => {
            let crops = blocked.into_inner().flatten().map(|blocked| blocked.crops);
            frames.crops = crops.unwrap_or_default();
            opened?
        }
    };
    let (hop, reach) = (decoder.hop, decoder.reach);
    tracing::debug!(lanes = count, hop, reach, "the voice is cut in two");
    let window = window(threads, !frames.crops.is_empty());
    let lanes = Lanes::start(encoder, decoders, frames, window)?;
    Ok((Opened::Lanes(lanes), inputs))
}

/// The most frames of a window, with so many threads.
pub(super) fn window(threads: usize, cuts: bool) -> usize {
    let lanes = threads.clamp(1, MOST_LANES);
    let (all, longest) = if cuts { CUT } else { WHOLE };
    (all / lanes).min(longest)
}

/// The threads of each lane.
fn lanes(threads: usize) -> impl Iterator<Item = usize> {
    let count = threads.clamp(1, MOST_LANES);
    (0..count).map(move |lane| threads / count + usize::from(lane < threads % count))
}

fn whole(model: Model) -> Named {
    let inputs = model.inputs().map(str::to_owned).collect();
    (Opened::Whole(model), inputs)
}
