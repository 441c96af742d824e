//! When it begins and when it ends.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use aloud::speech::process;
use aloud::speech::process::Terms;
use rustix::process::{Signal, kill_process};

use crate::kit::{Running, STORY, wait_for, wait_for_end};
use crate::look::{child, children, children_of, is_running, threads};
use crate::voice::{PROGRAM, SENTENCE, alone, home, open, parts, prepare, say, voice};

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
