//! How things are said: whole sentences without abbreviations, marks or columns, for ears. A copy
//! of the engine's state goes in, words come out; nothing is read or written here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;

use crate::cli::report::{files_of, with_advice};
use crate::model::{
    CompletedSegment, ErrorObject, HistoryEntry, PlannedSegment, SegmentId, TaskState, TaskStatus,
};
use crate::service::changes;

/// A title longer than this is not said to its end each time.
const LONGEST_TITLE: usize = 60;

/// "1 segment", "31 segments".
pub(super) fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// A length of time as it is said: "7.6 seconds", "4 minutes 31 seconds", "1 hour 2 minutes".
pub(super) fn length(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{:.1} seconds", seconds.max(0.0));
    }
    let whole = Duration::try_from_secs_f64(seconds.round())
        .unwrap_or_default()
        .as_secs();
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    let two = |more: u64, unit, less: u64, lesser| match less {
        0 => count(more, unit),
        _ => format!("{} {}", count(more, unit), count(less, lesser)),
    };
    match (hours, minutes) {
        (0, 0) => count(seconds, "second"),
        (0, _) => two(minutes, "minute", seconds, "second"),
        _ => two(hours, "hour", minutes, "minute"),
    }
}

/// A title, cut where it would be tiresome.
pub(super) fn title(title: &str) -> String {
    if title.graphemes(true).nth(LONGEST_TITLE).is_none() {
        return title.to_owned();
    }
    let begin: String = title.graphemes(true).take(LONGEST_TITLE).collect();
    format!("{} and so on", begin.trim_end())
}

/// A message that was written for eyes, without the marks that a screen reader spells out.
pub(super) fn heard(message: &str) -> String {
    let mut heard = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            // Quotation marks of a title, and marks around a command.
            '«' | '»' | '`' => heard.push('"'),
            '×' => heard.push_str("times"),
            '→' => heard.push_str("to"),
            '·' => heard.push(','),
            c => heard.push(c),
        }
    }
    heard
}

/// An error and what to do about it.
fn problem(error: &ErrorObject) -> String {
    heard(&with_advice(error))
}

pub(super) fn path(path: &Path) -> String {
    path.display().to_string()
}

/// "Task 2, The Night Train".
pub(super) fn name(number: u32, task: &TaskStatus) -> String {
    format!("Task {number}, {}", title(&task.title))
}

fn done(task: &TaskStatus) -> u64 {
    task.completed_segments.len() as u64
}

/// How a task's state is said.
fn state(task: &TaskStatus) -> &'static str {
    match task.state {
        state if task.cancel_requested && !state.is_terminal() => "being cancelled",
        TaskState::Pending if task.paused => "held back",
        TaskState::Pending if task.hold.is_some() => "waiting, for the last ones like it failed",
        TaskState::Pending if is_delayed(task) => "waiting for its time",
        TaskState::Processing if task.paused => "being paused",
        state => state_word(state),
    }
}

fn is_delayed(task: &TaskStatus) -> bool {
    let now = jiff::Timestamp::now().as_millisecond();
    task.due.is_some_and(|due| due.0 > now)
}

fn state_word(state: TaskState) -> &'static str {
    match state {
        TaskState::Pending => "waiting",
        TaskState::Processing => "in work",
        TaskState::Completed => "completed",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}

/// "12 of 31 segments".
fn share(task: &TaskStatus) -> String {
    format!(
        "{} of {}",
        done(task),
        count(task.progress.total, "segment")
    )
}

/// A task in the list.
pub(super) fn listed(number: u32, task: &TaskStatus) -> String {
    format!(
        "{}: {}, {}{}.",
        name(number, task),
        state(task),
        share(task),
        errors(task)
    )
}

fn errors(task: &TaskStatus) -> String {
    match task.errors.len() as u64 {
        0 => String::new(),
        number => format!(", {}", count(number, "error")),
    }
}

