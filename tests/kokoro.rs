//! Kokoro voices by a small model, whose phonemes are tones: what they say, in which voice, and what they
//! refuse.

mod kit;

use std::sync::OnceLock;

use aloud::assets::{AssetOverrides, Assets, Family, Ingredient, VoiceFiles};
use aloud::engine::{Interrupt, NarrationSettings};
use aloud::speech::kokoro::KokoroVoice;
use aloud::speech::{Layout, Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice};

use kit::Home;

const MODEL: &[u8] = include_bytes!("fixtures/kokoro.onnx");
const TONE: &[u8] = include_bytes!("fixtures/tone.onnx");
/// A unit of the model's durations, in samples; each phoneme has four.
const UNIT: usize = 600;

fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Home::ready();
        let vocabulary = r#"{"vocab": {"a": 43, ",": 3, ".": 4, " ": 16, "z": 177}}"#;
        home.write("kokoro.onnx.json", vocabulary);
        for (name, loud) in [("af_one", 0.25f32), ("bm_two", 0.75)] {
            let row = [loud].into_iter().chain([0.0; 255]);
            let row: Vec<u8> = row.flat_map(f32::to_le_bytes).collect();
            home.write(&format!("{name}.bin"), row.repeat(510));
        }
        home
    })
}

fn files(model: &[u8], name: &str, blend: &[(&str, u32)]) -> VoiceFiles {
    let home = home();
    let ingredient = |(name, percent): &(&str, u32)| Ingredient {
        name: (*name).to_owned(),
        pack: home.path(&format!("{name}.bin")),
        percent: *percent,
    };
    VoiceFiles {
        name: name.to_owned(),
        model: home.write(&format!("{name}.onnx"), model).into(),
        config: home.path("kokoro.onnx.json"),
        family: Family::Kokoro,
        card: None,
        blend: blend.iter().map(ingredient).collect(),
    }
}

fn voice(name: &str, blend: &[(&str, u32)], threads: usize) -> KokoroVoice {
    load(&files(MODEL, name, blend), threads).unwrap()
}

fn load(files: &VoiceFiles, threads: usize) -> Result<KokoroVoice, SpeechError> {
    let assets = Assets::new(&home().path("data"), AssetOverrides::default());
    let runtime = Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak: None,
        threads: Some(threads),
        layout: Some(Layout::Blocked),
    };
    KokoroVoice::load(files, &runtime)
}

fn open(voice: &KokoroVoice) -> Box<dyn Synthesizer> {
    voice.open(&Interrupt::default()).unwrap()
}

/// As many times "a", with these phonemes behind some of them.
fn utterance(phonemes: &str) -> Utterance {
    let number = |phoneme: char| match phoneme {
        'a' => 43,
        ',' => 3,
        '.' => 4,
        _ => 16,
    };
    let ids = [0]
        .into_iter()
        .chain(phonemes.chars().map(number))
        .chain([0]);
    Utterance {
        phonemes: phonemes.to_owned(),
        ids: ids.collect(),
        ..Utterance::default()
    }
}

fn say(model: &mut dyn Synthesizer, what: &Utterance, speed: f32) -> Speech {
    let settings = NarrationSettings {
        speed,
        ..NarrationSettings::default()
    };
    let said = model.synthesize(what, &[], &settings, &Interrupt::default());
    said.unwrap()
}

fn loudest(speech: &Speech) -> f32 {
    speech
        .samples
        .iter()
        .fold(0.0, |most, sample| most.max(sample.abs()))
}

