//! `aloud voice`: what the program starts itself as when a voice is to have a process of its own. It
//! serves its parent over standard input and output, and says the rest on standard error, from where
//! the parent takes it into its log.

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;
use std::sync::Arc;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::speech::process;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    if stdin().is_terminal() {
        anyhow::bail!("`aloud voice` is for the program itself; `aloud voices` lists voices");
    }
    // Whoever ends a service signals all of its processes. When this one ends is its parent's to decide,
    // which may want the segment in work; it closes our input then.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::default())?;
    }
    super::logging::start_on_stderr();
    process::serve()?;
    Ok(ExitCode::SUCCESS)
}
