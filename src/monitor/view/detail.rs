//! Everything about the selected segment: its whole text, its clip, what went wrong with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::pane::{self, Look};
use super::text::{fit_end, line, put, put_all, seconds, times, wrap};
use super::{Cx, errors, plot, segments, take_bottom, take_top};
use crate::engine::{ErrorObject, SegmentId, TaskStatus};
use crate::monitor::app::{segment_count, segment_state};
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, focused: bool, cx: Cx<'_>) {
    let Some(target) = cx.app.shown_segment() else {
        return;
    };
    let (task, id) = (target.task, target.segment);
    let (title, note) = if id == 0 {
        ("Task".to_owned(), String::new())
    } else {
        let note = format!("of {}", segment_count(task));
        (format!("Segment {id}"), note)
    };
    let mut rest = pane::draw(buf, area, (&title, &note), focused, look, cx.theme);
    if id > 0 {
        facts(buf, &mut rest, task, id, cx);
    }
    // Errors first in space, so that a long text never pushes them out of sight.
    let errors = error_lines(task, id, rest, cx);
    let text = task.plan.as_ref().and_then(|plan| plan.get(id));
    if let Some(segment) = text {
        let below = u16::try_from(errors.len()).unwrap_or(rest.height);
        let free = rest.height.saturating_sub(below);
        closer_look(buf, &mut rest, free, id, cx);
        let room = usize::from(rest.height).saturating_sub(errors.len());
        let role = if segment.heading {
            Role::Heading
        } else {
            Role::Text
        };
        let lines = wrap(&segment.text, usize::from(rest.width), room.max(1));
        print(
            buf,
            &mut rest,
            lines.into_iter().map(|text| (text, cx.style(role))),
        );
    }
    print(buf, &mut rest, errors.into_iter());
    if id == 0 && rest.height > 4 {
        let foot = take_bottom(&mut rest, 2);
        about_task(buf, foot, task, cx);
    }
}

/// At the foot: how the segment sounds and what its clip looks like, as far as that is known and
/// there is room.
fn closer_look(buf: &mut Buffer, rest: &mut Rect, free: u16, id: SegmentId, cx: Cx<'_>) {
    let detail = &cx.app.detail;
    if detail.of.as_ref().is_none_or(|(_, of)| *of != id) || free < 6 {
        return;
    }
    let mut any = false;
    if free >= 12 {
        // Who speaks and where the clips are has its place below.
        let about = take_bottom(rest, 2);
        if let Some(task) = cx.app.shown_segment().map(|target| target.task) {
            about_task(buf, about, task, cx);
        }
        take_bottom(rest, 1);
        any = true;
    }
    if let Some(Ok(wave)) = &detail.wave {
        let tall = if free >= 14 { 4 } else { 2 };
        let area = take_bottom(rest, tall);
        plot::wave(buf, area, &wave.peaks, cx.style(Role::Done));
        any = true;
    } else if let Some(Err(why)) = &detail.wave {
        put(buf, take_bottom(rest, 1), why, cx.style(Role::Failed));
        any = true;
    }
    match &detail.phonemes {
        Some(Ok(phonemes)) => {
            // Where the detail has the screen, they have all the room that the text leaves.
            let most = if cx.app.zoomed {
                usize::from((free / 2).max(1))
            } else {
                usize::from((free / 4).max(1))
            };
            let lines = wrap(phonemes, usize::from(rest.width), most);
            let tall = u16::try_from(lines.len()).unwrap_or(0);
            let area = take_bottom(rest, tall);
            for (row, text) in (0..).zip(lines) {
                put(buf, line(area, row), &text, cx.style(Role::Muted));
            }
            any = true;
        }
        Some(Err(why)) => {
            put(buf, take_bottom(rest, 1), why, cx.style(Role::Muted));
            any = true;
        }
        None => {}
    }
    if any {
        // Some air below the text.
        take_bottom(rest, 1);
    }
}

/// Who speaks, and where the clips are.
fn about_task(buf: &mut Buffer, area: Rect, task: &TaskStatus, cx: Cx<'_>) {
    let quiet = cx.style(Role::Muted);
    let folder = task.folder.as_ref().map(|path| path.display().to_string());
    let facts = [
        ("Voice  ", task.voice.as_ref()),
        ("Files  ", folder.as_deref().unwrap_or_default()),
    ];
    for ((label, fact), row) in facts.into_iter().zip(0..) {
        if !fact.is_empty() {
            let room = usize::from(area.width).saturating_sub(label.len());
            let fact = fit_end(fact, room);
            put_all(
                buf,
                line(area, row),
                &[(label, quiet), (&fact, cx.style(Role::Text))],
            );
        }
    }
}

/// State, durations and clip.
fn facts(buf: &mut Buffer, rest: &mut Rect, task: &TaskStatus, id: SegmentId, cx: Cx<'_>) {
    let state = segment_state(task, id);
    let done = task.completed_segments.get(id);
    let quiet = cx.style(Role::Muted);
    let mut numbers = String::new();
    if let Some(done) = done {
        let audio = seconds(done.duration);
        numbers = match segments::speed(done) {
            Some(speed) if rest.width >= 44 => {
                let work = seconds(done.work);
                format!("   {audio} of audio in {work} · {}", times(speed))
            }
            Some(speed) => format!("   {audio} · {}", times(speed)),
            None => format!("   {audio} of audio"),
        };
    }
    // What was tried more than once: the task as a whole, or this segment alone.
    let tries = (task.attempt as usize).max(task.errors.of(id).count());
    if tries > 1 {
        numbers = format!("{numbers}   attempt {tries}");
    }
    let head = format!("{} {}", state.symbol(), state.word());
    let first = take_top(rest, 1);
    put_all(
        buf,
        first,
        &[(&head, cx.style(state.role())), (&numbers, quiet)],
    );
    if let Some(done) = done {
        put(buf, take_top(rest, 1), &done.clip, quiet);
    }
    if rest.height > 3 {
        take_top(rest, 1);
    }
}

/// What went wrong, each with what to do next.
fn error_lines(task: &TaskStatus, id: SegmentId, area: Rect, cx: Cx<'_>) -> Vec<(String, Style)> {
    let most = usize::from(area.height);
    let mut lines = Vec::new();
    for ErrorObject {
        code,
        message,
        remediation,
        ..
    } in errors::of(task, id)
    {
        if lines.len() >= most {
            break;
        }
        if id > 0 || !lines.is_empty() {
            lines.push((String::new(), Style::new()));
        }
        let width = usize::from(area.width);
        let mut add = |text: &str, role: Role| {
            let style = cx.style(role);
            lines.extend(
                wrap(text, width, most)
                    .into_iter()
                    .map(|line| (line, style)),
            );
        };
        add(&format!("✘ {code}"), Role::Failed);
        add(message, Role::Text);
        if !remediation.is_empty() {
            add(&format!("→ {remediation}"), Role::Accent);
        }
    }
    lines.truncate(most);
    lines
}

fn print(buf: &mut Buffer, rest: &mut Rect, lines: impl Iterator<Item = (String, Style)>) {
    for (text, style) in lines {
        let at = take_top(rest, 1);
        put(buf, line(at, 0), &text, style);
    }
}
