//! Which cells differ between two screens.

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

use super::ink::Ink;

/// The cells to be written, row by row, and whether there is anything wide among them.
pub(super) fn changed(before: &Buffer, after: &Buffer) -> (Vec<(u16, u16)>, bool) {
    let (mut changed, mut is_wide) = (Vec::new(), false);
    let area = after.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        // Up to here something wide was written over: what its second half looks like is not sure.
        let mut unsure = x;
        while x < area.right() {
            let (old, new) = (&before[(x, y)], &after[(x, y)]);
            let end = (x + cells(new)).min(area.right());
            let is_same = Ink::of(old) == Ink::of(new) && old.symbol() == new.symbol();
            if !is_same || x < unsure {
                changed.push((x, y));
                for covered in x..end {
                    unsure = unsure.max(covered + cells(&before[(covered, y)]));
                }
                is_wide |= unsure > x + 1 || end > x + 1;
            }
            // Behind a wide character stands nothing of its own.
            x = end;
        }
    }
    (changed, is_wide)
}

/// The cells that a symbol takes.
pub(super) fn cells(cell: &Cell) -> u16 {
    match cell.symbol() {
        symbol if symbol.len() == 1 => 1,
        symbol => u16::try_from(symbol.width()).unwrap_or(1).max(1),
    }
}
