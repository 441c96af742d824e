//! What is said and asked while it runs. Everything that happens comes through [`Session::take`],
//! one thing after the other; it is the only one that prints. It never waits for the model, a voice
//! or a player.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Incoming;
use super::commands::{Answer, Asked, Verb, answer, choices, parse};
use super::errands::{Errand, Errands, Outcome};
use super::lines::Lines;
use super::roster::Roster;
use super::words;
use crate::cli::desk::Desk;
use crate::engine::{Engine, Event, ShutdownWait, TaskId, TaskState, TaskStatus};
use crate::settings::{OnHangup, Settings};

/// How many unfinished narrations are named at the end.
const NAMED: usize = 20;

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

/// What was asked and not yet answered.
#[derive(Clone, Debug)]
enum Question {
    Cancel(TaskId),
    CancelAll,
    Quit,
}

impl Question {
    fn asked(&self) -> Asked {
        match self {
            Self::Cancel(_) | Self::CancelAll => Asked::YesNo,
            Self::Quit => Asked::Quit,
        }
    }
}

/// Whether it is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    No,
    /// As soon as nothing is left to do.
    WhenDone,
    /// The engine is shutting down.
    Stopping,
    /// It has.
    Now,
}

/// One conversation.
pub(super) struct Session {
    pub(super) engine: Engine,
    pub(super) settings: Settings,
    pub(super) desk: Arc<Desk>,
    errands: Errands,
    pub(super) lines: Lines,
    pub(super) roster: Roster,
    pub(super) verbosity: Verbosity,
    /// The task that was spoken of last.
    pub(super) focus: Option<TaskId>,
    /// What was played last.
    pub(super) playing: Option<PathBuf>,
    question: Option<Question>,
    leaving: Leaving,
    has_lost_terminal: bool,
    /// The thread that shuts the engine down.
    helpers: Vec<JoinHandle<()>>,
}

impl Session {
    pub(super) fn new(
        engine: Engine,
        settings: Settings,
        desk: Arc<Desk>,
        errands: Errands,
        lines: Lines,
    ) -> Self {
        Self {
            engine,
            settings,
            desk,
            errands,
            lines,
            roster: Roster::default(),
            verbosity: Verbosity::Normal,
            focus: None,
            playing: None,
            question: None,
            leaving: Leaving::No,
            has_lost_terminal: false,
            helpers: Vec::new(),
        }
    }

    /// Says what is there, and how to go on.
    pub(super) fn begin(&mut self) {
        let tasks = self.engine.tasks();
        let open = tasks.iter().filter(|task| !task.state.is_terminal());
        let queue = match open.count() as u64 {
            0 => "The queue is empty.".to_owned(),
            open => format!("{} in the queue.", words::count(open, "narration")),
        };
        self.lines
            .say(&format!("{queue} Type help and Enter for help."));
        if self.engine.is_queue_paused() {
            self.lines.say("The queue is held.");
        }
        self.catch_up(&tasks);
    }

    /// Whether the loop is to end.
    pub(super) fn has_left(&self) -> bool {
        self.leaving == Leaving::Now
    }

    pub(super) fn has_lost_terminal(&self) -> bool {
        self.has_lost_terminal
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
            Incoming::EngineGone => self.leaving = Leaving::Now,
            Incoming::Done(outcome) => self.take_outcome(outcome),
        }
        if self.leaving == Leaving::WhenDone && self.errands.waiting == 0 && !self.has_work_left() {
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
        let status = event.task().and_then(|id| self.engine.task_status(id));
        match (event, status) {
            (Event::Missed { .. }, _) => {
                let tasks = self.engine.tasks();
                self.catch_up(&tasks);
            }
            (Event::ShuttingDown, _) if self.leaving != Leaving::Stopping => {
                self.leaving = Leaving::Stopping;
                self.question = None;
                self.lines
                    .say("A signal came: the segment in work is finished, then this ends.");
            }
            (Event::Removed { task }, _) => self.roster.forget(&task),
            (event, Some(task)) => self.take_change(&event, &task),
            (Event::Ended { task, state, .. }, None) => {
                let news = self.roster.end_forgotten(&task, state);
                self.say_end(news);
            }
            // Told where it was asked for, or gone already.
            _ => {}
        }
    }

