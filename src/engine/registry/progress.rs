//! What a running task tells of itself: how far it is, which segment is in work, which are done, what
//! went wrong.

use std::time::Duration;

use serde_json::Value;

use super::{Now, Phase, Registry, chars_of};
use crate::model::Event;
use crate::model::{CompletedSegment, ErrorObject};
use crate::model::{SegmentId, TaskId};

impl Registry {
    /// Notes how far a task is. Progress never falls within a run.
    pub fn update_progress(
        &mut self,
        id: &TaskId,
        current: u64,
        total: u64,
        extra: Option<Value>,
        now: Now,
    ) -> Option<Event> {
        self.alter_active(id, |status| {
            let progress = &mut status.progress;
            let current = if total == 0 {
                current
            } else {
                current.min(total)
            };
            // A share of another total can't be compared.
            progress.current = if progress.total == total {
                progress.current.max(current)
            } else {
                current
            };
            progress.total = total;
            progress.extra = extra;
            status.updated_at = now.wall;
        })?;
        Some(Event::Progress { task: id.clone() })
    }

    /// Notes that work on a segment began, and when it will be over its time.
    pub fn start_segment(
        &mut self,
        id: &TaskId,
        segment: SegmentId,
        timeout: Option<Duration>,
        now: Now,
    ) -> Option<Event> {
        let idle = self.end_idling(id, now);
        self.totals.wait_seconds += idle;
        self.alter_active(id, |status| {
            status.made.wait_seconds += idle;
            status.errors.clear(segment);
            status.current_segment = Some(segment);
            status.updated_at = now.wall;
        })?;
        self.set_segment_deadline(id, timeout.map(|timeout| now.mono.saturating_add(timeout)));
        Some(Event::SegmentStarted {
            task: id.clone(),
            segment_id: segment,
        })
    }

    /// Notes that the model is done with a segment: it can't be over its time any more.
    pub fn stop_segment_clock(&mut self, id: &TaskId, now: Now) {
        self.set_segment_deadline(id, None);
        if let Some(Phase::Processing { idle_since, .. }) =
            self.tasks.get_mut(id).map(|entry| &mut entry.phase)
        {
            *idle_since = Some(now.mono);
        }
    }

    /// The seconds for which the model has had nothing to do since its last segment.
    fn end_idling(&mut self, id: &TaskId, now: Now) -> f64 {
        let phase = self.tasks.get_mut(id).map(|entry| &mut entry.phase);
        let since = match phase {
            Some(Phase::Processing { idle_since, .. }) => idle_since.take(),
            _ => None,
        };
        since.map_or(0.0, |since| now.mono.saturating_sub(since).as_secs_f64())
    }

    fn set_segment_deadline(&mut self, id: &TaskId, new: Option<Duration>) {
        let Some(entry) = self.tasks.get_mut(id) else {
            return;
        };
        let Phase::Processing {
            segment_deadline, ..
        } = &mut entry.phase
        else {
            return;
        };
        if let Some(old) = std::mem::replace(segment_deadline, new) {
            self.deadlines.remove(&(old, entry.seq));
        }
        self.deadlines.extend(new.map(|new| (new, entry.seq)));
    }

    /// Notes a finished segment, made in this run or copied. One that was already finished is replaced, not counted twice.
    pub fn complete_segment(
        &mut self,
        id: &TaskId,
        segment: CompletedSegment,
        is_made: bool,
        now: Now,
    ) -> Option<Event> {
        let (audio, work) = (segment.duration.as_secs_f64(), segment.work.as_secs_f64());
        let done = segment.clone();
        self.alter_active(id, |status| {
            let chars = status
                .plan
                .as_ref()
                .map_or(0, |plan| chars_of(plan, done.segment_id));
            if let Some(old) = status.completed_segments.get(done.segment_id) {
                status.audio_seconds -= old.duration.as_secs_f64();
                status.completed_chars -= chars;
            }
            status.audio_seconds += audio;
            status.completed_chars += chars;
            // A copy is done, and was not made: it says nothing of the speed.
            if is_made {
                status.made.audio_seconds += audio;
                status.made.work_seconds += work;
                status.made.chars += chars;
            }
            if status.current_segment == Some(done.segment_id) {
                status.current_segment = None;
            }
            status.completed_segments.insert(done);
            if status.plan.is_some() {
                status.progress.current = status.completed_segments.len() as u64;
            }
            status.updated_at = now.wall;
        })?;
        self.totals.clips += 1;
        if is_made {
            self.totals.audio_seconds += audio;
            self.totals.work_seconds += work;
        }
        Some(Event::SegmentCompleted {
            task: id.clone(),
            segment,
        })
    }

    /// Notes that something went wrong with a segment.
    pub fn add_error(
        &mut self,
        id: &TaskId,
        segment: SegmentId,
        error: ErrorObject,
        now: Now,
    ) -> Option<Event> {
        let noted = error.clone();
        self.alter_active(id, |status| {
            status.errors.push(segment, noted);
            if status.current_segment == Some(segment) {
                status.current_segment = None;
            }
            status.updated_at = now.wall;
        })?;
        Some(Event::SegmentFailed {
            task: id.clone(),
            segment_id: segment,
            error,
        })
    }

    /// Notes what a task has to show so far.
    pub fn set_partial_result(&mut self, id: &TaskId, value: Value, now: Now) -> Option<Event> {
        self.alter_active(id, |status| {
            status.partial_result = Some(value);
            status.updated_at = now.wall;
        })?;
        Some(Event::Progress { task: id.clone() })
    }
}
