//! The narration pipeline with voices made for tests: what a real voice does too rarely.

mod kit;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aloud::clip::ClipStore;
use aloud::engine::{
    Engine, ErrorCode, Event, Interrupt, Narration, NarrationSettings, SegmentId, ShutdownWait,
    TaskState, TaskStatus,
};
use aloud::narrate::ClipCache;
use aloud::speech::{Speech, SpeechError, Synthesizer, Utterance};

use serde_json::json;

use kit::voice::{self, Open, library};

/// What a voice does with a text.
type Speak = fn(&str) -> Vec<f32>;

struct Spoken(Speak);

/// The samples of a letter.
const LETTER: u32 = 5;

impl Synthesizer for Spoken {
    fn looks_ahead(&self) -> usize {
        3
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        _: &NarrationSettings,
        interrupt: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        let begun = Instant::now();
        let is_heavy = ahead.iter().any(|ahead| ahead.phonemes == "heavy");
        if is_heavy || utterance.phonemes == "slow" {
            while !interrupt.is_now() {
                std::thread::park_timeout(Duration::from_millis(2));
            }
            return Err(SpeechError::Interrupted);
        }
        let samples = (self.0)(&utterance.phonemes);
        // The last letter takes what is left.
        let mut durations = vec![LETTER; utterance.ids.len()];
        if let Some(last) = durations.last_mut() {
            *last =
                (samples.len() as u32).saturating_sub(LETTER * (utterance.ids.len() as u32 - 1));
        }
        Ok(Speech {
            samples,
            durations,
            work: begun.elapsed(),
        })
    }
}

fn open(folder: &Path, speak: Speak, segment_timeout: Option<Duration>) -> Engine {
    open_keeping(folder, speak, segment_timeout, None)
}

fn open_keeping(
    folder: &Path,
    speak: Speak,
    segment_timeout: Option<Duration>,
    kept: Option<ClipCache>,
) -> Engine {
    let model: Open = Arc::new(move || Box::new(Spoken(speak)));
    let mut options = library(folder, model, kept);
    options.segment_timeout = segment_timeout;
    Engine::open(options).unwrap()
}

fn narration(folder: &Path, title: &str, texts: &[&str]) -> Narration {
    voice::narration(folder.join("out"), title, texts)
}

fn narrate(engine: &Engine, narration: Narration) -> TaskStatus {
    let events = engine.subscribe();
    let id = engine.submit_task(narration, None).unwrap();
    loop {
        if let Event::Ended { task, .. } = events.recv_blocking().unwrap()
            && task == id
        {
            return engine.task_status(&id).unwrap();
        }
    }
}

/// What happens to a file of sound.
type Change = fn(&mut Vec<u8>);

/// How a segment's text damages the clip that it names, once that is there.
const DAMAGES: [(&str, Change); 3] = [
    ("distort", |bytes| bytes[100] ^= 0x40),
    ("behead", |bytes| bytes[..4].fill(0)),
    ("cut", |bytes| bytes.truncate(100)),
];

