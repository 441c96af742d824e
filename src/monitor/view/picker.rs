//! The list to choose from by typing, over the page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::over;
use super::pane;
use super::text::{field, line, put, put_right, width};
use super::{Cx, mark_row};
use crate::monitor::action::Mode;
use crate::monitor::app::{Choice, Moves, Picker, scroll};
use crate::monitor::layout::{Layout, ListArea};
use crate::monitor::theme::Role;

pub(super) fn draw(
    buf: &mut Buffer,
    screen: Rect,
    picker: &Picker,
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    let (title, tall) = match &picker.choice {
        Choice::Action => ("All actions", 22),
        Choice::Theme { .. } => ("Theme", 16),
        Choice::Voice => ("Hear a voice", 16),
        Choice::Narrator(_) => ("Have it spoken by", 16),
    };
    let wide = if matches!(picker.choice, Choice::Theme { .. }) {
        44
    } else {
        84
    };
    let mut area = over::centred(screen, wide, tall);
    if matches!(picker.choice, Choice::Theme { .. }) && screen.width > area.width + 20 {
        // The themes are seen on what is beside them.
        area.x = screen.right().saturating_sub(area.width + 2);
    }
    let note = match picker.choice {
        Choice::Voice => "Enter plays, Esc closes",
        Choice::Narrator(_) => "Enter takes, Ctrl-O plays, Esc closes",
        _ => "Enter takes, Esc closes",
    };
    let inner = over::draw(buf, area, (title, note), cx);
    field(buf, line(inner, 0), "› ", &picker.input, true, cx.theme);
    let mut rows = inner;
    rows.y += 2;
    rows.height = inner.height.saturating_sub(2);
    let first = scroll(
        cx.before.overlay.first,
        picker.row(),
        usize::from(rows.height),
        picker.len(),
        Moves::ByHand,
    );
    layout.overlay = ListArea {
        pane: area,
        rows,
        first,
        len: picker.len(),
    };
    if picker.len() == 0 {
        let words = if picker.input.value().is_empty() {
            "looking …"
        } else {
            "nothing has these words"
        };
        put(buf, rows, words, cx.style(Role::Muted));
    }
    let names = (first..picker.len()).take(usize::from(rows.height));
    let widest = names.clone().filter_map(|row| picker.get(row));
    let widest = widest.map(|item| width(&item.name)).max().unwrap_or(0);
    let name_width = u16::try_from(widest).unwrap_or(0).min(rows.width);
    for (at, index) in (0..).zip(names) {
        let Some(item) = picker.get(index) else {
            continue;
        };
        let row = line(rows, at);
        let (name, about) = if item.is_ready {
            (Role::Heading, Role::Text)
        } else {
            (Role::Muted, Role::Muted)
        };
        put(buf, row, &item.name, cx.style(name));
        let mut rest = Rect {
            x: row.x + name_width + 2,
            width: row.width.saturating_sub(name_width + 2),
            ..row
        };
        let keys = item.action.map(|action| {
            let keys = cx.app.keys(Mode::Main, action);
            keys.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        });
        if let Some(keys) = keys {
            let used = put_right(buf, rest, &keys, cx.style(Role::Key));
            rest.width = rest.width.saturating_sub(used + 2);
        }
        put(buf, rest, &item.about, cx.style(about));
        if index == picker.row() {
            mark_row(buf, row, true, cx);
        }
    }
    pane::scrollbar(buf, &layout.overlay, cx.theme);
}
