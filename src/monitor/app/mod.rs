//! What the screen knows: the model that [`App::update`] changes and [`super::view`] draws. Pure
//! state; it never reads a clock, a file or the terminal, and asks for whatever it wants done by
//! returning an [`Effect`].

mod list;
mod select;
mod tasks;
mod update;

pub(crate) use list::{ListArea, scroll};
pub(crate) use tasks::Tasks;

use ratatui::layout::Position;

use super::action::{Action, Mode};
use super::keys::Key;
use super::theme::{Role, Theme};
use super::view::Layout;
use crate::engine::{ErrorObject, SegmentId, TaskId, TaskState, TaskStatus, Timestamp};

/// Something that happened, for [`App::update`].
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(Key),
    /// The left button was pressed here.
    Click(Position),
    /// The wheel was turned here: rows down, negative up.
    Wheel(Position, i32),
    /// The terminal has another size, or time has passed: only the drawing changes.
    Tick,
    /// Everything the engine knows.
    Reset(Vec<TaskStatus>),
    /// What one task is now.
    Task(Box<TaskStatus>),
    /// These have left the registry.
    Removed(Vec<TaskId>),
    /// The engine is shutting down, whoever asked for it.
    EngineStopping,
    /// The process was asked to end, by a signal or by the loss of its terminal.
    Terminate,
    /// The engine has shut down.
    Stopped,
}

/// Something to be done outside the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Cancel this task.
    Cancel(TaskId),
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

/// A part of the screen that takes keys.
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

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentState {
    Waiting,
    Running,
    Done,
    Failed,
}

/// The model.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) tasks: Tasks,
    /// Whether the engine's tasks have been read once.
    pub(crate) loaded: bool,
    pub(crate) focus: Pane,
    pub(crate) lower: Lower,
    /// Whether the detail takes the place of the lists.
    pub(crate) zoomed: bool,
    pub(crate) help: bool,
    pub(crate) question: Option<Question>,
    pub(crate) leaving: Leaving,
    /// One line to say something once; the next key takes it away.
    pub(crate) notice: Option<String>,
    /// The row of the selected task.
    task: usize,
    /// The selected segment of it; 0 if there is none.
    segment: SegmentId,
    /// The selected row among its errors.
    error: usize,
    /// The errors of the selected task: their segments, 0 for the task's own.
    error_rows: ErrorRows,
    follow_task: bool,
    follow_segment: bool,
    pub(crate) help_scroll: usize,
    themes: Vec<Theme>,
    theme: usize,
    exit_when_done: bool,
    pub(crate) now: Timestamp,
    /// What was drawn last, for the mouse and for pages.
    pub(crate) layout: Layout,
}

/// Which segments have errors: read from the task only when their number changes.
#[derive(Debug, Default)]
struct ErrorRows {
    of: Option<(TaskId, usize, TaskState)>,
    segments: Vec<SegmentId>,
}

impl App {
    /// A model without tasks, drawn in the theme at this place.
    ///
    /// # Panics
    /// If there is no theme at all.
    pub(crate) fn new(themes: Vec<Theme>, theme: usize, exit_when_done: bool) -> Self {
        assert!(theme < themes.len(), "a theme to draw with");
        Self {
            tasks: Tasks::default(),
            loaded: false,
            focus: Pane::Queue,
            lower: Lower::Segments,
            zoomed: false,
            help: false,
            question: None,
            leaving: Leaving::No,
            notice: None,
            task: 0,
            segment: 0,
            error: 0,
            error_rows: ErrorRows::default(),
            follow_task: true,
            follow_segment: true,
            help_scroll: 0,
            themes,
            theme,
            exit_when_done,
            now: Timestamp::default(),
            layout: Layout::default(),
        }
    }

    pub(crate) fn theme(&self) -> &Theme {
        &self.themes[self.theme]
    }

    /// What has the keyboard.
    pub(crate) fn mode(&self) -> Mode {
        if self.leaving != Leaving::No {
            return Mode::Stopping;
        }
        match self.question {
            Some(Question::Quit) => Mode::AskQuit,
            Some(Question::Cancel(_)) => Mode::AskCancel,
            None if self.help => Mode::Help,
            None => Mode::Main,
        }
    }

    /// The row of the selected task.
    pub(crate) fn selected_row(&self) -> usize {
        self.task
    }

