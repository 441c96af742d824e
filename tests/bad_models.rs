//! Models that crash, hang, or ask for more memory than there is: each costs what was to be spoken with
//! it, and nothing else.

mod kit;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use aloud::engine::{Engine, Event, ShutdownWait, TaskState, TaskStatus};
use aloud::narrate::library_options;
use aloud::settings::{Overrides, Paths, load_from};

use kit::{Home, Ran, clips, onnx, samples};

const TEXT: &str = "One boat came in before the storm, and the harbour was quiet.\n\nAll of the others \
    were still out there, behind the light and the long white line of the reef.\n";

/// What the program says on standard error about a voice with this model; it fails, and then speaks
/// the same text with another voice.
fn told(name: &str, model: &[u8]) -> String {
    let home = Home::ready();
    let (text, bad, tone) = (
        home.write("story.txt", TEXT),
        home.made_voice(name, model),
        home.tone(),
    );
    let begun = Instant::now();
    let mut command = home.command(&["narrate", "--plain", "--voice", &bad, &text]);
    command.env("ALOUD_SEGMENT_TIMEOUT", "1");
    let ran = Ran::from(command.output().unwrap());
    println!("{name}, after {:.1?}:\n{}", begun.elapsed(), ran.err);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.lines().all(|line| line.starts_with("aloud: ")),
        "{}",
        ran.err
    );
    let again = home.run(&["narrate", "--plain", "--voice", &tone, &text]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(clips(&home.path("narrations/story-2")).len(), 2);
    ran.err
}

#[test]
fn one_that_asks_for_more_memory_than_there_is_is_told_with_how_much() {
    let said = told("greedy", &onnx::greedy());
    let all = said.lines().filter(|line| line.contains(", segment "));
    let wanted = all.filter(|line| line.contains(" GB of memory at once. "));
    assert_eq!(wanted.count(), 2, "{said}");
}

#[test]
fn one_that_hangs_is_broken_off_when_its_time_is_over() {
    let said = told("endless", &onnx::endless());
    let late = said.matches("Operation exceeded timeout of 1 seconds");
    assert_eq!(late.count(), 2, "{said}");
}

/// Elsewhere the processor goes on with a wrong number.
#[cfg(target_arch = "x86_64")]
#[test]
fn one_that_crashes_leaves_out_what_it_crashes_of() {
    let said = told("crashing", &onnx::crashing());
    let crashed = said.matches("the voice crashed twice (SIGFPE) while it spoke this segment");
    assert_eq!(crashed.count(), 2, "{said}");
    assert!(said.contains("choose another voice"), "{said}");
}

#[test]
fn the_queue_goes_on_with_other_voices_and_takes_no_more_memory() {
    let home = Home::ready();
    let mut settings = load_from(
        Paths::under(home.folder.path()),
        Overrides::default(),
        &|_| None,
    )
    .unwrap();
    settings.voice_program = Some(env!("CARGO_BIN_EXE_aloud").into());
    settings.segment_timeout = Some(Duration::from_millis(500));
    settings.clip_store_mb = 0;
    let engine = Engine::open(library_options(&settings)).unwrap();
    let mut codes = BTreeSet::from(["MODEL_RUN", "TIMEOUT"]);
    let mut models = vec![("greedy", onnx::greedy()), ("endless", onnx::endless())];
    if cfg!(target_arch = "x86_64") {
        codes.insert("POISONOUS");
        models.push(("crashing", onnx::crashing()));
    }
    let tone = home.tone();
    let before = memory();
    let events = engine.subscribe();
    let mut ids = Vec::new();
    for (name, model) in &models {
        for (voice, title) in [
            (home.made_voice(name, model), (*name).to_owned()),
            (tone.clone(), format!("after {name}")),
        ] {
            let folder = home.path("out").join(&title);
            let texts = [
                "One boat came in.",
                "All of the others were still out there.",
            ];
            let mut narration = kit::voice::narration(folder, &title, &texts);
            narration.voice = voice.into();
            ids.push(engine.submit_task(narration, None).unwrap());
        }
    }
    let mut ended = 0;
    while ended < ids.len() {
        if let Event::Ended { .. } = events.recv_blocking().unwrap() {
            ended += 1;
        }
    }
    let all: Vec<TaskStatus> = ids
        .iter()
        .map(|id| engine.task_status(id).unwrap())
        .collect();
    let mut told = BTreeSet::new();
    for pair in all.chunks(2) {
        let [bad, good] = pair else { unreachable!() };
        assert_eq!(bad.state, TaskState::Failed, "{bad:?}");
        assert_eq!(bad.errors.segments(), 2, "each has its error: {bad:?}");
        told.extend(bad.errors.iter().map(|error| error.error.code.to_string()));
        assert_eq!(good.state, TaskState::Completed, "{good:?}");
        assert_eq!(good.completed_segments.len(), 2);
    }
    assert_eq!(told, codes.into_iter().map(str::to_owned).collect());
    for (name, _) in &models {
        let made = clips(&home.path("out").join(format!("after {name}")));
        assert!(made.len() == 2 && made.iter().all(|clip| samples(clip) > 0));
    }
    engine.shutdown(ShutdownWait::Now);
    let grown = memory().saturating_sub(before);
    assert!(grown < 50_000, "{grown} kB more");
}

/// The most memory that this process has had, in kB; nothing where the system does not tell.
fn memory() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.map_or(0, |most| {
        most.trim().trim_end_matches(" kB").parse().unwrap()
    })
}
