//! How the model changes. Every way in is [`App::update`]; keys become actions by the table and
//! nothing else, and an action does the same whether it came from a key or from the mouse.

use ratatui::layout::Position;

use super::{
    App, Effect, Leaving, Lower, Message, Pane, Question, error_count, segment_count, segment_state,
    task_error,
};
use crate::engine::{SegmentId, TaskState, Timestamp};
use crate::monitor::action::{Action, action_for};
use crate::monitor::keys::Key;
use crate::monitor::view::Layout;

impl App {
    /// Takes in what happened at `now`, and says what is to be done about it.
    pub(crate) fn update(&mut self, message: Message, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        match message {
            Message::Key(key) => self.key(key),
            Message::Click(at) => self.click(at),
            Message::Wheel(at, rows) => self.wheel(at, rows),
            Message::Tick => Vec::new(),
            Message::Reset(rows) => {
                self.loaded = true;
                let selected = self.selected().map(|status| status.id.clone());
                self.tasks.reset(rows);
                let kept = selected.and_then(|id| self.tasks.row_of(&id));
                self.task = kept.unwrap_or(self.task);
                self.tasks_changed()
            }
            Message::Task(status) => {
                self.tasks.put(*status);
                self.tasks_changed()
            }
            Message::Removed(ids) => {
                let selected = self.selected().map(|status| status.id.clone());
                self.tasks.remove(&ids);
                let kept = selected.and_then(|id| self.tasks.row_of(&id));
                self.task = kept.unwrap_or(self.task);
                self.tasks_changed()
            }
            Message::EngineStopping => {
                self.question = None;
                if self.leaving == Leaving::No {
                    return self.stop();
                }
                Vec::new()
            }
            Message::Terminate => match self.leaving {
                Leaving::No => self.stop(),
                Leaving::Finishing => self.hurry(),
                Leaving::Hurrying => Vec::new(),
            },
            Message::Stopped => vec![Effect::Quit],
        }
    }

    /// Takes note of what was drawn, so that pages, scrolling and the mouse fit it.
    pub(crate) fn drawn(&mut self, layout: Layout) {
        self.help_scroll = layout.help_scroll;
        self.layout = layout;
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        self.notice = None;
        match action_for(self.mode(), key) {
            Some(action) => self.act(action),
            None => Vec::new(),
        }
    }

