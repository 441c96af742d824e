//! What all pages that are one list share: the frame with its filter, the rows that are seen, the
//! mark on the selected one, the scroll bar.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{line, put};
use super::{Cx, NO_MATCH, mark_row};
use crate::monitor::app::{Moves, scroll};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

/// A list to be drawn.
pub(super) struct List<'a> {
    pub(super) title: &'a str,
    pub(super) note: &'a str,
    /// Said where there are no rows.
    pub(super) nothing: &'a str,
    pub(super) selected: usize,
    pub(super) len: usize,
    pub(super) moves: Moves,
}

/// Draws the frame and, by `row`, each row that is seen.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    look: Look,
    list: &List<'_>,
    cx: Cx<'_>,
    mut row: impl FnMut(&mut Buffer, Rect, usize),
) -> ListArea {
    let note = match cx.app.filter_text() {
        Some(text) => format!("“{text}”: {}", list.len),
        None => list.note.to_owned(),
    };
    let rows = pane::draw(buf, area, (list.title, &note), true, look, cx.theme);
    let height = usize::from(rows.height);
    // One that was just opened shows all of it.
    // A list that is seen for the first time begins with its end.
    let before = if cx.before.lower.pane.is_empty() {
        list.len.saturating_sub(height)
    } else {
        cx.before.lower.first
    };
    let first = scroll(before, list.selected, height, list.len, list.moves);
    let seen = ListArea {
        pane: area,
        rows,
        first,
        len: list.len,
    };
    if list.len == 0 {
        let words = if cx.app.filter_text().is_some() {
            NO_MATCH
        } else {
            list.nothing
        };
        put(buf, rows, words, cx.style(Role::Muted));
    }
    for (at, index) in (0..rows.height).zip(first..list.len) {
        let place = line(rows, at);
        row(buf, place, index);
        if index == list.selected {
            mark_row(buf, place, true, cx);
        }
    }
    pane::scrollbar(buf, &seen, cx.theme);
    seen
}
