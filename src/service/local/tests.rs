//! The service with the real voice. It is fetched once into the folder that the integration tests use;
//! where it can't be had, the tests fail and say so.

use std::path::PathBuf;
use std::sync::Once;

use tempfile::TempDir;

use super::*;
use crate::assets::Family;
use crate::cli::fetching::{Show, ensure_for_use};
use crate::engine::{Interrupt, StopReason, TaskState};
use crate::model::Priority;
use crate::narrate::{NewText, Voices, library_options_with};
use crate::service::{Hearing, hearing};
use crate::settings::{Overrides, Paths, load_from};
use crate::speech::SpeechError;

const VOICE: &str = "en_US-joe-medium";

/// This text, with the voice and pace of the settings.
fn usual(service: &Local, text: NewText) -> NewNarration {
    NarrationDefaults::of(&service.settings).narrate(text)
}

/// A home, and a service in it whose engine takes up nothing.
struct Home {
    folder: TempDir,
    service: Local,
    hearing: Hearing,
}

impl Home {
    /// With everything that speaking needs.
    fn ready() -> Self {
        static FETCH: Once = Once::new();
        // One path for all: a process can load one eSpeak NG.
        let exe = std::env::current_exe().unwrap();
        let data = exe.ancestors().nth(3).unwrap().join("tmp/aloud-assets");
        FETCH.call_once(|| {
            std::fs::create_dir_all(&data).unwrap();
            let assets = Assets::new(&data, crate::assets::AssetOverrides::default());
            let need = assets.need_for(VOICE);
            let fetched = ensure_for_use(&assets, &need, false, Show::Lines, &|| false);
            fetched.expect("the real voice is needed");
        });
        Self::with(Some(data))
    }

    fn with(data: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Paths::under(folder.path());
        paths.data = data.unwrap_or(paths.data);
        let settings = load_from(paths, Overrides::default(), &|_| None).unwrap();
        let voices = Voices::new(&settings);
        let mut options = library_options_with(&settings, &voices);
        Local::prepare(&mut options, &settings, &voices);
        let engine = Engine::open(options).unwrap();
        engine.pause_queue();
        let hearing = Hearing::new(settings.clone());
        let service = Local::new(engine, voices, settings, Vec::new);
        Self {
            folder,
            service,
            hearing,
        }
    }

    fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A voice of tones with the phonemes of the real one, by its path.
    fn tone(&self) -> String {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let real = Assets::from_settings(&self.service.settings)
            .voice(VOICE)
            .unwrap();
        self.write("tone.onnx.json", &std::fs::read(real.config).unwrap());
        let model = self.write(
            "tone.onnx",
            &std::fs::read(fixtures.join("tone.onnx")).unwrap(),
        );
        model.to_str().unwrap().to_owned()
    }

    fn refused(&self, new: &NewNarration) -> String {
        let error = self.service.add_text(new, None).expect_err("it is refused");
        assert!(
            self.service
                .engine
                .tasks()
                .iter()
                .all(|task| task.state == TaskState::Pending)
        );
        error.to_string()
    }
}

fn file(path: impl Into<PathBuf>) -> NewText {
    NewText::File(path.into())
}

