//! The tasks as the screen knows them: by id, as rows in the order of the queue, and in totals that
//! are kept up with every change. A task that makes progress costs a binary search; only a fresh
//! copy of everything, a removal or a new filter goes over all rows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::filter::Needle;
use super::totals::Totals;
use crate::model::{TaskId, TaskState, TaskStatus, Timestamp};

/// Where a task stands among the others: what has ended, by its end; what runs; what waits, in the
/// order in which it will run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    phase: u8,
    order: i64,
    /// What ended together stands as it stood in the queue.
    rank: i64,
    id: TaskId,
}

impl Place {
    fn of(status: &TaskStatus) -> Self {
        let at = |time: Option<Timestamp>| time.map_or(0, |time| time.0);
        let (phase, order) = match status.state {
            TaskState::Processing => (1, at(status.started_at)),
            TaskState::Pending => (2, status.rank),
            _ => (0, at(status.completed_at)),
        };
        Self {
            phase,
            order,
            rank: status.rank,
            id: status.id.clone(),
        }
    }
}

/// Ids in the order of their places. Finding one is a binary search; a task that changes its place
/// moves pointers, which for ten thousand tasks is some microseconds.
#[derive(Debug, Default)]
struct Rows(Vec<Place>);

impl Rows {
    fn insert(&mut self, place: Place) {
        if let Err(row) = self.0.binary_search(&place) {
            self.0.insert(row, place);
        }
    }

    fn remove(&mut self, place: &Place) {
        if let Ok(row) = self.0.binary_search(place) {
            self.0.remove(row);
        }
    }
}

/// Only some of the rows: those that a text is part of.
#[derive(Debug)]
struct Filtered {
    needle: Needle,
    rows: Rows,
}

/// All tasks, in the order of the queue.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    known: HashMap<TaskId, TaskStatus>,
    rows: Rows,
    filtered: Option<Filtered>,
    totals: Totals,
    folder: Option<PathBuf>,
    /// The newest task of each folder.
    newest: HashMap<Arc<Path>, TaskId>,
    /// Tasks that were tried again: another one has taken over their folder and their clips.
    retried: HashSet<TaskId>,
}

impl Tasks {
    /// How many rows there are to see.
    pub(crate) fn len(&self) -> usize {
        self.seen().0.len()
    }

    /// How many tasks there are, seen or not.
    pub(crate) fn all(&self) -> usize {
        self.known.len()
    }

