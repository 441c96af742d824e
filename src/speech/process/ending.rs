//! How a child has ended, and what it could not do, seen in the light of its limits.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::super::SpeechError;
use super::super::error::is_about_memory;
use super::message::process_error;
use crate::engine::{Limits, Shortage};

pub(super) fn killed(reason: &str) -> SpeechError {
    SpeechError::Killed {
        reason: reason.to_owned(),
    }
}

/// What a child could not do. `true` where it lacks memory: another begins with all that it may have.
pub(super) fn could_not(error: SpeechError, limits: &Limits) -> (SpeechError, bool) {
    let is_short = matches!(
        error,
        SpeechError::Shortage {
            shortage: Shortage::Memory,
            ..
        }
    );
    match limits.memory_bytes {
        // Under a limit, whatever speaks of memory speaks of that.
        Some(limit) if is_short || is_about_memory(&error.to_string()) => {
            (SpeechError::MemoryLimit { limit }, true)
        }
        _ => (error, is_short),
    }
}

/// How it ended. `greeted`: it has said who it is; `lacks_memory`: it has said so at last.
pub(super) fn how_ended(
    status: Option<ExitStatus>,
    greeted: bool,
    lacks_memory: bool,
    limits: &Limits,
) -> SpeechError {
    let signal = status.and_then(|status| status.signal());
    match limits.cpu_seconds {
        // The second limit is a second later, if it lives on after the first.
        Some(seconds) if signal == Some(Signal::XCPU.as_raw()) => {
            return SpeechError::CpuLimit { seconds };
        }
        _ => {}
    }
    let how = by_status(status, greeted);
    let is_crash = matches!(how, SpeechError::Crashed { .. });
    match (limits.memory_bytes, is_crash && lacks_memory) {
        (Some(limit), true) => SpeechError::MemoryLimit { limit },
        (None, true) => killed("it got too little memory"),
        (_, false) => how,
    }
}

fn by_status(status: Option<ExitStatus>, greeted: bool) -> SpeechError {
    const CRASHES: [(Signal, &str); 5] = [
        (Signal::SEGV, "SIGSEGV"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ILL, "SIGILL"),
        (Signal::FPE, "SIGFPE"),
    ];
    let Some(status) = status else {
        return killed("nobody knows why");
    };
    match (status.signal(), status.code()) {
        (Some(raw), _) => {
            let crash = CRASHES.iter().find(|(signal, _)| signal.as_raw() == raw);
            match crash {
                Some((_, signal)) => SpeechError::Crashed { signal },
                None if raw == Signal::KILL.as_raw() => {
                    killed("the system ended it, perhaps for want of memory")
                }
                None => killed(&format!("it was ended by signal {raw}")),
            }
        }
        (None, code) => {
            let code = code.unwrap_or_default();
            if greeted {
                killed(&format!("it ended by itself, with exit code {code}"))
            } else {
                process_error(format!(
                    "it ended with exit code {code} before it said who it is"
                ))
            }
        }
    }
}
