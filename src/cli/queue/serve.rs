//! `aloud serve`: works the queue without a screen, for whoever asks over the library's socket. It ends
//! by itself when nothing is left to do and nobody looks on, unless it is told to stay.

use std::io::Write;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_lite::FutureExt;

use super::notify::{Ear, Notifier};
use super::{looking, open_patiently, owner};
use crate::cli::idle::IdleCheck;
use crate::cli::on_complete::OnComplete;
use crate::cli::signals::Signals;
use crate::cli::submit::{Opening, open_engine_with};
use crate::engine::{Engine, ShutdownWait, Subscription};
use crate::http::{Gate, Server, ServerOptions, address};
use crate::model::{Hold, TaskStatus};
use crate::narrate::Voices;
use crate::service::{API, Host, Local, Place, Service, one_message};
use crate::settings::{Http, Secret, Settings};
use crate::webhook::Webhooks;

/// How long it stays when nothing is left to do: whoever has looked may look again.
const LINGER: Duration = Duration::from_secs(10);
/// How often it looks whether it may leave.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Arguments of `aloud serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Answer over TCP as well, at this address (the port is 8480 where none is named), and stay; beyond
    /// this machine only with a token (`token` under `[http]`, or ALOUD_HTTP_TOKEN)
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    pub listen: Option<String>,
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
    pub(crate) fn start(
        engine: &Engine,
        service: Arc<dyn Host>,
        tcp: Option<(TcpListener, Gate)>,
    ) -> std::io::Result<Self> {
        let (place, listener) = Place::listen(&engine.health().library)?;
        let http = tcp.as_ref().map(|(listener, _)| listener.local_addr());
        let http = http.transpose()?;
        let server = Server::start_with(service, listener, tcp, ServerOptions::default())?;
        let said = serde_json::json!({
            "api": API,
            "version": env!("CARGO_PKG_VERSION"),
            "socket": place.path(),
            "http": http,
        });
        engine.announce(said.as_object().cloned().unwrap_or_default())?;
        let socket = place.path().display();
        tracing::info!(%socket, http = http.map(|http| http.to_string()), "others can reach this program");
        Ok(Self {
            server,
            _place: place,
        })
    }

    /// The same, over TCP as well where the settings say so; what can't be is told in the log only.
    pub(crate) fn start_or_log(
        engine: &Engine,
        service: Arc<dyn Host>,
        settings: &Http,
    ) -> Option<Self> {
        Self::start(engine, service, tcp_or_log(settings))
            .inspect_err(|error| tracing::warn!(%error, "others can't reach this program"))
            .ok()
    }

    /// Another process goes on with the work after this one's end: whoever looks on is told so then.
    pub(crate) fn hand_over(&self) {
        self.server.hand_over();
    }

    /// How many look on.
    pub(crate) fn watchers(&self) -> usize {
        self.server.connections()
    }
}

/// Where it answers over TCP, and whom; `None` if it is not to.
fn tcp(settings: &Http) -> anyhow::Result<Option<(TcpListener, Gate)>> {
    let Some(listen) = &settings.listen else {
        return Ok(None);
    };
    let at = address(listen)?;
    let token = settings.token.as_ref().map(Secret::reveal);
    let gate = Gate::tcp(at, token, &settings.hosts, &settings.origins)?;
    let listener = TcpListener::bind(at)
        .with_context(|| format!("can't listen at {at}; --listen takes another address"))?;
    Ok(Some((listener, gate)))
}

