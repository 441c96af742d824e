//! The samples that come with the program, narrated in the monitor.

use std::path::PathBuf;
use std::process::ExitCode;

use super::fetching::Show;
use super::monitor::{need_terminal, show};
use super::signals::Signals;
use super::wiring::{compose_for, open_engine, ready, submit};
use crate::narrate::Request;
use crate::settings::Settings;

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