/// Everything about how a task stands.
pub(super) fn status(number: u32, task: &TaskStatus) -> Vec<String> {
    let mut parts = vec![state(task).to_owned()];
    if !task.state.is_terminal() {
        parts.push(format!("{} percent", task.progress.percentage()));
    }
    parts.push(share(task) + &errors(task));
    if let Some(segment) = task.current_segment {
        parts.push(format!("segment {segment} is in work"));
    }
    parts.extend(audio(task));
    parts.extend(time_left(task));
    if let Some(speed) = task.speed() {
        parts.push(format!("{speed:.1} times real time"));
    }
    let mut lines = vec![format!("{}: {}.", name(number, task), parts.join(", "))];
    lines.extend(why(number, task));
    lines.extend(places(task));
    lines
}

fn audio(task: &TaskStatus) -> Option<String> {
    (done(task) > 0).then(|| format!("{} of audio", length(task.audio_seconds)))
}

fn time_left(task: &TaskStatus) -> Option<String> {
    if task.state != TaskState::Processing {
        return None;
    }
    let left = task.time_left()?.as_secs_f64();
    if left < 10.0 {
        return (left > 0.0).then(|| "a few seconds left".to_owned());
    }
    Some(format!("about {} left", length(left)))
}

/// Why it failed.
fn why(number: u32, task: &TaskStatus) -> Option<String> {
    let error = task.error.as_ref()?;
    (task.state == TaskState::Failed)
        .then(|| format!("Task {number} has failed because: {}", problem(error)))
}

/// Where the files of a task that has ended are, one sentence each.
pub(super) fn places(task: &TaskStatus) -> Vec<String> {
    if !task.state.is_terminal() {
        return Vec::new();
    }
    let files: Vec<PathBuf> = files_of(task);
    let title = title(&task.title);
    if !files.is_empty() {
        let said = |file: &PathBuf| format!("The file of {title} is {}", path(file));
        return files.iter().map(said).collect();
    }
    match &task.folder {
        Some(folder) if done(task) > 0 => {
            vec![format!("The clips of {title} are in {}", path(folder))]
        }
        _ => Vec::new(),
    }
}

/// What is said of a segment, where it is not what is written, and what is not.
pub(super) fn said(segment: &PlannedSegment) -> Vec<String> {
    let changes = changes(&segment.text, &segment.reading);
    let mut lines = Vec::new();
    if !changes.is_empty() {
        lines.push(format!("Said: {}", segment.spoken().trim()));
    }
    for change in changes {
        let Some(reason) = change.left_out else {
            continue;
        };
        lines.push(if change.said.is_empty() {
            format!("Not said: {}, {reason}.", change.written)
        } else {
            format!("Not said to its end: {}, {reason}.", change.written)
        });
    }
    lines
}

/// A task has come into work.
pub(super) fn begins(number: u32, task: &TaskStatus) -> String {
    let title = title(&task.title);
    match done(task) {
        0 => format!(
            "Task {number} begins: {title}, {}.",
            count(task.progress.total, "segment")
        ),
        _ => format!("Task {number} goes on: {title}, {} are done.", share(task)),
    }
}

/// A quarter of a task is done.
pub(super) fn quarter(number: u32, task: &TaskStatus) -> String {
    let left = time_left(task).map_or_else(String::new, |left| format!(", {left}"));
    format!(
        "Task {number} is at {} percent: {}, {}{left}.",
        task.progress.percentage(),
        title(&task.title),
        share(task)
    )
}

/// A task went from its worker back to its place.
pub(super) fn waits_again(number: u32, task: &TaskStatus, is_paused: bool) -> String {
    let title = title(&task.title);
    if is_paused {
        let share = share(task);
        format!("Task {number}, {title}, is paused: {share} are made.")
    } else if let Some(error) = &task.error {
        let problem = problem(error);
        format!("Task {number}, {title}, is tried again soon: {problem}")
    } else {
        format!("Task {number}, {title}, waits and goes on by itself.")
    }
}

/// A segment is done.
pub(super) fn segment_done(number: u32, task: &TaskStatus, segment: &CompletedSegment) -> String {
    format!(
        "Task {number}, segment {} of {} is done, {} of audio.",
        segment.segment_id,
        task.progress.total,
        length(segment.duration.as_secs_f64())
    )
}

/// Something went wrong with a segment, or with the task as a whole.
pub(super) fn error(
    number: u32,
    task: &TaskStatus,
    segment: SegmentId,
    error: &ErrorObject,
) -> String {
    let problem = problem(error);
    let title = title(&task.title);
    match segment {
        SegmentId::TASK => format!("Error in task {number}, {title}: {problem}"),
        _ => format!("Error in task {number}, {title}, segment {segment}: {problem}"),
    }
}

