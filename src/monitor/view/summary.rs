//! All tasks together: how far, how much audio, how many errors; and when all is done, what there
//! is to show for it and where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{clock, count, fit_end, line, put, put_all, put_right, times, width};
use super::{Cx, bar};
use crate::model::TaskState;
use crate::monitor::app::{App, percent_of};
use crate::monitor::theme::Role;
use std::time::Duration;

/// The lines it takes.
pub(super) fn height(screen: Rect, look: Look, cx: Cx<'_>) -> u16 {
    match (look, cx.app.all_done()) {
        (Look::Framed, true) => 4,
        (Look::Framed, false) if screen.height >= 30 => 3,
        (Look::Ruled, true) => 2,
        _ => 1,
    }
}

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) {
    if cx.app.all_done() {
        done(buf, area, look, cx);
        return;
    }
    let inner = if area.height >= 3 {
        pane::draw(buf, area, ("All tasks", ""), false, look, cx.theme)
    } else {
        let margin = if look == Look::Framed { 2 } else { 1 };
        Rect {
            x: area.x + margin,
            width: area.width.saturating_sub(2 * margin),
            ..area
        }
    };
    gauge(buf, inner, cx);
}

/// The share done of everything, in whole percent.
pub(super) fn percent(app: &App) -> u8 {
    percent_of(app.tasks.totals().fraction())
}

fn gauge(buf: &mut Buffer, area: Rect, cx: Cx<'_>) {
    let totals = cx.app.tasks.totals();
    let mut counters = vec![(count(totals.clips, "clip", "clips"), Role::Text)];
    counters.push((format!("{} of audio", clock(audio(cx))), Role::Text));
    if totals.errors > 0 {
        counters.push((
            format!("✘ {}", count(totals.errors, "error", "errors")),
            Role::Failed,
        ));
    }
    let mut rest = area;
    // Half of the line is for the bar; errors are the last to go.
    let room = usize::from(area.width / 2);
    let total = |counters: &[(String, Role)]| -> usize {
        counters.iter().map(|(text, _)| width(text) + 3).sum()
    };
    while counters.len() > 1 && total(&counters) > room {
        counters.remove(0);
    }
    for (text, role) in counters.iter().rev() {
        let used = put_right(buf, rest, text, cx.style(*role));
        rest.width = rest.width.saturating_sub(used + 3);
    }
    let shown = format!("{:>3} %", percent(cx.app));
    put_right(buf, rest, &shown, cx.style(Role::Heading));
    rest.width = rest.width.saturating_sub(7);
    bar::draw(buf, rest, totals.fraction(), Role::Bar, cx.theme);
}

fn audio(cx: Cx<'_>) -> Duration {
    Duration::from_millis(cx.app.tasks.totals().audio_ms)
}

fn done(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) {
    let totals = cx.app.tasks.totals();
    let failed = totals.count(TaskState::Failed);
    let (title, role) = if failed > 0 {
        ("✘ Finished, not everything could be narrated", Role::Failed)
    } else if totals.errors > 0 {
        ("✔ All done, with errors", Role::Warning)
    } else if totals.count(TaskState::Completed) == 0 {
        ("⊘ All cancelled", Role::Cancelled)
    } else if totals.count(TaskState::Cancelled) > 0 {
        ("⊘ Ended, some cancelled", Role::Cancelled)
    } else {
        ("✔ All done", Role::Done)
    };
    let mut facts = vec![
        count(
            totals.count(TaskState::Completed) as u64,
            "narration",
            "narrations",
        ),
        count(totals.clips, "clip", "clips"),
        format!("{} of audio", clock(audio(cx))),
    ];
    if let Some(speed) = totals.speed() {
        let work = clock(totals.work());
        // What was copied or there before took no time.
        if totals.made_audio_ms() + 1000 > totals.audio_ms {
            facts.push(format!("made in {work} ({} real time)", times(speed)));
        }
    }
    // The way out stands at the right; what was made is the last to go.
    let room = usize::from(area.width).saturating_sub(14);
    let total = |facts: &[String]| -> usize { facts.iter().map(|fact| width(fact) + 3).sum() };
    while look == Look::Framed && facts.len() > 2 && total(&facts) > room {
        facts.remove(0);
    }
    let facts = facts.join(" · ");
    let mut folder = cx.app.tasks.folder().map(|path| path.display().to_string());
    if totals.clips == 0 {
        folder = None;
    }
    let folder = folder.unwrap_or_default();

    if look == Look::Ruled {
        // On a small screen: what was made, and where.
        let wide = area.width.saturating_sub(2);
        let inner = Rect {
            x: area.x + 1,
            width: wide,
            ..area
        };
        let first = format!("{} · {facts}", title.split(',').next().unwrap_or(title));
        put(buf, line(inner, 0), &first, cx.style(role));
        let folder = fit_end(&folder, usize::from(wide));
        put(buf, line(inner, 1), &folder, cx.style(Role::Text));
        return;
    }
    let inner = pane::draw(buf, area, ("", ""), false, look, cx.theme);
    let head = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        height: 1,
        ..area
    };
    put(buf, head, &format!(" {title} "), cx.style(role));
    put(buf, line(inner, 0), &facts, cx.style(Role::Heading));
    let quiet = cx.style(Role::Muted);
    let folder = fit_end(&folder, usize::from(inner.width).saturating_sub(9));
    let pieces = [
        ("Files in ", quiet),
        (folder.as_str(), cx.style(Role::Accent)),
    ];
    if !folder.is_empty() {
        put_all(buf, line(inner, 1), &pieces);
    }
    let quit = [("q", cx.style(Role::Key)), (" quit", quiet)];
    let corner = Rect {
        x: inner.right().saturating_sub(6),
        width: 6,
        ..line(inner, 0)
    };
    put_all(buf, corner, &quit);
}