fn damage(path: &Path, change: Change) {
    let mut bytes = kit::wait_for("a clip", || std::fs::read(path).ok());
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// A tone as long as its text is plausible for, unless the text asks for something else.
fn speak(text: &str) -> Vec<f32> {
    if let Some(path) = text.strip_prefix("steal ") {
        while std::fs::remove_file(path).is_err() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
    for (verb, change) in DAMAGES {
        if let Some(path) = text.strip_prefix(verb) {
            damage(Path::new(path.trim_start()), change);
        }
    }
    match text {
        "hang" => loop {
            std::thread::park();
        },
        "panic" => panic!("the voice panics"),
        // A billion samples that nobody has touched cost no memory until someone looks at them.
        "endless" => vec![0.0; 1_000_000_000],
        "silent" => vec![0.0; 500],
        "short" => vec![0.4; 20],
        "nan" => vec![f32::NAN; 500],
        "nothing" => Vec::new(),
        "loud" => vec![1.0; 500],
        text => vec![0.4; text.len() * 80],
    }
}

#[test]
fn a_voice_that_panics_fails_its_task_and_the_next_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let status = narrate(
        &engine,
        narration(folder.path(), "bad", &["first", "panic", "third"]),
    );
    assert_eq!(
        (status.state, status.error.unwrap().code.as_str()),
        (TaskState::Failed, "PANIC")
    );
    let status = narrate(
        &engine,
        narration(folder.path(), "good", &["first", "second"]),
    );
    assert_eq!(
        (status.state, status.completed_segments.len()),
        (TaskState::Completed, 2)
    );
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn what_cannot_be_right_is_an_error_on_its_segment_and_the_rest_is_joined() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let texts = [
        "first", "silent", "short", "nan", "nothing", "loud", "?!", "endless", "last",
    ];
    let status = narrate(&engine, narration(folder.path(), "mixed", &texts));
    assert_eq!(status.state, TaskState::Failed);
    let code = |segment| {
        status
            .errors
            .of(segment)
            .next()
            .map(|error| error.code.clone())
    };
    let expected = [
        None,
        Some(ErrorCode::Silent),
        Some(ErrorCode::TooShort),
        Some(ErrorCode::NotSound),
        Some(ErrorCode::NotSound),
        Some(ErrorCode::Clipped),
        Some(ErrorCode::NothingToSpeak),
        Some(ErrorCode::TooLong),
        None,
    ];
    for (segment, expected) in (1..).zip(expected) {
        assert_eq!(code(segment), expected, "segment {segment}");
    }
    let spoken: Vec<_> = status
        .completed_segments
        .iter()
        .map(|clip| clip.segment_id.get())
        .collect();
    assert_eq!(spoken, [1, 6, 9], "a distorted clip is kept, and told");
    assert_eq!(status.error.unwrap().code, ErrorCode::SegmentsFailed);
    assert!(folder.path().join("out/mixed.wav").is_file());
    engine.shutdown(ShutdownWait::Now);
}

/// A voice in a process that dies of some texts, also if it has only begun with them.
struct Mortal;

impl Synthesizer for Mortal {
    fn looks_ahead(&self) -> usize {
        2
    }

    fn synthesize(
        &mut self,
        utterance: &Utterance,
        ahead: &[&Utterance],
        _: &NarrationSettings,
        _: &Interrupt,
    ) -> Result<Speech, SpeechError> {
        for text in std::iter::once(&utterance).chain(ahead) {
            if text.phonemes.starts_with("crash") {
                return Err(SpeechError::Crashed { signal: "SIGSEGV" });
            }
            if text.phonemes.starts_with("starve") {
                let reason = "the system ended it, perhaps for want of memory".into();
                return Err(SpeechError::Killed { reason });
            }
        }
        Ok(Speech {
            samples: speak(&utterance.phonemes),
            durations: Vec::new(),
            work: Duration::from_millis(1),
        })
    }
}

/// Narrates with a voice that dies.
fn die(texts: &[&str]) -> (TaskStatus, Vec<(u32, ErrorCode)>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = library(folder.path(), Arc::new(|| Box::new(Mortal)), None);
    options.retries.most = 0;
    let engine = Engine::open(options).unwrap();
    let status = narrate(&engine, narration(folder.path(), "deadly", texts));
    engine.shutdown(ShutdownWait::Now);
    let errors = status.errors.iter();
    let errors = errors.map(|error| (error.segment_id.get(), error.error.code));
    let errors = errors.collect();
    (status, errors)
}

#[test]
fn a_segment_that_crashes_the_voice_again_alone_is_left_out_and_the_rest_is_spoken() {
    let (status, errors) = die(&["first", "second", "crash", "fourth", "fifth"]);
    assert_eq!(errors, [(3, ErrorCode::Poisonous)]);
    assert_eq!(status.completed_segments.len(), 4);
    let error = status.errors.of(3).next().unwrap();
    assert!(error.message.contains("SIGSEGV"), "{error}");
}

#[test]
fn a_segment_for_which_the_system_ends_the_voice_three_times_alone_is_left_out() {
    let (status, errors) = die(&["first", "starve", "third", "fourth"]);
    assert_eq!(errors, [(2, ErrorCode::OutOfMemory)]);
    assert_eq!(status.completed_segments.len(), 3);
}

#[test]
fn a_voice_that_dies_of_everything_is_the_voices_fault() {
    let texts: Vec<_> = (0..20).map(|number| format!("starve {number}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let (status, errors) = die(&texts);
    assert_eq!(status.error.unwrap().code, ErrorCode::VoiceKilled);
    assert!(errors.len() < 3, "{errors:?}");
}

#[test]
fn a_segment_that_others_keep_waiting_is_tried_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, Some(Duration::from_millis(30)));
    let texts = ["first", "second", "heavy", "fourth"];
    let status = narrate(&engine, narration(folder.path(), "heavy", &texts));
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    assert_eq!(status.completed_segments.len(), 4);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_voice_that_hangs_costs_its_task_and_the_next_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, Some(Duration::from_millis(30)));
    let status = narrate(
        &engine,
        narration(folder.path(), "hangs", &["first", "hang", "third"]),
    );
    assert_eq!(status.state, TaskState::Failed);
    assert_eq!(engine.health().abandoned_threads, 1);
    let mut next = narration(folder.path(), "next", &["first", "second"]);
    next.folder = folder.path().join("next");
    let status = narrate(&engine, next);
    assert_eq!(status.state, TaskState::Completed);
    let report = engine.shutdown(ShutdownWait::Now);
    assert_eq!(report.abandoned, 1, "its thread can't be stopped");
}

