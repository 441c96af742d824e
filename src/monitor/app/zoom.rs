//! How far the pane that has the room of the lists is scrolled. Pure state; how far it can be
//! scrolled is known only by drawing it.

use super::{App, Page};
use crate::model::{SegmentId, TaskId};

/// What is scrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Segment(TaskId, SegmentId),
    Row(Page, usize),
}

/// The first line seen of what is shown.
#[derive(Debug, Default)]
pub(crate) struct Zoom {
    of: Option<Shown>,
    pub(crate) first: usize,
}

impl App {
    /// Whether pages and the wheel move through one thing rather than through a list.
    pub(super) fn reads(&self) -> bool {
        self.zoomed && self.overlay.is_none() && self.shown().is_some()
    }

    /// Scrolls by so many lines. Drawing keeps it within the text.
    pub(super) fn scroll_zoom(&mut self, by: isize) {
        self.zoom.first = self.zoom.first.saturating_add_signed(by);
    }

    /// A screen of it, less a line to go on from.
    pub(super) fn zoom_page(&self) -> isize {
        let page = self.layout.zoom.page().saturating_sub(1).max(1);
        isize::try_from(page).unwrap_or(1)
    }

    /// Begins at the top where something else is shown by now.
    pub(super) fn settle_zoom(&mut self) {
        let shown = self.shown().filter(|_| self.zoomed);
        if shown != self.zoom.of {
            self.zoom = Zoom {
                of: shown,
                first: 0,
            };
        }
    }

    fn shown(&self) -> Option<Shown> {
        match self.page {
            Page::Queue => {
                let at = self.shown_segment()?;
                Some(Shown::Segment(at.task.id.clone(), at.segment))
            }
            Page::History => Some(Shown::Row(self.page, self.history_cursor.row)),
            Page::Log => Some(Shown::Row(self.page, self.log_cursor.row)),
            Page::Clips | Page::Errors | Page::Health => None,
        }
    }
}
