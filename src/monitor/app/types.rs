//! The words that the model and its neighbours speak: what happens, what is to be done about it, and
//! the parts of the screen. Plain data; what it leads to is decided elsewhere.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use ratatui::layout::Position;

use super::{Detail, Form, Picker, Vitals};
use crate::model::{HistoryEntry, SegmentId, TaskId, TaskStatus};
use crate::monitor::action::Action;
use crate::monitor::keymap::Keymap;
use crate::monitor::keys::Key;
use crate::monitor::services::{Completion, Defaults, LogLine, VoiceChoice};
use crate::monitor::theme::Theme;
use crate::narrate::NewNarration;

/// Something that happened, for [`super::App::update`].
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(Key),
    /// The left button was pressed here.
    Click(Position),
    /// The wheel was turned here: rows down, negative up.
    Wheel(Position, i32),
    /// The terminal handed over a text.
    Paste(String),
    /// The terminal has another size, or time has passed: only the drawing changes.
    Tick,
    /// Everything the engine knows.
    Reset(Vec<TaskStatus>),
    /// What one task is now.
    Task(Box<TaskStatus>),
    /// A segment has a clip.
    Clip(TaskId, SegmentId),
    /// A segment has an error; 0 is the task as a whole.
    Failed(TaskId, SegmentId),
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
    Added(Result<TaskId, String>),
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
    /// At least one.
    pub(crate) themes: Vec<Theme>,
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
