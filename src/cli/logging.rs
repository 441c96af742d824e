//! The log: a file a day, the last seven kept, and its last lines in memory for whoever shows them.
//! Never the screen.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::service::LogLine;

/// What is logged unless `ALOUD_LOG` says otherwise.
const DEFAULT: &str = "info,ort=warn";

/// How many lines are kept in memory, and how much of each.
const KEPT: usize = 1000;
const LONGEST: usize = 2000;

/// The last lines, and how many there were. One for the process, as there is one log.
static LAST: Mutex<(VecDeque<LogLine>, u64)> = Mutex::new((VecDeque::new(), 0));

/// The last lines, oldest first.
pub(crate) fn last_lines() -> Vec<LogLine> {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.0.iter().cloned().collect()
}

/// Starts logging into `folder`. A log that can't be written must not stop the work: only the last
/// lines are kept then.
pub(super) fn start(folder: &Path) {
    let file = std::fs::create_dir_all(folder).ok().and_then(|()| {
        RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix("aloud")
            .filename_suffix("log")
            .max_log_files(7)
            .build(folder)
            .ok()
    });
    let file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_writer(file)
            .with_ansi(false)
            .with_thread_names(true)
    });
    let log = tracing_subscriber::registry()
        .with(filter())
        .with(file)
        .with(Memory);
    // Whoever embeds this may have a log of their own already.
    let _ = log.try_init();
}

/// Logs to standard error, for a parent that puts each line into its own log with a time.
pub(super) fn start_on_stderr() {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time();
    let log = tracing_subscriber::registry().with(filter()).with(lines);
    // As above.
    let _ = log.try_init();
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_env("ALOUD_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT))
}

/// Keeps the last lines.
struct Memory;

/// What a span or an event is about: the ids of a trace and of a task.
#[derive(Default)]
struct About {
    trace: Option<String>,
    task: Option<String>,
    /// What a span calls its own.
    id: Option<String>,
}

impl Visit for About {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "trace_id" => self.trace = Some(format!("{value:?}")),
            "task" => self.task = Some(format!("{value:?}")),
            "id" => self.id = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Memory {
    fn on_new_span(&self, of: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut about = About::default();
        of.record(&mut about);
        if of.metadata().name() == "task" {
            about.task = about.id.take();
        }
        let says = about.trace.is_some() || about.task.is_some();
        if let Some(span) = context.span(id).filter(|_| says) {
            span.extensions_mut().insert(about);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = About::default();
        event.record(&mut own);
        let mut words = Words::default();
        event.record(&mut words);
        let mut text = words.message + &words.fields;
        // The innermost span knows best.
        let spans = || context.event_scope(event).into_iter().flatten();
        let trace = spans().find_map(|span| span.extensions().get::<About>()?.trace.clone());
        let task = spans().find_map(|span| span.extensions().get::<About>()?.task.clone());
        let task = own.task.or(task);
        if let Some(trace) = trace {
            let _ = write!(text, "  trace_id={trace}");
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let (lines, count) = &mut *last;
        *count += 1;
        let line = LogLine {
            number: *count,
            time: jiff::Timestamp::now().as_millisecond(),
            level: event.metadata().level().as_str().to_owned(),
            text,
            task,
        };
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// The message of an event, then its fields.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string can't fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, "  {}={value:?}", field.name())
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = if field.name() == "message" {
            self.message.write_str(value)
        } else {
            write!(self.fields, "  {}={value}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let log = tracing_subscriber::registry().with(Memory);
        tracing::subscriber::with_default(log, || {
            for number in 0..KEPT + 5 {
                tracing::info!(number, folder = "x", "a line");
            }
            tracing::warn!("{}", "y".repeat(2 * LONGEST));
            let of_trace = tracing::info_span!("task", trace_id = %"4bf9").entered();
            tracing::info_span!("inner").in_scope(|| tracing::info!("the last line"));
            drop(of_trace);
            tracing::info!(task = %"t2", "about t2");
            let _span = tracing::info_span!("task", id = %"t1", attempt = 1).entered();
            tracing::info!("about t1");
        });
        let lines = last_lines();
        let own: Vec<&LogLine> = lines
            .iter()
            .filter(|line| line.text.contains("a line"))
            .collect();
        assert!(own.len() < KEPT);
        let with_trace = |line: &&LogLine| line.text == "the last line  trace_id=4bf9";
        assert!(
            lines.iter().any(|line| with_trace(&line)),
            "of the span around it"
        );
        assert_eq!(
            own.last().unwrap().text,
            format!("a line  number={}  folder=x", KEPT + 4)
        );
        let about = |text: &str| {
            lines
                .iter()
                .find(|line| line.text.starts_with(text))
                .unwrap()
        };
        assert_eq!(about("about t1").task.as_deref(), Some("t1"));
        assert_eq!(about("about t2").task.as_deref(), Some("t2"));
        assert_eq!(own.last().unwrap().task, None);
        let long = lines.iter().find(|line| line.level == "WARN").unwrap();
        assert_eq!(long.text.len(), LONGEST);
    }
}