#[test]
fn texts_are_added_as_they_were_named_typed_and_wanted() {
    fn usable_from_any_thread<T: Send + Sync>(_: &T) {}
    let home = Home::ready();
    let service = &home.service;
    usable_from_any_thread(service);
    let story = home.write(
        "my story.txt",
        b"A clock ticked in the hall. Nobody heard it.",
    );
    let quoted = format!("'{}' ", story.display());
    let mut new = usual(service, file(quoted));
    assert_eq!((&*new.voice, new.speed, &new.speaker), (VOICE, 1.0, &None));
    new.speed = 1.5;
    new.priority = Priority::High;
    let added = service.add_text(&new, None).unwrap();
    assert!(!added.continued);
    let task = service.engine.task_status(&added.id).unwrap();
    assert_eq!((&*task.title, task.priority), ("my story", Priority::High));
    assert_eq!(task.plan.unwrap().len(), 1);
    assert!(task.folder.unwrap().starts_with(&service.settings.out));
    // The same again is the same one.
    let again = service.add_text(&new, None).unwrap();
    assert!(again.continued && again.id == added.id);

    let typed = NewText::Typed("It struck three, and then it struck four.".into());
    let mut typed = usual(service, typed);
    typed.voice = format!("\"{}\"", home.tone());
    let typed = service.add_text(&typed, None).unwrap();
    let task = service.engine.task_status(&typed.id).unwrap();
    assert_eq!(&*task.title, "It struck three, and then it");
    assert!(task.voice.ends_with("/tone.onnx"), "{}", task.voice);
    // What comes as bytes is read like a file of its name, and stays in the folder of the output.
    let sent = |name: &str, text: &str| {
        let (name, bytes) = (name.to_owned(), text.as_bytes().to_vec());
        let sent = service.add_text(&usual(service, NewText::Bytes { name, bytes }), None)?;
        anyhow::Ok(service.engine.task_status(&sent.id).unwrap())
    };
    let task = sent("../../a tale.md", "# One night\n\nIt struck five.").unwrap();
    assert_eq!((&*task.title, task.plan.unwrap().len()), ("One night", 2));
    let folder = task.folder.unwrap();
    assert_eq!(folder.parent().unwrap(), service.settings.out);
    assert!(folder.ends_with("a-tale"), "{}", folder.display());
    let error = sent("a tale.txt", "\0\u{1}\0").unwrap_err().to_string();
    assert!(error.contains("a tale.txt"), "{error}");
    assert_eq!(service.engine.tasks().len(), 3);
    service.engine.shutdown(ShutdownWait::Now);
    let late = service.add_text(&usual(service, NewText::Typed("Too late.".into())), None);
    assert!(late.err().unwrap().to_string().contains("shut"));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_submitted() {
    let home = Home::ready();
    let story = home.write("story.txt", b"A clock ticked.");
    let code = home.write("code.md", b"```\nlet x = 1;\n```\n");
    let good = usual(&home.service, file(&story));
    let with = |text| NewNarration {
        text,
        ..good.clone()
    };
    for (text, parts) in [
        (file("no such.txt"), ["no such.txt", "no such file"]),
        (
            file(home.folder.path()),
            ["it is a folder", "name the files"],
        ),
        (file("/dev/zero"), ["/dev/zero", "device or a pipe"]),
        (file("-"), ["/-", "no such file"]),
        (file(" "), ["no file is named", "type the path"]),
        (
            NewText::Typed(" \n".into()),
            ["no text yet", "type or paste"],
        ),
        (file(code), ["nothing to speak", "code.md"]),
    ] {
        let error = home.refused(&with(text));
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }
    for speed in [0.0, 4.5, -1.0, f32::NAN] {
        let error = home.refused(&NewNarration {
            speed,
            ..good.clone()
        });
        assert!(error.contains("from 0.25 to 4"), "{error}");
    }
    let error = home.refused(&NewNarration {
        speaker: Some(crate::speech::Speaker::Number(1)),
        ..good.clone()
    });
    assert!(error.contains("no speaker 1"), "{error}");
    let voice = |voice: &str| {
        home.refused(&NewNarration {
            voice: voice.into(),
            ..good.clone()
        })
    };
    assert!(
        voice("en_US-jo-medium").contains(VOICE),
        "the nearest is named"
    );
    assert!(voice("~/no such.onnx").contains("no such file"));

    let empty = Home::with(None);
    let error = empty.refused(&good);
    let advice = format!("is not installed: run `aloud setup --voice {VOICE}`");
    assert!(error.contains(&advice), "{error}");
    let error = empty
        .hearing
        .phonemes(VOICE, "Hello.")
        .unwrap_err()
        .to_string();
    assert!(error.contains(&advice), "{error}");
}

#[test]
fn installed_voices_come_first() {
    let home = Home::with(None);
    let service = &home.service;
    assert!(
        service
            .voices()
            .unwrap()
            .iter()
            .all(|voice| !voice.installed)
    );
    let folder = service.settings.paths.data.join("voices");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("zz-own.onnx"), "").unwrap();
    let config = r#"{"language": {"code": "nl_NL"}, "num_speakers": 3}"#;
    std::fs::write(folder.join("zz-own.onnx.json"), config).unwrap();
    let voices = service.voices().unwrap();
    let own = ListedVoice {
        name: "zz-own".into(),
        language: "nl_NL".into(),
        quality: "unknown".into(),
        speakers: Some(3),
        installed: true,
        family: Some(Family::Piper),
        grade: None,
        note: None,
        fetch_bytes: None,
    };
    assert_eq!(voices[0], own);
    assert!(voices.iter().skip(1).any(|voice| voice.name == VOICE));
    let order = |voice: &ListedVoice| (voice.family == Some(Family::Kokoro), voice.name.clone());
    assert!(voices.iter().skip(1).is_sorted_by_key(order));
    let heart = voices
        .iter()
        .find(|voice| voice.name == "af_heart")
        .unwrap();
    assert_eq!(heart.grade.as_deref(), Some("A"));
    assert!(heart.fetch_bytes.unwrap() > 100_000_000);
}

