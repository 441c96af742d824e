//! The programs of the system that play a clip and show a folder. A player is a process group of its
//! own with nothing of our terminal; it is never waited for while it plays, and never left behind:
//! whoever asks next reaps one that has ended, and dropping the [`Player`] ends one that has not.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, anyhow, bail};

use crate::service::typed;
use crate::settings::Settings;
use crate::text::printable;

/// Players that play a WAV file and end with it, without a window, in the order in which they are
/// tried.
const PLAYERS: &[&[&str]] = &[
    &["pw-play"],
    &["paplay"],
    &["aplay", "-q"],
    &["afplay"],
    &["ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"],
    // Without the first, mpv takes hold of the terminal that we draw on.
    &["mpv", "--no-terminal", "--no-video", "--really-quiet"],
    &["play", "-q"],
];

/// What the programs are found by and whether they are of use.
#[derive(Clone, Debug)]
pub(super) struct System {
    /// The folders in which programs are looked for, as in `PATH`.
    pub search: OsString,
    /// Whether the person sits at another machine.
    pub is_remote: bool,
    /// Whether there is a desktop that could show a window.
    pub has_desktop: bool,
}

impl System {
    /// That of this process.
    pub(super) fn here() -> Self {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let any = |names: &[&str]| names.iter().any(is_set);
        Self {
            search: std::env::var_os("PATH").unwrap_or_default(),
            is_remote: any(&["SSH_CONNECTION", "SSH_TTY"]),
            has_desktop: cfg!(target_os = "macos")
                || any(&["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]),
        }
    }

    /// Where a program is; a name with a slash is a path.
    fn find(&self, program: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            path.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        };
        if program.contains('/') {
            return Some(typed::expanded(program)).filter(is_program);
        }
        std::env::split_paths(&self.search)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(program))
            .find(is_program)
    }

    /// Shows a folder in the system's file manager, which lives on after us.
    ///
    /// # Errors
    /// If there is no such folder, no desktop, or no program for it; the message has the folder.
    pub(super) fn open_folder(&self, folder: &Path) -> anyhow::Result<()> {
        let folder = std::path::absolute(folder)?;
        let shown = printable(&folder.to_string_lossy()).into_owned();
        if !folder.is_dir() {
            bail!("there is no folder {shown}: it was moved or removed");
        }
        let openers: &[&str] = if cfg!(target_os = "macos") {
            &["open"]
        } else {
            &["xdg-open", "wslview"]
        };
        if !self.has_desktop {
            bail!("there is no desktop here that could show a folder; it is {shown}");
        }
        let opener = openers.iter().find_map(|name| self.find(name));
        let opener = opener.ok_or_else(|| {
            let names = openers.join(" or ");
            anyhow!("no {names} is installed that could show the folder; it is {shown}")
        })?;
        // The shell ends at once, and what it leaves behind is the system's to reap: some openers
        // end with the window only.
        let status = detached(OsStr::new("sh"))
            .args(["-c", "\"$@\" &", "sh"])
            .args([opener.as_os_str(), folder.as_os_str()])
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => bail!("the folder can't be shown ({status}); it is {shown}"),
            Err(error) => bail!("the folder can't be shown ({error}); it is {shown}"),
        }
    }
}

