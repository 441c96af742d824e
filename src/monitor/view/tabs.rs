//! The pages, and how much is on each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::text::{put_all, width};
use crate::monitor::action::Mode;
use crate::monitor::app::Page;
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: Cx<'_>, layout: &mut Layout) {
    let mut rest = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let tabs = Page::ALL.map(|page| {
        let key = cx.app.keymap.keys(Mode::Main, page.action()).next();
        let key = key.map_or_else(String::new, |key| format!("{key} "));
        let count = match page {
            Page::Queue => cx.app.tasks.totals().tasks(),
            Page::Clips => cx.app.clips.all(),
            Page::Errors => cx.app.errors.all(),
            _ => 0,
        };
        let count = match count {
            0 => String::new(),
            count => format!(" {count}"),
        };
        (page, key, count)
    });
    let total: usize = tabs
        .iter()
        .map(|(page, key, count)| width(key) + page.title().len() + width(count))
        .sum();
    let room = usize::from(rest.width);
    let gap = room.saturating_sub(total) / tabs.len();
    let gap = u16::try_from(gap.clamp(1, 4)).unwrap_or(1);
    for (page, key, count) in &tabs {
        let here = *page == cx.app.page;
        let (title, number) = if here {
            (cx.style(Role::Accent), cx.style(Role::Accent))
        } else if *page == Page::Errors && !count.is_empty() {
            (cx.style(Role::Muted), cx.style(Role::Failed))
        } else {
            (cx.style(Role::Muted), cx.style(Role::Muted))
        };
        // Without colours too it must be plain which page this is.
        let title = if here {
            title
                .add_modifier(ratatui::style::Modifier::BOLD | ratatui::style::Modifier::UNDERLINED)
        } else {
            title
        };
        let pieces = [
            (key.as_str(), cx.style(Role::Key)),
            (page.title(), title),
            (count.as_str(), number),
        ];
        let used = put_all(buf, rest, &pieces);
        let button = Rect {
            width: used,
            ..rest
        };
        layout.buttons.push((button, page.action()));
        rest.x += used + gap;
        rest.width = rest.width.saturating_sub(used + gap);
        if rest.width == 0 {
            break;
        }
    }
}
