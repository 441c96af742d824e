//! What the screen knows: the model that [`App::update`] changes and [`super::view`] draws. Pure
//! state; it never reads a clock, a file or the terminal, and asks for whatever it wants done by
//! returning an [`Effect`].

mod act;
mod detail;
mod fields;
mod filter;
mod form;
mod lists;
mod picker;
mod pointer;
mod scroll;
mod segment;
mod select;
mod tasks;
mod totals;
mod tour;
mod types;
mod typing;
mod update;
mod vitals;
mod word;
mod zoom;

pub(crate) use detail::{Detail, Wave};
pub(crate) use fields::Fields;
pub(crate) use form::{Field, Form};
pub(crate) use lists::{Cursor, Entry, Feed};
pub(crate) use picker::{Choice, Picker};
pub(crate) use scroll::{Moves, scroll};
pub(crate) use segment::{
    SegmentState, error_count, is_opening, joined_file, own_segment, segment_count, segment_state,
    task_error,
};
pub(crate) use tasks::Tasks;
pub(crate) use totals::{percent_of, share_done};
pub(crate) use tour::Tour;
pub use tour::TourPlan;
pub(crate) use types::{
    Drawn, Effect, Leaving, Lower, Message, Overlay, Page, Pages, Pane, Place, Question, Spot,
    Start, Target,
};
pub(crate) use vitals::{Speeds, Vitals};
pub(crate) use word::{Heard, WordField, WordForm};

use std::time::Duration;

use jiff::tz::TimeZone;
use tui_input::Input;

use self::filter::Matches;
use self::segment::has_sound;
use self::select::Whereabouts;
use self::zoom::Zoom;
use super::action::{Action, Mode};
use super::keymap::Keymap;
use super::services::{Defaults, LogLine, VoiceChoice};
use crate::model::{HistoryEntry, SegmentId, TaskId, TaskKind, TaskState, TaskStatus, Timestamp};
use crate::service::TaskAction;

/// How often the clock on the screen moves while something runs.
const TICK: Duration = Duration::from_secs(1);

/// The model.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) tasks: Tasks,
    /// Whether the engine's tasks have been read once.
    pub(crate) loaded: bool,
    pub(crate) page: Page,
    pub(crate) focus: Pane,
    pub(crate) lower: Lower,
    /// Whether the detail takes the place of the lists.
    pub(crate) zoomed: bool,
    /// How far that is scrolled.
    pub(crate) zoom: Zoom,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) question: Option<Question>,
    pub(crate) leaving: Leaving,
    /// Whether another program does the work, which goes on when this one leaves.
    pub(crate) is_attached: bool,
    /// Whether leaving was asked for here: the engine may be shutting down for somebody else.
    asked_to_leave: bool,
    /// One line to say something once; the next key takes it away.
    pub(crate) notice: Option<String>,
    /// Since when.
    noticed: Timestamp,
    /// Whether the queue begins nothing new.
    pub(crate) queue_paused: bool,
    /// What the list with the keys is filtered for, while it is being typed.
    pub(crate) filter: Option<Input>,
    /// Where a person was when it was opened.
    before_filter: Option<Whereabouts>,
    pub(crate) clips: Feed,
    pub(crate) errors: Feed,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) history_cursor: Cursor,
    pub(crate) log: Vec<LogLine>,
    pub(crate) log_cursor: Cursor,
    log_read: Timestamp,
    pub(crate) vitals: Option<Vitals>,
    pub(crate) speeds: Speeds,
    pub(crate) detail: Detail,
    /// When a closer look was asked for last.
    looked: Timestamp,
    pub(crate) tour: Option<Tour>,
    /// The selected task.
    task: Option<TaskId>,
    /// The row where it was seen last: where to go on if it goes.
    row: usize,
    /// The selected segment of it; 0 if there is none.
    segment: SegmentId,
    /// Only these segments of it are seen.
    segments: Option<Matches>,
    /// The selected row among its errors.
    error: usize,
    /// The errors of the selected task: their segments, [`SegmentId::TASK`] for its own.
    error_rows: ErrorRows,
    follow_task: bool,
    follow_segment: bool,
    pub(crate) help_scroll: usize,
    /// The names of the themes.
    themes: Vec<String>,
    theme: usize,
    pub(crate) keymap: Keymap,
    defaults: Defaults,
    voices: Vec<VoiceChoice>,
    pub(crate) exit_when_done: bool,
    /// Whether the work can go on in another process.
    pub(crate) can_hand_over: bool,
    /// Whether it will.
    pub(crate) hands_over: bool,
    /// Nobody is there any more who could let go of what is held back.
    pub(crate) is_unattended: bool,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    /// How many rows of each list were seen last.
    pages: Pages,
}

/// Which segments have errors: read from the task only when their number changes.
#[derive(Debug, Default)]
struct ErrorRows {
    of: Option<(TaskId, usize, TaskState)>,
    segments: Vec<SegmentId>,
}

