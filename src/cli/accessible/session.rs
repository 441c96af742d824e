//! What is said and asked while it runs. Everything that happens comes through [`Session::take`],
//! one thing after the other; it is the only one that prints. It never waits for the model, a voice
//! or a player.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::Incoming;
use super::commands::parse;
use super::jobs::{BackgroundJobs, Errand, Outcome};
use super::leave::{Leaving, Question};
use super::lines::Lines;
use super::numbers::TaskNumbers;
use super::words;
use crate::cli::desk::Desk;
use crate::model::{Event, ShutdownWait, TaskId, TaskState, TaskStatus};
use crate::service::Live;
use crate::settings::Settings;

/// How much is said while something is in work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Beginnings, ends and errors.
    Quiet,
    /// Each quarter, too.
    Normal,
    /// Every segment, in place of quarters.
    Every,
}

/// One conversation.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) desk: Arc<Desk>,
    pub(super) jobs: BackgroundJobs,
    pub(super) lines: Lines,
    pub(super) numbers: TaskNumbers,
    pub(super) verbosity: Verbosity,
    /// The task that was spoken of last.
    pub(super) focus: Option<TaskId>,
    pub(super) question: Option<Question>,
    pub(super) leaving: Leaving,
    pub(super) has_lost_terminal: bool,
    /// The thread that ends the work.
    pub(super) helpers: Vec<JoinHandle<()>>,
}

impl Session {
    pub(super) fn new(
        settings: Settings,
        desk: Arc<Desk>,
        jobs: BackgroundJobs,
        lines: Lines,
    ) -> Self {
        Self {
            settings,
            desk,
            jobs,
            lines,
            numbers: TaskNumbers::default(),
            verbosity: Verbosity::Normal,
            focus: None,
            question: None,
            leaving: Leaving::No,
            has_lost_terminal: false,
            helpers: Vec::new(),
        }
    }

    /// Whoever does the work.
    pub(super) fn service(&self) -> &dyn Live {
        self.desk.service()
    }

    pub(super) fn is_queue_paused(&self) -> bool {
        // Whoever is followed has it at hand.
        self.service().is_queue_paused().unwrap_or_default()
    }

    /// How many tasks are in work, and how many wait.
    pub(super) fn open_tasks(&self) -> (u64, u64) {
        let count = |tasks: &[TaskStatus], state| {
            tasks.iter().filter(|task| task.state == state).count() as u64
        };
        let tasks = self.service().statuses();
        (
            count(&tasks, TaskState::Processing),
            count(&tasks, TaskState::Pending),
        )
    }

    /// Says what is there, and how to go on.
    pub(super) fn begin(&mut self) {
        let tasks = self.service().statuses();
        let open = tasks.iter().filter(|task| !task.state.is_terminal());
        let queue = match open.count() as u64 {
            0 => "The queue is empty.".to_owned(),
            open => format!("{} in the queue.", words::count(open, "narration")),
        };
        self.lines
            .say(&format!("{queue} Type help and Enter for help."));
        if self.is_queue_paused() {
            self.lines.say("The queue is paused.");
        }
        self.catch_up(&tasks);
    }

    /// Whether the loop is to end.
    pub(super) fn has_left(&self) -> bool {
        self.leaving == Leaving::Now
    }

