//! `aloud` narrates long texts with neural voices on your own machine.
//!
//! This page is the map. Each room opens with what it is for and what it must never do.
//!
//! | room | what it holds | feature |
//! |---|---|---|
//! | [`engine`](mod@engine) | the durable job engine: decisions in one pure core, threads around it; knows no terminals, no voices. [How it is built](architecture) | none |
//! | [`model`] | the words that all rooms share: ids, states, plans, snapshots, events, errors | none |
//! | [`narrate`] | the operation a worker runs: prepare ∥ synthesize ∥ publish | `narrate` |
//! | [`text`] | bytes → text → blocks → segments, with byte spans in the source | `narrate` |
//! | [`speech`] | voices: phonemes, models, sessions | `narrate` |
//! | [`clip`] | WAV files: written, checked, joined | `narrate` |
//! | `files` | files and folders made where others can write too | `narrate` |
//! | [`assets`] | what is fetched: runtime, eSpeak NG, voices; checksums | `narrate` |
//! | [`settings`] | defaults, `config.toml`, environment, flags, and where each value came from | `narrate` |
//! | `cli` | the command line and the headless front end | `cli` |
//! | `service` | what the program does for people, whoever asks | `cli` |
//! | `http` | the service over HTTP: a server and a client | `cli` |
//! | `monitor` | the screen | `monitor` |
//! | `outlet` | a terminal that is written to without being waited for | `cli` |
//!
//! Each feature contains those above it; `cli` and `monitor` are on by default. A program that wants
//! the engine alone says `default-features = false`.
#![cfg_attr(
    not(feature = "narrate"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the map shows rooms that this build does not have"
    )
)]

#[cfg_attr(
    not(feature = "narrate"),
    expect(dead_code, reason = "some helpers are for what the narrator reports")
)]
pub mod engine;
mod failpoint;

pub mod model;
mod shortage;

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[cfg(feature = "narrate")]
pub mod assets;
#[cfg(feature = "narrate")]
pub mod audio;
#[cfg(feature = "narrate")]
pub mod clip;
#[cfg(feature = "narrate")]
mod files;
#[cfg(feature = "narrate")]
mod memory;
#[cfg(feature = "narrate")]
pub mod narrate;
#[cfg(feature = "narrate")]
pub mod settings;
#[cfg(feature = "narrate")]
mod size;
#[cfg(feature = "narrate")]
pub mod speech;
#[cfg(feature = "narrate")]
pub mod text;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(feature = "cli")]
mod outlet;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod http;
#[cfg(feature = "monitor")]
pub mod monitor;
#[cfg(feature = "cli")]
pub mod service;
#[cfg(feature = "cli")]
mod webhook;

/// Why this user's engine can't be opened.
#[cfg(feature = "narrate")]
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
#[cfg(feature = "narrate")]
pub fn engine() -> Result<engine::Engine, EngineError> {
    let settings = settings::load(settings::Overrides::default())?;
    Ok(engine::Engine::open(narrate::library_options(&settings))?)
}
