//! Prepare ∥ synthesize ∥ publish. The worker's own thread runs the model; two more threads, which
//! end with the narration, work ahead of it and behind it.
//!
//! Who wakes whom: `prepare` fills a channel and waits when it is full; the model takes from it
//! and fills the next; `publish` empties that one. A clip that was made before goes from `prepare`
//! to `publish` past the model, which is not even opened where nothing needs it. When one of them ends, for whatever reason, its
//! ends of the channels close, and its neighbours end too.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_channel::{Receiver, Sender};

use super::ensemble::{FrontEnds, Models};
use super::errors::{
    fault_error, folder_error, memory_error, poisonous_error, silence_error, timeout_error,
    wording_error,
};
use super::narrator::work_error;
use super::word_times::word_times;
use super::{ClipCache, LibraryId, Owner, folder};
use crate::clip::{self, ClipError, ClipKey, Fault, KeptClip};
use crate::engine::{
    Attempt, ClipRecord, ErrorCode, ErrorObject, Interrupt, Narration, NarrationSettings,
    PlannedSegment, SegmentId, StoredClip, TaskContext, WorkError,
};
use crate::files;
use crate::speech::{Speech, SpeechError, SpokenWord, Synthesizer, Utterance};

/// Segments prepared ahead of the model.
const AHEAD: usize = 4;
/// Clips that wait to be published.
const BEHIND: usize = 4;
/// How often a segment is spoken again when its clip can't be right. The voice draws noise, so that
/// another try is another clip.
pub(super) const TRIES: u32 = 3;
/// So many failed runs one after the other are the voice's fault, not the segments'.
const FAILED_RUNS: u32 = 5;
/// So often may the system end the voice while a segment is alone in it.
pub(super) const MOST_KILLS: u32 = 3;

/// Why a segment can't be spoken.
enum Unspeakable {
    /// This one can't.
    Segment(ErrorObject),
    /// None can.
    Any(SpeechError),
}

/// A segment for the model.
struct Prepared {
    id: SegmentId,
    utterance: Result<Utterance, Unspeakable>,
    /// Whether it has to be alone in the model: the voice has died of this segment or one beside it,
    /// or it has kept the model for too long.
    alone: bool,
    /// Whether the voice has crashed while it was in the model.
    has_crashed: bool,
    /// How often the system has ended the voice while it was alone there.
    kills: u32,
    /// What its clip will be kept by.
    key: Option<ClipKey>,
}

/// A clip of what a voice has said. `path` is where errors say that it would lie.
pub(super) fn kept(speech: Speech, rate: u32, path: &Path) -> Result<KeptClip, ClipError> {
    let Speech {
        samples, durations, ..
    } = speech;
    Ok(KeptClip {
        wav: clip::encode(&samples, rate, path)?,
        samples: samples.len() as u64,
        rate,
        peak: clip::peak(&samples).unwrap_or(0.0).min(1.0),
        durations,
    })
}

impl Prepared {
    /// The voice has died while this was in the model: why it is left out, if it is to be.
    fn note_death(&mut self, death: &SpeechError, was_alone: bool) -> Option<ErrorObject> {
        self.alone = true;
        match death {
            SpeechError::Crashed { signal } => {
                let again = std::mem::replace(&mut self.has_crashed, true);
                (again && was_alone).then(|| poisonous_error(signal))
            }
            _ if was_alone => {
                self.kills += 1;
                (self.kills >= MOST_KILLS).then(|| memory_error(death))
            }
            _ => None,
        }
    }
}

/// What all parts of the pipeline know.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) narration: &'a Narration,
    pub(super) context: &'a TaskContext,
    /// Clips that were made before.
    pub(super) kept: Option<&'a ClipCache>,
    /// The library's folder; without one, folders have no owners.
    pub(super) library: Option<&'a Path>,
    /// Samples a second.
    pub(super) rate: u32,
}

/// A segment without a clip.
struct Missing<'a> {
    id: SegmentId,
    segment: &'a PlannedSegment,
    /// Whether a clip that was made before would do.
    may_copy: bool,
}

/// A clip on its way to the disk.
enum Clip {
    Spoken(Spoken),
    Kept(SegmentId, KeptClip, Vec<SpokenWord>),
}

/// A clip that was made now.
struct Spoken {
    id: SegmentId,
    attempt: Attempt,
    speech: Speech,
    words: Vec<SpokenWord>,
    problem: Option<ErrorObject>,
    key: Option<ClipKey>,
}

