//! The monitor, opened for a user: with their settings, and with what it asks of the program around
//! it.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::LAST_WORDS;
use super::complete;
use super::desk::Desk;
use super::fetching::Show;
use super::handover::hand_over;
use super::idle::IdleCheck;
use super::on_complete::OnComplete;
use super::queue;
use super::report::files_of;
use super::signals::Signals;
use super::submit::ready;
use crate::engine::{Engine, Interrupt, StopReason};
use crate::http::{End, Mirror};
use crate::model::{ShutdownReport, ShutdownWait};
use crate::monitor::services::{Completion, Defaults, LogLine, Services, VoiceChoice};
use crate::monitor::{self, Cause, Exit, MonitorError, Options, TourPlan};
use crate::narrate::{NewNarration, NewText, Voices};
use crate::outlet::say_within;
use crate::service::{Live, Submitted, one_message, typed};
use crate::settings::{OnHangup, Settings};
use crate::size::human_size;
use crate::text::printable;
use crate::webhook::{Webhooks, still_owed};

/// `aloud`: the monitor, and whatever is unfinished. `aloud attach` is the same where the queue is worked
/// already, and begins nothing.
pub(super) fn run(
    settings: &Settings,
    offline: bool,
    signals: Signals,
    attach: bool,
) -> anyhow::Result<ExitCode> {
    need_terminal()?;
    if attach && queue::answering(settings)?.is_none() {
        anyhow::bail!("nothing runs; `aloud` opens the monitor and goes on with what waits");
    }
    loop {
        if let Some(mirror) = queue::followed(settings)? {
            match watch(mirror, settings, &signals)? {
                Some(code) => return Ok(code),
                // Nobody works any more.
                None => continue,
            }
        }
        ready(settings, offline, Show::fitting(), &|| signals.raised())?;
        let voices = Voices::new(settings);
        if let Some(engine) = queue::open_or_yield(settings, &voices)? {
            return show(engine, &voices, settings, signals, None);
        }
    }
}

/// The monitor before another process's work. `None` if that process is gone and nobody has come in its
/// place.
fn watch(
    mirror: Mirror,
    settings: &Settings,
    signals: &Signals,
) -> anyhow::Result<Option<ExitCode>> {
    if let Some(code) = signals.exit_code() {
        return Ok(Some(code));
    }
    let around = Arc::new(Around::new(Desk::attached(mirror, settings), settings));
    let exit = open(Arc::clone(&around), &options(settings, None), settings)?;
    match (exit.cause, around.desk.end()) {
        (Cause::ServiceEnded, Some(End::Gone)) => Ok(None),
        (Cause::ServiceEnded, _) => {
            say(
                "The aloud that worked the queue has ended; what is unfinished goes on at the next start.\n",
            );
            Ok(Some(ExitCode::SUCCESS))
        }
        (cause, _) => Ok(Some(signals.exit_code().unwrap_or(code(cause)))),
    }
}

/// Told before anything is fetched or begun.
pub(super) fn need_terminal() -> Result<(), MonitorError> {
    if std::io::stdout().is_terminal() {
        Ok(())
    } else {
        Err(MonitorError::NoTerminal)
    }
}

pub(super) fn show(
    engine: Engine,
    voices: &Arc<Voices>,
    settings: &Settings,
    signals: Signals,
    tour: Option<TourPlan>,
) -> anyhow::Result<ExitCode> {
    // The monitor takes signals itself once it is open; one that comes before is not lost.
    signals.shut_down(&engine, settings.shutdown_timeout);
    if let Some(code) = signals.exit_code() {
        return Ok(code);
    }
    if settings.on_hangup == OnHangup::Finish {
        // Here it would stop the work that is to go on.
        signals.spare_hangup();
    }
    let _on_complete = OnComplete::start(&engine, settings)?;
    let _idle = IdleCheck::start(&engine, settings)?;
    let webhooks = Webhooks::start(engine.outbox(), &settings.webhooks)?;
    let mut options = options(settings, tour);
    let is_tour = options.tour.is_some();
    if is_tour {
        // What the tour makes goes away with it.
        options.on_hangup = OnHangup::Stop;
    }
    options.background = !is_tour;
    let desk = Desk::new(engine, Arc::clone(voices), settings);
    let around = Arc::new(Around::new(desk, settings));
    if options.on_hangup == OnHangup::HandOver {
        let around = Arc::downgrade(&around);
        signals.before_hangup(move || {
            if let Some(around) = around.upgrade() {
                around.desk.hand_over();
            }
        });
    }
    let exit = open(Arc::clone(&around), &options, settings)?;
    let goes_on = around.desk.is_handed_over();
    if !is_tour {
        say_where_things_are(around.desk.service(), goes_on);
    }
    // The next one can begin only then.
    drop(around);
    let owed = webhooks.as_ref().map_or(0, Webhooks::owed);
    drop(webhooks);
    if goes_on {
        hand_over_and_say(settings);
    } else if let Some(said) = still_owed(owed) {
        say(&format!("{said}\n"));
    }
    Ok(signals.exit_code().unwrap_or(code(exit.cause)))
}

