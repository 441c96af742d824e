//! The help: every action of the table with all its keys, and what the symbols mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::pane::{self, Look};
use super::text::{line, put, put_all, put_right, width};
use super::{Cx, Layout};
use crate::monitor::action::{Group, TABLE};
use crate::monitor::keymap::Keymap;
use crate::monitor::theme::Role;

/// One line of the help.
enum Entry {
    Group(&'static str),
    Action { keys: String, help: &'static str },
    Blank,
}

const SYMBOLS: &[(&str, Role, &str)] = &[
    ("○", Role::Pending, "waiting"),
    ("●", Role::Running, "in work"),
    ("✔", Role::Done, "done"),
    ("✘", Role::Failed, "failed"),
    ("⊘", Role::Cancelled, "cancelled"),
];

pub(super) fn draw(buf: &mut Buffer, screen: Rect, cx: Cx<'_>, layout: &mut Layout) {
    let entries = entries(&cx.app.keymap);
    let keys = entries.iter().map(|entry| match entry {
        Entry::Action { keys, .. } => width(keys),
        _ => 0,
    });
    let keys = u16::try_from(keys.max().unwrap_or(0)).unwrap_or(0);
    let lines = u16::try_from(entries.len() + 2).unwrap_or(u16::MAX);
    let area = centred(screen, 84, lines.saturating_add(2));
    Clear.render(area, buf);
    buf.set_style(area, cx.style(Role::Dialog));
    let inner = pane::draw(
        buf,
        area,
        ("Help", "Esc closes"),
        true,
        Look::Framed,
        cx.theme,
    );

    let mut list = inner;
    list.height = inner.height.saturating_sub(2);
    let page = usize::from(list.height);
    let first = cx.app.help_scroll.min(entries.len().saturating_sub(page));
    layout.help_scroll = first;
    layout.help_page = page;
    for (at, entry) in (0..list.height).zip(&entries[first..]) {
        let row = line(list, at);
        match entry {
            Entry::Group(title) => {
                put(buf, row, title, cx.style(Role::Heading));
            }
            Entry::Action { keys: shown, help } => {
                let left = keys.min(row.width / 2);
                let cell = Rect { width: left, ..row };
                put_right(buf, cell, shown, cx.style(Role::Key));
                let cell = Rect {
                    x: row.x + left + 2,
                    width: row.width.saturating_sub(left + 2),
                    ..row
                };
                put(buf, cell, help, cx.style(Role::Text));
            }
            Entry::Blank => {}
        }
    }
    if first + page < entries.len() {
        let below = line(inner, list.height);
        put_right(buf, below, "↓ more", cx.style(Role::Muted));
    }
    let mut legend = line(inner, inner.height.saturating_sub(1));
    for (symbol, role, word) in SYMBOLS {
        let text = format!(" {word}   ");
        let used = put_all(
            buf,
            legend,
            &[(symbol, cx.style(*role)), (&text, cx.style(Role::Muted))],
        );
        legend.x += used;
        legend.width -= used;
    }
}

fn entries(keymap: &Keymap) -> Vec<Entry> {
    let mut entries = Vec::new();
    for group in Group::ALL {
        if !entries.is_empty() {
            entries.push(Entry::Blank);
        }
        entries.push(Entry::Group(group.title()));
        for info in TABLE.iter().filter(|info| info.group == group) {
            let keys = info.all_keys(keymap);
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            entries.push(Entry::Action {
                keys: keys.join("  "),
                help: info.help,
            });
        }
    }
    entries
}

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
