//! The pages that are one list over all tasks: clips, errors, history, log.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::Look;
use super::rows::{self, List};
use super::text::{self, clock, count, line, put, put_all, put_right, seconds};
use super::{Cx, errors, pane, queue, take_bottom, zoom};
use crate::model::{HistoryEntry, SegmentId, TaskStatus, Timestamp};
use crate::monitor::app::{Feed, Moves};
use crate::monitor::layout::{Layout, ListArea};
use crate::monitor::theme::Role;

/// What of a row is left after `used` cells.
fn after(row: Rect, used: u16) -> Rect {
    let used = used.min(row.width);
    Rect {
        x: row.x + used,
        width: row.width - used,
        ..row
    }
}

/// Draws a text at the right end of a row, and returns what is left of it.
fn from_right(buf: &mut Buffer, row: Rect, text: &str, wide: u16, role: Role, cx: Cx<'_>) -> Rect {
    if row.width < wide + 20 {
        return row;
    }
    put_right(buf, row, text, cx.style(role));
    Rect {
        width: row.width.saturating_sub(wide + 2),
        ..row
    }
}

/// Draws a list over all tasks, and by `row` each of its rows whose task is known.
fn feed(
    buf: &mut Buffer,
    area: Rect,
    look: Look,
    (feed, title, note, nothing): (&Feed, &str, &str, &str),
    cx: Cx<'_>,
    mut row: impl FnMut(&mut Buffer, Rect, &TaskStatus, SegmentId),
) -> ListArea {
    let list = List {
        title,
        note,
        nothing,
        selected: feed.cursor.row,
        len: feed.len(),
        moves: feed.cursor.moves(),
    };
    rows::draw(buf, area, look, &list, cx, |buf, at, index| {
        let entry = feed.get(index);
        let known = entry.and_then(|entry| Some((cx.app.tasks.by_id(&entry.task)?, entry)));
        if let Some((task, entry)) = known {
            row(buf, at, task, entry.segment);
        }
    })
}

fn title_width(row: Rect) -> u16 {
    (row.width / 4).clamp(10, 28)
}

pub(super) fn clips(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let audio = Duration::from_millis(cx.app.tasks.totals().audio_ms);
    let note = format!("{} · {} of audio", cx.app.clips.all(), clock(audio));
    let list = (&cx.app.clips, "Clips", &*note, "no clip is finished yet");
    feed(buf, area, look, list, cx, |buf, row, task, segment| {
        let Some(clip) = task.completed_segments.get(segment) else {
            return;
        };
        let faulty = task.errors.has(segment);
        let (symbol, role) = if faulty {
            ("✘ ", Role::Failed)
        } else {
            ("✔ ", Role::Done)
        };
        let number = format!("{segment:>5}  ");
        let mut rest = from_right(buf, row, &seconds(clip.duration), 8, Role::Muted, cx);
        let title = title_width(row);
        if row.width >= 60 {
            let at = Rect {
                x: rest.right().saturating_sub(title),
                width: title,
                ..rest
            };
            put(buf, at, &task.title, cx.style(Role::Muted));
            rest.width = rest.width.saturating_sub(title + 2);
        }
        let pieces = [
            (symbol, cx.style(role)),
            (number.as_str(), cx.style(Role::Muted)),
        ];
        let used = put_all(buf, rest, &pieces);
        let plan = task.plan.as_ref();
        let words = plan.and_then(|plan| plan.get(segment));
        let words = words.map_or(&*clip.clip, |words| &words.text);
        put(buf, after(rest, used), words, cx.style(Role::Text));
    })
}

