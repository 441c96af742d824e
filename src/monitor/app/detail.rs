//! A closer look at one segment: how it will be spoken and what its clip looks like. Both are found
//! out by an effect, and shown once they are there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{App, Effect, Page};
use crate::model::{SegmentId, TaskId};

/// A clip's loudness over its length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wave {
    /// For equal stretches, 0.0 to 1.0; the loudest is 1.0.
    pub(crate) peaks: Arc<[f32]>,
}

impl Wave {
    /// From the peaks of the samples. Loudness goes by the square root here: to the ear half a
    /// swing is more than half as loud, and quiet words should be seen.
    pub(crate) fn of(peaks: &[f32]) -> Self {
        let most = peaks.iter().copied().fold(f32::EPSILON, f32::max);
        let peaks = peaks.iter().map(|peak| (peak / most).sqrt());
        Self {
            peaks: peaks.collect(),
        }
    }
}

/// What is known of a segment beyond its task's status.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Detail {
    /// `None` if there is none to look at.
    pub(crate) of: Option<(TaskId, SegmentId)>,
    pub(crate) voice: Arc<str>,
    /// What is said, which may not be what is written.
    pub(crate) spoken: Arc<str>,
    /// The clip, if there is one.
    pub(crate) clip: Option<PathBuf>,
    /// Phonemes, or why there are none; `None` until they are known.
    pub(crate) phonemes: Option<Result<String, String>>,
    /// What the clip looks like, or what is wrong with it; `None` until that is known.
    pub(crate) wave: Option<Result<Wave, String>>,
}

impl Detail {
    /// Whether the same is looked at, whatever is known of it.
    fn is_same(&self, other: &Self) -> bool {
        (&self.of, &self.clip, &self.voice) == (&other.of, &other.clip, &other.voice)
    }
}

/// The least time between two looks that nobody has asked for.
const LOOKS: Duration = Duration::from_millis(250);

impl App {
    /// Asks for a closer look if another segment is shown now, or it has a clip by now.
    pub(super) fn look_closer(&mut self) -> Option<Effect> {
        if !matches!(self.page, Page::Queue | Page::Clips | Page::Errors) {
            return None;
        }
        let detail = self.shown_segment().and_then(|target| {
            let segment = target.task.plan.as_ref()?.get(target.segment)?;
            let clip = target.task.completed_segments.get(target.segment);
            let folder = target.task.folder.as_ref();
            Some(Detail {
                of: Some((target.task.id.clone(), target.segment)),
                voice: Arc::clone(target.task.voice_of(segment)),
                spoken: segment.spoken().into(),
                clip: folder
                    .zip(clip)
                    .map(|(folder, clip)| folder.join(&*clip.clip)),
                phonemes: None,
                wave: None,
            })
        });
        let detail = detail.unwrap_or_default();
        if detail.is_same(&self.detail) {
            return None;
        }
        // Where the selection follows the work by itself, it may change many times a second. What is
        // passed over here comes with a later tick.
        let by_itself = self.page == Page::Queue && self.follows() && self.ticks().is_some();
        if by_itself && self.now.since(self.looked) < LOOKS && self.now >= self.looked {
            return None;
        }
        self.looked = self.now;
        let mut shown = detail.clone();
        if shown.of == self.detail.of && shown.voice == self.detail.voice {
            // Only the clip is new.
            shown.phonemes.clone_from(&self.detail.phonemes);
        }
        let is_any = shown.of.is_some();
        self.detail = shown;
        is_any.then(|| Effect::Look(Box::new(self.detail.clone())))
    }

    /// Takes what was found, if it is still what is shown.
    pub(super) fn looked(&mut self, found: Detail) {
        if found.is_same(&self.detail) {
            self.detail = found;
        }
    }
}