/// Whoever waits on either side is let go, however this ends.
struct Close<'a>(&'a Receiver<Prepared>, &'a Sender<Clip>);
impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// Speaks and publishes every segment that has no clip yet. The front end is opened only if there is
/// one, and the model when the first segments are being prepared already; it is not opened if clips that
/// were made before are all that is needed.
pub(super) fn speak(
    job: Job<'_>,
    front_ends: &FrontEnds,
    models: &mut Models,
) -> Result<(), WorkError> {
    let Job {
        narration, context, ..
    } = job;
    enter_folder(job)?;
    clip::remove_parts(&narration.folder).map_err(failed)?;
    let done: HashSet<_> = context
        .clips()?
        .iter()
        .filter(|clip| is_whole(narration, clip))
        .map(|clip| clip.segment_id)
        .collect();
    let missing = missing(job, &done)?;
    if missing.is_empty() {
        return Ok(());
    }
    front_ends
        .get(missing[0].segment.voice)
        .map_err(work_error)?;
    let (to_model, prepared) = async_channel::bounded::<Prepared>(AHEAD);
    let (to_disk, clips) = async_channel::bounded::<Clip>(BEHIND);
    std::thread::scope(|scope| {
        let close = Close(&prepared, &to_disk);
        let past_the_model = to_disk.clone();
        // The log tells of one task, whichever thread tells it.
        let span = tracing::Span::current();
        let of_prepare = span.clone();
        let clips = &clips;
        std::thread::Builder::new()
            .name("aloud-prepare".into())
            .spawn_scoped(scope, move || {
                let _entered = of_prepare.enter();
                prepare(job, missing, front_ends, to_model, past_the_model);
            })?;
        let publisher = std::thread::Builder::new()
            .name("aloud-publish".into())
            .spawn_scoped(scope, move || {
                let _entered = span.enter();
                publish(job, clips)
            })?;
        // The model is opened for the first segment that needs it, while the next are prepared.
        let run = match prepared.recv_blocking() {
            Err(_) => stopped(context),
            Ok(first) => {
                let voice = first.utterance.as_ref().map_or(0, |first| first.voice);
                let opened = models.open(voice, context.interrupt()).map_err(work_error);
                opened.and_then(|()| {
                    let run = synthesize(job, models, first, &prepared, &to_disk);
                    // Whatever ended it, nobody waits for what was begun ahead.
                    let rested = models.cancel_prefetch().map_err(work_error);
                    run.and(rested)
                })
            }
        };
        drop(close);
        let published = publisher
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What the disk said is the cause of what the model met.
        published.and(run)
    })
}

/// Makes the narration's folder if it is gone, and sees that it is no other's.
fn enter_folder(job: Job<'_>) -> Result<(), WorkError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| failed(clip::ClipError::Write { path, source })
    };
    let path = &job.narration.folder;
    let Some(library) = job.library else {
        return files::create_folders(path).map_err(at(path));
    };
    let id = LibraryId::of(library).map_err(at(library))?;
    let owner = Owner::new(&id, job.narration);
    if folder::enter(path, &owner).map_err(at(path))? {
        Ok(())
    } else {
        Err(WorkError::Failed(folder_error(path)))
    }
}

/// The segments that have no clip, in the order in which they are made.
fn missing<'a>(job: Job<'a>, done: &HashSet<SegmentId>) -> Result<Vec<Missing<'a>>, WorkError> {
    let Job {
        narration, context, ..
    } = job;
    let attempted = match job.kept {
        Some(_) => context.attempted()?,
        None => BTreeSet::new(),
    };
    // A narration that was paused begins again with its errors.
    let status = context.status();
    let is_known = |id| {
        let mut errors = status.iter().flat_map(|status| status.errors.of(id));
        errors.any(|error| [ErrorCode::Poisonous, ErrorCode::OutOfMemory].contains(&error.code))
    };
    let mut missing = Vec::new();
    for (id, segment) in narration.plan.iter().filter(|(id, _)| !done.contains(id)) {
        // Tried in this run, it ended the voice: another run may try it again.
        if !is_known(id) {
            missing.push(Missing {
                id,
                segment,
                may_copy: job.kept.is_some() && !attempted.contains(&id),
            });
        }
    }
    Ok(missing)
}

fn stopped(context: &TaskContext) -> Result<(), WorkError> {
    if context.interrupt().reason().is_some() {
        Err(WorkError::Interrupted)
    } else {
        Ok(())
    }
}

/// Whether a clip is where it was published, as long as it was.
fn is_whole(narration: &Narration, clip: &StoredClip) -> bool {
    std::fs::metadata(narration.folder.join(&*clip.clip))
        .is_ok_and(|file| file.is_file() && file.len() == clip.bytes)
}

