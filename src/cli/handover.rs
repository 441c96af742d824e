//! The work goes on in the background when whoever does it leaves: `aloud serve`, out of reach of this
//! terminal and its session.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use wait_timeout::ChildExt;

use super::queue::working;
use crate::service::{Service, library_tag};
use crate::settings::Settings;

/// How long the user's service manager may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the manager gives the work to end, beyond what the work takes for itself.
const MARGIN: Duration = Duration::from_secs(15);

/// What the program's behaviour depends on and a service manager does not know.
const TOLD: [&str; 16] = [
    "HOME",
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "https_proxy",
    "http_proxy",
];

/// `aloud serve`, which has been started.
pub(super) enum Started {
    /// By the user's service manager, as this unit.
    Unit(String),
    /// By this process; it leaves this session itself.
    Child(Child),
}

/// Has someone go on with the work of a library that this process has closed: whoever has come already,
/// or `aloud serve`. Returns the process that goes on, once that answers.
///
/// # Errors
/// Nobody goes on: what is unfinished waits for the next start.
pub(super) fn hand_over(settings: &Settings) -> anyhow::Result<u32> {
    let heir = working(settings)?.info().pid;
    tracing::info!(process = heir, "another process goes on with the work");
    Ok(heir)
}

/// Starts `aloud serve` where the end of this terminal and its session does not reach it: by the user's
/// service manager where there is one.
///
/// # Errors
/// The system starts no program.
pub(super) fn start(settings: &Settings) -> anyhow::Result<Started> {
    let program = std::env::current_exe().context("the system does not say where aloud is")?;
    if let Some(unit) = by_manager(&program, settings) {
        return Ok(Started::Unit(unit));
    }
    let child = Command::new(program)
        .args(["serve", "--detached"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("`aloud serve` can't be started")?;
    Ok(Started::Child(child))
}

impl Started {
    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        match self {
            Self::Child(child) => matches!(child.try_wait(), Ok(Some(_)) | Err(_)),
            Self::Unit(unit) => {
                let is_active = systemctl(&["is-active", "--quiet", unit]);
                // A manager that does not answer has not said so.
                is_active == Some(false)
            }
        }
    }

    /// Why it has ended, as it said itself.
    pub(super) fn said(self, settings: &Settings) -> String {
        let logs = settings.paths.logs.display();
        match self {
            Self::Unit(unit) => {
                format!("`journalctl --user --unit={unit}` and the log in {logs} say why")
            }
            Self::Child(mut child) => {
                let mut said = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    // Without what it said the log still has it.
                    let _ = stderr.read_to_string(&mut said);
                }
                said.trim().trim_start_matches("aloud: ").to_owned()
            }
        }
    }
}

/// Has the user's service manager start it; `None` where there is none, or it does not.
fn by_manager(program: &Path, settings: &Settings) -> Option<String> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)?;
    // Without a manager its program would only say so, after a while.
    if !runtime.join("systemd").is_dir() {
        return None;
    }
    let unit = format!("aloud-{}", library_tag(&settings.paths.library));
    let told = std::env::vars_os().map(|(name, _)| name);
    let arguments = arguments(program, &unit, settings.shutdown_timeout, told);
    let mut command = Command::new("systemd-run");
    command.args(&arguments);
    match within(command) {
        Some(true) => Some(unit),
        Some(false) => {
            tracing::warn!(unit, "the service manager does not start `aloud serve`");
            None
        }
        None => None,
    }
}

/// What `systemd-run` is told. Values of variables are not: other users could read them.
fn arguments(
    program: &Path,
    unit: &str,
    shutdown: Duration,
    variables: impl Iterator<Item = OsString>,
) -> Vec<OsString> {
    let stop = (shutdown + MARGIN).as_secs();
    let mut arguments: Vec<OsString> = [
        "--user",
        &format!("--unit={unit}"),
        "--collect",
        "--quiet",
        "--same-dir",
        "--description=aloud goes on with its queue",
        "--property=Type=exec",
        &format!("--property=TimeoutStopSec={stop}"),
    ]
    .map(OsString::from)
    .to_vec();
    let mut names: Vec<_> = variables.filter(|name| is_told(name)).collect();
    names.sort();
    for name in names {
        let mut argument = OsString::from("--setenv=");
        argument.push(name);
        arguments.push(argument);
    }
    arguments.push("--".into());
    arguments.push(program.into());
    arguments.push("serve".into());
    arguments
}

fn is_told(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("ALOUD_") || TOLD.contains(&&*name)
}

fn systemctl(arguments: &[&str]) -> Option<bool> {
    let mut command = Command::new("systemctl");
    command.arg("--user").args(arguments);
    within(command)
}

/// Runs a command in silence, for a bounded time: whether it did well; `None` if it could not be run.
fn within(mut command: Command) -> Option<bool> {
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = silent.spawn().ok()?;
    if let Ok(Some(status)) = child.wait_timeout(PATIENCE) {
        return Some(status.success());
    }
    // It may have ended in this moment, which is as good.
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_variable_stands_on_a_command_line() {
        let variables = ["ALOUD_HTTP_TOKEN", "TERM", "ALOUD_HOME", "PATH"];
        let variables = variables.into_iter().map(OsString::from);
        let arguments = arguments(
            Path::new("/usr/bin/aloud"),
            "aloud-1",
            Duration::from_secs(30),
            variables,
        );
        let arguments: Vec<_> = arguments.iter().map(|one| one.to_str().unwrap()).collect();
        assert_eq!(
            arguments,
            [
                "--user",
                "--unit=aloud-1",
                "--collect",
                "--quiet",
                "--same-dir",
                "--description=aloud goes on with its queue",
                "--property=Type=exec",
                "--property=TimeoutStopSec=45",
                "--setenv=ALOUD_HOME",
                "--setenv=ALOUD_HTTP_TOKEN",
                "--setenv=PATH",
                "--",
                "/usr/bin/aloud",
                "serve",
            ]
        );
    }
}
