//! The commands that look at the queue and steer it, whoever works it: the program that has the library
//! open is asked over its socket.

mod add;
mod health;
mod log;
mod notify;
mod schedules;
mod serve;
mod status;
mod steer;
mod watch;
mod when;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cli::handover;
use crate::cli::signals::Signals;
use crate::cli::submit::open_engine;
use crate::engine::{Engine, OpenError, Options};
use crate::http::{ConnectError, Mirror, Remote};
use crate::model::{HistoryEntry, TaskId};
use crate::narrate::{Voices, outbox_of};
use crate::service::{
    Local, PAGE, Refusal, RefusalKind, Service, TaskAction, TaskSummary, socket_of,
};
use crate::settings::Settings;

pub(super) use add::{AddArgs, run as add, say_format, text_of};
pub(super) use health::{HealthArgs, run as health};
pub(super) use log::{LogArgs, run as log};
pub(super) use schedules::{SchedulesArgs, run as schedules};
pub(super) use serve::{Owner, ServeArgs, goes_on, has_work, run as serve, stop};
pub(super) use status::{StatusArgs, WaitArgs, run as status, wait};
pub(super) use steer::{MoveArgs, SteerArgs, run as steer, shift};

/// How long a program that was started may take until it answers.
const START: Duration = Duration::from_secs(20);
/// How long another may take that was quicker than the one that was started.
const YIELDED: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

/// How long someone who goes on with the work is waited for.
const HEIR: Duration = Duration::from_secs(5);
/// How many ended narrations are looked through for one.
const PAST: usize = 1000;

/// The program that has the library open, if there is one that answers. One that answers badly is about
/// to end: it is asked again.
fn owner(settings: &Settings) -> anyhow::Result<Option<Remote>> {
    let until = Instant::now() + YIELDED;
    loop {
        let Some(socket) = socket_of(&settings.paths.library) else {
            return Ok(None);
        };
        match Remote::connect(&socket) {
            Ok(remote) => return Ok(Some(remote)),
            // Who named it may have ended since.
            Err(error) if error.is_absent() => return Ok(None),
            Err(error @ ConnectError::Version(_)) => return Err(error.into()),
            Err(error) if Instant::now() > until => return Err(error.into()),
            Err(_) => std::thread::sleep(STEP),
        }
    }
}

