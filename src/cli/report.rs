//! How headless work is told: progress bars on a terminal, plain lines elsewhere, JSON for
//! programs. Each reads events and copies of tasks, and changes nothing.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use super::bars::BarTerminal;
use crate::model::{
    CompletedSegment, ErrorObject, Event, SegmentId, TaskId, TaskState, TaskStatus,
};
use crate::service::{SegmentView, TaskSummary};
use crate::text::printable;

/// A narration as it stood when it was heard of last.
#[derive(Clone, Debug)]
pub(super) struct Narrated {
    pub task: TaskSummary,
    /// Those of its segments that something went wrong with; read at the end.
    pub faulty: Vec<SegmentView>,
}

/// What a headless run did, as `--json` prints it at the end.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub tasks: usize,
    pub segments: u64,
    pub completed: usize,
    pub failed: usize,
    pub audio_seconds: f64,
    pub wall_seconds: f64,
    /// Seconds of work per second of speech; lower is better.
    pub realtime_factor: f64,
    /// The share of its time for which the voice waited between segments; null if it made none.
    pub idle_share: Option<f64>,
    pub files: Vec<PathBuf>,
}

impl Summary {
    pub(super) fn new(all: &[Narrated], wall: Duration) -> Self {
        let tasks = || all.iter().map(|narrated| &narrated.task);
        let audio_seconds: f64 = tasks().map(|task| task.audio_seconds).sum();
        let made: f64 = tasks().map(|task| task.made.audio_seconds).sum();
        let work: f64 = tasks().map(|task| task.made.work_seconds).sum();
        let wait: f64 = tasks().map(|task| task.made.wait_seconds).sum();
        let wall_seconds = wall.as_secs_f64();
        Self {
            tasks: all.len(),
            segments: tasks().map(|task| task.progress.total).sum(),
            completed: tasks().map(|task| task.completed_segments).sum(),
            failed: all.iter().map(failed_segments).sum(),
            audio_seconds,
            wall_seconds,
            realtime_factor: if made > 0.0 { wall_seconds / made } else { 0.0 },
            idle_share: (work > 0.0).then(|| wait / (wait + work)),
            files: tasks()
                .flat_map(|task| &task.files)
                .map(PathBuf::from)
                .collect(),
        }
    }
}

/// Segments with an error; in a narration that failed, also those that it never came to.
fn failed_segments(narrated: &Narrated) -> usize {
    let task = &narrated.task;
    if task.state != TaskState::Failed {
        return task.failed_segments;
    }
    let is_spoken = |segment: &&SegmentView| segment.clip.is_some();
    let faulty = narrated.faulty.iter().filter(is_spoken).count();
    let total = usize::try_from(task.progress.total).unwrap_or(usize::MAX);
    faulty + total.saturating_sub(task.completed_segments)
}

/// The joined files of a narration.
pub(super) fn files_of(task: &TaskStatus) -> Vec<PathBuf> {
    let result = task.result.as_ref().or(task.partial_result.as_ref());
    let files = result
        .and_then(|result| result.get("files"))
        .and_then(Value::as_array);
    files
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(PathBuf::from)
        .collect()
}

/// Tells a person or a program what happens.
pub(super) enum Reporter {
    Json,
    Plain,
    Bars(MultiProgress, HashMap<TaskId, ProgressBar>, BarTerminal),
}

impl Reporter {
    /// Bars, or plain lines where there is no terminal for them.
    pub(super) fn bars() -> Self {
        match BarTerminal::open() {
            Some(terminal) => {
                let all = MultiProgress::with_draw_target(terminal.target());
                Self::Bars(all, HashMap::new(), terminal)
            }
            None => Self::Plain,
        }
    }

