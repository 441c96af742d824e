//! The tasks as the screen knows them: rows in order, an index by id, and totals that are kept up
//! with every change. A changed task costs the same however many there are; only a fresh copy of
//! everything, or a removal, goes over all rows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{TaskId, TaskState, TaskStatus};

/// Sums over all tasks, in whole numbers so that adding and taking away never drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Tasks by state, in the order of [`TaskState::ALL`].
    by_state: [usize; TaskState::ALL.len()],
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

impl Totals {
    fn of(status: &TaskStatus) -> Self {
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
            clips: status.completed_segments.len() as u64,
            errors: status.errors.len() as u64,
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

    fn fields(&mut self) -> [&mut u64; 9] {
        [
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

    fn add(&mut self, mut other: Self) {
        for (sum, one) in self.by_state.iter_mut().zip(other.by_state) {
            *sum += one;
        }
        for (sum, one) in self.fields().into_iter().zip(other.fields()) {
            *sum = sum.saturating_add(*one);
        }
    }

    fn take(&mut self, mut other: Self) {
        for (sum, one) in self.by_state.iter_mut().zip(other.by_state) {
            *sum -= one;
        }
        for (sum, one) in self.fields().into_iter().zip(other.fields()) {
            *sum = sum.saturating_sub(*one);
        }
    }

    pub(crate) fn count(&self, state: TaskState) -> usize {
        self.by_state[state as usize]
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
        let work = u128::from(self.chars_left) * u128::from(self.made_work_ms);
        let left = work.checked_div(u128::from(self.made_chars))?;
        Some(Duration::from_millis(u64::try_from(left).ok()?))
    }

    /// Seconds of work in what was made.
    pub(crate) fn work(&self) -> Duration {
        Duration::from_millis(self.made_work_ms)
    }
}

/// All tasks, in the order of their submission.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    rows: Vec<TaskStatus>,
    index: HashMap<TaskId, usize>,
    running: HashSet<TaskId>,
    totals: Totals,
    folder: Option<PathBuf>,
}

impl Tasks {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn get(&self, row: usize) -> Option<&TaskStatus> {
        self.rows.get(row)
    }

    pub(crate) fn row_of(&self, id: &TaskId) -> Option<usize> {
        self.index.get(id).copied()
    }

    pub(crate) fn by_id(&self, id: &TaskId) -> Option<&TaskStatus> {
        self.get(self.row_of(id)?)
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The folder that holds the folders of all narrations seen so far.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The row of the first task that is running.
    pub(crate) fn first_running(&self) -> Option<usize> {
        // As many as there are workers, which are few.
        self.running.iter().filter_map(|id| self.row_of(id)).min()
    }

    /// Takes a fresh copy of everything.
    pub(crate) fn reset(&mut self, rows: Vec<TaskStatus>) {
        *self = Self::default();
        self.rows.reserve(rows.len());
        for status in rows {
            self.put(status);
        }
    }

    /// Takes a fresh copy of one task, new or known.
    pub(crate) fn put(&mut self, status: TaskStatus) {
        self.totals.add(Totals::of(&status));
        if status.state == TaskState::Processing {
            self.running.insert(status.id.clone());
        } else {
            self.running.remove(&status.id);
        }
        if let Some(row) = self.row_of(&status.id) {
            self.totals.take(Totals::of(&self.rows[row]));
            self.rows[row] = status;
            return;
        }
        if let Some(folder) = &status.folder {
            self.widen(folder);
        }
        self.index.insert(status.id.clone(), self.rows.len());
        self.rows.push(status);
    }

    /// Forgets tasks that have left the registry.
    pub(crate) fn remove(&mut self, ids: &[TaskId]) {
        let gone: HashSet<&TaskId> = ids
            .iter()
            .filter(|id| self.index.contains_key(*id))
            .collect();
        if gone.is_empty() {
            return;
        }
        let totals = &mut self.totals;
        self.rows.retain(|status| {
            let stays = !gone.contains(&status.id);
            if !stays {
                totals.take(Totals::of(status));
            }
            stays
        });
        for id in gone {
            self.running.remove(id);
        }
        let ids = self.rows.iter().map(|status| status.id.clone());
        self.index = ids.zip(0..).collect();
    }

    fn widen(&mut self, folder: &Path) {
        let known = match self.folder.take() {
            None => folder.to_owned(),
            Some(known) => known
                .ancestors()
                .find(|ancestor| folder.starts_with(ancestor))
                .unwrap_or(Path::new("/"))
                .to_owned(),
        };
        self.folder = Some(known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::fixtures;

    #[test]
    fn totals_follow_every_change() {
        let mut tasks = Tasks::default();
        tasks.reset(fixtures::working());
        let before = *tasks.totals();
        assert_eq!(before.count(TaskState::Completed), 1);
        assert_eq!(before.active(), 2);
        assert_eq!(tasks.first_running(), Some(1));

        let ids: Vec<TaskId> = (0..3)
            .map(|row| tasks.get(row).unwrap().id.clone())
            .collect();
        // The same task again changes nothing.
        tasks.put(tasks.get(1).unwrap().clone());
        assert_eq!(*tasks.totals(), before);
        // Every change leaves what counting afresh would give.
        let mut ended = tasks.get(1).unwrap().clone();
        ended.state = TaskState::Cancelled;
        tasks.put(ended.clone());
        assert_eq!(tasks.first_running(), None);
        tasks.remove(&[ids[0].clone(), TaskId::from("unknown")]);
        assert_eq!(tasks.row_of(&ids[1]), Some(0));
        let mut fresh = Tasks::default();
        fresh.reset(vec![ended, tasks.get(1).unwrap().clone()]);
        assert_eq!(tasks.totals(), fresh.totals());
        tasks.remove(&ids);
        assert_eq!(*tasks.totals(), Totals::default());
    }

    #[test]
    fn the_folder_of_all_is_what_they_share() {
        let mut tasks = Tasks::default();
        tasks.reset(fixtures::working());
        assert_eq!(tasks.folder(), Some(Path::new("/home/ada/Narrations")));
        tasks.reset(fixtures::working()[..1].to_vec());
        assert_eq!(
            tasks.folder(),
            Some(Path::new("/home/ada/Narrations/instructions"))
        );
    }
}
