//! `aloud` narrates long texts with neural voices on your own machine.
//!
//! This page is the map. Each room opens with what it is for and what it must never do.
//!
//! | room | what it holds |
//! |---|---|
//! | [`engine`](mod@engine) | the durable job engine: registry, store, workers; knows nothing of terminals or voices |
//! | [`model`] | the words that all rooms share: ids, states, plans, snapshots, events, errors |
//! | [`narrate`] | the operation a worker runs: prepare ∥ synthesize ∥ publish |
//! | [`text`] | bytes → text → blocks → segments, with byte spans in the source |
//! | [`speech`] | voices: phonemes, models, sessions |
//! | [`clip`] | WAV files: written, checked, joined |
//! | `files` | files and folders made where others can write too |
//! | [`assets`] | what is fetched: runtime, eSpeak NG, voices; checksums |
//! | [`settings`] | defaults, `config.toml`, environment, flags, and where each value came from |
//! | `cli` | the command line and the headless front end |
//! | `monitor` | the screen |

pub mod assets;
pub mod clip;
pub mod engine;
mod failpoint;
mod files;
pub mod model;
pub mod narrate;
pub mod settings;
mod size;
pub mod speech;
pub mod text;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "monitor")]
pub mod monitor;

/// Why this user's engine can't be had.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
    /// The library can't be opened.
    #[error(transparent)]
    Open(#[from] engine::OpenError),
}

/// The engine of this user's library under their settings, or a handle to it if this process has it
/// open already. What a voice needs must be installed: `aloud setup` does that.
///
/// ```no_run
/// let engine = aloud::engine()?;
/// println!("{} tasks wait", engine.stats().pending);
/// # Ok::<(), aloud::EngineError>(())
/// ```
///
/// # Errors
/// [`EngineError`]
pub fn engine() -> Result<engine::Engine, EngineError> {
    let settings = settings::load(settings::Overrides::default())?;
    Ok(engine::Engine::open(narrate::library_options(&settings))?)
}
