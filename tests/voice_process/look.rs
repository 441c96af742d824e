//! The children of this process, seen from outside.

use std::time::Duration;
use std::time::Instant;

use aloud::engine::{Interrupt, NarrationSettings};
use aloud::speech::{SpeechError, Synthesizer, Utterance, Voice};
use rustix::process::{Pid, Signal, kill_process};

use crate::kit::wait_for;
use crate::voice::{SENTENCE, open, prepare, say};

/// The fields of a process's `stat` after its name.
pub fn stat(process: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// The children of this process, also those that have ended and were not reaped.
pub fn children() -> Vec<Pid> {
    children_of(std::process::id())
}

pub fn children_of(parent: u32) -> Vec<Pid> {
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
pub fn child() -> Pid {
    let children = children();
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

/// How long a process was at work, in hundredths of a second.
pub fn work(pid: Pid) -> u64 {
    let fields = stat(&pid.as_raw_nonzero().to_string()).unwrap();
    let time = |at: usize| fields[at].parse::<u64>().unwrap();
    time(11) + time(12)
}

/// Ends a process with a signal. Rust's own handler for bad addresses lets the first of these pass when
/// there is no bad address.
pub fn end(pid: Pid, signal: Signal) {
    wait_for("it ends", || {
        // It fails when that has happened.
        let _ = kill_process(pid, signal);
        (!is_running(pid)).then_some(())
    });
}

pub fn is_running(pid: Pid) -> bool {
    stat(&pid.as_raw_nonzero().to_string()).is_some_and(|fields| fields[0] != "Z")
}

/// How many threads of a process have a name that begins so.
pub fn threads(pid: Pid, name: &str) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.starts_with(name)).count()
}

/// A model in the middle of a long run.
pub struct Busy<'a> {
    pub model: Box<dyn Synthesizer>,
    pub voice: &'a dyn Voice,
    pub long: Utterance,
}

impl<'a> Busy<'a> {
    /// Takes many seconds.
    pub fn new(voice: &'a dyn Voice) -> Self {
        let text = [SENTENCE; 20].join(" ");
        Self {
            model: open(voice),
            long: prepare(voice, &text),
            voice,
        }
    }

    /// What comes of the run, and how long it took from when `meanwhile` was called in the middle.
    pub fn run(
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
    pub fn works(&mut self) -> Pid {
        let short = prepare(self.voice, "It works.");
        let speech = say(&mut *self.model, &short, &[]).unwrap();
        assert!(speech.samples.len() > 5_000);
        assert!(!speech.work.is_zero());
        child()
    }
}
