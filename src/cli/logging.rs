//! The log: a file a day, the last seven kept, and its last lines in memory for whoever shows them.
//! Never the screen.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::service::LogLine;

/// What is logged unless `ALOUD_LOG` says otherwise.
const DEFAULT: &str = "info,ort=warn";

/// How many lines are kept in memory, and how much of each.
const KEPT: usize = 1000;
const LONGEST: usize = 2000;

/// The last lines. One for the process, as there is one log.
static LAST: Mutex<VecDeque<LogLine>> = Mutex::new(VecDeque::new());

/// The last lines, oldest first.
pub(crate) fn last_lines() -> Vec<LogLine> {
    let lines = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().cloned().collect()
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

impl<S: Subscriber> Layer<S> for Memory {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut text = words.message + &words.fields;
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
        let line = LogLine {
            time: jiff::Timestamp::now().as_millisecond(),
            level: event.metadata().level().as_str().to_owned(),
            text,
        };
        let mut lines = LAST.lock().unwrap_or_else(PoisonError::into_inner);
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
        });
        let lines = last_lines();
        let own: Vec<&LogLine> = lines
            .iter()
            .filter(|line| line.text.contains("a line"))
            .collect();
        assert!(own.len() < KEPT);
        assert_eq!(
            own.last().unwrap().text,
            format!("a line  number={}  folder=x", KEPT + 4)
        );
        let long = lines.iter().find(|line| line.level == "WARN").unwrap();
        assert_eq!(long.text.len(), LONGEST);
    }
}
