//! Groups of tasks, such as a book and its chapters, with a status of their own. Kept up to date by
//! differences: a change of one task costs the same however many are in its group.

use std::collections::HashMap;

use crate::model::{GroupId, GroupStatus, TaskState, TaskStatus};

/// What a task contributes to its group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Contribution {
    state: TaskState,
    current: u64,
    total: u64,
    audio_seconds: f64,
}

impl Contribution {
    pub(super) fn of(status: &TaskStatus) -> Self {
        Self {
            state: status.state,
            // What has no total has no share that could be compared.
            current: status.progress.current.min(status.progress.total),
            total: status.progress.total,
            audio_seconds: status.audio_seconds,
        }
    }
}

#[derive(Default)]
struct Sums {
    counts: [usize; TaskState::ALL.len()],
    current: u64,
    total: u64,
    audio_seconds: f64,
}

/// All groups that have tasks.
#[derive(Default)]
pub(super) struct Groups {
    sums: HashMap<GroupId, Sums>,
}

impl Groups {
    /// Replaces what a task contributed; `None` for a task that comes or goes.
    pub(super) fn update(
        &mut self,
        id: &GroupId,
        before: Option<Contribution>,
        after: Option<Contribution>,
    ) {
        let sums = self.sums.entry(id.clone()).or_default();
        if let Some(share) = before {
            sums.counts[share.state as usize] -= 1;
            sums.current -= share.current;
            sums.total -= share.total;
            sums.audio_seconds -= share.audio_seconds;
        }
        if let Some(share) = after {
            sums.counts[share.state as usize] += 1;
            sums.current += share.current;
            sums.total += share.total;
            sums.audio_seconds += share.audio_seconds;
        }
        if sums.counts.iter().all(|&count| count == 0) {
            self.sums.remove(id);
        }
    }

    pub(super) fn status(&self, id: &GroupId) -> Option<GroupStatus> {
        let sums = self.sums.get(id)?;
        let [pending, processing, completed, failed, cancelled] = sums.counts;
        let ended = completed + failed + cancelled;
        let state = match (pending, processing) {
            (0, 0) if failed > 0 => TaskState::Failed,
            (0, 0) if cancelled > 0 => TaskState::Cancelled,
            (0, 0) => TaskState::Completed,
            (_, 0) if ended == 0 => TaskState::Pending,
            _ => TaskState::Processing,
        };
        Some(GroupStatus {
            id: id.clone(),
            state,
            counts: sums.counts,
            current: sums.current,
            total: sums.total,
            audio_seconds: sums.audio_seconds,
        })
    }
}
