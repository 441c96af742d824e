//! `aloud narrate`: the same work without the monitor.

use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use super::fetching::Show;
use super::limits::LimitArgs;
use super::on_complete::OnComplete;
use super::queue::Owner;
use super::report::{Reporter, Summary, segment_problem, with_advice};
use super::signals::Signals;
use super::submit::{open_engine, ready};
use crate::engine::{
    Engine, Event, Limits, ShutdownWait, Submission, Subscription, TaskId, TaskState, TaskStatus,
};
use crate::narrate::{Composed, Request, Voices};
use crate::service::{Local, Ready, compose_for, submit_with};
use crate::settings::Settings;
use crate::text::printable;

/// Arguments of `aloud narrate`.
#[derive(Debug, clap::Args)]
pub(super) struct NarrateArgs {
    /// The texts: plain text or Markdown; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Plain lines instead of progress bars
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,
    /// One JSON object an event, and a summary at the end
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}

pub(super) fn run(
    args: &NarrateArgs,
    settings: &Settings,
    offline: bool,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    // All texts are read before anything is fetched, opened or begun: bad input costs nothing.
    let read = || {
        args.files
            .iter()
            .map(|file| Request::read(file))
            .collect::<Result<Vec<_>, _>>()
    };
    let requests = signals.exiting_at_once(read)?;
    // Standard output is for the events; what is fetched is said on standard error.
    let show = if args.json || args.plain {
        Show::Lines
    } else {
        Show::fitting()
    };
    let ready = ready(settings, offline, show, &|| signals.raised())?;
    let limits = args.limits.limits();
    let voices = Voices::new(settings);
    if limits.is_none() {
        // It opens while the texts are cut.
        voices.warm_up(&ready.reference, &ready.voice);
    }
    let mut composed = Vec::new();
    for request in &requests {
        composed.push((
            request.name.clone(),
            compose_for(request, &ready, settings)?,
        ));
    }
    check_output(settings)?;
    let begun = Instant::now();
    let engine = open_engine(settings, &voices)?;
    signals.shut_down(&engine, settings.shutdown_timeout);
    let _on_complete = OnComplete::start(&engine, settings)?;
    let log = super::logging::last_lines;
    let service = Local::new(engine.clone(), Arc::clone(&voices), settings.clone(), log);
    let _owner = Owner::start_or_log(&engine, Arc::new(service), &settings.http);
    let mut reporter = if args.json {
        Reporter::Json
    } else if args.plain || !std::io::stderr().is_terminal() {
        Reporter::Plain
    } else {
        Reporter::bars()
    };
    say_what_waits(&engine, &composed);
    let events = engine.subscribe();
    let mine = submit_all(&engine, settings, composed, limits, &ready, &mut reporter)?;
    let tasks = watch(&engine, &events, &mine, &mut reporter);
    engine.shutdown(ShutdownWait::Now);
    reporter.summary(&Summary::new(&tasks, begun.elapsed()));
    let failed = say_failures(&tasks);
    Ok(signals.exit_code().unwrap_or(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }))
}

/// Tells an output folder that can't be written before the engine is opened.
fn check_output(settings: &Settings) -> anyhow::Result<()> {
    let failed = |source| crate::narrate::ComposeError::Output {
        path: settings.out.clone(),
        source,
    };
    crate::files::create_folders(&settings.out).map_err(failed)?;
    tempfile::Builder::new()
        .prefix(".aloud-")
        .tempfile_in(&settings.out)
        .map_err(failed)?;
    Ok(())
}

/// What an earlier run left comes first; whoever waits for theirs should know.
fn say_what_waits(engine: &Engine, composed: &[(String, Composed)]) {
    let again = |task: &TaskStatus| {
        composed.iter().any(|(_, composed)| {
            engine
                .unfinished_like(&composed.narration.fingerprint)
                .as_ref()
                == Some(&task.id)
        })
    };
    let others = engine
        .tasks()
        .into_iter()
        .filter(|task| !again(task))
        .count();
    if others > 0 {
        let _ = writeln!(
            std::io::stderr(),
            "aloud: {others} unfinished narration(s) of an earlier run come first"
        );
    }
}

