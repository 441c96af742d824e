//! What it may use of the machine, and what it has given up.

use std::path::Path;

use aloud::engine::{Interrupt, Limits};
use aloud::speech::SpeechError;

use crate::kit::wait_for;
use crate::look::{Busy, child, children, stat, threads};
use crate::voice::{SENTENCE, alone, limited, open, say, voice};

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
    // A thread has its name once it runs.
    wait_for("its lane", || {
        (threads(pid, "aloud-lane") == 1).then_some(())
    });
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