/// Has another process go on with the work, and says so to whoever can read it.
fn hand_over_and_say(settings: &Settings) {
    let said = match hand_over(settings) {
        Ok(process) => format!(
            "The work goes on in the background (process {process}): `aloud` shows it, `aloud stop` ends it."
        ),
        Err(error) => format!(
            "Nobody goes on with the work, which continues at the next start: {}",
            one_message(&error)
        ),
    };
    say(&format!("{said}\n"));
}

/// Says it where the monitor was. The terminal may be gone, or may not be read: nobody waits for it.
fn say(text: &str) {
    let _ = say_within(std::io::stdout(), text, LAST_WORDS);
}

fn options(settings: &Settings, tour: Option<TourPlan>) -> Options {
    Options {
        theme: Some(settings.theme.clone()),
        theme_folder: Some(settings.paths.themes()),
        symbols: settings.symbols,
        exit_when_done: false,
        shutdown_timeout: settings.shutdown_timeout,
        keys: settings.keys.clone(),
        on_hangup: settings.on_hangup,
        background: false,
        tour,
    }
}

fn open(around: Arc<Around>, options: &Options, settings: &Settings) -> anyhow::Result<Exit> {
    monitor::run(around, options).map_err(|error| {
        let is_config = matches!(error, MonitorError::Keys(_));
        let error = anyhow::Error::from(error);
        if is_config {
            let file = settings.paths.config_file();
            return error.context(file.display().to_string());
        }
        error
    })
}

fn code(cause: Cause) -> ExitCode {
    match cause {
        Cause::Quit | Cause::LeftRunning | Cause::ServiceEnded => ExitCode::SUCCESS,
        Cause::Interrupted => ExitCode::from(130),
        Cause::Terminated => ExitCode::from(143),
        Cause::TerminalLost => ExitCode::from(129),
    }
}

/// What stays on the terminal when the monitor has gone.
fn say_where_things_are(service: &dyn Live, goes_on: bool) {
    let next = if goes_on {
        "it goes on"
    } else {
        "it continues at the next start"
    };
    let mut lines = String::new();
    for task in service.statuses() {
        let (done, all) = (task.completed_segments.len(), task.progress.total);
        let place = match files_of(&task).first() {
            Some(file) => file.display().to_string(),
            None if task.state.is_terminal() => format!("{done} of {all} segments"),
            None => format!("{done} of {all} segments; {next}"),
        };
        let title = printable(&task.title);
        // Writing to a string can't fail.
        let _ = writeln!(lines, "{} {title} → {}", task.state, printable(&place));
    }
    say(&lines);
}

/// What is around the monitor.
struct Around {
    desk: Desk,
    settings: Settings,
    leaving: Interrupt,
}

impl Around {
    fn new(desk: Desk, settings: &Settings) -> Self {
        Self {
            desk,
            settings: settings.clone(),
            leaving: Interrupt::default(),
        }
    }
}

fn said(error: &anyhow::Error) -> String {
    one_message(error)
}

impl Services for Around {
    fn service(&self) -> &dyn Live {
        self.desk.service()
    }

    fn is_attached(&self) -> bool {
        self.desk.is_attached()
    }

    fn hand_over(&self) {
        self.desk.hand_over();
    }

    fn stop(&self, wait: ShutdownWait) -> ShutdownReport {
        self.desk.stop(wait)
    }

    fn defaults(&self) -> Defaults {
        let new = self.desk.defaults(NewText::Typed(String::new()));
        Defaults {
            voice: new.voice,
            speed: new.speed,
            speaker: new.speaker,
        }
    }

    fn add(&self, new: &NewNarration) -> Result<Submitted, String> {
        // A path such as `my story.txt` looks like a text where it is pasted.
        let file = match &new.text {
            NewText::Typed(text) => pasted_file(text),
            NewText::File(_) | NewText::Bytes { .. } => None,
        };
        let file = file.map(|path| NewNarration {
            text: NewText::File(path),
            ..new.clone()
        });
        let submitted = self.desk.service().add(file.as_ref().unwrap_or(new), None);
        submitted.map_err(|why| why.to_string())
    }

