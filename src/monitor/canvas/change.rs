//! Which cells differ between two screens.

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

use super::cell_style::CellStyle;

/// No view draws a control character.
const DOUBT: &str = "\0";

/// What differs.
pub(super) struct Changes {
    /// Column and row of each cell to be written, row by row.
    pub(super) cells: Vec<(u16, u16)>,
    /// Whether there is anything wide among them.
    pub(super) is_wide: bool,
}

/// Compares two screens of one size.
pub(super) fn changes(before: &Buffer, after: &Buffer) -> Changes {
    let (mut changed, mut is_wide) = (Vec::new(), false);
    let area = after.area;
    for (y, (old, new)) in (area.top()..).zip(rows(before).zip(rows(after))) {
        let is_same = |(old, new)| looks_same(old, new);
        if old.iter().zip(new).all(is_same) {
            continue;
        }
        let mut x = area.left();
        // Up to here something wide was written over: what its second half looks like is not sure.
        let mut unsure = x;
        while x < area.right() {
            let at = usize::from(x - area.left());
            let end = (x + cells(&new[at])).min(area.right());
            if x < unsure || !looks_same(&old[at], &new[at]) {
                changed.push((x, y));
                for (covered, cell) in (x..end).zip(&old[at..]) {
                    unsure = unsure.max(covered + cells(cell));
                }
                is_wide |= unsure > x + 1 || end > x + 1;
            }
            // Behind a wide character stands nothing of its own.
            x = end;
        }
    }
    Changes {
        cells: changed,
        is_wide,
    }
}

/// Whether a person could not tell them apart.
pub(super) fn looks_same(old: &Cell, new: &Cell) -> bool {
    let (old_ink, new_ink) = (CellStyle::of(old), CellStyle::of(new));
    old.symbol() == new.symbol()
        && (old_ink == new_ink || old_ink.is_same_for(new.symbol(), new_ink))
}

/// The rows of a screen, from the top.
pub(super) fn rows(screen: &Buffer) -> impl Iterator<Item = &[Cell]> {
    screen.content.chunks(usize::from(screen.area.width).max(1))
}

/// Takes note in `shown` that these cells, which come row by row, were written as they are in `screen`.
pub(super) fn note(shown: &mut Buffer, screen: &Buffer, written: &[(u16, u16)]) {
    for &(x, y) in written {
        let end = (x + cells(&screen[(x, y)])).min(screen.area.right());
        // Of something wide that lost a half, nobody knows what the other one looks like.
        if x > screen.area.left() && x - 1 + cells(&shown[(x - 1, y)]) > x {
            doubt(&mut shown[(x - 1, y)]);
        }
        let mut unsure = end;
        for covered in x..end {
            unsure = unsure.max(covered + cells(&shown[(covered, y)]));
            shown[(covered, y)] = screen[(covered, y)].clone();
        }
        for half in end..unsure.min(screen.area.right()) {
            doubt(&mut shown[(half, y)]);
        }
    }
}

/// Takes note that what stands in this cell is not known: whatever comes there next differs from it.
fn doubt(cell: &mut Cell) {
    cell.set_symbol(DOUBT);
}

/// Whether it is not known what stands in a cell.
pub(super) fn is_doubtful(cell: &Cell) -> bool {
    cell.symbol() == DOUBT
}

/// The cells that a symbol takes.
pub(super) fn cells(cell: &Cell) -> u16 {
    match cell.symbol() {
        symbol if symbol.len() == 1 => 1,
        symbol => u16::try_from(symbol.width()).unwrap_or(1).max(1),
    }
}
