//! In mere progress, what is around the list of a page is shown anew only so often: nobody reads
//! faster, and on a slow line it would keep the list waiting.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::change::{is_doubtful, looks_same, rows};
use super::share::Rest;
use crate::engine::Timestamp;

/// How often, in milliseconds.
const EACH_MS: u64 = 400;

/// When what is above and below the list, and what is beside it, was last shown anew. Each has its own
/// time, as both at once would be too much for a frame.
#[derive(Default)]
pub(super) struct Calm([Timestamp; 2]);

impl Calm {
    /// Takes note that all of it is shown anew.
    pub(super) fn shows_all(&mut self, now: Timestamp) {
        self.0 = [now; 2];
    }

    /// Leaves what is around this pane as it is `shown`, unless it is time for it. Returns how long
    /// something has to wait.
    pub(super) fn hold(
        &mut self,
        shown: &Buffer,
        next: &mut Buffer,
        pane: Rect,
        rest: Rest,
        now: Timestamp,
    ) -> Option<Duration> {
        let half_of = |row: u16| usize::from((pane.top()..pane.bottom()).contains(&row));
        let mut new = Vec::new();
        let area = next.area;
        for (y, (old, cells)) in (area.top()..).zip(rows(shown).zip(rows(next))) {
            for (x, (old, cell)) in (area.left()..).zip(old.iter().zip(cells)) {
                let place = Position { x, y };
                if !looks_same(old, cell) && !pane.contains(place) && !is_doubtful(old) {
                    new.push(place);
                }
            }
        }
        // A clock that was set back is no reason to wait.
        let left = |half: usize| EACH_MS.saturating_sub(now.0.abs_diff(self.0[half].0));
        let halves = || new.iter().map(|place| half_of(place.y));
        // What was begun is finished first.
        let due = rest.around.map(half_of).or_else(|| {
            let due = halves().filter(|half| left(*half) == 0);
            due.min_by_key(|half| self.0[*half])
        });
        let wait = halves().filter(|half| due != Some(*half)).map(left).min();
        for place in new {
            if due == Some(half_of(place.y)) {
                self.0[half_of(place.y)] = now;
            } else {
                next[place] = shown[place].clone();
            }
        }
        wait.map(Duration::from_millis)
    }
}
