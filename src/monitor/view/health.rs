//! How the program does: worker, queue, memory, disk, and its speed over time.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane::{self, Look};
use super::text::{clock, line, put, put_all, put_right, times, width};
use super::{Cx, plot, take_top};
use crate::assets::human_size;
use crate::model::TaskState;
use crate::monitor::app::Vitals;
use crate::monitor::layout::ListArea;
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) -> ListArea {
    let facts = cx.app.vitals.as_ref().map(|vitals| facts(vitals, cx));
    let facts = facts.unwrap_or_default();
    let wide = area.width >= 70;
    let mut rest = area;
    let rows = if wide {
        facts.len().div_ceil(2)
    } else {
        facts.len()
    };
    let frame = if look == Look::Framed { 2 } else { 1 };
    let tall = u16::try_from(rows).unwrap_or(0).saturating_add(frame);
    // On a small screen the facts go before the curve.
    let top = take_top(&mut rest, tall.max(4));
    let inner = pane::draw(buf, top, ("Health", ""), true, look, cx.theme);
    if facts.is_empty() {
        put(buf, inner, "measuring …", cx.style(Role::Muted));
    }
    for (place, (label, fact, role)) in (0..).zip(&facts) {
        let half = inner.width / 2;
        let at = if wide {
            let row = line(inner, place / 2);
            let left = Rect {
                width: half.saturating_sub(2),
                ..row
            };
            let right = Rect {
                x: row.x + half,
                width: row.width - half,
                ..row
            };
            if place % 2 == 0 { left } else { right }
        } else {
            line(inner, place)
        };
        let label = format!("{label:<10}");
        put_all(
            buf,
            at,
            &[(&label, cx.style(Role::Muted)), (fact, cx.style(*role))],
        );
    }
    if rest.height > frame + 1 {
        chart(buf, rest, look, cx);
    }
    ListArea {
        pane: area,
        ..ListArea::default()
    }
}

/// Speed over time, the newest at the right.
fn chart(buf: &mut Buffer, area: Rect, look: Look, cx: Cx<'_>) {
    let speeds = &cx.app.speeds;
    let span = clock(speeds.span());
    let note = if speeds.samples().len() == 0 {
        String::new()
    } else {
        format!("the last {span}")
    };
    let head = ("Speed, × real time", note.as_str());
    let inner = pane::draw(buf, area, head, false, look, cx.theme);
    let samples: Vec<f32> = speeds.samples().collect();
    let most = samples.iter().copied().fold(0.0, f32::max);
    if most <= 0.0 {
        put(buf, inner, "nothing was made yet", cx.style(Role::Muted));
        return;
    }
    let label = times(f64::from(most));
    let left = u16::try_from(width(&label)).unwrap_or(0) + 1;
    let axis = Rect {
        width: left,
        ..inner
    };
    put(buf, line(axis, 0), &label, cx.style(Role::Muted));
    put(
        buf,
        line(axis, inner.height - 1),
        "0",
        cx.style(Role::Muted),
    );
    let plot = Rect {
        x: inner.x + left,
        width: inner.width.saturating_sub(left),
        ..inner
    };
    // Two samples a cell; what does not fit is older.
    let room = usize::from(plot.width) * 2;
    let seen = &samples[samples.len().saturating_sub(room)..];
    let cells = u16::try_from(seen.len().div_ceil(2)).unwrap_or(plot.width);
    let used = Rect {
        x: plot.right().saturating_sub(cells),
        width: cells,
        ..plot
    };
    let shares: Vec<f32> = seen.iter().map(|speed| speed / most).collect();
    plot::columns(buf, used, &shares, cx.style(Role::Bar));
    let is_now = cx.app.tasks.first_running().is_some();
    let now = format!(
        "{} {}",
        if is_now { "now" } else { "last" },
        times(f64::from(seen.last().copied().unwrap_or(0.0)))
    );
    if used.x > plot.x + 14 {
        put_right(
            buf,
            Rect {
                width: used.x - plot.x - 1,
                ..line(plot, inner.height - 1)
            },
            &now,
            cx.style(Role::Muted),
        );
    }
}

fn facts(vitals: &Vitals, cx: Cx<'_>) -> Vec<(&'static str, String, Role)> {
    // What the other pages say as well is said from the same tasks: these were measured a while ago.
    let (health, totals) = (&vitals.health, cx.app.tasks.totals());
    let unknown = || "not known here".to_owned();
    let mut worker = format!(
        "{} of {} at work",
        health.active_threads, health.max_threads
    );
    let mut worker_role = Role::Text;
    if let Some(idle) = health.idle_share.filter(|_| health.active_threads > 0) {
        worker = format!("{worker}, idle {:.1} %", idle * 100.0);
    }
    if health.abandoned_threads > 0 {
        worker = format!("{worker}, {} stuck", health.abandoned_threads);
        worker_role = Role::Failed;
    }
    let queue = if cx.app.queue_paused {
        format!("paused, {} waiting", totals.count(TaskState::Pending))
    } else {
        format!(
            "{} waiting, {} in work",
            totals.count(TaskState::Pending),
            totals.count(TaskState::Processing)
        )
    };
    let disk = vitals.disk.map_or_else(unknown, |(free, all)| {
        format!("{} free of {}", human_size(free), human_size(all))
    });
    let tight = vitals.disk.is_some_and(|(free, _)| free < 1 << 30);
    let uptime = Duration::try_from_secs_f64(health.uptime_seconds);
    vec![
        ("Workers", worker, worker_role),
        ("Queue", queue, Role::Text),
        (
            "Threads",
            vitals.threads.map_or_else(unknown, |n| n.to_string()),
            Role::Text,
        ),
        (
            "Memory",
            vitals.memory.map_or_else(unknown, human_size),
            Role::Text,
        ),
        ("Disk", disk, if tight { Role::Warning } else { Role::Text }),
        (
            "Database",
            vitals.database.map_or_else(unknown, human_size),
            Role::Text,
        ),
        (
            "Clips",
            format!(
                "{}, {} of audio",
                totals.clips,
                clock(Duration::from_millis(totals.audio_ms))
            ),
            Role::Text,
        ),
        (
            "Speed",
            totals.speed().map_or_else(
                || "—".to_owned(),
                |speed| format!("{} real time", times(speed)),
            ),
            Role::Text,
        ),
        ("Running", clock(uptime.unwrap_or_default()), Role::Text),
        ("Library", health.library.display().to_string(), Role::Text),
    ]
}
