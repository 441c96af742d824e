//! The user's own command at the end of a task: `on_complete` in the settings, run by the shell with
//! the task as JSON on its standard input. It never delays the work; what takes longer than its time
//! is ended, with everything it started.

use std::collections::HashSet;
use std::io::{Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use wait_timeout::ChildExt;

use crate::engine::{
    Engine, Event, ShutdownWait, Subscription, TaskId, TaskState, TaskStatus, trace_span,
};
use crate::settings::Settings;

/// The thread that runs the command, until the engine has shut down and every end was told.
pub(super) struct OnComplete {
    engine: Engine,
    thread: Option<JoinHandle<()>>,
}

impl OnComplete {
    /// Starts it, if there is such a command.
    pub(super) fn start(engine: &Engine, settings: &Settings) -> std::io::Result<Option<Self>> {
        let Some(command) = settings.on_complete.clone() else {
            return Ok(None);
        };
        let limit = settings.on_complete_timeout;
        let (events, mine) = (engine.subscribe(), engine.clone());
        let thread = std::thread::Builder::new()
            .name("aloud-on-complete".into())
            .spawn(move || watch(&mine, &events, &command, limit))?;
        Ok(Some(Self {
            engine: engine.clone(),
            thread: Some(thread),
        }))
    }
}

impl Drop for OnComplete {
    fn drop(&mut self) {
        // The stream of events ends with the engine, and with it the thread.
        self.engine.shutdown(ShutdownWait::Now);
        if let Some(thread) = self.thread.take() {
            // A panic there is in the log; the work is done all the same.
            let _ = thread.join();
        }
    }
}

fn watch(engine: &Engine, events: &Subscription, command: &str, limit: Duration) {
    let mut told: HashSet<TaskId> = HashSet::new();
    while let Ok(event) = events.recv_blocking() {
        let ended: Vec<TaskStatus> = match event {
            Event::Ended { task, .. } => engine.task_status(&task).into_iter().collect(),
            Event::Missed { .. } => engine.tasks(),
            Event::Removed { task } => {
                told.remove(&task);
                continue;
            }
            _ => continue,
        };
        for task in ended {
            let _entered = trace_span(task.trace.as_deref()).entered();
            if task.state.is_terminal() && !is_routine(&task) && told.insert(task.id.clone()) {
                run(&task, command, limit);
            }
        }
    }
}

/// A run of what recurs that went well: it has added a narration, whose end is told, or had nothing to do.
fn is_routine(task: &TaskStatus) -> bool {
    task.occurrence.is_some() && task.state == TaskState::Completed
}

fn run(task: &TaskStatus, command: &str, limit: Duration) {
    match try_run(task, command, limit) {
        Ok(None) => {
            tracing::warn!(task = %task.id, "on_complete took longer than {limit:?} and was ended");
        }
        Ok(Some(status)) if !status.success() => {
            tracing::warn!(task = %task.id, "on_complete: {status}");
        }
        Ok(Some(_)) => tracing::info!(task = %task.id, "on_complete is done"),
        Err(error) => tracing::warn!(task = %task.id, %error, "on_complete can't be run"),
    }
}

/// Runs the command to its end; `None` if its time was over.
fn try_run(
    task: &TaskStatus,
    command: &str,
    limit: Duration,
) -> std::io::Result<Option<std::process::ExitStatus>> {
    // A file, not a pipe: a command that reads nothing must not block us.
    let mut input = tempfile::tempfile()?;
    serde_json::to_writer(&mut input, task)?;
    input.write_all(b"\n")?;
    input.rewind()?;
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("ALOUD_TASK_ID", task.id.as_str())
        .env("ALOUD_TASK_STATE", task.state.word())
        // Programs that take part in traces know it by these names.
        .envs(task.trace.iter().flat_map(|trace| {
            let state = trace.tracestate().map(|state| ("TRACESTATE", state));
            state
                .into_iter()
                .chain([("TRACEPARENT", trace.traceparent())])
        }))
        .stdin(input)
        // The terminal is the monitor's.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let ended = child.wait_timeout(limit)?;
    if ended.is_none() {
        let group = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            // It may have ended in this very moment; the wait below says so.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        child.wait()?;
    }
    Ok(ended)
}
