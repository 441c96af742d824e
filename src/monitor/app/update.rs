//! How the model changes. Every way in is [`App::update`]; keys become actions by the keymap and
//! nothing else, and an action does the same whether it came from a key, the mouse or the palette.

use std::time::Duration;

use super::{
    App, Drawn, Effect, Feed, Leaving, Message, Overlay, Page, Question, error_count, lists,
    own_segment,
};
use crate::model::{TaskState, TaskStatus, Timestamp};
use crate::monitor::keys::Key;
use crate::service::Submitted;

/// How long a notice stays if nobody presses a key.
const NOTICE: Duration = Duration::from_secs(20);

/// Said while a pause waits for the segment in work, and when it is there.
const PAUSING: &str = "pausing: the segment in work is finished first";
const PAUSED: &str = "paused: nothing begins";

impl App {
    /// Takes in what happened at `now`, and says what is to be done about it.
    pub(crate) fn update(&mut self, message: Message, now: Timestamp) -> Vec<Effect> {
        if self.notice.is_none() {
            self.noticed = now;
        }
        self.now = now;
        let is_person = matches!(
            message,
            Message::Key(_) | Message::Click(_) | Message::Wheel(..) | Message::Paste(_)
        );
        let mut effects = if is_person && self.tour.is_some() {
            self.end_tour()
        } else {
            self.take(message)
        };
        self.settle_zoom();
        effects.extend(self.look_closer());
        effects
    }

