//! Prepare ∥ synthesize ∥ publish. The worker's own thread runs the model; two more threads, which
//! end with the narration, work ahead of it and behind it.
//!
//! Who wakes whom: `prepare` fills a channel and waits when it is full; the model takes from it
//! and fills the next; `publish` empties that one. When one of them ends, for whatever reason, its
//! ends of the channels close, and its neighbours end too.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use serde_json::json;

use super::voices::work_error;
use crate::clip::{self, Fault, Joined, Part, WAV_LIMIT};
use crate::engine::{
    Attempt, ClipRecord, ErrorObject, Narration, SegmentId, StoredClip, TaskContext, WorkError,
};
use crate::speech::{FrontEnd, SpeechError, Synthesizer, Utterance};

/// Segments prepared ahead of the model.
const AHEAD: usize = 4;
/// Clips that wait to be published.
const BEHIND: usize = 4;
/// How often a segment is spoken anew when its clip can't be right. The voice draws noise, so that
/// another try is another clip.
const TRIES: u32 = 3;
/// So many failed runs one after the other are the voice's fault, not the segments'.
const FAILED_RUNS: u32 = 5;

type Prepared = (SegmentId, Result<Utterance, SpeechError>);

/// A clip on its way to the disk.
struct Spoken {
    id: SegmentId,
    attempt: Attempt,
    samples: Vec<f32>,
    problem: Option<ErrorObject>,
    work: Duration,
}

/// Whoever waits on either side is let go, however this ends.
struct Close<'a>(&'a Receiver<Prepared>, &'a Sender<Spoken>);
impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// Speaks and publishes every segment that has no clip yet. `synthesizer` opens the model, when the
/// first segments are being prepared already.
pub(super) fn speak<'s>(
    narration: &Narration,
    context: &TaskContext,
    front_end: &dyn FrontEnd,
    rate: u32,
    synthesizer: impl FnOnce() -> Result<&'s mut (dyn Synthesizer + 'static), SpeechError>,
) -> Result<(), WorkError> {
    std::fs::create_dir_all(&narration.folder).map_err(|source| {
        failed(clip::ClipError::Write {
            path: narration.folder.clone(),
            source,
        })
    })?;
    clip::remove_parts(&narration.folder).map_err(failed)?;
    let done: HashSet<_> = context
        .clips()?
        .iter()
        .filter(|clip| is_whole(narration, clip))
        .map(|clip| clip.segment_id)
        .collect();
    let crashes = context.crashes()?;
    let crashed = |id| crashes.get(&id).copied().unwrap_or(0);
    let mut missing = Vec::new();
    for (id, segment) in narration.plan.iter().filter(|(id, _)| !done.contains(id)) {
        if crashed(id) < TaskContext::MOST_CRASHES {
            missing.push((id, segment));
        } else {
            context.fail_segment(id, poisonous_error(crashed(id)));
        }
    }
    // What may have ended the process comes last: the rest is safe by then.
    missing.sort_by_key(|(id, _)| crashed(*id));
    if missing.is_empty() {
        return Ok(());
    }
    let (to_model, prepared) = async_channel::bounded::<Prepared>(AHEAD);
    let (to_disk, spoken) = async_channel::bounded::<Spoken>(BEHIND);
    std::thread::scope(|scope| {
        let close = Close(&prepared, &to_disk);
        std::thread::Builder::new()
            .name("aloud-prepare".into())
            .spawn_scoped(scope, || {
                prepare(missing.into_iter(), front_end, context, to_model);
            })?;
        let publisher = std::thread::Builder::new()
            .name("aloud-publish".into())
            .spawn_scoped(scope, || publish(narration, context, rate, &spoken))?;
        let run = synthesizer()
            .map_err(work_error)
            .and_then(|model| synthesize(narration, context, rate, model, &prepared, &to_disk));
        drop(close);
        let published = publisher
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What the disk said is the cause of what the model met.
        published.and(run)
    })
}

/// Whether a clip is where it was published, as long as it was.
fn is_whole(narration: &Narration, clip: &StoredClip) -> bool {
    std::fs::metadata(narration.folder.join(&*clip.clip))
        .is_ok_and(|file| file.is_file() && file.len() == clip.bytes)
}

