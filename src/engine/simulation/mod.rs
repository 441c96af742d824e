//! The whole engine in simulation: the real [core](super::core) between a disk, workers, a clock and a
//! user that are played here. A seed decides everything, so that it repeats a failure:
//!
//!     ALOUD_SIM_SEED=1234 cargo test --lib simulation
//!     ALOUD_SIM_HISTORIES=1000000 cargo test --release --lib simulation
//!
//! The disk is slow, refuses rows or whole commits, for a while or for good, and loses or keeps what
//! was on its way when the process dies. Workers finish, fail, hang, come back late, ignore what they
//! are asked, bring old results. The clock jumps and oversleeps. The user submits, cancels, pauses,
//! moves, waits, shuts down in every way, and opens the library again.
//!
//! After each step:
//!
//! 1. what was told is on disk: accepted tasks, finished parts, ends, in events, replies and snapshots;
//! 2. nothing that was accepted is lost, in the core or on the disk, over any number of crashes;
//! 3. a task has one run at a time, a run has a task that may run, and no more runs than workers;
//! 4. an end is final, told once, and on disk once; no part's result is stored twice unless it was
//!    forgotten in between, and only the newest attempt at a part brings one;
//! 5. no two unfinished tasks share a fingerprint, in the core or on the disk;
//! 6. what is paused, delayed, blocked by others or behind a better place does not start;
//! 7. a TIMEOUT comes to those only that have a limit, and not before it has passed while the process
//!    ran;
//! 8. every caller is answered once, and only when it was told to wait;
//! 9. counts, groups and snapshots agree;
//! 10. no work is dropped inside the core, and each is dropped once;
//! 11. a pause or a shutdown costs no attempt; a task that was to be cancelled does not come back;
//! 12. what recurs runs once for each time that is due, unless it is passed over; one run at a time, on
//!     disk before its successor is reckoned; what recurs, recurs in the next process;
//! 13. someone is woken for what is delayed, not over and over, and only a part that is in the model is
//!     broken off;
//! 14. what is urgent starts before all others, in a paused queue too; while it waits no worker is idle,
//!     and as many operations as can have been asked to make room; one that did is not paused, and
//!     continues before those that wait.
//!
//! At the end of a history, when the disk answers, workers come back and the clock rings when it was
//! asked to: every task that can run has ended, the engine goes down, nobody waits, nothing is left.

mod batch;
mod check;
mod disk;
mod finale;
mod recurring;
mod told;
mod user;
mod work;
mod world;

use std::collections::BTreeMap;

use self::world::World;
use crate::engine::core::mutation::{Mutation, set_mutation};

/// Histories in a usual run.
const HISTORIES: u64 = 20_000;

/// What a history met, by kind of fault.
type Met = BTreeMap<&'static str, u64>;

/// Runs one history; its steps, and what it met.
fn history(seed: u64) -> Result<(u64, Met), String> {
    let mut world = World::new(seed);
    let result = world.live();
    if std::env::var("ALOUD_SIM_SEED").is_ok() {
        for line in &world.log {
            println!("{line}");
        }
    }
    result.map(|()| (world.steps, std::mem::take(&mut world.met)))
}

/// The same with panics caught: a fault may end in one.
fn caught(seed: u64) -> Result<(u64, Met), String> {
    let caught = std::panic::catch_unwind(|| history(seed));
    caught.unwrap_or_else(|_| Err("panicked".to_owned()))
}

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

#[test]
fn nothing_is_lost_told_too_soon_or_made_twice_in_any_history() {
    if let Some(seed) = setting("ALOUD_SIM_SEED") {
        history(seed).unwrap();
        return;
    }
    let histories = setting("ALOUD_SIM_HISTORIES").unwrap_or(HISTORIES);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let results: Vec<_> = std::thread::scope(|scope| {
        let run = |first: u64| {
            move || {
                let mut lengths = Vec::new();
                let mut met = Met::new();
                for seed in (first..histories).step_by(threads as usize) {
                    let (steps, of_this) = match history(seed) {
                        Ok(result) => result,
                        Err(problem) => panic!("seed {seed}: {problem}"),
                    };
                    lengths.push(steps);
                    for (kind, times) in of_this {
                        *met.entry(kind).or_default() += u64::from(times > 0);
                    }
                }
                (lengths, met)
            }
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(run(first))).collect();
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut lengths = Vec::new();
    let mut met = Met::new();
    for (of_thread, kinds) in results {
        lengths.extend(of_thread);
        for (kind, times) in kinds {
            *met.entry(kind).or_default() += times;
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    println!("{histories} histories, median of {median} steps");
    for (kind, times) in &met {
        #[expect(clippy::cast_precision_loss, reason = "a share of histories")]
        let share = *times as f64 * 100.0 / histories as f64;
        println!("{share:6.1} %  {kind}");
        assert!(share >= 1.0, "{kind} is met in too few histories");
    }
    assert_eq!(
        met.len(),
        world::KINDS.len(),
        "each kind of fault is met: {met:?}"
    );
    assert!(median >= 50, "a median of {median} steps is too short");
}

#[test]
fn each_deliberate_fault_is_found_within_2000_seeds() {
    let missed: Vec<_> = Mutation::ALL
        .into_iter()
        .filter(|&mutation| {
            set_mutation(Some(mutation));
            let found = (0..2000).find_map(|seed| Some((seed, caught(seed).err()?)));
            set_mutation(None);
            match &found {
                Some((seed, problem)) => println!("{mutation:?}: seed {seed}: {problem}"),
                None => println!("{mutation:?}: not found"),
            }
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