impl App {
    /// A model without tasks.
    ///
    /// # Panics
    /// If there is no theme at that place.
    pub(crate) fn new(start: Start) -> Self {
        assert!(start.theme < start.themes.len(), "a theme to draw with");
        Self {
            tasks: Tasks::default(),
            loaded: false,
            page: Page::Queue,
            focus: Pane::Queue,
            lower: Lower::Segments,
            zoomed: false,
            zoom: Zoom::default(),
            overlay: None,
            question: None,
            leaving: Leaving::No,
            is_attached: start.is_attached,
            asked_to_leave: false,
            notice: start.notice,
            noticed: Timestamp::default(),
            queue_paused: false,
            filter: None,
            before_filter: None,
            clips: Feed::default(),
            errors: Feed::default(),
            history: Vec::new(),
            history_cursor: Cursor::at_start(),
            log: Vec::new(),
            log_cursor: Cursor::at_end(),
            log_read: Timestamp::default(),
            vitals: None,
            speeds: Speeds::default(),
            detail: Detail::default(),
            looked: Timestamp::default(),
            tour: None,
            task: None,
            row: 0,
            segment: SegmentId::TASK,
            segments: None,
            error: 0,
            error_rows: ErrorRows::default(),
            follow_task: true,
            follow_segment: true,
            help_scroll: 0,
            themes: start.themes,
            theme: start.theme,
            keymap: start.keymap,
            defaults: start.defaults,
            voices: Vec::new(),
            exit_when_done: start.exit_when_done,
            can_hand_over: false,
            hands_over: false,
            is_unattended: false,
            zone: start.zone,
            now: Timestamp::default(),
            pages: Pages::default(),
        }
    }

    /// The place of the theme to draw with.
    pub(crate) fn theme(&self) -> usize {
        self.theme
    }

    /// What has the keyboard.
    pub(crate) fn mode(&self) -> Mode {
        if self.leaving != Leaving::No {
            return Mode::Stopping;
        }
        match (&self.question, &self.overlay) {
            (Some(Question::Quit), _) => Mode::AskQuit,
            (Some(_), _) => Mode::Ask,
            (None, Some(Overlay::Help)) => Mode::Help,
            (None, Some(Overlay::Picker(picker))) if picker.choice.is_of_voices() => {
                Mode::PickVoice
            }
            (None, Some(Overlay::Picker(_))) => Mode::Pick,
            (None, Some(Overlay::Form(_))) => Mode::Form,
            (None, Some(Overlay::Word(_))) => Mode::Word,
            (None, None) if self.filter.is_some() => Mode::Filter,
            (None, None) => Mode::Main,
        }
    }

    /// The row of the selected task; its last one if it is not seen.
    pub(crate) fn selected_row(&self) -> usize {
        let row = self.task.as_ref().and_then(|id| self.tasks.row_of(id));
        row.unwrap_or(self.row)
    }

    /// The selected task.
    pub(crate) fn selected(&self) -> Option<&TaskStatus> {
        self.tasks.by_id(self.task.as_ref()?)
    }

    /// The number of the selected segment, or [`SegmentId::TASK`] if there is none.
    pub(crate) fn selected_segment(&self) -> SegmentId {
        match self.lower {
            Lower::Segments if self.segments.as_ref().is_some_and(|some| some.len() == 0) => {
                SegmentId::TASK
            }
            Lower::Segments => self.segment,
            Lower::Errors => self.error_segment(self.error).unwrap_or(SegmentId::TASK),
        }
    }

