//! The lists that grow at their end: clips and errors of all tasks, the log, the history. Each has
//! a cursor that stays on its row, or follows the end; and a filter, looked through in pieces.

use std::collections::{HashMap, HashSet};

use super::filter::{Matches, Needle};
use super::scroll::Moves;
use crate::model::{SegmentId, TaskId};

/// Where a person is in a list.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// Counted among the rows that are seen.
    pub(crate) row: usize,
    /// Stays on the last row while the list grows.
    pub(crate) follows: bool,
    pub(crate) matches: Option<Matches>,
}

impl Cursor {
    /// At the end, and staying there.
    pub(crate) fn at_end() -> Self {
        Self {
            row: 0,
            follows: true,
            matches: None,
        }
    }

    /// On the first row.
    pub(crate) fn at_start() -> Self {
        Self {
            follows: false,
            ..Self::at_end()
        }
    }

    /// Of a list that grows at its end.
    pub(crate) fn moves(&self) -> Moves {
        if self.follows {
            Moves::WithItsEnd
        } else {
            Moves::ByHandAndGrows
        }
    }

    /// How many of `len` rows are seen.
    pub(crate) fn len(&self, len: usize) -> usize {
        self.matches.as_ref().map_or(len, Matches::len)
    }

    /// The list's row behind the one that is seen here.
    pub(crate) fn source(&self, seen: usize) -> Option<usize> {
        match &self.matches {
            Some(matches) => matches.get(seen),
            None => Some(seen),
        }
    }

    /// Goes to a row, or to the last; there it follows, if this list is one that does. Whoever goes to the
    /// first row wants to stay there, though it is the last one as well.
    pub(crate) fn go_to(&mut self, row: usize, len: usize, may_follow: bool) {
        let last = self.len(len).saturating_sub(1);
        self.row = row.min(last);
        self.follows = may_follow && row > 0 && row >= last;
    }

    /// Brings the cursor in line with a list that changed.
    pub(crate) fn clamp(&mut self, len: usize) {
        let last = self.len(len).saturating_sub(1);
        self.row = if self.follows {
            last
        } else {
            self.row.min(last)
        };
    }

    /// Shows only rows with this text; all for none.
    pub(crate) fn filter(&mut self, needle: Option<Needle>) {
        self.matches = needle.map(Matches::new);
    }

    /// The list is another one now: looks for the same text in it.
    pub(crate) fn look_again(&mut self) {
        if let Some(matches) = &self.matches {
            self.matches = Some(Matches::new(matches.needle().clone()));
        }
    }
}

/// A segment of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) task: TaskId,
    /// [`SegmentId::TASK`] for the task as a whole.
    pub(crate) segment: SegmentId,
}

/// Something that segments of all tasks come to, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Feed {
    entries: Vec<Entry>,
    /// The same: a segment that comes to it again is one entry.
    known: HashSet<Entry>,
    /// How many of them each task has.
    of_task: HashMap<TaskId, usize>,
    pub(crate) cursor: Cursor,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            known: HashSet::new(),
            of_task: HashMap::new(),
            cursor: Cursor::at_end(),
        }
    }
}

impl Feed {
    pub(crate) fn all(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.cursor.len(self.entries.len())
    }

    /// The entry that is seen in this row.
    pub(crate) fn get(&self, seen: usize) -> Option<&Entry> {
        self.entries.get(self.cursor.source(seen)?)
    }

    pub(crate) fn selected(&self) -> Option<&Entry> {
        self.get(self.cursor.row)
    }

    pub(crate) fn push(&mut self, task: &TaskId, segment: SegmentId) {
        let task = task.clone();
        let entry = Entry { task, segment };
        if self.known.insert(entry.clone()) {
            *self.of_task.entry(entry.task.clone()).or_default() += 1;
            self.entries.push(entry);
        }
    }

    /// Brings it in line with a task, of which these segments have come to it and so many are in it: what
    /// is no longer so, because it is made again, goes.
    pub(crate) fn sync(
        &mut self,
        task: &TaskId,
        came: impl IntoIterator<Item = SegmentId>,
        len: usize,
        is_in: impl Fn(SegmentId) -> bool,
    ) {
        for segment in came {
            if is_in(segment) {
                self.push(task, segment);
            }
        }
        if self.of_task.get(task).copied().unwrap_or(0) > len {
            self.retain(|entry| entry.task != *task || is_in(entry.segment));
        }
    }

    /// Forgets the entries of tasks that have gone; the cursor stays on its entry.
    pub(crate) fn remove(&mut self, gone: &[TaskId]) {
        let gone: HashSet<&TaskId> = gone.iter().collect();
        self.retain(|entry| !gone.contains(&entry.task));
    }

    fn retain(&mut self, stays: impl Fn(&Entry) -> bool) {
        let selected = self.selected().cloned();
        self.entries.retain(&stays);
        self.known.retain(&stays);
        self.of_task.clear();
        for entry in &self.entries {
            *self.of_task.entry(entry.task.clone()).or_default() += 1;
        }
        self.cursor.look_again();
        if self.cursor.matches.is_none()
            && let Some(selected) = selected
            && let Some(row) = self.entries.iter().position(|entry| *entry == selected)
        {
            self.cursor.row = row;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.known.clear();
        self.of_task.clear();
        self.cursor.look_again();
    }

    /// Looks through some more rows for the filter. Returns whether all were looked at.
    pub(crate) fn look(&mut self, holds: impl Fn(&Entry, &Needle) -> bool) -> bool {
        let (entries, cursor) = (&self.entries, &mut self.cursor);
        let done = cursor.matches.as_mut().is_none_or(|matches| {
            matches.look(entries.len(), |row, needle| holds(&entries[row], needle))
        });
        cursor.clamp(entries.len());
        done
    }
}
