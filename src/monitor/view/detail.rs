//! The selected segment beside the lists: its text and what is said for it, its clip, what went wrong
//! with it, as far as there is room; whatever is cut is said to go on, and [`zoom`] shows all of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::pane::{self, Look};
use super::text::{clock, fit_end, line, put, put_all, seconds, times, wrap};
use super::zoom::{self, Line};
use super::{Cx, plot, said, segments, take_bottom, take_top};
use crate::model::{ErrorObject, Hold, PlannedSegment, SegmentId, TaskStatus};
use crate::monitor::app::{SegmentState, Target, segment_count, segment_state};
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, area: Rect, look: Look, focused: bool, cx: Cx<'_>) {
    let Some(target) = cx.app.shown_segment() else {
        pane::draw(buf, area, ("Segment", ""), false, look, cx.theme);
        return;
    };
    let (task, id) = (target.task, target.segment);
    let (title, note) = heading(task, id);
    let mut rest = pane::draw(buf, area, (&title, &note), focused, look, cx.theme);
    if id != SegmentId::TASK {
        for pieces in facts(task, id, rest.width, cx) {
            print(buf, &mut rest, pieces);
        }
        if rest.height > 3 {
            take_top(&mut rest, 1);
        }
    }
    // Errors first in space, so that a long text never pushes them out of sight.
    let mut errors = errors(task, id, rest.width, cx);
    let mut is_cut = errors.len() > usize::from(rest.height);
    errors.truncate(usize::from(rest.height));
    let text = task.plan.as_ref().and_then(|plan| plan.get(id));
    if let Some(segment) = text {
        let (wide, tall) = (usize::from(rest.width), usize::from(rest.height));
        let lines = wrap(&segment.text, wide, tall);
        let mut said = said::lines(segment, rest.width, cx);
        if !said.is_empty() {
            // Some air above it.
            said.insert(0, Line::new());
        }
        let told = Told {
            text: lines.len(),
            said: said.len(),
            errors: errors.len(),
        };
        is_cut |= closer_look(buf, &mut rest, told, target, cx);
        let room = usize::from(rest.height).saturating_sub(errors.len()).max(1);
        let style = cx.style(text_role(segment));
        // Where there is too little room for both, neither takes more than half of it from the other.
        let most = room.saturating_sub(said.len().min(room / 2)).max(1);
        let lines = wrap(&segment.text, wide, most);
        is_cut |= wrap(&segment.text, wide, most + 1).len() > most;
        let left = room.saturating_sub(lines.len());
        for text in lines {
            print(buf, &mut rest, vec![(text, style)]);
        }
        is_cut |= said.len() > left;
        said::cut(&mut said, left, wide, cx);
        for pieces in said {
            print(buf, &mut rest, pieces);
        }
    }
    for pieces in errors {
        print(buf, &mut rest, pieces);
    }
    if id == SegmentId::TASK && rest.height > 4 {
        let foot = take_bottom(&mut rest, 2);
        about_task(buf, foot, task, cx);
    }
    if is_cut {
        zoom::more(buf, area, look, cx);
    }
}

/// The title of the pane, and the note beside it.
pub(super) fn heading(task: &TaskStatus, id: SegmentId) -> (String, String) {
    if id == SegmentId::TASK {
        return ("Task".to_owned(), String::new());
    }
    let mut note = format!("of {}", segment_count(task));
    let segment = task.plan.as_ref().and_then(|plan| plan.get(id));
    if let Some(segment) = segment.filter(|segment| segment.voice > 0) {
        let name = task.voice_of(segment).rsplit(['/', '\\']).next();
        note = format!("by {}, {note}", name.unwrap_or_default());
    }
    (format!("Segment {id}"), note)
}

pub(super) fn text_role(segment: &PlannedSegment) -> Role {
    if segment.heading {
        Role::Heading
    } else {
        Role::Text
    }
}

/// How many lines the words of a segment take: what is written, what is said for it, what went wrong.
#[derive(Clone, Copy)]
struct Told {
    text: usize,
    said: usize,
    errors: usize,
}

