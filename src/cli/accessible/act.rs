//! What each command does. What takes long is an errand; what is only looked at stands in
//! [`super::look`].

use std::path::PathBuf;

use super::commands::{Command, Verb, help};
use super::defaults::Change;
use super::jobs::Errand;
use super::session::{Session, Verbosity};
use super::words::{self, heard};
use crate::cli::report::files_of;
use crate::model::{SegmentId, TaskState, TaskStatus};
use crate::narrate::NewText;
use crate::service::{Action, Correction, Done, Refusal, TaskAction, one_message};

impl Session {
    /// Carries a command out.
    pub(super) fn obey(&mut self, command: &Command) {
        match command.verb {
            Verb::Help => self.lines.say_all(help()),
            Verb::List => self.list(&command.words),
            Verb::Status => self.with_task(command, Self::status),
            Verb::Text => {
                let segment = command.segment;
                self.with_task(command, |session, number, task| {
                    session.text(number, &task, segment);
                });
            }
            Verb::Errors => self.errors(command),
            Verb::Add if command.words.is_empty() => self
                .lines
                .say("add needs the path of a text, as in add story.txt"),
            Verb::Add => self.give(Errand::Add(NewText::File(command.words.clone().into()))),
            Verb::Say => self.give(Errand::Add(NewText::Typed(command.words.clone()))),
            Verb::Correct => self.correct(command),
            Verb::Use => self.change(Change::Voice, command),
            Verb::Speed => self.change(Change::Speed, command),
            Verb::Speaker => self.change(Change::Speaker, command),
            Verb::Priority => self.change(Change::Priority, command),
            Verb::Cancel => self.with_task(command, Self::cancel),
            Verb::CancelAll => self.ask_cancel_all(),
            Verb::Retry => {
                let segment = command.segment;
                self.with_task(command, |session, number, task| {
                    session.retry(number, &task, segment);
                });
            }
            Verb::RetryAll => self.retry_all(),
            Verb::Pause => self.with_task(command, Self::pause),
            Verb::PauseQueue => self.pause_queue(),
            Verb::Sooner => self.with_task(command, |session, number, task| {
                session.shift(number, &task, true);
            }),
            Verb::Later => self.with_task(command, |session, number, task| {
                session.shift(number, &task, false);
            }),
            Verb::Play => {
                let segment = command.segment;
                self.with_task(command, |session, number, task| {
                    session.play(number, &task, segment);
                });
            }
            Verb::Voice if command.words.is_empty() => self.voices(),
            Verb::Voice => {
                let name = command.words.clone();
                self.lines.say(&format!(
                    "Preparing the voice {name}, which takes a moment."
                ));
                self.give(Errand::Voice(name));
            }
            Verb::Open => self.with_task(command, Self::open),
            Verb::Path => {
                let segment = command.segment;
                self.with_task(command, |session, number, task| {
                    session.path(number, &task, segment);
                });
            }
            Verb::History => self.history(),
            Verb::Health => self.health(),
            Verb::Log => self.log(),
            Verb::Verbosity => self.set_verbosity(&command.words),
            Verb::Quit => self.ask_quit(),
        }
    }

    fn correct(&mut self, command: &Command) {
        let parted = command.words.split_once('=');
        let parted = parted.map(|(word, said)| (word.trim(), said.trim()));
        let Some((word, said)) = parted.filter(|(word, said)| !word.is_empty() && !said.is_empty())
        else {
            return self.lines.say(
                "correct needs a word, an equals sign, and what is said for it, as in correct \
                 Leith = leeth",
            );
        };
        let correction = Correction {
            word: word.to_owned(),
            said: said.to_owned(),
            ..Correction::default()
        };
        self.with_task(command, |session, _, task| {
            session.give(Errand::Correct(task.id, correction));
        });
    }

    fn change(&mut self, what: Change, command: &Command) {
        self.give(Errand::Change(what, command.words.clone()));
    }

    /// Does something with the task of a command; without a number with the one in work, or the
    /// one that was spoken of last.
    fn with_task(&mut self, command: &Command, act: impl FnOnce(&mut Self, u32, TaskStatus)) {
        let found = match command.task {
            Some(number) => self.task(number),
            None => self
                .usual_task()
                .ok_or_else(|| "There is no task; add and the path of a text adds one.".to_owned()),
        };
        match found {
            Ok(task) => {
                let number = self.numbers.number(&task);
                self.focus = Some(task.id.clone());
                act(self, number, task);
            }
            Err(why) => self.lines.say(&why),
        }
    }

