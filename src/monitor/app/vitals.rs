//! How the program does: what was measured last, and how fast it has been over time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Timestamp;
use crate::service::Health;

/// What was measured, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vitals {
    pub(crate) health: Health,
    /// Bytes of memory in use, with those of the voices; `None` where the system does not say.
    pub(crate) memory: Option<u64>,
    /// Bytes free on the disk that the clips go to, and its size.
    pub(crate) disk: Option<(u64, u64)>,
    /// Bytes of the database and its log.
    pub(crate) database: Option<u64>,
    /// Threads of whoever does the work.
    pub(crate) threads: Option<usize>,
    pub(crate) at: Timestamp,
}

/// How many samples are kept: twenty minutes.
const KEPT: usize = 600;

/// The time between two samples.
const EACH: Duration = Duration::from_secs(2);

/// Audio made per second of time, sample by sample.
#[derive(Debug, Default)]
pub(crate) struct Speeds {
    samples: VecDeque<f32>,
    last: Option<(Timestamp, u64)>,
}

impl Speeds {
    /// Takes note of how much audio there is at `now`. A clock that was set back starts it over.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a speed needs no more digits"
    )]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of audio")]
    pub(crate) fn note(&mut self, now: Timestamp, audio_ms: u64, is_running: bool) {
        if !is_running {
            self.last = None;
            return;
        }
        let Some((then, before)) = self.last else {
            self.last = Some((now, audio_ms));
            return;
        };
        let passed = now.since(then);
        if now < then {
            self.last = Some((now, audio_ms));
        } else if passed >= EACH {
            let made = audio_ms.saturating_sub(before) as f64 / 1000.0;
            if self.samples.len() == KEPT {
                self.samples.pop_front();
            }
            self.samples.push_back((made / passed.as_secs_f64()) as f32);
            self.last = Some((now, audio_ms));
        }
    }

    /// The samples, oldest first.
    pub(crate) fn samples(&self) -> impl ExactSizeIterator<Item = f32> {
        self.samples.iter().copied()
    }

    /// How much time the samples cover.
    pub(crate) fn span(&self) -> Duration {
        EACH * u32::try_from(self.samples.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_audio_by_time_and_only_while_something_runs() {
        let mut speeds = Speeds::default();
        let at = |seconds: i64| Timestamp(seconds * 1000);
        speeds.note(at(0), 0, true);
        speeds.note(at(1), 20_000, true);
        speeds.note(at(2), 40_000, true);
        assert_eq!(speeds.samples().collect::<Vec<_>>(), [20.0]);
        speeds.note(at(1), 50_000, true);
        speeds.note(at(1000), 50_000, false);
        speeds.note(at(2000), 60_000, true);
        speeds.note(at(2004), 100_000, true);
        assert_eq!(speeds.samples().collect::<Vec<_>>(), [20.0, 10.0]);
        for second in 0..5000 {
            speeds.note(at(3000 + second), 0, true);
        }
        assert_eq!(speeds.samples().len(), KEPT);
        assert_eq!(speeds.span(), Duration::from_secs(1200));
    }
}
