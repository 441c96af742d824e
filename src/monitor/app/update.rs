//! How the model changes. Every way in is [`App::update`]; keys become actions by the table and
//! nothing else, and an action does the same whether it came from a key or from the mouse.

use ratatui::layout::Position;

use super::{App, Effect, Leaving, Message, Pane, Question};
use crate::engine::{TaskState, Timestamp};
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
                // Someone else asked for it: there is nothing left to ask for.
                if self.leaving == Leaving::No {
                    self.leaving = Leaving::Finishing;
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
        let button = self
            .layout
            .buttons
            .iter()
            .find(|(area, _)| area.contains(at));
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
}