pub(super) fn all_errors(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let note = match cx.app.errors.all() {
        0 => "",
        _ => "Enter goes there, r tries again",
    };
    let list = (
        &cx.app.errors,
        "Errors of all tasks",
        note,
        "nothing went wrong",
    );
    feed(buf, area, look, list, cx, |buf, row, task, segment| {
        let Some(error) = errors::of(task, segment).last() else {
            return;
        };
        let number = match segment {
            SegmentId::TASK => " task".to_owned(),
            segment => format!("{segment:>5}"),
        };
        let title = text::fit(&task.title, usize::from(title_width(row)));
        let pieces = [
            ("✘ ", cx.style(Role::Failed)),
            (title.as_str(), cx.style(Role::Text)),
            (number.as_str(), cx.style(Role::Muted)),
            ("  ", cx.style(Role::Text)),
            (error.code.as_str(), cx.style(Role::Failed)),
            ("  ", cx.style(Role::Text)),
        ];
        let used = put_all(buf, row, &pieces);
        put(buf, after(row, used), &error.message, cx.style(Role::Text));
    })
}

pub(super) fn history(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>, layout: &mut Layout) {
    let mut area = area;
    if let Some(past) = cx.app.selected_past() {
        if cx.app.zoomed {
            layout.lower = hidden(cx);
            layout.zoom = past_zoomed(buf, area, past, look, cx);
            return;
        }
        if look == Look::Framed && area.height >= 18 {
            past_below(buf, take_bottom(&mut area, 8), past, look, cx);
        }
    }
    let cursor = &cx.app.history_cursor;
    let note = count(cx.app.history.len() as u64, "narration", "narrations");
    let list = List {
        title: "History",
        note: &note,
        nothing: "no narration has ended yet",
        selected: cursor.row,
        len: cursor.len(cx.app.history.len()),
        moves: Moves::ByHand,
    };
    layout.lower = rows::draw(buf, area, look, &list, cx, |buf, row, index| {
        let past = cursor.source(index).and_then(|row| cx.app.history.get(row));
        let Some(past) = past else {
            return;
        };
        let (symbol, role) = queue::look(past.state);
        let mut rest = from_right(
            buf,
            row,
            &day_and_time(past.completed_at, cx),
            16,
            Role::Muted,
            cx,
        );
        if let Some(summary) = past.summary {
            let audio = Duration::try_from_secs_f64(summary.audio_seconds).unwrap_or_default();
            let clips = count(u64::from(summary.done), "clip", "clips");
            rest = from_right(buf, rest, &clock(audio), 7, Role::Muted, cx);
            rest = from_right(buf, rest, &clips, 10, Role::Muted, cx);
            if summary.errors > 0 {
                let errors = format!("✘ {}", summary.errors);
                rest = from_right(buf, rest, &errors, 5, Role::Failed, cx);
            }
        }
        let wide = usize::from(rest.width / 2).max(12);
        let title = text::fit(&past.title, wide);
        let title = format!(
            "{title}{:1$}",
            "",
            (wide + 2).saturating_sub(text::width(&title))
        );
        let used = put_all(
            buf,
            rest,
            &[
                (symbol, cx.style(role)),
                (" ", cx.style(Role::Text)),
                (&title, cx.style(Role::Text)),
            ],
        );
        let folder = past.folder.display().to_string();
        let rest = after(rest, used);
        let folder = text::fit_end(&folder, usize::from(rest.width));
        put(buf, rest, &folder, cx.style(Role::Muted));
    });
}

/// A list that something lies over: where it was scrolled to, and no rows to click.
fn hidden(cx: Cx<'_>) -> ListArea {
    ListArea {
        rows: Rect::default(),
        ..cx.before.lower
    }
}

/// A narration that has ended, in the last lines of the page.
fn past_below(buf: &mut Buffer, area: Rect, past: &HistoryEntry, look: Look, cx: Cx<'_>) {
    let inner = pane::draw(buf, area, (&past.title, ""), false, look, cx.theme);
    let (state, role) = past_state(past);
    put(buf, inner, &state, cx.style(role));
    for ((label, fact), at) in past_facts(past, cx).into_iter().zip(1..) {
        let room = usize::from(inner.width).saturating_sub(text::width(label));
        let fact = match label {
            FILES => text::fit_end(&fact, room),
            _ => fact,
        };
        let pieces = [
            (label, cx.style(Role::Muted)),
            (&fact, cx.style(Role::Text)),
        ];
        put_all(buf, line(inner, at), &pieces);
    }
}

