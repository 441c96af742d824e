//! The queue: one line a task, with its state as a symbol, a word and a colour, and its progress.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{self, clock, line, put, put_right};
use super::{Cx, NO_MATCH, bar, mark};
use crate::model::{Hold, TaskState, TaskStatus};
use crate::monitor::action::{Action, Mode};
use crate::monitor::app::{Moves, Pane, error_count, is_opening, percent_of, scroll, share_done};
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

/// The columns that a width has room for; 0 wide means left out.
struct Columns {
    title: u16,
    state: u16,
    bar: u16,
    percent: u16,
    count: u16,
    errors: u16,
    spent: u16,
    left: u16,
}

const GAP: u16 = 2;

impl Columns {
    fn for_width(width: u16, count: u16, errors: u16) -> Self {
        let mut columns = Self {
            title: 0,
            state: if width >= 64 { 10 } else { 0 },
            bar: match width {
                108.. => 26,
                90.. => 20,
                64.. => 10,
                _ => 8,
            },
            percent: 5,
            count: if width >= 56 { count } else { 0 },
            errors,
            spent: if width >= 90 { 7 } else { 0 },
            left: if width >= 100 { 12 } else { 0 },
        };
        let fixed = [
            columns.state,
            columns.bar,
            columns.percent,
            columns.count,
            columns.errors,
            columns.spent,
            columns.left,
        ];
        // The symbol and its space, then the title; a gap before every other column.
        let taken: u16 = fixed
            .iter()
            .filter(|one| **one > 0)
            .map(|one| one + GAP)
            .sum();
        columns.title = width.saturating_sub(taken + 2);
        columns
    }
}

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let focused = cx.app.focus == Pane::Queue;
    let note = note(cx);
    let rows = pane::draw(buf, area, ("Queue", &note), focused, look, cx.theme);
    let selected = cx.app.selected_row();
    let len = cx.app.tasks.len();
    let height = usize::from(rows.height);
    let first = scroll(cx.before.queue.first, selected, height, len, Moves::ByHand);
    let list = ListArea {
        pane: area,
        rows,
        first,
        len,
    };
    let seen = || {
        (first..len)
            .take(height)
            .filter_map(|row| cx.app.tasks.get(row))
    };
    let widest = |width: &dyn Fn(&TaskStatus) -> usize| {
        u16::try_from(seen().map(width).max().unwrap_or(0)).unwrap_or(0)
    };
    let count = widest(&|task| count(task).len());
    let errors = widest(&|task| errors(task).chars().count());
    let columns = Columns::for_width(rows.width, count, errors);
    if len == 0 {
        put(buf, rows, NO_MATCH, cx.style(Role::Muted));
    }
    for (at, task) in (0..rows.height).zip(seen()) {
        let row = line(rows, at);
        let bar = draw_row(buf, row, task, &columns, cx);
        if first + usize::from(at) == selected {
            mark(buf, row, Pane::Queue, cx);
        }
        draw_bar(buf, bar, task, cx);
    }
    pane::scrollbar(buf, &list, cx.theme);
    list
}