#[test]
fn a_voice_that_changed_does_not_finish_what_another_began() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let mut begun_with_another = narration(folder.path(), "changed", &["first", "second"]);
    begun_with_another.voice_version = "0".into();
    let status = narrate(&engine, begun_with_another.clone());
    assert_eq!(status.error.unwrap().code, ErrorCode::VoiceChanged);
    begun_with_another.voice_version = "1".into();
    let status = narrate(&engine, begun_with_another);
    assert_eq!(status.state, TaskState::Completed);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_clip_that_goes_away_during_the_run_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let clip = folder.path().join("out/0001-first.wav");
    let thief = format!("steal {}", clip.display());
    let texts = ["first", "second", &thief, "fourth"];
    let status = narrate(&engine, narration(folder.path(), "stolen", &texts));
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    assert!(clip.is_file() && folder.path().join("out/stolen.wav").is_file());
    engine.shutdown(ShutdownWait::Now);
}

/// Damages the clip of a segment while another is spoken, and once more when the narration has ended
/// and is asked for again.
fn damaged_clips_are_made_again(verb: &str, change: Change) {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let clip = folder.path().join("out/0001-first.wav");
    let whole = aloud::clip::encode(&speak("first"), voice::RATE, &clip).unwrap();
    let villain = format!("{verb} {}", clip.display());
    let story = narration(folder.path(), "damaged", &["first", "second", &villain]);
    let status = narrate(&engine, story.clone());
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    assert_eq!(std::fs::read(&clip).unwrap(), whole);
    assert_eq!(status.completed_segments.len(), 3);
    let joined = folder.path().join("out/damaged.wav");
    let before = std::fs::read(&joined).unwrap();

    damage(&clip, change);
    let status = narrate(&engine, story);
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    assert_eq!(std::fs::read(&clip).unwrap(), whole);
    assert_eq!(status.made.chars, 5, "only that one is made");
    assert_eq!(std::fs::read(&joined).unwrap(), before);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_clip_whose_header_is_damaged_is_made_again() {
    damaged_clips_are_made_again("behead", DAMAGES[1].1);
}

#[test]
fn a_clip_that_was_cut_off_is_made_again() {
    damaged_clips_are_made_again("cut", DAMAGES[2].1);
}

#[test]
fn a_clip_whose_sound_is_damaged_is_made_again() {
    damaged_clips_are_made_again("distort", DAMAGES[0].1);
}

/// The second time that it is spoken, it damages the clip that it names once more.
fn ruin(text: &str) -> Vec<f32> {
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    if let Some(path) = text.strip_prefix("ruin ")
        && TIMES.fetch_add(1, Ordering::Relaxed) == 1
    {
        let is_whole = || std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"RIFF"));
        kit::wait_for("the clip that is made again", || is_whole().then_some(()));
        damage(Path::new(path), DAMAGES[1].1);
    }
    speak(text)
}

#[test]
fn a_clip_is_made_again_only_once_in_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), ruin, None);
    let clip = folder.path().join("out/0001-first.wav");
    let ruin = format!("ruin {}", clip.display());
    let other = clip.with_file_name(aloud::clip::file_name(2, &ruin));
    let behead = |clip: &Path| format!("behead {}", clip.display());
    let texts = ["first", &ruin, &behead(&clip), &behead(&other)];
    let story = narration(folder.path(), "ruined", &texts);
    let error = narrate(&engine, story.clone()).error.unwrap();
    assert_eq!(error.code, ErrorCode::ClipDamaged);
    assert!(
        error.message.contains("0001-first.wav"),
        "{}",
        error.message
    );
    let status = narrate(&engine, story);
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_segment_over_its_time_is_given_up_and_the_task_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, Some(Duration::from_millis(50)));
    let status = narrate(
        &engine,
        narration(folder.path(), "slow", &["first", "slow", "third"]),
    );
    let error = status.errors.of(2).next().unwrap();
    assert_eq!(error.code, ErrorCode::Timeout);
    assert_eq!(error.details["timeout_seconds"], 0.05);
    assert_eq!(status.completed_segments.len(), 2);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_voice_that_is_late_with_everything_does_not_keep_the_queue_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, Some(Duration::from_millis(20)));
    let status = narrate(&engine, narration(folder.path(), "slow", &["slow"; 20]));
    assert_eq!(status.error.unwrap().code, ErrorCode::Timeout);
    assert_eq!(status.errors.segments(), 4);
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn the_joined_file_never_takes_the_name_of_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path(), speak, None);
    let status = narrate(
        &engine,
        narration(folder.path(), "0001 a dark night", &["a dark night"]),
    );
    assert_eq!(status.state, TaskState::Completed);
    assert_eq!(
        &*status.completed_segments.get(1).unwrap().clip,
        "0001-a-dark-night.wav"
    );
    assert!(
        folder
            .path()
            .join("out/narration-0001-a-dark-night.wav")
            .is_file()
    );
    engine.shutdown(ShutdownWait::Now);
}

