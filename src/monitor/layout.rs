//! Where everything was drawn. Places and rows only: it knows neither the model nor how it is drawn.

use ratatui::layout::{Position, Rect};

use super::action::Action;

/// Where a list was drawn and what part of it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListArea {
    /// The whole pane, for the mouse wheel.
    pub(super) pane: Rect,
    /// Where the rows are, one line each.
    pub(super) rows: Rect,
    /// The first row seen, counted from 0.
    pub(super) first: usize,
    /// How many rows there are in all.
    pub(super) len: usize,
}

impl ListArea {
    /// Rows that fit.
    pub(super) fn page(&self) -> usize {
        usize::from(self.rows.height).max(1)
    }

    /// The row at this place on the screen.
    pub(super) fn row_at(&self, at: Position) -> Option<usize> {
        if !self.rows.contains(at) {
            return None;
        }
        let row = self.first + usize::from(at.y - self.rows.y);
        (row < self.len).then_some(row)
    }
}

/// Where everything was drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) queue: ListArea,
    /// The lower pane of the queue's page, or the list that another page is.
    pub(super) lower: ListArea,
    /// What has the room of the lists, and how far it is scrolled; its rows are lines of text.
    pub(super) zoom: ListArea,
    /// The list to choose from.
    pub(super) overlay: ListArea,
    /// The lines of a form.
    pub(super) fields: Vec<Rect>,
    /// What can be chosen in them, counted from 0 in each line.
    pub(super) values: Vec<(Rect, usize)>,
    /// What can be clicked beside rows, topmost first.
    pub(super) buttons: Vec<(Rect, Action)>,
    /// The first line of the help that is seen, and how many are.
    pub(super) help_scroll: usize,
    pub(super) help_page: usize,
}
