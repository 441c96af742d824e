//! The first line: the program, the voice, what is going on, how fast, how long still.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::text::{self, count, put, put_right, times, width};
use crate::model::TaskState;
use crate::monitor::app::{App, Leaving, is_opening};
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, cx: Cx<'_>) {
    let mut left = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let used = put(buf, left, "aloud", cx.style(Role::Brand));
    left.x += used;
    left.width -= used;
    if cx.app.is_attached && left.width > 40 {
        // Whose work it is says whether it goes on when this screen is left.
        let at = Rect {
            x: left.x + 1,
            width: left.width - 1,
            ..left
        };
        let used = 1 + put(buf, at, "attached", cx.style(Role::Muted));
        left.x += used;
        left.width -= used;
    }

    let (state, role) = state(cx.app);
    let mut parts = vec![(state, role)];
    let totals = cx.app.tasks.totals();
    if cx.app.tasks.first_running().is_some() {
        if let Some(speed) = totals.speed() {
            let unit = if area.width >= 60 { " real time" } else { "" };
            // A fixed width, or everything to its left would jump about.
            parts.push((format!("▶ {:>5}{unit}", times(speed)), Role::Text));
        }
        if let Some(time) = totals.time_left() {
            parts.push((text::left(time), Role::Text));
        }
    }
    // The state stays longest, then the time left; the speed is the first to go.
    let room =
        |parts: &[(String, Role)]| -> usize { parts.iter().map(|(text, _)| width(text) + 3).sum() };
    while parts.len() > 1 && room(&parts) > usize::from(left.width) {
        parts.remove(1);
    }
    for (text, role) in parts.iter().rev() {
        let used = put_right(buf, left, text, cx.style(*role));
        left.width = left.width.saturating_sub(used + 3);
    }

    let voice = voice(cx.app);
    if left.width > 8 && !voice.is_empty() {
        let at = Rect {
            x: left.x + 2,
            width: left.width - 2,
            ..left
        };
        put(buf, at, voice, cx.style(Role::Muted));
    }
}

/// The overall state, in words with a symbol.
fn state(app: &App) -> (String, Role) {
    let totals = app.tasks.totals();
    let running = app.tasks.first_running();
    let failed = totals.count(TaskState::Failed) as u64;
    match app.leaving {
        Leaving::Finishing if running.is_some() => {
            return ("■ finishing".to_owned(), Role::Warning);
        }
        Leaving::Finishing => return ("■ ending".to_owned(), Role::Muted),
        Leaving::Hurrying => return ("■ stopping".to_owned(), Role::Warning),
        Leaving::No => {}
    }
    if let Some(task) = running {
        return if app.is_pausing(task) {
            ("‖ pausing".to_owned(), Role::Warning)
        } else if is_opening(task) {
            ("● opening the voice …".to_owned(), Role::Running)
        } else {
            ("● narrating".to_owned(), Role::Running)
        };
    }
    let is_held = app.queue_paused || totals.waiting() == 0;
    if is_held && !app.all_done() && !app.tasks.is_empty() {
        return ("‖ paused".to_owned(), Role::Warning);
    }
    if !app.all_done() {
        let word = if app.tasks.is_empty() {
            "idle"
        } else {
            "waiting"
        };
        (format!("○ {word}"), Role::Muted)
    } else if failed > 0 {
        (
            format!("✘ {}", count(failed, "task failed", "tasks failed")),
            Role::Failed,
        )
    } else if totals.count(TaskState::Cancelled) > 0 {
        let cancelled = totals.count(TaskState::Cancelled);
        (format!("⊘ ended, {cancelled} cancelled"), Role::Cancelled)
    } else {
        ("✔ all done".to_owned(), Role::Done)
    }
}

/// The voice of what runs, else of what is selected; of a path, the name of the file.
fn voice(app: &App) -> &str {
    let running = app.tasks.first_running();
    let Some(task) = running.or_else(|| app.selected()) else {
        return "";
    };
    let name = task.voice.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".onnx").unwrap_or(name)
}
