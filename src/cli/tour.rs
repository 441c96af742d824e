//! The tour through the program, prepared: three narrations in a library of its own, one of which
//! will fail on the way.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::demo::{compose_texts, samples};
use super::monitor::show;
use super::signals::Signals;
use super::submit::open_engine;
use crate::clip;
use crate::engine::SegmentId;
use crate::monitor::TourPlan;
use crate::narrate::Voices;
use crate::service::{Ready, submit};
use crate::settings::Settings;

/// Which clip of the second narration something stands in the way of.
const FAILING: SegmentId = SegmentId::new(5);

/// The tour. What it makes goes to a folder that goes away with it: whatever a user has narrated
/// already is left alone, and the tour is the same each time.
pub(super) fn run(
    ready: &Ready,
    settings: &Settings,
    signals: Signals,
) -> anyhow::Result<ExitCode> {
    let home = tempfile::Builder::new()
        .prefix("aloud-tour-")
        .tempdir()
        .context("there is no folder for the tour: is the temporary folder full?")?;
    let mut settings = settings.clone();
    settings.paths.library = home.path().join("library");
    settings.out = home.path().join("narrations");
    settings.on_complete = None;
    settings.webhooks.clear();
    // Copied clips would be there before anything is to be seen.
    settings.clip_store_mb = 0;
    let voices = Voices::new(&settings);
    voices.warm_up(&ready.reference, &ready.voice);
    let engine = open_engine(&settings, &voices)?;
    let (mut ids, mut obstacle) = (Vec::new(), PathBuf::new());
    let composed = compose_texts(texts().into_iter(), ready, &settings)?;
    for (place, composed) in composed.into_iter().enumerate() {
        let plan = Arc::clone(&composed.narration.plan);
        let id = submit(&engine, &settings, composed)?.id;
        if place > 0 {
            let _ = engine.pause_task(&id);
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
    show(engine, &voices, &settings, signals, Some(plan))
}

/// How often the samples follow the last of them.
const ENCORES: usize = 3;

/// The samples; the last of them is long, so that also a fast machine is in the midst of it when it is
/// cancelled, and again at the end.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let mut texts: Vec<_> = samples().collect();
    let all: Vec<u8> = samples()
        .flat_map(|(_, text)| [b"\n\n", &*text].concat())
        .collect();
    if let Some((_, last)) = texts.last_mut() {
        last.extend(all.repeat(ENCORES));
    }
    texts
}