/// At the foot: how the segment sounds and what its clip looks like, as far as that is known and
/// there is room beside its words. Returns whether there was too little of it.
fn closer_look(
    buf: &mut Buffer,
    rest: &mut Rect,
    Told { text, said, errors }: Told,
    target: Target<'_>,
    cx: Cx<'_>,
) -> bool {
    let detail = &cx.app.detail;
    let free = usize::from(rest.height).saturating_sub(errors);
    let is_known = (detail.of.as_ref())
        .is_some_and(|(task, of)| (task, *of) == (&target.task.id, target.segment));
    if !is_known || free < 6 {
        return false;
    }
    let (mut any, mut is_cut) = (false, false);
    // What is said otherwise tells more than a picture of its sound, or what all segments share: with a
    // line of phonemes and some air it comes before these.
    let has_room = |for_it: usize, left: u16| {
        said == 0 || usize::from(left) >= errors + text + said + 2 + for_it
    };
    if free >= 12 && has_room(3, rest.height) {
        // Who speaks and where the clips are has its place below.
        let about = take_bottom(rest, 2);
        about_task(buf, about, target.task, cx);
        take_bottom(rest, 1);
        any = true;
    }
    if let Some(Ok(wave)) = &detail.wave {
        let tall = if free >= 14 && has_room(4, rest.height) {
            4
        } else {
            2
        };
        if has_room(2, rest.height) {
            let area = take_bottom(rest, tall);
            plot::wave(buf, area, &wave.peaks, cx.style(Role::Done));
            any = true;
        } else {
            is_cut = true;
        }
    } else if let Some(Err(why)) = &detail.wave {
        put(buf, take_bottom(rest, 1), why, cx.style(Role::Failed));
        any = true;
    }
    match &detail.phonemes {
        Some(Ok(phonemes)) => {
            let left = usize::from(rest.height).saturating_sub(errors + text + said + 1);
            let least = if said > 0 { 1 } else { free / 4 };
            let (width, most) = (usize::from(rest.width), left.max(least).max(1));
            let lines = wrap(phonemes, width, most);
            is_cut |= wrap(phonemes, width, most + 1).len() > most;
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
    is_cut
}

/// Who speaks, and where the clips are.
fn about_task(buf: &mut Buffer, area: Rect, task: &TaskStatus, cx: Cx<'_>) {
    for ((label, fact), row) in about(task).zip(0..) {
        let room = usize::from(area.width).saturating_sub(label.len());
        let fact = fit_end(&fact, room);
        let pieces = [
            (label, cx.style(Role::Muted)),
            (fact.as_str(), cx.style(Role::Text)),
        ];
        put_all(buf, line(area, row), &pieces);
    }
}

/// The voice, and those beside it.
fn voices(task: &TaskStatus) -> String {
    let names = std::iter::once(&task.voice).chain(task.others.iter());
    let names: Vec<&str> = names.map(|name| &**name).collect();
    names.join(", ")
}

/// The same as facts with their labels.
pub(super) fn about(task: &TaskStatus) -> impl Iterator<Item = (&'static str, String)> {
    let folder = task.folder.as_ref().map(|path| path.display().to_string());
    let facts = [
        ("Voice  ", voices(task)),
        ("Files  ", folder.unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, fact)| !fact.is_empty())
}

/// State, durations and clip.
pub(super) fn facts(task: &TaskStatus, id: SegmentId, width: u16, cx: Cx<'_>) -> Vec<Line> {
    let state = segment_state(task, id);
    let done = task.completed_segments.get(id);
    let quiet = cx.style(Role::Muted);
    let mut numbers = String::new();
    if let Some(done) = done {
        let audio = seconds(done.duration);
        numbers = match segments::speed(done) {
            Some(speed) if width >= 44 => {
                let work = seconds(done.work);
                format!("   {audio} of audio in {work} · {}", times(speed))
            }
            Some(speed) => format!("   {audio} · {}", times(speed)),
            None => format!("   {audio} of audio"),
        };
    }
    // What was tried more than once: the task as a whole, or this segment alone.
    let tries = (task.attempt as usize).max(task.errors.of(id).count());
    let is_tried = matches!(state, SegmentState::Running | SegmentState::Failed);
    if is_tried && tries > 1 {
        numbers = format!("{numbers}   attempt {tries}");
    }
    let head = format!("{} {}", state.symbol(), state.word());
    let mut lines = vec![vec![
        (head, cx.style(segments::role(state))),
        (numbers, quiet),
    ]];
    if let Some(done) = done {
        lines.push(vec![(done.clip.to_string(), quiet)]);
    }
    lines
}

/// What went wrong, each with what to do next.
pub(super) fn errors(task: &TaskStatus, id: SegmentId, width: u16, cx: Cx<'_>) -> Vec<Line> {
    let mut lines = held(task, id, width, cx);
    for ErrorObject {
        code,
        message,
        remediation,
        ..
    } in super::errors::of(task, id)
    {
        if id != SegmentId::TASK || !lines.is_empty() {
            lines.push(Line::new());
        }
        let mut add = |text: &str, role| lines.extend(zoom::lines(text, width, cx.style(role)));
        add(&format!("✘ {code}"), Role::Failed);
        add(message, Role::Text);
        if !remediation.is_empty() {
            add(&format!("→ {remediation}"), Role::Accent);
        }
    }
    lines
}

/// What keeps a waiting task from running, beside its place.
fn held(task: &TaskStatus, id: SegmentId, width: u16, cx: Cx<'_>) -> Vec<Line> {
    let Some(hold) = task.hold.as_deref().filter(|_| id == SegmentId::TASK) else {
        return Vec::new();
    };
    let (what, why, advice) = match hold {
        Hold::Breaker { error, retry_at } => (
            format!(
                "the last ones like it failed; one is tried in {}",
                clock(retry_at.since(cx.app.now))
            ),
            error.message.as_str(),
            error.remediation.as_str(),
        ),
        _ => (
            "this program can't do this".to_owned(),
            "it waits for one that can",
            "",
        ),
    };
    let mut lines: Vec<Line> = zoom::lines(&what, width, cx.style(Role::Warning)).collect();
    lines.extend(zoom::lines(why, width, cx.style(Role::Text)));
    if !advice.is_empty() {
        let advice = format!("→ {advice}");
        lines.extend(zoom::lines(&advice, width, cx.style(Role::Accent)));
    }
    lines
}

/// Writes the next line, where there is room for it.
fn print(buf: &mut Buffer, rest: &mut Rect, pieces: Line) {
    let at = take_top(rest, 1);
    let pieces: Vec<(&str, Style)> = pieces
        .iter()
        .map(|(text, style)| (text.as_str(), *style))
        .collect();
    put_all(buf, at, &pieces);
}