    /// Does what a person asked for.
    pub(crate) fn act(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-self.page()),
            Action::PageDown => self.step(self.page()),
            Action::First => self.go_to(0),
            Action::Last => self.last(),
            Action::SwitchPane => self.switch_pane(),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Follow => self.follow(),
            Action::Errors => self.toggle_errors(),
            Action::Theme => self.next_theme(),
            Action::Help => {
                self.help = true;
                self.help_scroll = 0;
            }
            Action::Cancel => return self.ask_cancel(),
            Action::Quit => return self.ask_quit(),
            Action::Suspend => return vec![Effect::Suspend],
            Action::Redraw => return vec![Effect::Redraw],
            Action::Confirm => {
                return match self.question.take() {
                    Some(Question::Quit) => self.stop(),
                    Some(Question::Cancel(id)) => vec![Effect::Cancel(id)],
                    None => Vec::new(),
                };
            }
            Action::Decline => self.question = None,
            Action::Hurry => return self.hurry(),
        }
        Vec::new()
    }

    /// A page of whatever moves now.
    fn page(&self) -> isize {
        let page = match (self.help, self.focus) {
            (true, _) => self.layout.help_page,
            (false, Pane::Queue) => self.layout.queue.page(),
            (false, Pane::Lower) => self.layout.lower.page(),
        };
        isize::try_from(page.saturating_sub(1).max(1)).unwrap_or(1)
    }

    fn step(&mut self, by: isize) {
        if self.help {
            self.help_scroll = self.help_scroll.saturating_add_signed(by);
            return;
        }
        let row = match self.focus {
            Pane::Queue => self.task,
            Pane::Lower => self.lower_rows().0,
        };
        self.go_to(row.saturating_add_signed(by));
    }

    fn last(&mut self) {
        if self.help {
            self.help_scroll = usize::MAX;
        } else if self.focus == Pane::Lower
            && self.lower == Lower::Segments
            && !self.follow_segment
            && self.selected().is_some_and(|task| task.state == TaskState::Processing)
        {
            self.follow_segment = true;
            self.settle();
        } else {
            self.go_to(usize::MAX);
        }
    }

    /// Selects a row of the pane that has the focus; beyond the end means the last.
    fn go_to(&mut self, row: usize) {
        if self.help {
            self.help_scroll = row;
            return;
        }
        match self.focus {
            Pane::Queue => {
                self.follow_task = false;
                let row = row.min(self.tasks.len().saturating_sub(1));
                if row != self.task {
                    (self.task, self.segment, self.error) = (row, 0, 0);
                    // Another task: look where its work is.
                    self.follow_segment = true;
                    self.settle();
                }
            }
            Pane::Lower => {
                let row = row.min(self.lower_rows().1.saturating_sub(1));
                match self.lower {
                    Lower::Segments => {
                        self.follow_task = false;
                        self.follow_segment = false;
                        self.segment = SegmentId::try_from(row + 1).unwrap_or(SegmentId::MAX);
                    }
                    Lower::Errors => {
                        self.follow_task = false;
                        self.error = row;
                    }
                }
                self.settle();
            }
        }
    }

    fn switch_pane(&mut self) {
        self.focus = match self.focus {
            Pane::Queue if !self.tasks.is_empty() => Pane::Lower,
            _ => Pane::Queue,
        };
        self.zoomed = false;
    }

    fn open(&mut self) {
        match (self.focus, self.lower) {
            _ if self.tasks.is_empty() => {}
            (Pane::Queue, _) => self.focus = Pane::Lower,
            (Pane::Lower, Lower::Segments) => self.zoomed = !self.zoomed,
            // From an error to its place in the text.
            (Pane::Lower, Lower::Errors) => {
                let segment = self.selected_segment();
                if segment > 0 {
                    self.lower = Lower::Segments;
                    self.follow_task = false;
                    self.follow_segment = false;
                    self.segment = segment;
                    self.settle();
                }
            }
        }
    }

    fn back(&mut self) {
        if self.help {
            self.help = false;
        } else if self.zoomed {
            self.zoomed = false;
        } else if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
        } else {
            self.focus = Pane::Queue;
        }
    }

    fn follow(&mut self) {
        self.follow_task = true;
        self.follow_segment = true;
        self.lower = Lower::Segments;
        self.settle();
    }

    fn toggle_errors(&mut self) {
        if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
            return;
        }
        let Some(task) = self.selected() else {
            return;
        };
        if error_count(task) == 0 {
            self.notice = Some("this task has no errors".to_owned());
            return;
        }
        self.lower = Lower::Errors;
        self.focus = Pane::Lower;
        self.follow_task = false;
        self.error = 0;
        self.settle();
    }

    fn next_theme(&mut self) {
        self.theme = (self.theme + 1) % self.themes.len();
        self.notice = Some(if self.themes.len() == 1 {
            "this terminal has no colours, or NO_COLOR is set: there is only one theme".to_owned()
        } else {
            format!("theme: {}", self.theme().name())
        });
    }

    fn ask_cancel(&mut self) -> Vec<Effect> {
        let Some(task) = self.selected() else {
            return Vec::new();
        };
        if task.state.is_terminal() {
            self.notice = Some("this task has already ended".to_owned());
        } else if task.cancel_requested {
            self.notice = Some("this task is already being cancelled".to_owned());
        } else if task.state == TaskState::Pending && task.completed_segments.is_empty() {
            return vec![Effect::Cancel(task.id.clone())];
        } else {
            let id = task.id.clone();
            self.question = Some(Question::Cancel(id));
        }
        Vec::new()
    }

    fn ask_quit(&mut self) -> Vec<Effect> {
        if self.tasks.totals().active() == 0 {
            return self.stop();
        }
        self.question = Some(Question::Quit);
        Vec::new()
    }

    fn stop(&mut self) -> Vec<Effect> {
        self.leaving = Leaving::Finishing;
        self.question = None;
        self.help = false;
        vec![Effect::Stop]
    }

    fn hurry(&mut self) -> Vec<Effect> {
        if self.leaving == Leaving::Hurrying {
            return Vec::new();
        }
        self.leaving = Leaving::Hurrying;
        vec![Effect::Hurry]
    }

    fn click(&mut self, at: Position) -> Vec<Effect> {
        self.notice = None;
        let button = self.layout.buttons.iter().find(|(area, _)| area.contains(at));
        if let Some((_, action)) = button {
            return self.act(*action);
        }
        if self.question.is_some() || self.leaving != Leaving::No {
            return Vec::new();
        }
        if self.help {
            self.help = false;
            return Vec::new();
        }
        if let Some(row) = self.layout.queue.row_at(at) {
            self.focus = Pane::Queue;
            self.go_to(row);
        } else if let Some(row) = self.layout.lower.row_at(at) {
            self.focus = Pane::Lower;
            self.go_to(row);
        } else if self.layout.queue.pane.contains(at) {
            self.focus = Pane::Queue;
        } else if self.layout.lower.pane.contains(at) {
            self.focus = Pane::Lower;
        }
        Vec::new()
    }

    fn wheel(&mut self, at: Position, rows: i32) -> Vec<Effect> {
        if self.question.is_some() || self.leaving != Leaving::No {
            return Vec::new();
        }
        let by = rows as isize;
        if !self.help {
            if self.layout.queue.pane.contains(at) {
                self.focus = Pane::Queue;
            } else if self.layout.lower.pane.contains(at) || self.zoomed {
                self.focus = Pane::Lower;
            } else {
                return Vec::new();
            }
        }
        self.step(by);
        Vec::new()
    }

    fn tasks_changed(&mut self) -> Vec<Effect> {
        self.settle();
        // A question whose task has ended has answered itself.
        let stale = match &self.question {
            Some(Question::Cancel(id)) => {
                let task = self.tasks.by_id(id);
                task.is_none_or(|task| task.state.is_terminal())
            }
            Some(Question::Quit) => self.tasks.totals().active() == 0,
            None => false,
        };
        if stale {
            self.question = None;
        }
        if self.exit_when_done && self.all_done() && self.leaving == Leaving::No {
            return self.stop();
        }
        Vec::new()
    }

    /// Brings the selection in line with the tasks: follows the work, stays within the lists.
    fn settle(&mut self) {
        if self.follow_task
            && let Some(running) = self.tasks.first_running()
            && self.selected().is_none_or(|task| task.state != TaskState::Processing)
        {
            (self.task, self.segment) = (running, 0);
        }
        self.task = self.task.min(self.tasks.len().saturating_sub(1));
        let Some(task) = self.tasks.get(self.task) else {
            (self.segment, self.error, self.focus) = (0, 0, Pane::Queue);
            (self.lower, self.zoomed) = (Lower::Segments, false);
            return;
        };
        let count = segment_count(task);
        if self.follow_segment {
            let next = u32::try_from(task.completed_segments.len()).unwrap_or(count);
            let place = match (task.current_segment, task.state) {
                (Some(current), _) => current,
                // Between two segments, and after the last: stay where the work was.
                _ if self.segment > 0 => self.segment,
                (None, TaskState::Completed) => 1,
                _ => next.saturating_add(1),
            };
            self.segment = place;
        }
        self.segment = self.segment.clamp(u32::from(count > 0), count);
        self.settle_errors();
    }

    fn settle_errors(&mut self) {
        if self.lower != Lower::Errors {
            return;
        }
        let Some(task) = self.tasks.get(self.task) else {
            return;
        };
        let count = error_count(task);
        let seen = (task.id.clone(), count, task.state);
        if self.error_rows.of.as_ref() != Some(&seen) {
            let own = task_error(task).map(|_| 0);
            let mut segments: Vec<SegmentId> = own
                .into_iter()
                .chain(task.errors.iter().map(|error| error.segment_id))
                .collect();
            segments.dedup();
            self.error_rows.segments = segments;
            self.error_rows.of = Some(seen);
        }
        if count == 0 {
            self.lower = Lower::Segments;
        }
        self.error = self.error.min(self.error_rows.segments.len().saturating_sub(1));
    }

    /// The state of the selected segment, if there is one.
    pub(crate) fn selected_segment_state(&self) -> Option<super::SegmentState> {
        let id = self.selected_segment();
        let task = self.selected().filter(|_| id > 0)?;
        Some(segment_state(task, id))
    }
}
