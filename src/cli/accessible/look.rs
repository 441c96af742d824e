//! Answers about how things stand: the list, a task, its texts and errors, the past, the engine.
//! Nothing here changes anything.

use super::act::clip;
use super::commands::Command;
use super::jobs::Errand;
use super::session::Session;
use super::words::{self, count, heard};
use crate::assets::human_size;
use crate::model::{SegmentId, TaskState, TaskStatus};

/// More than this of anything is not listened to.
const MOST: usize = 20;

/// How many narrations of the past, and lines of the log, are said.
const LATEST: usize = 10;

impl Session {
    /// What runs, then what waits in its order, then what has ended, the latest first.
    pub(super) fn list(&mut self, words: &str) {
        let wanted = words.to_lowercase();
        let mut tasks = self.service().statuses();
        for task in &tasks {
            self.numbers.number(task);
        }
        tasks.retain(|task| task.title.to_lowercase().contains(&wanted));
        tasks.sort_by_key(|task| match task.state {
            TaskState::Processing => (0, 0),
            TaskState::Pending => (1, task.rank),
            _ => (2, -task.completed_at.unwrap_or_default().0),
        });
        if tasks.is_empty() {
            return self.lines.say(if wanted.is_empty() {
                "There are no tasks; add and the path of a text adds one."
            } else {
                "No task has these words in its title."
            });
        }
        for task in tasks.iter().take(MOST) {
            let number = self.numbers.number(task);
            self.lines.say(&words::listed(number, task));
        }
        self.say_more(tasks.len(), "task", "list with words of a title finds them");
        if self.is_queue_paused() {
            self.lines
                .say("The queue is paused; pause all lets it go on.");
        }
    }

    fn say_more(&mut self, all: usize, thing: &str, hint: &str) {
        if let Some(more @ 1..) = all.checked_sub(MOST) {
            let things = count(more as u64, &format!("more {thing}"));
            self.lines.say(&format!("And {things}; {hint}."));
        }
    }

    pub(super) fn status(&mut self, number: u32, task: TaskStatus) {
        self.lines.say_all(words::status(number, &task));
    }

    /// A segment's text, what is said for it, how far it is, and its phonemes; the one in work unless another is named.
    pub(super) fn text(&mut self, number: u32, task: &TaskStatus, segment: Option<SegmentId>) {
        let last = task.completed_segments.iter().next_back();
        let usual = task.current_segment.or(last.map(|last| last.segment_id));
        let segment = segment.or(usual).unwrap_or(SegmentId::FIRST);
        if !self.has_segment(number, task, segment) {
            return;
        }
        // Where another program does the work, not every text is at hand.
        let planned = match self.service().segments(&task.id, segment, 1) {
            Ok(mut found) if !found.is_empty() => found.swap_remove(0),
            Ok(_) => return,
            Err(why) => return self.lines.say(&heard(&why.to_string())),
        };
        let how = match task.completed_segments.get(segment) {
            Some(clip) => words::length(clip.duration.as_secs_f64()),
            None if task.current_segment == Some(segment) => "in work".to_owned(),
            None => "not made yet".to_owned(),
        };
        self.lines.say(&format!(
            "Task {number}, segment {segment}, {how}: {}",
            planned.text
        ));
        let written = planned.planned();
        self.lines.say_all(words::said(&written));
        for error in task.errors.of(segment) {
            self.lines.say(&words::error(number, task, segment, error));
        }
        self.give(Errand::Phonemes {
            voice: task.voice.to_string(),
            text: written.spoken().into_owned(),
            what: format!("Phonemes of task {number}, segment {segment}"),
        });
    }

    /// The errors of one task, or of all.
    pub(super) fn errors(&mut self, command: &Command) {
        let tasks = match command.task {
            None => self.service().statuses(),
            Some(number) => match self.task(number) {
                Ok(task) => vec![task],
                Err(why) => return self.lines.say(&why),
            },
        };
        let (mut all, mut said) = (0, 0);
        for task in tasks {
            let number = self.numbers.number(&task);
            if let (TaskState::Failed, Some(error)) = (task.state, &task.error) {
                all += 1;
                if said < MOST {
                    said += 1;
                    self.lines
                        .say(&words::error(number, &task, SegmentId::TASK, error));
                }
            }
            all += task.errors.len();
            for found in task.errors.iter().take(MOST - said) {
                said += 1;
                let line = words::error(number, &task, found.segment_id, &found.error);
                self.lines.say(&line);
            }
        }
        if all == 0 {
            self.lines.say("There are no errors.");
        }
        self.say_more(
            all,
            "error",
            "errors with a task number says those of one task",
        );
    }

