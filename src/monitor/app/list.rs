//! Lists longer than the screen: which rows are seen. Pure arithmetic; it never touches the rows.

use ratatui::layout::{Position, Rect};

/// Where a list was drawn and what part of it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListArea {
    /// The whole pane, for the mouse wheel.
    pub(crate) pane: Rect,
    /// Where the rows are, one line each.
    pub(crate) rows: Rect,
    /// The first row seen, counted from 0.
    pub(crate) first: usize,
    /// How many rows there are in all.
    pub(crate) len: usize,
}

impl ListArea {
    /// Rows that fit.
    pub(crate) fn page(&self) -> usize {
        usize::from(self.rows.height).max(1)
    }

    /// The row at this place on the screen.
    pub(crate) fn row_at(&self, at: Position) -> Option<usize> {
        if !self.rows.contains(at) {
            return None;
        }
        let row = self.first + usize::from(at.y - self.rows.y);
        (row < self.len).then_some(row)
    }
}

/// The first row to show, so that `selected` is seen and as little moves as possible since
/// `first` was on top.
///
/// A list that follows the work turns a page instead when its end is reached: moving every row for
/// each segment would be restless, and dear on a slow line.
pub(crate) fn scroll(
    first: usize,
    selected: usize,
    height: usize,
    len: usize,
    follows: bool,
) -> usize {
    let height = height.max(1);
    // Keep some context around the selection where there is room for it.
    let margin = height / 5;
    let lowest = (selected + margin + 1)
        .saturating_sub(height)
        .min(len.saturating_sub(height));
    let highest = selected
        .saturating_sub(margin)
        .min(len.saturating_sub(height));
    if follows && first < lowest {
        let is_next_page = lowest - first < height;
        return if is_next_page {
            highest
        } else {
            // From elsewhere: what came of the work above it, what comes next below.
            let middle = selected.saturating_sub(height / 2);
            middle.clamp(lowest.min(highest), highest)
        };
    }
    first.clamp(lowest.min(highest), highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_selection_is_always_seen(
            first in 0usize..1000, len in 1usize..1000, height in 1usize..50, at in 0usize..1000,
            follows: bool,
        ) {
            let selected = at % len;
            let top = scroll(first, selected, height, len, follows);
            prop_assert!(top <= selected && selected < top + height);
            // No empty lines below the last row while rows above are hidden.
            prop_assert!(top == 0 || top + height <= len);
            // What is settled stays.
            prop_assert_eq!(scroll(top, selected, height, len, follows), top);
        }
    }
}
