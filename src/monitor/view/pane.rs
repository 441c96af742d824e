//! The frame around a part of the screen, and what says how far its list continues.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::symbols::border;
use ratatui::widgets::{Block, Widget};

use super::text::{fit, put, put_right, width};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::{Role, Theme};

/// How a pane stands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A frame around it.
    Framed,
    /// Only a line with its title above it: for small screens.
    Ruled,
}

/// Draws the frame with a title and a note at the right of it, and returns the room inside.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    (title, note): (&str, &str),
    focused: bool,
    look: Look,
    theme: &Theme,
) -> Rect {
    let (border, head) = if focused {
        (Role::BorderFocused, Role::Accent)
    } else {
        (Role::Border, Role::Muted)
    };
    let border_style = theme.style(border);
    let inner = match look {
        Look::Framed => {
            let block = Block::bordered()
                .border_set(border::ROUNDED)
                .border_style(border_style);
            block.render(area, buf);
            area.inner(Margin::new(2, 1))
        }
        Look::Ruled => {
            let rule = "─".repeat(usize::from(area.width));
            put(buf, area, &rule, border_style);
            let below = area.height.saturating_sub(1);
            Rect {
                x: area.x + 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: below,
            }
        }
    };
    // One cell of rule on either side of the words.
    let head_area = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        height: 1,
        ..area
    };
    // Both may be long; whoever is short leaves its room to the other.
    let free = usize::from(head_area.width).saturating_sub(5);
    let note = fit(note, free.saturating_sub(width(title)).max(free / 2));
    let room = usize::from(head_area.width).saturating_sub(width(&note) + 5);
    let title = fit(title, room);
    if !title.is_empty() {
        put(buf, head_area, &format!(" {title} "), theme.style(head));
    }
    if !note.is_empty() {
        let note = format!(" {note} ");
        put_right(buf, head_area, &note, theme.style(Role::Muted));
    }
    inner
}

/// Marks at the right edge how far a list continues: nothing if all of it is seen.
pub(super) fn scrollbar(buf: &mut Buffer, list: &ListArea, theme: &Theme) {
    let height = usize::from(list.rows.height);
    if list.len <= height || height < 3 {
        return;
    }
    let x = list.pane.right().saturating_sub(1);
    let thumb = (height * height / list.len).clamp(1, height - 1);
    let hidden = list.len - height;
    let top = (list.first.min(hidden) * (height - thumb) + hidden / 2) / hidden;
    for row in top..top + thumb {
        let y = list.rows.y + u16::try_from(row).unwrap_or(0);
        if let Some(cell) = buf.cell_mut((x, y)) {
            cell.set_symbol("┃").set_style(theme.style(Role::Muted));
        }
    }
}