    /// The task with this number.
    pub(super) fn task(&self, number: u32) -> Result<TaskStatus, String> {
        let known = self.numbers.get(number);
        known
            .and_then(|known| self.service().status(&known.id))
            .ok_or_else(|| format!("There is no task {number}; list says the numbers."))
    }

    fn usual_task(&self) -> Option<TaskStatus> {
        let focus = || self.service().status(self.focus.as_ref()?);
        let mut tasks = self.service().statuses();
        if let Some(place) = tasks
            .iter()
            .position(|task| task.state == TaskState::Processing)
        {
            return Some(tasks.swap_remove(place));
        }
        focus().or_else(|| tasks.into_iter().next())
    }

    fn cancel(&mut self, number: u32, task: TaskStatus) {
        match TaskAction::Cancel.check(&task) {
            Ok(()) => self.ask_cancel(number, &task),
            Err(why) => self.say_of(number, why),
        }
    }

    fn retry(&mut self, number: u32, task: &TaskStatus, segment: Option<SegmentId>) {
        if let Err(why) = TaskAction::Retry(Vec::new()).check(task) {
            return self.say_of(number, why);
        }
        let segments: Vec<SegmentId> = match segment {
            Some(segment) if self.has_segment(number, task, segment) => vec![segment],
            Some(_) => return,
            None => {
                let failed = task.errors.segment_ids();
                failed.filter(|id| *id != SegmentId::TASK).collect()
            }
        };
        let again = match self.do_to(task, TaskAction::Retry(segments)) {
            Ok(done) => done.tasks.first().and_then(|id| self.service().status(id)),
            Err(refusal) => {
                let why = heard(&refusal.to_string());
                return self.lines.say(&format!("Nothing was begun: {why}"));
            }
        };
        if let Some(again) = again {
            let new = self.numbers.number(&again);
            let title = words::title(&again.title);
            self.lines.say(&format!(
                "Task {number} is tried again as task {new}: {title}."
            ));
        }
    }

    fn retry_all(&mut self) {
        // It refuses nothing as a whole.
        let done = self.service().act(&Action::RetryAll).unwrap_or_default();
        let sentence = match done.tasks.len() {
            0 if done.refused.is_empty() => "There is nothing to try again.".to_owned(),
            1 => "1 task is tried again.".to_owned(),
            tasks => format!("{tasks} tasks are tried again."),
        };
        if let Some(refusal) = done.refused.first() {
            let why = heard(&refusal.to_string());
            return self.lines.say(&format!("{sentence} Not everything: {why}"));
        }
        self.lines.say(&sentence);
    }

    fn pause(&mut self, number: u32, task: TaskStatus) {
        let (what, words) = match (task.paused, task.state) {
            (true, _) => (TaskAction::Resume, "goes on"),
            (false, TaskState::Processing) => {
                (TaskAction::Pause, "finishes its segment and is held back")
            }
            (false, _) => (TaskAction::Pause, "is held back"),
        };
        let changed = what.check(&task).and_then(|()| {
            // It has ended since it was looked at.
            self.do_to(&task, what).map_err(|_| "has already ended")
        });
        self.say_of(number, changed.map_or_else(|why| why, |_| words));
    }

    fn pause_queue(&mut self) {
        let is_paused = self.is_queue_paused();
        let action = if is_paused {
            Action::ResumeQueue
        } else {
            Action::PauseQueue
        };
        // It refuses nothing.
        let _ = self.service().act(&action);
        if is_paused {
            self.lines.say("The queue goes on.");
        } else {
            let first = if self.open_tasks().0 > 0 {
                "Pausing: the segment in work is finished first."
            } else {
                "Paused: nothing begins."
            };
            self.lines
                .say(&format!("{first} The same again lets it go on."));
        }
    }

    fn shift(&mut self, number: u32, task: &TaskStatus, sooner: bool) {
        let what = TaskAction::shift(sooner);
        if let Err(why) = what.check(task) {
            return self.say_of(number, why);
        }
        let words = match (sooner, self.do_to(task, what).is_ok()) {
            (true, true) => "runs one place sooner now",
            (true, false) => "can't run sooner",
            (false, true) => "runs one place later now",
            (false, false) => "can't run later",
        };
        self.say_of(number, words);
    }

