//! `aloud schedules`: what recurs.

use std::io::Write;
use std::process::ExitCode;

use jiff::Zoned;

use super::{Reached, looking, when, whoever};
use crate::model::TaskState;
use crate::service::{LastRun, Schedule};
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of `aloud schedules`.
#[derive(Debug, clap::Args)]
pub(crate) struct SchedulesArgs {
    /// Have what is called so recur no more; what it has narrated stays
    #[arg(long, value_name = "NAME")]
    pub remove: Vec<String>,
    /// As a list in JSON
    #[arg(long, conflicts_with = "remove")]
    pub json: bool,
}

pub(crate) fn run(
    args: &SchedulesArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    // Looking leaves nothing behind where nothing is.
    let is_there = settings.paths.library.join("aloud.db").exists();
    if !args.remove.is_empty() && !is_there {
        anyhow::bail!("there is no schedule: nothing was ever narrated here");
    }
    for name in &args.remove {
        looking(|| Ok(whoever(settings)?.service.remove_schedule(name)?))?;
        writeln!(out, "removed: {}", printable(name))?;
    }
    if !args.remove.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let (schedules, works) = if is_there {
        looking(|| {
            let Reached { service, works } = whoever(settings)?;
            Ok((service.schedules()?, works))
        })?
    } else {
        (Vec::new(), false)
    };
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&schedules)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Zoned::now();
    for schedule in &schedules {
        writeln!(out, "{}", line(schedule, &now))?;
    }
    if schedules.is_empty() {
        writeln!(
            out,
            "Nothing recurs; `aloud add --every 1d FILE` has a text recur."
        )?;
    } else if !works {
        writeln!(
            out,
            "Nothing runs now; `aloud` or `aloud serve` goes on with them."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What recurs, on one line.
fn line(schedule: &Schedule, now: &Zoned) -> String {
    let file = schedule
        .parameters
        .get("file")
        .and_then(|file| file.as_str());
    let what = file.map_or_else(|| schedule.operation.to_string(), str::to_owned);
    let has_failed = |last: &LastRun| last.state == TaskState::Failed;
    let failed = schedule.last.as_ref().filter(|last| has_failed(last));
    let failed = failed.map_or("", |_| "  (the last run failed: see `aloud status`)");
    format!(
        "{}  {}, next {}  {}{failed}",
        printable(&schedule.name),
        when::in_words(&schedule.recurrence),
        when::shown(schedule.next, now),
        printable(&what)
    )
}
