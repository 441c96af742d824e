//! `aloud add`: gives texts to whoever has the library open, for now, for later or again and again, and
//! returns.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use jiff::Zoned;

use super::{when, working};
use crate::cli::fetching::Show;
use crate::cli::limits::LimitArgs;
use crate::cli::signals::Signals;
use crate::cli::submit::ready;
use crate::model::Priority;
use crate::model::Timestamp;
use crate::narrate::{NewNarration, NewText, OtherVoices, Request};
use crate::service::{Refusal, Service, Taken, WrittenSchedule};
use crate::settings::Settings;
use crate::text::{FormatName, printable};

/// Arguments of `aloud add`.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The texts: plain text, Markdown or HTML; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format they are read in, whatever their names say: md, txt or html
    #[arg(long = "as", value_name = "FORMAT")]
    pub written_as: Option<FormatName>,
    /// How urgent they are: low, normal or high
    #[arg(long, value_name = "PRIORITY", default_value = "normal", value_parser = priority)]
    pub priority: Priority,
    /// Begin then and not sooner: `03:00` for the next time that clocks show it, `2026-12-01T03:00`, `+2h`
    #[arg(long, value_name = "TIME", conflicts_with = "every")]
    pub at: Option<String>,
    /// Read them anew each time, `1d`, `6h` or by a cron expression (`"0 3 * * *"`), and narrate what has
    /// changed; `aloud schedules` shows and ends it
    #[arg(long, value_name = "INTERVAL|CRON")]
    pub every: Option<String>,
    /// What that is called; without it, as its file
    #[arg(long, value_name = "NAME", requires = "every")]
    pub name: Option<String>,
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
    let now = Zoned::now();
    let (schedule, begins) = schedule(args, &now)?;
    // All of them are read before the first is given away: bad input costs nothing.
    let texts: Vec<_> = (args.files.iter())
        .map(|file| Ok((file, text(file, args.written_as)?)))
        .collect::<anyhow::Result<_>>()?;
    // What the voice needs is fetched here, where someone sees it.
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    let service = working(settings)?;
    // Its time may have come while a voice was fetched or someone was started.
    let has_come = |at: Timestamp| at.0 <= Zoned::now().timestamp().as_millisecond();
    for (file, text) in texts {
        let schedule = schedule.as_ref().filter(|_| !begins.is_some_and(has_come));
        let new = NewNarration {
            text,
            written_as: args.written_as,
            voice: ready.reference.clone(),
            speed: settings.speed,
            speaker: settings.speaker.clone(),
            others: OtherVoices::of(settings),
            priority: args.priority,
            limits: args.limits.limits(),
        };
        let name = file.display().to_string();
        let name = printable(&name);
        let added = match service.add_when(&new, Some(&settings.out), schedule)? {
            Taken::Task(added) => added,
            Taken::Schedule(schedule) if args.json => {
                writeln!(out, "{}", serde_json::to_string(&schedule)?)?;
                continue;
            }
            Taken::Schedule(schedule) => {
                let words = when::in_words(&schedule.recurrence);
                let next = when::shown(schedule.next, &now);
                let called = printable(&schedule.name);
                writeln!(out, "{name} is read {words} as \"{called}\", next {next}")?;
                continue;
            }
        };
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&added)?)?;
        } else {
            let how = if added.continued {
                "is there already as"
            } else {
                "is"
            };
            // One that was there keeps its time.
            let begins = match added.continued {
                true => service.task(&added.id).ok().and_then(|task| task.due),
                false => begins,
            };
            let begins = begins.map(|at| format!(", and begins {}", when::shown(at, &now)));
            let begins = begins.unwrap_or_default();
            let advice = if added.continued && args.at.is_some() {
                "; for another time, cancel it first"
            } else {
                ""
            };
            writeln!(out, "{name} {how} {}{begins}{advice}", added.id)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// When they are to be narrated, if not now, and the moment of one that has one.
fn schedule(
    args: &AddArgs,
    now: &Zoned,
) -> Result<(Option<WrittenSchedule>, Option<Timestamp>), Refusal> {
    if let Some(at) = &args.at {
        let at = when::at(at, now)?;
        let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        let written = WrittenSchedule {
            at: Some(moment.to_string()),
            ..WrittenSchedule::default()
        };
        return Ok((Some(written), Some(at)));
    }
    let Some(every) = &args.every else {
        return Ok((None, None));
    };
    if args.name.is_some() && args.files.len() > 1 {
        let message = "--name is the name of one text: add the others by themselves";
        return Err(Refusal::invalid(message));
    }
    // One that is not there is told of like any other.
    let is_other = |file: &Path| file == Path::new("-") || (file.exists() && !file.is_file());
    if let Some(file) = args.files.iter().find(|file| is_other(file)) {
        let message = format!(
            "{}: --every reads a file anew each time, and this is none",
            file.display()
        );
        return Err(Refusal::invalid(message));
    }
    let written = when::every(every, args.name.as_deref())?;
    // Whether it can be is told before a voice is fetched.
    written.read()?;
    Ok((Some(written), None))
}

/// A file is read again by whoever narrates it; what is no file is not there a second time.
fn text(file: &Path, written_as: Option<FormatName>) -> anyhow::Result<NewText> {
    let request = Request::read(file)?.written_as(written_as);
    say_format(&request);
    text_of(file, request)
}

/// Says on standard error in which format a text is read, if nobody told it.
pub(crate) fn say_format(request: &Request) {
    if let Some(note) = request.format().note() {
        // Whoever does not read it hears what came of it.
        let _ = writeln!(
            std::io::stderr(),
            "aloud: {} is {note}",
            printable(&request.name)
        );
    }
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
