//! `aloud serve`: works the queue without a screen, for whoever asks over the library's socket. It ends
//! by itself when nothing is left to do and nobody looks on, unless it is told to stay.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_lite::FutureExt;

use super::owner;
use crate::cli::on_complete::OnComplete;
use crate::cli::signals::Signals;
use crate::cli::submit::open_engine;
use crate::engine::{Engine, ShutdownWait, Subscription};
use crate::http::{Server, ServerOptions};
use crate::narrate::Voices;
use crate::service::{API, Live, Local, Place, Service};
use crate::settings::Settings;

/// How long it stays when nothing is left to do: whoever has looked may look again.
const LINGER: Duration = Duration::from_secs(10);
/// How often it looks whether it may leave.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Arguments of `aloud serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Stay when nothing is left to do
    #[arg(long)]
    pub stay: bool,
    /// Leave the terminal and its session; for the program itself
    #[arg(long, hide = true)]
    pub detached: bool,
}

/// This process answers for its library: on a socket that the lock's file names.
pub(crate) struct Owner {
    // The server goes before its socket.
    server: Server,
    _place: Place,
}

impl Owner {
    /// Begins to answer.
    ///
    /// # Errors
    /// What the system said. The work goes on without.
    pub(crate) fn start(engine: &Engine, service: Arc<dyn Live>) -> std::io::Result<Self> {
        let (place, listener) = Place::listen(&engine.health().library)?;
        let server = Server::start(service, listener, ServerOptions::default())?;
        let said = serde_json::json!({
            "api": API,
            "version": env!("CARGO_PKG_VERSION"),
            "socket": place.path(),
        });
        engine.announce(said.as_object().cloned().unwrap_or_default())?;
        tracing::info!(socket = %place.path().display(), "others can reach this program");
        Ok(Self {
            server,
            _place: place,
        })
    }

    /// The same; that others can't reach it is told in the log only.
    pub(crate) fn start_or_log(engine: &Engine, service: Arc<dyn Live>) -> Option<Self> {
        Self::start(engine, service)
            .inspect_err(|error| tracing::warn!(%error, "others can't reach this program"))
            .ok()
    }

    /// How many look on.
    fn watchers(&self) -> usize {
        self.server.connections()
    }
}

pub(crate) fn run(
    args: &ServeArgs,
    settings: &Settings,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    if args.detached {
        // Whoever started it may lose its terminal. It fails where this leads a session already.
        let _ = rustix::process::setsid();
    }
    let voices = Voices::new(settings);
    let engine = open_engine(settings, &voices)?;
    signals.shut_down(&engine, settings.shutdown_timeout);
    let _on_complete = OnComplete::start(&engine, settings)?;
    let log = crate::cli::logging::last_lines;
    let service = Arc::new(Local::new(engine.clone(), voices, settings.clone(), log));
    let answering = Owner::start(&engine, service).context("others can't reach this program")?;
    if args.detached {
        // Whoever started it reads this up to here.
        rustix::stdio::dup2_stderr(std::fs::File::open("/dev/null")?)?;
    }
    let events = engine.subscribe();
    let mut idle_since = Instant::now();
    while !has_ended(&events) {
        if args.stay || has_work(&engine) || answering.watchers() > 0 {
            idle_since = Instant::now();
        } else if idle_since.elapsed() >= LINGER {
            tracing::info!("nothing is left to do, and nobody looks on");
            break;
        }
    }
    engine.shutdown(ShutdownWait::Segments(settings.shutdown_timeout));
    drop(answering);
    Ok(signals.exit_code().unwrap_or(ExitCode::SUCCESS))
}

/// Waits for a moment, or for the end of the engine, and says whether that has come.
fn has_ended(events: &Subscription) -> bool {
    let ended = async {
        while events.recv().await.is_ok() {}
        true
    };
    let moment = async {
        smol::Timer::after(LOOK_AROUND).await;
        false
    };
    smol::block_on(ended.or(moment))
}

/// Whether something is to be done, now or later. What is held back waits for a person.
fn has_work(engine: &Engine) -> bool {
    let stats = engine.stats();
    stats.processing > 0
        || !engine.recurring_tasks().is_empty()
        || (stats.pending > 0
            && engine
                .tasks()
                .iter()
                .any(|task| !task.state.is_terminal() && !task.paused))
}

/// `aloud stop`: ends whoever has the library open, after the segment in work.
pub(crate) fn stop(settings: &Settings, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match owner(settings)? {
        Some(service) => {
            service.shut_down()?;
            writeln!(
                out,
                "It ends after the segment in work; what is unfinished goes on at the next start."
            )?;
        }
        None => writeln!(out, "Nothing runs.")?,
    }
    Ok(ExitCode::SUCCESS)
}
