//! `aloud log`: the last lines of the log of whoever has the library open.

use std::io::Write;
use std::process::ExitCode;

use super::owner;
use crate::service::Service;
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of `aloud log`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How many lines at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub lines: usize,
}

pub(crate) fn run(
    args: &LogArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let Some(service) = owner(settings)? else {
        let logs = settings.paths.logs.display();
        anyhow::bail!("nothing runs; what earlier runs have logged is in {logs}");
    };
    let lines = service.log()?;
    for line in lines.iter().skip(lines.len().saturating_sub(args.lines)) {
        writeln!(
            out,
            "{} {:5} {}",
            line.clock(),
            line.level,
            printable(&line.text)
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