fn prepare(
    job: Job<'_>,
    missing: Vec<Missing<'_>>,
    front_ends: &FrontEnds,
    to_model: Sender<Prepared>,
    past_the_model: Sender<Clip>,
) {
    for Missing {
        id,
        segment,
        may_copy,
    } in missing
    {
        if job.context.interrupt().reason().is_some() {
            break;
        }
        let prepared = front_ends.get(segment.voice).and_then(|front_end| {
            let utterance = front_end.prepare(&segment.spoken())?;
            Ok(Utterance {
                voice: segment.voice,
                ..utterance
            })
        });
        let utterance = speakable(prepared);
        // A clip with a problem is not kept, and none is copied in its place.
        let is_right = |utterance: &&Utterance| utterance.problem().is_none();
        let known = job.kept.zip(utterance.as_ref().ok().filter(is_right));
        let of = job.narration;
        let key = known.and_then(|(_, utterance)| {
            let said_by = of.voice_of(segment);
            ClipCache::key(said_by, job.rate, &of.settings, utterance)
        });
        let copy = job.kept.zip(key.as_ref()).filter(|_| may_copy);
        let is_gone = if let Some(clip) = copy.and_then(|(kept, key)| kept.get(key)) {
            let words = utterance.map(|utterance| utterance.words);
            let kept = Clip::Kept(id, clip, words.unwrap_or_default());
            past_the_model.send_blocking(kept).is_err()
        } else {
            let prepared = Prepared {
                id,
                utterance,
                alone: false,
                has_crashed: false,
                kills: 0,
                key,
            };
            to_model.send_blocking(prepared).is_err()
        };
        if is_gone {
            break;
        }
    }
}

fn synthesize(
    job: Job<'_>,
    model: &mut dyn Synthesizer,
    first: Prepared,
    prepared: &Receiver<Prepared>,
    to_disk: &Sender<Clip>,
) -> Result<(), WorkError> {
    let context = job.context;
    let most_ahead = model.looks_ahead().min(AHEAD);
    let mut failed_runs = 0;
    let mut waiting = VecDeque::from([first]);
    while let Some(mut now) = waiting
        .pop_front()
        .or_else(|| prepared.recv_blocking().ok())
    {
        while waiting.len() < most_ahead
            && let Ok(next) = prepared.try_recv()
        {
            waiting.push_back(next);
        }
        if now.alone {
            model.cancel_prefetch().map_err(work_error)?;
        }
        let (ids, ahead): (Vec<_>, Vec<_>) = waiting
            .iter()
            .take_while(|next| !now.alone && !next.alone)
            .filter_map(|next| Some((next.id, next.utterance.as_ref().ok()?)))
            .unzip();
        let attempt = context.begin_segment(now.id)?;
        let utterance = match &now.utterance {
            Ok(utterance) => utterance,
            Err(Unspeakable::Any(error)) => return Err(work_error(error.clone())),
            Err(Unspeakable::Segment(error)) => {
                context.fail_segment(now.id, error.clone());
                continue;
            }
        };
        let (settings, interrupt) = (&job.narration.settings, context.interrupt());
        let tried = best_try(settings, job.rate, model, utterance, &ahead, interrupt);
        let overdue = context.end_segment();
        match tried {
            Err(SpeechError::Interrupted) if overdue && context.interrupt().reason().is_none() => {
                if ids.is_empty() {
                    let error = timeout_error(context.segment_timeout());
                    failed_runs += 1;
                    if failed_runs == FAILED_RUNS {
                        return Err(WorkError::Failed(error));
                    }
                    context.fail_segment(now.id, error);
                    continue;
                }
                // Which of them it was is seen when each is alone.
                for next in &mut waiting {
                    next.alone = true;
                }
                now.alone = true;
                waiting.push_front(now);
            }
            Ok((speech, fault)) => {
                failed_runs = 0;
                if let Some(fault) = fault.filter(|fault| !fault.is_usable()) {
                    context.fail_segment(now.id, fault_error(fault));
                    continue;
                }
                let problem = wording_error(utterance).or(fault.map(fault_error));
                let spoken = Spoken {
                    id: now.id,
                    attempt,
                    speech,
                    problem,
                    key: now.key,
                    words: now.utterance.map_or_else(|_| Vec::new(), |one| one.words),
                };
                if to_disk.send_blocking(Clip::Spoken(spoken)).is_err() {
                    // The publisher has ended and says why.
                    return Ok(());
                }
            }
            Err(SpeechError::Interrupted) => return Err(WorkError::Interrupted),
            Err(error @ SpeechError::CpuLimit { .. }) => return Err(work_error(error)),
            Err(error) if error.is_death() => {
                failed_runs += 1;
                if failed_runs == FAILED_RUNS {
                    return Err(work_error(error));
                }
                let is_left_out = now.note_death(&error, ids.is_empty());
                // Which of them it was is seen when each is alone.
                for next in waiting.iter_mut().filter(|next| ids.contains(&next.id)) {
                    next.note_death(&error, false);
                }
                match is_left_out {
                    Some(error) => context.fail_segment(now.id, error),
                    None => waiting.push_front(now),
                }
            }
            Err(error) => {
                failed_runs += 1;
                if failed_runs == FAILED_RUNS {
                    return Err(work_error(error));
                }
                if error.is_of_the_voice() {
                    // It may pass, and no segment is to blame for it.
                    waiting.push_front(now);
                } else {
                    context.fail_segment(now.id, error.into());
                }
            }
        }
    }
    stopped(context)
}

