//! Limits on what narrations may use of the machine, in a library with real voices in processes of
//! their own.
#![cfg(target_os = "linux")]

mod kit;

use std::time::Duration;

use aloud::engine::{
    Engine, Hold, Limits, Narration, NarrationSettings, Options, ShutdownWait, Submission,
    SubmitError, TaskState,
};
use aloud::narrate::{Casting, Manner, Request, Voices, compose, library_options, load_voice};
use aloud::settings::{Overrides, Paths, Settings, VoiceLimitOverrides, load_from};
use aloud::text::reading::Lexicon;

use kit::{Home, wait_for};

/// Nobody else here starts processes: tests run one at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn settings(home: &Home, limits: VoiceLimitOverrides) -> Settings {
    let flags = Overrides {
        limits,
        ..Overrides::default()
    };
    let mut settings = load_from(Paths::under(home.folder.path()), flags, &|_| None).unwrap();
    settings.voice_program = Some(env!("CARGO_BIN_EXE_aloud").into());
    settings
}

fn options(settings: &Settings) -> Options {
    let mut options = library_options(settings);
    options.retries.first = Duration::from_millis(10);
    options
}

fn narration(settings: &Settings, voice: &str, text: &str) -> Narration {
    let request = Request::from_bytes("text".into(), None, text.as_bytes().to_vec()).unwrap();
    let info = load_voice(settings, voice).unwrap().info().clone();
    let how = NarrationSettings::default();
    let composed = compose(
        &request,
        (&info, voice),
        &how,
        Manner {
            pauses: &settings.pauses,
            taste: &settings.taste(),
            lexicon: &Lexicon::default(),
        },
        &Casting::alone(),
        &settings.out,
    );
    let mut narration = composed.unwrap().narration;
    narration.folder = settings.out.join(text.replace(' ', "-"));
    narration
}

fn children() -> usize {
    let me = std::process::id();
    let tasks = std::fs::read_dir(format!("/proc/{me}/task")).unwrap();
    let children =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    children.map(|all| all.split_whitespace().count()).sum()
}

#[test]
fn a_voice_that_gets_too_little_memory_waits_and_the_other_goes_on() {
    let _alone = ALONE.lock();
    let home = Home::ready();
    home.quiet();
    let (large, small) = (home.path("quiet.onnx"), home.tone());
    let large = large.to_str().unwrap();
    let limits = VoiceLimitOverrides {
        memory_mb: Some(90),
        ..VoiceLimitOverrides::default()
    };
    let settings = settings(&home, limits);
    let engine = Engine::open(options(&settings)).unwrap();
    engine.pause_queue();
    let submit = |voice, text| engine.submit(narration(&settings, voice, text)).unwrap();
    let first = submit(large, "The first one.");
    let held = [
        submit(large, "The second one."),
        submit(large, "The third one."),
    ];
    let other = submit(&small, "The other voice.");
    engine.resume_queue();
    let failed = engine.wait(&first).unwrap();
    let error = failed.error.unwrap();
    assert_eq!(
        (failed.state, error.code.as_str()),
        (TaskState::Failed, "OUT_OF_MEMORY")
    );
    assert_eq!(
        error.message,
        "the voice needs more than the 90 MB of memory that it may use"
    );
    assert!(error.remediation.contains("limits.memory_mb"), "{error:?}");
    assert_eq!(engine.wait(&other).unwrap().state, TaskState::Completed);
    for id in held {
        let status = engine.task_status(&id).unwrap();
        assert_eq!(status.state, TaskState::Pending);
        let Some(Hold::Breaker { error, .. }) = status.hold.as_deref() else {
            panic!("it waits for the breaker: {status:?}");
        };
        assert_eq!(error.code, "OUT_OF_MEMORY");
    }
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn one_with_limits_of_its_own_has_a_process_of_its_own() {
    let _alone = ALONE.lock();
    let home = Home::ready();
    let voice = home.tone();
    let settings = settings(&home, VoiceLimitOverrides::default());
    let engine = Engine::open(options(&settings)).unwrap();
    let run = |text, limits| {
        let story = Submission::new(narration(&settings, &voice, text)).limits(limits);
        let status = engine.wait(&engine.submit(story).unwrap()).unwrap();
        assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
        assert_eq!(status.limits, limits);
    };
    run("Without limits.", Limits::default());
    assert_eq!(children(), 1, "it stays for a while");
    run("With one.", Limits::default().cores(1));
    wait_for("its process has gone with it", || {
        (children() == 0).then_some(())
    });
    // It is one task that is over its limit, not its voice.
    let tight = Submission::new(narration(&settings, &voice, "Too tight."));
    let tight = engine
        .submit(tight.limits(Limits::default().memory(3_000_000)))
        .unwrap();
    let error = engine.wait(&tight).unwrap().error.unwrap();
    assert_eq!(error.code, "OUT_OF_MEMORY");
    run("Without limits again.", Limits::default());
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_voice_in_this_process_takes_no_limits() {
    let _alone = ALONE.lock();
    let home = Home::ready();
    let voice = home.tone();
    let mut settings = settings(&home, VoiceLimitOverrides::default());
    let limited = |text| {
        let story = Submission::new(narration(&settings, &voice, text));
        story.limits(Limits::default().cores(1))
    };
    let (left, refused) = (limited("Left by an earlier run."), limited("Refused."));
    let engine = Engine::open(options(&settings)).unwrap();
    engine.pause_queue();
    let id = engine.submit(left).unwrap();
    engine.shutdown(ShutdownWait::Now);
    drop(engine);

    settings.voice_program = None;
    let engine = Engine::open(options(&settings)).unwrap();
    let left = engine.wait(&id).unwrap();
    assert_eq!(left.error.unwrap().code, "NO_LIMITS");
    assert_eq!(left.limits, Limits::default().cores(1));
    let refused = engine.submit(refused).unwrap_err();
    assert!(matches!(refused, SubmitError::Limits(_)), "{refused}");
    engine.shutdown(ShutdownWait::Now);
}

#[test]
fn a_voice_that_is_warm_is_the_one_that_a_worker_gets() {
    let _alone = ALONE.lock();
    let home = Home::ready();
    let (one, other) = (home.tone(), home.path("other.onnx"));
    std::fs::copy(&one, &other).unwrap();
    std::fs::copy(format!("{one}.json"), home.path("other.onnx.json")).unwrap();
    let other = other.to_str().unwrap();
    let settings = settings(&home, VoiceLimitOverrides::default());
    let voices = Voices::new(&settings);
    let load = |name: &str| load_voice(&settings, name).unwrap();

    voices.warm_up(&one, &load(&one));
    assert_eq!(children(), 1);
    let taken = voices.take(&one, Limits::default()).unwrap();
    let _front_end = taken.front_end().unwrap();
    assert_eq!(children(), 1, "it is the same");
    voices.warm_up(&one, &load(&one));
    assert_eq!(children(), 1, "a worker has it already");

    // Two at a time would not fit everywhere.
    voices.warm_up(other, &load(other));
    wait_for("the first one is let go", || {
        (children() == 1).then_some(())
    });
    // A worker that wants another than was thought of.
    let third = voices.take(&one, Limits::default()).unwrap();
    assert_eq!(children(), 0);
    drop((taken, third));
}