    fn voices(&self) -> Vec<VoiceChoice> {
        let voices = self
            .desk
            .service()
            .voices()
            .unwrap_or_default()
            .into_iter()
            .map(|voice| {
                let grade = voice.grade.map(|grade| format!("grade {grade}"));
                let grade = grade.unwrap_or(voice.quality);
                let mut about = format!("{} · {grade}", voice.language);
                if let Some(note) = voice.note {
                    about = format!("{about} · {note}");
                }
                if !voice.installed {
                    let size = voice.fetch_bytes.map(human_size).unwrap_or_default();
                    about = format!("{about} · {size} by `aloud setup {}`", voice.name);
                }
                VoiceChoice {
                    name: voice.name,
                    about,
                    is_installed: voice.installed,
                }
            });
        voices.collect()
    }

    fn preview(&self, voice: &str, speed: f32) -> Result<(), String> {
        let file = self
            .desk
            .hearing()
            .preview(voice, speed, None, &self.leaving);
        let file = file.map_err(|error| said(&error))?;
        self.desk.play(&file).map_err(|error| said(&error))
    }

    fn hear(&self, voice: &str, speed: f32, spoken: &str) -> Result<(), String> {
        let usual = self.defaults();
        let speaker = usual.speaker.as_ref().filter(|_| usual.voice == voice);
        let hearing = self.desk.hearing();
        let preview = hearing.speak(voice, spoken, (speed, speaker), &self.leaving);
        let preview = preview.map_err(|error| said(&error))?;
        self.desk
            .play(&preview.file)
            .map_err(|error| said(&error))?;
        preview.problem.map_or(Ok(()), Err)
    }

    fn phonemes(&self, voice: &str, text: &str) -> Result<String, String> {
        let utterance = self.desk.hearing().phonemes(voice, text);
        let utterance = utterance.map_err(|error| said(&error))?;
        Ok(match utterance.problem() {
            None => utterance.phonemes,
            Some(problem) => {
                let spoken = format!("{}  (the voice {problem})", utterance.phonemes);
                spoken.trim_start().to_owned()
            }
        })
    }

    fn play(&self, file: &Path) -> Result<bool, String> {
        let file = whole_narration(file).unwrap_or_else(|| file.to_owned());
        let played = self.desk.play_or_stop(&file);
        let played = played.map_err(|error| said(&error))?;
        match played.unheard {
            Some(error) => Err(format!("the last one was not heard: {}", said(&error))),
            None => Ok(played.plays),
        }
    }

    fn open_folder(&self, folder: &Path) -> Result<(), String> {
        self.desk.open_folder(folder).map_err(|error| said(&error))
    }

    fn complete(&self, typed: &str) -> Completion {
        complete::complete(typed)
    }

    fn log(&self) -> Vec<LogLine> {
        let lines = self
            .desk
            .service()
            .log()
            .unwrap_or_default()
            .into_iter()
            .map(|line| LogLine {
                time: line.clock(),
                level: line.level.parse().unwrap_or(tracing::Level::INFO),
                text: line.text,
            });
        lines.collect()
    }

    fn output(&self) -> PathBuf {
        self.settings.out.clone()
    }

    fn leave(&self) {
        self.leaving.raise(StopReason::Shutdown);
    }
}

/// The joined narration in a narration's folder: the one file of sound that is no clip.
fn whole_narration(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort_unstable();
    files.into_iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".wav") && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The longest path in bytes that a system takes.
const LONGEST_PATH: usize = 4096;

/// The file that a pasted line names, if there is one. A bare word may be a text that by chance is a
/// file's name as well: then it is a text.
fn pasted_file(pasted: &str) -> Option<PathBuf> {
    let line = pasted.trim();
    let is_bare = !line.contains(['.', '/']);
    if is_bare || line.contains('\n') || line.len() > LONGEST_PATH {
        return None;
    }
    Some(typed::path(Path::new(line))).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_line_is_a_file_or_a_text() {
        let folder = tempfile::tempdir().unwrap();
        let story = folder.path().join("my story.txt");
        std::fs::write(&story, "x").unwrap();
        let at = folder.path().to_str().unwrap();
        assert_eq!(pasted_file(&format!("{at}/my story.txt\n")), Some(story));
        for text in ["Rain again.", "odd", ".", "One line.\n/tmp", "", at] {
            assert_eq!(pasted_file(text), None, "{text}");
        }
    }
}
