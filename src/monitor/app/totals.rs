//! How far one task is, and sums over all of them.

use std::time::Duration;

use super::segment::error_count;
use crate::model::{RunOutput, TaskState, TaskStatus};

/// Sums over all tasks, in whole numbers so that adding and taking away never drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Tasks by state, in the order of [`TaskState::ALL`].
    by_state: [usize; TaskState::ALL.len()],
    /// Tasks that wait and are held back.
    held: u64,
    pub(crate) clips: u64,
    pub(crate) errors: u64,
    pub(crate) audio_ms: u64,
    /// Work to do and done: characters for narrations, units for closures.
    pub(crate) units: u64,
    pub(crate) units_done: u64,
    chars_left: u64,
    made_chars: u64,
    made_audio_ms: u64,
    made_work_ms: u64,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and durations are not negative"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// The share of a task that is done, 0.0 to 1.0: of the characters of a narration, for segments are
/// long and short; of the units of other work.
#[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
pub(crate) fn share_done(status: &TaskStatus) -> f64 {
    match status.plan.as_ref().map(|plan| plan.chars()) {
        Some(chars) if chars > 0 => (status.completed_chars as f64 / chars as f64).min(1.0),
        _ => status.progress.fraction(),
    }
}

/// A share in whole percent; 100 only when nothing is left.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 100"
)]
pub(crate) fn percent_of(fraction: f64) -> u8 {
    (fraction * 100.0) as u8
}

impl Totals {
    pub(super) fn of(status: &TaskStatus) -> Self {
        let mut by_state = [0; TaskState::ALL.len()];
        by_state[status.state as usize] = 1;
        let ended = status.state.is_terminal();
        let (units, done) = status
            .plan
            .as_ref()
            .map_or((status.progress.total, status.progress.current), |plan| {
                (plan.chars(), status.completed_chars)
            });
        // What will not be done any more is no longer part of the whole.
        let units = if ended { done } else { units };
        let done = done.min(units);
        Self {
            by_state,
            held: (status.paused && status.state == TaskState::Pending).into(),
            clips: status.completed_segments.len() as u64,
            errors: error_count(status) as u64,
            audio_ms: millis(status.audio_seconds),
            units,
            units_done: done,
            chars_left: if status.plan.is_some() {
                units - done
            } else {
                0
            },
            made_chars: status.made.chars,
            made_audio_ms: millis(status.made.audio_seconds),
            made_work_ms: millis(status.made.work_seconds),
        }
    }

    fn fields(&mut self) -> [&mut u64; 10] {
        [
            &mut self.held,
            &mut self.clips,
            &mut self.errors,
            &mut self.audio_ms,
            &mut self.units,
            &mut self.units_done,
            &mut self.chars_left,
            &mut self.made_chars,
            &mut self.made_audio_ms,
            &mut self.made_work_ms,
        ]
    }

    pub(super) fn add(&mut self, mut other: Self) {
        for (sum, one) in self.by_state.iter_mut().zip(other.by_state) {
            *sum += one;
        }
        for (sum, one) in self.fields().into_iter().zip(other.fields()) {
            *sum = sum.saturating_add(*one);
        }
    }

    pub(super) fn take(&mut self, mut other: Self) {
        for (sum, one) in self.by_state.iter_mut().zip(other.by_state) {
            *sum -= one;
        }
        for (sum, one) in self.fields().into_iter().zip(other.fields()) {
            *sum = sum.saturating_sub(*one);
        }
    }

    /// That a task is completed, if it is, and nothing else of it.
    pub(super) fn only_success(&self) -> Self {
        let mut success = Self::default();
        success.by_state[TaskState::Completed as usize] = self.count(TaskState::Completed);
        success
    }

    pub(crate) fn count(&self, state: TaskState) -> usize {
        self.by_state[state as usize]
    }

    /// Tasks that wait and are held back.
    pub(crate) fn held(&self) -> usize {
        usize::try_from(self.held).unwrap_or(usize::MAX)
    }

    /// Tasks that wait and are not.
    pub(crate) fn waiting(&self) -> usize {
        self.count(TaskState::Pending).saturating_sub(self.held())
    }

    /// All tasks, without those that another one tries again.
    pub(crate) fn tasks(&self) -> usize {
        self.by_state.iter().sum()
    }

    /// Tasks that have not ended.
    pub(crate) fn active(&self) -> usize {
        self.count(TaskState::Pending) + self.count(TaskState::Processing)
    }

    /// The share of all work that is done, 0.0 to 1.0.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
    pub(crate) fn fraction(&self) -> f64 {
        if self.units == 0 {
            return 0.0;
        }
        self.units_done as f64 / self.units as f64
    }

    /// Audio made per second of work, over all tasks.
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs no 53 bits")]
    pub(crate) fn speed(&self) -> Option<f64> {
        (self.made_work_ms > 0).then(|| self.made_audio_ms as f64 / self.made_work_ms as f64)
    }

    /// The work that all narrations have left at the speed so far.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let made = RunOutput {
            audio_seconds: Duration::from_millis(self.made_audio_ms).as_secs_f64(),
            work_seconds: self.work().as_secs_f64(),
            chars: self.made_chars,
            wait_seconds: 0.0,
        };
        made.time_for(self.chars_left)
    }

    /// Milliseconds of audio that was made in this process.
    pub(crate) fn made_audio_ms(&self) -> u64 {
        self.made_audio_ms
    }

    /// Seconds of work in what was made.
    pub(crate) fn work(&self) -> Duration {
        Duration::from_millis(self.made_work_ms)
    }
}
