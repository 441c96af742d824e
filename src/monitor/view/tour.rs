//! The caption of the tour: what is seen, and the key that does it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::over;
use super::text::{line, put, put_right, wrap};
use crate::monitor::app::Tour;
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, screen: Rect, tour: &Tour, cx: Cx<'_>) {
    let wide = screen.width.saturating_sub(2).min(104);
    let room = usize::from(wide.saturating_sub(4));
    let most = if screen.height >= 20 { 3 } else { 4 };
    let lines = wrap(tour.caption(), room, most);
    let tall = u16::try_from(lines.len()).unwrap_or(1) + 3;
    let area = Rect {
        x: screen.x + (screen.width - wide) / 2,
        y: screen.bottom().saturating_sub(tall + 1).max(screen.y),
        width: wide,
        height: tall.min(screen.height),
    };
    let (here, all) = tour.progress();
    let title = format!("Tour {here} of {all}");
    let head = (title.as_str(), "any key takes over");
    let inner = over::draw(buf, area, head, cx);
    for (row, text) in (0..).zip(&lines) {
        put(buf, line(inner, row), text, cx.style(Role::Heading));
    }
    let foot = line(inner, inner.height.saturating_sub(1));
    if let Some(key) = tour.key() {
        put_right(buf, foot, &format!("▶ {key}"), cx.style(Role::Key));
    }
}
