//! Which waiting task is next: urgency, priorities, pauses, delays and dependencies. A pure structure
//! over sequence numbers; it knows no task, no clock and no thread. Every call costs a logarithm of the
//! number of waiting tasks at most, and what concerns urgent ones their number.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Priority;

/// Tasks that are held back together: those of one breaker, and those that nobody here can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    #[default]
    Free,
    Breaker(Arc<str>),
    NoOperation,
}

/// Who goes before whom, whatever their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Someone waits for it now. A paused queue does not hold it back.
    Urgent,
    /// It made room for one of those, and continues before the others.
    Next,
    #[default]
    ByPlace,
}

/// Where a task stands among those that may run: the smallest is next.
type Standing = (Turn, i64, u64);

/// What keeps a waiting task from running.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    turn: Turn,
    rank: i64,
    /// Not before this moment.
    due: Option<Duration>,
    /// Tasks that must end before.
    waits_for: usize,
    paused: bool,
    lane: Lane,
}

impl Slot {
    fn is_ready(&self) -> bool {
        self.due.is_none() && self.waits_for == 0 && !self.paused
    }

    /// From here on its place decides, unless it is urgent.
    fn lose_turn(&mut self) {
        if self.turn == Turn::Next {
            self.turn = Turn::ByPlace;
        }
    }
}

/// Below every place that follows from a number and a priority: those that were moved to the front stand
/// there.
const FRONT: i64 = -1_000_000;
/// How many can be moved to the front together and keep their order.
const STEP: i64 = 1 << 20;

/// Whether it was moved to the front, before all that had no such wish.
pub(super) fn is_front(rank: i64) -> bool {
    rank < FRONT
}

/// The waiting tasks.
#[derive(Default)]
pub(super) struct Queue {
    slots: BTreeMap<u64, Slot>,
    /// Those that may run, by lane: a few lanes, however many tasks.
    ready: BTreeMap<Lane, BTreeSet<Standing>>,
    blocked: BTreeSet<Lane>,
    delayed: BTreeSet<(Duration, u64)>,
    /// Who waits for the end of a task.
    dependants: BTreeMap<u64, Vec<u64>>,
    paused: bool,
    /// The best place that was ever asked for.
    best: i64,
}

/// A task that comes into the queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    pub priority: Priority,
    /// Not before this moment; one in the past is as good as none.
    pub due: Option<Duration>,
    /// The tasks that must end before.
    pub after: &'a [u64],
    pub paused: bool,
    /// Where it was moved to; otherwise its place follows from its number and its priority.
    pub rank: Option<i64>,
    pub turn: Turn,
    pub lane: Lane,
}

impl Queue {
    pub(super) fn add(&mut self, seq: u64, place: Place<'_>) {
        let order = i64::try_from(seq).unwrap_or(i64::MAX);
        let overtakes = place.priority.number() * i64::from(Priority::OVERTAKES);
        let rank = place.rank.unwrap_or(order - overtakes);
        self.best = self.best.min(rank);
        for &dependency in place.after {
            self.dependants.entry(dependency).or_default().push(seq);
        }
        if let Some(due) = place.due {
            self.delayed.insert((due, seq));
        }
        self.slots.insert(
            seq,
            Slot {
                turn: place.turn,
                rank,
                due: place.due,
                waits_for: place.after.len(),
                paused: place.paused,
                lane: place.lane,
            },
        );
        self.make_ready(seq);
    }

    /// Hands out the next task that may run now.
    pub(super) fn take(&mut self, now: Duration) -> Option<u64> {
        let (_, _, seq) = self.next(now)?;
        self.remove(seq);
        Some(seq)
    }

    /// Whether a task may run now.
    pub(super) fn has_ready(&mut self, now: Duration) -> bool {
        self.next(now).is_some()
    }

    fn next(&mut self, now: Duration) -> Option<Standing> {
        self.release(now);
        self.first()
    }

    /// Who may run next, of those that are not delayed.
    pub(super) fn first(&self) -> Option<Standing> {
        let first = self.open_lanes().filter_map(|tasks| tasks.first().copied());
        let next = first.min()?;
        (!self.paused || next.0 == Turn::Urgent).then_some(next)
    }

    /// How many urgent tasks may run now.
    pub(super) fn urgent(&self) -> usize {
        let is_urgent = |standing: &&Standing| standing.0 == Turn::Urgent;
        let lanes = self.open_lanes();
        lanes
            .map(|tasks| tasks.iter().take_while(is_urgent).count())
            .sum()
    }

    fn open_lanes(&self) -> impl Iterator<Item = &BTreeSet<Standing>> {
        let lanes = self.ready.iter();
        let open = lanes.filter(|(lane, _)| !self.blocked.contains(lane));
        open.map(|(_, tasks)| tasks)
    }

    /// Holds the tasks of a lane back, or releases them.
    pub(super) fn set_blocked(&mut self, lane: &Lane, blocked: bool) {
        if blocked {
            self.blocked.insert(lane.clone());
        } else {
            self.blocked.remove(lane);
        }
    }

