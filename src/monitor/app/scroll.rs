//! Lists longer than the screen: which rows are seen. Pure arithmetic; it never touches the rows.

/// Who moves a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moves {
    /// A person alone.
    ByHand,
    /// The work, from row to row.
    WithTheWork,
    /// A person, but rows come at its end, and it may have been turned for them.
    ByHandAndGrows,
    /// Each row that comes at its end.
    WithItsEnd,
}

/// The first row to show, so that `selected` is seen and as little moves as possible since
/// `first` was on top.
///
/// A list that moves by itself turns a page when its end is reached: moving every row for each
/// segment would be restless, and dear on a slow line. If rows come at its end, it leaves room for
/// them.
pub(crate) fn scroll(
    first: usize,
    selected: usize,
    height: usize,
    len: usize,
    moves: Moves,
) -> usize {
    let height = height.max(1);
    // Keep some context around the selection where there is room for it.
    let margin = height / 5;
    let full = len.saturating_sub(height);
    let lowest = (selected + margin + 1).saturating_sub(height).min(full);
    let grows = matches!(moves, Moves::ByHandAndGrows | Moves::WithItsEnd) && len > height;
    let last = if grows { selected } else { full };
    let highest = selected.saturating_sub(margin).min(last).max(lowest);
    let middle = selected.saturating_sub(height / 2).clamp(lowest, highest);
    match moves {
        Moves::WithTheWork if first < lowest => {
            let is_next_page = lowest - first < height;
            // From elsewhere: what came of the work above it, what comes next below.
            if is_next_page { highest } else { middle }
        }
        Moves::WithItsEnd if first < lowest => middle,
        _ => first.clamp(lowest, highest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_selection_is_always_seen(
            first in 0usize..1000, len in 1usize..1000, height in 1usize..50, at in 0usize..1000,
            moves in prop::sample::select(vec![
                Moves::ByHand, Moves::WithTheWork, Moves::ByHandAndGrows, Moves::WithItsEnd,
            ]),
        ) {
            let selected = at % len;
            let top = scroll(first, selected, height, len, moves);
            prop_assert!(top <= selected && selected < top + height);
            // No empty lines below the last row while rows above are hidden, or room for rows to come.
            let grows = matches!(moves, Moves::ByHandAndGrows | Moves::WithItsEnd);
            prop_assert!(top == 0 || top + height <= len || grows && len > height);
            // What is settled stays.
            prop_assert_eq!(scroll(top, selected, height, len, moves), top);
        }
    }
}
