//! The child's limits, set by itself before it starts a thread or loads anything. A limit that the
//! session has set already is never raised.

use rustix::process::{
    Resource, Rlimit, getpriority_process, getrlimit, setpriority_process, setrlimit,
};

use super::super::SpeechError;
use super::message::process_error;
use crate::engine::Limits;

/// Holds this process to its limits; `first_core` says where among the cores it begins.
///
/// # Errors
/// [`SpeechError::Process`] if the system refuses: work that was to be limited is not done without.
pub(super) fn apply(limits: &Limits, first_core: usize) -> Result<(), SpeechError> {
    if let Some(niceness) = limits.niceness {
        stand_back(niceness);
    }
    if let Some(cores) = limits.cores {
        keep_to_cores(cores, first_core)?;
    }
    if let Some(seconds) = limits.cpu_seconds {
        // The first ends it with a signal that says why; the second ends it whatever it does.
        limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    }
    if let Some(bytes) = limits.memory_bytes {
        // What is mapped to be read only, such as the libraries' code, takes nothing from others.
        limit(Resource::Data, bytes, bytes)?;
    }
    Ok(())
}

fn limit(resource: Resource, soft: u64, hard: u64) -> Result<(), SpeechError> {
    let now = getrlimit(resource);
    let lower = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
    let limit = Rlimit {
        current: lower(soft, now.current),
        maximum: lower(hard, now.maximum),
    };
    setrlimit(resource, limit).map_err(|error| refused("limit", error))
}

/// Nobody is nicer than they were: a session may stand back further already.
fn stand_back(niceness: u8) {
    let now = getpriority_process(None).unwrap_or(0);
    let wanted = i32::from(niceness);
    if wanted > now
        && let Err(error) = setpriority_process(None, wanted)
    {
        tracing::warn!(%error, "the voice can't stand back for other programs");
    }
}

#[cfg(target_os = "linux")]
fn keep_to_cores(cores: usize, first: usize) -> Result<(), SpeechError> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None).map_err(|error| refused("see the cores", error))?;
    let allowed: Vec<_> = (0..CpuSet::MAX_CPU)
        .filter(|&core| allowed.is_set(core))
        .collect();
    let mut chosen = CpuSet::new();
    for core in allowed
        .iter()
        .cycle()
        .skip(first % allowed.len().max(1))
        .take(cores.min(allowed.len()))
    {
        chosen.set(*core);
    }
    sched_setaffinity(None, &chosen).map_err(|error| refused("keep to its cores", error))
}

/// Elsewhere it has only so many threads.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn keep_to_cores(_cores: usize, _first: usize) -> Result<(), SpeechError> {
    Ok(())
}

fn refused(what: &str, error: rustix::io::Errno) -> SpeechError {
    process_error(format!("it can't {what}: {error}"))
}
