//! The mouse: rows, tabs, hints, answers and fields where they were drawn.

use ratatui::layout::Position;

use super::{App, Effect, Field, Leaving, Overlay, Page, Pane};

impl App {
    pub(super) fn click(&mut self, at: Position) -> Vec<Effect> {
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
        match &mut self.overlay {
            Some(Overlay::Help) => {
                self.overlay = None;
                return Vec::new();
            }
            Some(Overlay::Picker(picker)) => {
                let Some(row) = self.layout.overlay.row_at(at) else {
                    if !self.layout.overlay.pane.contains(at) {
                        self.leave();
                    }
                    return Vec::new();
                };
                picker.go_to(row);
                return self.accept();
            }
            Some(Overlay::Form(form)) => {
                let fields = self.layout.fields.iter().zip(Field::ALL);
                if let Some((_, field)) = fields.into_iter().find(|(area, _)| area.contains(at)) {
                    form.field = field;
                }
                let mut priorities = self.layout.priorities.iter();
                if let Some((_, priority)) = priorities.find(|(area, _)| area.contains(at)) {
                    form.priority = *priority;
                }
                return Vec::new();
            }
            None => {}
        }
        if self.page != Page::Queue {
            if let Some(row) = self.layout.lower.row_at(at) {
                let again = self.list_row() == Some(row);
                self.go_to(row);
                if again {
                    self.open();
                }
            }
            return Vec::new();
        }
        if let Some(row) = self.layout.queue.row_at(at) {
            self.focus = Pane::Queue;
            self.go_to(row);
        } else if let Some(row) = self.layout.lower.row_at(at) {
            let again = self.focus == Pane::Lower && self.lower_rows().0 == row;
            self.focus = Pane::Lower;
            self.go_to(row);
            if again {
                self.open();
            }
        } else if self.layout.queue.pane.contains(at) {
            self.focus = Pane::Queue;
        } else if self.layout.lower.pane.contains(at) {
            self.focus = Pane::Lower;
        }
        Vec::new()
    }

    pub(super) fn wheel(&mut self, at: Position, rows: i32) {
        if self.question.is_some() || self.leaving != Leaving::No {
            return;
        }
        if self.reads() && self.layout.zoom.pane.contains(at) {
            self.scroll_zoom(rows as isize);
            return;
        }
        if self.overlay.is_none() && self.page == Page::Queue {
            if self.layout.queue.pane.contains(at) {
                self.focus = Pane::Queue;
            } else if self.layout.lower.pane.contains(at) {
                self.focus = Pane::Lower;
            } else {
                return;
            }
        }
        self.step(rows as isize);
    }
}
