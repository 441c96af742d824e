//! The monitor, with or without the samples that come with the program.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::fetching::Show;
use super::on_complete::OnComplete;
use super::report::files_of;
use super::signals::Signals;
use super::wiring::{compose_for, open_engine, ready, submit};
use crate::engine::Engine;
use crate::monitor::{self, Cause, MonitorError, Options};
use crate::narrate::Request;
use crate::settings::Settings;
use crate::text::printable;

/// What `aloud demo` narrates.
const SAMPLES: &[(&str, &[u8])] = &[
    (
        "the-lighthouse-keeper.txt",
        include_bytes!("../../samples/the-lighthouse-keeper.txt"),
    ),
    (
        "the-night-train.txt",
        include_bytes!("../../samples/the-night-train.txt"),
    ),
    (
        "listening-well.md",
        include_bytes!("../../samples/listening-well.md"),
    ),
];

/// `aloud demo`: narrates the samples in the monitor.
pub(super) fn demo(
    settings: &Settings,
    offline: bool,
    signals: Signals,
) -> anyhow::Result<ExitCode> {
    need_terminal()?;
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    let mut composed = Vec::new();
    for (name, bytes) in SAMPLES {
        let request = Request::from_bytes(
            (*name).to_owned(),
            Some(PathBuf::from(name)),
            bytes.to_vec(),
        )?;
        composed.push(compose_for(&request, &ready, settings)?);
    }
    let engine = open_engine(settings)?;
    for composed in composed {
        submit(&engine, composed)?;
    }
    show(engine, settings, signals)
}

/// `aloud`: the monitor, and whatever is unfinished.
pub(super) fn monitor(
    settings: &Settings,
    offline: bool,
    signals: Signals,
) -> anyhow::Result<ExitCode> {
    need_terminal()?;
    ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    show(open_engine(settings)?, settings, signals)
}

fn show(engine: Engine, settings: &Settings, signals: Signals) -> anyhow::Result<ExitCode> {
    // The monitor takes signals itself once it is open; one that comes before is not lost.
    signals.shut_down(&engine, settings.shutdown_timeout);
    if let Some(code) = signals.exit_code() {
        return Ok(code);
    }
    let _on_complete = OnComplete::start(&engine, settings)?;
    let options = Options {
        theme: Some(settings.theme.clone()),
        theme_folder: Some(settings.paths.themes()),
        symbols: settings.symbols,
        exit_when_done: false,
        shutdown_timeout: settings.shutdown_timeout,
    };
    let exit = monitor::run(engine.clone(), &options)?;
    say_where_things_are(&engine);
    if let Some(code) = signals.exit_code() {
        return Ok(code);
    }
    Ok(match exit.cause {
        Cause::Quit | Cause::EngineStopped => ExitCode::SUCCESS,
        Cause::Interrupted => ExitCode::from(130),
        Cause::Terminated => ExitCode::from(143),
        Cause::TerminalLost => ExitCode::from(129),
    })
}

/// What stays on the terminal when the monitor has gone.
fn say_where_things_are(engine: &Engine) {
    let mut out = std::io::stdout().lock();
    for task in engine.tasks() {
        let (done, all) = (task.completed_segments.len(), task.progress.total);
        let place = match files_of(&task).first() {
            Some(file) => file.display().to_string(),
            None if task.state.is_terminal() => format!("{done} of {all} segments"),
            None => format!("{done} of {all} segments; it continues at the next start"),
        };
        let title = printable(&task.title);
        // Whoever quit may have closed the terminal as well.
        let _ = writeln!(out, "{} {title} → {}", task.state, printable(&place));
    }
}

/// Told before anything is fetched or begun.
fn need_terminal() -> Result<(), MonitorError> {
    if std::io::stdout().is_terminal() {
        Ok(())
    } else {
        Err(MonitorError::NoTerminal)
    }
}
