//! The commands that look at the queue and steer it, whoever works it: the program that has the library
//! open is asked over its socket.

mod add;
mod health;
mod log;
mod notify;
mod serve;
mod status;
mod steer;

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::cli::submit::open_engine;
use crate::engine::{Engine, OpenError, Options};
use crate::http::{Mirror, Remote};
use crate::model::{HistoryEntry, TaskId};
use crate::narrate::Voices;
use crate::service::{Local, Refusal, RefusalKind, Service, TaskAction, TaskSummary, socket_of};
use crate::settings::Settings;

pub(super) use add::{AddArgs, run as add};
pub(super) use health::{HealthArgs, run as health};
pub(super) use log::{LogArgs, run as log};
pub(super) use serve::{Owner, ServeArgs, run as serve, stop};
pub(super) use status::{StatusArgs, WaitArgs, run as status, wait};
pub(super) use steer::{MoveArgs, SteerArgs, run as steer, shift};

/// How long a program that was started may take until it answers.
const START: Duration = Duration::from_secs(20);
/// How long another may take that was quicker than the one that was started.
const YIELDED: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

/// The program that has the library open, if there is one that answers.
fn owner(settings: &Settings) -> anyhow::Result<Option<Remote>> {
    let Some(socket) = socket_of(&settings.paths.library) else {
        return Ok(None);
    };
    // Who named it may have ended since.
    match Remote::connect(&socket) {
        Ok(remote) => Ok(Some(remote)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error.into()),
    }
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
    let engine = Engine::open(Options::new(&settings.paths.library))?;
    let voices = Voices::new(settings);
    let log = super::logging::last_lines;
    Ok(Reached {
        service: Box::new(Local::new(engine, voices, settings.clone(), log)),
        works: false,
    })
}

/// Whoever has the library open; or else one that is started now, and goes on when this ends.
fn working(settings: &Settings) -> anyhow::Result<Remote> {
    if let Some(remote) = owner(settings)? {
        return Ok(remote);
    }
    let program = std::env::current_exe().context("the system does not say where aloud is")?;
    let mut child = Command::new(program)
        .args(["serve", "--detached"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("`aloud serve` can't be started")?;
    let begun = Instant::now();
    let mut ended_at = None;
    loop {
        if let Some(remote) = owner(settings)? {
            return Ok(remote);
        }
        if ended_at.is_none() && child.try_wait()?.is_some() {
            ended_at = Some(Instant::now());
        }
        // Another one may have been quicker: then it is that one that answers soon.
        if ended_at.is_some_and(|at| at.elapsed() > YIELDED) {
            let mut said = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                // Without what it said the log still has it.
                let _ = stderr.read_to_string(&mut said);
            }
            let said = said.trim().trim_start_matches("aloud: ");
            bail!("`aloud serve` can't begin: {said}");
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
    let begun = Instant::now();
    loop {
        let error = match open_engine(settings, voices) {
            Ok(engine) => return Ok(Some(engine)),
            Err(error) => error,
        };
        let is_in_use = matches!(error.downcast_ref(), Some(OpenError::InUse { .. }));
        if !is_in_use {
            return Err(error);
        }
        if owner(settings)?.is_some() {
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
    match service.task(&TaskId::from(named)) {
        Ok(task) => return Ok(task),
        Err(refusal) if refusal.kind == RefusalKind::NotFound => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let tasks = all(service)?;
    let mut found = tasks
        .iter()
        .filter(|task| is_name(&task.id, &task.title, named));
    match (found.next(), found.next()) {
        (Some(task), None) => Ok(task.clone()),
        (Some(_), Some(_)) => bail!("{named} is more than one task; `aloud status` has their ids"),
        (None, _) => Err(Refusal::no_task(&TaskId::from(named)).into()),
    }
}

/// What has ended badly and is only history by now, by the same words.
fn find_past(service: &dyn Service, named: &str) -> Result<Option<HistoryEntry>, Refusal> {
    let is_meant = |past: &HistoryEntry| {
        let is_named = is_name(&past.id, &past.title, named);
        is_named && TaskAction::Retry(Vec::new()).check(past).is_ok()
    };
    // The last one first.
    Ok(service.history(PAGE)?.into_iter().find(is_meant))
}

fn is_name(id: &TaskId, title: &str, named: &str) -> bool {
    (named.len() >= 4 && id.as_str().starts_with(named)) || title == named
}

/// A page of tasks.
const PAGE: usize = 1000;

fn all(service: &dyn Service) -> Result<Vec<TaskSummary>, Refusal> {
    let mut all: Vec<TaskSummary> = Vec::new();
    loop {
        let after = all.last().map(|task| task.id.clone());
        let page = service.tasks(after.as_ref(), PAGE)?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The beginning of an id that a person can type.
fn short(id: &TaskId) -> &str {
    let id = id.as_str();
    let end = id.char_indices().nth(8).map_or(id.len(), |(end, _)| end);
    &id[..end]
}
