//! Speech for someone who listens now. It belongs to that listener, as a connection does: it is never on
//! disk, and nobody makes it when the listener is gone.

use std::sync::Arc;

use crate::model::{NarrationSettings, Plan, SegmentId};

/// A text to be spoken to someone who waits for it. Submit it with
/// [`Submission::urgent`](super::Submission::urgent), or it waits behind what waits already.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{Plan, SegmentId, SpeechListener, SpeechRequest, Submission, TaskKind, Work};
///
/// /// Wants every segment, one after the other.
/// #[derive(Default)]
/// struct Ear(Mutex<Vec<SegmentId>>);
///
/// impl SpeechListener for Ear {
///     fn next(&self) -> Option<SegmentId> {
///         let heard = self.0.lock().unwrap();
///         let next = heard.last().map_or(1, |last| last.get() + 1);
///         (next <= 2).then(|| SegmentId::new(next))
///     }
///
///     fn hear(&self, segment: SegmentId, _samples: &[i16], _rate: u32) {
///         self.0.lock().unwrap().push(segment);
///     }
/// }
///
/// let engine = Library::new();
/// let ear = Arc::new(Ear::default());
/// let speech = SpeechRequest {
///     title: "Hello".into(),
///     plan: Arc::new(testing::plan(["Hello.", "Goodbye."])),
///     voice: "silence".into(),
///     voice_version: "".into(),
///     settings: Default::default(),
///     listener: ear.clone(),
/// };
/// let id = engine.submit(Submission::new(Work::Speech(speech)).urgent())?;
/// assert_eq!(engine.wait(&id)?.kind, TaskKind::Speech);
/// assert_eq!(ear.0.lock().unwrap().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SpeechRequest {
    /// What a person calls it.
    pub title: Arc<str>,
    /// What is spoken, segment by segment.
    pub plan: Arc<Plan>,
    /// What the voice is called, as in a [`Narration`](super::Narration).
    pub voice: Arc<str>,
    /// Which voice that must be; empty for whichever it is.
    pub voice_version: Arc<str>,
    /// Pace and speaker.
    pub settings: NarrationSettings,
    /// Who wants to hear it.
    pub listener: Arc<dyn SpeechListener>,
}

/// Someone to whom a text is spoken, from a worker's thread. It never makes that thread wait: who can
/// take no more says so, the task ends, and another one goes on from there later.
pub trait SpeechListener: Send + Sync {
    /// The segment that is wanted next; `None` if none is wanted now.
    fn next(&self) -> Option<SegmentId>;

    /// Said before the first segment, if all of them have been spoken before: how many samples they have,
    /// the pauses between them not counted.
    fn expect(&self, samples: u64) {
        let _ = samples;
    }

    /// A segment: mono, so many samples a second. One that has no sound to it has no samples.
    fn hear(&self, segment: SegmentId, samples: &[i16], rate: u32);
}
