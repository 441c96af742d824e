//! The form for a word that is said otherwise, over the page: the segment with the word marked in it, and
//! what a trial has found.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::{field, line, put_all};
use super::zoom::Line;
use super::{Cx, fields, over, said};
use crate::monitor::action::Action;
use crate::monitor::app::{WordField, WordForm};
use crate::monitor::layout::Layout;
use crate::monitor::theme::Role;

/// So many lines of the text are seen at most.
const MOST: usize = 6;

/// The other lines, with air between them.
const OTHERS: u16 = 12;

/// What is told below the lines has so many of them at least.
const TOLD: usize = 2;

pub(super) fn draw(
    buf: &mut Buffer,
    screen: Rect,
    form: &WordForm,
    cx: Cx<'_>,
    layout: &mut Layout,
) {
    let wide = over::centred(screen, 76, u16::MAX).width;
    let wide = usize::from(wide.saturating_sub(4));
    let tall = text(form, wide, MOST, cx).len();
    let tall = u16::try_from(tall).unwrap_or(0).saturating_add(OTHERS);
    let area = over::centred(screen, 76, tall);
    let head = ("Say a word otherwise", "Enter saves, Esc closes");
    let inner = over::draw(buf, area, head, cx);
    let air = u16::from(inner.height >= OTHERS - 1);

    let mut row = air;
    let rigid = WordField::ALL.len() + TOLD + usize::from(air) * 4;
    let room = usize::from(inner.height).saturating_sub(rigid).max(1);
    for pieces in text(form, wide, room.min(MOST), cx) {
        let pieces: Vec<(&str, Style)> = pieces
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        put_all(buf, line(inner, row), &pieces);
        row += 1;
    }
    row += air;
    for each in WordField::ALL {
        let focused = form.field == each;
        let label = (each.label(), focused);
        let value = fields::labelled(buf, line(inner, row), label, cx, layout);
        match each {
            WordField::Word => field(buf, value, "", &form.word, focused, cx.theme),
            WordField::Said => field(buf, value, "", &form.said, focused, cx.theme),
            WordField::Texts => fields::values(buf, value, form.values(), cx, layout),
        }
        row += 1;
    }
    row += air;
    let mut below = Rect {
        y: inner.y + row,
        height: inner.height.saturating_sub(row),
        ..inner
    };
    if usize::from(below.height) > TOLD {
        below.height -= 1;
        let save = if wide < 60 {
            "save"
        } else {
            "save and make again"
        };
        let keys = [
            ("Enter", save, Action::Accept),
            ("Ctrl-O", "hear", Action::Hear),
            ("Esc", "close", Action::Leave),
        ];
        fields::foot(buf, line(inner, inner.height - 1), &keys, cx, layout);
    }
    fields::told(buf, below, &told(form), cx);
}

/// The text in at most so many lines, those around the word that is marked.
fn text(form: &WordForm, wide: usize, most: usize, cx: Cx<'_>) -> Vec<Line> {
    let (plain, marked) = (cx.style(Role::Text), cx.style(Role::Selected));
    let (mut pieces, mut past) = (Vec::new(), 0);
    for range in form.marked() {
        pieces.push((form.text[past..range.start].to_owned(), plain));
        pieces.push((form.text[range.clone()].to_owned(), marked));
        past = range.end;
    }
    pieces.push((form.text[past..].to_owned(), plain));
    let lines = said::wrapped(&pieces, wide, "");
    if lines.len() <= most {
        return lines;
    }
    // With a mark at both ends of a line for what is not seen.
    let lines = said::wrapped(&pieces, wide.saturating_sub(4), "");
    let has_mark = |line: &Line| line.iter().any(|(_, style)| *style == marked);
    let first = lines.iter().position(has_mark).unwrap_or(0);
    let first = first.saturating_sub(most / 2).min(lines.len() - most);
    let last = first + most;
    let is_cut = last < lines.len();
    let mut seen: Vec<Line> = lines.into_iter().skip(first).take(most).collect();
    let quiet = cx.style(Role::Muted);
    if let Some(line) = seen.first_mut().filter(|_| first > 0) {
        line.insert(0, ("… ".to_owned(), quiet));
    }
    if let Some(line) = seen.last_mut().filter(|_| is_cut) {
        line.push((" …".to_owned(), quiet));
    }
    seen
}

/// What is told below the lines: what is wrong, what is awaited, what was found; or what to do.
fn told(form: &WordForm) -> Vec<(String, Role)> {
    let mut told = Vec::new();
    if let Some(problem) = &form.problem {
        told.push((problem.clone(), Role::Failed));
    }
    if form.is_sent() {
        told.push(("saving …".to_owned(), Role::Muted));
    } else if form.sent.is_some() {
        told.push(("trying …".to_owned(), Role::Muted));
    } else if let Some(found) = &form.found {
        let have = match found.segments {
            0 => "no segment has it".to_owned(),
            1 => "1 segment has it".to_owned(),
            many => format!("{many} segments have it"),
        };
        let words = found.phonemes.as_ref().or(found.spoken.as_ref());
        let words = words.map(|words| format!(" · {words}"));
        told.push((have + &words.unwrap_or_default(), Role::Text));
    } else if told.is_empty() {
        told.push((form.field.advice().to_owned(), Role::Muted));
    }
    told
}
