//! The screen, drawn from the model. Views only look: no state changes, no files, no clock. Each
//! widget has a file of its own, and drawing returns where everything is, for the mouse and for
//! pages. What a frame costs depends on the size of the screen, never on the number of rows.

mod bar;
mod detail;
mod dialog;
mod errors;
mod fields;
mod form;
mod head;
mod health;
mod help;
mod hints;
mod over;
mod pages;
mod pane;
mod picker;
mod plot;
mod queue;
mod rows;
mod said;
mod segments;
mod summary;
mod tabs;
pub(crate) mod text;
mod tour;
mod word;
mod zoom;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::pane::Look;
use super::app::{App, Lower, Overlay, Page, Pane};
use super::layout::Layout;
use super::theme::{Role, Theme};

/// What a widget draws from.
#[derive(Clone, Copy)]
struct Cx<'a> {
    app: &'a App,
    theme: &'a Theme,
    /// Where everything was in the last frame.
    before: &'a Layout,
}

impl Cx<'_> {
    fn style(&self, role: Role) -> ratatui::style::Style {
        self.theme.style(role)
    }
}

/// Said where a filter leaves no row.
const NO_MATCH: &str = "nothing has these words";

/// The smallest screen on which something useful fits.
const SMALLEST: (u16, u16) = (30, 8);

/// Draws the whole screen, with as little moved as can be from where everything was before.
pub(super) fn draw(buf: &mut Buffer, app: &App, theme: &Theme, before: &Layout) -> Layout {
    let cx = Cx { app, theme, before };
    let area = buf.area;
    buf.set_style(area, cx.style(Role::Screen));
    let mut layout = Layout::default();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(buf, cx);
        return layout;
    }
    let framed = area.width >= 70 && area.height >= 18;
    let look = if framed { Look::Framed } else { Look::Ruled };
    let airy = area.height >= 30;

    let mut rest = area;
    head::draw(buf, take_top(&mut rest, 1), cx);
    if area.height >= 16 {
        tabs::draw(buf, take_top(&mut rest, 1), cx, &mut layout);
    }
    if airy {
        take_top(&mut rest, 1);
    }
    hints::draw(buf, take_bottom(&mut rest, 1), cx, &mut layout);
    if airy && !framed {
        take_bottom(&mut rest, 1);
    }
    match app.page {
        Page::Queue if app.tasks.is_empty() => empty(buf, rest, look, cx),
        Page::Queue => {
            let height = summary::height(area, look, cx);
            summary::draw(buf, take_bottom(&mut rest, height), look, cx);
            body(buf, rest, look, cx, &mut layout);
        }
        Page::Clips | Page::Errors => {
            let list = with_detail(buf, rest, look, cx);
            let draw = if app.page == Page::Clips {
                pages::clips
            } else {
                pages::all_errors
            };
            layout.lower = draw(buf, list, look, cx);
        }
        Page::History => pages::history(buf, rest, look, cx, &mut layout),
        Page::Log => pages::log(buf, rest, look, cx, &mut layout),
        Page::Health => layout.lower = health::draw(buf, rest, look, cx),
    }
    // With half a screen drawn.
    crate::failpoint::panic_at("monitor-frame");
    overlays(buf, area, cx, &mut layout);
    let foot = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    hints::long_notice(buf, foot, cx);
    layout
}

fn body(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>, layout: &mut Layout) {
    let frame = if look == Look::Framed { 2 } else { 1 };
    // What the segments do not need is the queue's.
    let segments = cx.app.lower_rows().1;
    let below = u16::try_from(segments)
        .unwrap_or(u16::MAX)
        .saturating_add(frame);
    let below = below.max(if look == Look::Framed { 12 } else { frame + 3 });
    let third = (area.height / 3).max(frame + 1);
    let most = area.height.saturating_sub(below).max(third);
    let rows = u16::try_from(cx.app.tasks.len()).unwrap_or(u16::MAX);
    let least = if look == Look::Framed { 5 } else { frame + 1 };
    let wanted = rows.saturating_add(frame).max(least.min(most));
    let mut rest = area;
    let top = take_top(&mut rest, wanted.min(most));
    layout.queue = queue::draw(buf, top, look, cx);

    let beside = look == Look::Framed && !cx.app.zoomed;
    let mut list = rest;
    if beside {
        // The list has what is rigid, the detail what flows.
        let wide = (rest.width * 4 / 7).clamp(40, 84.max(rest.width / 2));
        list.width = wide.min(rest.width);
        let right = Rect {
            x: list.right(),
            width: rest.width - list.width,
            ..rest
        };
        detail::draw(buf, right, look, false, cx);
    } else if cx.app.zoomed {
        layout.zoom = zoom::segment(buf, rest, look, cx);
        layout.lower.pane = rest;
        return;
    }
    layout.lower = match cx.app.lower {
        Lower::Segments => segments::draw(buf, list, look, cx),
        Lower::Errors => errors::draw(buf, list, look, cx),
    };
}

