//! The samples that come with the program, narrated in the monitor or told in plain lines.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::accessible;
use super::signals::Signals;
use super::submit::open_engine;
use crate::engine::Engine;
use crate::narrate::{Composed, Request, Voices};
use crate::service::{Ready, compose_for, submit};
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

/// Arguments of `aloud demo`.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Show the program by itself, with captions, in a library of its own; any key takes over
    #[cfg(feature = "monitor")]
    #[arg(long)]
    pub tour: bool,
}

impl DemoArgs {
    fn is_tour(&self) -> bool {
        #[cfg(feature = "monitor")]
        return self.tour;
        #[cfg(not(feature = "monitor"))]
        return false;
    }
}

/// `aloud demo`: narrates the samples in the monitor.
#[cfg(feature = "monitor")]
pub(super) fn run(
    args: &DemoArgs,
    settings: &Settings,
    offline: bool,
    signals: Signals,
) -> anyhow::Result<ExitCode> {
    use super::fetching::Show;
    use super::monitor::{need_terminal, show};

    need_terminal()?;
    let ready = super::submit::ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    if args.tour {
        return super::tour::run(&ready, settings, signals);
    }
    let voices = Voices::new(settings);
    let engine = begin(settings, &ready, &voices)?;
    show(engine, &voices, settings, signals, None)
}

/// `aloud demo --accessible`: narrates the samples and tells it in plain lines.
pub(super) fn accessible(
    args: &DemoArgs,
    settings: &Settings,
    offline: bool,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    if args.is_tour() {
        anyhow::bail!("the tour is made for the screen: leave --tour or --accessible out");
    }
    let ready = accessible::ready(settings, offline, signals)?;
    let voices = Voices::new(settings);
    let engine = begin(settings, &ready, &voices)?;
    accessible::tell(&engine, &voices, settings, signals)
}

/// The samples: their names and texts.
pub(super) fn samples() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    SAMPLES.iter().map(|(name, bytes)| (*name, bytes.to_vec()))
}

/// Cuts such texts for this voice.
pub(super) fn compose_texts(
    texts: impl Iterator<Item = (&'static str, Vec<u8>)>,
    ready: &Ready,
    settings: &Settings,
) -> anyhow::Result<Vec<Composed>> {
    let composed = texts.map(|(name, bytes)| {
        let request = Request::from_bytes(name.to_owned(), Some(PathBuf::from(name)), bytes)?;
        compose_for(&request, ready, settings)
    });
    composed.collect()
}

/// Opens the library and submits the samples.
fn begin(settings: &Settings, ready: &Ready, voices: &Arc<Voices>) -> anyhow::Result<Engine> {
    voices.warm_up(&ready.reference, &ready.voice);
    let composed = compose_texts(samples(), ready, settings)?;
    let engine = open_engine(settings, voices)?;
    for composed in composed {
        submit(&engine, settings, composed)?;
    }
    Ok(engine)
}
