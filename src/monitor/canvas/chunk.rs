//! What of a change goes into a frame that has little room. The rest of the list follows at once, a
//! frame's time later, so that a page that is turned is there in a tenth of a second; what is around it
//! comes with the next frame. No single frame holds up the answer to a key on a slow line.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::cell_style::CellStyle;
use super::change::{Changes, cells, note};
use super::pen::{self, Source};

/// Changes in a row with no more columns than this between them belong together.
const NEAR: u16 = 3;

/// A part of what has changed.
pub(super) struct Chunk {
    pub(super) text: String,
    /// What it leaves the terminal with.
    pub(super) style: CellStyle,
    pub(super) rest: Remaining,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Remaining {
    /// Around the page: the row to go on with.
    pub(super) around: Option<u16>,
    /// Whether there is something left of the page.
    pub(super) is_page: bool,
}

impl Remaining {
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
    changed: &Changes,
    style: CellStyle,
    from: Option<u16>,
    most: usize,
) -> Chunk {
    let next = source.screen;
    let mut units = units(next, page, &changed.cells);
    units.sort_by_key(|unit| match from {
        Some(from) => (unit.is_page, !unit.is_page && unit.row < from),
        None => (!unit.is_page, false),
    });
    let write = |taken: &[(u16, u16)]| pen::write(source, taken, changed.is_wide, style);
    let cells_of = |units: &[Unit]| {
        let ranges = units.iter().map(|unit| &changed.cells[unit.cells.clone()]);
        let mut taken: Vec<_> = ranges.flatten().copied().collect();
        taken.sort_unstable_by_key(|(x, y)| (*y, *x));
        taken
    };
    let mut least = 0;
    let within = units.iter().take_while(|unit| {
        least += pen::least(next, &changed.cells[unit.cells.clone()]);
        least <= most
    });
    let (mut fits, mut too_many) = (0, within.count() + 1);
    while too_many - fits > 1 {
        let middle = usize::midpoint(fits, too_many);
        if write(&cells_of(&units[..middle])).0.len() <= most {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    let mut taken = cells_of(&units[..fits]);
    if fits == 0
        && let Some(first) = units.first()
    {
        // Something has to go out, or it would never end.
        let unit = &changed.cells[first.cells.clone()];
        let fits = |end: &usize| write(&unit[..*end]).0.len() <= most;
        let end = (1..unit.len()).rev().find(fits).unwrap_or(1);
        taken = unit[..end].to_vec();
    }
    let (text, style) = write(&taken);
    note(shown, next, &taken);
    let left = &units[fits..];
    let rest = Remaining {
        around: left.iter().find(|unit| !unit.is_page).map(|unit| unit.row),
        is_page: left.iter().any(|unit| unit.is_page),
    };
    Chunk { text, style, rest }
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
