//! What the program does for people, whoever asks and from where: texts are added, followed and steered.
//! [`Service`] says all of it; [`Local`] does it with the engine of this process. Whoever serves it to
//! others, or shows it, knows nothing else. What may be done to what, and why not, is decided in one
//! table: [`Action`].

mod action;
mod adding;
mod correction;
mod hearing;
mod local;
mod place;
mod refusal;
mod said;
mod samples;
mod schedule;
mod sound;
mod speech;
mod submit;
mod summary;
mod terms;
mod trace;
pub(crate) mod typed;
mod voice;
mod words;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::assets::Family;
pub use crate::engine::{Health, NoMoreEvents, Stats, Subscription};
pub(crate) use crate::engine::{Interrupt, Listener, StopReason, channel};
use crate::model::{
    GroupId, GroupStatus, HistoryEntry, Limits, Priority, SegmentId, TaskId, TaskStatus,
};
use crate::narrate::{NewNarration, NewText, OtherVoices};
use crate::settings::Settings;
use crate::speech::Speaker;

pub use crate::engine::{Recurrence, RecurrenceError};
pub use action::{Action, Standing, TaskAction};
pub use adding::NarrationOrder;
pub use correction::{Corrected, Correction};
pub(crate) use hearing::Hearing;
pub use local::{Local, LogSource};
pub(crate) use place::{Place, library_tag, socket_of};
pub use refusal::{Refusal, RefusalKind};
pub(crate) use said::{Change, changes};
pub use schedule::{LastRun, Schedule, When, WrittenSchedule};
pub(crate) use schedule::{Taken, moment, to_come};
pub use sound::Sound;
pub use speech::{SpeechOrder, SpeechStream};
pub(crate) use submit::{Ready, compose_for, foreign, reference, submit, submit_with};
pub use summary::{SegmentState, SegmentView, TaskBrief, TaskSummary};
pub use terms::{RequestKey, Terms};
pub(crate) use trace::{InTrace, Traced, current_trace};
pub(crate) use voice::speaker_of;

pub(crate) use words::one_message;
#[cfg(test)]
pub(crate) use words::without_middle;

/// The number of the interface. Within one number things are only added.
pub const API: u32 = 1;

/// How many tasks or segments a page has at most.
pub const PAGE: usize = 1000;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// `aloud`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The interface that it speaks.
    pub api: u32,
    /// The oldest that it still understands.
    pub api_min: u32,
    /// Another one for each life of the service: what was numbered in one means nothing in the next.
    pub boot: String,
    /// The process.
    pub pid: u32,
    /// The library's folder.
    pub library: String,
}

/// A voice that can be chosen, or could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedVoice {
    /// What it is called.
    pub name: String,
    /// As `en_US`; `unknown` if its maker did not say.
    pub language: String,
    /// As `medium`; `unknown` if its maker did not say.
    pub quality: String,
    /// How many speakers it has, if that is known.
    pub speakers: Option<u32>,
    /// Whether it can be used now.
    pub installed: bool,
    /// Its kind of model; `None` only from a program that does not tell yet.
    pub family: Option<Family>,
    /// How good its makers say it is, from `A` down, if they say.
    pub grade: Option<String>,
    /// What else one should know of it, as `unchecked`.
    pub note: Option<String>,
    /// Bytes to be fetched before it can be used, others that come with it included; `None` if it is there.
    #[serde(default)]
    pub fetch_bytes: Option<u64>,
}

/// How a text is narrated where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NarrationDefaults {
    /// A voice's name, or the path of its `.onnx`.
    pub voice: String,
    /// 1.0 is the voice's own pace.
    pub speed: f32,
    /// Which of the voice's speakers; `None` is its first.
    pub speaker: Option<Speaker>,
}

impl NarrationDefaults {
    /// What these settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            voice: settings.voice.clone(),
            speed: settings.speed,
            speaker: settings.speaker.clone(),
        }
    }

    /// This text, narrated so.
    #[must_use]
    pub fn narrate(self, text: NewText) -> NewNarration {
        NewNarration {
            text,
            written_as: None,
            voice: self.voice,
            speed: self.speed,
            speaker: self.speaker,
            others: OtherVoices::default(),
            priority: Priority::default(),
            limits: Limits::default(),
        }
    }
}

