//! The errors of the selected task, one line a segment that has some.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{count, line, put, put_all};
use super::{Cx, mark};
use crate::model::{ErrorObject, SegmentId, TaskStatus};
use crate::monitor::app::{Moves, Pane, error_count, own_segment, scroll, task_error};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let Some(task) = cx.app.selected() else {
        return ListArea::default();
    };
    let focused = cx.app.focus == Pane::Lower;
    let title = format!("Errors · {}", task.title);
    let note = count(error_count(task) as u64, "error", "errors");
    let rows = pane::draw(buf, area, (&title, &note), focused, look, cx.theme);
    let (selected, len) = cx.app.lower_rows();
    let list = ListArea {
        pane: area,
        rows,
        first: scroll(
            cx.before.lower.first,
            selected,
            usize::from(rows.height),
            len,
            Moves::ByHand,
        ),
        len,
    };
    for (at, index) in (0..rows.height).zip(list.first..len) {
        let row = line(rows, at);
        let Some(segment) = cx.app.error_segment(index) else {
            continue;
        };
        // The last one is what made it fail for good.
        let Some(error) = of(task, segment).last() else {
            continue;
        };
        let number = if segment == SegmentId::TASK {
            "task".to_owned()
        } else {
            format!("{segment:>4}")
        };
        let pieces = [
            ("✘ ", cx.style(Role::Failed)),
            (number.as_str(), cx.style(Role::Muted)),
            ("  ", cx.style(Role::Text)),
            (error.code.as_str(), cx.style(Role::Failed)),
            ("  ", cx.style(Role::Text)),
        ];
        let used = put_all(buf, row, &pieces);
        let rest = Rect {
            x: row.x + used,
            width: row.width - used,
            ..row
        };
        put(buf, rest, &error.message, cx.style(Role::Text));
        if index == selected {
            mark(buf, row, Pane::Lower, cx);
        }
    }
    pane::scrollbar(buf, &list, cx.theme);
    list
}

/// The errors of a segment; of [`SegmentId::TASK`], those of the task as a whole.
pub(super) fn of(task: &TaskStatus, segment: SegmentId) -> impl Iterator<Item = &ErrorObject> {
    let own = task_error(task).filter(|_| own_segment(task) == Some(segment));
    task.errors.of(segment).chain(own)
}