    fn play(&mut self, number: u32, task: &TaskStatus, segment: Option<SegmentId>) {
        let Some((file, what)) = playable(task, segment) else {
            return match segment {
                Some(segment) => self.say_of(number, &format!("has no clip of segment {segment}")),
                None => self.say_of(number, "has nothing to play yet"),
            };
        };
        match self.desk.play_or_stop(&file) {
            Ok(played) => {
                if let Some(error) = played.unheard {
                    let why = heard(&one_message(&error));
                    self.lines
                        .say(&format!("What was played before was not heard: {why}"));
                }
                if played.plays {
                    let title = words::title(&task.title);
                    self.lines
                        .say(&format!("Playing task {number}, {title}, {what}."));
                } else {
                    self.lines.say("Stopped.");
                }
            }
            Err(error) => {
                let why = heard(&one_message(&error));
                self.lines.say(&format!("It can't be played: {why}"));
            }
        }
    }

    fn open(&mut self, number: u32, task: TaskStatus) {
        let Some(folder) = &task.folder else {
            return self.say_of(number, "has no folder");
        };
        match self.desk.open_folder(folder) {
            Ok(()) => self.say_of(number, "has its folder opened"),
            Err(error) => {
                let why = heard(&one_message(&error));
                self.lines.say(&format!("It can't be opened: {why}"));
            }
        }
    }

    fn set_verbosity(&mut self, words: &str) {
        let next = match (words.to_lowercase().as_str(), self.verbosity) {
            ("quiet", _) | ("", Verbosity::Every) => Verbosity::Quiet,
            ("normal", _) | ("", Verbosity::Quiet) => Verbosity::Normal,
            ("every", _) | ("", Verbosity::Normal) => Verbosity::Every,
            _ => {
                let words =
                    "verbosity takes quiet, normal or every; without one it takes the next.";
                return self.lines.say(words);
            }
        };
        self.verbosity = next;
        self.lines.say(match next {
            Verbosity::Quiet => "Quiet: beginnings, ends and errors are said.",
            Verbosity::Normal => "Normal: beginnings, each quarter, ends and errors are said.",
            Verbosity::Every => "Every: beginnings, each segment, ends and errors are said.",
        });
    }

    fn do_to(&self, task: &TaskStatus, what: TaskAction) -> Result<Done, Refusal> {
        let task = task.id.clone();
        self.service().act(&Action::Task { task, what })
    }

    /// Says something of a task, as "Task 3 has already ended."
    pub(super) fn say_of(&mut self, number: u32, words: &str) {
        self.lines.say(&format!("Task {number} {words}."));
    }

    /// Whether a task has such a segment; says so if not.
    pub(super) fn has_segment(
        &mut self,
        number: u32,
        task: &TaskStatus,
        segment: SegmentId,
    ) -> bool {
        let all = task.plan.as_ref().map_or(0, |plan| plan.len());
        let has = (1..=all).contains(&segment.get());
        if !has {
            let words = format!("has no segment {segment}; it has {all}");
            self.say_of(number, &words);
        }
        has
    }
}

/// What there is to play of a task, and what to call it: a segment, or the whole narration, or as
/// long as there is none its last clip.
fn playable(task: &TaskStatus, segment: Option<SegmentId>) -> Option<(PathBuf, String)> {
    if let Some(segment) = segment {
        return Some((clip(task, segment)?, format!("segment {segment}")));
    }
    if let Some(file) = files_of(task).into_iter().next() {
        return Some((file, "the whole narration".to_owned()));
    }
    let last = task.completed_segments.iter().next_back()?.segment_id;
    Some((
        clip(task, last)?,
        format!("segment {last}, its last so far"),
    ))
}

/// The file of a segment's clip, if there is one.
pub(super) fn clip(task: &TaskStatus, segment: SegmentId) -> Option<PathBuf> {
    let clip = task.completed_segments.get(segment)?;
    Some(match &task.folder {
        Some(folder) => folder.join(&*clip.clip),
        None => PathBuf::from(&*clip.clip),
    })
}
