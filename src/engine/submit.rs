//! How work comes in: a submission, put on disk if it is durable, then into the queue.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Engine;
use super::core::{Answer, Command, Kind, NewTask, Refusal, Reply, RestoredTask, Schedule};
use super::error::{StoreError, SubmitError};
use super::record::{OperationRecord, Record};
use super::runtime::{Body, Runtime};
use super::store::StoredTask;
use super::submission::Submission;
use super::trace::trace_span;
use super::work::Work;
use crate::failpoint::reach;
use crate::model::{
    CompletedSegment, Limits, OperationCall, SegmentId, StoredClip, TaskId, TaskKind, TaskStatus,
    Timestamp,
};

impl Engine {
    /// Registers a task as `PENDING` and returns its id at once. A narration is on disk by then.
    ///
    /// ```
    /// use aloud::engine::{SubmitError, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let id = engine.submit_task(work(), None)?;
    /// assert_eq!(id.as_str().len(), 36, "a UUID");
    /// engine.submit_task(work(), Some("mine".into()))?;
    /// let again = engine.submit_task(work(), Some("mine".into()));
    /// assert!(matches!(again, Err(SubmitError::Duplicate(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SubmitError`]: the engine has shut down, the id is taken, or the disk refused.
    pub fn submit_task(
        &self,
        work: impl Into<Work>,
        task_id: Option<TaskId>,
    ) -> Result<TaskId, SubmitError> {
        let mut submission = Submission::new(work);
        submission.id = task_id;
        self.submit(submission)
    }

    /// The same with everything that can be said of when and how the work runs.
    ///
    /// ```
    /// use aloud::engine::{Priority, Submission, Work, testing::Library};
    ///
    /// let engine = Library::new();
    /// let work = || Work::closure("chapter", |_| Ok("read".into()));
    /// let usual = engine.submit(work())?;
    /// let last = engine.submit(Submission::new(work()).priority(Priority::Low).after([usual]))?;
    /// assert_eq!(engine.task_status(&last).unwrap().after.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::submit_task`].
    pub fn submit(&self, submission: impl Into<Submission>) -> Result<TaskId, SubmitError> {
        let Submission {
            work,
            id,
            timeout,
            schedule,
            urgent,
            replaces,
            again,
        } = submission.into();
        let runtime = self.runtime();
        let id = id.unwrap_or_else(TaskId::random);
        let _entered = trace_span(schedule.trace.as_deref()).entered();
        if let Some(unlimited) = unlimited(runtime, &work).filter(|_| !schedule.limits.is_none()) {
            return Err(SubmitError::Limits(unlimited));
        }
        if let Some(durable) = durable_kind(&work).filter(|_| urgent) {
            return Err(SubmitError::NotUrgent(durable));
        }
        let failed_dependency = failed_dependency(runtime, &schedule.after)?;
        let mut new = new_task(runtime, &id, work)?;
        new.timeout = timeout;
        new.breaker = new.breaker.map(|key| limited(key, &schedule.limits));
        new.schedule = schedule;
        new.urgent = urgent;
        new.replaces = replaces;
        new.failed_dependency = failed_dependency;
        new.again = again;
        let folder = new.status.folder.clone();
        let is_durable = new.record.is_some();
        let new = Box::new(new);
        if !is_durable {
            // It is answered at once.
            return match runtime.apply(Command::Submit(new, 0)) {
                Answer::Refused(refusal) => Err(refused(refusal)),
                _ => Ok(id),
            };
        }
        let (answer, replies) = runtime.call(|call| Command::Submit(new, call));
        match answer {
            Answer::Done => return Ok(id),
            Answer::Refused(refusal) => return Err(refused(refusal)),
            _ => {}
        }
        match replies.recv_blocking() {
            Ok(Reply::Accepted) => reach("accepted"),
            Ok(Reply::Adopted(clips)) => {
                reach("accepted");
                let (done, missing) = look_at(folder.as_deref(), clips);
                if !missing.is_empty() {
                    // Another voice may have spoken here in the meantime.
                    let clips = missing.len();
                    tracing::info!(task = %id, clips, "earlier clips are not there any more");
                }
                let task = id.clone();
                runtime.apply(Command::Admit {
                    task,
                    done,
                    missing,
                });
            }
            Ok(Reply::Failed(error)) => return Err(error.into()),
            Ok(Reply::Duplicate(id)) => return Err(SubmitError::Duplicate(id)),
            _ => return Err(SubmitError::ShutDown),
        }
        Ok(id)
    }
}