/// A detail beside the list where there is room for both, else below it. Returns the list's place.
fn with_detail(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> Rect {
    let mut list = area;
    if look == Look::Ruled || cx.app.target().is_none() {
        return list;
    }
    let beside = area.width >= 110;
    let right = if beside {
        list.width = area.width * 4 / 7;
        Rect {
            x: list.right(),
            width: area.width - list.width,
            ..area
        }
    } else {
        let height = (area.height * 2 / 5).max(8).min(area.height);
        take_bottom(&mut list, height)
    };
    detail::draw(buf, right, look, false, cx);
    list
}

fn overlays(buf: &mut Buffer, area: Rect, cx: Cx<'_>, layout: &mut Layout) {
    match &cx.app.overlay {
        Some(Overlay::Help) => help::draw(buf, area, cx, layout),
        Some(Overlay::Picker(picker)) => picker::draw(buf, area, picker, cx, layout),
        Some(Overlay::Form(form)) => form::draw(buf, area, form, cx, layout),
        Some(Overlay::Word(form)) => word::draw(buf, area, form, cx, layout),
        None => {}
    }
    dialog::draw(buf, area, cx, layout);
    if let Some(tour) = &cx.app.tour {
        tour::draw(buf, area, tour, cx);
    }
}

fn empty(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) {
    let inner = pane::draw(buf, area, ("Queue", ""), true, look, cx.theme);
    let lines: &[(&str, Role)] = if cx.app.loaded {
        &[
            ("Nothing to narrate yet.", Role::Heading),
            ("", Role::Text),
            (
                "a                    adds a text: a path, or pasted",
                Role::Muted,
            ),
            (
                "aloud narrate FILE…  adds it from the command line",
                Role::Muted,
            ),
            ("aloud demo           narrates the samples", Role::Muted),
        ]
    } else {
        &[("reading the library …", Role::Muted)]
    };
    let count = u16::try_from(lines.len()).unwrap_or(0);
    let top = inner.height.saturating_sub(count) / 2;
    let wide = lines.iter().map(|(text, _)| text::width(text)).max();
    let wide = u16::try_from(wide.unwrap_or(0))
        .unwrap_or(0)
        .min(inner.width);
    let left = (inner.width - wide) / 2;
    for (row, (line, role)) in (top..).zip(lines) {
        let mut at = text::line(inner, row);
        at.x += left;
        at.width = wide;
        text::put(buf, at, line, cx.style(*role));
    }
}

fn too_small(buf: &mut Buffer, cx: Cx<'_>) {
    let area = buf.area;
    let (width, height) = SMALLEST;
    let done = format!("{} %", summary::percent(cx.app));
    let lines = [
        "aloud",
        &done,
        "too small:",
        &format!("{width}×{height} at least"),
    ];
    for (row, line) in (0..area.height).zip(lines) {
        text::put(buf, text::line(area, row), line, cx.style(Role::Text));
    }
}

/// Cuts lines off the top.
fn take_top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let taken = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    taken
}

/// Cuts lines off the bottom.
fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect {
        y: rest.bottom(),
        height,
        ..*rest
    }
}

/// Marks the selected row of a list: clearly where the keys go, quietly elsewhere.
fn mark(buf: &mut Buffer, row: Rect, pane: Pane, cx: Cx<'_>) {
    mark_row(buf, row, cx.app.focus == pane, cx);
}

fn mark_row(buf: &mut Buffer, row: Rect, focused: bool, cx: Cx<'_>) {
    let role = if focused {
        Role::Selected
    } else {
        Role::SelectedQuiet
    };
    let wider = Rect {
        x: row.x.saturating_sub(1),
        width: row.width + 2,
        ..row
    };
    buf.set_style(wider.intersection(buf.area), cx.style(role));
}

#[cfg(test)]
mod tests;
