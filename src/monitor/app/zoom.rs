//! The pane that has the room of the lists: how far it is scrolled, and what the keys ask for in front of
//! an opened segment. Pure state; how far it can be scrolled is known only by drawing it.

use super::{App, Page};
use crate::model::{SegmentId, TaskId};
use crate::monitor::action::{Action, Mode};
use crate::monitor::keys::Key;

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

    /// Whether a segment has the room of the lists.
    pub(super) fn is_opened(&self) -> bool {
        self.zoomed
            && self.page == Page::Queue
            && (self.shown_segment()).is_some_and(|it| it.segment != SegmentId::TASK)
    }

    /// What a key asks for. In an opened segment nobody looks for the errors of its task: what is wrong
    /// there is how it is said.
    pub(super) fn action(&self, mode: Mode, key: Key) -> Option<Action> {
        match self.keymap.action(mode, key) {
            Some(Action::Errors) if mode == Mode::Main && self.is_opened() => {
                Some(Action::Pronounce)
            }
            action => action,
        }
    }

    /// The keys that ask for an action here, first the one to show.
    pub(crate) fn keys(&self, mode: Mode, action: Action) -> Vec<Key> {
        let of = |action| self.keymap.keys(mode, action);
        match action {
            Action::Errors if mode == Mode::Main && self.is_opened() => Vec::new(),
            Action::Pronounce if mode == Mode::Main && self.is_opened() => {
                of(Action::Errors).chain(of(action)).collect()
            }
            _ => of(action).collect(),
        }
    }

    /// All keys of an action, each once, in the order of the table.
    pub(crate) fn all_keys(&self, action: Action) -> Vec<Key> {
        let mut keys = Vec::new();
        for key in Mode::ALL
            .into_iter()
            .flat_map(|mode| self.keys(mode, action))
        {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Whether this is what an opened segment is there for.
    pub(crate) fn is_at_hand(&self, action: Action) -> bool {
        action == Action::Pronounce && self.is_opened()
    }

    /// Scrolls by so many lines. Drawing keeps it within the text.
    pub(super) fn scroll_zoom(&mut self, by: isize) {
        self.zoom.first = self.zoom.first.saturating_add_signed(by);
    }

    /// A screen of it, less a line to go on from.
    pub(super) fn zoom_page(&self) -> isize {
        let page = self.pages.zoom.saturating_sub(1).max(1);
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
