//! `aloud log`: the last lines of the log of whoever has the library open, and those that follow.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use super::{HEIR, PAST, find, heir, owner};
use crate::cli::signals::Signals;
use crate::http::Remote;
use crate::model::TaskId;
use crate::service::{LogLine, Service};
use crate::settings::Settings;
use crate::text::printable;

/// How often new lines are asked for.
const PACE: Duration = Duration::from_millis(300);

/// Arguments of `aloud log`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How many lines at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Go on with the lines that follow, until whoever works the queue has ended
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Only what is about this task: its id, the beginning of it, or its title
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
}

pub(crate) fn run(
    args: &LogArgs,
    settings: &Settings,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let Some(mut service) = owner(settings)? else {
        let logs = settings.paths.logs.display();
        anyhow::bail!("nothing runs; what earlier runs have logged is in {logs}");
    };
    let only = (args.task.as_ref())
        .map(|named| named_task(&service, named))
        .transpose()?;
    let is_meant = |line: &LogLine| match &only {
        None => true,
        Some(id) => line.task.as_deref() == Some(id.as_str()),
    };
    let mut lines = service.log()?;
    // What is left out is not shown later.
    let mut last = lines.last().map_or(0, |line| line.number);
    lines.retain(is_meant);
    let skipped = lines.len().saturating_sub(args.lines);
    show(&lines[skipped..], out)?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let heard = signals.listen();
    while pause(&heard) {
        let Ok(mut lines) = service.log_after(last) else {
            match heir(settings, HEIR, signals)? {
                // Another process counts its lines from the beginning.
                Some(next) => (service, last) = (next, 0),
                None if signals.raised() => break,
                None => {
                    writeln!(out, "Whoever worked the queue has ended.")?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
            continue;
        };
        last = lines.last().map_or(last, |line| line.number);
        lines.retain(is_meant);
        show(&lines, out)?;
    }
    Ok(signals.exit_code().unwrap_or(ExitCode::SUCCESS))
}

fn show(lines: &[LogLine], out: &mut dyn Write) -> std::io::Result<()> {
    for line in lines {
        writeln!(
            out,
            "{} {:5} {}",
            line.clock(),
            line.level,
            printable(&line.text)
        )?;
    }
    out.flush()
}

/// Also of one that has ended and is no longer in the queue.
fn named_task(service: &Remote, named: &str) -> anyhow::Result<TaskId> {
    let unknown = match find(service, named) {
        Ok(task) => return Ok(task.id),
        Err(error) => error,
    };
    let past = service.history(PAST)?.into_iter();
    let mut past = past.filter(|past| super::is_name(&past.id, &past.title, named));
    past.next().map(|past| past.id).ok_or(unknown)
}

/// Waits for a moment; whether nobody has asked for the end.
fn pause(signals: &async_channel::Receiver<i32>) -> bool {
    use smol::future::FutureExt;
    let ended = async { signals.recv().await.is_err() };
    let moment = async {
        smol::Timer::after(PACE).await;
        true
    };
    smol::block_on(ended.or(moment))
}
