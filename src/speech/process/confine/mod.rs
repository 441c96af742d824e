//! What the child gives up before foreign code runs in it: it keeps the right to read what its voice
//! needs, and to compute. A system that can't take the rest from it is no reason not to speak: whatever
//! fails here is logged, and the voice goes on.

mod calls;
mod files;
#[cfg(test)]
mod tests;

use std::io;

use super::super::Runtime;
use crate::assets::VoiceFiles;

/// Gives up, for the calling thread and all that it starts, what this voice does not need. Takes less
/// than a millisecond.
pub(super) fn confine(voice: &VoiceFiles, runtime: &Runtime) {
    // It is written to a file, so it comes first.
    if let Err(error) = volunteer() {
        tracing::warn!(%error, "the system is not told to end this process before others");
    }
    match files::restrict(&files::readable(voice, runtime)) {
        Ok(status) => tracing::debug!(?status, "what this process may read is restricted"),
        Err(error) => tracing::warn!(%error, "what this process may read can't be restricted"),
    }
    match calls::deny() {
        Ok(true) => tracing::debug!("network and programs are denied to this process"),
        Ok(false) => tracing::debug!("the system's calls are not restricted on this machine"),
        Err(error) => tracing::warn!(%error, "the system's calls can't be restricted"),
    }
}

/// Tells a system that is short of memory to end this process and not the program, which has the
/// queue, or whatever else its user has open. A process's score is the memory it has in thousandths of
/// all there is; with so much on top of it, this one comes before any that has less than half of it.
fn volunteer() -> io::Result<()> {
    const SCORE: i32 = 500;
    const PATH: &str = "/proc/self/oom_score_adj";
    let current = std::fs::read_to_string(PATH)?.trim().parse().unwrap_or(0);
    if SCORE <= current {
        return Ok(());
    }
    std::fs::write(PATH, SCORE.to_string())
}
