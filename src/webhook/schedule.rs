//! When what came to nothing is tried again. Pure: the time and the chance are handed in.

use std::time::Duration;

/// The waits after one failed try, after two, and so on; the last one stays.
const WAITS: [Duration; 10] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(8 * 3600),
];
/// How much longer or shorter a wait is by chance: whoever failed together does not come back together.
const SPREAD: f64 = 0.2;
/// What is older is given up, once it was tried so often as [`FEWEST`].
pub(super) const OLDEST: Duration = Duration::from_secs(3 * 24 * 3600);
/// A program that was not started for days, or starts before its network is there, still has this many.
const FEWEST: u32 = 8;

/// The wait after so many failed tries, and not shorter than the receiver asks for. The chance is from 0
/// to 1.
pub(super) fn wait(failed: u32, asked: Option<Duration>, chance: f64) -> Duration {
    let longest = WAITS[WAITS.len() - 1];
    let place = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS.get(place).copied().unwrap_or(longest);
    let wait = wait.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * chance);
    wait.max(asked.unwrap_or_default().min(longest))
}

/// Whether what is so old is given up after so many failed tries.
pub(super) fn is_hopeless(age: Duration, failed: u32) -> bool {
    age > OLDEST && failed >= FEWEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_second_to_hours_and_heed_the_receiver() {
        let middle = |failed| (wait(failed, None, 0.5).as_millis() + 500) / 1000;
        assert_eq!([1, 2, 3, 10, 1000].map(middle), [1, 5, 30, 28_800, 28_800]);
        assert!(wait(1, None, 0.0) < wait(1, None, 1.0));
        let asked = Some(Duration::from_secs(60));
        assert_eq!(wait(1, asked, 0.5), Duration::from_secs(60));
        let week = Some(Duration::from_secs(7 * 24 * 3600));
        assert_eq!(wait(1, week, 0.5), Duration::from_secs(8 * 3600));
        // So many tries fit into the time after which it is given up.
        let all: Duration = (1..=16).map(|failed| wait(failed, None, 0.5)).sum();
        assert!(all < OLDEST && is_hopeless(OLDEST * 2, 8) && !is_hopeless(OLDEST * 2, 1));
    }
}
