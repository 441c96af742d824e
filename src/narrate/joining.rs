//! The end of a narration: its clips are checked and joined into one file in its folder. A clip that
//! is gone or damaged is forgotten here, so that it is spoken again; each is spoken again only once.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::json;

use super::pipeline::{Job, failed};
use crate::clip::{self, ClipError, DamagedClip, JoinError, Joined, Part, WAV_LIMIT};
use crate::engine::{Narration, SegmentId, StoredClip, WorkError};

/// Joins what was spoken. `None` if clips were damaged: they are to be spoken again before another
/// try, and are added to `again`.
pub(super) fn join(
    job: Job<'_>,
    again: &mut HashSet<SegmentId>,
) -> Result<Option<Joined>, WorkError> {
    let Job {
        narration, context, ..
    } = job;
    context.update_progress(
        context.status().map_or(0, |status| status.progress.current),
        u64::from(narration.plan.len()),
        Some(json!({ "phase": "joining" })),
    );
    let clips = context.clips()?;
    if clips.is_empty() {
        return Ok(Some(Joined {
            files: Vec::new(),
            samples: 0,
            gain: 1.0,
        }));
    }
    let parts: Vec<Part> = clips.iter().map(|clip| part(job, clip)).collect();
    let go_on = || !context.interrupt().is_now();
    match clip::join(&parts, job.rate, &joined_path(narration), WAV_LIMIT, go_on) {
        Ok(joined) => Ok(Some(joined)),
        Err(JoinError::Stopped) => Err(WorkError::Interrupted),
        Err(JoinError::Write(error)) => Err(failed(error)),
        Err(JoinError::Damaged(damaged)) => {
            for clip in damaged {
                let at = parts.iter().position(|part| part.path == clip.path);
                forget(job, at.map(|at| clips[at].segment_id), clip, again)?;
            }
            Ok(None)
        }
    }
}

/// Forgets a damaged clip, unless it was spoken again before: then the disk is not to be trusted.
fn forget(
    job: Job<'_>,
    segment: Option<SegmentId>,
    clip: DamagedClip,
    again: &mut HashSet<SegmentId>,
) -> Result<(), WorkError> {
    let DamagedClip { path, reason } = clip;
    let Some(segment) = segment.filter(|segment| again.insert(*segment)) else {
        let error = failed(ClipError::Damaged { path, reason });
        return Err(match segment {
            Some(segment) => error.of_segment(segment),
            None => error,
        });
    };
    tracing::warn!(clip = %path.display(), reason, "a clip is damaged: it is made again");
    job.context.forget_clip(segment)
}

fn part(job: Job<'_>, clip: &StoredClip) -> Part {
    let segment = job.narration.plan.get(clip.segment_id);
    Part {
        path: job.narration.folder.join(&*clip.clip),
        samples: clip.samples,
        peak: clip.peak,
        checksum: clip.checksum,
        pause: pause_samples(segment.map_or(0, |segment| segment.pause_ms), job.rate),
    }
}

/// Samples in a pause, rounded down.
fn pause_samples(pause_ms: u32, rate: u32) -> u64 {
    u64::from(pause_ms) * u64::from(rate) / 1000
}

fn joined_path(narration: &Narration) -> PathBuf {
    narration.folder.join(joined_name(&narration.title))
}

/// What the joined file of a narration of this title is called.
#[must_use]
pub fn joined_name(title: &str) -> String {
    let slug = clip::slug(title);
    // Clips begin with their number: no name of theirs may come out here.
    let prefix = if slug.starts_with(|c: char| c.is_ascii_digit()) {
        "narration-"
    } else {
        ""
    };
    format!("{prefix}{slug}.wav")
}
