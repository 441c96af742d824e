//! `aloud cancel`, `pause`, `resume`, `retry` and `move`: what is done to tasks.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use super::{find, find_past, owner, short, whoever, working};
use crate::model::TaskId;
use crate::service::{Action, Service, TaskAction, one_message};
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of the commands that do something to tasks.
#[derive(Debug, clap::Args)]
pub(crate) struct SteerArgs {
    /// Tasks: an id, the beginning of one, or a title
    #[arg(required_unless_present = "all", value_name = "TASK")]
    pub tasks: Vec<String>,
    /// Every one; with `pause` and `resume` the queue as a whole
    #[arg(long, conflicts_with = "tasks")]
    pub all: bool,
}

/// Arguments of `aloud move`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("place").required(true))]
pub(crate) struct MoveArgs {
    /// The task: an id, the beginning of one, or its title; with --first also several, in their order
    #[arg(value_name = "TASK", required = true)]
    pub tasks: Vec<String>,
    /// One place sooner
    #[arg(long, group = "place")]
    pub sooner: bool,
    /// One place later
    #[arg(long, group = "place")]
    pub later: bool,
    /// Before all others; what runs stands back after its segment
    #[arg(long, group = "place")]
    pub first: bool,
}

/// What is done to all of them at once.
fn to_all(what: &TaskAction) -> Action {
    match what {
        TaskAction::Cancel => Action::CancelAll,
        TaskAction::Pause => Action::PauseQueue,
        TaskAction::Retry(_) => Action::RetryAll,
        _ => Action::ResumeQueue,
    }
}

pub(crate) fn run(
    args: &SteerArgs,
    what: &TaskAction,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.all && matches!(what, TaskAction::Render(..)) {
        anyhow::bail!("name the tasks that are to be spoken by another voice");
    }
    let service: Box<dyn Service> = match what {
        // What is tried again is to run.
        TaskAction::Retry(_) | TaskAction::Render(..) => Box::new(working(settings)?),
        // Whoever is not there begins nothing.
        TaskAction::Pause if args.all && owner(settings)?.is_none() => {
            anyhow::bail!("nothing runs: `aloud status` says what waits for the next start")
        }
        _ => whoever(settings)?.service,
    };
    if args.all {
        let done = service.act(&to_all(what))?;
        for refusal in &done.refused {
            writeln!(out, "not done: {}", printable(&refusal.to_string()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for named in &args.tasks {
        match steer(&*service, named, what) {
            Ok((id, title)) => {
                let title = printable(&title);
                writeln!(out, "{}: {title} ({})", past(what), short(&id))?;
            }
            Err(error) => {
                code = ExitCode::FAILURE;
                writeln!(std::io::stderr(), "aloud: {}", one_message(&error))?;
            }
        }
    }
    Ok(code)
}

/// The task that it was done to, or that it has become.
fn steer(
    service: &dyn Service,
    named: &str,
    what: &TaskAction,
) -> anyhow::Result<(TaskId, Arc<str>)> {
    let (task, title) = match (find(service, named), what) {
        (Ok(task), _) => (task.id, task.title),
        (Err(unknown), TaskAction::Retry(_) | TaskAction::Render(..)) => {
            let past = find_past(service, named, what)?.ok_or(unknown)?;
            (past.id, past.title)
        }
        (Err(unknown), _) => return Err(unknown),
    };
    let done = service.act(&Action::Task {
        task: task.clone(),
        what: what.clone(),
    })?;
    for note in &done.notes {
        // Whoever does not read it hears what came of it.
        let _ = writeln!(std::io::stderr(), "aloud: {}: {note}", printable(&title));
    }
    Ok((done.tasks.into_iter().next().unwrap_or(task), title))
}

pub(crate) fn shift(
    args: &MoveArgs,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.first {
        let service = whoever(settings)?.service;
        let mut tasks = Vec::new();
        for named in &args.tasks {
            tasks.push(find(&*service, named)?.id);
        }
        service.act(&Action::First { tasks })?;
        writeln!(
            out,
            "before all others: {}",
            printable(&args.tasks.join(", "))
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = if args.later {
        TaskAction::Later
    } else {
        TaskAction::Sooner
    };
    let tasks = SteerArgs {
        tasks: args.tasks.clone(),
        all: false,
    };
    run(&tasks, &what, settings, out)
}

fn past(what: &TaskAction) -> &'static str {
    match what {
        TaskAction::Cancel => "cancelled",
        TaskAction::Pause => "held back",
        TaskAction::Resume => "goes on",
        TaskAction::Retry(_) | TaskAction::Render(..) => "tried again",
        TaskAction::Sooner => "one place sooner",
        TaskAction::Later => "one place later",
    }
}