/// The same with the whole page for it.
fn past_zoomed(
    buf: &mut Buffer,
    area: Rect,
    past: &HistoryEntry,
    look: Look,
    cx: Cx<'_>,
) -> ListArea {
    let inner = pane::draw(buf, area, (&past.title, ""), true, look, cx.theme);
    let (state, role) = past_state(past);
    let mut body = vec![vec![(state, cx.style(role))]];
    for (label, fact) in past_facts(past, cx) {
        body.extend(zoom::labelled(label, &fact, inner.width, cx));
    }
    zoom::flow(buf, area, inner, look, (body, Vec::new()), cx)
}

fn past_state(past: &HistoryEntry) -> (String, Role) {
    let (symbol, role) = queue::look(past.state);
    (format!("{symbol} {}", past.state.word()), role)
}

const FILES: &str = "Files    ";

fn past_facts(past: &HistoryEntry, cx: Cx<'_>) -> Vec<(&'static str, String)> {
    let took = clock(past.completed_at.since(past.created_at));
    let (begun, ended) = (
        day_and_time(past.created_at, cx),
        day_and_time(past.completed_at, cx),
    );
    let made = past.summary.map_or_else(String::new, |summary| {
        let audio = Duration::try_from_secs_f64(summary.audio_seconds).unwrap_or_default();
        let errors = match summary.errors {
            0 => String::new(),
            errors => format!(", {}", count(u64::from(errors), "error", "errors")),
        };
        let (done, all) = (summary.done, summary.segments);
        format!(
            "{done} of {all} segments, {} of audio{errors}",
            clock(audio)
        )
    });
    let facts = [
        ("Made     ", made),
        ("Problem  ", past.problem.clone().unwrap_or_default()),
        ("Voice    ", past.voice.to_string()),
        (FILES, past.folder.display().to_string()),
        ("When     ", format!("{begun} to {ended}, {took}")),
    ];
    let facts = facts.into_iter();
    facts.filter(|(_, fact)| !fact.is_empty()).collect()
}

/// In the time of the place where the screen is.
fn day_and_time(at: Timestamp, cx: Cx<'_>) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let local = time.to_zoned(cx.app.zone.clone());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn log(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>, layout: &mut Layout) {
    let (log, cursor) = (&cx.app.log, &cx.app.log_cursor);
    if cx.app.zoomed
        && let Some(at) = cursor.source(cursor.row).and_then(|row| log.get(row))
    {
        let title = format!("{} {}", at.time, at.level);
        let inner = pane::draw(buf, area, (&title, "Esc"), true, look, cx.theme);
        let body = zoom::lines(&at.text, inner.width, cx.style(Role::Text));
        layout.lower = hidden(cx);
        layout.zoom = zoom::flow(buf, area, inner, look, (body.collect(), Vec::new()), cx);
        return;
    }
    let list = List {
        title: "Log",
        note: if cursor.follows { "following" } else { "" },
        nothing: "nothing was logged",
        selected: cursor.row,
        len: cursor.len(log.len()),
        moves: cursor.moves(),
    };
    layout.lower = rows::draw(buf, area, look, &list, cx, |buf, row, index| {
        let Some(at) = cursor.source(index).and_then(|row| log.get(row)) else {
            return;
        };
        let role = match at.level {
            tracing::Level::ERROR => Role::Failed,
            tracing::Level::WARN => Role::Warning,
            tracing::Level::INFO => Role::Text,
            _ => Role::Muted,
        };
        let level = format!("{:<6}", at.level);
        let time = format!("{}  ", at.time);
        let pieces = [
            (time.as_str(), cx.style(Role::Muted)),
            (level.as_str(), cx.style(role)),
        ];
        let used = put_all(buf, row, &pieces);
        put(buf, after(row, used), &at.text, cx.style(role));
    });
}