    /// A narration was accepted, or continues.
    pub(super) fn submitted(
        &mut self,
        task: &TaskSummary,
        file: &str,
        continued: bool,
        notes: &[String],
    ) {
        let (done, total) = (task.completed_segments, task.progress.total);
        match self {
            Self::Json => json_line(&json!({
                "event": "submitted",
                "task": task.id,
                "title": task.title,
                "file": file,
                "folder": task.folder,
                "segments": total,
                "completed": done,
                "continued": continued,
                "notes": notes,
            })),
            Self::Plain => {
                let folder = folder_of(task);
                let how = if continued {
                    format!(", {done} done before")
                } else {
                    String::new()
                };
                line(&format!(
                    "{}: {total} segments{how} → {folder}",
                    printable(&task.title)
                ));
                for note in notes {
                    line(&format!("  note: {note}"));
                }
            }
            Self::Bars(all, bars, _) => {
                let bar = all.add(ProgressBar::new(total));
                bar.set_style(style());
                bar.set_prefix(shorten(&task.title, 28));
                bar.set_position(done as u64);
                bar.set_message("waiting");
                for note in notes {
                    // A note that can't be shown is in the summary of omissions as well.
                    let _ = all.println(format!("  note: {note}"));
                }
                bars.insert(task.id.clone(), bar);
            }
        }
    }

    /// Another task goes on with a narration.
    pub(super) fn replaced(&mut self, old: &TaskId, new: &TaskId) {
        match self {
            Self::Json => json_line(&json!({ "event": "replaced", "task": old, "by": new })),
            Self::Plain => {}
            Self::Bars(_, bars, _) => {
                if let Some(bar) = bars.remove(old) {
                    bars.insert(new.clone(), bar);
                }
            }
        }
    }

    /// Something happened to one of the narrations, or to this segment of it.
    pub(super) fn event(
        &mut self,
        event: &Event,
        task: &TaskSummary,
        segment: Option<&SegmentView>,
    ) {
        match self {
            Self::Json => json_event(event, task, segment),
            Self::Plain => plain_event(event, task, segment),
            Self::Bars(all, bars, _) => {
                let Some(bar) = bars.get(&task.id) else {
                    return;
                };
                bar.set_position(task.completed_segments as u64);
                match event {
                    Event::Started { .. } => bar.set_message("opening the voice"),
                    Event::SegmentStarted { .. } | Event::SegmentCompleted { .. } => {
                        bar.set_message(pace(task));
                    }
                    Event::SegmentFailed {
                        segment_id, error, ..
                    } => {
                        let text = segment_problem(&task.title, *segment_id, segment, error);
                        // The same is said again at the end, on standard error.
                        let _ = all.println(text);
                    }
                    Event::Ended { state, .. } => bar.abandon_with_message(match state {
                        TaskState::Completed => format!("✔ {}", pace(task)),
                        TaskState::Cancelled => "⊘ cancelled".to_owned(),
                        _ => "✘ failed".to_owned(),
                    }),
                    Event::Requeued { .. } if task.error.is_some() => {
                        bar.set_message("tried again soon");
                    }
                    Event::Requeued { .. } => bar.abandon_with_message("stopped; it continues"),
                    _ => {}
                }
            }
        }
    }

    /// Something else that a person should know, on standard error.
    pub(super) fn note(&self, text: &str) {
        match self {
            Self::Bars(all, _, terminal) => {
                let text = format!("aloud: {text}");
                // Above the bars, or when the terminal reads again.
                if all.println(&text).is_err() {
                    terminal.line(&text);
                }
            }
            Self::Json | Self::Plain => {
                // Whoever does not read it has the exit code.
                let _ = writeln!(io::stderr(), "aloud: {text}");
            }
        }
    }

    /// The work has ended.
    pub(super) fn summary(&mut self, summary: &Summary) {
        match self {
            Self::Json => {
                let mut value = json!({ "event": "summary" });
                if let (Value::Object(all), Ok(Value::Object(fields))) =
                    (&mut value, serde_json::to_value(summary))
                {
                    all.extend(fields);
                }
                json_line(&value);
            }
            Self::Plain | Self::Bars(..) => {
                let Summary {
                    completed,
                    segments,
                    audio_seconds,
                    wall_seconds,
                    ..
                } = summary;
                let speed = match summary.realtime_factor {
                    factor if factor > 0.0 => format!(" ({:.1}× real time)", 1.0 / factor),
                    _ => String::new(),
                };
                line(&format!(
                    "{completed} of {segments} segments, {} of speech in {}{speed}",
                    clock(*audio_seconds),
                    clock(*wall_seconds),
                ));
                for file in &summary.files {
                    line(&printable(&file.display().to_string()));
                }
            }
        }
    }
}

