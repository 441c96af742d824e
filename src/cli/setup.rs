//! `aloud setup`: brings what narrating needs, and proves what is there. Nothing else may be
//! changed by it.

use std::{io::Write, path::PathBuf, process::ExitCode};

use super::fetching::{Show, Shower, table};
use crate::{
    assets::{AssetError, Assets, Fetch, Piece, PieceId, canonical_name, human_size},
    settings::Settings,
};

/// Fetch what is missing, check what is there
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SetupArgs {
    /// The voices to bring; without any, the one that is set
    #[arg(value_name = "VOICE")]
    pub voices: Vec<String>,
    /// Use no network: say what is missing and stop
    #[arg(long, conflicts_with = "from")]
    pub offline: bool,
    /// Take packages or files from this folder instead of the network
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// Runs `aloud setup` for these voices, or for the one in the settings; the table goes to `out`, progress to
/// standard error.
///
/// # Errors
/// [`crate::assets::AssetError`], or that `out` can't be written.
pub fn run(
    args: &SetupArgs,
    settings: &Settings,
    out: &mut dyn Write,
    show: Show,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<ExitCode> {
    let assets = Assets::from_settings(settings);
    let set = [settings.voice.clone()];
    let voices = match args.voices.is_empty() {
        true => &set[..],
        false => &args.voices[..],
    };
    let mut need = Vec::new();
    for voice in voices {
        match assets.voice(voice) {
            // One that can be fetched will be.
            Ok(_) | Err(AssetError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        need.extend(assets.need_for(voice));
    }
    write!(out, "{}", pieces(&assets, &need))?;
    writeln!(out, "Folder: {}\n", assets.data_folder().display())?;
    out.flush()?;
    let from = match &args.from {
        Some(folder) => Fetch::Folder(folder.clone()),
        None if args.offline => Fetch::Offline,
        None => Fetch::Network,
    };
    let mut shower = Shower::new(show);
    let done = assets.repair(&need, &from, &mut |event| shower.event(event), interrupted);
    shower.finish();
    done?;
    // A path, an override or the system's eSpeak NG was not fetched: it must be there, too.
    assets.onnxruntime()?;
    for voice in voices {
        let files = assets.voice(voice)?;
        if files.takes_espeak() {
            assets.espeak()?;
        }
        let option = match *voice == settings.voice {
            true => String::new(),
            false => format!(" --voice {}", canonical_name(voice)),
        };
        writeln!(
            out,
            "✔ ready: `aloud narrate FILE{option}` narrates with {}",
            files.name
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pieces(assets: &Assets, need: &[PieceId]) -> String {
    let mut rows = vec![
        ["", "piece", "fetch", "installed", "state", "licence"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let needed = assets
        .catalogue()
        .pieces
        .iter()
        .filter(|piece| need.contains(&piece.id));
    for piece in needed {
        let (symbol, state) = state(assets, piece);
        let sizes = piece
            .can_be_fetched()
            .then(|| (piece.download_size(), piece.installed_size()));
        let (fetch, installed) = sizes.map_or(("-".into(), "-".into()), |(fetch, installed)| {
            (human_size(fetch), human_size(installed))
        });
        let licence = match piece.note.as_str() {
            "" => piece.licence.clone(),
            note => format!("{} ({note})", piece.licence),
        };
        rows.push(vec![
            symbol.into(),
            piece.name(),
            fetch,
            installed,
            state.into(),
            licence,
        ]);
    }
    table(&rows)
}

fn state(assets: &Assets, piece: &Piece) -> (&'static str, &'static str) {
    if assets.is_installed(piece) {
        ("✔", "installed")
    } else if assets.is_replaced(piece) {
        ("✔", "your own")
    } else if piece.can_be_fetched() {
        ("○", "missing")
    } else {
        ("✖", "nothing to fetch here")
    }
}
