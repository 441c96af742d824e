//! `aloud status` and `aloud wait`: how things stand.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use jiff::Zoned;

use super::{HEIR, Reached, ended_before, find, heir, looking, owner, short, watch, when, whoever};
use crate::cli::signals::Signals;
use crate::model::{Hold, TaskState};
use crate::service::{RefusalKind, Service, TaskBrief};
use crate::settings::Settings;
use crate::text::printable;
use crate::webhook::still_owed;

/// What is said of an empty queue.
pub(super) const NOTHING: &str = "There is no task; `aloud add FILE` adds one.";

/// Arguments of `aloud status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// A task: its id, the beginning of it, or its title
    #[arg(value_name = "TASK")]
    pub task: Option<String>,
    /// As JSON: a task, or a list of them
    #[arg(long)]
    pub json: bool,
    /// Go on saying it as it changes, until the task has ended or nobody works the queue
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}

/// Arguments of `aloud wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    /// Tasks to wait for: an id, the beginning of one, or a title; none is all of them
    #[arg(value_name = "TASK")]
    pub tasks: Vec<String>,
}

pub(crate) fn run(
    args: &StatusArgs,
    settings: &Settings,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    if args.watch {
        return watch::run(args.task.as_deref(), settings, signals, out);
    }
    // Looking leaves nothing behind where nothing is.
    let is_there = settings.paths.library.join("aloud.db").exists();
    if let Some(named) = &args.task {
        if !is_there {
            anyhow::bail!("there is no task {named}: nothing was ever narrated here");
        }
        let task = looking(|| find(&*whoever(settings)?.service, named))?;
        if args.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&task)?)?;
        } else {
            writeln!(out, "{}", line(&(&task).into()))?;
            if let Some(error) = &task.error {
                writeln!(out, "  {}", printable(&error.message))?;
            }
            if let Some(folder) = &task.folder {
                writeln!(out, "  {}", printable(&folder.display().to_string()))?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.json {
        let tasks = if is_there {
            looking(|| Ok(whoever(settings)?.service.all_tasks()?))?
        } else {
            Vec::new()
        };
        // Of a long list, not each line has to reach the terminal alone.
        let mut list = BufWriter::new(&mut *out);
        serde_json::to_writer_pretty(&mut list, &tasks)?;
        writeln!(list)?;
        list.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let (tasks, works, is_paused, owed) = if is_there {
        looking(|| {
            let Reached { service, works } = whoever(settings)?;
            let owed = service.stats()?.notices.owed;
            Ok((service.briefs()?, works, service.is_queue_paused()?, owed))
        })?
    } else {
        (Vec::new(), false, false, 0)
    };
    let mut list = BufWriter::new(&mut *out);
    for task in &tasks {
        writeln!(list, "{}", line(task))?;
    }
    list.flush()?;
    drop(list);
    if tasks.is_empty() {
        writeln!(out, "{NOTHING}")?;
    }
    if !works && tasks.iter().any(|task| !task.state.is_terminal()) {
        writeln!(
            out,
            "Nothing runs now; `aloud` or `aloud serve` goes on with it."
        )?;
    } else if is_paused {
        writeln!(
            out,
            "The queue is paused; `aloud resume --all` lets it go on."
        )?;
    }
    match (works, still_owed(owed)) {
        (false, Some(said)) => writeln!(out, "{said}.")?,
        (true, Some(_)) => writeln!(
            out,
            "Notices owed to webhooks: {owed}; they are tried again."
        )?,
        (_, None) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A task on one line.
pub(super) fn line(task: &TaskBrief) -> String {
    let state = match task.state {
        TaskState::Pending if task.paused => "held back",
        TaskState::Pending => "waits",
        TaskState::Processing if task.cancel_requested => "stopping",
        TaskState::Processing => "running",
        TaskState::Completed => "completed",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    };
    let (done, total) = (task.current, task.total);
    let mut line = format!(
        "{}  {state:9}  {:3} %  {done} of {total}  {}",
        short(&task.id),
        task.percentage,
        printable(&task.title)
    );
    if let Some(left) = task
        .seconds_left
        .filter(|_| task.state == TaskState::Processing)
    {
        let left = time(left);
        line = format!("{line}  (about {left} left)");
    }
    if let Some(due) = task.due.filter(|_| task.state == TaskState::Pending) {
        let now = Zoned::now();
        if due.0 > now.timestamp().as_millisecond() {
            line = format!("{line}  (begins {})", when::shown(due, &now));
        }
    }
    match task.hold.as_deref() {
        Some(Hold::Breaker { error, .. }) => {
            line = format!("{line}  (waits: {})", printable(&error.message));
        }
        Some(Hold::NoOperation) | None => {}
    }
    line
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "seconds of an estimate"
)]
fn time(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

/// Waits for the ends of tasks, also where another program goes on with them. All of them well is 0,
/// otherwise 1.
pub(crate) fn wait(
    args: &WaitArgs,
    settings: &Settings,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let Some(mut service) = owner(settings)? else {
        anyhow::bail!("nothing runs; `aloud` or `aloud serve` goes on with what waits");
    };
    let mut waited = Vec::new();
    for named in &args.tasks {
        waited.push(find(&service, named)?);
    }
    if waited.is_empty() {
        let open = service.all_tasks()?.into_iter();
        waited = open.filter(|task| !task.state.is_terminal()).collect();
    }
    let mut code = ExitCode::SUCCESS;
    for mut task in waited {
        loop {
            match service.wait(&task.id) {
                Ok(ended) => {
                    task = ended;
                    break;
                }
                Err(refusal) if refusal.kind == RefusalKind::NotFound => {
                    if !ended_before(&service, &mut task) {
                        return Err(refusal.into());
                    }
                    break;
                }
                Err(refusal) => match heir(settings, HEIR, signals)? {
                    Some(next) => service = next,
                    None => return Err(refusal.into()),
                },
            }
        }
        writeln!(out, "{}", line(&(&task).into()))?;
        if task.state != TaskState::Completed {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
