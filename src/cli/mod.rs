//! The command line: what a person types, and the headless front end. It only calls the public
//! parts of the other rooms, and must never hold state that the engine should own.

mod accessible;
mod args;
mod bars;
mod bench;
mod clean;
#[cfg(feature = "monitor")]
pub(crate) mod complete;
mod demo;
mod desk;
pub mod doctor;
pub mod fetching;
mod handover;
mod idle;
mod limits;
mod linger;
mod logging;
#[cfg(feature = "monitor")]
mod monitor;
mod narrate;
mod on_complete;
mod phonemes;
mod player;
mod queue;
mod report;
pub mod setup;
mod signals;
mod site;
mod submit;
#[cfg(feature = "monitor")]
mod tour;
mod voice;
pub mod voices;
mod webhook;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::assets::AssetError;
use crate::engine::{OpenError, StoreError, SubmitError};
use crate::http::GateError;
use crate::narrate::ComposeError;
use crate::outlet::say_within;
use crate::service::{Refusal, RefusalKind, TaskAction, one_message};
use crate::settings::SettingsError;
use crate::speech::SpeechError;
use crate::text::printable;
use crate::webhook::AddressError;
use args::{Args, Command};
use signals::Signals;

/// How long a terminal may take for what is said at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the program with the arguments it was given.
///
/// Exit codes: 0 all is well; 1 something failed; 2 the command or its input was wrong; 128 and the
/// signal's number after a signal.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            // The last resort: if standard error is gone as well, the exit code still tells.
            let _ = say_within(
                std::io::stderr(),
                &format!("aloud: {}\n", message(&error)),
                LAST_WORDS,
            );
            exit_code(&error)
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    if matches!(args.command, Some(Command::Voice)) {
        // No settings, no log file, no signals: its parent has all of that.
        return voice::run();
    }
    if matches!(args.command, Some(Command::Bench(_))) {
        bench::begin_without_telemetry();
    }
    signals::survive_large_files()?;
    let mut settings = crate::settings::load(args.overrides())?;
    // A system that does not say where this program is has the voices in it.
    settings.voice_program = std::env::current_exe().ok();
    logging::start(&settings.paths.logs);
    let signals = Signals::install()?;
    let out = &mut std::io::stdout().lock();
    let witness = signals.witness();
    let accessible = args.accessible || is_dumb();
    let code = match args.command {
        None if accessible => accessible::run(&settings, args.offline, &signals),
        Some(Command::Demo(command)) if accessible => {
            demo::accessible(&command, &settings, args.offline, &signals)
        }
        #[cfg(feature = "monitor")]
        None => monitor::run(&settings, args.offline, signals, false),
        #[cfg(feature = "monitor")]
        Some(Command::Attach) => monitor::run(&settings, args.offline, signals, true),
        #[cfg(feature = "monitor")]
        Some(Command::Demo(command)) => demo::run(&command, &settings, args.offline, signals),
        #[cfg(not(feature = "monitor"))]
        None | Some(Command::Demo(_)) => anyhow::bail!(
            "this aloud was built without its monitor; add --accessible, or see `aloud --help`"
        ),
        Some(Command::Narrate(mut command)) => {
            command.plain |= accessible;
            narrate::run(&command, &settings, args.offline, &signals)
        }
        Some(Command::Add(command)) => queue::add(&command, &settings, args.offline, out, &signals),
        Some(Command::Schedules(command)) => queue::schedules(&command, &settings, out),
        Some(Command::Status(command)) => queue::status(&command, &settings, out, &signals),
        Some(Command::Wait(command)) => queue::wait(&command, &settings, out, &signals),
        Some(Command::Cancel(command)) => {
            queue::steer(&command, &TaskAction::Cancel, &settings, out)
        }
        Some(Command::Pause(command)) => queue::steer(&command, &TaskAction::Pause, &settings, out),
        Some(Command::Resume(command)) => {
            queue::steer(&command, &TaskAction::Resume, &settings, out)
        }
        Some(Command::Retry(command)) => {
            let what = match args.voice {
                Some(voice) => TaskAction::Render(crate::service::reference(&voice), args.speaker),
                None if args.speaker.is_some() => {
                    anyhow::bail!("--speaker needs the --voice that the speaker is of")
                }
                None => TaskAction::Retry(Vec::new()),
            };
            queue::steer(&command, &what, &settings, out)
        }
        Some(Command::Move(command)) => queue::shift(&command, &settings, out),
        Some(Command::Health(command)) => queue::health(&command, &settings, out),
        Some(Command::Log(command)) => queue::log(&command, &settings, out, &signals),
        Some(Command::Serve(command)) => queue::serve(&command, &settings, &signals),
        Some(Command::Stop) => queue::stop(&settings, out),
        Some(Command::Phonemes(command)) => {
            phonemes::run(&command, &settings, args.offline, out, &signals)
        }
        Some(Command::Setup(mut command)) => {
            command.offline |= args.offline;
            setup::run(&command, &settings, out, fetching::Show::fitting(), &|| {
                signals.raised()
            })
        }
        Some(Command::Doctor(command)) => {
            doctor::run(&command, &settings, out, &|| signals.raised())
        }
        Some(Command::Bench(command)) => {
            bench::run(&command, &settings, args.offline, out, &signals)
        }
        Some(Command::Clean(command)) => clean::run(&command, &settings, out),
        Some(Command::Webhook(command)) => webhook::run(&command, &settings, out),
        Some(Command::Voices(command)) => voices::run(&command, &settings, out),
        Some(Command::Voice) => unreachable!("it was served above"),
    };
    match code {
        Err(error) if is_interruption(&error) => witness.exit_code().ok_or(error),
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        code => code,
    }
}

