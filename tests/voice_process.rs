//! A voice in a process of its own: it says what the voice says in this process, and whatever happens
//! to it there happens to it alone. These tests look at the child from outside, which Linux allows.
#![cfg(target_os = "linux")]

mod kit;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aloud::assets::{AssetOverrides, Assets, VoiceFiles};
use aloud::engine::{Interrupt, Limits, NarrationSettings, StopReason};
use aloud::speech::process::Terms;
use aloud::speech::{self, Runtime, Speech, SpeechError, Synthesizer, Utterance, Voice, process};
use rustix::process::{Pid, Signal, kill_process};

use kit::{Home, Running, STORY, wait_for, wait_for_end};

const PROGRAM: &str = env!("CARGO_BIN_EXE_aloud");

const SENTENCE: &str = "The lamps along the quay were lit one after the other, and each of them drew \
    a yellow circle on the wet stones.";

/// A home with the real voice, without the noise that makes each run of it another, and the voice of
/// tones. A process can use one eSpeak NG: it is the same for all.
fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Home::ready();
        home.quiet();
        home.tone();
        home
    })
}

/// One test at a time: each looks for the one child of this process.
fn alone() -> MutexGuard<'static, ()> {
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

fn parts(voice: &str) -> (VoiceFiles, Runtime) {
    let home = home();
    let assets = Assets::new(&home.path("data"), AssetOverrides::default());
    let espeak = assets.espeak().unwrap();
    let runtime = Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak_library: espeak.library,
        espeak_data: espeak.data,
        threads: Some(2),
    };
    let model = home.path(&format!("{voice}.onnx"));
    (assets.voice(model.to_str().unwrap()).unwrap(), runtime)
}

fn voice_of(voice: &str, program: &Path) -> Arc<dyn Voice> {
    let (files, runtime) = parts(voice);
    process::load(&files, &runtime, program, Terms::default()).unwrap()
}

/// A voice that is held to these limits.
fn limited(voice: &str, limits: Limits) -> Arc<dyn Voice> {
    let terms = Terms {
        limits,
        ..Terms::default()
    };
    let (files, runtime) = parts(voice);
    process::load(&files, &runtime, Path::new(PROGRAM), terms).unwrap()
}

fn voice(voice: &str) -> Arc<dyn Voice> {
    voice_of(voice, Path::new(PROGRAM))
}

fn open(voice: &dyn Voice) -> Box<dyn Synthesizer> {
    voice.open(&Interrupt::default()).unwrap()
}

fn prepare(voice: &dyn Voice, text: &str) -> Utterance {
    voice.front_end().unwrap().prepare(text).unwrap()
}

fn say(
    model: &mut dyn Synthesizer,
    utterance: &Utterance,
    ahead: &[&Utterance],
) -> Result<Speech, SpeechError> {
    let settings = NarrationSettings::default();
    model.synthesize(utterance, ahead, &settings, &Interrupt::default())
}

#[track_caller]
fn distance(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let apart = one.iter().zip(other).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}

/// The fields of a process's `stat` after its name.
fn stat(process: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// The children of this process, also those that have ended and were not reaped.
fn children() -> Vec<Pid> {
    children_of(std::process::id())
}

fn children_of(parent: u32) -> Vec<Pid> {
    let parent = parent.to_string();
    let processes = std::fs::read_dir("/proc").unwrap();
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|name| stat(name).is_some_and(|fields| fields[1] == parent))
        .filter_map(|name| Pid::from_raw(name.parse().ok()?))
        .collect()
}

#[track_caller]
fn child() -> Pid {
    let children = children();
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

/// How long a process was at work, in hundredths of a second.
fn work(pid: Pid) -> u64 {
    let fields = stat(&pid.as_raw_nonzero().to_string()).unwrap();
    let time = |at: usize| fields[at].parse::<u64>().unwrap();
    time(11) + time(12)
}

/// Ends a process with a signal. Rust's own handler for bad addresses lets the first of these pass when
/// there is no bad address.
fn end(pid: Pid, signal: Signal) {
    wait_for("it ends", || {
        // It fails when that has happened.
        let _ = kill_process(pid, signal);
        (!is_running(pid)).then_some(())
    });
}

fn is_running(pid: Pid) -> bool {
    stat(&pid.as_raw_nonzero().to_string()).is_some_and(|fields| fields[0] != "Z")
}

/// A model in the middle of a long run.
struct Busy<'a> {
    model: Box<dyn Synthesizer>,
    voice: &'a dyn Voice,
    long: Utterance,
}

