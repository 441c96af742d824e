//! Limits on what tasks may use of the machine, as they are typed.

use clap::value_parser;

use crate::engine::Limits;

/// Limits of the tasks that a command submits, beside those of the settings.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Limits on each of these narrations")]
pub(super) struct LimitArgs {
    /// The memory that its voice may take, in MB
    #[arg(long, value_name = "MB", value_parser = value_parser!(u64).range(1..=100_000_000))]
    pub memory_mb: Option<u64>,
    /// The processor time that it may use, of all cores together, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..))]
    pub cpu_seconds: Option<u64>,
    /// How far it stands back for other programs, 0 to 19
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(0..=19))]
    pub niceness: Option<u8>,
    /// The processor's cores that it may use
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub cores: Option<u16>,
}

impl LimitArgs {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.memory_mb.map(|megabytes| megabytes * 1_000_000),
            cpu_seconds: self.cpu_seconds,
            niceness: self.niceness,
            cores: self.cores.map(usize::from),
        }
    }
}
