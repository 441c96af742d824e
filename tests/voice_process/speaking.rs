//! What is asked of it, and broken off.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aloud::engine::{Interrupt, NarrationSettings, StopReason};
use aloud::speech::{self, SpeechError};
use rustix::process::{Signal, kill_process};

use crate::kit::wait_for;
use crate::look::{Busy, child, children, threads};
use crate::voice::{SENTENCE, alone, distance, open, parts, prepare, say, voice, voice_of};
use crate::wrong::script;

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