impl<'a> Busy<'a> {
    /// Takes many seconds.
    fn new(voice: &'a dyn Voice) -> Self {
        let text = [SENTENCE; 20].join(" ");
        Self {
            model: open(voice),
            long: prepare(voice, &text),
            voice,
        }
    }

    /// What comes of the run, and how long it took from when `meanwhile` was called in the middle.
    fn run(
        &mut self,
        meanwhile: impl FnOnce(Pid, &Interrupt) + Send,
    ) -> (Result<(), SpeechError>, Duration) {
        let pid = child();
        let before = work(pid);
        let interrupt = Interrupt::default();
        let settings = NarrationSettings::default();
        // A model stays on its thread; the other looks on.
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                wait_for("the model runs", || (work(pid) > before + 20).then_some(()));
                let begun = Instant::now();
                meanwhile(pid, &interrupt);
                begun
            });
            let spoken = self
                .model
                .synthesize(&self.long, &[], &settings, &interrupt);
            // What it has said would be no help in a message.
            (spoken.map(drop), other.join().unwrap().elapsed())
        })
    }

    /// It works, in which process?
    fn works(&mut self) -> Pid {
        let short = prepare(self.voice, "It works.");
        let speech = say(&mut *self.model, &short, &[]).unwrap();
        assert!(speech.samples.len() > 5_000);
        assert!(!speech.work.is_zero());
        child()
    }
}

#[test]
fn it_says_what_the_voice_says_in_this_process() {
    let _alone = alone();
    for name in ["tone", "quiet"] {
        let (files, runtime) = parts(name);
        let (here, there) = (speech::load(&files, &runtime).unwrap(), voice(name));
        assert_eq!(here.info(), there.info());
        assert_eq!(children(), [], "nothing is started before it is needed");
        let utterance = prepare(&*here, SENTENCE);
        assert_eq!(prepare(&*there, SENTENCE), utterance);
        let here = say(&mut *open(&*here), &utterance, &[]).unwrap();
        let there = say(&mut *open(&*there), &utterance, &[]).unwrap();
        let apart = distance(&here.samples, &there.samples);
        assert!(apart < 1e-4, "{name}: {apart}");
        if name == "tone" {
            assert_eq!(here.samples, there.samples);
        }
    }
    assert_eq!(children(), []);
}

#[test]
fn it_looks_ahead_and_forgets_what_is_not_asked_for() {
    let _alone = alone();
    let voice = voice("quiet");
    let front_end = voice.front_end().unwrap();
    let [one, two, three] = ["One boat.", "Two white boats.", "Three boats, and no more."]
        .map(|text| front_end.prepare(text).unwrap());
    let mut model = open(&*voice);
    assert!(model.looks_ahead() > 0);
    let alone = [&one, &two, &three].map(|it| say(&mut *model, it, &[]).unwrap().samples);
    let ahead = [&two, &three];
    for (it, alone) in [(&two, &alone[1]), (&three, &alone[2])] {
        say(&mut *model, &one, &ahead).unwrap();
        let announced = say(&mut *model, it, &[]).unwrap();
        assert!(distance(&announced.samples, alone) < 1e-4);
    }
    say(&mut *model, &one, &ahead).unwrap();
    model.cancel_prefetch().unwrap();
    let again = say(&mut *model, &two, &[]).unwrap();
    assert!(distance(&again.samples, &alone[1]) < 1e-4);
}

#[test]
fn texts_are_prepared_while_the_model_runs() {
    let _alone = alone();
    let voice = voice("quiet");
    let front_end = voice.front_end().unwrap();
    let mut busy = Busy::new(&*voice);
    let prepared = AtomicBool::new(false);
    let (spoken, _) = busy.run(|_, interrupt| {
        let utterance = front_end.prepare("Meanwhile.").unwrap();
        assert!(utterance.sounds() > 0);
        prepared.store(true, Ordering::Release);
        interrupt.raise(StopReason::Cancel);
    });
    // It was broken off, so it was still running.
    assert_eq!(spoken, Err(SpeechError::Interrupted));
    assert!(prepared.load(Ordering::Acquire));
}

