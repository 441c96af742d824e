//! `aloud voices`: the voices that are installed and those that could be. It only reads.

use std::{io::Write, process::ExitCode};

use super::fetching::table;
use crate::{
    assets::{Assets, VoiceEntry, human_size},
    settings::{Settings, printable},
};

/// List installed and known voices
#[derive(Debug, Clone, Default, clap::Args)]
pub struct VoicesArgs {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Runs `aloud voices`.
///
/// # Errors
/// When `out` can't be written.
pub fn run(
    args: &VoicesArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let assets = Assets::from_settings(settings);
    let voices = assets.voices();
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &voices)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = [
        "", "voice", "language", "quality", "rate", "size", "speakers", "state", "licence",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(
        voices
            .iter()
            .map(|voice| row(voice, voice.name == settings.voice)),
    );
    write!(out, "{}", table(&rows))?;
    writeln!(
        out,
        "\nAdd any Piper voice: put NAME.onnx and NAME.onnx.json into {}",
        assets.voices_folder().display()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn row(voice: &VoiceEntry, is_default: bool) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let state = match (voice.installed, is_default) {
        (true, true) => "installed, in use",
        (true, false) => "installed",
        (false, _) => "not installed",
    };
    vec![
        if voice.installed { "✔" } else { "○" }.to_owned(),
        printable(&voice.name),
        voice.language.clone(),
        voice.quality.clone(),
        or_dash(voice.sample_rate.map(|rate| format!("{rate} Hz"))),
        or_dash(voice.size_bytes.map(human_size)),
        or_dash(voice.speakers.map(|speakers| speakers.to_string())),
        state.to_owned(),
        voice.licence.clone(),
    ]
}
