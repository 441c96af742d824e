//! What these tests share: work to submit, and waiting that always comes to an end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use aloud::engine::{
    ClipRecord, Engine, Event, Narration, NarrationSettings, Narrator, Options, Plan,
    PlannedSegment, Reading, Submission, TaskContext, TaskId, TaskStatus, Work, WorkResult,
};
use serde_json::{Value, json};

/// How long one thing may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a test may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Runs a test on a thread of its own: one that hangs fails, and is left behind.
pub fn bounded(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match ended.recv_timeout(LONGEST) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("it failed, see above"),
    }
}

/// Runs something that could hang, and waits for it only so long.
pub fn in_time<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || drop(done.send(run())));
    let ended = ended.recv_timeout(PATIENCE);
    ended.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Waits until something holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The events of an engine, to be waited for with a deadline.
pub struct Events(mpsc::Receiver<Event>);

pub fn events(engine: &Engine) -> Events {
    let (sender, receiver) = mpsc::channel();
    let subscription = engine.subscribe();
    std::thread::spawn(move || {
        while let Ok(event) = subscription.recv_blocking() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    Events(receiver)
}

impl Events {
    pub fn until(&self, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.0.recv_timeout(left).expect("the event comes in time");
            if wanted(&event) {
                return event;
            }
        }
    }

    pub fn until_started(&self, id: &TaskId) {
        self.until(|event| matches!(event, Event::Started { task } if task == id));
    }

    pub fn until_ended(&self, engine: &Engine, id: &TaskId) -> TaskStatus {
        self.until(|event| is_end_of(event, id));
        engine.task_status(id).unwrap()
    }

    /// What has been told so far.
    pub fn told(&self) -> Vec<Event> {
        self.0.try_iter().collect()
    }
}

pub fn is_end_of(event: &Event, id: &TaskId) -> bool {
    matches!(event, Event::Ended { task, .. } if task == id)
}

pub fn open(folder: &Path) -> Engine {
    Engine::open(Options::new(folder)).unwrap()
}

/// A closure that ends well at once.
pub fn nothing() -> Work {
    Work::closure("nothing", |_| Ok(Value::Null))
}

/// Shows that the workers still work and that listeners are still told.
pub fn still_works(engine: &Engine) {
    let id = engine.submit_task(nothing(), None).unwrap();
    let engine = engine.clone();
    in_time("the next task", move || engine.wait(&id)).unwrap();
}

/// Something that a closure holds, whose destructor does this.
pub struct OnDrop<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A closure that holds something and does nothing with it.
pub fn holding<T: Send + 'static>(held: T) -> Work {
    Work::closure("holds something", move |_| {
        let _held = &held;
        Ok(Value::Null)
    })
}

struct Narrate<F>(F);

impl<F: FnMut(&Narration, &TaskContext) -> WorkResult> Narrator for Narrate<F> {
    fn narrate(&mut self, narration: &Narration, task: &TaskContext) -> WorkResult {
        (self.0)(narration, task)
    }
}

/// Options of an engine with a narrator that does this.
pub fn narrating(
    folder: &Path,
    run: impl Fn(&Narration, &TaskContext) -> WorkResult + Send + Sync + 'static,
) -> Options {
    let run = Arc::new(run);
    let mut options = Options::new(folder.join("library"));
    options.narrator = Some(Arc::new(move || {
        let run = Arc::clone(&run);
        Box::new(Narrate(move |narration: &_, task: &_| run(narration, task)))
    }));
    options
}

/// The narrator that makes a small clip of each segment that has none.
pub fn make_clips(narration: &Narration, task: &TaskContext) -> WorkResult {
    let done = task.status().unwrap().completed_segments;
    for (segment_id, _) in narration.plan.iter() {
        if done.get(segment_id).is_some() {
            continue;
        }
        let attempt = task.begin_segment(segment_id)?;
        let clip = format!("{segment_id}.wav");
        std::fs::write(narration.folder.join(&clip), b"clip")?;
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
        task.complete_segment(attempt, record, Duration::ZERO)?;
    }
    Ok(json!("made"))
}

/// A narration of two segments, in a folder of its name.
pub fn narration(folder: &Path, name: &str) -> Narration {
    let segment = |start: u64, text: &str| PlannedSegment {
        start,
        end: start + 4,
        text: text.into(),
        pause_ms: 0,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    Narration {
        title: name.into(),
        source: "One. Two.".into(),
        plan: Plan::new(vec![segment(0, "One."), segment(5, "Two.")]).into(),
        folder: folder.join(name),
        voice: "silence".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: name.into(),
    }
}

/// The same, with its name as the task's id.
pub fn story(folder: &Path, name: &str) -> Submission {
    Submission::new(narration(folder, name)).id(name)
}

pub fn database_of(folder: &Path) -> PathBuf {
    folder.join("library/aloud.db")
}

/// Another program's connection to the database.
pub fn database(folder: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(database_of(folder)).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

/// Another program that holds the database until this is dropped.
pub fn hold_database(folder: &Path) -> rusqlite::Connection {
    let connection = database(folder);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// What the database says of a task's state.
pub fn stored_state(database: &rusqlite::Connection, id: &TaskId) -> String {
    let query = "SELECT state FROM tasks WHERE id = ?1";
    database
        .query_row(query, [id.as_str()], |row| row.get(0))
        .unwrap()
}