#[test]
fn it_is_broken_off_and_speaks_again() {
    let _alone = alone();
    let voice = voice("quiet");
    let mut busy = Busy::new(&*voice);
    let pid = child();
    for _ in 0..3 {
        let (spoken, took) = busy.run(|_, interrupt| interrupt.raise(StopReason::Cancel));
        assert_eq!(spoken, Err(SpeechError::Interrupted));
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(busy.works(), pid, "the same process goes on");
    }
    let interrupt = Interrupt::default();
    interrupt.raise(StopReason::Cancel);
    let settings = NarrationSettings::default();
    let early = busy
        .model
        .synthesize(&busy.long, &[], &settings, &interrupt);
    assert_eq!(early.map(drop), Err(SpeechError::Interrupted));
    assert!(matches!(
        voice.open(&interrupt),
        Err(SpeechError::Interrupted)
    ));
    assert_eq!(busy.works(), pid);
}

#[test]
fn a_death_is_told_and_the_next_request_has_a_new_process() {
    let _alone = alone();
    let voice = voice("quiet");
    let front_end = voice.front_end().unwrap();
    let mut busy = Busy::new(&*voice);
    for (signal, name) in [
        (Signal::SEGV, "SIGSEGV"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ILL, "SIGILL"),
        (Signal::FPE, "SIGFPE"),
    ] {
        let pid = child();
        let (spoken, took) = busy.run(|pid, _| end(pid, signal));
        let crashed = SpeechError::Crashed { signal: name };
        assert_eq!(crashed.code(), "VOICE_CRASHED");
        assert_eq!(spoken, Err(crashed));
        assert!(took < Duration::from_secs(1), "{took:?}");
        // Its front end is another child's by now, and does not mind.
        assert_eq!(front_end.prepare("Again.").unwrap().unknown.len(), 0);
        assert_ne!(busy.works(), pid);
    }
    for (signal, word) in [(Signal::KILL, "memory"), (Signal::ALARM, "14")] {
        let (spoken, _) = busy.run(|pid, _| end(pid, signal));
        let error = spoken.unwrap_err();
        assert_eq!(error.code(), "VOICE_KILLED");
        assert!(error.to_string().contains(word), "{error}");
        busy.works();
    }
    // Those of its terminal and of whoever ends services are not for it.
    let pid = child();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        kill_process(pid, signal).unwrap();
        assert_eq!(busy.works(), pid);
    }
    // Dead already when it is asked.
    let pid = child();
    end(pid, Signal::SEGV);
    wait_for("it is reaped", || {
        (!children().contains(&pid)).then_some(())
    });
    assert_eq!(busy.model.cancel_prefetch(), Ok(()));
    assert_ne!(busy.works(), pid);
}

#[test]
fn one_that_does_not_stop_is_killed() {
    let _alone = alone();
    let voice = voice("quiet");
    let mut busy = Busy::new(&*voice);
    let (spoken, took) = busy.run(|pid, interrupt| {
        kill_process(pid, Signal::STOP).unwrap();
        interrupt.raise(StopReason::Cancel);
    });
    assert_eq!(spoken, Err(SpeechError::Interrupted));
    assert!(
        took > Duration::from_secs(1) && took < Duration::from_secs(5),
        "{took:?}"
    );
    busy.works();
}