    /// The selected task.
    pub(crate) fn selected(&self) -> Option<&TaskStatus> {
        self.tasks.get(self.task)
    }

    /// The number of the selected segment, counted from 1; 0 if there is none.
    pub(crate) fn selected_segment(&self) -> SegmentId {
        match self.lower {
            Lower::Segments => self.segment,
            Lower::Errors => self.error_segment(self.error).unwrap_or(0),
        }
    }

    /// The selected row of the lower pane, and how many rows it has.
    pub(crate) fn lower_rows(&self) -> (usize, usize) {
        match self.lower {
            Lower::Segments => (
                (self.segment as usize).saturating_sub(1),
                self.selected().map_or(0, segment_count) as usize,
            ),
            Lower::Errors => (self.error, self.error_rows.segments.len()),
        }
    }

    /// The segment that this row of the errors is about; 0 for the task as a whole.
    pub(crate) fn error_segment(&self, row: usize) -> Option<SegmentId> {
        self.error_rows.segments.get(row).copied()
    }

    /// Whether the selection follows the work by itself.
    pub(crate) fn follows(&self) -> bool {
        self.follow_task && self.follow_segment
    }

    /// Whether the selected segment follows the work of its task.
    pub(crate) fn follows_segment(&self) -> bool {
        self.follow_segment
    }

    /// Whether there is anything for [`Action::Follow`] to do.
    fn can_follow(&self) -> bool {
        !self.follows() && self.tasks.first_running().is_some()
    }

    /// Whether everything there was to do is done.
    pub(crate) fn all_done(&self) -> bool {
        self.loaded && !self.tasks.is_empty() && self.tasks.totals().active() == 0
    }

    /// Whether the screen shows something that changes with time alone.
    pub(crate) fn needs_ticks(&self) -> bool {
        self.tasks.totals().count(TaskState::Processing) > 0
    }

    /// Whether this action would do anything now: the hint bar leaves the others out.
    pub(crate) fn offers(&self, action: Action) -> bool {
        let selected = self.selected();
        match action {
            Action::Cancel => selected.is_some_and(|task| !task.state.is_terminal()),
            Action::Follow => self.can_follow(),
            Action::Errors => {
                self.lower == Lower::Errors || selected.is_some_and(|task| error_count(task) > 0)
            }
            Action::SwitchPane | Action::Open => selected.is_some(),
            Action::Back => self.help || self.zoomed || self.lower == Lower::Errors,
            Action::Hurry => self.leaving == Leaving::Finishing,
            _ => true,
        }
    }
}

/// How many segments a task has, as far as is known.
pub(crate) fn segment_count(status: &TaskStatus) -> SegmentId {
    if let Some(plan) = &status.plan {
        return plan.len();
    }
    let last = status.completed_segments.iter().next_back();
    let last = last.map_or(0, |segment| segment.segment_id);
    last.max(status.current_segment.unwrap_or(0))
}

/// Where a segment stands.
pub(crate) fn segment_state(status: &TaskStatus, id: SegmentId) -> SegmentState {
    if status.errors.has(id) {
        SegmentState::Failed
    } else if status.current_segment == Some(id) {
        SegmentState::Running
    } else if status.completed_segments.get(id).is_some() {
        SegmentState::Done
    } else {
        SegmentState::Waiting
    }
}

/// Errors of a task: those of its segments, and its own if it failed.
pub(crate) fn error_count(status: &TaskStatus) -> usize {
    status.errors.len() + usize::from(task_error(status).is_some())
}

/// Why a task failed, if it did.
pub(crate) fn task_error(status: &TaskStatus) -> Option<&ErrorObject> {
    let failed = status.state == TaskState::Failed;
    status.error.as_ref().filter(|_| failed)
}

/// Whether a running task has not come to its first segment: its voice is being opened.
pub(crate) fn is_opening(status: &TaskStatus) -> bool {
    status.state == TaskState::Processing
        && status.plan.as_ref().is_some_and(|plan| !plan.is_empty())
        && status.current_segment.is_none()
        && status.made.chars == 0
        && status.errors.is_empty()
}

impl SegmentState {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Waiting => "○",
            Self::Running => "●",
            Self::Done => "✔",
            Self::Failed => "✘",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "in work",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            Self::Waiting => Role::Pending,
            Self::Running => Role::Running,
            Self::Done => Role::Done,
            Self::Failed => Role::Failed,
        }
    }
}

#[cfg(test)]
mod tests;
