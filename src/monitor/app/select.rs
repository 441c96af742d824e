//! What is selected, and how it moves: by a person, or by itself with the work until a person moves
//! it. It never changes a task.

use super::act::NOTHING_SELECTED;
use super::{App, Cursor, Lower, Overlay, Page, Pane, error_count, own_segment, segment_count};
use crate::model::{SegmentId, TaskId, TaskState};

/// Where a person is on a page.
#[derive(Debug)]
pub(super) struct Whereabouts {
    task: Option<TaskId>,
    segment: SegmentId,
    follow_task: bool,
    follow_segment: bool,
    /// The row of a page that is one list, and whether it follows its end.
    row: Option<(usize, bool)>,
}

impl App {
    pub(super) fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            task: self.task.clone(),
            segment: self.segment,
            follow_task: self.follow_task,
            follow_segment: self.follow_segment,
            row: self.cursor().map(|cursor| (cursor.row, cursor.follows)),
        }
    }

    /// Goes back to where a person was.
    pub(super) fn return_to(&mut self, before: Whereabouts) {
        (self.task, self.segment) = (before.task, before.segment);
        (self.follow_task, self.follow_segment) = (before.follow_task, before.follow_segment);
        if let Some((cursor, (row, follows))) = self.cursor_mut().zip(before.row) {
            (cursor.row, cursor.follows) = (row, follows);
        }
        self.follow_work();
        self.settle_lists();
    }

    /// The cursor of a page that is one list.
    pub(super) fn cursor(&self) -> Option<&Cursor> {
        match self.page {
            Page::Queue | Page::Health => None,
            Page::Clips => Some(&self.clips.cursor),
            Page::Errors => Some(&self.errors.cursor),
            Page::History => Some(&self.history_cursor),
            Page::Log => Some(&self.log_cursor),
        }
    }

    /// The same, to be moved.
    pub(super) fn cursor_mut(&mut self) -> Option<&mut Cursor> {
        match self.page {
            Page::Queue | Page::Health => None,
            Page::Clips => Some(&mut self.clips.cursor),
            Page::Errors => Some(&mut self.errors.cursor),
            Page::History => Some(&mut self.history_cursor),
            Page::Log => Some(&mut self.log_cursor),
        }
    }

    /// A page of whatever moves now.
    pub(super) fn page_rows(&self) -> isize {
        let page = match (&self.overlay, self.page, self.focus) {
            (Some(Overlay::Help), ..) => self.pages.help,
            (Some(_), ..) => self.pages.choices,
            (None, Page::Queue, Pane::Queue) => self.pages.queue,
            (None, ..) => self.pages.lower,
        };
        isize::try_from(page.saturating_sub(1).max(1)).unwrap_or(1)
    }

    pub(super) fn step(&mut self, by: isize) {
        match &mut self.overlay {
            Some(Overlay::Help) => {
                self.help_scroll = self.help_scroll.saturating_add_signed(by);
                return;
            }
            Some(Overlay::Picker(picker)) => {
                picker.go_to(picker.row().saturating_add_signed(by));
                self.preview_theme();
                return;
            }
            Some(form @ (Overlay::Form(_) | Overlay::Word(_))) => {
                if let Some(fields) = form.fields() {
                    fields.step(by);
                }
                return;
            }
            None => {}
        }
        let row = match (self.page, self.focus) {
            (Page::Queue, Pane::Queue) => self.selected_row(),
            (Page::Queue, Pane::Lower) => self.lower_rows().0,
            _ => self.list_row().unwrap_or(0),
        };
        self.go_to(row.saturating_add_signed(by));
    }

    /// The row of the cursor on a page that is one list.
    pub(super) fn list_row(&self) -> Option<usize> {
        self.cursor().map(|cursor| cursor.row)
    }

    pub(super) fn last(&mut self) {
        if matches!(self.overlay, Some(Overlay::Help)) {
            self.help_scroll = usize::MAX;
        } else if self.page == Page::Queue
            && self.focus == Pane::Lower
            && self.lower == Lower::Segments
            && self.segments.is_none()
            && !self.follow_segment
            && self
                .selected()
                .is_some_and(|task| task.state == TaskState::Processing)
        {
            self.follow_segment = true;
            self.follow_work();
        } else {
            self.go_to(usize::MAX);
        }
    }

    /// Selects a row of the list that has the keys; beyond the end means the last.
    pub(super) fn go_to(&mut self, row: usize) {
        if matches!(self.overlay, Some(Overlay::Help)) {
            self.help_scroll = row;
            return;
        }
        match (self.page, self.focus) {
            (Page::Queue, Pane::Queue) => {
                self.follow_task = false;
                let row = row.min(self.tasks.len().saturating_sub(1));
                let Some(id) = self.tasks.get(row).map(|task| task.id.clone()) else {
                    return;
                };
                if self.task.as_ref() != Some(&id) {
                    (self.task, self.row) = (Some(id), row);
                    (self.segment, self.error, self.segments) = (SegmentId::TASK, 0, None);
                    // Another task: look where its work is.
                    self.follow_segment = true;
                    self.follow_work();
                }
            }
            (Page::Queue, Pane::Lower) => {
                let row = row.min(self.lower_rows().1.saturating_sub(1));
                self.follow_task = false;
                match self.lower {
                    Lower::Segments => {
                        self.follow_segment = false;
                        self.segment = self.segment_at(row);
                    }
                    Lower::Errors => self.error = row,
                }
                self.follow_work();
            }
            (Page::Clips, _) => self.clips.cursor.go_to(row, self.clips.all(), true),
            (Page::Errors, _) => self.errors.cursor.go_to(row, self.errors.all(), true),
            (Page::History, _) => self.history_cursor.go_to(row, self.history.len(), false),
            (Page::Log, _) => self.log_cursor.go_to(row, self.log.len(), true),
            (Page::Health, _) => {}
        }
    }

    pub(super) fn switch_pane(&mut self) {
        self.focus = match self.focus {
            Pane::Queue if !self.tasks.is_empty() => Pane::Lower,
            _ => Pane::Queue,
        };
        self.zoomed = false;
    }

    pub(super) fn open(&mut self) {
        match self.page {
            Page::Queue => self.open_here(),
            Page::Clips | Page::Errors => {
                let target = self.target();
                if let Some((task, segment)) = target.map(|at| (at.task.id.clone(), at.segment)) {
                    self.show_segment(task, segment);
                }
            }
            Page::History | Page::Log => self.zoomed = !self.zoomed,
            Page::Health => {}
        }
    }

    fn open_here(&mut self) {
        match (self.focus, self.lower) {
            _ if self.selected().is_none() => {}
            (Pane::Queue, _) => self.focus = Pane::Lower,
            (Pane::Lower, Lower::Segments) if self.selected_segment() == SegmentId::TASK => {}
            (Pane::Lower, Lower::Segments) => {
                self.zoomed = !self.zoomed;
                if self.zoomed {
                    // A text that someone reads stays.
                    (self.follow_task, self.follow_segment) = (false, false);
                }
            }
            // From an error to its place in the text.
            (Pane::Lower, Lower::Errors) => {
                let segment = self.selected_segment();
                if let Some(task) = self.task.clone().filter(|_| segment != SegmentId::TASK) {
                    self.show_segment(task, segment);
                }
            }
        }
    }

    /// Goes to a segment's place in its task; for [`SegmentId::TASK`], to the task.
    pub(super) fn show_segment(&mut self, task: TaskId, segment: SegmentId) {
        self.page = Page::Queue;
        self.zoomed = false;
        self.tasks.filter("");
        if self.task.as_ref() != Some(&task) {
            self.error = 0;
        }
        self.task = Some(task);
        self.segments = None;
        self.follow_task = false;
        self.follow_segment = false;
        if segment == SegmentId::TASK {
            (self.focus, self.lower) = (Pane::Queue, Lower::Segments);
        } else {
            (self.focus, self.lower) = (Pane::Lower, Lower::Segments);
            self.segment = segment;
        }
        self.follow_work();
    }

    pub(super) fn back(&mut self) {
        if matches!(self.overlay, Some(Overlay::Help)) {
            self.overlay = None;
        } else if self.zoomed {
            self.zoomed = false;
        } else if self.is_filtered() {
            self.set_filter("");
        } else if self.page != Page::Queue {
            self.page = Page::Queue;
        } else if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
        } else {
            self.focus = Pane::Queue;
        }
    }

    pub(super) fn follow(&mut self) {
        match self.page {
            Page::Queue => {
                self.tasks.filter("");
                self.segments = None;
                self.follow_task = true;
                self.follow_segment = true;
                self.lower = Lower::Segments;
                self.follow_work();
            }
            Page::History => {}
            _ => {
                if let Some(cursor) = self.cursor_mut() {
                    cursor.follows = true;
                }
            }
        }
        self.settle_lists();
    }

    pub(super) fn toggle_errors(&mut self) {
        if self.page != Page::Queue {
            self.page = Page::Queue;
        } else if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
            return;
        }
        let Some(task) = self.selected() else {
            self.notice = Some(NOTHING_SELECTED.to_owned());
            return;
        };
        if error_count(task) == 0 {
            self.notice = Some("this task has no errors".to_owned());
            return;
        }
        self.lower = Lower::Errors;
        self.focus = Pane::Lower;
        self.follow_task = false;
        self.error = 0;
        self.follow_work();
    }

    /// Brings the selection in line with the tasks: follows the work, stays within the lists.
    pub(super) fn follow_work(&mut self) {
        if self.follow_task
            && let Some(running) = self.tasks.first_running()
            && self.tasks.row_of(&running.id).is_some()
            && self
                .selected()
                .is_none_or(|task| task.state != TaskState::Processing)
        {
            (self.task, self.segment) = (Some(running.id.clone()), SegmentId::TASK);
            self.segments = None;
        }
        let is_seen = self.task.as_ref().and_then(|id| self.tasks.row_of(id));
        if is_seen.is_none() {
            // It is gone, was never there, or a filter hides it: whoever stands in its row now.
            let row = self.row.min(self.tasks.len().saturating_sub(1));
            let other = self.tasks.get(row).map(|task| task.id.clone());
            (self.task, self.segments, self.segment) = (other, None, SegmentId::TASK);
        }
        let row = self.task.as_ref().and_then(|id| self.tasks.row_of(id));
        self.row = row.unwrap_or(self.row);
        let Some(task) = self.task.as_ref().and_then(|id| self.tasks.by_id(id)) else {
            (self.segment, self.error, self.focus) = (SegmentId::TASK, 0, Pane::Queue);
            self.lower = Lower::Segments;
            self.zoomed &= self.page != Page::Queue;
            return;
        };
        let count = segment_count(task);
        if self.follow_segment {
            let place = match (task.current_segment, task.state) {
                (Some(current), _) => current,
                // Between two segments, and after the last: stay where the work was.
                _ if self.segment != SegmentId::TASK => self.segment,
                (None, TaskState::Completed) => SegmentId::FIRST,
                _ => SegmentId::at(task.completed_segments.len()),
            };
            self.segment = place;
        }
        let first = SegmentId::FIRST.min(SegmentId::new(count));
        self.segment = self.segment.clamp(first, SegmentId::new(count));
        self.settle_errors();
    }

    pub(super) fn settle_errors(&mut self) {
        if self.lower != Lower::Errors {
            return;
        }
        let Some(task) = self.task.as_ref().and_then(|id| self.tasks.by_id(id)) else {
            return;
        };
        let count = error_count(task);
        let seen = (task.id.clone(), count, task.state);
        if self.error_rows.of.as_ref() != Some(&seen) {
            let own = own_segment(task).filter(|segment| !task.errors.has(*segment));
            let all = own.into_iter().chain(task.errors.segment_ids());
            self.error_rows.segments = all.collect();
            self.error_rows.of = Some(seen);
        }
        if count == 0 {
            self.lower = Lower::Segments;
        }
        self.error = self
            .error
            .min(self.error_rows.segments.len().saturating_sub(1));
    }
}
