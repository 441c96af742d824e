//! The tasks by the numbers a person knows them by, and what was said of each. A number belongs to
//! one task as long as the program runs: what was heard a minute ago still holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::words;
use crate::model::{TaskId, TaskState, TaskStatus};

/// What was said of a task.
pub(super) struct Known {
    pub(super) id: TaskId,
    title: Arc<str>,
    /// Whether it was said that it has come into work.
    begun: bool,
    /// Whether it was said that it has ended.
    ended: bool,
    /// The last quarter of its progress that was passed.
    quarter: u64,
    /// How many errors it had when that was last looked at.
    errors: usize,
}

/// Every task that was heard of and is still known to the engine.
#[derive(Default)]
pub(super) struct TaskNumbers {
    tasks: BTreeMap<u32, Known>,
    numbers: HashMap<TaskId, u32>,
    /// How many numbers were given.
    last: u32,
    /// How many tasks are not known to have ended.
    open: usize,
}

impl TaskNumbers {
    /// The number of a task; its first, if this is the first time.
    pub(super) fn number(&mut self, task: &TaskStatus) -> u32 {
        if let Some(number) = self.numbers.get(&task.id) {
            return *number;
        }
        self.last += 1;
        self.open += 1;
        self.numbers.insert(task.id.clone(), self.last);
        self.tasks.insert(
            self.last,
            Known {
                id: task.id.clone(),
                title: Arc::clone(&task.title),
                begun: false,
                ended: false,
                quarter: quarter(task),
                errors: task.errors.len(),
            },
        );
        self.last
    }

    /// The task with this number.
    pub(super) fn get(&self, number: u32) -> Option<&Known> {
        self.tasks.get(&number)
    }

    /// How many tasks are not known to have ended.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// The engine has forgotten it.
    pub(super) fn forget(&mut self, id: &TaskId) {
        if let Some(number) = self.numbers.remove(id)
            && let Some(known) = self.tasks.remove(&number)
            && !known.ended
        {
            self.open -= 1;
        }
    }

    /// It has come into work: what to say, unless it was said.
    pub(super) fn begin(&mut self, task: &TaskStatus) -> Option<String> {
        let number = self.number(task);
        let known = self.tasks.get_mut(&number)?;
        if std::mem::replace(&mut known.begun, true) {
            return None;
        }
        known.quarter = quarter(task);
        Some(words::begins(number, task))
    }

    /// It waits again: that it begins is news the next time.
    pub(super) fn wait_again(&mut self, task: &TaskStatus) {
        let number = self.number(task);
        if let Some(known) = self.tasks.get_mut(&number) {
            known.begun = false;
        }
    }

    /// It has come further: what to say, if a quarter is full that was not. The last one is its end.
    pub(super) fn advance(&mut self, task: &TaskStatus) -> Option<String> {
        let number = self.number(task);
        let known = self.tasks.get_mut(&number)?;
        known.errors = task.errors.len();
        let now = quarter(task);
        if now <= known.quarter {
            return None;
        }
        known.quarter = now;
        (now < 4 && !known.ended).then(|| words::quarter(number, task))
    }

    /// It has ended: what to say, unless it was said.
    pub(super) fn end(&mut self, task: &TaskStatus) -> Vec<String> {
        let number = self.number(task);
        match self.tasks.get_mut(&number) {
            Some(known) if !known.ended => {
                known.ended = true;
                self.open -= 1;
                words::ended(number, task)
            }
            _ => Vec::new(),
        }
    }

    /// It has ended and the engine has forgotten it already: what to say, unless it was said.
    pub(super) fn end_forgotten(&mut self, id: &TaskId, state: TaskState) -> Option<String> {
        let number = *self.numbers.get(id)?;
        let known = self.tasks.get_mut(&number).filter(|known| !known.ended)?;
        known.ended = true;
        self.open -= 1;
        Some(words::ended_forgotten(number, &known.title, state))
    }

    /// Everything that is news in a fresh copy, after events were missed.
    pub(super) fn catch_up(&mut self, task: &TaskStatus) -> Vec<String> {
        let number = self.number(task);
        let before = self.get(number).map_or(0, |known| known.errors);
        if task.state.is_terminal() {
            return self.end(task);
        }
        let mut news = Vec::new();
        if task.state == TaskState::Processing {
            news.extend(self.begin(task));
        }
        news.extend(self.advance(task));
        if task.errors.len() > before {
            let errors = words::count(task.errors.len() as u64, "error");
            let title = words::title(&task.title);
            news.push(format!(
                "Task {number}, {title}, has {errors} now; type errors {number} to hear them."
            ));
        }
        news
    }
}

/// How many quarters of it are full.
fn quarter(task: &TaskStatus) -> u64 {
    u64::from(task.progress.percentage()) / 25
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Options, Submission, Work};

    /// A task that waits in an engine of its own.
    fn waiting() -> (tempfile::TempDir, Engine, TaskId) {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(Options::new(folder.path())).unwrap();
        let work = Work::closure("A story", |_| Ok("done".into()));
        let id = engine.submit(Submission::new(work).paused()).unwrap();
        (folder, engine, id)
    }

    #[test]
    fn each_quarter_is_said_once_and_after_missed_events_what_is_true_now() {
        let (_folder, engine, id) = waiting();
        let mut numbers = TaskNumbers::default();
        let mut said = Vec::new();
        for done in 0..=8 {
            engine.update_progress(&id, done, 8, None);
            let task = engine.task_status(&id).unwrap();
            said.extend(numbers.advance(&task));
            assert_eq!(numbers.advance(&task), None);
        }
        let beginnings = [25, 50, 75].map(|p| format!("Task 1 is at {p} percent: A story, "));
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said.iter()
                .zip(&beginnings)
                .all(|(said, begin)| said.starts_with(begin))
        );

        engine.add_error(&id, 3, "too long");
        let task = engine.task_status(&id).unwrap();
        let news = numbers.catch_up(&task);
        assert_eq!(
            news,
            ["Task 1, A story, has 1 error now; type errors 1 to hear them."]
        );
        assert!(numbers.catch_up(&task).is_empty());

        assert_eq!(numbers.open(), 1);
        let _ = engine.cancel_task(&id);
        let task = engine.task_status(&id).unwrap();
        assert!(numbers.catch_up(&task)[0].starts_with("Task 1 is cancelled: A story, "));
        assert!(numbers.catch_up(&task).is_empty() && numbers.open() == 0);
        numbers.forget(&id);
        assert!(numbers.get(1).is_none() && numbers.number(&task) == 2);
    }
}
