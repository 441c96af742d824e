//! In mere progress, what is around the list of a page is shown anew only so often: nobody reads
//! faster, and on a slow line it would keep the list waiting.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::change::is_doubtful;
use super::share::Rest;
use crate::engine::Timestamp;

/// How often, in milliseconds.
const EACH_MS: u64 = 400;

/// The same while a turned page fills.
const EACH_FILLING_MS: u64 = 1200;

/// When what is above and below the list, and what is beside it, was last shown anew. Each has its own
/// time, as both at once would be too much for a frame.
#[derive(Default)]
pub(super) struct Calm([Timestamp; 2]);

impl Calm {
    /// Takes note that all of it is shown anew.
    pub(super) fn shows_all(&mut self, now: Timestamp) {
        self.0 = [now; 2];
    }

    /// Leaves what is around this pane as it is `shown`, unless it is time for it. Returns whether
    /// something waits for its time.
    pub(super) fn hold(
        &mut self,
        shown: &Buffer,
        next: &mut Buffer,
        pane: Rect,
        rest: Rest,
        now: Timestamp,
    ) -> bool {
        let half_of = |row: u16| usize::from((pane.top()..pane.bottom()).contains(&row));
        let around = next.area.positions().filter(|place| !pane.contains(*place));
        let new: Vec<Position> = around
            .filter(|place| shown[*place] != next[*place] && !is_doubtful(&shown[*place]))
            .collect();
        let each = if rest.is_page {
            EACH_FILLING_MS
        } else {
            EACH_MS
        };
        // A clock that was set back is no reason to wait.
        let is_due = |half: &usize| now.0.abs_diff(self.0[*half].0) >= each;
        let halves = new.iter().map(|place| half_of(place.y));
        // What was begun is finished first.
        let due = rest.around.map(half_of);
        let due = due.or_else(|| halves.filter(is_due).min_by_key(|half| self.0[*half]));
        let mut is_held = false;
        for place in new {
            if due == Some(half_of(place.y)) {
                self.0[half_of(place.y)] = now;
            } else {
                next[place] = shown[place].clone();
                is_held = true;
            }
        }
        is_held
    }
}
