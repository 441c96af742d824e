//! Tools for tests and examples: a library in a temporary folder, and a narrator that is silent.
//!
//! They are for the tests of programs that embed the engine, and for the examples of this
//! documentation. They make no sound and know only folders of their own: nothing that `aloud` offers
//! its users may use them, or a narration could look finished that nobody can hear.
//!
//! ```
//! use aloud::engine::testing::Library;
//!
//! let engine = Library::new();
//! let id = engine.submit(engine.narration("A story"))?;
//! assert_eq!(engine.wait(&id)?.completed_segments.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::context::TaskContext;
use super::error::WorkError;
use super::options::Options;
use super::speech::SpeechRequest;
use super::work::{Narrator, NarratorFactory, WorkResult};
use super::{Engine, ShutdownWait};
use crate::model::{
    ClipRecord, Narration, NarrationSettings, Plan, PlannedSegment, Reading, SegmentId,
};

/// Samples a second in a clip of silence.
const RATE: u32 = 22_050;
/// A tenth of a second.
const SILENCE: [i16; 2205] = [0; 2205];

/// An engine in a temporary folder, with a silent narrator. Dropping it shuts the engine down, also
/// under its clones, and removes the folder.
///
/// ```
/// use aloud::engine::testing::Library;
///
/// let engine = Library::new();
/// let folder = engine.folder().to_owned();
/// assert!(folder.join("aloud.db").exists());
/// drop(engine);
/// assert!(!folder.exists());
/// ```
pub struct Library {
    engine: Engine,
    options: Options,
    /// The last field: the engine ends before its folder goes.
    folder: Folder,
}

impl Library {
    /// An engine with the default options.
    ///
    /// # Panics
    /// If the folder can't be made or the engine does not open.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// An engine with other options. Only the folder can't be changed.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::with(|options| options.workers = 3);
    /// assert_eq!(engine.stats().workers, 3);
    /// ```
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = Folder::new();
        let mut options = Options::new(&folder.0);
        options.narrator = Some(narrator(silence));
        change(&mut options);
        options.folder.clone_from(&folder.0);
        Self {
            engine: open(&options),
            options,
            folder,
        }
    }

    /// An engine whose narrator is this closure.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::with_narrator(|narration, _| Ok(narration.plan.len().into()));
    /// let id = engine.submit(engine.narration("A story"))?;
    /// assert_eq!(engine.wait(&id)?.result, Some(2.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn with_narrator<F>(narrate: F) -> Self
    where
        F: Fn(&Narration, &TaskContext) -> WorkResult + Send + Sync + 'static,
    {
        Self::with(|options| options.narrator = Some(narrator(narrate)))
    }

    /// The folder of the library.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Shuts the engine down and opens the library again with the same options, as after a restart
    /// of the program. Clones of the old engine stay shut down.
    ///
    /// ```
    /// use aloud::engine::{Submission, TaskState, testing::Library};
    ///
    /// let mut engine = Library::new();
    /// let id = engine.submit(Submission::new(engine.narration("A story")).paused())?;
    /// engine.reopen();
    /// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Pending);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the engine does not open.
    pub fn reopen(&mut self) {
        self.engine.shutdown(ShutdownWait::Now);
        self.engine = open(&self.options);
    }

    /// A narration of two segments, "One." and "Two.", with a folder of its own in the library. Two
    /// of the same title are the same narration.
    ///
    /// ```
    /// use aloud::engine::testing::Library;
    ///
    /// let engine = Library::new();
    /// let narration = engine.narration("A story");
    /// assert_eq!((narration.plan.len(), &*narration.source), (2, "One. Two."));
    /// assert_eq!(narration.folder.parent(), Some(engine.folder()));
    /// ```
    pub fn narration(&self, title: &str) -> Narration {
        Narration {
            title: title.into(),
            source: "One. Two.".into(),
            plan: Arc::new(plan(["One.", "Two."])),
            folder: self.folder.0.join(title.replace('/', "-")),
            voice: "silence".into(),
            voice_version: "".into(),
            file: None,
            settings: NarrationSettings::default(),
            fingerprint: title.to_owned(),
        }
    }
}

impl Default for Library {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Library {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.engine.shutdown(ShutdownWait::Now);
    }
}

fn open(options: &Options) -> Engine {
    Engine::open(options.clone()).unwrap_or_else(|error| panic!("no engine to test with: {error}"))
}