/// Each call another tone, so that a copy can be told from a clip that was made again.
fn never_the_same(text: &str) -> Vec<f32> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    if text.starts_with("fails") {
        return Vec::new();
    }
    let length = 1000 + call;
    (0..length)
        .map(|n| if n % 2 == 0 { 0.4 } else { -0.4 })
        .collect()
}

#[test]
fn a_sentence_that_was_spoken_before_is_copied_into_any_narration() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("kept");
    let kept = ClipCache::new(ClipStore::new(&store), 1_000_000);
    let engine = open_keeping(folder.path(), never_the_same, None, Some(kept));
    let narrated = |title: &str, texts: &[&str], speed: f32| {
        let mut new = narration(folder.path(), title, texts);
        new.folder = folder.path().join(title);
        new.voice_version = "1".into();
        new.settings.speed = speed;
        narrate(&engine, new)
    };
    let clip = |task: &TaskStatus, segment| {
        let clip = task.completed_segments.get(segment).unwrap().clip.clone();
        std::fs::read(task.folder.as_ref().unwrap().join(&*clip)).unwrap()
    };
    let first = narrated("first", &["One fine day.", "Two birds sang."], 1.0);
    assert_eq!(first.made.chars, 28);

    // One sentence is another one: only that is made.
    let second = narrated("second", &["One fine day.", "Three birds sang."], 1.0);
    assert_eq!(
        (second.state, second.made.chars),
        (TaskState::Completed, 17)
    );
    assert_eq!(clip(&second, 1), clip(&first, 1));
    // What is copied says when its words are said as well.
    let words = |task: &TaskStatus| {
        let record = task.folder.as_ref().unwrap().join("narration.jsonl");
        let is_first =
            |line: &serde_json::Value| line["record"] == "clip" && line["segment_id"] == 1;
        kit::wait_for("its line", || {
            let lines = std::fs::read_to_string(&record).ok()?;
            let mut lines = lines
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            Some(lines.find(is_first)?["words"].clone())
        })
    };
    let fine = json!({ "word": "fine", "at": 4, "start": 4 * LETTER, "end": 8 * LETTER });
    assert_eq!(words(&first)[1], fine);
    assert_eq!(words(&second), words(&first));
    let joined = folder.path().join("second/second.wav");
    let samples = hound::WavReader::open(joined).unwrap().len();
    assert!(samples > 2000, "{samples}");

    // The same text: nothing is made, and its clips count as done.
    let third = narrated("third", &["One fine day.", "Three birds sang."], 1.0);
    assert_eq!((third.made.chars, third.completed_segments.len()), (0, 2));
    assert_eq!(third.speed(), None);

    // At another speed it is another clip.
    let faster = narrated("faster", &["One fine day."], 2.0);
    assert_eq!(faster.made.chars, 13);

    // A kept clip that was damaged is made again.
    for entry in walk(&store) {
        let mut bytes = std::fs::read(&entry).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&entry, bytes).unwrap();
    }
    let fourth = narrated("fourth", &["One fine day.", "Three birds sang."], 1.0);
    assert_eq!(
        (fourth.state, fourth.made.chars),
        (TaskState::Completed, 30)
    );

    // What someone wants to be made anew is no copy, and what fails is never kept.
    let fifth = narrated("fifth", &["One fine day.", "fails"], 1.0);
    assert_eq!((fifth.state, fifth.made.chars), (TaskState::Failed, 0));
    let before = clip(&fifth, 1);
    let events = engine.subscribe();
    let again = engine
        .retry_segments(&fifth.id, &[SegmentId::FIRST])
        .unwrap();
    while !matches!(events.recv_blocking().unwrap(), Event::Ended { task, .. } if task == again) {}
    let again = engine.task_status(&again).unwrap();
    assert_eq!(again.made.chars, 13);
    assert_ne!(clip(&again, 1), before);
    engine.shutdown(ShutdownWait::Now);
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
