//! An open hibari voice.

use std::path::Path;

use super::super::cuts::{Mark, cut};
use super::super::onnx::{Opener, give_integers_too};
use super::super::vocabulary::check;
use super::super::{Runtime, Speech, SpeechError, Synthesizer, Utterance};
use super::lanes::Lanes;
use super::said::{DURATIONS, INPUTS, Request, outputs};
use crate::engine::{Interrupt, NarrationSettings};

/// More lanes would take more memory than they give: each has some 100 MB.
const MOST_LANES: usize = 4;
/// What the model says well at once; in more, each phoneme costs more, for it looks at all others. A longer
/// sentence is said in several runs.
const MOST_PHONEMES: usize = 1200;
/// How fast it can be asked to speak. Far slower it would take all memory.
const SPEEDS: (f32, f32) = (0.2, 5.0);

/// An open hibari voice.
pub(super) struct HibariSynthesizer {
    lanes: Lanes,
    /// The largest of the phonemes' numbers.
    largest: i64,
    checksum: Option<u32>,
}

impl HibariSynthesizer {
    /// Opens the model at `path`, of a vocabulary with numbers up to `largest`.
    ///
    /// # Errors
    /// [`SpeechError::Interrupted`], [`SpeechError::Library`], or [`SpeechError::Model`], also if
    /// it does not take or give what a hibari voice does.
    pub(super) fn open(
        path: &Path,
        largest: i64,
        runtime: &Runtime,
        interrupt: &Interrupt,
    ) -> Result<Self, SpeechError> {
        let opener = Opener::new(path, &runtime.onnxruntime, interrupt)?;
        let lanes = runtime.threads().min(MOST_LANES);
        let bytes = opener.read(lanes)?;
        let mut telling = bytes.clone();
        give_integers_too(&mut telling, DURATIONS);
        let models = match opener.open_copies(telling, lanes) {
            // A voice that does not tell.
            Err(error @ SpeechError::Model { .. }) => {
                tracing::debug!(%error, "the voice has no durations");
                opener.open_copies(bytes, lanes)?
            }
            opened => opened?,
        };
        for model in models.iter().take(1) {
            let input = INPUTS.into_iter().map(|name| ("input", name));
            for (kind, name) in input.chain(outputs().map(|name| ("output", name))) {
                let is_there = match kind {
                    "input" => model.inputs().any(|known| known == name),
                    _ => model.outputs().any(|known| known == name),
                };
                if !is_there {
                    let reason = format!("it has no {kind} `{name}`: it is not a hibari voice");
                    return Err(opener.failed(&reason));
                }
            }
        }
        Ok(Self {
            lanes: Lanes::start(models)?,
            largest,
            checksum: opener.checksum(),
        })
    }

    fn request(
        &self,
        utterance: &Utterance,
        settings: &NarrationSettings,
    ) -> Result<Request, SpeechError> {
        if utterance.ids.is_empty() {
            return Err(SpeechError::Run("there are no phonemes to say".into()));
        }
        check(&utterance.ids, self.largest).map_err(SpeechError::Run)?;
        let (slowest, fastest) = SPEEDS;
        let speed = if settings.speed > 0.0 {
            settings.speed.clamp(slowest, fastest)
        } else {
            1.0
        };
        Ok(Request {
            pieces: pieces(utterance),
            speed,
        })
    }
}

/// The ids of each run, all of them with the silence at both ends that the utterance has.
fn pieces(utterance: &Utterance) -> Vec<Vec<i64>> {
    let ids = &utterance.ids;
    let ([first, between @ .., last], true) = (&ids[..], ids.len() > MOST_PHONEMES + 2) else {
        return vec![ids.clone()];
    };
    let pieces = cut(&Mark::between_silences(utterance), MOST_PHONEMES).into_iter();
    pieces
        .map(|piece| [&[*first], &between[piece], &[*last]].concat())
        .collect()
}

impl Synthesizer for HibariSynthesizer {
    fn looks_ahead(&self) -> usize {
        self.lanes.looks_ahead()
    }

    fn checksum(&self) -> Option<u32> {
        self.checksum
    }

    fn cancel_prefetch(&mut self) -> Result<(), SpeechError> {
        self.lanes.cancel_prefetch()
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        settings: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let request = self.request(utterance, settings)?;
        // What can't be said is told when it is asked for.
        let ahead = (ahead.iter()).map_while(|ahead| self.request(ahead, settings).ok());
        let ahead = ahead.take(self.lanes.looks_ahead()).collect();
        self.lanes.speak(request, ahead, interrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_is_cut_where_a_clause_ends_and_nothing_is_lost() {
        let phonemes = ["a".repeat(700), "b".repeat(800)].join(", ");
        let ids = (phonemes.chars()).map(|c| match c {
            ',' => 3,
            ' ' => 5,
            _ => 7,
        });
        let ids = [vec![0], ids.collect(), vec![0]].concat();
        let utterance = Utterance {
            phonemes,
            ids: ids.clone(),
            ..Utterance::default()
        };
        let pieces = pieces(&utterance);
        assert_eq!(pieces.len(), 2);
        assert_eq!((pieces[0][701], pieces[1][1]), (3, 5));
        let said = pieces.iter().flat_map(|piece| &piece[1..piece.len() - 1]);
        assert!(said.eq(&ids[1..ids.len() - 1]));
        let short = Utterance {
            ids: vec![0; MOST_PHONEMES + 2],
            ..Utterance::default()
        };
        assert_eq!(super::pieces(&short), [short.ids]);
    }
}
