//! Puts the rooms together: settings → assets → voice → engine.

use std::io::Write;
use std::sync::Arc;

use crate::assets::Assets;
use crate::cli::fetching::{Show, ensure_for_use};
use crate::engine::{Engine, Hooks};
use crate::narrate::{VoiceError, Voices, library_options_with, load_voice};
use crate::service::{Local, Ready, reference};
use crate::settings::Settings;
use crate::text::printable;

/// Brings what the voice of these settings needs, and reads its configuration.
pub(super) fn ready(
    settings: &Settings,
    offline: bool,
    show: Show,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<Ready> {
    let assets = Assets::from_settings(settings);
    let reference = reference(&settings.voice);
    // An unknown voice is told before anything is fetched for it.
    match assets.voice(&reference) {
        Ok(_) | Err(crate::assets::AssetError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    ensure_for_use(
        &assets,
        &assets.need_for(&reference),
        offline,
        show,
        interrupted,
    )?;
    let voice = load_voice(settings, &reference).map_err(|error| match error {
        VoiceError::Asset(error) => anyhow::Error::from(error),
        VoiceError::Speech(error) => error.into(),
    })?;
    Ok(Ready { voice, reference })
}

/// Opens the library; narrations that an earlier run left continue at once.
pub(super) fn open_engine(settings: &Settings, voices: &Arc<Voices>) -> anyhow::Result<Engine> {
    open_engine_with(settings, voices, Opening::default())
}

/// What differs where a library is opened.
#[derive(Default)]
pub(super) struct Opening {
    /// These are called at its beginning and its end.
    pub hooks: Hooks,
    /// Nothing begins until the queue is resumed.
    pub paused: bool,
}

/// The same, in another way.
pub(super) fn open_engine_with(
    settings: &Settings,
    voices: &Arc<Voices>,
    opening: Opening,
) -> anyhow::Result<Engine> {
    let mut options = library_options_with(settings, voices);
    Local::prepare(&mut options, settings, voices);
    options.hooks = opening.hooks;
    options.paused = opening.paused;
    let engine = Engine::open(options)?;
    if let Some(recovery) = engine.recovery() {
        let said = recovery.to_string();
        // It is in the log as well.
        let _ = writeln!(std::io::stderr(), "aloud: {}", printable(&said));
    }
    Ok(engine)
}
