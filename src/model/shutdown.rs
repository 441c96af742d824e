//! How an engine goes down, and what it says of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What to wait for when shutting down.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::{Engine, Event, Options, ShutdownWait, TaskState, Work};
///
/// # let folder = tempfile::tempdir()?;
/// # let engine = Engine::open(Options::new(folder.path()))?;
/// let events = engine.subscribe();
/// let work = Work::closure("sum", |_| Ok((1..=1000).sum::<u32>().into()));
/// let id = engine.submit_task(work, None)?;
/// while !matches!(events.recv_blocking()?, Event::Started { .. }) {}
/// engine.shutdown(ShutdownWait::Tasks(Duration::from_secs(60)));
/// assert_eq!(engine.task_status(&id).unwrap().state, TaskState::Completed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownWait {
    /// For everything that is queued and may run, at most this long.
    Drain(Duration),
    /// For running tasks to end, at most this long.
    Tasks(Duration),
    /// For the segments in work, at most this long; their narrations continue at the next start.
    Segments(Duration),
    /// For nothing.
    Now,
}

/// What a shutdown did.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use aloud::engine::*;
/// # let folder = tempfile::tempdir()?;
/// # let mut options = Options::new(folder.path());
/// # struct Waiting;
/// # impl Narrator for Waiting {
/// #     fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
/// #         for (segment_id, _) in narration.plan.iter() {
/// #             let attempt = task.begin_segment(segment_id)?;
/// #             while task.interrupt().reason().is_none() {
/// #                 std::thread::yield_now();
/// #             }
/// #             let clip = format!("{segment_id}.wav").into();
/// #             let (bytes, samples, rate, peak) = (0, 22_050, 22_050, 0.0);
/// #             let clip = ClipRecord { segment_id, clip, bytes, samples, rate, peak, checksum: None };
/// #             task.complete_segment(attempt, clip, Duration::ZERO)?;
/// #         }
/// #         Ok("spoken".into())
/// #     }
/// # }
/// # options.narrator = Some(Arc::new(|| Box::new(Waiting)));
/// # let engine = Engine::open(options)?;
/// # let events = engine.subscribe();
/// # let segment = |start, text: &str| PlannedSegment {
/// #     start,
/// #     end: start + 4,
/// #     text: text.into(),
/// #     pause_ms: 0,
/// #     heading: false,
/// # };
/// # let narration = Narration {
/// #     title: "A story".into(),
/// #     source: "One. Two.".into(),
/// #     plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
/// #     folder: folder.path().to_owned(),
/// #     voice: "silence".into(),
/// #     voice_version: "".into(),
/// #     settings: NarrationSettings::default(),
/// #     fingerprint: "One. Two. in silence".into(),
/// # };
/// let id = engine.submit_task(narration, None)?;
/// while !matches!(events.recv_blocking()?, Event::SegmentStarted { .. }) {}
/// let report = engine.shutdown(ShutdownWait::Segments(Duration::from_secs(60)));
/// assert_eq!((report.finished, report.interrupted, report.abandoned), (0, 1, 0));
/// let status = engine.task_status(&id).unwrap();
/// assert_eq!((status.state, status.completed_segments.len()), (TaskState::Pending, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// Running tasks that ended while it waited.
    pub finished: usize,
    /// Narrations that were put back and continue at the next start.
    pub interrupted: usize,
    /// Tasks whose work did not come back in time; their threads were left behind.
    pub abandoned: usize,
    /// Closures that waited for their turn and will not have it.
    pub cancelled: usize,
    /// How long each step took.
    pub steps: ShutdownSteps,
    /// How long it took in all, in seconds.
    pub seconds: f64,
}

/// How long each step of a shutdown took, in seconds.
///
/// ```
/// # use aloud::engine::{Engine, Options, ShutdownWait};
/// # let folder = tempfile::tempdir()?;
/// let engine = Engine::open(Options::new(folder.path()))?;
/// let report = engine.shutdown(ShutdownWait::Now);
/// let steps = report.steps;
/// assert!(steps.refuse + steps.wait + steps.interrupt + steps.join <= report.seconds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShutdownSteps {
    /// Telling the embedding program and refusing new work.
    pub refuse: f64,
    /// Waiting for what ran.
    pub wait: f64,
    /// Interrupting the rest.
    pub interrupt: f64,
    /// Joining every thread, the database's included.
    pub join: f64,
}
