//! What this process uses of the machine, as Linux tells it under `/proc`.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// What this process uses, without the voices' processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) threads: u64,
    pub(super) virtual_bytes: u64,
    pub(super) resident_bytes: u64,
    /// In seconds since 1970.
    pub(super) started_at: f64,
    pub(super) open_files: usize,
    /// `None` without a limit.
    pub(super) most_open_files: Option<u64>,
}

impl Usage {
    /// `None` where the system does not tell.
    pub(super) fn of_this_process() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let system = fs::read_to_string("/proc/stat").ok()?;
        let booted = system
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?;
        let booted = booted.trim().parse().ok()?;
        let mut usage = Self::read(&stat, booted)?;
        // One of them is the look itself.
        usage.open_files = fs::read_dir("/proc/self/fd")
            .ok()?
            .count()
            .saturating_sub(1);
        usage.most_open_files = getrlimit(Resource::Nofile).current;
        Some(usage)
    }

    /// Of `/proc/self/stat`, see proc(5).
    #[expect(clippy::cast_precision_loss, reason = "a time needs no 53 bits")]
    fn read(stat: &str, booted: u64) -> Option<Self> {
        // The second field is a name in brackets, which may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        // The first of these is the third of the manual.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = clock_ticks_per_second() as f64;
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) as f64 / ticks,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * page_size() as u64,
            started_at: booted as f64 + field(22)? as f64 / ticks,
            open_files: 0,
            most_open_files: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_whatever_the_program_is_called() {
        let name = "7 (a) b (c)) S";
        let rest: Vec<_> = (4..53).map(|field: u64| field.to_string()).collect();
        let usage = Usage::read(&format!("{name} {}\n", rest.join(" ")), 1000).unwrap();
        assert_eq!((usage.threads, usage.virtual_bytes), (20, 23));
        assert_eq!(usage.resident_bytes, 24 * page_size() as u64);
        assert!(usage.started_at > 1000.0 && usage.cpu_seconds > 0.0);
        assert_eq!(Usage::read("7 (aloud) S 1 2", 1000), None);
        assert_eq!(Usage::read("", 1000), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of_this_process().unwrap();
        assert!(
            usage.open_files > 0 && usage.resident_bytes > 1_000_000,
            "{usage:?}"
        );
        let now = jiff::Timestamp::now().as_duration().as_secs_f64();
        assert!(
            (now - 86_400.0..=now + 1.0).contains(&usage.started_at),
            "{usage:?}"
        );
    }
}