/// A command with nothing of our terminal, in a group of its own: no key and no signal of the
/// terminal reaches it.
fn detached(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// Plays one file at a time.
pub(super) struct Player {
    system: System,
    /// The user's own command line.
    wanted: Option<String>,
    playing: Mutex<Option<Playing>>,
}

/// What came of [`Player::play_or_stop`].
pub(crate) struct Played {
    /// Whether the file plays now.
    pub(crate) plays: bool,
    /// Why what was played before was not heard.
    pub(crate) unheard: Option<anyhow::Error>,
}

struct Playing {
    child: Child,
    name: String,
    file: PathBuf,
}

impl Player {
    /// A player as these settings want it.
    pub(super) fn new(settings: &Settings, system: System) -> Self {
        Self {
            system,
            wanted: settings.player.clone(),
            playing: Mutex::new(None),
        }
    }

    /// Plays a file, and ends what still plays.
    ///
    /// # Errors
    /// If there is no such file or no player, or if the player can't be started.
    pub(super) fn play(&self, file: &Path) -> anyhow::Result<()> {
        let file = std::path::absolute(file)?;
        let shown = printable(&file.to_string_lossy()).into_owned();
        if !file.is_file() {
            bail!("there is no file {shown}: it was moved or removed");
        }
        let (program, arguments) = self.command(&shown)?;
        let mut playing = self.lock();
        end(playing.take());
        let name = printable(&program.to_string_lossy()).into_owned();
        let child = detached(program.as_os_str())
            .args(arguments)
            .arg(&file)
            .spawn()
            .with_context(|| format!("the player {name} can't be started"))?;
        *playing = Some(Playing { child, name, file });
        Ok(())
    }

    /// Plays a file, or only ends it if it is this one that plays.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub(super) fn play_or_stop(&self, file: &Path) -> anyhow::Result<Played> {
        let (was_playing, unheard) = match self.is_playing() {
            Ok(playing) => (playing, None),
            Err(error) => (false, Some(error)),
        };
        let file = std::path::absolute(file)?;
        let plays_it = self.lock().as_ref().is_some_and(|now| now.file == file);
        if was_playing && plays_it {
            self.stop();
        } else {
            self.play(&file)?;
        }
        Ok(Played {
            plays: !(was_playing && plays_it),
            unheard,
        })
    }

    /// Ends what plays. Returns whether anything did.
    pub(super) fn stop(&self) -> bool {
        let playing = self.lock().take();
        end(playing)
    }

    /// Whether it plays.
    ///
    /// # Errors
    /// Once, if the player ended with an error: nothing was heard then, most likely.
    pub(super) fn is_playing(&self) -> anyhow::Result<bool> {
        let mut playing = self.lock();
        let Some(now) = &mut *playing else {
            return Ok(false);
        };
        let Some(status) = now.child.try_wait()? else {
            return Ok(true);
        };
        let name = std::mem::take(&mut now.name);
        *playing = None;
        if status.success() {
            return Ok(false);
        }
        bail!(
            "the player {name} failed ({status}): try it by hand, or name another as `player` in \
             config.toml{}",
            self.remote_hint()
        )
    }

    /// The program and its arguments before the file's name.
    fn command(&self, file: &str) -> anyhow::Result<(PathBuf, Vec<String>)> {
        if let Some(line) = &self.wanted {
            let shown = printable(line).into_owned();
            let mut words = typed::words(line).unwrap_or_default().into_iter();
            let program = words.next().with_context(|| {
                format!("the setting `player` is no command: {shown}; close its quotation marks")
            })?;
            let path = self.system.find(&program).with_context(|| {
                format!("the player in the setting `player` is not installed: {shown}")
            })?;
            return Ok((path, words.collect()));
        }
        let found = PLAYERS.iter().find_map(|words| {
            let (program, arguments) = words.split_first()?;
            Some((self.system.find(program)?, arguments))
        });
        let (program, arguments) = found.ok_or_else(|| {
            let names: Vec<&str> = PLAYERS.iter().map(|words| words[0]).collect();
            anyhow!(
                "there is no player here: install one of {}, or name yours as `player` in \
                 config.toml; the file is {file}{}",
                names.join(", "),
                self.remote_hint()
            )
        })?;
        Ok((program, arguments.iter().map(ToString::to_string).collect()))
    }

    fn remote_hint(&self) -> &'static str {
        if self.system.is_remote {
            " (over SSH the sound would come out of the remote machine anyway: copy the file)"
        } else {
            ""
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Playing>> {
        self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends a player and everything it started, and reaps it. Returns whether it still played.
fn end(playing: Option<Playing>) -> bool {
    let Some(Playing { mut child, .. }) = playing else {
        return false;
    };
    if let Ok(Some(_)) = child.try_wait() {
        return false;
    }
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may end in this very moment; the wait below says so.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // It can't be ours any more then, and there is nothing to reap.
    let _ = child.wait();
    true
}

#[cfg(test)]
mod tests;