/// What is wrong with a segment, with its text and what to do.
pub(super) fn segment_problem(
    title: &str,
    id: SegmentId,
    segment: Option<&SegmentView>,
    error: &ErrorObject,
) -> String {
    let text = segment.map_or("", |segment| &segment.text);
    let place = format!(
        "{}, segment {id} \"{}\"",
        printable(title),
        shorten(text, 40)
    );
    format!("{place}: {}", with_advice(error))
}

/// An error and what to do about it, on one line.
pub(super) fn with_advice(error: &ErrorObject) -> String {
    let message = printable(&error.message).into_owned();
    if error.remediation.is_empty() {
        return message;
    }
    format!("{message}. {}", printable(&error.remediation))
}

fn json_event(event: &Event, task: &TaskSummary, planned: Option<&SegmentView>) {
    if matches!(event, Event::Submitted { .. }) {
        // Told already, with more in it.
        return;
    }
    let Ok(Value::Object(mut object)) = serde_json::to_value(event) else {
        return;
    };
    if let Event::SegmentCompleted { segment, .. } = event {
        object.insert("clip".into(), json!(clip_path(task, segment)));
        object.insert(
            "pause_ms".into(),
            json!(planned.map(|planned| planned.pause_ms)),
        );
        object.insert("completed".into(), json!(task.completed_segments));
        object.insert("segments".into(), json!(task.progress.total));
    }
    if let Event::Progress { .. } = event {
        object.insert("percentage".into(), json!(task.percentage));
        object.insert("progress".into(), json!(task.progress));
    }
    if let Event::Ended { .. } = event {
        object.insert("files".into(), json!(task.files));
        object.insert("audio_seconds".into(), json!(task.audio_seconds));
    }
    json_line(&Value::Object(object));
}

fn clip_path(task: &TaskSummary, segment: &CompletedSegment) -> PathBuf {
    match &task.folder {
        Some(folder) => folder.join(&*segment.clip),
        None => PathBuf::from(&*segment.clip),
    }
}

fn plain_event(event: &Event, task: &TaskSummary, segment: Option<&SegmentView>) {
    let text = segment.map_or("", |segment| &segment.text);
    match event {
        Event::Started { .. } => line(&format!("{}: opening the voice", printable(&task.title))),
        Event::SegmentCompleted { segment, .. } => line(&format!(
            "{:>5}/{} {:>6.2} s  {}",
            task.completed_segments,
            task.progress.total,
            segment.duration.as_secs_f64(),
            shorten(text, 56),
        )),
        Event::SegmentFailed {
            segment_id, error, ..
        } => {
            line(&format!(
                "  ✘ {}",
                segment_problem(&task.title, *segment_id, segment, error)
            ));
        }
        Event::Ended { state, .. } => line(&format!("{}: {state}", printable(&task.title))),
        Event::Requeued { .. } => {
            let title = printable(&task.title);
            line(&match &task.error {
                Some(error) => format!("{title}: {}; it is tried again", printable(&error.message)),
                None => format!("{title}: stopped; it continues at the next start"),
            });
        }
        _ => {}
    }
}

fn pace(task: &TaskSummary) -> String {
    match (task.speed, task.seconds_left) {
        (Some(speed), Some(left)) if left > 0.0 => {
            format!("{speed:.1}× real time, {} left", clock(left))
        }
        (Some(speed), _) => format!("{speed:.1}× real time"),
        _ => String::new(),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:28} {bar:30} {pos:>5}/{len:<5} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏─")
}

fn folder_of(task: &TaskSummary) -> String {
    let folder = task
        .folder
        .as_deref()
        .map(|folder| folder.display().to_string());
    printable(&folder.unwrap_or_default()).into_owned()
}

/// Minutes and seconds, with hours where there are any.
fn clock(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds.round())
        .unwrap_or_default()
        .as_secs();
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A text on one line and safe to print, cut to so many columns.
pub(super) fn shorten(text: &str, columns: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    use unicode_width::UnicodeWidthStr;
    let text = printable(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    let mut short = String::new();
    let mut width = 0;
    for grapheme in text.graphemes(true) {
        width += grapheme.width();
        if width > columns - 1 {
            break;
        }
        short.push_str(grapheme);
    }
    short + "…"
}

fn json_line(value: &Value) {
    line(&value.to_string());
}

/// One line on standard output. Whoever read it may have gone; the work continues without them.
fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