    /// Takes one thing in, and says what there is to be said about it.
    pub(super) fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Line(line) => self.take_line(&line),
            Incoming::LineTooLong => self
                .lines
                .say("That line is too long to be a command; nothing was done."),
            Incoming::InputEnded { for_good: false } => {
                if self.leaving != Leaving::Stopping {
                    self.ask_quit();
                }
            }
            Incoming::InputEnded { for_good: true } => self.finish_alone(),
            Incoming::TerminalLost => self.lose_terminal(),
            Incoming::Event(event) => self.take_event(event),
            Incoming::WorkEnded => self.leaving = Leaving::Now,
            Incoming::Done(outcome) => self.take_outcome(outcome),
        }
        if self.leaving == Leaving::WhenDone && self.jobs.waiting == 0 && !self.has_work_left() {
            self.stop(ShutdownWait::Now);
        }
    }

    fn take_line(&mut self, line: &str) {
        if self.leaving == Leaving::Stopping {
            return self.hurry(line);
        }
        if let Some(question) = self.question.take() {
            return self.take_answer(question, line);
        }
        match parse(line) {
            Ok(command) => self.obey(&command),
            Err(why) => self.lines.say(&why),
        }
    }

    fn take_event(&mut self, event: Event) {
        let status = event.task().and_then(|id| self.service().status(id));
        match (event, status) {
            (Event::Missed { .. }, _) => {
                let tasks = self.service().statuses();
                self.catch_up(&tasks);
            }
            (Event::ShuttingDown, _) if self.leaving != Leaving::Stopping => {
                self.leaving = Leaving::Stopping;
                self.question = None;
                self.lines
                    .say("A signal came: the segment in work is finished, then this ends.");
            }
            (Event::Removed { task }, _) => self.numbers.forget(&task),
            (event, Some(task)) => self.take_change(&event, &task),
            (Event::Ended { task, state, .. }, None) => {
                let news = self.numbers.end_forgotten(&task, state);
                self.say_end(news);
            }
            // Told where it was asked for, or gone already.
            _ => {}
        }
    }

    /// Something happened to a task.
    fn take_change(&mut self, event: &Event, task: &TaskStatus) {
        let number = self.numbers.number(task);
        let mut news = Vec::new();
        match event {
            Event::Started { .. } => {
                self.focus = Some(task.id.clone());
                news.extend(self.numbers.begin(task));
            }
            Event::SegmentCompleted { segment, .. } => {
                if self.verbosity == Verbosity::Every {
                    news.push(words::segment_done(number, task, segment));
                }
                news.extend(self.quarter(task));
            }
            Event::Progress { .. } => news.extend(self.quarter(task)),
            Event::SegmentFailed {
                segment_id, error, ..
            } => {
                news.push(words::error(number, task, *segment_id, error));
                news.extend(self.quarter(task));
            }
            Event::Requeued { .. } => {
                self.numbers.wait_again(task);
                if self.leaving != Leaving::Stopping {
                    let is_paused = task.paused || self.is_queue_paused();
                    news.push(words::waits_again(number, task, is_paused));
                }
            }
            Event::Ended { .. } => {
                self.focus = Some(task.id.clone());
                let news = self.numbers.end(task);
                self.say_end(news);
            }
            _ => {}
        }
        self.lines.say_all(news);
    }

    /// Says that a task has ended, and whether it was the last.
    fn say_end(&mut self, news: impl IntoIterator<Item = String>) {
        let mut news = news.into_iter().peekable();
        let is_news = news.peek().is_some();
        self.lines.say_all(news);
        if is_news && self.numbers.open() == 0 {
            self.lines.say("Everything is done: the queue is empty.");
        }
    }

    /// What to say of a task's progress.
    fn quarter(&mut self, task: &TaskStatus) -> Option<String> {
        let news = self.numbers.advance(task);
        news.filter(|_| self.verbosity == Verbosity::Normal)
    }

    /// Says what is news, after events may have been missed.
    fn catch_up(&mut self, tasks: &[TaskStatus]) {
        for task in tasks {
            self.numbers.number(task);
        }
        for task in tasks {
            let news = self.numbers.catch_up(task);
            if task.state.is_terminal() {
                self.say_end(news);
            } else {
                self.lines.say_all(news);
            }
        }
    }

    fn take_outcome(&mut self, outcome: Outcome) {
        self.jobs.waiting -= 1;
        match outcome {
            Outcome::Said(sentence) => self.lines.say(&sentence),
            Outcome::Added(Err(why)) => self.lines.say(&format!("Nothing was added: {why}")),
            Outcome::Added(Ok(submitted)) => {
                let Some(task) = self.service().status(&submitted.id) else {
                    return;
                };
                let number = self.numbers.number(&task);
                let title = words::title(&task.title);
                let all = words::count(task.progress.total, "segment");
                let done = task.completed_segments.len();
                self.lines.say(&if submitted.continued {
                    format!(
                        "That is task {number}: {title}, {done} of {all} are there from before."
                    )
                } else {
                    format!("Added as task {number}: {title}, {all}.")
                });
            }
        }
    }

    /// Has something done that may take a while.
    pub(super) fn give(&mut self, errand: Errand) {
        if !self.jobs.give(errand) {
            self.lines
                .say("Too much at once: wait until what was asked for is done.");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for helper in self.helpers.drain(..) {
            // It only waits for the work, which has ended.
            let _ = helper.join();
        }
    }
}
