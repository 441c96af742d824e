//! An open Kokoro voice. Each of the model's steps is shared out among all threads: its weights are too
//! large to have them once for each.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::super::cuts::{Mark, cut};
use super::super::onnx::{Opener, Stop};
use super::super::said::{Said, join};
use super::super::vocabulary::check;
use super::super::{Layout, Runtime, Speech, SpeechError, Synthesizer, Utterance};
use super::network::Network;
use super::styles::Styles;
use crate::engine::{Interrupt, NarrationSettings};

/// What the model says well at once, in phonemes. It could say twice as many, and would hurry.
const MOST_PHONEMES: usize = 250;
/// How fast it can be asked to speak. Beyond, it swallows words.
const SPEEDS: (f32, f32) = (0.5, 2.0);

/// An open Kokoro voice.
pub(super) struct KokoroSynthesizer {
    network: Network,
    /// The largest of the phonemes' numbers.
    largest: i64,
    styles: Arc<Styles>,
    checksum: Option<u32>,
}

impl KokoroSynthesizer {
    /// Opens the model at `path`, of a vocabulary with numbers up to `largest`. Where nothing was measured it stays as it is in its file, which takes least
    /// memory.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], [`SpeechError::Library`], or [`SpeechError::Model`], also if
    /// it does not take what a Kokoro model takes.
    pub(super) fn open(
        path: &Path,
        largest: i64,
        styles: Arc<Styles>,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Self, SpeechError> {
        let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
        let layout = runtime.layout.unwrap_or(Layout::Plain);
        Ok(Self {
            network: Network::open(&opener, layout, runtime.threads())?,
            largest,
            styles,
            checksum: opener.checksum(),
        })
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
        check(phonemes, self.largest).map_err(SpeechError::Run)?;
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
        let (network, styles) = (&mut self.network, &self.styles);
        let said = interrupt.breaking(
            move || to_stop.stop(),
            || {
                let said = pieces.into_iter().map(|piece| {
                    let style = styles.of(piece.len());
                    network.say(&phonemes[piece], style, speed, &stop)
                });
                said.collect::<Result<Vec<_>, _>>()
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
