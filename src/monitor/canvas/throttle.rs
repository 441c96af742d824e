//! In mere progress, the lines above and below the list of a page and its detail are redrawn only so
//! often: nobody reads numbers faster, and on a slow line they would keep the list waiting.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::change::{is_doubtful, looks_same, rows};
use super::chunk::Remaining;
use crate::model::Timestamp;

/// How often, in milliseconds.
const EACH_MS: u64 = 400;

/// When they were last redrawn.
#[derive(Default)]
pub(super) struct Throttle(Timestamp);

impl Throttle {
    /// Takes note that all of it is redrawn.
    pub(super) fn shows_all(&mut self, now: Timestamp) {
        self.0 = now;
    }

    /// Leaves what is above and below this body as it is `shown`, unless it is time for it. Returns how
    /// long something has to wait.
    pub(super) fn hold(
        &mut self,
        shown: &Buffer,
        next: &mut Buffer,
        body: Rect,
        rest: Remaining,
        now: Timestamp,
    ) -> Option<Duration> {
        let is_held = |row: u16| !(body.top()..body.bottom()).contains(&row);
        // A clock that was set back is no reason to wait.
        let left = EACH_MS.saturating_sub(now.0.abs_diff(self.0.0));
        // What was begun is finished first.
        let is_due = left == 0 || rest.around.is_some_and(is_held);
        let mut any = false;
        for (y, old) in (next.area.top()..).zip(rows(shown)) {
            if !is_held(y) {
                continue;
            }
            for (x, old) in (next.area.left()..).zip(old) {
                if !looks_same(old, &next[(x, y)]) && !is_doubtful(old) {
                    any = true;
                    if !is_due {
                        next[(x, y)] = old.clone();
                    }
                }
            }
        }
        if any && is_due {
            self.0 = now;
        }
        (any && !is_due).then_some(Duration::from_millis(left))
    }
}