/// A narration that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its task.
    pub id: TaskId,
    /// Whether an earlier run had begun it.
    pub continued: bool,
    /// What a person should know of how the text was read: what was found out, or is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A line of the program's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number among all lines of this process, from 1; 0 if it has none.
    #[serde(default)]
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// `ERROR`, `WARN`, `INFO` or `DEBUG`.
    pub level: String,
    /// What it says, with its fields.
    pub text: String,
    /// The task that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

impl LogLine {
    /// When, by the clock on the wall here: `12:34:56`.
    #[must_use]
    pub fn clock(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.time).unwrap_or_default();
        let zone = jiff::tz::TimeZone::system();
        time.to_zoned(zone).strftime("%H:%M:%S").to_string()
    }
}

/// What came of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Tasks that it has changed: of a retry, the new ones.
    pub tasks: Vec<TaskId>,
    /// What could not be done, where some could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// What a person should know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Done {
    /// What was done to one task, or has become one.
    fn of(task: TaskId) -> Self {
        Self {
            tasks: vec![task],
            ..Self::default()
        }
    }
}

/// The name under which narrations can be asked for, as operations are.
pub const NARRATE: &str = "narrate";

/// An operation of the embedding program that is public, with what it is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicCall {
    /// Its name.
    pub operation: String,
    /// What it is to do.
    pub parameters: Value,
    /// How urgent it is.
    pub priority: Priority,
}

/// What recurs.
#[derive(Clone, Debug, PartialEq)]
pub enum Recurring {
    /// A text: its file is read anew each time, and what has not changed is not narrated again.
    Narration(NarrationOrder),
    /// An operation.
    Operation(PublicCall),
}

/// The service. Any thread may ask; what takes longer than a look says so. Whatever is asked may be
/// refused: the service may be another process, which may have ended.
pub trait Service: Send + Sync {
    /// Who answers.
    fn info(&self) -> Info;

    /// The tasks that are known, in the order in which they were submitted: at most `limit` of them,
    /// after the one that is named.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such task.
    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskSummary>, Refusal>;

