//! Which waiting task is next: priorities, pauses, delays and dependencies. A pure structure over
//! sequence numbers; it knows no task, no clock and no thread. Every call costs a logarithm of the
//! number of waiting tasks at most.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::Priority;

/// What keeps a waiting task from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    rank: i64,
    /// Not before this moment.
    due: Option<Duration>,
    /// Tasks that must end before.
    waits_for: usize,
    paused: bool,
}

impl Slot {
    fn is_ready(self) -> bool {
        self.due.is_none() && self.waits_for == 0 && !self.paused
    }
}

/// The waiting tasks.
#[derive(Default)]
pub(crate) struct Queue {
    slots: BTreeMap<u64, Slot>,
    ready: BTreeSet<(i64, u64)>,
    delayed: BTreeSet<(Duration, u64)>,
    /// Who waits for the end of a task.
    dependants: BTreeMap<u64, Vec<u64>>,
    paused: bool,
}

impl Queue {
    /// Adds a task that waits for the end of others; `due` in the past is as good as none. Its
    /// rank follows from its number and its priority, unless it was moved.
    pub(crate) fn add(
        &mut self,
        seq: u64,
        priority: Priority,
        due: Option<Duration>,
        after: &[u64],
        paused: bool,
        rank: Option<i64>,
    ) {
        let order = i64::try_from(seq).unwrap_or(i64::MAX);
        let rank =
            rank.unwrap_or_else(|| order - priority.number() * i64::from(Priority::OVERTAKES));
        for &dependency in after {
            self.dependants.entry(dependency).or_default().push(seq);
        }
        if let Some(due) = due {
            self.delayed.insert((due, seq));
        }
        self.slots.insert(
            seq,
            Slot {
                rank,
                due,
                waits_for: after.len(),
                paused,
            },
        );
        self.settle(seq);
    }

    /// Hands out the next task that may run now.
    pub(crate) fn take(&mut self, now: Duration) -> Option<u64> {
        self.release(now);
        if self.paused {
            return None;
        }
        let (_, seq) = self.ready.pop_first()?;
        self.slots.remove(&seq);
        Some(seq)
    }

    /// Whether a task may run now.
    pub(crate) fn has_ready(&mut self, now: Duration) -> bool {
        self.release(now);
        !self.paused && !self.ready.is_empty()
    }

