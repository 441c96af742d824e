//! What these tests share: a narrator that makes silent clips, and waiting for events.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use aloud::engine::{
    ClipRecord, Engine, Event, Narration, NarrationSettings, Narrator, Options, Plan,
    PlannedSegment, Reading, Subscription, TaskContext, TaskId, TaskStatus, Work, WorkError,
    WorkResult,
};
use serde_json::json;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Reads events until one of them says what we wait for.
pub fn until(events: &Subscription, mut wanted: impl FnMut(&Event) -> bool) -> Event {
    loop {
        let event = events.recv_blocking().expect("the engine still runs");
        if wanted(&event) {
            return event;
        }
    }
}

pub fn until_ended(engine: &Engine, events: &Subscription, id: &TaskId) -> TaskStatus {
    until(
        events,
        |event| matches!(event, Event::Ended { task, .. } if task == id),
    );
    engine.task_status(id).unwrap()
}

pub fn open(folder: &Path) -> Engine {
    Engine::open(Options::new(folder)).unwrap()
}

/// Work that runs until it is told to stop, and says when it has begun.
pub fn endless(begun: mpsc::Sender<()>) -> Work {
    Work::closure("endless", move |task| {
        begun.send(()).unwrap();
        let until = Instant::now() + PATIENCE;
        while !task.is_cancelled() {
            assert!(Instant::now() < until, "nobody stopped it");
            std::thread::yield_now();
        }
        Err(WorkError::Interrupted)
    })
}

/// A narrator that makes clips of a few bytes, and counts them. It stops before segment `stop_at`
/// until it is interrupted.
pub struct TestNarrator {
    pub made: Arc<AtomicUsize>,
    pub stop_at: Option<u32>,
}

impl Narrator for TestNarrator {
    fn narrate(&mut self, narration: &Narration, context: &TaskContext) -> WorkResult {
        let done = context.status().unwrap().completed_segments;
        for (segment_id, _) in narration.plan.iter() {
            if done.get(segment_id).is_some() {
                continue;
            }
            if self.stop_at == Some(segment_id.get()) {
                let until = Instant::now() + PATIENCE;
                while context.interrupt().reason().is_none() {
                    assert!(Instant::now() < until, "nobody stopped it");
                    std::thread::yield_now();
                }
            }
            let attempt = context.begin_segment(segment_id)?;
            let clip = format!("{segment_id}.wav");
            std::fs::write(narration.folder.join(&clip), b"clip")?;
            self.made.fetch_add(1, Ordering::SeqCst);
            let record = ClipRecord {
                segment_id,
                clip: clip.into(),
                bytes: 4,
                samples: 100,
                rate: 1000,
                peak: 0.5,
                checksum: None,
                words: Arc::default(),
            };
            context.complete_segment(attempt, record, Duration::from_millis(1))?;
        }
        Ok(json!(context.clips()?.len()))
    }
}

pub fn narrating(folder: &Path, stop_at: Option<u32>) -> (Engine, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let mut options = Options::new(folder.join("library"));
    options.narrator = Some(Arc::new(move || {
        Box::new(TestNarrator {
            made: Arc::clone(&counter),
            stop_at,
        })
    }));
    (Engine::open(options).unwrap(), made)
}

pub fn narration(folder: &Path, segments: u32) -> Narration {
    let segment = |number: u32| PlannedSegment {
        start: u64::from(number),
        end: u64::from(number) + 1,
        text: format!("Segment {number}.").into(),
        pause_ms: 100,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    Narration {
        title: "A story".into(),
        source: "text".into(),
        plan: Arc::new(Plan::new((1..=segments).map(segment).collect())),
        folder: folder.to_owned(),
        voice: "test".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: "same".into(),
    }
}
