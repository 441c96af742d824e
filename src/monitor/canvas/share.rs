//! What of a change goes into a frame that has little room; the rest comes with the next frames.
//! Meanwhile the screen must not show what isn't so: of a page that is turned, what can't be written
//! yet is erased, and it fills from above.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;

use super::change::{Changes, cells, changes, doubt, note, note_erased};
use super::ink::Ink;
use super::pen::{self, Source};

/// Changes in a row with no more columns than this between them belong together.
const NEAR: u16 = 3;

/// A row of the page with so many changed cells says something else.
const REWRITTEN: usize = 16;

/// So many such rows are a page that is turned.
const TURNED: usize = 4;

/// A part of what has changed.
pub(super) struct Share {
    pub(super) text: String,
    /// What it leaves the terminal with.
    pub(super) ink: Ink,
    pub(super) rest: Rest,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// Around the page: the row to go on with.
    pub(super) around: Option<u16>,
    /// Whether there is something left of the page.
    pub(super) is_page: bool,
}

impl Rest {
    pub(super) fn is_any(self) -> bool {
        self.around.is_some() || self.is_page
    }
}

/// Changes that are written together.
struct Unit {
    row: u16,
    is_page: bool,
    /// Which of the changes.
    cells: Range<usize>,
}

/// Writes a part of what differs between `shown` and `next`, in as few bytes as there is room for, and
/// takes note of it in `shown`. The `page` goes first, unless something around it had no room in the
/// last frame: then that does, from row `from` on. So none of it waits for ever.
pub(super) fn take(
    shown: &mut Buffer,
    source: Source<'_>,
    page: Rect,
    changed: Changes,
    ink: Ink,
    from: Option<u16>,
    most: usize,
) -> Share {
    let next = source.screen;
    let mut changed = changed;
    let (mut text, mut ink) = (String::new(), ink);
    if source.erases {
        (text, ink) = erase(shown, source, page, &changed, ink, most);
    }
    if !text.is_empty() {
        changed = changes(shown, next);
    }
    let mut units = units(next, page, &changed.cells);
    let from = from.filter(|_| text.is_empty());
    units.sort_by_key(|unit| match from {
        Some(from) => (unit.is_page, !unit.is_page && unit.row < from),
        None => (!unit.is_page, false),
    });
    let left = most - text.len();
    let write = |taken: &[(u16, u16)]| pen::write(source, taken, changed.is_wide, ink);
    let cells_of = |units: &[Unit]| {
        let ranges = units.iter().map(|unit| &changed.cells[unit.cells.clone()]);
        let mut taken: Vec<_> = ranges.flatten().copied().collect();
        taken.sort_unstable_by_key(|(x, y)| (*y, *x));
        taken
    };
    let mut least = 0;
    let within = units.iter().take_while(|unit| {
        least += pen::least(next, &changed.cells[unit.cells.clone()]);
        least <= left
    });
    let (mut fits, mut too_many) = (0, within.count() + 1);
    while too_many - fits > 1 {
        let middle = usize::midpoint(fits, too_many);
        if write(&cells_of(&units[..middle])).0.len() <= left {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    let mut taken = cells_of(&units[..fits]);
    if fits == 0
        && text.is_empty()
        && let Some(first) = units.first()
    {
        // Something has to go out, or it would never end.
        let unit = &changed.cells[first.cells.clone()];
        let fits = |end: &usize| write(&unit[..*end]).0.len() <= left;
        let (some, others) = unit.split_at((1..unit.len()).rev().find(fits).unwrap_or(1));
        taken = some.to_vec();
        doubt(shown, others);
    }
    let (written, ink) = write(&taken);
    note(shown, next, &taken);
    text.push_str(&written);
    let left = &units[fits..];
    let rest = Rest {
        around: left.iter().find(|unit| !unit.is_page).map(|unit| unit.row),
        is_page: left.iter().any(|unit| unit.is_page),
    };
    Share { text, ink, rest }
}

/// If the page is turned, erases the rows of it that say something else now.
fn erase(
    shown: &mut Buffer,
    source: Source<'_>,
    page: Rect,
    changed: &Changes,
    ink: Ink,
    most: usize,
) -> (String, Ink) {
    let next = source.screen;
    let is_in_page = |place: &&(u16, u16)| page.contains(Position::from(**place));
    let places: Vec<_> = changed.cells.iter().filter(is_in_page).collect();
    let mut stale: Vec<(Range<u16>, u16, Color)> = places
        .chunk_by(|(_, y), (_, below)| y == below)
        .filter(|row| row.len() > REWRITTEN)
        .filter_map(|row| {
            let y = row[0].1;
            let mut columns = page.left()..page.right();
            let ground = next[(page.left(), y)].bg;
            let is_even = columns.clone().all(|x| next[(x, y)].bg == ground);
            let is_blank = columns.all(|x| shown[(x, y)].symbol() == " ");
            (is_even && !is_blank).then_some((page.left()..page.right(), y, ground))
        })
        .collect();
    if stale.len() < TURNED {
        return (String::new(), ink);
    }
    let mut written = pen::erase(&stale, source, ink);
    while written.0.len() > most {
        stale.pop();
        written = pen::erase(&stale, source, ink);
    }
    for (columns, row, ground) in stale {
        note_erased(shown, columns, row, ground);
    }
    written
}

/// Changes near each other around the page, and whole rows of it.
fn units(screen: &Buffer, page: Rect, changed: &[(u16, u16)]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut end = 0;
    for (at, &(x, row)) in changed.iter().enumerate() {
        let is_page = page.contains(Position::new(x, row));
        match units.last_mut() {
            Some(unit)
                if (unit.row, unit.is_page) == (row, is_page) && (is_page || x <= end + NEAR) =>
            {
                unit.cells.end = at + 1;
            }
            _ => units.push(Unit {
                row,
                is_page,
                cells: at..at + 1,
            }),
        }
        end = x + cells(&screen[(x, row)]);
    }
    units
}
