//! The form for a new narration, over the page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{count, field, fit, line, put};
use super::{Cx, fields, over};
use crate::monitor::action::Action;
use crate::monitor::app::{Field, Form};
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

pub(super) fn draw(buf: &mut Buffer, screen: Rect, form: &Form, cx: Cx<'_>, layout: &mut Layout) {
    let area = over::centred(screen, 76, 16);
    let head = ("Add a text", "Enter adds, Esc closes");
    let inner = over::draw(buf, area, head, cx);
    let tight = inner.height < 12;
    let mut row = u16::from(!tight);
    for each in Field::ALL {
        let label = (each.label(), form.field == each);
        let value = fields::labelled(buf, line(inner, row), label, cx, layout);
        draw_value(buf, value, form, each, cx, layout);
        row += 1;
    }
    row += u16::from(!tight);
    let mut below = Rect {
        y: inner.y + row,
        height: inner.height.saturating_sub(row),
        ..inner
    };
    if below.height > 2 {
        below.height -= 1;
        let keys = [
            ("Enter", "add", Action::Accept),
            ("Esc", "close", Action::Leave),
        ];
        fields::foot(buf, line(inner, inner.height - 1), &keys, cx, layout);
    }
    fields::told(buf, below, &[told(form)], cx);
}

/// What is told below the lines.
fn told(form: &Form) -> (String, Role) {
    let is_of_text = form.field == Field::Text;
    if let Some(problem) = &form.problem {
        return (problem.clone(), Role::Failed);
    }
    let words = if form.is_sent {
        "reading and cutting the text …".to_owned()
    } else if !form.candidates.is_empty() && is_of_text {
        candidates(&form.candidates)
    } else if form.pasted.is_some() && is_of_text {
        "Backspace takes the pasted text away".to_owned()
    } else {
        form.field.advice().to_owned()
    };
    (words, Role::Muted)
}

fn draw_value(
    buf: &mut Buffer,
    at: Rect,
    form: &Form,
    each: Field,
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    if let Some(values) = form.values(each) {
        return fields::values(buf, at, values, cx, layout);
    }
    let mut draw = |input| field(buf, at, "", input, form.field == each, cx.theme);
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
            None => draw(&form.path),
        },
        Field::Voice => draw(&form.voice),
        Field::Speed => draw(&form.speed),
        Field::Speaker => draw(&form.speaker),
        Field::Format | Field::Priority => {}
    }
}

/// The last parts of the candidates: what comes before is in the line already.
fn candidates(candidates: &[String]) -> String {
    let names = candidates.iter().map(|path| {
        let cut = path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
        &path[cut..]
    });
    names.collect::<Vec<_>>().join("   ")
}
