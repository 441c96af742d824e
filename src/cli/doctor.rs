//! `aloud doctor`: would narrating work here, and if not, what to do. It reads and hashes, tries
//! whether folders can be written, and must never repair anything.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::fetching::table;
use super::linger;
use crate::{
    assets::{
        AssetError, Assets, Piece, PieceId, VoiceFiles, find_npm, find_pip, free_space, human_size,
    },
    engine::Holder,
    http::{Gate, Remote, address},
    service::{Service, speaker_of},
    settings::{Secret, SettingOrigin, Settings, Webhook, printable},
    shortage::advice,
    speech::{self, Runtime, Speaker, SpeechError, VoiceInfo},
    text::excerpt,
    webhook::Mailer,
};

/// So many characters of a setting are shown: enough for a path.
const LONGEST_VALUE: usize = 1000;

/// Check every piece, folder and setting
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Narrating works without it.
    Warning,
    /// Narrating would not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What it is: `ONNX Runtime 1.31.1`.
    pub name: String,
    /// How it is.
    pub state: State,
    /// Its version, where it has one and it is known.
    pub version: Option<String>,
    /// Where it was found.
    pub path: Option<PathBuf>,
    /// `Some(true)`: every file has its SHA-256; `None`: nothing to compare with.
    pub checksum_ok: Option<bool>,
    /// What was found, and what to do if it is not as it should be.
    pub detail: String,
}

/// The whole answer.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Would narrating work?
    pub ok: bool,
    /// The platform, as `linux-x86_64`.
    pub platform: String,
    /// Pieces, folders and tools.
    pub checks: Vec<Finding>,
    /// Every setting and where its value came from.
    pub settings: Vec<SettingOrigin>,
}

