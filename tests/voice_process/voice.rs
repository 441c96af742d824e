//! Voices for these tests, each in a process of its own, and what is asked of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use aloud::assets::{AssetOverrides, Assets, VoiceFiles};
use aloud::engine::{Interrupt, Limits, NarrationSettings};
use aloud::speech::process::Terms;
use aloud::speech::{Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice, process};

use crate::kit::Home;
use crate::look::children;

/// A home with the real voice, without the noise that makes each run of it another, and the voice of
/// tones. A process can use one eSpeak NG: it is the same for all.
pub fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Home::ready();
        home.quiet();
        home.tone();
        home
    })
}

/// One test at a time: each looks for the one child of this process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    home();
    assert_eq!(
        children(),
        [],
        "the test before this one has left a process"
    );
    alone
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");

pub const SENTENCE: &str = "The lamps along the quay were lit one after the other, and each of them drew \
    a yellow circle on the wet stones.";

pub fn parts(voice: &str) -> (VoiceFiles, Runtime) {
    let home = home();
    let assets = Assets::new(&home.path("data"), AssetOverrides::default());
    let model = home.path(&format!("{voice}.onnx"));
    (
        assets.voice(model.to_str().unwrap()).unwrap(),
        runtime(&assets),
    )
}

pub fn runtime(assets: &Assets) -> Runtime {
    let espeak = assets.espeak().unwrap();
    Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak: Some(espeak),
        threads: Some(2),
        layout: None,
    }
}

pub fn voice_of(voice: &str, program: &Path) -> Arc<dyn Voice> {
    let (files, runtime) = parts(voice);
    process::load(&files, &runtime, program, Terms::default()).unwrap()
}

/// A voice that is held to these limits.
pub fn limited(voice: &str, limits: Limits) -> Arc<dyn Voice> {
    let terms = Terms {
        limits,
        ..Terms::default()
    };
    let (files, runtime) = parts(voice);
    process::load(&files, &runtime, Path::new(PROGRAM), terms).unwrap()
}

pub fn voice(voice: &str) -> Arc<dyn Voice> {
    voice_of(voice, Path::new(PROGRAM))
}

pub fn open(voice: &dyn Voice) -> Box<dyn Synthesizer> {
    voice.open(&Interrupt::default()).unwrap()
}

pub fn prepare(voice: &dyn Voice, text: &str) -> Utterance {
    voice.front_end().unwrap().prepare(text).unwrap()
}

pub fn say(
    model: &mut dyn Synthesizer,
    utterance: &Utterance,
    ahead: &[&Utterance],
) -> Result<Speech, SpeechError> {
    let settings = NarrationSettings::default();
    model.synthesize(utterance, ahead, &settings, &Interrupt::default())
}

#[track_caller]
pub fn distance(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let apart = one.iter().zip(other).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}