    /// Where the files are.
    pub(super) fn path(&mut self, number: u32, task: &TaskStatus, segment: Option<SegmentId>) {
        if let Some(segment) = segment {
            match clip(task, segment) {
                Some(file) => {
                    let file = words::path(&file);
                    let line = format!("The clip of task {number}, segment {segment}, is {file}");
                    self.lines.say(&line);
                }
                None => self.say_of(number, &format!("has no clip of segment {segment}")),
            }
            return;
        }
        let places = words::places(task);
        if places.is_empty() {
            match &task.folder {
                Some(folder) => {
                    let folder = words::path(folder);
                    self.lines
                        .say(&format!("The clips of task {number} go to {folder}"));
                }
                None => self.say_of(number, "has no files"),
            }
        } else {
            self.lines.say_all(places);
        }
    }

    pub(super) fn voices(&mut self) {
        let told = |more: Option<String>| more.map_or_else(String::new, |it| format!(", {it}"));
        for voice in self.service().voices().unwrap_or_default() {
            let how = if voice.installed {
                "installed".to_owned()
            } else {
                format!(
                    "not installed; aloud setup --voice {} fetches it",
                    voice.name
                )
            };
            self.lines.say(&format!(
                "Voice {}, language {}, quality {}{}{}, {how}.",
                voice.name,
                voice.language,
                voice.quality,
                told(voice.grade.map(|grade| format!("grade {grade}"))),
                told(voice.note),
            ));
        }
    }

    pub(super) fn history(&mut self) {
        let past = match self.service().history(LATEST) {
            Ok(past) => past,
            Err(error) => {
                let why = heard(&error.to_string());
                return self.lines.say(&format!("The history can't be read: {why}"));
            }
        };
        if past.is_empty() {
            return self.lines.say("No narration has ended yet.");
        }
        let zone = jiff::tz::TimeZone::system();
        self.lines
            .say_all(past.iter().map(|past| words::past(past, &zone)));
    }

    pub(super) fn health(&mut self) {
        let (health, stats) = match (self.service().health(), self.service().stats()) {
            (Ok(health), Ok(stats)) => (health, stats),
            (Err(why), _) | (_, Err(why)) => return self.lines.say(&heard(&why.to_string())),
        };
        let state = if health.shutting_down || health.is_shutdown {
            "shutting down"
        } else {
            "well"
        };
        let mut lines = vec![format!(
            "The engine is {state}: {} of {} at work, {} waiting.",
            health.active_threads,
            count(health.max_threads as u64, "worker"),
            count(health.backlog as u64, "task")
        )];
        let speed = stats
            .speed()
            .map_or_else(String::new, |speed| format!(", {speed:.1} times real time"));
        lines.push(format!(
            "In {} it has made {}, {} of audio{speed}.",
            words::length(health.uptime_seconds),
            count(stats.clips, "clip"),
            words::length(stats.audio_seconds)
        ));
        if health.abandoned_threads > 0 {
            let left = count(health.abandoned_threads as u64, "thread");
            lines.push(format!("{left} did not stop in time and was left behind."));
        }
        let out = &self.settings.out;
        let there = out.ancestors().find(|folder| folder.exists());
        if let Some(disk) = there.and_then(|folder| rustix::fs::statvfs(folder).ok()) {
            let free = human_size(disk.f_bavail.saturating_mul(disk.f_frsize));
            lines.push(format!(
                "{free} are free for narrations in {}",
                words::path(out)
            ));
        }
        lines.push(format!(
            "The library is in {}",
            words::path(&health.library)
        ));
        self.lines.say_all(lines);
    }

    pub(super) fn log(&mut self) {
        let lines = self.service().log().unwrap_or_default();
        if lines.is_empty() {
            return self.lines.say("The log is empty.");
        }
        for line in lines.iter().skip(lines.len().saturating_sub(LATEST)) {
            let (time, level) = (line.clock(), line.level.to_lowercase());
            let text = heard(&line.text);
            self.lines.say(&format!("At {time}, {level}: {text}"));
        }
    }
}