/// Runs `aloud doctor`; exit code 1 if narrating would not work.
///
/// # Errors
/// When `out` can't be written, or [`AssetError::Interrupted`].
pub fn run(
    args: &DoctorArgs,
    settings: &Settings,
    out: &mut dyn Write,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<ExitCode> {
    let report = examine(settings, &Assets::from_settings(settings), interrupted)?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        draw(&report, out)?;
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Looks at everything, hashing what is installed.
///
/// # Errors
/// [`AssetError::Interrupted`] only; everything else is a finding.
pub fn examine(
    settings: &Settings,
    assets: &Assets,
    interrupted: &dyn Fn() -> bool,
) -> Result<Report, AssetError> {
    let need = assets.need_for(&settings.voice);
    let mut checks = Vec::new();
    for piece in assets
        .catalogue()
        .pieces
        .iter()
        .filter(|piece| need.contains(&piece.id))
    {
        checks.push(examine_piece(assets, piece, interrupted)?);
    }
    checks.push(examine_voice(
        assets,
        &settings.voice,
        settings.speaker.as_ref(),
    ));
    let paths = &settings.paths;
    for (name, folder) in [
        ("data folder", &paths.data),
        ("library folder", &paths.library),
        ("narrations folder", &settings.out),
    ] {
        checks.push(examine_folder(name, folder));
    }
    checks.extend(examine_reach(settings));
    // `pip 23.2.1 from …`, and from npm nothing but the number.
    let pip = find_pip(assets, interrupted)
        .map(|(program, said)| (program, said.split_whitespace().nth(1).map(str::to_owned)));
    checks.push(examine_program("pip", pip)?);
    if let Some(npm) = find_npm(assets, &need, interrupted).transpose() {
        let npm = npm.map(|(program, version)| (program, Some(version)));
        checks.push(examine_program("npm", npm)?);
    }
    checks.extend(settings.webhooks.iter().map(examine_webhook));
    checks.extend(linger::examine());
    Ok(Report {
        ok: checks.iter().all(|check| check.state != State::Bad),
        platform: assets.catalogue().platform.clone(),
        checks,
        settings: settings.explain(),
    })
}

/// A program that fetches, and its version.
fn examine_program(
    name: &str,
    found: Result<(String, Option<String>), AssetError>,
) -> Result<Finding, AssetError> {
    Ok(match found {
        Err(AssetError::Interrupted) => return Err(AssetError::Interrupted),
        Ok((program, version)) => Finding {
            name: name.to_owned(),
            state: State::Ok,
            version,
            path: Some(program.into()),
            checksum_ok: None,
            detail: "fetches what is missing".to_owned(),
        },
        // Without it something can't be fetched, but what is installed works.
        Err(why) => finding(name, State::Warning, &why),
    })
}

fn finding(name: &str, state: State, why: &AssetError) -> Finding {
    Finding {
        name: name.to_owned(),
        state,
        version: None,
        path: None,
        checksum_ok: None,
        detail: why.to_string(),
    }
}

fn examine_piece(
    assets: &Assets,
    piece: &Piece,
    interrupted: &dyn Fn() -> bool,
) -> Result<Finding, AssetError> {
    if assets.is_replaced(piece) {
        // The user's own, or the system's: there is nothing to compare it with.
        let found = if piece.id == PieceId::ONNXRUNTIME {
            assets.onnxruntime()
        } else {
            assets.espeak().map(|files| files.library)
        };
        return Ok(match found {
            Ok(path) => Finding {
                name: piece.title.clone(),
                state: State::Ok,
                version: None,
                path: Some(path),
                checksum_ok: None,
                detail: format!("not the one that aloud fetches ({})", piece.version),
            },
            Err(why) => finding(&piece.title, State::Bad, &why),
        });
    }
    Ok(match assets.verify_interruptible(piece, interrupted) {
        Ok(verified) => Finding {
            name: piece.title.clone(),
            state: State::Ok,
            version: Some(piece.version.clone()),
            path: Some(verified.folder),
            checksum_ok: Some(true),
            detail: format!(
                "SHA-256 correct (files: {}, {}); licence {}",
                verified.files,
                human_size(verified.bytes),
                piece.licence
            ),
        },
        Err(AssetError::Interrupted) => return Err(AssetError::Interrupted),
        Err(why) => Finding {
            version: Some(piece.version.clone()),
            checksum_ok: matches!(why, AssetError::Damaged { .. }).then_some(false),
            ..finding(&piece.title, State::Bad, &why)
        },
    })
}

fn examine_voice(assets: &Assets, voice: &str, speaker: Option<&Speaker>) -> Finding {
    match assets.voice(voice) {
        Ok(files) => {
            let (state, detail) = match usable(&files) {
                Ok(info) => match speaker.map(|speaker| speaker_of(&info, speaker)) {
                    Some(Err(why)) => (State::Bad, format!("{why}. Change the setting `speaker`")),
                    _ => (State::Ok, files.name),
                },
                Err(why) => (State::Bad, format!("{why}. {}", why.remediation())),
            };
            Finding {
                name: "voice in use".to_owned(),
                state,
                version: None,
                path: Some(files.model),
                checksum_ok: None,
                detail: printable(&detail).clone(),
            }
        }
        Err(why) => finding("voice in use", State::Bad, &why),
    }
}

/// What can be told of a voice without opening it.
fn usable(files: &VoiceFiles) -> Result<VoiceInfo, SpeechError> {
    Ok(speech::load(files, &Runtime::none())?.info().clone())
}

fn examine_folder(name: &str, folder: &Path) -> Finding {
    let existing = folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(folder);
    // Permissions alone don't tell (read-only disks, lists of rights): try it.
    let (state, detail) = match tempfile::tempfile_in(existing) {
        Ok(_) => {
            let free = free_space(existing).map_or_else(|| "unknown".to_owned(), human_size);
            let made = if existing == folder {
                "writable"
            } else {
                "will be created"
            };
            (State::Ok, format!("{made}, {free} free"))
        }
        Err(why) => (
            State::Bad,
            format!(
                "can't be written ({why}): {}",
                advice(&why, "change its permissions, or choose another folder")
            ),
        ),
    };
    Finding {
        name: name.to_owned(),
        state,
        version: None,
        path: Some(folder.to_owned()),
        checksum_ok: None,
        detail,
    }
}

/// Where others reach the program that has the library open, and whether it could listen over TCP as the
/// settings say.
fn examine_reach(settings: &Settings) -> Vec<Finding> {
    let plain = |name: &str, state, detail: String| Finding {
        name: name.to_owned(),
        state,
        version: None,
        path: None,
        checksum_ok: None,
        detail,
    };
    let mut found = Vec::new();
    let holder = Holder::of(&settings.paths.library);
    let said = |key: &str| holder.as_ref()?.said.get(key)?.as_str().map(str::to_owned);
    let socket = said("socket").map(PathBuf::from);
    // Who named it may have ended since.
    found.push(
        match socket.map(|socket| (Remote::connect(&socket).map(|it| it.info()), socket)) {
            Some((Ok(info), socket)) => Finding {
                version: Some(info.version),
                detail: match said("http") {
                    Some(http) => {
                        format!("process {} answers there, and at http://{http}", info.pid)
                    }
                    None => format!("process {} answers there, and not over TCP", info.pid),
                },
                path: Some(socket),
                ..plain("program at work", State::Ok, String::new())
            },
            Some((Err(error), _)) if !error.is_absent() => {
                plain("program at work", State::Warning, error.to_string())
            }
            _ => plain("program at work", State::Ok, "none now".to_owned()),
        },
    );
    if let Some(listen) = &settings.http.listen {
        let http = &settings.http;
        let token = http.token.as_ref().map(Secret::reveal);
        let gate = address(listen).and_then(|at| Gate::tcp(at, token, &http.hosts, &http.origins));
        found.push(match gate {
            Ok(_) => plain(
                "listening over TCP",
                State::Ok,
                format!("at {listen}, once it runs"),
            ),
            Err(why) => plain("listening over TCP", State::Warning, why.to_string()),
        });
    }
    found
}

/// Whether requests could go there. None is sent: `aloud webhook test` does that.
fn examine_webhook(webhook: &Webhook) -> Finding {
    let is_plain = webhook.url.starts_with("http://");
    let (state, detail) = match Mailer::new(webhook) {
        Err(why) => (State::Warning, why.to_string()),
        Ok(mailer) => match mailer.problem() {
            Some(why) => (State::Warning, why.to_owned()),
            None if is_plain && !mailer.is_local() => (
                State::Warning,
                "what is told can be read on its way, and changed unless its signature is checked: \
                 https:// hides it"
                    .to_owned(),
            ),
            None => (
                State::Ok,
                "`aloud webhook test` tries whether it answers".to_owned(),
            ),
        },
    };
    Finding {
        name: format!("webhook {}", printable(webhook.address())),
        state,
        version: None,
        path: None,
        checksum_ok: None,
        detail,
    }
}

fn draw(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "aloud {} on {}\n",
        env!("CARGO_PKG_VERSION"),
        report.platform
    )?;
    let rows: Vec<Vec<String>> = report
        .checks
        .iter()
        .map(|check| {
            let (symbol, word) = match check.state {
                State::Ok => ("✔", "ok"),
                State::Warning => ("!", "warning"),
                State::Bad => ("✖", "bad"),
            };
            let path = check
                .path
                .as_ref()
                .map(|path| printable(&path.to_string_lossy()));
            vec![
                symbol.to_owned(),
                word.to_owned(),
                check.name.clone(),
                check.version.clone().unwrap_or_default(),
                path.unwrap_or_default(),
            ]
        })
        .collect();
    for (line, check) in table(&rows).lines().zip(&report.checks) {
        writeln!(out, "{line}")?;
        for detail in check.detail.lines() {
            writeln!(out, "     {detail}")?;
        }
    }
    writeln!(out, "\nSettings")?;
    let rows: Vec<Vec<String>> = report
        .settings
        .iter()
        .map(|setting| {
            vec![
                format!("  {}", setting.name),
                excerpt(&setting.value, LONGEST_VALUE),
                format!("({})", printable(&setting.origin.to_string())),
            ]
        })
        .collect();
    write!(out, "{}", table(&rows))?;
    match report.ok {
        true => writeln!(out, "\n✔ narrating works here"),
        false => writeln!(
            out,
            "\n✖ narrating would not work: see what is marked ✖ above"
        ),
    }
}