/// A task has ended, and nothing but that is known of it any more.
pub(super) fn ended_forgotten(number: u32, name: &str, state: TaskState) -> String {
    format!("Task {number} {}: {}.", how_ended(state), title(name))
}

fn how_ended(state: TaskState) -> String {
    match state {
        TaskState::Failed => "has failed".to_owned(),
        state => format!("is {}", state_word(state)),
    }
}

/// A task has ended.
pub(super) fn ended(number: u32, task: &TaskStatus) -> Vec<String> {
    let how = how_ended(task.state);
    let audio = audio(task).map_or_else(String::new, |audio| format!(", {audio}"));
    let mut lines = vec![format!(
        "Task {number} {how}: {}, {}{}{audio}.",
        title(&task.title),
        share(task),
        errors(task)
    )];
    lines.extend(why(number, task));
    lines.extend(places(task));
    lines
}

/// A narration of the past; its time in the zone of whoever listens.
pub(super) fn past(past: &HistoryEntry, zone: &jiff::tz::TimeZone) -> String {
    let when = jiff::Timestamp::from_millisecond(past.completed_at.0).map(|time| {
        let time = time.to_zoned(zone.clone());
        time.strftime("%-d %B %Y at %H:%M").to_string()
    });
    let when = when.map_or_else(|_| String::new(), |when| format!(" on {when}"));
    let summary = past.summary.map_or_else(String::new, |summary| {
        let segments = count(u64::from(summary.segments), "segment");
        let audio = length(summary.audio_seconds);
        format!(", {} of {segments}, {audio} of audio", summary.done)
    });
    format!(
        "{}: {}{when}{summary}, in {}",
        title(&past.title),
        state_word(past.state),
        path(&past.folder)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reading, Said};

    #[test]
    fn numbers_and_times_are_said_in_words() {
        assert_eq!(count(0, "error"), "0 errors");
        assert_eq!(count(1, "error"), "1 error");
        let cases = [
            (0.0, "0.0 seconds"),
            (7.64, "7.6 seconds"),
            (9.97, "10 seconds"),
            (61.0, "1 minute 1 second"),
            (120.2, "2 minutes"),
            (3600.0, "1 hour"),
            (7265.0, "2 hours 1 minute"),
            (f64::NAN, "0 seconds"),
        ];
        for (seconds, said) in cases {
            assert_eq!(length(seconds), said);
        }
    }

    #[test]
    fn both_are_told_where_something_else_is_said_than_is_written() {
        let told = |text: &str, said: &[(u32, u32, &str, Option<&str>)]| {
            let said = said.iter().map(|&(start, end, words, left_out)| Said {
                start,
                end,
                words: words.into(),
                left_out: left_out.map(Into::into),
            });
            super::said(&PlannedSegment {
                start: 0,
                end: 1,
                text: text.into(),
                pause_ms: 0,
                heading: false,
                reading: Reading::new(said.collect()),
                voice: 0,
            })
        };
        assert!(told("As it stands.", &[]).is_empty());
        assert!(told("Now—go.", &[(3, 6, ", ", None)]).is_empty());
        let otherwise = [
            (0, 4, "fourteen ninety-two", None),
            (4, 9, "", Some("emoji")),
            (11, 18, "x dot org", Some("address of a link")),
        ];
        assert_eq!(
            told("1492 🚤: x.org/a.", &otherwise),
            [
                "Said: fourteen ninety-two: x dot org.",
                "Not said: 🚤, emoji.",
                "Not said to its end: x.org/a, address of a link.",
            ]
        );
    }

    #[test]
    fn what_was_written_for_eyes_is_said_without_marks() {
        assert_eq!(
            heard("1 of «Une histoire»: run `aloud setup` · 2 × → 3"),
            "1 of \"Une histoire\": run \"aloud setup\" , 2 times to 3"
        );
        assert_eq!(title("short"), "short");
        let long = title(&"a\u{301}b ".repeat(40));
        assert!(long.ends_with("b and so on"), "{long}");
    }
}
