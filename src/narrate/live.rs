//! Speech for someone who listens now: one segment after the other, and no file but in the store of
//! clips. What a narration or an earlier request has made is copied from there, not made again; what is
//! made here is kept there.

use std::collections::VecDeque;
use std::path::Path;

use super::ClipCache;
use super::ensemble::{FrontEnds, Models};
use super::errors::fault_error;
use super::narrator::work_error;
use super::pipeline::{best_try, failed, kept};
use crate::clip::{self, ClipKey, KeptClip};
use crate::engine::{PlannedSegment, SegmentId, SpeechRequest, TaskContext, WorkError};
use crate::speech::{Synthesizer, Utterance};

/// Up to so many segments, it is looked whether all were made before. More would be held in memory for a
/// while, and the listener would wait for the look.
const MOST_EXPECTED: u32 = 64;

/// What is spoken, to whom, and with what.
pub(super) struct Live<'a> {
    pub(super) speech: &'a SpeechRequest,
    pub(super) context: &'a TaskContext,
    pub(super) kept: Option<&'a ClipCache>,
    /// Samples a second.
    pub(super) rate: u32,
    pub(super) front_ends: &'a FrontEnds,
}

/// A segment for the model, or for the listener at once.
struct Prepared {
    id: SegmentId,
    utterance: Utterance,
    /// What its clip is kept by.
    key: Option<ClipKey>,
    clip: Option<KeptClip>,
}

impl Prepared {
    /// Whether there is nothing that the model could do for it.
    fn is_ready(&self) -> bool {
        self.clip.is_some() || self.utterance.sounds() == 0
    }
}

impl Live<'_> {
    /// Speaks whatever the listener wants. No model is opened if clips that were made before are all that
    /// is wanted.
    pub(super) fn speak(&self, models: &mut Models) -> Result<(), WorkError> {
        let listener = &self.speech.listener;
        let mut coming = VecDeque::new();
        let mut is_open = false;
        let mut spoken = 0;
        while let Some(id) = listener.next() {
            self.go_on()?;
            if coming.is_empty() && id == SegmentId::FIRST {
                coming = self.look_for_all()?;
            }
            let now = loop {
                match coming.pop_front() {
                    Some(next) if next.id == id => break next,
                    Some(_) => {}
                    None => break self.prepare(id)?,
                }
            };
            let samples = if now.is_ready() {
                now.clip.as_ref().and_then(samples).unwrap_or_default()
            } else {
                if !is_open {
                    let interrupt = self.context.interrupt();
                    let opened = models.open(now.utterance.voice, interrupt);
                    opened.map_err(work_error)?;
                    is_open = true;
                }
                while coming.len() < models.looks_ahead() {
                    let last = coming.back().map_or(id, |last: &Prepared| last.id);
                    let next = SegmentId::new(last.get() + 1);
                    if self.speech.plan.get(next).is_none() {
                        break;
                    }
                    coming.push_back(self.prepare(next)?);
                }
                self.make(models, &now, &coming)?
            };
            spoken += samples.len();
            listener.hear(id, &samples, self.rate);
            let (done, all) = (u64::from(id.get()), u64::from(self.speech.plan.len()));
            self.context.update_progress(done, all, None);
        }
        if is_open {
            // Nobody waits for what was begun ahead.
            models.cancel_prefetch().map_err(work_error)?;
        }
        tracing::debug!(samples = spoken, "spoken to a listener");
        Ok(())
    }

    fn go_on(&self) -> Result<(), WorkError> {
        if self.context.is_cancelled() {
            Err(WorkError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Prepares the segments from the first one on as long as they were made before, and tells the
    /// listener how long the whole is if all were.
    fn look_for_all(&self) -> Result<VecDeque<Prepared>, WorkError> {
        let mut found = VecDeque::new();
        if self.kept.is_none() || self.speech.plan.len() > MOST_EXPECTED {
            return Ok(found);
        }
        let mut all = 0;
        for (id, _) in self.speech.plan.iter() {
            self.go_on()?;
            let prepared = self.prepare(id)?;
            let is_ready = prepared.is_ready();
            all += prepared.clip.as_ref().map_or(0, |clip| clip.samples);
            found.push_back(prepared);
            if !is_ready {
                return Ok(found);
            }
        }
        self.speech.listener.expect(all);
        Ok(found)
    }

    fn prepare(&self, id: SegmentId) -> Result<Prepared, WorkError> {
        let segment = self.speech.plan.get(id);
        let spoken = segment.map(PlannedSegment::spoken).unwrap_or_default();
        let voice = segment.map_or(0, |segment| segment.voice);
        let front_end = self.front_ends.get(voice);
        let prepared = front_end.and_then(|front_end| front_end.prepare(&spoken));
        let utterance = prepared.map_err(|error| work_error(error).of_segment(id))?;
        let utterance = Utterance { voice, ..utterance };
        // A clip with a problem is not kept, and none is copied in its place.
        let is_right = utterance.problem().is_none() && utterance.sounds() > 0;
        let settings = &self.speech.settings;
        let said_by: (&str, &str) = match settings.other(voice) {
            Some(other) => (&other.voice, &other.version),
            None => (&self.speech.voice, &self.speech.voice_version),
        };
        let key = (self.kept)
            .filter(|_| is_right)
            .and_then(|_| ClipCache::key(said_by, self.rate, settings, &utterance));
        let known = self.kept.zip(key.as_ref());
        let clip = known.and_then(|(kept, key)| kept.get(key));
        Ok(Prepared {
            id,
            clip: clip.filter(|clip| clip.rate == self.rate && samples(clip).is_some()),
            utterance,
            key,
        })
    }

    /// Has the model speak a segment.
    fn make(
        &self,
        model: &mut Models,
        now: &Prepared,
        coming: &VecDeque<Prepared>,
    ) -> Result<Vec<i16>, WorkError> {
        let of_segment = |error: WorkError| error.of_segment(now.id);
        let mut ahead: Vec<_> = coming
            .iter()
            .filter(|next| !next.is_ready())
            .map(|next| &next.utterance)
            .collect();
        let (settings, interrupt) = (&self.speech.settings, self.context.interrupt());
        let mut has_died = false;
        let (speech, fault) = loop {
            let tried = best_try(
                settings,
                self.rate,
                model,
                &now.utterance,
                &ahead,
                interrupt,
            );
            match tried {
                // One that was beside it in the model may have ended the voice, or another program.
                Err(error) if error.is_death() && !has_died => {
                    tracing::warn!(%error, "the voice has died: it is tried once more");
                    has_died = true;
                    ahead.clear();
                }
                tried => break tried.map_err(|error| of_segment(work_error(error)))?,
            }
        };
        if let Some(fault) = fault.filter(|fault| !fault.is_usable()) {
            return Err(of_segment(WorkError::Failed(fault_error(fault))));
        }
        let clip = kept(speech, self.rate, Path::new("the clip")).map_err(failed)?;
        if let Some((kept, key)) = self.kept.zip(now.key.as_ref()).filter(|_| fault.is_none()) {
            kept.keep(key, &clip);
        }
        Ok(clip::decode(&clip.wav).unwrap_or_default())
    }
}

fn samples(clip: &KeptClip) -> Option<Vec<i16>> {
    clip::decode(&clip.wav)
}