/// Whether every clip that was published is still there.
pub(super) fn all_whole(narration: &Narration, context: &TaskContext) -> Result<bool, WorkError> {
    let clips = context.clips()?;
    Ok(clips.iter().all(|clip| is_whole(narration, clip)))
}

fn prepare<'p>(
    segments: impl Iterator<Item = (SegmentId, &'p crate::engine::PlannedSegment)>,
    front_end: &dyn FrontEnd,
    context: &TaskContext,
    to_model: Sender<Prepared>,
) {
    for (id, segment) in segments {
        if context.interrupt().reason().is_some() {
            break;
        }
        if to_model
            .send_blocking((id, front_end.prepare(&segment.text)))
            .is_err()
        {
            break;
        }
    }
}

fn synthesize(
    narration: &Narration,
    context: &TaskContext,
    rate: u32,
    model: &mut dyn Synthesizer,
    prepared: &Receiver<Prepared>,
    to_disk: &Sender<Spoken>,
) -> Result<(), WorkError> {
    let mut failed_runs = 0;
    while let Ok((id, utterance)) = prepared.recv_blocking() {
        let attempt = context.begin_segment(id)?;
        let utterance = match speakable(utterance) {
            Ok(utterance) => utterance,
            Err(error) => {
                context.fail_segment(id, error);
                continue;
            }
        };
        let begun = Instant::now();
        let tried = best_try(narration, context, rate, model, &utterance);
        let overdue = context.end_segment();
        match tried {
            Err(SpeechError::Interrupted) if overdue && context.interrupt().reason().is_none() => {
                context.fail_segment(id, timeout_error(context.segment_timeout()));
            }
            Ok((samples, fault)) => {
                failed_runs = 0;
                if let Some(fault) = fault.filter(|fault| !fault.is_usable()) {
                    context.fail_segment(id, fault_error(fault));
                    continue;
                }
                let problem = unknown_error(&utterance).or(fault.map(fault_error));
                let work = begun.elapsed();
                if to_disk
                    .send_blocking(Spoken {
                        id,
                        attempt,
                        samples,
                        problem,
                        work,
                    })
                    .is_err()
                {
                    // The publisher has ended and says why.
                    return Ok(());
                }
            }
            Err(SpeechError::Interrupted) => return Err(WorkError::Interrupted),
            Err(error) => {
                failed_runs += 1;
                if failed_runs == FAILED_RUNS {
                    return Err(work_error(error));
                }
                context.fail_segment(id, error.into());
            }
        }
    }
    if context.interrupt().reason().is_some() {
        Err(WorkError::Interrupted)
    } else {
        Ok(())
    }
}

fn speakable(utterance: Result<Utterance, SpeechError>) -> Result<Utterance, ErrorObject> {
    let utterance = utterance?;
    if utterance.sounds() > 0 {
        return Ok(utterance);
    }
    Err(ErrorObject::new(
        "NOTHING_TO_SPEAK",
        "nothing in this segment can be spoken by this voice",
    )
    .with_remediation("Write it in words, or choose a voice of its language"))
}

/// Speaks until the clip can be right, and gives the last try otherwise.
fn best_try(
    narration: &Narration,
    context: &TaskContext,
    rate: u32,
    model: &mut dyn Synthesizer,
    utterance: &Utterance,
) -> Result<(Vec<f32>, Option<Fault>), SpeechError> {
    let settings = &narration.settings;
    let mut tries = 1;
    loop {
        let samples = model.synthesize(utterance, settings, context.interrupt())?;
        let fault = clip::check(&samples, rate, utterance.sounds(), settings.speed);
        if fault.is_none() || tries == TRIES {
            return Ok((samples, fault));
        }
        tries += 1;
    }
}

fn timeout_error(timeout: Option<Duration>) -> ErrorObject {
    let seconds = timeout.unwrap_or_default().as_secs_f64();
    ErrorObject::new(
        "TIMEOUT",
        format!("Operation exceeded timeout of {seconds} seconds"),
    )
    .with_details(json!({ "timeout_seconds": seconds, "partial_result": null }))
    .with_remediation("Try breaking the operation into smaller chunks or increase timeout")
}

fn poisonous_error(crashes: u32) -> ErrorObject {
    ErrorObject::new(
        "POISONOUS",
        format!("the program ended {crashes} times while it spoke this segment: it is left out"),
    )
    .with_details(json!({ "crashes": crashes }))
    .with_remediation(
        "See the log, and whether memory is short; narrate the text again to try it once more",
    )
}

