//! Voices made for tests that say what they are given: one that speaks at once, and one at the other end of
//! a line, which says when it begins and waits to be let go, so that nothing depends on time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, Event, Interrupt, NarrationSettings, ShutdownWait, Subscription, TaskId, TaskStatus,
};
use aloud::narrate::ClipCache;
use aloud::speech::{Speech, SpeechError, Synthesizer, Utterance};

use super::voice::{Open, library};

const PATIENCE: Duration = Duration::from_secs(20);
/// Samples of a clip where nothing else is said.
const CLIP: usize = 2000;

fn sound(samples: usize) -> Vec<f32> {
    let sample = |n: usize| f32::from((n % 20) as u8) / 40.0;
    (0..samples).map(sample).collect()
}

/// Speaks at once, and says that it took so long.
pub struct Quick(pub Duration);

impl Synthesizer for Quick {
    fn synthesize(
        &mut self,
        _: &Utterance,
        _: &[&Utterance],
        _: &NarrationSettings,
        _: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        Ok(Speech {
            samples: sound(CLIP),
            durations: Vec::new(),
            work: self.0,
        })
    }
}

/// The voice's ends of a line: what it has begun, and leave to go on with it.
type Ends = Arc<Mutex<(mpsc::Sender<String>, mpsc::Receiver<()>)>>;

struct Led {
    ends: Ends,
    samples: usize,
}

impl Synthesizer for Led {
    fn synthesize(
        &mut self,
        utterance: &Utterance,
        _: &[&Utterance],
        _: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let begun = Instant::now();
        let ends = self.ends.lock().unwrap();
        ends.0.send(utterance.phonemes.clone()).unwrap();
        while utterance.phonemes.starts_with("Wait") {
            if interrupt.is_now() {
                return Err(SpeechError::Interrupted);
            }
            if ends.1.recv_timeout(Duration::from_millis(2)).is_ok() {
                break;
            }
        }
        Ok(Speech {
            samples: sound(self.samples),
            durations: Vec::new(),
            work: begun.elapsed(),
        })
    }
}

/// The other end of the line: a text that begins with "Wait" is spoken when it is let go.
pub struct Line {
    begun: mpsc::Receiver<String>,
    pub go: mpsc::Sender<()>,
    made: Vec<String>,
    opened: Arc<AtomicUsize>,
}

impl Line {
    /// What opens the voice, whose clips have so many samples, and its line.
    pub fn new(samples: usize) -> (Open, Self) {
        let (begin, begun) = mpsc::channel();
        let (go, let_go) = mpsc::channel();
        let ends = Arc::new(Mutex::new((begin, let_go)));
        let opened = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&opened);
        let open: Open = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let ends = Arc::clone(&ends);
            Box::new(Led { ends, samples })
        });
        let made = Vec::new();
        (
            open,
            Self {
                begun,
                go,
                made,
                opened,
            },
        )
    }

    /// Waits until the voice has begun this text.
    pub fn until_begun(&mut self, text: &str) {
        while self.made.last().is_none_or(|last| last != text) {
            let next = self.begun.recv_timeout(PATIENCE);
            self.made.push(next.expect("the model begins"));
        }
    }

    /// Begins to count afresh.
    pub fn forget(&mut self) {
        self.made.clear();
    }

    /// How often the voice was opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// All texts that the voice was given, with how often, once the engine has ended.
    pub fn all_made(mut self, engine: &Engine) -> BTreeMap<String, usize> {
        engine.shutdown(ShutdownWait::Now);
        self.made.extend(self.begun.try_iter());
        let mut counts = BTreeMap::new();
        for text in self.made {
            *counts.entry(text).or_default() += 1;
        }
        counts
    }
}

/// An engine whose voice is at the other end of a line.
pub struct Desk {
    pub engine: Engine,
    pub events: Subscription,
    pub line: Line,
}

impl Desk {
    pub fn open(folder: &Path, kept: Option<ClipCache>) -> Self {
        let (open, line) = Line::new(CLIP);
        let engine = Engine::open(library(folder, open, kept)).unwrap();
        Self {
            events: engine.subscribe(),
            engine,
            line,
        }
    }

    pub fn until(&self, mut wanted: impl FnMut(&Event) -> bool) {
        while !wanted(&self.events.recv_blocking().expect("the engine still runs")) {}
    }

    pub fn until_ended(&self, id: &TaskId) -> TaskStatus {
        self.until(|event| matches!(event, Event::Ended { task, .. } if task == id));
        self.status(id)
    }

    pub fn until_back(&self, id: &TaskId) -> TaskStatus {
        self.until(|event| matches!(event, Event::Requeued { task } if task == id));
        self.status(id)
    }

    pub fn until_begun(&mut self, text: &str) {
        self.line.until_begun(text);
    }

    pub fn status(&self, id: &TaskId) -> TaskStatus {
        self.engine.task_status(id).unwrap()
    }

    pub fn all_made(self) -> BTreeMap<String, usize> {
        self.line.all_made(&self.engine)
    }
}

/// Each of these texts once.
pub fn once(texts: &[&str]) -> BTreeMap<String, usize> {
    texts.iter().map(|text| ((*text).to_owned(), 1)).collect()
}

/// The numbers of the segments that are done.
pub fn done(status: &TaskStatus) -> Vec<u32> {
    let segments = status.completed_segments.iter();
    segments.map(|segment| segment.segment_id.get()).collect()
}