#[test]
fn it_ends_with_its_last_handle() {
    let _alone = alone();
    let voice = voice("quiet");
    let front_end = voice.front_end().unwrap();
    let model = open(&*voice);
    let pid = child();
    drop(model);
    assert_eq!(child(), pid, "the front end still has it");
    drop(voice);
    assert!(front_end.prepare("Still here.").is_ok());
    let begun = Instant::now();
    drop(front_end);
    assert_eq!(children(), [], "it is reaped as well");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn one_that_is_stopped_ends_with_its_last_handle_too() {
    let _alone = alone();
    let voice = voice("tone");
    let front_end = voice.front_end().unwrap();
    kill_process(child(), Signal::STOP).unwrap();
    drop((voice, front_end));
    assert_eq!(children(), []);
}

#[test]
fn it_has_nothing_that_it_does_not_need() {
    let _alone = alone();
    let voice = voice("tone");
    let _front_end = voice.front_end().unwrap();
    let pid = child().as_raw_nonzero();
    let at = |name: &str| std::fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
    assert_eq!(at("cwd"), Path::new("/"));
    // What foreign libraries print goes where the log is; the pipes have other numbers.
    assert_eq!(at("fd/0"), Path::new("/dev/null"));
    assert_eq!(at("fd/1"), at("fd/2"));
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(
        !environment.contains("CARGO_MANIFEST_DIR="),
        "{environment}"
    );
    assert!(!environment.contains("HOME="), "{environment}");
    assert!(
        environment.contains("ORT_DISABLE_TELEMETRY=1"),
        "{environment}"
    );
    // A process group of its own: Ctrl-C is not for it.
    assert_eq!(stat(&pid.to_string()).unwrap()[2], pid.to_string());
}

#[test]
fn it_gives_up_what_it_does_not_need() {
    let _alone = alone();
    let voice = voice("quiet");
    let mut busy = Busy::new(&*voice);
    let process = format!("/proc/{}", busy.works().as_raw_nonzero());
    let read = |path: &str| std::fs::read_to_string(format!("{process}/{path}")).unwrap();
    // A system short of memory ends it before the program.
    let score = read("oom_score_adj").trim().parse::<i32>().unwrap();
    assert!(score >= 500, "{score}");
    let has_filters = std::fs::exists("/proc/sys/kernel/seccomp").unwrap();
    if !has_filters || !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        eprintln!("skipped: the system's calls are not restricted here");
        return;
    }
    // Those of the foreign libraries are among them.
    let threads = std::fs::read_dir(format!("{process}/task")).unwrap();
    let threads: Vec<_> = threads.map(|thread| thread.unwrap().file_name()).collect();
    assert!(threads.len() > 3, "{threads:?}");
    for thread in threads {
        let status = read(&format!("task/{}/status", thread.to_str().unwrap()));
        assert!(status.contains("\nNoNewPrivs:\t1\n"), "{status}");
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
    }
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
    let espeak = assets.espeak().unwrap();
    let runtime = Runtime {
        onnxruntime: assets.onnxruntime().unwrap(),
        espeak_library: espeak.library,
        espeak_data: espeak.data,
        threads: Some(2),
    };
    let linked = links.join("linked.onnx");
    let files = assets.voice(linked.to_str().unwrap()).unwrap();
    sounds_like_tone(&files, &runtime);

    // Named from the working directory, with weights in a file beside it.
    for model in ["tests/fixtures/tone.onnx", "tests/fixtures/beside.onnx"] {
        let files = VoiceFiles {
            name: "relative".into(),
            model: model.into(),
            config: config.clone(),
            card: None,
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

/// A program that is not a voice; it has the arguments of one.
fn script(name: &str, lines: &str) -> PathBuf {
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
            script("garbage", &format!("{}; echo what?; cat >&2", hello(2))),
            "unknown kind",
        ),
        (
            script("cut", &format!("{}; printf '\\001'", hello(2))),
            "middle of a message",
        ),
        // It has died over a reply: that is the cause, not what it was cut off in.
        (
            script(
                "dies",
                &format!("{}; printf '\\001'; kill -SEGV $$", hello(2)),
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

#[test]
fn one_that_crashes_at_its_start_is_started_again() {
    let _alone = alone();
    let crashing = |name: &str, times: u32| {
        let lines = format!(
            "n=$(cat $0.times); [ $n = 0 ] && exec {PROGRAM} \"$@\"
             echo $((n - 1)) > $0.times; kill -SEGV $$"
        );
        home().write(&format!("{name}.times"), times.to_string());
        voice_of("tone", &script(name, &lines))
    };
    assert!(crashing("twice", 2).front_end().is_ok());
    assert!(crashing("twice", 2).open(&Interrupt::default()).is_ok());
    let opened = crashing("thrice", 3).open(&Interrupt::default()).err();
    assert_eq!(opened, Some(SpeechError::Crashed { signal: "SIGSEGV" }));
    assert_eq!(children(), []);
}

/// A library that poses as eSpeak NG: it prints, and crashes of a word.
fn library_that_crashes() -> PathBuf {
    let source = home().write(
        "espeak.c",
        r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int espeak_Initialize(int a, int b, const char *c, int d) { return 22050; }
        int espeak_SetVoiceByName(const char *name) { return 0; }
        const char *espeak_TextToPhonemes(const void **text, int a, int b) {
            printf("printed by a library\n");
            fflush(stdout);
            if (strstr(*text, "abracadabra")) abort();
            *text = NULL;
            return "ab";
        }
        "#,
    );
    let library = home().path("libespeak.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, Path::new(&source)])
        .status()
        .expect("a C compiler, which building aloud needs as well");
    assert!(built.success());
    library
}

#[test]
fn a_text_that_crashes_the_front_end_takes_the_model_with_it_once_at_most() {
    let _alone = alone();
    let (files, mut runtime) = parts("tone");
    runtime.espeak_library = library_that_crashes();
    let voice = process::load(&files, &runtime, Path::new(PROGRAM), Terms::default()).unwrap();
    let front_end = voice.front_end().unwrap();
    let mut model = open(&*voice);
    let crashed = SpeechError::Crashed { signal: "SIGABRT" };
    let bad = || front_end.prepare("abracadabra").map(drop);
    assert_eq!(bad(), Err(crashed.clone()));
    let good = front_end.prepare("A word.").unwrap();
    let spoken = say(&mut *model, &good, &[]).unwrap();
    let before = children();
    assert_eq!(before.len(), 2);
    for _ in 0..3 {
        assert_eq!(bad(), Err(crashed.clone()));
    }
    let again = say(&mut *model, &good, &[]).unwrap();
    assert_eq!(again.samples, spoken.samples);
    let now = children();
    assert_eq!(now.len(), 1);
    assert!(before.contains(&now[0]), "the model's is the same");
    drop((front_end, model, voice));
    assert_eq!(children(), []);
}

#[test]
fn one_that_says_nothing_is_broken_off() {
    let _alone = alone();
    let voice = voice_of("tone", &script("silent", "exec sleep 1000"));
    let interrupt = Interrupt::default();
    let opened = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("it is started", || (children().len() == 1).then_some(()));
            interrupt.raise(StopReason::Cancel);
        });
        voice.open(&interrupt).err()
    });
    assert_eq!(opened, Some(SpeechError::Interrupted));
    drop(voice);
    assert_eq!(children(), []);
}

#[test]
fn what_is_wrong_with_a_voice_is_told_as_in_this_process() {
    let _alone = alone();
    let (files, mut runtime) = parts("tone");
    runtime.espeak_library = "/nowhere/libespeak.so".into();
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

#[test]
fn it_ends_with_its_input() {
    let _alone = alone();
    for input in [&b""[..], b"\x01\0", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 100]] {
        let mut command = Command::new(PROGRAM);
        let pipes = (Stdio::piped(), Stdio::piped());
        let command = command
            .arg(process::ARGUMENT)
            .stdin(pipes.0)
            .stdout(pipes.1);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).unwrap();
        let begun = Instant::now();
        // What the system does as well when it kills the parent.
        drop(stdin);
        let code = wait_for_end(&mut child);
        assert_eq!(code, Some(i32::from(!input.is_empty())));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn it_ends_with_the_program_that_is_killed() {
    let _alone = alone();
    let home = home();
    home.write("story.txt", STORY);
    let story = home.path("story.txt");
    let mut run = Running::start(home.command(&["narrate", "--json", story.to_str().unwrap()]));
    run.until("segment_started");
    let voices = children_of(run.id());
    assert_eq!(voices.len(), 1, "{voices:?}");
    assert!(is_running(voices[0]));
    let begun = Instant::now();
    run.signal(Signal::KILL);
    wait_for("it ends", || (!is_running(voices[0])).then_some(()));
    let took = begun.elapsed();
    println!("{took:.2?} after the program");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(run.end().0, None);
}

/// How many threads of a process have a name that begins so.
fn threads(pid: Pid, name: &str) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.starts_with(name)).count()
}

#[test]
fn it_is_let_go_when_it_has_nothing_to_do_and_is_there_again_when_it_has() {
    let _alone = alone();
    let (files, runtime) = parts("tone");
    let terms = Terms {
        keep: Some(Duration::from_millis(50)),
        ..Terms::default()
    };
    let voice = process::load(&files, &runtime, Path::new(PROGRAM), terms).unwrap();
    let front_end = voice.front_end().unwrap();
    let mut model = open(&*voice);
    let mut said = Vec::new();
    for _ in 0..3 {
        let utterance = front_end.prepare(SENTENCE).unwrap();
        said.push(say(&mut *model, &utterance, &[]).unwrap().samples);
        wait_for("it is let go", || children().is_empty().then_some(()));
    }
    assert!(!said[0].is_empty());
    assert!(said.iter().all(|samples| *samples == said[0]));
    assert_eq!(model.cancel_prefetch(), Ok(()));
    assert_eq!(children(), [], "nothing is started to be stopped");
}

#[test]
fn it_may_open_before_anyone_asks_and_opens_once() {
    let _alone = alone();
    let voice = voice("quiet");
    voice.warm_up();
    let pid = child();
    wait_for("the model is open", || {
        (threads(pid, "aloud-lane") == 2).then_some(())
    });
    voice.warm_up();
    let mut model = open(&*voice);
    let utterance = prepare(&*voice, SENTENCE);
    assert!(say(&mut *model, &utterance, &[]).is_ok());
    voice.warm_up();
    assert!(say(&mut *model, &utterance, &[]).is_ok());
    assert_eq!((child(), threads(pid, "aloud-lane")), (pid, 2));
    voice.rest();
    assert!(say(&mut *model, &utterance, &[]).is_ok());
}

#[test]
fn opening_that_was_begun_ahead_is_broken_off_by_who_waits_for_it() {
    let _alone = alone();
    let voice = voice("quiet");
    for _ in 0..3 {
        voice.warm_up();
        let interrupt = Interrupt::default();
        let opened = std::thread::scope(|scope| {
            let pid = child();
            let interrupt = &interrupt;
            scope.spawn(move || {
                wait_for("it opens", || {
                    (threads(pid, "aloud-model") == 1).then_some(())
                });
                interrupt.raise(StopReason::Cancel);
            });
            voice.open(interrupt).err()
        });
        assert_eq!(opened, Some(SpeechError::Interrupted));
        voice.rest();
        wait_for("it is let go", || children().is_empty().then_some(()));
    }
}

#[test]
fn it_is_held_to_its_limits() {
    let _alone = alone();
    let limits = Limits::default()
        .memory(900_000_000)
        .cpu(500)
        .niceness(7)
        .cores(1);
    let voice = limited("quiet", limits);
    let _model = open(&*voice);
    let pid = child();
    let proc = |name: &str| {
        std::fs::read_to_string(format!("/proc/{}/{name}", pid.as_raw_nonzero())).unwrap()
    };
    let limit = |name: &str| {
        let all = proc("limits");
        let line = all.lines().find(|line| line.starts_with(name)).unwrap();
        let numbers = line[name.len()..].split_whitespace();
        numbers.take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max cpu time"), ["500", "501"]);
    assert_eq!(limit("Max data size"), ["900000000", "900000000"]);
    assert_eq!(stat(&pid.as_raw_nonzero().to_string()).unwrap()[16], "7");
    assert_eq!(threads(pid, "aloud-lane"), 1);
    let status = proc("status");
    let cores = status
        .lines()
        .find(|line| line.starts_with("Cpus_allowed_list:"));
    let cores = cores.unwrap().split_whitespace().nth(1).unwrap();
    assert!(cores.parse::<u32>().is_ok(), "one core: {cores}");
}

#[test]
fn one_that_needs_more_memory_than_it_may_use_says_so() {
    let _alone = alone();
    for limit in [5_000_000, 40_000_000, 110_000_000] {
        let voice = limited("quiet", Limits::default().memory(limit));
        let error = SpeechError::MemoryLimit { limit };
        assert_eq!(error.code(), "OUT_OF_MEMORY");
        let opened = voice.open(&Interrupt::default()).map(drop);
        assert_eq!(opened, Err(error.clone()));
        let again = voice.open(&Interrupt::default()).map(drop);
        assert_eq!(again, Err(error), "and it can be asked again");
    }
    // Enough to open it, and not for the longest text.
    let limit = 220_000_000;
    let voice = limited("quiet", Limits::default().memory(limit));
    let mut model = open(&*voice);
    let front_end = voice.front_end().unwrap();
    let short = front_end.prepare("It works.").unwrap();
    let long = front_end.prepare(&[SENTENCE; 60].join(" ")).unwrap();
    assert!(say(&mut *model, &short, &[]).is_ok());
    let error = say(&mut *model, &long, &[]).map(drop).unwrap_err();
    assert_eq!(error, SpeechError::MemoryLimit { limit });
    assert!(
        say(&mut *model, &short, &[]).is_ok(),
        "in a process that has all of it again"
    );
}

#[test]
fn one_that_has_used_its_processor_time_ends_and_no_other_begins() {
    let _alone = alone();
    let voice = limited("quiet", Limits::default().cpu(3));
    let front_end = voice.front_end().unwrap();
    let mut model = open(&*voice);
    let long = front_end.prepare(&[SENTENCE; 20].join(" ")).unwrap();
    let spent = SpeechError::CpuLimit { seconds: 3 };
    let mut spoken = Ok(());
    for _ in 0..20 {
        spoken = spoken.and_then(|()| say(&mut *model, &long, &[]).map(drop));
    }
    assert_eq!(spoken, Err(spent.clone()));
    assert_eq!(say(&mut *model, &long, &[]).map(drop), Err(spent.clone()));
    assert_eq!(front_end.prepare("Again.").map(drop), Err(spent));
    assert_eq!(children(), []);
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
        let made: Vec<_> = kit::clips(&folder)
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
