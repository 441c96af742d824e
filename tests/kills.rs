//! Kills the real program with SIGKILL at random moments, over and over, and starts it again: no
//! task is lost, no finished clip is lost, damaged or made a second time.
//!
//!     ALOUD_KILLS=1000 ALOUD_SEED=7 cargo test --release --test kills -- --nocapture
#![cfg(feature = "cli")]

mod kit;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use kit::{Home, clips, finished, samples};

/// The longest that a run lives: the model opens in about a second, then clips come.
const LONGEST: f64 = 3.0;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// What tells one file from another under the same name.
type Identity = (u64, i64, i64);

fn identity(path: &Path) -> Identity {
    let file = path
        .metadata()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (file.ino(), file.mtime(), file.mtime_nsec())
}

/// Lets a run live for a while. Returns its exit code if it came to its end.
fn live(child: &mut Child, time: Duration) -> Option<i32> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn killed_over_and_over_nothing_is_lost_and_nothing_made_twice() {
    let (kills, seed) = (setting("ALOUD_KILLS", 12), setting("ALOUD_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let home = Home::ready();
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/the-lighthouse-keeper.txt");
    let mut seen: HashMap<PathBuf, Identity> = HashMap::new();
    let (mut killed, mut round, mut again) = (0, 0, 0);
    while killed < kills || round == 0 {
        let out = home.path(&format!("out-{round}"));
        let folder = out.join("the-lighthouse-keeper");
        let args = [
            "narrate",
            "--json",
            "--out",
            out.to_str().unwrap(),
            story.to_str().unwrap(),
        ];
        loop {
            let mut child = home.command(&args).stdout(Stdio::null()).spawn().unwrap();
            let time = if killed < kills {
                random.f64() * LONGEST
            } else {
                600.0
            };
            match live(&mut child, Duration::from_secs_f64(time)) {
                Some(code) => {
                    assert_eq!(code, 0);
                    break;
                }
                None => killed += 1,
            }
            if !home.path("state/aloud.db").exists() {
                continue;
            }
            for clip in finished(&home) {
                let now = identity(&clip);
                let before = *seen.entry(clip.clone()).or_insert(now);
                again += u64::from(before != now);
                samples(&clip);
            }
        }
        for clip in clips(&folder) {
            let now = identity(&clip);
            again += u64::from(seen.get(&clip).is_some_and(|before| *before != now));
            samples(&clip);
        }
        assert_eq!(clips(&folder).len(), 38, "every segment has one clip");
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(files.len(), 39, "clips and the joined narration: {files:?}");
        assert!(
            !out.join("the-lighthouse-keeper-2").exists(),
            "the task was lost and begun anew"
        );
        round += 1;
    }
    println!(
        "{killed} kills, {round} narrations, {} clips seen, {again} made twice",
        seen.len()
    );
    assert_eq!(
        again, 0,
        "a finished clip was made a second time (seed {seed})"
    );
}
