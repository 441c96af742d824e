//! What someone waits for now is spoken at once, whatever is narrated meanwhile: the narration in work
//! finishes its segment, makes room, and continues by itself, with the same open voice. The voice says
//! when it begins and waits to be let go, so that nothing here depends on time.

mod kit;

use std::path::Path;
use std::sync::{Arc, Mutex};

use aloud::clip::ClipStore;
use aloud::engine::{
    NarrationSettings, SegmentId, SpeechListener, SpeechRequest, Submission, TaskId, TaskKind,
    TaskState, Work,
};
use aloud::narrate::ClipCache;

use kit::line::{Desk, done, once};
use kit::voice;

/// Wants some segments of a text, one after the other, and remembers what it was told.
#[derive(Default)]
struct Ear {
    segments: u32,
    heard: Mutex<Vec<(u32, usize)>>,
    expected: Mutex<Option<u64>>,
}

impl Ear {
    fn heard(&self) -> Vec<u32> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|(segment, _)| *segment).collect()
    }
}

impl SpeechListener for Ear {
    fn next(&self) -> Option<SegmentId> {
        let next = self.heard.lock().unwrap().len() + 1;
        let next = u32::try_from(next).unwrap();
        (next <= self.segments).then(|| SegmentId::new(next))
    }

    fn expect(&self, samples: u64) {
        *self.expected.lock().unwrap() = Some(samples);
    }

    fn hear(&self, segment: SegmentId, samples: &[i16], rate: u32) {
        assert_eq!(rate, voice::RATE);
        let heard = (segment.get(), samples.len());
        self.heard.lock().unwrap().push(heard);
    }
}

fn open(folder: &Path) -> Desk {
    let kept = ClipCache::new(ClipStore::new(folder.join("clips")), 1_000_000_000);
    Desk::open(folder, Some(kept))
}

fn narrate(desk: &Desk, folder: &Path, title: &str, texts: &[&str]) -> TaskId {
    let mut narration = voice::narration(folder.join(title), title, texts);
    narration.voice_version = "1".into();
    desk.engine.submit_task(narration, None).unwrap()
}

/// Asks for a text to be spoken now.
fn speak(desk: &Desk, texts: &[&str]) -> (TaskId, Arc<Ear>) {
    let ear = Arc::new(Ear {
        segments: u32::try_from(texts.len()).unwrap(),
        ..Ear::default()
    });
    let speech = SpeechRequest {
        title: texts[0].into(),
        plan: voice::narration("none".into(), "speech", texts).plan,
        voice: "test".into(),
        voice_version: "1".into(),
        settings: NarrationSettings::default(),
        listener: Arc::<Ear>::clone(&ear),
    };
    let submission = Submission::new(Work::Speech(speech)).urgent();
    (desk.engine.submit(submission).unwrap(), ear)
}

const STORY: [&str; 5] = ["One.", "Wait two.", "Three.", "Wait four.", "Five."];

#[test]
fn a_narration_makes_room_for_what_someone_waits_for_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = open(folder.path());
    let story = narrate(&desk, folder.path(), "story", &STORY);
    let other = narrate(&desk, folder.path(), "other", &["Other."]);
    desk.until_begun("Wait two.");
    let (first, ear) = speak(&desk, &["Hello.", "Are you there?"]);
    let (second, other_ear) = speak(&desk, &["Hello again."]);
    assert_eq!(desk.status(&story).state, TaskState::Processing);
    desk.line.go.send(()).unwrap();
    let back = desk.until_back(&story);
    assert!(!back.paused, "it makes room, and is not paused");
    assert_eq!(done(&back), [1, 2], "the segment in work was finished");
    let said = desk.until_ended(&first);
    assert_eq!(
        (said.state, said.kind),
        (TaskState::Completed, TaskKind::Speech)
    );
    assert_eq!(ear.heard(), [1, 2]);
    assert_eq!(desk.until_ended(&second).state, TaskState::Completed);
    assert_eq!(other_ear.heard(), [1]);
    // The narration goes on before the one that waited.
    desk.until_begun("Wait four.");
    let waiting = desk.status(&other);
    assert_eq!((waiting.state, waiting.attempt), (TaskState::Pending, 0));
    // Another one comes, and another, while it speaks.
    let (third, ear) = speak(&desk, &["And now?"]);
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&third).state, TaskState::Completed);
    assert_eq!(ear.heard(), [1]);
    let ended = desk.until_ended(&story);
    assert_eq!((ended.state, ended.attempt), (TaskState::Completed, 1));
    assert_eq!(done(&ended), [1, 2, 3, 4, 5]);
    assert_eq!(desk.until_ended(&other).state, TaskState::Completed);
    assert_eq!(desk.line.opened(), 1, "one open voice for all");
    let texts = [
        "Hello.",
        "Are you there?",
        "Hello again.",
        "And now?",
        "Other.",
    ];
    let all: Vec<_> = STORY.into_iter().chain(texts).collect();
    assert_eq!(desk.all_made(), once(&all), "nothing is made twice");
}

