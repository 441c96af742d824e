//! The lines of a form, over the page: labels, what can be chosen, what is told below, the keys at the
//! foot. What all forms are drawn with.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::text::{line, put, put_all, width, wrap};
use crate::monitor::action::Action;
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

/// The width of the labels.
const LABEL: u16 = 12;

/// Between two keys at the foot.
const GAP: u16 = 3;

/// Draws the label of a line that can be clicked. Returns the place of its value.
pub(super) fn labelled(
    buf: &mut Buffer,
    at: Rect,
    (label, focused): (&str, bool),
    cx: Cx<'_>,
    layout: &mut Layout,
) -> Rect {
    let mark = if focused { "▸ " } else { "  " };
    let role = if focused { Role::Accent } else { Role::Muted };
    put(buf, at, &format!("{mark}{label:<8}"), cx.style(role));
    layout.fields.push(at);
    Rect {
        x: at.x + LABEL,
        width: at.width.saturating_sub(LABEL),
        ..at
    }
}

/// Draws all that can be chosen, with what is chosen marked; only that where there is no room for all.
pub(super) fn values(
    buf: &mut Buffer,
    at: Rect,
    (words, chosen): (&[&str], usize),
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    let each = words.iter().map(|word| width(word) + 3);
    let has_room = each.sum::<usize>() <= usize::from(at.width) + 1;
    let mut rest = at;
    for (value, word) in words.iter().enumerate() {
        if !has_room && value != chosen {
            continue;
        }
        let (text, role) = if value == chosen {
            (format!("[{word}] "), Role::Heading)
        } else {
            (format!(" {word}  "), Role::Muted)
        };
        let used = put(buf, rest, &text, cx.style(role));
        // The only one that is seen leads to the next.
        let leads_to = if has_room {
            value
        } else {
            (value + 1) % words.len()
        };
        layout.values.push((
            Rect {
                width: used,
                ..rest
            },
            leads_to,
        ));
        rest.x += used;
        rest.width = rest.width.saturating_sub(used);
    }
}

/// Tells something below the lines, as far as there is room.
pub(super) fn told(buf: &mut Buffer, area: Rect, words: &[(String, Role)], cx: Cx<'_>) {
    let mut row = 0;
    for (text, role) in words {
        let left = usize::from(area.height.saturating_sub(row));
        for text in wrap(text, usize::from(area.width), left) {
            put(buf, line(area, row), &text, cx.style(*role));
            row += 1;
        }
    }
}

/// Draws keys with what they do, those that have room; they can be clicked.
pub(super) fn foot(
    buf: &mut Buffer,
    at: Rect,
    keys: &[(&str, &str, Action)],
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    let mut rest = at;
    for (key, word, action) in keys {
        if width(key) + 1 + width(word) > usize::from(rest.width) {
            break;
        }
        let pieces = [
            (*key, cx.style(Role::Key)),
            (" ", cx.style(Role::Text)),
            (*word, cx.style(Role::Text)),
        ];
        let used = put_all(buf, rest, &pieces);
        layout.buttons.insert(
            0,
            (
                Rect {
                    width: used,
                    ..rest
                },
                *action,
            ),
        );
        rest.x += used + GAP;
        rest.width = rest.width.saturating_sub(used + GAP);
    }
}