    /// All of them.
    ///
    /// # Errors
    /// [`Refusal`]: one that a page ended with was cleaned away before the next was asked for, or the
    /// service does not answer any more.
    fn all_tasks(&self) -> Result<Vec<TaskSummary>, Refusal> {
        let mut all: Vec<TaskSummary> = Vec::new();
        loop {
            let after = all.last().map(|task| task.id.clone());
            let page = self.tasks(after.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// All of them, for a list that a person reads: many times less than [`Self::all_tasks`].
    ///
    /// # Errors
    /// [`Refusal`]: as [`Self::all_tasks`].
    fn briefs(&self) -> Result<Vec<TaskBrief>, Refusal> {
        Ok(self.all_tasks()?.iter().map(TaskBrief::from).collect())
    }

    /// One task.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such task.
    fn task(&self, id: &TaskId) -> Result<TaskSummary, Refusal>;

    /// Some segments of a task, from this one on: at most `limit`.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such task.
    fn segments(
        &self,
        id: &TaskId,
        from: SegmentId,
        limit: usize,
    ) -> Result<Vec<SegmentView>, Refusal>;

    /// Numbers of the whole.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn stats(&self) -> Result<Stats, Refusal>;

    /// Whether it is well.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn health(&self) -> Result<Health, Refusal>;

    /// Whether nothing begins until the queue is resumed.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn is_queue_paused(&self) -> Result<bool, Refusal>;

    /// The narrations that have ended, the last ones first. Reads the disk.
    ///
    /// # Errors
    /// [`Refusal`]: the disk could not be read.
    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, Refusal>;

    /// The voices: those that are installed first. Reads the disk.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn voices(&self) -> Result<Vec<ListedVoice>, Refusal>;

    /// How a text is narrated where nothing else is said: what the settings say.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn narration_defaults(&self) -> Result<NarrationDefaults, Refusal>;

    /// Whether the voice of the settings can speak. Reads the disk.
    ///
    /// # Errors
    /// [`Refusal`]: what is missing or wrong.
    fn check_voice(&self) -> Result<(), Refusal>;

    /// The last lines of the log, oldest first.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn log(&self) -> Result<Vec<LogLine>, Refusal>;

    /// Reads a text, cuts it and takes it into the queue. The same narration, unfinished or ended,
    /// continues. Takes as long as the text is, and a moment for the disk. `out` is a folder to take
    /// the place of the settings'.
    ///
    /// # Errors
    /// [`Refusal`]: what is wrong with the text, the voice or the folder.
    fn add(&self, new: &NewNarration, out: Option<&Path>) -> Result<Submitted, Refusal>;

    /// Does something with a task or with the queue. Takes a moment for the disk.
    ///
    /// # Errors
    /// [`Refusal`]: why not.
    fn act(&self, action: &Action) -> Result<Done, Refusal>;

    /// Has a word of a narration said otherwise from now on: it goes into a lexicon, and the segments of
    /// this narration that have it are made again: at once if it has begun, otherwise when it was to begin.
    /// Takes as long as the text is, a moment for the disk, and for a narration in work its end.
    ///
    /// # Errors
    /// [`Refusal`]: what is wrong with the word, what is said for it, or the lexicon; or there is no such
    /// narration any more.
    fn correct(&self, id: &TaskId, correction: &Correction) -> Result<Corrected, Refusal>;

    /// What recurs, by name.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn schedules(&self) -> Result<Vec<Schedule>, Refusal>;

    /// Has what is called so recur no more; a run of it that waits or is in work continues. Takes a moment
    /// for the disk.
    ///
    /// # Errors
    /// [`Refusal`]: nothing recurs under this name, or the disk did not take it.
    fn remove_schedule(&self, name: &str) -> Result<(), Refusal>;

    /// Ends the service after the segment in work; what is unfinished continues at the next start.
    /// Returns at once.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn shut_down(&self) -> Result<(), Refusal>;
}

/// A service that can be followed: how everything stands is at hand, and what happens is told as it
/// happens.
pub trait Live: Service {
    /// What happens from now on. It ends with the service.
    fn events(&self) -> Subscription;

    /// Every task, in the order in which they were submitted, as far as is known here. Waits for
    /// nothing.
    fn statuses(&self) -> Vec<TaskStatus>;

    /// One task, as far as is known here. Waits for nothing.
    fn status(&self, id: &TaskId) -> Option<TaskStatus>;

    /// A person looks at this task: where not all of it is at hand, it is brought, and
    /// [`Event::Missed`](crate::model::Event::Missed) is told when it is there.
    fn look_at(&self, _id: &TaskId) {}
}

/// A service whose work is done in this process, with all that others may ask it for: it has the files.
pub trait Host: Live {
    /// [`Service::add`] under these terms. One that was there already keeps those that it has.
    ///
    /// # Errors
    /// [`Refusal`]: as [`Service::add`], and [`RefusalKind::Conflict`] if the key was given to something
    /// else before.
    fn add_on(
        &self,
        new: &NewNarration,
        out: Option<&Path>,
        terms: &Terms,
    ) -> Result<Submitted, Refusal>;

    /// Submits an operation that is public. One that is not is refused like one that does not exist.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such public operation; or as [`Self::add_on`].
    fn perform(&self, call: &PublicCall, terms: &Terms) -> Result<Submitted, Refusal>;

    /// Has something recur, under its name in the place of what recurred under that before; without a name,
    /// under one that is made of what it does. Of the terms only those are taken that each run can have.
    ///
    /// # Errors
    /// [`Refusal`]: it can't be done, or can't recur, or the name is taken by something of the embedding
    /// program.
    fn schedule(
        &self,
        task: &Recurring,
        recurrence: &Recurrence,
        name: Option<&str>,
        terms: &Terms,
    ) -> Result<Schedule, Refusal>;

    /// How the tasks of a group stand.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such group.
    fn group(&self, id: &GroupId) -> Result<GroupStatus, Refusal>;

    /// The clip of a segment. Opens a file.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such task or clip, or its file is gone.
    fn clip(&self, id: &TaskId, segment: SegmentId) -> Result<Sound, Refusal>;

    /// The joined file of a narration, or its part with this number, from 1. Opens a file, and reads the
    /// history for a narration that has left the queue.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such task or part, it is not joined yet, or its file is gone.
    fn audio(&self, id: &TaskId, part: usize) -> Result<Sound, Refusal>;

    /// Has a text spoken to someone who waits for it, before everything else; what is narrated meanwhile
    /// makes room, and goes on by itself afterwards. Reads the disk, and returns before the first sound.
    ///
    /// # Errors
    /// [`Refusal`]: what is wrong with the text, the voice or the speed, of which the error's details name
    /// the `field`; [`RefusalKind::Full`] if too many listen already.
    fn speak(&self, order: &SpeechOrder) -> Result<SpeechStream, Refusal>;

    /// The names of voices that an order for speech may have. Reads the disk.
    ///
    /// # Errors
    /// [`Refusal`]: the service does not answer any more.
    fn speech_voices(&self) -> Result<Vec<String>, Refusal>;
}