/// Whether the terminal only writes one line below the other (`TERM=dumb`, as in an editor's shell):
/// plain lines are what it can show.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether this is what a signal leads to; there is nothing to add to it then.
fn is_interruption(error: &anyhow::Error) -> bool {
    let (asset, submit, store) = (
        error.downcast_ref::<AssetError>(),
        error.downcast_ref::<SubmitError>(),
        error.downcast_ref::<StoreError>(),
    );
    matches!(asset, Some(AssetError::Interrupted))
        || matches!(
            submit,
            Some(SubmitError::ShutDown | SubmitError::Store(StoreError::Closed))
        )
        || matches!(store, Some(StoreError::Closed))
}

/// Whether whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        let json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
    })
}

/// The error as it is told at the end. What is missing has a line for each piece.
fn message(error: &anyhow::Error) -> String {
    match error.downcast_ref::<AssetError>() {
        Some(error @ (AssetError::Offline { .. } | AssetError::FolderLacks { .. })) => {
            let lines = error.to_string();
            let lines: Vec<_> = lines.lines().map(printable).collect();
            lines.join("\n")
        }
        _ => match error.downcast_ref::<OpenError>() {
            Some(OpenError::InUse { .. }) => {
                let message = one_message(error);
                format!(
                    "{message}. `aloud status` shows what it does, `aloud add` gives it texts, `aloud \
                     stop` ends it"
                )
            }
            _ => one_message(error),
        },
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_input = error.downcast_ref::<ComposeError>().is_some()
        || is_monitor_input(error)
        || error
            .downcast_ref::<Refusal>()
            .is_some_and(|refusal| refusal.kind == RefusalKind::Invalid)
        || error.downcast_ref::<SettingsError>().is_some()
        || error.downcast_ref::<GateError>().is_some()
        || error.downcast_ref::<AddressError>().is_some()
        || matches!(
            error.downcast_ref::<SpeechError>(),
            Some(SpeechError::Config { .. } | SpeechError::Model { .. })
        )
        || matches!(
            error.downcast_ref::<OpenError>(),
            Some(OpenError::Folder { .. })
        )
        || matches!(
            error.downcast_ref::<AssetError>(),
            Some(AssetError::UnknownVoice { .. } | AssetError::VoiceFile { .. })
        );
    ExitCode::from(if is_input { 2 } else { 1 })
}

#[cfg(feature = "monitor")]
fn is_monitor_input(error: &anyhow::Error) -> bool {
    use crate::monitor::MonitorError;
    let error = error.downcast_ref::<MonitorError>();
    matches!(
        error,
        Some(MonitorError::NoTerminal | MonitorError::Theme(_) | MonitorError::Keys(_))
    )
}

#[cfg(not(feature = "monitor"))]
fn is_monitor_input(_error: &anyhow::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::without_middle;

    #[test]
    fn the_longest_message_keeps_what_happened_and_what_to_do() {
        let path = "é".repeat(1_000_000);
        let source = std::io::Error::from(rustix::io::Errno::NAMETOOLONG);
        let path = path.into();
        let message = message(&ComposeError::Output { path, source }.into());
        assert!(message.starts_with("can't write to the output folder éé"));
        assert!(message.contains("é…é"));
        assert!(message.ends_with("; choose another with --out"));
        assert!(message.chars().count() < 1600);
        let short = "a".repeat(1500);
        assert_eq!(without_middle(short.clone()), short);
    }

    #[test]
    fn a_shortage_is_told_with_what_helps_against_it() {
        let error = std::io::Error::from(rustix::io::Errno::MFILE);
        let error = anyhow::Error::from(error).context("the library /x can't be written");
        let message = message(&error);
        assert!(message.starts_with("the library /x can't be written: Too many open files"));
        assert!(message.contains("`ulimit -n`"), "{message}");
    }
}
