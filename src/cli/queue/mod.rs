//! The commands that look at the queue and steer it, whoever works it: the program that has the library
//! open is asked over its socket.

mod add;
mod log;
mod serve;
mod status;
mod steer;

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::engine::{Engine, Options};
use crate::http::Remote;
use crate::model::TaskId;
use crate::narrate::Voices;
use crate::service::{Local, Refusal, Service, TaskSummary, socket_of};
use crate::settings::Settings;

pub(super) use add::{AddArgs, run as add};
pub(super) use log::{LogArgs, run as log};
pub(super) use serve::{Owner, ServeArgs, run as serve, stop};
pub(super) use status::{StatusArgs, WaitArgs, run as status, wait};
pub(super) use steer::{MoveArgs, SteerArgs, run as steer, shift};

/// How long a program that was started may take until it answers.
const START: Duration = Duration::from_secs(20);
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
fn whoever(settings: &Settings) -> anyhow::Result<Box<dyn Service>> {
    if let Some(remote) = owner(settings)? {
        return Ok(Box::new(remote));
    }
    let engine = Engine::open(Options::new(&settings.paths.library))?;
    let voices = Voices::new(settings);
    let log = super::logging::last_lines;
    Ok(Box::new(Local::new(engine, voices, settings.clone(), log)))
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
        .stderr(Stdio::null())
        .current_dir("/")
        .arg0("aloud")
        .spawn()
        .context("`aloud serve` can't be started")?;
    let until = Instant::now() + START;
    loop {
        if let Some(remote) = owner(settings)? {
            return Ok(remote);
        }
        // Another one may have been quicker: then it is that one that answers.
        let ended = child.try_wait()?;
        if Instant::now() > until {
            let logs = settings.paths.logs.display();
            match ended {
                Some(status) => bail!("`aloud serve` ended ({status}); the log in {logs} says why"),
                None => bail!("`aloud serve` does not answer; the log in {logs} says more"),
            }
        }
        std::thread::sleep(STEP);
    }
}

/// The task that a person means: its id, or the beginning of it, or its title.
fn find(service: &dyn Service, named: &str) -> anyhow::Result<TaskSummary> {
    match service.task(&TaskId::from(named)) {
        Ok(task) => return Ok(task),
        Err(refusal) if refusal.kind == crate::service::RefusalKind::NotFound => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let tasks = all(service)?;
    let fits = |task: &&TaskSummary| {
        (named.len() >= 4 && task.id.as_str().starts_with(named)) || &*task.title == named
    };
    let mut found = tasks.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(task), None) => Ok(task.clone()),
        (Some(_), Some(_)) => bail!("{named} is more than one task; `aloud status` has their ids"),
        (None, _) => Err(Refusal::no_task(&TaskId::from(named)).into()),
    }
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