#[test]
fn a_voice_is_previewed_once_for_each_pace() {
    let home = Home::ready();
    let go_on = Interrupt::default();
    let preview = |voice: &str, speed| home.hearing.preview(voice, speed, None, &go_on).unwrap();
    let samples = |file: &Path| {
        let wav = hound::WavReader::open(file).unwrap();
        let loud = |sample: i16| sample.unsigned_abs() > 1000;
        assert_eq!(wav.spec().sample_rate, 22_050);
        wav.into_samples()
            .map(Result::unwrap)
            .filter(|sample| loud(*sample))
            .count()
    };
    let first = preview(VOICE, 1.0);
    assert!(samples(&first) > 5_000);
    assert_eq!(preview(VOICE, 1.0), first);
    // Someone cleared the temporary folder.
    std::fs::remove_file(&first).unwrap();
    assert!(preview(VOICE, 1.0).is_file());
    let fast = preview(VOICE, 2.0);
    assert_ne!(fast, first);
    let length = |file: &Path| hound::WavReader::open(file).unwrap().duration();
    assert!(length(&fast) < length(&preview(VOICE, 1.0)));
    let tone = preview(&home.tone(), 1.0);
    assert!(tone != first && tone != fast);

    let stop = Interrupt::default();
    stop.raise(StopReason::Cancel);
    let stopped = home.hearing.preview(VOICE, 0.5, None, &stop).unwrap_err();
    assert_eq!(stopped.downcast_ref(), Some(&SpeechError::Interrupted));
    let folder = fast.parent().unwrap().to_owned();
    drop(home);
    assert!(!folder.exists());
}

#[test]
fn phonemes_are_those_of_the_voice() {
    let home = Home::ready();
    let spoken = home.hearing.phonemes(VOICE, "The sea.").unwrap();
    assert_eq!(spoken.phonemes, "ðə sˈiː.");
    assert!(spoken.unknown.is_empty() && spoken.ids.len() > spoken.sounds());
    assert_eq!(home.hearing.phonemes(VOICE, "The sea.").unwrap(), spoken);
    assert_eq!(
        home.hearing.phonemes(&home.tone(), "The sea.").unwrap(),
        spoken
    );
}

#[test]
fn the_voice_of_the_settings_is_looked_for() {
    assert_eq!(Home::ready().service.check_voice(), Ok(()));
    let missing = Home::with(None).service.check_voice().unwrap_err();
    assert!(missing.to_string().contains("aloud setup"), "{missing}");
}

#[test]
fn a_sentence_is_in_the_voices_language() {
    for (language, begin) in [
        ("de-DE", "Gegen"),
        ("fr_FR", "Vers"),
        ("en-GB", "By"),
        ("", "By"),
    ] {
        assert!(hearing::sample(language).starts_with(begin), "{language}");
    }
}
