//! A pane that has the room of the lists: a segment with all that is known of it, or a line of the
//! log. What is longer than the pane scrolls; nothing is left out for want of room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::pane::{self, Look};
use super::text::{line, put_all, put_right, wrap};
use super::{Cx, detail, plot, said};
use crate::model::{SegmentId, TaskStatus};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

/// Pieces that stand side by side, each in its style.
pub(super) type Line = Vec<(String, Style)>;

/// So many lines of one text are shown at most: a frame must not take as long as a book.
pub(super) const MOST: usize = 1000;

/// Wraps a text into lines of one style.
pub(super) fn lines(text: &str, width: u16, style: Style) -> impl Iterator<Item = Line> {
    let lines = wrap(text, usize::from(width), MOST);
    lines.into_iter().map(move |text| vec![(text, style)])
}

/// Wraps a fact that stands after its label.
pub(super) fn labelled(label: &str, fact: &str, width: u16, cx: Cx<'_>) -> Vec<Line> {
    let indent = super::text::width(label);
    let room = usize::from(width).saturating_sub(indent);
    let mut label = label.to_owned();
    let lines = wrap(fact, room, MOST).into_iter().map(|text| {
        let lead = std::mem::replace(&mut label, " ".repeat(indent));
        vec![(lead, cx.style(Role::Muted)), (text, cx.style(Role::Text))]
    });
    lines.collect()
}

/// The selected segment, with everything about it.
pub(super) fn segment(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let Some(target) = cx.app.shown_segment() else {
        return ListArea::default();
    };
    let (task, id) = (target.task, target.segment);
    let (title, note) = detail::heading(task, id);
    let inner = pane::draw(buf, area, (&title, &note), true, look, cx.theme);
    let width = inner.width;
    let mut body = Vec::new();
    if id != SegmentId::TASK {
        body.extend(detail::facts(task, id, width, cx));
        if look == Look::Framed {
            body.push(Line::new());
        }
    }
    if let Some(segment) = task.plan.as_ref().and_then(|plan| plan.get(id)) {
        let style = cx.style(detail::text_role(segment));
        body.extend(lines(&segment.text, width, style));
        let said = said::lines(segment, width, cx);
        if !said.is_empty() {
            body.push(Line::new());
            body.extend(said);
        }
    }
    body.extend(detail::errors(task, id, width, cx));
    let foot = closer_look(task, id, inner, look, cx);
    flow(buf, area, inner, look, (body, foot), cx)
}

/// How the segment sounds, what its clip looks like, who speaks and where the clips are.
fn closer_look(task: &TaskStatus, id: SegmentId, inner: Rect, look: Look, cx: Cx<'_>) -> Vec<Line> {
    let mut foot = Vec::new();
    let known = &cx.app.detail;
    // Two tasks have a segment of the same number, and a closer look may come a moment later.
    let is_known = (known.of.as_ref()).is_some_and(|(of, at)| (of, *at) == (&task.id, id));
    if is_known {
        if let Some(Ok(said) | Err(said)) = &known.phonemes {
            foot.extend(lines(said, inner.width, cx.style(Role::Muted)));
        }
        match &known.wave {
            Some(Ok(wave)) => {
                let tall = if look == Look::Framed { 4 } else { 2 };
                foot.extend(drawn_wave(&wave.peaks, inner.width, tall, cx));
            }
            Some(Err(why)) => foot.extend(lines(why, inner.width, cx.style(Role::Failed))),
            None => {}
        }
    }
    if !foot.is_empty() {
        foot.push(Line::new());
    }
    for (label, fact) in detail::about(task) {
        foot.extend(labelled(label, &fact, inner.width, cx));
    }
    foot
}

/// A clip's wave as lines, so that it scrolls with the words.
fn drawn_wave(peaks: &[f32], width: u16, height: u16, cx: Cx<'_>) -> Vec<Line> {
    let style = cx.style(Role::Done);
    let area = Rect::new(0, 0, width, height);
    let mut plotted = Buffer::empty(area);
    plot::wave(&mut plotted, area, peaks, style);
    let row = |y| (0..width).map(|x| plotted[(x, y)].symbol()).collect();
    (0..height).map(|y| vec![(row(y), style)]).collect()
}

/// Draws a body from the top and a foot at the bottom of `inner`, or, where there is no room for
/// both, one below the other from wherever the screen is scrolled to. Returns what was seen.
pub(super) fn flow(
    buf: &mut Buffer,
    pane: Rect,
    inner: Rect,
    look: Look,
    (mut body, foot): (Vec<Line>, Vec<Line>),
    cx: Cx<'_>,
) -> ListArea {
    let height = usize::from(inner.height);
    // Some air between the two.
    let gap = usize::from(!foot.is_empty() && !body.is_empty());
    let free = height.checked_sub(body.len() + gap + foot.len());
    body.resize(body.len() + gap + free.unwrap_or(0), Line::new());
    body.extend(foot);
    let mut rows = inner;
    if free.is_none() && look == Look::Ruled {
        // Without a frame the mark has a line of its own.
        rows.height = rows.height.saturating_sub(1);
    }
    let page = usize::from(rows.height);
    let seen = ListArea {
        pane,
        rows,
        first: cx.app.zoom.first.min(body.len().saturating_sub(page)),
        len: body.len(),
    };
    for (at, pieces) in (0..rows.height).zip(&body[seen.first..]) {
        let pieces: Vec<(&str, Style)> = pieces
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        put_all(buf, line(rows, at), &pieces);
    }
    if seen.first + page < seen.len {
        more(buf, pane, look, cx);
    }
    if look == Look::Framed {
        pane::scrollbar(buf, &seen, cx.theme);
    }
    seen
}

/// Says at the foot of a pane that there is more below.
pub(super) fn more(buf: &mut Buffer, pane: Rect, look: Look, cx: Cx<'_>) {
    let aside = if look == Look::Framed { 2 } else { 0 };
    let foot = Rect {
        x: pane.x + aside,
        y: pane.bottom().saturating_sub(1),
        width: pane.width.saturating_sub(2 * aside),
        height: 1,
    };
    put_right(buf, foot, " ↓ more ", cx.style(Role::Muted));
}
