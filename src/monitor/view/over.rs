//! What lies over a page: where it is, and the room that it takes there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::Cx;
use super::pane::{self, Look};
use crate::monitor::theme::Role;

/// A rectangle in the middle, as large as wanted where there is room.
pub(super) fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(screen.width.saturating_sub(2));
    let height = height.min(screen.height.saturating_sub(2));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// Draws a frame over the page, with a title and a note, and returns the room inside.
pub(super) fn draw(buf: &mut Buffer, area: Rect, head: (&str, &str), cx: Cx<'_>) -> Rect {
    clear(buf, area, cx);
    pane::draw(buf, area, head, true, Look::Framed, cx.theme)
}

/// Takes the page away from here.
pub(super) fn clear(buf: &mut Buffer, area: Rect, cx: Cx<'_>) {
    if area.x > buf.area.x {
        for y in area.top()..area.bottom() {
            // Half of something wide can't be shown, and would be shown over what comes here.
            if let Some(cell) = buf.cell_mut((area.x - 1, y))
                && cell.symbol().width() > 1
            {
                cell.set_symbol(" ");
            }
        }
    }
    Clear.render(area, buf);
    buf.set_style(area, cx.style(Role::Dialog));
}
