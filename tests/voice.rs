//! The real voice, opened as the library opens it: what it says does not depend on how its work is
//! shared out.

mod kit;

use std::sync::{Arc, OnceLock};

use aloud::assets::{AssetOverrides, Assets};
use aloud::engine::{Interrupt, NarrationSettings, StopReason};
use aloud::speech::{self, Layout, Runtime, SpeechError, Synthesizer, Utterance, Voice};

use kit::Home;

const LONG: &str = "The lamps along the quay were lit one after the other, and each of them drew a \
    yellow circle on the wet stones, in which now and then a cat appeared, looked about, and went \
    on into the dark towards the nets.";

/// A home in which the real voice is there without the noise that makes each run of it another.
/// A process can use one eSpeak NG: it is the same for all.
fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Home::ready();
        home.quiet();
        home
    })
}

fn quiet_voice(threads: usize) -> Arc<dyn Voice> {
    laid_out(threads, Layout::usual())
}

fn laid_out(threads: usize, layout: Layout) -> Arc<dyn Voice> {
    opened(home().path("quiet.onnx").to_str().unwrap(), threads, layout)
}

fn opened(model: &str, threads: usize, layout: Layout) -> Arc<dyn Voice> {
    let home = home();
    let assets = Assets::new(&home.path("data"), AssetOverrides::default());
    let espeak = assets.espeak().unwrap();
    let runtime = Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak: Some(espeak),
        threads: Some(threads),
        layout: Some(layout),
    };
    let files = assets.voice(model).unwrap();
    speech::load(&files, &runtime).unwrap()
}

fn say(
    model: &mut dyn Synthesizer,
    utterance: &Utterance,
    ahead: &[&Utterance],
) -> Result<Vec<f32>, SpeechError> {
    let settings = NarrationSettings::default();
    let speech = model.synthesize(utterance, ahead, &settings, &Interrupt::default())?;
    assert!(!speech.work.is_zero());
    Ok(speech.samples)
}

/// How far the two are apart at most.
#[track_caller]
fn distance(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let apart = one.iter().zip(other).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}

#[test]
fn a_voice_tells_when_each_word_is_said() {
    let voice = quiet_voice(2);
    let text = "At the end of the quay — a cat. [[həlˈoʊ]], it said.";
    let utterance = voice.front_end().unwrap().prepare(text).unwrap();
    let words: Vec<&str> = (utterance.words.iter())
        .map(|word| &text[word.text.start as usize..word.text.end as usize])
        .collect();
    assert_eq!(
        words,
        [
            "At",
            "the",
            "end",
            "of",
            "the",
            "quay",
            "a",
            "cat",
            "[[həlˈoʊ]]",
            "it",
            "said"
        ]
    );
    let mut model = voice.open(&Interrupt::default()).unwrap();
    let settings = NarrationSettings::default();
    let speech = model.synthesize(&utterance, &[], &settings, &Interrupt::default());
    let speech = speech.unwrap();
    assert_eq!(speech.durations.len(), utterance.ids.len());
    let all: u32 = speech.durations.iter().sum();
    assert_eq!(all as usize, speech.samples.len());
    let begins = |id: u32| speech.durations[..id as usize].iter().sum::<u32>() as usize;
    let mut past = 0;
    for word in &utterance.words {
        let (start, end) = (begins(word.ids.start), begins(word.ids.end));
        assert!(past <= start && start < end, "{word:?}");
        let heard = &speech.samples[start..end];
        assert!(heard.iter().any(|sample| sample.abs() > 0.05), "{word:?}");
        past = end;
    }
}

#[test]
fn a_voice_says_the_same_in_windows_of_any_length() {
    let voice = quiet_voice(1);
    let utterance = voice.front_end().unwrap().prepare(LONG).unwrap();
    let open = |voice: &dyn Voice| voice.open(&Interrupt::default()).unwrap();
    let in_one_lane = say(&mut *open(&*voice), &utterance, &[]).unwrap();
    let loudest = in_one_lane
        .iter()
        .fold(0.0_f32, |most, sample| most.max(sample.abs()));
    assert!(loudest > 0.2, "it is heard: {loudest}");
    let seconds = in_one_lane.len() / 22_050;
    assert!(
        (8..20).contains(&seconds),
        "it has several windows: {seconds} s"
    );
    // Four lanes have shorter windows, which begin and end at other places.
    let in_four_lanes = say(&mut *open(&*quiet_voice(4)), &utterance, &[]).unwrap();
    let apart = distance(&in_one_lane, &in_four_lanes);
    assert!(apart < 1e-4, "{apart}");
}