/// Why a submission is not taken, for its caller.
fn refused(refusal: Refusal) -> SubmitError {
    match refusal {
        Refusal::Duplicate(id) => SubmitError::Duplicate(id),
        Refusal::Full { waiting, retry_in } => SubmitError::Full { waiting, retry_in },
        _ => SubmitError::ShutDown,
    }
}

/// What it is that can't be held to limits of its own, if it can't.
pub(super) fn unlimited(runtime: &Runtime, work: &Work) -> Option<&'static str> {
    match work {
        Work::Narration(_) if runtime.options.takes_limits => None,
        Work::Narration(_) => Some("a narration"),
        Work::Operation { .. } => Some("an operation"),
        Work::Closure { .. } | Work::Repeatable { .. } => Some("a closure"),
        Work::Speech(_) => Some("speech for a listener"),
    }
}

/// What the work is called, if it goes to the disk.
fn durable_kind(work: &Work) -> Option<&'static str> {
    match work {
        Work::Narration(_) => Some("a narration"),
        Work::Operation { .. } => Some("an operation"),
        Work::Closure { .. } | Work::Repeatable { .. } | Work::Speech(_) => None,
    }
}

/// A task to wait for that has left the registry and did not end as it should: the database knows.
fn failed_dependency(runtime: &Runtime, after: &[TaskId]) -> Result<Option<TaskId>, SubmitError> {
    if after.is_empty() {
        return Ok(None);
    }
    let unknown: Vec<TaskId> = {
        let locked = runtime.lock();
        let unknown = after.iter().filter(|id| !locked.core.contains(id));
        unknown.cloned().collect()
    };
    if unknown.is_empty() {
        return Ok(None);
    }
    Ok(runtime.store.failed_among(unknown).wait()?)
}

/// The work as a task of the core.
pub(super) fn new_task(
    runtime: &Runtime,
    id: &TaskId,
    work: Work,
) -> Result<NewTask<Body, Record>, SubmitError> {
    let status = |title, kind| TaskStatus::new(id.clone(), title, kind, runtime.now().wall);
    let (status, kind, body) = match work {
        Work::Closure { title, run } => (
            status(title, TaskKind::Closure),
            Kind::Once,
            Body::Closure(run),
        ),
        Work::Repeatable { title, run } => (
            status(title, TaskKind::Closure),
            Kind::Repeatable,
            Body::Repeatable(run),
        ),
        Work::Speech(speech) => {
            if runtime.options.narrator.is_none() {
                return Err(SubmitError::NoNarrator);
            }
            let mut status = status(Arc::clone(&speech.title), TaskKind::Speech);
            status.voice = Arc::clone(&speech.voice);
            status.others = speech.settings.other_names();
            (status, Kind::Once, Body::Speech(speech))
        }
        Work::Narration(narration) => {
            if runtime.options.narrator.is_none() {
                return Err(SubmitError::NoNarrator);
            }
            std::fs::create_dir_all(&narration.folder).map_err(|error| StoreError::Folder {
                path: narration.folder.clone(),
                reason: error.to_string(),
            })?;
            let record = Record::Narration(Arc::new(narration));
            return Ok(durable(runtime, id, record));
        }
        Work::Operation {
            name,
            parameters,
            context,
        } => {
            if !runtime.options.operations.contains_key(&name) {
                return Err(SubmitError::NoOperation(name));
            }
            let title = parameters.get("title").and_then(Value::as_str);
            let record = Record::Operation(Arc::new(OperationRecord {
                title: title.map_or_else(|| Arc::clone(&name), Arc::from),
                name,
                parameters,
                context,
            }));
            return Ok(durable(runtime, id, record));
        }
    };
    Ok(NewTask {
        status,
        kind,
        body: Some(body),
        record: None,
        fingerprint: None,
        breaker: None,
        timeout: None,
        schedule: Schedule::default(),
        urgent: false,
        replaces: false,
        failed_dependency: None,
        again: Vec::new(),
    })
}

pub(super) fn durable(runtime: &Runtime, id: &TaskId, record: Record) -> NewTask<Body, Record> {
    NewTask {
        status: describe(id, &record, runtime.now().wall),
        kind: Kind::Durable,
        fingerprint: fingerprint(&record),
        breaker: Some(breaker(&record)),
        body: Some(Body::Durable(record.clone())),
        record: Some(record),
        timeout: None,
        schedule: Schedule::default(),
        urgent: false,
        replaces: false,
        failed_dependency: None,
        again: Vec::new(),
    }
}

