//! `aloud --accessible`: plain lines for screen readers, and commands by letter and Enter, instead
//! of the monitor. Each line is one sentence that stands alone. It must never write an escape
//! sequence, draw, or change a line that was said; and it needs no terminal.

mod act;
mod commands;
mod defaults;
mod fetch;
mod input;
mod jobs;
mod leave;
mod lines;
mod look;
mod numbers;
mod session;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_channel::{Receiver, Sender};
use smol::future;

use super::desk::Desk;
use super::fetching::Show;
use super::handover::hand_over;
use super::idle::IdleCheck;
use super::on_complete::OnComplete;
use super::signals::Signals;
use super::{queue, submit};
use crate::engine::Engine;
use crate::http::End;
use crate::model::{Event, ShutdownWait};
use crate::narrate::Voices;
use crate::service::{Ready, Subscription};
use crate::settings::{OnHangup, Settings};
use crate::webhook::{Webhooks, still_owed};
use input::Input;
use jobs::{BackgroundJobs, Outcome};
use lines::Lines;
use session::Session;

/// How much may wait to be taken in. When it is full, senders wait; the engine never does, for its
/// own subscription counts what was missed.
const BACKLOG: usize = 256;

/// The exit code when the terminal has gone: as if its signal had come.
const TERMINAL_LOST: u8 = 129;

/// Everything that wakes the loop.
#[derive(Debug)]
enum Incoming {
    /// A person typed this.
    Line(String),
    LineTooLong,
    /// Ctrl-D, or the end of a pipe or a file.
    InputEnded {
        for_good: bool,
    },
    TerminalLost,
    Event(Event),
    /// The stream of events has ended.
    WorkEnded,
    Done(Outcome),
}

/// `aloud --accessible`: whatever is unfinished, and what is asked for.
pub(super) fn run(
    settings: &Settings,
    offline: bool,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    loop {
        if let Some(mirror) = queue::followed(settings)? {
            let desk = Arc::new(Desk::attached(mirror, settings));
            let code = talk(&desk, settings, signals)?;
            if desk.end() == Some(End::Gone) && !signals.raised() {
                // Nobody works any more: this one takes it up.
                continue;
            }
            return Ok(code);
        }
        ready(settings, offline, signals)?;
        let voices = Voices::new(settings);
        if let Some(engine) = queue::open_or_yield(settings, &voices)? {
            return tell(&engine, &voices, settings, signals);
        }
    }
}

/// Brings what the voice of these settings needs, saying so in sentences.
pub(super) fn ready(
    settings: &Settings,
    offline: bool,
    signals: &Signals,
) -> anyhow::Result<Ready> {
    let mut lines = Lines::new(signals.witness());
    let interrupted = || signals.raised();
    fetch::ensure(settings, offline, &mut lines, &interrupted)?;
    // Everything is there: nothing is left to be shown.
    submit::ready(settings, true, Show::Nothing, &interrupted)
}

/// Tells what the engine does and obeys, until it is time to leave.
pub(super) fn tell(
    engine: &Engine,
    voices: &Arc<Voices>,
    settings: &Settings,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    signals.shut_down(engine, settings.shutdown_timeout);
    if let Some(code) = signals.exit_code() {
        return Ok(code);
    }
    if settings.on_hangup == OnHangup::Finish {
        // Whoever reads the terminal notices its loss; here it would stop the work that is to go on.
        signals.spare_hangup();
    }
    let _on_complete = OnComplete::start(engine, settings)?;
    let _idle = IdleCheck::start(engine, settings)?;
    let webhooks = Webhooks::start(engine.outbox(), &settings.webhooks)?;
    let desk = Desk::new(engine.clone(), Arc::clone(voices), settings);
    let desk = Arc::new(desk);
    let its = Arc::downgrade(&desk);
    if settings.on_hangup == OnHangup::HandOver {
        signals.before_hangup(move || {
            if let Some(desk) = its.upgrade() {
                desk.hand_over();
            }
        });
    }
    let code = talk(&desk, settings, signals)?;
    let owed = webhooks.as_ref().map_or(0, Webhooks::owed);
    drop(webhooks);
    if !desk.is_handed_over()
        && let Some(said) = still_owed(owed)
    {
        // Whoever left may have closed the terminal as well.
        let _ = writeln!(io::stdout(), "{said}");
    }
    if desk.is_handed_over() {
        // The next one can begin only then.
        drop(desk);
        if let Err(error) = hand_over(settings) {
            tracing::error!("nobody goes on with the work: {error:#}");
        }
    }
    Ok(code)
}

/// The conversation before a desk, whoever does the work.
fn talk(desk: &Arc<Desk>, settings: &Settings, signals: &Signals) -> anyhow::Result<ExitCode> {
    let (sender, receiver) = async_channel::bounded(BACKLOG);
    // What is declared last goes first: the channel is closed before any thread is waited for.
    let _events = Events::start(desk, sender.clone())?;
    let jobs = BackgroundJobs::start(Arc::clone(desk), sender.clone())?;
    let lines = Lines::new(signals.witness());
    let mut session = Session::new(settings.clone(), Arc::clone(desk), jobs, lines);
    let _input = Input::start(sender)?;
    let _close = Close(&receiver);
    // The end of the work ends the conversation, and a signal ends the work that is done here. What another
    // program does goes on.
    let heard = desk.is_attached().then(|| signals.listen());
    session.begin();
    while !session.has_left() {
        let signal = async {
            match &heard {
                Some(heard) => heard.recv().await.map(|_| Incoming::WorkEnded),
                None => future::pending().await,
            }
        };
        let Ok(incoming) = smol::block_on(future::or(signal, receiver.recv())) else {
            break;
        };
        session.take(incoming);
    }
    desk.stop(ShutdownWait::Now);
    session.farewell();
    Ok(match signals.exit_code() {
        Some(code) => code,
        None if session.has_lost_terminal => ExitCode::from(TERMINAL_LOST),
        None => ExitCode::SUCCESS,
    })
}

/// Closes the channel when it goes.
struct Close<'a>(&'a Receiver<Incoming>);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The thread that forwards what happens. It ends with the stream of that, or when nobody
/// takes them any more.
struct Events {
    desk: Arc<Desk>,
    to: Sender<Incoming>,
    thread: Option<JoinHandle<()>>,
}

impl Events {
    fn start(desk: &Arc<Desk>, to: Sender<Incoming>) -> io::Result<Self> {
        let (events, sender) = (desk.service().events(), to.clone());
        let thread = thread::Builder::new()
            .name("aloud-events".to_owned())
            .spawn(move || forward(&events, &sender))?;
        Ok(Self {
            desk: Arc::clone(desk),
            to,
            thread: Some(thread),
        })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.to.close();
        // The stream ends with the work, or with the look at it.
        self.desk.stop(ShutdownWait::Now);
        if let Some(thread) = self.thread.take() {
            // It only passes on what it is told.
            let _ = thread.join();
        }
    }
}

fn forward(events: &Subscription, to: &Sender<Incoming>) {
    while let Ok(event) = events.recv_blocking() {
        if to.send_blocking(Incoming::Event(event)).is_err() {
            return;
        }
    }
    // Without a receiver nobody has to know.
    let _ = to.send_blocking(Incoming::WorkEnded);
}