/// The same, where one that answers badly is not there.
pub(super) fn answering(settings: &Settings) -> anyhow::Result<Option<Remote>> {
    let Some(socket) = socket_of(&settings.paths.library) else {
        return Ok(None);
    };
    match Remote::connect(&socket) {
        Ok(remote) => Ok(Some(remote)),
        Err(error @ ConnectError::Version(_)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Looks, and looks again where whoever was asked has just ended.
fn looking<T>(look: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let until = Instant::now() + HEIR;
    loop {
        let error = match look() {
            Ok(seen) => return Ok(seen),
            Err(error) => error,
        };
        let refusal = error.downcast_ref::<Refusal>();
        let is_gone = refusal.is_some_and(|refusal| refusal.kind == RefusalKind::Failed);
        if !is_gone || Instant::now() > until {
            return Err(error);
        }
        std::thread::sleep(STEP);
    }
}

/// Whoever comes within this time, after the one that was asked is gone.
fn heir(
    settings: &Settings,
    patience: Duration,
    signals: &Signals,
) -> anyhow::Result<Option<Remote>> {
    let until = Instant::now() + patience;
    loop {
        let next = answering(settings)?;
        if next.is_some() || Instant::now() > until || signals.raised() {
            return Ok(next);
        }
        std::thread::sleep(STEP);
    }
}

/// Takes over what history says of a task that is no longer known; whether it says something.
pub(super) fn ended_before(service: &dyn Service, task: &mut TaskSummary) -> bool {
    let history = service.history(PAST).unwrap_or_default();
    let Some(past) = history.into_iter().find(|past| past.id == task.id) else {
        return false;
    };
    task.state = past.state;
    task.completed_at = Some(past.completed_at);
    if let Some(summary) = past.summary {
        task.completed_segments = usize::try_from(summary.done).unwrap_or(usize::MAX);
        task.failed_segments = usize::try_from(summary.errors).unwrap_or(usize::MAX);
        task.progress.current = u64::from(summary.done);
        task.percentage = task.progress.percentage();
        task.audio_seconds = summary.audio_seconds;
    }
    true
}

/// Whoever has the library open; or else this process, which only looks at it: nothing runs.
struct Reached {
    service: Box<dyn Service>,
    /// Whether the queue is worked.
    works: bool,
}

fn whoever(settings: &Settings) -> anyhow::Result<Reached> {
    if let Some(remote) = owner(settings)? {
        return Ok(Reached {
            service: Box::new(remote),
            works: true,
        });
    }
    // Without a narrator stored narrations wait.
    let open = || {
        let mut options = Options::new(&settings.paths.library);
        options.outbox = outbox_of(settings);
        Ok(Engine::open(options)?)
    };
    let Some(engine) = open_patiently(settings, open)? else {
        return whoever(settings);
    };
    let voices = Voices::new(settings);
    let log = super::logging::last_lines;
    Ok(Reached {
        service: Box::new(Local::new(engine, voices, settings.clone(), log)),
        works: false,
    })
}

/// Whoever has the library open; or else one that is started now, and goes on when this ends.
pub(super) fn working(settings: &Settings) -> anyhow::Result<Remote> {
    if let Some(remote) = owner(settings)? {
        return Ok(remote);
    }
    let mut started = handover::start(settings)?;
    let begun = Instant::now();
    let mut ended_at = None;
    loop {
        if let Some(remote) = answering(settings)? {
            return Ok(remote);
        }
        if ended_at.is_none() && started.has_ended() {
            ended_at = Some(Instant::now());
        }
        // Another one may have been quicker: then it is that one that answers soon.
        if ended_at.is_some_and(|at| at.elapsed() > YIELDED) {
            bail!("`aloud serve` can't begin: {}", started.said(settings));
        }
        if begun.elapsed() > START {
            let logs = settings.paths.logs.display();
            bail!("`aloud serve` does not answer; the log in {logs} says more");
        }
        std::thread::sleep(STEP);
    }
}

/// The program that has the library open, followed, if there is one that answers.
pub(super) fn followed(settings: &Settings) -> anyhow::Result<Option<Mirror>> {
    let Some(remote) = owner(settings)? else {
        return Ok(None);
    };
    let mirror = Mirror::follow(&settings.paths.library, remote);
    Ok(Some(mirror.context("no thread can be started")?))
}

/// Opens the library; narrations that an earlier run left continue at once. `None` if another program
/// has it open, which can be reached by now: whoever was quicker, or whoever has not told yet where.
pub(super) fn open_or_yield(
    settings: &Settings,
    voices: &Arc<Voices>,
) -> anyhow::Result<Option<Engine>> {
    open_patiently(settings, || open_engine(settings, voices))
}

fn open_patiently(
    settings: &Settings,
    open: impl Fn() -> anyhow::Result<Engine>,
) -> anyhow::Result<Option<Engine>> {
    let begun = Instant::now();
    loop {
        let error = match open() {
            Ok(engine) => return Ok(Some(engine)),
            Err(error) => error,
        };
        let is_in_use = matches!(error.downcast_ref(), Some(OpenError::InUse { .. }));
        if !is_in_use {
            return Err(error);
        }
        if answering(settings)?.is_some() {
            return Ok(None);
        }
        if begun.elapsed() > YIELDED {
            return Err(error);
        }
        std::thread::sleep(STEP);
    }
}

/// The task that a person means: its id, or the beginning of it, or its title.
fn find(service: &dyn Service, named: &str) -> anyhow::Result<TaskSummary> {
    /// Tasks that took each other's place: one is made again a few times, not more.
    const MOST: usize = 8;
    match service.task(&TaskId::from(named)) {
        Ok(task) => return Ok(task),
        Err(refusal) if refusal.kind == RefusalKind::NotFound => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let tasks = service.briefs()?;
    let found = tasks
        .iter()
        .filter(|task| is_name(&task.id, &task.title, named));
    let found = found.take(MOST + 1).map(|task| service.task(&task.id));
    let mut found = found.collect::<Result<Vec<TaskSummary>, Refusal>>()?;
    let Some(last) = found.pop() else {
        return Err(Refusal::no_task(&TaskId::from(named)).into());
    };
    // Of those that took each other's place in a folder the last one has it.
    let is_same = |other: &TaskSummary| other.folder.is_some() && other.folder == last.folder;
    if found.len() < MOST && found.iter().all(is_same) {
        return Ok(last);
    }
    bail!("{named} is more than one task; `aloud status` has their ids")
}

/// What has ended and is only history by now, and can be tried so, by the same words.
fn find_past(
    service: &dyn Service,
    named: &str,
    what: &TaskAction,
) -> Result<Option<HistoryEntry>, Refusal> {
    let is_meant = |past: &HistoryEntry| {
        let is_named = is_name(&past.id, &past.title, named);
        is_named && what.check(past).is_ok()
    };
    // The last one first.
    Ok(service.history(PAGE)?.into_iter().find(is_meant))
}

fn is_name(id: &TaskId, title: &str, named: &str) -> bool {
    (named.len() >= 4 && id.as_str().starts_with(named)) || title == named
}

/// The beginning of an id that a person can type. The runs of what recurs differ only at the end.
fn short(id: &TaskId) -> &str {
    let id = id.as_str();
    if id.contains('@') {
        return id;
    }
    let end = id.char_indices().nth(8).map_or(id.len(), |(end, _)| end);
    &id[..end]
}