    /// Something happened to a task.
    fn take_change(&mut self, event: &Event, task: &TaskStatus) {
        let number = self.roster.number(task);
        let mut news = Vec::new();
        match event {
            Event::Started { .. } => {
                self.focus = Some(task.id.clone());
                news.extend(self.roster.begin(task));
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
                self.roster.wait_again(task);
                if self.leaving != Leaving::Stopping {
                    news.push(format!(
                        "Task {number}, {}, waits and will be tried again.",
                        words::title(&task.title)
                    ));
                }
            }
            Event::Ended { .. } => {
                self.focus = Some(task.id.clone());
                let news = self.roster.end(task);
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
        if is_news && self.roster.open() == 0 {
            self.lines.say("Everything is done: the queue is empty.");
        }
    }

    /// What to say of a task's progress.
    fn quarter(&mut self, task: &TaskStatus) -> Option<String> {
        let news = self.roster.advance(task);
        news.filter(|_| self.verbosity == Verbosity::Normal)
    }

    /// Says what is news, after events may have been missed.
    fn catch_up(&mut self, tasks: &[TaskStatus]) {
        for task in tasks {
            self.roster.number(task);
        }
        for task in tasks {
            let news = self.roster.catch_up(task);
            if task.state.is_terminal() {
                self.say_end(news);
            } else {
                self.lines.say_all(news);
            }
        }
    }

    fn take_outcome(&mut self, outcome: Outcome) {
        self.errands.waiting -= 1;
        match outcome {
            Outcome::Said(sentence) => self.lines.say(&sentence),
            Outcome::Added(Err(why)) => self.lines.say(&format!("Nothing was added: {why}")),
            Outcome::Added(Ok(submitted)) => {
                let Some(task) = self.engine.task_status(&submitted.id) else {
                    return;
                };
                let number = self.roster.number(&task);
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
        if !self.errands.give(errand) {
            self.lines
                .say("Too much at once: wait until what was asked for is done.");
        }
    }

    // Questions.

    pub(super) fn ask_cancel(&mut self, number: u32, task: &TaskStatus) {
        let made = task.completed_segments.len() as u64;
        if task.state == TaskState::Pending && made == 0 {
            self.engine.cancel_task(&task.id);
            return;
        }
        let stay = match made {
            0 => "It has no clips yet.".to_owned(),
            1 => "Its 1 clip stays.".to_owned(),
            made => format!("Its {made} clips stay."),
        };
        let title = words::title(&task.title);
        let question = format!("Cancel task {number}, {title}? {stay}");
        self.ask(Question::Cancel(task.id.clone()), &question);
    }

    pub(super) fn ask_cancel_all(&mut self) {
        let stats = self.engine.stats();
        match (stats.pending + stats.processing) as u64 {
            0 => self.lines.say("There is nothing to cancel."),
            open => {
                let tasks = words::count(open, "task");
                let question = format!("Cancel everything, {tasks}? What is made stays.");
                self.ask(Question::CancelAll, &question);
            }
        }
    }

    pub(super) fn ask_quit(&mut self) {
        let stats = self.engine.stats();
        let open = stats.pending + stats.processing;
        if open == 0 && self.errands.waiting == 0 {
            return self.stop(ShutdownWait::Now);
        }
        let question = format!(
            "Quit? {} in work and {} waiting.",
            words::count(stats.processing as u64, "narration"),
            stats.pending
        );
        self.ask(Question::Quit, &question);
    }

    fn ask(&mut self, question: Question, words: &str) {
        self.lines
            .say(&format!("{words} {}", choices(question.asked())));
        self.question = Some(question);
    }

    fn take_answer(&mut self, question: Question, line: &str) {
        let Some(answer) = answer(question.asked(), line) else {
            self.lines
                .say(&format!("That is no answer. {}", choices(question.asked())));
            self.question = Some(question);
            return;
        };
        match (answer, question) {
            (Answer::Yes, Question::Cancel(id)) => {
                if !self.engine.cancel_task(&id) {
                    self.lines.say("It has ended in the meantime.");
                }
            }
            (Answer::Yes, _) => self.cancel_all(),
            (Answer::No, _) => self.lines.say("Nothing is cancelled."),
            (Answer::FinishSegment, _) => {
                self.lines.say(
                    "Finishing the segment in work, then leaving. Type i and Enter to interrupt it.",
                );
                self.stop(ShutdownWait::Segments(self.settings.shutdown_timeout));
            }
            (Answer::FinishAll, _) => {
                self.lines
                    .say("Finishing everything, then leaving. Type q and Enter to choose again.");
                self.leaving = Leaving::WhenDone;
            }
            (Answer::Interrupt, _) => {
                self.lines.say("Interrupting.");
                self.stop(ShutdownWait::Now);
            }
            (Answer::Stay, _) => {
                self.leaving = Leaving::No;
                self.lines.say("Staying.");
            }
        }
    }

    fn cancel_all(&mut self) {
        // Those that wait go first, or each would begin as the one before it ends.
        let mut tasks = self.engine.tasks();
        tasks.retain(|task| !task.state.is_terminal());
        tasks.sort_by_key(|task| task.state == TaskState::Processing);
        for task in tasks {
            self.engine.cancel_task(&task.id);
        }
    }

    // Leaving.

    /// Whether anything can still be worked on: what is held back would be waited for in vain.
    fn has_work_left(&self) -> bool {
        let stats = self.engine.stats();
        if stats.processing > 0 {
            return true;
        }
        if stats.pending == 0 || self.engine.is_queue_paused() {
            return false;
        }
        // In the order of submission: what a task waits for stands before it.
        let mut held = std::collections::HashSet::new();
        for task in self.engine.tasks() {
            if task.state != TaskState::Pending {
                continue;
            }
            if !task.paused && !task.after.iter().any(|id| held.contains(id)) {
                return true;
            }
            held.insert(task.id);
        }
        false
    }

    /// Nobody can type any more: finishes everything, then leaves.
    fn finish_alone(&mut self) {
        if matches!(self.leaving, Leaving::Stopping | Leaving::Now) {
            return;
        }
        self.question = None;
        self.leaving = Leaving::WhenDone;
        if self.has_work_left() {
            self.lines
                .say("The input has ended: finishing everything, then leaving.");
        }
    }

    fn lose_terminal(&mut self) {
        self.has_lost_terminal = true;
        if matches!(self.leaving, Leaving::Stopping | Leaving::Now) {
            return;
        }
        if self.settings.on_hangup == OnHangup::Finish {
            tracing::warn!("the terminal is gone: working on to the end without it");
            return self.finish_alone();
        }
        tracing::warn!("the terminal is gone: finishing the segment in work, then leaving");
        self.stop(ShutdownWait::Segments(self.settings.shutdown_timeout));
    }

    /// While the engine shuts down only one thing can be said.
    fn hurry(&mut self, line: &str) {
        let line = line.trim();
        let is_quit = parse(line).is_ok_and(|command| command.verb == Verb::Quit);
        if is_quit || answer(Asked::Quit, line) == Some(Answer::Interrupt) {
            self.lines.say("Interrupting.");
            self.stop(ShutdownWait::Now);
        } else {
            self.lines
                .say("Already leaving. Type i and Enter to interrupt the segment in work.");
        }
    }

    /// Shuts the engine down. The end of its events is the end of the loop.
    fn stop(&mut self, wait: ShutdownWait) {
        self.leaving = Leaving::Stopping;
        self.question = None;
        let engine = self.engine.clone();
        let helper = thread::Builder::new()
            .name("aloud-shutdown".to_owned())
            .spawn(move || {
                engine.shutdown(wait);
            });
        match helper {
            Ok(helper) => self.helpers.push(helper),
            Err(error) => {
                tracing::error!(%error, "no thread to be had");
                self.engine.shutdown(wait);
            }
        }
    }

    /// What has become of the work, once the engine has shut down.
    pub(super) fn farewell(&mut self) {
        let tasks = self.engine.tasks();
        let open: Vec<_> = tasks
            .iter()
            .filter(|task| !task.state.is_terminal())
            .collect();
        for task in open.iter().take(NAMED) {
            let number = self.roster.number(task);
            let title = words::title(&task.title);
            self.lines.say(&format!(
                "Task {number} continues at the next start: {title}, {} of {} are done.",
                task.completed_segments.len(),
                words::count(task.progress.total, "segment"),
            ));
        }
        if let Some(more @ 1..) = open.len().checked_sub(NAMED) {
            let tasks = words::count(more as u64, "more task");
            self.lines
                .say(&format!("{tasks} will continue at the next start."));
        }
        self.lines.say("Goodbye.");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for helper in self.helpers.drain(..) {
            // It only waits for the engine, which has shut down.
            let _ = helper.join();
        }
    }
}