    /// Whether there is no task at all, seen or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn seen(&self) -> &Rows {
        self.filtered.as_ref().map_or(&self.rows, |some| &some.rows)
    }

    pub(crate) fn get(&self, row: usize) -> Option<&TaskStatus> {
        self.by_id(&self.seen().0.get(row)?.id)
    }

    pub(crate) fn row_of(&self, id: &TaskId) -> Option<usize> {
        let place = Place::of(self.by_id(id)?);
        self.seen().0.binary_search(&place).ok()
    }

    pub(crate) fn by_id(&self, id: &TaskId) -> Option<&TaskStatus> {
        self.known.get(id)
    }

    /// All tasks, seen or not, in the order of the queue.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &TaskStatus> {
        let rows = self.rows.0.iter();
        rows.filter_map(|place| self.by_id(&place.id))
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The folder that holds the folders of all narrations seen so far.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The first task that is running.
    pub(crate) fn first_running(&self) -> Option<&TaskStatus> {
        let rows = &self.rows.0;
        let place = rows.get(rows.partition_point(|place| place.phase == 0))?;
        self.by_id(&place.id)
            .filter(|task| task.state == TaskState::Processing)
    }

    /// Whether another task has taken over what this one had made, to do what it could not.
    pub(crate) fn was_retried(&self, task: &TaskStatus) -> bool {
        task.state != TaskState::Completed && self.is_taken_over(task)
    }

    /// Whether its clips belong to another task now.
    pub(crate) fn is_taken_over(&self, task: &TaskStatus) -> bool {
        self.retried.contains(&task.id)
    }

    fn share(&self, status: &TaskStatus) -> Totals {
        let mut share = Totals::of(status);
        if self.is_taken_over(status) {
            // A success stays one; everything else counts with the task that has it now.
            share = share.only_success();
        }
        share
    }

    /// Takes note of the newest task of a folder. Returns the one that it takes over from.
    fn take_over(&mut self, status: &TaskStatus) -> Option<TaskId> {
        let folder = status.folder.clone()?;
        let before = self.newest.get(&folder).cloned();
        if before.as_ref() == Some(&status.id) || self.retried.contains(&status.id) {
            return None;
        }
        self.newest.insert(folder, status.id.clone());
        let old = self.known.get(&before?)?;
        if !old.state.is_terminal() {
            return None;
        }
        let (id, share) = (old.id.clone(), self.share(old));
        self.totals.take(share);
        self.retried.insert(id.clone());
        Some(id)
    }

    /// What the rows are filtered for.
    pub(crate) fn filter_text(&self) -> Option<&str> {
        Some(self.filtered.as_ref()?.needle.text())
    }

    /// Shows only rows whose title or state holds this text; all for an empty one.
    pub(crate) fn filter(&mut self, text: &str) {
        self.filtered = None;
        let Some(needle) = Needle::new(text) else {
            return;
        };
        let rows = self.rows.0.iter();
        let found = rows.filter(|place| {
            self.by_id(&place.id)
                .is_some_and(|task| holds(&needle, task))
        });
        let rows = Rows(found.cloned().collect());
        self.filtered = Some(Filtered { needle, rows });
    }

    /// Takes a fresh copy of everything.
    pub(crate) fn reset(&mut self, all: Vec<TaskStatus>) {
        let needle = self.filtered.take().map(|some| some.needle);
        *self = Self::default();
        let mut rows: Vec<Place> = all.iter().map(Place::of).collect();
        rows.sort_unstable();
        self.rows = Rows(rows);
        for status in all {
            self.put(status);
        }
        if let Some(needle) = needle {
            self.filter(needle.text());
        }
    }

    /// Takes a fresh copy of one task, new or known. Returns the task that it tries again, if that
    /// is news.
    pub(crate) fn put(&mut self, status: TaskStatus) -> Option<TaskId> {
        let place = Place::of(&status);
        let taken_over = self.take_over(&status);
        self.totals.add(self.share(&status));
        let before = self.known.get(&status.id);
        match before {
            Some(before) => {
                self.totals.take(self.share(before));
                let old = Place::of(before);
                if old != place {
                    self.rows.remove(&old);
                    if let Some(some) = &mut self.filtered {
                        some.rows.remove(&old);
                    }
                }
            }
            None => {
                if let Some(folder) = status.folder.clone() {
                    self.widen(&folder);
                }
            }
        }
        if let Some(some) = &mut self.filtered {
            if holds(&some.needle, &status) {
                some.rows.insert(place.clone());
            } else {
                some.rows.remove(&place);
            }
        }
        self.rows.insert(place);
        self.known.insert(status.id.clone(), status);
        taken_over
    }

    /// Forgets tasks that have left the registry.
    pub(crate) fn remove(&mut self, ids: &[TaskId]) {
        for id in ids {
            let Some(status) = self.known.remove(id) else {
                continue;
            };
            self.totals.take(self.share(&status));
            self.retried.remove(id);
            if let Some(folder) = &status.folder
                && self.newest.get(folder) == Some(id)
            {
                self.newest.remove(folder);
            }
        }
        let known = &self.known;
        let stays = |place: &Place| known.contains_key(&place.id);
        self.rows.0.retain(stays);
        if let Some(some) = &mut self.filtered {
            some.rows.0.retain(stays);
        }
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

fn holds(needle: &Needle, task: &TaskStatus) -> bool {
    needle.is_in(&task.title) || needle.is_in(task.state.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::fixtures;

    fn ids(tasks: &Tasks) -> Vec<&str> {
        let rows = (0..tasks.len()).map(|row| tasks.get(row).unwrap().id.as_str());
        rows.collect()
    }

    #[test]
    fn totals_follow_every_change() {
        let mut tasks = Tasks::default();
        tasks.reset(fixtures::working());
        let before = *tasks.totals();
        assert_eq!(before.count(TaskState::Completed), 1);
        assert_eq!(before.active(), 2);
        let running = tasks.first_running().unwrap().clone();

        // The same task again changes nothing.
        tasks.put(running.clone());
        assert_eq!(*tasks.totals(), before);
        // Every change leaves what counting afresh would give.
        let mut ended = running;
        ended.state = TaskState::Cancelled;
        tasks.put(ended.clone());
        assert_eq!(tasks.first_running(), None);
        let all: Vec<TaskId> = (0..3)
            .map(|row| tasks.get(row).unwrap().id.clone())
            .collect();
        tasks.remove(&[TaskId::from("instructions"), TaskId::from("unknown")]);
        let mut fresh = Tasks::default();
        fresh.reset(vec![ended, tasks.get(1).unwrap().clone()]);
        assert_eq!(tasks.totals(), fresh.totals());
        assert_eq!(ids(&tasks), ids(&fresh));
        tasks.remove(&all);
        assert_eq!(*tasks.totals(), Totals::default());
    }

    #[test]
    fn what_was_tried_again_counts_once() {
        let mut tasks = Tasks::default();
        let mut all = fixtures::working();
        all[1].state = TaskState::Failed;
        tasks.reset(all);
        let clips = tasks.totals().clips;
        assert_eq!(tasks.totals().count(TaskState::Failed), 1);
        let old = tasks
            .by_id(&TaskId::from("the-lighthouse-keeper"))
            .unwrap()
            .clone();
        let mut again = old.clone();
        again.id = "again".into();
        again.state = TaskState::Pending;
        again.errors = crate::model::SegmentErrors::default();
        assert_eq!(tasks.put(again.clone()), Some(old.id.clone()));
        assert!(tasks.was_retried(&old) && !tasks.was_retried(&again));
        assert_eq!(tasks.totals().count(TaskState::Failed), 0);
        assert_eq!((tasks.totals().clips, tasks.totals().errors), (clips, 0));
        assert_eq!(tasks.put(old.clone()), None, "it stays that way");
        assert_eq!(tasks.totals().count(TaskState::Failed), 0);
        tasks.remove(&[old.id, again.id]);
        assert_eq!(tasks.totals().clips, 40);
    }

    #[test]
    fn the_time_left_is_told_once_there_is_speech_to_go_by() {
        let mut task = fixtures::narration("long", "A Title", 400);
        fixtures::start(&mut task, 1);
        let mut shown = Vec::new();
        for id in 1..=60 {
            fixtures::complete(&mut task, id);
            if id == 1 {
                // The first run of a cold model.
                task.made.work_seconds += 0.4;
            }
            let totals = Totals::of(&task);
            assert_eq!(totals.time_left().is_some(), task.time_left().is_some());
            shown.push((task.audio_seconds, totals.time_left()));
        }
        let early = shown.iter().filter(|(audio, _)| *audio < 10.0);
        assert!(early.clone().count() >= 2 && early.clone().all(|(_, left)| left.is_none()));
        let mut told = shown.iter().filter_map(|(_, left)| *left);
        let first = told.next().unwrap();
        let last = told.next_back().unwrap();
        assert!(
            first > last && first < last * 2,
            "{first:?}, at the end {last:?}"
        );
    }

    #[test]
    fn rows_stand_in_the_order_of_the_queue() {
        let mut tasks = Tasks::default();
        let mut all = fixtures::working();
        for (name, rank) in [("b", 2), ("a", 1)] {
            let mut waiting = fixtures::narration(name, name, 3);
            waiting.rank = rank;
            all.push(waiting);
        }
        tasks.reset(all);
        let first = ["instructions", "the-lighthouse-keeper", "the-night-train"];
        assert_eq!(ids(&tasks), [&first[..], &["a", "b"]].concat());
        let mut moved = tasks.by_id(&TaskId::from("b")).unwrap().clone();
        moved.rank = -1;
        tasks.put(moved.clone());
        assert_eq!(tasks.row_of(&moved.id), Some(2));

        tasks.filter("THE");
        assert_eq!(ids(&tasks), first[1..]);
        assert_eq!(tasks.row_of(&moved.id), None);
        tasks.filter("pending");
        assert_eq!(ids(&tasks), ["b", "the-night-train", "a"]);
        fixtures::start(&mut moved, 1);
        tasks.put(moved);
        assert_eq!(ids(&tasks), ["the-night-train", "a"]);
        tasks.filter(" ");
        assert_eq!(tasks.len(), 5);
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
