//! `aloud health`: whether whoever has the library open is well, in one line and an exit code, for an
//! image's health check and for scripts.

use std::io::Write;
use std::process::ExitCode;

use serde::Deserialize;

use super::owner;
use crate::assets::human_size;
use crate::model::ErrorObject;
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of `aloud health`.
#[derive(Debug, clap::Args)]
pub(crate) struct HealthArgs {
    /// Print the whole answer as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `/health` answers, as far as it is told here.
#[derive(Deserialize)]
struct Report {
    status: String,
    thread_pool: Threads,
    queue: Queue,
    voice: Voice,
    disk: Disk,
}

#[derive(Deserialize)]
struct Threads {
    abandoned_threads: usize,
}

#[derive(Deserialize)]
struct Queue {
    pending: usize,
    processing: usize,
    paused: bool,
}

#[derive(Deserialize)]
struct Voice {
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct Disk {
    free_bytes: Option<u64>,
    has_room: bool,
}

impl Report {
    fn is_well(&self) -> bool {
        self.status == "ok"
    }

    /// All of it on one line: what is wrong first.
    fn line(&self) -> String {
        let mut said = Vec::new();
        if let Some(error) = &self.voice.error {
            said.push(error.message.lines().collect::<Vec<_>>().join(" "));
        }
        if !self.disk.has_room {
            said.push("the disk of the library is full".to_owned());
        }
        match self.thread_pool.abandoned_threads {
            0 => {}
            n => said.push(format!("threads that hang: {n}; a restart frees them")),
        }
        said.push(format!(
            "{} running, {} waiting",
            self.queue.processing, self.queue.pending
        ));
        if self.queue.paused {
            said.push("the queue is paused".to_owned());
        }
        if let Some(free) = self.disk.free_bytes {
            said.push(format!("{} free", human_size(free)));
        }
        let status = self.status.replace('_', " ");
        printable(&format!("{status}: {}", said.join("; "))).into_owned()
    }
}

/// Exit code 0 if it is well; 1 if it is not, if it is ending, or if nothing runs.
pub(crate) fn run(
    args: &HealthArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let Some(service) = owner(settings)? else {
        anyhow::bail!("nothing runs: `aloud serve` works the queue");
    };
    let answer = service.report()?;
    let report: Report = serde_json::from_value(answer.clone())?;
    if args.json {
        writeln!(out, "{answer}")?;
    } else {
        writeln!(out, "{}", report.line())?;
    }
    Ok(match report.is_well() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_is_told_on_one_line() {
        let report = |status: &str, voice: Option<ErrorObject>, room: bool| -> Report {
            serde_json::from_value(json!({
                "status": status,
                "thread_pool": { "abandoned_threads": usize::from(!room) },
                "queue": { "pending": 2, "processing": 1, "paused": false },
                "voice": { "error": voice },
                "disk": { "free_bytes": 1_500_000_000_u64, "has_room": room },
            }))
            .unwrap()
        };
        let well = report("ok", None, true);
        assert!(well.is_well());
        assert_eq!(well.line(), "ok: 1 running, 2 waiting; 1.5 GB free");
        let gone = ErrorObject::new("VOICE", "it is\nnot there");
        let ill = report("degraded", Some(gone), false);
        assert!(!ill.is_well());
        let line = ill.line();
        assert!(
            line.starts_with("degraded: it is not there; the disk"),
            "{line}"
        );
        assert!(line.contains("hang: 1") && !line.contains('\n'), "{line}");
        assert!(!report("shutting_down", None, true).is_well());
    }
}
