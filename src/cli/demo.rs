//! The samples that come with the program, narrated in the monitor.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::fetching::Show;
use super::monitor::{need_terminal, show};
use super::signals::Signals;
use super::wiring::{Ready, compose_for, open_engine, ready, submit};
use crate::clip;
use crate::engine::SegmentId;
use crate::monitor::TourPlan;
use crate::narrate::{Composed, Request};
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
    #[arg(long)]
    pub tour: bool,
}

/// `aloud demo`: narrates the samples in the monitor.
pub(super) fn run(
    args: &DemoArgs,
    settings: &Settings,
    offline: bool,
    signals: Signals,
) -> anyhow::Result<ExitCode> {
    need_terminal()?;
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    if args.tour {
        return tour(&ready, settings, signals);
    }
    let composed = compose_samples(&ready, settings)?;
    let engine = open_engine(settings)?;
    for composed in composed {
        submit(&engine, composed)?;
    }
    show(engine, settings, signals, None)
}

fn compose_samples(ready: &Ready, settings: &Settings) -> anyhow::Result<Vec<Composed>> {
    let requests = SAMPLES.iter().map(|(name, bytes)| {
        let request = Request::from_bytes(
            (*name).to_owned(),
            Some(PathBuf::from(name)),
            bytes.to_vec(),
        )?;
        compose_for(&request, ready, settings)
    });
    requests.collect()
}

/// Which clip of the second narration something stands in the way of.
const FAILING: SegmentId = 5;

/// The tour. What it makes goes to a folder that goes away with it: whatever a user has narrated
/// already is left alone, and the tour is the same each time.
fn tour(ready: &Ready, settings: &Settings, signals: Signals) -> anyhow::Result<ExitCode> {
    let home = tempfile::Builder::new()
        .prefix("aloud-tour-")
        .tempdir()
        .context("there is no folder for the tour: is the temporary folder full?")?;
    let mut settings = settings.clone();
    settings.paths.library = home.path().join("library");
    settings.out = home.path().join("narrations");
    settings.on_complete = None;
    let engine = open_engine(&settings)?;
    let (mut ids, mut obstacle) = (Vec::new(), PathBuf::new());
    for (place, composed) in compose_samples(ready, &settings)?.into_iter().enumerate() {
        let plan = std::sync::Arc::clone(&composed.narration.plan);
        let id = submit(&engine, composed)?.id;
        if place > 0 {
            engine.pause_task(&id);
        }
        if place == 1 {
            let status = engine.task_status(&id).context("the task is gone")?;
            let folder = status.folder.context("the narration has no folder")?;
            let text = plan.get(FAILING).map_or("", |segment| &segment.text);
            obstacle = folder.join(clip::file_name(FAILING, text));
            std::fs::create_dir(&obstacle).context("the tour can't be prepared")?;
        }
        ids.push(id);
    }
    let mut ids = ids.into_iter();
    let mut next = || ids.next().context("there are three samples");
    let plan = TourPlan {
        first: next()?,
        second: next()?,
        third: next()?,
        obstacle,
    };
    show(engine, &settings, signals, Some(plan))
}
