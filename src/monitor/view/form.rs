//! The form for a new narration, over the page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::over;
use super::text::{count, field, fit, line, put, put_all, wrap};
use super::{Cx, Layout};
use crate::model::Priority;
use crate::monitor::action::Action;
use crate::monitor::app::{Field, Form};
use crate::monitor::theme::Role;

/// The width of the labels.
const LABEL: u16 = 12;

pub(super) fn draw(buf: &mut Buffer, screen: Rect, form: &Form, cx: Cx<'_>, layout: &mut Layout) {
    let area = over::centred(screen, 76, 15);
    let head = ("Add a text", "Enter adds, Esc closes");
    let inner = over::draw(buf, area, head, cx);
    let tight = inner.height < 11;
    let mut row = u16::from(!tight);
    for each in Field::ALL {
        let at = line(inner, row);
        row += 1;
        let focused = form.field == each;
        let mark = if focused { "▸ " } else { "  " };
        let label = format!("{mark}{:<8}", each.label());
        let role = if focused { Role::Accent } else { Role::Muted };
        put(buf, at, &label, cx.style(role));
        let value = Rect {
            x: at.x + LABEL,
            width: at.width.saturating_sub(LABEL),
            ..at
        };
        layout.fields.push(at);
        draw_value(buf, value, form, each, cx, layout);
    }
    row += u16::from(!tight);
    let below = Rect {
        y: inner.y + row,
        height: inner.height.saturating_sub(row),
        ..inner
    };
    let wide = usize::from(below.width);
    let (words, role) = if let Some(problem) = &form.problem {
        (problem.clone(), Role::Failed)
    } else if form.is_sent {
        ("reading and cutting the text …".to_owned(), Role::Muted)
    } else if !form.candidates.is_empty() && form.field == Field::Text {
        (candidates(&form.candidates), Role::Muted)
    } else if form.pasted.is_some() && form.field == Field::Text {
        (
            "Backspace takes the pasted text away".to_owned(),
            Role::Muted,
        )
    } else {
        (form.field.advice().to_owned(), Role::Muted)
    };
    let lines = wrap(
        &words,
        wide,
        usize::from(below.height.saturating_sub(1)).max(1),
    );
    for (at, text) in (0..).zip(lines) {
        put(buf, line(below, at), &text, cx.style(role));
    }
    if below.height > 2 {
        let foot = line(inner, inner.height - 1);
        let pieces = [
            ("Enter", cx.style(Role::Key)),
            (" add   ", cx.style(Role::Text)),
        ];
        let used = put_all(buf, foot, &pieces);
        let add = Rect {
            width: used,
            ..foot
        };
        let pieces = [
            ("Esc", cx.style(Role::Key)),
            (" close", cx.style(Role::Text)),
        ];
        let next = Rect {
            x: foot.x + used,
            width: foot.width.saturating_sub(used),
            ..foot
        };
        let used = put_all(buf, next, &pieces);
        let close = Rect {
            width: used,
            ..next
        };
        layout.buttons.insert(0, (add, Action::Accept));
        layout.buttons.insert(0, (close, Action::Leave));
    }
}

fn draw_value(
    buf: &mut Buffer,
    at: Rect,
    form: &Form,
    each: Field,
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    let focused = form.field == each;
    match each {
        Field::Text => match &form.pasted {
            Some(text) => {
                let letters = count(text.chars().count() as u64, "character", "characters");
                let start = fit(
                    text,
                    usize::from(at.width).saturating_sub(letters.len() + 12),
                );
                let words = format!("“{start}”  {letters}, pasted");
                put(buf, at, &words, cx.style(Role::Text));
            }
            None => field(buf, at, "", &form.path, focused, cx.theme),
        },
        Field::Voice => field(buf, at, "", &form.voice, focused, cx.theme),
        Field::Speed => field(buf, at, "", &form.speed, focused, cx.theme),
        Field::Speaker => field(buf, at, "", &form.speaker, focused, cx.theme),
        Field::Priority => layout.priorities = draw_priorities(buf, at, form.priority, cx),
    }
}

/// All of them, with the chosen one marked. Returns where each stands.
fn draw_priorities(
    buf: &mut Buffer,
    at: Rect,
    chosen: Priority,
    cx: Cx<'_>,
) -> Vec<(Rect, Priority)> {
    let words = [
        (Priority::Low, "low"),
        (Priority::Normal, "normal"),
        (Priority::High, "high"),
    ];
    let mut rest = at;
    let places = words.map(|(priority, word)| {
        let (text, role) = if priority == chosen {
            (format!("[{word}] "), Role::Heading)
        } else {
            (format!(" {word}  "), Role::Muted)
        };
        let width = put(buf, rest, &text, cx.style(role));
        let place = Rect { width, ..rest };
        rest.x += width;
        rest.width = rest.width.saturating_sub(width);
        (place, priority)
    });
    places.to_vec()
}

/// The last parts of the candidates: what comes before is in the line already.
fn candidates(candidates: &[String]) -> String {
    let names = candidates.iter().map(|path| {
        let cut = path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
        &path[cut..]
    });
    names.collect::<Vec<_>>().join("   ")
}
