//! The mouse: rows, tabs, hints, answers and fields, whatever is under it.

use super::{App, Effect, Leaving, Overlay, Page, Pane, Place, Spot};

impl App {
    pub(super) fn click(&mut self, on: Spot) -> Vec<Effect> {
        self.notice = None;
        if let Some(action) = on.button {
            return self.act(action);
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
                match on.choice {
                    Some(Place::Row(row)) => picker.go_to(row),
                    Some(Place::Beside) => return Vec::new(),
                    None => {
                        self.leave();
                        return Vec::new();
                    }
                }
                return self.accept();
            }
            Some(form @ (Overlay::Form(_) | Overlay::Word(_))) => {
                if let Some((fields, line)) = form.fields().zip(on.field) {
                    fields.point(line, on.value);
                }
                return Vec::new();
            }
            None => {}
        }
        if self.page != Page::Queue {
            if let Some(row) = on.lower.and_then(Place::row) {
                let again = self.list_row() == Some(row);
                self.go_to(row);
                if again {
                    self.open();
                }
            }
            return Vec::new();
        }
        match (on.queue, on.lower) {
            (Some(place), _) => {
                self.focus = Pane::Queue;
                if let Some(row) = place.row() {
                    self.go_to(row);
                }
            }
            (None, Some(place)) => {
                let again = self.focus == Pane::Lower && place.row() == Some(self.lower_rows().0);
                self.focus = Pane::Lower;
                if let Some(row) = place.row() {
                    self.go_to(row);
                }
                if again {
                    self.open();
                }
            }
            (None, None) => {}
        }
        Vec::new()
    }

    pub(super) fn wheel(&mut self, over: Spot, rows: i32) {
        if self.question.is_some() || self.leaving != Leaving::No {
            return;
        }
        if self.reads() && over.is_zoom {
            self.scroll_zoom(rows as isize);
            return;
        }
        if self.overlay.is_none() && self.page == Page::Queue {
            self.focus = match (over.queue, over.lower) {
                (Some(_), _) => Pane::Queue,
                (None, Some(_)) => Pane::Lower,
                (None, None) => return,
            };
        }
        self.step(rows as isize);
    }
}