/// A temporary folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("aloud-{}", uuid::Uuid::new_v4()));
        match std::fs::create_dir(&path) {
            Ok(()) => Self(path),
            Err(error) => panic!("can't make the folder {}: {error}", path.display()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A worker that was left behind may still write there: then something stays.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A closure as the narrator of every worker, for [`Options::narrator`].
///
/// ```
/// use aloud::engine::testing::{self, Library};
///
/// let engine = Library::with(|options| {
///     options.workers = 2;
///     options.narrator = Some(testing::narrator(|_, _| Ok("spoken".into())));
/// });
/// let id = engine.submit(engine.narration("A story"))?;
/// assert_eq!(engine.wait(&id)?.result, Some("spoken".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn narrator<F>(narrate: F) -> NarratorFactory
where
    F: Fn(&Narration, &TaskContext) -> WorkResult + Send + Sync + 'static,
{
    let narrate = Arc::new(narrate);
    Arc::new(move || Box::new(Closure(Arc::clone(&narrate))))
}

struct Closure<F>(Arc<F>);

impl<F: Fn(&Narration, &TaskContext) -> WorkResult> Narrator for Closure<F> {
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult {
        (self.0)(narration, context)
    }

    fn speak(&mut self, speech: &SpeechRequest, context: &TaskContext) -> WorkResult {
        while let Some(segment) = speech.listener.next() {
            if context.is_cancelled() {
                return Err(WorkError::Interrupted);
            }
            speech.listener.hear(segment, &SILENCE, RATE);
        }
        Ok("spoken".into())
    }
}

/// The silent narrator: an empty file and [a second of silence](clip) for each segment without a
/// clip. Its result is how many it made.
///
/// ```
/// use aloud::engine::ErrorObject;
/// use aloud::engine::testing::{self, Library};
///
/// // It makes two clips and fails; tried again, it finds both and ends well.
/// let engine = Library::with_narrator(|narration, task| match testing::silence(narration, task)? {
///     made if made == 2 => Err(ErrorObject::new("DISK", "the disk is full").into()),
///     made => Ok(made),
/// });
/// let failed = engine.submit(engine.narration("A story"))?;
/// engine.wait(&failed)?;
/// let again = engine.retry_task(&failed)?;
/// assert_eq!(engine.wait(&again)?.result, Some(0.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WorkError::Interrupted`] if it was asked to stop; a clip that can't be written or noted.
pub fn silence(narration: &Narration, task: &TaskContext) -> WorkResult {
    make_clips(narration, task, |_| Ok(()))
}

/// The same, but segment 1 is not done before the task is asked to stop: there is time to pause or
/// cancel it, or to shut down.
///
/// ```
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{Event, TaskState};
///
/// let engine = Library::with_narrator(testing::long_silence);
/// let events = engine.subscribe();
/// let id = engine.submit(engine.narration("A story"))?;
/// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
/// engine.cancel_task(&id)?;
/// assert_eq!(engine.wait(&id)?.state, TaskState::Cancelled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`silence`].
pub fn long_silence(narration: &Narration, task: &TaskContext) -> WorkResult {
    make_clips(narration, task, |segment_id| {
        if segment_id == SegmentId::FIRST {
            wait_for_stop(|| task.interrupt().reason().is_some());
        }
        if task.is_cancelled() {
            return Err(WorkError::Interrupted);
        }
        Ok(())
    })
}

fn make_clips(
    narration: &Narration,
    task: &TaskContext,
    speak: impl Fn(SegmentId) -> Result<(), WorkError>,
) -> WorkResult {
    let done = task.status().map(|status| status.completed_segments);
    let done = done.unwrap_or_default();
    let mut made = 0;
    for (segment_id, _) in narration.plan.iter() {
        if done.get(segment_id).is_some() {
            continue;
        }
        let attempt = task.begin_segment(segment_id)?;
        speak(segment_id)?;
        let clip = clip(segment_id);
        std::fs::write(narration.folder.join(&*clip.clip), [])?;
        task.complete_segment(attempt, clip, Duration::ZERO)?;
        made += 1;
    }
    Ok(made.into())
}

/// Work that runs until it is asked to stop.
///
/// ```
/// use aloud::engine::testing::{self, Library};
/// use aloud::engine::{TaskState, Work};
///
/// let engine = Library::new();
/// let id = engine.submit(Work::closure("endless", testing::until_stopped))?;
/// engine.cancel_task(&id)?;
/// assert_eq!(engine.wait(&id)?.state, TaskState::Cancelled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WorkError::Interrupted`], always.
pub fn until_stopped(task: &TaskContext) -> WorkResult {
    wait_for_stop(|| task.is_cancelled());
    Err(WorkError::Interrupted)
}

fn wait_for_stop(is_asked: impl Fn() -> bool) {
    while !is_asked() {
        // Not every reason to stop calls a hook, so the flag is looked at again and again.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The record of a clip with one second of silence, without a file: `7.wav` for segment 7.
///
/// ```
/// use aloud::engine::testing;
///
/// let clip = testing::clip(7);
/// assert_eq!((&*clip.clip, clip.duration().as_secs()), ("7.wav", 1));
/// ```
pub fn clip(segment_id: impl Into<SegmentId>) -> ClipRecord {
    let segment_id = segment_id.into();
    ClipRecord {
        segment_id,
        clip: format!("{segment_id}.wav").into(),
        bytes: 0,
        samples: RATE.into(),
        rate: RATE,
        peak: 0.0,
        checksum: None,
        words: Arc::default(),
    }
}

/// A plan of these segments, in a source that has one space between them.
///
/// ```
/// use aloud::engine::testing;
///
/// let plan = testing::plan(["One.", "Two."]);
/// let second = plan.get(2).unwrap();
/// assert_eq!((&*second.text, second.start, second.end), ("Two.", 5, 9));
/// ```
pub fn plan(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Plan {
    let mut start = 0;
    let segments = texts.into_iter().map(|text| {
        let text = text.as_ref();
        let end = start + text.len() as u64;
        let segment = PlannedSegment {
            start,
            end,
            text: text.into(),
            pause_ms: 0,
            heading: false,
            reading: Reading::default(),
            voice: 0,
        };
        start = end + 1;
        segment
    });
    Plan::new(segments.collect())
}
