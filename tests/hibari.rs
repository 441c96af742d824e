//! A hibari voice by a small model, whose phonemes are tones: what it says does not depend on who makes it,
//! and it can be broken off at any time.

mod kit;

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use aloud::assets::{AssetOverrides, Assets, Family, VoiceFiles};
use aloud::engine::{Interrupt, NarrationSettings, StopReason};
use aloud::speech::hibari::HibariVoice;
use aloud::speech::{Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice};

use kit::Home;

const MODEL: &[u8] = include_bytes!("fixtures/hibari.onnx");
const TONE: &[u8] = include_bytes!("fixtures/tone.onnx");

fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Home::ready();
        home.write("vocab.json", r#"{"a": 16, "b": 43, "ˈ": 156, "t": 177}"#);
        home
    })
}

/// A voice with this model, on so many threads.
fn voice(name: &str, model: &[u8], threads: usize) -> HibariVoice {
    let home = home();
    let assets = Assets::new(&home.path("data"), AssetOverrides::default());
    let runtime = Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak: None,
        threads: Some(threads),
        layout: None,
    };
    let files = VoiceFiles {
        name: name.to_owned(),
        model: home.write(&format!("{name}-{threads}.onnx"), model).into(),
        config: home.path("vocab.json"),
        family: Family::Hibari,
        card: None,
        blend: Vec::new(),
    };
    HibariVoice::load(&files, &runtime).unwrap()
}

fn open(name: &str, model: &[u8], threads: usize) -> Result<Box<dyn Synthesizer>, SpeechError> {
    voice(name, model, threads).open(&Interrupt::default())
}

fn utterance(ids: impl IntoIterator<Item = i64>) -> Utterance {
    let ids = [0].into_iter().chain(ids).chain([0]).collect();
    Utterance {
        ids,
        ..Utterance::default()
    }
}

fn say(model: &mut dyn Synthesizer, what: &Utterance, ahead: &[&Utterance]) -> Speech {
    let settings = NarrationSettings::default();
    let speech = model.synthesize(what, ahead, &settings, &Interrupt::default());
    speech.unwrap()
}

#[test]
fn what_it_says_does_not_depend_on_its_lanes() {
    let all = [(1..40), (5..9), (60..177), (3..4), (20..90)].map(utterance);
    let mut alone = open("lanes", MODEL, 1).unwrap();
    let alone: Vec<Speech> = all.iter().map(|one| say(&mut *alone, one, &[])).collect();
    let mut shared = open("lanes", MODEL, 3).unwrap();
    assert_eq!(shared.looks_ahead(), 3);
    for (index, one) in all.iter().enumerate() {
        let ahead: Vec<&Utterance> = all[index + 1..].iter().take(3).collect();
        let speech = say(&mut *shared, one, &ahead);
        assert!(speech.samples == alone[index].samples, "{index}");
        assert_eq!(speech.durations.len(), one.ids.len());
        let told: u32 = speech.durations.iter().sum();
        assert_eq!(told as usize, speech.samples.len());
        assert!(speech.samples.iter().any(|sample| sample.abs() > 1e-3));
        assert!(!speech.work.is_zero());
    }
    // Twice as fast is shorter, and a voice that does not tell its durations says the same.
    let fast = NarrationSettings {
        speed: 2.0,
        ..NarrationSettings::default()
    };
    let fast = shared.synthesize(&all[2], &[], &fast, &Interrupt::default());
    assert!(fast.unwrap().samples.len() < alone[2].samples.len() * 3 / 4);
    let renamed = replaced(MODEL, b"/Cast_32_", b"/Cast_23_");
    assert!(renamed != MODEL);
    let mut untold = open("untold", &renamed, 2).unwrap();
    let speech = say(&mut *untold, &all[0], &[]);
    assert!(speech.samples == alone[0].samples);
    assert_eq!(speech.durations, [0; 0]);
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    for at in 0..=bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    bytes
}

#[test]
fn it_is_broken_off_at_once_and_says_the_next() {
    let mut model = open("broken-off", MODEL, 2).unwrap();
    let long = utterance((0..1200).map(|id| id % 178));
    let short = utterance(1..20);
    let expected = say(&mut *model, &short, &[]).samples;
    for pause in [0, 3, 30, 100] {
        let interrupt = Interrupt::default();
        let late = thread::scope(|scope| {
            let raise = || {
                thread::sleep(Duration::from_millis(pause));
                let now = Instant::now();
                interrupt.raise(StopReason::Cancel);
                now
            };
            let raised = scope.spawn(raise);
            let settings = NarrationSettings::default();
            let said = model.synthesize(&long, &[&long, &short], &settings, &interrupt);
            assert_eq!(said, Err(SpeechError::Interrupted));
            raised.join().unwrap().elapsed()
        });
        // Long before it would have said it; much less in an optimised build.
        assert!(late < Duration::from_secs(2), "{late:?}");
        assert!(say(&mut *model, &short, &[&long]).samples == expected);
        model.cancel_prefetch().unwrap();
    }
    // What has begun ahead does not keep it.
    say(&mut *model, &short, &[&long, &long]);
    let begun = Instant::now();
    drop(model);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_it_can_not_say_or_open_is_told() {
    let mut model = open("refused", MODEL, 2).unwrap();
    let settings = NarrationSettings::default();
    let mut told = |what: Utterance| {
        let said = model.synthesize(&what, &[], &settings, &Interrupt::default());
        said.unwrap_err().to_string()
    };
    assert!(told(utterance([178])).contains("no phoneme with the number 178"));
    assert!(told(utterance([-1])).contains("number -1"));
    // What can't be said is no reason not to say what comes before it.
    let (fine, bad) = (utterance([16]), utterance([178]));
    assert!(!say(&mut *model, &fine, &[&bad, &fine]).samples.is_empty());
    let error = open("foreign", TONE, 1).err().unwrap();
    assert!(matches!(error, SpeechError::Model { .. }), "{error}");
    assert!(error.to_string().contains("not a hibari voice"), "{error}");
}

#[test]
fn a_sentence_that_is_too_long_for_one_run_is_said_whole() {
    let mut model = open("long", MODEL, 1).unwrap();
    let long = utterance((0..1201).map(|id| 1 + id % 177));
    let speech = say(&mut *model, &long, &[]);
    assert_eq!(speech.durations.len(), long.ids.len());
    let told: u32 = speech.durations.iter().sum();
    assert_eq!(told as usize, speech.samples.len());
    let half = utterance((0..601).map(|id| 1 + id % 177));
    let half = say(&mut *model, &half, &[]).samples;
    assert!(speech.samples.starts_with(&half));
}

#[test]
fn it_is_known_by_its_vocabulary_and_its_model() {
    let mut other = MODEL.to_vec();
    *other.last_mut().unwrap() ^= 1;
    let other = voice("other", &other, 1);
    let voice = voice("known", MODEL, 1);
    let info = voice.info();
    let known = (info.family, info.language.as_str(), info.sample_rate);
    assert_eq!(known, ("hibari", "en-US", 24_000));
    assert!(info.version.contains(&format!("-{}-", MODEL.len())));
    // Of the same size, with one bit changed.
    assert_ne!(info.version, other.info().version);
}