/// What is known of an operation from the start.
fn describe(id: &TaskId, record: &Record, created_at: Timestamp) -> TaskStatus {
    match record {
        Record::Narration(narration) => {
            let title = Arc::clone(&narration.title);
            let mut status = TaskStatus::new(id.clone(), title, TaskKind::Narration, created_at);
            status.progress.total = u64::from(narration.plan.len());
            status.folder = Some(narration.folder.as_path().into());
            status.voice = Arc::clone(&narration.voice);
            status.others = narration.settings.other_names();
            status.plan = Some(Arc::clone(&narration.plan));
            status
        }
        Record::Operation(operation) => {
            let title = Arc::clone(&operation.title);
            let mut status = TaskStatus::new(id.clone(), title, TaskKind::Operation, created_at);
            status.operation = Some(Arc::new(OperationCall {
                name: Arc::clone(&operation.name),
                parameters: operation.parameters.clone(),
                context: operation.context.clone(),
            }));
            status
        }
    }
}

fn fingerprint(record: &Record) -> Option<Arc<str>> {
    match record {
        Record::Narration(narration) => Some(narration.fingerprint.as_str().into()),
        Record::Operation(_) => None,
    }
}

/// Tasks of one operation and voice fail for the same reason.
fn breaker(record: &Record) -> Arc<str> {
    match record {
        Record::Narration(narration) => format!("narrate {}", narration.voice).into(),
        Record::Operation(operation) => Arc::clone(&operation.name),
    }
}

/// With limits of its own it may fail for them, and no other does.
fn limited(key: Arc<str>, limits: &Limits) -> Arc<str> {
    if limits.is_none() {
        key
    } else {
        format!("{key} with {limits}").into()
    }
}

/// Puts a task of an earlier run back into the queue.
pub(super) fn restore(runtime: &Arc<Runtime>, stored: StoredTask) {
    let StoredTask {
        id,
        seq,
        record,
        timeout_ms,
        schedule,
        failed_dependency,
        created_at,
        occurrence,
        clips,
        errors,
    } = stored;
    let _entered = trace_span(schedule.trace.as_deref()).entered();
    let mut status = describe(&id, &record, created_at);
    status.occurrence = occurrence.map(Arc::new);
    let (done, missing) = look_at(status.folder.as_deref(), clips.clone());
    if !missing.is_empty() {
        let clips = missing.len();
        tracing::warn!(task = %id, clips, "clips are gone or damaged: they are made again");
    }
    if let Record::Narration(narration) = &record {
        let clips = clips.into_iter();
        let there = clips.filter(|clip| !missing.contains(&clip.segment_id));
        runtime.journal.mend(
            &id,
            narration,
            timeout_ms,
            &schedule,
            created_at,
            there.collect(),
        );
    }
    let can_run = can_run(runtime, &record);
    let cancelled = schedule.cancelled;
    runtime.apply(Command::Restore(Box::new(RestoredTask {
        status,
        seq,
        fingerprint: fingerprint(&record),
        breaker: Some(limited(breaker(&record), &schedule.limits)),
        body: can_run.then(|| Body::Durable(record)),
        timeout: timeout_ms.map(Duration::from_millis),
        schedule: schedule.since(runtime.now().wall),
        failed_dependency,
        cancelled,
        done,
        missing,
        errors,
    })));
}

/// Whether this process can do it.
pub(super) fn can_run(runtime: &Runtime, record: &Record) -> bool {
    match record {
        Record::Narration(_) => runtime.options.narrator.is_some(),
        Record::Operation(operation) => runtime.options.operations.contains_key(&operation.name),
    }
}

/// Which clips are there with the size they had; any other is made again.
fn look_at(
    folder: Option<&Path>,
    clips: Vec<StoredClip>,
) -> (Vec<CompletedSegment>, Vec<SegmentId>) {
    let (mut done, mut missing) = (Vec::with_capacity(clips.len()), Vec::new());
    for clip in clips {
        let path = folder.unwrap_or(Path::new("")).join(&*clip.clip);
        let is_there =
            std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == clip.bytes);
        if is_there || folder.is_none() {
            done.push(CompletedSegment {
                segment_id: clip.segment_id,
                duration: clip.duration(),
                clip: clip.clip,
                work: Duration::ZERO,
            });
        } else {
            tracing::debug!(clip = %path.display(), "it is gone, or another one lies there");
            missing.push(clip.segment_id);
        }
    }
    (done, missing)
}
