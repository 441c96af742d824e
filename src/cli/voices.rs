//! `aloud voices`: the voices that are installed and those that could be, and a way to add one's own.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::fetching::table;
use crate::assets::{Assets, Family, Piece, VoiceEntry, canonical_name, human_size};
use crate::narrate::Tuning;
use crate::settings::{Settings, printable};
use crate::speech::{self, Runtime};

/// List installed and known voices, or add one
#[derive(Debug, Clone, Default, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct VoicesArgs {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<VoicesCommand>,
}

/// What can be done with voices.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum VoicesCommand {
    /// Copy Piper voices into the folder for voices
    Add {
        /// Models, NAME.onnx, each with its NAME.onnx.json beside it; or folders of them
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
}

/// A line of the list, with what was measured here.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    entry: VoiceEntry,
    /// Seconds of audio in a second of work, where that was measured.
    speed: Option<f64>,
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
    if let Some(VoicesCommand::Add { paths }) = &args.command {
        return add(&assets, settings, paths, out);
    }
    let tuning = Tuning::read(&settings.paths);
    let voices: Vec<Listed> = (assets.voices().into_iter())
        .map(|entry| Listed {
            speed: speed(&tuning, &assets, &entry),
            entry,
        })
        .collect();
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &voices)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = [
        "", "voice", "kind", "language", "quality", "rate", "size", "speakers", "speed", "state",
        "licence",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let in_use = canonical_name(&settings.voice);
    let own_models = voices.iter();
    let own_models = own_models.filter(|voice| voice.entry.family != Family::Kokoro);
    rows.extend(own_models.map(|voice| row(voice, voice.entry.name == in_use)));
    write!(out, "{}", table(&rows))?;
    let pieces = assets.catalogue().pieces.iter();
    for piece in pieces.filter(|piece| is_shared(piece)) {
        write_shared(piece, &voices, &in_use, out)?;
    }
    writeln!(
        out,
        "\n`aloud setup VOICE` brings one that is not installed; `aloud voices add NAME.onnx` adds any Piper \
         voice.\nSpeeds are those that `aloud bench --store` has measured here. The folder: {}",
        assets.voices_folder().display()
    )?;
    let unspoken = assets.catalogue().pieces.iter();
    let unspoken: Vec<_> = unspoken
        .flat_map(|piece| &piece.unspoken)
        .map(|it| format!("{} ({})", it.language, it.names.len()))
        .collect();
    if !unspoken.is_empty() {
        let languages = unspoken.join(" and ");
        writeln!(out, "Not spoken yet: the Kokoro voices for {languages}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the voices of a piece have one model between them.
fn is_shared(piece: &Piece) -> bool {
    piece
        .voices
        .iter()
        .any(|voice| voice.family == Family::Kokoro)
}

/// The voices that share this model, with what they have in common told once.
fn write_shared(
    piece: &Piece,
    voices: &[Listed],
    in_use: &str,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let shared = voices
        .iter()
        .filter(|voice| piece.voice(&voice.entry.name).is_some());
    let shared: Vec<_> = shared
        .filter(|voice| voice.entry.family == Family::Kokoro)
        .collect();
    let Some(Listed { entry, .. }) = shared.first() else {
        return Ok(());
    };
    let size = entry
        .size_bytes
        .map_or_else(String::new, |size| format!(" of {}", human_size(size)));
    let rate = entry.sample_rate.unwrap_or_default();
    writeln!(
        out,
        "\nKokoro voices have one model{size} and come together ({} to fetch): {}, {rate} Hz, quality {}",
        human_size(piece.download_size()),
        entry.licence,
        entry.quality,
    )?;
    let heading = ["", "voice", "language", "grade", "speed", "state", "note"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(shared.iter().map(|voice| {
        vec![
            symbol(&voice.entry).to_owned(),
            voice.entry.name.clone(),
            voice.entry.language.clone(),
            or_dash(voice.entry.grade.clone()),
            or_dash(voice.speed.map(|speed| format!("{speed:.0}×"))),
            state(&voice.entry, voice.entry.name == in_use).to_owned(),
            voice.entry.note.clone().unwrap_or_default(),
        ]
    }));
    write!(out, "{}", table(&rows))?;
    writeln!(
        out,
        "Grades are those that their makers give. Several make a new one: `--voice af_heart:60+bf_emma:40`"
    )
}

/// Adds all voices at these paths, or says of the first that can't be why.
fn add(
    assets: &Assets,
    settings: &Settings,
    paths: &[PathBuf],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(assets.voices_at(path)?);
    }
    // Of voices that can't be used or added none is copied.
    for files in &all {
        speech::load(files, &Runtime::none())?;
    }
    let count = all.len();
    let wanted = assets.to_add(all)?;
    if wanted.len() < count {
        let there = count - wanted.len();
        writeln!(out, "✔ there already: {there} of {count}")?;
    }
    for files in &wanted {
        let added = assets.add_voice(files)?;
        let info = speech::load(&added, &Runtime::none())?;
        let info = info.info();
        let speakers = match info.speakers {
            1 => String::new(),
            many => format!(", {many} speakers"),
        };
        let option = match added.name == settings.voice {
            true => String::new(),
            false => format!(" --voice {}", added.name),
        };
        writeln!(
            out,
            "✔ added {} ({}{speakers}): `aloud narrate FILE{option}` narrates with it",
            added.name,
            printable(&info.language),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How fast a voice was here, if that was measured.
fn speed(tuning: &Tuning, assets: &Assets, entry: &VoiceEntry) -> Option<f64> {
    if !entry.installed {
        return None;
    }
    let files = assets.voice(&entry.name).ok()?;
    let voice = speech::load(&files, &Runtime::none()).ok()?;
    let tuned = tuning.here(&voice.info().version, &assets.onnxruntime().ok()?);
    tuned?.speed
}

fn row(
    Listed {
        entry: voice,
        speed,
    }: &Listed,
    is_default: bool,
) -> Vec<String> {
    vec![
        symbol(voice).to_owned(),
        printable(&voice.name),
        voice.family.name().to_owned(),
        voice.language.clone(),
        voice.quality.clone(),
        or_dash(voice.sample_rate.map(|rate| format!("{rate} Hz"))),
        or_dash(voice.size_bytes.map(human_size)),
        or_dash(voice.speakers.map(|speakers| speakers.to_string())),
        or_dash(speed.map(|speed| format!("{speed:.0}×"))),
        state(voice, is_default).to_owned(),
        voice.licence.clone(),
    ]
}

fn symbol(voice: &VoiceEntry) -> &'static str {
    if voice.installed { "✔" } else { "○" }
}

fn state(voice: &VoiceEntry, is_default: bool) -> &'static str {
    match (voice.installed, is_default) {
        (true, true) => "installed, in use",
        (true, false) => "installed",
        (false, _) => "not installed",
    }
}

fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}
