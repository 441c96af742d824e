//! The log: a file a day, the last seven kept. Never the screen.

use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// What is logged unless `ALOUD_LOG` says otherwise.
const DEFAULT: &str = "info,ort=warn";

/// Starts logging into `folder`. A log that can't be written must not stop the work: it is then
/// left out.
pub(super) fn start(folder: &Path) -> Option<()> {
    std::fs::create_dir_all(folder).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("aloud")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder)
        .ok()?;
    let filter = EnvFilter::try_from_env("ALOUD_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(file)
        .with_ansi(false)
        .with_thread_names(true)
        .try_init()
        .ok()
}
