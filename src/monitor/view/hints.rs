//! The last line: the keys that do something now, from the table of actions; or a notice.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::over;
use super::text::{field, line, put, put_all, put_right, width, wrap};
use crate::monitor::action::{Action, Info, Mode, TABLE};
use crate::monitor::app::Leaving;
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

const GAP: usize = 3;

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: Cx<'_>, layout: &mut Layout) {
    let mut rest = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    if cx.app.mode() == Mode::Filter
        && let Some(input) = &cx.app.filter
    {
        let half = Rect {
            width: rest.width / 2,
            ..rest
        };
        field(buf, half, "/ ", input, true, cx.theme);
        rest.x += half.width + 1;
        rest.width = rest.width.saturating_sub(half.width + 1);
    }
    if let Some(notice) = said(cx).filter(|notice| !is_long(notice, area)) {
        let used = put_right(buf, rest, &notice, cx.style(Role::Warning));
        rest.width = rest.width.saturating_sub(used + 3);
    }
    for (info, key) in chosen(usize::from(rest.width), cx) {
        let pieces = [
            (key.as_str(), cx.style(Role::Key)),
            (" ", cx.style(Role::Hint)),
            (info.hint, cx.style(Role::Hint)),
        ];
        let used = put_all(buf, rest, &pieces);
        let button = Rect {
            width: used,
            ..rest
        };
        layout.buttons.push((button, info.action));
        let step = used + u16::try_from(GAP).unwrap_or(0);
        rest.x += step;
        rest.width = rest.width.saturating_sub(step);
    }
}

/// Whether a notice would take most of the line, or more.
fn is_long(notice: &str, area: Rect) -> bool {
    width(notice) > usize::from(area.width) * 2 / 3
}

/// A long notice over the lines above this one, so that all of it can be read.
pub(super) fn long_notice(buf: &mut Buffer, area: Rect, cx: Cx<'_>) {
    let Some(notice) = said(cx).filter(|notice| is_long(notice, area)) else {
        return;
    };
    let lines = wrap(&notice, usize::from(area.width.saturating_sub(2)), 4);
    let tall = u16::try_from(lines.len()).unwrap_or(0).min(area.y);
    let above = Rect {
        y: area.y - tall,
        height: tall,
        ..area
    };
    over::clear(buf, above, cx);
    for (row, text) in (0..).zip(&lines) {
        let at = line(above, row);
        let at = Rect {
            x: at.x + 1,
            width: at.width.saturating_sub(2),
            ..at
        };
        put(buf, at, text, cx.style(Role::Warning));
    }
}

/// What is being said once, or all the time while leaving.
fn said(cx: Cx<'_>) -> Option<String> {
    match cx.app.leaving {
        Leaving::No => cx.app.notice.clone(),
        Leaving::Finishing if cx.app.tasks.first_running().is_none() => None,
        Leaving::Finishing => Some("finishing the segment in work …".to_owned()),
        Leaving::Hurrying => Some("stopping …".to_owned()),
    }
}

/// The hints that have room, in the order of the table; quitting stands last.
fn chosen(room: usize, cx: Cx<'_>) -> Vec<(&'static Info, String)> {
    let mode = cx.app.mode();
    let mut hints: Vec<(&Info, String)> = TABLE
        .iter()
        .filter(|info| !info.hint.is_empty() && cx.app.offers(info.action))
        .filter_map(|info| {
            let keys = cx.app.keys(mode, info.action);
            Some((info, keys.first()?.to_string()))
        })
        .collect();
    let total = |hints: &[(&Info, String)]| -> usize {
        let each = hints.iter();
        each.map(|(info, key)| width(key) + 1 + info.hint.len() + GAP)
            .sum()
    };
    // Here it is what one came for.
    let rank = |info: &Info| match cx.app.is_at_hand(info.action) {
        true => 1,
        false => info.rank,
    };
    while total(&hints) > room + GAP {
        let Some(least) = (0..hints.len()).max_by_key(|place| rank(hints[*place].0)) else {
            break;
        };
        hints.remove(least);
    }
    hints.sort_by_key(|(info, _)| info.action == Action::Quit);
    hints
}