    /// When the next delayed task is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.delayed.first().map(|&(due, _)| due)
    }

    /// Forgets a waiting task.
    pub(super) fn remove(&mut self, seq: u64) {
        let Some(slot) = self.slots.remove(&seq) else {
            return;
        };
        self.unready(&slot, seq);
        if let Some(due) = slot.due {
            self.delayed.remove(&(due, seq));
        }
    }

    /// Releases those that waited for a task; it has ended as it should.
    pub(super) fn fulfil(&mut self, dependency: u64) {
        for seq in self.dependants.remove(&dependency).unwrap_or_default() {
            self.change(seq, |slot| {
                slot.waits_for = slot.waits_for.saturating_sub(1);
            });
        }
    }

    /// Those that waited for a task that did not end as it should.
    pub(super) fn fail(&mut self, dependency: u64) -> Vec<u64> {
        let mut dependants = self.dependants.remove(&dependency).unwrap_or_default();
        dependants.retain(|seq| self.slots.contains_key(seq));
        dependants
    }

    /// Holds a waiting task back, or releases it. Returns whether that changed anything.
    pub(super) fn set_paused(&mut self, seq: u64, paused: bool) -> bool {
        let before = self.slots.get(&seq).map(|slot| slot.paused);
        self.change(seq, |slot| {
            slot.paused = paused;
            slot.lose_turn();
        });
        before.is_some_and(|before| before != paused)
    }

    /// Holds all waiting tasks back but the urgent ones, or releases them.
    pub(super) fn set_all_paused(&mut self, paused: bool) {
        self.paused = paused;
        let is_early = |standing: &&Standing| standing.0 < Turn::ByPlace;
        let lanes = self.ready.values();
        let early = lanes.flat_map(|tasks| tasks.iter().take_while(is_early));
        // Whoever is held back for long is one of many again.
        for seq in early.map(|&(_, _, seq)| seq).collect::<Vec<_>>() {
            self.change(seq, Slot::lose_turn);
        }
    }

    /// Whether all waiting tasks but the urgent ones are held back.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Changes places with the task before or after it among those that may run, if places decide
    /// between the two. Returns the one it changed places with.
    pub(super) fn shift(&mut self, seq: u64, up: bool) -> Option<u64> {
        let slot = self.slots.get(&seq).filter(|slot| slot.is_ready())?;
        let (turn, rank) = (slot.turn, slot.rank);
        let place = (turn, rank, seq);
        let lanes = self.ready.values();
        let (other_turn, other_rank, other) = if up {
            let before = lanes.filter_map(|tasks| tasks.range(..place).next_back());
            before.max().copied()?
        } else {
            let past = (Bound::Excluded(place), Bound::Unbounded);
            let after = lanes.filter_map(|tasks| tasks.range(past).next());
            after.min().copied()?
        };
        if other_turn != turn {
            return None;
        }
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

    /// Places before every other one, for so many tasks in their order.
    pub(super) fn front(&mut self, count: usize) -> impl Iterator<Item = i64> + use<> {
        let span = i64::try_from(count).unwrap_or(i64::MAX).max(STEP);
        self.best = self.best.min(FRONT).saturating_sub(span);
        (self.best..).take(count)
    }

    /// Gives a waiting task another place.
    pub(super) fn set_rank(&mut self, seq: u64, rank: i64) {
        self.change(seq, |slot| slot.rank = rank);
    }

    /// Where a waiting task stands; smaller is sooner.
    pub(super) fn rank(&self, seq: u64) -> Option<i64> {
        self.slots.get(&seq).map(|slot| slot.rank)
    }

    /// The order of those that may run, the next one first.
    #[cfg(test)]
    pub(super) fn order(&self) -> Vec<u64> {
        let mut all: Vec<_> = self.ready.values().flatten().copied().collect();
        all.sort_unstable();
        all.into_iter().map(|(_, _, seq)| seq).collect()
    }

    /// Frees the delayed tasks whose time has come.
    pub(super) fn release(&mut self, now: Duration) {
        while let Some(&(due, seq)) = self.delayed.first() {
            if due > now {
                break;
            }
            self.delayed.pop_first();
            self.change(seq, |slot| slot.due = None);
        }
    }

    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Slot)) {
        let Some(slot) = self.slots.get(&seq) else {
            return;
        };
        let before = slot.clone();
        self.unready(&before, seq);
        if let Some(slot) = self.slots.get_mut(&seq) {
            change(slot);
        }
        self.make_ready(seq);
    }

    fn unready(&mut self, slot: &Slot, seq: u64) {
        if let Some(tasks) = self.ready.get_mut(&slot.lane)
            && tasks.remove(&(slot.turn, slot.rank, seq))
            && tasks.is_empty()
        {
            self.ready.remove(&slot.lane);
        }
    }

    fn make_ready(&mut self, seq: u64) {
        if let Some(slot) = self.slots.get(&seq)
            && slot.is_ready()
        {
            let tasks = self.ready.entry(slot.lane.clone()).or_default();
            tasks.insert((slot.turn, slot.rank, seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn place(priority: Priority) -> Place<'static> {
        Place {
            priority,
            ..Place::default()
        }
    }

    #[test]
    fn a_blocked_lane_holds_back_its_own_only() {
        let mut queue = queue(&[(1, Priority::Normal), (4, Priority::Normal)]);
        let lane = Lane::Breaker("voice".into());
        for seq in [2, 3] {
            let lane = lane.clone();
            queue.add(
                seq,
                Place {
                    lane,
                    ..Place::default()
                },
            );
        }
        queue.set_blocked(&lane, true);
        assert_eq!(
            (queue.take(NOW), queue.take(NOW), queue.take(NOW)),
            (Some(1), Some(4), None)
        );
        queue.set_blocked(&lane, false);
        assert_eq!(
            (queue.take(NOW), queue.take(NOW), queue.take(NOW)),
            (Some(2), Some(3), None)
        );
    }

    fn queue(tasks: &[(u64, Priority)]) -> Queue {
        let mut queue = Queue::default();
        for &(seq, priority) in tasks {
            queue.add(seq, place(priority));
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
        let later: Vec<u64> = (3..250_000).collect();
        for &seq in &later {
            queue.add(seq, place(Priority::High));
        }
        let order: Vec<u64> = std::iter::from_fn(|| queue.take(NOW)).collect();
        assert_eq!(order[0], 1);
        let place = |wanted| order.iter().position(|&seq| seq == wanted).unwrap();
        let overtakes = Priority::OVERTAKES as usize;
        assert!(place(0) <= overtakes && place(2) <= 2 * overtakes + 2);
        assert_eq!(order.len(), 250_000);
    }

    #[test]
    fn a_task_moves_one_place_at_a_time() {
        let mut queue = queue(&[1, 2, 3].map(|seq| (seq, Priority::Normal)));
        assert_eq!(queue.shift(3, true), Some(2));
        assert_eq!(queue.order(), [1, 3, 2]);
        assert_eq!(queue.shift(1, false), Some(3));
        assert_eq!(queue.order(), [3, 1, 2]);
        assert_eq!(queue.shift(3, true), None);
        // It has the rank of the first, which is not urgent.
        let equal = 1 + u64::from(Priority::OVERTAKES);
        queue.add(equal, place(Priority::High));
        let before = queue.order();
        let at = before.iter().position(|&seq| seq == equal).unwrap();
        assert_eq!(queue.shift(equal, true), Some(before[at - 1]));
        let after = queue.order();
        assert_ne!(before, after);
    }

    #[test]
    fn urgent_tasks_go_first_and_who_made_room_for_them_next() {
        let mut queue = queue(&[(1, Priority::High), (2, Priority::Normal)]);
        let with = |turn| Place {
            turn,
            ..Place::default()
        };
        queue.add(3, with(Turn::Next));
        queue.add(4, with(Turn::Urgent));
        queue.add(5, with(Turn::Urgent));
        assert_eq!((queue.order(), queue.urgent()), (vec![4, 5, 3, 1, 2], 2));
        for (seq, up) in [(3, true), (3, false), (1, true)] {
            assert_eq!(queue.shift(seq, up), None, "{seq}");
        }
        assert_eq!(queue.shift(2, true), Some(1));
        queue.set_all_paused(true);
        assert_eq!((queue.take(NOW), queue.take(NOW)), (Some(4), Some(5)));
        assert_eq!((queue.take(NOW), queue.urgent()), (None, 0));
        queue.set_all_paused(false);
        assert_eq!(queue.order(), [2, 1, 3], "after a pause, places decide");
    }

    #[test]
    fn the_front_is_before_all_and_the_last_wish_first() {
        let mut queue = queue(&[1, 2, 3, 4, 5].map(|seq| (seq, Priority::High)));
        for wish in [[5, 3], [4, 2]] {
            for (seq, rank) in wish.into_iter().zip(queue.front(2)) {
                assert!(is_front(rank));
                queue.set_rank(seq, rank);
            }
        }
        assert_eq!(queue.order(), [4, 2, 5, 3, 1]);
        // Nobody has to know what an earlier process gave away.
        let rank = queue.rank(4);
        let mut later = Queue::default();
        let place = Place {
            rank,
            ..Place::default()
        };
        later.add(4, place);
        assert!(later.front(1).next() < rank);
        assert!(!is_front(queue.rank(1).unwrap()));
    }

    #[test]
    fn pauses_delays_and_dependencies_hold_back() {
        let mut queue = Queue::default();
        let second = Duration::from_secs(1);
        queue.add(
            1,
            Place {
                due: Some(second),
                ..Place::default()
            },
        );
        queue.add(
            2,
            Place {
                after: &[1],
                ..Place::default()
            },
        );
        queue.add(
            3,
            Place {
                paused: true,
                ..Place::default()
            },
        );
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
        queue.add(
            4,
            Place {
                after: &[9],
                ..Place::default()
            },
        );
        assert_eq!(queue.fail(9), [4]);
    }
}