fn tcp_or_log(settings: &Http) -> Option<(TcpListener, Gate)> {
    tcp(settings).unwrap_or_else(|error| {
        tracing::warn!(
            "nobody can reach this program over TCP: {}",
            one_message(&error)
        );
        None
    })
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
    let mut http = settings.http.clone();
    http.listen = args.listen.clone().or(http.listen);
    // One that was started for a text takes it whatever the settings say here.
    let tcp = if args.detached {
        tcp_or_log(&http)
    } else {
        tcp(&http)?
    };
    let voices = Voices::new(settings);
    let ear = Ear::new();
    let open = || {
        let opening = Opening {
            hooks: ear.hooks(),
            paused: false,
        };
        open_engine_with(settings, &voices, opening)
    };
    let Some(engine) = open_patiently(settings, open)? else {
        let process = owner(settings)?.map_or(0, |owner| owner.info().pid);
        anyhow::bail!(
            "another aloud (process {process}) works the queue already; `aloud stop` ends it"
        );
    };
    signals.shut_down(&engine, settings.shutdown_timeout);
    let _on_complete = OnComplete::start(&engine, settings)?;
    let _idle = IdleCheck::start(&engine, settings)?;
    let _webhooks = Webhooks::start(engine.outbox(), &settings.webhooks)?;
    let log = crate::cli::logging::last_lines;
    let service = Arc::new(Local::new(engine.clone(), voices, settings.clone(), log));
    let http = tcp
        .as_ref()
        .and_then(|(listener, _)| listener.local_addr().ok());
    let answering =
        Owner::start(&engine, service, tcp).context("others can't reach this program")?;
    if let Some(http) = http {
        // Without it the lock's file and the log still say so.
        let _ = writeln!(std::io::stderr(), "aloud: listening at http://{http}");
    }
    if args.detached {
        // Whoever started it reads this up to here.
        rustix::stdio::dup2_stderr(std::fs::File::open("/dev/null")?)?;
    }
    // Who was started by another program is no service, whatever that one is.
    let notifier = match args.detached {
        true => None,
        false => Notifier::start(ear, &engine, settings.shutdown_timeout)?,
    };
    let events = engine.subscribe();
    let mut idle_since = Instant::now();
    while !has_ended(&events) {
        let is_needed = has_work(&engine) || is_owed(&engine) || answering.watchers() > 0;
        if args.stay || args.listen.is_some() || is_needed {
            idle_since = Instant::now();
        } else if idle_since.elapsed() >= LINGER {
            tracing::info!("nothing is left to do, and nobody looks on");
            break;
        }
    }
    engine.shutdown(ShutdownWait::Segments(settings.shutdown_timeout));
    drop(answering);
    drop(notifier);
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

/// Whether something is to be done, now or later.
pub(crate) fn has_work(engine: &Engine) -> bool {
    let stats = engine.stats();
    stats.processing > 0
        || !engine.recurring_tasks().is_empty()
        || (stats.pending > 0 && engine.tasks().iter().any(goes_on))
}

/// Whether someone is yet to be told of what was done.
fn is_owed(engine: &Engine) -> bool {
    engine.outbox().counts().owed > 0
}

/// Whether a task goes on by itself, now or later. What is held back waits for a person, and what nobody
/// here can do for another program.
pub(crate) fn goes_on(task: &TaskStatus) -> bool {
    let is_stuck = matches!(task.hold.as_deref(), Some(Hold::NoOperation));
    !task.state.is_terminal() && !task.paused && !is_stuck
}

/// `aloud stop`: ends whoever has the library open, after the segment in work.
pub(crate) fn stop(settings: &Settings, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    // One that was told before may be gone by the time of the question.
    let is_there = looking(|| match owner(settings)? {
        Some(service) => Ok(service.shut_down().map(|()| true)?),
        None => Ok(false),
    })?;
    let said = if is_there {
        "It ends after the segment in work; what is unfinished goes on at the next start."
    } else {
        "Nothing runs."
    };
    writeln!(out, "{said}")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Library;
    use crate::engine::{Recurrence, Submission, Work};
    use crate::model::{ErrorObject, Timestamp};

    fn work(name: &str) -> Work {
        Work::repeatable(name, |_| Ok(1.into()))
    }

    #[test]
    fn what_is_held_back_keeps_nobody_and_what_comes_later_does() {
        let engine = Library::new();
        assert!(!has_work(&engine));
        let held = Submission::new(work("held back")).paused();
        let held = engine.submit(held).unwrap();
        assert!(!has_work(&engine), "a person has to let it go");
        let hour = Duration::from_secs(3600);
        let later = Submission::new(work("later")).delay(hour);
        let later = engine.submit(later).unwrap();
        assert!(has_work(&engine));
        engine.cancel_task(&later).unwrap();
        assert!(!has_work(&engine));
        let hourly = Recurrence::every(hour).unwrap();
        engine
            .set_recurring("hourly", hourly, work("hourly"))
            .unwrap();
        assert!(has_work(&engine));
        engine.remove_recurring("hourly").unwrap();
        assert!(!is_owed(&engine));
        // A breaker lets go by itself; what nobody here can do waits for another program.
        let mut status = engine.task_status(&held).unwrap();
        status.paused = false;
        let error = ErrorObject::new("X", "x");
        let retry_at = Timestamp(0);
        status.hold = Some(Box::new(Hold::Breaker { error, retry_at }));
        assert!(goes_on(&status));
        status.hold = Some(Box::new(Hold::NoOperation));
        assert!(!goes_on(&status));
    }
}
