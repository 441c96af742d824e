//! `aloud clean`: brings the clips that are kept for other narrations to their limit, or deletes them
//! all. Never touches a narration's folder.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use crate::assets::human_size;
use crate::clip::ClipStore;
use crate::settings::Settings;

/// Arguments of `aloud clean`.
#[derive(Debug, clap::Args)]
pub(super) struct CleanArgs {
    /// Delete all of them; narrations keep their own clips
    #[arg(long)]
    pub all: bool,
    /// Say it as a JSON object
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(
    args: &CleanArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let most = if args.all {
        0
    } else {
        u64::from(settings.clip_store_mb) * 1_000_000
    };
    let folder = &settings.paths.clips;
    let trimmed = ClipStore::new(folder).trim(most);
    let trimmed = trimmed.with_context(|| {
        let folder = folder.display();
        format!("the kept clips in {folder} can't be looked through: check its permissions")
    })?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&trimmed)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let clips = |count: u64| format!("{count} {}", if count == 1 { "clip" } else { "clips" });
    writeln!(
        out,
        "deleted {} ({}); kept for other narrations are {} ({} of at most {})",
        clips(trimmed.deleted),
        human_size(trimmed.freed),
        clips(trimmed.left),
        human_size(trimmed.bytes),
        human_size(most),
    )?;
    Ok(ExitCode::SUCCESS)
}
