//! Files, programs and libraries that are not what they should be.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use aloud::assets::{AssetOverrides, Assets, Family, VoiceFiles};
use aloud::engine::Interrupt;
use aloud::speech::process::Terms;
use aloud::speech::{Runtime, process};
use rustix::process::Signal;

use crate::kit::{Home, Running, STORY, clips, wait_for};
use crate::look::{child, children, children_of, end};
use crate::voice::{
    PROGRAM, SENTENCE, alone, home, open, parts, prepare, runtime, say, voice, voice_of,
};

/// A program that is not a voice; it has the arguments of one.
pub fn script(name: &str, lines: &str) -> PathBuf {
    let path = home().write(name, format!("#!/bin/sh\n{lines}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.into()
}

#[test]
fn another_program_is_told_from_a_voice() {
    let _alone = alone();
    let hello = |protocol: u32| {
        let hello = format!(r#"{{"protocol":{protocol},"version":"9.8.7"}}"#);
        format!("printf '\\{:03o}\\0\\0\\0\\001{hello}'", hello.len())
    };
    let cases = [
        (
            script("version", &format!("{}; cat >&2", hello(99))),
            "aloud 9.8.7 and speaks version 99",
        ),
        (
            script("garbage", &format!("{}; echo what?; cat >&2", hello(3))),
            "unknown kind",
        ),
        (
            script("cut", &format!("{}; printf '\\001'", hello(3))),
            "middle of a message",
        ),
        // It has died over a reply: that is the cause, not what it was cut off in.
        (
            script(
                "dies",
                &format!("{}; printf '\\001'; kill -SEGV $$", hello(3)),
            ),
            "crashed (SIGSEGV)",
        ),
        (
            script("closed", "exec >&-; exec sleep 1000"),
            "closed its output",
        ),
        (script("ends", "exit 7"), "exit code 7"),
        (PathBuf::from("/usr/bin/yes"), "unknown kind"),
        (script("echo", "exec cat"), "out of turn"),
        (home().path("nowhere"), "nowhere"),
    ];
    for (program, said) in cases {
        let voice = voice_of("tone", &program);
        let begun = Instant::now();
        let error = voice.front_end().err().unwrap();
        let took = begun.elapsed();
        println!("{}: {error} ({took:.1?})", program.display());
        assert!(
            error.to_string().contains(said),
            "{}: {error}",
            program.display()
        );
        assert!(
            took < Duration::from_secs(5),
            "{}: {took:?}",
            program.display()
        );
        drop(voice);
        assert_eq!(children(), []);
    }
    let both = voice_of("tone", &home().path("version"))
        .front_end()
        .err()
        .unwrap();
    assert!(
        both.to_string()
            .contains(&format!("this is aloud {}", env!("CARGO_PKG_VERSION")))
    );
}

/// A voice that speaks as the one of tones.
#[track_caller]
fn sounds_like_tone(files: &VoiceFiles, runtime: &Runtime) {
    let tone = voice("tone");
    let utterance = prepare(&*tone, SENTENCE);
    let expected = say(&mut *open(&*tone), &utterance, &[]).unwrap();
    drop(tone);
    let voice = process::load(files, runtime, Path::new(PROGRAM), Terms::default()).unwrap();
    assert_eq!(prepare(&*voice, SENTENCE), utterance);
    let spoken = say(&mut *open(&*voice), &utterance, &[]).unwrap();
    assert_eq!(spoken.samples, expected.samples);
}

#[test]
fn a_voice_is_found_wherever_it_is() {
    let _alone = alone();
    let home = home();
    // A home with its data on another disk, by a link within a link.
    let elsewhere = tempfile::tempdir().unwrap();
    let links = elsewhere.path();
    std::os::unix::fs::symlink(home.path("data"), links.join("disk")).unwrap();
    std::os::unix::fs::symlink("disk", links.join("data")).unwrap();
    std::os::unix::fs::symlink(home.path("tone.onnx"), links.join("linked.onnx")).unwrap();
    let config = home.path("tone.onnx.json");
    std::os::unix::fs::symlink(&config, links.join("linked.onnx.json")).unwrap();
    let assets = Assets::new(&links.join("data"), AssetOverrides::default());
    let runtime = runtime(&assets);
    let linked = links.join("linked.onnx");
    let files = assets.voice(linked.to_str().unwrap()).unwrap();
    sounds_like_tone(&files, &runtime);

    // Named from the working directory, with weights in a file beside it.
    for model in ["tests/fixtures/tone.onnx", "tests/fixtures/beside.onnx"] {
        let files = VoiceFiles {
            name: "relative".into(),
            model: model.into(),
            config: config.clone(),
            family: Family::Piper,
            card: None,
            blend: Vec::new(),
        };
        sounds_like_tone(&files, &runtime);
    }
}

#[test]
fn a_model_that_was_replaced_is_told_and_not_opened() {
    let _alone = alone();
    let home = home();
    let (model, other) = (home.path("replaced.onnx"), home.path("other.onnx"));
    std::fs::copy(home.path("tone.onnx.json"), home.path("replaced.onnx.json")).unwrap();
    let whole = std::fs::read(home.path("tone.onnx")).unwrap();
    // Of the same size, and a model as well.
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    std::fs::write(&model, &whole).unwrap();
    let voice = voice("replaced");
    let refused = |why: &str| {
        let error = voice.open(&Interrupt::default()).err().unwrap();
        assert_eq!(error.code(), "VOICE_MODEL");
        assert!(error.to_string().contains(why), "{error}");
    };
    drop(open(&*voice));

    // While a process has it.
    let front_end = voice.front_end().unwrap();
    let pid = child();
    std::fs::write(&model, &changed).unwrap();
    refused("has changed since it was read");
    std::fs::write(&model, &whole[..whole.len() / 2]).unwrap();
    refused("it is truncated");
    std::fs::write(&model, &whole).unwrap();
    drop(open(&*voice));
    std::fs::write(&other, &changed).unwrap();
    std::fs::rename(&other, &model).unwrap();
    refused("has changed since it was read");
    assert_eq!(child(), pid);
    drop(front_end);

    // Between two.
    voice.rest();
    wait_for("it is let go", || children().is_empty().then_some(()));
    refused("has changed since it was read");
    std::fs::write(&model, &whole).unwrap();
    drop(open(&*voice));
}

#[test]
fn what_is_wrong_with_a_voice_is_told_as_in_this_process() {
    let _alone = alone();
    let (files, mut runtime) = parts("tone");
    runtime.espeak.as_mut().unwrap().library = "/nowhere/libespeak.so".into();
    runtime.onnxruntime = "/nowhere/libonnxruntime.so".into();
    let there = process::load(&files, &runtime, Path::new(PROGRAM), Terms::default()).unwrap();
    let front_end = there.front_end().err().unwrap();
    assert_eq!(front_end.code(), "LIBRARY");
    assert!(front_end.to_string().starts_with("eSpeak NG at /nowhere/"));
    let model = there.open(&Interrupt::default()).err().unwrap();
    assert!(
        model.to_string().starts_with("ONNX Runtime at /nowhere/"),
        "{model}"
    );

    // Changed after it was read.
    let home = home();
    let config = std::fs::read_to_string(home.path("tone.onnx.json")).unwrap();
    home.write("changing.onnx.json", &config);
    std::fs::copy(home.path("tone.onnx"), home.path("changing.onnx")).unwrap();
    let changing = voice("changing");
    home.write("changing.onnx.json", config + "\n");
    let error = changing.front_end().err().unwrap();
    assert_eq!(error.code(), "VOICE_CONFIG");
    assert!(error.to_string().ends_with("has changed since it was read"));
}

/// The real program at work on the story, from a place where it can be replaced; what it says on
/// standard error goes to `said`.
fn working(home: &Home) -> (PathBuf, Running) {
    let program = home.path("aloud");
    // Its own file, for a link would be replaced for all.
    std::fs::copy(PROGRAM, &program).unwrap();
    let story = home.write("story.txt", STORY);
    let said = std::fs::File::create(home.path("said")).unwrap();
    let mut command = Command::new(&program);
    command
        .args(["narrate", "--json", &story])
        .env("ALOUD_HOME", home.folder.path())
        .stdin(Stdio::null())
        .stderr(said);
    let mut run = Running::start(command);
    run.until("segment_started");
    run.until("segment_started");
    (program, run)
}

#[test]
fn a_program_that_is_replaced_ends_with_one_sentence_and_loses_nothing() {
    let _alone = alone();
    let hello = r#"{"protocol":99,"version":"9.8.7"}"#;
    let upgraded = format!(
        "#!/bin/sh\nprintf '\\{:03o}\\0\\0\\0\\001{hello}'; cat >&2\n",
        hello.len()
    );
    for (another, what) in [
        (
            "#!/bin/sh\nexit 7\n",
            "exit code 7 before it said who it is",
        ),
        (&upgraded, "it is aloud 9.8.7 and speaks version 99"),
    ] {
        let home = Home::ready();
        let (program, run) = working(&home);
        let voices = children_of(run.id());
        let new = home.write("new", another);
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &program).unwrap();
        end(voices[0], Signal::KILL);
        assert_eq!(run.end().0, Some(1));
        let said = std::fs::read_to_string(home.path("said")).unwrap();
        println!("{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        for part in [what, "Start the program again; if it was updated"] {
            assert!(said.contains(part), "{said}");
        }

        let folder = home.path("narrations/story");
        let made: Vec<_> = clips(&folder)
            .into_iter()
            .map(|clip| (clip.metadata().unwrap().modified().unwrap(), clip))
            .collect();
        assert!(!made.is_empty());
        let story = home.path("story.txt");
        let again = home.run(&["narrate", "--json", story.to_str().unwrap()]);
        assert_eq!(again.code, Some(0), "{}", again.err);
        assert_eq!(again.summary()["failed"], 0);
        for (modified, clip) in made {
            assert_eq!(clip.metadata().unwrap().modified().unwrap(), modified);
        }
    }
}

#[test]
fn what_a_library_prints_ends_in_the_log_and_not_among_the_replies() {
    let _alone = alone();
    let home = Home::ready();
    let (_, run) = working(&home);
    let voice = children_of(run.id())[0].as_raw_nonzero();
    let output = format!("/proc/{voice}/fd/1");
    let mut output = std::fs::File::options().write(true).open(output).unwrap();
    output
        .write_all(b"printed by a library\n\x07\0\0\0\x03garbage\n")
        .unwrap();
    drop(output);
    let (code, _) = run.end();
    let said = std::fs::read_to_string(home.path("said")).unwrap();
    assert_eq!((code, &*said), (Some(0), ""));
    let logs = std::fs::read_dir(home.path("logs")).unwrap();
    let log: String = logs
        .map(|log| std::fs::read_to_string(log.unwrap().path()).unwrap())
        .collect();
    assert!(log.contains("printed by a library"), "{log}");
    assert!(!log.contains('\u{7}'), "{log:?}");
}