#[test]
fn a_paused_queue_answers_and_stays_paused() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = open(folder.path());
    let story = narrate(&desk, folder.path(), "story", &STORY);
    desk.until_begun("Wait two.");
    desk.engine.pause_queue();
    let (speech, ear) = speak(&desk, &["Hello."]);
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&speech).state, TaskState::Completed);
    assert_eq!(ear.heard(), [1]);
    assert!(desk.engine.is_queue_paused());
    let waiting = desk.status(&story);
    assert_eq!(
        (waiting.state, done(&waiting)),
        (TaskState::Pending, vec![1, 2])
    );
    desk.engine.resume_queue();
    desk.until_begun("Wait four.");
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&story).state, TaskState::Completed);
}

#[test]
fn whoever_hangs_up_frees_the_voice_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = open(folder.path());
    let story = narrate(&desk, folder.path(), "story", &STORY);
    desk.until_begun("Wait two.");
    let (speech, ear) = speak(&desk, &["Hello.", "Wait for it.", "Never."]);
    // One that has not even begun is gone as well.
    let (unheard, silence) = speak(&desk, &["Unheard."]);
    assert!(desk.engine.cancel_task(&unheard).is_ok());
    desk.line.go.send(()).unwrap();
    desk.until_begun("Wait for it.");
    assert!(desk.engine.cancel_task(&speech).is_ok());
    assert_eq!(desk.until_ended(&speech).state, TaskState::Cancelled);
    assert_eq!((ear.heard(), silence.heard()), (vec![1], vec![]));
    desk.until_begun("Wait four.");
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&story).state, TaskState::Completed);
    assert_eq!(desk.line.opened(), 1);
}

#[test]
fn a_narration_that_made_room_can_be_cancelled_before_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = open(folder.path());
    let story = narrate(&desk, folder.path(), "story", &STORY);
    desk.until_begun("Wait two.");
    let (speech, ear) = speak(&desk, &["Wait with me.", "Goodbye."]);
    desk.line.go.send(()).unwrap();
    desk.until_begun("Wait with me.");
    assert!(desk.engine.cancel_task(&story).is_ok());
    let ended = desk.until_ended(&story);
    assert_eq!(
        (ended.state, done(&ended)),
        (TaskState::Cancelled, vec![1, 2])
    );
    desk.line.go.send(()).unwrap();
    assert_eq!(desk.until_ended(&speech).state, TaskState::Completed);
    assert_eq!(ear.heard(), [1, 2]);
}

#[test]
fn what_was_spoken_before_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let story = narrate(&desk, folder.path(), "story", &["One.", "Three."]);
    desk.until_ended(&story);
    let (first, ear) = speak(&desk, &["One.", "Two.", "Three."]);
    desk.until_ended(&first);
    assert_eq!(*ear.expected.lock().unwrap(), None, "one is new");
    let (again, ear) = speak(&desk, &["One.", "Two.", "Three."]);
    desk.until_ended(&again);
    assert_eq!(*ear.expected.lock().unwrap(), Some(6000));
    let heard = ear.heard.lock().unwrap().clone();
    assert_eq!(heard, [(1, 2000), (2, 2000), (3, 2000)]);
    assert_eq!(desk.all_made(), once(&["One.", "Two.", "Three."]));
}
