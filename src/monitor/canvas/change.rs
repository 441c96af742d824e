//! Which cells differ between two screens.

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

use super::cell_style::CellStyle;

/// Column and row of each cell to be written, row by row, where a screen of the same size was before.
pub(super) fn changes(before: &Buffer, after: &Buffer) -> Vec<(u16, u16)> {
    let mut changed = Vec::new();
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
            }
            // Behind a wide character stands nothing of its own.
            x = end;
        }
    }
    changed
}

/// Whether a person could not tell them apart.
fn looks_same(old: &Cell, new: &Cell) -> bool {
    let (old_ink, new_ink) = (CellStyle::of(old), CellStyle::of(new));
    old.symbol() == new.symbol()
        && (old_ink == new_ink || old_ink.is_same_for(new.symbol(), new_ink))
}

/// The rows of a screen, from the top.
fn rows(screen: &Buffer) -> impl Iterator<Item = &[Cell]> {
    screen.content.chunks(usize::from(screen.area.width).max(1))
}

/// The cells that a symbol takes.
pub(super) fn cells(cell: &Cell) -> u16 {
    match cell.symbol() {
        symbol if symbol.len() == 1 => 1,
        symbol => u16::try_from(symbol.width()).unwrap_or(1).max(1),
    }
}
