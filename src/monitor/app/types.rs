//! The words that the model and its neighbours speak: what happens, what is to be done about it, and
//! the parts of the screen. Plain data; what it leads to is decided elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use super::word::{Heard, WordForm};
use super::{Detail, Fields, Form, Picker, Vitals};
use crate::model::{HistoryEntry, SegmentId, TaskId, TaskStatus};
use crate::monitor::action::Action;
use crate::monitor::keymap::Keymap;
use crate::monitor::keys::Key;
use crate::monitor::services::{Completion, Defaults, LogLine, VoiceChoice};
use crate::narrate::NewNarration;
use crate::service::{Corrected, Correction, Submitted};
use jiff::tz::TimeZone;

/// Something that happened, for [`super::App::update`].
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(Key),
    /// The left button was pressed on this.
    Click(Spot),
    /// The wheel was turned over this: rows down, negative up.
    Wheel(Spot, i32),
    /// The terminal handed over a text.
    Paste(String),
    /// The terminal has another size, or time has passed: only the drawing changes.
    Tick,
    /// Everything the engine knows.
    Reset(Vec<TaskStatus>),
    /// What one task is now.
    Task(Box<TaskStatus>),
    /// The same of some: what is decided by all of them is decided once.
    Tasks(Vec<TaskStatus>),
    /// These have left the registry.
    Removed(Vec<TaskId>),
    /// Whether the queue begins nothing new.
    QueuePaused(bool),
    /// The engine is shutting down, whoever asked for it.
    EngineStopping,
    /// The process was asked to end, by a signal or by the loss of its terminal.
    Terminate,
    /// The engine has shut down.
    Stopped,
    /// What an effect has to say to a person.
    Said(String),
    /// What became of a new narration.
    Added(Result<Submitted, String>),
    /// What came of a word that is to be said otherwise in a task, or would come of it.
    Corrected(TaskId, Correction, Result<Corrected, String>),
    /// Words were spoken, or not.
    Heard(Box<Heard>),
    /// What became of a retry.
    Retried(Result<TaskId, String>),
    /// The voices that can be chosen.
    Voices(Vec<VoiceChoice>),
    /// What the typed path could become.
    Completed(String, Completion),
    /// What a closer look at a segment has found.
    Looked(Box<Detail>),
    /// The narrations that have ended, newest first.
    History(Result<Vec<HistoryEntry>, String>),
    /// The last lines of the log.
    Log(Vec<LogLine>),
    /// How the program does.
    Vitals(Box<Vitals>),
}

/// Something to be done outside the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Cancel this task.
    Cancel(TaskId),
    /// Cancel everything that has not ended.
    CancelAll,
    /// Try an ended task again, and make these segments again.
    Retry(TaskId, Vec<SegmentId>),
    /// Have it spoken by this voice.
    Render(TaskId, String),
    /// Try everything again that failed or was cancelled.
    RetryAll,
    /// Let go of everything that is held back.
    ResumeAll,
    /// Hold a task back, or let it go on.
    Pause(TaskId, bool),
    /// Begin nothing new, or go on.
    PauseQueue(bool),
    /// Run a waiting task one place sooner, or later.
    Shift { task: TaskId, sooner: bool },
    /// Submit a new narration.
    Add(Box<NewNarration>),
    /// Find the voices that can be chosen.
    FindVoices,
    /// Find what a path could become.
    Complete(String),
    /// Let a voice be heard.
    Preview { voice: String, speed: f32 },
    /// Say a word otherwise in a task, or find out what would come of it.
    Correct(TaskId, Correction),
    /// Speak these words, which are what is said.
    Hear {
        voice: Arc<str>,
        speed: f32,
        spoken: String,
    },
    /// Play a file, or stop doing so.
    Play(PathBuf),
    /// Show a folder.
    OpenFolder(PathBuf),
    /// Take away what the tour has put in the way of a clip.
    ClearTheWay(PathBuf),
    /// Put a text on the clipboard, by the terminal.
    Copy(String),
    /// Look closer at a segment.
    Look(Box<Detail>),
    /// Read the narrations that have ended.
    ReadHistory,
    /// Read the log.
    ReadLog,
    /// Find out how the program does.
    Measure,
    /// Have another process go on with the work that is ended here next.
    HandOver,
    /// Shut the engine down, letting the segment in work finish.
    Stop,
    /// Shut it down without waiting any longer.
    Hurry,
    /// Give the terminal back and stop the process until it is continued.
    Suspend,
    /// Draw everything afresh.
    Redraw,
    /// Leave.
    Quit,
}