fn fault_error(fault: Fault) -> ErrorObject {
    ErrorObject::new(fault.code(), format!("{fault}, after {TRIES} tries")).with_remediation(
        "Write the sentence otherwise, or choose another voice; aloud phonemes shows how it is read",
    )
}

fn unknown_error(utterance: &Utterance) -> Option<ErrorObject> {
    if utterance.unknown.is_empty() {
        return None;
    }
    let unknown = utterance.unknown.join(" ");
    Some(
        ErrorObject::new(
            "UNKNOWN_PHONEMES",
            format!("the voice doesn't know these phonemes and left them out: {unknown}"),
        )
        .with_details(json!({ "phonemes": utterance.unknown }))
        .with_remediation(
            "Write the word as it sounds, or choose a voice of its language; aloud phonemes shows \
             how it is read",
        ),
    )
}

fn publish(
    narration: &Narration,
    context: &TaskContext,
    rate: u32,
    spoken: &Receiver<Spoken>,
) -> Result<(), WorkError> {
    /// The model must not wait for a publisher that has ended, however it ended.
    struct Close<'a>(&'a Receiver<Spoken>);
    impl Drop for Close<'_> {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    let _close = Close(spoken);
    while let Ok(Spoken {
        id,
        attempt,
        samples,
        problem,
        work,
    }) = spoken.recv_blocking()
    {
        let text = narration.plan.get(id).map_or("", |segment| &segment.text);
        let name = clip::file_name(id, text);
        let path = narration.folder.join(&name);
        let bytes = clip::encode(&samples, rate, &path).map_err(failed)?;
        clip::publish(&path, &bytes).map_err(failed)?;
        let record = ClipRecord {
            segment_id: id,
            clip: Arc::from(name),
            bytes: bytes.len() as u64,
            samples: samples.len() as u64,
            rate,
            peak: clip::peak(&samples).unwrap_or(0.0).min(1.0),
        };
        if let Some(problem) = problem {
            context.fail_segment(id, problem);
        }
        context.complete_segment(attempt, record, work)?;
    }
    Ok(())
}

/// A disk may have space again later; a damaged clip stays damaged.
fn failed(error: clip::ClipError) -> WorkError {
    match error {
        clip::ClipError::DiskFull { .. } | clip::ClipError::Write { .. } => {
            WorkError::Transient(error.into())
        }
        clip::ClipError::Damaged { .. } => WorkError::Failed(error.into()),
    }
}

/// Joins what was spoken into one file in the narration's folder.
pub(super) fn join(
    narration: &Narration,
    context: &TaskContext,
    rate: u32,
) -> Result<Joined, WorkError> {
    let total = u64::from(narration.plan.len());
    context.update_progress(
        context.status().map_or(0, |status| status.progress.current),
        total,
        Some(json!({ "phase": "joining" })),
    );
    let parts: Vec<Part> = context
        .clips()?
        .into_iter()
        .map(|clip| {
            let pause_ms = narration
                .plan
                .get(clip.segment_id)
                .map_or(0, |segment| segment.pause_ms);
            Part {
                path: narration.folder.join(&*clip.clip),
                samples: clip.samples,
                peak: clip.peak,
                pause: pause_samples(pause_ms, rate),
            }
        })
        .collect();
    if parts.is_empty() {
        return Ok(Joined {
            files: Vec::new(),
            samples: 0,
            gain: 1.0,
        });
    }
    let path = joined_path(narration);
    let go_on = || !context.interrupt().is_now();
    clip::join(&parts, rate, &path, WAV_LIMIT, go_on)
        .map_err(failed)?
        .ok_or(WorkError::Interrupted)
}

/// Samples in a pause, rounded down.
fn pause_samples(pause_ms: u32, rate: u32) -> u64 {
    u64::from(pause_ms) * u64::from(rate) / 1000
}

fn joined_path(narration: &Narration) -> PathBuf {
    let slug = clip::slug(&narration.title);
    // Clips begin with their number: no name of theirs may come out here.
    let prefix = if slug.starts_with(|c: char| c.is_ascii_digit()) {
        "narration-"
    } else {
        ""
    };
    narration.folder.join(format!("{prefix}{slug}.wav"))
}
