//! How long things took, counted by size: as much data for a million as for one.

use serde::{Deserialize, Serialize};

/// How long things took, each counted in one of sixteen buckets.
///
/// ```
/// use std::time::Duration;
///
/// use aloud::engine::Durations;
///
/// let mut took = Durations::default();
/// took.note(Duration::from_millis(10));
/// took.note(Duration::from_secs(3600));
/// assert_eq!((took.count(), took.seconds()), (2, 3600.01));
/// let buckets: Vec<_> = took.buckets().filter(|(_, count)| *count > 0).collect();
/// assert_eq!(buckets, [(0.01, 1), (f64::INFINITY, 1)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    counts: [u64; 16],
    seconds: f64,
}

impl Durations {
    /// The longest of each bucket, in seconds; the last bucket has no bound.
    pub const BOUNDS: [f64; 15] = [
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    ];

    /// Counts one more.
    pub fn note(&mut self, took: std::time::Duration) {
        let seconds = took.as_secs_f64();
        let bucket = Self::BOUNDS.iter().position(|bound| seconds <= *bound);
        self.counts[bucket.unwrap_or(Self::BOUNDS.len())] += 1;
        self.seconds += seconds;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The bound of each bucket, and how many are in it and in none before it.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = Self::BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied())
    }
}
