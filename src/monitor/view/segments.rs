//! The segments of the selected task, read by number from its plan as far as they are seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{line, put, put_right, seconds, times};
use super::{Cx, NO_MATCH, mark};
use crate::model::{CompletedSegment, SegmentId, TaskStatus};
use crate::monitor::app::{
    Moves, Pane, SegmentState, is_opening, scroll, segment_count, segment_state,
};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

/// What a segment that stands so looks like.
pub(super) fn role(state: SegmentState) -> Role {
    match state {
        SegmentState::Waiting => Role::Pending,
        SegmentState::Running | SegmentState::Saving => Role::Running,
        SegmentState::NotMade => Role::Cancelled,
        SegmentState::Done => Role::Done,
        SegmentState::Failed => Role::Failed,
    }
}

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let Some(task) = cx.app.selected() else {
        pane::draw(buf, area, ("Segments", ""), false, look, cx.theme);
        return ListArea::default();
    };
    let focused = cx.app.focus == Pane::Lower;
    let title = format!("Segments · {}", task.title);
    let found;
    let note = if let Some(text) = cx.app.segment_filter() {
        found = format!("“{text}”: {}", cx.app.lower_rows().1);
        &found
    } else if is_opening(task) {
        "opening the voice …"
    } else if cx.app.follows() && cx.app.tasks.first_running().is_some() {
        "following"
    } else {
        ""
    };
    let rows = pane::draw(buf, area, (&title, note), focused, look, cx.theme);
    let (selected, len) = cx.app.lower_rows();
    let height = usize::from(rows.height);
    let moves = if cx.app.follows_segment() {
        Moves::WithTheWork
    } else {
        Moves::ByHand
    };
    let list = ListArea {
        pane: area,
        rows,
        first: scroll(cx.before.lower.first, selected, height, len, moves),
        len,
    };
    if len == 0 {
        let words = if cx.app.segment_filter().is_some() {
            NO_MATCH
        } else {
            "no segments yet"
        };
        put(buf, rows, words, cx.style(Role::Muted));
    }
    for (at, index) in (0..rows.height).zip(list.first..len) {
        let row = line(rows, at);
        let id = cx.app.segment_at(index);
        draw_row(buf, row, task, id, cx);
        // Where the list follows by itself, the sign of the segment in work is mark enough: a mark
        // that moves would be written over two whole rows for each segment.
        let is_marked = !cx.app.follows_segment() || focused;
        if index == selected && is_marked {
            mark(buf, row, Pane::Lower, cx);
        }
    }
    pane::scrollbar(buf, &list, cx.theme);
    list
}

fn draw_row(buf: &mut Buffer, row: Rect, task: &TaskStatus, id: SegmentId, cx: Cx<'_>) {
    let state = segment_state(task, id);
    let style = cx.style(role(state));
    let digits = u16::try_from(segment_count(task).to_string().len()).unwrap_or(1);
    put(buf, row, state.symbol(), style);
    let number = Rect {
        x: row.x + 2,
        width: digits,
        ..row
    };
    put_right(buf, number, &id.to_string(), cx.style(Role::Muted));

    let mut rest = Rect {
        x: number.right() + 2,
        width: row.width.saturating_sub(digits + 4),
        ..row
    };
    let done = task.completed_segments.get(id);
    // From the right: what it costs, what it gives; then the text has the rest.
    let columns: [(u16, u16, String); 2] = [
        (44, 6, done.and_then(speed).map_or_else(String::new, times)),
        (34, 7, length(done, state)),
    ];
    for (least, width, text) in columns {
        if row.width < least {
            continue;
        }
        put_right(
            buf,
            rest,
            &text,
            if done.is_some() {
                cx.style(Role::Muted)
            } else {
                style
            },
        );
        rest.width = rest.width.saturating_sub(width + 1);
    }
    let segment = task.plan.as_ref().and_then(|plan| plan.get(id));
    let text = match (segment, done) {
        (Some(segment), _) => segment.text.as_ref(),
        (None, Some(done)) => done.clip.as_ref(),
        (None, None) => "",
    };
    // The same in every state, so that none of it is written again when a segment ends.
    let role = match segment {
        Some(segment) if segment.heading => Role::Heading,
        _ => Role::Text,
    };
    put(buf, rest, text, cx.style(role));
}

fn length(done: Option<&CompletedSegment>, state: SegmentState) -> String {
    match (done, state) {
        (Some(done), _) => seconds(done.duration),
        (None, SegmentState::Running) => "in work".to_owned(),
        (None, SegmentState::Failed) => "failed".to_owned(),
        (None, SegmentState::Saving) => "saving".to_owned(),
        (None, _) => String::new(),
    }
}

/// Audio made per second of work.
pub(super) fn speed(segment: &CompletedSegment) -> Option<f64> {
    let work = segment.work.as_secs_f64();
    (work > 0.0).then(|| segment.duration.as_secs_f64() / work)
}
