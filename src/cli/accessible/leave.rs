//! Questions and their answers, and the ways to leave: at once, after the segment in work, when
//! everything is done, when nobody can type any more. Whichever it is, the end of the engine's
//! events is the end of the conversation.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use super::commands::{Answer, Asked, Verb, answer, choices, parse};
use super::session::Session;
use super::words;
use crate::model::{ShutdownWait, TaskId, TaskState, TaskStatus};
use crate::service::{Action, TaskAction};
use crate::settings::OnHangup;

/// How many unfinished narrations are named at the end.
const NAMED: usize = 20;

/// What was asked and not yet answered.
#[derive(Clone, Debug)]
pub(super) enum Question {
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
pub(super) enum Leaving {
    No,
    /// As soon as nothing is left to do.
    WhenDone,
    /// The work is being ended.
    Stopping,
    /// It has.
    Now,
}

impl Session {
    pub(super) fn ask_cancel(&mut self, number: u32, task: &TaskStatus) {
        let made = task.completed_segments.len() as u64;
        if task.state == TaskState::Pending && made == 0 {
            self.cancel_now(&task.id);
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
        let (processing, pending) = self.open_tasks();
        match processing + pending {
            0 => self.lines.say("There is nothing to cancel."),
            open => {
                let tasks = words::count(open, "task");
                let question = format!("Cancel everything, {tasks}? What is made stays.");
                self.ask(Question::CancelAll, &question);
            }
        }
    }

    pub(super) fn ask_quit(&mut self) {
        let (processing, pending) = self.open_tasks();
        let is_idle = processing + pending == 0 && self.jobs.waiting == 0;
        if is_idle || self.desk.is_attached() {
            // What recurs needs someone who works; where nothing does, nobody is started.
            self.desk.hand_over();
            return self.stop(ShutdownWait::Now);
        }
        let question = format!(
            "Quit? {} in work and {} waiting.",
            words::count(processing, "narration"),
            pending
        );
        self.ask(Question::Quit, &question);
    }

    fn ask(&mut self, question: Question, words: &str) {
        self.lines
            .say(&format!("{words} {}", choices(question.asked())));
        self.question = Some(question);
    }

    pub(super) fn take_answer(&mut self, question: Question, line: &str) {
        let Some(answer) = answer(question.asked(), line) else {
            self.lines
                .say(&format!("That is no answer. {}", choices(question.asked())));
            self.question = Some(question);
            return;
        };
        match (answer, question) {
            (Answer::Yes, Question::Cancel(id)) => {
                if !self.cancel_now(&id) {
                    self.lines.say("It has ended in the meantime.");
                }
            }
            (Answer::Yes, _) => {
                // It refuses nothing.
                let _ = self.service().act(&Action::CancelAll);
            }
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

    /// Whether anything can still be worked on: what is held back would be waited for without end.
    pub(super) fn has_work_left(&self) -> bool {
        let (processing, pending) = self.open_tasks();
        if processing > 0 {
            return true;
        }
        if pending == 0 || self.is_queue_paused() {
            return false;
        }
        // In the order of submission: what a task waits for stands before it.
        let mut held = HashSet::new();
        for task in self.service().statuses() {
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
    pub(super) fn finish_alone(&mut self) {
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

    pub(super) fn lose_terminal(&mut self) {
        self.has_lost_terminal = true;
        if matches!(self.leaving, Leaving::Stopping | Leaving::Now) {
            return;
        }
        if self.settings.on_hangup == OnHangup::Finish && !self.desk.is_attached() {
            tracing::warn!("the terminal is gone: working on to the end without it");
            return self.finish_alone();
        }
        tracing::warn!("the terminal is gone: finishing the segment in work, then leaving");
        if self.settings.on_hangup == OnHangup::HandOver {
            self.desk.hand_over();
        }
        self.stop(ShutdownWait::Segments(self.settings.shutdown_timeout));
    }

    /// While the engine shuts down only one thing can be said.
    pub(super) fn hurry(&mut self, line: &str) {
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

    /// Asks for the end of a task; whether there was something to be ended.
    fn cancel_now(&self, id: &TaskId) -> bool {
        let action = Action::Task {
            task: id.clone(),
            what: TaskAction::Cancel,
        };
        self.service().act(&action).is_ok()
    }

    /// Ends the work, or the look at another program's. The end of its events is the end of the loop.
    pub(super) fn stop(&mut self, wait: ShutdownWait) {
        self.leaving = Leaving::Stopping;
        self.question = None;
        let desk = Arc::clone(&self.desk);
        let helper = thread::Builder::new()
            .name("aloud-shutdown".to_owned())
            .spawn(move || {
                desk.stop(wait);
            });
        match helper {
            Ok(helper) => self.helpers.push(helper),
            Err(error) => {
                tracing::error!(%error, "no thread could be started");
                self.desk.stop(wait);
            }
        }
    }

    /// What has become of the work, once it has ended here.
    pub(super) fn farewell(&mut self) {
        if self.desk.is_attached() {
            return self.lines.say(match self.desk.end() {
                Some(_) => "The aloud that worked the queue has ended. Goodbye.",
                None => "The work goes on in another aloud. Goodbye.",
            });
        }
        let tasks = self.service().statuses();
        let open: Vec<_> = tasks
            .iter()
            .filter(|task| !task.state.is_terminal())
            .collect();
        let when = if self.desk.is_handed_over() {
            "in the background"
        } else {
            "at the next start"
        };
        for task in open.iter().take(NAMED) {
            let number = self.numbers.number(task);
            let title = words::title(&task.title);
            self.lines.say(&format!(
                "Task {number} continues {when}: {title}, {} of {} are done.",
                task.completed_segments.len(),
                words::count(task.progress.total, "segment"),
            ));
        }
        if let Some(more @ 1..) = open.len().checked_sub(NAMED) {
            let tasks = words::count(more as u64, "more task");
            self.lines.say(&format!("{tasks} will continue {when}."));
        }
        self.lines.say("Goodbye.");
    }
}
