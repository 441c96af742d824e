//! What its death costs.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use aloud::engine::Interrupt;
use aloud::speech::process::Terms;
use aloud::speech::{SpeechError, process};
use rustix::process::{Signal, kill_process};

use crate::kit::wait_for;
use crate::look::{Busy, child, children, end};
use crate::voice::{PROGRAM, alone, home, open, parts, say, voice, voice_of};
use crate::wrong::script;

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
    runtime.espeak.as_mut().unwrap().library = library_that_crashes();
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