    /// What the actions are about: the selected task or segment of this page.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        let of = |entry: &Entry| {
            let task = self.tasks.by_id(&entry.task)?;
            let segment = entry.segment;
            Some(Target { task, segment })
        };
        match self.page {
            Page::Queue => {
                let task = self.selected()?;
                let segment = match self.focus {
                    Pane::Queue => SegmentId::TASK,
                    Pane::Lower => self.selected_segment(),
                };
                Some(Target { task, segment })
            }
            Page::Clips => self.clips.selected().and_then(of),
            Page::Errors => self.errors.selected().and_then(of),
            Page::History | Page::Log | Page::Health => None,
        }
    }

    /// The segment whose detail is seen: of the queue's page the selected one, whatever has the
    /// keys.
    pub(crate) fn shown_segment(&self) -> Option<Target<'_>> {
        match self.page {
            Page::Queue => {
                let (task, segment) = (self.selected()?, self.selected_segment());
                Some(Target { task, segment })
            }
            _ => self.target(),
        }
    }

    /// The narration of the past that is selected.
    pub(crate) fn selected_past(&self) -> Option<&HistoryEntry> {
        let row = self.history_cursor.source(self.history_cursor.row)?;
        self.history.get(row).filter(|_| self.page == Page::History)
    }

    /// The selected row of the lower pane, and how many rows it has.
    pub(crate) fn lower_rows(&self) -> (usize, usize) {
        match (self.lower, &self.segments) {
            (Lower::Segments, None) => (
                self.segment.index().unwrap_or(0),
                self.selected().map_or(0, segment_count) as usize,
            ),
            (Lower::Segments, Some(some)) => {
                let row = some.place(self.segment.index().unwrap_or(0));
                (row.min(some.len().saturating_sub(1)), some.len())
            }
            (Lower::Errors, _) => (self.error, self.error_rows.segments.len()),
        }
    }

    /// The segment in this row of the lower pane.
    pub(crate) fn segment_at(&self, row: usize) -> SegmentId {
        let row = match &self.segments {
            Some(some) => some.get(row).unwrap_or(row),
            None => row,
        };
        SegmentId::at(row)
    }

    /// The segment that this row of the errors is about; [`SegmentId::TASK`] for the task as a whole.
    pub(crate) fn error_segment(&self, row: usize) -> Option<SegmentId> {
        self.error_rows.segments.get(row).copied()
    }

    /// What the segments of the selected task are filtered for.
    pub(crate) fn segment_filter(&self) -> Option<&str> {
        Some(self.segments.as_ref()?.needle().text())
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
        match self.page {
            Page::Queue => !self.follows() && self.tasks.first_running().is_some(),
            Page::History => false,
            _ => self.cursor().is_some_and(|cursor| !cursor.follows),
        }
    }

    /// Whether a running task is on its way back to its place, because it or the queue is paused.
    pub(crate) fn is_pausing(&self, task: &TaskStatus) -> bool {
        task.state == TaskState::Processing
            && task.kind == TaskKind::Narration
            && (task.paused || self.queue_paused)
    }

    /// Whether everything there was to do is done.
    pub(crate) fn all_done(&self) -> bool {
        self.loaded && !self.tasks.is_empty() && self.tasks.totals().active() == 0
    }

    /// Whether there is work that continues by itself: what is held back waits for a person.
    pub(crate) fn goes_on(&self) -> bool {
        self.tasks.first_running().is_some()
            || (!self.queue_paused && self.tasks.totals().waiting() > 0)
    }

    /// How often the screen changes with time alone, if it does.
    pub(crate) fn ticks(&self) -> Option<Duration> {
        if self.tour.is_some() {
            return Some(tour::BEAT);
        }
        let running = self.tasks.totals().count(TaskState::Processing) > 0;
        running.then_some(TICK)
    }

    /// Whether this action would do anything now: the hint bar leaves the others out, the palette
    /// shows them as not ready.
    pub(crate) fn offers(&self, action: Action) -> bool {
        let target = self.target();
        let may = |what: TaskAction| {
            target
                .as_ref()
                .is_some_and(|it| what.check(it.task).is_ok())
        };
        match action {
            Action::Cancel => may(TaskAction::Cancel),
            Action::CancelAll => self.tasks.totals().active() > 0,
            Action::Retry => {
                let again = TaskAction::Retry(Vec::new());
                match self.selected_past() {
                    Some(past) => again.check(past).is_ok(),
                    None => target.as_ref().is_some_and(|it| {
                        again.check(it.task).is_ok() && !self.tasks.was_retried(it.task)
                    }),
                }
            }
            Action::OtherVoice => {
                self.selected_past().is_some() || may(TaskAction::Render(String::new(), None))
            }
            Action::RetryAll => {
                let totals = self.tasks.totals();
                totals.count(TaskState::Failed) + totals.count(TaskState::Cancelled) > 0
            }
            Action::Pause => may(TaskAction::Pause) || may(TaskAction::Resume),
            Action::MoveUp => may(TaskAction::Sooner),
            Action::MoveDown => may(TaskAction::Later),
            Action::Play => {
                self.selected_past().is_some() || target.is_some_and(|target| has_sound(target))
            }
            Action::OpenFolder | Action::CopyPath => {
                self.selected_past().is_some()
                    || target.is_some_and(|target| target.task.folder.is_some())
            }
            Action::Follow => self.can_follow(),
            Action::Errors => {
                self.page == Page::Queue
                    && (self.lower == Lower::Errors
                        || self.selected().is_some_and(|task| error_count(task) > 0))
            }
            Action::SwitchPane => self.page == Page::Queue && self.selected().is_some(),
            Action::Open => target.is_some() || self.selected_past().is_some(),
            Action::Back => {
                matches!(self.overlay, Some(Overlay::Help))
                    || self.zoomed
                    || self.page != Page::Queue
                    || self.lower == Lower::Errors
                    || self.is_filtered()
            }
            Action::Filter => self.page != Page::Health,
            Action::Pronounce => self.word_target().is_some(),
            Action::Complete => {
                matches!(&self.overlay, Some(Overlay::Form(form)) if form.field == Field::Text)
            }
            // A pause of the queue ends with the program.
            Action::LeaveRunning => self.can_hand_over && !self.queue_paused && self.goes_on(),
            Action::Hurry => self.leaving == Leaving::Finishing,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
