//! `aloud add`: gives texts to whoever has the library open, and returns.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::working;
use crate::cli::fetching::Show;
use crate::cli::limits::LimitArgs;
use crate::cli::signals::Signals;
use crate::cli::submit::ready;
use crate::model::Priority;
use crate::narrate::{NewNarration, NewText, Request};
use crate::service::Service;
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of `aloud add`.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The texts: plain text or Markdown; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How urgent they are: low, normal or high
    #[arg(long, value_name = "PRIORITY", default_value = "normal", value_parser = priority)]
    pub priority: Priority,
    /// One JSON object a text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}

fn priority(word: &str) -> Result<Priority, String> {
    match word {
        "low" => Ok(Priority::Low),
        "normal" => Ok(Priority::Normal),
        "high" => Ok(Priority::High),
        _ => Err("it is low, normal or high".to_owned()),
    }
}

pub(crate) fn run(
    args: &AddArgs,
    settings: &Settings,
    offline: bool,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    // All of them are read before the first is given away: bad input costs nothing.
    let texts: Vec<_> = (args.files.iter())
        .map(|file| Ok((file, text(file)?)))
        .collect::<anyhow::Result<_>>()?;
    // What the voice needs is fetched here, where someone sees it.
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    let service = working(settings)?;
    for (file, text) in texts {
        let new = NewNarration {
            text,
            voice: ready.reference.clone(),
            speed: settings.speed,
            speaker: settings.speaker,
            priority: args.priority,
            limits: args.limits.limits(),
        };
        let added = service.add(&new, Some(&settings.out))?;
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&added)?)?;
        } else {
            let name = file.display().to_string();
            let how = if added.continued {
                "is there already as"
            } else {
                "is"
            };
            writeln!(out, "{} {how} {}", printable(&name), added.id)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A file is read again by whoever narrates it; what is no file is not there a second time.
fn text(file: &Path) -> anyhow::Result<NewText> {
    text_of(file, Request::read(file)?)
}

/// The same of one that was read.
pub(crate) fn text_of(file: &Path, request: Request) -> anyhow::Result<NewText> {
    if file.is_file() {
        let path = std::path::absolute(file).with_context(|| file.display().to_string())?;
        return Ok(NewText::File(path));
    }
    Ok(NewText::Bytes {
        name: request.name,
        bytes: request.source.text.into_bytes(),
    })
}