    fn take(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Key(key) => return self.key(key),
            Message::Click(on) => return self.click(on),
            Message::Wheel(over, rows) => self.wheel(over, rows),
            Message::Paste(text) => return self.paste(&text),
            Message::Tick => return self.tick(),
            Message::Reset(rows) => {
                self.reset(rows);
                return self.tasks_changed();
            }
            Message::Task(status) => {
                self.put(*status);
                return self.tasks_changed();
            }
            Message::Tasks(all) => {
                for status in all {
                    self.put(status);
                }
                return self.tasks_changed();
            }
            Message::Removed(ids) => {
                self.clips.remove(&ids);
                self.errors.remove(&ids);
                self.tasks.remove(&ids);
                return self.tasks_changed();
            }
            Message::QueuePaused(paused) => {
                let is_told = !paused && self.exit_when_done;
                if paused != self.queue_paused && !is_told {
                    let words = match (paused, self.tasks.first_running().is_some()) {
                        (true, true) => PAUSING,
                        (true, false) => PAUSED,
                        (false, _) => "the queue goes on",
                    };
                    self.notice = Some(words.to_owned());
                }
                self.queue_paused = paused;
            }
            Message::EngineStopping => {
                self.question = None;
                // Someone else asked for it: there is nothing left to ask for.
                if self.leaving == Leaving::No {
                    self.leaving = Leaving::Finishing;
                }
            }
            Message::Terminate => {
                return match self.leaving {
                    Leaving::No => self.stop(),
                    // The same signal may have been heard elsewhere, and its effect came first.
                    Leaving::Finishing if !self.asked_to_leave => self.stop(),
                    Leaving::Finishing => self.hurry(),
                    Leaving::Hurrying => Vec::new(),
                };
            }
            Message::Stopped => return vec![Effect::Quit],
            Message::Said(words) => {
                self.notice = Some(words);
                self.noticed = self.now;
            }
            Message::Added(result) => self.added(result),
            Message::Corrected(task, correction, result) => {
                return self.corrected(&task, &correction, result);
            }
            Message::Heard(heard) => self.heard(*heard),
            Message::Retried(result) => match result {
                Ok(id) => {
                    self.notice = Some("trying again".to_owned());
                    self.tour_retried(&id);
                    self.select_task(id);
                }
                Err(why) => self.notice = Some(why),
            },
            Message::Voices(voices) => self.voices_found(voices),
            Message::Completed(typed, completion) => {
                if let Some(Overlay::Form(form)) = &mut self.overlay {
                    form.completed(&typed, completion);
                }
            }
            Message::Looked(detail) => self.looked(*detail),
            Message::History(Ok(past)) => {
                self.history = past;
                self.history_cursor.look_again();
            }
            Message::History(Err(why)) => self.notice = Some(why),
            Message::Log(lines) => {
                self.log = lines;
                self.log_cursor.look_again();
            }
            Message::Vitals(vitals) => self.vitals = Some(*vitals),
        }
        self.settle_lists();
        Vec::new()
    }

    /// Takes note of what was drawn, so that pages and scrolling fit it.
    pub(crate) fn drawn(&mut self, drawn: Drawn) {
        self.help_scroll = drawn.help_scroll;
        self.zoom.first = drawn.zoom_scroll;
        self.pages = drawn.pages;
    }

    pub(super) fn key(&mut self, key: Key) -> Vec<Effect> {
        self.notice = None;
        let mode = self.mode();
        match self.action(mode, key) {
            Some(action) => self.act(action),
            None if mode.is_typing() => self.type_key(key),
            None => Vec::new(),
        }
    }

    fn reset(&mut self, rows: Vec<TaskStatus>) {
        self.loaded = true;
        self.clips.clear();
        self.errors.clear();
        self.tasks.reset(rows);
        let kept = self
            .tasks
            .iter()
            .filter(|task| !self.tasks.is_taken_over(task));
        for status in kept {
            list(&mut self.clips, &mut self.errors, None, status);
        }
    }

    /// Takes a newer copy of a task.
    fn put(&mut self, status: TaskStatus) {
        if !self.tasks.is_taken_over(&status) {
            let before = self.tasks.by_id(&status.id);
            list(&mut self.clips, &mut self.errors, before, &status);
        }
        if let Some(retried) = self.tasks.put(status) {
            // Its clips belong to the new one, and its errors are being mended.
            self.clips.remove(std::slice::from_ref(&retried));
            self.errors.remove(&[retried]);
        }
    }

    /// Time has passed.
    fn tick(&mut self) -> Vec<Effect> {
        // What was said has been read by then, or is no news any more.
        if self.notice.is_some() && self.now.since(self.noticed) > NOTICE {
            self.notice = None;
        }
        let totals = self.tasks.totals();
        let running = totals.count(TaskState::Processing) > 0;
        let before = self.speeds.samples().len();
        self.speeds.note(self.now, totals.made_audio_ms(), running);
        self.settle_lists();
        let sampled = self.speeds.samples().len() != before;
        // Asked for again only after a while: an answer is a frame, and a frame is a tick.
        let seconds = |then: Timestamp| self.now.since(then).as_secs();
        let mut effects = match self.page {
            Page::Health
                if sampled || self.vitals.as_ref().is_none_or(|it| seconds(it.at) >= 5) =>
            {
                vec![Effect::Measure]
            }
            Page::Log if seconds(self.log_read) >= 1 => {
                self.log_read = self.now;
                vec![Effect::ReadLog]
            }
            _ => Vec::new(),
        };
        effects.extend(self.tour_on());
        effects
    }

    /// Looks through some more rows where a filter is, and keeps cursors within their lists.
    pub(super) fn settle_lists(&mut self) {
        let tasks = &self.tasks;
        let text = |entry: &lists::Entry| tasks.by_id(&entry.task);
        self.clips.look(|entry, needle| {
            text(entry).is_some_and(|task| {
                let plan = task.plan.as_ref();
                let words = plan.and_then(|plan| plan.get(entry.segment));
                needle.is_in(&task.title) || words.is_some_and(|words| needle.is_in(&words.text))
            })
        });
        self.errors.look(|entry, needle| {
            text(entry).is_some_and(|task| {
                let own = super::task_error(task)
                    .filter(|_| super::own_segment(task) == Some(entry.segment));
                let mut errors = task.errors.of(entry.segment).chain(own);
                needle.is_in(&task.title)
                    || errors.any(|error| {
                        needle.is_in(error.code.as_str()) || needle.is_in(&error.message)
                    })
            })
        });
        let (history, cursor) = (&self.history, &mut self.history_cursor);
        if let Some(matches) = &mut cursor.matches {
            matches.look(history.len(), |row, needle| {
                let past = &history[row];
                needle.is_in(&past.title) || needle.is_in(past.state.word())
            });
        }
        cursor.clamp(history.len());
        let (log, cursor) = (&self.log, &mut self.log_cursor);
        if let Some(matches) = &mut cursor.matches {
            matches.look(log.len(), |row, needle| {
                needle.is_in(&log[row].text) || needle.is_in(log[row].level.as_str())
            });
        }
        cursor.clamp(log.len());
        self.look_for_segments();
    }

    /// Whether a filter has not looked at all rows: the next frame continues with it.
    pub(crate) fn is_looking(&self) -> bool {
        let segments = self.selected().map_or(0, super::segment_count) as usize;
        let cursors = [
            (self.clips.cursor.matches.as_ref(), self.clips.all()),
            (self.errors.cursor.matches.as_ref(), self.errors.all()),
            (self.segments.as_ref(), segments),
        ];
        cursors
            .iter()
            .any(|(matches, len)| matches.is_some_and(|matches| matches.seen() < *len))
    }

    pub(super) fn stop(&mut self) -> Vec<Effect> {
        self.leaving = Leaving::Finishing;
        self.asked_to_leave = true;
        self.question = None;
        self.overlay = None;
        self.filter = None;
        vec![Effect::Stop]
    }

    pub(super) fn hurry(&mut self) -> Vec<Effect> {
        if self.leaving == Leaving::Hurrying {
            return Vec::new();
        }
        self.leaving = Leaving::Hurrying;
        vec![Effect::Hurry]
    }

    fn added(&mut self, result: Result<Submitted, String>) {
        match result {
            Ok(Submitted { id, notes, .. }) => {
                if matches!(&self.overlay, Some(Overlay::Form(form)) if form.is_sent) {
                    self.overlay = None;
                }
                let told = ["added to the queue".to_owned()].into_iter().chain(notes);
                self.notice = Some(told.collect::<Vec<_>>().join("; "));
                self.page = Page::Queue;
                self.select_task(id);
            }
            Err(why) => match &mut self.overlay {
                Some(Overlay::Form(form)) if form.is_sent => {
                    form.is_sent = false;
                    form.problem = Some(why);
                }
                _ => self.notice = Some(why),
            },
        }
    }

    fn tasks_changed(&mut self) -> Vec<Effect> {
        self.follow_work();
        self.settle_lists();
        if self.notice.as_deref() == Some(PAUSING) && self.tasks.first_running().is_none() {
            self.notice = Some(PAUSED.to_owned());
        }
        let held = self
            .selected()
            .filter(|task| task.paused && task.state == TaskState::Pending);
        if held.is_some() && self.notice.as_deref() == Some(super::act::PAUSING_TASK) {
            self.notice = Some("paused".to_owned());
        }
        // A question whose task has ended has answered itself.
        let stale = match &self.question {
            Some(Question::Cancel(id)) => {
                let task = self.tasks.by_id(id);
                task.is_none_or(|task| task.state.is_terminal())
            }
            Some(Question::Quit | Question::CancelAll) => self.tasks.totals().active() == 0,
            None => false,
        };
        if stale {
            self.question = None;
        }
        let is_over = self.exit_when_done && self.all_done();
        if (is_over || (self.is_unattended && !self.goes_on())) && self.leaving == Leaving::No {
            return self.stop();
        }
        Vec::new()
    }
}

/// Lists the clips and errors that a task has, beyond those that it had before. So both lists say what the
/// tasks say, in every frame.
fn list(clips: &mut Feed, errors: &mut Feed, before: Option<&TaskStatus>, status: &TaskStatus) {
    let done = &status.completed_segments;
    let came = match before {
        Some(before) => done.since(&before.completed_segments),
        None => done.iter().map(|clip| clip.segment_id).collect(),
    };
    clips.sync(&status.id, came, done.len(), |segment| {
        done.get(segment).is_some()
    });
    let mut came = match before {
        Some(before) => status.errors.since(&before.errors),
        None => status.errors.segment_ids().collect(),
    };
    let own = own_segment(status);
    came.extend(own);
    errors.sync(&status.id, came, error_count(status), |segment| {
        status.errors.has(segment) || own == Some(segment)
    });
}