fn speakable(prepared: Result<Utterance, SpeechError>) -> Result<Utterance, Unspeakable> {
    match prepared {
        Ok(utterance) if utterance.sounds() > 0 => Ok(utterance),
        Ok(utterance) => Err(Unspeakable::Segment(silence_error(&utterance))),
        Err(error) if error.is_of_the_voice() => Err(Unspeakable::Any(error)),
        Err(error) => Err(Unspeakable::Segment(error.into())),
    }
}

/// Speaks until the clip can be right, and gives the last try otherwise.
pub(super) fn best_try(
    settings: &NarrationSettings,
    rate: u32,
    model: &mut dyn Synthesizer,
    utterance: &Utterance,
    ahead: &[&Utterance],
    interrupt: &Interrupt,
) -> Result<(Speech, Option<Fault>), SpeechError> {
    let (mut tries, mut work) = (1, Duration::ZERO);
    loop {
        let mut speech = model.synthesize(utterance, ahead, settings, interrupt)?;
        work += speech.work;
        let fault = clip::check(&speech.samples, rate, utterance.sounds(), settings.speed);
        if fault.is_none() || tries == TRIES {
            speech.work = work;
            return Ok((speech, fault));
        }
        tries += 1;
    }
}

fn publish(job: Job<'_>, clips: &Receiver<Clip>) -> Result<(), WorkError> {
    /// The model must not wait for a publisher that has ended, however it ended.
    struct Close<'a>(&'a Receiver<Clip>);
    impl Drop for Close<'_> {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    let _close = Close(clips);
    while let Ok(clip) = clips.recv_blocking() {
        let (id, published) = match clip {
            Clip::Spoken(spoken) => (spoken.id, publish_spoken(job, spoken)),
            // Those are copied another time; what was spoken is not made another time.
            Clip::Kept(..) if job.context.interrupt().reason().is_some() => continue,
            Clip::Kept(id, clip, words) => {
                let copied = put(job, id, &clip, &words)
                    .and_then(|record| job.context.reuse_segment(record));
                (id, copied)
            }
        };
        if let Err(WorkError::Interrupted) = published {
            continue;
        }
        // It ends the task, and it is this segment that it ended with.
        published.map_err(|error| error.of_segment(id))?;
        tracing::debug!(segment = id.get(), "published");
    }
    Ok(())
}

fn publish_spoken(job: Job<'_>, spoken: Spoken) -> Result<(), WorkError> {
    let Spoken {
        id,
        attempt,
        speech,
        words,
        problem,
        key,
    } = spoken;
    let work = speech.work;
    let clip = kept(speech, job.rate, &path_of(job, id)).map_err(failed)?;
    let record = put(job, id, &clip, &words)?;
    let is_faulty = problem.is_some();
    if let Some(problem) = problem {
        job.context.fail_segment(id, problem);
    }
    job.context.complete_segment(attempt, record, work)?;
    if let Some((kept, key)) = job.kept.zip(key).filter(|_| !is_faulty) {
        kept.keep(&key, &clip);
    }
    Ok(())
}

fn path_of(job: Job<'_>, id: SegmentId) -> PathBuf {
    let text = job
        .narration
        .plan
        .get(id)
        .map_or("", |segment| &segment.text);
    job.narration.folder.join(clip::file_name(id, text))
}

/// Puts a clip into the narration's folder.
fn put(
    job: Job<'_>,
    id: SegmentId,
    clip: &KeptClip,
    words: &[SpokenWord],
) -> Result<ClipRecord, WorkError> {
    let path = path_of(job, id);
    clip::publish(&path, &clip.wav).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let segment = job.narration.plan.get(id);
    let words = segment.map(|segment| word_times(segment, words, &clip.durations, clip.samples));
    Ok(ClipRecord {
        segment_id: id,
        clip: Arc::from(&*name),
        bytes: clip.wav.len() as u64,
        samples: clip.samples,
        rate: clip.rate,
        peak: clip.peak,
        checksum: Some(crc32fast::hash(&clip.wav)),
        words: words.unwrap_or_default().into(),
    })
}

/// What may pass, such as a full disk, is tried again.
pub(super) fn failed(error: clip::ClipError) -> WorkError {
    if error.may_pass() {
        WorkError::Transient(error.into())
    } else {
        WorkError::Failed(error.into())
    }
}
