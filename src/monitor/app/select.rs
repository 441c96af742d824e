//! What is selected, and how it moves: by a person, or by itself with the work until a person moves
//! it. It never changes a task.

use super::{App, Lower, Pane, error_count, segment_count, task_error};
use crate::engine::{SegmentId, TaskState};

impl App {
    /// A page of whatever moves now.
    pub(super) fn page(&self) -> isize {
        let page = match (self.help, self.focus) {
            (true, _) => self.layout.help_page,
            (false, Pane::Queue) => self.layout.queue.page(),
            (false, Pane::Lower) => self.layout.lower.page(),
        };
        isize::try_from(page.saturating_sub(1).max(1)).unwrap_or(1)
    }

    pub(super) fn step(&mut self, by: isize) {
        if self.help {
            self.help_scroll = self.help_scroll.saturating_add_signed(by);
            return;
        }
        let row = match self.focus {
            Pane::Queue => self.task,
            Pane::Lower => self.lower_rows().0,
        };
        self.go_to(row.saturating_add_signed(by));
    }

    pub(super) fn last(&mut self) {
        if self.help {
            self.help_scroll = usize::MAX;
        } else if self.focus == Pane::Lower
            && self.lower == Lower::Segments
            && !self.follow_segment
            && self
                .selected()
                .is_some_and(|task| task.state == TaskState::Processing)
        {
            self.follow_segment = true;
            self.settle();
        } else {
            self.go_to(usize::MAX);
        }
    }

    /// Selects a row of the pane that has the focus; beyond the end means the last.
    pub(super) fn go_to(&mut self, row: usize) {
        if self.help {
            self.help_scroll = row;
            return;
        }
        match self.focus {
            Pane::Queue => {
                self.follow_task = false;
                let row = row.min(self.tasks.len().saturating_sub(1));
                if row != self.task {
                    (self.task, self.segment, self.error) = (row, 0, 0);
                    // Another task: look where its work is.
                    self.follow_segment = true;
                    self.settle();
                }
            }
            Pane::Lower => {
                let row = row.min(self.lower_rows().1.saturating_sub(1));
                match self.lower {
                    Lower::Segments => {
                        self.follow_task = false;
                        self.follow_segment = false;
                        self.segment = SegmentId::try_from(row + 1).unwrap_or(SegmentId::MAX);
                    }
                    Lower::Errors => {
                        self.follow_task = false;
                        self.error = row;
                    }
                }
                self.settle();
            }
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
        match (self.focus, self.lower) {
            _ if self.tasks.is_empty() => {}
            (Pane::Queue, _) => self.focus = Pane::Lower,
            (Pane::Lower, Lower::Segments) => self.zoomed = !self.zoomed,
            // From an error to its place in the text.
            (Pane::Lower, Lower::Errors) => {
                let segment = self.selected_segment();
                if segment > 0 {
                    self.lower = Lower::Segments;
                    self.follow_task = false;
                    self.follow_segment = false;
                    self.segment = segment;
                    self.settle();
                }
            }
        }
    }

    pub(super) fn back(&mut self) {
        if self.help {
            self.help = false;
        } else if self.zoomed {
            self.zoomed = false;
        } else if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
        } else {
            self.focus = Pane::Queue;
        }
    }

    pub(super) fn follow(&mut self) {
        self.follow_task = true;
        self.follow_segment = true;
        self.lower = Lower::Segments;
        self.settle();
    }

    pub(super) fn toggle_errors(&mut self) {
        if self.lower == Lower::Errors {
            self.lower = Lower::Segments;
            return;
        }
        let Some(task) = self.selected() else {
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
        self.settle();
    }

    /// Brings the selection in line with the tasks: follows the work, stays within the lists.
    pub(super) fn settle(&mut self) {
        if self.follow_task
            && let Some(running) = self.tasks.first_running()
            && self
                .selected()
                .is_none_or(|task| task.state != TaskState::Processing)
        {
            (self.task, self.segment) = (running, 0);
        }
        self.task = self.task.min(self.tasks.len().saturating_sub(1));
        let Some(task) = self.tasks.get(self.task) else {
            (self.segment, self.error, self.focus) = (0, 0, Pane::Queue);
            (self.lower, self.zoomed) = (Lower::Segments, false);
            return;
        };
        let count = segment_count(task);
        if self.follow_segment {
            let next = u32::try_from(task.completed_segments.len()).unwrap_or(count);
            let place = match (task.current_segment, task.state) {
                (Some(current), _) => current,
                // Between two segments, and after the last: stay where the work was.
                _ if self.segment > 0 => self.segment,
                (None, TaskState::Completed) => 1,
                _ => next.saturating_add(1),
            };
            self.segment = place;
        }
        self.segment = self.segment.clamp(u32::from(count > 0), count);
        self.settle_errors();
    }

    pub(super) fn settle_errors(&mut self) {
        if self.lower != Lower::Errors {
            return;
        }
        let Some(task) = self.tasks.get(self.task) else {
            return;
        };
        let count = error_count(task);
        let seen = (task.id.clone(), count, task.state);
        if self.error_rows.of.as_ref() != Some(&seen) {
            let own = task_error(task).map(|_| 0);
            let mut segments: Vec<SegmentId> = own
                .into_iter()
                .chain(task.errors.iter().map(|error| error.segment_id))
                .collect();
            segments.dedup();
            self.error_rows.segments = segments;
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