/// How many tasks stand where.
fn note(cx: Cx<'_>) -> String {
    let totals = cx.app.tasks.totals();
    let counts = [
        (totals.count(TaskState::Processing), "running"),
        (totals.waiting(), "waiting"),
        (totals.held(), "paused"),
        (totals.count(TaskState::Completed), "done"),
        (totals.count(TaskState::Failed), "failed"),
        (totals.count(TaskState::Cancelled), "cancelled"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if cx.app.queue_paused {
        let mut keys = cx.app.keymap.keys(Mode::Main, Action::PauseQueue);
        let words = keys.next().map_or_else(
            || "paused".to_owned(),
            |key| format!("paused, {key} goes on"),
        );
        parts.insert(0, words);
    }
    if let Some(text) = cx.app.tasks.filter_text() {
        parts = vec![format!(
            "“{text}”: {} of {}",
            cx.app.tasks.len(),
            cx.app.tasks.all()
        )];
    }
    parts.join(" · ")
}

/// Symbol and role of a state.
pub(super) fn look(state: TaskState) -> (&'static str, Role) {
    match state {
        TaskState::Pending => ("○", Role::Pending),
        TaskState::Processing => ("●", Role::Running),
        TaskState::Completed => ("✔", Role::Done),
        TaskState::Failed => ("✘", Role::Failed),
        TaskState::Cancelled => ("⊘", Role::Cancelled),
    }
}

fn count(task: &TaskStatus) -> String {
    match task.progress.total {
        0 => String::new(),
        total => format!("{}/{total}", task.progress.current),
    }
}

fn errors(task: &TaskStatus) -> String {
    match error_count(task) {
        0 => String::new(),
        errors => format!("✘ {errors}"),
    }
}

/// Draws everything but the bar, and returns where that goes: it keeps its colours when the row is
/// marked.
fn draw_row(buf: &mut Buffer, row: Rect, task: &TaskStatus, columns: &Columns, cx: Cx<'_>) -> Rect {
    let (symbol, role) = if cx.app.tasks.was_retried(task) {
        ("⊘", Role::Cancelled)
    } else {
        look(task.state)
    };
    let (style, quiet) = (cx.style(role), cx.style(Role::Muted));
    put(buf, row, symbol, style);
    let mut rest = Rect {
        x: row.x + 2,
        width: row.width.saturating_sub(2),
        ..row
    };
    let mut next = |width: u16| {
        let cell = Rect { width, ..rest };
        let step = if width > 0 { width + GAP } else { 0 };
        rest.x += step;
        rest.width = rest.width.saturating_sub(step);
        cell
    };
    let title = match task.state {
        TaskState::Processing => Role::Heading,
        TaskState::Cancelled => Role::Cancelled,
        _ => Role::Text,
    };
    put(buf, next(columns.title), &task.title, cx.style(title));
    put(buf, next(columns.state), state_word(task, cx), style);
    let bar = next(columns.bar);
    let percent = if has_begun(task) {
        format!("{} %", percent_of(share_done(task)))
    } else {
        String::new()
    };
    put_right(buf, next(columns.percent), &percent, cx.style(Role::Text));
    put_right(buf, next(columns.count), &count(task), quiet);
    put_right(
        buf,
        next(columns.errors),
        &errors(task),
        cx.style(Role::Failed),
    );
    put_right(buf, next(columns.spent), &spent(task, cx), quiet);
    put_right(buf, next(columns.left), &left(task, cx), quiet);
    bar
}

fn draw_bar(buf: &mut Buffer, area: Rect, task: &TaskStatus, cx: Cx<'_>) {
    if !has_begun(task) {
        return;
    }
    let fill = match task.state {
        _ if cx.app.tasks.was_retried(task) => Role::Cancelled,
        TaskState::Completed => Role::Done,
        TaskState::Failed => Role::Failed,
        TaskState::Cancelled => Role::Cancelled,
        _ => Role::Bar,
    };
    bar::draw(buf, area, share_done(task), fill, cx.theme);
}

/// Whether there is progress to show.
fn has_begun(task: &TaskStatus) -> bool {
    task.state != TaskState::Pending || task.progress.current > 0
}

fn state_word(task: &TaskStatus, cx: Cx<'_>) -> &'static str {
    if cx.app.tasks.was_retried(task) {
        return "RETRIED";
    }
    // Also of one that waited, until its end is on disk.
    if task.cancel_requested && !task.state.is_terminal() {
        "CANCELLING"
    } else if cx.app.is_pausing(task) {
        "PAUSING"
    } else if task.paused && task.state == TaskState::Pending {
        "PAUSED"
    } else if task.hold.is_some() {
        "WAITING"
    } else if task.state == TaskState::Pending && task.error.is_some() {
        "RETRYING"
    } else if is_delayed(task, cx) {
        "DELAYED"
    } else {
        task.state.word()
    }
}

/// Whether it waits for its time.
fn is_delayed(task: &TaskStatus, cx: Cx<'_>) -> bool {
    task.state == TaskState::Pending && task.due.is_some_and(|due| due > cx.app.now)
}

/// How long it has been in work; a pause between does not count.
fn spent(task: &TaskStatus, cx: Cx<'_>) -> String {
    let until = task.completed_at.unwrap_or(cx.app.now);
    let latest = task.started_at.map(|started| until.since(started));
    let earlier = Duration::try_from_secs_f64(task.earlier_seconds).unwrap_or_default();
    if latest.is_none() && earlier.is_zero() {
        return String::new();
    }
    clock(earlier + latest.unwrap_or_default())
}

fn left(task: &TaskStatus, cx: Cx<'_>) -> String {
    if let Some(Hold::Breaker { retry_at, .. }) = task.hold.as_deref() {
        return format!("try in {}", clock(retry_at.since(cx.app.now)));
    }
    if let Some(due) = task.due.filter(|_| is_delayed(task, cx)) {
        return text::begins(due, cx.app.now);
    }
    if task.state != TaskState::Processing {
        return String::new();
    }
    if is_opening(task) {
        return "opening …".to_owned();
    }
    task.time_left().map_or_else(String::new, text::left)
}