    /// When the next delayed task is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.delayed.first().map(|&(due, _)| due)
    }

    /// Forgets a waiting task.
    pub(crate) fn remove(&mut self, seq: u64) {
        let Some(slot) = self.slots.remove(&seq) else {
            return;
        };
        self.ready.remove(&(slot.rank, seq));
        if let Some(due) = slot.due {
            self.delayed.remove(&(due, seq));
        }
    }

    /// Lets those go on that waited for a task; it has ended as it should.
    pub(crate) fn fulfil(&mut self, dependency: u64) {
        for seq in self.dependants.remove(&dependency).unwrap_or_default() {
            self.change(seq, |slot| {
                slot.waits_for = slot.waits_for.saturating_sub(1);
            });
        }
    }

    /// Those that waited for a task that did not end as it should; they will wait in vain.
    pub(crate) fn fail(&mut self, dependency: u64) -> Vec<u64> {
        let mut in_vain = self.dependants.remove(&dependency).unwrap_or_default();
        in_vain.retain(|seq| self.slots.contains_key(seq));
        in_vain
    }

    /// Holds a waiting task back, or lets it go. Returns whether that changed anything.
    pub(crate) fn set_paused(&mut self, seq: u64, paused: bool) -> bool {
        let before = self.slots.get(&seq).map(|slot| slot.paused);
        self.change(seq, |slot| slot.paused = paused);
        before.is_some_and(|before| before != paused)
    }

    /// Holds all waiting tasks back, or lets them go.
    pub(crate) fn set_all_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether all waiting tasks are held back.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Changes places with the task before or after it among those that may run. Returns the one
    /// it changed places with.
    pub(crate) fn shift(&mut self, seq: u64, up: bool) -> Option<u64> {
        let rank = self.slots.get(&seq).filter(|slot| slot.is_ready())?.rank;
        let place = (rank, seq);
        let (other_rank, other) = if up {
            self.ready.range(..place).next_back().copied()?
        } else {
            self.ready
                .range((std::ops::Bound::Excluded(place), std::ops::Bound::Unbounded))
                .next()
                .copied()?
        };
        // Two that share a rank are told apart by their number only: give each one of its own.
        let (rank, other_rank) = if rank == other_rank {
            (rank + if up { 1 } else { -1 }, other_rank)
        } else {
            (rank, other_rank)
        };
        self.change(seq, |slot| slot.rank = other_rank);
        self.change(other, |slot| slot.rank = rank);
        Some(other)
    }

    /// Where a waiting task stands; smaller is sooner.
    pub(crate) fn rank(&self, seq: u64) -> Option<i64> {
        self.slots.get(&seq).map(|slot| slot.rank)
    }

    /// The order of those that may run, the next one first.
    #[cfg(test)]
    pub(crate) fn order(&self) -> Vec<u64> {
        self.ready.iter().map(|&(_, seq)| seq).collect()
    }

    fn release(&mut self, now: Duration) {
        while let Some(&(due, seq)) = self.delayed.first() {
            if due > now {
                break;
            }
            self.delayed.pop_first();
            self.change(seq, |slot| slot.due = None);
        }
    }

    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Slot)) {
        let Some(slot) = self.slots.get_mut(&seq) else {
            return;
        };
        self.ready.remove(&(slot.rank, seq));
        change(slot);
        self.settle(seq);
    }

    fn settle(&mut self, seq: u64) {
        if let Some(slot) = self.slots.get(&seq)
            && slot.is_ready()
        {
            self.ready.insert((slot.rank, seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn queue(tasks: &[(u64, Priority)]) -> Queue {
        let mut queue = Queue::default();
        for &(seq, priority) in tasks {
            queue.add(seq, priority, None, &[], false, None);
        }
        queue
    }

    #[test]
    fn urgent_tasks_overtake_but_never_starve_the_others() {
        let mut queue = queue(&[
            (0, Priority::Normal),
            (1, Priority::High),
            (2, Priority::Low),
        ]);
        let later: Vec<u64> = (3..5000).collect();
        for &seq in &later {
            queue.add(seq, Priority::High, None, &[], false, None);
        }
        let order: Vec<u64> = std::iter::from_fn(|| queue.take(NOW)).collect();
        assert_eq!(order[0], 1);
        let place = |wanted| order.iter().position(|&seq| seq == wanted).unwrap();
        let overtakes = Priority::OVERTAKES as usize;
        assert!(place(0) <= overtakes && place(2) <= 2 * overtakes + 2);
        assert_eq!(order.len(), 5000);
    }

    #[test]
    fn a_task_moves_one_place_at_a_time() {
        let mut queue = queue(&[1, 2, 3].map(|seq| (seq, Priority::Normal)));
        assert_eq!(queue.shift(3, true), Some(2));
        assert_eq!(queue.order(), [1, 3, 2]);
        assert_eq!(queue.shift(1, false), Some(3));
        assert_eq!(queue.order(), [3, 1, 2]);
        assert_eq!(queue.shift(3, true), None);
        // Equal ranks: 1001 urgent and 1 normal.
        queue.add(1001, Priority::High, None, &[], false, None);
        let before = queue.order();
        assert_eq!(
            queue.shift(1001, true),
            Some(before[before.iter().position(|&s| s == 1001).unwrap() - 1])
        );
        let after = queue.order();
        assert_ne!(before, after);
    }

    #[test]
    fn pauses_delays_and_dependencies_hold_back() {
        let mut queue = Queue::default();
        let second = Duration::from_secs(1);
        queue.add(1, Priority::Normal, Some(second), &[], false, None);
        queue.add(2, Priority::Normal, None, &[1], false, None);
        queue.add(3, Priority::Normal, None, &[], true, None);
        assert!(!queue.has_ready(NOW));
        assert_eq!(queue.next_due(), Some(second));
        assert_eq!(queue.take(second), Some(1));
        assert_eq!(queue.take(second), None);
        queue.fulfil(1);
        queue.set_all_paused(true);
        assert!(!queue.has_ready(second) && queue.is_paused());
        queue.set_all_paused(false);
        assert_eq!(queue.take(second), Some(2));
        assert!(queue.set_paused(3, false) && !queue.set_paused(3, false));
        assert_eq!(queue.take(second), Some(3));
        queue.add(4, Priority::Normal, None, &[9], false, None);
        assert_eq!(queue.fail(9), [4]);
    }
}