#[test]
fn voices_of_one_model_differ_and_blend() {
    let what = utterance("aaa.");
    let mut loud = Vec::new();
    for blend in [
        &[("af_one", 100)][..],
        &[("bm_two", 100)],
        &[("af_one", 50), ("bm_two", 50)],
    ] {
        let mut model = open(&voice("blended", blend, 1));
        let speech = say(&mut *model, &what, 1.0);
        assert_eq!(speech.samples.len(), 6 * 4 * UNIT);
        assert_eq!(speech.durations.len(), 6);
        assert_eq!(
            speech.durations.iter().sum::<u32>() as usize,
            speech.samples.len()
        );
        loud.push(loudest(&speech));
    }
    assert!(
        (loud[0] - 0.25).abs() < 1e-3 && (loud[1] - 0.75).abs() < 1e-3,
        "{loud:?}"
    );
    assert!((loud[2] - 0.5).abs() < 1e-3, "{loud:?}");
    // Its language is that of the first, and each has a version of its own.
    let one = voice("one", &[("af_one", 60), ("bm_two", 40)], 1);
    let other = voice("one", &[("af_one", 40), ("bm_two", 60)], 1);
    assert_eq!(one.info().language, "en-US");
    assert_eq!(
        voice("british", &[("bm_two", 100)], 1).info().language,
        "en-GB"
    );
    assert_ne!(one.info().version, other.info().version);
    assert_eq!(
        (one.info().family, one.info().sample_rate),
        ("kokoro", 24_000)
    );
}

#[test]
fn what_it_says_does_not_depend_on_its_threads_or_on_what_it_said_before() {
    let all = ["aaa.", "a", "aaaa, aa aa."].map(utterance);
    let mut one = open(&voice("threads", &[("af_one", 100)], 1));
    let mut two = open(&voice("threads", &[("af_one", 100)], 2));
    let first: Vec<Speech> = all.iter().map(|what| say(&mut *one, what, 1.0)).collect();
    for (what, before) in all.iter().zip(&first).rev() {
        assert!(say(&mut *two, what, 1.0).samples == before.samples);
    }
    // Twice as fast takes half as long.
    assert_eq!(say(&mut *one, &all[0], 2.0).samples.len(), 6 * 2 * UNIT);
}

#[test]
fn what_is_too_long_for_the_model_is_said_in_pieces_and_whole() {
    let mut model = open(&voice("long", &[("af_one", 100)], 1));
    let long = "aaaa aaaa, ".repeat(80);
    let what = utterance(long.trim());
    let speech = say(&mut *model, &what, 1.0);
    assert_eq!(speech.durations.len(), what.ids.len());
    assert_eq!(
        speech.durations.iter().sum::<u32>() as usize,
        speech.samples.len()
    );
    // The tones of this model begin and end with no pause that could be shortened, but for each piece's own
    // silence at its ends.
    let pieces = speech.samples.len() / (4 * UNIT) - long.trim().chars().count();
    assert!((8..=16).contains(&pieces), "{pieces}");
}

#[test]
fn what_it_can_not_say_or_open_is_told() {
    let mut model = open(&voice("refused", &[("af_one", 100)], 1));
    let mut told = |ids: Vec<i64>| {
        let what = Utterance {
            ids,
            ..Utterance::default()
        };
        let settings = NarrationSettings::default();
        let said = model.synthesize(&what, &[], &settings, &Interrupt::default());
        said.unwrap_err().to_string()
    };
    assert!(told(vec![0, 178, 0]).contains("no phoneme with the number 178"));
    assert!(told(vec![0, -1, 0]).contains("number -1"));
    assert!(told(vec![0, 0]).contains("no phonemes"));
    assert!(told(Vec::new()).contains("no phonemes"));
    let foreign = load(&files(TONE, "foreign", &[("af_one", 100)]), 1).unwrap();
    let error = foreign.open(&Interrupt::default()).err().unwrap();
    assert!(error.to_string().contains("not a Kokoro model"), "{error}");
    let refused = |blend: &[(&str, u32)]| {
        let loaded = load(&files(MODEL, "refused", blend), 1);
        loaded.err().unwrap().to_string()
    };
    home().write("af_short.bin", vec![0; 522_236]);
    home().write("af_strange.bin", f32::NAN.to_le_bytes().repeat(510 * 256));
    assert!(refused(&[("af_short", 100)]).contains("522236 bytes"));
    assert!(refused(&[("af_strange", 100)]).contains("no number"));
    assert!(refused(&[("af_missing", 100)]).contains("af_missing.bin"));
    assert!(refused(&[("jf_alpha", 100)]).contains("not spoken yet"));
    assert!(refused(&[]).contains("name one of them"));
}
