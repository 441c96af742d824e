//! The help: every action of the table with all its keys, and what the symbols mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::over;
use super::text::{line, put, put_all, put_right, width, wrap};
use crate::monitor::action::{Group, Info, TABLE};
use crate::monitor::app::App;
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

/// One line of the help, as wide as there is room for.
enum Line {
    Group(&'static str),
    /// Of an action or its continuation.
    Action {
        keys: String,
        help: String,
    },
    Symbol(usize),
    Blank,
}

const SYMBOLS: &[(&str, Role, &str)] = &[
    ("○", Role::Pending, "waiting"),
    ("●", Role::Running, "in work"),
    ("✔", Role::Done, "done"),
    ("✘", Role::Failed, "failed"),
    ("⊘", Role::Cancelled, "cancelled"),
];

/// So many lines a help text has at most, on the smallest screen.
const MOST: usize = 20;

/// Between two keys.
const GAP: &str = "  ";

pub(super) fn draw(buf: &mut Buffer, screen: Rect, cx: Cx<'_>, layout: &mut Layout) {
    let widest = over::centred(screen, 84, u16::MAX);
    let wide = usize::from(widest.width.saturating_sub(4));
    let has_legend = legend_width() <= wide;
    let (lines, keys) = lines(cx.app, wide, has_legend);
    let foot = if has_legend { 2 } else { 1 };
    let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = over::centred(screen, 84, tall.saturating_add(foot + 2));
    let inner = over::draw(buf, area, ("Help", "Esc closes"), cx);

    let mut list = inner;
    list.height = inner.height.saturating_sub(foot);
    let page = usize::from(list.height);
    let first = cx.app.help_scroll.min(lines.len().saturating_sub(page));
    layout.help_scroll = first;
    layout.help_page = page;
    for (at, entry) in (0..list.height).zip(&lines[first..]) {
        draw_line(buf, line(list, at), entry, keys, cx);
    }
    if first + page < lines.len() {
        let below = line(inner, list.height);
        put_right(buf, below, "↓ more", cx.style(Role::Muted));
    }
    if has_legend {
        let mut legend = line(inner, inner.height.saturating_sub(1));
        for symbol in 0..SYMBOLS.len() {
            let used = draw_symbol(buf, legend, symbol, cx);
            legend.x += used;
            legend.width -= used;
        }
    }
}

fn draw_line(buf: &mut Buffer, row: Rect, entry: &Line, left: u16, cx: Cx<'_>) {
    match entry {
        Line::Group(title) => {
            put(buf, row, title, cx.style(Role::Heading));
        }
        Line::Action { keys, help } => {
            let cell = Rect { width: left, ..row };
            put_right(buf, cell, keys, cx.style(Role::Key));
            let cell = Rect {
                x: row.x + left + 2,
                width: row.width.saturating_sub(left + 2),
                ..row
            };
            put(buf, cell, help, cx.style(Role::Text));
        }
        Line::Symbol(symbol) => {
            draw_symbol(buf, row, *symbol, cx);
        }
        Line::Blank => {}
    }
}

/// What a symbol means. Returns the cells it took.
fn draw_symbol(buf: &mut Buffer, at: Rect, symbol: usize, cx: Cx<'_>) -> u16 {
    let (symbol, role, word) = SYMBOLS[symbol];
    let text = format!(" {word}   ");
    let pieces = [
        (symbol, cx.style(role)),
        (text.as_str(), cx.style(Role::Muted)),
    ];
    put_all(buf, at, &pieces)
}

fn legend_width() -> usize {
    let each = SYMBOLS
        .iter()
        .map(|(symbol, _, word)| width(symbol) + 4 + width(word));
    each.sum()
}

/// Every action with its keys, broken into lines where they are too long for their columns; and the
/// width of the keys.
fn lines(app: &App, wide: usize, has_legend: bool) -> (Vec<Line>, u16) {
    let keys_of = |info: &Info| -> Vec<String> {
        let keys = app.all_keys(info.action);
        keys.iter().map(ToString::to_string).collect()
    };
    let all = TABLE.iter().map(|info| width(&keys_of(info).join(GAP)));
    let mut left = all.max().unwrap_or(0);
    if left > wide / 2 {
        let each = TABLE.iter().flat_map(keys_of).map(|key| width(&key));
        left = each.max().unwrap_or(0).max(wide / 3).min(wide / 2);
    }
    let right = wide.saturating_sub(left + 2);
    let mut lines = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Group(group.title()));
        for info in TABLE.iter().filter(|info| info.group == group) {
            let mut keys = packed(keys_of(info), left).into_iter();
            let mut help = wrap(info.help, right, MOST).into_iter();
            loop {
                let (keys, help) = (keys.next(), help.next());
                if keys.is_none() && help.is_none() {
                    break;
                }
                let (keys, help) = (keys.unwrap_or_default(), help.unwrap_or_default());
                lines.push(Line::Action { keys, help });
            }
        }
    }
    if !has_legend {
        lines.extend([Line::Blank, Line::Group("Symbols")]);
        lines.extend((0..SYMBOLS.len()).map(Line::Symbol));
    }
    (lines, u16::try_from(left).unwrap_or(0))
}

/// As many keys on each line as there is room for; a key stays whole.
fn packed(keys: Vec<String>, cells: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for key in keys {
        match lines.last_mut() {
            Some(last) if width(last) + GAP.len() + width(&key) <= cells => {
                last.push_str(GAP);
                last.push_str(&key);
            }
            _ => lines.push(key),
        }
    }
    lines
}