#[test]
fn a_voice_says_the_same_however_its_values_lie_in_memory() {
    let utterance = quiet_voice(1).front_end().unwrap().prepare(LONG).unwrap();
    let [plain, blocked] = Layout::ALL.map(|layout| {
        let voice = laid_out(1, layout);
        let mut model = voice.open(&Interrupt::default()).unwrap();
        say(&mut *model, &utterance, &[]).unwrap()
    });
    assert_ne!(plain, blocked, "they are computed in another way");
    let power = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        values.map(|value| f64::from(value).powi(2)).sum()
    };
    let noise = power(&mut plain.iter().zip(&blocked).map(|(a, b)| a - b));
    let decibels = 10.0 * (power(&mut plain.iter().copied()) / noise).log10();
    assert!(decibels > 90.0, "{decibels} dB");
}

#[test]
fn layouts_are_compared_and_it_can_be_broken_off() {
    let voice = quiet_voice(2);
    let compared = voice.compare_layouts(&Interrupt::default());
    let compared = compared.unwrap().unwrap();
    assert!(compared.is_same(), "{compared:?}");
    assert!(!compared.plain.is_zero() && !compared.blocked.is_zero());
    let interrupt = Interrupt::default();
    interrupt.raise(StopReason::Cancel);
    let stopped = voice.compare_layouts(&interrupt);
    assert_eq!(stopped, Err(SpeechError::Interrupted));
    // It is made in one piece.
    let tone = opened(&home().tone(), 1, Layout::Plain);
    assert_eq!(tone.compare_layouts(&Interrupt::default()), Ok(None));
}

#[test]
fn a_voice_in_pieces_says_the_same_as_in_one() {
    // One states the types of its values and is cut; the other does not, and is not.
    let [long, untold] = ["long", "untold"].map(|kind| {
        let voice = made_voice(kind);
        let voice = opened(&voice, 2, Layout::Plain);
        let utterance = voice.front_end().unwrap().prepare(LONG).unwrap();
        let mut model = voice.open(&Interrupt::default()).unwrap();
        say(&mut *model, &utterance, &[]).unwrap()
    });
    let loudest = long.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    assert!(loudest > 0.5, "{loudest}");
    assert!(distance(&long, &untold) < 1e-5);
}

fn made_voice(kind: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let model = std::fs::read(format!("{folder}/decoder-{kind}.onnx")).unwrap();
    home().made_voice(kind, &model)
}

#[test]
fn small_voices_of_each_kind_say_the_same_in_blocks() {
    for kind in ["medium", "high", "speakers"] {
        let voice = made_voice(kind);
        let [plain, blocked] = Layout::ALL.map(|layout| {
            let voice = opened(&voice, 1, layout);
            let utterance = voice.front_end().unwrap().prepare(LONG).unwrap();
            let mut model = voice.open(&Interrupt::default()).unwrap();
            say(&mut *model, &utterance, &[]).unwrap()
        });
        let loudest = plain.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        assert!(loudest > 0.5, "{kind}: {loudest}");
        let apart = distance(&plain, &blocked);
        assert!(apart < 1e-4, "{kind}: {apart}");
    }
}

#[test]
fn a_voice_that_looks_ahead_says_what_it_is_asked() {
    let voice = quiet_voice(2);
    let front_end = voice.front_end().unwrap();
    let [one, two, three] = ["One boat.", "Two white boats.", "Three boats, and no more."]
        .map(|text| front_end.prepare(text).unwrap());
    let mut model = voice.open(&Interrupt::default()).unwrap();
    let alone = [&one, &two, &three].map(|it| say(&mut *model, it, &[]).unwrap());
    let ahead = [&two, &three];
    let mut after = |it| {
        say(&mut *model, &one, &ahead).unwrap();
        say(&mut *model, it, &[]).unwrap()
    };
    let announced = after(&two);
    assert!(distance(&announced, &alone[1]) < 1e-4);
    let another = after(&three);
    assert!(distance(&another, &alone[2]) < 1e-4);
    let again = after(&one);
    assert!(distance(&again, &alone[0]) < 1e-4);
}

#[test]
fn a_voice_that_was_broken_off_speaks_again() {
    let voice = quiet_voice(2);
    let long = voice.front_end().unwrap().prepare(LONG).unwrap();
    let mut model = voice.open(&Interrupt::default()).unwrap();
    let whole = say(&mut *model, &long, &[]).unwrap();
    let settings = NarrationSettings::default();
    for early in [true, false] {
        let interrupt = Interrupt::default();
        let broken = std::thread::scope(|scope| {
            let raise = || interrupt.raise(StopReason::Cancel);
            if early {
                raise();
            } else {
                scope.spawn(raise);
            }
            model.synthesize(&long, &[&long], &settings, &interrupt)
        });
        assert_eq!(broken, Err(SpeechError::Interrupted));
        let again = say(&mut *model, &long, &[]).unwrap();
        assert!(distance(&again, &whole) < 1e-4);
    }
    // Dropped while a lane is at what was announced, it ends.
    say(&mut *model, &long, &[&long]).unwrap();
}