/// What is under the pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Something that can be clicked.
    pub(crate) button: Option<Action>,
    /// The list to choose from.
    pub(crate) choice: Option<Place>,
    /// A line of a form, from 0.
    pub(crate) field: Option<usize>,
    /// One of the values that can be chosen in it, from 0.
    pub(crate) value: Option<usize>,
    /// The queue.
    pub(crate) queue: Option<Place>,
    /// The list below it, or the one that the page is.
    pub(crate) lower: Option<Place>,
    /// What has the room of the lists.
    pub(crate) is_zoom: bool,
}

/// A place in a list's pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Row(usize),
    Beside,
}

impl Place {
    pub(crate) fn row(self) -> Option<usize> {
        match self {
            Self::Row(row) => Some(row),
            Self::Beside => None,
        }
    }
}

/// How many rows of each list are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pages {
    pub(crate) queue: usize,
    /// The list below it, or the one that the page is.
    pub(crate) lower: usize,
    /// The list to choose from.
    pub(crate) choices: usize,
    /// Lines of what has the room of the lists.
    pub(crate) zoom: usize,
    /// Lines of the help.
    pub(crate) help: usize,
}

/// What only drawing finds out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) pages: Pages,
    /// How far the help is scrolled, which is no further than there are lines.
    pub(crate) help_scroll: usize,
    /// The same of what has the room of the lists.
    pub(crate) zoom_scroll: usize,
}

/// What the screen is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Page {
    #[default]
    Queue,
    Clips,
    Errors,
    History,
    Log,
    Health,
}

impl Page {
    pub(crate) const ALL: [Self; 6] = [
        Self::Queue,
        Self::Clips,
        Self::Errors,
        Self::History,
        Self::Log,
        Self::Health,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Queue => "Queue",
            Self::Clips => "Clips",
            Self::Errors => "Errors",
            Self::History => "History",
            Self::Log => "Log",
            Self::Health => "Health",
        }
    }

    /// The action that opens it.
    pub(crate) fn action(self) -> Action {
        match self {
            Self::Queue => Action::Queue,
            Self::Clips => Action::Clips,
            Self::Errors => Action::AllErrors,
            Self::History => Action::History,
            Self::Log => Action::Log,
            Self::Health => Action::Health,
        }
    }
}

/// A part of the queue's page that takes keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    Queue,
    Lower,
}

/// What the lower pane lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lower {
    Segments,
    Errors,
}

/// A question on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Quit,
    Cancel(TaskId),
    CancelAll,
}

/// What lies over the page.
#[derive(Clone, Debug)]
pub(crate) enum Overlay {
    Help,
    Picker(Picker),
    Form(Box<Form>),
    Word(Box<WordForm>),
}

impl Overlay {
    /// What is filled in, where it is a form.
    pub(super) fn fields(&mut self) -> Option<&mut dyn Fields> {
        match self {
            Self::Form(form) => Some(&mut **form),
            Self::Word(form) => Some(&mut **form),
            Self::Help | Self::Picker(_) => None,
        }
    }
}

/// How far leaving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Nobody asked for it.
    No,
    /// The segment in work is being finished.
    Finishing,
    /// Nothing is waited for any more.
    Hurrying,
}

/// What an action is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) task: &'a TaskStatus,
    /// [`SegmentId::TASK`] for the task as a whole.
    pub(crate) segment: SegmentId,
}

/// How a model begins.
#[derive(Debug)]
pub(crate) struct Start {
    /// The names of the themes: at least one.
    pub(crate) themes: Vec<String>,
    /// The place of the one to begin with.
    pub(crate) theme: usize,
    pub(crate) keymap: Keymap,
    pub(crate) defaults: Defaults,
    /// Leave by itself once every task has ended.
    pub(crate) exit_when_done: bool,
    /// Whether another program does the work.
    pub(crate) is_attached: bool,
    /// Where the person is, for the times on the screen.
    pub(crate) zone: TimeZone,
    /// Said on the first screen.
    pub(crate) notice: Option<String>,
}