fn submit_all(
    engine: &Engine,
    settings: &Settings,
    composed: Vec<(String, Composed)>,
    limits: Limits,
    ready: &Ready,
    reporter: &mut Reporter,
) -> anyhow::Result<Vec<TaskId>> {
    let mut mine: Vec<TaskId> = Vec::new();
    for (name, composed) in composed {
        let notes = notes(&composed, ready);
        let with = |submission: Submission| submission.limits(limits);
        let submitted = submit_with(engine, settings, composed, with)?;
        if mine.contains(&submitted.id) {
            let name = printable(&name);
            let _ = writeln!(
                std::io::stderr(),
                "aloud: {name} is given twice: it is spoken once"
            );
            continue;
        }
        if let Some(task) = engine.task_status(&submitted.id) {
            reporter.submitted(&task, &name, submitted.continued, &notes);
        }
        mine.push(submitted.id);
    }
    Ok(mine)
}

fn notes(composed: &Composed, ready: &Ready) -> Vec<String> {
    let mut notes: Vec<String> = composed
        .left
        .iter()
        .map(|left| {
            format!(
                "left out: {} × {} ({} bytes)",
                left.stretches, left.reason, left.bytes
            )
        })
        .collect();
    if composed.estimated_files > 1 {
        notes.push(format!(
            "about {:.0} hours of speech: the joined narration will be split into about {} files, \
             for a WAV file holds 4 GiB ({} Hz)",
            composed.estimated_seconds / 3600.0,
            composed.estimated_files,
            ready.voice.info().sample_rate,
        ));
    }
    notes
}

/// Tells what happens until every narration of ours has ended or the engine shuts down. Each one's
/// last state is kept as it is heard of: the registry may have forgotten it by the end.
fn watch(
    engine: &Engine,
    events: &Subscription,
    mine: &[TaskId],
    reporter: &mut Reporter,
) -> Vec<TaskStatus> {
    let mut last: HashMap<&TaskId, TaskStatus> = HashMap::new();
    let mut open: HashSet<&TaskId> = mine.iter().collect();
    let read_again = |last: &mut HashMap<_, _>, open: &mut HashSet<_>| {
        for id in mine {
            match engine.task_status(id) {
                Some(task) => {
                    if task.state.is_terminal() {
                        open.remove(id);
                    }
                    last.insert(id, task);
                }
                // It ended and was cleared away.
                None => {
                    open.remove(id);
                }
            }
        }
    };
    read_again(&mut last, &mut open);
    while !open.is_empty() {
        let Ok(event) = events.recv_blocking() else {
            break;
        };
        if let Event::Missed { .. } = event {
            read_again(&mut last, &mut open);
            continue;
        }
        let Some(id) = mine.iter().find(|id| event.task() == Some(*id)) else {
            continue;
        };
        if let Some(task) = engine.task_status(id) {
            reporter.event(&event, &task);
            last.insert(id, task);
        }
        if matches!(event, Event::Ended { .. }) {
            open.remove(id);
        }
    }
    for id in &open {
        last.extend(engine.task_status(id).map(|task| (*id, task)));
    }
    mine.iter().filter_map(|id| last.remove(id)).collect()
}

/// Says on standard error what failed, and returns whether anything did.
fn say_failures(tasks: &[TaskStatus]) -> bool {
    let mut err = std::io::stderr().lock();
    let mut failed = false;
    let mut say = |text: String| {
        // The exit code says it too.
        let _ = writeln!(err, "aloud: {text}");
    };
    for task in tasks {
        for error in task.errors.iter() {
            say(segment_problem(task, error.segment_id, &error.error));
        }
        if let (TaskState::Failed, Some(error)) = (task.state, &task.error) {
            say(format!(
                "{}: {}",
                printable(&task.title),
                with_advice(error)
            ));
        }
        // One that has not ended was stopped; without a signal behind it that is a failure, too.
        failed |= task.state != TaskState::Completed || !task.errors.is_empty();
    }
    failed
}
